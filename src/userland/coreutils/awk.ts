// awk's machine: fields, variables, statements. Generators, because input and commands can make it wait.
import { capture, complain, spawn, strerror, waitFor } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { closePipe, newPipe, type Pipe, pipeOf, writePipe } from '../../sim/pipe.ts';
import { nextFloat } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { formatPrintf, general } from '../sh/printf.ts';
import { fileSink } from '../sh/redirect.ts';
import { strftime } from '../strftime.ts';
import type { Userland } from '../userland.ts';
import { AwkError, type AwkProgram, awkRegex, type Node, parseAwk, type Rule, type Statement, unescapeAwk } from './awk-parse.ts';
import {
  BROKEN,
  binaryArgument,
  fromBinary,
  type Lines,
  linesOf,
  nextLine,
  openInput,
  outBinary,
  type Run,
  slurp,
  toBinary,
} from './tool.ts';

/** A string that looked like a number when it came in (a field, an element of split) compares as one. */
interface Strnum {
  s: string;
}
type Value = number | string | Strnum | undefined;
type Cell = Value | Map<string, Value>;

interface Awk {
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
  jump: 'next' | 'nextfile' | 'exit' | 'return' | 'break' | 'continue' | null;
  returned: Value;
  code: number;
  broken: boolean;
}

const NUMERIC = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;
const LEADING = /^\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?)/;

const toNum = (v: Value): number => {
  if (typeof v === 'number') return v;
  if (v === undefined) return 0;
  const s = typeof v === 'string' ? v : v.s;
  const m = LEADING.exec(s);
  return m ? Number(m[0]) : 0;
};

function toStr(a: Awk, v: Value, forOutput = false): string {
  if (typeof v === 'string') return v;
  if (v === undefined) return '';
  if (typeof v !== 'number') return v.s;
  if (Number.isInteger(v) && Math.abs(v) < 1e16) return String(v === 0 ? 0 : v);
  if (Number.isNaN(v)) return 'nan';
  if (!Number.isFinite(v)) return v > 0 ? 'inf' : '-inf';
  const format = a.globals.get(forOutput ? 'OFMT' : 'CONVFMT');
  return format === '%.6g' ? general(v, 6) : formatPrintf(String(format), [String(v)], t => t).text;
}

const truthy = (v: Value): boolean =>
  typeof v === 'number'
    ? v !== 0
    : v === undefined
      ? false
      : typeof v === 'string'
        ? v !== ''
        : NUMERIC.test(v.s)
          ? Number(v.s) !== 0
          : v.s !== '';

function find(a: Awk, name: string): Map<string, Cell> {
  const frame = a.frames.at(-1);
  return frame?.has(name) ? frame : a.globals;
}

function getVar(a: Awk, name: string): Value {
  if (name === 'NF') {
    splitRecord(a);
    return a.fields.length;
  }
  const v = find(a, name).get(name);
  if (v instanceof Map) throw new AwkError(`type error: ${name} is an array`);
  return v;
}

