// getsockopt(SO_ORIGINAL_DST): where a connection was going before it was redirected here (nf_conntrack_proto.c getorigdst, Linux 6.18).
import type { Ip } from '../../wire/ip.ts';
import { PROTO } from '../../wire/packet.ts';
import type { Socket } from '../socket.ts';
import { findEntry } from './conntrack.ts';

/** null: the connection is not tracked (ENOENT). */
export function originalDestination(s: Socket): { ip: Ip; port: number } | null {
  const { local, remote } = s;
  if (!local || !remote) return null;
  const family = local.length === 4 ? 4 : 6;
  const tuple = { family, proto: PROTO.TCP, src: local, dst: remote, sport: s.localPort, dport: s.remotePort } as const;
  const entry = findEntry(s.netns, tuple);
  return entry && { ip: entry.original.dst, port: entry.original.dport };
}
