import { stringToBytes } from '../../sim/bytes.ts';
import { NSID, ownEdns } from '../edns.ts';
import type { Plugin } from '../types.ts';

/** RFC 5001: tells a client that asks which server it has reached. */
export const nsid: Plugin = {
  name: 'nsid',
  setup: ({ instance, directive }) => {
    const text = directive.args.length ? directive.args.join(' ') : (instance.p.env.get('HOSTNAME') ?? 'localhost');
    const option = { code: NSID, data: stringToBytes(text) };
    return function* (r, next) {
      const asked = r.query.edns?.options.some(o => o.code === NSID);
      const outcome = yield* next(r);
      const { reply } = outcome;
      if (!asked || !reply) return outcome;
      const { edns } = reply;
      if (!edns) return { ...outcome, reply: { ...reply, edns: ownEdns([option]) } };
      const has = edns.options.some(o => o.code === NSID);
      const options = has ? edns.options.map(o => (o.code === NSID ? option : o)) : [...edns.options, option];
      return { ...outcome, reply: { ...reply, edns: { ...edns, options } } };
    };
  },
};
