// Tools over bytes: checksums, base64, od, hexdump, xxd, cmp, diff.
import { base64, hex, unbase64 } from '../../sim/bytes.ts';
import { uuid } from '../../sim/random.ts';
import { sha256 } from '../../sim/sha256.ts';
import { sha512 } from '../../sim/sha512.ts';
import type { Co } from '../../sim/task.ts';
import { md5, sha1 } from './digests.ts';
import { error, has, option, out, type Run, slurp, splitLines, type ToolSpec, toBinary, usage } from './tool.ts';

const DIGESTS: Record<string, (b: Uint8Array) => Uint8Array> = { md5sum: md5, sha1sum: sha1, sha256sum: sha256, sha512sum: sha512 };

export const SUM: ToolSpec = {
  short: 'bctsw',
  long: { check: 'c', binary: 'b', status: 's', quiet: 's' },
  *run(r) {
    const digest = DIGESTS[r.name];
    if (has(r, 'c')) return yield* checkSums(r, digest);
    let status = 0;
    for (const file of r.args.length ? r.args : ['-']) {
      const data = yield* slurp(r, file);
      if (typeof data === 'string') status = 1;
      else out(r, `${hex(digest(data))}  ${file}\n`);
    }
    return status;
  },
};

function* checkSums(r: Run, digest: (b: Uint8Array) => Uint8Array): Co<number> {
  let bad = 0;
  for (const list of r.args.length ? r.args : ['-']) {
    const data = yield* slurp(r, list);
    if (typeof data === 'string') return 1;
    for (const line of splitLines(toBinary(data))) {
      const m = /^([0-9a-f]+) [ *](.+)$/.exec(line);
      if (!m) continue;
      const file = yield* slurp(r, m[2]);
      const good = typeof file !== 'string' && hex(digest(file)) === m[1];
      if (!good) bad++;
      if (!has(r, 's')) out(r, `${m[2]}: ${good ? 'OK' : 'FAILED'}\n`);
    }
  }
  if (bad) error(r, `WARNING: ${bad}${r.bb ? ' of 1' : ''} computed checksum${bad > 1 ? 's' : ''} did NOT match`);
  return bad ? 1 : 0;
}

