// What podnet says can happen, against what did happen.
import type { ProbeAnswer } from '../../src/cluster/probe.ts';
import type { Heard } from './orders.ts';

/** errno by ICMP error (net/ipv4/icmp.c icmp_err_convert, net/ipv6/icmp.c tab_unreach), and whether a UDP socket hears of it at all. */
const ICMP_ERRNO: Record<string, [errno: string, fatal: boolean]> = {
  'net-unreachable': ['ENETUNREACH', false],
  'host-unreachable': ['EHOSTUNREACH', false],
  'protocol-unreachable': ['ENOPROTOOPT', true],
  'port-unreachable': ['ECONNREFUSED', true],
  'net-prohibited': ['ENETUNREACH', true],
  'host-prohibited': ['EHOSTUNREACH', true],
  'admin-prohibited': ['EHOSTUNREACH', true],
  'time-exceeded': ['EHOSTUNREACH', false],
  'no-route': ['ENETUNREACH', false],
  'address-unreachable': ['EHOSTUNREACH', false],
  'policy-fail': ['EACCES', true],
  'reject-route': ['EACCES', true],
};

const LOCAL = ['EPERM', 'ENETUNREACH', 'EHOSTUNREACH', 'EINVAL', 'EACCES', 'EADDRNOTAVAIL', 'ENETDOWN'];

/** The words that a socket program has for the walk's verdicts. */
export function expected(answer: ProbeAnswer, proto: 'tcp' | 'udp', family: 4 | 6): Set<string> {
  const out = new Set<string>();
  for (const v of answer.verdicts) {
    if (v === 'connected' || v === 'timeout') out.add(v);
    else if (v === 'refused') out.add('ECONNREFUSED');
    else if (v === 'reset') for (const e of ['ECONNRESET', 'reset']) out.add(e);
    else if (v === 'error') for (const e of LOCAL) out.add(e);
    else {
      for (const { name } of answer.icmp) {
        const [errno, fatal] = name === 'admin-prohibited' && family === 6 ? ['EACCES', true] : (ICMP_ERRNO[name] ?? [name, true]);
        out.add(proto === 'udp' && !fatal ? 'timeout' : errno);
        // A datagram that a rule of the sender's own machine rejects fails as well when it is sent.
        if (proto === 'udp') out.add('EPERM');
        // Of an unreachable route a router tells a host five times, then once a second (ip_error).
        if (/^(net|host)-unreachable$/.test(name)) out.add('timeout');
      }
    }
  }
  return out;
}

/** -> what differs, or null. `sequential`: attempts depend on each other, so that not all need to be seen. */
export function difference(
  answer: ProbeAnswer,
  heard: Heard[],
  asked: { proto: 'tcp' | 'udp'; family: 4 | 6; sequential: boolean },
): string | null {
  const possible = expected(answer, asked.proto, asked.family);
  // Connected, and then a packet with the answer was lost: chance that goes on.
  const silent = answer.verdicts.length > 1 && heard.some(h => h.verdict === 'silent');
  const seen = [...new Set(heard.map(h => (silent && h.verdict === 'silent' ? 'connected' : h.verdict)))].sort();
  const strange = seen.filter(v => !possible.has(v));
  const say = (what: string, real: string[], ours: string[]) =>
    `${what}: the kernel ${real.join(', ') || 'none'}; podnet ${ours.join(', ') || 'none'}`;
  if (strange.length) return say('verdict', seen, [...possible].sort());
  const pair = (h: { backend?: string; source?: string }) => `${h.backend} from ${h.source}`;
  const pairs = [...new Set(heard.filter(h => h.verdict === 'connected').map(pair))].sort();
  const ours = answer.pairs.map(pair).sort();
  if (pairs.some(p => !ours.includes(p))) return say('answers', pairs, ours);
  if (silent || asked.sequential || heard.length < ENOUGH * (ours.length + (answer.verdicts.length - 1))) return null;
  if (answer.verdicts.includes('connected') && ours.some(p => !pairs.includes(p))) return say('answers', pairs, ours);
  // Of several verdicts, each has its share.
  if (answer.verdicts.length > 1 && seen.length < 2 && possible.size > 1 && !onlyLocal(possible))
    return say('verdict', seen, [...possible].sort());
  return null;
}

const onlyLocal = (possible: Set<string>) => [...possible].every(p => LOCAL.includes(p) || p === 'ECONNREFUSED');

/** Attempts for each outcome: one of three equal ones stays unseen by 48 once in three hundred million. */
export const ENOUGH = 16;
