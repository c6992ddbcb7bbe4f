// http.server and socketserver: a class with do_GET answers requests (Lib/http/server.py, Python 3.11).
import { complain } from '../../linux/process.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { framing, header, newReader, parseRequestHead, plainStream, REASONS, readBody, readHead } from '../http.ts';
import { tcpServer } from '../http-server.ts';
import { clfTime, untilSignal } from '../servers/daemon.ts';
import { pythonAnswer } from '../servers/files.ts';
import { plain } from '../servers/nginx-scope.ts';
import { PyError } from './lex.ts';
import { percent } from './operators.ts';
import { attribute, call, type Interpreter } from './run.ts';
import { Class, findIn, Instance, type Keywords, native, repr, str, Thing, Tuple, type Value } from './values.ts';

const TRACE = '----------------------------------------';

/** What a request has written so far. */
interface Written {
  head: string[];
  parts: Uint8Array[];
}
const written = new WeakMap<Instance, Written>();
const of = (self: Instance): Written => written.get(self) as Written;

export function httpModules(p: Process, x: () => Interpreter): Record<string, () => Record<string, Value>> {
  const ask = (self: Instance, name: string, args: Value[]) => call(x(), attribute(x(), self, name, 0), args, new Map(), 0);
  const base = new Class(
    'BaseHTTPRequestHandler',
    [],
    new Map<string, Value>(Object.entries({ server_version: 'BaseHTTP/0.6', sys_version: 'Python/3.11.14', protocol_version: 'HTTP/1.0' })),
  );
  const method = (name: string, f: (args: Value[], k: Keywords) => Co<Value>) => base.attrs.set(name, f);
  method('log_message', function* ([self, text, ...args]) {
    const at = clfTime(p.kernel.sim.nowMs)
      .replace(/:(?=\d\d:\d\d:)/, ' ')
      .replace(/ \+0000$/, '');
    complain(p, `${self.attrs.get('client_address').items[0]} - - [${at}] ${percent(text, new Tuple(args))}\n`);
    return null;
  });
  method('log_request', function* ([self, code = '-', size = '-']) {
    return yield* ask(self, 'log_message', ['"%s" %s %s', self.attrs.get('requestline'), str(code), str(size)]);
  });
  method('send_response', function* ([self, code, message]) {
    yield* ask(self, 'log_request', [code]);
    const server = `${str(attribute(x(), self, 'server_version', 0))} ${str(attribute(x(), self, 'sys_version', 0))}`;
    const status = `${str(attribute(x(), self, 'protocol_version', 0))} ${code} ${message ?? REASONS[code] ?? ''}`;
    of(self).head.push(status, `Server: ${server}`, `Date: ${httpDate(p.kernel.sim.nowMs)}`);
    return null;
  });
  method('send_header', function* ([self, name, value]) {
    of(self).head.push(`${str(name)}: ${str(value)}`);
    return null;
  });
  method('end_headers', function* ([self]) {
    const w = of(self);
    w.parts.push(stringToBytes(`${w.head.join('\r\n')}\r\n\r\n`));
    w.head = [];
    return null;
  });
  method('send_error', function* ([self, code, message]) {
    const text = message ?? REASONS[code] ?? '';
    yield* ask(self, 'log_message', ['code %d, message %s', code, text]);
    yield* ask(self, 'send_response', [code, text]);
    yield* ask(self, 'send_header', ['Connection', 'close']);
    yield* ask(self, 'send_header', ['Content-Type', 'text/html;charset=utf-8']);
    yield* ask(self, 'end_headers', []);
    of(self).parts.push(stringToBytes(`<p>Error code: ${code}</p>\n<p>Message: ${text}.</p>\n`));
    return null;
  });
  method('address_string', function* ([self]) {
    return self.attrs.get('client_address').items[0];
  });
  const simple = new Class('SimpleHTTPRequestHandler', [base], new Map());
  simple.attrs.set('do_GET', function* ([self]: Value[]): Co<Value> {
    const answer = pythonAnswer(p, p.cwd, self.attrs.get('__request'));
    yield* ask(self, 'send_response', [answer.status, answer.reason]);
    for (const [n, v] of answer.headers ?? []) yield* ask(self, 'send_header', [n, v]);
    yield* ask(self, 'end_headers', []);
    of(self).parts.push(typeof answer.body === 'string' ? stringToBytes(answer.body) : (answer.body as Uint8Array));
    return null;
  });
  const server = (kind: string) => native(([address, handler]) => serverOf(p, x, kind, address, handler));
  const servers = { HTTPServer: server('HTTPServer'), ThreadingHTTPServer: server('ThreadingHTTPServer') };
  return {
    http: () => ({}),
    'http.server': () => ({ BaseHTTPRequestHandler: base, SimpleHTTPRequestHandler: simple, ...servers }),
    socketserver: () => ({
      TCPServer: server('TCPServer'),
      ThreadingTCPServer: server('ThreadingTCPServer'),
      ThreadingMixIn: new Class('ThreadingMixIn', [], new Map()),
    }),
  };
}

