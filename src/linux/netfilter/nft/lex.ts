// Tokens of nftables' language with their places, for the carets under errors (scanner.l of nftables 1.0.6).
import { parseIp } from '../../../wire/ip.ts';

export interface Token {
  kind: 'word' | 'string' | 'number' | 'ip4' | 'ip6' | 'mac' | 'time' | 'symbol' | 'newline' | 'end';
  text: string;
  at: number;
}

const RULES: [Token['kind'] | 'blank', RegExp][] = [
  ['blank', /[ \t\r]+|\\\n|#[^\n]*/y],
  ['newline', /\n|;/y],
  ['string', /"[^"]*"\*?/y],
  ['mac', /(?:[0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}(?![0-9a-fA-F:])/y],
  ['ip6', /[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*/y],
  ['ip4', /\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w])/y],
  ['number', /0x[0-9a-fA-F]+|\d+(?![\w])/y],
  ['time', /(?:\d+(?:d|h|m|s|ms))+(?!\w)/y],
  ['word', /[A-Za-z_*\\][\w/\-.\\]*\*?|\d[\w/\-.]*/y],
  ['symbol', /==|!=|<=|>=|<<|>>|&&|[{}()[\],:=<>@/.!|&^+*~$-]/y],
];

export function lex(text: string): Token[] {
  const out: Token[] = [];
  let at = 0;
  scan: while (at < text.length) {
    for (const [kind, re] of RULES) {
      re.lastIndex = at;
      const m = re.exec(text);
      if (!m || m[0] === '' || (kind === 'ip6' && !parseIp(m[0]))) continue;
      if (kind !== 'blank') {
        let body = m[0];
        if (kind === 'string') body = body.endsWith('*') ? `${body.slice(1, -2)}*` : body.slice(1, -1);
        out.push({ kind, text: body, at });
      }
      at += m[0].length;
      continue scan;
    }
    out.push({ kind: 'symbol', text: text[at], at });
    at++;
  }
  out.push({ kind: 'end', text: '', at: text.length });
  return out;
}
