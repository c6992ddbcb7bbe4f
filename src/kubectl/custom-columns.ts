// -o custom-columns (k8s.io/kubectl v0.36.3, pkg/cmd/get/customcolumn.go).

import { sprint } from '../sim/go-print.ts';
import { fail } from './failure.ts';
import { findResults, isJsonPathError, parseJsonPath, RELAXED_ERROR, relaxed } from './jsonpath.ts';
import { alignRows, newTableWriter } from './tabwriter.ts';

export interface Column {
  header: string;
  path: string;
}

function column(header: string, path: string): Column {
  const spec = relaxed(path);
  if (spec === null) fail(RELAXED_ERROR);
  return { header, path: spec as string };
}

export function columnsOfSpec(spec: string): Column[] {
  if (!spec) fail('custom-columns format specified but no custom columns given');
  return spec.split(',').map(part => {
    const colon = part.indexOf(':');
    if (colon < 0) fail(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    return column(part.slice(0, colon), part.slice(colon + 1));
  });
}

export function columnsOfTemplate(text: string): Column[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const format = 'Expected format is one line of space separated headers, one line of space separated column specs.';
  if (text === '') fail(`invalid template, missing header line. ${format}`);
  if (lines.length < 2) fail(`invalid template, missing spec line. ${format}`);
  const words = (l: string) => l.trim().split(/\s+/).filter(Boolean);
  const [headers, specs] = [words(lines[0]), words(lines[1])];
  if (headers.length !== specs.length) fail(`number of headers (${headers.length}) and field specifications (${specs.length}) don't match`);
  return headers.map((h, i) => column(h, specs[i]));
}

export function printColumns(columns: Column[], objects: unknown[], headers: boolean): string {
  const rows: string[][] = headers ? [columns.map(c => c.header)] : [];
  try {
    const parsed = columns.map(c => parseJsonPath(c.path));
    for (const o of objects) {
      rows.push(
        parsed.map(nodes => {
          const values = findResults(nodes, o, true);
          const cells = !values.length || !values[0].length ? ['<none>'] : [];
          for (const group of values) for (const v of group) cells.push(sprint(v).replaceAll('\x1b', '^['));
          return cells.join(',');
        }),
      );
    }
  } catch (e) {
    if (isJsonPathError(e)) fail(e.jsonpath);
    throw e;
  }
  // A newline inside a cell begins a row of its own, as the writer sees it.
  return alignRows(
    newTableWriter(),
    rows
      .map(r => r.join('\t'))
      .join('\n')
      .split('\n')
      .map(l => l.split('\t')),
  );
}
