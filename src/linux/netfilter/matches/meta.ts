// addrtype, comment, owner, mac, iprange, physdev, pkttype, ttl, hl, length, dscp, tos, rpfilter, socket, cgroup, nfacct
// (libxt_*.c and libipt_*.c of iptables 1.8.9, xt_*.c of Linux 6.18).

import { compareIp, formatIp, type Ip, parseIp } from '../../../wire/ip.ts';
import { addressType, isLocalAddress, lookupRoute } from '../../route.ts';
import type { Link, Skb } from '../../types.ts';
import { needsAlso, needsOption } from '../problems.ts';
import type { HookContext } from '../types.ts';
import { hex, kernelRefuses, type Option, type ParseContext, type Problem, parseUint, quoted, usage } from '../values.ts';
import { buildDscp, buildLength, buildTos, ttlRow } from './header.ts';
import { always, type Built, bang, last, type MatchRow } from './row.ts';

const ADDRESS_TYPES = [
  'UNSPEC',
  'UNICAST',
  'LOCAL',
  'BROADCAST',
  'ANYCAST',
  'MULTICAST',
  'BLACKHOLE',
  'UNREACHABLE',
  'PROHIBIT',
  'THROW',
  'NAT',
  'XRESOLVE',
];

function addressTypes(o: Option): Set<string> | Problem {
  const out = new Set<string>();
  for (const word of o.value.split(',')) {
    if (!ADDRESS_TYPES.includes(word.toUpperCase())) return usage(`addrtype: bad type "${o.value}"`);
    out.add(word.toUpperCase());
  }
  return out;
}

/** Type of an address, or, limited to one interface, LOCAL only when that interface has it. */
function typeOf(ip: Ip, ctx: HookContext, limit: Link | null): string {
  if (limit && isLocalAddress(ctx.netns, ip)) return limit.addresses.some(a => compareIp(a.ip, ip) === 0) ? 'LOCAL' : 'UNICAST';
  return addressType(ctx.netns, ip);
}

function buildAddrtype(options: Option[], c: ParseContext): Built | Problem {
  const src = last(options, '--src-type');
  const dst = last(options, '--dst-type');
  if (!src && !dst) return usage('addrtype: you must specify --src-type or --dst-type');
  const limitIn = last(options, '--limit-iface-in');
  const limitOut = last(options, '--limit-iface-out');
  if (limitIn && limitOut) return usage("addrtype: you can't use --limit-iface-in and --limit-iface-out");
  const srcTypes = src ? addressTypes(src) : null;
  if (srcTypes && !(srcTypes instanceof Set)) return srcTypes;
  const dstTypes = dst ? addressTypes(dst) : null;
  if (dstTypes && !(dstTypes instanceof Set)) return dstTypes;
  // IPv6 has no broadcast, and routes of these types are not asked about (xt_addrtype.c).
  const only4 = ['BROADCAST', 'PROHIBIT', 'BLACKHOLE', 'THROW', 'NAT', 'XRESOLVE'];
  if (c.family === 6 && only4.some(t => srcTypes?.has(t) || dstTypes?.has(t))) return kernelRefuses();
  const names = (s: Set<string>) => ADDRESS_TYPES.filter(t => s.has(t)).join(',');
  const limits = limitIn ? 'limit-iface-in' : limitOut ? 'limit-iface-out' : '';
  return {
    test: (skb, ctx) => {
      const limit = limitIn ? ctx.in : limitOut ? ctx.out : null;
      if (src && srcTypes && srcTypes.has(typeOf(skb.packet.src, ctx, limit)) === src.invert) return false;
      return !(dst && dstTypes && dstTypes.has(typeOf(skb.packet.dst, ctx, limit)) === dst.invert);
    },
    save:
      (src && srcTypes ? `${bang(src)} --src-type ${names(srcTypes)}` : '') +
      (dst && dstTypes ? `${bang(dst)} --dst-type ${names(dstTypes)}` : '') +
      (limits ? ` --${limits}` : ''),
    list: always(
      ` ADDRTYPE match${src && srcTypes ? ` src-type ${src.invert ? '!' : ''}${names(srcTypes)}` : ''}` +
        `${dst && dstTypes ? ` dst-type ${dst.invert ? '!' : ''}${names(dstTypes)}` : ''}${limits ? ` ${limits.replace('iface-', '')}` : ''}`,
    ),
  };
}

