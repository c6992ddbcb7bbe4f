// sort: keys, and the orders that people use (C locale).
import { strerror } from '../../linux/process.ts';
import { absolute, lookup, writeFile } from '../../linux/vfs.ts';
import { compareBytes } from '../../sim/bytes.ts';
import { below } from '../../sim/random.ts';
import { allLines, error, fromBinary, has, option, outLines, type Run, type ToolSpec } from './tool.ts';

interface Key {
  field: number;
  char: number;
  endField: number;
  endChar: number;
  flags: string;
}

function parseKey(text: string): Key | null {
  const m = /^(\d+)(?:\.(\d+))?([bdfgiMhnRrV]*)(?:,(\d+)(?:\.(\d+))?([bdfgiMhnRrV]*))?$/.exec(text);
  if (!m || [m[1], m[2], m[4]].includes('0')) return null;
  return {
    field: Number(m[1]),
    char: Number(m[2] ?? 1),
    endField: Number(m[4] ?? 0),
    endChar: Number(m[5] ?? 0),
    flags: m[3] + (m[6] ?? ''),
  };
}

/** Fields of a line with the blanks that stand before them, or between separators. */
function fieldsOf(line: string, separator: string | undefined): string[] {
  if (separator !== undefined) return line.split(separator);
  return line.match(/[ \t]*[^ \t]+|[ \t]+$/g) ?? [];
}

function keyText(line: string, key: Key, separator: string | undefined): string {
  const fields = fieldsOf(line, separator);
  const glue = separator ?? '';
  const trim = key.flags.includes('b');
  const first = fields.slice(key.field - 1);
  if (key.endField) first.length = Math.max(0, Math.min(first.length, key.endField - key.field + 1));
  if (!first.length) return '';
  if (key.endField && key.endChar && fields.length >= key.endField) {
    const last = first.length - 1;
    first[last] = first[last].slice(0, key.endChar);
  }
  if (trim) first[0] = first[0].replace(/^[ \t]+/, '');
  first[0] = first[0].slice(key.char - 1);
  return first.join(glue);
}

const number = (s: string): number => Number(/^\s*-?\d*\.?\d*/.exec(s)?.[0] || 0) || 0;

function human(s: string): number {
  const m = /^\s*(-?\d*\.?\d+)([kKMGTPE]?)/.exec(s);
  return m ? Number(m[1]) * 1024 ** ' KMGTPE'.indexOf(m[2].toUpperCase() || ' ') : 0;
}

function version(a: string, b: string): number {
  const x = a.match(/\d+|\D+/g) ?? [];
  const y = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    if (x[i] === undefined) return -1;
    if (y[i] === undefined) return 1;
    const both = /^\d/.test(x[i]) && /^\d/.test(y[i]);
    const d = both ? Number(x[i]) - Number(y[i]) : compareBytes(x[i], y[i]);
    if (d) return d;
  }
  return 0;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

function comparator(flags: string): (a: string, b: string) => number {
  const clean = (s: string) => {
    let t = flags.includes('b') ? s.replace(/^[ \t]+/, '') : s;
    if (flags.includes('d')) t = t.replace(/[^A-Za-z0-9 \t]/g, '');
    return flags.includes('f') ? t.toUpperCase() : t;
  };
  const order = (a: string, b: string): number => {
    if (flags.includes('n')) return number(a) - number(b);
    if (flags.includes('g')) return (Number.parseFloat(a) || 0) - (Number.parseFloat(b) || 0);
    if (flags.includes('h')) return human(a) - human(b);
    if (flags.includes('V')) return version(a, b);
    if (flags.includes('M')) return MONTHS.indexOf(a.trim().slice(0, 3).toUpperCase()) - MONTHS.indexOf(b.trim().slice(0, 3).toUpperCase());
    return compareBytes(clean(a), clean(b));
  };
  return flags.includes('r') ? (a, b) => order(b, a) : order;
}

