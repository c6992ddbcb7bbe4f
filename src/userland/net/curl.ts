// curl 7.88.1 (tools generation 12) and 8.14.1 (13): src/tool_operate.c, lib/http.c, lib/multi.c.

import { complain, print, sleep, stdinAll, strerror } from '../../linux/process.ts';
import { close } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { absolute, ensureDir, readFile, writeFile } from '../../linux/vfs.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import { below } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import {
  bodyState,
  type Headers,
  type HttpResponse,
  header,
  parseResponseHead,
  parseUrl,
  readBodyPart,
  readHead,
  resolveUrl,
  responseFraming,
  type Url,
} from '../http.ts';
import type { Userland } from '../userland.ts';
import { type Connection, type CurlError, isError, openConnection, type Session } from './curl-connect.ts';
import { type Meter, newMeter, showMeter, startMeter, stopMeter } from './curl-meter.ts';
import { basicAuth, type CurlConfig, parseCurl } from './curl-options.ts';
import { CURL_HELP, curlVersion } from './curl-texts.ts';
import { type TransferInfo, writeOut } from './curl-write-out.ts';

const VERSION: Record<number, string> = { 11: '7.74.0', 12: '7.88.1', 13: '8.14.1' };

export const curl = (u: Userland): Program =>
  function* curl(p: Process): Co<number> {
    const parsed = parseCurl(p, p.argv.slice(1), u.tools);
    if ('error' in parsed) {
      if (parsed.error) complain(p, `curl: ${parsed.error}\n`);
      complain(p, "curl: try 'curl --help' or 'curl --manual' for more information\n");
      return 2;
    }
    const c = parsed.config;
    if (c.help !== null) return print(p, CURL_HELP(u.tools)) ? 23 : 0;
    if (c.version) return print(p, curlVersion(u.tools)) ? 23 : 0;
    const run: Run = { p, u, c, connections: [], nextNumber: 0, upload: null };
    if (c.upload !== null) run.upload = yield* uploadData(p, c.upload);
    let code = 0;
    let urlNumber = 0;
    for (const target of c.urls) {
      for (const url of c.globOff ? [target.url] : expand(target.url)) {
        code = yield* withRetries(run, url, target.out, target.remoteName, urlNumber++);
        if (code && c.failEarly) return code;
      }
    }
    for (const connection of run.connections) close(connection.stream.socket);
    return code;
  };

interface Run {
  p: Process;
  u: Userland;
  c: CurlConfig;
  connections: Connection[];
  nextNumber: number;
  upload: Uint8Array | null;
}

function* uploadData(p: Process, name: string): Co<Uint8Array> {
  if (name === '-' || name === '.') return yield* stdinAll(p);
  const data = readFile(p.fs, absolute(name, p.cwd), p);
  return typeof data === 'string' ? new Uint8Array(0) : data;
}

/** URL globbing: {a,b} and [1-3], [a-c], [0-10:2] (src/tool_urlglob.c). IPv6 brackets are none. */
function expand(url: string): string[] {
  const m = /\{([^{}]*)\}|\[(\d+|[a-zA-Z])-(\d+|[a-zA-Z])(?::(\d+))?\]/.exec(url);
  if (!m) return [url];
  const values: string[] = [];
  if (m[1] !== undefined) values.push(...m[1].split(','));
  else if (/^\d/.test(m[2])) {
    const width = m[2].startsWith('0') ? m[2].length : 0;
    for (let i = Number(m[2]); i <= Number(m[3]); i += Number(m[4] ?? 1)) values.push(String(i).padStart(width, '0'));
  } else for (let i = m[2].charCodeAt(0); i <= m[3].charCodeAt(0); i += Number(m[4] ?? 1)) values.push(String.fromCharCode(i));
  return values.flatMap(v => expand(url.slice(0, m.index) + v + url.slice(m.index + m[0].length)));
}

interface Outcome {
  info: TransferInfo;
  error: CurlError | null;
  errno: Errno | null;
}

