// A machine's network as the commands that build the same in a real kernel: `ip -batch`, `bridge -batch`, sysctls and the texts that the
// restore programs read. Everything is read from the simulated kernel as it is now, faults included.
import { sortLinks } from '../../src/linux/link.ts';
import { saveSets } from '../../src/linux/netfilter/ipset-text.ts';
import { runNft } from '../../src/linux/netfilter/nft/commands.ts';
import type { NftTable } from '../../src/linux/netfilter/nft/types.ts';
import { noteBaseChains } from '../../src/linux/netfilter/registered.ts';
import { save } from '../../src/linux/netfilter/save.ts';
import { isLinkLocal } from '../../src/linux/route.ts';
import { sysctl } from '../../src/linux/sysctl.ts';
import type { Link, Netns, Route, Segment } from '../../src/linux/types.ts';
import { formatCidr, formatIp } from '../../src/wire/ip.ts';

/** One network namespace to build. Lines are without the leading `ip`. */
export interface Blueprint {
  name: string;
  /** Before there are devices, and once they are there. */
  sysctls: [key: string, value: string][];
  deviceSysctls: [key: string, value: string][];
  /** Devices that need no other of this namespace, those that do, and how they are. */
  links: string[];
  upper: string[];
  settings: string[];
  /** Addresses of IPv6 and all routes: lines that say their family first. */
  routes: string[];
  /** Routes of link-local addresses: devices bring them along, in their own time, so that some may be there already. */
  linkLocal: string[];
  fdb: string[];
  restores: { argv: string[]; stdin: string }[];
  /** Its own devices by name, and what of the rest has to be undone before the namespace can be another. */
  devices: string[];
  left: { sets: boolean; rules: boolean; policyRouting: boolean };
}

/** The namespace that holds the switches. */
export const SWITCHES = 'z0';

export class NotRebuilt extends Error {}

const PER_NAMESPACE = [
  'net.ipv4.ip_forward',
  'net.ipv6.conf.all.forwarding',
  'net.ipv4.fib_multipath_hash_policy',
  'net.ipv4.tcp_syn_retries',
  'net.ipv4.tcp_syn_linear_timeouts',
  'net.ipv4.tcp_synack_retries',
  'net.ipv4.tcp_orphan_retries',
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-call-ip6tables',
];
const PER_DEVICE4 = [
  'rp_filter',
  'route_localnet',
  'proxy_arp',
  'accept_local',
  'arp_ignore',
  'arp_announce',
  'src_valid_mark',
  'forwarding',
];
const PER_DEVICE6 = ['disable_ipv6', 'forwarding', 'proxy_ndp'];

/** What the real kernel does for its own protection or in its own time, and what would only make the comparison slow. */
const QUIET: [string, string][] = [
  // By the mask, not by a limit of 0: that would use up what ip_error may tell.
  ['net.ipv4.icmp_ratemask', '0'],
  ['net.ipv4.icmp_msgs_per_sec', '1000000'],
  ['net.ipv4.icmp_msgs_burst', '1000000'],
  ['net.ipv6.icmp.ratelimit', '0'],
  ['net.ipv6.conf.all.accept_dad', '0'],
  ['net.ipv6.conf.default.accept_dad', '0'],
  ['net.ipv6.conf.all.accept_ra', '0'],
  ['net.ipv6.conf.default.accept_ra', '0'],
  ['net.ipv4.conf.all.send_redirects', '0'],
  ['net.ipv4.conf.default.send_redirects', '0'],
];

