// Tools over lines and bytes: cat, head, tail, wc, sort, uniq, cut, tr, tee …
import { sleep } from '../../linux/process.ts';
import { absolute, lookup, readFile, writeFile } from '../../linux/vfs.ts';
import { closePipe, type Pipe, readPipe, writePipe } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { fileSink } from '../sh/redirect.ts';
import {
  allLines,
  BROKEN,
  binaryArgument,
  cannotOpen,
  error,
  has,
  linesOf,
  nextLine,
  openInput,
  option,
  out,
  outBinary,
  outLines,
  type Run,
  sized,
  slurp,
  splitLines,
  type ToolSpec,
  toBinary,
  usage,
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

export const TAC: ToolSpec = {
  short: '',
  *run(r) {
    const { lines, failed } = yield* allLines(r, r.args);
    return outLines(r, lines.reverse()) || (failed ? 1 : 0);
  },
};

export const REV: ToolSpec = {
  short: '',
  *run(r) {
    const { lines, failed } = yield* allLines(r, r.args);
    return (
      outLines(
        r,
        lines.map(l => [...l].reverse().join('')),
      ) || (failed ? 1 : 0)
    );
  },
};

export const NL: ToolSpec = {
  short: 'b:w:s:v:i:n:',
  *run(r) {
    const { lines, failed } = yield* allLines(r, r.args);
    const width = Number(option(r, 'w') ?? 6);
    const all = option(r, 'b') === 'a';
    let n = Number(option(r, 'v') ?? 1);
    const text = lines.map(l => (l || all ? `${String(n++).padStart(width)}${option(r, 's') ?? '\t'}${l}` : `${' '.repeat(width + 1)}`));
    return outLines(r, text) || (failed ? 1 : 0);
  },
};

export const WC: ToolSpec = {
  short: 'lwcmL',
  long: { lines: 'l', words: 'w', bytes: 'c', chars: 'm', 'max-line-length': 'L' },
  *run(r) {
    const chosen = ['l', 'w', 'm', 'c', 'L'].filter(l => has(r, l));
    const letters = chosen.length ? chosen : ['l', 'w', 'c'];
    const rows: { counts: number[]; name: string }[] = [];
    let status = 0;
    for (const file of r.args.length ? r.args : ['-']) {
      const data = yield* slurp(r, file);
      if (typeof data === 'string') {
        status = 1;
        continue;
      }
      const text = toBinary(data);
      const count: Record<string, number> = {
        l: text.split('\n').length - 1,
        w: text.split(/[ \t\n\v\f\r]+/).filter(Boolean).length,
        c: data.length,
        m: text.replace(/[\x80-\xbf]/g, '').length,
        L: Math.max(0, ...splitLines(text).map(l => l.length)),
      };
      rows.push({ counts: letters.map(l => count[l]), name: r.args.length ? file : '' });
    }
    if (rows.length > 1) rows.push({ counts: letters.map((_, i) => rows.reduce((a, row) => a + row.counts[i], 0)), name: 'total' });
    // GNU sizes the columns by the sizes of the files; several numbers of a pipe get seven.
    const widest = Math.max(1, ...rows.flatMap(row => row.counts.map(n => String(n).length)));
    const gnu = letters.length === 1 && rows.length <= 1 ? 1 : r.args.length ? widest : 7;
    for (const row of rows) {
      const width = r.bb ? (letters.length === 1 ? 1 : 9) : gnu;
      out(
        r,
        `${row.counts.map(n => String(n).padStart(width)).join(r.bb && letters.length > 1 ? ' ' : ' ')}${row.name ? ` ${row.name}` : ''}\n`,
      );
    }
    return status;
  },
};

export const UNIQ: ToolSpec = {
  short: 'cdDuif:s:w:z',
  long: { count: 'c', repeated: 'd', unique: 'u', 'ignore-case': 'i', 'skip-fields': 'f', 'skip-chars': 's', 'check-chars': 'w' },
  *run(r) {
    const { lines, failed } = yield* allLines(r, r.args.slice(0, 1));
    const key = (line: string) => {
      let k = line;
      for (let i = Number(option(r, 'f') ?? 0); i > 0; i--) k = k.replace(/^[ \t]*[^ \t]*/, '');
      k = k.slice(Number(option(r, 's') ?? 0));
      if (option(r, 'w')) k = k.slice(0, Number(option(r, 'w')));
      return has(r, 'i') ? k.toLowerCase() : k;
    };
    const result: string[] = [];
    for (let i = 0; i < lines.length; ) {
      let j = i + 1;
      while (j < lines.length && key(lines[j]) === key(lines[i])) j++;
      const n = j - i;
      const wanted = has(r, 'd') ? n > 1 : has(r, 'u') ? n === 1 : true;
      if (has(r, 'D') && n > 1) result.push(...lines.slice(i, j));
      else if (wanted && !has(r, 'D')) result.push(has(r, 'c') ? `${String(n).padStart(7)} ${lines[i]}` : lines[i]);
      i = j;
    }
    return outLines(r, result) || (failed ? 1 : 0);
  },
};

/** `1,3-5,7-`: which positions, counted from 1. null: a wrong list. */
function positions(list: string): ((n: number) => boolean) | null {
  const ranges: [number, number][] = [];
  for (const part of list.split(/[, ]/)) {
    const m = /^(\d*)(-?)(\d*)$/.exec(part);
    if (!m || (!m[1] && !m[3])) return null;
    const from = Number(m[1] || 1);
    const to = m[2] ? (m[3] ? Number(m[3]) : Number.POSITIVE_INFINITY) : from;
    if (from === 0) return null;
    ranges.push([from, to]);
  }
  return n => ranges.some(([a, b]) => n >= a && n <= b);
}

const CUT_USAGE = 'cut {-b|c LIST | -f LIST [-d SEP] [-s]} [-D] [-O SEP] [FILE]...';

export const CUT: ToolSpec = {
  short: 'b:c:f:d:snDF:O:',
  long: { bytes: 'b', characters: 'c', fields: 'f', delimiter: 'd', 'only-delimited': 's', complement: 'C', 'output-delimiter': 'O' },
  *run(r) {
    const list = option(r, 'b') ?? option(r, 'c') ?? option(r, 'f');
    if (list === undefined)
      return usage(
        r,
        r.bb ? 'expected a list of bytes, characters, or fields' : 'you must specify a list of bytes, characters, or fields',
        CUT_USAGE,
      );
    const delimiter = binaryArgument(option(r, 'd') ?? '\t');
    if (delimiter.length > 1 && !r.bb) return usage(r, 'the delimiter must be a single character');
    const base = positions(list);
    if (!base) return usage(r, /^0|,0/.test(list) ? 'fields are numbered from 1' : `invalid field value '${list}'`, CUT_USAGE);
    const wanted = has(r, 'C') ? (n: number) => !base(n) : base;
    const joiner = option(r, 'O') ?? delimiter;
    const fields = has(r, 'f');
    let status = 0;
    for (const file of r.args.length ? r.args : ['-']) {
      const pipe = yield* openInput(r, file);
      if (typeof pipe === 'string') {
        cannotOpen(r, file, pipe);
        status = 1;
        continue;
      }
      const lines = linesOf(pipe);
      for (let line = yield* nextLine(r, lines); line !== null; line = yield* nextLine(r, lines)) {
        let text: string;
        if (!fields) text = [...line].filter((_, i) => wanted(i + 1)).join('');
        else if (line.includes(delimiter)) {
          text = line
            .split(delimiter)
            .filter((_, i) => wanted(i + 1))
            .join(joiner);
        } else if (has(r, 's')) continue;
        else text = line;
        if (outBinary(r, `${text}\n`)) return BROKEN;
      }
    }
    return status;
  },
};

const TR_CLASSES: Record<string, string> = {
  lower: 'abcdefghijklmnopqrstuvwxyz',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  digit: '0123456789',
  space: '\t\n\v\f\r ',
  blank: '\t ',
  punct: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
};
TR_CLASSES.alpha = TR_CLASSES.upper + TR_CLASSES.lower;
TR_CLASSES.alnum = TR_CLASSES.digit + TR_CLASSES.alpha;
TR_CLASSES.graph = TR_CLASSES.alnum + TR_CLASSES.punct;
TR_CLASSES.print = `${TR_CLASSES.graph} `;
TR_CLASSES.xdigit = '0123456789ABCDEFabcdef';
TR_CLASSES.cntrl = `${Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join('')}\x7f`;

function trSet(text: string): string {
  const s = binaryArgument(text).replace(/\\([0-7]{1,3}|.)/g, (_, e) => {
    if (/^[0-7]/.test(e)) return `\\${String.fromCharCode(Number.parseInt(e, 8) & 255)}`;
    const plain: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };
    return `\\${plain[e] ?? e}`;
  });
  let set = '';
  for (let i = 0; i < s.length; i++) {
    const named = /^\[:(\w+):\]/.exec(s.slice(i));
    if (named && TR_CLASSES[named[1]]) {
      set += TR_CLASSES[named[1]];
      i += named[0].length - 1;
      continue;
    }
    const c = s[i] === '\\' && i + 1 < s.length ? s[++i] : s[i];
    if (s[i + 1] === '-' && i + 2 < s.length) {
      const end = s[i + 2] === '\\' && i + 3 < s.length ? s[i + 3] : s[i + 2];
      for (let n = c.charCodeAt(0); n <= end.charCodeAt(0); n++) set += String.fromCharCode(n);
      i += s[i + 2] === '\\' ? 3 : 2;
    } else set += c;
  }
  return set;
}

