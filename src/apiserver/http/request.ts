// The API as a client of its HTTP port sees it: who asks, what the path means, and what the answer looks like.
import { isAllowed, isTrusted, refusal, userOf } from '../authorize.ts';
import type { Json } from '../json.ts';
import { allResources } from '../resources.ts';
import { userOfToken } from '../reviews.ts';
import { failure, isStatus, noSuchResource } from '../status.ts';
import { getObject } from '../store.ts';
import type { ApiServer, Status } from '../types.ts';
import { aggregatedDiscovery, discovery, isGroup } from './discovery.ts';
import { type FlowAttributes, flowHeaders } from './flow-schema.ts';
import { health } from './health.ts';
import { decodePart, type Exchange, type HttpAnswer, type HttpBackend, type HttpRequest, parseQuery, type Shape } from './message.ts';
import { acceptedTypes, jsonText, NOT_ALLOWED, reply, shapeOf } from './negotiate.ts';
import { type Asked, callResource, METHOD_VERBS } from './resource.ts';

const PLAIN: Shape = { as: 'object', includeObject: 'Metadata', yaml: false, pretty: true };

export function httpRequest(server: ApiServer, backend: HttpBackend, request: HttpRequest): HttpAnswer {
  const at = request.target.indexOf('?');
  const path = at < 0 ? request.target : request.target.slice(0, at);
  const query = parseQuery(at < 0 ? '' : request.target.slice(at + 1));
  const x: Exchange = { server, backend, request, path, query, user: '', groups: [] };
  const refused = authenticate(x);
  if (refused) return refuse(x, refused);
  const asked = resourcePath(server, path);
  const answer = !asked ? nonResource(x) : isStatus(asked) ? refuse(x, asked) : callResource(x, asked);
  if (answer.kind !== 'reply') return answer;
  const flow = flowHeaders(server, userOf(x.user, x.groups), flowAttributes(x, asked && !isStatus(asked) ? asked : null));
  return { ...answer, reply: { ...answer.reply, headers: [...answer.reply.headers, ...flow] } };
}

/** What its method and path say of a request, whether it is one that the server knows or not (pkg/endpoints/request/requestinfo.go). */
function flowAttributes(x: Exchange, asked: Asked | null): FlowAttributes {
  const { method } = x.request;
  if (!asked) return { verb: method.toLowerCase(), url: x.path };
  const { info, namespace, name, subresource } = asked;
  const verb = method === 'POST' ? 'create' : (METHOD_VERBS[method === 'HEAD' ? 'GET' : method]?.[name === undefined ? 1 : 0] ?? '');
  const resource = subresource ? `${info.resource}/${subresource}` : info.resource;
  return { verb, group: info.group, resource, namespace };
}

const refuse = (x: Exchange, s: Status): HttpAnswer => ({ kind: 'reply', reply: reply(x, PLAIN, s, s.code ?? 500) });

/** Sets the user, or says why there is none. */
function authenticate(x: Exchange): Status | null {
  const { headers } = x.request;
  const bearer = /^Bearer +(.*)$/i.exec(headers.authorization ?? '')?.[1].trim();
  const name = bearer === undefined ? 'system:anonymous' : (x.backend.userOfToken(bearer) ?? userOfToken(bearer));
  if (!name) return failure(401, 'Unauthorized', 'Unauthorized');
  x.user = name;
  return impersonate(x);
}

/** Impersonate-User and -Group (k8s.io/apiserver v0.36.3, pkg/endpoints/filters/impersonation). */
function impersonate(x: Exchange): Status | null {
  const { headers } = x.request;
  const name = headers['impersonate-user'];
  const groups = (headers['impersonate-group'] ?? '').split(/, */).filter(Boolean);
  if (!name) return null;
  for (const [resource, n] of [['users', name], ...groups.map(g => ['groups', g])] as [string, string][]) {
    const ask = { verb: 'impersonate' as never, group: '', version: 'v1', resource, name: n, user: x.user, groups: x.groups };
    const refused = isTrusted(x.user) ? null : refusal(x.server, ask, false);
    if (refused) return refused;
  }
  x.user = name;
  x.groups = groups;
  return null;
}

