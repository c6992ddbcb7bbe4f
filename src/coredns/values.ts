// Numbers and times in a Corefile, as Go's strconv and time packages read them, with their errors.
import { plainError } from './types.ts';

const MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** time.ParseDuration -> milliseconds, or its error. */
function readDuration(text: string): number | string {
  const bad = (what: string) => `time: ${what} duration ${JSON.stringify(text)}`;
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = text.replace(/^[-+]/, '');
  if (rest === '0') return 0;
  if (!rest) return bad('invalid');
  let total = 0;
  while (rest) {
    const [number] = /^(\d+\.?\d*|\.\d+)?/.exec(rest) as RegExpExecArray;
    if (!number) return bad('invalid');
    rest = rest.slice(number.length);
    const [unit] = /^[^.\d]*/.exec(rest) as RegExpExecArray;
    if (!unit) return bad('missing unit in');
    if (!Object.hasOwn(MS, unit)) return bad(`unknown unit ${JSON.stringify(unit)} in`);
    total += Number(number) * MS[unit];
    rest = rest.slice(unit.length);
  }
  return sign * total;
}

/** `1h30m`, `-5s`, `.5s`, `0`; null: not one. */
export function durationMs(text: string): number | null {
  const got = readDuration(text);
  return typeof got === 'string' ? null : got;
}

/** What time.ParseDuration has against it. */
export const durationError = (text: string): string => String(readDuration(text));

export function needDuration(text: string): number {
  const got = readDuration(text);
  if (typeof got === 'string') throw plainError(got);
  return got;
}

/** time.Duration.String of whole milliseconds: `3s`, `1m30s`, `250ms`. */
export function durationText(ms: number): string {
  if (ms < 1000) return ms ? `${ms}ms` : '0s';
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms % 60_000) / 1000];
  return `${h ? `${h}h` : ''}${h || m ? `${m}m` : ''}${s}s`;
}

/** strconv.Atoi */
export function needInteger(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw plainError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const n = Number(text);
  if (n > 2 ** 63 || n < -(2 ** 63)) throw plainError(`strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
  return n;
}
