// Go's text/tabwriter, left-aligned with blanks (github.com/liggitt/tabwriter 89fcab3 adds the remembered widths).

export interface TabWriter {
  minWidth: number;
  padding: number;
  /** Column widths of what was written before, which later writes keep; null: every write stands alone. */
  remembered: number[] | null;
}

/** kubectl's tables: cli-runtime/pkg/printers/tabwriter.go. */
export const newTableWriter = (): TabWriter => ({ minWidth: 6, padding: 3, remembered: [] });

/** `describe` and the small lists of other verbs. */
export const newDescribeWriter = (): TabWriter => ({ minWidth: 0, padding: 2, remembered: null });

function runes(s: string): number {
  let n = s.length;
  for (let i = 0; i < s.length; i++) if ((s.charCodeAt(i) & 0xfc00) === 0xd800) n--;
  return n;
}

/** Rows of cells; all but a row's last cell are padded to their column. */
export function alignRows(w: TabWriter, lines: string[][]): string {
  const widths: number[][] = lines.map(() => []);
  const format = (column: number, from: number, to: number): void => {
    for (let at = from; at < to; at++) {
      if (column >= lines[at].length - 1) continue;
      let width = w.minWidth;
      let end = at;
      for (; end < to && column < lines[end].length - 1; end++) width = Math.max(width, runes(lines[end][column]) + w.padding);
      if (w.remembered) {
        width = Math.max(width, w.remembered[column] ?? 0);
        w.remembered[column] = width;
      }
      for (let i = at; i < end; i++) widths[i][column] = width;
      format(column + 1, at, end);
      at = end - 1;
    }
  };
  format(0, 0, lines.length);
  let out = '';
  lines.forEach((cells, i) => {
    for (let j = 0; j < cells.length - 1; j++) out += cells[j] + ' '.repeat(Math.max(0, widths[i][j] - runes(cells[j])));
    out += `${cells[cells.length - 1]}\n`;
  });
  return out;
}

/** Text with tabs, line by line. */
export function alignText(w: TabWriter, text: string): string {
  if (!text) return '';
  const lines = text.endsWith('\n') ? text.slice(0, -1) : text;
  const out = alignRows(
    w,
    lines.split('\n').map(l => l.split('\t')),
  );
  return text.endsWith('\n') ? out : out.slice(0, -1);
}
