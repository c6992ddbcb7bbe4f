// Tools that pass bytes on: cat, head, tail, tee.
import { goesOn, sleep } from '../../linux/process.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { closePipe, type Pipe, readPipe, writePipe } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { fileSink } from '../sh/redirect.ts';
import {
  BROKEN,
  cannotOpen,
  error,
  has,
  linesOf,
  nextLine,
  openInput,
  option,
  out,
  outBinary,
  type Run,
  sized,
  slurp,
  type ToolSpec,
  toBinary,
} from './tool.ts';

export const CAT: ToolSpec = {
  short: 'nbsAETvetu',
  long: {
    number: 'n',
    'number-nonblank': 'b',
    'squeeze-blank': 's',
    'show-all': 'A',
    'show-ends': 'E',
    'show-tabs': 'T',
    'show-nonprinting': 'v',
  },
  usage: 'cat [-nbvteA] [FILE]...\n\nPrint FILEs to stdout',
  *run(r) {
    let status = 0;
    let number = 0;
    let blank = false;
    const plain = !r.options.size || (r.options.size === 1 && has(r, 'u'));
    for (const file of r.args.length ? r.args : ['-']) {
      const pipe = yield* openInput(r, file);
      if (typeof pipe === 'string') {
        cannotOpen(r, file, pipe);
        status = 1;
        continue;
      }
      if (plain) {
        if (yield* copy(r, pipe)) return BROKEN;
        continue;
      }
      const lines = linesOf(pipe);
      for (let line = yield* nextLine(r, lines); line !== null; line = yield* nextLine(r, lines)) {
        const empty = line === '';
        if (has(r, 's') && empty && blank) continue;
        blank = empty;
        let text = line;
        if (has(r, 'A') || has(r, 'v') || has(r, 'e') || has(r, 't')) text = visible(text);
        if (has(r, 'A') || has(r, 'T') || has(r, 't')) text = text.replace(/\t/g, '^I');
        if (has(r, 'A') || has(r, 'E') || has(r, 'e')) text += '$';
        if (has(r, 'n') || (has(r, 'b') && !empty)) text = `${String(++number).padStart(6)}\t${text}`;
        if (outBinary(r, text + (lines.newline ? '\n' : ''))) return BROKEN;
      }
    }
    return status;
  },
};

function visible(text: string): string {
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\xff]/g, c => {
    const n = c.charCodeAt(0);
    const low = n & 127;
    const mark = n > 127 ? 'M-' : '';
    return `${mark}${low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low)}`;
  });
}

function* copy(r: Run, pipe: Pipe): Co<boolean> {
  for (;;) {
    const chunk = yield* readPipe(r.p.kernel.sim, pipe);
    if (chunk === 'timeout' || !chunk.length) return false;
    if (out(r, chunk)) return true;
  }
}

export const HEAD: ToolSpec = {
  short: 'n:c:qvz',
  long: { lines: 'n', bytes: 'c', quiet: 'q', silent: 'q', verbose: 'v' },
  digits: 'n',
  *run(r) {
    const bytes = option(r, 'c');
    const text = bytes ?? option(r, 'n') ?? '10';
    const count = sized(text.replace(/^-/, ''));
    if (count === null)
      return error(r, r.bb ? `invalid number '${text}'` : `invalid number of ${bytes === undefined ? 'lines' : 'bytes'}: '${text}'`);
    const allBut = text.startsWith('-');
    let status = 0;
    let shown = 0;
    const files = r.args.length ? r.args : ['-'];
    for (const file of files) {
      const pipe = yield* openInput(r, file);
      if (typeof pipe === 'string') {
        cannotOpen(r, file, pipe);
        status = 1;
        continue;
      }
      if ((files.length > 1 && !has(r, 'q')) || has(r, 'v'))
        out(r, `${shown++ ? '\n' : ''}==> ${file === '-' ? 'standard input' : file} <==\n`);
      if (bytes !== undefined) yield* headBytes(r, pipe, file, count, allBut);
      else yield* headLines(r, pipe, count, allBut);
    }
    return status;
  },
};

function* headLines(r: Run, pipe: Pipe, count: number, allBut: boolean): Co<void> {
  const lines = linesOf(pipe);
  const held: string[] = [];
  for (let n = 0; allBut || n < count; n++) {
    const line = yield* nextLine(r, lines);
    if (line === null) return;
    if (allBut) {
      held.push(line);
      if (held.length <= count) continue;
    }
    if (outBinary(r, (allBut ? (held.shift() as string) : line) + (lines.newline ? '\n' : ''))) return;
  }
}

