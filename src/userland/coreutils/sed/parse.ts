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

export function parseProgram(source: string, extended: boolean): Program {
  const commands: SedCommand[] = [];
  const labels = new Map<string, number>();
  const open: number[] = [];
  let i = 0;
  const fail = (text: string): never => {
    throw new SedError(`-e expression #1, char ${Math.min(i, source.length)}: ${text}`);
  };
  /** Text up to an unescaped delimiter; the delimiter itself may be escaped. */
  const until = (delimiter: string, what: string): string => {
    let text = '';
    let inBracket = false;
    for (; i < source.length; i++) {
      const c = source[i];
      if (c === '\\' && i + 1 < source.length) {
        const next = source[++i];
        if (next === delimiter && !inBracket) text += delimiter;
        else text += next === '\n' ? '\n' : `\\${next}`;
      } else if (c === '[' && what === 'regex' && !inBracket) {
        inBracket = true;
        text += c;
        if (source[i + 1] === '^') text += source[++i];
        if (source[i + 1] === ']') text += source[++i];
      } else if (c === ']' && inBracket) {
        inBracket = false;
        text += c;
      } else if (c === delimiter && !inBracket) {
        i++;
        return text;
      } else text += c;
    }
    return fail(what === 'address' ? 'unterminated address regex' : what === 'y' ? "unterminated `y' command" : "unterminated `s' command");
  };
  const regex = (text: string, flags: string): RegExp | null => {
    if (text === '') return null;
    try {
      return posixRegex(text.replace(/\\n/g, '\n'), extended, flags);
    } catch (e) {
      if (e instanceof RegexError) return fail(e.message);
      throw e;
    }
  };
  const address = (): Address | null => {
    const c = source[i];
    const number = /^\d+/.exec(source.slice(i));
    if (number) {
      i += number[0].length;
      const step = /^~(\d+)/.exec(source.slice(i));
      if (step) {
        i += step[0].length;
        return { line: Number(number[0]), step: Number(step[1]) };
      }
      return { line: Number(number[0]) };
    }
    if (c === '$') {
      i++;
      return { last: true };
    }
    if (c === '/' || c === '\\') {
      i++;
      let delimiter = '/';
      if (c === '\\') delimiter = source[i++];
      const text = until(delimiter, 'address');
      const flag = /^[IM]+/.exec(source.slice(i));
      if (flag) i += flag[0].length;
      return { regex: regex(text, flag?.[0].includes('I') ? 'i' : '') };
    }
    const plus = /^([+~])(\d+)/.exec(source.slice(i));
    if (plus) {
      i += plus[0].length;
      return plus[1] === '+' ? { plus: Number(plus[2]) } : { multiple: Number(plus[2]) };
    }
    return null;
  };
  const restOfLine = (): string => {
    const end = source.indexOf('\n', i);
    const text = source.slice(i, end < 0 ? undefined : end);
    i = end < 0 ? source.length : end + 1;
    return text;
  };
  /** a, i, c: `a text`, or `a\` and lines that end in a backslash. */
  const textArgument = (): string => {
    while (source[i] === ' ' || source[i] === '\t') i++;
    if (source[i] === '\\') {
      i++;
      while (source[i] === ' ' || source[i] === '\t') i++;
      if (source[i] === '\n') i++;
    }
    let text = '';
    for (; i < source.length && source[i] !== '\n'; i++) {
      if (source[i] === '\\' && i + 1 < source.length) text += source[++i];
      else text += source[i];
    }
    i++;
    return text;
  };
  while (i < source.length) {
    if (/[\s;]/.test(source[i])) {
      i++;
      continue;
    }
    if (source[i] === '#') {
      restOfLine();
      continue;
    }
    const from = address();
    let to: Address | null = null;
    while (source[i] === ' ') i++;
    if (from && source[i] === ',') {
      i++;
      while (source[i] === ' ') i++;
      to = address();
      if (!to) fail("unexpected `,'");
    }
    while (source[i] === ' ') i++;
    let negate = false;
    while (source[i] === '!') {
      negate = true;
      i++;
    }
    while (source[i] === ' ') i++;
    const name = source[i++];
    if (name === undefined) fail('missing command');
    const command: SedCommand = {
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
    };
    if (name === '{') open.push(commands.length);
    else if (name === '}') {
      const at = open.pop();
      if (at === undefined) fail("unexpected `}'");
      else commands[at].jump = commands.length + 1;
    } else if (name === 's') {
      const delimiter = source[i++];
      if (delimiter === undefined) fail("unterminated `s' command");
      const pattern = until(delimiter, 'regex');
      command.replacement = until(delimiter, 's');
      const flags = /^(?:[gpIieM]|\d+|w [^\n]*)*/.exec(source.slice(i))?.[0] ?? '';
      i += flags.length;
      const plain = flags.replace(/w .*/, '');
      command.flags = {
        global: plain.includes('g'),
        print: plain.includes('p'),
        nth: Number(/\d+/.exec(plain)?.[0] ?? 1),
        file: /w (.*)/.exec(flags)?.[1] ?? '',
      };
      command.regex = regex(pattern, `g${/[Ii]/.test(plain) ? 'i' : ''}${plain.includes('M') ? 'm' : ''}`);
      if (i < source.length && !/[\s;}#]/.test(source[i])) fail("unknown option to `s'");
    } else if (name === 'y') {
      const delimiter = source[i++];
      const a = until(delimiter, 'y').replace(/\\n/g, '\n').replace(/\\\\/g, '\\');
      const b = until(delimiter, 'y').replace(/\\n/g, '\n').replace(/\\\\/g, '\\');
      if (a.length !== b.length) fail("strings for `y' command are different lengths");
      for (let k = 0; k < a.length; k++) command.map.set(a[k], b[k]);
    } else if ('aic'.includes(name)) command.text = textArgument();
    else if (name === ':') {
      const label = /^\s*([^\s;]+)/.exec(source.slice(i));
      if (!label) fail('":" lacks a label');
      else {
        i += label[0].length;
        labels.set(label[1], commands.length);
      }
      continue;
    } else if ('btT'.includes(name)) {
      const label = /^[ \t]*([^\s;}]*)/.exec(source.slice(i));
      i += label?.[0].length ?? 0;
      command.text = label?.[1] ?? '';
    } else if ('rwRW'.includes(name)) command.text = restOfLine().trim();
    else if ('qQlL'.includes(name)) {
      const code = /^[ \t]*(\d+)/.exec(source.slice(i));
      i += code?.[0].length ?? 0;
      command.text = code?.[1] ?? '0';
    } else if (!'dDgGhHnNpPx=zF'.includes(name)) fail(`unknown command: \`${name}'`);
    commands.push(command);
    while (source[i] === ' ') i++;
    if (i < source.length && !/[\n;}#]/.test(source[i]) && name !== '{' && name !== '}' && !'aic'.includes(name) && !'rwRW'.includes(name))
      fail('extra characters after command');
  }
  if (open.length) fail("unmatched `{'");
  return { commands, labels };
}
