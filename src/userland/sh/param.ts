// Parameter expansion: ${x}, ${#x}, ${x:-y}, ${x%y}, ${x/y/z}, ${x:1:2}, ${!x}, arrays.
import type { ParameterExpansionPart, ParameterOperation, SimpleExpansionPart, Word } from 'unbash';
import type { Co } from '../../sim/task.ts';
import { evaluateText } from './arith.ts';
import { arrayText, attributes } from './builtins-vars.ts';
import { addExpanded, addList, addQuoted, expandPattern, expandString, newOut, type Out, walkWord, wordOf } from './expand.ts';
import { matches, patternSource } from './glob.ts';
import { fail } from './messages.ts';
import { expandPrompt } from './prompt.ts';
import { declared, declaredKey, reusable } from './quote.ts';
import { bashLike, type Shell } from './types.ts';
import { arrayKeys, arrayValues, getParam, ifs, setVar, variable } from './vars.ts';

/** What a reference means before its operation. */
interface Found {
  /** Set for `@`, `*` and whole arrays. */
  list: string[] | null;
  star: boolean;
  value: string | undefined;
}

/** dash and ash have no arrays: `${x[1]}` is an error when it is reached. */
const foreign = (sh: Shell, part: ParameterExpansionPart): boolean => part.index !== undefined && !bashLike(sh);

export function* expandParameter(sh: Shell, part: SimpleExpansionPart | ParameterExpansionPart, out: Out, quoted: boolean): Co<void> {
  if (part.type === 'SimpleExpansion') {
    const name = part.text.slice(1);
    if (name === '@' || name === '*') return emit(sh, out, { list: sh.args, star: name === '*', value: undefined }, quoted);
    const value = getParam(sh, name);
    if (value === undefined) return unset(sh, name);
    if (quoted) addQuoted(out, value);
    else addExpanded(sh, out, value);
    return;
  }
  if (part.operation?.type === 'Unknown') return badSubstitution(sh, part.text);
  const op = part.operation;
  if (foreign(sh, part)) return badSubstitution(sh, part.text);
  if (part.prefix === '!' && !bashLike(sh)) return badSubstitution(sh, part.text);
  if (part.prefix === '!') return yield* indirect(sh, part, out, quoted);
  const found = yield* find(sh, part.parameter, part.index);
  if (sh.flow) return;
  if (part.prefix === '#') {
    if (found.list === null && found.value === undefined) unset(sh, part.parameter);
    return emit(
      sh,
      out,
      scalar(String(found.list && part.parameter !== '#' ? found.list.length : [...(found.value ?? '')].length)),
      quoted,
    );
  }
  if (op?.type === 'Default') return yield* defaults(sh, part, op, found, out, quoted);
  if (!op) {
    if (found.list === null && found.value === undefined) return unset(sh, part.parameter);
    return emit(sh, out, found, quoted);
  }
  yield* operate(sh, part, op, found, out, quoted);
}

const scalar = (value: string | undefined): Found => ({ list: null, star: false, value });

function* find(sh: Shell, name: string, index: Word | undefined): Co<Found> {
  if (name === '@' || name === '*') return { list: sh.args, star: name === '*', value: undefined };
  if (!index) return scalar(getParam(sh, name));
  if (index.text === '@' || index.text === '*') return { list: arrayValues(sh, name) ?? [], star: index.text === '*', value: undefined };
  return scalar(yield* element(sh, name, index));
}

function* element(sh: Shell, name: string, index: Word): Co<string | undefined> {
  const v = variable(sh, name);
  if (v?.assoc) return v.assoc.get(yield* expandString(sh, index));
  const at = yield* evaluateText(sh, yield* expandString(sh, index));
  if (at === null) return undefined;
  const n = Number(at);
  if (/^(FUNCNAME|BASH_LINENO|BASH_SOURCE|BASH_VERSINFO)$/.test(name) && !v) {
    const list = arrayValues(sh, name) ?? [];
    return list[n < 0 ? list.length + n : n];
  }
  if (name === 'PIPESTATUS') return sh.pipestatus[n] === undefined ? undefined : String(sh.pipestatus[n]);
  if (v?.array) {
    const max = Math.max(-1, ...v.array.keys());
    return v.array.get(n < 0 ? max + 1 + n : n);
  }
  return n === 0 || n === -1 ? getParam(sh, name) : undefined;
}

function emit(sh: Shell, out: Out, found: Found, quoted: boolean): void {
  if (found.list) {
    if (quoted && found.star) addQuoted(out, found.list.join(ifs(sh).slice(0, 1)));
    else addList(sh, out, found.list, quoted);
  } else if (quoted) addQuoted(out, found.value ?? '');
  else addExpanded(sh, out, found.value ?? '');
}

