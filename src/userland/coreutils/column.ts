// column: lists and tables (util-linux 2.38 text-utils/column.c).
import { allLines, error, has, option, outLines, type Run, type ToolSpec, usage } from './tool.ts';

/** Entries down the columns, as many columns as fit. A tab's stops are eight apart. */
function fill(lines: string[], width: number, across: boolean): string[] {
  const cell = Math.max(...lines.map(l => l.length));
  const step = (Math.floor(cell / 8) + 1) * 8;
  if (step >= width && cell >= width) return lines;
  const columns = Math.max(1, Math.floor(width / step));
  const rows = Math.ceil(lines.length / columns);
  return Array.from({ length: rows }, (_, row) => {
    const mine = across
      ? lines.slice(row * columns, (row + 1) * columns)
      : Array.from({ length: columns }, (_, c) => lines[c * rows + row]).filter(l => l !== undefined);
    return mine.map((text, i) => (i === mine.length - 1 ? text : text + '\t'.repeat(Math.ceil((step - text.length) / 8)))).join('');
  });
}

/** Columns that an option names: numbers from 1, names, `-` for all that have no name. */
function chosen(r: Run, letter: string, names: string[], count: number): Set<number> | string {
  const set = new Set<number>();
  for (const part of (r.options.get(letter) ?? []).flatMap(v => v.split(','))) {
    if (part === '0') for (let i = 0; i < count; i++) set.add(i);
    else if (part === '-1') set.add(count - 1);
    else if (/^\d+$/.test(part)) set.add(Number(part) - 1);
    else if (part === '-') for (let i = names.length; i < count; i++) set.add(i);
    else if (names.includes(part)) set.add(names.indexOf(part));
    else return `undefined column name '${part}'`;
  }
  return set;
}

function json(r: Run, rows: string[][], names: string[]): string[] {
  const quoted = (s: string) => `"${s.replace(/["\\]/g, '\\$&')}"`;
  const objects = rows.map(row => {
    const cells = names.map((n, i) => `         ${quoted(n.toLowerCase())}: ${row[i] === undefined ? 'null' : quoted(row[i])}`);
    return `{\n${cells.join(',\n')}\n      }`;
  });
  return ['{', `   ${quoted(option(r, 'n') ?? 'table')}: [`, `      ${objects.join(',')}`, '   ]', '}'];
}

function table(r: Run, lines: string[]): string[] | number {
  const separator = option(r, 's');
  const limit = Number(option(r, 'l') ?? Number.POSITIVE_INFINITY);
  const rows = lines
    .filter(l => has(r, 'L') || l.trim())
    .map(l => {
      // Blanks count once, characters that were asked for each time.
      const cells = separator ? l.split(new RegExp(`[${separator.replace(/[\]\\^-]/g, '\\$&')}]`)) : l.trim().split(/[ \t]+/);
      return cells.length > limit ? [...cells.slice(0, limit - 1), cells.slice(limit - 1).join(separator?.[0] ?? ' ')] : cells;
    });
  const names = (option(r, 'N') ?? '').split(',').filter(n => n !== '' || has(r, 'N'));
  if (has(r, 'J')) return names.length ? json(r, rows, names) : error(r, 'option --table-columns required for --json');
  const all = names.length && !has(r, 'd') ? [names, ...rows] : rows;
  const count = Math.max(0, ...all.map(row => row.length));
  const right = chosen(r, 'R', names, count);
  const hidden = chosen(r, 'H', names, count);
  const order = chosen(r, 'O', names, count);
  for (const set of [right, hidden, order]) if (typeof set === 'string') return error(r, set);
  const shown = [...new Set([...(order as Set<number>), ...Array.from({ length: count }, (_, i) => i)])].filter(
    i => !(hidden as Set<number>).has(i),
  );
  const widths = shown.map(i => Math.max(0, ...all.map(row => row[i]?.length ?? 0)));
  const glue = option(r, 'o') ?? '  ';
  return all.map(row => {
    const cells = shown.map((i, n) => {
      const text = row[i] ?? '';
      return (right as Set<number>).has(i) ? text.padStart(widths[n]) : n === shown.length - 1 ? text : text.padEnd(widths[n]);
    });
    return cells.join(glue);
  });
}

export const COLUMN: ToolSpec = {
  short: 'ts:o:n:c:xN:JR:H:O:l:LdE:T:W:',
  long: {
    table: 't',
    separator: 's',
    'output-separator': 'o',
    'output-width': 'c',
    columns: 'c',
    fillrows: 'x',
    'table-columns': 'N',
    'table-name': 'n',
    'table-right': 'R',
    'table-hide': 'H',
    'table-order': 'O',
    'table-columns-limit': 'l',
    'keep-empty-lines': 'L',
    'table-noheadings': 'd',
    json: 'J',
  },
  *run(r) {
    const { lines, failed } = yield* allLines(r, r.args);
    const width = option(r, 'c') ?? r.p.env.get('COLUMNS') ?? '80';
    if (!/^\d+$|^unlimited$/.test(width)) return usage(r, `invalid columns argument: '${width}'`);
    const entries = lines.filter(l => has(r, 'L') || l.trim());
    if (!entries.length) return failed ? 1 : 0;
    const tabled = has(r, 't') || has(r, 'J') ? table(r, lines) : fill(entries, Number(width) || 80, has(r, 'x'));
    return typeof tabled === 'number' ? tabled : outLines(r, tabled) || (failed ? 1 : 0);
  },
};
