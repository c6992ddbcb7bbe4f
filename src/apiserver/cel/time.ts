// Texts of numbers, durations and times as Go writes and reads them.

import { civilTime, parseRfc3339 } from '../../sim/time.ts';
import { CelError } from './values.ts';

const UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** time.ParseDuration -> nanoseconds */
export function parseDuration(text: string): bigint {
  const m = /^([+-]?)(?:0|((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+))$/.exec(text);
  if (!m) throw new CelError(durationError(text));
  let ns = 0n;
  for (const [, n, fraction = '', unit] of (m[2] ?? '').matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    ns += BigInt(n || '0') * UNITS[unit] + (BigInt(fraction || '0') * UNITS[unit]) / 10n ** BigInt(fraction.length);
  }
  return m[1] === '-' ? -ns : ns;
}

function durationError(text: string): string {
  const quoted = JSON.stringify(text);
  const rest = /^[+-]?\d+(?:\.\d*)?(.*)$/.exec(text);
  if (!rest) return `time: invalid duration ${quoted}`;
  const unit = /^[^\d.]*/.exec(rest[1])?.[0] ?? '';
  if (!unit) return `time: missing unit in duration ${quoted}`;
  return unit in UNITS ? `time: invalid duration ${quoted}` : `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
}

/** strconv.FormatFloat(v, 'g', -1, 64) */
export function formatFloat(v: number): string {
  if (Number.isNaN(v)) return 'NaN';
  if (!Number.isFinite(v)) return v > 0 ? '+Inf' : '-Inf';
  const [digits, exponent] = v.toExponential().split('e');
  const e = Number(exponent);
  if (v === 0 || (e >= -4 && e < 6)) return Object.is(v, -0) ? '-0' : String(v);
  return `${digits}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
}

/** Seconds, without an exponent. */
export function formatDuration(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const n = ns < 0n ? -ns : ns;
  const fraction = String(n % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${sign}${n / 1_000_000_000n}${fraction ? `.${fraction}` : ''}s`;
}

/** RFC 3339 -> nanoseconds since the epoch */
export function parseTimestamp(text: string): bigint {
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? '';
  const ms = parseRfc3339(text.replace(/\.\d+/, ''));
  if (ms === null) throw new CelError(`invalid timestamp ${JSON.stringify(text)}`);
  return BigInt(Math.round(ms)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

const pad = (n: number, width = 2) => String(n).padStart(width, '0');

export function formatTimestamp(ns: bigint): string {
  const c = zoned(ns, 'UTC');
  const rest = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const fraction = String(rest).padStart(9, '0').replace(/0+$/, '');
  const day = `${pad(c.year, 4)}-${pad(c.month)}-${pad(c.day)}`;
  return `${day}T${pad(c.hour)}:${pad(c.minute)}:${pad(c.second)}${fraction ? `.${fraction}` : ''}Z`;
}

/** The calendar at an offset: `UTC`, `-08:00`. Zones by name are not known. */
export function zoned(ns: bigint, zone: string): ReturnType<typeof civilTime> & { dayOfYear: number } {
  const m = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (!m && zone !== 'UTC' && zone !== '') throw new CelError(`unknown time zone ${zone}`);
  const offsetMs = m ? (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3])) * 60_000 : 0;
  const ms = Number((ns - (((ns % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n) + offsetMs;
  const c = civilTime(ms);
  const first = parseRfc3339(`${pad(c.year, 4)}-01-01T00:00:00Z`) ?? 0;
  return { ...c, dayOfYear: Math.floor((ms - first) / 86_400_000) };
}
