// BusyBox' numbers on the command line (libbb/xatonum_template.c 1.36): digits alone, within what the applet takes.

/** -> the number, or the complaint without the applet's name. */
export function xatouRange(text: string, least: number, most: number): number | string {
  if (!/^\d+$/.test(text)) return `invalid number '${text}'`;
  const n = Number(text);
  return n < least || n > most ? `number ${text} is not in ${least}..${most} range` : n;
}
