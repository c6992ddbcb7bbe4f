// Patterns: * ? [...] and bash's extended ones, as regular expressions; and names that match them.
import type { Process } from '../../linux/types.ts';
import { absolute, listDir, lookup } from '../../linux/vfs.ts';
import { compareBytes } from '../../sim/bytes.ts';
import { POSIX_CLASSES } from '../posix-classes.ts';

const CLASSES: Record<string, string> = { ...POSIX_CLASSES, word: '\\w' };

const literal = (c: string) => c.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** Quote what is special in a pattern: the text then stands for itself. */
export const quotePattern = (s: string): string => s.replace(/[\\*?[\]()|!+@^-]/g, '\\$&');

/** Does the pattern have anything that a name could match beside itself? */
export function hasGlob(pattern: string, extended: boolean): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === '\\') i++;
    else if (c === '*' || c === '?' || (c === '[' && pattern.indexOf(']', i + 1) > 0)) return true;
    else if (extended && /[@!+]/.test(c) && pattern[i + 1] === '(') return true;
  }
  return false;
}

function bracket(pattern: string, at: number): { source: string; end: number } | null {
  let i = at + 1;
  let out = '[';
  if (pattern[i] === '!' || pattern[i] === '^') {
    out += '^';
    i++;
  }
  for (let first = true; i < pattern.length; first = false) {
    const c = pattern[i];
    if (c === ']' && !first) return { source: `${out}]`, end: i + 1 };
    if (c === '[' && pattern[i + 1] === ':') {
      const end = pattern.indexOf(':]', i + 2);
      const name = CLASSES[pattern.slice(i + 2, end)];
      if (end > 0 && name) {
        out += name;
        i = end + 2;
        continue;
      }
    }
    if (c === '\\' && i + 1 < pattern.length) {
      out += literal(pattern[i + 1]);
      i += 2;
      continue;
    }
    out += c === '-' ? '-' : literal(c);
    i++;
  }
  return null;
}

/** The closing parenthesis of an extended pattern that opens at `at`. */
function closing(pattern: string, at: number): number {
  let depth = 0;
  for (let i = at; i < pattern.length; i++) {
    if (pattern[i] === '\\') i++;
    else if (pattern[i] === '(') depth++;
    else if (pattern[i] === ')' && --depth === 0) return i;
  }
  return -1;
}

function splitAlternatives(body: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < body.length; i++) {
    if (body[i] === '\\') i++;
    else if (body[i] === '(') depth++;
    else if (body[i] === ')') depth--;
    else if (body[i] === '|' && depth === 0) {
      out.push(body.slice(from, i));
      from = i + 1;
    }
  }
  return [...out, body.slice(from)];
}

/** A pattern's regular expression source. `lazy`: shortest match; `pathname`: * and ? do not match a slash. */
export function patternSource(pattern: string, o: { extended?: boolean; lazy?: boolean; pathname?: boolean } = {}): string {
  let out = '';
  const any = o.pathname ? '[^/]' : '[^]';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (o.extended && /[?*+@!]/.test(c) && pattern[i + 1] === '(') {
      const end = closing(pattern, i + 1);
      if (end > 0) {
        const body = splitAlternatives(pattern.slice(i + 2, end))
          .map(a => patternSource(a, o))
          .join('|');
        out += c === '!' ? `(?:(?!(?:${body})$)${any}*)` : `(?:${body})${c === '@' ? '' : c}`;
        i = end;
        continue;
      }
    }
    if (c === '\\' && i + 1 < pattern.length) out += literal(pattern[++i]);
    else if (c === '*') out += `${any}*${o.lazy ? '?' : ''}`;
    else if (c === '?') out += any;
    else if (c === '[') {
      const b = bracket(pattern, i);
      if (b) {
        out += b.source;
        i = b.end - 1;
      } else out += '\\[';
    } else out += literal(c);
  }
  return out;
}

const compiled = new Map<string, RegExp>();

/** Does the whole text match? */
export function matches(text: string, pattern: string, extended = false, ignoreCase = false): boolean {
  const key = `${extended ? 1 : 0}${ignoreCase ? 1 : 0}${pattern}`;
  let re = compiled.get(key);
  if (!re) {
    try {
      re = new RegExp(`^(?:${patternSource(pattern, { extended })})$`, ignoreCase ? 'i' : '');
    } catch {
      re = /(?!)/; // a range the wrong way round matches nothing
    }
    if (compiled.size > 500) compiled.clear();
    compiled.set(key, re);
  }
  return re.test(text);
}

const unquote = (s: string) => s.replace(/\\([\s\S])/g, '$1');

export interface GlobOptions {
  extended: boolean;
  dotglob?: boolean;
  ignoreCase?: boolean;
  /** `**` goes through all folders below. */
  globstar?: boolean;
}

/** Pathname expansion: the existing names, sorted; none when nothing matches. */
export function pathnames(p: Process, pattern: string, o: GlobOptions): string[] {
  const { extended, dotglob = false, ignoreCase = false } = o;
  const parts = pattern.split('/');
  const rooted = pattern.startsWith('/');
  let found = [rooted ? '/' : ''];
  for (let i = rooted ? 1 : 0; i < parts.length; i++) {
    const part = parts[i];
    const last = i === parts.length - 1;
    const next: string[] = [];
    for (const base of found) {
      if (!part) {
        next.push(base);
        continue;
      }
      if (o.globstar && part === '**') {
        next.push(...below(p, base, last, dotglob));
        continue;
      }
      if (!hasGlob(part, extended) && !(ignoreCase && /[A-Za-z]/.test(part))) {
        const path = `${base}${unquote(part)}`;
        if (typeof lookup(p.fs, absolute(path, p.cwd), p) !== 'string') next.push(last ? path : `${path}/`);
        continue;
      }
      const entries = listDir(p.fs, absolute(base || '.', p.cwd), p);
      if (typeof entries === 'string') continue;
      for (const name of [...entries.keys()].sort(compareBytes)) {
        if (name.startsWith('.') && !part.startsWith('.') && !dotglob) continue;
        if (!matches(name, part, extended, ignoreCase)) continue;
        if (last) next.push(`${base}${name}`);
        else if (isDir(p, `${base}${name}`)) next.push(`${base}${name}/`);
      }
    }
    found = next;
  }
  return [...new Set(found)].sort(compareBytes);
}

function isDir(p: Process, path: string): boolean {
  const node = lookup(p.fs, absolute(path, p.cwd), p);
  return typeof node !== 'string' && node.kind === 'dir';
}

/** What `**` stands for below `base`: folders with a slash, and at the pattern's end everything. */
function below(p: Process, base: string, last: boolean, dotglob: boolean): string[] {
  const list = last && !base ? [] : [base];
  const entries = listDir(p.fs, absolute(base || '.', p.cwd), p);
  if (typeof entries === 'string') return list;
  for (const name of [...entries.keys()].sort(compareBytes)) {
    if (name.startsWith('.') && !dotglob) continue;
    const path = `${base}${name}`;
    if (isDir(p, path)) {
      const inner = below(p, `${path}/`, last, dotglob);
      list.push(...(last ? [path, ...inner.filter(x => x !== `${path}/`)] : inner));
    } else if (last) list.push(path);
  }
  return list;
}