function setVar(a: Awk, name: string, v: Value): void {
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

function arrayOf(a: Awk, name: string): Map<string, Value> {
  const scope = find(a, name);
  let v = scope.get(name);
  if (!(v instanceof Map)) {
    if (v !== undefined) throw new AwkError(`type error: ${name} is no array`);
    v = new Map();
    scope.set(name, v);
  }
  return v as Map<string, Value>;
}

function regexOf(a: Awk, source: string): RegExp {
  let re = a.compiled.get(source);
  if (!re) {
    re = awkRegex(source);
    a.compiled.set(source, re);
  }
  return re;
}

function splitBy(a: Awk, text: string, separator: string | RegExp): string[] {
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

function record(a: Awk): string {
  if (a.stale === 'record') {
    a.record = a.fields.join(toStr(a, a.globals.get('OFS') as Value));
    a.stale = null;
  }
  return a.record;
}

function setRecord(a: Awk, text: string): void {
  a.record = text;
  a.stale = 'fields';
}

function getField(a: Awk, n: number): Value {
  if (n === 0) return { s: record(a) };
  splitRecord(a);
  const text = a.fields[n - 1];
  return text === undefined ? undefined : { s: text };
}

function setField(a: Awk, n: number, text: string): void {
  if (n === 0) {
    setRecord(a, text);
    return;
  }
  splitRecord(a);
  while (a.fields.length < n) a.fields.push('');
  a.fields[n - 1] = text;
  a.stale = 'record';
}

function* key(a: Awk, keys: Node[]): Co<string> {
  const parts: string[] = [];
  for (const k of keys) parts.push(toStr(a, yield* value(a, k)));
  return parts.join('\x1c');
}

function* assignTo(a: Awk, e: Node, v: Value): Co<void> {
  if (e.t === 'var') setVar(a, e.name, v);
  else if (e.t === 'field') setField(a, Math.floor(toNum(yield* value(a, e.e))), toStr(a, v));
  else if (e.t === 'index') arrayOf(a, e.name).set(yield* key(a, e.keys), v);
  else if (e.t === 'group' && e.list.length === 1) yield* assignTo(a, e.list[0], v);
}

function compare(a: Awk, x: Value, y: Value): number {
  const numeric = (v: Value) => typeof v === 'number' || v === undefined || (typeof v === 'object' && NUMERIC.test(v.s));
  if (numeric(x) && numeric(y) && !(x === undefined && typeof y === 'string')) return toNum(x) - toNum(y);
  const s = toStr(a, x);
  const t = toStr(a, y);
  return s < t ? -1 : s > t ? 1 : 0;
}

function arithmetic(op: string, x: number, y: number): number {
  switch (op[0]) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      if (y === 0) throw new AwkError('division by zero');
      return x / y;
    case '%':
      if (y === 0) throw new AwkError('division by zero in %');
      return x % y;
    default:
      return x ** y;
  }
}

const matchesNode = function* (a: Awk, e: Node): Co<RegExp> {
  return e.t === 'regex' ? e.re : regexOf(a, toStr(a, yield* value(a, e)));
};

function* value(a: Awk, e: Node): Co<Value> {
  switch (e.t) {
    case 'num':
      return e.v;
    case 'str':
      return e.v;
    case 'regex':
      return e.re.test(record(a)) ? 1 : 0;
    case 'var':
      return getVar(a, e.name);
    case 'field':
      return getField(a, Math.floor(toNum(yield* value(a, e.e))));
    case 'index': {
      const array = arrayOf(a, e.name);
      const k = yield* key(a, e.keys);
      if (!array.has(k)) array.set(k, undefined);
      return array.get(k);
    }
    case 'assign': {
      let v = yield* value(a, e.right);
      if (e.op !== '=') v = arithmetic(e.op, toNum(yield* value(a, e.left)), toNum(v));
      yield* assignTo(a, e.left, v);
      return v;
    }
    case 'cond':
      return yield* value(a, truthy(yield* value(a, e.test)) ? e.a : e.b);
    case 'unary': {
      const v = yield* value(a, e.e);
      return e.op === '!' ? (truthy(v) ? 0 : 1) : e.op === '-' ? -toNum(v) : toNum(v);
    }
    case 'incr': {
      const old = toNum(yield* value(a, e.e));
      const next = old + (e.op === '++' ? 1 : -1);
      yield* assignTo(a, e.e, next);
      return e.prefix ? next : old;
    }
    case 'in':
      return arrayOf(a, e.name).has(yield* key(a, e.keys)) ? 1 : 0;
    case 'group': {
      if (e.list.length === 1) return yield* value(a, e.list[0]);
      return yield* key(a, e.list);
    }
    case 'getline':
      return yield* getline(a, e);
    case 'call':
      return e.builtin ? yield* builtin(a, e.name, e.args) : yield* call(a, e.name, e.args);
    case 'bin':
      return yield* binary(a, e);
  }
}

function* binary(a: Awk, e: Extract<Node, { t: 'bin' }>): Co<Value> {
  if (e.op === '&&') return truthy(yield* value(a, e.a)) && truthy(yield* value(a, e.b)) ? 1 : 0;
  if (e.op === '||') return truthy(yield* value(a, e.a)) || truthy(yield* value(a, e.b)) ? 1 : 0;
  if (e.op === '~' || e.op === '!~') {
    const text = toStr(a, yield* value(a, e.a));
    const re = yield* matchesNode(a, e.b);
    return re.test(text) === (e.op === '~') ? 1 : 0;
  }
  const x = yield* value(a, e.a);
  const y = yield* value(a, e.b);
  if (e.op === ' ') return toStr(a, x) + toStr(a, y);
  if (/^[<>=!]/.test(e.op)) {
    const d = compare(a, x, y);
    return { '<': d < 0, '<=': d <= 0, '==': d === 0, '!=': d !== 0, '>': d > 0, '>=': d >= 0 }[e.op as '<'] ? 1 : 0;
  }
  return arithmetic(e.op, toNum(x), toNum(y));
}

function* call(a: Awk, name: string, args: Node[]): Co<Value> {
  const f = a.program.functions.get(name);
  if (!f) throw new AwkError(`function ${name} never defined`);
  const frame = new Map<string, Cell>();
  const given: [string, string][] = [];
  for (const [i, param] of f.params.entries()) {
    const arg = args[i];
    if (arg?.t === 'var') {
      const cell = arg.name === 'NF' ? getVar(a, 'NF') : find(a, arg.name).get(arg.name);
      frame.set(param, cell);
      // An unset name may become an array inside: it is then the caller's.
      if (cell === undefined) given.push([param, arg.name]);
    } else frame.set(param, arg ? yield* value(a, arg) : undefined);
  }
  if (a.frames.length > 500) throw new AwkError('function call nesting is too deep');
  a.frames.push(frame);
  yield* run(a, f.body);
  a.frames.pop();
  for (const [param, outer] of given) {
    const v = frame.get(param);
    if (v instanceof Map) find(a, outer).set(outer, v);
  }
  if (a.jump === 'return') a.jump = null;
  const result = a.returned;
  a.returned = undefined;
  return result;
}

function* substitute(a: Awk, args: Node[], all: boolean): Co<Value> {
  const re = yield* matchesNode(a, args[0]);
  const by = toStr(a, yield* value(a, args[1]));
  const target: Node = args[2] ?? { t: 'field', e: { t: 'num', v: 0 } };
  const text = toStr(a, yield* value(a, target));
  let n = 0;
  const result = text.replace(new RegExp(re.source, all ? 'g' : ''), m => {
    n++;
    return by.replace(/\\\\|\\&|&/g, x => (x === '&' ? m : x === '\\&' ? '&' : '\\'));
  });
  if (n) yield* assignTo(a, target, result);
  return n;
}

function* builtin(a: Awk, name: string, args: Node[]): Co<Value> {
  if (name === 'sub' || name === 'gsub') return yield* substitute(a, args, name === 'gsub');
  if (name === 'length' && args[0]?.t === 'var') {
    const cell = find(a, args[0].name).get(args[0].name);
    if (cell instanceof Map) return cell.size;
  }
  if (name === 'split') return yield* splitInto(a, args);
  if (name === 'match') {
    const text = toStr(a, yield* value(a, args[0]));
    const m = (yield* matchesNode(a, args[1])).exec(text);
    a.globals.set('RSTART', m ? m.index + 1 : 0);
    a.globals.set('RLENGTH', m ? m[0].length : -1);
    return m ? m.index + 1 : 0;
  }
  if (name === 'gensub') {
    const re = yield* matchesNode(a, args[0]);
    const by = toStr(a, yield* value(a, args[1]));
    const how = toStr(a, yield* value(a, args[2]));
    const text = args[3] ? toStr(a, yield* value(a, args[3])) : record(a);
    let n = 0;
    return text.replace(new RegExp(re.source, 'g'), (...m) =>
      /^[gG]/.test(how) || ++n === Number(how) ? by.replace(/\\(\d)|&/g, (x, d) => (d === undefined ? m[0] : (m[Number(d)] ?? x))) : m[0],
    );
  }
  const v: Value[] = [];
  for (const arg of args) v.push(yield* value(a, arg));
  if (name === 'system') {
    const { code } = yield* capture(a.r.p, ['sh', '-c', toStr(a, v[0])], { stdout: a.r.p.stdout });
    return code;
  }
  if (name === 'close') return yield* close(a, toStr(a, v[0]));
  return pure(a, name, v);
}

function pure(a: Awk, name: string, v: Value[]): Value {
  const n = (i: number) => toNum(v[i]);
  const s = (i: number) => toStr(a, v[i]);
  switch (name) {
    case 'length':
      return v.length ? s(0).length : record(a).length;
    case 'substr': {
      const from = Math.round(n(1));
      const to = v.length > 2 ? from + Math.round(n(2)) : Number.POSITIVE_INFINITY;
      return s(0).slice(Math.max(0, from - 1), Math.max(0, to - 1));
    }
    case 'index':
      return s(0).indexOf(s(1)) + 1;
    case 'sprintf':
      return printfText(a, v);
    case 'tolower':
      return s(0).toLowerCase();
    case 'toupper':
      return s(0).toUpperCase();
    case 'int':
      return Math.trunc(n(0));
    case 'sqrt':
      return Math.sqrt(n(0));
    case 'exp':
      return Math.exp(n(0));
    case 'log':
      return Math.log(n(0));
    case 'sin':
      return Math.sin(n(0));
    case 'cos':
      return Math.cos(n(0));
    case 'atan2':
      return Math.atan2(n(0), n(1));
    case 'rand':
      return nextFloat(a.r.p.kernel.sim.random);
    case 'srand': {
      const old = a.seed;
      a.seed = v.length ? n(0) : Math.floor(a.r.p.kernel.sim.nowMs / 1000);
      return old;
    }
    case 'systime':
      return Math.floor(a.r.p.kernel.sim.nowMs / 1000);
    case 'strftime':
      return strftime(v.length ? s(0) : '%a %b %e %H:%M:%S UTC %Y', v.length > 1 ? n(1) * 1000 : a.r.p.kernel.sim.nowMs);
    case 'and':
      return n(0) & n(1);
    case 'or':
      return n(0) | n(1);
    case 'xor':
      return n(0) ^ n(1);
    case 'lshift':
      return n(0) * 2 ** n(1);
    case 'rshift':
      return Math.floor(n(0) / 2 ** n(1));
    default:
      return 0;
  }
}

function* splitInto(a: Awk, args: Node[]): Co<Value> {
  const text = toStr(a, yield* value(a, args[0]));
  const name = args[1].t === 'var' ? args[1].name : '';
  const separator =
    args[2] === undefined
      ? toStr(a, a.globals.get('FS') as Value)
      : args[2].t === 'regex'
        ? args[2].re
        : toStr(a, yield* value(a, args[2]));
  const parts = splitBy(a, text, separator);
  const array = arrayOf(a, name);
  array.clear();
  for (const [i, part] of parts.entries()) array.set(String(i + 1), { s: part });
  return parts.length;
}

function* readRecord(a: Awk, lines: Lines): Co<string | null> {
  const rs = toStr(a, a.globals.get('RS') as Value);
  if (rs === '\n' || rs.length === 1) return yield* nextLine(a.r, lines, rs);
  if (rs === '') {
    const parts: string[] = [];
    for (let line = yield* nextLine(a.r, lines); line !== null; line = yield* nextLine(a.r, lines)) {
      if (line === '' && parts.length) break;
      if (line !== '') parts.push(line);
    }
    return parts.length ? parts.join('\n') : null;
  }
  while (!lines.ended) {
    const line = yield* nextLine(a.r, lines);
    if (line === null) break;
    lines.buffer = `${line}${lines.newline ? '\n' : ''}${lines.buffer}`;
    const more = yield* drain(a, lines);
    if (!more) break;
  }
  if (!lines.buffer) return null;
  const m = regexOf(a, rs).exec(lines.buffer);
  const text = m ? lines.buffer.slice(0, m.index) : lines.buffer.replace(/\n$/, '');
  lines.buffer = m ? lines.buffer.slice(m.index + m[0].length) : '';
  return text;
}

/** Read a pipe to its end into the buffer. */
function* drain(a: Awk, lines: Lines): Co<boolean> {
  const parts: string[] = [lines.buffer];
  lines.buffer = '';
  for (let line = yield* nextLine(a.r, lines); line !== null; line = yield* nextLine(a.r, lines))
    parts.push(line + (lines.newline ? '\n' : ''));
  lines.buffer = parts.join('');
  return false;
}

/** The next of awk's operands: files, and assignments on the way. */
function* mainRecord(a: Awk): Co<string | null> {
  for (;;) {
    if (a.main) {
      const text = yield* readRecord(a, a.main);
      if (text !== null) return text;
      a.main = null;
    }
    const argv = arrayOf(a, 'ARGV');
    const argc = toNum(a.globals.get('ARGC') as Value);
    let file: string | null = null;
    while (a.argIndex < argc) {
      const arg = toStr(a, argv.get(String(a.argIndex++)));
      const assignment = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(arg);
      if (assignment) a.globals.set(assignment[1], { s: unescapeAwk(assignment[2]) });
      else if (arg) {
        file = arg;
        break;
      }
    }
    if (file === null) {
      if (a.usedFiles) return null;
      file = '-';
    }
    a.usedFiles = true;
    a.globals.set('FILENAME', file === '-' ? '' : file);
    a.globals.set('FNR', 0);
    const pipe = yield* openInput(a.r, file);
    if (typeof pipe === 'string') {
      complain(a.r.p, a.r.bb ? `awk: ${file}: ${strerror(pipe)}\n` : `awk: cannot open "${file}" (${strerror(pipe)})\n`);
      a.code = 2;
      if (a.r.bb) return null;
      continue;
    }
    a.main = linesOf(pipe);
  }
}

function count(a: Awk): void {
  a.globals.set('NR', toNum(a.globals.get('NR') as Value) + 1);
  a.globals.set('FNR', toNum(a.globals.get('FNR') as Value) + 1);
}

function* getline(a: Awk, e: Extract<Node, { t: 'getline' }>): Co<Value> {
  let text: string | null;
  if (e.from === 'main') {
    text = yield* mainRecord(a);
    if (text !== null) count(a);
  } else {
    const name = toStr(a, yield* value(a, e.source as Node));
    let lines = a.inputs.get(name);
    if (!lines) {
      if (e.from === 'file') {
        const pipe = yield* openInput(a.r, name);
        if (typeof pipe === 'string') return -1;
        lines = linesOf(pipe);
      } else lines = linesOf(pipeOf((yield* capture(a.r.p, ['sh', '-c', name])).out));
      a.inputs.set(name, lines);
    }
    text = yield* readRecord(a, lines);
    if (text !== null && e.from === 'cmd') a.globals.set('NR', toNum(a.globals.get('NR') as Value) + 1);
  }
  if (text === null) return 0;
  if (e.into) yield* assignTo(a, e.into, { s: text });
  else setRecord(a, text);
  return 1;
}

function* output(a: Awk, to: { op: string; e: Node } | null, text: string): Co<void> {
  if (!to) {
    if (outBinary(a.r, text)) {
      a.broken = true;
      a.jump = 'exit';
    }
    return;
  }
  const name = toStr(a, yield* value(a, to.e));
  let target = a.outputs.get(name);
  if (!target) {
    target = yield* open(a, to.op, name);
    a.outputs.set(name, target);
  }
  writePipe(target.pipe, fromBinary(text));
}

function* open(a: Awk, op: string, name: string): Co<{ pipe: Pipe; end: () => Co<number> }> {
  const { p } = a.r;
  if (op === '|') {
    const pipe = newPipe();
    const child = spawn(p.kernel, { netns: p.netns, fs: p.fs, parent: p, argv: ['sh', '-c', name], stdin: pipe });
    return {
      pipe,
      *end() {
        closePipe(pipe);
        return typeof child === 'string' ? 127 : yield* waitFor(child);
      },
    };
  }
  const sink = name === '/dev/stderr' ? p.stderr : name === '/dev/stdout' || name === '-' ? p.stdout : fileSink(p, name, op === '>>');
  if (typeof sink === 'string') throw new AwkError(`cannot open "${name}" for output (${strerror(sink)})`);
  return {
    pipe: sink,
    *end() {
      return 0;
    },
  };
}

function* close(a: Awk, name: string): Co<number> {
  a.inputs.delete(name);
  const target = a.outputs.get(name);
  a.outputs.delete(name);
  return target ? yield* target.end() : -1;
}

function* run(a: Awk, s: Statement): Co<void> {
  switch (s.t) {
    case 'block':
      for (const inner of s.list) {
        yield* run(a, inner);
        if (a.jump) return;
      }
      return;
    case 'expr':
      yield* value(a, s.e);
      return;
    case 'print': {
      const v: Value[] = [];
      for (const arg of s.args) v.push(yield* value(a, arg));
      if (s.format) {
        if (!v.length) throw new AwkError('no arguments to printf');
        return yield* output(a, s.to, printfText(a, v));
      }
      const text = v.length ? v.map(x => toStr(a, x, true)).join(toStr(a, a.globals.get('OFS') as Value)) : record(a);
      return yield* output(a, s.to, text + toStr(a, a.globals.get('ORS') as Value));
    }
    case 'if':
      if (truthy(yield* value(a, s.test))) yield* run(a, s.a);
      else if (s.b) yield* run(a, s.b);
      return;
    case 'while':
      if (s.atEnd) {
        yield* run(a, s.body);
        if (leaves(a)) return;
      }
      while (truthy(yield* value(a, s.test))) {
        yield* run(a, s.body);
        if (leaves(a)) return;
      }
      return;
    case 'for':
      if (s.init) yield* run(a, s.init);
      while (!s.test || truthy(yield* value(a, s.test))) {
        yield* run(a, s.body);
        if (leaves(a)) return;
        if (s.step) yield* run(a, s.step);
      }
      return;
    case 'forin':
      for (const k of [...arrayOf(a, s.array).keys()]) {
        setVar(a, s.name, { s: k });
        yield* run(a, s.body);
        if (leaves(a)) return;
      }
      return;
    case 'delete':
      if (s.keys) arrayOf(a, s.name).delete(yield* key(a, s.keys));
      else arrayOf(a, s.name).clear();
      return;
    case 'jump':
      if (s.e && s.kind === 'exit') a.code = toNum(yield* value(a, s.e)) & 255;
      else if (s.e) a.returned = yield* value(a, s.e);
      a.jump = s.kind;
      return;
  }
}

/** sprintf: the escapes of the format were read with the program. */
function printfText(a: Awk, v: Value[]): string {
  const format = toStr(a, v[0]);
  return formatPrintf(format.replace(/\\/g, '\\\\'), printfArguments(a, format, v.slice(1)), t => t).text;
}

/** printf's arguments as its conversions want them; missing ones count as empty, so that the format is used once. */
function printfArguments(a: Awk, format: string, values: Value[]): string[] {
  const out: string[] = [];
  for (const [, stars, letter] of format.replace(/%%/g, '').matchAll(/%[-+ #0]*((?:\*|\d)*(?:\.(?:\*|\d)*)?)([a-zA-Z])/g)) {
    for (const c of stars) if (c === '*') out.push(integerText(String(toNum(values.shift()))));
    const v = values.shift();
    if (letter === 'c') out.push(typeof v === 'number' ? String.fromCharCode(v & 255) : toStr(a, v));
    else if (/[diouxX]/.test(letter)) out.push(integerText(String(toNum(v))));
    else if (/[eEfFgG]/.test(letter)) out.push(String(toNum(v)));
    else out.push(toStr(a, v));
  }
  return out;
}

function integerText(v: string): string {
  const n = Math.trunc(toNum(v));
  return Number.isFinite(n) ? BigInt(n).toString() : String(n);
}

function leaves(a: Awk): boolean {
  if (!a.jump) return false;
  if (a.jump === 'continue') {
    a.jump = null;
    return false;
  }
  if (a.jump === 'break') a.jump = null;
  return true;
}

function* selected(a: Awk, rule: Rule): Co<boolean> {
  if (rule.kind === 'range') {
    if (!rule.inside && !truthy(yield* value(a, rule.pattern as Node))) return false;
    rule.inside = !truthy(yield* value(a, rule.until as Node));
    return true;
  }
  return !rule.pattern || truthy(yield* value(a, rule.pattern));
}

const stopped = (a: Awk): boolean => a.jump === 'exit';

function* runRules(a: Awk, kind: 'begin' | 'end'): Co<void> {
  for (const rule of a.program.rules) {
    if (rule.kind !== kind) continue;
    yield* run(a, rule.body as Statement);
    if (stopped(a)) return;
  }
}

function* execute(a: Awk): Co<number> {
  yield* runRules(a, 'begin');
  const reads = a.program.rules.some(rule => rule.kind !== 'begin');
  while (reads && !stopped(a)) {
    const text = yield* mainRecord(a);
    if (text === null) break;
    setRecord(a, text);
    count(a);
    for (const rule of a.program.rules) {
      if (rule.kind === 'begin' || rule.kind === 'end' || !(yield* selected(a, rule))) continue;
      if (rule.body) yield* run(a, rule.body);
      else yield* output(a, null, record(a) + toStr(a, a.globals.get('ORS') as Value));
      if (a.jump) break;
    }
    if (a.jump === 'nextfile') a.main = null;
    if (!stopped(a)) a.jump = null;
  }
  if (!a.broken) {
    a.jump = null;
    yield* runRules(a, 'end');
  }
  for (const target of a.outputs.values()) yield* target.end();
  return a.broken ? BROKEN : a.code;
}

export const awk =
  (bb: boolean) =>
  (u: Userland): Program =>
    function* (p: Process): Co<number> {
      const r: Run = { p, u, bb, name: 'awk', options: new Map(), args: [] };
      const words = p.argv.slice(1);
      const assignments: string[] = [];
      const files: string[] = [];
      let fs = ' ';
      while (words.length && /^-./.test(words[0])) {
        const word = words.shift() as string;
        if (word === '--') break;
        if (word === '--version' || word === '-W') {
          outBinary(r, 'mawk 1.3.4 20200120\n');
          return 0;
        }
        const rest = word.slice(2);
        const next = () => rest || (words.shift() ?? '');
        if (word[1] === 'F') fs = unescapeAwk(next());
        else if (word[1] === 'v') assignments.push(next());
        else if (word[1] === 'f') files.push(next());
        else if (word[1] !== 'W' && !word.startsWith('--')) {
          complain(p, bb ? `awk: invalid option -- '${word[1]}'\n` : `awk: not an option: ${word}\n`);
          return bb ? 1 : 2;
        }
      }
      let source = '';
      for (const file of files) {
        const data = yield* slurp(r, file);
        if (typeof data === 'string') return 2;
        source += `${toBinary(data)}\n`;
      }
      if (!files.length) {
        if (!words.length) {
          complain(p, bb ? 'BusyBox awk: usage: awk [OPTIONS] [AWK_PROGRAM] [FILE]...\n' : 'Usage: mawk [Options] [Program] [file ...]\n');
          return bb ? 1 : 2;
        }
        source = binaryArgument(words.shift() as string);
      }
      try {
        const a = newAwk(r, parseAwk(source), fs === 't' ? '\t' : fs, words);
        for (const text of assignments)
          a.globals.set(text.slice(0, text.indexOf('=')), { s: unescapeAwk(binaryArgument(text.slice(text.indexOf('=') + 1))) });
        return yield* execute(a);
      } catch (e) {
        if (!(e instanceof AwkError)) throw e;
        complain(
          p,
          bb
            ? `awk: cmd. line:1: ${e.message.replace(/^line \d+: /, '').replace(/^syntax error at or near.*/s, 'Syntax error')}\n`
            : `awk: ${e.message}\n`,
        );
        return bb ? 1 : 2;
      }
    };

function newAwk(r: Run, program: AwkProgram, fs: string, operands: string[]): Awk {
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
    seed: 0,
    jump: null,
    returned: undefined,
    code: 0,
    broken: false,
  };
}
