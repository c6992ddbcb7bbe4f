// Go's text/template: from text to nodes (text/template/parse).

import { goQuote } from '../quote.ts';
export interface Command {
  args: Expr[];
}
export interface Pipe {
  /** `$x :=` or `$i, $x =` */
  vars: string[];
  declare: boolean;
  commands: Command[];
}
interface At {
  /** As an error names it. */
  text: string;
  at: number;
}
export type Expr = At &
  (
    | { type: 'dot' }
    | { type: 'nil' }
    | { type: 'literal'; value: unknown }
    | { type: 'function'; name: string }
    | { type: 'field'; names: string[] }
    | { type: 'variable'; name: string; names: string[] }
    | { type: 'chain'; of: Expr; names: string[] }
    | { type: 'pipe'; pipe: Pipe }
  );
export type Node =
  | { type: 'text'; text: string }
  | { type: 'action'; pipe: Pipe }
  | { type: 'if' | 'with' | 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { type: 'break' | 'continue' }
  | { type: 'template'; name: string; pipe: Pipe | null; at: number };

export interface Template {
  /** As errors say it. */
  name: string;
  text: string;
  main: Node[];
  defined: Map<string, Node[]>;
}

/** Thrown; without a prefix of the program's own. */
export interface TemplateError {
  template: string;
}
export const isTemplateError = (e: unknown): e is TemplateError => typeof e === 'object' && e !== null && 'template' in e;

interface Token {
  kind: 'text' | 'left' | 'right' | 'space' | 'word' | 'field' | 'variable' | 'string' | 'char' | 'number' | 'symbol';
  text: string;
  at: number;
}

const KEYWORDS = new Set(['if', 'else', 'end', 'range', 'with', 'template', 'define', 'block', 'break', 'continue', 'nil']);

const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length;

/** Without the template's name, which parseTemplate puts before it. */
function parseError(text: string, at: number, message: string): never {
  throw { template: `${lineOf(text, at)}: ${message}` } satisfies TemplateError;
}

function lex(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    let piece = text.slice(at, open < 0 ? text.length : open);
    if (trimNext) piece = piece.replace(/^[ \t\r\n]+/, '');
    const trim = open >= 0 && /^\{\{-[ \t\r\n]/.test(text.slice(open, open + 4));
    if (trim) piece = piece.replace(/[ \t\r\n]+$/, '');
    if (piece) tokens.push({ kind: 'text', text: piece, at });
    if (open < 0) break;
    at = open + (trim ? 3 : 2);
    const comment = /^\s*\/\*/.exec(text.slice(at));
    if (comment) {
      const end = text.indexOf('*/', at);
      if (end < 0) parseError(text, open, 'unclosed comment');
      const close = /^\*\/(\s+-)?\}\}/.exec(text.slice(end));
      if (!close) return parseError(text, end, 'comment ends before closing delimiter');
      at = end + close[0].length;
      trimNext = close[1] !== undefined;
      continue;
    }
    tokens.push({ kind: 'left', text: '{{', at: open });
    at = lexInside(text, at, tokens);
    trimNext = tokens[tokens.length - 1].text.length > 2;
  }
  return tokens;
}

const INSIDE: [Token['kind'], RegExp][] = [
  ['right', /(?:[ \t\r\n]-)?\}\}/y],
  ['space', /[ \t\r\n]+/y],
  ['string', /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\.)+'/y],
  ['number', /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)/y],
  ['field', /\.[A-Za-z0-9_\p{L}]+/uy],
  ['variable', /\$[A-Za-z0-9_\p{L}]*/uy],
  ['word', /[A-Za-z_\p{L}][A-Za-z0-9_\p{L}]*/uy],
  ['symbol', /:=|[=|(),.]/y],
];

