// Cron expressions as robfig/cron v3 reads them: five fields, names, steps, `@hourly` and friends, `@every 5m`. UTC.
import { civilTime } from '../sim/time.ts';

export interface Schedule {
  minute: Set<number>;
  hour: Set<number>;
  day: Set<number>;
  month: Set<number>;
  weekday: Set<number>;
  /** A star in one of the day fields: the other one decides alone; otherwise either may match. */
  anyDay: boolean;
  anyWeekday: boolean;
  everyMs: number | null;
}

const NAMED: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function field(text: string, min: number, max: number, names: string[], base: number): Set<number> | null {
  const out = new Set<number>();
  const number = (s: string): number => {
    const named = names.indexOf(s.toLowerCase());
    return named >= 0 ? named + base : /^\d+$/.test(s) ? Number(s) : Number.NaN;
  };
  for (const part of text.split(',')) {
    const [range, step = '1', ...more] = part.split('/');
    if (more.length || !/^\d+$/.test(step) || step === '0') return null;
    let [low, high] = [min, max];
    if (range !== '*' && range !== '?') {
      const [a, b] = range.split('-');
      low = number(a);
      high = b !== undefined ? number(b) : part.includes('/') ? max : low;
    }
    if (!(low >= min && high <= max && low <= high)) return null;
    for (let i = low; i <= high; i += Number(step)) out.add(i);
  }
  return out;
}

/** null: not a schedule. */
export function parseSchedule(text: string): Schedule | null {
  const every = /^@every (?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text.trim());
  const none = new Set<number>();
  if (every) {
    const ms = (Number(every[1] ?? 0) * 3600 + Number(every[2] ?? 0) * 60 + Number(every[3] ?? 0)) * 1000;
    return ms ? { minute: none, hour: none, day: none, month: none, weekday: none, anyDay: true, anyWeekday: true, everyMs: ms } : null;
  }
  const parts = (NAMED[text.trim()] ?? text).trim().split(/\s+/);
  if (parts.length !== 5) return null;
  const minute = field(parts[0], 0, 59, [], 0);
  const hour = field(parts[1], 0, 23, [], 0);
  const day = field(parts[2], 1, 31, [], 0);
  const month = field(parts[3], 1, 12, MONTHS, 1);
  const weekday = field(parts[4], 0, 6, DAYS, 0);
  if (!minute || !hour || !day || !month || !weekday) return null;
  return { minute, hour, day, month, weekday, anyDay: /^[*?]/.test(parts[2]), anyWeekday: /^[*?]/.test(parts[4]), everyMs: null };
}

/** The first time after `ms`, in epoch milliseconds; null: none within five years. */
export function nextAfter(s: Schedule, ms: number): number | null {
  if (s.everyMs) return Math.floor(ms / 1000) * 1000 + s.everyMs;
  let t = (Math.floor(ms / 60_000) + 1) * 60_000;
  const end = ms + 5 * 366 * 86_400_000;
  while (t < end) {
    const c = civilTime(t);
    const dayFits = s.anyDay || s.anyWeekday ? s.day.has(c.day) && s.weekday.has(c.weekday) : s.day.has(c.day) || s.weekday.has(c.weekday);
    if (!s.month.has(c.month) || !dayFits) t += 86_400_000 - (c.hour * 60 + c.minute) * 60_000;
    else if (!s.hour.has(c.hour)) t += 3_600_000 - c.minute * 60_000;
    else if (!s.minute.has(c.minute)) t += 60_000;
    else return t;
  }
  return null;
}
