// TCP's states as conntrack sees them from the side: the table of nf_conntrack_proto_tcp.c (Linux 6.18). Sequence windows are not checked.
import { TCP_FLAG, type Tcp } from '../../wire/packet.ts';

const [NO, SS, SR, ES, FW, CW, LA, TW, CL, S2, IV, IG] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

const TCP_STATES = ['NONE', 'SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT', 'LAST_ACK', 'TIME_WAIT', 'CLOSE', 'SYN_SENT2'];

export const TCP_INDEX = { SYN: 0, SYNACK: 1, FIN: 2, ACK: 3, RST: 4, NONE: 5 } as const;

/** [direction][kind of segment][old state]; columns: NONE SS SR ES FW CW LA TW CL S2. */
const TABLE: number[][][] = [
  [
    [SS, SS, IG, IG, IG, IG, IG, SS, SS, S2],
    [IV, IV, SR, IV, IV, IV, IV, IV, IV, SR],
    [IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
    [ES, IV, ES, ES, CW, CW, TW, TW, CL, IV],
    [IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
    [IV, IV, IV, IV, IV, IV, IV, IV, IV, IV],
  ],
  [
    [IV, S2, IV, IV, IV, IV, IV, SS, IV, S2],
    [IV, SR, IG, IG, IG, IG, IG, IG, IG, SR],
    [IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
    [IV, IG, SR, ES, CW, CW, TW, TW, CL, IG],
    [IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
    [IV, IV, IV, IV, IV, IV, IV, IV, IV, IV],
  ],
];

export function segmentKind(b: Tcp): number {
  if (b.flags & TCP_FLAG.RST) return TCP_INDEX.RST;
  if (b.flags & TCP_FLAG.SYN) return b.flags & TCP_FLAG.ACK ? TCP_INDEX.SYNACK : TCP_INDEX.SYN;
  if (b.flags & TCP_FLAG.FIN) return TCP_INDEX.FIN;
  return b.flags & TCP_FLAG.ACK ? TCP_INDEX.ACK : TCP_INDEX.NONE;
}

/** Flag combinations that no stack sends (tcp_valid_flags). */
export function validFlags(flags: number): boolean {
  const f = flags & ~(TCP_FLAG.PSH | TCP_FLAG.URG);
  const { SYN, ACK, FIN, RST } = TCP_FLAG;
  return [SYN, SYN | ACK, RST, RST | ACK, FIN | ACK, ACK].includes(f);
}

/** -> the new state, 'invalid', or 'ignore': the packet passes and changes nothing. */
export function nextTcpState(old: string, direction: 0 | 1, kind: number): string | 'invalid' | 'ignore' {
  const next = TABLE[direction][kind][Math.max(0, TCP_STATES.indexOf(old))];
  return next === IV || next === NO ? 'invalid' : next === IG ? 'ignore' : TCP_STATES[next];
}

export const TCP_TIMEOUT: Record<string, [string, number]> = {
  SYN_SENT: ['syn_sent', 120],
  SYN_RECV: ['syn_recv', 60],
  ESTABLISHED: ['established', 432_000],
  FIN_WAIT: ['fin_wait', 120],
  CLOSE_WAIT: ['close_wait', 60],
  LAST_ACK: ['last_ack', 30],
  TIME_WAIT: ['time_wait', 120],
  CLOSE: ['close', 10],
  SYN_SENT2: ['syn_sent', 120],
};