/** `set -u` */
function unset(sh: Shell, name: string): void {
  if (!sh.options.has('u') || name === '@' || name === '*') return;
  fail(sh, bashLike(sh) ? `${name.match(/^\d/) ? `$${name}` : name}: unbound variable` : `${name}: parameter not set`);
  sh.status = bashLike(sh) ? (sh.interactive || sh.subshell ? 1 : 127) : 2;
  sh.flow = { kind: 'exit', levels: 0 };
}

function badSubstitution(sh: Shell, text: string): void {
  fail(sh, sh.kind === 'dash' ? 'Bad substitution' : sh.kind === 'ash' ? 'syntax error: bad substitution' : `${text}: bad substitution`);
  sh.status = bashLike(sh) ? 1 : 2;
  sh.flow = { kind: 'exit', levels: 0 };
}

function* defaults(
  sh: Shell,
  part: ParameterExpansionPart,
  op: Extract<ParameterOperation, { type: 'Default' }>,
  found: Found,
  out: Out,
  quoted: boolean,
): Co<void> {
  const colon = op.operator.startsWith(':');
  const kind = op.operator.slice(-1);
  const isSet = found.list ? found.list.length > 0 : found.value !== undefined;
  const empty = found.list ? found.list.join('') === '' : found.value === '';
  const use = isSet && !(colon && empty);
  if (kind === '+') {
    if (use) yield* walkWord(sh, op.operand, out, quoted);
    return;
  }
  if (use) return emit(sh, out, found, quoted);
  if (kind === '-') return yield* walkWord(sh, op.operand, out, quoted);
  const inner = newOut(false);
  yield* walkWord(sh, op.operand, inner, quoted);
  const text = inner.fields.map(f => f.text).join(' ');
  if (sh.flow) return;
  if (kind === '=') {
    if (setVar(sh, part.parameter, text)) emit(sh, out, scalar(text), quoted);
    return;
  }
  const standard = bashLike(sh)
    ? colon
      ? 'parameter null or not set'
      : 'parameter not set'
    : colon
      ? 'parameter not set or null'
      : 'parameter not set';
  fail(sh, `${part.parameter}: ${text || standard}`);
  sh.status = bashLike(sh) ? (sh.interactive || sh.subshell ? 1 : 127) : 2;
  sh.flow = { kind: 'exit', levels: 0 };
}

function* indirect(sh: Shell, part: ParameterExpansionPart, out: Out, quoted: boolean): Co<void> {
  if (part.operation?.type === 'Names') {
    const names = [...sh.vars.keys()].filter(name => name.startsWith(part.parameter)).sort();
    return emit(sh, out, { list: names, star: part.operation.operator === '*', value: undefined }, quoted);
  }
  if (part.index && (part.index.text === '@' || part.index.text === '*'))
    return emit(sh, out, { list: arrayKeys(sh, part.parameter), star: part.index.text === '*', value: undefined }, quoted);
  const name = part.index ? yield* element(sh, part.parameter, part.index) : getParam(sh, part.parameter);
  if (!name) return badSubstitution(sh, `${part.parameter}: invalid indirect expansion`);
  const m = /^(\w+)\[(.+)\]$/.exec(name);
  const found = m
    ? m[2] === '@' || m[2] === '*'
      ? { list: arrayValues(sh, m[1]) ?? [], star: m[2] === '*', value: undefined }
      : scalar(variable(sh, m[1])?.array?.get(Number(m[2])) ?? variable(sh, m[1])?.assoc?.get(m[2]))
    : scalar(getParam(sh, name));
  if (part.operation?.type === 'Default') return yield* defaults(sh, part, part.operation, found, out, quoted);
  if (part.operation) return yield* operate(sh, part, part.operation, found, out, quoted);
  emit(sh, out, found, quoted);
}

function* operate(sh: Shell, part: ParameterExpansionPart, op: ParameterOperation, found: Found, out: Out, quoted: boolean): Co<void> {
  if (found.list === null && found.value === undefined) {
    unset(sh, part.parameter);
    if (sh.flow) return;
  }
  if (op.type !== 'Remove' && sh.kind === 'dash') return badSubstitution(sh, part.text);
  if ((op.type === 'CaseModification' || op.type === 'Transform') && sh.kind === 'ash') return badSubstitution(sh, part.text);
  if (op.type === 'Slice') return yield* slice(sh, part, op, found, out, quoted);
  if (op.type === 'Transform' && /^[aAkK]$/.test(op.operand.text)) return emit(sh, out, describe(sh, part, op.operand.text, found), quoted);
  const change = yield* changer(sh, op, quoted);
  if (sh.flow) return;
  if (found.list) emit(sh, out, { ...found, list: found.list.map(change) }, quoted);
  else emit(sh, out, scalar(found.value === undefined ? '' : change(found.value)), quoted);
}