/** null: the path is no resource's. */
function resourcePath(server: ApiServer, path: string): Asked | Status | null {
  const m = /^\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))\/(.+?)\/?$/.exec(path);
  if (!m) return null;
  const [group, version] = m[1] ? ['', m[1]] : [m[2], m[3]];
  const parts = m[4].split('/').map(decodePart);
  let namespace: string | undefined;
  if (parts[0] === 'namespaces' && parts.length > 2 && parts[2] !== 'status' && parts[2] !== 'finalize') namespace = parts.splice(0, 2)[1];
  const [resource, name, ...rest] = parts;
  const info = allResources(server).find(r => r.group === group && r.version === version && r.resource === resource);
  if (info) return { info, namespace, name, subresource: rest.length ? rest.join('/') : undefined };
  return isGroup(server, group) ? noSuchResource() : null;
}

const text = (code: number, body: string): HttpAnswer => {
  const headers: [string, string][] = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
  ];
  return { kind: 'reply', reply: { code, headers, body } };
};

function nonResource(x: Exchange): HttpAnswer {
  const { server, path, request } = x;
  const verb = request.method === 'HEAD' ? 'get' : request.method.toLowerCase();
  if (!isAllowed(server, userOf(x.user, x.groups), { verb, url: path }))
    return refuse(x, failure(403, 'Forbidden', `forbidden: User "${x.user}" cannot ${verb} path "${path}"`, {}));
  const healthy = health(path, x.query);
  if (healthy !== null) return text(200, healthy);
  if (path === '/openapi/v2') return { kind: 'openapi', document: { version: 2 } };
  const v3 = /^\/openapi\/v3(?:\/(.*?))?\/?$/.exec(path);
  if (v3) return { kind: 'openapi', document: { version: 3, path: v3[1] || null } };
  const accept = request.headers.accept ?? '';
  const wanted = acceptedTypes(accept);
  if (path === '/api' || path === '/apis') {
    const m = wanted.find(t => t.params.as || t.type === 'application/json');
    const version = m?.params.v ?? '';
    if (m?.params.as === 'APIGroupDiscoveryList' && m.params.g === 'apidiscovery.k8s.io' && /^v2(beta1)?$/.test(version))
      return json(
        x,
        aggregatedDiscovery(server, path === '/api', version),
        `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      );
  }
  // These two are written to be read.
  if (path === '/version') return verb === 'get' ? indented(versionOf(server)) : refuse(x, NOT_ALLOWED);
  if (path === '/') return indented(discovery(server, path, ''));
  const found = discovery(server, path, addressOf(server));
  return found ? json(x, found, 'application/json') : text(404, '404 page not found\n');
}

const indented = (body: Json): HttpAnswer => ({
  kind: 'reply',
  reply: { code: 200, headers: [['Content-Type', 'application/json']], body: jsonText(body, true) },
});

function json(x: Exchange, body: Json, type: string): HttpAnswer {
  const shape = shapeOf('', x.request.headers['user-agent'] ?? '', x.query);
  const pretty = !isStatus(shape) && shape.pretty;
  return { kind: 'reply', reply: { code: 200, headers: [['Content-Type', type]], body: jsonText(body, pretty) } };
}

/** Where the endpoints of the Service `kubernetes` say that the server is. */
function addressOf(server: ApiServer): string {
  const slice = getObject(server, 'endpointslices.discovery.k8s.io', 'default', 'kubernetes');
  const address: string | undefined = slice?.endpoints?.[0]?.addresses?.[0];
  return address === undefined ? '' : `${address.includes(':') ? `[${address}]` : address}:6443`;
}

const versionOf = (server: ApiServer): Json => {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(server.config.version) ?? ['', '', ''];
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: server.config.version,
    gitCommit: '$Format:%H$',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'go1.26.8',
    compiler: 'gc',
    platform: 'linux/amd64',
  };
};