export const CKSUM: ToolSpec = {
  short: '',
  *run(r) {
    for (const file of r.args.length ? r.args : ['-']) {
      const data = yield* slurp(r, file);
      if (typeof data === 'string') return 1;
      let crc = 0;
      const step = (byte: number) => {
        crc ^= byte << 24;
        for (let k = 0; k < 8; k++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
      };
      for (const b of data) step(b);
      for (let n = data.length; n; n = Math.floor(n / 256)) step(n & 255);
      out(r, `${~crc >>> 0} ${data.length}${file === '-' ? '' : ` ${file}`}\n`);
    }
    return 0;
  },
};

export const BASE64: ToolSpec = {
  short: 'dDw:i',
  long: { decode: 'd', wrap: 'w', 'ignore-garbage': 'i' },
  *run(r) {
    const data = yield* slurp(r, r.args[0] ?? '-');
    if (typeof data === 'string') return 1;
    if (has(r, 'd') || has(r, 'D')) {
      let text = toBinary(data).replace(/\s/g, '');
      if (has(r, 'i')) text = text.replace(/[^A-Za-z0-9+/=]/g, '');
      const bytes = unbase64(text) ?? unbase64(text.slice(0, text.length - (text.length % 4)));
      if (bytes) out(r, bytes);
      return bytes && text.length % 4 === 0 ? 0 : error(r, r.bb ? 'truncated input' : 'invalid input');
    }
    const text = base64(data);
    const width = Number(option(r, 'w') ?? 76);
    out(r, width ? text.replace(new RegExp(`.{1,${width}}`, 'g'), '$&\n') : text);
    return 0;
  },
};

export const HEXDUMP: ToolSpec = {
  short: 'Cvn:s:e:bcdox',
  *run(r) {
    const all = yield* slurp(r, r.args[0] ?? '-');
    if (typeof all === 'string') return 1;
    const from = Number(option(r, 's') ?? 0);
    const data = all.subarray(from, option(r, 'n') === undefined ? undefined : from + Number(option(r, 'n')));
    const width = has(r, 'C') ? 8 : 7;
    let previous = '';
    let starred = false;
    for (let i = 0; i < data.length; i += 16) {
      const row = data.subarray(i, i + 16);
      const key = hex(row);
      if (key === previous && row.length === 16 && !has(r, 'v')) {
        if (!starred) out(r, '*\n');
        starred = true;
        continue;
      }
      starred = false;
      previous = key;
      const at = (from + i).toString(16).padStart(width, '0');
      if (has(r, 'C')) {
        const cells = Array.from({ length: 16 }, (_, k) => (k < row.length ? row[k].toString(16).padStart(2, '0') : '  '));
        out(r, `${at}  ${cells.slice(0, 8).join(' ')}  ${cells.slice(8).join(' ')}  |${toBinary(row).replace(/[^\x20-\x7e]/g, '.')}|\n`);
      } else {
        const words: string[] = [];
        for (let k = 0; k < row.length; k += 2) words.push((row[k] | ((row[k + 1] ?? 0) << 8)).toString(16).padStart(4, '0'));
        out(r, `${at} ${words.join(' ')}\n`.padEnd(0));
      }
    }
    if (data.length) out(r, `${(from + data.length).toString(16).padStart(width, '0')}\n`);
    return 0;
  },
};

const NAMED: Record<number, string> = { 0: '\\0', 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r' };

export const OD: ToolSpec = {
  short: 'A:t:cxbdoN:j:vw:',
  long: { 'address-radix': 'A', format: 't', 'read-bytes': 'N', 'skip-bytes': 'j' },
  *run(r) {
    for (const letter of ['j', 'N']) {
      const text = option(r, letter);
      if (text !== undefined && !/^(0x[\da-f]+|\d+)$/i.test(text))
        return error(r, r.bb ? `invalid number '${text}'` : `invalid -${letter} argument '${text}'`);
    }
    const all = yield* slurp(r, r.args[0] ?? '-');
    if (typeof all === 'string') return 1;
    const from = Number(option(r, 'j') ?? 0);
    if (from > all.length) return error(r, `${r.bb ? "can't" : 'cannot'} skip past end of combined input`);
    const data = all.subarray(from, option(r, 'N') === undefined ? undefined : from + Number(option(r, 'N')));
    const type = has(r, 'c') ? 'c' : has(r, 'x') ? 'x2' : has(r, 'b') ? 'o1' : has(r, 'd') ? 'u2' : (option(r, 't') ?? 'o2');
    const radix = option(r, 'A') ?? 'o';
    const address = (n: number) =>
      radix === 'n'
        ? ''
        : radix === 'x'
          ? n.toString(16).padStart(6, '0')
          : radix === 'd'
            ? String(n).padStart(7, '0')
            : n.toString(8).padStart(7, '0');
    for (let i = 0; i < data.length; i += 16) out(r, `${address(from + i)}${cells(type, data.subarray(i, i + 16))}\n`);
    if (radix !== 'n') out(r, `${address(from + data.length)}\n`);
    return 0;
  },
};

function cells(type: string, row: Uint8Array): string {
  if (type === 'c' || type === 'a')
    return Array.from(row, b =>
      (NAMED[b] ?? (b > 31 && b < 127 ? String.fromCharCode(b) : b.toString(8).padStart(3, '0'))).padStart(4),
    ).join('');
  const size = Number(/\d/.exec(type)?.[0] ?? (type[1] === 'C' ? 1 : 4));
  const base = { x: 16, o: 8, u: 10, d: 10 }[type[0]] ?? 8;
  const width = base === 16 ? size * 2 : base === 8 ? Math.ceil((size * 8) / 3) : size === 1 ? 3 : size === 2 ? 5 : 10;
  let text = '';
  for (let k = 0; k < row.length; k += size) {
    let n = 0;
    for (let j = size - 1; j >= 0; j--) n = n * 256 + (row[k + j] ?? 0);
    const digits = n.toString(base);
    text += ` ${base === 10 ? digits.padStart(width + (type[0] === 'd' ? 1 : 0)) : digits.padStart(width, '0')}`;
  }
  return text;
}

export const XXD: ToolSpec = {
  short: 'pl:s:c:ru',
  *run(r) {
    const all = yield* slurp(r, r.args[0] ?? '-');
    if (typeof all === 'string') return 1;
    const data = option(r, 'l') === undefined ? all : all.subarray(0, Number(option(r, 'l')));
    if (has(r, 'p')) {
      out(r, hex(data).replace(/.{1,60}/g, '$&\n'));
      return 0;
    }
    for (let i = 0; i < data.length; i += 16) {
      const row = data.subarray(i, i + 16);
      const pairs = hex(row)
        .replace(/.{1,4}/g, '$& ')
        .trimEnd();
      out(r, `${i.toString(16).padStart(8, '0')}: ${pairs.padEnd(39)}  ${toBinary(row).replace(/[^\x20-\x7e]/g, '.')}\n`);
    }
    return 0;
  },
};

/** diffutils 3.8: a line that has ended is told from one in which the shorter file ends. */
const whereEnded = (bytes: number, line: number, atLineEnd: boolean): string =>
  bytes ? ` after byte ${bytes}, ${atLineEnd ? `line ${line - 1}` : `in line ${line}`}` : ' which is empty';

export const CMP: ToolSpec = {
  short: 'slbn:',
  *run(r) {
    if (r.args.length < 2 && !r.args.length) return usage(r, "missing operand after 'cmp'", 'cmp [-ls] [-n NUM] FILE1 [FILE2]', 2);
    const [a, b] = [yield* slurp(r, r.args[0]), yield* slurp(r, r.args[1] ?? '-')];
    if (typeof a === 'string' || typeof b === 'string') return 2;
    let line = 1;
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      if (a[i] !== b[i]) {
        if (!has(r, 's')) out(r, `${r.args[0]} ${r.args[1] ?? '-'} differ: char ${i + 1}, line ${line}\n`);
        return 1;
      }
      if (a[i] === 10) line++;
    }
    if (a.length === b.length) return 0;
    const [least, shorter] = a.length < b.length ? [a.length, r.args[0]] : [b.length, r.args[1] ?? '-'];
    if (!has(r, 's')) error(r, `EOF on ${shorter}${r.bb ? '' : whereEnded(least, line, least > 0 && a[least - 1] === 10)}`);
    return 1;
  },
};

type Edit = [kind: ' ' | '-' | '+', line: string];

/** Longest common subsequence, after what is the same at both ends. */
function editScript(a: string[], b: string[]): Edit[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const x = a.slice(head, a.length - tail);
  const y = b.slice(head, b.length - tail);
  const table = Array.from({ length: x.length + 1 }, () => new Int32Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i--)
    for (let j = y.length - 1; j >= 0; j--)
      table[i][j] = x[i] === y[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  const edits: Edit[] = a.slice(0, head).map((l): Edit => [' ', l]);
  let i = 0;
  let j = 0;
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      edits.push([' ', x[i]]);
      i++;
      j++;
    } else if (j >= y.length || (i < x.length && table[i + 1][j] >= table[i][j + 1])) edits.push(['-', x[i++]]);
    else edits.push(['+', y[j++]]);
  }
  return [...edits, ...a.slice(a.length - tail).map((l): Edit => [' ', l])];
}

