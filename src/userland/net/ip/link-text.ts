// A device as `ip link` and `ip addr` print it (iproute2 6.1 ip/ipaddress.c, iplink_vxlan.c, iplink_bridge*.c; 6.15 adds a few words).
import { portsOf } from '../../../linux/bridge-fdb.ts';
import { hasCarrier, operState } from '../../../linux/carrier.ts';
import { namedNetns } from '../../../linux/namespaces.ts';
import type { Link } from '../../../linux/types.ts';
import { formatIp, type Ip } from '../../../wire/ip.ts';
import { type IpContext, paint, paintState } from './context.ts';

export function flagsOf(link: Link): string[] {
  const out: string[] = [];
  const running = hasCarrier(link);
  if (link.up && !running) out.push('NO-CARRIER');
  if (link.kind === 'loopback') out.push('LOOPBACK');
  else if (link.kind === 'tun') out.push('POINTOPOINT', 'MULTICAST', 'NOARP');
  else if (link.kind === 'ipip') out.push('NOARP');
  else if (link.kind === 'dummy') out.push('BROADCAST', 'NOARP');
  else out.push('BROADCAST', 'MULTICAST');
  if (link.noarp && !out.includes('NOARP')) out.push('NOARP');
  if (link.promisc) out.push('PROMISC');
  if (link.up) out.push('UP');
  if (running) out.push('LOWER_UP');
  return out;
}

/** What the name carries after `@`: the other end of a veth, NONE for a tunnel; null: nothing. */
function lower(link: Link): { name?: string; index?: number } | null {
  if (link.kind === 'ipip') return { name: 'NONE' };
  if (link.kind !== 'veth' || !link.peer) return null;
  return link.peer.netns === link.netns ? { name: link.peer.name, index: link.peer.ifindex } : { index: link.peer.ifindex };
}

function shownName(link: Link, busybox = false): string {
  const l = lower(link);
  if (!l) return link.name;
  if (busybox && l.index !== undefined) return `${link.name}@${link.netns.links.get(l.index)?.name ?? `if${l.index}`}`;
  return `${link.name}@${l.name ?? `if${l.index}`}`;
}

/** The lower device is down: in this namespace; BusyBox takes what it does not find for down. */
function lowerDown(link: Link, busybox: boolean): boolean {
  const l = lower(link);
  if (l?.index === undefined) return false;
  if (busybox) return !link.netns.links.get(l.index)?.up;
  return link.peer?.netns === link.netns && !link.peer.up;
}

/** Where the other end is: a name under /var/run/netns, or the number this namespace knows it by. */
function otherNetns(c: IpContext, link: Link): { name?: string; id?: number } | null {
  if (link.kind !== 'veth' || !link.peer || link.peer.netns === link.netns) return null;
  const far = link.peer.netns;
  if (namedNetns(far.kernel, c.p.fs).includes(far)) return { name: far.file };
  const seen: unknown[] = [];
  for (const l of link.netns.links.values()) {
    if (l.kind !== 'veth' || !l.peer || l.peer.netns === link.netns || seen.includes(l.peer.netns)) continue;
    if (l.peer.netns === far) return { id: seen.length };
    seen.push(l.peer.netns);
  }
  return { id: 0 };
}

const qdiscOf = (link: Link): string =>
  !link.up ? 'noop' : link.kind === 'ethernet' ? 'fq_codel' : link.kind === 'tun' ? 'pfifo_fast' : 'noqueue';

const LINK_TYPES: Partial<Record<Link['kind'], string>> = { loopback: 'loopback', ipip: 'ipip', tun: 'none' };
const ip4 = (ip: Ip | null | undefined): string => (ip ? formatIp(ip) : '0.0.0.0');

