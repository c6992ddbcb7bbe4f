import { type Ip, ip as literal, network, sameIp } from '../wire/ip.ts';
import type { Mac } from '../wire/packet.ts';
import { hasCarrier, isPointToPoint } from './carrier.ts';
import { eraseRoutes, insertRoute, routesTo } from './fib.ts';
import { ANY6, isLinkLocal, isLoopback, TABLE } from './route.ts';
import { conf6, forgetDevice, inheritDefaults, renameDevice } from './sysctl.ts';
import type { Errno, Link, LinkAddress, LinkKind, Netns, Route, Segment } from './types.ts';

export interface LinkSpec {
  name: string;
  kind: LinkKind;
  mac?: Mac;
  mtu?: number;
  ifindex?: number;
  txqlen?: number;
  vxlan?: Link['vxlan'];
  ipip?: Link['ipip'];
}

export const NO_MAC: Mac = '00:00:00:00:00:00';
export const BROADCAST_MAC: Mac = 'ff:ff:ff:ff:ff:ff';

const DEFAULT_MTU: Record<LinkKind, number> = {
  loopback: 65536,
  ethernet: 1500,
  veth: 1500,
  bridge: 1500,
  vxlan: 1450,
  ipip: 1480,
  dummy: 1500,
  tun: 1500,
};

/** A stable locally administered address: the same machine, namespace and name give the same one (FNV-1a). */
function derivedMac(ns: Netns, name: string): Mac {
  let h = 0x811c9dc5;
  let g = 0x9747b28c;
  const text = `${ns.kernel.hostname}/${ns.name}/${name}`;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    g = Math.imul(g ^ text.charCodeAt(i), 0x85ebca6b) ^ (g >>> 13);
  }
  const b = [((h >>> 24) & 0xfc) | 2, h >>> 16, h >>> 8, h, g >>> 8, g].map(x => (x & 255).toString(16).padStart(2, '0'));
  return b.join(':');
}

export const linkByName = (ns: Netns, name: string): Link | undefined => {
  for (const l of ns.links.values()) if (l.name === name) return l;
  return undefined;
};

/** The longest packet of a VXLAN device: what its lower device takes less the outer headers (vxlan_headroom). null: nothing bounds it. */
function vxlanMtu(ns: Netns, vxlan: Link['vxlan']): number | null {
  const lower = vxlan?.dev ? ns.links.get(vxlan.dev) : undefined;
  return lower && vxlan ? lower.mtu - (vxlan.local?.length === 16 ? 70 : 50) : null;
}

/** Make a device, down. Names are unique in a namespace: a second one is a bug of the caller, who asks linkByName first. */
export function addLink(ns: Netns, spec: LinkSpec): Link {
  if (linkByName(ns, spec.name)) throw new Error(`device ${spec.name} exists in ${ns.name || ns.kernel.hostname}`);
  const ifindex = spec.ifindex ?? ns.nextIfindex;
  ns.nextIfindex = Math.max(ns.nextIfindex, ifindex + 1);
  const flat = spec.kind === 'loopback' || spec.kind === 'ipip' || spec.kind === 'tun';
  const link: Link = {
    netns: ns,
    ifindex,
    name: spec.name,
    kind: spec.kind,
    mac: spec.mac?.toLowerCase() ?? (flat ? NO_MAC : derivedMac(ns, spec.name)),
    mtu: Math.min(spec.mtu ?? DEFAULT_MTU[spec.kind], vxlanMtu(ns, spec.vxlan ?? null) ?? Number.POSITIVE_INFINITY),
    up: false,
    addresses: [],
    master: null,
    hairpin: false,
    txqlen: spec.txqlen ?? (spec.kind === 'tun' ? 500 : 1000),
    peer: null,
    segment: null,
    vxlan: spec.vxlan ?? null,
    fdb: [],
    counters: { rxPackets: 0, rxBytes: 0, rxDropped: 0, txPackets: 0, txBytes: 0, txDropped: 0 },
    promisc: false,
    ipip: spec.ipip ?? (spec.kind === 'ipip' ? { local: null, remote: null } : null),
    macSet: spec.mac !== undefined,
    portsSelected: spec.mac !== undefined,
  };
  ns.links.set(ifindex, link);
  inheritDefaults(ns, spec.name);
  return link;
}

export interface VethEnd {
  netns: Netns;
  name: string;
  mac?: Mac;
  mtu?: number;
  ifindex?: number;
}

export function addVeth(a: VethEnd, b: VethEnd): [Link, Link] {
  const x = addLink(a.netns, { ...a, kind: 'veth' });
  const y = addLink(b.netns, { ...b, kind: 'veth' });
  x.peer = y;
  y.peer = x;
  return [x, y];
}