export function blueprint(name: string, ns: Netns, names: Map<Netns, string>, ports: PortNames): Blueprint {
  const own = (key: string): [string, string] => [key, sysctl(ns, key)];
  const each = (at: string) => [
    ...PER_DEVICE4.map(k => own(`net.ipv4.conf.${at}.${k}`)),
    ...PER_DEVICE6.map(k => own(`net.ipv6.conf.${at}.${k}`)),
  ];
  const links = sortLinks(ns);
  const loaded = restores(ns);
  const lines = routeLines(ns);
  return {
    name,
    sysctls: [...QUIET, ...each('all'), ...each('default'), ...PER_NAMESPACE.map(own)],
    deviceSysctls: links.flatMap(l => each(l.name)),
    links: links.filter(l => l.kind !== 'vxlan').flatMap(l => deviceLines(l, names, ports)),
    upper: links.filter(l => l.kind === 'vxlan').map(l => vxlanLine(ns, l)),
    settings: links.flatMap(l => settingLines(ns, l)),
    routes: [...links.flatMap(addressLines6), ...lines.filter(l => !isLinkLocalRoute(l))],
    linkLocal: lines.filter(isLinkLocalRoute).map(l => l.replace('route replace', 'route append')),
    fdb: links.flatMap(l => fdbLines(l)),
    restores: loaded,
    devices: links.filter(l => l.kind !== 'loopback').map(l => l.name),
    left: {
      sets: loaded.some(r => r.argv[0] === 'ipset'),
      rules: loaded.length > 0,
      policyRouting: ns.rules.some(isOwnRule) || [...ns.tables.keys()].some(t => t !== 254 && t !== 255),
    },
  };
}

/** Names of the far ends, at the switch, of what is plugged into it. */
export type PortNames = Map<Link, string>;

/** A network that machines are plugged into: a bridge in a namespace of its own, which has nothing else. */
export function switchLines(segments: Segment[], names: Map<Netns, string>, ports: PortNames): string[] {
  const out: string[] = ['link set lo up'];
  segments.forEach((s, i) => {
    out.push(`link add sw${i} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`, `link set sw${i} up`);
    for (const l of s.ports) {
      const at = names.get(l.netns);
      if (!at) continue;
      const port = `p${ports.size}`;
      ports.set(l, port);
      out.push(`link add ${port} mtu 9000 type veth peer name ${l.name} address ${l.mac} netns ${at}`, `link set ${port} master sw${i} up`);
    }
  });
  return out;
}

function deviceLines(l: Link, names: Map<Netns, string>, ports: PortNames): string[] {
  switch (l.kind) {
    case 'loopback':
      return [];
    case 'ethernet':
      if (ports.has(l)) return [];
      return [`link add ${l.name} address ${l.mac} type bridge`]; // plugged into nothing
    case 'veth': {
      // Made from the side with the smaller index in a node's own namespace, that is once.
      const peer = l.peer;
      if (!peer) throw new NotRebuilt(`${l.name} has no other end`);
      if (l.netns.name !== '' || (peer.netns.name === '' && peer.ifindex < l.ifindex)) return [];
      const there = names.get(peer.netns);
      if (!there) throw new NotRebuilt(`the other end of ${l.name} is nowhere`);
      return [
        `link add ${l.name} address ${l.mac} mtu ${l.mtu} type veth peer name ${peer.name} address ${peer.mac} mtu ${peer.mtu} netns ${there}`,
      ];
    }
    case 'bridge':
      return [`link add ${l.name} address ${l.mac} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`];
    case 'ipip':
      // The kernel makes tunl0 itself in each namespace.
      return l.name === 'tunl0' ? [] : [`link add ${l.name} type ipip local ${l.ipip?.local ? formatIp(l.ipip.local) : 'any'}`];
    case 'dummy': {
      // Leads nowhere: to a namespace that has no use for what comes.
      const port = `p${ports.size}`;
      ports.set(l, port);
      return [`link add ${l.name} address ${l.mac} type veth peer name ${port} netns ${SWITCHES}`];
    }
    default:
      throw new NotRebuilt(`${l.name} is of kind ${l.kind}`);
  }
}

function vxlanLine(ns: Netns, l: Link): string {
  const v = l.vxlan!;
  const under = ns.links.get(v.dev)?.name ?? 'eth0';
  const how = `id ${v.vni} local ${formatIp(v.local)} dev ${under} dstport ${v.port} ${v.learning ? 'learning' : 'nolearning'}`;
  return `link add ${l.name} address ${l.mac} mtu ${l.mtu} type vxlan ${how}`;
}

