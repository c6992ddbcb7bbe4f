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

/* Implemented here (socket.ts; protocols in tcp*.ts, datagram.ts, sctp.ts):

   socket(p: Process, type, family): Socket | Errno              icmp and raw need NET_RAW (icmp: or net.ipv4.ping_group_range)
   kernelSocket(ns, type, family): Socket                        without a process (kubelet's probes, port forwards)
   bind(s, ip | null, port): Errno | null                        port 0: ephemeral at connect/listen
   listen(s, backlog = 4096): Errno | null
   connect(s, ip, port, timeoutMs?): Co<Errno | null>            TCP: SYN … until established, refused, unreachable, or timed out;
                                                                 udp/icmp/raw: sets the peer, at once. EINPROGRESS: timeoutMs passed
   accept(s, timeoutMs?): Co<Socket | Errno>                     EAGAIN: timed out
   recv(s, timeoutMs?): Co<Uint8Array | Errno>                   empty: the other side has closed; EAGAIN: timed out
   send(s, data, timeoutMs?): Co<number | Errno>
   shutdown(s): void                                             FIN, reading stays possible
   close(s): void
   sendTo(s, data, ip | null, port, {ttl?, tos?, df?}?): Errno | null    udp; null: the connected peer
   sendIcmp(s, {type, code, data}, seq, ip | null, {ttl?, tos?, df?}?)   icmp sockets: echo request with id = s.localPort; raw (proto icmp): as given (id too)
   sendPacketFrom(s, packet): Errno | null                       raw with IP_HDRINCL: the packet as given (src 0.0.0.0: filled in)
   recvFrom(s, timeoutMs?): Co<Datagram | Errno>                 EAGAIN: timed out. With options `recverr`, ICMP errors arrive as Datagram.error
   getsockname: s.local, s.localPort; peer: s.remote, s.remotePort; bytes waiting: pendingBytes(s)

   options: `reuseaddr`, `reuseport`, `bindtodevice` (name), `mark`, `tos`, `recverr`, `mtu_discover` (0 dont, 2 do), `ipproto` (raw: number),
   `linger0`, `transparent`, `broadcast`.
*/
