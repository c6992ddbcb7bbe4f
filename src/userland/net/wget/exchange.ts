// GNU Wget's requests and how it takes the answers (src/http.c gethttp, 1.21.3).
import { strerror } from '../../../linux/process.ts';
import { close } from '../../../linux/socket.ts';
import { base64, concat, stringToBytes } from '../../../sim/bytes.ts';
import type { Co } from '../../../sim/task.ts';
import { httpDate } from '../../../sim/time.ts';
import {
  bodyState,
  type Headers,
  type HttpResponse,
  header,
  parseResponseHead,
  readBodyPart,
  readHead,
  responseFraming,
  serialiseHead,
} from '../../http.ts';

import type { Url } from '../../url.ts';
import { dispositionName, exists, fileName, freeName } from './name.ts';
import { humanSize } from './progress.ts';
import { type Answer, type Line, oldFile, type Retrieval, remoteMsOf } from './retrieval.ts';
import { askedMethod, isOn, portOf, type Run, say, shownUrl, tell, usualPort } from './run.ts';
import { save } from './save.ts';

/** The longest body that is read to keep its connection (SKIP_THRESHOLD). */
const SHORT_BODY = 4096;

function credentials(r: Run, url: Url): string | null {
  const at = url.user?.indexOf(':') ?? -1;
  const [urlUser, urlPassword] = url.user === null ? [] : at < 0 ? [url.user] : [url.user.slice(0, at), url.user.slice(at + 1)];
  const user = urlUser ?? r.a.text.get('httpuser') ?? r.a.text.get('user');
  const password = urlPassword ?? r.a.text.get('httppassword') ?? r.a.text.get('password');
  return user === undefined || password === undefined ? null : `Basic ${base64(stringToBytes(`${user}:${password}`))}`;
}

/** `proxied`: the request goes to a proxy, with the whole URL. */
function requestText(r: Run, g: Retrieval, body: Uint8Array | null, method: string, proxied: boolean, auth: boolean): string {
  const { url } = g;
  const { text } = r.a;
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  const agent = text.get('useragent') ?? `Wget/${r.u.tools >= 13 ? '1.25.0' : '1.21.3'}`;
  const own = auth || r.challenged.has(url.host) || isOn(r, 'authnochallenge') ? credentials(r, url) : null;
  const headers: Headers = [['Host', portOf(url) === usualPort(url) ? host : `${host}:${portOf(url)}`]];
  const add = (name: string, value: string | undefined | null) => {
    if (value !== undefined && value !== null) headers.push([name, value]);
  };
  add('Referer', text.get('referer'));
  if (!isOn(r, 'cache', true) || (proxied && g.count > 1)) headers.push(['Cache-Control', 'no-cache'], ['Pragma', 'no-cache']);
  add('If-Modified-Since', g.conditional && g.old ? httpDate(g.old.mtimeMs) : null);
  add('Range', g.start ? `bytes=${g.start}-` : null);
  add('User-Agent', agent || null);
  headers.push(['Accept', '*/*'], ['Accept-Encoding', 'identity']);
  if (!auth) add('Authorization', own);
  const keep = isOn(r, 'httpkeepalive', true);
  headers.push(['Connection', keep ? 'Keep-Alive' : 'Close']);
  if (proxied && keep) headers.push(['Proxy-Connection', 'Keep-Alive']);
  if (body) headers.push(['Content-Type', 'application/x-www-form-urlencoded'], ['Content-Length', String(body.length)]);
  else if (/^(POST|PUT|PATCH)$/.test(method)) headers.push(['Content-Length', '0']);
  for (const h of r.a.headers) {
    const at = h.indexOf(':');
    const name = h.slice(0, at).trim();
    const old = headers.find(([n]) => n.toLowerCase() === name.toLowerCase());
    if (old) old[1] = h.slice(at + 1).trim();
    else headers.push([name, h.slice(at + 1).trim()]);
  }
  if (auth) add('Authorization', own);
  return serialiseHead(`${method} ${proxied ? shownUrl({ ...url, user: null }) : url.path} HTTP/1.1`, headers);
}

