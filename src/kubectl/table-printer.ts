// Server-printed tables on the terminal (k8s.io/cli-runtime v0.36.3, pkg/printers/tableprinter.go).

import type { KubeObject, Table } from '../apiserver/types.ts';
import { sprint } from '../sim/go-print.ts';
import { alignRows, newTableWriter, type TabWriter } from './tabwriter.ts';

export interface TableOptions {
  /** `pod`, put before the name. */
  kind: string;
  noHeaders: boolean;
  wide: boolean;
  withNamespace: boolean;
  columnLabels: string[];
  showLabels: boolean;
}

/** Remembers widths and headers from one table to the next, as a watch needs. */
export interface TablePrinter {
  options: TableOptions;
  writer: TabWriter;
  columns: string;
  printedHeaders: boolean;
}

export const newTablePrinter = (options: TableOptions): TablePrinter => ({
  options,
  writer: newTableWriter(),
  columns: '',
  printedHeaders: false,
});

/** Escape sequences are shown, not obeyed; a cell ends at its first line break. */
function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell !== 'string') return sprint(cell);
  const end = cell.search(/[\f\n\r]/);
  const text = end < 0 ? cell : `${cell.slice(0, end)}...`;
  return text.includes('\x1b') ? text.replaceAll('\x1b', '^[') : text;
}

/** labels.FormatLabels */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length ? keys.map(k => `${k}=${(labels as Record<string, string>)[k]}`).join(',') : '<none>';
}

const EVENTS: Record<string, string> = { ADDED: 'ADDED   ', MODIFIED: 'MODIFIED', DELETED: 'DELETED ', ERROR: 'ERROR   ' };

/** Rows of text, header first, for alignRows. */
export function tableRows(p: TablePrinter, table: Table, event = ''): string[][] {
  const o = p.options;
  const signature = table.columnDefinitions.map(c => c.name).join('\t');
  let headers = !o.noHeaders;
  if (p.printedHeaders && (!table.columnDefinitions.length || signature === p.columns)) headers = false;
  else if (signature !== p.columns) p.columns = signature;
  if (table.rows.length) p.printedHeaders = true;
  else return [];
  const shown = table.columnDefinitions.map((c, i) => ({ c, i })).filter(x => o.wide || x.c.priority === 0);
  const nameColumn = o.kind ? table.columnDefinitions.findIndex(c => c.format === 'name' && c.type === 'string') : -1;
  const lines: string[][] = [];
  if (headers) {
    const line = shown.map(x => x.c.name.toUpperCase());
    if (o.withNamespace) line.unshift('NAMESPACE');
    for (const l of o.columnLabels) line.push((l.split('/').at(-1) as string).toUpperCase());
    if (o.showLabels) line.push('LABELS');
    if (event) line.unshift('EVENT');
    lines.push(line);
  }
  for (const row of table.rows) {
    const line: string[] = [];
    if (event) line.push(EVENTS[event] ?? event);
    const meta = (row.object as KubeObject | undefined)?.metadata;
    if (o.withNamespace) line.push(meta?.namespace ?? '');
    for (const { i } of shown) {
      if (i >= row.cells.length) break;
      line.push(i === nameColumn ? `${o.kind}/${cellText(row.cells[i])}` : cellText(row.cells[i]));
    }
    for (const l of o.columnLabels) line.push(meta?.labels?.[l] ?? '');
    if (o.showLabels) line.push(formatLabels(meta?.labels));
    lines.push(line);
  }
  return lines;
}

export function printTable(p: TablePrinter, table: Table, event = ''): string {
  const rows = tableRows(p, table, event);
  return rows.length ? alignRows(p.writer, rows) : '';
}
