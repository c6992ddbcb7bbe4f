// Builtins that print and read: echo, printf, read, mapfile.
import { bytesToString, concat } from '../../sim/bytes.ts';
import { type Pipe, readPipe } from '../../sim/pipe.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { strftime } from '../strftime.ts';
import type { Builtin } from './builtins.ts';
import { fail, say } from './messages.ts';
import { formatPrintf, unescapeText } from './printf.ts';
import { BROKEN_PIPE } from './run.ts';
import { assignText } from './simple.ts';
import { signalQueue } from './traps.ts';
import { bashLike, type Shell } from './types.ts';
import { ifs, setVar } from './vars.ts';

/** Text to stdout; EPIPE ends the shell as SIGPIPE does. */
function output(sh: Shell, text: string): number {
  const out = sh.fds.get(1);
  if (!out) {
    fail(sh, bashLike(sh) ? 'echo: write error: Bad file descriptor' : 'echo: echo: I/O error');
    return 1;
  }
  return say(sh, 1, text) ? BROKEN_PIPE : 0;
}

const echo: Builtin = {
  *run(sh, argv) {
    const args = argv.slice(1);
    let newline = true;
    let escapes = sh.kind === 'dash' || sh.kind === 'zsh';
    const flags = sh.kind === 'dash' ? /^-n$/ : /^-[neE]+$/;
    while (flags.test(args[0] ?? '')) {
      const letters = args.shift() as string;
      if (letters.includes('n')) newline = false;
      if (letters.includes('e')) escapes = true;
      if (letters.includes('E')) escapes = false;
      if (sh.kind === 'dash') break;
    }
    const r = escapes ? unescapeText(args.join(' '), true, sh.kind !== 'dash') : { text: args.join(' '), stop: false };
    return output(sh, r.stop || !newline ? r.text : `${r.text}\n`);
  },
};

const printf: Builtin = {
  *run(sh, argv) {
    let args = argv.slice(1);
    let into: string | null = null;
    if (args[0] === '-v' && bashLike(sh)) {
      into = args[1];
      args = args.slice(2);
    }
    if (args[0] === '--') args = args.slice(1);
    if (sh.kind === 'dash' && /^-[a-zA-Z]/.test(args[0] ?? '')) {
      fail(sh, `printf: Illegal option ${args[0].slice(0, 2)}`);
      return 2;
    }
    if (!args.length) {
      if (bashLike(sh)) say(sh, 2, 'printf: usage: printf [-v var] format [arguments]\n');
      else fail(sh, sh.kind === 'ash' ? 'usage: printf FORMAT [ARGUMENT...]' : 'printf: usage: printf format [arg ...]');
      return 2;
    }
    const now = sh.p.kernel.sim.nowMs;
    const wording = (t: string) =>
      bashLike(sh) ? `${t}: invalid number` : sh.kind === 'dash' ? `${t}: expected numeric value` : `invalid number '${t}'`;
    const r = formatPrintf(
      args[0],
      args.slice(1),
      wording,
      bashLike(sh) ? (f, arg) => strftime(f || '%X', Number(arg) < 0 ? now : Number(arg) * 1000) : undefined,
    );
    for (const e of r.errors)
      fail(
        sh,
        `${sh.kind === 'ash' ? '' : 'printf: '}${bashLike(sh) && e.includes('invalid directive') ? e.replace(/^%(.): invalid directive/, "`$1': invalid format character") : e}`,
      );
    if (into !== null) {
      const element = /^(\w+)\[(.*)\]$/.exec(into);
      if (element) yield* assignText(sh, element[1], r.text, element[2], false);
      else setVar(sh, into, r.text);
      return r.errors.length ? 1 : 0;
    }
    return output(sh, r.text) || (r.errors.length ? 1 : 0);
  },
};

export interface ReadOptions {
  raw: boolean;
  delimiter: number;
  count: number;
  timeoutMs: number;
  signals: Shell;
}

/** Bytes up to the delimiter, byte by byte as far as others can tell: what follows stays in the pipe. */
export function* readInput(
  sh: Shell,
  pipe: Pipe,
  o: ReadOptions,
): Co<{ text: string; ended: boolean; timedOut: boolean; interrupted: boolean }> {
  const parts: Uint8Array[] = [];
  const { sim } = sh.p.kernel;
  const deadline = sim.nowMs + o.timeoutMs;
  let length = 0;
  let escaped = false;
  const done = (ended: boolean, timedOut = false, interrupted = false) => ({
    text: bytesToString(concat(parts.length ? parts : [new Uint8Array(0)])),
    ended,
    timedOut,
    interrupted,
  });
  for (;;) {
    while (!pipe.chunks.length) {
      const fill = pipe.source;
      pipe.source = null;
      fill?.();
      if (pipe.chunks.length) break;
      if (pipe.closed) return done(true);
      if (sh.pending.length) return done(true, false, true);
      if (!(yield* waitOn(sim, [pipe.readers, signalQueue(sh)], deadline - sim.nowMs))) return done(true, true);
    }
    const chunk = (yield* readPipe(sim, pipe)) as Uint8Array;
    for (let i = 0; i < chunk.length; i++) {
      const c = chunk[i];
      const limit = o.count >= 0 && ++length >= o.count;
      const end = c === o.delimiter && !escaped;
      escaped = !o.raw && c === 92 && !escaped;
      if (!end && !limit) continue;
      if (i + 1 < chunk.length) pipe.chunks.unshift(chunk.subarray(i + 1));
      parts.push(chunk.subarray(0, end ? i : i + 1));
      return done(false);
    }
    parts.push(chunk);
  }
}

