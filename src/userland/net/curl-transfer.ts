// One transfer of curl: the request, the answer, where a redirect leads, what becomes of the connection (lib/http.c, lib/multi.c).
import { complain, strerror } from '../../linux/process.ts';
import { close } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import { type Co, sleep } from '../../sim/task.ts';
import { bodyState, type HttpResponse, header, parseResponseHead, readBodyPart, readHead, responseFraming } from '../http.ts';
import { parseUrl, resolveUrl, type Url } from '../url.ts';
import type { Userland } from '../userland.ts';
import type { CurlConfig } from './curl-config.ts';
import { type Connection, type CurlError, isError, openConnection, type Session } from './curl-connect.ts';
import { type Jar, setCookie } from './curl-cookies.ts';
import { type Meter, showMeter, stopMeter } from './curl-meter.ts';
import { connectionKey, proxyFor } from './curl-proxy.ts';
import { checkUrl, requestHead, streamOpened, withoutDots } from './curl-request.ts';
import { RECORD_HEAD, tellClosing, tellTickets } from './curl-tls.ts';
import type { Teller } from './curl-trace.ts';
import type { TransferInfo } from './curl-write-out.ts';

/** The server's alert, in OpenSSL's words: it had asked for the client's certificate. */
const CERTIFICATE_REQUIRED = 'error:0A00045C:SSL routines::tlsv13 alert certificate required';

export interface Run {
  p: Process;
  u: Userland;
  c: CurlConfig;
  connections: Connection[];
  nextNumber: number;
  upload: Uint8Array | null;
  jar: Jar;
  /** -b, -c: cookies are kept. */
  cookies: boolean;
}

/** One transfer in progress. */
export interface Transfer {
  run: Run;
  s: Session;
  meter: Meter | null;
  info: TransferInfo;
  url: string;
  method: string;
  body: Uint8Array | null;
  sink: (bytes: Uint8Array) => boolean;
  headerSink: (text: string) => boolean;
  /** Of a body that is no upload. */
  contentType: string;
  tell: Teller;
  redirectStartMs: number;
  hadConnection: boolean;
}

/** The request and, with -L, the ones it is sent on to. */
export function* followAll(t: Transfer): Co<CurlError | null> {
  const { c } = t.run;
  let error: CurlError | null = null;
  for (;;) {
    const r: HttpResponse | CurlError | null = yield* once(t);
    if (r && isError(r)) {
      error = r;
      break;
    }
    const location = r ? header(r.headers, 'Location') : undefined;
    const follows = r && location !== undefined && r.status >= 300 && r.status < 400;
    t.info.redirectUrl = follows ? resolveUrl(t.url, location) : null;
    if (!follows || !c.location) break;
    if (c.maxRedirs >= 0 && t.info.redirects >= c.maxRedirs) {
      error = { code: 47, message: `Maximum (${c.maxRedirs}) redirects followed` };
      break;
    }
    t.info.redirects++;
    t.url = withoutDots(c, t.info.redirectUrl as string);
    t.s.info(`Issue another request to this URL: '${t.url}'`);
    if ((r.status === 301 || r.status === 302 || r.status === 303) && t.method === 'POST' && !c.method && !c.postRedir) {
      t.method = 'GET';
      t.body = null;
      t.s.info(`Switch from POST to GET`);
    }
    t.info.redirect = (t.s.p.kernel.sim.nowMs - t.s.startMs) / 1000;
  }
  if (t.meter) stopMeter(t.meter);
  return error;
}

