// VirtualServices: which one speaks of a host, and which of its routes a request takes (pilot/pkg/networking/core/route/route.go 1.28).
import { listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { type Ip, inCidr, parseCidr } from '../../wire/ip.ts';
import { VIRTUAL_SERVICES } from './names.ts';
import { coversHost, fullName, visible } from './registry.ts';

/** A request as matches look at it. */
export interface Asked {
  /** With its port, if it was given one. */
  authority: string;
  /** As it is in the request line, without the query. */
  path: string;
  query: Map<string, string[]>;
  method: string;
  scheme: string;
  header: (name: string) => string | undefined;
  /** Of the listener. */
  port: number;
  source: { labels: Record<string, string>; namespace: string };
  /** `mesh`, or `namespace/name` of a Gateway. */
  gateway: string;
}

const created = (o: KubeObject) => `${o.metadata.creationTimestamp} ${o.metadata.namespace}/${o.metadata.name}`;
const byAge = (a: KubeObject, b: KubeObject) => (created(a) < created(b) ? -1 : created(a) > created(b) ? 1 : 0);

const gatewaysOf = (vs: KubeObject): string[] =>
  (vs.spec?.gateways ?? ['mesh']).map((g: string) => (g === 'mesh' || g.includes('/') ? g : `${vs.metadata.namespace}/${g}`));

export const hostsOf = (vs: KubeObject): string[] => (vs.spec?.hosts ?? []).map((h: string) => fullName(h, vs.metadata.namespace ?? ''));

/** Those bound to a gateway (or `mesh`), as somebody in `namespace` sees them, the oldest first. */
export const virtualServices = (server: ApiServer, gateway: string, namespace: string | null): KubeObject[] =>
  listObjects(server, VIRTUAL_SERVICES)
    .filter(vs => gatewaysOf(vs).includes(gateway))
    .filter(vs => namespace === null || visible(vs.spec.exportTo, vs.metadata.namespace ?? '', namespace))
    .sort(byAge);

/** The one for a host: the most specific name, then the oldest. Exact names count before wildcards. */
export function virtualServiceFor(list: KubeObject[], host: string): KubeObject | null {
  let best: { vs: KubeObject; rank: number } | null = null;
  for (const vs of list) {
    for (const pattern of hostsOf(vs)) {
      const rank = pattern === host ? 1e6 : coversHost(pattern, host) ? pattern.length : -1;
      if (rank >= 0 && (!best || rank > best.rank)) best = { vs, rank };
    }
  }
  return best?.vs ?? null;
}

/** RE2's words are JavaScript's but for the flags in front. */
function expression(text: string, fold = false): RegExp | null {
  const flags = /^\(\?i\)/.test(text) || fold ? 'i' : '';
  try {
    return new RegExp(`^(?:${text.replace(/^\(\?i\)/, '')})$`, flags);
  } catch {
    return null;
  }
}

function fits(m: any, value: string | undefined, fold = false): boolean {
  // An empty match asks only whether it is there.
  if (!m || (m.exact === undefined && m.prefix === undefined && m.regex === undefined)) return value !== undefined;
  if (value === undefined) return false;
  const fold_ = (s: string) => (fold ? s.toLowerCase() : s);
  if (m.exact !== undefined) return fold_(value) === fold_(m.exact);
  if (m.prefix !== undefined) return fold_(value).startsWith(fold_(m.prefix));
  return expression(m.regex, fold)?.test(value) ?? false;
}

function fitsHeader(name: string, m: any, a: Asked): boolean {
  const special: Record<string, string> = { ':authority': a.authority, ':method': a.method, ':path': a.path, ':scheme': a.scheme };
  return fits(m, special[name.toLowerCase()] ?? a.header(name));
}

function fitsMatch(m: any, a: Asked, own: string): boolean {
  if (m.gateways && !m.gateways.map((g: string) => (g === 'mesh' || g.includes('/') ? g : `${own}/${g}`)).includes(a.gateway)) return false;
  if (m.port && m.port !== a.port) return false;
  if (m.sourceNamespace && m.sourceNamespace !== a.source.namespace) return false;
  if (Object.entries(m.sourceLabels ?? {}).some(([k, v]) => a.source.labels[k] !== v)) return false;
  if (m.uri && !fits(m.uri, a.path, m.ignoreUriCase)) return false;
  if (m.scheme && !fits(m.scheme, a.scheme)) return false;
  if (m.method && !fits(m.method, a.method)) return false;
  if (m.authority && !fits(m.authority, a.authority)) return false;
  if (Object.entries(m.headers ?? {}).some(([k, v]) => !fitsHeader(k, v, a))) return false;
  if (Object.entries(m.withoutHeaders ?? {}).some(([k, v]) => fitsHeader(k, v, a))) return false;
  return !Object.entries(m.queryParams ?? {}).some(([k, v]) => !fits(v, a.query.get(k)?.[0]));
}

/** A connection as matches of spec.tcp and spec.tls look at it. */
export interface Opened {
  port: number;
  /** null: no TLS. */
  sni: string | null;
  destination: Ip;
  source: { labels: Record<string, string>; namespace: string };
  gateway: string;
}

function fitsConnection(m: any, o: Opened, own: string): boolean {
  const at = (g: string) => (g === 'mesh' || g.includes('/') ? g : `${own}/${g}`);
  if (m.gateways && !m.gateways.some((g: string) => at(g) === o.gateway)) return false;
  if (m.port && m.port !== o.port) return false;
  const { sni } = o;
  if (m.sniHosts && (sni === null || !m.sniHosts.some((h: string) => coversHost(h, sni)))) return false;
  if (m.sourceNamespace && m.sourceNamespace !== o.source.namespace) return false;
  if (Object.entries(m.sourceLabels ?? {}).some(([k, v]) => o.source.labels[k] !== v)) return false;
  const inside = (net: string) => {
    const c = parseCidr(net.includes('/') ? net : `${net}/32`);
    return !!c && c.ip.length === o.destination.length && inCidr(c, o.destination);
  };
  return !m.destinationSubnets || m.destinationSubnets.some(inside);
}

/** The routes of the first entry of spec.tls (for TLS that nobody ends) or spec.tcp that fits. null: none does */
export function chooseConnection(vs: KubeObject, o: Opened, kinds: ('tls' | 'tcp')[]): any[] | null {
  const own = vs.metadata.namespace ?? '';
  for (const kind of kinds)
    for (const e of vs.spec[kind] ?? []) if (!e.match?.length || e.match.some((m: any) => fitsConnection(m, o, own))) return e.route ?? [];
  return null;
}

export interface Chosen {
  /** The entry of spec.http. */
  route: any;
  /** The match that it was taken for; null: the entry has none. */
  match: any;
  /** The VirtualService's (or its delegate's) namespace: what short names are completed with. */
  namespace: string;
}

const asDelegate = (server: ApiServer, route: any, own: string): KubeObject | undefined =>
  listObjects(server, VIRTUAL_SERVICES, route.delegate.namespace || own).find(v => v.metadata.name === route.delegate.name);

/** The first entry whose match fits; one that delegates stands for those of another. null: 404 */
export function chooseRoute(server: ApiServer, vs: KubeObject, a: Asked): Chosen | null {
  const namespace = vs.metadata.namespace ?? '';
  for (const route of vs.spec.http ?? []) {
    const match = (route.match ?? []).find((m: any) => fitsMatch(m, a, namespace));
    if (route.match?.length && !match) continue;
    if (!route.delegate) return { route, match: match ?? null, namespace };
    const other = asDelegate(server, route, namespace);
    const inner = other ? chooseRoute(server, other, a) : null;
    if (inner) return inner;
  }
  return null;
}

/** spec.rewrite on a request target. Without a match of the path, the prefix is all of it that every path begins with. */
export function rewritten(target: string, rewrite: any, match: any): string {
  const at = target.indexOf('?');
  const [path, query] = at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at)];
  if (rewrite?.uriRegexRewrite) {
    const { match: from, rewrite: to } = rewrite.uriRegexRewrite;
    return (
      path.replace(
        new RegExp(from, 'g'),
        String(to)
          .replace(/\$/g, '$$$$')
          .replace(/\\(\d)/g, '$$$1'),
      ) + query
    );
  }
  if (rewrite?.uri === undefined) return target;
  const uri = match?.uri;
  if (uri?.exact !== undefined || uri?.regex !== undefined) return rewrite.uri + query;
  const prefix: string = uri?.prefix ?? '/';
  const rest = path.slice(prefix.length);
  // Route.go: a prefix that ends in a slash and one that does not are not joined to two of them, or none.
  const joined = prefix.endsWith('/') && !rewrite.uri.endsWith('/') && rest ? `${rewrite.uri}/${rest}` : rewrite.uri + rest;
  return (joined.startsWith('/') ? joined.replace(/^\/\/+/, '/') : `/${joined}`) + query;
}

/** What a route is called in x-envoy-decorator-operation. */
export function operationOf(hostname: string, port: number, match: any): string {
  const uri = match?.uri;
  const path = uri?.exact !== undefined ? uri.exact : uri?.prefix !== undefined ? `${uri.prefix}*` : (uri?.regex ?? '/*');
  return `${hostname}:${port}${path}`;
}
