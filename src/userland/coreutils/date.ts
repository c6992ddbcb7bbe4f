// Dates and durations as the tools read them: date, sleep.
import { sleep } from '../../linux/process.ts';
import { parseRfc3339 } from '../../sim/time.ts';
import { strftime } from '../strftime.ts';
import { error, has, option, out, type ToolSpec, usage } from './tool.ts';

/** Seconds with a unit, or null. */
export function duration(text: string): number | null {
  const m = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text);
  if (m) return Number(m[1]) * { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }[m[2] as 's'];
  return /^inf(inity)?$/i.test(text) ? Number.POSITIVE_INFINITY : null;
}

export const SLEEP: ToolSpec = {
  short: '',
  usage:
    'sleep [N]...\n\nPause for a time equal to the total of the args given, where each arg can\nhave an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays',
  *run(r) {
    if (!r.args.length)
      return usage(
        r,
        'missing operand',
        'sleep [N]...\n\nPause for a time equal to the total of the args given, where each arg can\nhave an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays',
      );
    let seconds = 0;
    for (const arg of r.args) {
      const d = duration(arg);
      if (d === null) return r.bb ? error(r, `invalid number '${arg}'`) : usage(r, `invalid time interval '${arg}'`);
      seconds += d;
    }
    yield* sleep(r.p, seconds * 1000);
    return 0;
  },
};

/** Dates as the tools accept them: @N, RFC 3339, `YYYY-MM-DD HH:MM[:SS]`, `now`, `+1 day`. null: none of these. */
export function parseDate(text: string, now: number): number | null {
  const t = text.trim();
  if (t === '' || t === 'now' || t === 'today') return now;
  if (t === 'yesterday') return now - 86_400_000;
  if (t === 'tomorrow') return now + 86_400_000;
  if (/^@-?\d+(\.\d+)?$/.test(t)) return Number(t.slice(1)) * 1000;
  const relative = /^([+-]?\d+) *(second|sec|minute|min|hour|day|week)s?( ago)?$/.exec(t);
  if (relative) {
    const unit = { second: 1, sec: 1, minute: 60, min: 60, hour: 3600, day: 86_400, week: 604_800 }[relative[2]] as number;
    return now + Number(relative[1]) * unit * 1000 * (relative[3] ? -1 : 1);
  }
  const m = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/.exec(t);
  if (!m) return null;
  const zone = !m[4] || m[4] === 'UTC' ? 'Z' : m[4].length === 5 ? `${m[4].slice(0, 3)}:${m[4].slice(3)}` : m[4];
  return parseRfc3339(`${m[1]}T${m[2] ?? '00:00'}${m[3] ?? ':00'}${zone}`);
}

export const DATE: ToolSpec = {
  short: 'd:uRI:s:r:D:k',
  long: { date: 'd', utc: 'u', universal: 'u', 'rfc-email': 'R', 'rfc-2822': 'R', 'iso-8601': 'I', set: 's', reference: 'r' },
  *run(r) {
    let now = r.p.kernel.sim.nowMs;
    const text = option(r, 'd');
    if (text !== undefined) {
      const parsed = parseDate(text, now);
      if (parsed === null) return error(r, r.bb ? `invalid date '${text}'` : `invalid date '${text}'`);
      now = parsed;
    }
    const format = r.args.find(a => a.startsWith('+'));
    if (format) out(r, `${strftime(format.slice(1), now)}\n`);
    else if (has(r, 'R')) out(r, `${strftime('%a, %d %b %Y %H:%M:%S +0000', now)}\n`);
    else if (has(r, 'I')) out(r, `${strftime(/^s/.test(option(r, 'I') ?? '') ? '%Y-%m-%dT%H:%M:%S+00:00' : '%Y-%m-%d', now)}\n`);
    else out(r, `${strftime('%a %b %e %H:%M:%S UTC %Y', now)}\n`);
    return 0;
  },
};
