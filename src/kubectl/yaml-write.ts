// YAML as sigs.k8s.io/yaml prints it: go-yaml v2's emitter for maps, lists and scalars (go.yaml.in/yaml/v2 v2.4.3, encode.go and emitterc.go).

const BEST_WIDTH = 80;

const BASE60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const WORDS = new Set(
  'y Y yes Yes YES true True TRUE on On ON n N no No NO false False FALSE off Off OFF ~ null Null NULL .nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF <<'
    .split(' ')
    .concat(''),
);

function looksLikeDate(s: string): boolean {
  if (!/^\d{4}-/.test(s)) return false;
  const m = /^\d{4}-(\d{1,2})-(\d{1,2})(?:[Tt ](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/.exec(s);
  if (!m) return false;
  const zoneFits = m[3] === undefined ? true : s.includes(' ') ? m[6] === undefined : m[6] !== undefined;
  return (
    zoneFits &&
    Number(m[1]) >= 1 &&
    Number(m[1]) <= 12 &&
    Number(m[2]) >= 1 &&
    Number(m[2]) <= 31 &&
    Number(m[3] ?? 0) < 24 &&
    Number(m[4] ?? 0) < 60 &&
    Number(m[5] ?? 0) < 60
  );
}

/** Would the text, unquoted, be read as something else than text? */
function resolvesToOther(s: string): boolean {
  if (WORDS.has(s)) return true;
  const c = s.charCodeAt(0);
  const digitOrSign = (c >= 48 && c <= 57) || c === 43 || c === 45;
  if (c === 46) return /^\.[0-9_]+([eE][-+]?[0-9]+)?$/.test(s);
  if (!digitOrSign) return false;
  if (looksLikeDate(s) || BASE60.test(s)) return true;
  const plain = s.replaceAll('_', '');
  if (/^[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/.test(plain)) {
    if (/^[-+]?0[xXbBoO]/.test(plain)) return plain.length <= 18 || /[bB]/.test(plain);
    return true;
  }
  return /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain) && Number.isFinite(Number(plain));
}

interface Analysis {
  multiline: boolean;
  plain: boolean;
  single: boolean;
  block: boolean;
}

const isBreak = (ch: string) => ch === '\n' || ch === '\r' || ch === '\u0085' || ch === '\u2028' || ch === '\u2029';
const isBlank = (ch: string | undefined) => ch === ' ' || ch === '\t';

function printable(c: number): boolean {
  return (
    c === 0x0a || (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd && c !== 0xfeff) || c >= 0x10000
  );
}

/** yaml_emitter_analyze_scalar, for block context. */
function analyze(s: string): Analysis {
  if (s === '') return { multiline: false, plain: true, single: true, block: false };
  const chars = [...s];
  let indicators = s.startsWith('---') || s.startsWith('...');
  let [breaks, special, leading, trailingSpace, trailing, breakSpace, spaceBreak] = [false, false, false, false, false, false, false];
  let [previousSpace, previousBreak, precededByBlank] = [false, false, true];
  chars.forEach((ch, i) => {
    const next = chars[i + 1];
    const followedByBlank = next === undefined || isBlank(next);
    if (i === 0) {
      if ('#,[]{}&*!|>\'"%@`'.includes(ch)) indicators = true;
      else if ((ch === '?' || ch === ':' || ch === '-') && followedByBlank) indicators = true;
    } else if (ch === ':' && followedByBlank) indicators = true;
    else if (ch === '#' && precededByBlank) indicators = true;
    if (!printable(ch.codePointAt(0) as number)) special = true;
    if (ch === ' ') {
      if (i === 0) leading = true;
      if (next === undefined) trailing = trailingSpace = true;
      if (previousBreak) breakSpace = true;
      previousSpace = true;
      previousBreak = false;
    } else if (isBreak(ch)) {
      breaks = true;
      if (i === 0) leading = true;
      if (next === undefined) trailing = true;
      if (previousSpace) spaceBreak = true;
      previousSpace = false;
      previousBreak = true;
    } else previousSpace = previousBreak = false;
    precededByBlank = isBlank(ch) || isBreak(ch);
  });
  return {
    multiline: breaks,
    plain: !(leading || trailing || breakSpace || spaceBreak || special || breaks || indicators),
    single: !(breakSpace || spaceBreak || special),
    block: !(trailingSpace || spaceBreak || special),
  };
}

const ESCAPES: Record<number, string> = {
  0: '0',
  7: 'a',
  8: 'b',
  9: 't',
  10: 'n',
  11: 'v',
  12: 'f',
  13: 'r',
  27: 'e',
  34: '"',
  92: '\\',
  133: 'N',
  160: '_',
  8232: 'L',
  8233: 'P',
};

/** A scalar at `column`, continued on lines indented by `indent`. `key`: it is a mapping's key. */
function scalar(s: string, column: number, indent: number, key: boolean): string {
  const a = analyze(s);
  const literal = s.includes('\n');
  if (literal && a.block && !key) return literalBlock(s, indent);
  const wantPlain = !literal && !resolvesToOther(s);
  if (wantPlain && a.plain && !(s === '' && key)) return plain(s, column, indent, !key);
  if ((wantPlain || (literal && false)) && a.single && !(key && a.multiline)) return singleQuoted(s, column, indent, !key);
  return doubleQuoted(s, column, indent, !key);
}

function plain(s: string, column: number, indent: number, allowBreaks: boolean): string {
  if (!allowBreaks || column + s.length <= BEST_WIDTH) return s;
  let out = '';
  let at = column;
  let spaces = false;
  const chars = [...s];
  chars.forEach((ch, i) => {
    if (ch === ' ') {
      if (!spaces && at > BEST_WIDTH && chars[i + 1] !== ' ') {
        out += `\n${' '.repeat(indent)}`;
        at = indent;
      } else {
        out += ch;
        at++;
      }
      spaces = true;
    } else {
      out += ch;
      at++;
      spaces = false;
    }
  });
  return out;
}

function singleQuoted(s: string, column: number, indent: number, allowBreaks: boolean): string {
  let out = "'";
  let at = column + 1;
  let [spaces, breaks] = [false, false];
  const chars = [...s];
  chars.forEach((ch, i) => {
    if (ch === ' ') {
      if (allowBreaks && !spaces && at > BEST_WIDTH && i > 0 && i < chars.length - 1 && chars[i + 1] !== ' ') {
        out += `\n${' '.repeat(indent)}`;
        at = indent;
      } else {
        out += ch;
        at++;
      }
      spaces = true;
    } else if (isBreak(ch)) {
      if (!breaks && ch === '\n') out += '\n';
      out += ch;
      at = 0;
      breaks = true;
    } else {
      if (breaks) {
        out += ' '.repeat(indent);
        at = indent;
      }
      out += ch === "'" ? "''" : ch;
      at += ch === "'" ? 2 : 1;
      spaces = breaks = false;
    }
  });
  return `${out}'`;
}

function doubleQuoted(s: string, column: number, indent: number, allowBreaks: boolean): string {
  let out = '"';
  let at = column + 1;
  let spaces = false;
  const chars = [...s];
  chars.forEach((ch, i) => {
    const c = ch.codePointAt(0) as number;
    if (!printable(c) || isBreak(ch) || ch === '"' || ch === '\\') {
      const hex = c.toString(16).toUpperCase();
      const e = `\\${ESCAPES[c] ?? (c <= 0xff ? `x${hex.padStart(2, '0')}` : c <= 0xffff ? `u${hex.padStart(4, '0')}` : `U${hex.padStart(8, '0')}`)}`;
      out += e;
      at += e.length;
      spaces = false;
    } else if (ch === ' ') {
      if (allowBreaks && !spaces && at > BEST_WIDTH && i > 0 && i < chars.length - 1) {
        out += `\n${' '.repeat(indent)}`;
        at = indent;
        if (chars[i + 1] === ' ') {
          out += '\\';
          at++;
        }
      } else {
        out += ch;
        at++;
      }
      spaces = true;
    } else {
      out += ch;
      at++;
      spaces = false;
    }
  });
  return `${out}"`;
}

function literalBlock(s: string, indent: number): string {
  const hint = s[0] === ' ' || isBreak(s[0]) ? '2' : '';
  const chomp = !isBreak(s[s.length - 1]) ? '-' : s.length === 1 || isBreak(s[s.length - 2]) ? '+' : '';
  const pad = ' '.repeat(indent);
  const body = (s.endsWith('\n') ? s.slice(0, -1) : s).split('\n').map(l => (l ? pad + l : ''));
  return `|${hint}${chomp}\n${body.join('\n')}${s.endsWith('\n') ? '\u0000' : ''}`;
}

/** go-yaml's order of keys: letters after others, digits by value (sorter.go). */
function compareYamlKeys(x: string, y: string): number {
  const [a, b] = [[...x], [...y]];
  const letter = (c: string) => /\p{L}/u.test(c);
  const digit = (c: string | undefined) => c !== undefined && c >= '0' && c <= '9';
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] === b[i]) continue;
    const [al, bl] = [letter(a[i]), letter(b[i])];
    if (al && bl) return a[i] < b[i] ? -1 : 1;
    if (al || bl) return bl ? -1 : 1;
    let [an, bn] = [0, 0];
    if (a[i] === '0' || b[i] === '0') for (let j = i - 1; j >= 0 && digit(a[j]); j--) if (a[j] !== '0') an = bn = 1;
    let [ai, bi] = [i, i];
    for (; digit(a[ai]); ai++) an = an * 10 + Number(a[ai]);
    for (; digit(b[bi]); bi++) bn = bn * 10 + Number(b[bi]);
    if (an !== bn) return an < bn ? -1 : 1;
    if (ai !== bi) return ai < bi ? -1 : 1;
    return a[i] < b[i] ? -1 : 1;
  }
  return a.length - b.length;
}

