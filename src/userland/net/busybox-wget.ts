// BusyBox wget (networking/wget.c, 1.28 to 1.37).
import { complain, print } from '../../linux/process.ts';
import { close, connect, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, lookup, readFile, writeFile } from '../../linux/vfs.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { familyOf, formatIp } from '../../wire/ip.ts';
import { busyboxUsage, getopt, libcError, type Options, optionValue } from '../busybox.ts';
import {
  bodyState,
  header,
  newReader,
  parseResponseHead,
  plainStream,
  readBodyPart,
  readHead,
  responseFraming,
  serialiseHead,
} from '../http.ts';
import { tlsConnect } from '../tls.ts';
import { parseUrl, resolveUrl, type Url } from '../url.ts';
import type { Userland } from '../userland.ts';
import { numericHost } from './resolv-conf.ts';
import { getaddrinfo } from './resolver.ts';

const usage = (u: Userland) => {
  const timed = hasTimeout(u);
  return `wget [-cqS] [--spider] [-O FILE] [-o LOGFILE] [--header STR]
	[--post-data STR | --post-file FILE] [-Y on/off]
	[--no-check-certificate] [-P DIR] [-U AGENT]${timed ? ' [-T SEC]' : ''} URL...

Retrieve files via HTTP or FTP

	--spider	Only check URL existence: $? is 0 if exists
	--header STR	Add STR (of form 'header: value') to headers
	--post-data STR	Send STR using POST method
	--post-file FILE	Send FILE using POST method
	--no-check-certificate	Don't validate the server's certificate
	-c		Continue retrieval of aborted transfer
	-q		Quiet
	-P DIR		Save to DIR (default .)
	-S    		Show server response
${timed ? '\t-T SEC\t\tNetwork read timeout is SEC seconds\n' : ''}	-O FILE		Save to FILE ('-' for stdout)
	-o LOGFILE	Log messages to FILE
	-U STR		Use STR for User-Agent header
	-Y on/off	Use proxy`;
};

/** Debian builds its BusyBox without FEATURE_WGET_TIMEOUT. */
const hasTimeout = (u: Userland) => u.distro !== 'debian';

const LONG: Record<string, string> = {
  continue: 'c',
  quiet: 'q',
  'server-response': 'S',
  'output-document=': 'O',
  'output-file=': 'o',
  'directory-prefix=': 'P',
  'proxy=': 'Y',
  'user-agent=': 'U',
  'header=': 'header',
  'post-data=': 'post-data',
  'post-file=': 'post-file',
  spider: 'spider',
  'no-check-certificate': 'no-check-certificate',
  'no-verbose': 'ignored',
  'no-clobber': 'ignored',
};

interface Run {
  p: Process;
  u: Userland;
  o: Options;
  timeoutMs: number;
}

export const busyboxWget = (u: Userland): Program =>
  function* wget(p: Process): Co<number> {
    const long: Record<string, string> = hasTimeout(u) ? { ...LONG, 'timeout=': 'T', 'tries=': 't' } : LONG;
    const words = p.argv.slice(1).filter(w => w !== '-nv');
    const o = getopt(words, 'cqSO:o:P:Y:U:T:t:', long);
    if (o.error) return busyboxUsage(p, u, usage(u), o.error);
    if (!o.operands.length) return busyboxUsage(p, u, usage(u));
    const seconds = Number(optionValue(o, 'T') ?? 900);
    const run: Run = { p, u, o, timeoutMs: seconds * 1000 };
    for (const url of o.operands) {
      const code = yield* download(run, url);
      if (code) return code;
    }
    return 0;
  };

function die(r: Run, text: string): number {
  complain(r.p, `wget: ${text}\n`);
  return 1;
}

/** What is said goes to -o's file (1.30 and newer write stderr there). */
const say = (r: Run, text: string) => {
  if (r.o.flags.has('q')) return;
  const log = optionValue(r.o, 'o');
  if (log === undefined || log === '-') complain(r.p, text);
  else writeFile(r.p.fs, absolute(log, r.p.cwd), text, r.p, true);
};

