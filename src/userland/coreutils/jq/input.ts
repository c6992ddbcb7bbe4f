// The JSON texts that jq reads: one value after the other.
import { JqError } from './parse.ts';
import type { Json } from './values.ts';

/** The JSON values of a text, one after the other. */
export function parseMany(source: string): Json[] {
  const out: Json[] = [];
  let rest = source.trim();
  while (rest) {
    try {
      out.push(JSON.parse(rest));
      return out;
    } catch {
      const end = valueEnd(rest);
      if (end === 0 || end >= rest.length)
        throw new JqError(
          `Invalid ${/^["[{]/.test(rest) ? 'literal' : 'numeric literal'} at line 1, column ${Math.max(1, rest.search(/\s|$/))}`,
        );
      try {
        out.push(JSON.parse(rest.slice(0, end)));
      } catch {
        throw new JqError(`Invalid numeric literal at line 1, column ${Math.max(1, rest.search(/\s|$/))}`);
      }
      rest = rest.slice(end).trimStart();
    }
  }
  return out;
}

function valueEnd(s: string): number {
  if (!/^[[{"]/.test(s)) return /^[^\s[\]{}",]+/.exec(s)?.[0].length ?? 0;
  let depth = 0;
  for (let i = 0; i < s.length; i++) {
    if (s[i] === '"') {
      i++;
      while (i < s.length && s[i] !== '"') i += s[i] === '\\' ? 2 : 1;
    } else if (s[i] === '[' || s[i] === '{') depth++;
    else if (s[i] === ']' || s[i] === '}') depth--;
    if (depth === 0) return i + 1;
  }
  return s.length;
}
