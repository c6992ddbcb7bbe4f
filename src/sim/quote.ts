// How Go programs write a string between quotes.

const NAMED: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** What unicode.IsPrint does not take: all but letters, marks, numbers, punctuation, symbols and the ASCII space. */
const UNPRINTABLE = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

function escaped(c: string): string {
  if (NAMED[c]) return NAMED[c];
  const code = c.codePointAt(0) as number;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code >= 0xd800 && code < 0xe000) return '\\ufffd';
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

/** A Go string literal, as fmt's %q and strconv.Quote print it (strconv/quote.go of Go 1.26). */
export const goQuote = (s: string): string => `"${s.replace(UNPRINTABLE, escaped)}"`;
