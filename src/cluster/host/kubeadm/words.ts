// How kubeadm complains, and prints tables.
import { complain } from '../../../linux/process.ts';
import type { Process } from '../../../linux/types.ts';

/** util/errors HandleError. */
export function failed(p: Process, text: string, code = 1): number {
  complain(p, `error: ${text}\nTo see the stack trace of this error execute with --v=5 or higher\n`);
  return code;
}

/** text/tabwriter: columns at least 10 wide, 3 blanks between; a blank line begins a new table. */
export function tabbed(rows: string[][]): string {
  const widths = rows[0].map((_, i) => Math.max(10, ...rows.map(r => (r[i] ?? '').length + 3)));
  return rows.map(r => `${r.map((cell, i) => (i === r.length - 1 ? cell : cell.padEnd(widths[i]))).join('')}\n`).join('');
}
