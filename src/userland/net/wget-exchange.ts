// GNU Wget's requests and what it does with the answers (src/http.c).
import { complain, print, strerror } from '../../linux/process.ts';
import { close } from '../../linux/socket.ts';
import type { Errno } from '../../linux/types.ts';
import { absolute, ensureDir, lookup, readFile, writeFile } from '../../linux/vfs.ts';
import { base64, concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { optionValue } from '../busybox.ts';
import {
  bodyState,
  type HttpResponse,
  header,
  parseResponseHead,
  type Reader,
  readBodyPart,
  readHead,
  responseFraming,
  serialiseHead,
} from '../http.ts';
import type { Url } from '../url.ts';
import { humanSize, progress, speed } from './wget-progress.ts';
import { type Attempt, type Run, say, shownUrl, stamp } from './wget-run.ts';

function requestText(r: Run, url: Url, port: number, body: Uint8Array | null, method: string): string {
  const usual = url.scheme === 'https' ? 443 : 80;
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  const headers: [string, string][] = [
    ['Host', port === usual ? host : `${host}:${port}`],
    ['User-Agent', optionValue(r.o, 'U') ?? `Wget/${r.u.tools >= 13 ? '1.25.0' : '1.21.3'}`],
    ['Accept', '*/*'],
    ['Accept-Encoding', 'identity'],
  ];
  const user = optionValue(r.o, 'user');
  if (user) headers.push(['Authorization', `Basic ${base64(stringToBytes(`${user}:${optionValue(r.o, 'password') ?? ''}`))}`]);
  headers.push(['Connection', 'Keep-Alive']);
  if (optionValue(r.o, 'referer')) headers.push(['Referer', optionValue(r.o, 'referer') as string]);
  if (body) headers.push(['Content-Type', 'application/x-www-form-urlencoded'], ['Content-Length', String(body.length)]);
  for (const h of r.o.values.get('header') ?? []) {
    const at = h.indexOf(':');
    const name = h.slice(0, at).trim();
    const old = headers.find(([n]) => n.toLowerCase() === name.toLowerCase());
    if (old) old[1] = h.slice(at + 1).trim();
    else headers.push([name, h.slice(at + 1).trim()]);
  }
  return serialiseHead(`${method} ${url.path} HTTP/1.1`, headers);
}

function requestBody(r: Run): Uint8Array | null {
  const text = optionValue(r.o, 'post-data');
  if (text !== undefined) return stringToBytes(text);
  const file = optionValue(r.o, 'post-file');
  const data = file === undefined ? null : readFile(r.p.fs, absolute(file, r.p.cwd), r.p);
  return data === null || typeof data === 'string' ? null : data;
}

export function* ask(r: Run, url: Url, port: number, key: string, reader: Reader): Co<Attempt> {
  const body = requestBody(r);
  const method = optionValue(r.o, 'method') ?? (r.o.flags.has('spider') ? 'HEAD' : body ? 'POST' : 'GET');
  const request = stringToBytes(requestText(r, url, port, body, method));
  say(r, 'HTTP request sent, awaiting response... ');
  const sent = yield* reader.stream.send(body ? concat([request, body]) : request);
  const lines = typeof sent === 'string' ? sent : yield* readHead(reader, r.readMs);
  if (!Array.isArray(lines)) {
    close(reader.stream.socket);
    if (lines === null) return { again: 'No data received.\n' };
    const why = lines === 'EAGAIN' ? 'Connection timed out' : lines === 'EOF' ? 'Success' : strerror(lines);
    return { again: `Read error (${why}) in headers.\n` };
  }
  const res = parseResponseHead(lines);
  if (!res) return { again: 'Malformed status line.\n' };
  if (r.o.flags.has('S')) {
    say(r, '\n');
    if (r.level || r.o.flags.has('S')) r.log(`${lines.map(l => `  ${l}`).join('\n')}\n`);
  } else say(r, `${res.status} ${res.reason}\n`);
  return yield* answered(r, url, key, reader, res, method);
}

function* answered(r: Run, url: Url, key: string, reader: Reader, res: HttpResponse, method: string): Co<Attempt> {
  const state = bodyState(responseFraming(method, res));
  const location = header(res.headers, 'Location');
  const type = (header(res.headers, 'Content-Type') ?? '').split(';')[0].trim();
  const keeps = state.framing.kind !== 'close' && !/close/i.test(header(res.headers, 'Connection') ?? '') && res.version === 'HTTP/1.1';
  const finish = () => {
    if (keeps) r.kept = { key, reader };
    else close(reader.stream.socket);
  };
  if (location && [301, 302, 303, 307, 308].includes(res.status)) {
    while (!state.done) if (typeof (yield* readBodyPart(reader, state, r.readMs)) === 'string') break;
    finish();
    say(r, `Location: ${location} [following]\n`);
    return { redirect: location };
  }
  if (res.status >= 400 && !r.o.flags.has('content-on-error')) {
    close(reader.stream.socket);
    if (r.o.flags.has('spider')) say(r, res.status === 404 ? 'Remote file does not exist -- broken link!!!\n\n' : '');
    if (r.o.flags.has('spider') && res.status === 404) return { done: 8 };
    if (r.level === 1) r.log(`${shownUrl(url)}:\n`);
    if (r.level) r.log(`${stamp(r.p)} ERROR ${res.status}: ${res.reason}.\n${r.level === 2 ? '\n' : ''}`);
    return { done: 8 };
  }
  const length = header(res.headers, 'Content-Length');
  const human = length !== undefined && Number(length) >= 1024 ? ` (${humanSize(Number(length))})` : '';
  if (res.status !== 204) say(r, `Length: ${length === undefined ? 'unspecified' : length + human}${type ? ` [${type}]` : ''}\n`);
  if (r.o.flags.has('spider')) {
    finish();
    const links = type === 'text/html' || type === '' || type === 'application/xhtml+xml';
    say(
      r,
      links
        ? 'Remote file exists and could contain further links,\nbut recursion is disabled -- not retrieving.\n\n'
        : 'Remote file exists.\n\n',
    );
    return { done: 0 };
  }
  return yield* save(r, url, reader, res, state, finish);
}

function outputName(r: Run, url: Url): string {
  const base = url.path.replace(/[?#].*/, '').replace(/.*\//, '') || 'index.html';
  const prefix = optionValue(r.o, 'P');
  const name = prefix && prefix !== '.' ? `${prefix}/${base}` : base;
  const taken = (n: string) => typeof lookup(r.p.fs, absolute(n, r.p.cwd), r.p) !== 'string';
  if (!taken(name)) return name;
  for (let i = 1; ; i++) if (!taken(`${name}.${i}`)) return `${name}.${i}`;
}

function* save(r: Run, url: Url, reader: Reader, res: HttpResponse, state: ReturnType<typeof bodyState>, finish: () => void): Co<Attempt> {
  const { p } = r;
  const name = r.out ?? outputName(r, url);
  const toStdout = name === '-';
  if (!toStdout && optionValue(r.o, 'P')) ensureDir(p.fs, absolute(name.slice(0, name.lastIndexOf('/')) || '.', p.cwd));
  const total = state.framing.kind === 'length' ? state.framing.length : null;
  const write = (data: Uint8Array) => {
    if (toStdout) return print(p, data);
    if (name === '/dev/null') return null;
    const error = writeFile(p.fs, absolute(name, p.cwd), data, p, r.outStarted);
    r.outStarted = true;
    return error;
  };
  const opened = write(new Uint8Array(0));
  if (opened) {
    complain(p, `${name}: ${strerror(opened)}\n`);
    close(reader.stream.socket);
    return { done: opened === 'EPIPE' ? 3 : 1 };
  }
  say(r, `Saving to: '${toStdout ? 'STDOUT' : name}'\n\n`);
  const startMs = p.kernel.sim.nowMs;
  let received = 0;
  let broken: string | null = null;
  while (!state.done && broken === null) {
    const part = yield* readBodyPart(reader, state, r.readMs);
    if (typeof part === 'string') broken = part;
    else {
      received += part.length;
      if (part.length && write(part)) return { done: 3 };
    }
  }
  if (r.out === null) r.outStarted = false;
  const seconds = (p.kernel.sim.nowMs - startMs) / 1000;
  say(r, progress(r.p.tty, received, total, seconds, toStdout ? '-' : name));
  const done = total === null ? `[${received}]` : `[${received}/${total}]`;
  if (broken !== null) {
    close(reader.stream.socket);
    const why = broken === 'EOF' ? 'Connection closed' : 'Read error';
    const tail = broken === 'EOF' ? ' ' : ` (${broken === 'EAGAIN' ? 'Connection timed out' : strerror(broken as Errno)}). `;
    return {
      again: `${stamp(p)} (${speed(received, seconds)}) - ${why} at byte ${received}${broken === 'EOF' ? '.' : `/${total ?? received}`}${tail}`,
    };
  }
  finish();
  say(r, `${stamp(p)} (${speed(received, seconds)}) - ${toStdout ? 'written to stdout' : `'${name}' saved`} ${done}\n\n`);
  if (r.level === 1) r.log(`${stamp(p)} URL:${shownUrl(url)} ${done} -> "${name}" [1]\n`);
  return { done: res.status >= 400 ? 8 : 0 };
}
