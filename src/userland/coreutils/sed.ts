// sed: a stream editor, POSIX with GNU's -i, -E, +N, first~step, I and e-less extensions.
import { complain } from '../../linux/process.ts';
import { absolute, lookup, writeFile } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { posixRegex, RegexError } from './regex.ts';
import {
  BROKEN,
  binaryArgument,
  cannotOpen,
  error,
  fromBinary,
  has,
  type Lines,
  linesOf,
  nextLine,
  openInput,
  outBinary,
  type Run,
  slurp,
  type ToolSpec,
  toBinary,
  usage,
} from './tool.ts';

interface Address {
  line?: number;
  last?: boolean;
  regex?: RegExp | null;
  step?: number;
  plus?: number;
  multiple?: number;
}

interface SedCommand {
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

interface Program {
  commands: SedCommand[];
  labels: Map<string, number>;
}

class SedError extends Error {}

function parseProgram(source: string, extended: boolean): Program {
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

interface State {
  line: number;
  pattern: string;
  hold: string;
  appended: string[];
  substituted: boolean;
  quit: number | null;
  lastRegex: RegExp | null;
  newline: boolean;
}

/** Input across files, one line ahead so that `$` is known. */
interface Input {
  next: () => Co<string | null>;
  last: () => Co<boolean>;
  newline: () => boolean;
}

function inputOf(r: Run, files: string[], failed: () => void): Input {
  let at = 0;
  let lines: Lines | null = null;
  let ahead: string | null | undefined;
  let aheadNewline = true;
  let currentNewline = true;
  function* read(): Co<string | null> {
    for (;;) {
      if (!lines) {
        if (at >= files.length) return null;
        const pipe = yield* openInput(r, files[at]);
        if (typeof pipe === 'string') {
          cannotOpenSed(r, files[at], pipe);
          failed();
          at++;
          continue;
        }
        lines = linesOf(pipe);
      }
      const line = yield* nextLine(r, lines);
      aheadNewline = lines.newline;
      if (line !== null) return line;
      lines = null;
      at++;
    }
  }
  return {
    *next() {
      const line = ahead === undefined ? yield* read() : ahead;
      ahead = undefined;
      currentNewline = aheadNewline;
      return line;
    },
    *last() {
      if (ahead === undefined) {
        const keep = currentNewline;
        ahead = yield* read();
        if (ahead === null) currentNewline = keep;
      }
      return ahead === null;
    },
    newline: () => currentNewline,
  };
}

function cannotOpenSed(r: Run, file: string, e: import('../../linux/types.ts').Errno): void {
  if (r.bb) cannotOpen(r, file, e);
  else
    error(
      r,
      `can't read ${file}: ${e === 'ENOENT' ? 'No such file or directory' : e === 'EISDIR' ? 'Is a directory' : 'Permission denied'}`,
    );
}

function* applies(c: SedCommand, s: State, input: Input): Co<boolean> {
  const one = function* (a: Address): Co<boolean> {
    if (a.step !== undefined) return a.step === 0 ? s.line === a.line : s.line >= (a.line ?? 0) && (s.line - (a.line ?? 0)) % a.step === 0;
    if (a.line !== undefined) return s.line === a.line;
    if (a.last) return yield* input.last();
    const re = a.regex ?? s.lastRegex;
    if (a.regex) s.lastRegex = a.regex;
    if (!re) return false;
    re.lastIndex = 0;
    return re.test(s.pattern);
  };
  if (!c.from) return true;
  if (!c.to) return yield* one(c.from);
  if (c.active) {
    if (c.activeUntil) {
      if (s.line >= c.activeUntil) c.active = false;
      return s.line <= c.activeUntil;
    }
    if (yield* one(c.to)) c.active = false;
    return true;
  }
  if (!(c.from.line === 0 && s.line === 1) && !(yield* one(c.from))) return false;
  c.activeUntil =
    c.to.plus !== undefined ? s.line + c.to.plus : c.to.multiple ? Math.ceil(s.line / c.to.multiple) * c.to.multiple : (c.to.line ?? 0);
  c.active = c.activeUntil ? c.activeUntil > s.line : true;
  if (c.from.line === 0 && !c.activeUntil && (yield* one(c.to))) c.active = false;
  return true;
}

function replacement(template: string, m: RegExpExecArray): string {
  let out = '';
  let mode = '';
  let once = '';
  const put = (text: string) => {
    if (!text) return;
    let t = mode === 'U' ? text.toUpperCase() : mode === 'L' ? text.toLowerCase() : text;
    if (once) t = (once === 'u' ? t[0].toUpperCase() : t[0].toLowerCase()) + t.slice(1);
    once = '';
    out += t;
  };
  for (let i = 0; i < template.length; i++) {
    const c = template[i];
    if (c === '&') put(m[0]);
    else if (c === '\\' && i + 1 < template.length) {
      const e = template[++i];
      if (/\d/.test(e)) put(m[Number(e)] ?? '');
      else if (e === 'n') put('\n');
      else if (e === 't') put('\t');
      else if (e === 'U' || e === 'L') mode = e;
      else if (e === 'E') mode = '';
      else if (e === 'u' || e === 'l') once = e;
      else put(e);
    } else put(c);
  }
  return out;
}

function substitute(c: SedCommand, s: State): boolean {
  const re = c.regex ?? s.lastRegex;
  if (!re) return false;
  s.lastRegex = re;
  const global = re.global ? re : new RegExp(re.source, `${re.flags}g`);
  global.lastIndex = 0;
  let out = '';
  let at = 0;
  let n = 0;
  let done = false;
  for (let m = global.exec(s.pattern); m; m = global.exec(s.pattern)) {
    // Right behind a match, nothing is no further match.
    if (m[0] === '' && m.index === at && done) {
      if (global.lastIndex >= s.pattern.length) break;
      global.lastIndex++;
      continue;
    }
    n++;
    if (n >= c.flags.nth) {
      out += s.pattern.slice(at, m.index) + replacement(c.replacement, m);
      at = m.index + m[0].length;
      done = true;
      if (!c.flags.global) break;
    }
    if (m[0] === '') {
      if (global.lastIndex >= s.pattern.length) break;
      global.lastIndex++;
    }
  }
  if (done) s.pattern = out + s.pattern.slice(at);
  return done;
}

type Emit = (text: string, newline?: boolean) => boolean;

/** One cycle's commands. -> what follows: 'end' (print), 'delete' (do not), 'restart' (D) */
function* cycle(r: Run, program: Program, s: State, input: Input, emit: Emit): Co<'end' | 'delete' | 'restart'> {
  const quiet = has(r, 'n');
  for (let pc = 0; pc < program.commands.length; pc++) {
    const c = program.commands[pc];
    if ((yield* applies(c, s, input)) === c.negate) {
      if (c.name === '{') pc = c.jump - 1;
      continue;
    }
    const branch = () => {
      pc = c.text === '' ? program.commands.length : (program.labels.get(c.text) ?? program.commands.length) - 1;
    };
    switch (c.name) {
      case 's':
        if (!substitute(c, s)) break;
        s.substituted = true;
        if (c.flags.print) emit(s.pattern);
        if (c.flags.file) writeOut(r, c.flags.file, s.pattern);
        break;
      case 'y':
        s.pattern = [...s.pattern].map(ch => c.map.get(ch) ?? ch).join('');
        break;
      case 'p':
        emit(s.pattern);
        break;
      case 'P':
        emit(s.pattern.split('\n')[0]);
        break;
      case '=':
        emit(String(s.line));
        break;
      case 'l':
        emit(`${s.pattern.replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n')}$`);
        break;
      case 'd':
        return 'delete';
      case 'D': {
        const at = s.pattern.indexOf('\n');
        if (at < 0) return 'delete';
        s.pattern = s.pattern.slice(at + 1);
        return 'restart';
      }
      case 'a':
        s.appended.push(`${c.text}\n`);
        break;
      case 'i':
        emit(c.text);
        break;
      case 'c':
        if (!c.to || c.negate || !c.active) emit(c.text);
        return 'delete';
      case 'h':
        s.hold = s.pattern;
        break;
      case 'H':
        s.hold += `\n${s.pattern}`;
        break;
      case 'g':
        s.pattern = s.hold;
        break;
      case 'G':
        s.pattern += `\n${s.hold}`;
        break;
      case 'x':
        [s.pattern, s.hold] = [s.hold, s.pattern];
        break;
      case 'z':
        s.pattern = '';
        break;
      case 'n':
      case 'N': {
        if (yield* input.last()) {
          if (c.name === 'N' && !r.bb) return 'end';
          if (c.name === 'n') return quiet ? 'delete' : 'end';
          return 'end';
        }
        if (c.name === 'n' && !quiet) emit(s.pattern);
        flushAppended(s, emit);
        const line = (yield* input.next()) ?? '';
        s.pattern = c.name === 'n' ? line : `${s.pattern}\n${line}`;
        s.line++;
        break;
      }
      case 'q':
      case 'Q':
        s.quit = Number(c.text);
        return c.name === 'q' ? 'end' : 'delete';
      case 'b':
        branch();
        break;
      case 't':
        if (s.substituted) {
          s.substituted = false;
          branch();
        }
        break;
      case 'T':
        if (!s.substituted) branch();
        s.substituted = false;
        break;
      case 'r': {
        const data = yield* readQuietly(r, c.text);
        if (data) s.appended.push(data);
        break;
      }
      case 'w':
        writeOut(r, c.text, s.pattern);
        break;
    }
  }
  return 'end';
}

function* readQuietly(r: Run, file: string): Co<string | null> {
  const pipe = yield* openInput(r, file);
  if (typeof pipe === 'string') return null;
  return pipe.chunks.map(toBinary).join('');
}

function writeOut(r: Run, file: string, line: string): void {
  if (file === '/dev/stdout') outBinary(r, `${line}\n`);
  else writeFile(r.p.fs, absolute(file, r.p.cwd), fromBinary(`${line}\n`), r.p, true);
}

function flushAppended(s: State, emit: Emit): void {
  for (const text of s.appended) emit(text, false);
  s.appended = [];
}

function* edit(r: Run, program: Program, files: string[], emit: Emit, failed: () => void): Co<number | null> {
  for (const c of program.commands) c.active = false;
  const input = inputOf(r, files, failed);
  const s: State = { line: 0, pattern: '', hold: '', appended: [], substituted: false, quit: null, lastRegex: null, newline: true };
  let restart = false;
  for (;;) {
    if (!restart) {
      const line = yield* input.next();
      if (line === null) return null;
      s.pattern = line;
      s.line++;
    }
    s.substituted = false;
    const end = yield* cycle(r, program, s, input, emit);
    restart = end === 'restart';
    if (end === 'end' && !has(r, 'n') && !emit(s.pattern, input.newline())) return BROKEN;
    flushAppended(s, emit);
    if (s.quit !== null) return s.quit;
  }
}

const USAGE = 'sed [-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\nor: sed [-i[SFX]] [-nrE] CMD [FILE]...';

/** -i's suffix is attached or missing: it never takes the next word. */
export const SED: ToolSpec = {
  short: 'nrEse:f:iuz',
  long: {
    quiet: 'n',
    silent: 'n',
    'regexp-extended': 'E',
    expression: 'e',
    file: 'f',
    'in-place': 'i',
    separate: 's',
    unbuffered: 'u',
    'null-data': 'z',
    posix: 'u',
  },
  usage: USAGE,
  *run(r) {
    const scripts = [...(r.options.get('e') ?? [])];
    let files = r.args;
    for (const file of r.options.get('f') ?? []) {
      const data = yield* slurp(r, file);
      if (typeof data === 'string') return 1;
      scripts.push(toBinary(data).replace(/^#n\n/, ''));
    }
    if (!scripts.length) {
      if (!files.length && !r.bb) {
        complain(r.p, 'Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n');
        return 1;
      }
      if (!files.length) return usage(r, '', USAGE);
      scripts.push(files[0]);
      files = files.slice(1);
    }
    let program: Program;
    try {
      program = parseProgram(scripts.map(binaryArgument).join('\n'), has(r, 'E') || has(r, 'r'));
    } catch (e) {
      if (!(e instanceof SedError)) throw e;
      return error(
        r,
        r.bb
          ? e.message
              .replace(/^-e expression #1, char \d+: /, '')
              .replace('unknown command: ', 'unsupported command ')
              .replace(/`(.)'$/, '$1')
          : e.message,
      );
    }
    let status = 0;
    const failed = () => {
      status = r.bb ? 1 : 2;
    };
    if (has(r, 'i')) return yield* inPlace(r, program, files, failed, () => status);
    const quit = yield* edit(
      r,
      program,
      files.length ? files : ['-'],
      (text, newline = true) => !outBinary(r, newline ? `${text}\n` : text),
      failed,
    );
    return quit ?? status;
  },
};

function* inPlace(r: Run, program: Program, files: string[], failed: () => void, status: () => number): Co<number> {
  for (const file of files) {
    const path = absolute(file, r.p.cwd);
    const node = lookup(r.p.fs, path, r.p);
    if (typeof node === 'string') {
      cannotOpenSed(r, file, node);
      failed();
      continue;
    }
    let text = '';
    const collect: Emit = (t, newline = true) => {
      text += newline ? `${t}\n` : t;
      return true;
    };
    yield* edit(r, program, [file], collect, failed);
    const e = writeFile(r.p.fs, path, fromBinary(text), r.p);
    if (e) {
      // The real one writes a temporary file beside it.
      error(
        r,
        r.bb
          ? `can't create temp file '${file}XXXXXX': Read-only file system`
          : `couldn't open temporary file ${path.replace(/[^/]*$/, '')}sedXXXXXX: Read-only file system`,
        4,
      );
      return r.bb ? 1 : 4;
    }
  }
  return status();
}
