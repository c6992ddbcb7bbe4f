// registry.k8s.io/e2e-test-images/agnhost 2.53 (kubernetes/test/images/agnhost v1.36): the subcommands that serve or probe.
import { capture, complain, print } from '../../linux/process.ts';
import { bind, close, connect, recvFrom, type Socket, send, sendTo, shutdown, socket } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import { type Co, sleep, type WaitQueue, waitOn, wakeAll } from '../../sim/task.ts';
import { civilTime } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { header, newReader, parseResponseHead, plainStream, readBody, readHead, responseFraming } from '../http.ts';
import { background, type Reply, type Served, tcpServer } from '../http-server.ts';
import { gaiStrerror, getaddrinfo } from '../net/resolver.ts';
import { localPid } from '../pids.ts';
import { splitTarget } from '../url.ts';
import type { Userland } from '../userland.ts';
import { GO_DEFAULT, goFlags, hostnameOf, readText, untilSignal } from './daemon.ts';
import { staticFiles } from './files.ts';
import { goServer, notFound } from './go-http.ts';

/** Newest of what is modelled; a tag says otherwise. */
const VERSION = '2.53';
const releases = new WeakMap<Process, string>();
const releaseOf = (p: Process): string => releases.get(p) ?? VERSION;

type Command = (p: Process, words: string[]) => Co<number>;

export const agnhost = (u: Userland): Program =>
  function* (p): Co<number> {
    if (/^\d+\.\d+/.test(u.tag ?? '')) releases.set(p, u.tag as string);
    const [name, ...words] = p.argv.slice(1);
    if (name === '--version') {
      print(p, `agnhost version ${releaseOf(p)}\n`);
      return 0;
    }
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
      print(
        p,
        `Usage:\n  app [command]\n\nAvailable Commands:\n${Object.keys(COMMANDS)
          .sort()
          .map(c => `  ${c}`)
          .join('\n')}\n`,
      );
      return 0;
    }
    const command = COMMANDS[name];
    if (command) return yield* command(p, words);
    complain(p, `Error: unknown command "${name}" for "app"\nRun 'app --help' for usage.\n`);
    return 1;
  };

export const serveHostnameProgram = (_u: Userland): Program =>
  function* (p): Co<number> {
    return yield* serveHostname(p, p.argv.slice(1));
  };

/** The line of Go's own log.go that writes: another one since Go 1.21, which agnhost 2.44 was built with. */
const logLine = (release: string): number => (Number(release.split('.')[1]) < 44 ? 195 : 245);

/** klog's line, as `log.Printf` of these programs ends up. */
function log(p: Process, text: string): void {
  const c = civilTime(p.kernel.sim.nowMs);
  const two = (n: number) => String(n).padStart(2, '0');
  const micros = String(Math.floor((p.kernel.sim.nowMs % 1000) * 1000)).padStart(6, '0');
  complain(
    p,
    `I${two(c.month)}${two(c.day)} ${two(c.hour)}:${two(c.minute)}:${two(c.second)}.${micros} ${String(localPid(p)).padStart(7)} log.go:${logLine(releaseOf(p))}] ${text}\n`,
  );
}

const endpoint = (req: Served) =>
  req.remote.length === 16 ? `[${formatIp(req.remote)}]:${req.remotePort}` : `${formatIp(req.remote)}:${req.remotePort}`;

/** Something in a handler that ends the whole program. */
interface Exit {
  queue: WaitQueue;
  code: number | null;
}

function* untilExit(p: Process, e: Exit): Co<number> {
  for (const [name, code] of Object.entries(GO_DEFAULT)) {
    p.onSignal.set(name, () => {
      e.code = code;
      wakeAll(e.queue);
    });
  }
  while (e.code === null) yield* waitOn(p.kernel.sim, [e.queue]);
  return e.code;
}

function exitSoon(p: Process, e: Exit, code: number, afterMs = 0): void {
  background(
    p,
    (function* () {
      yield* sleep(p.kernel.sim, afterMs + 1);
      e.code = code;
      wakeAll(e.queue);
    })(),
  );
}

