// nginx's configuration language: words, quotes, blocks, includes (src/core/ngx_conf_file.c).
import type { Process } from '../../linux/types.ts';
import { absolute, listDir } from '../../linux/vfs.ts';
import { readText } from './daemon.ts';
import { blockInside, type Directive, mistake } from './nginx-directives.ts';

export interface ConfError {
  text: string;
}

export const isConfError = (x: object): x is ConfError => 'text' in x && !('name' in x);

interface Token {
  text: string;
  quoted: boolean;
  line: number;
}

function tokens(text: string): Token[] {
  const out: Token[] = [];
  let line = 1;
  for (let i = 0; i < text.length; ) {
    const c = text[i];
    if (c === '\n') line++;
    if (/\s/.test(c)) i++;
    else if (c === '#') while (i < text.length && text[i] !== '\n') i++;
    else if (c === ';' || c === '{' || c === '}') {
      out.push({ text: c, quoted: false, line });
      i++;
    } else if (c === '"' || c === "'") {
      let word = '';
      const at = line;
      for (i++; i < text.length && text[i] !== c; i++) {
        if (text[i] === '\n') line++;
        if (text[i] === '\\' && i + 1 < text.length) word += escaped(text[++i]);
        else word += text[i];
      }
      i++;
      out.push({ text: word, quoted: true, line: at });
    } else {
      let word = '';
      for (; i < text.length && !/[\s;]/.test(text[i]); i++) {
        if (text[i] === '{' && !word.endsWith('$')) break;
        if (text[i] === '\\' && i + 1 < text.length) word += `\\${text[++i]}`;
        else if (text[i] === '{') {
          while (i < text.length && text[i] !== '}') word += text[i++];
          word += '}';
        } else word += text[i];
      }
      out.push({ text: word, quoted: false, line });
    }
  }
  return out;
}

function escaped(c: string): string {
  return { n: '\n', r: '\r', t: '\t', '"': '"', "'": "'", '\\': '\\' }[c] ?? `\\${c}`;
}

/**
 * Directives of a file with its includes in place, each checked where nginx does: when its last word has been read.
 * `block`: the letter of the block that the file's lines stand in (nginx-directives.ts), null: anything goes.
 */
export function parseConf(p: Process, path: string, block: string | null = 'm', from: Directive | null = null): Directive[] | ConfError {
  const text = readText(p, path);
  if (text === null) {
    const where = from ? ` in ${from.file}:${from.line}` : '';
    return { text: `open() "${path}" failed (2: No such file or directory)${where}` };
  }
  const endLine = text.split('\n').length;
  return blockOf({ p, path, list: tokens(text), at: 0, endLine }, block, 0);
}

interface Reading {
  p: Process;
  path: string;
  list: Token[];
  at: number;
  endLine: number;
}

const isEnd = (t: Token | undefined, texts: string) => t !== undefined && !t.quoted && t.text.length === 1 && texts.includes(t.text);

function blockOf(r: Reading, block: string | null, depth: number): Directive[] | ConfError {
  const out: Directive[] = [];
  while (r.at < r.list.length) {
    const t = r.list[r.at];
    if (isEnd(t, '}')) {
      if (depth === 0) return { text: `unexpected "}" in ${r.path}:${t.line}` };
      r.at++;
      return out;
    }
    if (isEnd(t, ';{')) return { text: `unexpected "${t.text}" in ${r.path}:${t.line}` };
    const d = directiveAt(r);
    if (!('name' in d)) return d;
    const opens = isEnd(r.list[r.at - 1], '{');
    const wrong = block === null ? null : mistake(d, block, opens);
    if (wrong) return { text: wrong };
    if (opens) {
      const inner = blockOf(r, block === null ? null : blockInside(d.name, block), depth + 1);
      if (!Array.isArray(inner)) return inner;
      d.block = inner;
    }
    const included = d.name === 'include' ? include(r.p, d, block) : [d];
    if (!Array.isArray(included)) return included;
    out.push(...included);
  }
  return depth > 0 ? { text: `unexpected end of file, expecting "}" in ${r.path}:${r.endLine}` } : out;
}

/** The words up to `;` or `{`, which is read too. */
function directiveAt(r: Reading): Directive | ConfError {
  const first = r.list[r.at];
  const d: Directive = { name: first.text, args: [], block: null, file: r.path, line: first.line };
  for (r.at++; r.at < r.list.length && !isEnd(r.list[r.at], ';{}'); r.at++) d.args.push(r.list[r.at].text);
  const end = r.list[r.at];
  if (!end) return { text: `unexpected end of file, expecting ";" or "}" in ${r.path}:${r.endLine}` };
  if (end.text === '}') return { text: `unexpected "}" in ${r.path}:${end.line}` };
  d.line = end.line;
  r.at++;
  return d;
}

function include(p: Process, d: Directive, block: string | null): Directive[] | ConfError {
  const path = absolute(d.args[0], '/etc/nginx');
  if (!/[*?[]/.test(path)) return parseConf(p, path, block, d);
  const dir = path.slice(0, path.lastIndexOf('/')) || '/';
  const name = path.slice(path.lastIndexOf('/') + 1);
  const match = new RegExp(
    `^${name
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const entries = listDir(p.fs, dir, p);
  const out: Directive[] = [];
  for (const file of typeof entries === 'string' ? [] : [...entries.keys()].sort()) {
    if (!match.test(file) || (file.startsWith('.') && !name.startsWith('.'))) continue;
    const found = parseConf(p, `${dir}/${file}`, block, d);
    if (!Array.isArray(found)) return found;
    out.push(...found);
  }
  return out;
}

/** Every directive below these, outermost first, with what it stands in; the lines of maps and the like are none. */
export function* walk(list: Directive[], inside: Directive | null = null): Generator<[d: Directive, inside: Directive | null]> {
  for (const d of list) {
    yield [d, inside];
    if (d.block && blockInside(d.name, '') !== null) yield* walk(d.block, d);
  }
}