export const SORT: ToolSpec = {
  short: 'nrufbdghiMRVsk:t:o:cCmzT:S:',
  long: {
    'numeric-sort': 'n',
    reverse: 'r',
    unique: 'u',
    'ignore-case': 'f',
    'ignore-leading-blanks': 'b',
    'human-numeric-sort': 'h',
    'version-sort': 'V',
    'random-sort': 'R',
    'general-numeric-sort': 'g',
    key: 'k',
    'field-separator': 't',
    output: 'o',
    check: 'c',
    stable: 's',
    'zero-terminated': 'z',
    'month-sort': 'M',
    'dictionary-order': 'd',
    'ignore-nonprinting': 'i',
  },
  usageStatus: 2,
  *run(r) {
    const end = has(r, 'z') ? '\0' : '\n';
    for (const path of r.bb ? [] : r.args) {
      const e = path === '-' ? null : lookup(r.p.fs, absolute(path, r.p.cwd), r.p);
      if (typeof e === 'string') return error(r, `cannot read: ${path}: ${strerror(e)}`, 2);
    }
    const { lines, failed } = yield* allLines(r, r.args, end);
    if (failed) return 2;
    const compare = ordering(r);
    if (typeof compare === 'string') return error(r, compare, 2);
    if (has(r, 'c')) return check(r, lines, compare.all);
    let sorted = lines;
    if (has(r, 'R')) sorted = shuffle(r, lines);
    else sorted.sort(compare.all);
    if (has(r, 'u')) sorted = sorted.filter((line, i) => i === 0 || compare.keys(sorted[i - 1], line) !== 0);
    const file = option(r, 'o');
    if (file === undefined) return outLines(r, sorted, end);
    writeFile(r.p.fs, absolute(file, r.p.cwd), fromBinary(sorted.map(l => l + end).join('')), r.p);
    return 0;
  },
};

function wrongKey(r: Run, text: string): string {
  if (r.bb) return 'bad field specification';
  if (/^0/.test(text)) return `field number is zero: invalid field specification '${text}'`;
  if (!/^\d/.test(text)) return `invalid number at field start: invalid count at start of '${text}'`;
  if (/,(?!\d)/.test(text)) return `invalid number after ',': invalid count at start of '${text.slice(text.indexOf(',') + 1)}'`;
  if (/,0/.test(text)) return `field number is zero: invalid field specification '${text}'`;
  if (/\.0/.test(text)) return `character offset is zero: invalid field specification '${text}'`;
  return `stray character in field spec: invalid field specification '${text}'`;
}

function ordering(r: Run): { keys: (a: string, b: string) => number; all: (a: string, b: string) => number } | string {
  const global = [...r.options.keys()].filter(l => 'nrfbdghiMV'.includes(l)).join('');
  const raw = option(r, 't');
  const separator = raw === '\\t' ? '\t' : raw === '\\0' ? '\0' : raw;
  const keys: { key: Key; compare: (a: string, b: string) => number }[] = [];
  for (const text of r.options.get('k') ?? []) {
    const key = parseKey(text);
    if (!key) return wrongKey(r, text);
    const own = key.flags.replace('b', '');
    if (!own) key.flags += global.includes('b') ? 'b' : '';
    keys.push({ key, compare: comparator(own ? key.flags : global) });
  }
  const byKeys = (a: string, b: string) => {
    if (!keys.length) return comparator(global)(a, b);
    for (const { key, compare } of keys) {
      const d = compare(keyText(a, key, separator), keyText(b, key, separator));
      if (d) return d;
    }
    return 0;
  };
  const whole = keys.length ? byKeys : comparator(global);
  // Equal keys are ordered by the whole line, unless -s or -u.
  const last = has(r, 'r') ? (a: string, b: string) => compareBytes(b, a) : compareBytes;
  return { keys: whole, all: has(r, 's') || has(r, 'u') ? whole : (a, b) => whole(a, b) || last(a, b) };
}

function check(r: Run, lines: string[], compare: (a: string, b: string) => number): number {
  for (let i = 1; i < lines.length; i++) {
    const d = compare(lines[i - 1], lines[i]);
    if (d > 0 || (d === 0 && has(r, 'u'))) return error(r, `${r.args[0] ?? '-'}:${i + 1}: disorder: ${lines[i]}`);
  }
  return 0;
}

export function shuffle(r: Run, lines: string[]): string[] {
  const out = [...lines];
  for (let i = out.length - 1; i > 0; i--) {
    const j = below(r.p.kernel.sim.random, i + 1);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

export const SHUF: ToolSpec = {
  short: 'n:i:e',
  long: { 'head-count': 'n', 'input-range': 'i', echo: 'e' },
  *run(r) {
    let lines: string[];
    const m = /^(\d+)-(\d+)$/.exec(option(r, 'i') ?? '');
    if (m) lines = Array.from({ length: Number(m[2]) - Number(m[1]) + 1 }, (_, i) => String(Number(m[1]) + i));
    else if (has(r, 'e')) lines = r.args;
    else lines = (yield* allLines(r, r.args)).lines;
    return outLines(r, shuffle(r, lines).slice(0, Number(option(r, 'n') ?? lines.length)));
  },
};
