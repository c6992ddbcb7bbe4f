// sed's scripts: addresses, commands and their arguments.
import { posixRegex, RegexError } from '../regex.ts';

export interface Address {
  line?: number;
  last?: boolean;
  regex?: RegExp | null;
  step?: number;
  plus?: number;
  multiple?: number;
}

export interface SedCommand {
  from: Address | null;
  to: Address | null;
  negate: boolean;
  name: string;
  text: string;
  regex: RegExp | null;
  replacement: string;
  flags: { global: boolean; print: boolean; nth: number; file: string };
  map: Map<string, string>;
  /** Where `{` jumps to when it does not apply: the index after its `}`. */
  jump: number;
  active: boolean;
  activeUntil: number;
}

export interface Program {
  commands: SedCommand[];
  labels: Map<string, number>;
}

export class SedError extends Error {}

interface Script {
  source: string;
  at: number;
  extended: boolean;
  commands: SedCommand[];
  labels: Map<string, number>;
  /** Commands that are a `{` whose `}` has not come. */
  open: number[];
}

function fail(x: Script, text: string): never {
  throw new SedError(`-e expression #1, char ${Math.min(x.at, x.source.length)}: ${text}`);
}

/** What matches here, which is read over. */
function takeMatch(x: Script, pattern: RegExp): RegExpExecArray | null {
  const m = pattern.exec(x.source.slice(x.at));
  x.at += m?.[0].length ?? 0;
  return m;
}

function skipSpaces(x: Script, spaces: string): void {
  while (x.at < x.source.length && spaces.includes(x.source[x.at])) x.at++;
}

const UNTERMINATED = {
  address: 'unterminated address regex',
  regex: "unterminated `s' command",
  s: "unterminated `s' command",
  y: "unterminated `y' command",
};

/** Text up to an unescaped delimiter; the delimiter itself may be escaped. */
function until(x: Script, delimiter: string, what: keyof typeof UNTERMINATED): string {
  const { source } = x;
  let text = '';
  let inBracket = false;
  for (; x.at < source.length; x.at++) {
    const c = source[x.at];
    if (c === '\\' && x.at + 1 < source.length) {
      const next = source[++x.at];
      if (next === delimiter && !inBracket) text += delimiter;
      else text += next === '\n' ? '\n' : `\\${next}`;
    } else if (c === '[' && what === 'regex' && !inBracket) {
      inBracket = true;
      text += c;
      if (source[x.at + 1] === '^') text += source[++x.at];
      if (source[x.at + 1] === ']') text += source[++x.at];
    } else if (c === ']' && inBracket) {
      inBracket = false;
      text += c;
    } else if (c === delimiter && !inBracket) {
      x.at++;
      return text;
    } else text += c;
  }
  return fail(x, UNTERMINATED[what]);
}

function regex(x: Script, text: string, flags: string): RegExp | null {
  if (text === '') return null;
  try {
    return posixRegex(text.replace(/\\n/g, '\n'), x.extended, flags);
  } catch (e) {
    if (e instanceof RegexError) return fail(x, e.message);
    throw e;
  }
}

function address(x: Script): Address | null {
  const c = x.source[x.at];
  const number = takeMatch(x, /^\d+/);
  if (number) {
    const step = takeMatch(x, /^~(\d+)/);
    return { line: Number(number[0]), ...(step && { step: Number(step[1]) }) };
  }
  if (c === '$') {
    x.at++;
    return { last: true };
  }
  if (c === '/' || c === '\\') {
    x.at++;
    const delimiter = c === '/' ? c : x.source[x.at++];
    const text = until(x, delimiter, 'address');
    const flag = takeMatch(x, /^[IM]+/);
    return { regex: regex(x, text, flag?.[0].includes('I') ? 'i' : '') };
  }
  const plus = takeMatch(x, /^([+~])(\d+)/);
  if (plus) return plus[1] === '+' ? { plus: Number(plus[2]) } : { multiple: Number(plus[2]) };
  return null;
}

function restOfLine(x: Script): string {
  const end = x.source.indexOf('\n', x.at);
  const text = x.source.slice(x.at, end < 0 ? undefined : end);
  x.at = end < 0 ? x.source.length : end + 1;
  return text;
}

/** a, i, c: `a text`, or `a\` and lines that end in a backslash. */
function textArgument(x: Script): string {
  const { source } = x;
  skipSpaces(x, ' \t');
  if (source[x.at] === '\\') {
    x.at++;
    skipSpaces(x, ' \t');
    if (source[x.at] === '\n') x.at++;
  }
  let text = '';
  for (; x.at < source.length && source[x.at] !== '\n'; x.at++) {
    if (source[x.at] === '\\' && x.at + 1 < source.length) text += source[++x.at];
    else text += source[x.at];
  }
  x.at++;
  return text;
}

