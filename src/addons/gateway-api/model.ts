// A gateway's routes as plain data: what translate.ts makes of API objects, and the proxies match requests against.
import type { Certificate } from '../../userland/tls.ts';

export interface ValueMatch {
  name: string;
  /** Exact text, or an expression that has to match the whole value. */
  value: string | RegExp;
}

export interface RouteMatch {
  path: { type: 'Exact' | 'PathPrefix' | 'RegularExpression'; value: string };
  method?: string;
  headers: ValueMatch[];
  query: ValueMatch[];
}

export interface Backend {
  /** namespace/name:port */
  name: string;
  weight: number;
  /** null: the reference leads nowhere, or may not be used: 500. */
  endpoints: { host: string; port: number }[] | null;
  filters: Filter[];
}

export interface PathChange {
  full?: string;
  prefix?: string;
}

export type Filter =
  | { kind: 'request' | 'response'; set: [string, string][]; add: [string, string][]; remove: string[] }
  | { kind: 'redirect'; scheme?: string; hostname?: string; port?: number; path?: PathChange; status: number }
  | { kind: 'rewrite'; hostname?: string; path?: PathChange }
  | { kind: 'mirror'; backend: Backend; fraction: number };

export interface Rule {
  /** namespace/name of the route and the rule's place in it. */
  name: string;
  match: RouteMatch;
  filters: Filter[];
  backends: Backend[];
  timeoutMs: number | null;
  /** For the order of equals: older routes first, then by name. */
  age: string;
  hostnames: string[];
}

export interface Listener {
  name: string;
  port: number;
  protocol: string;
  hostname: string;
  certificate: Certificate | null;
  rules: Rule[];
}

export const fitsHost = (pattern: string, host: string): boolean =>
  !pattern || pattern === host || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1);

const fits = (m: ValueMatch, given: string | undefined): boolean =>
  given !== undefined && (typeof m.value === 'string' ? m.value === given : m.value.test(given));

export interface Asked {
  host: string;
  path: string;
  method: string;
  header: (name: string) => string | undefined;
  query: Map<string, string[]>;
}

function matches(m: RouteMatch, a: Asked): boolean {
  const { type, value } = m.path;
  if (type === 'Exact' && a.path !== value) return false;
  if (type === 'RegularExpression' && !new RegExp(`^(?:${value})$`).test(a.path)) return false;
  if (type === 'PathPrefix') {
    const base = value.replace(/\/+$/, '');
    if (a.path !== base && !a.path.startsWith(`${base}/`)) return false;
  }
  if (m.method && m.method !== a.method) return false;
  return m.headers.every(h => fits(h, a.header(h.name))) && m.query.every(q => fits(q, a.query.get(q.name)?.[0]));
}

const KIND_RANK = { Exact: 2, PathPrefix: 1, RegularExpression: 0 };

/** The specification's order: exact paths, longer prefixes, methods, more headers, more parameters, older, by name. */
function before(x: Rule, y: Rule): number {
  const [a, b] = [x.match, y.match];
  return (
    KIND_RANK[b.path.type] - KIND_RANK[a.path.type] ||
    b.path.value.length - a.path.value.length ||
    Number(!!b.method) - Number(!!a.method) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length ||
    (x.age < y.age ? -1 : x.age > y.age ? 1 : 0)
  );
}

/** A host's own names count before wildcards, longer ones before shorter. */
const hostRank = (pattern: string): number => (pattern === '' ? 0 : pattern.startsWith('*.') ? pattern.length : 10_000 + pattern.length);

/** The rule for a request that came to `port`; null: 404. */
export function ruleFor(listeners: Listener[], port: number, a: Asked): Rule | null {
  const own = listeners
    .filter(l => l.port === port && fitsHost(l.hostname, a.host))
    .sort((x, y) => hostRank(y.hostname) - hostRank(x.hostname));
  const [listener] = own;
  if (!listener) return null;
  const rated = listener.rules.flatMap(r => {
    const fitting = r.hostnames.length ? r.hostnames.filter(h => fitsHost(h, a.host)).map(hostRank) : [0];
    return fitting.length ? [{ r, rank: Math.max(...fitting) }] : [];
  });
  // The most specific host has all the requests of its name; others do not make up for what it lacks.
  const best = Math.max(...rated.map(x => x.rank));
  const rules = rated.filter(x => x.rank === best).map(x => x.r);
  return rules.filter(r => matches(r.match, a)).sort(before)[0] ?? null;
}
