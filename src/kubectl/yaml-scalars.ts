// go-yaml's scalars: block, quoted and plain; anchors, aliases and tags.
import { char, indicator, isBlank, isBlankZ, isBreak, removeKey, type Scanner, saveKey, skip, skipLine, wrong } from './yaml-cursor.ts';

export function fetchAnchor(s: Scanner, c: string): void {
  saveKey(s);
  s.keyAllowed = false;
  const start = s.line;
  skip(s);
  const from = s.at;
  while (/[0-9A-Za-z_-]/.test(char(s))) skip(s);
  if (s.at === from || !(isBlankZ(char(s)) || '?:,]}%@`'.includes(char(s))))
    wrong(s, 'did not find expected alphabetic or numeric character', start);
  s.tokens.push({ type: c === '*' ? 'ALIAS' : 'ANCHOR', line: start, text: s.text.slice(from, s.at) });
}

export function fetchTag(s: Scanner): void {
  saveKey(s);
  s.keyAllowed = false;
  const start = s.line;
  while (!isBlankZ(char(s)) && !(s.flow && ',[]{}'.includes(char(s)))) skip(s);
  if (!isBlankZ(char(s))) wrong(s, 'did not find expected whitespace or line break', start);
  s.tokens.push({ type: 'TAG', line: start, text: '' });
}

export function fetchBlock(s: Scanner): void {
  removeKey(s);
  s.keyAllowed = true;
  const start = s.line;
  skip(s);
  let increment = 0;
  for (let i = 0; i < 2; i++) {
    const c = char(s);
    if (c === '0') wrong(s, 'found an indentation indicator equal to 0', start);
    if (/[1-9]/.test(c) && !increment) increment = Number(c);
    else if (c !== '+' && c !== '-') break;
    skip(s);
  }
  while (isBlank(char(s))) skip(s);
  if (char(s) === '#') while (s.at < s.text.length && !isBreak(char(s))) skip(s);
  if (s.at < s.text.length && !isBreak(char(s))) wrong(s, 'did not find expected comment or line break', start);
  if (s.at < s.text.length) skipLine(s);
  let indent = increment ? (s.indent >= 0 ? s.indent + increment : increment) : 0;
  const breaks = (): void => {
    let max = 0;
    for (;;) {
      while ((!indent || s.column < indent) && char(s) === ' ') skip(s);
      max = Math.max(max, s.column);
      if ((!indent || s.column < indent) && char(s) === '\t')
        wrong(s, 'found a tab character where an indentation space is expected', start);
      if (s.at >= s.text.length || !isBreak(char(s))) break;
      skipLine(s);
    }
    if (!indent) indent = Math.max(max, s.indent + 1, 1);
  };
  breaks();
  while (s.column === indent && s.at < s.text.length) {
    while (s.at < s.text.length && !isBreak(char(s))) skip(s);
    if (s.at < s.text.length) skipLine(s);
    breaks();
  }
  s.tokens.push({ type: 'SCALAR', line: start, text: '' });
}

const ESCAPES = '0abt\tnvfre "\'/\\N_LP';

export function fetchQuoted(s: Scanner, quote: string): void {
  saveKey(s);
  s.keyAllowed = false;
  const start = s.line;
  skip(s);
  for (;;) {
    if (indicator(s, '---') || indicator(s, '...')) wrong(s, 'found unexpected document indicator', start);
    if (s.at >= s.text.length) wrong(s, 'found unexpected end of stream', start);
    while (!isBlankZ(char(s))) {
      if (quote === "'" && char(s) === "'" && char(s, 1) === "'") {
        skip(s);
        skip(s);
      } else if (char(s) === quote) break;
      else if (quote === '"' && char(s) === '\\' && isBreak(char(s, 1))) {
        skip(s);
        skipLine(s);
        break;
      } else if (quote === '"' && char(s) === '\\') skipEscape(s, start);
      else skip(s);
    }
    if (char(s) === quote) break;
    while (isBlank(char(s)) || (s.at < s.text.length && isBreak(char(s)))) {
      if (isBlank(char(s))) skip(s);
      else skipLine(s);
    }
  }
  skip(s);
  s.tokens.push({ type: 'SCALAR', line: start, text: '' });
}

function skipEscape(s: Scanner, start: number): void {
  const c = char(s, 1);
  const digits = { x: 2, u: 4, U: 8 }[c] ?? 0;
  if (!digits && (c === '\0' || !ESCAPES.includes(c))) wrong(s, 'found unknown escape character', start);
  skip(s);
  skip(s);
  for (let i = 0; i < digits; i++) if (!/[0-9a-fA-F]/.test(char(s, i))) wrong(s, 'did not find expected hexdecimal number', start);
  for (let i = 0; i < digits; i++) skip(s);
}

export function fetchPlain(s: Scanner): void {
  saveKey(s);
  s.keyAllowed = false;
  const start = s.line;
  const indent = s.indent + 1;
  let leading = false;
  for (;;) {
    if (indicator(s, '---') || indicator(s, '...') || char(s) === '#') break;
    while (!isBlankZ(char(s))) {
      const c = char(s);
      if ((c === ':' && isBlankZ(char(s, 1))) || (s.flow && ',?[]{}'.includes(c))) break;
      leading = false;
      skip(s);
    }
    if (s.at >= s.text.length || !(isBlank(char(s)) || isBreak(char(s)))) break;
    while (s.at < s.text.length && (isBlank(char(s)) || isBreak(char(s)))) {
      if (isBlank(char(s))) {
        if (leading && s.column < indent && char(s) === '\t') wrong(s, 'found a tab character that violates indentation', start);
        skip(s);
      } else {
        skipLine(s);
        leading = true;
      }
    }
    if (!s.flow && s.column < indent) break;
  }
  if (leading) s.keyAllowed = true;
  s.tokens.push({ type: 'SCALAR', line: start, text: '' });
}