/** Characters of a line, with those that a backslash quoted marked. */
function unbackslash(text: string, raw: boolean): { chars: string[]; quoted: boolean[] } {
  const chars: string[] = [];
  const quoted: boolean[] = [];
  const all = [...text];
  for (let i = 0; i < all.length; i++) {
    if (!raw && all[i] === '\\') {
      i++;
      if (i >= all.length || all[i] === '\n') continue;
      chars.push(all[i]);
      quoted.push(true);
    } else {
      chars.push(all[i]);
      quoted.push(false);
    }
  }
  return { chars, quoted };
}

/** Split as `read` does: the last name takes the rest. */
function splitFields(sh: Shell, text: string, raw: boolean, n: number): string[] {
  const { chars, quoted } = unbackslash(text, raw);
  const separators = ifs(sh);
  const isSeparator = (i: number) => !quoted[i] && separators.includes(chars[i]);
  const isWhite = (i: number) => isSeparator(i) && ' \t\n'.includes(chars[i]);
  let i = 0;
  let end = chars.length;
  while (i < end && isWhite(i)) i++;
  while (end > i && isWhite(end - 1)) end--;
  const out: string[] = [];
  while (i < end && out.length < n - 1) {
    let j = i;
    while (j < end && !isSeparator(j)) j++;
    out.push(chars.slice(i, j).join(''));
    i = j;
    while (i < end && isWhite(i)) i++;
    if (i < end && isSeparator(i) && !isWhite(i)) {
      i++;
      while (i < end && isWhite(i)) i++;
    }
  }
  if (i < end) {
    // A single separator at the very end belongs to the last field's end, not to its text.
    const rest = chars.slice(i, end);
    if (rest.length > 1 && isSeparator(end - 1) && !isWhite(end - 1) && !rest.slice(0, -1).some((_, k) => isSeparator(i + k))) rest.pop();
    out.push(rest.join(''));
  }
  return out;
}

const READ_USAGE =
  'read: usage: read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]\n';

const read: Builtin = {
  *run(sh, argv) {
    const o: ReadOptions = { raw: false, delimiter: 10, count: -1, timeoutMs: Number.POSITIVE_INFINITY, signals: sh };
    let prompt = '';
    let array: string | null = null;
    let fd = 0;
    let exact = false;
    let i = 1;
    for (; i < argv.length && /^-./.test(argv[i]); i++) {
      if (argv[i] === '--') {
        i++;
        break;
      }
      for (let k = 1; k < argv[i].length; k++) {
        const letter = argv[i][k];
        if (letter === 'r') o.raw = true;
        else if (letter === 's' || letter === 'e') continue;
        else if ('pdntuaNi'.includes(letter)) {
          const value = argv[i].slice(k + 1) || argv[++i] || '';
          if (letter === 'p') prompt = value;
          else if (letter === 'd') o.delimiter = value === '' ? 0 : value.charCodeAt(0);
          else if (letter === 'n' || letter === 'N') {
            o.count = Number(value);
            exact ||= letter === 'N';
          } else if (letter === 't') o.timeoutMs = Number(value) * 1000;
          else if (letter === 'u') fd = Number(value);
          else if (letter === 'a') array = value;
          break;
        } else {
          fail(sh, bashLike(sh) ? `read: -${letter}: invalid option` : `read: Illegal option -${letter}`);
          if (bashLike(sh)) say(sh, 2, READ_USAGE);
          return 2;
        }
      }
    }
    const names = argv.slice(i);
    if (!names.length && !array && sh.kind === 'dash') {
      fail(sh, 'read: arg count');
      sh.flow = sh.interactive ? null : { kind: 'exit', levels: 0 };
      return 2;
    }
    const wrong = names.find(name => !/^[A-Za-z_]\w*(\[.*\])?$/.test(name));
    if (wrong !== undefined) {
      fail(sh, bashLike(sh) ? `read: \`${wrong}': not a valid identifier` : `read: ${wrong}: bad variable name`);
      return bashLike(sh) ? 1 : 2;
    }
    const pipe = sh.fds.get(fd);
    if (!pipe) {
      fail(sh, `read: ${fd}: invalid file descriptor: Bad file descriptor`);
      return 1;
    }
    if (prompt && sh.p.tty) say(sh, 2, prompt);
    // -N counts characters whatever they are, and does not split.
    if (exact) o.delimiter = -1;
    let input = yield* readInput(sh, pipe, o);
    let text = input.text;
    while (!o.raw && o.count < 0 && /(^|[^\\])(\\\\)*\\$/.test(text) && !input.ended) {
      input = yield* readInput(sh, pipe, o);
      text = text.slice(0, -1) + input.text;
    }
    if (exact) {
      setVar(sh, names[0] ?? 'REPLY', unbackslash(text, o.raw).chars.join(''));
      for (const name of names.slice(1)) setVar(sh, name, '');
    } else store(sh, text, names, array, o.raw);
    if (input.timedOut) return bashLike(sh) ? 142 : 1;
    return input.ended ? 1 : 0;
  },
};

function store(sh: Shell, text: string, names: string[], array: string | null, raw: boolean): void {
  if (array) {
    sh.vars.set(array, { value: null, array: new Map(splitFields(sh, text, raw, Number.POSITIVE_INFINITY).map((v, i) => [i, v])) });
    return;
  }
  if (!names.length) {
    setVar(sh, 'REPLY', unbackslash(text, raw).chars.join(''));
    return;
  }
  const fields = splitFields(sh, text, raw, names.length);
  names.forEach((name, i) => {
    setVar(sh, name, fields[i] ?? '');
  });
}

export const IO_BUILTINS: Record<string, Builtin> = { echo, printf, read };
