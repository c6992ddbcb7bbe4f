// http.FileServer of Go's net/http: folders and files of a tree (src/net/http/fs.go, Go 1.26). Ranges are not cut out.
import { httpDate } from '../../sim/time.ts';
import type { Headers } from '../http.ts';
import type { Reply } from '../http-server.ts';
import { notFound, sniff } from './go-http.ts';

/** Paths begin with a slash and are clean. */
export interface FileTree {
  look: (path: string) => { directory: boolean; mtimeMs: number } | null;
  /** Names. */
  list: (path: string) => string[];
  read: (path: string) => Uint8Array;
}

/** mime.TypeByExtension, as far as Go itself knows. */
const TYPES: Record<string, string> = {
  avif: 'image/avif',
  css: 'text/css; charset=utf-8',
  gif: 'image/gif',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  mjs: 'text/javascript; charset=utf-8',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  wasm: 'application/wasm',
  webp: 'image/webp',
  xml: 'text/xml; charset=utf-8',
};

const cleaned = (path: string): string => {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') out.pop();
    else if (part && part !== '.') out.push(part);
  }
  return `/${out.join('/')}`;
};

const baseOf = (path: string): string => path.replace(/\/+$/, '').replace(/^.*\//, '') || '/';

/** `target`: what is left of the request's path without the prefix, decoded; `query` goes with redirects. */
export function goFileReply(tree: FileTree, target: string, query = '', since: string | undefined = undefined): Reply {
  const path = target.startsWith('/') ? target : `/${target}`;
  const to = (where: string): Reply => ({ status: 301, headers: [['Location', `${where}${query}`]] });
  if (path.endsWith('/index.html')) return to('./');
  let name = cleaned(path);
  let found = tree.look(name);
  if (!found) return notFound();
  if (found.directory && !path.endsWith('/')) return to(`${baseOf(path)}/`);
  if (!found.directory && path.endsWith('/')) return to(`../${baseOf(path)}`);
  if (found.directory) {
    const index = `${name === '/' ? '' : name}/index.html`;
    const page = tree.look(index);
    if (page) [name, found] = [index, page];
  }
  const mtimeMs = Math.floor(found.mtimeMs / 1000) * 1000;
  const modified: Headers = mtimeMs ? [['Last-Modified', httpDate(mtimeMs)]] : [];
  // Clients that ask again say the time that they were told.
  if (mtimeMs && since === modified[0][1]) return { status: 304, headers: modified };
  if (found.directory) return { status: 200, headers: [['Content-Type', TYPES.html], ...modified], body: listing(tree, name) };
  const body = tree.read(name);
  const type = TYPES[/\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? ''] ?? sniff(body);
  return { status: 200, headers: [['Accept-Ranges', 'bytes'], ['Content-Type', type], ...modified], body };
}

const SPECIAL: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };

function listing(tree: FileTree, path: string): string {
  const names = tree.list(path).sort((a, b) => (a < b ? -1 : 1));
  const rows = names.map(n => {
    const shown = tree.look(cleaned(`${path}/${n}`))?.directory ? `${n}/` : n;
    const first = shown.split('/')[0].includes(':') ? './' : '';
    const url = first + encodeURI(shown).replace(/[?#!'()*[\]]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    return `<a href="${url}">${shown.replace(/[&<>"']/g, c => SPECIAL[c])}</a>\n`;
  });
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${rows.join('')}</pre>\n`;
}
