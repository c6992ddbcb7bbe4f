import { rcodeNumber } from '../../wire/dns-codec.ts';
import { argumentError, CorefileError, ONCE, type Plugin, plainError } from '../types.ts';

/** Prints what went wrong with a query: `plugin/errors: 2 name. TYPE: why`. */
export const errors: Plugin = {
  name: 'errors',
  setup: ({ instance, directive, all }) => {
    if (all.length > 1) throw plainError(ONCE);
    const { args, body, line } = directive;
    if (args.length && (args.length > 1 || args[0] !== 'stdout')) throw new CorefileError(line, `invalid log file: ${args[0]}`);
    for (const d of body) {
      if (d.name === 'consolidate' && d.args.length < 2) throw argumentError(d);
      if (d.name === 'consolidate' && d.args.length > 2 && !/^(warning|error|info|debug|show_first)$/.test(d.args[2]))
        throw new CorefileError(d.line, `unknown option in consolidate: ${d.args[2]}`);
    }
    return function* (r, next) {
      const outcome = yield* next(r);
      if (outcome.error) {
        const code = rcodeNumber(outcome.rcode ?? 'SERVFAIL');
        instance.log('ERROR', `plugin/errors: ${code} ${r.name} ${r.type}: ${outcome.error}`);
      }
      return outcome;
    };
  },
};