/** Remove a device with its routes, neighbours and addresses; a veth takes its other end along. */
export function removeLink(link: Link): void {
  const ns = link.netns;
  if (!ns.links.has(link.ifindex)) return;
  const peer = link.peer;
  link.peer = null;
  if (peer) {
    peer.peer = null;
    if (peer.kind === 'veth') removeLink(peer);
  }
  detach(link);
  ns.links.delete(link.ifindex);
  forgetDevice(ns, link.name);
  for (const l of ns.links.values()) if (l.master === link.ifindex) l.master = null;
}

/** Take a device out of everything that refers to it in its namespace. */
function detach(link: Link): void {
  const ns = link.netns;
  link.up = false;
  if (link.master !== null) setMaster(link, null);
  for (const table of [...ns.tables.keys()]) eraseRoutes(ns, table, r => uses(r, link.ifindex));
  ns.neigh = ns.neigh.filter(n => n.dev !== link.ifindex);
  for (const l of ns.links.values()) l.fdb = l.fdb.filter(e => e.port !== link.ifindex);
  if (link.segment) link.segment.ports = link.segment.ports.filter(p => p !== link);
  link.segment = null;
  const { port } = link.vxlan ?? {};
  if (port && ![...ns.links.values()].some(l => l !== link && l.vxlan?.port === port)) ns.kernelPorts?.delete(port);
}

const uses = (r: Route, ifindex: number): boolean => r.dev === ifindex || (r.nexthops?.some(h => h.dev === ifindex) ?? false);

/** Bring a device up or down, with what the kernel does to its routes and addresses then. */
export function setUp(link: Link, up: boolean): void {
  if (link.up === up) return;
  const ns = link.netns;
  link.up = up;
  if (!up) {
    // Local addresses of a device that is down still answer in IPv4; IPv6 addresses go (keep_addr_on_down = 0).
    for (const table of [...ns.tables.keys()])
      eraseRoutes(ns, table, r => uses(r, link.ifindex) && !(r.kind === 'local' && r.dst.ip.length === 4));
    ns.neigh = ns.neigh.filter(n => n.dev !== link.ifindex);
    for (const l of ns.links.values()) l.fdb = l.fdb.filter(e => e.port !== link.ifindex || e.permanent);
    link.addresses = link.addresses.filter(a => a.ip.length === 4);
    return;
  }
  if (link.vxlan) {
    ns.kernelPorts ??= new Map();
    ns.kernelPorts.set(link.vxlan.port, link);
  }
  if (link.kind === 'loopback') {
    if (!link.addresses.some(a => isLoopback(a.ip) && a.ip.length === 4)) addAddress(link, literal('127.0.0.1'), 8, { scope: 'host' });
    if (conf6(ns, link.name, 'disable_ipv6') === 0 && !link.addresses.some(a => a.ip.length === 16))
      addAddress(link, literal('::1'), 128, { scope: 'host' });
  }
  for (const a of link.addresses) addAddressRoutes(link, a);
  carrierUp(link);
  if (link.kind === 'veth' && link.peer?.up) carrierUp(link.peer);
}

/** The device can now send: IPv6 gives it a link-local address, and the bridge above it may come up too. */
function carrierUp(link: Link): void {
  if (!hasCarrier(link)) return;
  const ns = link.netns;
  const ether = link.kind !== 'loopback' && !isPointToPoint(link);
  if (ether && conf6(ns, link.name, 'disable_ipv6') === 0) {
    if (!link.addresses.some(a => a.ip.length === 16 && isLinkLocal(a.ip))) addAddress(link, linkLocalOf(link.mac), 64, { scope: 'link' });
    const multicast = { dst: { ip: MULTICAST6, bits: 8 }, dev: link.ifindex };
    if (!routesTo(ns, TABLE.local, multicast.dst).some(r => r.dev === link.ifindex)) {
      insertRoute(ns, TABLE.local, {
        ...multicast,
        kind: 'unicast',
        via: null,
        src: null,
        scope: 'global',
        proto: 'kernel',
        metric: 256,
        onlink: false,
      });
    }
  }
  if (link.master !== null) {
    const bridge = ns.links.get(link.master);
    if (bridge) carrierUp(bridge);
  }
}

const MULTICAST6 = (() => {
  const b = Uint8Array.from(ANY6);
  b[0] = 0xff;
  return b;
})();

/** RFC 4291 appendix A: the modified EUI-64 of a hardware address. */
export function linkLocalOf(mac: Mac): Ip {
  const m = mac.split(':').map(x => Number.parseInt(x, 16));
  return Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]]);
}

