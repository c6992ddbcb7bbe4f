// Connections to destinations: found by either end's packets, counted, and forgotten in their time (ip_vs_conn.c, ip_vs_proto_{tcp,udp,sctp}.c).
import { formatIp, type Ip } from '../../wire/ip.ts';
import { type Packet, packetLength, TCP_FLAG } from '../../wire/packet.ts';
import type { Netns } from '../types.ts';
import { addressText, findDest, ipvsOf, serviceKey } from './table.ts';
import type { IpvsConnection, IpvsDest, IpvsProtocol, IpvsService, IpvsState } from './types.ts';

export interface Ends {
  protocol: IpvsProtocol;
  src: Ip;
  sport: number;
  dst: Ip;
  dport: number;
}

/** null: neither TCP, UDP nor SCTP. */
export function endsOf(p: Packet): Ends | null {
  const b = p.body;
  if (b.kind !== 'tcp' && b.kind !== 'udp' && b.kind !== 'sctp') return null;
  const protocol = b.kind === 'tcp' ? 'TCP' : b.kind === 'udp' ? 'UDP' : 'SCTP';
  return { protocol, src: p.src, sport: b.sport, dst: p.dst, dport: b.dport };
}

const keyOf = (protocol: IpvsProtocol, a: Ip, aPort: number, b: Ip, bPort: number): string =>
  `${protocol} ${addressText(a, aPort)} ${addressText(b, bPort)}`;

/** Timeouts in seconds (tcp_timeouts, udp_timeouts, sctp_timeouts). */
const TCP_TIMEOUT: Record<string, number> = {
  ESTABLISHED: 900,
  SYN_SENT: 120,
  SYN_RECV: 60,
  FIN_WAIT: 120,
  TIME_WAIT: 120,
  CLOSE: 10,
  CLOSE_WAIT: 60,
  LAST_ACK: 30,
};
const OTHER_TIMEOUT: Record<string, number> = { UDP: 300, SCTP: 900 };

const keys = (c: IpvsConnection): [string, string] => [
  keyOf(c.protocol, c.client.ip, c.client.port, c.virtual.ip, c.virtual.port),
  keyOf(c.protocol, c.dest.ip, c.dest.port, c.client.ip, c.client.port),
];

export function forget(state: IpvsState, c: IpvsConnection): void {
  const [there, back] = keys(c);
  if (state.connections.get(there) === c) state.connections.delete(there);
  if (state.replies.get(back) === c) state.replies.delete(back);
  if (c.active) c.dest.activeConns--;
  else c.dest.inactiveConns--;
}

/** Those that still live, oldest first; the others are forgotten. */
export function liveConnections(ns: Netns): IpvsConnection[] {
  const state = ipvsOf(ns);
  const now = ns.kernel.sim.nowMs;
  for (const c of [...state.connections.values()]) if (c.expiresAtMs <= now) forget(state, c);
  return [...state.connections.values()];
}

function live(ns: Netns, state: IpvsState, c: IpvsConnection | undefined): IpvsConnection | null {
  if (!c) return null;
  if (c.expiresAtMs > ns.kernel.sim.nowMs) return c;
  forget(state, c);
  return null;
}

export function fromClient(ns: Netns, e: Ends): IpvsConnection | null {
  const state = ipvsOf(ns);
  return live(ns, state, state.connections.get(keyOf(e.protocol, e.src, e.sport, e.dst, e.dport)));
}

export function fromDest(ns: Netns, e: Ends): IpvsConnection | null {
  const state = ipvsOf(ns);
  return live(ns, state, state.replies.get(keyOf(e.protocol, e.src, e.sport, e.dst, e.dport)));
}

export function newConnection(ns: Netns, service: IpvsService, e: Ends, dest: IpvsDest): IpvsConnection {
  const state = ipvsOf(ns);
  const c: IpvsConnection = {
    protocol: e.protocol,
    client: { ip: e.src, port: e.sport },
    virtual: { ip: e.dst, port: e.dport },
    dest,
    state: e.protocol === 'TCP' ? 'NONE' : e.protocol,
    active: false,
    expiresAtMs: ns.kernel.sim.nowMs + (OTHER_TIMEOUT[e.protocol] ?? TCP_TIMEOUT.SYN_RECV) * 1000,
  };
  dest.inactiveConns++;
  const [there, back] = keys(c);
  state.connections.set(there, c);
  state.replies.set(back, c);
  service.stats.conns++;
  dest.stats.conns++;
  return c;
}

export const templateKey = (client: Ip, s: IpvsService): string => `${formatIp(client)} ${serviceKey(s)}`;

/** Does the connection's destination still belong to its service? */
export function destIsThere(ns: Netns, c: IpvsConnection): boolean {
  const service = ipvsOf(ns).services.get(serviceKey({ protocol: c.protocol, ip: c.virtual.ip, port: c.virtual.port }));
  return service !== undefined && findDest(service, addressText(c.dest.ip, c.dest.port)) === c.dest;
}

/** tcp_states: rows by what a segment says, for packets of the client and of the destination. */
function nextTcpState(state: string, flags: number, fromClient: boolean): string {
  if (flags & TCP_FLAG.RST) return 'CLOSE';
  if (flags & TCP_FLAG.FIN) {
    if (fromClient)
      return state === 'FIN_WAIT' || state === 'CLOSE_WAIT' ? (state === 'CLOSE_WAIT' ? 'CLOSE_WAIT' : 'TIME_WAIT') : 'CLOSE_WAIT';
    return state === 'CLOSE_WAIT' ? 'TIME_WAIT' : 'FIN_WAIT';
  }
  if (flags & TCP_FLAG.SYN) return flags & TCP_FLAG.ACK || fromClient ? 'SYN_RECV' : 'SYN_SENT';
  if (state === 'SYN_RECV' || state === 'NONE') return fromClient ? 'ESTABLISHED' : state;
  return state;
}

export function account(ns: Netns, c: IpvsConnection, p: Packet, fromClient: boolean): void {
  const b = p.body;
  if (b.kind === 'tcp') c.state = nextTcpState(c.state, b.flags, fromClient);
  const active = c.state === 'ESTABLISHED' || c.protocol === 'SCTP';
  if (active !== c.active) {
    c.dest.activeConns += active ? 1 : -1;
    c.dest.inactiveConns += active ? -1 : 1;
    c.active = active;
  }
  c.expiresAtMs =
    ns.kernel.sim.nowMs + (c.protocol === 'TCP' ? (TCP_TIMEOUT[c.state] ?? TCP_TIMEOUT.SYN_RECV) : OTHER_TIMEOUT[c.protocol]) * 1000;
  const length = packetLength(p);
  const service = ipvsOf(ns).services.get(serviceKey({ protocol: c.protocol, ip: c.virtual.ip, port: c.virtual.port }));
  for (const s of [c.dest.stats, service?.stats]) {
    if (!s) continue;
    if (fromClient) {
      s.inPackets++;
      s.inBytes += length;
    } else {
      s.outPackets++;
      s.outBytes += length;
    }
  }
}
