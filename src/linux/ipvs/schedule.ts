// Which destination a new connection gets: ip_vs_rr.c, ip_vs_wrr.c, ip_vs_lc.c, ip_vs_wlc.c, ip_vs_sed.c, ip_vs_nq.c, ip_vs_sh.c, ip_vs_dh.c,
// ip_vs_fo.c, ip_vs_ovf.c. Destinations of weight 0 get none.
import type { Ip } from '../../wire/ip.ts';
import type { IpvsDest, IpvsService } from './types.ts';

export interface Flow {
  src: Ip;
  sport: number;
  dst: Ip;
}

const open = (s: IpvsService): IpvsDest[] => s.dests.filter(d => d.weight > 0);

/** The next one behind the last, round the list. */
function roundRobin(s: IpvsService): IpvsDest | null {
  const { dests } = s;
  const from = s.last ? dests.indexOf(s.last) : dests.length - 1;
  for (let i = 1; i <= dests.length; i++) {
    const d = dests[(from + i) % dests.length];
    if (d.weight > 0) return d;
  }
  return null;
}

const gcd = (a: number, b: number): number => (b ? gcd(b, a % b) : a);

/** Heavier destinations come up at more of the levels that the weight walks down. */
function weightedRoundRobin(s: IpvsService): IpvsDest | null {
  const all = open(s);
  if (!all.length) return null;
  const step = all.map(d => d.weight).reduce(gcd);
  const most = Math.max(...all.map(d => d.weight));
  let at = s.last ? s.dests.indexOf(s.last) : -1;
  for (let i = 0; i <= s.dests.length * (most / step + 1); i++) {
    at++;
    if (at >= s.dests.length) at = 0;
    if (at === 0 || s.current <= 0) {
      if (at === 0 || s.current <= 0) s.current -= step;
      if (s.current <= 0) s.current = most;
    }
    if (s.dests[at].weight >= s.current) return s.dests[at];
  }
  return all[0];
}

/** An active connection weighs as much as 256 idle ones. */
const overhead = (d: IpvsDest): number => d.activeConns * 256 + d.inactiveConns;

function least(list: IpvsDest[], cost: (d: IpvsDest) => number): IpvsDest | null {
  let best: IpvsDest | null = null;
  for (const d of list) if (!best || cost(d) < cost(best)) best = d;
  return best;
}

const expectedDelay = (d: IpvsDest): number => (d.activeConns + 1) / d.weight;

const HASH_SLOTS = 256;

/** hash_32 of the address, folded to its last word as the kernel does for IPv6. */
function slot(ip: Ip): number {
  let word = 0;
  for (let i = 0; i < ip.length; i += 4) word ^= (ip[i] << 24) | (ip[i + 1] << 16) | (ip[i + 2] << 8) | ip[i + 3];
  return (Math.imul(word >>> 0, 2654435761) >>> 24) & (HASH_SLOTS - 1);
}

/** The slots of the table go round the destinations; one that is closed gives way to the next slot's. */
function hashed(s: IpvsService, ip: Ip): IpvsDest | null {
  const { dests } = s;
  for (let i = 0; i < HASH_SLOTS; i++) {
    const d = dests[((slot(ip) + i) % HASH_SLOTS) % dests.length];
    if (d && d.weight > 0) return d;
  }
  return null;
}

export function schedule(s: IpvsService, f: Flow): IpvsDest | null {
  if (!s.dests.length) return null;
  const idle = (d: IpvsDest) => d.activeConns === 0;
  switch (s.scheduler) {
    case 'wrr':
      return (s.last = weightedRoundRobin(s));
    case 'lc':
      return least(open(s), overhead);
    case 'wlc':
    case 'lblc':
    case 'lblcr':
      return least(open(s), d => overhead(d) / d.weight);
    case 'sed':
      return least(open(s), expectedDelay);
    case 'nq':
      return open(s).find(idle) ?? least(open(s), expectedDelay);
    case 'sh':
    case 'mh':
      return hashed(s, f.src);
    case 'dh':
      return hashed(s, f.dst);
    case 'fo':
      return least(open(s), d => -d.weight);
    case 'ovf':
      return least(
        open(s).filter(d => d.activeConns + d.inactiveConns < d.weight),
        d => -d.weight,
      );
    default:
      return (s.last = roundRobin(s));
  }
}