function serverOf(p: Process, x: () => Interpreter, kind: string, address: Value, handler: Value): Thing {
  if (!(address instanceof Tuple) || !(handler instanceof Class))
    throw new PyError('TypeError', `${kind}() takes an address and a handler class`);
  const port = Number(address.items[1]);
  const self = new Thing(kind, {
    server_address: address,
    server_port: port,
    server_close: native(() => null),
    shutdown: native(() => null),
  });
  const error = tcpServer(p, port, s => connection(p, x(), self, handler, s), { family: 4 });
  if (error)
    throw new PyError(
      error === 'EACCES' ? 'PermissionError' : 'OSError',
      error === 'EACCES' ? '[Errno 13] Permission denied' : '[Errno 98] Address already in use',
    );
  self.attrs.set('serve_forever', function* (): Co<Value> {
    throw new PyError('SystemExit', String(yield* untilSignal(p, { TERM: 143, INT: 130 })));
  });
  return self;
}

function* connection(p: Process, x: Interpreter, server: Thing, cls: Class, s: Socket): Co<void> {
  const stream = plainStream(s);
  const reader = newReader(stream);
  const lines = yield* readHead(reader);
  const head = Array.isArray(lines) ? parseRequestHead(lines) : null;
  if (!head || !Array.isArray(lines)) return;
  const body = yield* readBody(reader, framing(head.headers, { kind: 'none' }));
  if (typeof body === 'string') return;
  x.steps = 0;
  const self = new Instance(cls);
  const w: Written = { head: [], parts: [] };
  written.set(self, w);
  const client = new Tuple([formatIp(plain(s.remote as Uint8Array)), s.remotePort]);
  let at = 0;
  const read = native(([n]) => {
    const part = body.subarray(at, n === undefined ? body.length : at + Number(n));
    at += part.length;
    return part;
  });
  const got = (name: string, otherwise: Value = null) => header(head.headers, name) ?? otherwise;
  const headers = new Thing('headers', {
    get: native(([n, otherwise]) => got(n, otherwise ?? null)),
    items: native(() => head.headers.map(h => new Tuple(h))),
    __getitem__: native(([n]) => got(n)),
    __str__: head.headers.map(([n, v]) => `${n}: ${v}\n`).join(''),
  });
  const request = { ...head, body, remote: s.remote, remotePort: s.remotePort, local: s.local, localPort: s.localPort, socket: s };
  const attrs: Record<string, Value> = {
    path: head.target,
    command: head.method,
    requestline: lines[0],
    request_version: head.version,
    headers,
    client_address: client,
    server,
    rfile: new Thing('rfile', { read }),
    wfile: new Thing('wfile', {
      write: native(([b]) => {
        if (!(b instanceof Uint8Array)) throw new PyError('TypeError', "a bytes-like object is required, not 'str'");
        w.parts.push(b);
        return b.length;
      }),
      flush: native(() => null),
    }),
    __request: request,
  };
  for (const [k, v] of Object.entries(attrs)) self.attrs.set(k, v);
  const method = findIn(cls, `do_${head.method}`);
  try {
    if (method === undefined)
      yield* call(x, attribute(x, self, 'send_error', 0), [501, `Unsupported method (${repr(head.method)})`], new Map(), 0);
    else yield* call(x, method, [self], new Map(), 0);
  } catch (e) {
    if (!(e instanceof PyError)) throw e;
    complain(
      p,
      `${TRACE}\nException occurred during processing of request from ${str(client)}\nTraceback (most recent call last):\n  line ${e.line}, in ${cls.name}\n${e.type}: ${e.message}\n${TRACE}\n`,
    );
  }
  if (w.parts.length) yield* stream.send(concat(w.parts));
}
