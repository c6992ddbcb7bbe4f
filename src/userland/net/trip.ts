// The rows that both traceroutes print: a line for each TTL, a time for each probe, until the target answers.

import { print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp, type Ip, sameIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { type Failure, type Hop, type Method, probeOnce } from './probe.ts';
import { getnameinfo } from './resolver.ts';

export interface Trip {
  p: Process;
  u: Userland;
  to: Ip;
  method: Method;
  port: number;
  /** Every probe goes to `port`, also with UDP. */
  samePort?: boolean;
  /** Bytes behind the UDP or ICMP header. */
  size: number;
  first: number;
  hops: number;
  queries: number;
  waitMs: number;
  numeric: boolean;
  df?: boolean;
  source?: Ip | null;
  device?: string;
  /** Each row begins with the end of the line before it, and the last one is ended when the trip has ended well. */
  endsLate?: boolean;
  /** Each UDP probe has a connected socket. */
  connected?: boolean;
  /** Blanks before the first name of a row and before a star. */
  gap: string;
  /** Behind the time: BusyBox' ` (62)`, ` F=1500`, ` '-3` … */
  note?: (hop: Hop, ttl: number) => string;
}

function* named(t: Trip, address: Ip): Co<string> {
  if (t.numeric) return formatIp(address);
  return `${(yield* getnameinfo(t.p, address, t.u.libc)) ?? formatIp(address)} (${formatIp(address)})`;
}

/** -> the call that failed, or null: the trip has ended. A row begins with the first thing that is known of it. */
export function* walk(t: Trip): Co<Failure | null> {
  let n = 0;
  const echo = { id: 0 };
  for (let ttl = t.first; ttl <= t.hops; ttl++) {
    let row = `${t.endsLate ? '\n' : ''}${String(ttl).padStart(2)}${t.gap === '  ' ? '' : ' '}`;
    let last: Ip | null = null;
    let done = false;
    let unreachable = 0;
    for (let q = 0; q < t.queries; q++) {
      const port = t.method === 'icmp' ? ++n : t.method === 'tcp' || t.samePort ? t.port : t.port + n++;
      const { method, to, size, source, device } = t;
      const r = yield* probeOnce(t.p, {
        method,
        to,
        ttl,
        port,
        size,
        timeoutMs: t.waitMs,
        df: t.df ?? false,
        source,
        echo,
        device,
        connected: t.connected,
      });
      if (r && 'errno' in r) {
        if (row === '' && !t.endsLate) print(t.p, '\n');
        return r;
      }
      print(t.p, row);
      row = '';
      if (!r) {
        print(t.p, `${t.gap}*`);
        continue;
      }
      if (!last || !sameIp(last, r.from)) print(t.p, `${t.gap === '  ' ? t.gap : ' '}${yield* named(t, r.from)}`);
      last = r.from;
      print(t.p, `  ${r.ms.toFixed(3)} ms${t.note?.(r, ttl) ?? ''}${r.mark ? ` ${r.mark}` : ''}`);
      if (r.final && !r.mark) done = true;
      if (r.mark) unreachable++;
    }
    if (!t.endsLate) print(t.p, '\n');
    if (done || (unreachable && unreachable >= t.queries - 1)) break;
  }
  if (t.endsLate) print(t.p, '\n');
  return null;
}

/** How many hops an answer has come, by the TTL it still had: systems start at 64, 128 or 255. */
export const hopsBack = (ttl: number): number => (ttl > 128 ? 256 - ttl : ttl > 64 ? 129 - ttl : 65 - ttl);
