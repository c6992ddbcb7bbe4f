// Gateways, HTTPRoutes, ReferenceGrants, Services and Secrets -> listeners with their rules, and what is to be said of each in its status.
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { bytesToString, unbase64 } from '../../sim/bytes.ts';
import type { Certificate } from '../../userland/tls.ts';
import { certificateOf } from '../../userland/x509.ts';
import { selects } from '../reconcile.ts';
import { type Backend, type Filter, fitsHost, type Listener, type PathChange, type Rule, type ValueMatch } from './model.ts';

export const GATEWAYS = 'gateways.gateway.networking.k8s.io';
export const CLASSES = 'gatewayclasses.gateway.networking.k8s.io';
export const ROUTES = 'httproutes.gateway.networking.k8s.io';
export const GRANTS = 'referencegrants.gateway.networking.k8s.io';
const GROUP = 'gateway.networking.k8s.io';

export interface Verdict {
  ok: boolean;
  reason: string;
  message: string;
}

const yes = (reason: string, message: string): Verdict => ({ ok: true, reason, message });
const no = (reason: string, message: string): Verdict => ({ ok: false, reason, message });

export interface Attachment {
  route: KubeObject;
  /** Index in spec.parentRefs. */
  parent: number;
  accepted: Verdict;
  resolved: Verdict;
  /** Names of the listeners it is attached to. */
  listeners: string[];
}

export interface Translated {
  listeners: (Listener & { refs: Verdict })[];
  attachments: Attachment[];
}

/** May an object of this kind and namespace refer to that one? */
export function granted(
  server: ApiServer,
  from: { group: string; kind: string; namespace: string },
  to: { group: string; kind: string; namespace: string; name: string },
): boolean {
  if (from.namespace === to.namespace) return true;
  return listObjects(server, GRANTS, to.namespace).some(
    g =>
      g.spec.from.some((f: any) => f.group === from.group && f.kind === from.kind && f.namespace === from.namespace) &&
      g.spec.to.some((t: any) => t.group === to.group && t.kind === to.kind && (!t.name || t.name === to.name)),
  );
}

function certificateFor(server: ApiServer, gateway: KubeObject, l: any): { certificate: Certificate | null; refs: Verdict } {
  const fine = yes('ResolvedRefs', 'Listener references have been resolved');
  if (l.protocol !== 'HTTPS' && !l.tls) return { certificate: null, refs: fine };
  for (const ref of l.tls?.certificateRefs ?? []) {
    const own = gateway.metadata.namespace ?? '';
    const namespace = ref.namespace ?? own;
    const to = { group: '', kind: 'Secret', namespace, name: ref.name };
    if (!granted(server, { group: GROUP, kind: 'Gateway', namespace: own }, to))
      return {
        certificate: null,
        refs: no('RefNotPermitted', `Certificate ref to secret ${namespace}/${ref.name} not permitted by any ReferenceGrant.`),
      };
    const secret = getObject(server, 'secrets', namespace, ref.name);
    if (!secret) return { certificate: null, refs: no('InvalidCertificateRef', `Secret ${namespace}/${ref.name} does not exist.`) };
    const certificate = certificateOf(bytesToString(unbase64(secret.data?.['tls.crt'] ?? '') ?? new Uint8Array(0)));
    if (certificate) return { certificate, refs: fine };
    return {
      certificate: null,
      refs: no('InvalidCertificateRef', `Secret ${namespace}/${ref.name} must contain valid tls.crt and tls.key.`),
    };
  }
  return { certificate: null, refs: no('InvalidCertificateRef', 'Listener must have at least 1 TLS certificate ref') };
}

/** Everything that is attached to a gateway. */
export function translate(server: ApiServer, gateway: KubeObject): Translated {
  const listeners = (gateway.spec.listeners ?? []).map((l: any) => ({
    name: l.name,
    port: l.port,
    protocol: l.protocol,
    hostname: l.hostname ?? '',
    ...certificateFor(server, gateway, l),
    rules: [] as Rule[],
  }));
  const attachments: Attachment[] = [];
  for (const route of listObjects(server, ROUTES)) {
    (route.spec.parentRefs ?? []).forEach((ref: any, parent: number) => {
      if ((ref.kind ?? 'Gateway') !== 'Gateway' || ref.name !== gateway.metadata.name) return;
      if ((ref.namespace ?? route.metadata.namespace) !== gateway.metadata.namespace) return;
      attachments.push(attach(server, gateway, listeners, route, ref, parent));
    });
  }
  return { listeners, attachments };
}

