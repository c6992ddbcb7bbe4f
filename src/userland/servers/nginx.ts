// nginx: static files, return, proxy_pass, virtual hosts by the configuration files of the container (nginx 1.22 to 1.29).
import { complain, print } from '../../linux/process.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, lookup, readFile, writeFile } from '../../linux/vfs.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { nextU32 } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import { getopt } from '../busybox.ts';
import {
  type Headers,
  header,
  plainStream,
  type Reply,
  type Served,
  type ServeOptions,
  serveStream,
  splitTarget,
  tcpServer,
} from '../http.ts';
import { localPid } from '../pids.ts';
import { tlsAccept } from '../tls.ts';
import type { Userland } from '../userland.ts';
import { clfTime, hostnameOf, isDirectory, slashTime, untilSignal } from './daemon.ts';
import { type Directive, isConfError, parseConf, unknownDirective } from './nginx-conf.ts';
import { errorPage, errorText } from './nginx-pages.ts';
import { proxyPass } from './nginx-proxy.ts';

export interface NginxServer {
  directives: Directive[];
  names: string[];
  listens: { address: Ip | null; port: number; isDefault: boolean; ssl: boolean }[];
}

export interface Nginx {
  p: Process;
  version: string;
  servers: NginxServer[];
  http: Directive[];
  upstreams: Map<string, string[]>;
  mime: Map<string, string>;
  hostname: string;
  /** Round robin positions of upstream groups. */
  turns: Map<string, number>;
  requests: number;
}

const all = (list: Directive[], name: string) => list.filter(d => d.name === name);
const last = (list: Directive[], name: string) => list.findLast(d => d.name === name);

export const nginx = (_u: Userland): Program =>
  function* nginx(p: Process): Co<number> {
    const version = p.env.get('NGINX_VERSION') ?? '1.29.3';
    const o = getopt(p.argv.slice(1), 'g:c:p:s:tTvVqh?');
    if (o.flags.has('v') || o.flags.has('V')) {
      complain(p, `nginx version: nginx/${version}\n`);
      return 0;
    }
    const path = o.values.get('c')?.at(-1) ?? '/etc/nginx/nginx.conf';
    const made = configure(p, version, path);
    if (typeof made === 'string') {
      complain(
        p,
        `${slashTime(p.kernel.sim.nowMs)} [emerg] ${pids(p)}: ${made}\nnginx: [emerg] ${made}\n`.slice(o.flags.has('t') ? undefined : 0),
      );
      if (o.flags.has('t')) complain(p, `nginx: configuration file ${path} test failed\n`);
      return 1;
    }
    if (o.flags.has('t') || o.flags.has('T')) {
      complain(p, `nginx: the configuration file ${path} syntax is ok\nnginx: configuration file ${path} test is successful\n`);
      return 0;
    }
    if (o.flags.has('s')) return signalOther(p, o.values.get('s')?.at(-1) ?? '');
    return yield* run(p, made, path);
  };

const pids = (p: Process) => `${localPid(p)}#${localPid(p)}`;

/** `nginx -s reload|stop|quit`: find the master of this container. */
function signalOther(p: Process, signal: string): number {
  const master = [...p.kernel.processes.values()].find(q => q !== p && q.fs === p.fs && q.argv[0].endsWith('nginx'));
  if (!['stop', 'quit', 'reload', 'reopen'].includes(signal)) {
    complain(p, `nginx: invalid option: "-s ${signal}"\n`);
    return 1;
  }
  if (!master) {
    complain(p, `${slashTime(p.kernel.sim.nowMs)} [error] ${pids(p)}: open() "/run/nginx.pid" failed (2: No such file or directory)\n`);
    complain(p, 'nginx: [error] open() "/run/nginx.pid" failed (2: No such file or directory)\n');
    return 1;
  }
  notice(p, 'signal process started');
  master.onSignal.get({ stop: 'TERM', quit: 'QUIT', reload: 'HUP', reopen: 'USR1' }[signal] as string)?.();
  return 0;
}

function notice(p: Process, text: string, level = 'notice'): void {
  writeLog(p, '/var/log/nginx/error.log', `${slashTime(p.kernel.sim.nowMs)} [${level}] ${pids(p)}: ${text}\n`, p.stderr === p.stdout);
}

/** The images link their logs to the container's streams. */
function writeLog(p: Process, path: string, text: string, _same = false): void {
  const node = lookup(p.fs, path, null, false);
  if (typeof node !== 'string' && node.kind === 'symlink') {
    if (/stdout|fd\/1/.test(node.target)) print(p, text);
    else complain(p, text);
  } else writeFile(p.fs, path, text, p, true);
}

