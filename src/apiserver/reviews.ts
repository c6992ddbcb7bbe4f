// What is created to be answered and never stored: access reviews, who one is, tokens of service accounts.

import { base64, bytesToString, stringToBytes, unbase64 } from '../sim/bytes.ts';
import { bytes, uuid } from '../sim/random.ts';
import { parseRfc3339, rfc3339 } from '../sim/time.ts';
import { type Attributes, isAllowed, rulesFor, type User, userOf } from './authorize.ts';
import { isMap, type Json } from './json.ts';
import { badRequest, conflict, invalid, isStatus, notFound } from './status.ts';
import { getObject } from './store.ts';
import type { ApiRequest, ApiServer, KubeObject, ResourceInfo, Status } from './types.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** null: the kind is stored as others are. */
export function review(server: ApiServer, info: ResourceInfo, req: ApiRequest): KubeObject | Status | null {
  const body: Json = isMap(req.body) ? req.body : {};
  const base = { apiVersion: `${info.group}/${info.version}`, kind: info.kind };
  const self = requesterOf(req);
  switch (info.kind) {
    case 'SelfSubjectAccessReview':
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview': {
      const spec: Json = body.spec ?? {};
      if (!spec.resourceAttributes && !spec.nonResourceAttributes) {
        const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
        const error = { type: 'Invalid' as const, field: 'spec.resourceAttributes', value: null, detail };
        return invalid(info.group, info.kind, '', [error]);
      }
      const user = info.kind === 'SelfSubjectAccessReview' ? self : userOf(spec.user ?? '', spec.groups ?? []);
      return { ...base, metadata: {} as KubeObject['metadata'], spec, status: { allowed: isAllowed(server, user, attributesOf(spec)) } };
    }
    case 'SelfSubjectRulesReview': {
      const rules = rulesFor(server, self, body.spec?.namespace ?? '');
      const status = {
        incomplete: false,
        nonResourceRules: rules.filter(r => r.nonResourceURLs).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
        resourceRules: rules.filter(r => r.resources),
      };
      return { ...base, metadata: {} as KubeObject['metadata'], spec: body.spec ?? {}, status };
    }
    case 'SelfSubjectReview': {
      const metadata = { creationTimestamp: rfc3339(server.sim.nowMs) } as KubeObject['metadata'];
      return { ...base, metadata, status: { userInfo: { username: self.name, groups: self.groups } } };
    }
    case 'TokenReview': {
      const name = userOfToken(body.spec?.token ?? '');
      const status = name ? { authenticated: true, user: { username: name, groups: userOf(name).groups } } : { authenticated: false };
      return { ...base, metadata: {} as KubeObject['metadata'], spec: body.spec ?? {}, status };
    }
    default:
      return null;
  }
}

/** Whom a request's authentication makes of it. */
export const requesterOf = (req: ApiRequest): User =>
  !req.user || req.user === 'kubernetes-admin'
    ? { name: 'kubernetes-admin', groups: ['kubeadm:cluster-admins', 'system:authenticated'] }
    : userOf(req.user, req.groups);

function attributesOf(spec: Json): Attributes {
  const r: Json = spec.resourceAttributes;
  if (!r) return { verb: spec.nonResourceAttributes.verb ?? '', url: spec.nonResourceAttributes.path ?? '' };
  return { verb: r.verb ?? '', group: r.group, resource: r.resource, subresource: r.subresource, namespace: r.namespace, name: r.name };
}

const encode = (b: Uint8Array): string => base64(b).replace(/=+$/, '').replace(/\+/g, '-').replace(/\//g, '_');
const part = (o: unknown): string => encode(stringToBytes(JSON.stringify(o)));

/** A JSON web token that nothing signs. */
function tokenFor(server: ApiServer, account: KubeObject, audiences: string[], seconds: number): string {
  const { namespace, name, uid } = account.metadata;
  const now = Math.floor(server.sim.nowMs / 1000);
  const claims = {
    aud: audiences,
    exp: now + seconds,
    iat: now,
    iss: ISSUER,
    jti: uuid(server.random),
    'kubernetes.io': { namespace, serviceaccount: { name, uid } },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
  const key = encode(stringToBytes('podnet'.repeat(6).slice(0, 32)));
  return `${part({ alg: 'RS256', kid: key })}.${part(claims)}.${encode(bytes(server.random, 256))}`;
}

/** Whose token it is; null: nobody's. */
export function userOfToken(token: string): string | null {
  const claims = unbase64(
    (token.split('.')[1] ?? '')
      .replace(/-/g, '+')
      .replace(/_/g, '/')
      .padEnd(Math.ceil((token.split('.')[1] ?? '').length / 4) * 4, '='),
  );
  if (!claims) return null;
  try {
    const { iss, sub } = JSON.parse(bytesToString(claims));
    return iss === ISSUER && typeof sub === 'string' && sub.startsWith('system:serviceaccount:') ? sub : null;
  } catch {
    return null;
  }
}

/** serviceaccounts/token */
/** What a token shall be good for as long as it is there (pkg/registry/core/serviceaccount/storage/token.go v1.36.3). */
function boundObject(server: ApiServer, namespace: string, ref: Json): KubeObject | Status {
  const resource = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }[ref.kind as string];
  if (!resource) return badRequest(`cannot bind token for serviceaccount to object of type ${ref.apiVersion}, Kind=${ref.kind}`);
  const found = getObject(server, resource, resource === 'nodes' ? '' : namespace, ref.name);
  if (!found) return notFound('', resource, ref.name);
  const { uid } = found.metadata;
  if (!ref.uid || ref.uid === uid) return found;
  const why = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  return conflict('', resource, ref.name, why);
}

export function requestToken(server: ApiServer, req: ApiRequest): KubeObject | Status {
  const account = getObject(server, 'serviceaccounts', req.namespace, req.name ?? '');
  if (!account) return notFound('', 'serviceaccounts', req.name ?? '');
  const body: Json = isMap(req.body) ? req.body : {};
  const seconds: number = body.spec?.expirationSeconds ?? 3600;
  const field = 'spec.expirationSeconds';
  if (seconds < 600 || seconds > 2 ** 32) {
    const detail =
      seconds < 600 ? 'may not specify a duration less than 10 minutes' : 'may not specify a duration larger than 2^32 seconds';
    return invalid('authentication.k8s.io', 'TokenRequest', body.metadata?.name ?? '', [
      { type: 'Invalid', field, value: seconds, detail },
    ]);
  }
  const bound = body.spec?.boundObjectRef;
  const object = bound ? boundObject(server, req.namespace ?? '', bound) : null;
  if (isStatus(object)) return object;
  const audiences: string[] = body.spec?.audiences?.length ? body.spec.audiences : [ISSUER];
  const now = rfc3339(server.sim.nowMs);
  const expiry = rfc3339((parseRfc3339(now) ?? 0) + seconds * 1000);
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { name: req.name ?? '', namespace: req.namespace, uid: account.metadata.uid, creationTimestamp: now },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: object ? { ...bound, uid: object.metadata.uid } : null },
    status: { token: tokenFor(server, account, audiences, seconds), expirationTimestamp: expiry },
  };
}