function* netexec(p: Process, words: string[]): Co<number> {
  const { flags } = goFlags(words);
  const httpPort = Number(flags.get('http-port') ?? 8080);
  const udpPort = Number(flags.get('udp-port') ?? 8081);
  const delay = Number(flags.get('delay-shutdown') ?? 0);
  const exit: Exit = { queue: new Set(), code: null };
  const startMs = p.kernel.sim.nowMs;
  const error = goServer(p, httpPort, req => netexecAnswer(p, req, exit, startMs));
  if (error) {
    log(p, `listen tcp :${httpPort}: bind: address already in use`);
    return 1;
  }
  log(p, `Started HTTP server on port ${httpPort}`);
  if (udpPort > 0) {
    udpServer(p, udpPort, (text, from) => netexecUdp(p, text, from));
    log(p, `Started UDP server on port  ${udpPort}`);
  }
  const code = yield* untilExit(p, exit);
  if (delay) yield* sleep(p.kernel.sim, delay * 1000);
  return code;
}

function* netexecAnswer(p: Process, req: Served, exit: Exit, startMs: number): Co<Reply> {
  const { path, query } = splitTarget(req.target);
  const arg = (name: string) => query.get(name)?.[0] ?? '';
  log(p, `${req.method} ${path}`);
  const text = (body: string): Reply => ({ status: 200, body });
  switch (path) {
    case '/':
      return text(`NOW: ${goNow(p, startMs)}`);
    case '/hostname':
    case '/hostName':
      return text(hostnameOf(p));
    case '/clientip':
      return text(endpoint(req));
    case '/echo': {
      const code = Number(arg('code') || 200);
      return { status: code, body: arg('msg') };
    }
    case '/header':
      return text(header(req.headers, arg('key')) ?? '');
    case '/healthz':
      return text('');
    case '/readyz':
      return text('ok');
    case '/exit':
      exitSoon(p, exit, Number(arg('code') || 0), parseDuration(arg('wait')));
      return text('');
    case '/shutdown':
      exitSoon(p, exit, 0);
      return text('');
    case '/redirect':
      return { status: Number(arg('code') || 302), headers: [['Location', arg('location')]], body: '' };
    case '/shell':
      return yield* shell(p, arg('shellCommand') || arg('cmd'));
    case '/dial':
      return yield* dial(p, query);
    default:
      return notFound();
  }
}

/** time.Now().String() with the monotonic reading since the program began. */
function goNow(p: Process, startMs: number): string {
  const c = civilTime(p.kernel.sim.nowMs);
  const two = (n: number) => String(n).padStart(2, '0');
  const nanos = String(Math.floor((p.kernel.sim.nowMs % 1000) * 1_000_000)).padStart(9, '0');
  const date = `${c.year}-${two(c.month)}-${two(c.day)} ${two(c.hour)}:${two(c.minute)}:${two(c.second)}.${nanos} +0000 UTC`;
  return `${date} m=+${((p.kernel.sim.nowMs - startMs) / 1000).toFixed(9)}`;
}

function parseDuration(s: string): number {
  let ms = 0;
  for (const m of s.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    ms += Number(m[1]) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[m[2]] as number);
  return ms;
}

function* shell(p: Process, command: string): Co<Reply> {
  const r = yield* capture(p, ['/bin/sh', '-c', command]);
  const out: Record<string, string> = {};
  const text = bytesToString(r.out);
  if (r.code !== 0) out.error = `exit status ${r.code}`;
  out.output = text;
  return { status: 200, body: `${JSON.stringify(out)}` };
}

