// What an awk program works on: variables, arrays, and the record with its fields, each made of the other when somebody asks.
import type { Pipe } from '../../../sim/pipe.ts';
import type { Co } from '../../../sim/task.ts';
import { formatPrintf, general } from '../../sh/printf.ts';
import { binaryArgument, type Lines, type Run } from '../tool.ts';
import { AwkError, awkRegex } from './lex.ts';
import type { AwkProgram } from './parse.ts';
import { type Cell, NUMERIC, toNum, type Value } from './values.ts';

export interface Awk {
  r: Run;
  program: AwkProgram;
  globals: Map<string, Cell>;
  frames: Map<string, Cell>[];
  fields: string[];
  record: string;
  stale: 'fields' | 'record' | null;
  outputs: Map<string, { pipe: Pipe; end: () => Co<number> }>;
  inputs: Map<string, Lines>;
  main: Lines | null;
  argIndex: number;
  usedFiles: boolean;
  compiled: Map<string, RegExp>;
  seed: number;
  /** Integers up to here are printed in full; mawk's are a C int's. */
  largestInteger: number;
  /** Rounds of loops since it last gave up its turn. */
  spins: number;
  jump: 'next' | 'nextfile' | 'exit' | 'return' | 'break' | 'continue' | null;
  returned: Value;
  code: number;
  broken: boolean;
}

export function toStr(a: Awk, v: Value, forOutput = false): string {
  if (typeof v === 'string') return v;
  if (v === undefined) return '';
  if (typeof v !== 'number') return v.s;
  if (Number.isInteger(v) && Math.abs(v) <= a.largestInteger) return String(v === 0 ? 0 : v);
  if (Number.isNaN(v)) return 'nan';
  if (!Number.isFinite(v)) return v > 0 ? 'inf' : '-inf';
  const format = a.globals.get(forOutput ? 'OFMT' : 'CONVFMT');
  return format === '%.6g' ? general(v, 6) : formatPrintf(String(format), [String(v)], t => t).text;
}

export function find(a: Awk, name: string): Map<string, Cell> {
  const frame = a.frames.at(-1);
  return frame?.has(name) ? frame : a.globals;
}

export function getVar(a: Awk, name: string): Value {
  if (name === 'NF') {
    splitRecord(a);
    return a.fields.length;
  }
  const v = find(a, name).get(name);
  if (v instanceof Map) throw new AwkError(`type error: ${name} is an array`);
  return v;
}

export function setVar(a: Awk, name: string, v: Value): void {
  if (name === 'NF') {
    splitRecord(a);
    const n = Math.max(0, Math.floor(toNum(v)));
    while (a.fields.length < n) a.fields.push('');
    a.fields.length = n;
    a.stale = 'record';
    return;
  }
  find(a, name).set(name, v);
}

export function arrayOf(a: Awk, name: string): Map<string, Value> {
  const scope = find(a, name);
  let v = scope.get(name);
  if (!(v instanceof Map)) {
    if (v !== undefined) throw new AwkError(`type error: ${name} is no array`);
    v = new Map();
    scope.set(name, v);
  }
  return v as Map<string, Value>;
}

export function regexOf(a: Awk, source: string): RegExp {
  let re = a.compiled.get(source);
  if (!re) {
    re = awkRegex(source);
    a.compiled.set(source, re);
  }
  return re;
}

export function splitBy(a: Awk, text: string, separator: string | RegExp): string[] {
  if (text === '') return [];
  if (separator === ' ') {
    const t = text.replace(/^[ \t\n]+|[ \t\n]+$/g, '');
    return t === '' ? [] : t.split(/[ \t\n]+/);
  }
  if (separator === '') return [...text];
  if (typeof separator === 'string' && (separator.length === 1 ? separator !== '\\' : false))
    return text.split(separator === '\t' ? '\t' : separator);
  const re = typeof separator === 'string' ? regexOf(a, separator) : separator;
  return text.split(new RegExp(re.source.replace(/\((?!\?)/g, '(?:'), re.flags));
}

function splitRecord(a: Awk): void {
  if (a.stale !== 'fields') return;
  const fs = toStr(a, a.globals.get('FS') as Value);
  a.fields = splitBy(a, a.record, fs);
  a.stale = null;
}

export function record(a: Awk): string {
  if (a.stale === 'record') {
    a.record = a.fields.join(toStr(a, a.globals.get('OFS') as Value));
    a.stale = null;
  }
  return a.record;
}

export function setRecord(a: Awk, text: string): void {
  a.record = text;
  a.stale = 'fields';
}

export function getField(a: Awk, n: number): Value {
  if (n === 0) return { s: record(a) };
  splitRecord(a);
  const text = a.fields[n - 1];
  return text === undefined ? undefined : { s: text };
}

export function setField(a: Awk, n: number, text: string): void {
  if (n === 0) {
    setRecord(a, text);
    return;
  }
  splitRecord(a);
  while (a.fields.length < n) a.fields.push('');
  a.fields[n - 1] = text;
  a.stale = 'record';
}

export function compare(a: Awk, x: Value, y: Value): number {
  const numeric = (v: Value) => typeof v === 'number' || v === undefined || (typeof v === 'object' && NUMERIC.test(v.s));
  if (numeric(x) && numeric(y) && !(x === undefined && typeof y === 'string')) return toNum(x) - toNum(y);
  const s = toStr(a, x);
  const t = toStr(a, y);
  return s < t ? -1 : s > t ? 1 : 0;
}

export function newAwk(r: Run, program: AwkProgram, fs: string, operands: string[]): Awk {
  const argv = new Map<string, Value>([
    ['0', 'awk'],
    ...operands.map((o, i): [string, Value] => [String(i + 1), { s: binaryArgument(o) }]),
  ]);
  const environ = new Map<string, Value>([...r.p.env].map(([k, v]): [string, Value] => [k, { s: binaryArgument(v) }]));
  const globals = new Map<string, Cell>([
    ['FS', fs],
    ['OFS', ' '],
    ['ORS', '\n'],
    ['RS', '\n'],
    ['NR', 0],
    ['FNR', 0],
    ['SUBSEP', '\x1c'],
    ['CONVFMT', '%.6g'],
    ['OFMT', '%.6g'],
    ['RSTART', 0],
    ['RLENGTH', -1],
    ['ARGC', operands.length + 1],
    ['ARGV', argv],
    ['ENVIRON', environ],
    ['FILENAME', ''],
  ]);
  for (const rule of program.rules) rule.inside = false;
  return {
    r,
    program,
    globals,
    frames: [],
    fields: [],
    record: '',
    stale: null,
    outputs: new Map(),
    inputs: new Map(),
    main: null,
    argIndex: 1,
    usedFiles: false,
    compiled: new Map(),
    largestInteger: 1e16,
    seed: 0,
    spins: 0,
    jump: null,
    returned: undefined,
    code: 0,
    broken: false,
  };
}
