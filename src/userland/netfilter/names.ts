// Names of addresses for listings without -n.
import type { Process } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { parseIp } from '../../wire/ip.ts';
import { getnameinfo } from '../net/resolver.ts';

/** gethostbyaddr for each address; those without a name are left out. */
export function* lookUpNames(p: Process, addresses: string[]): Co<Map<string, string>> {
  const out = new Map<string, string>();
  for (const text of addresses) {
    const ip = parseIp(text);
    const name = ip ? yield* getnameinfo(p, ip, 'glibc') : null;
    if (name !== null) out.set(text, name);
  }
  return out;
}