function* withRetries(run: Run, url: string, out: string | null, remoteName: boolean, urlNumber: number): Co<number> {
  const { p, c, u } = run;
  const sim = p.kernel.sim;
  const startMs = sim.nowMs;
  let delay = c.retryDelayMs || 1000;
  for (let left = c.retry; ; left--) {
    const t = yield* transfer(run, url, out, remoteName, urlNumber);
    if (t.error && (!c.silent || c.showError)) complain(p, `curl: (${t.error.code}) ${t.error.message}\n`);
    const why = left > 0 ? retryReason(c, t) : null;
    const inTime = !c.retryMaxTimeMs || sim.nowMs - startMs + delay <= c.retryMaxTimeMs;
    if (!why || !inTime) {
      if (c.writeOut !== null) {
        const text = (s: string) => print(p, s);
        writeOut(c.writeOut, t.info, curlVersion(u.tools).split(' (')[0], text, s => complain(p, s));
      }
      return t.error?.code ?? 0;
    }
    const seconds = Math.floor(delay / 1000);
    const plural = (n: number, one: string, many: string) => (n === 1 ? one : many);
    const will = `Will retry in ${seconds} second${plural(seconds, '', 's')}. ${left} retr${plural(left, 'y', 'ies')} left.`;
    if (!c.silent) complain(p, `Warning: Problem: ${why}. ${will}\n`);
    yield* sleep(p, delay);
    if (!c.retryDelayMs) delay = Math.min(delay * 2, 600_000);
  }
}

function retryReason(c: CurlConfig, t: Outcome): string | null {
  if (t.error?.code === 28 || t.error?.code === 6) return 'timeout';
  if (t.error?.code === 7 && c.retryConnrefused && t.errno === 'ECONNREFUSED') return 'connection refused';
  if ([408, 429, 500, 502, 503, 504].includes(t.info.status)) return 'HTTP error';
  return c.retryAllErrors && t.error ? '(retrying all errors)' : null;
}

function emptyInfo(url: string, urlNumber: number): TransferInfo {
  const zero = { namelookup: 0, connect: 0, appconnect: 0, pretransfer: 0, redirect: 0, starttransfer: 0, total: 0 };
  const sizes = { sizeDownload: 0, sizeUpload: 0, sizeHeader: 0, sizeRequest: 0 };
  const ends = { remoteIp: null, remotePort: 0, localIp: null, localPort: 0 };
  const http = { scheme: '', method: 'GET', status: 0, httpVersion: '0', headers: [], contentType: null, redirectUrl: null };
  const rest = { redirects: 0, connects: 0, filename: null, exitCode: 0, errorMessage: null, sslVerifyResult: 0, urlNumber };
  return { url, urlEffective: url, ...http, ...ends, ...sizes, ...zero, ...rest };
}

