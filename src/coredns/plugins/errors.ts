import { rcodeNumber } from '../../wire/dns-codec.ts';
import type { Plugin } from '../types.ts';

/** Prints what went wrong with a query: `plugin/errors: 2 name. TYPE: why`. */
export const errors: Plugin = {
  name: 'errors',
  setup: ({ instance }) =>
    function* (r, next) {
      const outcome = yield* next(r);
      if (outcome.error) {
        const code = rcodeNumber(outcome.rcode ?? 'SERVFAIL');
        instance.log('ERROR', `plugin/errors: ${code} ${r.name} ${r.type}: ${outcome.error}`);
      }
      return outcome;
    },
};
