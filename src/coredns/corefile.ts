// The Corefile's syntax (coredns/caddy v1.1, caddyfile/parse.go): server blocks of directives. One cursor walks over the words, and what
// looks like a mistake often is none: a brace that closes too much names a zone, one that is missing ends with the file.
import { lex, type Token } from './lexer.ts';
import { CorefileError } from './types.ts';

export interface Directive {
  name: string;
  args: string[];
  line: number;
  /** The line of the closing brace, when there is one. */
  end?: number;
  /** Lines of the `{ … }` behind it. */
  body: Directive[];
}

export interface ServerBlock {
  keys: string[];
  directives: Directive[];
  /** Directive -> all its words in the block, as caddyfile.ServerBlock keeps them. */
  tokens: Map<string, Token[]>;
}

/** What the parser asks its surroundings. */
export interface Surroundings {
  /** The Corefile's own path, named in mistakes. */
  path: string;
  env: (name: string) => string;
  /** Files that a pattern names. */
  files: (glob: string) => { path: string; text: string }[];
  known: (directive: string) => boolean;
  warn: (text: string) => void;
}

interface Parser extends Surroundings {
  tokens: Token[];
  cursor: number;
  snippets: Map<string, Token[]>;
}

const MOST_SNIPPETS = 1000;

const wordAt = (p: Parser): string => p.tokens[p.cursor]?.text ?? '';

function next(p: Parser): boolean {
  if (p.cursor >= p.tokens.length - 1) return false;
  p.cursor++;
  return true;
}

const newline = (a: Token | undefined, b: Token | undefined): boolean =>
  !a || !b || a.file !== b.file || a.line + a.text.split('\n').length - 1 < b.line;

const isNewLine = (p: Parser): boolean => p.cursor < 1 || newline(p.tokens[p.cursor - 1], p.tokens[p.cursor]);

function nextArg(p: Parser): boolean {
  if (p.cursor >= p.tokens.length - 1 || newline(p.tokens[p.cursor], p.tokens[p.cursor + 1])) return false;
  p.cursor++;
  return true;
}

function mistake(p: Parser, message: string): CorefileError {
  const t = p.tokens[p.cursor];
  return new CorefileError(t?.line ?? 0, message, t?.file);
}

const syntaxError = (p: Parser, expected: string): CorefileError =>
  mistake(p, `Syntax error: Unexpected token '${wordAt(p)}', expecting '${expected}'`);

/** `{%NAME%}` and `{$NAME}`. */
function withEnv(p: Parser, text: string): string {
  let out = text;
  for (const [from, to] of [
    ['{%', '%}'],
    ['{$', '}'],
  ]) {
    for (let at = out.indexOf(from); at >= 0; at = out.indexOf(from)) {
      const end = out.indexOf(to, at);
      if (end <= at + from.length) break;
      out = out.replaceAll(out.slice(at, end + to.length), p.env(out.slice(at + from.length, end)));
    }
  }
  return out;
}

export function parseCorefile(text: string, around: Surroundings): ServerBlock[] {
  const p: Parser = { ...around, tokens: lex(text, around.path), cursor: -1, snippets: new Map() };
  const blocks: ServerBlock[] = [];
  while (next(p)) {
    const block: ServerBlock = { keys: [], directives: [], tokens: new Map() };
    serverBlock(p, block);
    if (block.keys.length) blocks.push(block);
  }
  return blocks;
}

function serverBlock(p: Parser, block: ServerBlock): void {
  if (addresses(p, block)) return;
  const [key] = block.keys;
  if (block.keys.length === 1 && key.startsWith('(') && key.endsWith(')')) {
    snippet(p, key.slice(1, -1));
    block.keys = [];
    return;
  }
  const braces = wordAt(p) === '{';
  // A file with one server needs no braces.
  if (!braces) p.cursor--;
  while (next(p)) {
    if (wordAt(p) === '}') break;
    if (wordAt(p) === 'import') {
      importTokens(p);
      p.cursor--;
    } else directive(p, block);
  }
  if (braces && wordAt(p) !== '}') throw syntaxError(p, '}');
}