function* download(r: Run, text: string): Co<number> {
  let target = text;
  for (let redirects = 0; redirects <= 5; redirects++) {
    const scheme = /^([^/:]*):\/\//.exec(target)?.[1];
    if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') return die(r, `not an http or ftp url: ${target}`);
    const url = parseUrl(target);
    if (!url) return die(r, `bad port '${/^(?:[^/]*\/\/)?[^/]*:([^/:]*)(?:\/|$)/.exec(target)?.[1] ?? ''}'`);
    const result = yield* fetchOne(r, url);
    if (typeof result === 'number') return result;
    target = resolveUrl(`${url.scheme}://${url.host}${url.port === null ? '' : `:${url.port}`}${url.path}`, result.location);
  }
  return die(r, 'too many redirections');
}

function* fetchOne(r: Run, url: Url): Co<number | { location: string }> {
  const { p, u } = r;
  const port = url.port ?? (url.scheme === 'https' ? 443 : 80);
  const found = yield* getaddrinfo(p, url.host, { libc: u.libc });
  if (typeof found === 'string') return die(r, `bad address '${url.host}${url.port === null ? '' : `:${url.port}`}'`); // str2sockaddr says what it was given
  const address = found.addresses[0];
  const shown = familyOf(address) === 6 ? `[${formatIp(address)}]` : formatIp(address);
  const named = `${url.host.includes(':') ? `[${url.host}]` : url.host}${numericHost(url.host) || url.port !== null ? `:${port}` : ''}`;
  say(r, `Connecting to ${named} (${shown}:${port})\n`);
  const s = socket(p, 'tcp', familyOf(address));
  if (typeof s === 'string') return die(r, `socket: ${libcError(u, s)}`);
  // The alarm of -T runs while connecting, too; a longer one than the kernel's patience never rings.
  const error = yield* connect(s, address, port, r.o.flags.has('T') ? r.timeoutMs : undefined);
  if (error) {
    close(s);
    if (error === 'EINPROGRESS') return die(r, 'download timed out');
    return die(r, `can't connect to remote host (${formatIp(address)}): ${libcError(u, error)}`);
  }
  try {
    let stream = plainStream(s);
    if (url.scheme === 'https') {
      if (!r.o.flags.has('no-check-certificate')) complain(p, 'wget: note: TLS certificate validation not implemented\n');
      const t = yield* tlsConnect(s, { sni: numericHost(url.host) ? null : url.host, alpn: [] }, r.timeoutMs);
      if (typeof t === 'string') return die(r, 'error getting response');
      stream = t.stream;
    }
    return yield* talk(r, url, port, newReader(stream));
  } finally {
    close(s);
  }
}

