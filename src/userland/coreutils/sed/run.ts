// sed's cycle: a line into the pattern space, the script over it, and out.
import { absolute, writeFile } from '../../../linux/vfs.ts';
import type { Co } from '../../../sim/task.ts';
import { BROKEN, fromBinary, has, openInput, outBinary, type Run, toBinary } from '../tool.ts';
import { type Input, inputOf } from './input.ts';
import type { Address, Program, SedCommand } from './parse.ts';
import type { State } from './state.ts';
import { substitute } from './substitute.ts';

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

export type Emit = (text: string, newline?: boolean) => boolean;

/** Commands that work on the two spaces and write: what follows is the next command. */
const SIMPLE: Record<string, (s: State, c: SedCommand, emit: Emit, r: Run) => void> = {
  s(s, c, emit, r) {
    if (!substitute(c, s)) return;
    s.substituted = true;
    if (c.flags.print) emit(s.pattern);
    if (c.flags.file) writeOut(r, c.flags.file, s.pattern);
  },
  y(s, c) {
    s.pattern = [...s.pattern].map(ch => c.map.get(ch) ?? ch).join('');
  },
  p: (s, _, emit) => emit(s.pattern),
  P: (s, _, emit) => emit(s.pattern.split('\n')[0]),
  '=': (s, _, emit) => emit(String(s.line)),
  l: (s, _, emit) => emit(`${s.pattern.replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n')}$`),
  a: (s, c) => s.appended.push(`${c.text}\n`),
  i: (_, c, emit) => emit(c.text),
  h(s) {
    s.hold = s.pattern;
  },
  H(s) {
    s.hold += `\n${s.pattern}`;
  },
  g(s) {
    s.pattern = s.hold;
  },
  G(s) {
    s.pattern += `\n${s.hold}`;
  },
  x(s) {
    [s.pattern, s.hold] = [s.hold, s.pattern];
  },
  z(s) {
    s.pattern = '';
  },
  w: (s, c, _, r) => writeOut(r, c.text, s.pattern),
};

type Outcome = 'end' | 'delete' | 'restart';

/** n and N. -> what follows, null: the next command */
function* nextInput(r: Run, name: string, s: State, input: Input, emit: Emit): Co<Outcome | null> {
  const quiet = has(r, 'n');
  if (yield* input.last()) return name === 'n' && quiet ? 'delete' : 'end';
  if (name === 'n' && !quiet) emit(s.pattern);
  flushAppended(s, emit);
  const line = (yield* input.next()) ?? '';
  s.pattern = name === 'n' ? line : `${s.pattern}\n${line}`;
  s.line++;
  return null;
}

/** One cycle's commands. -> what follows: 'end' (print), 'delete' (do not), 'restart' (D) */
function* cycle(r: Run, program: Program, s: State, input: Input, emit: Emit): Co<Outcome> {
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
      case 'd':
        return 'delete';
      case 'D': {
        const at = s.pattern.indexOf('\n');
        if (at < 0) return 'delete';
        s.pattern = s.pattern.slice(at + 1);
        return 'restart';
      }
      case 'c':
        if (!c.to || c.negate || !c.active) emit(c.text);
        return 'delete';
      case 'n':
      case 'N': {
        const end = yield* nextInput(r, c.name, s, input, emit);
        if (end) return end;
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
      default:
        SIMPLE[c.name]?.(s, c, emit, r);
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

export function* edit(r: Run, program: Program, files: string[], emit: Emit, failed: () => void): Co<number | null> {
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