/** `auth`: the request is sent again with the password that the server has asked for. */
export function* ask(r: Run, g: Retrieval, line: Line, given: Uint8Array | null, auth = false): Co<Answer> {
  const { reader } = line;
  const method = g.headOnly ? 'HEAD' : ((g.plainGet ? undefined : askedMethod(r)) ?? 'GET');
  const request = stringToBytes(requestText(r, g, given, method, line.proxied, auth));
  say(r, `${line.proxied ? 'Proxy' : 'HTTP'} request sent, awaiting response... `);
  const sent = yield* reader.stream.send(given ? concat([request, given]) : request);
  const lines = typeof sent === 'string' ? sent : yield* readHead(reader, r.readMs);
  if (!Array.isArray(lines)) {
    close(reader.stream.socket);
    if (lines === null) return { kind: 'again', text: 'No data received.\n' };
    const why = lines === 'EAGAIN' ? 'Connection timed out' : lines === 'EOF' ? 'Success' : strerror(lines);
    return { kind: 'again', text: `Read error (${why}) in headers.\n` };
  }
  const res = parseResponseHead(lines);
  if (!res) {
    close(reader.stream.socket);
    return { kind: 'again', text: 'Malformed status line.\n' };
  }
  if (isOn(r, 'serverresponse')) {
    say(r, '\n');
    r.log(`${lines.map(l => `  ${l}`).join('\n')}\n`);
  } else say(r, `${String(res.status).padStart(2)} ${res.reason}\n`);
  return yield* answered(r, g, line, res, { lines, method, auth, body: given });
}

/** Contents of Content-Range: where the part begins, and its length. */
function range(res: HttpResponse): { first: number; length: number } | null {
  const m = /^bytes\s+(\d+)-(\d+)\/(\d+|\*)/.exec(header(res.headers, 'Content-Range') ?? '');
  return m ? { first: Number(m[1]), length: Number(m[2]) - Number(m[1]) + 1 } : null;
}

/** The name is known at the latest here, and whether there is already something under it (check_file_output). -> whether to go on */
function named(r: Run, g: Retrieval, res: HttpResponse): boolean {
  if (g.name === null) {
    const given = isOn(r, 'contentdisposition') ? dispositionName(header(res.headers, 'Content-Disposition') ?? '') : null;
    g.name = fileName(r, g.url, given ?? undefined);
  }
  if (g.checked) return true;
  g.checked = true;
  if (r.out === null && (isOn(r, 'deleteafter') || r.spider)) g.name += '.tmp';
  if (exists(r, g.name)) {
    if (isOn(r, 'noclobber') && r.out === null) return false;
    g.name = freeName(r, g.name);
  }
  if (isOn(r, 'timestamping')) g.old ??= oldFile(r, g.name);
  return true;
}

const HTML = /^(text\/html|application\/xhtml\+xml)/i;

/** -E: the suffix that the type wants, unless it is there. */
function adjusted(r: Run, g: Retrieval, type: string): void {
  const suffix = HTML.test(type) ? '.html' : /^text\/css/i.test(type) ? '.css' : null;
  const known = suffix === '.html' ? /\.html?$/i : /\.css$/i;
  if (!suffix || g.name === null || known.test(g.name)) return;
  g.name = freeName(r, g.name + suffix);
}

interface Told {
  lines: string[];
  method: string;
  auth: boolean;
  body: Uint8Array | null;
}