export function setMac(link: Link, mac: Mac): void {
  const hadOwn = link.addresses.find(a => a.ip.length === 16 && sameIp(a.ip, linkLocalOf(link.mac)));
  link.portsSelected ||= link.mac !== mac.toLowerCase();
  link.mac = mac.toLowerCase();
  link.macSet = true;
  if (hadOwn) {
    removeAddress(link, hadOwn.ip, hadOwn.bits);
    addAddress(link, linkLocalOf(link.mac), 64, { scope: 'link' });
  }
}

/** Make the device a port of `bridge`, or free it. A bridge without an address of its own takes its lowest port's. */
export function setMaster(link: Link, bridge: Link | null): void {
  const ns = link.netns;
  const old = link.master === null ? undefined : ns.links.get(link.master);
  link.master = bridge?.ifindex ?? null;
  for (const b of [old, bridge]) {
    if (!b) continue;
    b.portsSelected = true;
    b.fdb = b.fdb.filter(e => e.port !== link.ifindex);
    const ports = [...ns.links.values()].filter(l => l.master === b.ifindex);
    if (!b.macSet && ports.length) {
      setMac(b, ports.map(p => p.mac).sort()[0]);
      b.macSet = false;
    } else if (!b.macSet) b.mac = NO_MAC; // br_stp_recalculate_bridge_id: nobody is left to take it from
    if (ports.length) b.mtu = Math.min(...ports.map(p => p.mtu), b === bridge ? Number.POSITIVE_INFINITY : b.mtu);
    carrierUp(b);
  }
}

export interface AddressOptions {
  scope?: LinkAddress['scope'];
  peer?: Ip;
  label?: string;
  broadcast?: Ip | null;
}

/** The directed broadcast address, or null: the network is too small to have one. */
export function broadcastOf(ip: Ip, bits: number): Ip | null {
  if (ip.length !== 4 || bits >= 31) return null;
  const net = network({ ip, bits }).ip;
  const out = Uint8Array.from(net);
  for (let i = bits; i < 32; i++) out[i >> 3] |= 0x80 >> (i & 7);
  return out;
}

/**
 * Give the device an address. The kernel's routes follow: the network in main, the address and its broadcast in local. `broadcast` is shown only
 * when given (iproute2's `brd +`), but routed either way. EEXIST: the device has it.
 */
export function addAddress(link: Link, ip: Ip, bits: number, o: AddressOptions = {}): Errno | null {
  if (link.addresses.some(a => sameIp(a.ip, ip) && a.bits === bits && (!o.peer || (a.peer && sameIp(a.peer, o.peer))))) return 'EEXIST';
  if (ip.length === 16 && conf6(link.netns, link.name, 'disable_ipv6') !== 0) return 'EACCES';
  const scope = o.scope ?? (isLoopback(ip) ? 'host' : ip.length === 16 && isLinkLocal(ip) ? 'link' : 'global');
  const a: LinkAddress = { ip: Uint8Array.from(ip), bits, scope };
  if (o.broadcast) a.broadcast = o.broadcast;
  if (o.peer) a.peer = o.peer;
  if (ip.length === 4) a.label = o.label ?? link.name;
  // IPv4 first as given; IPv6 global before link-local, newest first, as the kernel keeps them.
  if (ip.length === 16 && scope === 'global') {
    const at = link.addresses.findIndex(x => x.ip.length === 16);
    link.addresses.splice(at < 0 ? link.addresses.length : at, 0, a);
  } else link.addresses.push(a);
  addAddressRoutes(link, a);
  return null;
}

function put(link: Link, table: number, r: Partial<Route> & Pick<Route, 'dst' | 'kind' | 'scope'>): void {
  const dst = network(r.dst);
  const six = dst.ip.length === 16;
  const metric = r.metric ?? (six && r.kind !== 'local' ? 256 : 0);
  const same = (x: Route) =>
    x.dev === link.ifindex && x.kind === r.kind && x.dst.bits === dst.bits && sameIp(x.dst.ip, dst.ip) && x.metric === metric;
  const there = routesTo(link.netns, table, dst).find(same);
  // Two addresses of one network: the kernel adds both routes only when the preferred source differs in the local table.
  if (there && (r.kind !== 'unicast' || six || (there.src && r.src && sameIp(there.src, r.src)))) return;
  if (there) return;
  insertRoute(link.netns, table, { via: null, src: null, proto: 'kernel', onlink: false, ...r, dev: link.ifindex, dst, metric });
}

