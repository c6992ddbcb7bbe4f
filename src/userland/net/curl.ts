// curl 7.88.1 (tools generation 12) and 8.14.1 (13): src/tool_operate.c, lib/http.c, lib/multi.c.

import { complain, print, sleep, stdinAll, strerror } from '../../linux/process.ts';
import { close } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { absolute, ensureDir, readFile, writeFile } from '../../linux/vfs.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import { below } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import type { Userland } from '../userland.ts';
import type { CurlError, Session } from './curl-connect.ts';
import { newMeter, startMeter } from './curl-meter.ts';
import { type CurlConfig, parseCurl } from './curl-options.ts';
import { CURL_HELP, curlVersion } from './curl-texts.ts';
import { followAll, type Run, type Transfer } from './curl-transfer.ts';
import { type TransferInfo, writeOut } from './curl-write-out.ts';

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
    // 7.88 counts nothing: 1 seconds, 1 retries.
    const old = u.tools < 13;
    const seconds = Math.floor(delay / 1000);
    const will = `Will retry in ${seconds} second${old || seconds !== 1 ? 's' : ''}. ${left} retr${old || left !== 1 ? 'ies' : 'y'} left.`;
    if (!c.silent) complain(p, `Warning: Problem${old ? (why.startsWith('(') ? ` ${why}` : ` : ${why}`) : `: ${why}`}. ${will}\n`);
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
    info: text => c.verbose && complain(p, `* ${text}\n`),
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
  const error = /^file:\/\//i.test(t.url) ? localFile(t) : yield* followAll(t);
  finishInfo(t, error);
  run.nextNumber = s.nextNumber;
  return { info, error, errno: error?.code === 7 ? 'ECONNREFUSED' : null };
}

/** file:// (lib/file.c): the bytes as they are; -I shows what HTTP would say of them. */
function localFile(t: Transfer): CurlError | null {
  const { p, c } = t.run;
  const path = decodeURIComponent(t.url.replace(/^file:\/\/(localhost(?=\/))?/i, ''));
  const data = readFile(p.fs, absolute(path || '/', '/'), p);
  if (typeof data === 'string') return { code: 37, message: `Couldn't open file ${path}` };
  if (c.head) t.headerSink(`Content-Length: ${data.length}\r\nAccept-ranges: bytes\r\n`);
  else if (!t.sink(data)) return { code: 23, message: 'Failure writing output to destination' };
  t.info.sizeDownload = c.head ? 0 : data.length;
  return null;
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
