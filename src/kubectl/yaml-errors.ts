// go-yaml v2's words for broken YAML (go.yaml.in/yaml/v2 v2.4.3, parserc.go, decode.go).
import { isMistake, newScanner, type Scanner, type TokenType, type YamlMistake } from './yaml-cursor.ts';
import { peekToken, takeToken } from './yaml-scan.ts';

const say = (words: string, line = 0): string => `error converting YAML to JSON: yaml: ${line ? `line ${line}: ` : ''}${words}`;

/** What go-yaml's reader refuses before the document is looked at. */
export function readerError(text: string): string | null {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if ((c < 32 && c !== 9 && c !== 10 && c !== 13) || (c >= 127 && c < 160 && c !== 133) || c === 0xfffe || c === 0xffff)
      return say('control characters are not allowed');
  }
  return /^%/m.test(text) ? mistakeOf(text) : null;
}

/** The text of `error converting YAML to JSON: yaml: line N: …`; `reason` is what another parser found wrong. */
export function goYamlError(text: string, reason: string): string {
  const unknown = /unidentified alias "(.*)"/.exec(reason);
  return mistakeOf(text) ?? say(unknown ? `unknown anchor '${unknown[1]}' referenced` : reason);
}

function mistakeOf(text: string): string | null {
  const p: Parser = { scanner: newScanner(text), anchors: new Set() };
  try {
    document(p, text);
    return null;
  } catch (e) {
    if (isMistake(e)) return say(e.yaml, e.line);
    throw e;
  }
}

interface Parser {
  scanner: Scanner;
  anchors: Set<string>;
}

const next = (p: Parser): TokenType => peekToken(p.scanner).type;
const take = (p: Parser) => takeToken(p.scanner);

function wrong(p: Parser, yaml: string, contextLine = 0): never {
  throw { yaml, line: peekToken(p.scanner).line || contextLine } satisfies YamlMistake;
}

function document(p: Parser, text: string): void {
  let directives = false;
  while (next(p) === 'DIRECTIVE') {
    const row = text.split('\n')[take(p).line];
    if (!/^%(YAML|TAG)\s/.test(row)) throw { yaml: 'found unknown directive name', line: 0 } satisfies YamlMistake;
    const version = /^%YAML\s+(\d+)\.(\d+)/.exec(row);
    if (version && (version[1] !== '1' || version[2] !== '1'))
      throw { yaml: 'found incompatible YAML document', line: 0 } satisfies YamlMistake;
    directives = true;
  }
  if (next(p) === 'DOCUMENT-START') take(p);
  else if (directives) wrong(p, 'did not find expected <document start>');
  if (['STREAM-END', 'DOCUMENT-END', 'DOCUMENT-START', 'DIRECTIVE'].includes(next(p))) return;
  node(p, true, false);
  next(p);
}

function node(p: Parser, block: boolean, indentless: boolean): void {
  const start = peekToken(p.scanner).line;
  let decorated = false;
  if (next(p) === 'ALIAS') {
    const name = take(p).text;
    if (!p.anchors.has(name)) throw { yaml: `unknown anchor '${name}' referenced`, line: 0 } satisfies YamlMistake;
    return;
  }
  while (next(p) === 'ANCHOR' || next(p) === 'TAG') {
    const t = take(p);
    if (t.type === 'ANCHOR') p.anchors.add(t.text);
    decorated = true;
  }
  const type = next(p);
  if (indentless && type === 'BLOCK-ENTRY') indentlessSequence(p);
  else if (type === 'SCALAR') take(p);
  else if (type === '[') flowSequence(p);
  else if (type === '{') flowMapping(p);
  else if (block && type === 'BLOCK-SEQUENCE-START') blockSequence(p);
  else if (block && type === 'BLOCK-MAPPING-START') blockMapping(p);
  else if (!decorated) wrong(p, 'did not find expected node content', start);
}

function blockSequence(p: Parser): void {
  const start = take(p).line;
  for (;;) {
    if (next(p) === 'BLOCK-END') return void take(p);
    if (next(p) !== 'BLOCK-ENTRY') wrong(p, "did not find expected '-' indicator", start);
    take(p);
    if (next(p) !== 'BLOCK-ENTRY' && next(p) !== 'BLOCK-END') node(p, true, false);
  }
}

function indentlessSequence(p: Parser): void {
  while (next(p) === 'BLOCK-ENTRY') {
    take(p);
    if (!['BLOCK-ENTRY', 'KEY', 'VALUE', 'BLOCK-END'].includes(next(p))) node(p, true, false);
  }
}

const AFTER_KEY = ['KEY', 'VALUE', 'BLOCK-END'];

function blockMapping(p: Parser): void {
  const start = take(p).line;
  for (;;) {
    if (next(p) === 'BLOCK-END') return void take(p);
    if (next(p) !== 'KEY') wrong(p, 'did not find expected key', start);
    take(p);
    if (!AFTER_KEY.includes(next(p))) node(p, true, true);
    if (next(p) !== 'VALUE') continue;
    take(p);
    if (!AFTER_KEY.includes(next(p))) node(p, true, true);
  }
}

function flowSequence(p: Parser): void {
  const start = take(p).line;
  for (let first = true; next(p) !== ']'; first = false) {
    if (!first) {
      if (next(p) !== ',') wrong(p, "did not find expected ',' or ']'", start);
      take(p);
    }
    if (next(p) === 'KEY') {
      take(p);
      if (!['VALUE', ',', ']'].includes(next(p))) node(p, false, false);
      if (next(p) !== 'VALUE') continue;
      take(p);
      if (![',', ']'].includes(next(p))) node(p, false, false);
    } else if (next(p) !== ']') node(p, false, false);
  }
  take(p);
}

function flowMapping(p: Parser): void {
  const start = take(p).line;
  for (let first = true; next(p) !== '}'; first = false) {
    if (!first) {
      if (next(p) !== ',') wrong(p, "did not find expected ',' or '}'", start);
      take(p);
    }
    if (next(p) === 'KEY') {
      take(p);
      if (!['VALUE', ',', '}'].includes(next(p))) node(p, false, false);
      if (next(p) !== 'VALUE') continue;
      take(p);
      if (![',', '}'].includes(next(p))) node(p, false, false);
    } else if (next(p) !== '}') node(p, false, false);
  }
  take(p);
}