function* headBytes(r: Run, pipe: Pipe, file: string, count: number, allBut: boolean): Co<void> {
  if (allBut) {
    const parts: string[] = [];
    for (;;) {
      const chunk = yield* readPipe(r.p.kernel.sim, pipe);
      if (chunk === 'timeout' || !chunk.length) break;
      parts.push(toBinary(chunk));
    }
    outBinary(r, parts.join('').slice(0, -count || undefined));
    return;
  }
  let left = count;
  while (left > 0) {
    const chunk = yield* readPipe(r.p.kernel.sim, pipe);
    if (chunk === 'timeout' || !chunk.length) {
      // An endless device gives as much as it is asked for.
      if (!/^\/dev\/(zero|u?random|full)$/.test(file)) return;
      const more = readFile(r.p.fs, file, r.p);
      if (typeof more === 'string') return;
      pipe.chunks.push(more);
      pipe.closed = true;
      continue;
    }
    out(r, chunk.subarray(0, left));
    left -= chunk.length;
  }
}

export const TAIL: ToolSpec = {
  short: 'n:c:fFqvs:',
  long: { lines: 'n', bytes: 'c', follow: 'f', quiet: 'q', silent: 'q', verbose: 'v', retry: 'F', pid: 's:' },
  digits: 'n',
  *run(r) {
    const bytes = option(r, 'c');
    const text = bytes ?? option(r, 'n') ?? '10';
    const count = sized(text.replace(/^[-+]/, ''));
    if (count === null)
      return error(r, r.bb ? `invalid number '${text}'` : `invalid number of ${bytes === undefined ? 'lines' : 'bytes'}: '${text}'`);
    let status = 0;
    const files = r.args.length ? r.args : ['-'];
    const sizes = new Map<string, number>();
    for (const [i, file] of files.entries()) {
      const data = yield* slurp(r, file);
      if (typeof data === 'string') {
        status = 1;
        continue;
      }
      if ((files.length > 1 && !has(r, 'q')) || has(r, 'v')) out(r, `${i ? '\n' : ''}==> ${file === '-' ? 'standard input' : file} <==\n`);
      if (bytes !== undefined) out(r, text.startsWith('+') ? data.subarray(count - 1) : count ? data.subarray(-count) : new Uint8Array(0));
      else {
        const whole = toBinary(data);
        const lines = whole.split('\n');
        const tail = lines.at(-1) === '' ? lines.pop() : undefined;
        const chosen = text.startsWith('+') ? lines.slice(Math.max(0, count - 1)) : count ? lines.slice(-count) : [];
        if (chosen.length) outBinary(r, chosen.join('\n') + (tail === undefined ? '' : '\n'));
      }
      sizes.set(file, data.length);
    }
    if (has(r, 'f') || has(r, 'F')) yield* follow(r, sizes);
    return status;
  },
};

function* follow(r: Run, sizes: Map<string, number>): Co<void> {
  if (!sizes.size && !has(r, 'F')) return;
  goesOn(r.p);
  for (;;) {
    yield* sleep(r.p, 1000);
    for (const [file, size] of sizes) {
      if (file === '-') continue;
      const data = readFile(r.p.fs, absolute(file, r.p.cwd), r.p);
      if (typeof data === 'string' || data.length === size) continue;
      if (out(r, data.subarray(data.length < size ? 0 : size))) return;
      sizes.set(file, data.length);
    }
  }
}

export const TEE: ToolSpec = {
  short: 'ai',
  long: { append: 'a', 'ignore-interrupts': 'i' },
  *run(r) {
    let status = 0;
    const sinks: Pipe[] = [];
    for (const file of r.args) {
      const sink = fileSink(r.p, file, has(r, 'a'));
      if (typeof sink === 'string') {
        cannotOpen(r, file, sink);
        status = 1;
      } else sinks.push(sink);
    }
    for (;;) {
      const chunk = yield* readPipe(r.p.kernel.sim, r.p.stdin);
      if (chunk === 'timeout' || !chunk.length) break;
      out(r, chunk);
      for (const sink of sinks) writePipe(sink, chunk);
    }
    for (const sink of sinks) closePipe(sink);
    return status;
  },
};
