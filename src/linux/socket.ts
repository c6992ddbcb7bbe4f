// Sockets as programs see them. Calls that can block are coroutines; the rest answer at once. Errors are errno values, never exceptions.
import type { Co, WaitQueue } from '../sim/task.ts';
import type { Family, Ip } from '../wire/ip.ts';
import type { Errno, Netns, Process, Skb } from './types.ts';

export type SocketType = 'tcp' | 'udp' | 'icmp' | 'raw' | 'sctp';

export interface SocketTable {
  all: Set<Socket>;
  /** Next ephemeral port to try; the range is net.ipv4.ip_local_port_range. */
  nextPort: number;
}

export interface Socket {
  netns: Netns;
  owner: Process | null;
  type: SocketType;
  /** 6 also takes IPv4 unless v6only (dual-stack listeners). */
  family: Family;
  v6only: boolean;
  local: Ip | null;
  localPort: number;
  remote: Ip | null;
  remotePort: number;
  /** As `ss` names it: LISTEN, SYN-SENT, ESTAB, FIN-WAIT-1, CLOSE-WAIT, TIME-WAIT, UNCONN … */
  state: string;
  uid: number;
  /** IP_TTL / IP_MTU_DISCOVER / SO_BINDTODEVICE / SO_REUSEPORT … */
  ttl: number | null;
  options: Map<string, number | string>;
  error: Errno | null;
  /** Received datagrams, newest last (udp, icmp, raw). */
  datagrams: Datagram[];
  readable: WaitQueue;
  /** TCP's own state; socket-tcp.ts. */
  tcp: unknown;
  closed: boolean;
}

export interface Datagram {
  data: Uint8Array;
  from: Ip;
  fromPort: number;
  to: Ip;
  ttl: number;
  /** For icmp and raw sockets, and errors queued for IP_RECVERR. */
  skb: Skb;
  error?: { errno: Errno; type: number; code: number; from: Ip; mtu?: number };
}

/* Implemented in this room (socket.ts and beside it):

   socket(p: Process, type, family): Socket | Errno              icmp and raw need NET_RAW (icmp: or net.ipv4.ping_group_range)
   bind(s, ip | null, port): Errno | null                        port 0: ephemeral at connect/listen
   listen(s): Errno | null
   connect(s, ip, port, timeoutMs?): Co<Errno | null>            TCP: SYN … until established, refused, unreachable, or timed out
   accept(s, timeoutMs?): Co<Socket | Errno>
   recv(s, timeoutMs?): Co<Uint8Array | Errno>                   empty: the other side has closed; EAGAIN: timed out
   send(s, data): Co<number | Errno>
   shutdown(s): void                                             FIN, reading stays possible
   close(s): void
   sendTo(s, data, ip, port): Errno | null                       udp, icmp, raw
   recvFrom(s, timeoutMs?): Co<Datagram | Errno>
*/
export type Accept = (s: Socket, timeoutMs?: number) => Co<Socket | Errno>;
