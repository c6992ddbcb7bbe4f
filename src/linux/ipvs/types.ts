// IP Virtual Server: virtual services, their destinations, and the connections to them (net/netfilter/ipvs of Linux 6.18).
import type { Ip } from '../../wire/ip.ts';

export type IpvsProtocol = 'TCP' | 'UDP' | 'SCTP';

export const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'dh', 'sed', 'nq', 'lblc', 'lblcr', 'mh', 'fo', 'ovf'] as const;
export type Scheduler = (typeof SCHEDULERS)[number];

export interface IpvsStats {
  conns: number;
  inPackets: number;
  outPackets: number;
  inBytes: number;
  outBytes: number;
}

export interface IpvsDest {
  ip: Ip;
  port: number;
  /** 0: no new connections. */
  weight: number;
  activeConns: number;
  inactiveConns: number;
  /** Connections of clients that stick to it. */
  persistentConns: number;
  stats: IpvsStats;
}

export interface IpvsService {
  protocol: IpvsProtocol;
  ip: Ip;
  port: number;
  scheduler: Scheduler;
  /** Seconds that a client sticks to its destination; 0: it does not. */
  persistentSeconds: number;
  /** Newest first, as the kernel links them. */
  dests: IpvsDest[];
  /** Where round robin stands. */
  last: IpvsDest | null;
  /** wrr: the weight that counts now. */
  current: number;
  stats: IpvsStats;
}

export interface IpvsConnection {
  protocol: IpvsProtocol;
  client: { ip: Ip; port: number };
  virtual: { ip: Ip; port: number };
  /** Where it goes; it may be gone from its service. */
  dest: IpvsDest;
  state: string;
  /** Counted among its destination's active ones. */
  active: boolean;
  expiresAtMs: number;
}

export interface IpvsState {
  /** `TCP 10.96.0.1:443` -> the service. */
  services: Map<string, IpvsService>;
  /** By what the client sends. */
  connections: Map<string, IpvsConnection>;
  /** By what the destination answers. */
  replies: Map<string, IpvsConnection>;
  /** Client and service -> the destination that it sticks to, and until when. */
  templates: Map<string, { client: Ip; service: IpvsService; dest: IpvsDest; expiresAtMs: number }>;
}

export const newStats = (): IpvsStats => ({ conns: 0, inPackets: 0, outPackets: 0, inBytes: 0, outBytes: 0 });
