// kubectl's JSONPath dialect (k8s.io/client-go v0.36.3, util/jsonpath), with its error texts.

import { sprint } from '../sim/go-print.ts';
import { compareKeys, goJson, goJsonIndent } from './go-json.ts';

interface Param {
  known: boolean;
  value: number;
  derived: boolean;
}

type Node =
  | { type: 'text'; text: string }
  | { type: 'field'; name: string }
  | { type: 'array'; params: Param[] }
  | { type: 'filter'; left: Node[]; right: Node[]; operator: string }
  | { type: 'value'; value: number | boolean }
  | { type: 'wildcard' }
  | { type: 'recursive' }
  | { type: 'union'; parts: Node[][] }
  | { type: 'identifier'; name: string }
  | { type: 'list'; nodes: Node[] };

/** Thrown with Go's words. */
export interface JsonPathError {
  jsonpath: string;
}

function bad(message: string): never {
  throw { jsonpath: message } satisfies JsonPathError;
}

export const isJsonPathError = (e: unknown): e is JsonPathError => typeof e === 'object' && e !== null && 'jsonpath' in e;

interface Parser {
  input: string;
  pos: number;
  start: number;
  root: Node[];
}

const isTerminator = (c: string | undefined) => c === undefined || ' \t\r\n.,[]$@{}'.includes(c);

const consume = (p: Parser): string => {
  const s = p.input.slice(p.start, p.pos);
  p.start = p.pos;
  return s;
};

/** The template's top-level nodes: texts, and one list for each pair of braces. */
export function parseJsonPath(text: string): Node[] {
  const p: Parser = { input: text, pos: 0, start: 0, root: [] };
  for (;;) {
    const brace = text.indexOf('{', p.pos);
    p.pos = brace < 0 ? text.length : brace;
    if (p.pos > p.start) p.root.push({ type: 'text', text: consume(p) });
    if (brace < 0) return p.root;
    p.pos++;
    consume(p);
    const nodes: Node[] = [];
    p.root.push({ type: 'list', nodes });
    parseAction(p, nodes);
  }
}

const inner = (text: string): Node[] => (parseJsonPath(`{${text}}`)[0] as { nodes: Node[] }).nodes;

function parseAction(p: Parser, cur: Node[]): void {
  for (;;) {
    const rest = p.input.slice(p.pos, p.pos + 3);
    if (rest[0] === '}') {
      p.pos++;
      consume(p);
      return;
    }
    if (rest === '[?(') {
      parseFilter(p, cur);
      continue;
    }
    if (rest.startsWith('..')) {
      if (cur.at(-1)?.type === 'recursive') bad('invalid multiple recursive descent');
      p.pos += 2;
      consume(p);
      cur.push({ type: 'recursive' });
      if (/^[\p{L}\p{N}_]/u.test(p.input.slice(p.pos))) parseField(p, cur);
      continue;
    }
    const c = p.input[p.pos++];
    if (c === undefined || c === '\r' || c === '\n') bad('unclosed action');
    if (c === ' ' || c === '@' || c === '$') consume(p);
    else if (c === '[') parseArray(p, cur);
    else if (c === '"' || c === "'") parseQuote(p, cur, c);
    else if (c === '.') parseField(p, cur);
    else if (c === '+' || c === '-' || /\p{Nd}/u.test(c)) {
      p.pos--;
      parseNumber(p, cur);
    } else if (/[\p{L}\p{N}_]/u.test(c)) {
      while (!isTerminator(p.input[p.pos])) p.pos++;
      const word = consume(p);
      cur.push(word === 'true' || word === 'false' ? { type: 'value', value: word === 'true' } : { type: 'identifier', name: word });
    } else {
      const code = (p.input.codePointAt(p.pos - 1) as number).toString(16).toUpperCase().padStart(4, '0');
      bad(`unrecognized character in action: U+${code} '${String.fromCodePoint(p.input.codePointAt(p.pos - 1) as number)}'`);
    }
  }
}

function parseField(p: Parser, cur: Node[]): void {
  consume(p);
  while (!isTerminator(p.input[p.pos])) p.pos += p.input[p.pos] === '\\' ? 2 : 1;
  const value = consume(p);
  cur.push(value === '*' ? { type: 'wildcard' } : { type: 'field', name: value.replaceAll('\\', '') });
}

function parseNumber(p: Parser, cur: Node[]): void {
  if ('+-'.includes(p.input[p.pos])) p.pos++;
  while (p.pos < p.input.length && /[.0-9]/.test(p.input[p.pos])) p.pos++;
  const text = consume(p);
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text)) bad(`cannot parse number ${text}`);
  cur.push({ type: 'value', value: Number(text) });
}

function parseQuote(p: Parser, cur: Node[], quote: string): void {
  for (;;) {
    const c = p.input[p.pos++];
    if (c === undefined || c === '\n') bad('unterminated quoted string');
    if (c === quote && p.input[p.pos - 2] !== '\\') break;
  }
  const text = consume(p);
  cur.push({ type: 'text', text: unquote(text) ?? bad(`unquote string ${text} error invalid syntax`) });
}

