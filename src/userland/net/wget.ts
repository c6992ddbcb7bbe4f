// GNU Wget 1.21.3 (Debian 12) and 1.25.0 (13): src/http.c, src/connect.c, src/progress.c.
import { complain, print, sleep, strerror } from '../../linux/process.ts';
import { close, connect, socket } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { absolute, ensureDir, lookup, readFile, writeFile } from '../../linux/vfs.ts';
import { base64, concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { civilTime } from '../../sim/time.ts';
import { type Family, familyOf, formatIp, type Ip } from '../../wire/ip.ts';
import { getopt, type Options, optionValue } from '../busybox.ts';
import {
  bodyState,
  type HttpResponse,
  header,
  newReader,
  parseResponseHead,
  plainStream,
  type Reader,
  readBodyPart,
  readHead,
  responseFraming,
  type Stream,
  serialiseHead,
} from '../http.ts';
import { certificateFits, PUBLIC_CA, tlsConnect } from '../tls.ts';
import { parseUrl, resolveUrl, type Url } from '../url.ts';
import type { Userland } from '../userland.ts';
import { withDeadline } from './curl-connect.ts';
import { numericHost } from './resolv-conf.ts';
import { gaiStrerror, getaddrinfo } from './resolver.ts';
import { humanSize, progress, speed } from './wget-progress.ts';

const LONG: Record<string, string> = {
  quiet: 'q',
  verbose: 'v',
  'no-verbose': 'nv',
  'output-document=': 'O',
  'output-file=': 'o',
  'directory-prefix=': 'P',
  spider: 'spider',
  'server-response': 'S',
  'timeout=': 'T',
  'connect-timeout=': 'connect-timeout',
  'dns-timeout=': 'dns-timeout',
  'read-timeout=': 'read-timeout',
  'tries=': 't',
  'waitretry=': 'waitretry',
  'wait=': 'w',
  'retry-connrefused': 'retry-connrefused',
  'header=': 'header',
  'post-data=': 'post-data',
  'post-file=': 'post-file',
  'body-data=': 'post-data',
  'method=': 'method',
  'user-agent=': 'U',
  'user=': 'user',
  'password=': 'password',
  'http-user=': 'user',
  'http-password=': 'password',
  'no-check-certificate': 'no-check-certificate',
  'ca-certificate=': 'ca-certificate',
  'inet4-only': '4',
  'inet6-only': '6',
  'no-proxy': 'ignored',
  'no-cache': 'ignored',
  'no-hsts': 'ignored',
  'no-cookies': 'ignored',
  'no-clobber': 'nc',
  'show-progress': 'show-progress',
  'progress=': 'ignored',
  'max-redirect=': 'max-redirect',
  'content-on-error': 'content-on-error',
  'save-headers': 'save-headers',
  'referer=': 'referer',
  version: 'V',
  help: 'h',
};

interface Run {
  p: Process;
  u: Userland;
  o: Options;
  log: (text: string) => void;
  /** Verbosity: 0 quiet, 1 -nv, 2 as usual. */
  level: number;
  tries: number;
  connectMs: number;
  readMs: number;
  dnsMs: number;
  family: Family | null;
  out: string | null;
  outStarted: boolean;
  kept: { key: string; reader: Reader } | null;
  /** Names are resolved once. */
  resolved: Map<string, Ip[]>;
}

export const wget = (u: Userland): Program =>
  function* wget(p: Process): Co<number> {
    const words = p.argv
      .slice(1)
      .map(w => (/^-(nv|nc|nd|nH|np)$/.test(w) ? { '-nv': '--no-verbose', '-nc': '--no-clobber' }[w] : w) ?? '-q');
    const o = getopt(words, 'qvO:o:P:ST:t:w:U:46VhbcNrl:xkpe:i:', LONG);
    const usage = "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n";
    if (o.error) {
      complain(p, `wget: ${o.error}\n${usage}`);
      return 2;
    }
    const version = u.tools >= 13 ? '1.25.0' : '1.21.3';
    if (o.flags.has('V')) {
      print(p, `GNU Wget ${version} built on linux-gnu.\n`);
      return 0;
    }
    for (const name of ['T', 'connect-timeout', 'dns-timeout', 'read-timeout', 't']) {
      const v = optionValue(o, name);
      if (v === undefined || /^\d+(\.\d+)?$/.test(v) || (name === 't' && v === 'inf')) continue;
      complain(
        p,
        name === 't'
          ? `wget: --tries: Invalid number '${v}'\n`
          : `wget: --${name === 'T' ? 'timeout' : name}: Invalid time period '${v}'\n`,
      );
      return 2;
    }
    if (!o.operands.length) {
      complain(p, `wget: missing URL\n${usage}`);
      return 1;
    }
    const run = newRun(p, u, o);
    let code = 0;
    for (const url of o.operands) code = (yield* retrieve(run, url)) || code;
    if (run.kept) close(run.kept.reader.stream.socket);
    return code;
  };

function newRun(p: Process, u: Userland, o: Options): Run {
  const ms = (name: string, otherwise: number) =>
    Number(optionValue(o, name) ?? optionValue(o, 'T') ?? otherwise) * 1000 || Number.POSITIVE_INFINITY;
  const logFile = optionValue(o, 'o');
  const log = (text: string) => {
    if (logFile && logFile !== '-') writeFile(p.fs, absolute(logFile, p.cwd), text, p, true);
    else if (logFile) print(p, text);
    else complain(p, text);
  };
  const t = optionValue(o, 't');
  return {
    p,
    u,
    o,
    log,
    level: o.flags.has('q') ? 0 : o.flags.has('nv') ? 1 : 2,
    tries: t === undefined ? 20 : t === 'inf' || Number(t) === 0 ? Number.POSITIVE_INFINITY : Number(t),
    connectMs: ms('connect-timeout', 0),
    readMs: ms('read-timeout', 900),
    dnsMs: ms('dns-timeout', 0),
    family: o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null,
    out: optionValue(o, 'O') ?? null,
    outStarted: false,
    kept: null,
    resolved: new Map(),
  };
}

const say = (r: Run, text: string) => {
  if (r.level === 2) r.log(text);
};

const two = (n: number) => String(n).padStart(2, '0');

function stamp(p: Process): string {
  const c = civilTime(p.kernel.sim.nowMs);
  return `${c.year}-${two(c.month)}-${two(c.day)} ${two(c.hour)}:${two(c.minute)}:${two(c.second)}`;
}

function shownUrl(url: Url): string {
  const usual = url.scheme === 'https' ? 443 : 80;
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  return `${url.scheme}://${host}${url.port !== null && url.port !== usual ? `:${url.port}` : ''}${url.path}`;
}

/** What one attempt came to: done with an exit code, again, or on to another URL. */
type Attempt = { done: number } | { again: string } | { redirect: string };

function* retrieve(r: Run, text: string): Co<number> {
  let target = text;
  for (let redirects = 0; ; redirects++) {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(target)?.[1].toLowerCase();
    if (scheme && scheme !== 'http' && scheme !== 'https') {
      complain(r.p, `${target}: Unsupported scheme '${scheme}'.\n`);
      return 1;
    }
    const url = parseUrl(target);
    const full = scheme ? target : `http://${target}`;
    if (!url?.host) {
      complain(r.p, `${full}: ${url ? 'Invalid host name' : 'Bad port number'}.\n`);
      return 1;
    }
    if (r.o.flags.has('spider') && !redirects) say(r, 'Spider mode enabled. Check if remote file exists.\n');
    const result = yield* withTries(r, url);
    if ('done' in result) return result.done;
    if (redirects >= Number(optionValue(r.o, 'max-redirect') ?? 20)) {
      say(r, `${Number(optionValue(r.o, 'max-redirect') ?? 20)} redirections exceeded.\n`);
      return 8;
    }
    target = resolveUrl(shownUrl(url), result.redirect);
  }
}

function* withTries(r: Run, url: Url): Co<{ done: number } | { redirect: string }> {
  for (let count = 1; ; count++) {
    const tried = count > 1 ? `(try:${String(count).padStart(2)})  ` : '';
    say(r, `--${stamp(r.p)}--  ${tried}${shownUrl(url)}\n`);
    const a: Attempt = yield* attempt(r, url);
    if ('done' in a || 'redirect' in a) return a;
    if (count >= r.tries) {
      say(r, `${a.again}Giving up.\n\n`);
      return { done: 4 };
    }
    say(r, `${a.again}Retrying.\n\n`);
    yield* sleep(r.p, Math.min(count, 10) * 1000);
  }
}

function* attempt(r: Run, url: Url): Co<Attempt> {
  const port = url.port ?? (url.scheme === 'https' ? 443 : 80);
  const key = `${url.scheme} ${url.host} ${port}`;
  let reader: Reader;
  if (r.kept?.key === key && r.kept.reader.stream.socket.state === 'ESTAB') {
    const shown = numericHost(url.host) ? (url.host.includes(':') ? `[${url.host}]` : url.host) : url.host;
    say(r, `Reusing existing connection to ${shown}:${port}.\n`);
    reader = r.kept.reader;
    r.kept = null;
  } else {
    const made = yield* reach(r, url, port);
    if ('done' in made || 'again' in made) return made;
    reader = made;
  }
  return yield* ask(r, url, port, key, reader);
}

function* reach(r: Run, url: Url, port: number): Co<Reader | { done: number } | { again: string }> {
  const numeric = numericHost(url.host);
  let addresses: Ip[] = numeric ? [numeric] : (r.resolved.get(url.host) ?? []);
  if (!addresses.length) {
    say(r, `Resolving ${url.host} (${url.host})... `);
    const look = getaddrinfo(r.p, url.host, { libc: r.u.libc, family: r.family });
    const found = yield* withDeadline(r.p, look, r.p.kernel.sim.nowMs + r.dnsMs);
    if (typeof found === 'string') {
      say(r, `failed: ${found === 'deadline' ? 'Connection timed out' : gaiStrerror(r.u.libc, found)}.\n`);
      if (r.level) r.log(`wget: unable to resolve host address '${url.host}'\n`);
      return { done: 4 };
    }
    addresses = found.addresses;
    r.resolved.set(url.host, addresses);
    const shown = addresses.slice(0, 3).map(formatIp).join(', ');
    say(r, `${shown}${addresses.length > 3 ? ', ...' : ''}\n`);
  }
  let last: Errno = 'ECONNREFUSED';
  for (const address of addresses) {
    const bare = familyOf(address) === 6 ? `[${formatIp(address)}]` : formatIp(address);
    say(r, `Connecting to ${numeric ? `${bare}:${port}` : `${url.host} (${url.host})|${bare.replace(/[[\]]/g, '')}|:${port}`}... `);
    const s = socket(r.p, 'tcp', familyOf(address));
    const error = typeof s === 'string' ? s : yield* connect(s, address, port, Number.isFinite(r.connectMs) ? r.connectMs : undefined);
    if (!error && typeof s !== 'string') {
      say(r, 'connected.\n');
      return yield* secured(r, url, plainStream(s));
    }
    if (typeof s !== 'string') close(s);
    last = error === 'EINPROGRESS' ? 'ETIMEDOUT' : (error as Errno);
    say(r, `failed: ${strerror(last)}.\n`);
  }
  const final = ['ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH'].includes(last) && !r.o.flags.has('retry-connrefused');
  return final ? { done: 4 } : { again: '' };
}

function* secured(r: Run, url: Url, plain: Stream): Co<Reader | { done: number }> {
  if (url.scheme !== 'https') return newReader(plain);
  const t = yield* tlsConnect(plain.socket, { sni: numericHost(url.host) ? null : url.host, alpn: [] }, r.readMs);
  if (typeof t === 'string') {
    if (t === 'wrong version number') complain(r.p, 'GnuTLS: An unexpected TLS packet was received.\n');
    complain(r.p, 'Unable to establish SSL connection.\n');
    close(plain.socket);
    return { done: 4 };
  }
  const trusted = t.certificate.issuer === PUBLIC_CA && certificateFits(t.certificate, url.host);
  if (!trusted && !r.o.flags.has('no-check-certificate') && !r.o.flags.has('ca-certificate')) {
    if (r.level)
      r.log(
        `ERROR: The certificate of '${url.host}' is not trusted.\nERROR: The certificate of '${url.host}' doesn't have a known issuer.\n`,
      );
    close(plain.socket);
    return { done: 5 };
  }
  return newReader(t.stream);
}

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

function* ask(r: Run, url: Url, port: number, key: string, reader: Reader): Co<Attempt> {
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
