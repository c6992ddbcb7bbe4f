// AuthorizationPolicy: DENY before ALLOW, and with any ALLOW policy only what one of them allows (pilot/pkg/security/authz 1.28).
import { listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { type Ip, inCidr, parseCidr } from '../../wire/ip.ts';
import { AUTHORIZATION_POLICIES, ROOT } from './names.ts';
import { selectsPod } from './registry.ts';

/** What is known of a connection, and of a request when it is HTTP. */
export interface Attributes {
  /** The peer's certificate: `spiffe://…`; null: it showed none. */
  peer: string | null;
  sourceIp: Ip;
  /** The client's, by X-Forwarded-For where that is trusted. */
  remoteIp: Ip;
  destinationIp: Ip;
  port: number;
  sni: string | null;
  http: null | {
    method: string;
    path: string;
    host: string;
    header: (name: string) => string | undefined;
    /** Claims of a valid token; null: there is none. */
    claims: Record<string, unknown> | null;
  };
}

/** exact, `prefix*`, `*suffix`, `*` (anything at all). */
function fitsText(pattern: string, value: string, fold = false): boolean {
  const [p, v] = fold ? [pattern.toLowerCase(), value.toLowerCase()] : [pattern, value];
  if (p === '*') return v !== '';
  if (p.startsWith('*')) return v.endsWith(p.slice(1));
  if (p.endsWith('*')) return v.startsWith(p.slice(0, -1));
  return p === v;
}

/** Paths know `{*}` (one segment) and `{**}` (any number) too. */
function fitsPath(pattern: string, path: string): boolean {
  if (!/\{\*\*?\}/.test(pattern)) return fitsText(pattern, path);
  const parts = pattern
    .split(/(\{\*\*?\})/)
    .map(s => (s === '{**}' ? '.*' : s === '{*}' ? '[^/]+' : s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('')}$`).test(path);
}

const inNet = (net: string, ip: Ip): boolean => {
  const c = parseCidr(net.includes('/') ? net : `${net}/${net.includes(':') ? 128 : 32}`);
  return !!c && c.ip.length === ip.length && inCidr(c, ip);
};

const principalOf = (a: Attributes): string => a.peer?.replace(/^spiffe:\/\//, '') ?? '';
const namespaceOf = (a: Attributes): string => /\/ns\/([^/]+)\//.exec(a.peer ?? '')?.[1] ?? '';

const requestPrincipal = (a: Attributes): string => {
  const c = a.http?.claims;
  return c ? `${c.iss}/${c.sub}` : '';
};

type Test = (pattern: string, a: Attributes) => boolean;

/** null as value: it is not there. `http`: only a request has it. */
const FIELDS: Record<string, { http?: boolean; test: Test }> = {
  principals: { test: (p, a) => fitsText(p.replace(/^spiffe:\/\//, ''), principalOf(a)) },
  namespaces: { test: (p, a) => fitsText(p, namespaceOf(a)) },
  serviceAccounts: {
    test: (p, a) => {
      const [, ns, sa] = /\/ns\/([^/]+)\/sa\/(.+)$/.exec(a.peer ?? '') ?? [];
      return p.includes('/') ? p === `${ns}/${sa}` : p === sa;
    },
  },
  ipBlocks: { test: (p, a) => inNet(p, a.sourceIp) },
  remoteIpBlocks: { test: (p, a) => inNet(p, a.remoteIp) },
  requestPrincipals: { http: true, test: (p, a) => fitsText(p, requestPrincipal(a)) },
  hosts: {
    http: true,
    test: (p, a) => fitsText(p, a.http?.host ?? '', true) || fitsText(p, (a.http?.host ?? '').replace(/:\d+$/, ''), true),
  },
  ports: { test: (p, a) => Number(p) === a.port },
  methods: { http: true, test: (p, a) => fitsText(p, a.http?.method ?? '') },
  paths: { http: true, test: (p, a) => fitsPath(p, a.http?.path ?? '') },
};

/**
 * Of an action that meets a connection without requests: an ALLOW rule that asks for more than a connection has never allows, a DENY rule denies
 * by what is left of it (authz/builder.go, the TCP filter).
 */
type Lack = 'never' | 'ignore';

function fitsFields(given: any, a: Attributes, lack: Lack): boolean {
  for (const [key, values] of Object.entries((given ?? {}) as Record<string, string[]>)) {
    const negative = /^not[A-Z]/.test(key);
    const name = negative ? key[3].toLowerCase() + key.slice(4) : key;
    const field = FIELDS[name];
    if (!field || !values?.length) continue;
    if (field.http && !a.http) {
      if (lack === 'never') return false;
      continue;
    }
    if (values.some(v => field.test(v, a)) === negative) return false;
  }
  return true;
}

/** `request.auth.claims[groups]`, `request.auth.claims[a][b]` */
function claim(a: Attributes, key: string): string[] {
  let at: any = a.http?.claims;
  for (const [, name] of key.matchAll(/\[([^\]]*)\]/g)) at = at?.[name];
  if (Array.isArray(at)) return at.map(String);
  return at === undefined || at === null
    ? []
    : String(at).split(' ').length > 1 && /\[scope\]$/.test(key)
      ? String(at).split(' ')
      : [String(at)];
}

function fitsCondition(c: { key: string; values?: string[]; notValues?: string[] }, a: Attributes, lack: Lack): boolean {
  const { key } = c;
  const http = key.startsWith('request.');
  if (http && !a.http) return lack === 'ignore';
  const test = (pattern: string): boolean => {
    if (key === 'source.ip') return inNet(pattern, a.sourceIp);
    if (key === 'remote.ip') return inNet(pattern, a.remoteIp);
    if (key === 'destination.ip') return inNet(pattern, a.destinationIp);
    if (key === 'source.namespace') return fitsText(pattern, namespaceOf(a));
    if (key === 'source.principal') return fitsText(pattern, principalOf(a));
    if (key === 'source.serviceAccount') return FIELDS.serviceAccounts.test(pattern, a);
    if (key === 'destination.port') return Number(pattern) === a.port;
    if (key === 'connection.sni') return fitsText(pattern, a.sni ?? '');
    if (key === 'request.auth.principal') return fitsText(pattern, requestPrincipal(a));
    if (key === 'request.auth.audiences')
      return ([] as string[]).concat((a.http?.claims?.aud ?? []) as string[]).some(v => fitsText(pattern, v));
    if (key === 'request.auth.presenter') return fitsText(pattern, String(a.http?.claims?.azp ?? ''));
    if (key.startsWith('request.auth.claims')) return claim(a, key.slice(19)).some(v => fitsText(pattern, v));
    const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
    return header ? fitsText(pattern, a.http?.header(header) ?? '') : false;
  };
  if (c.values?.length && !c.values.some(test)) return false;
  return !c.notValues?.some(test);
}

function fitsRule(rule: any, a: Attributes, lack: Lack): boolean {
  if (rule.from?.length && !rule.from.some((f: any) => fitsFields(f.source, a, lack))) return false;
  if (rule.to?.length && !rule.to.some((t: any) => fitsFields(t.operation, a, lack))) return false;
  return (rule.when ?? []).every((c: any) => fitsCondition(c, a, lack));
}

export interface Verdict {
  allowed: boolean;
  /** Envoy's response code details: `rbac_access_denied_matched_policy[ns[foo]-policy[deny]-rule[0]]`. */
  details: string;
}

const name = (o: KubeObject, rule: number) => `ns[${o.metadata.namespace}]-policy[${o.metadata.name}]-rule[${rule}]`;

/** May it pass? CUSTOM asks a provider that is not there, which denies what it is asked about; AUDIT changes nothing. */
export function authorize(server: ApiServer, pod: KubeObject, a: Attributes): Verdict {
  const own = listObjects(server, AUTHORIZATION_POLICIES).filter(
    o => (o.metadata.namespace === ROOT || o.metadata.namespace === pod.metadata.namespace) && !targets(o) && selectsPod(o, pod),
  );
  const of = (action: string) => own.filter(o => (o.spec?.action ?? 'ALLOW') === action);
  for (const o of [...of('CUSTOM'), ...of('DENY')]) {
    const at = (o.spec?.rules ?? []).findIndex((r: any) => fitsRule(r, a, 'ignore'));
    if (at >= 0) return { allowed: false, details: `rbac_access_denied_matched_policy[${name(o, at)}]` };
  }
  const allow = of('ALLOW');
  if (!allow.length || allow.some(o => (o.spec?.rules ?? []).some((r: any) => fitsRule(r, a, 'never'))))
    return { allowed: true, details: '' };
  return { allowed: false, details: 'rbac_access_denied_matched_policy[none]' };
}

/** Attached to a gateway or waypoint of the Gateway API, which are none of ours. */
const targets = (o: KubeObject): boolean => !!o.spec?.targetRef || !!o.spec?.targetRefs?.length;
