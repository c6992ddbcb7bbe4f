// Arithmetic: 64-bit integers with C's operators.
import { type ArithmeticExpression, parse, type Word } from 'unbash';
import type { Co } from '../../sim/task.ts';
import { expandString, wordOf } from './expand.ts';
import { fail } from './messages.ts';
import { substitute } from './subshell.ts';
import { bashLike, type Shell } from './types.ts';
import { getParam, setVar, variable } from './vars.ts';

/** null: an error, which the shell has printed; it then does not go on. */
type Value = bigint | null;

const wrap = (n: bigint): bigint => BigInt.asIntN(64, n);

function error(sh: Shell, text: string, source: string): null {
  const shown = `${sh.arithmetic && `${sh.arithmetic}: `}${source.trimStart()}`;
  if (sh.kind === 'dash') fail(sh, `arithmetic expression: ${text}: "${source}"`);
  else if (sh.kind === 'ash') fail(sh, text === 'division by zero' ? 'divide by zero' : 'arithmetic syntax error');
  else
    fail(
      sh,
      text === 'division by zero' ? `${shown}: division by 0 (error token is "${source.replace(/^.*[/%]\s*/, '')}")` : `${shown}: ${text}`,
    );
  sh.status = bashLike(sh) ? 1 : 2;
  sh.flow = { kind: 'exit', levels: 0 };
  return null;
}

const inside = (text: string): string => (text.startsWith('$((') ? text.slice(3, -2) : text.startsWith('$[') ? text.slice(2, -1) : text);

/** The value of `$((…))`; `text` is its source, for messages. */
export function* evaluate(sh: Shell, e: ArithmeticExpression | undefined, text: string): Co<Value> {
  const body = inside(text);
  // Parameters and commands are expanded first, as between double quotes: they may be operators too.
  if (/[$`]/.test(body)) {
    const expanded = yield* expandArithmetic(sh, body);
    return expanded === null ? null : yield* evaluateText(sh, expanded);
  }
  if (!e) return 0n;
  return yield* value(sh, e, body, 0);
}

/** An expression's text after its expansions. null: one of them ended the shell */
export function* expandArithmetic(sh: Shell, body: string): Co<string | null> {
  const text = yield* expandString(sh, wordOf(`"${body.replace(/(?<!\\)"/g, '')}"`));
  return sh.flow ? null : text;
}

const NUMBER = /^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/;

function number(text: string): bigint | undefined {
  if (NUMBER.test(text)) return wrap(BigInt(/^0[0-7]+$/.test(text) ? `0o${text.slice(1)}` : text));
  const based = /^(\d+)#([0-9a-zA-Z@_]+)$/.exec(text);
  if (!based) return undefined;
  const base = BigInt(based[1]);
  const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_';
  let n = 0n;
  for (const c of based[2]) n = n * base + BigInt(digits.indexOf(Number(base) <= 36 ? c.toLowerCase() : c));
  return n;
}

/** A text that is an expression: a variable's value, an index. */
export function* evaluateText(sh: Shell, text: string, depth = 0): Co<Value> {
  const t = text.trim();
  if (!t) return 0n;
  const n = number(t);
  if (n !== undefined) return n;
  if (/^[A-Za-z_]\w*$/.test(t)) return yield* name(sh, t, depth);
  if (depth > 100) return error(sh, 'expression recursion level exceeded', t);
  const script = parse(`((${t}))`);
  const command = script.commands[0]?.command;
  if (script.errors || command?.type !== 'ArithmeticCommand' || !command.expression) return syntaxError(sh, t);
  return yield* value(sh, command.expression, t, depth + 1);
}

function syntaxError(sh: Shell, text: string): null {
  if (sh.kind === 'dash') return error(sh, 'expecting EOF', text);
  return error(sh, `syntax error: invalid arithmetic operator (error token is "${text.replace(/^\w*/, '')}")`, text);
}

function* name(sh: Shell, n: string, depth: number): Co<Value> {
  const text = getParam(sh, n);
  if (text === undefined && sh.options.has('u')) {
    fail(sh, bashLike(sh) ? `${n}: unbound variable` : `${n}: parameter not set`);
    sh.status = bashLike(sh) ? 127 : 2;
    sh.flow = { kind: 'exit', levels: 0 };
    return null;
  }
  if (text !== undefined && sh.kind === 'dash' && text.trim() && number(text.trim().replace(/^[-+]/, '')) === undefined) {
    fail(sh, `Illegal number: ${text}`);
    sh.status = 2;
    sh.flow = { kind: 'exit', levels: 0 };
    return null;
  }
  return yield* evaluateText(sh, text ?? '', depth + 1);
}