function addresses(link: Link): [string, string] {
  if (link.kind === 'ipip') return [ip4(link.ipip?.local), ip4(link.ipip?.remote)];
  return [link.mac, link.kind === 'loopback' ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'];
}

/** `full`: one device was named: with -6 it shows all of its words too. `withLayer2`: the link/ line (not with -4 or -6); `mode`: the words that only `ip link` has. */
export function linkHead(c: IpContext, link: Link, o: { mode: boolean; withLayer2: boolean; full?: boolean }): string {
  const nl = c.oneline ? '\\' : '\n';
  const flags = flagsOf(link);
  if (lowerDown(link, c.busybox)) flags.push('M-DOWN');
  const master = link.master === null ? '' : ` master ${link.netns.links.get(link.master)?.name ?? link.master}`;
  let s = `${link.ifindex}: ${paint(c, 'ifname', `${shownName(link, c.busybox)}: `)}<${flags.join(',')}> mtu ${link.mtu}`;
  const six = !c.busybox && c.family === 6 && !o.mode && !o.full;
  if (!six) s += ` qdisc ${qdiscOf(link)}`;
  s += master;
  // BusyBox knows the operational state only when it was built against musl's headers.
  const state = c.u.libc === 'musl' ? ` state ${operState(link)}` : '';
  if (c.busybox) return `${s}${state} qlen ${link.txqlen}${o.withLayer2 ? nl + layer2(c, link) : ''}`;
  s += ` state ${paintState(c, operState(link), `${operState(link)} `)}`;
  if (o.mode) s += 'mode DEFAULT ';
  if (!six) s += 'group default ';
  if (link.txqlen) s += `qlen ${link.txqlen}`;
  const far = otherNetns(c, link);
  const netns = far ? ` link-net${far.name ? `ns ${far.name}` : `nsid ${far.id}`}` : '';
  if (o.withLayer2) s += nl + layer2(c, link);
  s += netns;
  if (c.details && !six) s += details(c, link, nl, o.mode);
  if (link.alias) s += `${nl}    alias ${link.alias}`;
  return s;
}

function layer2(c: IpContext, link: Link): string {
  const [own, brd] = addresses(link);
  if (link.kind === 'tun') return '    link/none ';
  return `    link/${LINK_TYPES[link.kind] ?? 'ether'} ${paint(c, 'mac', own)} ${link.kind === 'ipip' && link.ipip?.remote ? 'peer' : 'brd'} ${paint(c, 'mac', brd)}`;
}

const queues = (link: Link): number => (link.kind === 'veth' || link.kind === 'ethernet' ? 2 : 1);

/** `ip address` does not ask for what belongs to one family: addrgenmode is `ip link`'s. */
function details(c: IpContext, link: Link, nl: string, ofLink: boolean): string {
  const wide = c.u.tools >= 13;
  const min = link.kind === 'loopback' || link.kind === 'dummy' ? 0 : 68;
  const max = link.kind === 'loopback' || link.kind === 'dummy' ? 0 : 65535;
  const port = link.master === null ? 0 : 1;
  let s = ` promiscuity ${port}${wide ? '' : ' '} allmulti ${port} minmtu ${min} maxmtu ${max} `;
  if (link.kind === 'veth') s += `${nl}    veth `;
  else if (link.kind === 'bridge') s += `${nl}    bridge ${bridgeDetails(link, wide)} `;
  else if (link.kind === 'vxlan') s += `${nl}    vxlan ${vxlanDetails(link)} `;
  else if (link.kind === 'ipip') s += `${nl}    ipip ${ipipDetails(link)} `;
  else if (link.kind === 'dummy') s += `${nl}    dummy `;
  if (link.master !== null) s += `${nl}    ${portDetails(link, wide)} `;
  const n = queues(link);
  const gso = wide ? ' gso_ipv4_max_size 65536 gro_ipv4_max_size 65536' : '';
  return `${s}${ofLink ? 'addrgenmode eui64 ' : ''}numtxqueues ${n} numrxqueues ${n} gso_max_size 65536 gso_max_segs 65535 tso_max_size 524280 tso_max_segs 65535 gro_max_size 65536${gso} `;
}

function vxlanDetails(link: Link): string {
  const v = link.vxlan;
  if (!v) return '';
  const dev = v.dev ? ` dev ${link.netns.links.get(v.dev)?.name ?? v.dev}` : '';
  const learning = v.learning ? '' : ' nolearning';
  const local = v.local.some(x => x) ? ` local ${formatIp(v.local)}` : '';
  return `id ${v.vni}${local}${dev} srcport 0 0 dstport ${v.port}${learning} ttl auto ageing 300 udpcsum noudp6zerocsumtx noudp6zerocsumrx`;
}

function ipipDetails(link: Link): string {
  const { local, remote } = link.ipip ?? { local: null, remote: null };
  return `any remote ${remote ? formatIp(remote) : 'any'} local ${local ? formatIp(local) : 'any'} ttl inherit nopmtudisc`;
}

/** The bridge takes part of its address into its identifier only with its first port (br_stp_recalculate_bridge_id). */
const bridgeId = (link: Link): string =>
  `8000.${(portsOf(link).length || link.macSet ? link.mac : '00:00:00:00:00:00')
    .split(':')
    .map(x => Number.parseInt(x, 16).toString(16))
    .join(':')}`;

function bridgeDetails(link: Link, wide: boolean): string {
  const id = bridgeId(link);
  const fdb = wide ? ` fdb_n_learned ${link.fdb.filter(e => !e.permanent).length} fdb_max_learned 0` : '';
  const mst = wide ? ' mst_enabled 0' : '';
  return `forward_delay 1500 hello_time 200 max_age 2000 ageing_time 30000 stp_state 0 priority 32768 vlan_filtering 0 bridge_id ${id} designated_root ${id} root_port 0 root_path_cost 0 topology_change 0 topology_change_detected 0 hello_timer    0.00 tcn_timer    0.00 topology_change_timer    0.00 gc_timer  100.00${fdb} group_fwd_mask 0 group_address 01:80:c2:00:00:00 mcast_snooping 1 no_linklocal_learn 0 mcast_vlan_snooping 0${mst} mcast_router 1 mcast_query_use_ifaddr 0 mcast_querier 0 mcast_hash_elasticity 16 mcast_hash_max 4096 mcast_last_member_count 2 mcast_startup_query_count 2 mcast_last_member_interval 100 mcast_membership_interval 26000 mcast_querier_interval 25500 mcast_query_interval 12500 mcast_query_response_interval 1000 mcast_startup_query_interval 3124 mcast_stats_enabled 0 mcast_igmp_version 2 mcast_mld_version 1 nf_call_iptables 0 nf_call_ip6tables 0 nf_call_arptables 0`;
}

function portDetails(link: Link, wide: boolean): string {
  const bridge = link.master === null ? undefined : link.netns.links.get(link.master);
  if (!bridge) return '';
  const n = portsOf(bridge).indexOf(link) + 1;
  const id = bridgeId(bridge);
  const on = (b: boolean | undefined) => (b ? 'on' : 'off');
  return `bridge_slave state ${link.up ? 'forwarding' : 'disabled'} priority 32 cost 2 hairpin ${on(link.hairpin)} guard off root_block off fastleave off learning on flood on port_id 0x80${n.toString(16).padStart(2, '0')} port_no 0x${n.toString(16)} designated_port ${32768 + n} designated_cost 0 designated_bridge ${id} designated_root ${id} hold_timer    0.00 message_age_timer    0.00 forward_delay_timer    0.00 topology_change_ack 0 config_pending 0 proxy_arp off proxy_arp_wifi off mcast_router 1 mcast_fast_leave off mcast_flood on bcast_flood on mcast_to_unicast off neigh_suppress off${wide ? ' neigh_vlan_suppress off' : ''} group_fwd_mask 0 group_fwd_mask_str 0x0 vlan_tunnel off isolated ${on(link.isolated)} locked off${wide ? ' mab off' : ''}`;
}

/** -s, and -s -s with the error kinds. */
export function statsText(c: IpContext, link: Link): string {
  const nl = c.oneline ? '\\' : '\n';
  const n = link.counters;
  const row = (cells: number[], widths: number[]) => `    ${cells.map((x, i) => String(x).padStart(widths[i])).join(' ')} `;
  const wide = (bytes: number, packets: number): number[] => [
    Math.max(10, String(bytes).length),
    Math.max(7, String(packets).length),
    6,
    7,
    7,
    7,
  ];
  const rx = wide(n.rxBytes, n.rxPackets);
  const tx = wide(n.txBytes, n.txPackets);
  const head = (what: string, w: number[], names: string[]) =>
    `    ${what}:${names.map((x, i) => ` ${x.padStart(i === 0 ? w[0] - what.length - 2 : w[i])}`).join('')}`;
  const lines = [
    `${head('RX', rx, ['bytes', 'packets', 'errors', 'dropped', ' missed', '  mcast'])}           `,
    row([n.rxBytes, n.rxPackets, 0, n.rxDropped, 0, 0], rx),
  ];
  if (c.stats > 1)
    lines.push('    RX errors:  length    crc   frame    fifo overrun', '                     0      0       0       0       0 ');
  lines.push(
    `${head('TX', tx, ['bytes', 'packets', 'errors', 'dropped', 'carrier', 'collsns'])}           `,
    row([n.txBytes, n.txPackets, 0, n.txDropped, 0, 0], tx),
  );
  if (c.stats > 1)
    lines.push('    TX errors: aborted   fifo  window heartbt transns', '                     0      0       0       0       0 ');
  return lines.map(l => nl + l).join('');
}

/** The members of -j, in their order. */
export function linkJson(c: IpContext, link: Link, mode: boolean): Record<string, unknown> {
  const l = lower(link);
  const far = otherNetns(c, link);
  const [own, brd] = addresses(link);
  return {
    ifindex: link.ifindex,
    link: l?.name,
    link_index: l && !l.name ? l.index : undefined,
    ifname: link.name,
    flags: flagsOf(link),
    mtu: link.mtu,
    qdisc: qdiscOf(link),
    master: link.master === null ? undefined : link.netns.links.get(link.master)?.name,
    operstate: operState(link),
    linkmode: mode ? 'DEFAULT' : undefined,
    group: 'default',
    txqlen: link.txqlen,
    link_type: LINK_TYPES[link.kind] ?? 'ether',
    address: own,
    broadcast: brd,
    link_netns: far?.name,
    link_netnsid: far?.id,
    ...(c.details ? detailsJson(link) : {}),
    ifalias: link.alias,
    ...(c.stats ? { stats64: statsJson(link) } : {}),
  };
}

function detailsJson(link: Link): Record<string, unknown> {
  const port = link.master === null ? 0 : 1;
  const kind = link.kind === 'ethernet' || link.kind === 'loopback' ? undefined : link.kind;
  const v = link.vxlan;
  const data = v
    ? { id: v.vni, local: formatIp(v.local), link: link.netns.links.get(v.dev)?.name, port: v.port, learning: v.learning }
    : undefined;
  return {
    promiscuity: port,
    allmulti: port,
    min_mtu: link.kind === 'loopback' ? 0 : 68,
    max_mtu: link.kind === 'loopback' ? 0 : 65535,
    linkinfo: kind || port ? { info_kind: kind, info_data: data, info_slave_kind: port ? 'bridge' : undefined } : undefined,
    inet6_addr_gen_mode: 'eui64',
    num_tx_queues: queues(link),
    num_rx_queues: queues(link),
    gso_max_size: 65536,
    gso_max_segs: 65535,
  };
}

function statsJson(link: Link): Record<string, unknown> {
  const n = link.counters;
  return {
    rx: { bytes: n.rxBytes, packets: n.rxPackets, errors: 0, dropped: n.rxDropped, over_errors: 0, multicast: 0 },
    tx: { bytes: n.txBytes, packets: n.txPackets, errors: 0, dropped: n.txDropped, carrier_errors: 0, collisions: 0 },
  };
}

/** -br: fixed columns. */
export function briefHead(c: IpContext, link: Link): string {
  const state = operState(link);
  return paint(c, 'ifname', `${shownName(link).padEnd(16)} `) + paintState(c, state, `${state.padEnd(14)} `);
}

/** -br -j: what -br shows. */
export function briefJson(link: Link): Record<string, unknown> {
  const l = lower(link);
  const flags = [...flagsOf(link), ...(lowerDown(link, false) ? ['M-DOWN'] : [])];
  return {
    link: l?.name,
    link_index: l && !l.name ? l.index : undefined,
    ifname: link.name,
    operstate: operState(link),
    address: link.mac,
    flags,
  };
}

export const briefFlags = (link: Link): string => {
  const flags = flagsOf(link);
  if (lowerDown(link, false)) flags.push('M-DOWN');
  return `<${flags.join(',')}> `;
};
