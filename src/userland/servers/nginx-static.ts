// nginx's own answers from files: index, autoindex, static files with ranges (src/http/modules/ngx_http_{static,index,autoindex}_module.c).
import { absolute, lookup, readFile } from '../../linux/vfs.ts';
import { compareBytes, stringToBytes } from '../../sim/bytes.ts';
import { civilTime, httpDate, MONTHS, twoDigits } from '../../sim/time.ts';
import { type Headers, header } from '../http.ts';
import { isDirectory } from './daemon.ts';
import { requestLog } from './nginx-log.ts';
import { type Answer, errorAnswer, redirectTo, typeOf } from './nginx-pages.ts';
import { isOn, type Scope, setting } from './nginx-scope.ts';
import { expand, fileFor } from './nginx-variables.ts';

/** Where to go on inside this server: an internal redirect. */
export interface Goto {
  to: string;
}

export function staticFile(s: Scope): Answer | Goto {
  if (s.method !== 'GET' && s.method !== 'HEAD') return errorAnswer(s, 405);
  const { p } = s.n;
  const file = fileFor(s, s.path);
  const bare = absolute(file);
  if (isDirectory(p, bare)) return directory(s, file, bare);
  const data = s.path.endsWith('/') ? 'ENOENT' : readFile(p.fs, bare, p);
  if (typeof data === 'string') {
    const why: Record<string, string> = {
      ENOENT: '2: No such file or directory',
      ENOTDIR: '20: Not a directory',
      EACCES: '13: Permission denied',
    };
    if (s.path.endsWith('/')) {
      const index = `${file}${setting(s, 'index')?.args.at(-1) ?? 'index.html'}`;
      requestLog(s, 'error', `"${index}" is not found (${why.ENOENT})`);
    } else if (setting(s, 'log_not_found')?.args[0] !== 'off' || data === 'EACCES')
      requestLog(s, 'error', `open() "${file}" failed (${why[data] ?? why.ENOENT})`);
    return errorAnswer(s, data === 'EACCES' ? 403 : 404);
  }
  const node = lookup(p.fs, bare, p);
  const mtimeMs = typeof node !== 'string' && node.kind === 'file' ? node.mtimeMs : 0;
  return fileAnswer(s, data, mtimeMs);
}

function fileAnswer(s: Scope, data: Uint8Array, mtimeMs: number): Answer {
  const tag = `"${Math.floor(mtimeMs / 1000).toString(16)}-${data.length.toString(16)}"`;
  const modified = httpDate(mtimeMs);
  const headers: Headers = [
    ['Content-Type', typeOf(s, s.path)],
    ['Last-Modified', modified],
  ];
  if (setting(s, 'etag')?.args[0] !== 'off') headers.push(['ETag', tag]);
  headers.push(['Accept-Ranges', 'bytes']);
  const none = header(s.req.headers, 'If-None-Match');
  const since = header(s.req.headers, 'If-Modified-Since');
  const how = setting(s, 'if_modified_since')?.args[0] ?? 'exact';
  const unchanged =
    none === undefined ? since !== undefined && how !== 'off' && since === modified : none === '*' || none.split(/,\s*/).includes(tag);
  if (unchanged) return { status: 304, headers: headers.filter(([n]) => n !== 'Content-Type' && n !== 'Accept-Ranges') };
  return ranged(s, headers, data);
}

/** One range; several at once are answered whole. */
function ranged(s: Scope, headers: Headers, data: Uint8Array): Answer {
  const m = /^bytes=(\d*)-(\d*)$/.exec(header(s.req.headers, 'Range') ?? '');
  if (!m || (m[1] === '' && m[2] === '')) return { status: 200, headers, body: data };
  const from = m[1] === '' ? Math.max(0, data.length - Number(m[2])) : Number(m[1]);
  const to = m[1] === '' || m[2] === '' ? data.length - 1 : Math.min(Number(m[2]), data.length - 1);
  if (from > to) {
    const refused = errorAnswer(s, 416);
    return { ...refused, headers: [...(refused.headers ?? []), ['Content-Range', `bytes */${data.length}`]] };
  }
  const kept = headers.filter(([n]) => n !== 'Accept-Ranges');
  return { status: 206, headers: [...kept, ['Content-Range', `bytes ${from}-${to}/${data.length}`]], body: data.subarray(from, to + 1) };
}

