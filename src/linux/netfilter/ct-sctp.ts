// SCTP's states as conntrack sees them: the table of nf_conntrack_proto_sctp.c (Linux 6.18), for the chunks packets here carry.
import type { Sctp } from '../../wire/packet.ts';

const SCTP_STATES = [
  'NONE',
  'CLOSED',
  'COOKIE_WAIT',
  'COOKIE_ECHOED',
  'ESTABLISHED',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT',
];
const [NO, CL, CW, CE, ES, SS, SR, SA, HS, IV] = [0, 1, 2, 3, 4, 5, 6, 7, 8, -1];

/** Columns: NONE CL CW CE ES SS SR SA HS. */
const ORIGINAL: Partial<Record<Sctp['chunk'], number[]>> = {
  INIT: [CL, CL, CW, CE, ES, CL, CL, SA, CW],
  INIT_ACK: [CL, CL, CW, CE, ES, SS, SR, SA, CL],
  ABORT: [CL, CL, CL, CL, CL, CL, CL, CL, CL],
  SHUTDOWN: [CL, CL, CW, CE, SS, SS, SR, SA, CL],
  COOKIE_ECHO: [CL, CL, CE, CE, ES, SS, SR, SA, CL],
  COOKIE_ACK: [CL, CL, CW, ES, ES, SS, SR, SA, CL],
  DATA: [NO, CL, CW, CE, ES, SS, SR, SA, HS],
};
const REPLY: Partial<Record<Sctp['chunk'], number[]>> = {
  INIT: [IV, CL, CW, CE, ES, SS, SR, SA, IV],
  INIT_ACK: [IV, CW, CW, CE, ES, SS, SR, SA, IV],
  ABORT: [IV, CL, CL, CL, CL, CL, CL, CL, IV],
  SHUTDOWN: [IV, CL, CW, CE, SR, SS, SR, SA, IV],
  COOKIE_ECHO: [IV, CL, CE, CE, ES, SS, SR, SA, IV],
  COOKIE_ACK: [IV, CL, CW, ES, ES, SS, SR, SA, IV],
  DATA: [IV, CL, CW, CE, ES, SS, SR, SA, HS],
};

export function nextSctpState(old: string, direction: 0 | 1, chunk: Sctp['chunk']): string | 'invalid' {
  // sctp_new: a connection begins with INIT, in the state "no packet yet": CLOSED until the table moves it to COOKIE_WAIT.
  if (old === 'NONE') return chunk === 'INIT' ? 'COOKIE_WAIT' : chunk === 'DATA' ? 'HEARTBEAT_SENT' : 'invalid';
  const next = (direction === 0 ? ORIGINAL : REPLY)[chunk]?.[SCTP_STATES.indexOf(old)];
  return next === undefined || next === IV ? 'invalid' : SCTP_STATES[next];
}

export const SCTP_TIMEOUT: Record<string, [string, number]> = {
  NONE: ['closed', 10],
  CLOSED: ['closed', 10],
  COOKIE_WAIT: ['cookie_wait', 3],
  COOKIE_ECHOED: ['cookie_echoed', 3],
  ESTABLISHED: ['established', 210],
  SHUTDOWN_SENT: ['shutdown_sent', 3],
  SHUTDOWN_RECD: ['shutdown_recd', 3],
  SHUTDOWN_ACK_SENT: ['shutdown_ack_sent', 3],
  HEARTBEAT_SENT: ['heartbeat_sent', 30],
};
