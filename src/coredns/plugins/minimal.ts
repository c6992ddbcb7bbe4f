import { argumentError, type Plugin } from '../types.ts';

/** Answers keep their answer section only; denials, referrals and errors go out as they are. */
export const minimal: Plugin = {
  name: 'minimal',
  setup: ({ directive: d }) => {
    if (d.args.length || d.body.length) throw argumentError(d);
    return function* (r, next) {
      const outcome = yield* next(r);
      const { reply } = outcome;
      if (reply?.rcode !== 'NOERROR' || !reply.answers.length) return outcome;
      return { ...outcome, reply: { ...reply, authority: [], additional: [], edns: null } };
    };
  },
};
