// Dates and durations as the tools read them: date, sleep.
import { sleep, strerror } from '../../linux/process.ts';
import { absolute, lookup } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { strftime } from '../strftime.ts';
import { parseBusyboxDate, parseGnuDate } from './date-text.ts';
import { allLines, error, has, option, out, type Run, type ToolSpec, usage } from './tool.ts';

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

/** A date as the family reads it. null: it is none */
export const parseDate = (text: string, now: number, bb: boolean): number | null =>
  bb ? parseBusyboxDate(text, now) : parseGnuDate(text, now);

const ISO: Record<string, string> = {
  hours: '%Y-%m-%dT%H+00:00',
  minutes: '%Y-%m-%dT%H:%M+00:00',
  date: '%Y-%m-%d',
  seconds: '%Y-%m-%dT%H:%M:%S+00:00',
  ns: '%Y-%m-%dT%H:%M:%S,%N+00:00',
};

/** `-I`'s and `--rfc-3339`'s words may be shortened. */
function precision(r: Run, text: string, option: string): string | null {
  const names = Object.keys(ISO).filter(n => option === '--iso-8601' || /^(date|seconds|ns)$/.test(n));
  const fits = names.filter(n => n.startsWith(text || 'date'));
  if (fits.length === 1) return ISO[fits[0]];
  const list = names.map(n => `  - '${n}'\n`).join('');
  usage(r, `invalid argument '${text}' for '${option}'\nValid arguments are:\n${list.trimEnd()}`);
  return null;
}

function dateFormat(r: Run): string | null {
  const format = r.args.find(a => a.startsWith('+'));
  if (format) return format.slice(1);
  if (has(r, 'R')) return '%a, %d %b %Y %H:%M:%S +0000';
  if (has(r, 'I')) return precision(r, option(r, 'I') ?? '', '--iso-8601');
  const rfc = has(r, '3') ? precision(r, option(r, '3') ?? '', '--rfc-3339') : '';
  if (rfc) return rfc.replace('T', ' ').replace(',', '.');
  return rfc === null ? null : '%a %b %e %H:%M:%S UTC %Y';
}

export const DATE: ToolSpec = {
  short: 'd:uRIs:r:D:kf:',
  sticky: 'I',
  long: {
    date: 'd',
    utc: 'u',
    universal: 'u',
    'rfc-email': 'R',
    'rfc-2822': 'R',
    'rfc-3339': '3:',
    'iso-8601': 'I',
    set: 's',
    reference: 'r',
    file: 'f',
  },
  *run(r) {
    let now = r.p.kernel.sim.nowMs;
    const extra = r.args.find((a, i) => !a.startsWith('+') || i > 0);
    if (extra !== undefined && !r.bb) {
      if (extra.startsWith('+') || r.args[0].startsWith('+')) return usage(r, `extra operand '${extra}'`);
      return error(r, /^\d+(\.\d\d)?$/.test(extra) ? 'cannot set date: Operation not permitted' : `invalid date '${extra}'`);
    }
    const format = dateFormat(r);
    if (format === null) return 1;
    if (has(r, 'f')) return yield* datesOfFile(r, option(r, 'f') as string, format);
    const text = option(r, 'd') ?? option(r, 's');
    if (text !== undefined) {
      const parsed = parseDate(text, now, r.bb);
      if (parsed === null) return error(r, `invalid date '${text}'`);
      now = parsed;
    } else if (has(r, 'r')) {
      const path = option(r, 'r') as string;
      const node = lookup(r.p.fs, absolute(path, r.p.cwd), r.p);
      if (typeof node === 'string') return error(r, `${path}: ${strerror(node)}`);
      now = node.mtimeMs;
    }
    // The clock is everybody's: no program moves it.
    const refused = has(r, 's');
    if (refused) error(r, r.bb ? "can't set date: Operation not permitted" : 'cannot set date: Operation not permitted');
    out(r, `${strftime(format, now)}\n`);
    return refused ? 1 : 0;
  },
};

function* datesOfFile(r: Run, path: string, format: string): Co<number> {
  const { lines, failed } = yield* allLines(r, [path]);
  let status = failed ? 1 : 0;
  for (const line of lines) {
    const at = parseDate(line, r.p.kernel.sim.nowMs, r.bb);
    if (at === null) status = error(r, `invalid date '${line}'`);
    else out(r, `${strftime(format, at)}\n`);
  }
  return status;
}