/** UnquoteExtend: strconv's escapes, in either kind of quotes. */
export function unquote(text: string): string | null {
  const quote = text[0];
  const s = text.slice(1, -1);
  let out = '';
  const simple: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };
  for (let i = 0; i < s.length; i++) {
    if (s[i] === quote) return null;
    if (s[i] !== '\\') {
      out += s[i];
      continue;
    }
    const c = s[++i];
    if (c in simple) out += simple[c];
    else if (c === quote) out += c;
    else {
      const m = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/.exec(s.slice(i));
      if (!m) return null;
      out += String.fromCodePoint(m[4] ? Number.parseInt(m[4], 8) : Number.parseInt(m[1] ?? m[2] ?? m[3], 16));
      i += m[0].length - 1;
    }
  }
  return out;
}

function parseArray(p: Parser, cur: Node[]): void {
  for (;;) {
    const c = p.input[p.pos++];
    if (c === undefined || c === '\n') bad('unterminated array');
    if (c === ']') break;
  }
  let text = consume(p).slice(1, -1);
  if (text === '*') text = ':';
  const parts = text.split(',');
  if (parts.length > 1) {
    cur.push({ type: 'union', parts: parts.map(s => inner(`[${s.replace(/^ +| +$/g, '')}]`)) });
    return;
  }
  const key = /^'([^']*)'$/.exec(text);
  if (key) {
    cur.push(...inner(`.${key[1]}`));
    return;
  }
  const m = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text);
  if (!m) throw bad(`invalid array index ${text}`);
  const params: Param[] = [];
  for (let i = 0; i < 3; i++) {
    const raw = m[i + 1] ?? '';
    const value = i > 0 ? raw.slice(1) : raw;
    if (raw === '' && i === 1) params.push({ known: true, value: params[0].value + 1, derived: true });
    else if (value === '') params.push({ known: false, value: 0, derived: false });
    else if (value === '-') bad(`array index ${value} is not a number`);
    else params.push({ known: true, value: Number(value), derived: false });
  }
  cur.push({ type: 'array', params });
}

function parseFilter(p: Parser, cur: Node[]): void {
  p.pos += 3;
  consume(p);
  let [begin, end, pair] = [false, false, ''];
  for (;;) {
    const c = p.input[p.pos++];
    if (c === undefined || c === '\n') bad('unterminated filter');
    if (c === '"' || c === "'") {
      if (!begin) {
        begin = true;
        pair = c;
      } else if (p.input[p.pos - 2] !== '\\' && c === pair) end = true;
    } else if (c === ')' && begin === end) break;
  }
  if (p.input[p.pos++] !== ']') bad('unclosed array expect ]');
  const text = consume(p).slice(0, -2);
  const m = /^([^!<>=]+)([!<>=]+)(.+?)$/.exec(text);
  if (m) cur.push({ type: 'filter', left: inner(m[1]), right: inner(m[3]), operator: m[2] });
  else cur.push({ type: 'filter', left: inner(text), right: [], operator: 'exists' });
}

interface Run {
  root: Node[];
  allowMissingKeys: boolean;
  beginRange: number;
  inRange: number;
  endRange: number;
  lastEnd: number;
}

const isMap = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const isNil = (v: unknown) => v === null || v === undefined;

const children = (v: unknown): unknown[] => {
  if (Array.isArray(v)) return v;
  if (isMap(v))
    return Object.keys(v)
      .filter(k => v[k] !== undefined)
      .sort(compareKeys)
      .map(k => v[k]);
  return typeof v === 'string' ? [...v].map(c => c.charCodeAt(0)) : [];
};

function goTypeOf(v: unknown): string {
  if (typeof v === 'string') return 'string';
  if (typeof v === 'boolean') return 'bool';
  if (typeof v === 'number') return Number.isInteger(v) ? 'int64' : 'float64';
  return 'map[string]interface {}';
}

function walkAll(run: Run, input: unknown[], nodes: Node[]): unknown[] {
  let cur = input;
  for (const n of nodes) cur = walk(run, cur, n);
  return cur;
}

function walk(run: Run, input: unknown[], node: Node): unknown[] {
  switch (node.type) {
    case 'list':
      return walkAll(run, input, node.nodes);
    case 'text':
      return [node.text];
    case 'value':
      return input.map(() => node.value);
    case 'field': {
      if (!input.length) return [];
      const out = input.filter(v => isMap(v) && v[node.name] !== undefined).map(v => (v as Record<string, unknown>)[node.name]);
      if (!out.length && !run.allowMissingKeys) bad(`${node.name} is not found`);
      return out;
    }
    case 'array':
      return input.flatMap(v => slice(v, node.params));
    case 'wildcard':
      return input.flatMap(v => (isNil(v) ? [] : children(v)));
    case 'recursive':
      return descend(input);
    case 'union':
      return node.parts.flatMap(part => walkAll(run, input, part));
    case 'filter':
      return input.flatMap(v => filter(run, v, node));
    case 'identifier':
      if (node.name === 'range') {
        run.beginRange++;
        return input;
      }
      if (node.name !== 'end') bad(`unrecognized identifier ${node.name}`);
      if (run.inRange <= 0) bad('not in range, nothing to end');
      run.endRange++;
      return [];
  }
}