function* answered(r: Run, g: Retrieval, line: Line, res: HttpResponse, t: Told): Co<Answer> {
  const { reader } = line;
  const framing = responseFraming(t.method, res);
  const ignoresLength = isOn(r, 'ignorelength') && framing.kind === 'length';
  const state = bodyState(framing);
  const alive = isOn(r, 'httpkeepalive', true) && !/close/i.test(header(res.headers, 'Connection') ?? '') && res.version === 'HTTP/1.1';
  const keeps = framing.kind !== 'close' && alive;
  const keep = () => {
    if (keeps) r.kept = { key: line.key, reader };
    else close(reader.stream.socket);
  };
  /** A short body is read for the connection's sake. */
  function* skip(): Co<void> {
    const length = framing.kind === 'length' ? framing.length : 0;
    while (keeps && length <= SHORT_BODY && !state.done) if (typeof (yield* readBodyPart(reader, state, r.readMs)) === 'string') break;
    if (state.done) keep();
    else close(reader.stream.socket);
  }
  if (res.status === 401) return yield* challenged(r, g, line, res, t, skip);
  if (!named(r, g, res)) {
    close(reader.stream.socket);
    return { kind: 'unneeded' };
  }
  const type = (header(res.headers, 'Content-Type') ?? '').split(';')[0].trim();
  const part = range(res);
  const declared = framing.kind === 'length' && !ignoresLength ? framing.length : t.method === 'HEAD' ? declaredLength(res) : null;
  const length = part?.length ?? declared;
  const first = part?.first ?? 0;
  const ok = res.status >= 200 && res.status < 300;
  const finished: Answer = {
    kind: 'finished',
    status: res.status,
    reason: res.reason || '(no description)',
    ok,
    html: HTML.test(type) || !type,
  };
  g.remoteTime = header(res.headers, 'Last-Modified') ?? null;
  if (res.status === 204) {
    g.got = 0;
    keep();
    return finished;
  }
  const location = header(res.headers, 'Location') ?? null;
  if ([301, 302, 303, 307, 308].includes(res.status) || (res.status === 300 && location !== null)) {
    say(r, `Location: ${location === null ? 'unspecified' : `${location} [following]`}\n`);
    yield* skip();
    const keepsMethod = res.status >= 307 || (res.status !== 303 && !['POST', undefined].includes(askedMethod(r)));
    return { kind: 'redirect', to: location, status: res.status, keepsMethod };
  }
  if (g.conditional && res.status === 304) {
    say(r, `File '${g.name}' not modified on server. Omitting download.\n\n`);
    keep();
    return { kind: 'unneeded' };
  }
  if (isOn(r, 'adjustextension')) adjusted(r, g, type);
  const remoteMs = remoteMsOf(g);
  if (
    g.conditional &&
    res.status === 200 &&
    remoteMs !== null &&
    g.old &&
    remoteMs <= g.old.mtimeMs &&
    (length === null || length === g.old.size)
  ) {
    say(r, `Server ignored If-Modified-Since header for file '${g.name}'.\nYou might want to add --no-if-modified-since option.\n\n`);
    close(reader.stream.socket);
    return { kind: 'unneeded' };
  }
  const beyond = !isOn(r, 'timestamping') && g.start > 0 && res.status === 200 && first === 0 && length !== null && g.start >= length;
  if (res.status === 416 || beyond) {
    say(r, '\n    The file is already fully retrieved; nothing to do.\n\n');
    yield* skip();
    return { kind: 'unneeded' };
  }
  if ((first !== 0 && first !== g.start) || (res.status === 206 && !first && g.start)) {
    close(reader.stream.socket);
    return { kind: 'again', text: '' };
  }
  g.total = length === null ? null : length + first;
  if (ok) say(r, lengthLine(length, first, type, ignoresLength));
  if ((!ok && !isOn(r, 'contentonerror')) || g.headOnly || r.spider) {
    if (g.headOnly) keep();
    else if (r.spider) close(reader.stream.socket);
    else yield* skip();
    g.got = 0;
    return res.status === 504 ? { kind: 'again', text: '' } : finished;
  }
  const saved = yield* save(r, g, reader, state, { skips: g.start > 0 && first === 0, head: t.lines });
  if (saved) return saved;
  if (g.broken === null) keep();
  else close(reader.stream.socket);
  return finished;
}

function declaredLength(res: HttpResponse): number | null {
  const n = header(res.headers, 'Content-Length');
  return n !== undefined && /^\d+$/.test(n) ? Number(n) : null;
}

const withHuman = (n: number): string => (n >= 1024 ? `${n} (${humanSize(n)})` : String(n));

function lengthLine(length: number | null, first: number, type: string, ignored: boolean): string {
  const known = length === null ? (ignored ? 'ignored' : 'unspecified') : withHuman(length + first);
  return `Length: ${known}${length !== null && first ? `, ${withHuman(length)} remaining` : ''}${type ? ` [${type}]` : ''}\n`;
}

/** 401: once more with the password, if there is one that has not been sent. Basic alone is known. */
function* challenged(r: Run, g: Retrieval, line: Line, res: HttpResponse, t: Told, skip: () => Co<void>): Co<Answer> {
  yield* skip();
  const asked = header(res.headers, 'WWW-Authenticate') ?? '';
  const failed: Answer = { kind: 'fatal', text: 'Username/Password Authentication Failed.\n', code: 6 };
  if (t.auth || r.challenged.has(g.url.host) || isOn(r, 'authnochallenge') || credentials(r, g.url) === null) return failed;
  if (!/^Basic\b/i.test(asked)) {
    tell(r, 'Unknown authentication scheme.\n');
    return failed;
  }
  tell(r, `Authentication selected: ${asked}\n`);
  r.challenged.add(g.url.host);
  return yield* g.again(line, over => ask(r, g, over, t.body, true));
}
