// plugin/erratic (coredns 1.14.2): a server that drops, delays and cuts its answers.
import { sleep } from '../../sim/task.ts';
import type { DnsRecord } from '../../wire/dns.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import { parseIp } from '../../wire/ip.ts';
import { type Plugin, plainError } from '../types.ts';
import { durationMs } from '../values.ts';

export const erratic: Plugin = {
  name: 'erratic',
  setup: ({ directive, instance, keep }) => {
    // Every so-manieth query; 0: never. Without options every second one is dropped.
    // Every so-manieth query, from the first; 0: never. Only a server without options drops by itself.
    const every = { drop: directive.body.some(d => d.name !== 'large') ? 0 : 2, delay: 0, truncate: 0 };
    let delayMs = 100;
    let large = false;
    for (const d of directive.body) {
      if (d.name === 'large') large = true;
      else if (d.name === 'drop' || d.name === 'delay' || d.name === 'truncate') {
        const [amount = '2', duration] = d.args;
        if (!/^\d+$/.test(amount))
          throw plainError(
            amount.startsWith('-') ? `illegal amount value given "${amount}"` : `strconv.ParseInt: parsing "${amount}": invalid syntax`,
          );
        every[d.name] = Number(amount);
        if (d.name === 'delay' && duration !== undefined) delayMs = durationMs(duration) ?? delayMs;
      }
    }
    const { sim } = instance.server;
    let count = 0;
    count = Number(keep(() => count) ?? 0);
    return function* (r) {
      const number = count++;
      const now = (n: number) => n > 0 && number % n === 0;
      const { name } = r.query.questions[0];
      const record = (data: DnsRecord['data']): DnsRecord => ({ name, type: r.type as DnsRecord['type'], class: 'IN', ttl: 0, data });
      if (now(every.drop)) return { reply: null, drop: true };
      if (now(every.delay)) yield* sleep(sim, delayMs);
      // Upstream has a bitwise AND here, not a remainder.
      const tc = every.truncate > 0 && (number & every.truncate) === 0;
      const ip = r.type === 'A' ? parseIp('192.0.2.53') : r.type === 'AAAA' ? parseIp('2001:db8::53') : null;
      if (!ip) return { reply: null, rcode: 'SERVFAIL' };
      const answers = Array.from({ length: large && r.type === 'A' ? 30 : 1 }, () => record({ ip }));
      return { reply: { ...replyTo(r.query), aa: true, tc, answers } };
    };
  },
};
