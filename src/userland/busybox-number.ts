// BusyBox' numbers on the command line (libbb/xatonum_template.c 1.36): digits alone, within what the applet takes.
import { type Options, optionValue } from './busybox.ts';

/** -> the number, or the complaint without the applet's name. */
export function xatouRange(text: string, least: number, most: number): number | string {
  if (!/^\d+$/.test(text)) return `invalid number '${text}'`;
  const n = Number(text);
  return n < least || n > most ? `number ${text} is not in ${least}..${most} range` : n;
}

/** An option that takes a number: what it is without it, and what it may be. */
export type NumberOption = [name: string, otherwise: number, least: number, most: number];

/** -> the numbers by their options, or the complaint about the first of `table` that is none */
export function numberOptions(o: Options, table: NumberOption[]): Record<string, number> | string {
  const found: Record<string, number> = {};
  for (const [name, otherwise, least, most] of table) {
    const text = optionValue(o, name);
    const n = text === undefined ? otherwise : xatouRange(text, least, most);
    if (typeof n === 'string') return n;
    found[name] = n;
  }
  return found;
}