function* changer(sh: Shell, op: ParameterOperation, quoted: boolean): Co<(s: string) => string> {
  const extended = bashLike(sh);
  if (op.type === 'Remove') {
    const pattern = yield* expandPattern(sh, op.operand, quoted);
    return s => removeMatch(s, pattern, op.operator, extended);
  }
  if (op.type === 'Replace') {
    const pattern = yield* expandPattern(sh, op.pattern, quoted);
    const by = yield* expandString(sh, op.replacement);
    if (!pattern && op.operator === '/#') return s => by + s;
    if (!pattern && op.operator === '/%') return s => s + by;
    if (!pattern) return s => s;
    const source = patternSource(pattern, { extended });
    const re = new RegExp(
      op.operator === '/#' ? `^(?:${source})` : op.operator === '/%' ? `(?:${source})$` : source,
      op.operator === '//' ? 'g' : '',
    );
    return s => s.replace(re, () => by);
  }
  if (op.type === 'CaseModification') {
    const pattern = op.operand ? yield* expandPattern(sh, op.operand, quoted) : '?';
    const up = op.operator.startsWith('^');
    const turn = (c: string) => (matches(c, pattern || '?', extended) ? (up ? c.toUpperCase() : c.toLowerCase()) : c);
    return s => (op.operator.length === 2 ? [...s].map(turn).join('') : s ? turn(s[0]) + s.slice(1) : s);
  }
  if (op.type === 'Transform') return transform(sh, yield* expandString(sh, op.operand));
  return s => s;
}

/** What stands between $' and '. */
function ansiValue(s: string): string {
  const part = wordOf(`$'${s.replace(/'/g, "\\'")}'`).parts?.[0];
  return part?.type === 'AnsiCQuoted' ? part.value : s;
}

/** ${x@A}, ${x@a}, ${x[@]@K}: what the variable is, and the assignment that would make it again. */
function describe(sh: Shell, part: ParameterExpansionPart, letter: string, found: Found): Found {
  const v = variable(sh, part.parameter);
  const letters = v ? attributes(v) : '';
  if (letter === 'a') return found.list ? { ...found, list: found.list.map(() => letters) } : scalar(letters);
  const keys = arrayKeys(sh, part.parameter);
  if (letter === 'A') {
    if (found.value === undefined && !found.list) return scalar('');
    const value =
      found.list && v && (v.array || v.assoc) ? arrayText(v) : reusable(found.list ? found.list.join(' ') : (found.value ?? ''));
    return scalar(letters ? `declare -${letters} ${part.parameter}=${value}` : `${part.parameter}=${value}`);
  }
  if (!found.list) return scalar(reusable(found.value ?? ''));
  const list = found.list;
  if (letter === 'k') return { ...found, list: keys.flatMap((k, i) => [k, list[i]]) };
  return scalar(keys.map((k, i) => `${declaredKey(k)} ${declared(list[i])}`).join(' ') + (v?.assoc ? ' ' : ''));
}

function transform(sh: Shell, letter: string): (s: string) => string {
  switch (letter) {
    case 'Q':
      return reusable;
    case 'E':
      return ansiValue;
    case 'P':
      return s => expandPrompt(sh, s);
    case 'U':
      return s => s.toUpperCase();
    case 'u':
      return s => s.slice(0, 1).toUpperCase() + s.slice(1);
    case 'L':
      return s => s.toLowerCase();
    default:
      return s => s;
  }
}

function removeMatch(s: string, pattern: string, operator: string, extended: boolean): string {
  if (operator === '#' || operator === '##') {
    const order = operator === '#' ? range(0, s.length, 1) : range(s.length, 0, -1);
    for (const n of order) if (matches(s.slice(0, n), pattern, extended)) return s.slice(n);
    return s;
  }
  const order = operator === '%' ? range(s.length, 0, -1) : range(0, s.length, 1);
  for (const n of order) if (matches(s.slice(n), pattern, extended)) return s.slice(0, n);
  return s;
}

function range(from: number, to: number, by: number): number[] {
  const out: number[] = [];
  for (let i = from; by > 0 ? i <= to : i >= to; i += by) out.push(i);
  return out;
}

function* slice(
  sh: Shell,
  part: ParameterExpansionPart,
  op: Extract<ParameterOperation, { type: 'Slice' }>,
  found: Found,
  out: Out,
  quoted: boolean,
): Co<void> {
  const from = yield* evaluateText(sh, yield* expandString(sh, op.offset));
  const length = op.length ? yield* evaluateText(sh, yield* expandString(sh, op.length)) : undefined;
  if (from === null || length === null) return;
  let at = Number(from);
  const n = length === undefined ? undefined : Number(length);
  if (found.list) {
    // Positional parameters count from 1, and 0 is the shell's name.
    const positional = part.parameter === '@' || part.parameter === '*';
    const list = positional ? [sh.name, ...found.list] : found.list;
    if (at < 0) at = Math.max(0, list.length + at);
    return emit(sh, out, { ...found, list: list.slice(at, n === undefined ? undefined : n < 0 ? n : at + n) }, quoted);
  }
  const s = found.value ?? '';
  if (at < 0) at = Math.max(0, s.length + at);
  emit(sh, out, scalar(s.slice(at, n === undefined ? undefined : n < 0 ? s.length + n : at + n)), quoted);
}