function configure(p: Process, version: string, path: string): Nginx | string {
  const conf = parseConf(p, path);
  if (isConfError(conf)) return conf.text;
  const unknown = unknownDirective(conf);
  if (unknown) return unknown.text;
  const http = last(conf, 'http')?.block ?? [];
  const n: Nginx = {
    p,
    version,
    http,
    servers: [],
    upstreams: new Map(),
    mime: new Map(),
    hostname: hostnameOf(p),
    turns: new Map(),
    requests: 0,
  };
  for (const types of all(http, 'types')) for (const d of types.block ?? []) for (const ext of d.args) n.mime.set(ext, d.name);
  for (const up of all(http, 'upstream'))
    n.upstreams.set(
      up.args[0],
      all(up.block ?? [], 'server').map(d => d.args[0]),
    );
  for (const d of all(http, 'server')) {
    const server = newServer(d);
    if (typeof server === 'string') return server;
    n.servers.push(server);
  }
  return n;
}

function newServer(d: Directive): NginxServer | string {
  const directives = d.block ?? [];
  const server: NginxServer = { directives, names: all(directives, 'server_name').flatMap(x => x.args), listens: [] };
  const listens = all(directives, 'listen');
  if (!listens.length) server.listens.push({ address: parseIp('0.0.0.0'), port: 80, isDefault: false, ssl: false });
  for (const l of listens) {
    const m = /^(?:(\[[^\]]*\]|[^:]+):)?(\d+)$/.exec(l.args[0]) ?? /^(\[[^\]]*\]|[^:]+)$/.exec(l.args[0]);
    const host = m?.[1]?.replace(/^\[|\]$/g, '');
    const port = m?.[2] ? Number(m[2]) : 80;
    const address = !host || host === '*' ? parseIp('0.0.0.0') : host === 'localhost' ? parseIp('127.0.0.1') : parseIp(host);
    if (!address) return `host not found in "${l.args[0]}" of the "listen" directive in ${l.file}:${l.line}`;
    if (port < 1 || port > 65535) return `invalid port in "${l.args[0]}" of the "listen" directive in ${l.file}:${l.line}`;
    server.listens.push({ address, port, isDefault: l.args.includes('default_server'), ssl: l.args.includes('ssl') });
  }
  return server;
}

function* run(p: Process, n: Nginx, path: string): Co<number> {
  const opened = new Map<string, number>();
  for (const server of n.servers) {
    for (const l of server.listens) {
      const key = `${formatIp(l.address as Ip)}:${l.port}`;
      if (opened.has(key)) continue;
      const error = tcpServer(p, l.port, s => connection(n, s, l.ssl), { address: l.address });
      if (error === 'EADDRINUSE' || error === 'EACCES') {
        const why = error === 'EACCES' ? '13: Permission denied' : '98: Address already in use';
        const shown = (l.address as Ip).length === 16 ? `[::]:${l.port}` : key;
        notice(p, `bind() to ${shown} failed (${why})`, 'emerg');
        complain(p, `nginx: [emerg] bind() to ${shown} failed (${why})\n`);
        return 1;
      }
      opened.set(key, l.port);
    }
  }
  notice(p, 'using the "epoll" event method');
  notice(p, `nginx/${n.version}`);
  notice(p, 'built by gcc 14.2.0 (Debian 14.2.0-19) ');
  notice(p, `OS: Linux ${p.kernel.release}`);
  notice(p, 'getrlimit(RLIMIT_NOFILE): 1048576:1048576');
  notice(p, 'start worker processes');
  notice(p, `start worker process ${localPid(p) + 28}`);
  p.onSignal.set('HUP', () => reload(n, path));
  const stopped = (signal: string, name: string) => () => {
    notice(p, `signal ${signal} (${name}) received${name === 'SIGQUIT' ? ', shutting down' : ', exiting'}`);
    return 0;
  };
  return yield* untilSignal(p, { TERM: stopped('15', 'SIGTERM'), INT: stopped('2', 'SIGINT'), QUIT: stopped('3', 'SIGQUIT') });
}

/** New connections see the new configuration; a broken one is logged and the old one stays. */
function reload(n: Nginx, path: string): void {
  notice(n.p, 'signal 1 (SIGHUP) received, reconfiguring');
  const made = configure(n.p, n.version, path);
  if (typeof made === 'string') {
    notice(n.p, made, 'emerg');
    return;
  }
  notice(n.p, 'reconfiguring');
  Object.assign(n, { http: made.http, servers: made.servers, upstreams: made.upstreams, mime: made.mime });
}

