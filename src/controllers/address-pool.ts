// Pools of load-balancer addresses: `192.168.1.240-192.168.1.250`, CIDRs, single addresses.
import { addToIp, cidrSize, compareIp, formatIp, type Ip, network, parseCidr, parseIp } from '../wire/ip.ts';

/** First and last address of an entry; null: it is none. */
function bounds(entry: string): [Ip, Ip] | null {
  const dash = entry.indexOf('-');
  if (dash > 0) {
    const [a, b] = [parseIp(entry.slice(0, dash).trim()), parseIp(entry.slice(dash + 1).trim())];
    return a && b && a.length === b.length ? [a, b] : null;
  }
  const cidr = parseCidr(entry);
  if (!cidr) return null;
  const first = network(cidr).ip;
  return [first, addToIp(first, Math.min(cidrSize(cidr), 65_536) - 1)];
}

/** The lowest address of a family that is not taken, or undefined. */
export function addressesOf(pool: string[], six: boolean, taken: Set<string>): string | undefined {
  for (const entry of pool) {
    const range = bounds(entry.trim());
    if (!range || (range[0].length === 16) !== six) continue;
    for (let ip = range[0]; compareIp(ip, range[1]) <= 0; ip = addToIp(ip, 1)) {
      const text = formatIp(ip);
      if (!taken.has(text)) return text;
    }
  }
  return undefined;
}
