// One transfer of curl: the request, the answer, where a redirect leads, what becomes of the connection (lib/http.c, lib/multi.c).
import { complain, strerror } from '../../linux/process.ts';
import { close } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { bodyState, type Headers, type HttpResponse, header, parseResponseHead, readBodyPart, readHead, responseFraming } from '../http.ts';
import { parseUrl, resolveUrl, type Url } from '../url.ts';
import type { Userland } from '../userland.ts';
import { type Connection, type CurlError, isError, openConnection, type Session } from './curl-connect.ts';
import { type Meter, showMeter, stopMeter } from './curl-meter.ts';
import { basicAuth, type CurlConfig } from './curl-options.ts';
import { connectionKey, proxyFor, proxyHeaders } from './curl-proxy.ts';
import { CURL_VERSION } from './curl-texts.ts';
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
  dataShown: boolean;
  redirectStartMs: number;
  hadConnection: boolean;
}

const verbose = (t: Transfer, text: string) => {
  if (t.s.c.verbose) complain(t.s.p, text);
};

/** The `{ [31 bytes data]` lines: once per run of data, and not when the data itself goes to a terminal. */
function dataLine(t: Transfer, mark: string, n: number): void {
  if (t.dataShown || t.run.p.tty || !n) return;
  t.dataShown = true;
  verbose(t, `${mark} [${n} bytes data]\n`);
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
    t.url = t.info.redirectUrl as string;
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

const RESERVED = /^(?:dict|file|ftps?|gophers?|imaps?|ldaps?|mqtt|pop3s?|rtmp|rtsp|scp|sftp|smbs?|smtps?|telnet|tftp)$/;

function checkUrl(t: Transfer): { url: Url; port: number } | CurlError {
  const { tools } = t.run.u;
  const bad = (why: string): CurlError => ({
    code: 3,
    message: tools >= 13 ? `URL rejected: ${why}` : 'URL using bad/illegal format or missing URL',
  });
  if (/[\s\0-\x1f]/.test(t.url)) return bad('Malformed input to a URL function');
  const url = parseUrl(t.url);
  if (!url) return bad('Port number was not a decimal number between 0 and 65535');
  if (!url.host) return tools >= 13 ? bad('No host part in the URL') : { code: 3, message: 'URL using bad/illegal format or missing URL' };
  if (url.scheme !== 'http' && url.scheme !== 'https') {
    const text =
      RESERVED.test(url.scheme) || tools < 13
        ? `Protocol "${url.scheme}" not supported or disabled in libcurl`
        : `Protocol "${url.scheme}" not supported`;
    return { code: 1, message: tools >= 13 ? `Protocol "${url.scheme}" not supported` : text };
  }
  return { url, port: url.port ?? (url.scheme === 'https' ? 443 : 80) };
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
  if (t.run.u.tools >= 13 || connection.http2) t.s.info(connection.http2 ? 'using HTTP/2' : 'using HTTP/1.x');
  if (t.run.c.user !== null) t.s.info(`Server auth using Basic with user '${t.run.c.user.split(':')[0]}'`);
  const shown = connection.http2 ? streamOpened(t, request) : request;
  for (const line of shown.split('\r\n').slice(0, -1)) verbose(t, `> ${line}\r\n`);
  t.info.sizeRequest += request.length;
  const sent = yield* sendRequest(t, connection, request);
  if (sent) return lost(t, connection, sent);
  const answered = yield* receive(t, connection);
  return isError(answered) ? lost(t, connection, answered) : answered;
}

/** What nghttp2 makes of a request's head, told; -> the head as curl shows it */
function streamOpened(t: Transfer, request: string): string {
  const [first, ...lines] = request.split('\r\n');
  const [method, path] = first.split(' ');
  const host =
    lines
      .find(l => /^host:/i.test(l))
      ?.slice(5)
      .trim() ?? '';
  const pseudo = [`:method: ${method}`, ':scheme: https', `:authority: ${host}`, `:path: ${path}`];
  const fields = lines.filter(l => l && !/^host:/i.test(l)).map(l => l.replace(/^[^:]*/, n => n.toLowerCase()));
  t.s.info(`[HTTP/2] [1] OPENED stream for ${t.info.urlEffective}`);
  for (const f of [...pseudo, ...fields]) t.s.info(`[HTTP/2] [1] [${f}]`);
  return request.replace(/ HTTP\/1\.[01]\r\n/, ' HTTP/2\r\n');
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
        s.info(`Found bundle for host: 0x${(0x55550000 + old.number * 0x2a0).toString(16).padStart(12, '5')} [serially]`);
        s.info('Can not multiplex, even if we wanted to');
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

function customHeaders(c: CurlConfig): { removed: Set<string>; sent: Headers } {
  const removed = new Set<string>();
  const sent: Headers = [];
  for (const h of c.headers) {
    const m = /^([^:;]+)([:;])\s*(.*)$/s.exec(h);
    if (!m) continue;
    removed.add(m[1].trim().toLowerCase());
    if (m[3] || m[2] === ';') sent.push([m[1].trim(), m[3]]);
  }
  return { removed, sent };
}

function requestHead(t: Transfer, url: Url, port: number): string {
  const { c, u } = t.run;
  const { removed, sent } = customHeaders(c);
  const usual = url.scheme === 'https' ? 443 : 80;
  const bare = url.host.includes(':') ? `[${url.host}]` : url.host;
  const lines: Headers = [];
  const add = (name: string, value: string | null) => value !== null && !removed.has(name.toLowerCase()) && lines.push([name, value]);
  const host = sent.find(([n]) => n.toLowerCase() === 'host');
  if (host) lines.push(host);
  else add('Host', port === usual ? bare : `${bare}:${port}`);
  const user = c.user ?? url.user;
  if (user !== null) add('Authorization', basicAuth(user));
  else if (c.bearer !== null) add('Authorization', `Bearer ${c.bearer}`);
  if (c.range !== null) add('Range', `bytes=${c.range}`);
  if (c.userAgent !== '') add('User-Agent', c.userAgent ?? `curl/${CURL_VERSION[u.tools]}`);
  add('Accept', '*/*');
  const proxy = url.scheme === 'http' ? proxyFor(t.s.p, c, url) : null;
  const through = proxy !== null && !isError(proxy);
  if (through) for (const [n, v] of proxyHeaders(proxy)) add(n, v);
  if (c.compressed) add('Accept-Encoding', 'deflate, gzip, br, zstd');
  if (c.referer) add('Referer', c.referer);
  if (c.cookies.length) add('Cookie', c.cookies.join('; '));
  lines.push(...sent.filter(([n]) => n.toLowerCase() !== 'host'));
  if (through) add('Proxy-Connection', 'Keep-Alive');
  if (t.body) {
    add('Content-Length', String(t.body.length));
    if (!t.run.upload) add('Content-Type', 'application/x-www-form-urlencoded');
    if (t.body.length > 1024 * 1024 || (t.run.upload && u.tools < 13)) add('Expect', '100-continue');
  }
  const at = through ? `http://${bare}${url.port ? `:${url.port}` : ''}` : '';
  const path = at + url.path.replaceAll(' ', '%20');
  return `${t.method} ${path} HTTP/${c.http10 ? '1.0' : '1.1'}\r\n${lines.map(([n, v]) => (v ? `${n}: ${v}` : `${n}:`)).join('\r\n')}\r\n\r\n`;
}

function* sendRequest(t: Transfer, connection: Connection, request: string): Co<CurlError | null> {
  t.dataShown = false;
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
      for (const line of interim) verbose(t, `< ${line}\r\n`);
      const status = parseResponseHead(interim)?.status ?? 0;
      if (status !== 100) {
        connection.reader.buffer = concat([stringToBytes(`${interim.join('\r\n')}\r\n\r\n`), connection.reader.buffer]);
        return null;
      }
    } else t.s.info('Done waiting for 100-continue');
    const more = yield* connection.stream.send(t.body);
    if (typeof more === 'string') return { code: 55, message: `Send failure: ${strerror(more)}` };
  }
  dataLine(t, '}', t.body.length);
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
    const lines = yield* readHead(reader, left());
    if (lines === 'EAGAIN') return timedOut(t, 0, null);
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

function takeHead(t: Transfer, res: HttpResponse, lines: string[], http2 = false): boolean {
  if (res.version === 'HTTP/1.0' && t.run.u.tools < 13) t.s.info('HTTP 1.0, assume close after body');
  let ok = true;
  for (const line of [...lines, '']) {
    verbose(t, `< ${line}\r\n`);
    ok &&= t.headerSink(`${line}\r\n`);
    t.info.sizeHeader += line.length + 2;
  }
  t.dataShown = false;
  Object.assign(t.info, { status: res.status, httpVersion: http2 ? '2' : res.version.slice(5), headers: res.headers });
  t.info.contentType = header(res.headers, 'Content-Type') ?? null;
  return ok;
}

function* receiveBody(t: Transfer, connection: Connection, res: HttpResponse): Co<HttpResponse | CurlError> {
  const { c } = t.run;
  if (c.fail && res.status >= 400) return { code: 22, message: `The requested URL returned error: ${res.status}` };
  const ignored = c.location && res.status >= 300 && res.status < 400 && header(res.headers, 'Location') !== undefined;
  const state = bodyState(responseFraming(t.method, res));
  const total = state.framing.kind === 'length' ? state.framing.length : null;
  if (t.meter) t.meter.total = total ?? 0;
  if (ignored && !state.done) t.s.info(t.run.u.tools >= 13 ? 'Ignoring the response-body' : 'Ignoring the response-body');
  while (!state.done) {
    const part = yield* readBodyPart(connection.reader, state, t.s.deadlineMs - t.s.p.kernel.sim.nowMs);
    if (part === 'EAGAIN') return timedOut(t, t.info.sizeDownload, total);
    if (part === 'EOF') return cutShort(t, total);
    if (typeof part === 'string') return { code: 56, message: `Recv failure: ${strerror(part)}` };
    if (!part.length) continue;
    dataLine(t, '{', part.length);
    t.info.sizeDownload += part.length;
    if (t.meter) t.meter.received += part.length;
    if (!ignored && !t.sink(part)) return { code: 23, message: 'Failure writing output to destination' };
  }
  ended(t, connection, res, state.framing.kind === 'close');
  if (c.failWithBody && res.status >= 400) return { code: 22, message: `The requested URL returned error: ${res.status}` };
  return res;
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
  close(connection.stream.socket);
}