function* connection(n: Nginx, s: Socket, ssl: boolean): Co<void> {
  const o: ServeOptions = {
    keepAliveMs: 65_000,
    decorate: (req, reply, keep) => dress(n, req, reply, keep),
    served: (req, reply, bytes) => accessLog(n, req, reply, bytes),
    badRequest: () => ({ status: 400, headers: [['Content-Type', 'text/html']], body: errorPage(400, n.version) }),
  };
  const handler = (req: Served) => respond(n, req);
  if (!ssl) return yield* serveStream(plainStream(s), handler, o);
  const year = 31_536_000_000;
  const cert = { subject: `CN = ${n.hostname}`, issuer: `CN = ${n.hostname}`, sans: [n.hostname], notBeforeMs: 0, notAfterMs: 100 * year };
  const t = yield* tlsAccept(s, hello => ({ ...cert, sans: [hello.sni ?? n.hostname] }));
  if (t && t !== 'plain') yield* serveStream(t.stream, handler, o);
}

/** nginx's own order of headers (ngx_http_header_filter_module.c). */
function dress(n: Nginx, req: Served, reply: Reply, keep: boolean): Headers {
  const given = reply.headers ?? [];
  const of = (name: string) => given.filter(([h]) => h.toLowerCase() === name);
  const early = ['content-type', 'content-length', 'last-modified', 'location', 'server', 'date'];
  const body = reply.body as Uint8Array;
  const tokens = last(serverFor(n, req).directives, 'server_tokens') ?? last(n.http, 'server_tokens');
  const out: Headers = [
    ['Server', tokens?.args[0] === 'off' ? 'nginx' : `nginx/${n.version}`],
    ['Date', httpDate(n.p.kernel.sim.nowMs)],
    ...of('content-type'),
  ];
  if (reply.status !== 204 && reply.status !== 304)
    out.push(...(of('content-length').length ? of('content-length') : [['Content-Length', String(body.length)] as [string, string]]));
  out.push(...of('last-modified'), ...of('location'));
  out.push(['Connection', keep ? 'keep-alive' : 'close']);
  out.push(...given.filter(([h]) => !early.includes(h.toLowerCase()) && h.toLowerCase() !== 'connection'));
  return out;
}

function accessLog(n: Nginx, req: Served, reply: Reply, bytes: number): void {
  const log = last(serverFor(n, req).directives, 'access_log') ?? last(n.http, 'access_log');
  if (log?.args[0] === 'off') return;
  const path = absolute(log?.args[0] ?? '/var/log/nginx/access.log', '/etc/nginx');
  const h = (name: string) => header(req.headers, name) ?? '-';
  const line = req.method ? `${req.method} ${req.target} ${req.version}` : '\\x16\\x03\\x01';
  const combined = `${formatIp(plain(req.remote))} - - [${clfTime(n.p.kernel.sim.nowMs)}] "${line}" ${reply.status} ${bytes} "${h('Referer')}" "${h('User-Agent')}"`;
  writeLog(n.p, path, log?.args[1] === 'combined' || !log ? `${combined}\n` : `${combined} "${h('X-Forwarded-For')}"\n`);
}

/** IPv4 inside IPv6 is shown as IPv4. */
export const plain = (a: Ip): Ip =>
  a.length === 16 && a.subarray(0, 10).every(b => b === 0) && a[10] === 255 && a[11] === 255 ? a.subarray(12) : a;

