// Apache httpd 2.4: files below DocumentRoot, its error pages and logs.

import { localPid } from '../../linux/pids.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, listDir, lookup, readFile } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { civilTime, clockText, httpDate, MONTHS, twoDigits, WEEKDAYS } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { type Headers, header } from '../http.ts';
import { httpServer, type Reply, type Served } from '../http-server.ts';
import { splitTarget } from '../url.ts';
import type { Userland } from '../userland.ts';
import { clfTime, ownAddresses, readText, untilSignal } from './daemon.ts';
import { typeByName } from './files.ts';

interface Apache {
  p: Process;
  root: string;
  ports: number[];
  version: string;
  indexes: boolean;
}

export const httpd = (_u: Userland): Program =>
  function* (p): Co<number> {
    const prefix = p.env.get('HTTPD_PREFIX') ?? '/usr/local/apache2';
    const conf = readText(p, `${prefix}/conf/httpd.conf`) ?? '';
    const ports = [...conf.matchAll(/^\s*Listen\s+(?:\S+:)?(\d+)/gim)].map(m => Number(m[1]));
    const root = /^\s*DocumentRoot\s+"?([^"\n]+)"?/im.exec(conf)?.[1] ?? `${prefix}/htdocs`;
    const a: Apache = {
      p,
      root: absolute(root, prefix),
      ports: ports.length ? ports : [80],
      version: p.env.get('HTTPD_VERSION') ?? '2.4.65',
      indexes: /Options.*\bIndexes\b/i.test(conf),
    };
    const me = formatIp(ownAddresses(p)[0] ?? Uint8Array.of(127, 0, 0, 1));
    const warning = `AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using ${me}. Set the 'ServerName' directive globally to suppress this message\n`;
    complain(p, warning + warning);
    for (const port of a.ports) {
      const error = httpServer(p, port, req => answer(a, req), {
        keepAliveMs: 5000,
        decorate: (req, reply, keep) => dress(a, req, reply, keep),
        served: (req, reply, n) => {
          const line = `"${req.method} ${req.target} ${req.version}" ${reply.status} ${n || '-'}`;
          print(p, `${formatIp(req.remote)} - - [${clfTime(p.kernel.sim.nowMs)}] ${line}\n`);
        },
        badRequest: () => page(400, 'Bad Request', 'Your browser sent a request that this server could not understand.<br />\n'),
      });
      if (!error) continue;
      const why = error === 'EACCES' ? '(13)Permission denied' : '(98)Address already in use';
      complain(
        p,
        `${why}: AH00072: make_sock: could not bind to address [::]:${port}\nno listening sockets available, shutting down\nAH00015: Unable to open logs\n`,
      );
      return 1;
    }
    notice(a, 'mpm_event', `AH00489: Apache/${a.version} (Unix) configured -- resuming normal operations`);
    notice(a, 'core', "AH00094: Command line: 'httpd -D FOREGROUND'");
    const stop = () => {
      notice(a, 'mpm_event', 'AH00491: caught SIGTERM, shutting down');
      return 0;
    };
    const winch = () => {
      notice(a, 'mpm_event', 'AH00492: caught SIGWINCH, shutting down gracefully');
      return 0;
    };
    return yield* untilSignal(p, { TERM: stop, WINCH: winch, INT: stop });
  };

function notice(a: Apache, module: string, text: string): void {
  const c = civilTime(a.p.kernel.sim.nowMs);
  const micros = String(Math.floor((a.p.kernel.sim.nowMs % 1000) * 1000)).padStart(6, '0');
  const time = `${WEEKDAYS[c.weekday]} ${MONTHS[c.month - 1]} ${twoDigits(c.day)} ${clockText(c)}.${micros} ${c.year}`;
  complain(a.p, `[${time}] [${module}:notice] [pid ${localPid(a.p)}:tid ${localPid(a.p)}] ${text}\n`);
}

function dress(a: Apache, req: Served, reply: Reply, keep: boolean): Headers {
  const given = reply.headers ?? [];
  const type = given.filter(([n]) => n === 'Content-Type');
  const out: Headers = [
    ['Date', httpDate(a.p.kernel.sim.nowMs)],
    ['Server', `Apache/${a.version} (Unix)`],
  ];
  out.push(...given.filter(([n]) => n !== 'Content-Type'), ['Content-Length', String((reply.body as Uint8Array).length)]);
  if (!keep && req.version === 'HTTP/1.1') out.push(['Connection', 'close']);
  out.push(...type);
  return out;
}

function page(status: number, title: string, text: string): Reply {
  const body = `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} ${title}</title>\n</head><body>\n<h1>${title}</h1>\n<p>${text}</p>\n</body></html>\n`;
  return { status, reason: title, headers: [['Content-Type', 'text/html; charset=iso-8859-1']], body };
}

function* answer(a: Apache, req: Served): Co<Reply> {
  const { path } = splitTarget(req.target);
  if (req.method !== 'GET' && req.method !== 'HEAD' && req.method !== 'POST') {
    return page(405, 'Method Not Allowed', `The requested method ${req.method} is not allowed for this URL.`);
  }
  const at = absolute(`${a.root}/${path}`);
  const node = lookup(a.p.fs, at, a.p);
  if (typeof node === 'string') return page(404, 'Not Found', 'The requested URL was not found on this server.');
  if (node.kind !== 'dir') return file(a, at);
  if (!path.endsWith('/')) {
    const to = `http://${header(req.headers, 'Host') ?? ''}${path}/`;
    const moved = page(301, 'Moved Permanently', `The document has moved <a href="${to}">here</a>.`);
    return { ...moved, headers: [['Location', to], ...(moved.headers ?? [])] };
  }
  if (typeof lookup(a.p.fs, `${at}/index.html`, a.p) !== 'string') return file(a, `${at === '/' ? '' : at}/index.html`);
  if (!a.indexes) return page(403, 'Forbidden', "You don't have permission to access this resource.");
  const names = [...(listDir(a.p.fs, at, a.p) as Map<string, { kind: string }>)].map(([n, x]) => (x.kind === 'dir' ? `${n}/` : n)).sort();
  const rows = names.map(n => `<li><a href="${n}"> ${n}</a></li>\n`).join('');
  const body = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n  <title>Index of ${path}</title>\n </head>\n <body>\n<h1>Index of ${path}</h1>\n<ul>${rows}</ul>\n</body></html>\n`;
  return { status: 200, headers: [['Content-Type', 'text/html;charset=UTF-8']], body };
}

function file(a: Apache, at: string): Reply {
  const data = readFile(a.p.fs, at, a.p);
  const node = lookup(a.p.fs, at, a.p);
  if (typeof data === 'string' || typeof node === 'string' || node.kind !== 'file')
    return page(403, 'Forbidden', "You don't have permission to access this resource.");
  const tag = `"${data.length.toString(16)}-${Math.floor(node.mtimeMs * 1000).toString(16)}"`;
  const headers: Headers = [
    ['Last-Modified', httpDate(node.mtimeMs)],
    ['ETag', tag],
    ['Accept-Ranges', 'bytes'],
  ];
  const type = typeByName(at, '');
  return { status: 200, headers: type ? [...headers, ['Content-Type', type]] : headers, body: data };
}