function slice(v: unknown, [from, to, by]: Param[]): unknown[] {
  if (isNil(v)) return [];
  if (!Array.isArray(v)) bad(`${goTypeOf(v)} is not array or slice`);
  const items = v as unknown[];
  const n = items.length;
  let a = from.known ? from.value : 0;
  if (a < 0) a += n;
  let b = to.known ? to.value : n;
  if (b < 0 || (b === 0 && to.derived)) b += n;
  if (a === b) return [];
  if (a >= n || a < 0) bad(`array index out of bounds: index ${a}, length ${n}`);
  if (b > n || b < 0) bad(`array index out of bounds: index ${b - 1}, length ${n}`);
  if (a > b) bad(`starting index ${a} is greater than ending index ${b}`);
  if (by.known && by.value <= 0) bad('step must be > 0');
  const step = by.known ? by.value : 1;
  return items.slice(a, b).filter((_, i) => i % step === 0);
}

function descend(input: unknown[]): unknown[] {
  const out: unknown[] = [];
  for (const v of input) {
    if (isNil(v)) continue;
    const inside = children(v);
    if (!inside.length || typeof v === 'string') {
      if (typeof v === 'string' && v.length) out.push(v);
      continue;
    }
    out.push(v, ...descend(inside));
  }
  return out;
}

function filter(run: Run, v: unknown, node: Extract<Node, { type: 'filter' }>): unknown[] {
  if (!Array.isArray(v)) bad(`${sprint(v)} is not array or slice and cannot be filtered`);
  return (v as unknown[]).filter(item => {
    if (node.operator === 'exists') {
      try {
        return walkAll(run, [item], node.left).length > 0;
      } catch (e) {
        if (!isJsonPathError(e)) throw e;
        return false;
      }
    }
    const lefts = walkAll(run, [item], node.left);
    if (!lefts.length) return false;
    if (lefts.length > 1) bad('can only compare one element at a time');
    const rights = walkAll(run, [item], node.right);
    if (!rights.length) return false;
    if (rights.length > 1) bad('can only compare one element at a time');
    return compare(lefts[0], node.operator, rights[0]);
  });
}

function compare(a: any, operator: string, b: any): boolean {
  for (const x of [a, b]) if (typeof x === 'object') bad('invalid type for comparison');
  const kind = (x: unknown) => (typeof x === 'number' ? (Number.isInteger(x) ? 'int' : 'float') : typeof x);
  if (kind(a) !== kind(b)) bad('incompatible types for comparison');
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
    case '>':
    case '<=':
    case '>=':
      if (typeof a === 'boolean') bad('invalid type for comparison');
      return operator === '<' ? a < b : operator === '>' ? a > b : operator === '<=' ? a <= b : a >= b;
    default:
      return bad(`unrecognized filter operator ${operator}`);
  }
}

function find(run: Run, data: unknown, from: number): unknown[][] {
  const all: unknown[][] = [];
  for (let i = from; i < run.root.length; i++) {
    const results = walk(run, [data], run.root[i]);
    if (run.endRange > 0 && run.endRange <= run.inRange) {
      run.endRange--;
      run.lastEnd = i;
      break;
    }
    if (run.beginRange > 0) {
      run.beginRange--;
      run.inRange++;
      if (results.length) for (const v of results) all.push(...find(run, v, i + 1));
      else find(run, null, i + 1);
      run.inRange--;
      if (run.lastEnd > i) i = run.lastEnd;
      continue;
    }
    all.push(results);
  }
  return all;
}

/** Results of each top-level node. */
export function findResults(root: Node[], data: unknown, allowMissingKeys: boolean): unknown[][] {
  return find({ root, allowMissingKeys, beginRange: 0, inRange: 0, endRange: 0, lastEnd: -1 }, data, 0);
}

/** The template filled in; throws JsonPathError. */
export function executeJsonPath(root: Node[], data: unknown, allowMissingKeys: boolean, asJson = false): string {
  let out = '';
  for (const results of findResults(root, data, allowMissingKeys)) {
    if (asJson) {
      out += `${goJsonIndent(results)}\n`;
      continue;
    }
    out += results.map(v => (isNil(v) ? 'null' : typeof v === 'object' ? goJson(v) : sprint(v))).join(' ');
  }
  return out;
}

/** get.RelaxedJSONPathExpression; null: not one. */
export function relaxed(expression: string): string | null {
  if (!expression) return expression;
  const m = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(expression);
  return m ? `{.${m[1] ?? m[2]}}` : null;
}

export const RELAXED_ERROR = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'";
