// Go's text/template: nodes carried out over a value (text/template/exec.go).
import { compareBytes } from '../bytes.ts';
import { goQuote } from '../quote.ts';
import { type CallError, type Functions, isStruct, NO_VALUE, SHORT_CIRCUIT, show, truth, typeName } from './functions.ts';
import type { Command, Expr, Node, Pipe, Template } from './parse.ts';
import { exprText } from './text.ts';

export interface ExecuteOptions {
  /** A map without the key says `<no value>`; otherwise it is an error. */
  allowMissing: boolean;
  functions: Functions;
}

interface State extends ExecuteOptions {
  template: Template;
  root: unknown;
  vars: { name: string; value: unknown }[];
  out: string[];
  depth: number;
}

/** What is written goes to `written` piece by piece. Throws a TemplateError, with the pieces before it written. */
export function execute(template: Template, data: unknown, o: ExecuteOptions, written: string[]): void {
  walk({ template, root: data, vars: [{ name: '$', value: data }], out: written, ...o, depth: 0 }, data, template.main);
}

/** `template: NAME:LINE:COLUMN: executing "NAME" at <CONTEXT>: …` */
function execError(s: State, at: Expr | { at: number; text: string }, message: string): never {
  const before = s.template.text.slice(0, at.at);
  const line = before.split('\n').length;
  const column = at.at - (before.lastIndexOf('\n') + 1);
  const { name } = s.template;
  throw { template: `template: ${name}:${line}:${column}: executing ${goQuote(name)} at <${at.text}>: ${message}` };
}

type Flow = '' | 'break' | 'continue';

function walk(s: State, dot: unknown, nodes: Node[]): Flow {
  for (const n of nodes) {
    const flow = walkOne(s, dot, n);
    if (flow) return flow;
  }
  return '';
}

function walkOne(s: State, dot: unknown, n: Node): Flow {
  switch (n.type) {
    case 'text':
      s.out.push(n.text);
      return '';
    case 'action': {
      const v = evalPipe(s, dot, n.pipe);
      if (!n.pipe.vars.length) s.out.push(v === null || v === undefined ? '<no value>' : show(v));
      return '';
    }
    case 'break':
    case 'continue':
      return n.type;
    case 'template': {
      const body = s.template.defined.get(n.name);
      if (!body) return execError(s, { at: n.at, text: `template ${goQuote(n.name)}` }, `template ${goQuote(n.name)} not defined`);
      if (s.depth > 1000) return execError(s, { at: n.at, text: n.name }, 'exceeded maximum template depth (100000)');
      const inner = n.pipe ? evalPipe(s, dot, n.pipe) : null;
      walk({ ...s, vars: [{ name: '$', value: inner }], depth: s.depth + 1 }, inner, body);
      return '';
    }
    case 'range':
      return walkRange(s, dot, n);
    default: {
      const mark = s.vars.length;
      const v = evalPipe(s, dot, n.pipe);
      const flow = truth(v) ? walk(s, n.type === 'with' ? v : dot, n.body) : walk(s, dot, n.otherwise);
      s.vars.length = mark;
      return flow;
    }
  }
}

function walkRange(s: State, dot: unknown, n: Extract<Node, { pipe: Pipe; body: Node[] }>): Flow {
  const mark = s.vars.length;
  const v = evalPipe(s, dot, n.pipe);
  const inner = s.vars.length;
  const rows = entries(s, n.pipe, v);
  let flow: Flow = '';
  if (!rows.length) flow = walk(s, dot, n.otherwise);
  for (const [key, value] of rows) {
    const [first, second] = n.pipe.vars;
    if (second !== undefined) {
      setVar(s, first, key);
      setVar(s, second, value);
    } else if (first !== undefined) setVar(s, first, value);
    const ended = walk(s, value, n.body);
    s.vars.length = inner;
    if (ended === 'break') break;
  }
  s.vars.length = mark;
  return flow;
}

function entries(s: State, pipe: Pipe, v: unknown): [unknown, unknown][] {
  if (v === null || v === undefined || v === NO_VALUE) return [];
  if (Array.isArray(v)) return v.map((x, i) => [BigInt(i), x]);
  if (typeof v === 'bigint') return Array.from({ length: Number(v) }, (_, i) => [BigInt(i), BigInt(i)]);
  if (typeof v === 'object') {
    const o = v as Record<string, unknown>;
    return Object.keys(o)
      .sort(compareBytes)
      .map(k => [k, o[k]]);
  }
  return execError(s, pipe.commands[0].args[0], `range can't iterate over ${show(v)}`);
}

function setVar(s: State, name: string, value: unknown): void {
  const v = s.vars.findLast(x => x.name === name);
  if (v) v.value = value;
}

function evalPipe(s: State, dot: unknown, pipe: Pipe): unknown {
  let value: unknown;
  let first = true;
  for (const c of pipe.commands) {
    value = evalCommand(s, dot, c, first ? [] : [value]);
    first = false;
  }
  for (const name of pipe.vars) {
    if (pipe.declare) s.vars.push({ name, value });
    else setVar(s, name, value);
  }
  return value;
}

