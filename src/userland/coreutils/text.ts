// Tools over lines: wc, uniq, cut, paste, nl …
import { absolute, writeFile } from '../../linux/vfs.ts';
import {
  allLines,
  BROKEN,
  binaryArgument,
  cannotOpen,
  has,
  linesOf,
  nextLine,
  openInput,
  option,
  out,
  outBinary,
  outLines,
  slurp,
  splitLines,
  type ToolSpec,
  toBinary,
  usage,
} from './tool.ts';
import { TR_CLASSES } from './tr.ts';

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

/** Characters that are wanted; what stands apart in the line is joined by `glue`. */
function pick(line: string, wanted: (n: number) => boolean, glue: string): string {
  let text = '';
  let last = 0;
  for (let i = 1; i <= line.length; i++) {
    if (!wanted(i)) continue;
    if (text && last !== i - 1) text += glue;
    text += line[i - 1];
    last = i;
  }
  return text;
}

const CUT_USAGE = 'cut {-b|c LIST | -f LIST [-d SEP] [-s]} [-D] [-O SEP] [FILE]...';

export const CUT: ToolSpec = {
  short: 'b:c:f:d:snDF:O:',
  long: { bytes: 'b', characters: 'c', fields: 'f', delimiter: 'd', 'only-delimited': 's', complement: 'C', 'output-delimiter': 'O' },
  *run(r) {
    const lists = ['b', 'c', 'f'].flatMap(l => r.options.get(l) ?? []);
    const list = lists[0];
    if (lists.length > 1) return usage(r, 'only one list may be specified', CUT_USAGE);
    if (list === undefined)
      return usage(
        r,
        r.bb ? 'expected a list of bytes, characters, or fields' : 'you must specify a list of bytes, characters, or fields',
        CUT_USAGE,
      );
    const delimiter = binaryArgument(option(r, 'd') ?? '\t');
    if (delimiter.length > 1 && !r.bb) return usage(r, 'the delimiter must be a single character');
    if (!has(r, 'f') && !r.bb && (has(r, 'd') || has(r, 's')))
      return usage(
        r,
        has(r, 'd')
          ? 'an input delimiter may be specified only when operating on fields'
          : 'suppressing non-delimited lines makes sense\n\tonly when operating on fields',
      );
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
        if (!fields) text = pick(line, wanted, option(r, 'O') ?? '');
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

TR_CLASSES.alpha = TR_CLASSES.upper + TR_CLASSES.lower;

TR_CLASSES.alnum = TR_CLASSES.digit + TR_CLASSES.alpha;

TR_CLASSES.graph = TR_CLASSES.alnum + TR_CLASSES.punct;

TR_CLASSES.print = `${TR_CLASSES.graph} `;

TR_CLASSES.xdigit = '0123456789ABCDEFabcdef';

TR_CLASSES.cntrl = `${Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join('')}\x7f`;

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