/** One transfer in progress. */
interface Transfer {
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

function* transfer(run: Run, urlText: string, out: string | null, remoteName: boolean, urlNumber: number): Co<Outcome> {
  const { p, u, c } = run;
  const startMs = p.kernel.sim.nowMs;
  const info = emptyInfo(urlText, urlNumber);
  const fail = (error: CurlError): Outcome => ({
    info: { ...info, exitCode: error.code, errorMessage: error.message },
    error,
    errno: null,
  });
  const name = remoteName ? remoteFile(urlText) : out;
  if (name === '') {
    if (!c.silent) complain(p, 'curl: Remote file name has no length!\n');
    return fail({ code: 23, message: 'Failed writing received data to disk/application' });
  }
  const sink = outputSink(run, name, info);
  const toTerminal = p.tty && (name === null || name === '-');
  const meter = c.silent || c.noProgress || toTerminal ? null : newMeter(p, text => complain(p, text));
  const s: Session = {
    p,
    u,
    c,
    info: text => verbose(t, `* ${text}\n`),
    beforeConnect: () => {
      if (meter && !meter.ticker) startMeter(p, meter);
    },
    connections: run.connections,
    nextNumber: run.nextNumber,
    startMs,
    deadlineMs: c.maxTimeMs ? startMs + c.maxTimeMs : Number.POSITIVE_INFINITY,
    times: { namelookup: 0, connect: 0, appconnect: 0 },
    sslVerifyResult: 0,
  };
  const body = requestBody(run);
  const t: Transfer = {
    run,
    s,
    meter,
    info,
    url: withQuery(c, withScheme(c, urlText)),
    method: c.method ?? (c.head ? 'HEAD' : run.upload ? 'PUT' : body ? 'POST' : 'GET'),
    body,
    sink,
    headerSink: headerSink(run, sink),
    dataShown: false,
    redirectStartMs: startMs,
    hadConnection: false,
  };
  if (run.upload) t.url = withUploadName(t.url, c.upload as string);
  const error = yield* followAll(t);
  finishInfo(t, error);
  run.nextNumber = s.nextNumber;
  return { info, error, errno: error?.code === 7 ? 'ECONNREFUSED' : null };
}

function finishInfo(t: Transfer, error: CurlError | null): void {
  const { info, s } = t;
  Object.assign(info, s.times, { total: (s.p.kernel.sim.nowMs - s.startMs) / 1000, sslVerifyResult: s.sslVerifyResult });
  info.exitCode = error?.code ?? 0;
  info.errorMessage = error?.message ?? null;
}

const remoteFile = (url: string): string =>
  url
    .replace(/^[a-z]+:\/\/[^/]*\/?/i, '')
    .replace(/[?#].*/, '')
    .replace(/.*\//, '');

function withScheme(c: CurlConfig, url: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(url)) return url.replace(/^(https?:)\/{3,}/i, '$1//');
  return `${c.defaultProto ?? 'http'}://${url}`;
}

function withQuery(c: CurlConfig, url: string): string {
  if (!c.get || !c.data) return url;
  const text = String.fromCharCode(...c.data);
  return url.includes('?') ? `${url}&${text}` : `${/^[a-z]+:\/\/[^/]*$/i.test(url) ? `${url}/` : url}?${text}`;
}

function withUploadName(url: string, file: string): string {
  if (file === '-' || file === '.') return url;
  if (/^[a-z]+:\/\/[^/]*$/i.test(url)) return `${url}/${file.replace(/.*\//, '')}`;
  return url.endsWith('/') ? url + file.replace(/.*\//, '') : url;
}

function requestBody(run: Run): Uint8Array | null {
  const { c, p } = run;
  if (run.upload) return run.upload;
  if (c.form.length) {
    const boundary = `------------------------${Array.from({ length: 16 }, () => below(p.kernel.sim.random, 16).toString(16)).join('')}`;
    c.headers.push(`Content-Type: multipart/form-data; boundary=${boundary}`);
    const parts = c.form.map(f => formPart(p, f, boundary));
    return concat([...parts, stringToBytes(`--${boundary}--\r\n`)]);
  }
  return c.get ? null : c.data;
}

function formPart(p: Process, f: { name: string; value: string }, boundary: string): Uint8Array {
  const file = /^[@<]([^;]*)/.exec(f.value);
  const data = file ? readFile(p.fs, absolute(file[1], p.cwd), p) : stringToBytes(f.value);
  const named = f.value.startsWith('@') ? `; filename="${file?.[1].replace(/.*\//, '')}"\r\nContent-Type: application/octet-stream` : '';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${f.name}"${named}\r\n\r\n`;
  return concat([stringToBytes(head), typeof data === 'string' ? new Uint8Array(0) : data, stringToBytes('\r\n')]);
}

/** Where the body goes. false: it cannot be written. */
function outputSink(run: Run, name: string | null, info: TransferInfo): (bytes: Uint8Array) => boolean {
  const { p, c } = run;
  if (name === null || name === '-') return bytes => print(p, bytes) === null;
  const path = absolute(c.outputDir && !name.startsWith('/') ? `${c.outputDir}/${name}` : name, p.cwd);
  info.filename = name;
  let opened = false;
  return bytes => {
    if (path === '/dev/null') return true;
    if (path === '/dev/stdout') return print(p, bytes) === null;
    if (path === '/dev/stderr') return complain(p, bytes) === null;
    if (!opened && c.createDirs) ensureDir(p.fs, path.slice(0, path.lastIndexOf('/')) || '/');
    const error = writeFile(p.fs, path, bytes, p, opened);
    if (error && !opened && !c.silent) complain(p, `Warning: Failed to open the file ${name}: ${strerror(error)}\n`);
    opened = true;
    return !error;
  };
}

function headerSink(run: Run, sink: (bytes: Uint8Array) => boolean): (text: string) => boolean {
  const { c, p } = run;
  let started = false;
  return text => {
    const shown = c.include || c.head ? sink(stringToBytes(text)) : true;
    if (c.dumpHeader === null) return shown;
    if (c.dumpHeader === '-') return print(p, text) === null;
    const error = c.dumpHeader === '/dev/stderr' ? complain(p, text) : writeFile(p.fs, absolute(c.dumpHeader, p.cwd), text, p, started);
    started = true;
    return shown && !error;
  };
}

/** The request and, with -L, the ones it is sent on to. */
function* followAll(t: Transfer): Co<CurlError | null> {
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
  t.info.scheme = t.run.u.tools >= 13 ? url.scheme : url.scheme.toUpperCase();
  const connection = yield* take(t, url, port);
  if (isError(connection)) return disconnected(t, connection);
  const socket = connection.stream.socket;
  const ends = { remoteIp: connection.remote, remotePort: connection.remotePort, localIp: socket.local, localPort: socket.localPort };
  Object.assign(t.info, ends, { method: t.method, pretransfer: now(t) });
  const request = requestHead(t, url, port);
  if (t.run.u.tools >= 13) t.s.info('using HTTP/1.x');
  if (t.run.c.user !== null) t.s.info(`Server auth using Basic with user '${t.run.c.user.split(':')[0]}'`);
  for (const line of request.split('\r\n').slice(0, -1)) verbose(t, `> ${line}\r\n`);
  t.info.sizeRequest += request.length;
  const sent = yield* sendRequest(t, connection, request);
  if (sent) return lost(t, connection, sent);
  const answered = yield* receive(t, connection);
  return isError(answered) ? lost(t, connection, answered) : answered;
}

const now = (t: Transfer) => (t.s.p.kernel.sim.nowMs - t.s.startMs) / 1000;

function* take(t: Transfer, url: Url, port: number): Co<Connection | CurlError> {
  const { s } = t;
  const key = `${url.scheme}://${url.host.toLowerCase()}:${port}`;
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
  if (c.userAgent !== '') add('User-Agent', c.userAgent ?? `curl/${VERSION[u.tools]}`);
  add('Accept', '*/*');
  if (c.compressed) add('Accept-Encoding', 'deflate, gzip, br, zstd');
  if (c.referer) add('Referer', c.referer);
  if (c.cookies.length) add('Cookie', c.cookies.join('; '));
  lines.push(...sent.filter(([n]) => n.toLowerCase() !== 'host'));
  if (t.body) {
    add('Content-Length', String(t.body.length));
    if (!t.run.upload) add('Content-Type', 'application/x-www-form-urlencoded');
    if (t.body.length > 1024 * 1024 || (t.run.upload && u.tools < 13)) add('Expect', '100-continue');
  }
  const path = url.path.replaceAll(' ', '%20');
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
    if (typeof lines === 'string') return { code: 56, message: `Recv failure: ${strerror(lines)}` };
    res = parseResponseHead(lines);
    if (!res) return { code: 1, message: 'Unsupported HTTP version in response' };
    if (t.info.starttransfer === 0) t.info.starttransfer = now(t);
    if (!takeHead(t, res, lines)) return { code: 23, message: 'Failure writing output to destination' };
    if (res.status >= 200 || res.status === 101) break;
  }
  return yield* receiveBody(t, connection, res);
}

function takeHead(t: Transfer, res: HttpResponse, lines: string[]): boolean {
  if (res.version === 'HTTP/1.0' && t.run.u.tools < 13) t.s.info('HTTP 1.0, assume close after body');
  let ok = true;
  for (const line of [...lines, '']) {
    verbose(t, `< ${line}\r\n`);
    ok &&= t.headerSink(`${line}\r\n`);
    t.info.sizeHeader += line.length + 2;
  }
  t.dataShown = false;
  Object.assign(t.info, { status: res.status, httpVersion: res.version.slice(5), headers: res.headers });
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
