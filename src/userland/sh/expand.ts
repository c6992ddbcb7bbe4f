// Word expansion: POSIX XCU 2.6 in its order, and bash's additions.
import { type DoubleQuotedChild, type HereDocBody, parse, type Word, type WordPart } from 'unbash';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { evaluate } from './arith.ts';
import { expandBraces } from './brace.ts';
import { hasGlob, pathnames, quotePattern } from './glob.ts';
import { fail } from './messages.ts';
import { expandParameter } from './param.ts';
import { processSubstitution } from './redirect.ts';
import { substitute } from './subshell.ts';
import { bashLike, type Shell } from './types.ts';
import { getParam, ifs } from './vars.ts';

/** A word while it is being expanded: its text, and the same as a pattern in which quoted characters are escaped. */
interface Field {
  text: string;
  pattern: string;
  /** Something was there, even if empty: `""`. */
  present: boolean;
}

/** Where expansions go. `split`: results of unquoted expansions become several fields. */
export interface Out {
  fields: Field[];
  split: boolean;
  /** An IFS separator ended the last field: what follows begins a new one. */
  pendingBreak: boolean;
}

const newField = (): Field => ({ text: '', pattern: '', present: false });
export const newOut = (split: boolean): Out => ({ fields: [newField()], split, pendingBreak: false });

function current(out: Out): Field {
  if (out.pendingBreak) {
    out.pendingBreak = false;
    out.fields.push(newField());
  }
  return out.fields[out.fields.length - 1];
}

export function addQuoted(out: Out, s: string): void {
  const f = current(out);
  f.text += s;
  f.pattern += quotePattern(s);
  f.present = true;
}

function addLiteral(out: Out, s: string): void {
  if (!s) return;
  const f = current(out);
  f.text += s;
  f.pattern += s;
  f.present = true;
}

/** The result of an unquoted expansion: split at IFS, its glob characters act. */
export function addExpanded(sh: Shell, out: Out, s: string): void {
  if (!s) return;
  const separators = ifs(sh);
  // A backslash in a value is an ordinary character, though one that still escapes in a pattern.
  if (!out.split || !separators) {
    const f = current(out);
    f.text += s;
    f.pattern += s.replace(/\\/g, '\\\\');
    f.present = true;
    return;
  }
  const white = [...separators].filter(c => ' \t\n'.includes(c)).join('');
  let i = 0;
  const n = s.length;
  const isWhite = (c: string) => white.includes(c);
  if (isWhite(s[0])) {
    while (i < n && isWhite(s[i])) i++;
    if (out.fields[out.fields.length - 1].present) out.pendingBreak = true;
  }
  while (i < n) {
    let j = i;
    while (j < n && !separators.includes(s[j])) j++;
    const piece = s.slice(i, j);
    const f = current(out);
    f.text += piece;
    f.pattern += piece.replace(/\\/g, '\\\\');
    f.present = true;
    if (j >= n) return;
    i = j;
    while (i < n && isWhite(s[i])) i++;
    if (i < n && !isWhite(s[i]) && separators.includes(s[i])) {
      i++;
      while (i < n && isWhite(s[i])) i++;
    }
    out.pendingBreak = true;
  }
}

/** Several values, each a field of its own: "$@" and "${a[@]}". */
export function addList(sh: Shell, out: Out, values: string[], quoted: boolean): void {
  if (!out.split) {
    const joined = values.join(' ');
    if (quoted) addQuoted(out, joined);
    else addExpanded(sh, out, joined);
    return;
  }
  values.forEach((value, i) => {
    if (i > 0) out.pendingBreak = true;
    if (quoted) addQuoted(out, value);
    else if (value) addExpanded(sh, out, value);
  });
}

/** Literal text as it stands in the source, unquoted: a backslash quotes what follows. */
function addSource(out: Out, text: string): void {
  if (!text.includes('\\')) {
    addLiteral(out, text);
    return;
  }
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') continue;
    addLiteral(out, text.slice(from, i));
    i++;
    if (i < text.length && text[i] !== '\n') addQuoted(out, text[i]);
    else if (i >= text.length) addQuoted(out, '\\');
    from = i + 1;
  }
  addLiteral(out, text.slice(from));
}