function evalCommand(s: State, dot: unknown, c: Command, final: unknown[]): unknown {
  const [head, ...rest] = c.args;
  if (head.type === 'function') return call(s, dot, head, rest, final);
  if (rest.length || final.length) {
    if (head.type === 'field' || head.type === 'chain' || head.type === 'variable') {
      const method = head.names.length ? methodOf(s, dot, head) : null;
      if (method) return callMethod(s, head, method, [...rest.map(a => evalExpr(s, dot, a)), ...final]);
      const name = head.names.at(-1);
      execError(
        s,
        head,
        name === undefined ? `can't give argument to non-function ${head.text}` : `${name} is not a method but has arguments`,
      );
    }
    execError(s, rest[0] ?? head, `can't give argument to non-function ${head.text}`);
  }
  if (head.type === 'nil') execError(s, head, 'nil is not a command');
  return evalExpr(s, dot, head);
}

type Path = Extract<Expr, { names: string[] }>;
type Method = (...args: unknown[]) => unknown;

const startOf = (s: State, dot: unknown, e: Path): unknown =>
  e.type === 'field' ? dot : e.type === 'variable' ? s.vars.findLast(v => v.name === e.name)?.value : evalExpr(s, dot, e.of);

/** The method that a path ends with, or null. */
function methodOf(s: State, dot: unknown, e: Path): Method | null {
  const owner = follow(s, startOf(s, dot, e), e, e.names.slice(0, -1));
  const last = isStruct(owner) ? (owner as Record<string, unknown>)[e.names[e.names.length - 1]] : null;
  return typeof last === 'function' ? (last as Method) : null;
}

function callMethod(s: State, e: Path, method: Method, args: unknown[]): unknown {
  if (args.length !== method.length)
    return execError(s, e, `wrong number of args for ${e.names.at(-1)}: want ${method.length} got ${args.length}`);
  return method(...args);
}

function evalExpr(s: State, dot: unknown, e: Expr): unknown {
  switch (e.type) {
    case 'dot':
      return dot;
    case 'nil':
      return null;
    case 'literal':
      return e.value;
    case 'function':
      return call(s, dot, e, [], []);
    case 'field':
    case 'variable':
    case 'chain':
      return follow(s, startOf(s, dot, e), e, e.names);
    case 'pipe':
      return evalPipe(s, dot, e.pipe);
  }
}

function follow(s: State, from: unknown, e: Path, names: string[]): unknown {
  let v = from;
  // What v is declared as: elements of typed values are of their type, all others are interfaces.
  let declared = 'interface {}';
  for (const name of names) {
    if (v === NO_VALUE) {
      if (!s.allowMissing) return execError(s, e, `nil data; no entry for key ${goQuote(name)}`);
      return v;
    }
    if (v === null || v === undefined) return execError(s, e, `nil pointer evaluating interface {}.${name}`);
    if (typeof v !== 'object' || Array.isArray(v)) return execError(s, e, `can't evaluate field ${name} in type ${declared}`);
    const o = v as Record<string, unknown>;
    if (isStruct(o)) {
      if (!Object.hasOwn(o, name)) return execError(s, e, `can't evaluate field ${name} in type ${typeName(o)}`);
      v = typeof o[name] === 'function' ? callMethod(s, e, o[name] as Method, []) : o[name];
      declared = typeName(v);
      continue;
    }
    if (Object.hasOwn(o, name)) v = o[name];
    else if (!s.allowMissing) return execError(s, e, `map has no entry for key ${goQuote(name)}`);
    else v = NO_VALUE;
  }
  return v;
}

function call(s: State, dot: unknown, head: Extract<Expr, { type: 'function' }>, rest: Expr[], final: unknown[]): unknown {
  const name = head.name;
  const count = rest.length + final.length;
  if (SHORT_CIRCUIT.includes(name)) {
    if (!count) execError(s, head, `wrong number of args for ${name}: want at least 1 got 0`);
    let v: unknown;
    for (const arg of rest) {
      v = evalExpr(s, dot, arg);
      if (truth(v) === (name === 'or')) return v;
    }
    return final.length ? final[0] : v;
  }
  const f = s.functions[name];
  if (f.most === undefined ? count < f.least : count !== f.most)
    execError(s, head, `wrong number of args for ${name}: want ${f.most === undefined ? `at least ${f.least}` : f.most} got ${count}`);
  const args = [...rest.map(a => evalExpr(s, dot, a)), ...final];
  f.types?.forEach((type, i) => {
    const v = args[i];
    const given = rest[i];
    if (given?.type === 'literal' && typeName(v) !== type)
      execError(s, given, `expected ${type === 'int' ? 'integer' : type}; found ${given.text}`);
    if (given?.type === 'nil') execError(s, given, `cannot assign nil to ${type}`);
    if (v === NO_VALUE || v === null) execError(s, given ?? head, `invalid value; expected ${type}`);
    if (typeName(v) !== type) execError(s, given ?? head, `wrong type for value; expected ${type}; got ${typeName(v)}`);
  });
  try {
    return f.call(args);
  } catch (e) {
    const why = (e as CallError).call;
    if (why === undefined) throw e;
    return execError(s, { at: head.at, text: [name, ...rest.map(exprText)].join(' ') }, `error calling ${name}: ${why}`);
  }
}
