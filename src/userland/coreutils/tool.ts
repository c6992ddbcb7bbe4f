// What every small tool does: options, files or standard input, and the two families' ways of complaining.
import { complain, print, strerror } from '../../linux/process.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { absolute, lookup, readFile } from '../../linux/vfs.ts';
import { concat } from '../../sim/bytes.ts';
import { type Pipe, pipeOf, readPipe } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { busyboxUsage } from '../busybox.ts';
import { isFifo, openFifo } from '../fifo.ts';
import type { Userland } from '../userland.ts';

/** One run of a tool. */
export interface Run {
  p: Process;
  u: Userland;
  /** BusyBox' applet rather than the GNU program. */
  bb: boolean;
  name: string;
  /** Options by their letter (long ones under the letter they stand for), with their values. */
  options: Map<string, string[]>;
  args: string[];
}

export interface ToolSpec {
  /** getopt's string: `an:` — n takes a value; `+` at the start: options end at the first operand. */
  short: string;
  /** Letters whose value is what sticks to them, or nothing: `-i.bak`. */
  sticky?: string;
  /** Long option -> letter: `lines: 'n'`. */
  long?: Record<string, string>;
  /** BusyBox' usage text, after `Usage: `. */
  usage?: string;
  /** What the GNU program says between a wrong option and `Try …`. */
  synopsis?: string;
  /** `-5` means `-n 5`. */
  digits?: string;
  /** Exit code for a wrong option. */
  usageStatus?: number;
  run: (r: Run) => Co<number>;
}

/** The program of one family. */
export const tool =
  (spec: ToolSpec, bb: boolean) =>
  (u: Userland): Program =>
    function* (p: Process): Co<number> {
      const r = parseOptions(p, u, bb, spec);
      return typeof r === 'number' ? r : yield* spec.run(r);
    };

function badOption(p: Process, u: Userland, bb: boolean, spec: ToolSpec, name: string, text: string): number {
  if (bb) {
    if (spec.usage === undefined) complain(p, `${name}: ${text}\n`);
    else busyboxUsage(p, u, spec.usage, text);
    return 1;
  }
  complain(p, `${name}: ${text}\n${spec.synopsis ? `Usage: ${name} ${spec.synopsis}\n` : ''}Try '${name} --help' for more information.\n`);
  return spec.usageStatus ?? 1;
}

function parseOptions(p: Process, u: Userland, bb: boolean, spec: ToolSpec): Run | number {
  const name = p.argv[0].replace(/.*\//, '');
  const stopEarly = spec.short.startsWith('+');
  const letters = spec.short.replace(/^\+/, '');
  const options = new Map<string, string[]>();
  const args: string[] = [];
  const words = p.argv.slice(1);
  const add = (letter: string, value: string) => options.set(letter, [...(options.get(letter) ?? []), value]);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--') {
      args.push(...words.slice(i + 1));
      break;
    }
    if (word.startsWith('--')) {
      const [key, value] = splitOnce(word.slice(2));
      const long = longOption(spec, key);
      if (long === null)
        return badOption(
          p,
          u,
          bb,
          spec,
          name,
          `unrecognized option ${bb && u.libc === 'musl' ? `: ${key}` : `'${word}'`}`.replace('option :', 'option:'),
        );
      const takes = long.endsWith(':') || (letters.includes(long) && letters[letters.indexOf(long) + 1] === ':');
      if (!takes) add(long, value ?? '');
      else if (value !== undefined) add(long.replace(':', ''), value);
      else if (words[i + 1] === undefined) return badOption(p, u, bb, spec, name, `option '${word}' requires an argument`);
      else add(long.replace(':', ''), words[++i]);
      continue;
    }
    if (!word.startsWith('-') || word === '-') {
      if (stopEarly) {
        args.push(...words.slice(i));
        break;
      }
      args.push(word);
      continue;
    }
    if (spec.digits && /^-\d+$/.test(word)) {
      add(spec.digits, word.slice(1));
      continue;
    }
    for (let k = 1; k < word.length; k++) {
      if (spec.sticky?.includes(word[k])) {
        add(word[k], word.slice(k + 1));
        break;
      }
      const letter = word[k];
      const at = letter === ':' ? -1 : letters.indexOf(letter);
      if (at < 0)
        return badOption(
          p,
          u,
          bb,
          spec,
          name,
          bb && u.libc === 'musl' ? `unrecognized option: ${letter}` : `invalid option -- '${letter}'`,
        );
      if (letters[at + 1] !== ':') {
        add(letter, '');
        continue;
      }
      const rest = word.slice(k + 1);
      if (rest) add(letter, rest);
      else if (words[i + 1] === undefined)
        return badOption(
          p,
          u,
          bb,
          spec,
          name,
          bb && u.libc === 'musl' ? `option requires an argument: ${letter}` : `option requires an argument -- '${letter}'`,
        );
      else add(letter, words[++i]);
      break;
    }
  }
  return { p, u, bb, name, options, args };
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function longOption(spec: ToolSpec, key: string): string | null {
  const exact = spec.long?.[key];
  if (exact !== undefined) return exact;
  const fits = Object.keys(spec.long ?? {}).filter(k => k.startsWith(key));
  return fits.length === 1 ? (spec.long as Record<string, string>)[fits[0]] : null;
}

