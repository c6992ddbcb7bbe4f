// plugin/errors (coredns 1.14.2): what went wrong with queries, each or counted over a while.
import { sleep, startTask } from '../../sim/task.ts';
import { rcodeNumber } from '../../wire/dns-codec.ts';
import { typeText } from '../../wire/dns-types.ts';
import type { Directive } from '../corefile.ts';
import { goRegExp } from '../regexp.ts';
import { argumentError, CorefileError, type Instance, ONCE, type Plugin, plainError } from '../types.ts';
import { durationError, durationMs, durationText } from '../values.ts';

const LEVELS = ['warning', 'error', 'info', 'debug'] as const;
type Level = (typeof LEVELS)[number];

/** `consolidate 5m REGEXP [LEVEL] [show_first]` */
interface Pattern {
  source: string;
  re: RegExp;
  periodMs: number;
  level: Level;
  showFirst: boolean;
  /** Errors of the period that began then. */
  count: number;
  sinceMs: number;
}

function pattern(d: Directive): Pattern {
  const [period, source, ...more] = d.args;
  if (source === undefined) throw argumentError(d);
  const periodMs = durationMs(period);
  if (periodMs === null) throw new CorefileError(d.line, durationError(period));
  const re = goRegExp(source);
  if (typeof re === 'string') throw new CorefileError(d.line, re);
  const p: Pattern = { source, re, periodMs, level: 'error', showFirst: false, count: 0, sinceMs: 0 };
  for (const word of more) {
    const level = LEVELS.find(l => l === word);
    if (level) p.level = level;
    else if (word === 'show_first') p.showFirst = true;
    else throw new CorefileError(d.line, `unknown option in consolidate: ${word}`);
  }
  return p;
}

function print(instance: Instance, level: Level, text: string): void {
  // Debug lines come with the debug plugin alone.
  if (level !== 'debug') instance.log(level.toUpperCase() as 'WARNING' | 'ERROR' | 'INFO', `plugin/errors: ${text}`);
}

/** logPattern: how many there were; of a single one that has been shown nothing is told. */
function tell(instance: Instance, p: Pattern): void {
  const { count } = p;
  p.count = 0;
  if (count > 1 || (count && !p.showFirst))
    print(instance, p.level, `${count} errors like '${p.source}' occurred in last ${durationText(p.periodMs)}`);
}

/** Its period ends when it ends, also when another command began it. */
function awaitEnd(instance: Instance, p: Pattern): void {
  const { sim } = instance.server;
  startTask(
    sim,
    (function* () {
      yield* sleep(sim, Math.max(1, p.sinceMs + p.periodMs - sim.nowMs));
      if (!instance.stopped) tell(instance, p);
    })(),
    true,
  );
}

/** The first error of a kind begins a period. */
function countIn(instance: Instance, p: Pattern): void {
  if (p.count++) return;
  p.sinceMs = instance.server.sim.nowMs;
  awaitEnd(instance, p);
}

type Kept = { count: number; sinceMs: number }[];

export const errors: Plugin = {
  name: 'errors',
  setup: ({ instance, directive, all, keep }) => {
    if (all.length > 1) throw plainError(ONCE);
    const { args, body, line } = directive;
    if (args.length && (args.length > 1 || args[0] !== 'stdout')) throw new CorefileError(line, `invalid log file: ${args[0]}`);
    const patterns: Pattern[] = [];
    for (const d of body) {
      if (d.name === 'consolidate') patterns.push(pattern(d));
      else if (d.name === 'stacktrace') {
        if (d.args.length) throw argumentError(d);
      } else throw new CorefileError(d.line, `unknown property '${d.name}'`);
    }
    const kept = keep((): Kept => patterns.map(({ count, sinceMs }) => ({ count, sinceMs }))) as Kept | undefined;
    patterns.forEach((p, i) => {
      Object.assign(p, kept?.[i]);
      if (p.count)
        instance.starts.push(function* () {
          awaitEnd(instance, p);
        });
    });
    instance.dues.push(() => patterns.filter(p => p.count).map(p => p.sinceMs + p.periodMs));
    instance.stops.push(() => {
      for (const p of patterns) tell(instance, p);
    });
    return function* (r, next) {
      const outcome = yield* next(r);
      const { error } = outcome;
      if (!error) return outcome;
      const [asked] = r.message.query.questions;
      const text = `${rcodeNumber(outcome.rcode ?? 'SERVFAIL')} ${asked.name.toLowerCase()} ${typeText(asked.type)}: ${error}`;
      const known = patterns.find(p => p.re.test(error));
      if (known) {
        if (known.showFirst && !known.count) print(instance, known.level, text);
        countIn(instance, known);
      } else print(instance, 'error', text);
      return outcome;
    };
  },
};