function* word(sh: Shell, e: Extract<ArithmeticExpression, { type: 'ArithmeticWord' }>, source: string, depth: number): Co<Value> {
  if (e.parts) {
    const asWord: Word = { type: 'Word', text: e.value, value: e.value, pos: e.pos, end: e.end, parts: e.parts };
    const text = yield* expandString(sh, asWord);
    if (sh.flow) return null;
    return yield* evaluateText(sh, text, depth);
  }
  if (/[$`]/.test(e.value)) {
    const text = yield* expandArithmetic(sh, e.value);
    return text === null ? null : yield* evaluateText(sh, text, depth + 1);
  }
  const element = /^([A-Za-z_]\w*)\[([\s\S]*)\]$/.exec(e.value);
  if (element) {
    const v = variable(sh, element[1]);
    if (v?.assoc) return yield* evaluateText(sh, v.assoc.get(element[2]) ?? '', depth + 1);
    const at = yield* evaluateText(sh, element[2], depth + 1);
    if (at === null) return null;
    return yield* evaluateText(sh, (v?.array ? v.array.get(Number(at)) : at === 0n ? v?.value : undefined) ?? '', depth + 1);
  }
  const text = e.value.trim();
  if (!text)
    return error(
      sh,
      sh.kind === 'dash' ? 'expecting primary' : `syntax error: operand expected (error token is "${source.trim().slice(-1)}")`,
      source,
    );
  const n = number(text);
  if (n !== undefined) return n;
  if (/^[A-Za-z_]\w*$/.test(text)) return yield* name(sh, text, depth);
  if (/^\d/.test(text))
    return error(sh, sh.kind === 'dash' ? 'expecting EOF' : `value too great for base (error token is "${text}")`, source);
  return yield* evaluateText(sh, text, depth + 1);
}

function* value(sh: Shell, e: ArithmeticExpression, source: string, depth: number): Co<Value> {
  switch (e.type) {
    case 'ArithmeticWord':
      return yield* word(sh, e, source, depth);
    case 'ArithmeticGroup':
      return yield* value(sh, e.expression, source, depth);
    case 'ArithmeticTernary': {
      const test = yield* value(sh, e.test, source, depth);
      if (test === null) return null;
      return yield* value(sh, test ? e.consequent : e.alternate, source, depth);
    }
    case 'ArithmeticCommandExpansion': {
      const text = yield* substitute(sh, e);
      return sh.flow ? null : yield* evaluateText(sh, text, depth);
    }
    case 'ArithmeticUnary':
      return yield* unary(sh, e, source, depth);
    case 'ArithmeticBinary':
      return yield* binary(sh, e, source, depth);
  }
}

function* assign(sh: Shell, target: ArithmeticExpression, n: bigint): Co<Value> {
  const text = target.type === 'ArithmeticWord' ? target.value.trim() : '';
  const element = /^([A-Za-z_]\w*)\[([\s\S]*)\]$/.exec(text);
  if (element) {
    const v = variable(sh, element[1]);
    const key = v?.assoc ? element[2] : yield* evaluateText(sh, element[2]);
    if (key === null) return null;
    setVar(sh, element[1], String(n), typeof key === 'bigint' ? Number(key) : key);
    return n;
  }
  if (!/^[A-Za-z_]\w*$/.test(text)) return error(sh, 'attempted assignment to non-variable', text);
  return setVar(sh, text, String(n)) ? n : null;
}

function* unary(sh: Shell, e: Extract<ArithmeticExpression, { type: 'ArithmeticUnary' }>, source: string, depth: number): Co<Value> {
  const v = yield* value(sh, e.operand, source, depth);
  if (v === null) return null;
  switch (e.operator) {
    case '-':
      return wrap(-v);
    case '!':
      return v ? 0n : 1n;
    case '~':
      return wrap(~v);
    case '++':
    case '--': {
      const next = wrap(v + (e.operator === '++' ? 1n : -1n));
      if ((yield* assign(sh, e.operand, next)) === null) return null;
      return e.prefix ? next : v;
    }
    default:
      return v;
  }
}

const COMPARE: Record<string, (a: bigint, b: bigint) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

function calculate(op: string, a: bigint, b: bigint): bigint | undefined {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0n ? undefined : a / b;
    case '%':
      return b === 0n ? undefined : a % b;
    case '**':
      return b < 0n ? undefined : a ** b;
    case '<<':
      return a << (b & 63n);
    case '>>':
      return a >> (b & 63n);
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    default:
      return COMPARE[op]?.(a, b) ? 1n : 0n;
  }
}

function* binary(sh: Shell, e: Extract<ArithmeticExpression, { type: 'ArithmeticBinary' }>, source: string, depth: number): Co<Value> {
  if (e.operator === '=') {
    const v = yield* value(sh, e.right, source, depth);
    return v === null ? null : yield* assign(sh, e.left, v);
  }
  const a = yield* value(sh, e.left, source, depth);
  if (a === null) return null;
  if (e.operator === '&&' && !a) return 0n;
  if (e.operator === '||' && a) return 1n;
  const b = yield* value(sh, e.right, source, depth);
  if (b === null) return null;
  if (e.operator === ',') return b;
  if (e.operator === '&&' || e.operator === '||') return b ? 1n : 0n;
  const assignment = /^([^=<>!]+|<<|>>)=$/.exec(e.operator);
  const result = calculate(assignment ? assignment[1] : e.operator, a, b);
  if (result === undefined) return error(sh, e.operator.startsWith('**') ? 'exponent less than 0' : 'division by zero', source);
  return assignment ? yield* assign(sh, e.left, wrap(result)) : wrap(result);
}