function attach(
  server: ApiServer,
  gateway: KubeObject,
  listeners: Translated['listeners'],
  route: KubeObject,
  ref: any,
  parent: number,
): Attachment {
  const resolved = { verdict: yes('ResolvedRefs', 'Resolved all the Object references for the Route') };
  const rules = rulesOf(server, route, resolved);
  const refuse = (reason: string, message: string): Attachment => ({
    route,
    parent,
    accepted: no(reason, message),
    resolved: resolved.verdict,
    listeners: [],
  });
  const named = listeners.filter(l => (!ref.sectionName || l.name === ref.sectionName) && (!ref.port || l.port === ref.port));
  if (!named.length) return refuse('NoMatchingParent', 'There are no matching listeners for this parentRef');
  const open = named.filter(l => allows(server, gateway, l.name, route));
  if (!open.length) return refuse('NotAllowedByListeners', 'No listeners included by this parent ref allowed this attachment.');
  const wanted: string[] = route.spec.hostnames ?? [];
  const fitting = open.filter(l => !wanted.length || wanted.some(h => meet(l.hostname, h)));
  if (!fitting.length)
    return refuse(
      'NoMatchingListenerHostname',
      "There were no hostname intersections between the HTTPRoute and this parent ref's Listener(s).",
    );
  for (const l of fitting) {
    const hostnames = wanted.filter(h => meet(l.hostname, h));
    l.rules.push(...rules.map(r => ({ ...r, hostnames })));
  }
  return { route, parent, accepted: yes('Accepted', 'Route is accepted'), resolved: resolved.verdict, listeners: fitting.map(l => l.name) };
}

const meet = (listener: string, host: string): boolean => !listener || fitsHost(listener, host) || fitsHost(host, listener);

function allows(server: ApiServer, gateway: KubeObject, name: string, route: KubeObject): boolean {
  const rule = gateway.spec.listeners.find((l: any) => l.name === name)?.allowedRoutes ?? {};
  if (rule.kinds?.length && !rule.kinds.some((k: any) => k.kind === route.kind)) return false;
  const from = rule.namespaces?.from ?? 'Same';
  if (from === 'All') return true;
  if (from === 'Same') return gateway.metadata.namespace === route.metadata.namespace;
  return selects(rule.namespaces.selector, getObject(server, 'namespaces', '', route.metadata.namespace ?? '')?.metadata.labels);
}

type Resolved = { verdict: Verdict };

function rulesOf(server: ApiServer, route: KubeObject, resolved: Resolved): Rule[] {
  const age = `${route.metadata.creationTimestamp} ${route.metadata.namespace}/${route.metadata.name}`;
  return (route.spec.rules ?? [{}]).flatMap((rule: any, i: number) => {
    const filters = filtersOf(server, route, rule.filters, resolved);
    const backends = (rule.backendRefs ?? []).map((b: any) => backendOf(server, route, b, resolved));
    const timeout = rule.timeouts?.request ?? rule.timeouts?.backendRequest;
    return (rule.matches ?? [{}]).map((m: any) => ({
      name: `${route.metadata.namespace}/${route.metadata.name}/${i}`,
      match: {
        path: { type: m.path?.type ?? 'PathPrefix', value: m.path?.value ?? '/' },
        method: m.method,
        headers: (m.headers ?? []).map(valueMatch),
        query: (m.queryParams ?? []).map(valueMatch),
      },
      filters,
      backends,
      timeoutMs: timeout ? milliseconds(timeout) : null,
      age: `${age} ${String(i).padStart(3, '0')}`,
      hostnames: [],
    }));
  });
}

