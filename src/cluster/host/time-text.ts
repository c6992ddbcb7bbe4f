// Times as systemd, syslog and klog print them. UTC: a node has no other zone.
import { civilTime, clockText, twoDigits } from '../../sim/time.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const clock = (ms: number) => {
  const c = civilTime(ms);
  return `${clockText(c)}`;
};
const date = (ms: number) => {
  const c = civilTime(ms);
  return `${c.year}-${twoDigits(c.month)}-${twoDigits(c.day)}`;
};

/** `Nov 21 18:12:49` */
export const syslogTime = (ms: number): string => `${MONTHS[civilTime(ms).month - 1]} ${twoDigits(civilTime(ms).day)} ${clock(ms)}`;
/** `Sat 2026-11-21 18:12:49 UTC` */
export const systemdTime = (ms: number): string => `${DAYS[civilTime(ms).weekday]} ${date(ms)} ${clock(ms)} UTC`;
/** `1121 18:12:49.123000` */
export const klogTime = (ms: number): string => {
  const c = civilTime(ms);
  return `${twoDigits(c.month)}${twoDigits(c.day)} ${clock(ms)}.${String(Math.floor(c.ms)).padStart(3, '0')}000`;
};

const UNITS: [string, number][] = [
  ['month', 2_629_800_000],
  ['w', 604_800_000],
  ['day', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** systemd's format_timespan to the second: `1h 3min 5s`. */
export function timespan(ms: number, parts = 3): string {
  const out: string[] = [];
  let left = Math.max(0, Math.floor(ms));
  for (const [name, size] of UNITS) {
    const n = Math.floor(left / size);
    if (!n || out.length >= parts || (name === 'ms' && out.length)) continue;
    out.push(`${n}${name}${n > 1 && (name === 'day' || name === 'month') ? 's' : ''}`);
    left -= n * size;
  }
  return out.join(' ') || '0';
}

/** systemd's format_timestamp_relative: two units from a minute on, `12s ago` below. */
export function ago(ms: number): string {
  if (ms < 60_000) return `${Math.max(0, Math.floor(ms / 1000))}s ago`;
  if (ms < 3_600_000)
    return `${Math.floor(ms / 60_000)}min${Math.floor((ms % 60_000) / 1000) ? ` ${Math.floor((ms % 60_000) / 1000)}s` : ''} ago`;
  if (ms < 86_400_000)
    return `${Math.floor(ms / 3_600_000)}h${Math.floor((ms % 3_600_000) / 60_000) ? ` ${Math.floor((ms % 3_600_000) / 60_000)}min` : ''} ago`;
  const days = Math.floor(ms / 86_400_000);
  return `${days} day${days > 1 ? 's' : ''} ago`;
}