interface Hunk {
  from: number;
  to: number;
}

function hunks(edits: Edit[], context: number): Hunk[] {
  const out: Hunk[] = [];
  edits.forEach((e, i) => {
    if (e[0] === ' ') return;
    const last = out.at(-1);
    if (last && i - last.to <= context * 2) last.to = i + 1;
    else out.push({ from: i, to: i + 1 });
  });
  return out;
}

const rangeText = (start: number, count: number, unified: boolean): string => {
  if (unified) return count === 1 ? String(start) : `${count === 0 ? start - 1 : start},${count}`;
  return count <= 1 ? String(count === 0 ? start - 1 : start) : `${start},${start + count - 1}`;
};

function printDiff(r: Run, edits: Edit[], names: string[]): void {
  const unified = has(r, 'u') || has(r, 'U') || r.bb;
  const context = unified ? Number(option(r, 'U') ?? 3) : 0;
  if (unified) out(r, `--- ${names[0]}\n+++ ${names[1]}\n`);
  const starts: [number, number][] = [];
  let x = 1;
  let y = 1;
  for (const [kind] of edits) {
    starts.push([x, y]);
    if (kind !== '+') x++;
    if (kind !== '-') y++;
  }
  starts.push([x, y]);
  for (const h of hunks(edits, context)) {
    const from = Math.max(0, h.from - context);
    const to = Math.min(edits.length, h.to + context);
    const part = edits.slice(from, to);
    const [a, b] = starts[from];
    const removed = part.filter(e => e[0] !== '+').length;
    const added = part.filter(e => e[0] !== '-').length;
    if (unified) {
      out(r, `@@ -${rangeText(a, removed, true)} +${rangeText(b, added, true)} @@\n${part.map(e => `${e[0]}${e[1]}\n`).join('')}`);
      continue;
    }
    const minus = part.filter(e => e[0] === '-');
    const plus = part.filter(e => e[0] === '+');
    out(
      r,
      `${rangeText(a, minus.length, false)}${minus.length && plus.length ? 'c' : minus.length ? 'd' : 'a'}${rangeText(b, plus.length, false)}\n`,
    );
    out(
      r,
      `${minus.map(e => `< ${e[1]}\n`).join('')}${minus.length && plus.length ? '---\n' : ''}${plus.map(e => `> ${e[1]}\n`).join('')}`,
    );
  }
}