/** fib_add_ifaddr (net/ipv4/fib_frontend.c) and addrconf's add_addr. */
function addAddressRoutes(link: Link, a: LinkAddress): void {
  if (a.ip.length === 16) {
    // The address is the machine's own on a device that is down as well (__ipv6_ifa_notify).
    put(link, TABLE.local, { dst: { ip: a.ip, bits: 128 }, kind: 'local', scope: 'global', metric: 0 });
    if (!link.up) return;
    if (link.kind !== 'loopback')
      put(link, TABLE.main, { dst: { ip: a.peer ?? a.ip, bits: a.peer ? 128 : a.bits }, kind: 'unicast', scope: 'global' });
    return;
  }
  put(link, TABLE.local, { dst: { ip: a.ip, bits: 32 }, kind: 'local', scope: 'host', src: a.ip });
  if (!link.up) return;
  if (a.broadcast) put(link, TABLE.local, { dst: { ip: a.broadcast, bits: 32 }, kind: 'broadcast', scope: 'link', src: a.ip });
  const prefix = a.peer ?? a.ip;
  if (a.peer ? true : a.bits < 32) {
    const local = link.kind === 'loopback' || isLoopback(a.ip);
    if (local) put(link, TABLE.local, { dst: { ip: prefix, bits: a.bits }, kind: 'local', scope: 'host', src: a.ip });
    else put(link, TABLE.main, { dst: { ip: prefix, bits: a.bits }, kind: 'unicast', scope: 'link', src: a.ip });
    const brd = broadcastOf(prefix, a.bits);
    if (brd && a.bits < 31) put(link, TABLE.local, { dst: { ip: brd, bits: 32 }, kind: 'broadcast', scope: 'link', src: a.ip });
  }
}

/** EADDRNOTAVAIL: the device has no such address. */
export function removeAddress(link: Link, ip: Ip, bits: number): Errno | null {
  const at = link.addresses.findIndex(a => sameIp(a.ip, ip) && a.bits === bits);
  if (at < 0) return 'EADDRNOTAVAIL';
  const [gone] = link.addresses.splice(at, 1);
  const ns = link.netns;
  const left = link.addresses.some(a => sameIp(a.ip, ip));
  const net = network({ ip: gone.peer ?? gone.ip, bits: gone.bits });
  const brd = broadcastOf(net.ip, net.bits);
  for (const table of [...ns.tables.keys()]) {
    eraseRoutes(ns, table, r => {
      if (r.dst.ip.length !== ip.length) return false;
      if (table === TABLE.local && r.kind === 'local' && r.dev === link.ifindex && sameIp(r.dst.ip, ip) && r.dst.bits === ip.length * 8)
        return !left;
      const ofNet =
        (r.dst.bits === net.bits && sameIp(r.dst.ip, net.ip)) || (brd !== null && r.kind === 'broadcast' && sameIp(r.dst.ip, brd));
      if (r.proto === 'kernel' && r.dev === link.ifindex && ofNet && !isMulticastNet(r)) return true;
      // Routes that prefer the vanished address as source go with it (fib_sync_down_addr).
      return !left && r.src !== null && ip.length === 4 && sameIp(r.src, ip) && r.kind !== 'local';
    });
  }
  for (const a of link.addresses) addAddressRoutes(link, a);
  return null;
}

const isMulticastNet = (r: Route): boolean => r.dst.ip.length === 16 && r.dst.ip[0] === 0xff;

/** `ip link set X name Y`: the device must be down in older kernels; here it may be up, as in newer ones. */
export function renameLink(link: Link, name: string): Errno | null {
  if (linkByName(link.netns, name)) return 'EEXIST';
  renameDevice(link.netns, link.name, name);
  for (const a of link.addresses) if (a.label === link.name) a.label = name;
  link.name = name;
  return null;
}

/** Move a device to another namespace: it goes down and loses its addresses. EEXIST: the name is taken there. */
export function moveLink(link: Link, to: Netns, newName?: string): Errno | null {
  const name = newName ?? link.name;
  if (to !== link.netns && linkByName(to, name)) return 'EEXIST';
  if (to === link.netns) return newName && newName !== link.name ? renameLink(link, newName) : null;
  const from = link.netns;
  const segment = link.segment;
  detach(link);
  from.links.delete(link.ifindex);
  forgetDevice(from, link.name);
  link.addresses = [];
  link.netns = to;
  link.name = name;
  if (to.links.has(link.ifindex)) link.ifindex = to.nextIfindex;
  to.nextIfindex = Math.max(to.nextIfindex, link.ifindex + 1);
  to.links.set(link.ifindex, link);
  inheritDefaults(to, name);
  if (segment) plug(link, segment);
  return null;
}

export const newSegment = (name: string, delayMs: number): Segment => ({ name, ports: [], delayMs, loss: 0 });

/** Plug an ethernet device into a cable or switch. */
export function plug(link: Link, segment: Segment): void {
  if (link.segment) link.segment.ports = link.segment.ports.filter(p => p !== link);
  link.segment = segment;
  segment.ports.push(link);
  if (link.up) carrierUp(link);
}

export const sortLinks = (ns: Netns): Link[] => [...ns.links.values()].sort((a, b) => a.ifindex - b.ifindex);