function directory(s: Scope, file: string, bare: string): Answer | Goto {
  if (!s.path.endsWith('/')) return redirectTo(s, 301, `${encodeURI(s.path)}/${s.args ? `?${s.args}` : ''}`);
  for (const word of setting(s, 'index')?.args ?? ['index.html']) {
    const name = expand(s, word);
    if (name.startsWith('/')) return { to: name };
    const node = lookup(s.n.p.fs, `${bare}/${name}`, s.n.p);
    if (typeof node !== 'string' && node.kind === 'file') return { to: s.path + name };
  }
  if (isOn(s, 'autoindex')) return autoindex(s, bare);
  requestLog(s, 'error', `directory index of "${file}" is forbidden`);
  return errorAnswer(s, 403);
}

const NAME_WIDTH = 50;
const SIZE_WIDTH = 19;

/** `22-Nov-2026 02:41` */
function indexTime(ms: number): string {
  const c = civilTime(ms);
  return `${twoDigits(c.day)}-${MONTHS[c.month - 1]}-${c.year} ${twoDigits(c.hour)}:${twoDigits(c.minute)}`;
}

const escapeHtml = (text: string) => text.replace(/[<>&"]/g, c => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' })[c] as string);

/** ngx_http_autoindex_html: directories first, names cut at fifty columns, the size in nineteen. */
function autoindex(s: Scope, dir: string): Answer {
  const node = lookup(s.n.p.fs, dir, s.n.p);
  const entries = typeof node !== 'string' && node.kind === 'dir' ? [...node.entries.keys()] : [];
  const rows = entries
    .filter(name => !name.startsWith('.'))
    .map(name => ({ name, node: lookup(s.n.p.fs, `${dir}/${name}`, s.n.p) }))
    .flatMap(({ name, node }) => (typeof node === 'string' ? [] : [{ name, isDir: node.kind === 'dir', node }]))
    .sort((a, b) => Number(b.isDir) - Number(a.isDir) || compareBytes(a.name, b.name));
  const lines = rows.map(({ name, isDir, node: n }) => {
    const shown = isDir ? `${name}/` : name;
    const cut = shown.length > NAME_WIDTH ? `${shown.slice(0, NAME_WIDTH - 3)}..&gt;` : escapeHtml(shown);
    const pad = shown.length > NAME_WIDTH ? '' : ' '.repeat(NAME_WIDTH - shown.length);
    const size = isDir || n.kind !== 'file' ? '-' : String((readFile(s.n.p.fs, `${dir}/${name}`, s.n.p) as Uint8Array).length);
    const time = indexTime('mtimeMs' in n ? n.mtimeMs : 0);
    return `<a href="${encodeURIComponent(name)}${isDir ? '/' : ''}">${cut}</a>${pad} ${time} ${size.padStart(SIZE_WIDTH)}\r\n`;
  });
  const title = escapeHtml(s.path);
  const head = `<html>\r\n<head><title>Index of ${title}</title></head>\r\n<body>\r\n<h1>Index of ${title}</h1><hr><pre><a href="../">../</a>\r\n`;
  const body = stringToBytes(`${head}${lines.join('')}</pre><hr></body>\r\n</html>\r\n`);
  const length: Headers = s.req.version === 'HTTP/1.1' && !s.http2 ? [['Transfer-Encoding', 'chunked']] : [];
  return { status: 200, headers: [['Content-Type', 'text/html'], ...length], body };
}

/** The first that is there; else the last one, which is a status, a named location or another path. */
export function tryFiles(s: Scope, words: string[]): Answer | Goto | null {
  for (const word of words.slice(0, -1)) {
    const path = expand(s, word);
    const node = lookup(s.n.p.fs, absolute(fileFor(s, path)), s.n.p);
    if (typeof node === 'string' || (node.kind === 'dir') !== word.endsWith('/')) continue;
    // What was looked for as a folder goes on without its slash, and is sent a redirect like any other.
    s.path = word.endsWith('/') ? path.slice(0, -1) || '/' : path;
    return null;
  }
  const final = expand(s, words[words.length - 1]);
  return /^=\d{3}$/.test(final) ? errorAnswer(s, Number(final.slice(1))) : { to: final };
}
