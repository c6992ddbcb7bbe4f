// numfmt: numbers with and without the units that people read (coreutils 9.1 src/numfmt.c).
import { complain } from '../../linux/process.ts';
import type { Co } from '../../sim/task.ts';
import { BROKEN, error, has, linesOf, nextLine, option, outBinary, type Run, type ToolSpec, usage } from './tool.ts';

const SUFFIXES = 'KMGTPEZY';
const SCALES = ['none', 'auto', 'si', 'iec', 'iec-i'];
const ROUNDS = ['up', 'down', 'from-zero', 'towards-zero', 'nearest'];

interface Format {
  prefix: string;
  suffix: string;
  width: number;
  precision: number | null;
  left: boolean;
  zero: boolean;
  grouping: boolean;
}

function parseFormat(text: string): Format | string {
  const m = /^((?:[^%]|%%)*)%([0'-]*)(\d*)(?:\.(\d*))?f((?:[^%]|%%)*)$/.exec(text);
  if (!m) {
    const directives = text.replaceAll('%%', '').split('%').length - 1;
    if (!directives) return `format '${text}' has no % directive`;
    if (directives > 1) return `format '${text}' has too many % directives`;
    return `invalid format '${text}', directive must be %[0]['][-][N][.][N]f`;
  }
  const [, prefix, flags, width, precision, suffix] = m;
  const shown = (s: string) => s.replaceAll('%%', '%');
  return {
    prefix: shown(prefix),
    suffix: shown(suffix),
    width: Number(width || 0),
    precision: precision === undefined ? null : Number(precision),
    left: flags.includes('-'),
    zero: flags.includes('0'),
    grouping: flags.includes("'"),
  };
}

function rounded(n: number, how: string): number {
  switch (how) {
    case 'up':
      return Math.ceil(n);
    case 'down':
      return Math.floor(n);
    case 'towards-zero':
      return Math.trunc(n);
    case 'nearest':
      return Math.sign(n) * Math.round(Math.abs(n));
    default:
      return n < 0 ? Math.floor(n) : Math.ceil(n);
  }
}

/** Rounded to so many decimals; a multiplication's last bits do not count. */
function roundedTo(n: number, decimals: number, how: string): number {
  const power = 10 ** decimals;
  return rounded(Number((n * power).toPrecision(15)), how) / power;
}

/** A number with its unit, or what is wrong with it. */
function parseNumber(text: string, from: string, suffix: string): { value: number; decimals: number } | string {
  const body = suffix && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
  const m = /^\s*(-?)(\d*)(?:\.(\d*))?(.*)$/s.exec(body) as RegExpExecArray;
  if (!m[2] && !m[3]) return `invalid number: '${text}'`;
  const value = Number(`${m[1]}${m[2] || 0}.${m[3] ?? 0}`);
  const decimals = m[3]?.length ?? 0;
  const rest = m[4];
  if (!rest) return from === 'iec-i' ? `missing 'i' suffix in input: '${text}' (e.g Ki/Mi/Gi)` : { value, decimals };
  const power = SUFFIXES.indexOf(rest[0]) + 1;
  if (!power) return `invalid suffix in input: '${text}'`;
  if (from === 'none') return `rejecting suffix in input: '${text}' (consider using --from)`;
  const binary = rest[1] === 'i';
  if (from === 'iec-i' && !binary) return `missing 'i' suffix in input: '${text}' (e.g Ki/Mi/Gi)`;
  const left = rest.slice(binary && (from === 'auto' || from === 'iec-i') ? 2 : 1);
  if (left) return `invalid suffix in input '${text}': '${left}'`;
  const base = from === 'si' || (from === 'auto' && !binary) ? 1000 : 1024;
  return { value: value * base ** power, decimals: 0 };
}

interface Settings {
  from: string;
  to: string;
  fromUnit: number;
  toUnit: number;
  round: string;
  suffix: string;
  padding: number;
  format: Format | null;
}

function writeNumber(value: number, decimals: number, s: Settings): string {
  const precision = s.format?.precision ?? null;
  if (s.to === 'none') {
    const places = precision ?? decimals;
    return roundedTo(value, places, s.round).toFixed(places);
  }
  const base = s.to === 'si' ? 1000 : 1024;
  let scaled = value;
  let power = 0;
  while (Math.abs(scaled) >= base && power < SUFFIXES.length) {
    scaled /= base;
    power++;
  }
  // Below ten there is one decimal; rounding may reach the next unit.
  const places = () => precision ?? (power && Math.abs(scaled) < 10 ? 1 : 0);
  scaled = roundedTo(scaled, places(), s.round);
  if (Math.abs(scaled) >= base && power < SUFFIXES.length) {
    scaled /= base;
    power++;
  }
  const shown = precision ?? (power && Math.abs(scaled) < 10 && scaled !== 0 ? 1 : 0);
  return `${scaled.toFixed(shown)}${power ? SUFFIXES[power - 1] : ''}${power && s.to === 'iec-i' ? 'i' : ''}`;
}

function padded(text: string, s: Settings, autoWidth: number): string {
  const f = s.format;
  if (!f) {
    const width = Math.abs(s.padding) || autoWidth;
    return s.padding < 0 ? text.padEnd(width) : text.padStart(width);
  }
  const width = f.width || Math.abs(s.padding);
  const left = f.left || s.padding < 0;
  const body = f.zero && !left ? text.replace(/^(-?)(.*)$/s, (_, sign, digits) => sign + digits.padStart(width - sign.length, '0')) : text;
  return `${f.prefix}${left ? body.padEnd(width) : body.padStart(width)}${f.suffix}`;
}

/** One field. null: it is no number, and that has been said. */
function convert(r: Run, text: string, s: Settings, width: number): string | null {
  const n = parseNumber(text.trim(), s.from, s.suffix);
  if (typeof n === 'string') {
    const mode = option(r, 'I') ?? 'abort';
    if (mode !== 'ignore') complain(r.p, `numfmt: ${n}\n`);
    return null;
  }
  const value = (n.value * s.fromUnit) / s.toUnit;
  return padded(writeNumber(value, n.decimals, s) + s.suffix, s, width);
}

function unitSize(text: string | undefined): number | null {
  if (text === undefined) return 1;
  const n = parseNumber(text, /i$/.test(text) ? 'iec-i' : 'si', '');
  return typeof n === 'string' || n.value <= 0 ? null : n.value;
}

function settings(r: Run): Settings | number {
  const choice = (letter: string, name: string, list: string[], fallback: string): string | number => {
    const text = option(r, letter) ?? fallback;
    if (list.includes(text)) return text;
    return usage(r, `invalid argument '${text}' for '--${name}'\nValid arguments are:\n${list.map(x => `  - '${x}'`).join('\n')}`);
  };
  const from = choice('F', 'from', SCALES, 'none');
  const to = choice('T', 'to', ['none', 'si', 'iec', 'iec-i'], 'none');
  const round = choice('R', 'round', ROUNDS, 'from-zero');
  if (typeof from === 'number' || typeof to === 'number' || typeof round === 'number') return 1;
  const fromUnit = unitSize(option(r, 'U'));
  const toUnit = unitSize(option(r, 'V'));
  if (fromUnit === null || toUnit === null) return error(r, `invalid unit size: '${fromUnit === null ? option(r, 'U') : option(r, 'V')}'`);
  const padding = Number(option(r, 'p') ?? 0);
  if (has(r, 'p') && (!Number.isInteger(padding) || padding === 0)) return error(r, `invalid padding value '${option(r, 'p')}'`);
  const format = has(r, 'f') ? parseFormat(option(r, 'f') as string) : null;
  if (typeof format === 'string') return error(r, format);
  return { from, to, fromUnit, toUnit, round, suffix: option(r, 'S') ?? '', padding, format };
}

/** `--field=1,3-`: which fields, from 1. */
function chosenFields(text: string): ((n: number) => boolean) | null {
  if (text === '-') return () => true;
  const ranges = text.split(',').map(part => /^(\d*)(-?)(\d*)$/.exec(part));
  if (ranges.some(m => !m || (!m[1] && !m[3]) || m[1] === '0')) return null;
  return n => ranges.some(m => m && n >= Number(m[1] || 1) && n <= (m[2] ? Number(m[3] || Number.MAX_SAFE_INTEGER) : Number(m[1])));
}

function* convertLine(r: Run, line: string, s: Settings, chosen: (n: number) => boolean): Co<boolean> {
  const delimiter = option(r, 'd');
  // Blanks belong to the field behind them: their width stays.
  const fields = delimiter === undefined ? (line.match(/[ \t]*[^ \t]+|[ \t]+$/g) ?? [line]) : line.split(delimiter);
  let failed = false;
  const texts = fields.map((field, i) => {
    if (!chosen(i + 1)) return field;
    const blanks = delimiter === undefined && !s.padding && !s.format && /^[ \t]/.test(field);
    // One blank separates; more of them are a column.
    const gap = delimiter === undefined && i > 0 && /^[ \t]/.test(field) ? field[0] : '';
    const width = blanks && field.slice(gap.length) !== field.trim() ? field.length - gap.length : 0;
    const text = convert(r, field, s, width);
    if (text === null) failed = true;
    return text === null ? field : gap + text;
  });
  if (failed && (option(r, 'I') ?? 'abort') === 'abort') return false;
  outBinary(r, `${texts.join(delimiter ?? '')}${has(r, 'z') ? '\0' : '\n'}`);
  return !failed;
}

export const NUMFMT: ToolSpec = {
  short: 'd:z',
  long: {
    from: 'F:',
    to: 'T:',
    'from-unit': 'U:',
    'to-unit': 'V:',
    round: 'R:',
    suffix: 'S:',
    padding: 'p:',
    format: 'f:',
    field: 'k:',
    delimiter: 'd',
    grouping: 'g',
    header: 'H',
    invalid: 'I:',
    'zero-terminated': 'z',
    debug: 'D',
  },
  *run(r) {
    const s = settings(r);
    if (typeof s === 'number') return s;
    const chosen = chosenFields(option(r, 'k') ?? '1');
    if (!chosen) return usage(r, `invalid field value '${option(r, 'k')}'`);
    let header = has(r, 'H') ? Number(option(r, 'H') || 1) : 0;
    let status = 0;
    const mode = option(r, 'I') ?? 'abort';
    const after = function* (line: string): Co<boolean> {
      if (header-- > 0) return outBinary(r, `${line}\n`) === null;
      if (yield* convertLine(r, line, s, chosen)) return true;
      if (mode === 'abort' || mode === 'fail') status = 2;
      return mode !== 'abort';
    };
    if (r.args.length) header = 0;
    for (const arg of r.args) if (!(yield* after(arg))) return status || BROKEN;
    if (r.args.length) return status;
    const lines = linesOf(r.p.stdin);
    for (let line = yield* nextLine(r, lines, has(r, 'z') ? '\0' : '\n'); line !== null; line = yield* nextLine(r, lines))
      if (!(yield* after(line))) return status || BROKEN;
    return status;
  },
};