function settingLines(ns: Netns, l: Link): string[] {
  const out: string[] = [];
  const set = (words: string) => out.push(`link set ${l.name} ${words}`);
  if (l.master !== null) {
    set(`master ${ns.links.get(l.master)!.name}`);
    if (l.hairpin) set('type bridge_slave hairpin on');
    if (l.isolated) set('type bridge_slave isolated on');
  }
  if (l.noarp) set('arp off');
  if (l.kind !== 'loopback') set(`mtu ${l.mtu}`);
  // IPv4 addresses live on a device that is down; the others come once it is up.
  const v4 = l.addresses.filter(a => a.ip.length === 4);
  for (const a of v4.filter(a => a.ip[0] !== 127 || l.kind !== 'loopback')) {
    const peer = a.peer ? ` peer ${formatIp(a.peer)}/${a.bits}` : `/${a.bits}`;
    out.push(`addr add ${formatIp(a.ip)}${peer} ${a.broadcast ? `broadcast ${formatIp(a.broadcast)} ` : ''}dev ${l.name} scope ${a.scope}`);
  }
  if (l.up) set('up');
  if (l.kind !== 'loopback')
    for (const [family, table] of [
      ['-4', 'arp_cache'],
      ['-6', 'ndisc_cache'],
    ])
      out.push(`${family} ntable change name ${table} dev ${l.name} retrans 60 proxy_delay ${proxyDelay(ns, l, table)}`);
  return out;
}

const addressLines6 = (l: Link): string[] =>
  l.addresses
    .filter(a => a.ip.length === 16 && !isLinkLocal(a.ip) && (l.kind !== 'loopback' || a.scope !== 'host'))
    .map(a => `-6 addr add ${formatIp(a.ip)}/${a.bits} dev ${l.name} nodad`)
    .reverse();

/** One that is not in every namespace from the beginning. */
const isOwnRule = (r: Netns['rules'][number]): boolean => r.table < 253 || !!(r.from || r.to || r.fwmark || r.iif || r.oif);

const isLinkLocalRoute = (line: string): boolean => line.startsWith('-6 route replace fe80::/64 ');

const TABLES: [number, string][] = [[254, 'main']];

/** In milliseconds; its sysctl counts hundredths of a second. */
const proxyDelay = (ns: Netns, l: Link, table: string): number =>
  10 * Number(sysctl(ns, `net.${table === 'arp_cache' ? 'ipv4' : 'ipv6'}.neigh.${l.name}.proxy_delay`) || 0);

/** The kernel's own routes are replaced by ours: some of them may have been deleted. Table local follows the addresses. */
function routeLines(ns: Netns): string[] {
  const out = ['-4 route flush table main', '-6 route flush table main'];
  const others = [...ns.tables.keys()].filter(t => t !== 254 && t !== 255).map(t => [t, String(t)] as [number, string]);
  for (const [table, name] of [...TABLES, ...others]) {
    const all = ns.tables.get(table) ?? [];
    // What is on the link comes first: a gateway has to be reachable.
    const rank = (r: Route) => (r.via || r.nexthops ? 1 : 0);
    for (const r of [...all].sort((a, b) => rank(a) - rank(b))) out.push(routeLine(ns, r, name));
  }
  for (const r of ns.rules) {
    if (!isOwnRule(r)) continue;
    const words = [
      r.from ? `from ${formatCidr(r.from)}` : '',
      r.to ? `to ${formatCidr(r.to)}` : '',
      r.fwmark ? `fwmark 0x${r.fwmark.value.toString(16)}/0x${(r.fwmark.mask >>> 0).toString(16)}` : '',
      r.iif ? `iif ${r.iif}` : '',
      r.oif ? `oif ${r.oif}` : '',
    ];
    out.push(`-${r.family} rule add ${words.filter(Boolean).join(' ')} priority ${r.priority} table ${r.table}`);
  }
  for (const n of ns.neigh) {
    const dev = ns.links.get(n.dev)!.name;
    const family = `-${n.ip.length === 4 ? 4 : 6}`;
    if (n.proxy) out.push(`${family} neigh add proxy ${formatIp(n.ip)} dev ${dev}`);
    else if (n.state === 'PERMANENT' && n.mac)
      out.push(`${family} neigh replace ${formatIp(n.ip)} lladdr ${n.mac} dev ${dev} nud permanent`);
  }
  return out;
}

