// nginx: static files, return, proxy_pass, virtual hosts by the configuration files of the container (nginx 1.22 to 1.29).

import { localPid } from '../../linux/pids.ts';
import { complain } from '../../linux/process.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, isReadOnly } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import { getopt } from '../busybox.ts';
import { type Headers, header, plainStream } from '../http.ts';
import { type Reply, type Served, type ServeOptions, serveStream, tcpServer } from '../http-server.ts';
import { tlsAccept } from '../tls.ts';
import type { Userland } from '../userland.ts';
import { clfTime, hostnameOf, slashTime, untilSignal } from './daemon.ts';
import { type Directive, isConfError, parseConf, unknownDirective } from './nginx-conf.ts';
import { errorPage } from './nginx-pages.ts';
import { all, last, type Nginx, type NginxServer, notice, pids, plain, serverFor, writeLog } from './nginx-scope.ts';
import { respond } from './nginx-serve.ts';

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
      complain(p, `${slashTime(p.kernel.sim.nowMs)} [emerg] ${pids(p)}: ${made}\nnginx: [emerg] ${made}\n`);
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

function configure(p: Process, version: string, path: string): Nginx | string {
  const conf = parseConf(p, path);
  if (isConfError(conf)) return conf.text;
  const unknown = unknownDirective(conf);
  if (unknown) return unknown.text;
  if (isReadOnly(p.fs, '/var/cache/nginx', p)) return 'mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)';
  if (isReadOnly(p.fs, '/run', p)) return 'open() "/run/nginx.pid" failed (30: Read-only file system)';
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

/** NGX_LISTEN_BACKLOG of Linux; `listen ... backlog=N` says another. */
const BACKLOG = 511;

function newServer(d: Directive): NginxServer | string {
  const directives = d.block ?? [];
  const server: NginxServer = { directives, names: all(directives, 'server_name').flatMap(x => x.args), listens: [] };
  const listens = all(directives, 'listen');
  if (!listens.length) server.listens.push({ address: parseIp('0.0.0.0'), port: 80, isDefault: false, ssl: false, backlog: BACKLOG });
  for (const l of listens) {
    const m = /^(?:(\[[^\]]*\]|[^:]+):)?(\d+)$/.exec(l.args[0]) ?? /^(\[[^\]]*\]|[^:]+)$/.exec(l.args[0]);
    const host = m?.[1]?.replace(/^\[|\]$/g, '');
    const port = m?.[2] ? Number(m[2]) : 80;
    const address = !host || host === '*' ? parseIp('0.0.0.0') : host === 'localhost' ? parseIp('127.0.0.1') : parseIp(host);
    if (!address) return `host not found in "${l.args[0]}" of the "listen" directive in ${l.file}:${l.line}`;
    if (port < 1 || port > 65535) return `invalid port in "${l.args[0]}" of the "listen" directive in ${l.file}:${l.line}`;
    server.listens.push({
      address,
      port,
      isDefault: l.args.includes('default_server'),
      ssl: l.args.includes('ssl'),
      backlog: Number(/^backlog=(\d+)$/.exec(l.args.find(a => a.startsWith('backlog=')) ?? '')?.[1] ?? BACKLOG),
    });
  }
  return server;
}

function* run(p: Process, n: Nginx, path: string): Co<number> {
  const opened = new Map<string, number>();
  for (const server of n.servers) {
    for (const l of server.listens) {
      const key = `${formatIp(l.address as Ip)}:${l.port}`;
      if (opened.has(key)) continue;
      const error = tcpServer(p, l.port, s => connection(n, s, l.ssl), { address: l.address, backlog: l.backlog });
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