function* httpGet(p: Process, host: string, port: number, path: string, timeoutMs: number): Co<string | { error: string }> {
  const at = yield* getaddrinfo(p, host, { libc: 'musl' });
  if (typeof at === 'string') return { error: `lookup ${host}: no such host` };
  const s = socket(p, 'tcp', at.addresses[0].length === 4 ? 4 : 6);
  if (typeof s === 'string') return { error: s };
  try {
    const error = yield* connect(s, at.addresses[0], port, timeoutMs);
    if (error) return { error: goDialError(formatIp(at.addresses[0]), port, error) };
    const r = newReader(plainStream(s));
    yield* send(
      s,
      stringToBytes(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n`),
    );
    const lines = yield* readHead(r, timeoutMs);
    const res = Array.isArray(lines) ? parseResponseHead(lines) : null;
    if (!res) return { error: 'EOF' };
    const body = yield* readBody(r, responseFraming('GET', res), timeoutMs);
    return typeof body === 'string' ? { error: 'unexpected EOF' } : bytesToString(body);
  } finally {
    close(s);
  }
}

export function goDialError(host: string, port: number, e: Errno): string {
  const words: Partial<Record<Errno, string>> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ETIMEDOUT: 'connect: connection timed out',
    EINPROGRESS: 'i/o timeout',
    ECONNRESET: 'connect: connection reset by peer',
  };
  return `dial tcp ${host.includes(':') ? `[${host}]` : host}:${port}: ${words[e] ?? `connect: ${e}`}`;
}

/** /dial: ask another netexec several times, and give all that came back. */
function* dial(p: Process, query: Map<string, string[]>): Co<Reply> {
  const arg = (name: string, otherwise = '') => query.get(name)?.[0] ?? otherwise;
  const request = arg('request');
  const tries = Number(arg('tries', '1'));
  const port = Number(arg('port'));
  const responses: string[] = [];
  const errors: string[] = [];
  for (let i = 0; i < tries; i++) {
    if (arg('protocol') === 'udp') {
      const r = yield* udpAsk(p, arg('host'), port, request);
      if (r === null) errors.push(`reading from udp connection failed. err:'i/o timeout'`);
      else responses.push(r);
      continue;
    }
    const r = yield* httpGet(p, arg('host'), port, `/${request}`, 5000);
    if (typeof r === 'string') responses.push(r);
    else errors.push(`Get "http://${arg('host')}:${port}/${request}": ${r.error}`);
  }
  const out: Record<string, string[]> = {};
  if (errors.length) out.errors = errors;
  if (responses.length) out.responses = responses;
  return { status: 200, body: JSON.stringify(out) };
}

function* udpAsk(p: Process, host: string, port: number, text: string): Co<string | null> {
  const at = yield* getaddrinfo(p, host, { libc: 'musl' });
  if (typeof at === 'string') return null;
  const s = socket(p, 'udp', at.addresses[0].length === 4 ? 4 : 6);
  if (typeof s === 'string') return null;
  sendTo(s, stringToBytes(text), at.addresses[0], port);
  const got = yield* recvFrom(s, 5000);
  close(s);
  return typeof got === 'string' || got.error ? null : bytesToString(got.data);
}

/** Answer datagrams with what `answer` says; null: no answer. */
export function udpServer(p: Process, port: number, answer: (text: string, from: string) => string | null): Errno | null {
  const s = socket(p, 'udp', 6);
  if (typeof s === 'string') return s;
  const error = bind(s, null, port);
  if (error) return error;
  background(p, udpLoop(s, answer));
  return null;
}

function* udpLoop(s: Socket, answer: (text: string, from: string) => string | null): Co<void> {
  for (;;) {
    const d = yield* recvFrom(s);
    if (d === 'EBADF') return;
    if (typeof d === 'string' || d.error) continue;
    const from = d.from.length === 16 ? `[${formatIp(d.from)}]:${d.fromPort}` : `${formatIp(d.from)}:${d.fromPort}`;
    const reply = answer(bytesToString(d.data), from);
    if (reply !== null) sendTo(s, stringToBytes(reply), d.from, d.fromPort);
  }
}

function netexecUdp(p: Process, text: string, from: string): string | null {
  const [command, ...rest] = text.trim().split(/\s+/);
  log(p, `Received "${text}" from ${from}`);
  if (command.toLowerCase() === 'hostname') return hostnameOf(p);
  if (command.toLowerCase() === 'echo') return rest.join(' ');
  if (command.toLowerCase() === 'clientip') return from;
  return command ? `unknown command: ${command}` : null;
}

function* serveHostname(p: Process, words: string[]): Co<number> {
  const { flags } = goFlags(words, ['tcp', 'udp', 'http', 'close']);
  const on = (name: string) => flags.get(name) === 'true';
  const port = Number(flags.get('port') ?? 9376);
  const name = hostnameOf(p);
  function* handler(req: Served): Co<Reply> {
    log(p, `HTTP request from ${endpoint(req)}`);
    return { status: 200, body: name };
  }
  if (on('udp')) {
    udpServer(p, port, () => name);
    log(p, `Serving on port ${port}.`);
  }
  if (on('tcp')) tcpServer(p, port, s => tcpHostname(s, name, on('close')));
  else if (!on('udp') && flags.get('http') !== 'false') goServer(p, port, handler);
  log(p, `Serving on port ${port}.`);
  return yield* untilSignal(p, { ...GO_DEFAULT, TERM: 0 });
}

function* tcpHostname(s: Socket, name: string, closes: boolean): Co<void> {
  yield* send(s, stringToBytes(name));
  if (closes) shutdown(s);
}

function* connectCommand(p: Process, words: string[]): Co<number> {
  const target = words.find(w => !w.startsWith('-')) ?? '';
  const { flags } = goFlags(words.filter(w => w !== target));
  const timeoutMs = parseDuration(flags.get('timeout') ?? '') || Number.POSITIVE_INFINITY;
  const protocol = flags.get('protocol') ?? 'tcp';
  const at = target.lastIndexOf(':');
  const host = target.slice(0, at).replace(/^\[|\]$/g, '');
  const port = Number(target.slice(at + 1));
  const say = (text: string): number => {
    complain(p, `${text}\n`);
    return 1;
  };
  const found = yield* getaddrinfo(p, host, { libc: 'musl' });
  if (typeof found === 'string') return say(`DNS: lookup ${host}: ${found === 'EAI_NONAME' ? 'no such host' : gaiStrerror('musl', found)}`);
  const address = found.addresses[0];
  if (protocol === 'udp') {
    const answer = yield* udpAsk(p, host, port, 'hostname');
    return answer === null ? say('TIMEOUT') : 0;
  }
  const s = socket(p, protocol === 'sctp' ? 'sctp' : 'tcp', address.length === 4 ? 4 : 6);
  if (typeof s === 'string') return say(`OTHER: ${s}`);
  const error = yield* connect(s, address, port, timeoutMs);
  close(s);
  if (!error) return 0;
  if (error === 'EINPROGRESS' || error === 'ETIMEDOUT') return say('TIMEOUT');
  if (error === 'ECONNREFUSED') return say('REFUSED');
  return say(`OTHER: ${goDialError(formatIp(address), port, error)}`);
}

function* porter(p: Process): Co<number> {
  for (const [name, body] of p.env) {
    const m = /^SERVE_(?:TLS_)?PORT_(\d+)$/.exec(name);
    if (!m) continue;
    goServer(p, Number(m[1]), function* () {
      return { status: 200, body };
    });
  }
  return yield* untilSignal(p, GO_DEFAULT);
}

function* pause(p: Process): Co<number> {
  print(p, 'Paused\n');
  return yield* untilSignal(p, { TERM: 2, INT: 1 });
}

function* testWebserver(p: Process, words: string[]): Co<number> {
  const { flags } = goFlags(words);
  const port = Number(flags.get('port') ?? 80);
  goServer(p, port, req => staticFiles(p, '/', req));
  return yield* untilSignal(p, GO_DEFAULT);
}

function* liveness(p: Process): Co<number> {
  const startMs = p.kernel.sim.nowMs;
  goServer(p, 8080, function* (req) {
    const seconds = (p.kernel.sim.nowMs - startMs) / 1000;
    if (splitTarget(req.target).path !== '/healthz') return notFound();
    return seconds > 10 ? { status: 500, body: `error: ${seconds}` } : { status: 200, body: 'ok' };
  });
  return yield* untilSignal(p, GO_DEFAULT);
}

function* dnsSuffix(p: Process): Co<number> {
  const search = /^search\s+(.*)$/m.exec(readText(p, '/etc/resolv.conf') ?? '');
  print(p, `${(search?.[1] ?? '').trim().split(/\s+/).join(',')}\n`);
  return 0;
}

function* dnsServers(p: Process): Co<number> {
  const all = [...(readText(p, '/etc/resolv.conf') ?? '').matchAll(/^nameserver\s+(\S+)/gm)].map(m => m[1]);
  print(p, `${all.join(',')}\n`);
  return 0;
}

function* etcHosts(p: Process): Co<number> {
  print(p, readText(p, '/etc/hosts') ?? '');
  return 0;
}

function* entrypointTester(p: Process): Co<number> {
  print(p, `${JSON.stringify(p.argv).replaceAll('","', '" "')}\n`);
  return 0;
}

const COMMANDS: Record<string, Command> = {
  netexec,
  'serve-hostname': serveHostname,
  connect: connectCommand,
  porter,
  pause,
  'test-webserver': testWebserver,
  liveness,
  'dns-suffix': dnsSuffix,
  'dns-server-list': dnsServers,
  'etc-hosts': etcHosts,
  'entrypoint-tester': entrypointTester,
};
