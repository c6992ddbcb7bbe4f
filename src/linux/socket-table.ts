// Which sockets there are, and which of them a packet is for (inet_hashtables.c, udp.c's scores).
import { below } from '../sim/random.ts';
import { type Ip, sameIp } from '../wire/ip.ts';
import { isAny } from './route.ts';
import type { Socket, SocketTable, SocketType } from './socket.ts';
import { sysctl } from './sysctl.ts';
import type { Errno, Link, Netns } from './types.ts';

export const newSocketTable = (): SocketTable => ({ all: new Set(), nextPort: 0, bound: new Map(), connected: new Map() });

const text = (ip: Ip): string => (ip.length === 4 ? `${ip[0]}.${ip[1]}.${ip[2]}.${ip[3]}` : String.fromCharCode(...ip));

const tupleKey = (type: SocketType, local: Ip, localPort: number, remote: Ip, remotePort: number): string =>
  `${type} ${localPort} ${remotePort} ${text(local)} ${text(remote)}`;

const portKey = (type: SocketType, port: number): string => `${type} ${port}`;

export const boundTo = (ns: Netns, type: SocketType, port: number): Set<Socket> | undefined => ns.sockets.bound.get(portKey(type, port));

export function addBound(s: Socket): void {
  const key = portKey(s.type, s.localPort);
  const set = s.netns.sockets.bound.get(key);
  if (set) set.add(s);
  else s.netns.sockets.bound.set(key, new Set([s]));
}

export function removeBound(s: Socket): void {
  const key = portKey(s.type, s.localPort);
  const set = s.netns.sockets.bound.get(key);
  if (set?.delete(s) && !set.size) s.netns.sockets.bound.delete(key);
}

export function addConnected(s: Socket): void {
  if (s.local && s.remote) s.netns.sockets.connected.set(tupleKey(s.type, s.local, s.localPort, s.remote, s.remotePort), s);
}

export function removeConnected(s: Socket): void {
  if (!s.local || !s.remote) return;
  const key = tupleKey(s.type, s.local, s.localPort, s.remote, s.remotePort);
  if (s.netns.sockets.connected.get(key) === s) s.netns.sockets.connected.delete(key);
}

export const findConnected = (
  ns: Netns,
  type: SocketType,
  local: Ip,
  localPort: number,
  remote: Ip,
  remotePort: number,
): Socket | undefined => ns.sockets.connected.get(tupleKey(type, local, localPort, remote, remotePort));

/** -1: not for this socket; otherwise the better the higher (compute_score). */
function score(s: Socket, local: Ip, remote: Ip, remotePort: number, dev: Link | null): number {
  const v4 = local.length === 4;
  if (v4 ? s.family === 6 && s.v6only : s.family === 4) return -1;
  let n = v4 === (s.family === 4) ? 2 : 1;
  if (s.local && !isAny(s.local)) {
    if (!sameIp(s.local, local)) return -1;
    n += 4;
  } else if (s.local && s.local.length !== local.length && s.local.length === 4) return -1;
  if (s.remote) {
    if (s.remotePort !== remotePort || !sameIp(s.remote, remote)) return -1;
    n += 8;
  }
  const device = s.options.get('bindtodevice');
  if (device !== undefined && device !== '') {
    if (dev?.name !== device) return -1;
    n += 4;
  }
  return n;
}

/** The listener or datagram socket that takes a packet; among equals of a SO_REUSEPORT group the flow's hash chooses. */
export function findBound(
  ns: Netns,
  type: SocketType,
  local: Ip,
  localPort: number,
  remote: Ip,
  remotePort: number,
  dev: Link | null,
): Socket | undefined {
  const set = boundTo(ns, type, localPort);
  if (!set) return undefined;
  let best: Socket[] = [];
  let most = -1;
  for (const s of set) {
    if (s.closed || ((type === 'tcp' || type === 'sctp') && s.state !== 'LISTEN')) continue;
    const n = score(s, local, remote, remotePort, dev);
    if (n < 0 || n < most) continue;
    if (n > most) {
      best = [];
      most = n;
    }
    best.push(s);
  }
  if (best.length < 2) return best[0];
  if (!best[0].options.get('reuseport')) return best[best.length - 1];
  let h = remotePort;
  for (const b of remote) h = Math.imul(h ^ b, 0x01000193) >>> 0;
  return best[h % best.length];
}

const listening = (s: Socket): boolean => s.state === 'LISTEN';

function overlap(a: Socket, aLocal: Ip | null, b: Socket): boolean {
  const bothAny = (ip: Ip | null) => !ip || isAny(ip);
  const covers4 = (s: Socket, ip: Ip | null) => s.family === 4 || (ip ? ip.length === 4 || (isAny(ip) && !s.v6only) : !s.v6only);
  const covers6 = (s: Socket, ip: Ip | null) => s.family === 6 && (!ip || ip.length === 16);
  const share4 = covers4(a, aLocal) && covers4(b, b.local);
  const share6 = covers6(a, aLocal) && covers6(b, b.local);
  if (!share4 && !share6) return false;
  if (bothAny(aLocal) || bothAny(b.local)) return true;
  return sameIp(aLocal as Ip, b.local as Ip);
}

/** inet_csk_bind_conflict: whether binding `s` to the address would clash with a socket that is there. */
export function bindConflict(s: Socket, local: Ip | null, port: number): boolean {
  for (const other of boundTo(s.netns, s.type, port) ?? []) {
    if (other === s || other.closed) continue;
    const device = s.options.get('bindtodevice');
    const otherDevice = other.options.get('bindtodevice');
    if (device && otherDevice && device !== otherDevice) continue;
    if (!overlap(s, local, other)) continue;
    if (s.options.get('reuseport') && other.options.get('reuseport') && s.uid === other.uid) continue;
    if (s.options.get('reuseaddr') && other.options.get('reuseaddr') && (s.type === 'udp' || !listening(other))) continue;
    return true;
  }
  return false;
}

/** A free ephemeral port. Connecting TCP takes even ones first, as __inet_hash_connect does. EADDRINUSE, EADDRNOTAVAIL: none left. */
export function ephemeralPort(s: Socket, local: Ip | null, remote: Ip | null, remotePort: number): number | Errno {
  const ns = s.netns;
  const [low, high] = sysctl(ns, 'net.ipv4.ip_local_port_range').split(/\s+/).map(Number);
  const range = high - low + 1;
  const connecting = s.type === 'tcp' && remote !== null;
  const step = connecting ? 2 : 1;
  const start = below(ns.kernel.sim.random, range);
  for (let pass = 0; pass < step; pass++) {
    for (let i = 0; i < range; i += step) {
      let at = (start + i) % range;
      if (connecting) at = (at - (at % 2) + pass) % range;
      const port = low + at;
      if (boundTo(ns, s.type, port)?.size) continue;
      if (connecting && local && remote && findConnected(ns, s.type, local, port, remote, remotePort)) continue;
      return port;
    }
  }
  return remote ? 'EADDRNOTAVAIL' : 'EADDRINUSE';
}