export const TR: ToolSpec = {
  short: '+cCdst',
  long: { complement: 'c', delete: 'd', 'squeeze-repeats': 's', 'truncate-set1': 't' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'tr [-cds] STRING1 [STRING2]');
    const complement = has(r, 'c') || has(r, 'C');
    if (r.args.length === 1 && !has(r, 'd') && !has(r, 's'))
      return usage(r, `missing operand after '${r.args[0]}'\nTwo strings must be given when translating.`, 'tr [-cds] STRING1 [STRING2]');
    let first = trSet(r.args[0]);
    if (complement)
      first = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i))
        .filter(c => !first.includes(c))
        .join('');
    const second = r.args[1] === undefined ? '' : trSet(r.args[1]);
    const map = new Map<string, string>();
    if (second && !has(r, 'd')) for (let i = 0; i < first.length; i++) map.set(first[i], second[Math.min(i, second.length - 1)]);
    const remove = has(r, 'd') ? new Set(first) : null;
    const squeeze = has(r, 's') ? new Set(second || first) : null;
    let last = '';
    for (;;) {
      const chunk = yield* readPipe(r.p.kernel.sim, r.p.stdin);
      if (chunk === 'timeout' || !chunk.length) return 0;
      let text = '';
      for (const c of toBinary(chunk)) {
        if (remove?.has(c)) continue;
        const to = map.get(c) ?? c;
        if (squeeze?.has(to) && to === last) continue;
        last = to;
        text += to;
      }
      if (text && outBinary(r, text)) return BROKEN;
    }
  },
};

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

