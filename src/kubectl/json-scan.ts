// encoding/json's scanner, as far as its error texts need it (Go 1.26, encoding/json/scanner.go).

/** Where the JSON value that begins at `start` ends, by brackets alone. */
export function jsonValueEnd(s: string, start: number): number {
  let depth = 0;
  for (let i = start; i < s.length; i++) {
    const c = s[i];
    if (c === '"') {
      for (i++; i < s.length && s[i] !== '"'; i++) if (s[i] === '\\') i++;
    } else if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') {
      if (--depth <= 0) return i + 1;
    }
  }
  return s.length;
}

function quoteChar(c: string): string {
  if (c === "'") return `'\\''`;
  if (c === '"') return `'"'`;
  if (c === '\n') return "'\\n'";
  if (c === '\t') return "'\\t'";
  if (c === '\r') return "'\\r'";
  return `'${c}'`;
}

/** The first syntax error: Go's words, and how many bytes had been read when it was seen. */
export function jsonSyntaxError(s: string): { text: string; offset: number } {
  let i = 0;
  const bad = (context: string) => ({ text: `invalid character ${quoteChar(s[i])} ${context}`, offset: i + 1 });
  const end = { text: 'unexpected end of JSON input', offset: s.length };
  const space = () => {
    while (i < s.length && ' \t\r\n'.includes(s[i])) i++;
  };
  const string = (): { text: string; offset: number } | null => {
    for (i++; i < s.length; i++) {
      if (s[i] === '"') {
        i++;
        return null;
      }
      if (s[i] < ' ') return bad('in string literal');
      if (s[i] === '\\') {
        i++;
        if (i >= s.length) return end;
        if (s[i] === 'u') {
          for (let k = 0; k < 4; k++) {
            i++;
            if (i >= s.length) return end;
            if (!/[0-9a-fA-F]/.test(s[i])) return bad('in \\u hexadecimal character escape');
          }
        } else if (!'bfnrt\\/"'.includes(s[i])) return bad('in string escape code');
      }
    }
    return end;
  };
  const word = (w: string): { text: string; offset: number } | null => {
    for (let k = 1; k < w.length; k++) {
      i++;
      if (i >= s.length) return end;
      if (s[i] !== w[k]) return bad(`in literal ${w} (expecting ${quoteChar(w[k])})`);
    }
    i++;
    return null;
  };
  const value = (): { text: string; offset: number } | null => {
    space();
    if (i >= s.length) return end;
    const c = s[i];
    if (c === '"') return string();
    if (c === 't') return word('true');
    if (c === 'f') return word('false');
    if (c === 'n') return word('null');
    if (c === '-' || /\d/.test(c)) {
      const m = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/.exec(s.slice(i));
      if (!m) {
        i++;
        return i >= s.length ? end : bad('in numeric literal');
      }
      i += m[0].length;
      return null;
    }
    if (c === '[' || c === '{') return collection(c);
    return bad('looking for beginning of value');
  };
  const collection = (open: string): { text: string; offset: number } | null => {
    const object = open === '{';
    i++;
    space();
    if (i >= s.length) return end;
    if (s[i] === (object ? '}' : ']')) {
      i++;
      return null;
    }
    for (;;) {
      if (object) {
        space();
        if (i >= s.length) return end;
        if (s[i] !== '"') return bad('looking for beginning of object key string');
        const e = string();
        if (e) return e;
        space();
        if (i >= s.length) return end;
        if (s[i] !== ':') return bad('after object key');
        i++;
      }
      const e = value();
      if (e) return e;
      space();
      if (i >= s.length) return end;
      if (s[i] === (object ? '}' : ']')) {
        i++;
        return null;
      }
      if (s[i] !== ',') return bad(object ? 'after object key:value pair' : 'after array element');
      i++;
    }
  };
  const e = value();
  if (e) return e;
  space();
  return i < s.length ? bad('after top-level value') : end;
}
