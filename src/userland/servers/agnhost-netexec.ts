// agnhost netexec: a web server that tells about itself, dials others and ends when it is told to (test/images/agnhost/netexec).
import { capture } from '../../linux/process.ts';
import { close, connect, send, socket } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import { type Co, sleep, type WaitQueue, waitOn, wakeAll } from '../../sim/task.ts';
import { civilTime, clockText, twoDigits } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { header, newReader, parseResponseHead, plainStream, readBody, readHead, responseFraming } from '../http.ts';
import { background, type Reply, type Served } from '../http-server.ts';
import { getaddrinfo } from '../net/resolver.ts';
import { splitTarget } from '../url.ts';
import { endpoint, goDialError, log, parseDuration, udpAsk, udpServer } from './agnhost-net.ts';
import { GO_DEFAULT, goFlags, hostnameOf } from './daemon.ts';
import { goServer, notFound } from './go-http.ts';

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

export function* netexec(p: Process, words: string[]): Co<number> {
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
  const nanos = String(Math.floor((p.kernel.sim.nowMs % 1000) * 1_000_000)).padStart(9, '0');
  const date = `${c.year}-${twoDigits(c.month)}-${twoDigits(c.day)} ${clockText(c)}.${nanos} +0000 UTC`;
  return `${date} m=+${((p.kernel.sim.nowMs - startMs) / 1000).toFixed(9)}`;
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

function netexecUdp(p: Process, text: string, from: string): string | null {
  const [command, ...rest] = text.trim().split(/\s+/);
  log(p, `Received "${text}" from ${from}`);
  if (command.toLowerCase() === 'hostname') return hostnameOf(p);
  if (command.toLowerCase() === 'echo') return rest.join(' ');
  if (command.toLowerCase() === 'clientip') return from;
  return command ? `unknown command: ${command}` : null;
}