export const PASTE: ToolSpec = {
  short: 'd:sz',
  long: { delimiters: 'd', serial: 's' },
  *run(r) {
    const delimiters = (option(r, 'd') ?? '\t').replace(/\\n/g, '\n').replace(/\\t/g, '\t').replace(/\\0/g, '\0');
    const columns: string[][] = [];
    const stdin: string[] = [];
    let read = false;
    for (const file of r.args.length ? r.args : ['-']) {
      if (file === '-' && read) {
        columns.push(stdin);
        continue;
      }
      const data = yield* slurp(r, file);
      if (typeof data === 'string') return 1;
      const lines = splitLines(toBinary(data));
      if (file === '-') {
        read = true;
        stdin.push(...lines);
        columns.push(stdin);
      } else columns.push(lines);
    }
    const glue = (row: string[]) =>
      row.map((cell, i) => (i ? (delimiters[(i - 1) % delimiters.length] ?? '').replace('\0', '') : '') + cell).join('');
    if (has(r, 's')) return outLines(r, columns.map(glue));
    const rows: string[] = [];
    // Several `-` take turns at the same input.
    const at = new Map<string[], number>(columns.map(c => [c, 0]));
    for (;;) {
      const row = columns.map(c => {
        const i = at.get(c) as number;
        at.set(c, i + 1);
        return c[i];
      });
      if (row.every(cell => cell === undefined)) break;
      rows.push(glue(row.map(cell => cell ?? '')));
    }
    return outLines(r, rows);
  },
};