function lexInside(text: string, start: number, tokens: Token[]): number {
  let at = start;
  let parens = 0;
  while (at < text.length) {
    let hit = false;
    for (const [kind, re] of INSIDE) {
      re.lastIndex = at;
      const m = re.exec(text);
      if (!m) continue;
      tokens.push({ kind, text: m[0], at });
      at += m[0].length;
      if (kind === 'right') {
        if (parens) parseError(text, at, 'unclosed left paren');
        return at;
      }
      if (m[0] === '(') parens++;
      if (m[0] === ')' && --parens < 0) parseError(text, at, 'unexpected right paren');
      hit = true;
      break;
    }
    if (hit) continue;
    const c = text[at];
    if (c === '"') parseError(text, at, 'unterminated quoted string');
    if (c === '`') parseError(text, at, 'unterminated raw quoted string');
    if (c === "'") parseError(text, at, 'unterminated character constant');
    if (c === ':') parseError(text, at, 'expected :=');
    const code = (text.codePointAt(at) as number).toString(16).toUpperCase().padStart(4, '0');
    parseError(text, at, `unrecognized character in action: U+${code} '${c}'`);
  }
  return parseError(text, at, 'unclosed action');
}

interface Parser {
  text: string;
  tokens: Token[];
  at: number;
  vars: string[];
  functions: ReadonlySet<string>;
  defined: Map<string, Node[]>;
  loops: number;
}

/** Throws a TemplateError. `functions`: their names, the built-in ones too. */
export function parseTemplate(name: string, text: string, functions: ReadonlySet<string>): Template {
  try {
    const p: Parser = { text, tokens: lex(text), at: 0, vars: ['$'], functions, defined: new Map(), loops: 0 };
    const { nodes, end } = parseList(p, 'template');
    if (end) parseError(text, p.tokens[Math.max(0, p.at - 1)].at, `unexpected {{${end}}}`);
    return { name, text, main: nodes, defined: p.defined };
  } catch (e) {
    if (isTemplateError(e)) throw { template: `template: ${name}:${e.template}` } satisfies TemplateError;
    throw e;
  }
}

const here = (p: Parser): number => p.tokens[p.at]?.at ?? p.text.length;

function peek(p: Parser): Token | undefined {
  return p.tokens[p.at];
}

function skipSpace(p: Parser): void {
  while (peek(p)?.kind === 'space') p.at++;
}

function describe(t: Token | undefined): string {
  if (!t) return 'EOF';
  if (t.kind === 'word' && KEYWORDS.has(t.text)) return `<${t.text}>`;
  return t.text.length > 10 ? `${goQuote(t.text.slice(0, 10))}...` : goQuote(t.text);
}

function unexpected(p: Parser, context: string): never {
  return parseError(p.text, here(p), `unexpected ${describe(peek(p))} in ${context}`);
}

/** Nodes up to {{end}} or {{else}}; `end` is the word that ended them. */
function parseList(p: Parser, context: string): { nodes: Node[]; end: '' | 'end' | 'else' } {
  const nodes: Node[] = [];
  for (;;) {
    const t = peek(p);
    if (!t) {
      if (context !== 'template') parseError(p.text, p.text.length, 'unexpected EOF');
      return { nodes, end: '' };
    }
    p.at++;
    if (t.kind === 'text') {
      nodes.push({ type: 'text', text: t.text });
      continue;
    }
    skipSpace(p);
    const word = peek(p);
    if (word?.kind !== 'word' || !KEYWORDS.has(word.text) || word.text === 'nil') {
      nodes.push({ type: 'action', pipe: parsePipe(p, 'command', 'right') });
      continue;
    }
    p.at++;
    switch (word.text) {
      case 'end':
        closeAction(p, 'end');
        return { nodes, end: 'end' };
      case 'else':
        return { nodes, end: 'else' };
      case 'if':
      case 'with':
      case 'range':
        nodes.push(parseControl(p, word.text));
        break;
      case 'break':
      case 'continue':
        if (!p.loops) parseError(p.text, word.at, `{{${word.text}}} outside {{range}}`);
        closeAction(p, word.text);
        nodes.push({ type: word.text });
        break;
      case 'define':
      case 'block':
      case 'template':
        parseNamed(p, word, nodes);
        break;
    }
  }
}