function substitution(x: Script, command: SedCommand): void {
  const delimiter = x.source[x.at++];
  if (delimiter === undefined) fail(x, "unterminated `s' command");
  const pattern = until(x, delimiter, 'regex');
  command.replacement = until(x, delimiter, 's');
  const flags = takeMatch(x, /^(?:[gpIieM]|\d+|w [^\n]*)*/)?.[0] ?? '';
  const plain = flags.replace(/w .*/, '');
  command.flags = {
    global: plain.includes('g'),
    print: plain.includes('p'),
    nth: Number(/\d+/.exec(plain)?.[0] ?? 1),
    file: /w (.*)/.exec(flags)?.[1] ?? '',
  };
  command.regex = regex(x, pattern, `g${/[Ii]/.test(plain) ? 'i' : ''}${plain.includes('M') ? 'm' : ''}`);
  if (x.at < x.source.length && !/[\s;}#]/.test(x.source[x.at])) fail(x, "unknown option to `s'");
}

function transliteration(x: Script, command: SedCommand): void {
  const delimiter = x.source[x.at++];
  const side = () => until(x, delimiter, 'y').replace(/\\n/g, '\n').replace(/\\\\/g, '\\');
  const [a, b] = [side(), side()];
  if (a.length !== b.length) fail(x, "strings for `y' command are different lengths");
  for (let k = 0; k < a.length; k++) command.map.set(a[k], b[k]);
}

/** What a command has behind its letter. */
function readArguments(x: Script, command: SedCommand): void {
  const { name } = command;
  if (name === '{') x.open.push(x.commands.length);
  else if (name === '}') {
    const at = x.open.pop();
    if (at === undefined) fail(x, "unexpected `}'");
    else x.commands[at].jump = x.commands.length + 1;
  } else if (name === 's') substitution(x, command);
  else if (name === 'y') transliteration(x, command);
  else if ('aic'.includes(name)) command.text = textArgument(x);
  else if ('btT'.includes(name)) command.text = takeMatch(x, /^[ \t]*([^\s;}]*)/)?.[1] ?? '';
  else if ('rwRW'.includes(name)) command.text = restOfLine(x).trim();
  else if ('qQlL'.includes(name)) command.text = takeMatch(x, /^[ \t]*(\d+)/)?.[1] ?? '0';
  else if (!'dDgGhHnNpPx=zF'.includes(name)) fail(x, `unknown command: \`${name}'`);
}

const newCommand = (from: Address | null, to: Address | null, negate: boolean, name: string): SedCommand => ({
  from,
  to,
  negate,
  name,
  text: '',
  regex: null,
  replacement: '',
  flags: { global: false, print: false, nth: 1, file: '' },
  map: new Map(),
  jump: 0,
  active: false,
  activeUntil: 0,
});

function command(x: Script): void {
  const from = address(x);
  let to: Address | null = null;
  skipSpaces(x, ' ');
  if (from && x.source[x.at] === ',') {
    x.at++;
    skipSpaces(x, ' ');
    to = address(x);
    if (!to) fail(x, "unexpected `,'");
  }
  skipSpaces(x, ' ');
  const negate = takeMatch(x, /^!+/) !== null;
  skipSpaces(x, ' ');
  const name = x.source[x.at++];
  if (name === undefined) fail(x, 'missing command');
  if (name === ':') {
    const label = takeMatch(x, /^\s*([^\s;]+)/);
    if (!label) fail(x, '":" lacks a label');
    else x.labels.set(label[1], x.commands.length);
    return;
  }
  const made = newCommand(from, to, negate, name);
  readArguments(x, made);
  x.commands.push(made);
  skipSpaces(x, ' ');
  if (x.at < x.source.length && !/[\n;}#]/.test(x.source[x.at]) && !'{}aicrwRW'.includes(name)) fail(x, 'extra characters after command');
}

export function parseProgram(source: string, extended: boolean): Program {
  const x: Script = { source, at: 0, extended, commands: [], labels: new Map(), open: [] };
  while (x.at < source.length) {
    if (/[\s;]/.test(source[x.at])) x.at++;
    else if (source[x.at] === '#') restOfLine(x);
    else command(x);
  }
  if (x.open.length) fail(x, "unmatched `{'");
  return { commands: x.commands, labels: x.labels };
}
