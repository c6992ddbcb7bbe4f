import type { DnsMessage } from '../../wire/dns.ts';
import { argumentError, type Plugin, plainError } from '../types.ts';

interface Rule {
  flag: 'aa' | 'ra' | 'rd';
  on: boolean;
}

function rules(action: string | undefined, flags: string[]): Rule[] {
  const bad = (why: string) => plainError(`setting up rule: ${why}`);
  if (!action) throw bad('no flag action provided');
  if (!flags.length) throw bad('invalid length for flags, at least one should be provided');
  const state = action.toLowerCase();
  if (state !== 'set' && state !== 'clear') throw bad(`unknown flag action=${state}, should be set or clear`);
  return flags.map(f => {
    const flag = f.toLowerCase();
    if (flag !== 'aa' && flag !== 'ra' && flag !== 'rd') throw bad(`unknown/unsupported flag=${flag}`);
    return { flag, on: state === 'set' };
  });
}

function applied(m: DnsMessage, list: Rule[]): DnsMessage {
  const out = { ...m };
  for (const { flag, on } of list) out[flag] = on;
  return out;
}

/** Sets and clears flags of queries on their way in and of answers on their way out. */
export const header: Plugin = {
  name: 'header',
  setup: ({ directive, all }) => {
    const query: Rule[] = [];
    const response: Rule[] = [];
    // The first directive with a rule decides; those behind it are not read.
    for (const d of all) {
      if (query.length || response.length) break;
      for (const p of d.body) {
        const selector = p.name.toLowerCase();
        // Up to 1.11 there were no selectors: rules meant answers.
        if (selector === 'set' || selector === 'clear') response.push(...rules(selector, p.args));
        else if (selector === 'response') response.push(...rules(p.args[0], p.args.slice(1)));
        else if (selector === 'query') query.push(...rules(p.args[0], p.args.slice(1)));
        else throw plainError(`setting up rule: invalid selector=${selector} should be query or response`);
      }
    }
    if (!query.length && !response.length) throw argumentError(directive);
    return function* (r, next) {
      const outcome = yield* next(query.length ? { ...r, query: applied(r.query, query) } : r);
      return outcome.reply ? { ...outcome, reply: applied(outcome.reply, response) } : outcome;
    };
  },
};