export const has = (r: Run, letter: string): boolean => r.options.has(letter);
export const option = (r: Run, letter: string): string | undefined => r.options.get(letter)?.at(-1);

export const out = (r: Run, text: string | Uint8Array): 'EPIPE' | null => print(r.p, text);

/** `name: text` to stderr. -> `status` */
export function error(r: Run, text: string, status = 1): number {
  complain(r.p, `${r.name}: ${text}\n`);
  return status;
}

/** A GNU tool was called wrongly. */
export function usage(r: Run, text: string, usageText?: string, status = 1): number {
  if (r.bb) return busyboxUsage(r.p, r.u, usageText ?? r.name, text || undefined);
  complain(r.p, `${r.name}: ${text}\nTry '${r.name} --help' for more information.\n`);
  return status;
}

/** SIGPIPE's exit code: nobody reads what this prints. */
export const BROKEN = 141;

/** How a family says that a file cannot be read. */
export function cannotOpen(r: Run, path: string, e: Errno): void {
  if (
    r.bb &&
    [
      'cat',
      'tail',
      'nl',
      'tac',
      'rev',
      'md5sum',
      'sha256sum',
      'sha1sum',
      'sha512sum',
      'od',
      'hexdump',
      'xxd',
      'base64',
      'cmp',
      'diff',
      'tee',
      'paste',
      'cut',
      'fold',
    ].includes(r.name)
  )
    complain(r.p, `${r.name}: can't open '${path}': ${strerror(e)}\n`);
  else if (!r.bb && (r.name === 'head' || r.name === 'tail'))
    complain(r.p, `${r.name}: cannot open '${path}' for reading: ${strerror(e)}\n`);
  else complain(r.p, `${r.name}: ${path}: ${strerror(e)}\n`);
}

/** A file as a pipe; `-` and the descriptors' names are standard input. */
export function* openInput(r: Run, path: string): Co<Pipe | Errno> {
  if (path === '-' || path === '/dev/stdin' || path === '/dev/fd/0' || path === '/proc/self/fd/0') return r.p.stdin;
  const at = absolute(path, r.p.cwd);
  const node = lookup(r.p.fs, at, r.p);
  if (typeof node !== 'string' && node.kind === 'file') {
    if (r.p.uid !== 0 && !(node.mode & (node.uid === r.p.uid ? 0o400 : 0o004))) return 'EACCES';
    if (isFifo(node)) return (yield* openFifo(r.p, node, 'read')) as Pipe;
  }
  const data = readFile(r.p.fs, at, r.p);
  return typeof data === 'string' ? data : pipeOf(data);
}

