import { below } from '../../sim/random.ts';
import type { DnsRecord } from '../../wire/dns.ts';
import { CorefileError, type Plugin, plainError } from '../types.ts';

const isAddress = (r: DnsRecord) => r.type === 'A' || r.type === 'AAAA';

/** Round robin: aliases first, then addresses shuffled, the rest as it was (plugin/loadbalance/loadbalance.go). */
export const loadbalance: Plugin = {
  name: 'loadbalance',
  setup: ({ instance, directive }) => {
    const [policy, ...rest] = directive.args;
    if (policy !== undefined && policy !== 'round_robin' && policy !== 'weighted') throw plainError(`unknown policy: ${policy}`);
    if (policy === 'round_robin' && rest.length) throw new CorefileError(directive.line, 'unknown property for round_robin');
    if (policy === 'weighted' && !rest.length) throw new CorefileError(directive.line, 'missing weight file argument');
    return function* (r, next) {
      const outcome = yield* next(r);
      const { reply } = outcome;
      if (reply?.rcode !== 'NOERROR' || r.type === 'AXFR') return outcome;
      const shuffle = (records: DnsRecord[]) => {
        const cname = records.filter(x => x.type === 'CNAME');
        const mx = records.filter(x => x.type === 'MX');
        const addresses = records.filter(isAddress);
        const rest = records.filter(x => x.type !== 'CNAME' && x.type !== 'MX' && !isAddress(x));
        for (let i = addresses.length - 1; i > 0; i--) {
          const k = below(instance.server.sim.random, i + 1);
          [addresses[i], addresses[k]] = [addresses[k], addresses[i]];
        }
        return [...cname, ...rest, ...addresses, ...mx];
      };
      return { ...outcome, reply: { ...reply, answers: shuffle(reply.answers), additional: shuffle(reply.additional) } };
    };
  },
};