export const FOLD: ToolSpec = {
  short: 'w:sb',
  long: { width: 'w', spaces: 's' },
  *run(r) {
    const width = Number(option(r, 'w') ?? 80);
    const { lines } = yield* allLines(r, r.args);
    return outLines(
      r,
      lines.flatMap(line => {
        const parts: string[] = [];
        let rest = line;
        while (rest.length > width) {
          const space = has(r, 's') ? rest.lastIndexOf(' ', width - 1) + 1 : 0;
          parts.push(rest.slice(0, space || width));
          rest = rest.slice(space || width);
        }
        return [...parts, rest];
      }),
    );
  },
};

export const COMM: ToolSpec = {
  short: '123',
  *run(r) {
    const [a, b] = [yield* allLines(r, [r.args[0] ?? '-']), yield* allLines(r, [r.args[1] ?? '-'])];
    const result: string[] = [];
    let i = 0;
    let j = 0;
    const col = (n: number) => '\t'.repeat(['1', '2', '3'].slice(0, n - 1).filter(c => !has(r, c)).length);
    while (i < a.lines.length || j < b.lines.length) {
      const x = a.lines[i];
      const y = b.lines[j];
      if (y === undefined || (x !== undefined && x < y)) {
        if (!has(r, '1')) result.push(col(1) + x);
        i++;
      } else if (x === undefined || y < x) {
        if (!has(r, '2')) result.push(col(2) + y);
        j++;
      } else {
        if (!has(r, '3')) result.push(col(3) + x);
        i++;
        j++;
      }
    }
    return outLines(r, result);
  },
};

export const COLUMN: ToolSpec = {
  short: 'ts:o:n',
  long: { table: 't', separator: 's', 'output-separator': 'o' },
  *run(r) {
    const { lines } = yield* allLines(r, r.args);
    if (!has(r, 't')) return outLines(r, lines);
    const separator = option(r, 's');
    const rows = lines.filter(l => l.trim()).map(l => (separator ? l.split(separator) : l.trim().split(/[ \t]+/)));
    const widths: number[] = [];
    for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
    const glue = option(r, 'o') ?? '  ';
    return outLines(
      r,
      rows.map(row => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]))).join(glue)),
    );
  },
};

export const SPLIT_LINES: ToolSpec = {
  short: 'l:b:a:d',
  *run(r) {
    const { lines } = yield* allLines(r, r.args.slice(0, 1));
    const size = Number(option(r, 'l') ?? 1000);
    const stem = r.args[1] ?? 'x';
    for (let i = 0, n = 0; i < lines.length; i += size, n++) {
      const suffix = has(r, 'd') ? String(n).padStart(2, '0') : String.fromCharCode(97 + Math.floor(n / 26), 97 + (n % 26));
      writeFile(r.p.fs, absolute(stem + suffix, r.p.cwd), `${lines.slice(i, i + size).join('\n')}\n`, r.p);
    }
    return 0;
  },
};

export const EXPAND: ToolSpec = {
  short: 't:i',
  *run(r) {
    const width = Number(option(r, 't') ?? 8);
    const { lines } = yield* allLines(r, r.args);
    return outLines(
      r,
      lines.map(line => {
        let text = '';
        for (const c of line) text += c === '\t' ? ' '.repeat(width - (text.length % width)) : c;
        return text;
      }),
    );
  },
};

/** Does this path name a directory? */
export const isDirectory = (r: Run, path: string): boolean => {
  const node = lookup(r.p.fs, absolute(path, r.p.cwd), r.p);
  return typeof node !== 'string' && node.kind === 'dir';
};
