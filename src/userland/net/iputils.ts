// What iputils' programs share: their version and strtol_or_err's complaints.
import type { Userland } from '../userland.ts';

export const iputilsVersion = (u: Userland, name: string): string =>
  `${name} from iputils ${u.tools >= 13 ? '20240905' : '20221126'}\nlibcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes\n`;

/** The complaint about an integer argument, or null; without an argument there is none. `most` may be infinite: LONG_MAX. */
export function badInteger(text: string | undefined, least: number, most: number): string | null {
  if (text === undefined) return null;
  if (!/^\s*[-+]?\d+$/.test(text)) return `invalid argument: '${text}'`;
  const value = BigInt(text.trim().replace(/^\+/, ''));
  if (value > 2n ** 63n - 1n || value < -(2n ** 63n)) return `invalid argument: '${text}': Numerical result out of range`;
  if (value >= BigInt(least) && (!Number.isFinite(most) || value <= BigInt(most))) return null;
  return `invalid argument: '${text}': out of range: ${least} <= value <= ${Number.isFinite(most) ? most : '9223372036854775807'}`;
}