/** -> whether the file ended with them */
function addresses(p: Parser, block: ServerBlock): boolean {
  for (;;) {
    const word = withEnv(p, wordAt(p));
    if (word === 'import' && isNewLine(p)) {
      importTokens(p);
      if (p.cursor < 0) p.cursor = 0;
      if (p.cursor >= p.tokens.length) return true;
      continue;
    }
    const another = word.endsWith(',');
    if (word === '{') return false;
    if (word) block.keys.push(another ? word.slice(0, -1) : word);
    const more = next(p);
    if (another && more && wordAt(p) === '{') throw mistake(p, `Expected another address but had '${wordAt(p)}' - check for extra comma`);
    if (another && !more) throw mistake(p, 'Unexpected EOF');
    if (!more) return true;
    // Behind a comma they may go on on the next line.
    if (!another && isNewLine(p)) return false;
  }
}

function snippet(p: Parser, name: string): void {
  if (p.snippets.has(name)) throw mistake(p, `redeclaration of previously declared snippet ${name}`);
  if (wordAt(p) !== '{') throw syntaxError(p, '{');
  const tokens: Token[] = [];
  let depth = 1;
  while (next(p)) {
    if (wordAt(p) === '}' && --depth === 0) break;
    if (wordAt(p) === '{') depth++;
    tokens.push(p.tokens[p.cursor]);
  }
  if (depth) throw syntaxError(p, '}');
  tokens.forEach((t, i) => {
    if (t.text === 'import' && tokens[i + 1]?.text === name && (i === 0 || newline(tokens[i - 1], t)))
      throw mistake(p, `maximum snippet import depth (${MOST_SNIPPETS}) exceeded`);
  });
  p.snippets.set(name, tokens);
}

/** Puts what `import NAME` names in its place, the cursor before it. */
function importTokens(p: Parser): void {
  if (!nextArg(p)) throw mistake(p, `Wrong argument count or unexpected line ending after '${wordAt(p)}'`);
  const pattern = withEnv(p, wordAt(p));
  if (!pattern) throw mistake(p, 'Import requires a non-empty filepath');
  if (nextArg(p)) throw mistake(p, 'Import takes only one argument (glob pattern or file)');
  const known = p.snippets.get(pattern);
  const found = known ? [] : p.files(pattern);
  if (!known && !found.length) {
    if (!/[*?[\]]/.test(pattern)) throw mistake(p, `File to import not found: ${pattern}`);
    p.warn(`No files matching import glob pattern: ${pattern}`);
  }
  const imported = known ?? found.flatMap(f => lex(f.text, f.path));
  p.tokens.splice(p.cursor - 1, 2, ...imported);
  p.cursor--;
}

/** A directive's words end with the line, or with the brace that closes the one on it. */
function directive(p: Parser, block: ServerBlock): void {
  const name = withEnv(p, wordAt(p));
  if (!p.known(name)) throw mistake(p, `Unknown directive '${name}'`);
  const tokens: Token[] = [p.tokens[p.cursor]];
  let depth = 0;
  while (next(p)) {
    const word = wordAt(p);
    if (word === '{') depth++;
    else if (isNewLine(p) && depth === 0) {
      p.cursor--;
      break;
    } else if (word === '}' && depth > 0) depth--;
    else if (word === '}') throw mistake(p, "Unexpected '}' because no matching opening brace");
    else if (word === 'import' && isNewLine(p)) {
      importTokens(p);
      p.cursor--;
      continue;
    }
    const at = p.tokens[p.cursor];
    tokens.push({ ...at, text: withEnv(p, at.text) });
  }
  if (depth > 0) throw mistake(p, 'Unexpected EOF');
  block.tokens.set(name, [...(block.tokens.get(name) ?? []), ...tokens]);
  block.directives.push(tree(tokens, 0)[0]);
}

/** Words as plugins read them (Dispenser.RemainingArgs, NextBlock). -> the directive at `at`, and where the next one may begin */
function tree(tokens: Token[], at: number): [Directive, number] {
  const head = tokens[at];
  const d: Directive = { name: head.text, args: [], line: head.line, body: [] };
  let i = at + 1;
  while (i < tokens.length && !newline(tokens[i - 1], tokens[i]) && tokens[i].text !== '{') d.args.push(tokens[i++].text);
  if (i >= tokens.length || newline(tokens[i - 1], tokens[i])) return [d, i];
  i++;
  while (i < tokens.length && tokens[i].text !== '}') {
    const [child, after] = tree(tokens, i);
    d.body.push(child);
    i = after;
  }
  if (i < tokens.length) d.end = tokens[i].line;
  return [d, i + 1];
}
