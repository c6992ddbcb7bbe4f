// curl 7.88.1 (tools generation 12) and 8.14.1 (13): src/tool_operate.c, lib/http.c, lib/multi.c.

import { complain, print, sleep, stdinAll } from '../../linux/process.ts';
import { close } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { absolute, readFile, writeFile } from '../../linux/vfs.ts';
import { type Co, join, killTask, startTask } from '../../sim/task.ts';
import type { Userland } from '../userland.ts';
import { expand, headerSink, outputSink, remoteFile, requestBody, warn, withQuery, withScheme, withUploadName } from './curl-body.ts';
import { type CurlConfig, newConfig } from './curl-config.ts';
import type { Connection, CurlError, Session } from './curl-connect.ts';
import { type Jar, jarText, readCookies } from './curl-cookies.ts';
import { max5, newMeter, startMeter } from './curl-meter.ts';
import { parseCurl } from './curl-options.ts';
import { timeCondition, withoutDots } from './curl-request.ts';
import { CURL_HELP, curlVersion } from './curl-texts.ts';
import { teller } from './curl-trace.ts';
import { followAll, type Run, type Transfer } from './curl-transfer.ts';
import { type TransferInfo, writeOut } from './curl-write-out.ts';

export const curl = (u: Userland): Program =>
  function* curl(p: Process): Co<number> {
    const parsed = parseCurl(p, p.argv.slice(1), u.tools);
    if ('error' in parsed) {
      for (const text of parsed.warnings ?? []) warn(p, newConfig(), u.tools, text);
      if (parsed.error) complain(p, `curl: ${parsed.error}\n`);
      complain(p, "curl: try 'curl --help' or 'curl --manual' for more information\n");
      return parsed.error?.includes('cannot read config') || /error encountered when reading/.test(parsed.error ?? '') ? 26 : 2;
    }
    const [first] = parsed.configs;
    if (first.help !== null) return print(p, CURL_HELP(u.tools)) ? 23 : 0;
    if (first.version) return print(p, curlVersion(u.tools)) ? 23 : 0;
    if (parsed.configs.some(c => c.timeCond !== null && !timeCondition(p, c.timeCond))) {
      first.warnings.push(
        'Illegal date format for -z, --time-cond (and not a file name). Disabling time condition. See curl_getdate(3) for valid date syntax.',
      );
    }
    for (const text of first.warnings) warn(p, first, u.tools, text);
    const shared = { p, u, connections: [], nextNumber: 0, jar: [] as Jar };
    const jobs: Job[] = [];
    for (const c of parsed.configs) {
      const cookies = c.cookieFiles.length > 0 || c.cookieJar !== null;
      const run: Run = Object.assign(Object.create(shared) as typeof shared, { c, upload: null, cookies });
      for (const name of c.cookieFiles) readCookies(p, run.jar, name, p.kernel.sim.nowMs);
      if (c.upload !== null) run.upload = yield* uploadData(p, c.upload);
      for (const target of c.urls) {
        const globbed = c.globOff ? [{ url: target.url, values: [] }] : expand(target.url);
        if (typeof globbed === 'string') {
          complain(p, `curl: ${globbed}\n`);
          return 3;
        }
        for (const { url, values } of globbed) {
          const out = target.out?.replace(/#(\d)/g, (all, k) => values[Number(k) - 1] ?? all) ?? null;
          jobs.push({ run, url, out, remoteName: target.remoteName });
        }
      }
    }
    const code = first.parallel ? yield* atOnce(p, first, jobs) : yield* oneByOne(jobs);
    for (const connection of shared.connections as Connection[]) close(connection.stream.socket);
    for (const c of parsed.configs) if (c.cookieJar !== null) saveJar(p, c.cookieJar, jarText(shared.jar, p.kernel.sim.nowMs));
    return code;
  };

interface Job {
  run: Run;
  url: string;
  out: string | null;
  remoteName: boolean;
}

function* oneByOne(jobs: Job[]): Co<number> {
  let code = 0;
  for (const [k, j] of jobs.entries()) {
    code = yield* withRetries(j.run, j.url, j.out, j.remoteName, k);
    if (code && j.run.c.failEarly) return code;
  }
  return code;
}

/** -Z: all of them at the same time, with one meter for all (src/tool_progress.c). */
function* atOnce(p: Process, c: CurlConfig, jobs: Job[]): Co<number> {
  const { sim } = p.kernel;
  const startMs = sim.nowMs;
  const shows = !c.silent && !c.noProgress;
  if (shows) complain(p, 'DL% UL%  Dled  Uled  Xfers  Live Total     Current  Left    Speed\n');
  const infos: TransferInfo[] = [];
  const tasks = jobs.map((j, k) => {
    j.run.c.noProgress = true;
    return startTask(sim, withRetries(j.run, j.url, j.out, j.remoteName, k, infos), p.task?.background ?? false);
  });
  for (const t of tasks) p.cleanup.push(() => killTask(t, 0));
  let code = 0;
  for (const t of tasks) code = (yield* join(t)) || code;
  if (shows) {
    const sum = (f: (i: TransferInfo) => number) => infos.reduce((n, i) => n + f(i), 0);
    const dled = sum(i => i.sizeDownload);
    const speed = max5(dled / Math.max(0.001, (sim.nowMs - startMs) / 1000));
    const up = sum(i => i.sizeUpload);
    const line = `${dled ? '100' : '-- '} ${up ? '100' : '-- '} ${max5(dled)} ${max5(up)} ${String(jobs.length).padStart(5)}     0  --:--:-- --:--:-- --:--:-- ${speed}     `;
    complain(p, `\r${line}\n`);
  }
  return code;
}

function saveJar(p: Process, name: string, text: string): void {
  if (name === '-') print(p, text);
  else writeFile(p.fs, absolute(name, p.cwd), text, p);
}

function* uploadData(p: Process, name: string): Co<Uint8Array> {
  if (name === '-' || name === '.') return yield* stdinAll(p);
  const data = readFile(p.fs, absolute(name, p.cwd), p);
  return typeof data === 'string' ? new Uint8Array(0) : data;
}

interface Outcome {
  info: TransferInfo;
  error: CurlError | null;
  errno: Errno | null;
}

function* withRetries(
  run: Run,
  url: string,
  out: string | null,
  remoteName: boolean,
  urlNumber: number,
  infos?: TransferInfo[],
): Co<number> {
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
      infos?.push(t.info);
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
    if (!c.silent) warn(p, c, u.tools, `Problem${old ? (why.startsWith('(') ? ` ${why}` : ` : ${why}`) : `: ${why}`}. ${will}`);
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
  if (c.resumeFrom === 'end') c.resumeFrom = name === null ? 0 : fileSize(p, absolute(name, p.cwd));
  const sink = outputSink(run, name, info);
  const toTerminal = p.tty && (name === null || name === '-');
  const meter = c.silent || c.noProgress || toTerminal ? null : newMeter(p, c.progressBar, text => complain(p, text));
  const tell = teller(p, c);
  const s: Session = {
    p,
    u,
    c,
    info: tell.info,
    tls: tell.tls,
    beforeConnect: () => {
      if (!meter || meter.ticker) return;
      if (c.resumeFrom) complain(p, `** Resuming transfer from byte position ${c.resumeFrom}\n`);
      startMeter(p, meter);
    },
    connections: run.connections,
    nextNumber: run.nextNumber,
    startMs,
    deadlineMs: c.maxTimeMs ? startMs + c.maxTimeMs : Number.POSITIVE_INFINITY,
    times: { namelookup: 0, connect: 0, appconnect: 0 },
    sslVerifyResult: 0,
  };
  const { body, type } = requestBody(run);
  const t: Transfer = {
    run,
    s,
    meter,
    info,
    url: withoutDots(c, withQuery(c, withScheme(c, urlText))),
    method: c.method ?? (c.head ? 'HEAD' : run.upload ? 'PUT' : body ? 'POST' : 'GET'),
    body,
    sink: sink.write,
    headerSink: headerSink(run, sink, remoteName && c.remoteHeaderName),
    contentType: type,
    tell,
    redirectStartMs: startMs,
    hadConnection: false,
  };
  if (run.upload) t.url = withUploadName(t.url, c.upload as string);
  const error = /^file:\/\//i.test(t.url) ? localFile(t) : yield* followAll(t);
  if (error && c.removeOnError) sink.discard();
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

const fileSize = (p: Process, path: string): number => {
  const data = readFile(p.fs, path, p);
  return typeof data === 'string' ? 0 : data.length;
};