export const hostOf = (req: Served): string =>
  (header(req.headers, 'Host') ?? '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();

/** The server block for a request: by port, then by name; else the port's default. */
export function serverFor(n: Nginx, req: Served): NginxServer {
  const here = n.servers.filter(s => s.listens.some(l => l.port === req.localPort));
  const host = hostOf(req);
  const exact = here.find(s => s.names.some(name => name.toLowerCase() === host));
  const wild = here.find(s =>
    s.names.some(
      name =>
        (name.startsWith('*.') && host.endsWith(name.slice(1))) ||
        (name.startsWith('.') && (host.endsWith(name) || host === name.slice(1))),
    ),
  );
  const tail = here.find(s => s.names.some(name => name.endsWith('.*') && host.startsWith(name.slice(0, -1))));
  const pattern = here.find(s => s.names.some(name => name.startsWith('~') && matches(name.slice(1), host)));
  return (
    exact ??
    wild ??
    tail ??
    pattern ??
    here.find(s => s.listens.some(l => l.isDefault && l.port === req.localPort)) ??
    here[0] ??
    n.servers[0]
  );
}

function matches(pattern: string, text: string, insensitive = false): boolean {
  try {
    return new RegExp(pattern, insensitive ? 'i' : '').test(text);
  } catch {
    return false;
  }
}

/** Exact, then the longest prefix unless a regular expression takes it (ngx_http_core_find_location). */
function locationFor(list: Directive[], path: string): Directive | null {
  let best: Directive | null = null;
  let length = -1;
  for (const d of all(list, 'location')) {
    const [a, b] = d.args.length > 1 ? d.args : ['', d.args[0]];
    if (a === '=' && b === path) return d;
    if ((a === '' || a === '^~') && path.startsWith(b) && b.length > length) {
      best = d;
      length = b.length;
    }
  }
  if (best?.args[0] === '^~') return best;
  const pattern = all(list, 'location').find(
    d => (d.args[0] === '~' || d.args[0] === '~*') && matches(d.args[1], path, d.args[0] === '~*'),
  );
  return pattern ?? best;
}

/** Everything one request is answered from: the location's directives before the server's before http's. */
export interface Scope {
  n: Nginx;
  req: Served;
  path: string;
  uri: string;
  location: Directive | null;
  levels: Directive[][];
}

export const setting = (s: Scope, name: string): Directive | undefined => {
  for (const level of s.levels) {
    const d = last(level, name);
    if (d) return d;
  }
  return undefined;
};

export function settings(s: Scope, name: string): Directive[] {
  return s.levels.map(level => all(level, name)).find(list => list.length) ?? [];
}

/** `$name` and `${name}` in a directive's argument. */
export function expand(s: Scope, text: string): string {
  return text.replace(/\$\{(\w+)\}|\$(\w+)/g, (_, a, b) => variable(s, a ?? b));
}

function variable(s: Scope, name: string): string {
  const { req, n } = s;
  const host = header(req.headers, 'Host') ?? '';
  const simple: Record<string, () => string> = {
    request_method: () => req.method,
    scheme: () => 'http',
    http_host: () => host,
    host: () => hostOf(req) || n.hostname,
    request_uri: () => req.target,
    uri: () => s.path,
    document_uri: () => s.path,
    args: () => (req.target.includes('?') ? req.target.slice(req.target.indexOf('?') + 1) : ''),
    query_string: () => (req.target.includes('?') ? req.target.slice(req.target.indexOf('?') + 1) : ''),
    is_args: () => (req.target.includes('?') ? '?' : ''),
    remote_addr: () => formatIp(plain(req.remote)),
    remote_port: () => String(req.remotePort),
    server_addr: () => formatIp(plain(req.local)),
    server_port: () => String(req.localPort),
    server_protocol: () => req.version,
    server_name: () => serverFor(n, req).names[0] ?? '',
    hostname: () => n.hostname,
    nginx_version: () => n.version,
    time_local: () => clfTime(n.p.kernel.sim.nowMs),
    time_iso8601: () => slashTime(n.p.kernel.sim.nowMs).replaceAll('/', '-').replace(' ', 'T').concat('+00:00'),
    msec: () => (n.p.kernel.sim.nowMs / 1000).toFixed(3),
    request: () => `${req.method} ${req.target} ${req.version}`,
    request_id: () => Array.from({ length: 4 }, () => nextU32(n.p.kernel.sim.random).toString(16).padStart(8, '0')).join(''),
    request_body: () => String.fromCharCode(...req.body),
    proxy_host: () => '',
    proxy_add_x_forwarded_for: () => [header(req.headers, 'X-Forwarded-For'), formatIp(plain(req.remote))].filter(Boolean).join(', '),
    content_length: () => header(req.headers, 'Content-Length') ?? '',
    content_type: () => header(req.headers, 'Content-Type') ?? '',
  };
  if (simple[name]) return simple[name]();
  const custom = s.levels.flatMap(level => all(level, 'set')).find(d => d.args[0] === `$${name}`);
  if (custom) return expand(s, custom.args[1]);
  if (name.startsWith('http_')) return header(req.headers, name.slice(5).replaceAll('_', '-')) ?? '';
  if (name.startsWith('arg_')) return splitTarget(req.target).query.get(name.slice(4))?.[0] ?? '';
  return '';
}

function* respond(n: Nginx, req: Served): Co<Reply> {
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
