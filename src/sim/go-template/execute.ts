// Go's text/template: nodes carried out over a value (text/template/exec.go).
import { compareBytes } from '../bytes.ts';
import { goQuote } from '../quote.ts';
import { type CallError, FUNCTIONS, NO_VALUE, SHORT_CIRCUIT, show, truth, typeName } from './functions.ts';
import type { Command, Expr, Node, Pipe, Template } from './parse.ts';

interface State {
  template: Template;
  root: unknown;
  vars: { name: string; value: unknown }[];
  out: string[];
  allowMissing: boolean;
  depth: number;
}

export function execute(template: Template, data: unknown, allowMissing: boolean, written: string[]): void {
  walk({ template, root: data, vars: [{ name: '$', value: data }], out: written, allowMissing, depth: 0 }, data, template.main);
}

/** `template: output:LINE:COLUMN: executing "output" at <CONTEXT>: …` */
function execError(s: State, at: Expr | { at: number; text: string }, message: string): never {
  const before = s.template.text.slice(0, at.at);
  const line = before.split('\n').length;
  const column = at.at - (before.lastIndexOf('\n') + 1);
  const context = at.text.length > 20 ? `${at.text.slice(0, 20)}...` : at.text;
  throw { template: `template: output:${line}:${column}: executing "output" at <${context}>: ${message}` };
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
      return follow(s, dot, e, e.names);
    case 'variable':
      return follow(s, s.vars.findLast(v => v.name === e.name)?.value, e, e.names);
    case 'chain':
      return follow(s, evalExpr(s, dot, e.of), e, e.names);
    case 'pipe':
      return evalPipe(s, dot, e.pipe);
  }
}

function follow(s: State, from: unknown, e: Expr, names: string[]): unknown {
  let v = from;
  for (const name of names) {
    if (v === NO_VALUE) {
      if (!s.allowMissing) return execError(s, e, `nil data; no entry for key ${goQuote(name)}`);
      return v;
    }
    if (v === null || v === undefined) return execError(s, e, `nil pointer evaluating interface {}.${name}`);
    if (typeof v !== 'object' || Array.isArray(v)) return execError(s, e, `can't evaluate field ${name} in type interface {}`);
    const o = v as Record<string, unknown>;
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
  const f = FUNCTIONS[name];
  if (f.most === undefined ? count < f.least : count !== f.most)
    execError(s, head, `wrong number of args for ${name}: want ${f.most === undefined ? `at least ${f.least}` : f.most} got ${count}`);
  const args = [...rest.map(a => evalExpr(s, dot, a)), ...final];
  if (name === 'base64decode') {
    const v = args[0];
    if (v === NO_VALUE || v === null) execError(s, rest[0] ?? head, 'invalid value; expected string');
    if (typeof v !== 'string') execError(s, rest[0] ?? head, `wrong type for value; expected string; got ${typeName(v)}`);
  }
  try {
    return f.call(args);
  } catch (e) {
    const why = (e as CallError).call;
    if (why === undefined) throw e;
    return execError(s, head, `error calling ${name}: ${why}`);
  }
}
