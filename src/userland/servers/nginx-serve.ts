// nginx's answers: return, error pages, try_files, static files, directory listings.
import { absolute, lookup, readFile } from '../../linux/vfs.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { type Headers, header } from '../http.ts';
import type { Reply, Served } from '../http-server.ts';
import { splitTarget } from '../url.ts';
import { isDirectory } from './daemon.ts';
import type { Directive } from './nginx-conf.ts';
import { errorPage, errorText } from './nginx-pages.ts';
import { proxyPass } from './nginx-proxy.ts';
import {
  all,
  expand,
  hostOf,
  last,
  locationFor,
  type Nginx,
  type NginxServer,
  notice,
  plain,
  type Scope,
  serverFor,
  setting,
  settings,
} from './nginx-scope.ts';

export function* respond(n: Nginx, req: Served): Co<Reply> {
  n.requests++;
  const server = serverFor(n, req);
  const path = splitTarget(req.target).path.replace(/^https?:\/\/[^/]*/i, '') || '/';
  if (req.version === 'HTTP/1.1' && header(req.headers, 'Host') === undefined) return errorReply(n, 400);
  return yield* serve(n, req, server, normal(path), 0);
}

function normal(path: string): string {
  const clean = absolute(path);
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

const errorReply = (n: Nginx, status: number): Reply => ({
  status,
  reason: errorText(status),
  headers: [['Content-Type', 'text/html']],
  body: errorPage(status, n.version),
});

function* serve(n: Nginx, req: Served, server: NginxServer, path: string, depth: number): Co<Reply> {
  const location = locationFor(server.directives, path);
  const levels = [location?.block ?? [], server.directives, n.http];
  const s: Scope = { n, req, path, uri: req.target, location, levels };
  const reply = yield* content(s, server, depth);
  const page =
    reply.status >= 300 && depth < 5 ? settings(s, 'error_page').find(d => d.args.slice(0, -1).includes(String(reply.status))) : undefined;
  if (page) {
    const target = page.args[page.args.length - 1];
    const becomes = page.args.find(a => a.startsWith('='));
    if (target.startsWith('/')) {
      const other = yield* serve(n, req, server, target, depth + 5);
      if (other.status < 400)
        return {
          ...other,
          status: becomes && becomes.length > 1 ? Number(becomes.slice(1)) : reply.status,
          reason: errorText(reply.status),
        };
    }
  }
  for (const d of settings(s, 'add_header')) {
    if (reply.status < 400 || d.args.includes('always')) reply.headers = [...(reply.headers ?? []), [d.args[0], expand(s, d.args[1])]];
  }
  return reply;
}

function* content(s: Scope, server: NginxServer, depth: number): Co<Reply> {
  const { n } = s;
  const own = s.location?.block ?? [];
  const returned = last(own, 'return') ?? last(server.directives, 'return');
  if (returned && (last(own, 'return') || !s.location || all(server.directives, 'return').length)) return returning(s, returned);
  if (last(own, 'deny')?.args[0] === 'all' && !last(own, 'allow')) return errorReply(n, 403);
  if (last(own, 'stub_status')) return status(n);
  const pass = last(own, 'proxy_pass');
  if (pass) return (yield* proxyPass(s, pass)) ?? errorReply(n, 502);
  const tries = last(own, 'try_files') ?? last(server.directives, 'try_files');
  if (tries && depth < 5) return yield* tryFiles(s, server, tries.args, depth);
  return yield* staticFile(s, server, s.path, depth);
}

function status(n: Nginx): Reply {
  const text = `Active connections: 1 \nserver accepts handled requests\n ${n.requests} ${n.requests} ${n.requests} \nReading: 0 Writing: 1 Waiting: 0 \n`;
  return { status: 200, headers: [['Content-Type', 'text/plain']], body: text };
}

function absoluteUrl(s: Scope, target: string): string {
  if (!target.startsWith('/')) return target;
  const off = setting(s, 'absolute_redirect')?.args[0] === 'off';
  const showPort = setting(s, 'port_in_redirect')?.args[0] !== 'off' && s.req.localPort !== 80;
  return off ? target : `http://${hostOf(s.req) || s.n.hostname}${showPort ? `:${s.req.localPort}` : ''}${target}`;
}

function returning(s: Scope, d: Directive): Reply {
  const code = /^\d{3}$/.test(d.args[0]) ? Number(d.args[0]) : 302;
  const text = /^\d{3}$/.test(d.args[0]) ? d.args[1] : d.args[0];
  if ([301, 302, 303, 307, 308].includes(code)) {
    const page = errorReply(s.n, code);
    return { ...page, headers: [...(page.headers ?? []), ['Location', absoluteUrl(s, expand(s, text ?? ''))]] };
  }
  if (code === 444) return { status: 444, raw: '' };
  if (text === undefined)
    return code >= 300 ? errorReply(s.n, code) : { status: code, headers: [['Content-Type', typeOf(s, s.path)]], body: '' };
  return { status: code, reason: errorText(code), headers: [['Content-Type', typeOf(s, s.path)]], body: expand(s, text) };
}

function typeOf(s: Scope, path: string): string {
  const ext = /\.([^./]+)$/.exec(path)?.[1].toLowerCase();
  const type = (ext && s.n.mime.get(ext)) ?? setting(s, 'default_type')?.args[0] ?? 'text/plain';
  const charset = setting(s, 'charset')?.args[0];
  return charset && charset !== 'off' && type.startsWith('text/') ? `${type}; charset=${charset}` : type;
}

function fileFor(s: Scope, path: string): string {
  const alias = s.location ? last(s.location.block ?? [], 'alias') : undefined;
  if (alias) return absolute(alias.args[0] + path.slice(s.location?.args[s.location.args.length - 1].length));
  return absolute(expand(s, setting(s, 'root')?.args[0] ?? '/etc/nginx/html'), '/etc/nginx') + path;
}

function* tryFiles(s: Scope, server: NginxServer, args: string[], depth: number): Co<Reply> {
  for (const arg of args.slice(0, -1)) {
    const path = expand(s, arg);
    const node = lookup(s.n.p.fs, absolute(fileFor(s, path)), s.n.p);
    const wantsDir = path.endsWith('/');
    if (typeof node !== 'string' && (node.kind === 'dir') === wantsDir) return yield* staticFile(s, server, path, depth);
  }
  const final = expand(s, args[args.length - 1]);
  if (/^=\d+$/.test(final)) return errorReply(s.n, Number(final.slice(1)));
  if (final.startsWith('@')) {
    const named = all(server.directives, 'location').find(d => d.args[0] === final);
    const inner: Scope = { ...s, location: named ?? null, levels: [named?.block ?? [], ...s.levels.slice(1)] };
    return yield* content(inner, server, depth + 5);
  }
  return yield* serve(s.n, s.req, server, final.replace(/\?.*/, ''), depth + 1);
}

function* staticFile(s: Scope, server: NginxServer, path: string, depth: number): Co<Reply> {
  const { n, req } = s;
  if (req.method !== 'GET' && req.method !== 'HEAD') return errorReply(n, 405);
  const file = fileFor(s, path);
  const bare = absolute(file);
  if (isDirectory(n.p, bare)) {
    if (!path.endsWith('/')) {
      const page = errorReply(n, 301);
      return { ...page, headers: [...(page.headers ?? []), ['Location', absoluteUrl(s, `${path}/`)]] };
    }
    for (const name of setting(s, 'index')?.args ?? ['index.html']) {
      if (typeof lookup(n.p.fs, `${bare}/${name}`, n.p) !== 'string' && depth < 5)
        return yield* serve(n, req, server, path + name, depth + 1);
    }
    if (setting(s, 'autoindex')?.args[0] === 'on') return autoindex(s, bare, path);
    notice(n.p, `*${n.requests} directory index of "${file}" is forbidden, ${client(s)}`, 'error');
    return errorReply(n, 403);
  }
  const data = readFile(n.p.fs, bare, n.p);
  if (typeof data === 'string') {
    if (data === 'ENOENT') notice(n.p, `*${n.requests} open() "${file}" failed (2: No such file or directory), ${client(s)}`, 'error');
    return errorReply(n, data === 'EACCES' ? 403 : 404);
  }
  const node = lookup(n.p.fs, bare, n.p);
  const mtime = typeof node !== 'string' && node.kind === 'file' ? node.mtimeMs : 0;
  const tag = `"${Math.floor(mtime / 1000).toString(16)}-${data.length.toString(16)}"`;
  const headers: Headers = [
    ['Content-Type', typeOf(s, path)],
    ['Last-Modified', httpDate(mtime)],
    ['ETag', tag],
    ['Accept-Ranges', 'bytes'],
  ];
  if (header(req.headers, 'If-None-Match') === tag) return { status: 304, headers };
  return { status: 200, headers, body: data };
}

const client = (s: Scope) =>
  `client: ${formatIp(plain(s.req.remote))}, server: ${serverFor(s.n, s.req).names[0] ?? ''}, request: "${s.req.method} ${s.req.target} ${s.req.version}", host: "${header(s.req.headers, 'Host') ?? ''}"`;

function autoindex(s: Scope, dir: string, path: string): Reply {
  const node = lookup(s.n.p.fs, dir, s.n.p);
  const names = typeof node !== 'string' && node.kind === 'dir' ? [...node.entries.keys()].sort() : [];
  const rows = names.map(n => `<a href="${n}">${n}</a>\r\n`).join('');
  const body = `<html>\r\n<head><title>Index of ${path}</title></head>\r\n<body>\r\n<h1>Index of ${path}</h1><hr><pre><a href="../">../</a>\r\n${rows}</pre><hr></body>\r\n</html>\r\n`;
  return { status: 200, headers: [['Content-Type', 'text/html']], body: stringToBytes(body) };
}
