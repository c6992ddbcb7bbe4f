// A traced journey as a person reads it: hop by hop, with the rules that decided.
import { Chalk } from 'chalk';
import type { Journey } from '../cluster/journey.ts';
import { decidingRules, isEnd } from '../cluster/journey-rules.ts';
import type { TraceStep } from '../linux/types.ts';

const line = (s: TraceStep, times = 1) => `  ${s.kind.padEnd(8)}${s.at.padEnd(34)} ${s.text}${times > 1 ? ` (${times} times)` : ''}`;

/** Of a name's lookup only what became of the queries. */
const OF_LOOKUP = new Set(['nat', 'deliver', 'drop', 'reject', 'reply']);

/** Each stay of a packet on a machine by itself: [from, to). */
function* stays(steps: TraceStep[]): Generator<[number, number]> {
  for (let from = 0; from < steps.length; ) {
    let to = from + 1;
    while (to < steps.length && steps[to].at === steps[from].at && steps[to].kind !== 'send') to++;
    yield [from, to];
    from = to;
  }
}

/** Without the rules that decided nothing, and the questions of ARP that were answered. */
function essential(steps: TraceStep[]): TraceStep[] {
  const told = new Set<number>();
  for (const [from, to] of stays(steps)) for (const at of decidingRules(steps, from, to)) told.add(at);
  return steps.filter((s, at) => (s.kind === 'rule' ? told.has(at) : s.kind !== 'neigh'));
}

/** The first packet and what became of it: until the socket hears of it, or the same is sent again. */
function firstExchange(steps: TraceStep[]): number {
  const heard = steps.findIndex(s => s.kind === 'socket');
  const again = steps.findIndex((s, i) => i > 0 && s.kind === 'send' && s.at === steps[0].at && s.text === steps[0].text);
  if (again > 0 && (heard < 0 || again < heard)) return again;
  return heard < 0 ? steps.length : heard + 1;
}

function lines(steps: TraceStep[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < steps.length; ) {
    let times = 1;
    while (steps[i + times] && line(steps[i + times]) === line(steps[i])) times++;
    out.push(line(steps[i], times));
    i += times;
  }
  return out;
}

/** `all`: every rule of every packet. `styled`: for a terminal. */
export function journeyText(j: Journey, all: boolean, styled: boolean): string {
  const chalk = new Chalk(styled ? {} : { level: 0 });
  const out: string[] = [];
  if (j.lookup) {
    const { name, addresses, error, steps } = j.lookup;
    out.push(chalk.bold(`name      ${name} -> ${error ?? addresses.join(', ')}`));
    const stopped = error === null ? -1 : steps.findIndex(isEnd);
    if (all) out.push(...lines(steps));
    else if (stopped < 0) out.push(...lines(essential(steps).filter(s => OF_LOOKUP.has(s.kind))));
    else out.push(...lines(essential(steps.slice(0, stopped + 1))));
  }
  if (j.address) {
    out.push(chalk.bold(`connect   ${j.address}:${j.to.port}`));
    const end = all ? j.steps.length : firstExchange(j.steps);
    const shown = j.steps.slice(0, end);
    const told = all ? shown : essential(shown);
    out.push(...lines(told));
    const left = j.steps.length - told.length;
    if (left) out.push(chalk.dim(`          … ${left} more: rules that left it as it was, later packets (--all)`));
  }
  const odds = j.odds < 1 ? `, one of several ways it could have gone (${(100 * j.odds).toFixed(1)} %)` : '';
  out.push(chalk.bold(`verdict   ${j.verdict}${j.answer ? `: ${j.answer}` : ''}${odds}`));
  if (j.because) out.push(`because   ${j.because.at}: ${j.because.rule ?? j.because.text}`);
  return `${out.join('\n')}\n`;
}