function fileOf(r: Run, url: Url): string {
  const base = url.path.replace(/[?#].*/, '').replace(/.*\//, '') || 'index.html';
  const dir = optionValue(r.o, 'P');
  return optionValue(r.o, 'O') ?? (dir ? `${dir}/${base}` : base);
}

/** -c: how much of the file is there already. */
function resumesAt(r: Run, url: Url): number {
  if (!r.o.flags.has('c')) return 0;
  const data = readFile(r.p.fs, absolute(fileOf(r, url), r.p.cwd), r.p);
  return typeof data === 'string' ? 0 : data.length;
}

function requestBytes(r: Run, url: Url, port: number): Uint8Array {
  const { p, o } = r;
  const file = optionValue(o, 'post-file');
  const fromFile = file === undefined ? null : readFile(p.fs, absolute(file, p.cwd), p);
  const post = optionValue(o, 'post-data');
  const body = post !== undefined ? stringToBytes(post) : fromFile === null || typeof fromFile === 'string' ? null : fromFile;
  const own = (o.values.get('header') ?? []).map(
    h => [h.slice(0, h.indexOf(':')).trim(), h.slice(h.indexOf(':') + 1).trim()] as [string, string],
  );
  const has = (name: string) => own.some(([n]) => n.toLowerCase() === name);
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  const headers: [string, string][] = [];
  if (!has('host')) headers.push(['Host', url.port === null ? host : `${host}:${port}`]);
  if (!has('user-agent')) headers.push(['User-Agent', optionValue(o, 'U') ?? 'Wget']);
  headers.push(['Connection', 'close'], ...own);
  if (body) {
    if (!has('content-type')) headers.push(['Content-Type', 'application/x-www-form-urlencoded']);
    headers.push(['Content-Length', String(body.length)]);
  }
  const method = o.flags.has('spider') && (r.u.busybox ?? 37) >= 29 ? 'HEAD' : body ? 'POST' : 'GET';
  const start = resumesAt(r, url);
  if (start) headers.splice(headers.length - own.length, 0, ['Range', `bytes=${start}-`]);
  const head = stringToBytes(serialiseHead(`${method} ${url.path} HTTP/1.1`, headers));
  return body ? concat([head, body]) : head;
}

function* talk(r: Run, url: Url, port: number, reader: ReturnType<typeof newReader>): Co<number | { location: string }> {
  const { p, o } = r;
  const request = requestBytes(r, url, port);
  const sent = yield* reader.stream.send(request);
  const lines = typeof sent === 'string' ? sent : yield* readHead(reader, r.timeoutMs);
  if (lines === 'EAGAIN') return die(r, 'download timed out');
  if (!Array.isArray(lines))
    return die(r, lines === null || lines === 'EOF' ? 'error getting response' : `error getting response: ${libcError(r.u, lines)}`);
  if (o.flags.has('S')) complain(p, `${lines.map(l => `  ${l}`).join('\n')}\n`);
  const res = parseResponseHead(lines);
  if (!res) return die(r, `bad response from server`);
  const location = header(res.headers, 'Location');
  if (res.status >= 300 && res.status < 400 && location !== undefined) return { location };
  if (res.status >= 300 || res.status < 200) return die(r, `server returned error: ${lines[0]}`);
  if (o.flags.has('spider')) {
    if ((r.u.busybox ?? 37) >= 30) say(r, 'remote file exists\n');
    return 0;
  }
  const method = String.fromCharCode(...request.subarray(0, 4)) === 'HEAD' ? 'HEAD' : 'GET';
  return yield* save(r, url, reader, bodyState(responseFraming(method, res)), res.status === 206);
}

function* save(r: Run, url: Url, reader: ReturnType<typeof newReader>, state: ReturnType<typeof bodyState>, part: boolean): Co<number> {
  const { p, o } = r;
  const given = optionValue(o, 'O');
  const name = fileOf(r, url);
  // Without a part of it the file begins anew (beg_range = 0).
  const resumes = o.flags.has('c') && part;
  const speaks = (r.u.busybox ?? 37) >= 31;
  const path = absolute(name, p.cwd);
  if (given === undefined && !o.flags.has('c') && typeof lookup(p.fs, path, p) !== 'string')
    return die(r, `can't open '${name}': File exists`);
  if (speaks) say(r, name === '-' ? 'writing to stdout\n' : `saving to '${name}'\n`);
  const total = state.framing.kind === 'length' ? state.framing.length : null;
  const write = (data: Uint8Array, append: boolean) =>
    name === '-' ? print(p, data) : path === '/dev/null' ? null : writeFile(p.fs, path, data, p, append);
  const opened = write(new Uint8Array(0), resumes);
  if (opened) return die(r, `can't open '${name}': ${libcError(r.u, opened)}`);
  let received = 0;
  while (!state.done) {
    const piece = yield* readBodyPart(reader, state, r.timeoutMs);
    if (piece === 'EAGAIN') return die(r, 'download timed out');
    if (piece === 'EOF') return die(r, 'connection closed prematurely');
    if (typeof piece === 'string') return die(r, `read error: ${libcError(r.u, piece)}`);
    received += piece.length;
    if (piece.length && write(piece, true)) return die(r, 'write error: Broken pipe');
  }
  say(r, meter(p, name, received, total));
  if (speaks) say(r, name === '-' ? 'written to stdout\n' : `'${name}' saved\n`);
  return 0;
}

/** libbb/progress.c: 79 columns where there is no terminal, and no carriage return then. */
function meter(p: Process, name: string, received: number, total: number | null): string {
  const label = (name === '-' ? '-' : name.replace(/.*\//, '')).slice(0, 20).padEnd(20);
  const width = p.tty ? Number(p.env.get('COLUMNS') ?? 80) : 80;
  const size = received < 100_000 ? String(received).padStart(5) : `${Math.floor(received / 1024)}k`.padStart(5);
  const stars = '*'.repeat(Math.max(1, width - 48));
  const bar = total === null ? ' '.repeat(stars.length + 7) : `${'100%'.padStart(4)} |${stars}|`;
  return `${p.tty ? '\r' : ''}${label} ${bar} ${size}  ${total === null ? '--:--:--' : ' 0:00:00'.trimStart()} ETA\n`;
}