/** A whole file (or standard input). An Errno has been reported. */
export function* slurp(r: Run, path: string): Co<Uint8Array | Errno> {
  const pipe = yield* openInput(r, path);
  if (typeof pipe === 'string') {
    cannotOpen(r, path, pipe);
    return pipe;
  }
  const parts: Uint8Array[] = [];
  for (;;) {
    const chunk = yield* readPipe(r.p.kernel.sim, pipe);
    if (chunk === 'timeout' || !chunk.length) return parts.length ? concat(parts) : new Uint8Array(0);
    parts.push(chunk);
  }
}

// Text tools work on bytes: one character of a string is one byte, so that whatever comes in goes out unchanged.

export function toBinary(b: Uint8Array): string {
  let s = '';
  for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192));
  return s;
}

export function fromBinary(s: string): Uint8Array {
  const b = new Uint8Array(s.length);
  for (let i = 0; i < s.length; i++) b[i] = s.charCodeAt(i);
  return b;
}

/** An argument's text as its UTF-8 bytes. */
export function binaryArgument(s: string): string {
  for (let i = 0; i < s.length; i++)
    if (s.charCodeAt(i) > 127)
      return encodeURIComponent(s).replace(/%([0-9A-F]{2})/g, (_, h) => String.fromCharCode(Number.parseInt(h, 16)));
  return s;
}

export const outBinary = (r: Run, s: string): 'EPIPE' | null => print(r.p, fromBinary(s));

/** Lines of a pipe as they come. */
export interface Lines {
  pipe: Pipe;
  buffer: string;
  /** The last line had a newline. */
  newline: boolean;
  ended: boolean;
}

export const linesOf = (pipe: Pipe): Lines => ({ pipe, buffer: '', newline: true, ended: false });

/** The next line without its newline, or null. */
export function* nextLine(r: Run, lines: Lines, delimiter = '\n'): Co<string | null> {
  for (;;) {
    const at = lines.buffer.indexOf(delimiter);
    if (at >= 0) {
      const line = lines.buffer.slice(0, at);
      lines.buffer = lines.buffer.slice(at + 1);
      return line;
    }
    if (lines.ended) {
      if (!lines.buffer) return null;
      const line = lines.buffer;
      lines.buffer = '';
      lines.newline = false;
      return line;
    }
    const chunk = yield* readPipe(r.p.kernel.sim, lines.pipe);
    if (chunk === 'timeout' || !chunk.length) lines.ended = true;
    else lines.buffer += toBinary(chunk);
  }
}

/** All lines of a text: a missing newline at the end makes no difference. */
export function splitLines(text: string, delimiter = '\n'): string[] {
  if (!text) return [];
  const lines = text.split(delimiter);
  if (lines[lines.length - 1] === '') lines.pop();
  return lines;
}

/** All lines of all files; `failed` when one could not be read. */
export function* allLines(r: Run, files: string[], delimiter = '\n'): Co<{ lines: string[]; failed: boolean }> {
  const lines: string[] = [];
  let failed = false;
  for (const file of files.length ? files : ['-']) {
    const data = yield* slurp(r, file);
    if (typeof data === 'string') failed = true;
    else for (const line of splitLines(toBinary(data), delimiter)) lines.push(line);
  }
  return { lines, failed };
}

/** A count with a suffix: 10k, 2M. null: no number. */
export function sized(text: string): number | null {
  const m = /^([+-]?\d+)(b|[kKMGT]?)(?:i?B)?$/.exec(text);
  if (!m) return null;
  const units: Record<string, number> = { '': 1, b: 512, k: 1024, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };
  return Number(m[1]) * units[m[2]];
}

/** Print lines in one write. */
export function outLines(r: Run, lines: string[], delimiter = '\n'): number {
  if (!lines.length) return 0;
  return outBinary(r, lines.join(delimiter) + delimiter) ? BROKEN : 0;
}