/** Inside double quotes a backslash quotes only $ ` " \ and newline. */
const unescapeDouble = (text: string): string =>
  text.includes('\\') ? text.replace(/\\([$`"\\]|\n)/g, (_, c) => (c === '\n' ? '' : c)) : text;
const unescapeHereDoc = (text: string): string =>
  text.includes('\\') ? text.replace(/\\([$`\\]|\n)/g, (_, c) => (c === '\n' ? '' : c)) : text;

function* addTilde(sh: Shell, out: Out, text: string): Co<string> {
  const m = /^~([A-Za-z_][\w-]*|[+-])?(?=\/|$|:)/.exec(text);
  if (!m) return text;
  const home =
    m[1] === '+' ? sh.p.cwd : m[1] === '-' ? (getParam(sh, 'OLDPWD') ?? '~-') : m[1] ? homeOf(sh, m[1]) : (getParam(sh, 'HOME') ?? '/root');
  addQuoted(out, home);
  return text.slice(m[0].length);
}

/** The home in /etc/passwd; an unknown user's name stays as it is. */
function homeOf(sh: Shell, user: string): string {
  const passwd = readFile(sh.p.fs, '/etc/passwd', sh.p);
  const lines = typeof passwd === 'string' ? [] : bytesToString(passwd).split('\n');
  return lines.map(l => l.split(':')).find(f => f[0] === user)?.[5] ?? `~${user}`;
}

/** Expand a word into `out`. `quoted`: it stands inside double quotes (the operand of "${x:-word}"). */
export function* walkWord(sh: Shell, word: Word, out: Out, quoted: boolean, tilde = true): Co<void> {
  if (!word.parts) {
    if (quoted) return addQuoted(out, unescapeDouble(word.text));
    return addSource(out, tilde && word.text.startsWith('~') ? yield* addTilde(sh, out, word.text) : word.text);
  }
  for (let i = 0; i < word.parts.length; i++) {
    const part = word.parts[i];
    if (
      i === 0 &&
      tilde &&
      !quoted &&
      part.type === 'Literal' &&
      part.text.startsWith('~') &&
      (part.text.includes('/') || word.parts.length === 1)
    ) {
      addSource(out, yield* addTilde(sh, out, part.text));
      continue;
    }
    yield* walkPart(sh, part, out, quoted);
    if (sh.flow) return;
  }
}

function* walkPart(sh: Shell, part: WordPart, out: Out, quoted: boolean): Co<void> {
  switch (part.type) {
    case 'Literal':
    case 'Glob':
      if (quoted) addQuoted(out, unescapeDouble(part.text));
      else if (part.type === 'Glob' && part.kind === 'bracket') {
        addLiteral(out, '[');
        for (const inner of part.parts) yield* walkPart(sh, inner, out, quoted);
        addLiteral(out, ']');
      } else addSource(out, part.text);
      return;
    case 'SingleQuoted':
      return addQuoted(out, quoted ? `'${part.value}'` : part.value);
    case 'AnsiCQuoted':
      return addQuoted(out, bashLike(sh) || sh.kind === 'ash' ? part.value : `$${part.text.slice(2, -1)}`);
    case 'DoubleQuoted':
    case 'LocaleString':
      return yield* walkDouble(sh, part.parts, out);
    case 'BraceExpansion':
      return addSource(out, part.text);
    case 'ExtendedGlob':
      return addSource(out, part.text);
    case 'ProcessSubstitution':
      return addQuoted(out, yield* processSubstitution(sh, part));
    default:
      return yield* walkExpansion(sh, part, out, quoted);
  }
}

function* walkDouble(sh: Shell, parts: readonly DoubleQuotedChild[], out: Out): Co<void> {
  const empty = parts.length > 0 && parts.every(q => /^\$(@|\{@\}|\{\w+\[@\]\})$/.test(q.text));
  if (!empty) current(out).present = true;
  for (const part of parts) {
    if (part.type === 'Literal') addQuoted(out, unescapeDouble(part.text));
    else yield* walkExpansion(sh, part, out, true);
    if (sh.flow) return;
  }
}

function* walkExpansion(sh: Shell, part: Exclude<DoubleQuotedChild, { type: 'Literal' }>, out: Out, quoted: boolean): Co<void> {
  switch (part.type) {
    case 'SimpleExpansion':
    case 'ParameterExpansion':
      return yield* expandParameter(sh, part, out, quoted);
    case 'CommandExpansion': {
      const text = yield* substitute(sh, part);
      return quoted ? addQuoted(out, text) : addExpanded(sh, out, text);
    }
    case 'ArithmeticExpansion': {
      const value = yield* evaluate(sh, part.expression, part.text);
      if (value === null) return;
      return quoted ? addQuoted(out, String(value)) : addExpanded(sh, out, String(value));
    }
  }
}