function buildComment(options: Option[]): Built | Problem {
  const o = last(options, '--comment');
  if (!o) return needsOption('comment', '--comment');
  const text = o.value.slice(0, 255);
  return { test: () => true, save: ` --comment ${quoted(text)}`, list: always(` /* ${text} */`) };
}

function idRange(o: Option, names: Record<string, number>): [number, number] | Problem {
  if (o.value in names) return [names[o.value], names[o.value]];
  const [a, b] = o.value.split('-');
  const low = parseUint(a, 0, 0xfffffffe);
  const high = b === undefined ? low : parseUint(b, 0, 0xfffffffe);
  return low === null || high === null ? usage(`owner: Bad value for "${o.name}" option: "${o.value}"`) : [low, high];
}

const ROOT = { root: 0 };

function buildOwner(options: Option[]): Built | Problem {
  const uid = last(options, '--uid-owner');
  const gid = last(options, '--gid-owner');
  const exists = last(options, '--socket-exists');
  if (!uid && !gid && !exists) return usage('owner: At least one of --uid-owner, --gid-owner or --socket-exists is required');
  const u = uid ? idRange(uid, ROOT) : null;
  if (u && !Array.isArray(u)) return u;
  const g = gid ? idRange(gid, ROOT) : null;
  if (g && !Array.isArray(g)) return g;
  const text = (r: [number, number], numeric: boolean) =>
    r[0] !== r[1] ? `${r[0]}-${r[1]}` : !numeric && r[0] === 0 ? 'root' : String(r[0]);
  return {
    test: skb => {
      // Processes here have no groups of their own: the group is the user's.
      if (exists && (skb.uid !== null) === exists.invert) return false;
      if (skb.uid === null) return (uid?.invert ?? true) && (gid?.invert ?? true) && !(exists && !uid && !gid && !exists.invert);
      const inside = (r: [number, number]) => skb.uid !== null && skb.uid >= r[0] && skb.uid <= r[1];
      if (uid && u && inside(u) === uid.invert) return false;
      return !(gid && g && inside(g) === gid.invert);
    },
    save:
      (exists ? `${bang(exists)} --socket-exists` : '') +
      (uid && u ? `${bang(uid)} --uid-owner ${text(u, true)}` : '') +
      (gid && g ? `${bang(gid)} --gid-owner ${text(g, true)}` : ''),
    list: numeric =>
      (exists ? `${bang(exists)} owner socket exists` : '') +
      (uid && u ? `${bang(uid)} owner UID match ${text(u, numeric)}` : '') +
      (gid && g ? `${bang(gid)} owner GID match ${text(g, numeric)}` : ''),
  };
}

