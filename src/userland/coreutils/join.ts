// join: lines of two sorted files that have a field in common.
import { complain } from '../../linux/process.ts';
import { compareBytes } from '../../sim/bytes.ts';
import { allLines, binaryArgument, error, has, option, outLines, type Run, type ToolSpec, usage } from './tool.ts';

interface Side {
  name: string;
  lines: string[];
  fields: string[][];
  /** The field that joins, from 0. */
  key: number;
  width: number;
}

/** -o's list: `0` is the joining field, `1.2` the second of the first file. */
function outputFields(text: string): [number, number][] | string {
  const list: [number, number][] = [];
  for (const part of text.split(/[, \t]+/).filter(Boolean)) {
    const m = /^(?:0|([12])\.([1-9]\d*))$/.exec(part);
    if (!m) return /^[12]\./.test(part) ? `invalid field number: '${part.slice(2)}'` : `invalid file number in field spec: '${part}'`;
    list.push(m[1] ? [Number(m[1]) - 1, Number(m[2]) - 1] : [-1, 0]);
  }
  return list;
}

/** The first line that stands before its predecessor, or null. */
function disorder(side: Side, from: number, keyOf: (s: Side, i: number) => string): number | null {
  for (let i = from; i < side.lines.length; i++) if (compareBytes(keyOf(side, i - 1), keyOf(side, i)) > 0) return i;
  return null;
}

function* readSide(r: Run, name: string, field: string | undefined, separator: string | undefined, auto: boolean) {
  const { lines, failed } = yield* allLines(r, [name], has(r, 'z') ? '\0' : '\n');
  const fields = lines.map(line =>
    separator === undefined ? line.trim().split(/[ \t]+/) : separator === '' ? [line] : line.split(separator),
  );
  const side: Side = { name, lines, fields, key: Number(field ?? 1) - 1, width: auto ? (fields[0]?.length ?? 0) : 0 };
  return failed ? null : side;
}

export const JOIN: ToolSpec = {
  short: 'a:v:e:1:2:j:o:t:iz',
  long: { 'ignore-case': 'i', 'check-order': 'C', 'nocheck-order': 'N', header: 'H', 'zero-terminated': 'z' },
  *run(r) {
    if (r.args.length < 2) return usage(r, r.args.length ? `missing operand after '${r.args[0]}'` : 'missing operand');
    if (r.args.length > 2) return usage(r, `extra operand '${r.args[2]}'`);
    for (const letter of ['1', '2', 'j']) {
      const field = option(r, letter);
      if (field !== undefined && !/^[1-9]\d*$/.test(field)) return error(r, `invalid field number: '${field}'`);
    }
    for (const letter of ['a', 'v'])
      for (const n of r.options.get(letter) ?? []) if (!/^[12]$/.test(n)) return error(r, `invalid file number: '${n}'`);
    const separator = has(r, 't') ? binaryArgument(option(r, 't') as string).replace(/^\\0$/, '\0') : undefined;
    if (separator && separator.length > 1) return error(r, `multi-character tab '${option(r, 't')}'`);
    const auto = option(r, 'o') === 'auto';
    const chosen = has(r, 'o') && !auto ? outputFields((r.options.get('o') as string[]).join(',')) : null;
    if (typeof chosen === 'string') return error(r, chosen);
    const a = yield* readSide(r, r.args[0], option(r, '1') ?? option(r, 'j'), separator, auto);
    const b = a && (yield* readSide(r, r.args[1], option(r, '2') ?? option(r, 'j'), separator, auto));
    return a && b ? merge(r, a, b, separator || ' ', chosen) : 1;
  },
};

function merge(r: Run, a: Side, b: Side, glue: string, chosen: [number, number][] | null): number {
  const empty = option(r, 'e') ?? '';
  const fold = (s: string) => (has(r, 'i') ? s.toLowerCase() : s);
  const keyOf = (s: Side, i: number) => fold(s.fields[i][s.key] ?? '');
  const others = (s: Side, row: string[] | null): string[] => {
    const rest = row ? row.filter((_, i) => i !== s.key) : [];
    return s.width ? Array.from({ length: s.width - 1 }, (_, i) => rest[i] ?? empty) : rest;
  };
  const write = (x: string[] | null, y: string[] | null): string => {
    const key = (x ? x[a.key] : y?.[b.key]) ?? '';
    if (!chosen) return [key, ...others(a, x), ...others(b, y)].join(glue);
    return chosen.map(([file, field]) => (file < 0 ? key : ((file ? y : x)?.[field] ?? '')) || empty).join(glue);
  };
  const unpaired = new Set([...(r.options.get('a') ?? []), ...(r.options.get('v') ?? [])]);
  const paired = !has(r, 'v');
  const result: string[] = [];
  let [i, j] = [0, 0];
  if (has(r, 'H') && (a.fields.length || b.fields.length)) {
    result.push(write(a.fields[0] ?? null, b.fields[0] ?? null));
    [i, j] = [1, 1];
  }
  while (i < a.lines.length || j < b.lines.length) {
    const d = i >= a.lines.length ? 1 : j >= b.lines.length ? -1 : compareBytes(keyOf(a, i), keyOf(b, j));
    if (d < 0) {
      if (unpaired.has('1')) result.push(write(a.fields[i], null));
      i++;
    } else if (d > 0) {
      if (unpaired.has('2')) result.push(write(null, b.fields[j]));
      j++;
    } else {
      // Every line of the one with every line of the other.
      let [m, n] = [i, j];
      while (m < a.lines.length && keyOf(a, m) === keyOf(a, i)) m++;
      while (n < b.lines.length && keyOf(b, n) === keyOf(b, j)) n++;
      if (paired) for (let x = i; x < m; x++) for (let y = j; y < n; y++) result.push(write(a.fields[x], b.fields[y]));
      [i, j] = [m, n];
    }
  }
  const status = outLines(r, result, has(r, 'z') ? '\0' : '\n');
  return complainOfOrder(r, [a, b], keyOf) ? 1 : status;
}

/** Lines that stand wrongly are told when pairs may have been missed, or when somebody asks. */
function complainOfOrder(r: Run, sides: Side[], keyOf: (s: Side, i: number) => string): boolean {
  if (has(r, 'N')) return false;
  let wrong = false;
  for (const side of sides) {
    const at = disorder(side, has(r, 'H') ? 2 : 1, keyOf);
    if (at === null) continue;
    wrong = true;
    complain(r.p, `join: ${side.name}:${at + 1}: is not sorted: ${side.lines[at]}\n`);
    if (has(r, 'C')) return true;
  }
  if (wrong) complain(r.p, 'join: input is not in sorted order\n');
  return wrong;
}