export const DIFF: ToolSpec = {
  short: 'uU:qrNbwiBaTs',
  long: {
    unified: 'u',
    brief: 'q',
    recursive: 'r',
    'new-file': 'N',
    'ignore-all-space': 'w',
    'ignore-space-change': 'b',
    label: 'L:',
    color: 'k',
  },
  usageStatus: 2,
  *run(r) {
    if (r.args.length < 2)
      return usage(
        r,
        r.args.length ? `missing operand after '${r.args[0]}'` : "missing operand after 'diff'",
        'diff [-abBdiNqrTstw] [-L LABEL] [-S FILE] [-U LINES] FILE1 FILE2',
        2,
      );
    const [a, b] = [yield* slurp(r, r.args[0]), yield* slurp(r, r.args[1])];
    if (typeof a === 'string' || typeof b === 'string') return 2;
    const clean = (l: string) => (has(r, 'w') ? l.replace(/\s+/g, '') : has(r, 'b') ? l.replace(/\s+/g, ' ').trimEnd() : l);
    const x = splitLines(toBinary(a));
    const y = splitLines(toBinary(b));
    if (x.map(clean).join('\n') === y.map(clean).join('\n')) {
      if (has(r, 's')) out(r, `Files ${r.args[0]} and ${r.args[1]} are identical\n`);
      return 0;
    }
    if (has(r, 'q')) {
      out(r, `Files ${r.args[0]} and ${r.args[1]} differ\n`);
      return 1;
    }
    printDiff(r, editScript(x, y), r.options.get('L') ?? r.args);
    return 1;
  },
};

export const UUIDGEN: ToolSpec = {
  short: 'rt',
  *run(r) {
    out(r, `${uuid(r.p.kernel.sim.random)}\n`);
    return 0;
  },
};
