// A directory served over HTTP: Python's http.server and Go's FileServer.
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { absolute, listDir, lookup, readFile } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import type { Headers } from '../http.ts';
import { httpServer, type Reply, type Served } from '../http-server.ts';
import { splitTarget } from '../url.ts';
import { clfTime, untilSignal } from './daemon.ts';
import { notFound } from './go-http.ts';

const TYPES: Record<string, string> = {
  html: 'text/html',
  htm: 'text/html',
  txt: 'text/plain',
  css: 'text/css',
  js: 'text/javascript',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
};

export function typeByName(path: string, otherwise: string): string {
  return TYPES[/\.([^./]+)$/.exec(path)?.[1].toLowerCase() ?? ''] ?? otherwise;
}

const escapeHtml = (s: string) => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** http.FileServer (Go). */
export function* staticFiles(p: Process, root: string, req: Served): Co<Reply> {
  const { path } = splitTarget(req.target);
  const at = absolute(`${root}/${path}`);
  const node = lookup(p.fs, at, p);
  if (typeof node === 'string') return notFound();
  if (node.kind === 'dir') {
    const index = readFile(p.fs, `${at}/index.html`, p);
    if (typeof index !== 'string') return { status: 200, headers: [['Content-Type', 'text/html; charset=utf-8']], body: index };
    const rows = [...(listDir(p.fs, at, p) as Map<string, { kind: string }>)].map(
      ([n, x]) => `<a href="${n}${x.kind === 'dir' ? '/' : ''}">${escapeHtml(n)}${x.kind === 'dir' ? '/' : ''}</a>\n`,
    );
    return { status: 200, headers: [['Content-Type', 'text/html; charset=utf-8']], body: `<pre>\n${rows.join('')}</pre>\n` };
  }
  const data = readFile(p.fs, at, p);
  return typeof data === 'string'
    ? notFound()
    : { status: 200, headers: [['Content-Type', typeByName(at, 'text/plain; charset=utf-8')]], body: data };
}

/** `python3 -m http.server [port] [--bind A] [--directory D]` (Python 3.11). */
export function* pythonHttpServer(p: Process, words: string[]): Co<number> {
  let port = 8000;
  let dir = p.cwd;
  let bindTo = '0.0.0.0';
  for (let i = 0; i < words.length; i++) {
    if (words[i] === '-d' || words[i] === '--directory') dir = absolute(words[++i], p.cwd);
    else if (words[i] === '-b' || words[i] === '--bind') bindTo = words[++i];
    else if (/^\d+$/.test(words[i])) port = Number(words[i]);
  }
  const log = (req: Served, status: number) =>
    complain(
      p,
      `${formatIp(req.remote)} - - [${clfTime(p.kernel.sim.nowMs)
        .replace(/:(?=\d\d:)/, ' ')
        .replace(/ \+0000$/, '')}] "${req.method} ${req.target} ${req.version}" ${status} -\n`,
    );
  function* handler(req: Served): Co<Reply> {
    const reply = pythonAnswer(p, dir, req);
    if (reply.status === 404) {
      complain(
        p,
        `${formatIp(req.remote)} - - [${clfTime(p.kernel.sim.nowMs)
          .replace(/:(?=\d\d:)/, ' ')
          .replace(/ \+0000$/, '')}] code 404, message File not found\n`,
      );
    }
    log(req, reply.status);
    return { ...reply, close: true };
  }
  const error = httpServer(p, port, handler, {
    family: 4,
    decorate: (_req, reply) => {
      const head: Headers = [
        ['Server', 'SimpleHTTP/0.6 Python/3.11.7'],
        ['Date', httpDate(p.kernel.sim.nowMs)],
      ];
      if (reply.status >= 400) head.push(['Connection', 'close']);
      const own = (reply.headers ?? []).filter(([n]) => n !== 'Last-Modified');
      head.push(...own, ['Content-Length', String((reply.body as Uint8Array).length)]);
      head.push(...(reply.headers ?? []).filter(([n]) => n === 'Last-Modified'));
      return head;
    },
  });
  if (error) {
    complain(p, `OSError: [Errno ${error === 'EACCES' ? '13] Permission denied' : '98] Address already in use'}\n`);
    return 1;
  }
  print(p, `Serving HTTP on ${bindTo} port ${port} (http://${bindTo}:${port}/) ...\n`);
  return yield* untilSignal(p, { TERM: 143, INT: 0 });
}

function pythonError(status: number, message: string, explain: string): Reply {
  const body = `<!DOCTYPE HTML>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <title>Error response</title>
    </head>
    <body>
        <h1>Error response</h1>
        <p>Error code: ${status}</p>
        <p>Message: ${message}.</p>
        <p>Error code explanation: ${status} - ${explain}.</p>
    </body>
</html>
`;
  return { status, reason: message, headers: [['Content-Type', 'text/html;charset=utf-8']], body };
}

export function pythonAnswer(p: Process, dir: string, req: Served): Reply {
  if (req.method !== 'GET' && req.method !== 'HEAD')
    return pythonError(501, `Unsupported method ('${req.method}')`, 'Server does not support this operation');
  const { path } = splitTarget(req.target);
  const at = absolute(`${dir}/${path}`);
  const node = lookup(p.fs, at, p);
  const missing = pythonError(404, 'File not found', 'Nothing matches the given URI');
  if (typeof node === 'string') return missing;
  if (node.kind === 'dir') {
    if (!path.endsWith('/')) return { status: 301, headers: [['Location', `${path}/`]], body: '' };
    const index = readFile(p.fs, `${at}/index.html`, p);
    if (typeof index !== 'string') return { status: 200, headers: [['Content-type', 'text/html']], body: index };
    const names = [...(listDir(p.fs, at, p) as Map<string, { kind: string }>)]
      .map(([n, x]) => (x.kind === 'dir' ? `${n}/` : n))
      .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
    const rows = names.map(n => `<li><a href="${n}">${escapeHtml(n)}</a></li>\n`).join('');
    const title = `Directory listing for ${escapeHtml(path)}`;
    const body = `<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>${title}</title>\n</head>\n<body>\n<h1>${title}</h1>\n<hr>\n<ul>\n${rows}</ul>\n<hr>\n</body>\n</html>\n`;
    return { status: 200, headers: [['Content-type', 'text/html; charset=utf-8']], body };
  }
  const data = readFile(p.fs, at, p);
  if (typeof data === 'string') return missing;
  const mtime = node.kind === 'file' ? node.mtimeMs : 0;
  return {
    status: 200,
    headers: [
      ['Content-type', typeByName(at, 'application/octet-stream')],
      ['Last-Modified', httpDate(mtime)],
    ],
    body: data,
  };
}