/** One request and its answer. */
function* once(t: Transfer): Co<HttpResponse | CurlError | null> {
  const checked = checkUrl(t);
  if (isError(checked)) return checked;
  const { url, port } = checked;
  t.info.urlEffective = /^[a-z]+:\/\/[^/?#]*$/i.test(t.url) ? `${t.url}/` : t.url;
  // 7.88 knows the scheme of a connection only.
  if (t.run.u.tools >= 13) t.info.scheme = url.scheme;
  const connection = yield* take(t, url, port);
  if (isError(connection)) return disconnected(t, connection);
  if (t.run.u.tools < 13) t.info.scheme = url.scheme.toUpperCase();
  const socket = connection.stream.socket;
  const ends = { remoteIp: connection.remote, remotePort: connection.remotePort, localIp: socket.local, localPort: socket.localPort };
  Object.assign(t.info, ends, { method: t.method, pretransfer: now(t) });
  const request = requestHead(t, url, port);
  speaks(t, connection);
  if (t.run.c.user !== null) t.s.info(`Server auth using Basic with user '${t.run.c.user.split(':')[0]}'`);
  const shown = connection.http2 ? streamOpened(t, request, ++connection.streams) : request;
  if (connection.tls) t.s.tls(true, RECORD_HEAD);
  t.tell.sentHead(shown);
  t.info.sizeRequest += request.length;
  const sent = yield* sendRequest(t, connection, request);
  if (sent) return lost(t, connection, sent);
  const answered = yield* receive(t, connection);
  return isError(answered) ? lost(t, connection, answered) : answered;
}

/** Of a new connection is said what it speaks; 7.88 says it of TLS alone, and of the preface of HTTP/2 there is a record. */
function speaks(t: Transfer, connection: Connection): void {
  const newer = t.run.u.tools >= 13;
  if (!newer && (!connection.tls || connection.streams || t.info.connects === 0)) return;
  if (!newer && connection.http2) t.s.tls(true, RECORD_HEAD);
  t.s.info(connection.http2 ? 'using HTTP/2' : `using HTTP/1.${newer ? 'x' : '1'}`);
}

/** A head as HTTP/2 has it: no phrase, names in lower case, nothing of the connection. */
function asHttp2(lines: string[]): string[] {
  const status = lines[0].split(' ')[1];
  const kept = lines.slice(1).filter(l => !/^(connection|keep-alive|transfer-encoding|upgrade):/i.test(l));
  return [`HTTP/2 ${status} `, ...kept.map(l => l.replace(/^[^:]*/, n => n.toLowerCase()))];
}

const now = (t: Transfer) => (t.s.p.kernel.sim.nowMs - t.s.startMs) / 1000;

function* take(t: Transfer, url: Url, port: number): Co<Connection | CurlError> {
  const { s } = t;
  const proxy = proxyFor(s.p, s.c, url);
  if (proxy && isError(proxy)) return proxy;
  const key = connectionKey(proxy, url, port);
  const at = s.connections.findIndex(c => c.key === key);
  if (at >= 0) {
    const [old] = s.connections.splice(at, 1);
    if (old.stream.socket.state === 'ESTAB') {
      if (s.u.tools >= 13) s.info(`Re-using existing ${url.scheme}: connection with host ${url.host}`);
      else {
        const bundle = `0x${(0x55550000 + old.number * 0x2a0).toString(16).padStart(12, '5')}`;
        s.info(`Found bundle for host: ${bundle} [${old.http2 ? 'can multiplex' : 'serially'}]`);
        if (!old.http2) s.info('Can not multiplex, even if we wanted to');
        s.info(`Re-using existing connection #${old.number} with host ${url.host}`);
      }
      s.beforeConnect();
      t.hadConnection = true;
      return old;
    }
    close(old.stream.socket);
  }
  const made = yield* openConnection(s, url, port);
  if (isError(made)) return made;
  t.info.connects++;
  t.hadConnection = true;
  return made;
}

/** The end of a connection that never was: what is said depends on how far it came. */
function disconnected(t: Transfer, error: CurlError): CurlError {
  const { s, meter } = t;
  const resolved = s.times.namelookup > 0 || !/^(?:Could not resolve|Resolving)/.test(error.message);
  s.info(error.message.split('\n')[0]);
  if (meter) stopMeter(meter);
  if (meter?.headerShown && resolved) {
    showMeter(meter, s.p.kernel.sim.nowMs);
    complain(s.p, '\n');
  }
  const number = s.nextNumber;
  if (s.u.tools >= 13) s.info(`${resolved ? 'closing' : 'shutting down'} connection #${number}`);
  else s.info(`Closing connection ${number}`);
  s.nextNumber++;
  return error;
}

/** The end of one that broke. */
function lost(t: Transfer, connection: Connection, error: CurlError): CurlError {
  const { s, meter } = t;
  if (error.code !== 22) s.info(error.message.split('\n')[0]);
  else s.info(error.message);
  if (meter) {
    stopMeter(meter);
    showMeter(meter, s.p.kernel.sim.nowMs);
    complain(s.p, '\n');
  }
  if (s.u.tools >= 13) s.info(`${error.code === 52 ? 'shutting down' : 'closing'} connection #${connection.number}`);
  else s.info(`Closing connection ${connection.number}`);
  close(connection.stream.socket);
  return error;
}

function* sendRequest(t: Transfer, connection: Connection, request: string): Co<CurlError | null> {
  const waits = /\r\nExpect: 100-continue\r\n/i.test(request);
  const first = waits || !t.body ? stringToBytes(request) : concat([stringToBytes(request), t.body]);
  const sent = yield* connection.stream.send(first);
  if (typeof sent === 'string') return { code: 55, message: `Send failure: ${strerror(sent)}` };
  if (!t.body) {
    if (t.run.u.tools >= 13) t.s.info('Request completely sent off');
    return null;
  }
  if (waits) {
    const interim = yield* readHead(connection.reader, 1000);
    if (Array.isArray(interim)) {
      for (const line of [...interim, '']) t.tell.gotLine(`${line}\r\n`);
      const status = parseResponseHead(interim)?.status ?? 0;
      if (status !== 100) {
        connection.reader.buffer = concat([stringToBytes(`${interim.join('\r\n')}\r\n\r\n`), connection.reader.buffer]);
        return null;
      }
    } else t.s.info('Done waiting for 100-continue');
    const more = yield* connection.stream.send(t.body);
    if (typeof more === 'string') return { code: 55, message: `Send failure: ${strerror(more)}` };
  }
  t.tell.sentBody(t.body);
  t.info.sizeUpload += t.body.length;
  if (t.meter) Object.assign(t.meter, { sent: t.body.length, uploadTotal: t.body.length });
  if (t.run.u.tools >= 13) t.s.info(`upload completely sent off: ${t.body.length} bytes`);
  else if (t.run.upload) t.s.info('We are completely uploaded and fine');
  return null;
}

function timedOut(t: Transfer, received: number, total: number | null): CurlError {
  const bytes = total === null ? `${received} bytes received` : `${received} out of ${total} bytes received`;
  return { code: 28, message: `Operation timed out after ${Math.floor(t.s.p.kernel.sim.nowMs - t.s.startMs)} milliseconds with ${bytes}` };
}

function* receive(t: Transfer, connection: Connection): Co<HttpResponse | CurlError> {
  const { reader } = connection;
  const left = () => t.s.deadlineMs - t.s.p.kernel.sim.nowMs;
  let res: HttpResponse | null;
  for (;;) {
    const lines = yield* readHead(reader, Math.min(left(), slowMs(t)));
    if (lines === 'EAGAIN') return slowMs(t) < left() ? tooSlow(t) : timedOut(t, 0, null);
    if (connection.tls && lines !== null) tellTickets(t.s, connection.tls);
    if (lines === null) return { code: 52, message: 'Empty reply from server' };
    if (lines === 'EOF' || (Array.isArray(lines) && !/^HTTP\//.test(lines[0])))
      return { code: 1, message: 'Received HTTP/0.9 when not allowed' };
    if (lines === 'EPROTO') return { code: 56, message: `OpenSSL SSL_read: ${CERTIFICATE_REQUIRED}, errno 0` };
    if (typeof lines === 'string') return { code: 56, message: `Recv failure: ${strerror(lines)}` };
    res = parseResponseHead(lines);
    if (!res) return { code: 1, message: 'Unsupported HTTP version in response' };
    if (t.info.starttransfer === 0) t.info.starttransfer = now(t);
    if (!takeHead(t, res, connection.http2 ? asHttp2(lines) : lines, connection.http2))
      return { code: 23, message: 'Failure writing output to destination' };
    if (res.status >= 200 || res.status === 101) break;
  }
  return yield* receiveBody(t, connection, res);
}

function keepCookie(t: Transfer, line: string): void {
  const url = parseUrl(t.url);
  if (!t.run.cookies || !url) return;
  const c = setCookie(t.run.jar, line.slice(line.indexOf(':') + 1).trim(), url.host.toLowerCase(), url.path, t.s.p.kernel.sim.nowMs);
  if (c) t.s.info(`Added cookie ${c.name}="${c.value}" for domain ${c.domain}, path ${c.path}, expire ${c.expires}`);
}

function takeHead(t: Transfer, res: HttpResponse, lines: string[], http2 = false): boolean {
  if (res.version === 'HTTP/1.0' && t.run.u.tools < 13) t.s.info('HTTP 1.0, assume close after body');
  let ok = true;
  for (const line of [...lines, '']) {
    if (/^set-cookie:/i.test(line)) keepCookie(t, line);
    t.tell.gotLine(`${line}\r\n`);
    ok &&= t.headerSink(`${line}\r\n`);
    t.info.sizeHeader += line.length + 2;
  }
  Object.assign(t.info, { status: res.status, httpVersion: http2 ? '2' : res.version.slice(5), headers: res.headers });
  t.info.contentType = header(res.headers, 'Content-Type') ?? null;
  return ok;
}

function* receiveBody(t: Transfer, connection: Connection, res: HttpResponse): Co<HttpResponse | CurlError> {
  const { c } = t.run;
  if (c.fail && res.status >= 400) return { code: 22, message: `The requested URL returned error: ${res.status}` };
  const ignored = c.location && res.status >= 300 && res.status < 400 && header(res.headers, 'Location') !== undefined;
  const limited = cannotTake(t, res);
  if (limited) return limited;
  const state = bodyState(c.ignoreLength ? { kind: 'close' } : responseFraming(t.method, res));
  const total = state.framing.kind === 'length' ? state.framing.length : null;
  if (t.meter) t.meter.total = total ?? 0;
  if (ignored && !state.done) t.s.info(t.run.u.tools >= 13 ? 'Ignoring the response-body' : 'Ignoring the response-body');
  while (!state.done) {
    const patience = slowMs(t);
    const left = t.s.deadlineMs - t.s.p.kernel.sim.nowMs;
    const part = yield* readBodyPart(connection.reader, state, Math.min(left, patience));
    if (part === 'EAGAIN') return patience < left ? tooSlow(t) : timedOut(t, t.info.sizeDownload, total);
    if (part === 'EOF') return cutShort(t, total);
    if (typeof part === 'string') return { code: 56, message: `Recv failure: ${strerror(part)}` };
    if (!part.length) continue;
    t.tell.gotBody(part);
    t.info.sizeDownload += part.length;
    if (t.meter) t.meter.received += part.length;
    if (c.maxFilesize && t.info.sizeDownload > c.maxFilesize) return { code: 63, message: 'Maximum file size exceeded' };
    if (c.limitRate) yield* waitFor(t, c.limitRate);
    if (!ignored && !t.sink(part)) return { code: 23, message: 'Failure writing output to destination' };
  }
  ended(t, connection, res, state.framing.kind === 'close');
  if (c.failWithBody && res.status >= 400) return { code: 22, message: `The requested URL returned error: ${res.status}` };
  return res;
}

const slowMs = (t: Transfer) => (t.run.c.speedTimeMs ? t.run.c.speedTimeMs : Number.POSITIVE_INFINITY);

const tooSlow = (t: Transfer): CurlError => ({
  code: 28,
  message: `Operation too slow. Less than ${t.run.c.speedLimit} bytes/sec transferred the last ${t.run.c.speedTimeMs / 1000} seconds`,
});

/** --limit-rate: no sooner than so many bytes a second allow. */
function* waitFor(t: Transfer, rate: number): Co<void> {
  const { sim } = t.s.p.kernel;
  const dueMs = t.s.startMs + t.info.starttransfer * 1000 + (t.info.sizeDownload / rate) * 1000;
  if (dueMs > sim.nowMs) yield* sleep(sim, dueMs - sim.nowMs);
}

/** An answer that is not what was asked for: too long, or from its beginning where it should go on. */
function cannotTake(t: Transfer, res: HttpResponse): CurlError | null {
  const { c } = t.run;
  const length = header(res.headers, 'Content-Length');
  if (c.maxFilesize && Number(length ?? 0) > c.maxFilesize) return { code: 63, message: 'Maximum file size exceeded' };
  if (typeof c.resumeFrom !== 'number' || c.resumeFrom === 0 || t.run.upload || t.method === 'HEAD' || res.status >= 300) return null;
  return header(res.headers, 'Content-Range') === undefined
    ? { code: 33, message: "HTTP server doesn't seem to support byte ranges. Cannot resume." }
    : null;
}

function cutShort(t: Transfer, total: number | null): CurlError {
  if (total === null) return { code: 18, message: 'transfer closed with outstanding read data remaining' };
  const missing = total - t.info.sizeDownload;
  return {
    code: 18,
    message:
      t.run.u.tools >= 13 ? `end of response with ${missing} bytes missing` : `transfer closed with ${missing} bytes remaining to read`,
  };
}

/** The answer is complete: the last line of the meter, and what becomes of the connection. */
function ended(t: Transfer, connection: Connection, res: HttpResponse, untilClose: boolean): void {
  const { s, meter } = t;
  if (meter) {
    stopMeter(meter);
    showMeter(meter, s.p.kernel.sim.nowMs);
    complain(s.p, '\n');
  }
  const said = (header(res.headers, 'Connection') ?? '').toLowerCase();
  const closes = untilClose || said.includes('close') || (res.version === 'HTTP/1.0' && !said.includes('keep-alive'));
  if (!closes) {
    s.connections.push(connection);
    s.info(`Connection #${connection.number} to host ${parseUrl(t.url)?.host} left intact`);
    return;
  }
  if (s.u.tools >= 13) s.info(`shutting down connection #${connection.number}`);
  else s.info(`Closing connection ${connection.number}`);
  if (connection.tls) tellClosing(s, connection.tls, true);
  close(connection.stream.socket);
}
