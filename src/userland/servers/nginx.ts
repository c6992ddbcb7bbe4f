// nginx: static files, return, rewrite, proxy_pass, virtual hosts, streams by the configuration files of the container (nginx 1.22 to 1.29).
import { localPid } from '../../linux/pids.ts';
import { complain, print } from '../../linux/process.ts';
import { close, type Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { type Co, join, killTask, startTask, type Task } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { getopt } from '../busybox.ts';
import { type Headers, plainStream } from '../http.ts';
import { type Reply, type Served, type ServeOptions, serveStream, tcpServer } from '../http-server.ts';
import { tlsAccept } from '../tls.ts';
import type { Userland } from '../userland.ts';
import { readText, untilSignal } from './daemon.ts';
import { walk } from './nginx-conf.ts';
import { configure, forgetNames, isRefusal, keepAliveMs } from './nginx-configure.ts';
import { accessLog, notice, startNotice } from './nginx-log.ts';
import { errorPage, plainToTls } from './nginx-pages.ts';
import { last, type Nginx, type NginxServer, type Scope, serverFor, serversAt } from './nginx-scope.ts';
import { newScope, respond } from './nginx-serve.ts';
import { listenStream } from './nginx-stream.ts';

const USAGE = `Usage: nginx [-?hvVtTq] [-s signal] [-p prefix]
             [-e filename] [-c filename] [-g directives]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and configure options then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to a master process: stop, quit, reopen, reload
  -p prefix     : set prefix path (default: /etc/nginx/)
  -e filename   : set error log file (default: /var/log/nginx/error.log)
  -c filename   : set configuration file (default: /etc/nginx/nginx.conf)
  -g directives : set global directives out of configuration file

`;

const SIGNALS: Record<string, string> = { stop: 'TERM', quit: 'QUIT', reload: 'HUP', reopen: 'USR1' };

export const nginx = (_u: Userland): Program =>
  function* nginx(p: Process): Co<number> {
    const version = p.env.get('NGINX_VERSION') ?? '1.29.3';
    const wrong = p.argv
      .slice(1)
      .find((w, i, l) => (w.startsWith('-') ? /[^gcpsetTvVqh?]/.test(w[1] ?? '') : !/^-[gcpse]$/.test(l[i - 1] ?? '')));
    if (wrong !== undefined) {
      complain(p, `nginx: invalid option: "${wrong.startsWith('-') ? wrong.slice(1) : wrong}"\n`);
      return 1;
    }
    const o = getopt(p.argv.slice(1), 'g:c:p:s:e:tTvVqh?');
    if (o.flags.has('h') || o.flags.has('?')) {
      complain(p, `nginx version: nginx/${version}\n${USAGE}`);
      return 0;
    }
    if (o.flags.has('v') || o.flags.has('V')) {
      complain(p, `nginx version: nginx/${version}\n`);
      return 0;
    }
    const signal = o.values.get('s')?.at(-1);
    if (signal !== undefined && !(signal in SIGNALS)) {
      complain(p, `nginx: invalid option: "-s ${signal}"\n`);
      return 1;
    }
    const path = o.values.get('c')?.at(-1) ?? '/etc/nginx/nginx.conf';
    const tests = o.flags.has('t') || o.flags.has('T');
    const ok = () => tests && !o.flags.has('q') && complain(p, `nginx: the configuration file ${path} syntax is ok\n`);
    const made = yield* join(
      atOnce(
        p,
        configure(p, version, path, !tests && signal === undefined, text => say(p, 'warn', text)),
      ),
    );
    if (isRefusal(made)) {
      if (made.syntaxOk) ok();
      say(p, 'emerg', made.text);
      if (tests) complain(p, `nginx: configuration file ${path} test failed\n`);
      return 1;
    }
    ok();
    if (tests) {
      if (!o.flags.has('q')) complain(p, `nginx: configuration file ${path} test is successful\n`);
      if (o.flags.has('T')) dump(p, made, path);
      return 0;
    }
    if (signal !== undefined) return signalOther(p, made, signal);
    return yield* run(p, made, path);
  };

/** Looking up names is part of starting: the cluster is not quiet before it is done. A part of this process: ends with it. */
function atOnce<T>(p: Process, co: Co<T>): Task<T> {
  const task = startTask(p.kernel.sim, co, false);
  if (!task.done) p.cleanup.push(() => killTask(task, undefined as T));
  return task;
}

/** Before its own log is open, nginx speaks to the log it was built with and to the terminal. */
function say(p: Process, level: string, text: string): void {
  startNotice(p, text, level);
  complain(p, `nginx: [${level}] ${text}\n`);
}

/** -T: every file that was read, in the order of its first line. */
function dump(p: Process, n: Nginx, path: string): void {
  const files = new Set([path, ...[...walk(n.main)].map(([d]) => d.file)]);
  for (const file of files) print(p, `# configuration file ${file}:\n${readText(p, file) ?? ''}\n`);
}

/** `nginx -s reload|stop|quit`: find the master of this container. */
function signalOther(p: Process, n: Nginx, signal: string): number {
  const master = [...p.kernel.processes.values()].find(q => q !== p && q.fs === p.fs && q.argv[0].endsWith('nginx'));
  notice(n, 'signal process started');
  if (!master) {
    notice(n, 'open() "/run/nginx.pid" failed (2: No such file or directory)', 'error');
    complain(p, 'nginx: [error] open() "/run/nginx.pid" failed (2: No such file or directory)\n');
    return 1;
  }
  master.onSignal.get(SIGNALS[signal])?.();
  return 0;
}

/** What is open, by address and port: a reload opens what is new and closes what is gone. */
type Open = Map<string, Socket>;

interface Wanted {
  key: string;
  shown: string;
  open: (opened: (s: Socket) => void) => ReturnType<typeof tcpServer>;
}

/** `live`: what connections are answered from, which a reload puts the new configuration into. */
function wanted(n: Nginx, live: Nginx): Wanted[] {
  const out = new Map<string, Wanted>();
  for (const server of n.servers)
    for (const l of server.listens) {
      const shown = `${l.address.length === 16 ? `[${formatIp(l.address)}]` : formatIp(l.address)}:${l.port}`;
      const open: Wanted['open'] = opened =>
        tcpServer(n.p, l.port, s => connection(live, s), { address: l.address, backlog: l.backlog, opened });
      if (!out.has(`tcp ${shown}`)) out.set(`tcp ${shown}`, { key: `tcp ${shown}`, shown, open });
    }
  for (const server of n.streamServers)
    for (const l of server.listens) {
      const shown = `${l.address.length === 16 ? `[${formatIp(l.address)}]` : formatIp(l.address)}:${l.port}`;
      const key = `stream${l.udp ? ' udp' : ''} ${shown}`;
      if (!out.has(key)) out.set(key, { key, shown, open: opened => listenStream(live, server, l, opened) });
    }
  return [...out.values()];
}

/** -> what could not be opened */
function openAll(n: Nginx, live: Nginx, open: Open): string | null {
  const list = wanted(n, live);
  const made: Open = new Map();
  for (const w of list) {
    if (open.has(w.key) && !w.key.startsWith('stream')) continue;
    open.get(w.key) && close(open.get(w.key) as Socket);
    const error = w.open(s => made.set(w.key, s));
    if (!error || (error !== 'EADDRINUSE' && error !== 'EACCES' && error !== 'EADDRNOTAVAIL')) continue;
    for (const s of made.values()) close(s);
    const why = {
      EACCES: '13: Permission denied',
      EADDRNOTAVAIL: '99: Cannot assign requested address',
      EADDRINUSE: '98: Address already in use',
    }[error];
    return `bind() to ${w.shown} failed (${why})`;
  }
  for (const [key, s] of open) {
    if (list.some(w => w.key === key)) continue;
    close(s);
    open.delete(key);
  }
  for (const [key, s] of made) open.set(key, s);
  return null;
}

function* run(p: Process, n: Nginx, path: string): Co<number> {
  const open: Open = new Map();
  const failed = openAll(n, n, open);
  if (failed) {
    notice(n, failed, 'emerg');
    complain(p, `nginx: [emerg] ${failed}\n`);
    return 1;
  }
  notice(n, 'using the "epoll" event method');
  notice(n, `nginx/${n.version}`);
  notice(n, 'built by gcc 14.2.0 (Debian 14.2.0-19) ');
  notice(n, `OS: Linux ${p.kernel.release}`);
  notice(n, 'getrlimit(RLIMIT_NOFILE): 1048576:1048576');
  notice(n, 'start worker processes');
  notice(n, `start worker process ${localPid(p) + 28}`);
  p.onSignal.set('HUP', () => {
    notice(n, 'signal 1 (SIGHUP) received, reconfiguring');
    atOnce(p, reload(n, path, open));
  });
  p.onSignal.set('USR1', () => notice(n, 'signal 10 (SIGUSR1) received, reopening logs'));
  const stopped = (signal: string, name: string) => () => {
    notice(n, `signal ${signal} (${name}) received${name === 'SIGQUIT' ? ', shutting down' : ', exiting'}`);
    return 0;
  };
  return yield* untilSignal(p, { TERM: stopped('15', 'SIGTERM'), INT: stopped('2', 'SIGINT'), QUIT: stopped('3', 'SIGQUIT') });
}

/** New connections see the new configuration; a broken one is logged and the old one stays. */
function* reload(n: Nginx, path: string, open: Open): Co<void> {
  forgetNames(n.p);
  const made = yield* configure(n.p, n.version, path, true, text => notice(n, text, 'warn'));
  if (isRefusal(made)) {
    notice(n, made.text, 'emerg');
    return;
  }
  const failed = openAll(made, n, open);
  if (failed) {
    notice(n, failed, 'emerg');
    return;
  }
  // Counters and limits live on: they are in shared memory.
  for (const [name, zone] of made.zones)
    Object.assign(zone, { states: n.zones.get(name)?.states ?? zone.states, open: n.zones.get(name)?.open ?? zone.open });
  const { requests, connections } = n;
  Object.assign(n, made, { requests, connections });
  notice(n, 'using the "epoll" event method');
  notice(n, 'start worker processes');
  notice(n, `start worker process ${localPid(n.p) + 28}`);
}

/** What one chunk and the last one add to a body. */
const chunkFraming = (reply: Reply, bytes: number): number =>
  bytes && (reply.headers ?? []).some(([n, v]) => n === 'Transfer-Encoding' && v === 'chunked') ? bytes.toString(16).length + 9 : 0;

const ownOr = (n: Nginx, server: NginxServer, name: string) => last(server.directives, name) ?? last(n.http, name);

/** TLSv1.3 is among the usual protocols since 1.23.4. */
function tlsVersion(n: Nginx, server: NginxServer): '1.2' | '1.3' {
  const said = ownOr(n, server, 'ssl_protocols')?.args;
  const [, minor, patch] = n.version.split('.').map(Number);
  const has13 = said ? said.includes('TLSv1.3') : minor > 23 || (minor === 23 && patch >= 4);
  return has13 ? '1.3' : '1.2';
}

function* connection(n: Nginx, s: Socket): Co<void> {
  const number = ++n.connections;
  const here = serversAt(n.servers, s.local as NonNullable<Socket['local']>, s.localPort);
  const scopes = new WeakMap<Served, Scope>();
  const server: NginxServer = (here.find(x => x.listen.isDefault) ?? here[0])?.server ?? n.servers[0];
  const ssl = here.some(x => x.listen.ssl);
  const speaks = (http2: boolean): [(req: Served) => Co<Reply>, ServeOptions] => {
    const scopeOf = (req: Served) => {
      const known = scopes.get(req) ?? newScope(n, req, ssl, http2, number);
      scopes.set(req, known);
      return known;
    };
    const o: ServeOptions = {
      keepAliveMs: keepAliveMs(n, server),
      decorate: (req, reply, keep) => dress(scopeOf(req), reply, keep),
      served: (req, reply, bytes) => {
        const scope = scopeOf(req);
        Object.assign(scope, {
          reply: { ...reply, headers: scope.reply?.headers ?? reply.headers },
          bodyBytes: bytes + chunkFraming(reply, bytes),
        });
        accessLog(scope);
      },
      badRequest: () => ({ status: 400, headers: [['Content-Type', 'text/html']], body: errorPage(400, n.version) }),
    };
    return [req => respond(scopeOf(req)), o];
  };
  if (!ssl) return yield* serveStream(plainStream(s), ...speaks(false));
  const byName = (name: string | null) => {
    const req = { headers: name ? [['Host', name]] : [], local: s.local, localPort: s.localPort } as unknown as Served;
    return serverFor(n, req).certificate ?? server.certificate;
  };
  const t = yield* tlsAccept(s, hello => byName(hello.sni), {
    library: 'openssl',
    protocols: here.some(x => x.listen.http2) ? ['h2', 'http/1.1'] : ['http/1.1'],
    version: tlsVersion(n, server),
    keepsSessions: ownOr(n, server, 'ssl_session_tickets')?.args[0] === 'off',
  });
  if (t === 'plain')
    yield* serveStream(
      plainStream(s),
      function* () {
        return plainToTls(n.version);
      },
      speaks(false)[1],
    );
  else if (t) yield* serveStream(t.stream, ...speaks(t.alpn === 'h2'));
}

/** nginx's own order of headers (ngx_http_header_filter_module.c), and what it says of a file only with an answer that is one. */
function dress(s: Scope, reply: Reply, keep: boolean): Headers {
  const { status } = reply;
  const given = reply.headers ?? [];
  const of = (name: string) => given.filter(([h]) => h.toLowerCase() === name);
  const or = (name: string, otherwise: [string, string]) => (of(name).length ? of(name) : [otherwise]);
  // A Location that nginx has made absolute itself is one of its own headers; any other stands where it was set.
  const location = of('location');
  const own = s.ownLocation && location.length > 0;
  const early = ['content-type', 'content-length', 'last-modified', 'server', 'date', 'transfer-encoding', 'accept-ranges', 'connection'];
  if (own) early.push('location');
  const tokens = last(s.server.directives, 'server_tokens') ?? last(s.n.http, 'server_tokens');
  const chunked = of('transfer-encoding');
  const bodiless = status === 204 || status === 304;
  const out: Headers = [
    ...or('server', ['Server', tokens?.args[0] === 'off' ? 'nginx' : `nginx/${s.n.version}`]),
    ...or('date', ['Date', httpDate(s.n.p.kernel.sim.nowMs)]),
    ...(bodiless ? [] : of('content-type')),
  ];
  if (!bodiless && !chunked.length) out.push(...or('content-length', ['Content-Length', String((reply.body as Uint8Array).length)]));
  if ([200, 206, 304].includes(status)) out.push(...of('last-modified'));
  if (own) out.push(...location);
  out.push(...chunked);
  if (!s.http2) out.push(['Connection', keep ? 'keep-alive' : 'close']);
  out.push(...given.filter(([h]) => !early.includes(h.toLowerCase())));
  if (status === 200) out.push(...of('accept-ranges'));
  s.reply = { ...reply, headers: out };
  s.headBytes = out.reduce((sum, [k, v]) => sum + k.length + v.length + 4, `HTTP/1.1 ${status} ${reply.reason ?? 'OK'}\r\n\r\n`.length);
  return out;
}