function closeAction(p: Parser, context: string): void {
  skipSpace(p);
  if (peek(p)?.kind !== 'right') unexpected(p, context);
  p.at++;
}

function parseControl(p: Parser, type: 'if' | 'with' | 'range'): Node {
  const vars = p.vars.length;
  const pipe = parsePipe(p, type, 'right');
  if (type === 'range') p.loops++;
  const list = parseList(p, type);
  if (type === 'range') p.loops--;
  let otherwise: Node[] = [];
  if (list.end === 'else') {
    skipSpace(p);
    const next = peek(p);
    if (next?.kind === 'word' && ((type === 'if' && next.text === 'if') || (type === 'with' && next.text === 'with'))) {
      p.at++;
      otherwise = [parseControl(p, type)];
    } else {
      closeAction(p, 'else');
      const rest = parseList(p, type);
      if (rest.end !== 'end') parseError(p.text, here(p), `expected end; found {{else}}`);
      otherwise = rest.nodes;
    }
  }
  p.vars.length = vars;
  return { type, pipe, body: list.nodes, otherwise };
}

function parseNamed(p: Parser, word: Token, nodes: Node[]): void {
  skipSpace(p);
  const t = peek(p);
  if (t?.kind !== 'string') unexpected(p, `${word.text} clause`);
  p.at++;
  const name = ungoQuote((t as Token).text);
  if (word.text === 'define') {
    closeAction(p, 'define clause');
    const outer = p.vars;
    p.vars = ['$'];
    p.defined.set(name, parseList(p, 'define').nodes);
    p.vars = outer;
    return;
  }
  skipSpace(p);
  let pipe: Pipe | null = null;
  if (peek(p)?.kind === 'right' && word.text === 'template') p.at++;
  else pipe = parsePipe(p, word.text === 'block' ? 'block clause' : 'template clause', 'right');
  if (word.text === 'block') {
    const outer = p.vars;
    p.vars = ['$'];
    p.defined.set(name, parseList(p, 'block').nodes);
    p.vars = outer;
  }
  nodes.push({ type: 'template', name, pipe, at: word.at });
}

function parsePipe(p: Parser, context: string, end: 'right' | ')'): Pipe {
  const pipe: Pipe = { vars: [], declare: true, commands: [] };
  parseDeclaration(p, pipe, context);
  for (;;) {
    skipSpace(p);
    const t = peek(p);
    if (t && (end === 'right' ? t.kind === 'right' : t.text === ')')) {
      p.at++;
      if (!pipe.commands.length) parseError(p.text, t.at, `missing value for ${context}`);
      pipe.commands.slice(1).forEach((c, i) => {
        const first = c.args[0];
        if (first.type === 'dot' || first.type === 'nil' || first.type === 'literal')
          parseError(p.text, t.at, `non executable command in pipeline stage ${i + 2}`);
      });
      return pipe;
    }
    pipe.commands.push(parseCommand(p, context));
  }
}

function parseDeclaration(p: Parser, pipe: Pipe, context: string): void {
  for (;;) {
    skipSpace(p);
    const start = p.at;
    const v = peek(p);
    if (v?.kind !== 'variable') return;
    p.at++;
    skipSpace(p);
    const next = peek(p);
    if (next?.text === ':=' || next?.text === '=') {
      p.at++;
      pipe.declare = next.text === ':=';
      pipe.vars.push(v.text);
      if (pipe.declare) p.vars.push(v.text);
      return;
    }
    if (next?.text === ',' && context === 'range' && !pipe.vars.length) {
      p.at++;
      pipe.vars.push(v.text);
      p.vars.push(v.text);
      continue;
    }
    p.at = start;
    return;
  }
}

