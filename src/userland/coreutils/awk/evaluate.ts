// awk's expressions. Generators, because input and commands can make them wait.
import { capture } from '../../../linux/process.ts';
import { pipeOf } from '../../../sim/pipe.ts';
import type { Co } from '../../../sim/task.ts';
import { linesOf, openInput } from '../tool.ts';
import { builtin } from './builtins.ts';
import type { Node } from './expression.ts';
import { count, mainRecord, readRecord } from './input.ts';
import { AwkError } from './lex.ts';
import { type Awk, arrayOf, compare, find, getField, getVar, record, regexOf, setField, setRecord, setVar, toStr } from './machine.ts';
import { run } from './run.ts';
import { arithmetic, type Cell, toNum, truthy, type Value } from './values.ts';

export function* key(a: Awk, keys: Node[]): Co<string> {
  const parts: string[] = [];
  for (const k of keys) parts.push(toStr(a, yield* value(a, k)));
  return parts.join('\x1c');
}

export function* assignTo(a: Awk, e: Node, v: Value): Co<void> {
  if (e.t === 'var') setVar(a, e.name, v);
  else if (e.t === 'field') setField(a, Math.floor(toNum(yield* value(a, e.e))), toStr(a, v));
  else if (e.t === 'index') arrayOf(a, e.name).set(yield* key(a, e.keys), v);
  else if (e.t === 'group' && e.list.length === 1) yield* assignTo(a, e.list[0], v);
}

export const matchesNode = function* (a: Awk, e: Node): Co<RegExp> {
  return e.t === 'regex' ? e.re : regexOf(a, toStr(a, yield* value(a, e)));
};

export function* value(a: Awk, e: Node): Co<Value> {
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
