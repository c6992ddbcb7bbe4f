// Words of a Corefile (coredns/caddy v1.1, caddyfile/lexer.go).
export interface Token {
  file: string;
  line: number;
  text: string;
}

/** Blanks part words, `#` at a word's start begins a comment, quotes keep blanks and line ends; an open quote takes the rest. */
export function lex(text: string, file: string): Token[] {
  const out: Token[] = [];
  let line = 1;
  for (let i = 0; i < text.length; ) {
    const c = text[i];
    if (c === '\n') {
      line++;
      i++;
    } else if (/\s/.test(c)) i++;
    else if (c === '#') while (i < text.length && text[i] !== '\n') i++;
    else if (c === '"') {
      const start = line;
      let value = '';
      for (i++; i < text.length && text[i] !== '"'; i++) {
        if (text[i] === '\\' && text[i + 1] === '"') i++;
        if (text[i] === '\n') line++;
        value += text[i];
      }
      i++;
      out.push({ file, line: start, text: value });
    } else {
      let value = '';
      while (i < text.length && !/\s/.test(text[i])) value += text[i++];
      out.push({ file, line, text: value });
    }
  }
  return out;
}
