// `ip route get`: what the kernel would do with a packet.
import { isLocalAddress, lookupRoute } from '../../../linux/route.ts';
import { conf4 } from '../../../linux/sysctl.ts';
import type { Link } from '../../../linux/types.ts';
import { formatIp, type Ip } from '../../../wire/ip.ts';
import {
  deviceNamed,
  fail,
  type IpContext,
  next,
  out,
  outJson,
  paint,
  paintIp,
  prefix,
  refused,
  tableName,
  type Words,
  wrong,
} from './context.ts';
import { filterOf } from './route-filter.ts';
import { text } from './route-text.ts';

const markOf = (text: string): number => (/^(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : wrong(text, 'invalid mark value'));

/** All hosts on the link are a group that every host is in. */
function cacheFlags(type: string, dst: Ip): string[] {
  if (type === 'local') return ['local'];
  if (type === 'broadcast') return ['local', 'brd'];
  if (type !== 'multicast') return [];
  return formatIp(dst) === '224.0.0.1' ? ['local', 'mc'] : ['mc'];
}

export function get(c: IpContext, w: Words): void {
  let dst: Ip | null = null;
  let src: Ip | null = null;
  let iif: Link | null = null;
  let oif: Link | null = null;
  let mark = 0;
  let fibmatch = false;
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'from') src = prefix(c, next(c, w)).ip;
    else if (word === 'iif') iif = deviceNamed(c, next(c, w));
    else if (word === 'oif' || word === 'dev') oif = deviceNamed(c, next(c, w));
    else if (word === 'mark') mark = markOf(next(c, w));
    else if (word === 'uid' || word === 'tos' || word === 'sport' || word === 'dport' || word === 'ipproto') next(c, w);
    else if (word === 'fibmatch') fibmatch = true;
    else if (word !== 'to') dst = prefix(c, word).ip;
  }
  if (!dst) {
    fail('need at least a destination address', 1);
    return;
  }
  const found = lookupRoute(c.ns, dst, { src, iif, oif, mark });
  if (typeof found === 'string') {
    refused(c, found);
    return;
  }
  // An address of no network comes from nowhere (martian source).
  if (iif && dst.length === 4 && (!src || src[0] === 0)) {
    refused(c, 'EINVAL');
    return;
  }
  if (iif && found.kind === 'unicast' && dst.length === 4 && conf4(iif, 'forwarding') === 0) {
    refused(c, 'EHOSTUNREACH');
    return;
  }
  if (!iif && src && !isLocalAddress(c.ns, src)) {
    refused(c, dst.length === 4 ? 'EINVAL' : 'EADDRNOTAVAIL');
    return;
  }
  const r = found.route;
  const four = dst.length === 4;
  if (fibmatch && r) return void out(c, text(c, { route: r, table: found.table }, filterOf(c, { left: [] })));
  // What goes to everybody or to a group is no gateway's (net/ipv4/route.c __mkroute_output).
  const far = four && ['unicast', 'multicast'].includes(found.kind);
  const wide = !far ? null : dst.every(x => x === 255) ? 'broadcast' : dst[0] >> 4 === 14 ? 'multicast' : null;
  if (wide === 'broadcast' || (wide && (r?.dst.bits ?? 0) < 4)) found.via = null;
  const type = wide ?? found.kind;
  const kind = type === 'unicast' ? '' : `${type} `;
  const parts = {
    type: type === 'unicast' ? undefined : type,
    dst: formatIp(dst),
    from: src ? formatIp(src) : four ? undefined : '::',
    gateway: found.via ? formatIp(found.via) : undefined,
    dev: found.dev.name,
    table: found.table !== 254 && (found.table !== 255 || !four) ? tableName(found.table) : undefined,
    protocol: four ? undefined : (r?.proto ?? undefined),
    prefsrc: !src && found.src ? formatIp(found.src) : undefined,
    metric: four ? undefined : (r?.metric ?? 0),
    mark: mark ? (mark >= 16 ? `0x${mark.toString(16)}` : String(mark)) : undefined,
    flags: [],
    uid: four && !iif ? c.p.uid : undefined,
    cache: four ? cacheFlags(type, dst) : undefined,
  };
  if (c.json) {
    outJson(c, [parts]);
    return;
  }
  let s = `${kind}${paintIp(c, dst, `${parts.dst} `)}`;
  if (parts.from) s += `from ${parts.from} `;
  if (parts.gateway) s += `via ${paintIp(c, found.via ?? dst, `${parts.gateway} `)}`;
  s += `dev ${paint(c, 'ifname', `${parts.dev} `)}`;
  if (c.busybox) return void out(c, `${s}${parts.prefsrc ? ` src ${parts.prefsrc} ` : ''}\n`);
  if (parts.table) s += `table ${parts.table} `;
  if (parts.protocol && parts.protocol !== 'boot') s += `proto ${parts.protocol} `;
  if (parts.prefsrc) s += `src ${paintIp(c, dst, `${parts.prefsrc} `)}`;
  if (parts.mark) s += `mark ${parts.mark} `;
  if (!four) return void out(c, `${s}metric ${parts.metric} pref medium\n`);
  if (parts.uid !== undefined) s += `uid ${parts.uid} `;
  const cache = parts.cache?.length ? ` <${parts.cache.join(',')}>` : '';
  out(c, `${s}${c.oneline ? '\\' : '\n'}    cache${cache} ${iif ? `iif ${iif.name} ` : ''}\n`);
}
