import { stringToBytes } from '../../sim/bytes.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import type { Plugin } from '../types.ts';

const words = ['ANY obsoleted', 'See RFC 8482'].flatMap(t => [t.length, ...stringToBytes(t)]);

/** RFC 8482: an HINFO record instead of everything. */
export const any: Plugin = {
  name: 'any',
  setup: () =>
    function* (r, next) {
      if (r.type !== 'ANY') return yield* next(r);
      const { name } = r.query.questions[0];
      const hinfo = { name, type: 'TYPE13' as const, class: 'IN' as const, ttl: 8482, data: { bytes: Uint8Array.from(words) } };
      return { reply: { ...replyTo(r.query), answers: [hinfo] } };
    },
};