function isEmpty(v: unknown): boolean {
  return Array.isArray(v) ? v.length === 0 : Object.values(v as object).every(x => x === undefined);
}

function leaf(v: unknown, column: number, indent: number): string {
  if (v === null || v === undefined) return 'null';
  if (typeof v === 'string') return scalar(v, column, indent, false);
  if (typeof v === 'number') return number(v);
  return String(v);
}

/** strconv 'g' with shortest precision: an exponent from 21 digits on, or for integers never. */
function number(n: number): string {
  if (Number.isInteger(n) && Math.abs(n) < 2 ** 63) return BigInt(n).toString();
  const s = String(n);
  const m = /^(.*)e([+-])(\d+)$/.exec(s);
  return m ? `${m[1]}e${m[2]}${m[3].padStart(2, '0')}` : s;
}

function write(v: unknown, indent: number, lines: string[], prefix: string): void {
  const pad = ' '.repeat(indent);
  if (Array.isArray(v)) {
    v.forEach((item, i) => {
      const lead = `${i === 0 ? prefix : pad}- `;
      emit(item, lead, indent + 2, lines, false);
    });
    return;
  }
  const o = v as Record<string, unknown>;
  const keys = Object.keys(o)
    .filter(k => o[k] !== undefined)
    .sort(compareYamlKeys);
  keys.forEach((k, i) => {
    const name = scalar(k, indent, indent, true);
    const complex = k.length > 128 || k.includes('\n');
    emit(o[k], `${i === 0 ? prefix : pad}${complex ? `? ${name}\n${pad}: ` : `${name}: `}`, indent, lines, true);
  });
}

/** One value after `lead` (`key: ` or `- `); collections of a key begin on the next line, those of a list item on the same. */
function emit(v: unknown, lead: string, indent: number, lines: string[], ofKey: boolean): void {
  if (typeof v === 'object' && v !== null) {
    if (isEmpty(v)) {
      lines.push(lead + (Array.isArray(v) ? '[]' : '{}'));
      return;
    }
    if (!ofKey) {
      write(v, indent, lines, lead);
      return;
    }
    lines.push(lead.trimEnd());
    // go-yaml writes a list under a key without further indentation.
    const inner = Array.isArray(v) ? indent : indent + 2;
    write(v, inner, lines, ' '.repeat(inner));
    return;
  }
  lines.push(lead + leaf(v, lead.length, ofKey ? indent + 2 : indent));
}

/** yaml.Marshal of a JSON value. */
export function toYaml(v: unknown): string {
  if (typeof v !== 'object' || v === null) return `${leaf(v, 0, 2).replaceAll('\u0000', '')}\n`;
  if (isEmpty(v)) return Array.isArray(v) ? '[]\n' : '{}\n';
  const lines: string[] = [];
  write(v, 0, lines, '');
  return `${lines.join('\n').replaceAll('\u0000', '')}\n`;
}
