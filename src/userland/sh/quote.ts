// How the shells write a text so that they would read it again (bash 5.2 lib/sh/shquote.c, lib/sh/strtrans.c).

const NAMED: Record<string, string> = { '\x07': 'a', '\b': 'b', '\x1b': 'E', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' };

/** A text that only $'…' can show: control characters. */
const unprintable = (s: string): boolean => /[\x00-\x1f\x7f]/.test(s);

const ansi = (s: string): string =>
  `$'${s.replace(/[\x00-\x1f\x7f\\']/g, c => (NAMED[c] ? `\\${NAMED[c]}` : c === '\\' || c === "'" ? `\\${c}` : `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`))}'`;

export const singleQuote = (s: string): string => `'${s.replace(/'/g, "'\\''")}'`;

/** Characters that mean something to a shell. */
const meaning = (s: string): boolean => /[ \t\n'"\\|&;()<>!{}*[?\]^$`]|^#|[ \t\n]#|(?:^|[=:])~/.test(s);

/** A word of a trace or of `set`: in quotes when it needs them. */
export const shellQuote = (s: string): string => (s === '' ? "''" : meaning(s) ? singleQuote(s) : unprintable(s) ? ansi(s) : s);

/** `set`'s and ${x@A}'s values: control characters are shown. */
export const reusable = (s: string): string => (unprintable(s) ? ansi(s) : singleQuote(s));

/** declare -p's values. */
export const declared = (s: string): string => (unprintable(s) ? ansi(s) : `"${s.replace(/[\\"$`]/g, '\\$&')}"`);

/** A key between brackets: as it is when it is a word. */
export const declaredKey = (s: string): string => (meaning(s) || s === '@' || s === '*' || s === '' || unprintable(s) ? declared(s) : s);

/** printf's %q. */
export function backslashQuote(s: string): string {
  if (s === '') return "''";
  if (unprintable(s)) return ansi(s);
  return s.replace(/[ !"$&'()*,;<>?[\\\]^`{|}]/g, '\\$&').replace(/^[#~]|(?<=[=:])~/g, '\\$&');
}