function buildMac(options: Option[]): Built | Problem {
  const o = last(options, '--mac-source');
  if (!o) return needsOption('mac', '--mac-source');
  if (!/^(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(o.value)) return usage('Invalid MAC address specified.');
  const mac = o.value
    .toLowerCase()
    .split(':')
    .map(x => x.padStart(2, '0'))
    .join(':');
  return {
    test: skb => skb.srcMac !== undefined && (skb.srcMac === mac) !== o.invert,
    save: `${bang(o)} --mac-source ${mac}`,
    list: always(` MAC${bang(o)} ${mac}`),
  };
}

function ipRange(o: Option | undefined, c: ParseContext): [Ip, Ip] | null | Problem {
  if (!o) return null;
  const [a, b] = o.value.split('-');
  const low = parseIp(a);
  const high = b === undefined ? low : parseIp(b);
  const size = c.family === 4 ? 4 : 16;
  for (const [ip, text] of [[low, a] as const, [high, b ?? a] as const])
    if (!ip || ip.length !== size) return usage(`iprange: Bad value for "${o.name}" option: "${text}"`);
  return [low as Ip, high as Ip];
}

function buildIprange(options: Option[], c: ParseContext): Built | Problem {
  const src = last(options, '--src-range');
  const dst = last(options, '--dst-range');
  if (!src && !dst) return usage("iprange match: You must specify `--src-range' or `--dst-range'");
  const s = ipRange(src, c);
  if (s && !Array.isArray(s)) return s;
  const d = ipRange(dst, c);
  if (d && !Array.isArray(d)) return d;
  const inside = (ip: Ip, r: [Ip, Ip]) => ip.length === r[0].length && compareIp(ip, r[0]) >= 0 && compareIp(ip, r[1]) <= 0;
  const text = (r: [Ip, Ip]) => `${formatIp(r[0])}-${formatIp(r[1])}`;
  return {
    test: skb => !(src && s && inside(skb.packet.src, s) === src.invert) && !(dst && d && inside(skb.packet.dst, d) === dst.invert),
    save: (src && s ? `${bang(src)} --src-range ${text(s)}` : '') + (dst && d ? `${bang(dst)} --dst-range ${text(d)}` : ''),
    list: always(
      (src && s ? ` source IP range${bang(src)} ${text(s)}` : '') + (dst && d ? ` destination IP range${bang(dst)} ${text(d)}` : ''),
    ),
  };
}

export const ifaceMatches = (pattern: string, name: string): boolean =>
  pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

function buildPhysdev(options: Option[]): Built | Problem {
  if (!options.length) return usage('PHYSDEV: no physdev option specified');
  const isIn = last(options, '--physdev-is-in');
  const inn = last(options, '--physdev-in');
  const isOut = last(options, '--physdev-is-out');
  const out = last(options, '--physdev-out');
  const bridged = last(options, '--physdev-is-bridged');
  const text = [isIn, inn, isOut, out, bridged].map(o => (o ? `${bang(o)} ${o.name}${o.value ? ` ${o.value}` : ''}` : '')).join('');
  const device = (o: Option | undefined, link: Link | null) =>
    !o || (link !== null && ifaceMatches(o.value, link.name) !== o.invert) || (link === null && o.invert);
  return {
    test: skb => {
      if (!skb.physin && !skb.physout) return options.every(o => o.invert);
      if (isIn && (skb.physin !== null) === isIn.invert) return false;
      if (isOut && (skb.physout !== null) === isOut.invert) return false;
      if (bridged && (skb.physin !== null && skb.physout !== null) === bridged.invert) return false;
      return device(inn, skb.physin) && device(out, skb.physout);
    },
    save: text,
    list: always(` PHYSDEV match${text}`),
  };
}

function buildPkttype(options: Option[]): Built | Problem {
  const o = last(options, '--pkt-type');
  if (!o) return needsOption('pkttype', '--pkt-type');
  const type = o.value === 'host' ? 'unicast' : o.value.toLowerCase();
  if (!['unicast', 'broadcast', 'multicast'].includes(type)) return usage(`Bad packet type '${o.value}'`);
  return {
    test: skb => ((skb.group ?? 'unicast') === type) !== o.invert,
    save: `${bang(o)} --pkt-type ${type}`,
    list: always(` PKTTYPE ${o.invert ? '!=' : '='} ${type}`),
  };
}

/** xt_rpfilter: is the way back to the sender the device the packet came by? */
function reversePath(skb: Skb, ctx: HookContext, loose: boolean, validMark: boolean, acceptLocal: boolean): boolean {
  const { packet } = skb;
  if (ctx.in?.kind === 'loopback' || packet.src.every(b => b === 0)) return true;
  if (packet.family === 6 && packet.src[0] === 0xfe && (packet.src[1] & 0xc0) === 0x80) return true;
  const found = lookupRoute(ctx.netns, packet.src, { src: packet.dst, mark: validMark ? skb.mark : 0 });
  if (typeof found === 'string') return false;
  if (found.kind === 'local') return acceptLocal;
  if (found.kind !== 'unicast') return false;
  if (found.dev === ctx.in) return true;
  return loose || (found.route?.nexthops ?? []).some(h => h.dev === ctx.in?.ifindex);
}

function buildRpfilter(options: Option[], c: ParseContext): Built | Problem {
  if (c.table !== 'raw' && c.table !== 'mangle') return kernelRefuses();
  const has = (name: string) => last(options, name) !== undefined;
  const loose = has('--loose');
  const validMark = has('--validmark');
  const acceptLocal = has('--accept-local');
  const invert = has('--invert');
  const text = (dashes: string) =>
    [loose && 'loose', validMark && 'validmark', acceptLocal && 'accept-local', invert && 'invert']
      .map(w => (w ? ` ${dashes}${w}` : ''))
      .join('');
  return {
    test: (skb, ctx) => reversePath(skb, ctx, loose, validMark, acceptLocal) !== invert,
    save: text('--'),
    list: always(` rpfilter${text('')}`),
  };
}

/** xt_socket: a socket of this namespace that would take the packet. */
function hasSocket(skb: Skb, ctx: HookContext, noWildcard: boolean, transparent: boolean): boolean {
  const error = skb.packet.body.kind === 'icmp' ? skb.packet.body.original : undefined;
  const { body: b, src, dst } = error ?? skb.packet;
  if ((b.kind !== 'tcp' && b.kind !== 'udp') || transparent) return false;
  // An ICMP error is for the socket whose packet it quotes (extract_icmp4_fields in nf_socket_ipv4.c).
  const [local, localPort, remote, remotePort] = error ? [src, b.sport, dst, b.dport] : [dst, b.dport, src, b.sport];
  for (const s of ctx.netns.sockets.all) {
    if (s.closed || s.type !== b.kind || s.localPort !== localPort) continue;
    if (s.remote && (s.remotePort !== remotePort || compareIp(s.remote, remote) !== 0)) continue;
    const wildcard = s.local === null || s.local.every(x => x === 0);
    // --nowildcard: those are not ignored (socket_match in xt_socket.c).
    if (wildcard ? noWildcard : s.local && compareIp(s.local, local) === 0) return true;
  }
  return false;
}

function buildSocket(options: Option[]): Built | Problem {
  const text = options.map(o => ` ${o.name}`).join('');
  const noWildcard = last(options, '--nowildcard') !== undefined;
  const transparent = last(options, '--transparent') !== undefined;
  return {
    test: (skb, ctx) => hasSocket(skb, ctx, noWildcard, transparent),
    save: text,
    list: always(` socket${text}`),
  };
}

function buildCgroup(options: Option[]): Built | Problem {
  const o = last(options, '--cgroup') ?? last(options, '--path');
  if (!o) return usage('xt_cgroup: either --cgroup or --path must be specified');
  const id = o.name === '--cgroup' ? parseUint(o.value) : 0;
  if (id === null) return usage(`cgroup: bad integer value for option "--cgroup", or out of range.`);
  const text = o.name === '--cgroup' ? String(id) : o.value;
  return {
    // Sockets here are in the root group: class 0, path "".
    test: () => (o.name === '--cgroup' ? id === 0 : o.value === '' || o.value === '/') !== o.invert,
    save: `${bang(o)} ${o.name} ${text}`,
    list: always(` cgroup${bang(o)} ${text}`),
  };
}

function buildNfacct(options: Option[], c: ParseContext): Built | Problem {
  const o = last(options, '--nfacct-name');
  if (!o) return usage('nfacct: option "--nfacct-name" must be specified\n');
  // The cluster's components make the object before the rule; a user's rule needs one that is there.
  if (c.trusted) c.ns.netfilter.nfacct.add(o.value);
  else if (!c.ns.netfilter.nfacct.has(o.value)) return kernelRefuses('No such file or directory');
  return { test: () => true, save: ` --nfacct-name  ${o.value}`, list: always(` nfacct-name  ${o.value}`) };
}

function buildDevgroup(options: Option[]): Built | Problem {
  if (!options.length) return usage("devgroup match: You must specify either '--src-group' or '--dst-group'");
  const groups: { o: Option; value: number; mask: number }[] = [];
  for (const o of options) {
    const [a, b] = o.value === 'default' ? ['0'] : o.value.split('/');
    const value = parseUint(a);
    const mask = b === undefined ? 0xffffffff : parseUint(b);
    if (value === null || mask === null) return needsAlso('devgroup', o.name, 'a group');
    groups.push({ o, value, mask });
  }
  const text = (g: (typeof groups)[number]) => `${hex(g.value)}${g.mask === 0xffffffff ? '' : `/${hex(g.mask)}`}`;
  return {
    // Every device is in group 0.
    test: () => groups.every(g => ((0 & g.mask) === g.value) !== g.o.invert),
    save: groups.map(g => `${bang(g.o)} ${g.o.name} ${text(g)}`).join(''),
    list: always(groups.map(g => `${bang(g.o)} ${g.o.name.slice(2)} ${text(g)}`).join('')),
  };
}

export const META_MATCHES: MatchRow[] = [
  { name: 'addrtype', options: { '--src-type': 1, '--dst-type': 1, '--limit-iface-in': 0, '--limit-iface-out': 0 }, build: buildAddrtype },
  { name: 'comment', options: { '--comment': 1 }, build: buildComment },
  {
    name: 'owner',
    hooks: ['OUTPUT', 'POSTROUTING'],
    options: { '--uid-owner': 1, '--gid-owner': 1, '--socket-exists': 0 },
    build: buildOwner,
  },
  { name: 'mac', options: { '--mac-source': 1 }, build: buildMac },
  { name: 'iprange', options: { '--src-range': 1, '--dst-range': 1 }, build: buildIprange },
  {
    name: 'physdev',
    options: { '--physdev-in': 1, '--physdev-out': 1, '--physdev-is-in': 0, '--physdev-is-out': 0, '--physdev-is-bridged': 0 },
    build: buildPhysdev,
  },
  { name: 'pkttype', options: { '--pkt-type': 1 }, build: buildPkttype },
  ttlRow('ttl'),
  ttlRow('hl'),
  { name: 'length', options: { '--length': 1 }, build: buildLength },
  { name: 'dscp', options: { '--dscp': 1, '--dscp-class': 1 }, build: buildDscp },
  { name: 'tos', options: { '--tos': 1 }, build: buildTos },
  {
    name: 'rpfilter',
    hooks: ['PREROUTING'],
    options: { '--loose': 0, '--validmark': 0, '--accept-local': 0, '--invert': 0 },
    build: buildRpfilter,
  },
  {
    name: 'socket',
    hooks: ['PREROUTING', 'INPUT'],
    options: { '--nowildcard': 0, '--transparent': 0, '--restore-skmark': 0 },
    build: buildSocket,
  },
  { name: 'cgroup', hooks: ['INPUT', 'OUTPUT', 'POSTROUTING'], options: { '--cgroup': 1, '--path': 1 }, build: buildCgroup },
  { name: 'nfacct', options: { '--nfacct-name': 1 }, build: buildNfacct },
  { name: 'devgroup', options: { '--src-group': 1, '--dst-group': 1 }, build: buildDevgroup },
];
