// Calico's selectors: libcalico-go/lib/selector v3.32. Parsed to a tree, printed in the canonical form that names are computed of, and evaluated.
export type Selector =
  | { op: 'all' | 'none' }
  | { op: '==' | '!=' | 'contains' | 'starts' | 'ends'; label: string; value: string }
  | { op: 'in' | 'notin'; label: string; values: string[] }
  | { op: 'has'; label: string }
  | { op: 'not'; of: Selector }
  | { op: 'and' | 'or'; of: Selector[] };

const quote = (s: string): string => (s.includes('"') ? `'${s}'` : `"${s}"`);

/** Conjunctions in parentheses, values in double quotes, sets sorted. */
export function selectorText(s: Selector): string {
  switch (s.op) {
    case 'all':
      return 'all()';
    case 'none':
      return 'none()';
    case '==':
    case '!=':
    case 'contains':
      return `${s.label} ${s.op} ${quote(s.value)}`;
    case 'starts':
    case 'ends':
      return `${s.label} ${s.op} with ${quote(s.value)}`;
    case 'in':
    case 'notin':
      return `${s.label} ${s.op === 'in' ? 'in' : 'not in'} {${s.values.map(quote).join(', ')}}`;
    case 'has':
      return `has(${s.label})`;
    case 'not':
      return `!${selectorText(s.of)}`;
    default:
      return `(${s.of.map(selectorText).join(s.op === 'and' ? ' && ' : ' || ')})`;
  }
}

export type LabelOf = (label: string) => string | undefined;

export function selects(s: Selector, label: LabelOf): boolean {
  switch (s.op) {
    case 'all':
      return true;
    case 'none':
      return false;
    case '==':
      return label(s.label) === s.value;
    case '!=':
      return label(s.label) !== s.value;
    case 'contains':
      return label(s.label)?.includes(s.value) ?? false;
    case 'starts':
      return label(s.label)?.startsWith(s.value) ?? false;
    case 'ends':
      return label(s.label)?.endsWith(s.value) ?? false;
    case 'in': {
      const v = label(s.label);
      return v !== undefined && s.values.includes(v);
    }
    case 'notin': {
      const v = label(s.label);
      return v === undefined || !s.values.includes(v);
    }
    case 'has':
      return label(s.label) !== undefined;
    case 'not':
      return !selects(s.of, label);
    case 'and':
      return s.of.every(x => selects(x, label));
    default:
      return s.of.some(x => selects(x, label));
  }
}

// The parser. Tokens are taken off the front of the text.

interface Reader {
  text: string;
  at: number;
  prefix: string;
}

const skip = (r: Reader): void => {
  while (/\s/.test(r.text[r.at] ?? '')) r.at++;
};

function take(r: Reader, token: RegExp): string | null {
  skip(r);
  const rx = new RegExp(token.source, 'y');
  rx.lastIndex = r.at;
  const m = rx.exec(r.text);
  if (!m) return null;
  r.at = rx.lastIndex;
  return m[0];
}

const LABEL = /[a-zA-Z0-9_./-]+/;

function literal(r: Reader): string | null {
  const t = take(r, /"[^"]*"|'[^']*'/);
  return t === null ? null : t.slice(1, -1);
}

function parseOr(r: Reader): Selector | null {
  return parseList(r, 'or', /\|\|/, parseAnd);
}

function parseAnd(r: Reader): Selector | null {
  return parseList(r, 'and', /&&/, parseOperation);
}

function parseList(r: Reader, op: 'and' | 'or', separator: RegExp, item: (r: Reader) => Selector | null): Selector | null {
  const first = item(r);
  if (!first) return null;
  const all = [first];
  while (take(r, separator)) {
    const next = item(r);
    if (!next) return null;
    all.push(next);
  }
  return all.length === 1 ? first : { op, of: all };
}

function parseOperation(r: Reader): Selector | null {
  let negated = false;
  while (take(r, /!(?!=)/)) negated = !negated;
  const s = parseTerm(r);
  return s && negated ? { op: 'not', of: s } : s;
}

function parseTerm(r: Reader): Selector | null {
  if (take(r, /\(/)) {
    const inner = parseOr(r);
    return inner && take(r, /\)/) ? inner : null;
  }
  if (take(r, /all\(\s*\)/)) return { op: 'all' };
  if (take(r, /global\(\s*\)/)) return { op: 'not', of: { op: 'has', label: NAMESPACE_LABEL } };
  if (take(r, /none\(\s*\)/)) return { op: 'none' };
  if (take(r, /has\(/)) {
    const label = take(r, LABEL);
    return label && take(r, /\)/) ? { op: 'has', label: r.prefix + label } : null;
  }
  const name = take(r, LABEL);
  return name === null ? null : parseComparison(r, r.prefix + name);
}

function parseComparison(r: Reader, label: string): Selector | null {
  const words: [RegExp, '==' | '!=' | 'contains' | 'starts' | 'ends'][] = [
    [/==?/, '=='],
    [/!=/, '!='],
    [/contains/, 'contains'],
    [/starts\s*with/, 'starts'],
    [/ends\s*with/, 'ends'],
  ];
  for (const [token, op] of words) {
    if (!take(r, token)) continue;
    const value = literal(r);
    return value === null ? null : { op, label, value };
  }
  const op = take(r, /not\s+in\b/) ? 'notin' : take(r, /in\b/) ? 'in' : null;
  if (!op || !take(r, /\{/)) return null;
  const values: string[] = [];
  for (;;) {
    const v = literal(r);
    if (v === null) break;
    values.push(v);
    if (!take(r, /,/)) break;
  }
  return take(r, /\}/) ? { op, label, values: [...new Set(values)].sort() } : null;
}

export const NAMESPACE_LABEL = 'projectcalico.org/namespace';

/** null: a syntax error (the API refuses such policies). An empty selector selects everything. `prefix` goes before every label. */
export function parseSelector(text: string, prefix = ''): Selector | null {
  if (!text.trim()) return { op: 'all' };
  const r: Reader = { text, at: 0, prefix };
  const s = parseOr(r);
  skip(r);
  return s && r.at === text.length ? s : null;
}

/** Text of a conjunction as upstream builds it before parsing: `(a) && b`. */
export const and = (a: string, b: string): string => (!a ? b : !b ? a : `(${a}) && (${b})`);

export const canonical = (text: string): string => selectorText(parseSelector(text) ?? { op: 'none' });
