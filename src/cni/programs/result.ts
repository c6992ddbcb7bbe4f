// Results of the CNI protocol in every version's form (github.com/containernetworking/cni v1.3 pkg/types/{020,040,100}).

export interface CniInterface {
  name: string;
  mac?: string;
  mtu?: number;
  sandbox?: string;
}

export interface CniIp {
  address: string;
  gateway?: string;
  interface?: number;
}

export interface CniRoute {
  dst: string;
  gw?: string;
  mtu?: number;
  advmss?: number;
  priority?: number;
  table?: number;
  scope?: number;
}

export interface CniDns {
  nameservers?: string[];
  domain?: string;
  search?: string[];
  options?: string[];
}

export interface CniResult {
  interfaces?: CniInterface[];
  ips?: CniIp[];
  routes?: CniRoute[];
  dns?: CniDns;
}

export const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

const filled = <T>(list: T[] | undefined): list is T[] => (list?.length ?? 0) > 0;
const dnsSet = (d: CniDns | undefined): boolean => !!d && (filled(d.nameservers) || filled(d.search) || filled(d.options) || !!d.domain);

/** Keys in Go's order of fields, empty ones left out. */
function dnsOf(d: CniDns = {}): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (filled(d.nameservers)) out.nameservers = d.nameservers;
  if (d.domain) out.domain = d.domain;
  if (filled(d.search)) out.search = d.search;
  if (filled(d.options)) out.options = d.options;
  return out;
}

const sorted = (o: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1)));

const defined = (o: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));

const routeOf = (r: CniRoute) =>
  defined({ dst: r.dst, gw: r.gw, mtu: r.mtu, advmss: r.advmss, priority: r.priority, table: r.table, scope: r.scope });

function oldest(r: CniResult, version: string): Record<string, unknown> {
  const out: Record<string, unknown> = { cniVersion: version };
  for (const [key, six] of [
    ['ip4', false],
    ['ip6', true],
  ] as const) {
    const ip = r.ips?.find(i => i.address.includes(':') === six);
    if (!ip) continue;
    const routes = (r.routes ?? []).filter(x => x.dst.includes(':') === six).map(x => defined({ dst: x.dst, gw: x.gw }));
    out[key] = defined({ ip: ip.address, gateway: ip.gateway, routes: routes.length ? routes : undefined });
  }
  out.dns = dnsOf(r.dns);
  return out;
}

function middle(r: CniResult, version: string): Record<string, unknown> {
  const out: Record<string, unknown> = { cniVersion: version };
  if (filled(r.interfaces)) out.interfaces = r.interfaces.map(i => defined({ name: i.name, mac: i.mac || undefined, sandbox: i.sandbox }));
  if (filled(r.ips)) {
    out.ips = r.ips.map(i =>
      defined({ version: i.address.includes(':') ? '6' : '4', interface: i.interface, address: i.address, gateway: i.gateway }),
    );
  }
  if (filled(r.routes)) out.routes = r.routes.map(x => defined({ dst: x.dst, gw: x.gw }));
  out.dns = dnsOf(r.dns);
  return out;
}

/** 1.0.0 and later marshal by way of maps: keys are sorted. */
export function newest(r: CniResult, version: string): Record<string, unknown> {
  const out: Record<string, unknown> = { cniVersion: version };
  if (dnsSet(r.dns)) out.dns = sorted(dnsOf(r.dns));
  if (filled(r.interfaces))
    out.interfaces = r.interfaces.map(i => sorted(defined({ mac: i.mac || undefined, mtu: i.mtu, name: i.name, sandbox: i.sandbox })));
  if (filled(r.ips)) out.ips = r.ips.map(i => sorted(defined({ address: i.address, gateway: i.gateway, interface: i.interface })));
  if (filled(r.routes)) out.routes = r.routes.map(x => sorted(routeOf(x)));
  return out;
}

export const indented = (v: unknown): string => JSON.stringify(v, null, 4);

export function resultText(r: CniResult, version: string): string {
  const v = version || '0.1.0';
  return indented(v < '0.3.0' ? oldest(r, v) : v < '1.0.0' ? middle(r, v) : newest(r, v));
}

/** A prevResult in the form of the configuration's version. */
export function parseResult(o: any, version: string): CniResult {
  if (version >= '0.3.0') {
    const ips = (o.ips ?? []).map((i: any): CniIp => ({ address: i.address, gateway: i.gateway, interface: i.interface }));
    return { interfaces: o.interfaces, ips, routes: o.routes, dns: o.dns };
  }
  const both = [o.ip4, o.ip6].filter(Boolean);
  const ips = both.map((i): CniIp => ({ address: i.ip, gateway: i.gateway }));
  return { ips, routes: both.flatMap((i): CniRoute[] => i.routes ?? []), dns: o.dns };
}
