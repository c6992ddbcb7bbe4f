// Tokens of nftables' language with their places, for the carets under errors (scanner.l of nftables 1.0.6).
import { parseIp } from '../../../wire/ip.ts';

export interface Token {
  kind: 'word' | 'string' | 'number' | 'ip4' | 'ip6' | 'mac' | 'time' | 'symbol' | 'newline' | 'end';
  text: string;
  at: number;
}

/** Kind, the letters that it may begin with, and all of it. */
const RULES: [Token['kind'] | 'blank', RegExp, RegExp][] = [
  ['blank', /[ \t\r\\#]/, /[ \t\r]+|\\\n|#[^\n]*/y],
  ['newline', /[\n;]/, /\n|;/y],
  ['string', /"/, /"[^"]*"\*?/y],
  ['mac', /[0-9a-fA-F]/, /(?:[0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}(?![0-9a-fA-F:])/y],
  ['ip6', /[0-9a-fA-F:]/, /[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*/y],
  ['ip4', /\d/, /\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w])/y],
  ['number', /\d/, /0x[0-9a-fA-F]+|\d+(?![\w])/y],
  ['time', /\d/, /(?:\d+(?:d|h|m|s|ms))+(?!\w)/y],
  ['word', /[A-Za-z_*\\\d]/, /[A-Za-z_*\\][\w/\-.\\]*\*?|\d[\w/\-.]*/y],
  ['symbol', /[=!<>&{}()[\],:@/.|^+*~$-]/, /==|!=|<=|>=|<<|>>|&&|[{}()[\],:=<>@/.!|&^+*~$-]/y],
];
/** By the code of the first letter. */
const BY_LETTER = Array.from({ length: 128 }, (_, code) => RULES.filter(([, first]) => first.test(String.fromCharCode(code))));
const NO_RULES: typeof RULES = [];

/** The token at `at`, or blanks; `end`: where it ends. */
function tokenAt(text: string, at: number): { kind: Token['kind'] | 'blank'; end: number } {
  for (const [kind, , re] of BY_LETTER[text.charCodeAt(at)] ?? NO_RULES) {
    re.lastIndex = at;
    if (re.test(text) && re.lastIndex > at && (kind !== 'ip6' || parseIp(text.slice(at, re.lastIndex)))) return { kind, end: re.lastIndex };
  }
  return { kind: 'symbol', end: at + 1 };
}

/** The command that begins at `from`: to the first end of a line outside braces, that included; the text's end is a token as well. */
export function lexCommand(text: string, from: number): { tokens: Token[]; end: number } {
  const tokens: Token[] = [];
  let at = from;
  let depth = 0;
  while (at < text.length) {
    const { kind, end } = tokenAt(text, at);
    if (kind !== 'blank') {
      let body = text.slice(at, end);
      if (kind === 'string') body = body.endsWith('*') ? `${body.slice(1, -2)}*` : body.slice(1, -1);
      tokens.push({ kind, text: body, at });
      if (body === '{' && kind === 'symbol') depth++;
      else if (body === '}' && kind === 'symbol') depth = Math.max(0, depth - 1);
      else if (kind === 'newline' && !depth) return { tokens, end };
    }
    at = end;
  }
  tokens.push({ kind: 'end', text: '', at: text.length });
  return { tokens, end: at };
}
