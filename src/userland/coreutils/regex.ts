// POSIX regular expressions, basic and extended with GNU's additions, as JavaScript's. Alternation takes the first that fits, not the longest.
import { POSIX_CLASSES } from '../posix-classes.ts';

/** A wrong pattern, in the words of regcomp(3). */
export class RegexError extends Error {}

function bracket(source: string, at: number, escapes: boolean): { text: string; end: number } {
  let i = at + 1;
  let out = '[';
  if (source[i] === '^') {
    out += '^';
    i++;
  }
  for (let first = true; ; first = false) {
    if (i >= source.length) throw new RegexError('Unmatched [, [^, [:, [., or [=');
    const c = source[i];
    if (c === ']' && !first) return { text: out === '[^' ? '[^]' : `${out}]`, end: i + 1 };
    const named = /^\[[:.=]([a-z]+|.)[:.=]\]/.exec(source.slice(i));
    if (named) {
      if (named[0][1] === ':') {
        if (!POSIX_CLASSES[named[1]]) throw new RegexError('Invalid character class name');
        out += POSIX_CLASSES[named[1]];
      } else out += `\\${named[1]}`;
      i += named[0].length;
      continue;
    }
    if (c === '\\' && escapes && i + 1 < source.length) {
      const e = source[i + 1];
      out += /[ntrfvwWsSdD]/.test(e) ? `\\${e}` : `\\${e.replace(/\w/, x => `x${x.charCodeAt(0).toString(16)}`)}`;
      i += 2;
      continue;
    }
    out += c === '-' && !first && source[i + 1] !== ']' ? '-' : /[\\\][^-]/.test(c) ? `\\${c}` : c;
    i++;
  }
}

const quoted = (c: string): string => (/[\\^$.*+?()[\]{}|/]/.test(c) ? `\\${c}` : c);

/** `awk`: escapes act inside brackets, and \y is the word boundary. */
export function posixToJs(source: string, extended: boolean, awk = false): string {
  let out = '';
  let depth = 0;
  /** What `*` would repeat is missing: it stands for itself. */
  let start = true;
  for (let i = 0; i < source.length; ) {
    const c = source[i];
    if (c === '[') {
      const b = bracket(source, i, awk);
      out += b.text;
      i = b.end;
      start = false;
      continue;
    }
    if (c === '\\') {
      if (i + 1 >= source.length) throw new RegexError('Trailing backslash');
      const e = source[i + 1];
      i += 2;
      if (!extended && '(){}|+?'.includes(e)) {
        if (e === '(') depth++;
        if (e === ')' && --depth < 0) throw new RegexError('Unmatched ) or \\)');
        if (e === '{') {
          const close = source.indexOf('\\}', i);
          if (close < 0) throw new RegexError('Unmatched \\{');
          out += repeat(source.slice(i, close));
          i = close + 2;
          continue;
        }
        out += e;
        start = e === '(' || e === '|';
        continue;
      }
      start = false;
      if (e === '<') out += '\\b(?=\\w)';
      else if (e === '>') out += '\\b(?<=\\w)';
      else if (e === '`') out += '^';
      else if (e === "'") out += '$';
      else if (awk && e === 'y') out += '\\b';
      else if (/[wWsSbBntrfv1-9]/.test(e)) out += awk && e === 'b' ? '\\x08' : /[1-9]/.test(e) && awk ? e : `\\${e}`;
      else out += /\w/.test(e) ? e : quoted(e);
      continue;
    }
    if (extended && (c === '(' || c === ')' || c === '|')) {
      if (c === '(') depth++;
      if (c === ')' && --depth < 0) {
        if (awk) throw new RegexError('Unmatched ) or \\)');
        depth = 0;
        out += '\\)';
        i++;
        continue;
      }
      out += c;
      start = c !== ')';
      i++;
      continue;
    }
    if (c === '*' || (extended && (c === '+' || c === '?'))) {
      out += start ? (extended && !awk && c !== '*' ? '' : `\\${c}`) : c;
      // `a**` repeats what is repeated already.
      while (!start && (source[i + 1] === '*' || (extended && /[+?]/.test(source[i + 1] ?? '')))) i++;
      i++;
      continue;
    }
    if (extended && c === '{') {
      const m = /^\{(\d*,?\d*)\}/.exec(source.slice(i));
      if (m?.[1] && m[1] !== ',' && !start) {
        out += repeat(m[1]);
        i += m[0].length;
      } else {
        out += '\\{';
        i++;
      }
      continue;
    }
    if (c === '^') {
      out += extended || start ? '^' : '\\^';
      start = true;
      i++;
      continue;
    }
    if (c === '$') {
      const ends = extended || i + 1 === source.length || source.startsWith('\\)', i + 1) || source.startsWith('\\|', i + 1);
      out += ends ? '$' : '\\$';
      start = false;
      i++;
      continue;
    }
    out += c === '.' ? '[^]' : quoted(c);
    start = false;
    i++;
  }
  if (depth > 0) throw new RegexError('Unmatched ( or \\(');
  return out;
}

function repeat(text: string): string {
  const m = /^(\d*)(,?)(\d*)$/.exec(text);
  if (!m || (!m[1] && !m[2])) throw new RegexError('Invalid content of \\{\\}');
  return `{${m[1] || 0}${m[2]}${m[3]}}`;
}

/** A compiled POSIX pattern. Throws RegexError with regcomp's words. */
export function posixRegex(source: string, extended: boolean, flags = ''): RegExp {
  const js = posixToJs(source, extended);
  try {
    return new RegExp(js, flags);
  } catch {
    throw new RegexError('Invalid regular expression');
  }
}

export const quoteRegex = (s: string): string => s.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