/** Words of a command: every field after braces, splitting and globbing. */
export function* expandWords(sh: Shell, words: readonly Word[]): Co<string[]> {
  const out: string[] = [];
  for (const word of words) {
    for (const w of braces(sh, word)) yield* expandFields(sh, w, out);
    if (sh.flow) return [];
  }
  return out;
}

function braces(sh: Shell, word: Word): Word[] {
  if (!bashLike(sh) || !word.parts?.some(part => part.type === 'BraceExpansion')) return [word];
  return expandBraces(word.text).map(wordOf);
}

const words = new Map<string, Word>();

/** A word from its source text. */
export function wordOf(text: string): Word {
  let word = words.get(text);
  if (!word) {
    const statement = parse(`: ${text}`).commands[0];
    const arg = statement?.command.type === 'Command' ? statement.command.args[0] : undefined;
    word = arg?.type === 'Word' ? arg : { type: 'Word', text, value: text, pos: 0, end: text.length };
    if (words.size > 1000) words.clear();
    words.set(text, word);
  }
  return word;
}

function* expandFields(sh: Shell, word: Word, result: string[]): Co<void> {
  if (!word.parts && !/[\\~]/.test(word.text)) {
    result.push(word.text);
    return;
  }
  const out = newOut(true);
  yield* walkWord(sh, word, out, false);
  const extended = bashLike(sh);
  for (const f of out.fields) {
    if (!f.present) continue;
    if (!sh.options.has('f') && hasGlob(f.pattern, extended)) {
      const names = pathnames(sh.p, f.pattern, {
        extended,
        dotglob: sh.shopt.has('dotglob'),
        ignoreCase: sh.shopt.has('nocaseglob'),
        globstar: sh.shopt.has('globstar'),
      });
      if (names.length) {
        result.push(...names);
        continue;
      }
      if (sh.shopt.has('failglob')) {
        fail(sh, `no match: ${f.text}`);
        sh.status = 1;
        sh.flow = { kind: 'exit', levels: sh.interactive ? -1 : 0 };
        return;
      }
      if (sh.shopt.has('nullglob')) continue;
    }
    result.push(f.text);
  }
}

/** One string: no splitting, no globbing (assignments, `case`, redirections). */
export function* expandString(sh: Shell, word: Word): Co<string> {
  if (!word.parts && !/[\\~]/.test(word.text)) return word.text;
  const out = newOut(false);
  yield* walkWord(sh, word, out, false);
  return out.fields.map(f => f.text).join(' ');
}

/** The right side of an assignment: a tilde also counts after a colon. */
export function* expandAssigned(sh: Shell, word: Word): Co<string> {
  if (!word.parts && word.text.includes(':~')) {
    const parts: string[] = [];
    for (const piece of word.text.split(':')) {
      const out = newOut(false);
      addSource(out, yield* addTilde(sh, out, piece));
      parts.push(out.fields[0].text);
    }
    return parts.join(':');
  }
  return yield* expandString(sh, word);
}

/** A pattern: what was quoted stands for itself. */
export function* expandPattern(sh: Shell, word: Word, quoted = false): Co<string> {
  const out = newOut(false);
  // In "${x#*}" the pattern's own glob characters act although the expansion is quoted.
  yield* walkWord(sh, quoted ? wordOf(word.text) : word, out, false, !quoted);
  return out.fields.map(f => f.pattern).join(' ');
}

export function* expandHereDoc(sh: Shell, body: HereDocBody, quotedDelimiter: boolean): Co<string> {
  if (quotedDelimiter) return body.text;
  if (!body.parts) return unescapeHereDoc(body.text);
  const out = newOut(false);
  for (const part of body.parts) {
    if (part.type === 'Literal') addQuoted(out, unescapeHereDoc(part.text));
    else if (part.type === 'SingleQuoted' || part.type === 'DoubleQuoted' || part.type === 'Glob') addQuoted(out, part.text);
    else yield* walkPart(sh, part, out, true);
  }
  return out.fields.map(f => f.text).join('');
}