function parseCommand(p: Parser, context: string): Command {
  const args: Expr[] = [];
  for (;;) {
    skipSpace(p);
    const e = parseOperand(p);
    if (e) args.push(e);
    const t = peek(p);
    if (t?.kind === 'space') continue;
    if (t?.text === '|') {
      p.at++;
      skipSpace(p);
      const after = peek(p);
      if (!after || after.kind === 'right' || after.text === ')') parseError(p.text, here(p), `missing value for ${context}`);
    } else if (t?.kind !== 'right' && t?.text !== ')') unexpected(p, e ? 'operand' : context);
    break;
  }
  if (!args.length) parseError(p.text, here(p), 'empty command');
  return { args };
}

function fields(p: Parser): string[] {
  const names: string[] = [];
  while (peek(p)?.kind === 'field') names.push((p.tokens[p.at++] as Token).text.slice(1));
  return names;
}

function parseOperand(p: Parser): Expr | null {
  const t = peek(p);
  if (!t) return null;
  const where = { text: t.text, at: t.at };
  switch (t.kind) {
    case 'field': {
      // A chain of fields is placed where its second one is.
      const at = p.tokens[p.at + 1]?.kind === 'field' ? p.tokens[p.at + 1].at : t.at;
      const names = fields(p);
      return { ...where, at, type: 'field', names, text: names.map(n => `.${n}`).join('') };
    }
    case 'variable': {
      p.at++;
      if (!p.vars.includes(t.text)) parseError(p.text, t.at, `undefined variable ${goQuote(t.text)}`);
      const at = peek(p)?.kind === 'field' ? here(p) : t.at;
      const names = fields(p);
      return { ...where, at, type: 'variable', name: t.text, names, text: [t.text, ...names].join('.') };
    }
    case 'string':
      p.at++;
      return { ...where, type: 'literal', value: ungoQuote(t.text) };
    case 'char':
      p.at++;
      return { ...where, type: 'literal', value: BigInt(ungoQuote(`"${t.text.slice(1, -1).replace(/^"$/, '\\"')}"`).codePointAt(0) ?? 0) };
    case 'number':
      p.at++;
      return { ...where, type: 'literal', value: number(p, t) };
    case 'word':
      return parseWord(p, t, where);
    case 'symbol':
      if (t.text === '.') {
        p.at++;
        return { ...where, type: 'dot' };
      }
      if (t.text === '(') {
        p.at++;
        const inner: Expr = { ...where, type: 'pipe', pipe: parsePipe(p, 'parenthesized pipeline', ')') };
        const names = fields(p);
        return names.length ? { ...where, type: 'chain', of: inner, names } : inner;
      }
      return null;
    default:
      return null;
  }
}

function parseWord(p: Parser, t: Token, where: At): Expr {
  p.at++;
  if (t.text === 'true' || t.text === 'false') return { ...where, type: 'literal', value: t.text === 'true' };
  if (t.text === 'nil') return { ...where, type: 'nil' };
  if (!p.functions.has(t.text)) parseError(p.text, t.at, `function ${goQuote(t.text)} not defined`);
  const f: Expr = { ...where, type: 'function', name: t.text };
  const names = fields(p);
  return names.length ? { ...where, type: 'chain', of: f, names } : f;
}

/** Whole numbers are Go's int, a bigint here; the others float64. */
function number(p: Parser, t: Token): bigint | number {
  const s = t.text.replace(/_/g, '');
  const sign = s[0] === '-' ? -1n : 1n;
  const digits = s.replace(/^[+-]/, '');
  if (/^(0[xXbBoO][0-9a-fA-F]+|[0-9]+)$/.test(digits)) return sign * BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const f = Number(s);
  return Number.isNaN(f) ? parseError(p.text, t.at, `bad number syntax: ${goQuote(t.text)}`) : f;
}

function ungoQuote(s: string): string {
  if (s[0] === '`') return s.slice(1, -1);
  return s.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g, (_, e: string) => {
    const plain = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }[e];
    if (plain) return plain;
    if (/^[xuU]./.test(e)) return String.fromCodePoint(Number.parseInt(e.slice(1), 16));
    if (/^[0-7]{3}$/.test(e)) return String.fromCharCode(Number.parseInt(e, 8));
    return e;
  });
}
