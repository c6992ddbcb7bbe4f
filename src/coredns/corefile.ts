// The Corefile's syntax (coredns/caddy v1.1, caddyfile/lexer.go, parse.go): server blocks of directives, with arguments and blocks.
import { CorefileError } from './types.ts';

export interface Directive {
  name: string;
  args: string[];
  line: number;
  /** The line of the closing brace, when there is one. */
  end?: number;
  /** Lines of the `{ … }` behind it. */
  body: Directive[];
}

export interface ServerBlock {
  keys: string[];
  line: number;
  directives: Directive[];
}

interface Token {
  text: string;
  line: number;
  quoted: boolean;
}

function tokens(text: string): Token[] {
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
      out.push({ text: value, line: start, quoted: true });
    } else {
      let value = '';
      while (i < text.length && !/\s/.test(text[i])) value += text[i++];
      out.push({ text: value, line, quoted: false });
    }
  }
  return out;
}

export function parseCorefile(
  text: string,
  env: (name: string) => string = () => '',
  files: (glob: string) => { path: string; text: string }[] = () => [],
): ServerBlock[] {
  const list = tokens(text.replace(/\{\$([A-Za-z_]\w*)\}/g, (_, n) => env(n)));
  const snippets = new Map<string, Directive[]>();
  const blocks: ServerBlock[] = [];
  let at = 0;
  while (at < list.length) {
    const block: ServerBlock = { keys: [], line: list[at].line, directives: [] };
    const first = list[at].line;
    while (at < list.length && list[at].text !== '{') {
      const key = list[at].text.replace(/,$/, '');
      // Addresses may continue on the next line only behind a comma.
      if (list[at].line !== first && !list[at - 1].text.endsWith(',')) break;
      if (key) block.keys.push(key);
      at++;
    }
    if (at < list.length && list[at].text === '{') {
      at++;
      [block.directives, at] = directives(list, at, snippets, files);
      if (at >= list.length) throw new CorefileError(list[list.length - 1].line, 'Unexpected EOF');
      at++;
    } else {
      // Without braces the rest of the file is the one block.
      [block.directives, at] = directives(list, at, snippets, files);
    }
    const snippet = /^\((.*)\)$/.exec(block.keys[0] ?? '');
    if (snippet) snippets.set(snippet[1], block.directives);
    else blocks.push(block);
  }
  return blocks;
}

/** Lines up to the closing brace. -> directives and the position of that brace */
function directives(
  list: Token[],
  at: number,
  snippets: Map<string, Directive[]>,
  files: (glob: string) => { path: string; text: string }[],
): [Directive[], number] {
  const out: Directive[] = [];
  while (at < list.length && !(list[at].text === '}' && !list[at].quoted)) {
    const head = list[at++];
    const d: Directive = { name: head.text, args: [], line: head.line, body: [] };
    while (at < list.length && list[at].line === list[at - 1].line && !['{', '}'].includes(list[at].text)) d.args.push(list[at++].text);
    if (list[at]?.text === '{' && list[at].line === list[at - 1].line) {
      at++;
      [d.body, at] = directives(list, at, snippets, files);
      if (at >= list.length) throw new CorefileError(list[list.length - 1].line, 'Unexpected EOF');
      d.end = list[at].line;
      at++;
    }
    if (d.name === 'import') out.push(...imported(d, snippets, files));
    else out.push(d);
  }
  return [out, at];
}

function imported(
  d: Directive,
  snippets: Map<string, Directive[]>,
  files: (glob: string) => { path: string; text: string }[],
): Directive[] {
  const known = snippets.get(d.args[0] ?? '');
  if (known) return known;
  const found = files(d.args[0] ?? '');
  if (!found.length && !/[*?[]/.test(d.args[0] ?? '')) throw new CorefileError(d.line, `File to import not found: ${d.args[0]}`);
  return found.flatMap(f => directives(tokens(f.text), 0, snippets, files)[0]);
}