const valueMatch = (m: any): ValueMatch => ({
  name: m.name,
  value: m.type === 'RegularExpression' ? new RegExp(`^(?:${m.value})$`) : m.value,
});

function milliseconds(text: string): number {
  let total = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)(ms|h|m|s)/g))
    total += Number(n) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 's'];
  return total;
}

function backendOf(server: ApiServer, route: KubeObject, b: any, resolved: Resolved): Backend {
  const own = route.metadata.namespace ?? '';
  const namespace = b.namespace ?? own;
  const backend: Backend = {
    name: `${namespace}/${b.name}:${b.port}`,
    weight: b.weight ?? 1,
    endpoints: null,
    filters: filtersOf(server, route, b.filters, resolved),
  };
  const wrong = (reason: string, message: string) => {
    resolved.verdict = no(reason, message);
    return backend;
  };
  if ((b.kind ?? 'Service') !== 'Service' || (b.group ?? '') !== '')
    return wrong(
      'InvalidKind',
      `Failed to process route rule 0 backendRef 0: Group is invalid, only the core API group (specified by omitting the group field or setting it to an empty string) is supported.`,
    );
  if (!granted(server, { group: GROUP, kind: 'HTTPRoute', namespace: own }, { group: '', kind: 'Service', namespace, name: b.name }))
    return wrong(
      'RefNotPermitted',
      `Failed to process route rule 0 backendRef 0: Backend ref to Service ${namespace}/${b.name} not permitted by any ReferenceGrant.`,
    );
  const service = getObject(server, 'services', namespace, b.name);
  if (!service) return wrong('BackendNotFound', `Failed to process route rule 0 backendRef 0: service ${namespace}/${b.name} not found.`);
  const port = (service.spec.ports ?? []).find((p: any) => p.port === b.port);
  if (!port)
    return wrong(
      b.port === undefined ? 'UnsupportedValue' : 'PortNotFound',
      `Failed to process route rule 0 backendRef 0: TCP Port ${b.port} not found on Service ${namespace}/${b.name}.`,
    );
  backend.endpoints = listObjects(server, 'endpointslices.discovery.k8s.io', namespace)
    .filter(s => s.metadata.labels?.['kubernetes.io/service-name'] === b.name)
    .flatMap(s =>
      (s.ports ?? [])
        .filter((p: any) => (p.name ?? '') === (port.name ?? ''))
        .flatMap((p: any) =>
          (s.endpoints ?? [])
            .filter((e: any) => e.conditions?.ready !== false)
            .flatMap((e: any) => e.addresses.map((host: string) => ({ host, port: p.port }))),
        ),
    );
  return backend;
}

const pairs = (list: any[] | undefined): [string, string][] => (list ?? []).map(h => [h.name, h.value]);
const change = (p: any): PathChange | undefined =>
  p ? (p.type === 'ReplaceFullPath' ? { full: p.replaceFullPath ?? '' } : { prefix: p.replacePrefixMatch ?? '' }) : undefined;

function filtersOf(server: ApiServer, route: KubeObject, list: any[] | undefined, resolved: Resolved): Filter[] {
  return (list ?? []).flatMap((f): Filter[] => {
    const header = f.requestHeaderModifier ?? f.responseHeaderModifier;
    if (header)
      return [
        {
          kind: f.requestHeaderModifier ? 'request' : 'response',
          set: pairs(header.set),
          add: pairs(header.add),
          remove: header.remove ?? [],
        },
      ];
    if (f.requestRedirect) {
      const r = f.requestRedirect;
      return [
        { kind: 'redirect', scheme: r.scheme, hostname: r.hostname, port: r.port, path: change(r.path), status: r.statusCode ?? 302 },
      ];
    }
    if (f.urlRewrite) return [{ kind: 'rewrite', hostname: f.urlRewrite.hostname, path: change(f.urlRewrite.path) }];
    if (!f.requestMirror) return [];
    const { backendRef, percent, fraction } = f.requestMirror;
    const share = fraction ? fraction.numerator / (fraction.denominator ?? 100) : (percent ?? 100) / 100;
    return [{ kind: 'mirror', backend: backendOf(server, route, backendRef, resolved), fraction: share }];
  });
}