function routeLine(ns: Netns, r: Route, table: string): string {
  const family = r.dst.ip.length === 4 ? 4 : 6;
  const dev = (ifindex: number | null) => (ifindex === null ? '' : ` dev ${ns.links.get(ifindex)!.name}`);
  const to = `${r.kind === 'unicast' ? '' : `${r.kind} `}${formatCidr(r.dst)}`;
  const hops = r.nexthops?.map(h => ` nexthop${h.via ? ` via ${formatIp(h.via)}` : ''}${dev(h.dev)} weight ${h.weight}`).join('');
  const way = hops ?? `${r.via ? ` via ${formatIp(r.via)}` : ''}${r.kind === 'unicast' ? dev(r.dev) : ''}${r.onlink ? ' onlink' : ''}`;
  const src = r.src ? ` src ${formatIp(r.src)}` : '';
  const scope = family === 4 && r.kind === 'unicast' && !r.via && !hops ? ` scope ${r.scope}` : '';
  const metric = r.metric ? ` metric ${r.metric}` : '';
  const mtu = r.mtu ? ` mtu ${r.mtu}` : '';
  // IPv4 keeps routes of one destination in the order of their making; IPv6 would make one route of several ways of them. Those on the link may come again by themselves.
  const [head, tail] = hops ? [`${scope}${metric}${src}${mtu}`, hops] : [way, `${scope}${metric}${src}${mtu}`];
  return `-${family} route ${family === 4 ? 'append' : 'replace'} ${to} table ${table} proto ${r.proto}${head}${tail}`;
}

function fdbLines(l: Link): string[] {
  if (!l.vxlan) return [];
  return l.fdb.filter(e => e.dst).map(e => `fdb append ${e.mac} dev ${l.name} dst ${formatIp(e.dst!)} self permanent`);
}

/** Accounting objects never decide; they would have to be made by netlink alone. */
const withoutAccounting = (text: string) => text.replaceAll(/ -m nfacct --nfacct-name +\S+/g, '');

function restores(ns: Netns): Blueprint['restores'] {
  const out: Blueprint['restores'] = [];
  const add = (argv: string[], stdin: string) => {
    if (stdin) out.push({ argv, stdin });
  };
  add(['ipset', 'restore'], saveSets(ns));
  out.push(...baseChains(ns));
  add(['iptables-nft-restore', '--noflush', '--counters'], withoutAccounting(save(ns, 4)));
  add(['ip6tables-nft-restore', '--noflush', '--counters'], withoutAccounting(save(ns, 6)));
  add(['nft', '-f', '-'], ownTables(ns));
  return out;
}

/** Base chains, empty, in the order in which they were registered: it decides among those of one priority. */
function baseChains(ns: Netns): Blueprint['restores'] {
  noteBaseChains(ns);
  const out: Blueprint['restores'] = [];
  for (const [key] of [...ns.netfilter.registered].sort((a, b) => a[1] - b[1])) {
    const words = key.split(' ');
    const xt = words[0] === 'nft';
    const argv = xt ? [`ip${words[1] === '6' ? '6' : ''}tables-nft-restore`, '--noflush'] : ['nft', '-f', '-'];
    const text = xt ? `*${words[2]}\n:${words[3]} ACCEPT [0:0]\nCOMMIT\n` : baseChain(ns, words);
    const last = out[out.length - 1];
    if (last && last.argv[0] === argv[0]) last.stdin += text;
    else out.push({ argv, stdin: text });
  }
  return out;
}

function baseChain(ns: Netns, [family, table, name]: string[]): string {
  const found = (ns.netfilter.nft as NftTable[]).find(t => t.family === family && t.name === table);
  const base = found?.chains.get(name)?.base;
  if (!base) throw new Error(`no base chain ${family} ${table} ${name}`);
  return `add table ${family} ${table}\nadd chain ${family} ${table} ${name} { type ${base.type} hook ${base.hook} priority ${base.priority}; policy ${base.policy}; }\n`;
}

/** `nft list ruleset` without the tables that belong to iptables. */
function ownTables(ns: Netns): string {
  const text = runNft(ns, 'list ruleset').out;
  const xtables = /^table ip6? (filter|nat|mangle|raw|security) /;
  return text
    .split(/^(?=table )/m)
    .filter(t => !xtables.test(t))
    .join('');
}
