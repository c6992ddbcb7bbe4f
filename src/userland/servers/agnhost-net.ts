// What agnhost's subcommands share: the log, durations, UDP and the errors of Go's dialer.

import { localPid } from '../../linux/pids.ts';
import { complain } from '../../linux/process.ts';
import { bind, close, recvFrom, type Socket, sendTo, socket } from '../../linux/socket.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { klogStamp } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { background, type Served } from '../http-server.ts';
import { getaddrinfo } from '../net/resolver.ts';

/** Newest of what is modelled; a tag says otherwise. */
const VERSION = '2.53';

export const releases = new WeakMap<Process, string>();

export const releaseOf = (p: Process): string => releases.get(p) ?? VERSION;

/** The line of Go's own log.go that writes: another one since Go 1.21, which agnhost 2.44 was built with. */
const logLine = (release: string): number => (Number(release.split('.')[1]) < 44 ? 195 : 245);

/** klog's line, as `log.Printf` of these programs ends up. */
export function log(p: Process, text: string): void {
  complain(p, `I${klogStamp(p.kernel.sim.nowMs)} ${String(localPid(p)).padStart(7)} log.go:${logLine(releaseOf(p))}] ${text}\n`);
}

export const endpoint = (req: Served) =>
  req.remote.length === 16 ? `[${formatIp(req.remote)}]:${req.remotePort}` : `${formatIp(req.remote)}:${req.remotePort}`;

export function parseDuration(s: string): number {
  let ms = 0;
  for (const m of s.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    ms += Number(m[1]) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[m[2]] as number);
  return ms;
}

export function goDialError(host: string, port: number, e: Errno): string {
  const words: Partial<Record<Errno, string>> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'connect: connection timed out',
    EINPROGRESS: 'i/o timeout',
    ECONNRESET: 'connect: connection reset by peer',
  };
  return `dial tcp ${host.includes(':') ? `[${host}]` : host}:${port}: ${words[e] ?? `connect: ${e}`}`;
}

export function* udpAsk(p: Process, host: string, port: number, text: string): Co<string | null> {
  const at = yield* getaddrinfo(p, host, { libc: 'musl' });
  if (typeof at === 'string') return null;
  const s = socket(p, 'udp', at.addresses[0].length === 4 ? 4 : 6);
  if (typeof s === 'string') return null;
  sendTo(s, stringToBytes(text), at.addresses[0], port);
  const got = yield* recvFrom(s, 5000);
  close(s);
  return typeof got === 'string' || got.error ? null : bytesToString(got.data);
}

/** Answer datagrams with what `answer` says; null: no answer. */
export function udpServer(p: Process, port: number, answer: (text: string, from: string) => string | null): Errno | null {
  const s = socket(p, 'udp', 6);
  if (typeof s === 'string') return s;
  const error = bind(s, null, port);
  if (error) return error;
  background(p, udpLoop(s, answer));
  return null;
}

function* udpLoop(s: Socket, answer: (text: string, from: string) => string | null): Co<void> {
  for (;;) {
    const d = yield* recvFrom(s);
    if (d === 'EBADF') return;
    if (typeof d === 'string' || d.error) continue;
    const from = d.from.length === 16 ? `[${formatIp(d.from)}]:${d.fromPort}` : `${formatIp(d.from)}:${d.fromPort}`;
    const reply = answer(bytesToString(d.data), from);
    if (reply !== null) sendTo(s, stringToBytes(reply), d.from, d.fromPort);
  }
}
