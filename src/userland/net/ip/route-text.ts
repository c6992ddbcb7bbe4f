// A route as `ip route show` prints it, as text and as JSON.
import { hasCarrier } from '../../../linux/carrier.ts';
import type { Route } from '../../../linux/types.ts';
import { type Cidr, formatIp } from '../../../wire/ip.ts';
import { type IpContext, paint, paintIp, tableName } from './context.ts';
import { type Filter, kindOf, type Shown } from './route-filter.ts';

const dstText = (d: Cidr): string =>
  d.bits === 0 ? 'default' : d.bits === d.ip.length * 8 ? formatIp(d.ip) : `${formatIp(d.ip)}/${d.bits}`;

const devName = (c: IpContext, ifindex: number | null): string =>
  ifindex === null ? '*' : (c.ns.links.get(ifindex)?.name ?? `if${ifindex}`);

function flagsOf(c: IpContext, r: Route): string[] {
  const dev = r.dev === null ? undefined : c.ns.links.get(r.dev);
  const flags = r.onlink ? ['onlink'] : [];
  if (dev && r.kind !== 'local' && dev.up && !hasCarrier(dev)) flags.push('linkdown');
  return flags;
}

/** `proto` and `scope` as they are printed, or undefined: left out. */
function words(c: IpContext, r: Route, f: Filter): { proto?: string; scope?: string } {
  const proto = (r.proto !== 'boot' || c.details) && !(f.proto && f.proto !== 'all') ? r.proto : undefined;
  const four = r.dst.ip.length === 4;
  const scope = four && (r.scope !== 'global' || c.details) && !(f.scope && f.scope !== 'all') ? r.scope : undefined;
  return { proto, scope };
}

const hasDevice = (r: Route): boolean => r.dev !== null && !['blackhole', 'unreachable', 'prohibit', 'throw'].includes(r.kind);

export function text(c: IpContext, { route: r, table }: Shown, f: Filter): string {
  const four = r.dst.ip.length === 4;
  const kind = kindOf(r);
  let s = kind === 'unicast' ? (c.details ? 'unicast ' : '') : `${kind} `;
  s += r.dst.bits === 0 ? 'default ' : paintIp(c, r.dst.ip, `${dstText(r.dst)} `);
  if (r.via) s += `via ${paintIp(c, r.via, `${formatIp(r.via)} `)}`;
  if ((hasDevice(r) || !four) && r.dev !== null && !f.dev) s += `dev ${paint(c, 'ifname', `${devName(c, r.dev)} `)}`;
  if (table !== 254 && (!f.named || f.table === null)) s += `table ${tableName(table)} `;
  if (c.busybox) return `${busyboxTail(r, s)}\n`;
  const { proto, scope } = words(c, r, f);
  if (proto) s += `proto ${proto} `;
  if (scope) s += `scope ${scope} `;
  if (r.src) s += `src ${paintIp(c, r.src, `${formatIp(r.src)} `)}`;
  if (r.metric || !four) s += `metric ${r.metric} `;
  for (const flag of flagsOf(c, r)) s += `${flag} `;
  if (r.mtu) s += `mtu ${r.mtu} `;
  if (!four) s = `${s}pref medium`;
  for (const h of r.nexthops ?? [])
    s += `\n\tnexthop${h.via ? ` via ${paintIp(c, h.via, formatIp(h.via))}` : ''} dev ${paint(c, 'ifname', devName(c, h.dev))} weight ${h.weight} `;
  return c.oneline ? `${s.replaceAll('\n', '\\')}\n` : `${s}\n`;
}

function busyboxTail(r: Route, head: string): string {
  let s = head;
  if (r.dst.ip.length === 4 && r.scope !== 'global') s += `scope ${r.scope} `;
  if (r.src) s += ` src ${formatIp(r.src)} `;
  if (r.metric) s += ` metric ${r.metric} `;
  return s;
}

export function json(c: IpContext, { route: r, table }: Shown, f: Filter): Record<string, unknown> {
  const kind = kindOf(r);
  const { proto, scope } = words(c, r, f);
  const four = r.dst.ip.length === 4;
  return {
    type: kind === 'unicast' && !c.details ? undefined : kind,
    dst: dstText(r.dst),
    gateway: r.via ? formatIp(r.via) : undefined,
    dev: hasDevice(r) && !f.dev ? devName(c, r.dev) : undefined,
    table: table !== 254 && (!f.named || f.table === null) ? tableName(table) : undefined,
    protocol: proto,
    scope,
    prefsrc: r.src ? formatIp(r.src) : undefined,
    metric: r.metric || !four ? r.metric : undefined,
    flags: flagsOf(c, r),
    metrics: r.mtu ? [{ mtu: r.mtu }] : undefined,
    pref: four ? undefined : 'medium',
    nexthops: r.nexthops?.map(h => ({ gateway: h.via ? formatIp(h.via) : undefined, dev: devName(c, h.dev), weight: h.weight, flags: [] })),
  };
}
