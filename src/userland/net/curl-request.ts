// What curl asks: which URLs it takes, and the head of a request (lib/http.c Curl_http, lib/urlapi.c).

import type { Process } from '../../linux/types.ts';
import { absolute, lookup, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { httpDate } from '../../sim/time.ts';
import type { Headers } from '../http.ts';
import { parseUrl, type Url } from '../url.ts';
import type { CurlConfig } from './curl-config.ts';
import { type CurlError, isError } from './curl-connect.ts';
import { cookiesFor, httpSeconds } from './curl-cookies.ts';
import { basicAuth } from './curl-options.ts';
import { proxyFor, proxyHeaders } from './curl-proxy.ts';
import { CURL_VERSION } from './curl-texts.ts';
import type { Transfer } from './curl-transfer.ts';

const RESERVED = /^(?:dict|file|ftps?|gophers?|imaps?|ldaps?|mqtt|pop3s?|rtmp|rtsp|scp|sftp|smbs?|smtps?|telnet|tftp)$/;

/** Is this something that can be asked for? */
export function checkUrl(t: Transfer): { url: Url; port: number } | CurlError {
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
  const allowed = t.info.redirects ? (t.s.c.redirectProtocols ?? 'http,https') : t.s.c.protocols;
  if (allowed !== null && !protocolAllowed(allowed, url.scheme))
    return { code: 1, message: `Protocol "${url.scheme}" ${tools >= 13 ? 'disabled' : 'not supported or disabled in libcurl'}` };
  if (t.s.c.noUserInUrl && url.user !== null)
    return { code: 67, message: tools >= 13 ? 'URL rejected: Credentials was passed in the URL when prohibited' : 'Login denied' };
  return { url, port: url.port ?? (url.scheme === 'https' ? 443 : 80) };
}

/** --proto: `=https` these alone, `-http` without, `+ftp` or a bare name with (src/tool_libinfo.c proto2num). */
function protocolAllowed(text: string, scheme: string): boolean {
  let allowed = true;
  for (const word of text.toLowerCase().split(',')) {
    const [, sign, name] = /^([=+-]?)(.*)$/.exec(word) as RegExpExecArray;
    const speaksOf = name === scheme || name === 'all';
    if (sign === '=') allowed = speaksOf;
    else if (speaksOf) allowed = sign !== '-';
  }
  return allowed;
}

/** Dot segments are taken out before anything is asked (RFC 3986 5.2.4), unless --path-as-is. */
export function withoutDots(c: CurlConfig, url: string): string {
  const m = /^([A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*)(\/[^?#]*)?(.*)$/s.exec(url);
  if (c.pathAsIs || !m?.[2] || !/\/\.{1,2}(\/|$)/.test(m[2])) return url;
  const out: string[] = [];
  const parts = m[2].split('/').slice(1);
  for (const [i, part] of parts.entries()) {
    const isLast = i === parts.length - 1;
    if (part === '..') out.pop();
    if (part !== '.' && part !== '..') out.push(part);
    else if (isLast) out.push('');
  }
  return `${m[1]}/${out.join('/')}${m[3]}`;
}

/** The login of a .netrc's `machine` (or `default`): name and password. */
function netrcUser(p: Process, c: CurlConfig, host: string): string | null {
  if (c.netrc === 'off') return null;
  const data = readFile(p.fs, absolute(c.netrcFile ?? `${p.env.get('HOME') ?? ''}/.netrc`, p.cwd), p);
  const words = typeof data === 'string' ? [] : bytesToString(data).split(/\s+/);
  const at = words.findIndex((w, i) => (w === 'machine' && words[i + 1] === host) || w === 'default');
  if (at < 0) return null;
  const end = words.findIndex((w, i) => i > at && (w === 'machine' || w === 'default'));
  const own = words.slice(at, end < 0 ? undefined : end);
  const value = (name: string) => (own.includes(name) ? (own[own.indexOf(name) + 1] ?? '') : '');
  return `${value('login')}:${value('password')}`;
}

/** -z: a date, or the time of a file; with a dash before it, the other way round. -> the header, null: neither */
export function timeCondition(p: Process, text: string): [string, string] | null {
  const [, dash, rest] = /^(-?)(.*)$/s.exec(text) as RegExpExecArray;
  const node = lookup(p.fs, absolute(rest, p.cwd), p);
  const seconds = httpSeconds(rest);
  const ms = seconds !== null ? seconds * 1000 : typeof node !== 'string' && node.kind === 'file' ? node.mtimeMs : null;
  return ms === null ? null : [dash ? 'If-Unmodified-Since' : 'If-Modified-Since', httpDate(ms)];
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

export function requestHead(t: Transfer, url: Url, port: number): string {
  const { c, u } = t.run;
  const { removed, sent } = customHeaders(c);
  const usual = url.scheme === 'https' ? 443 : 80;
  const bare = url.host.includes(':') ? `[${url.host}]` : url.host;
  const lines: Headers = [];
  const add = (name: string, value: string | null) => value !== null && !removed.has(name.toLowerCase()) && lines.push([name, value]);
  const host = sent.find(([n]) => n.toLowerCase() === 'host');
  if (host) lines.push(host);
  else add('Host', port === usual ? bare : `${bare}:${port}`);
  const user = c.user ?? url.user ?? netrcUser(t.s.p, c, url.host);
  if (user !== null) add('Authorization', basicAuth(user));
  else if (c.bearer !== null) add('Authorization', `Bearer ${c.bearer}`);
  const from = typeof c.resumeFrom === 'number' && !t.run.upload ? `${c.resumeFrom}-` : null;
  if (c.range !== null || from) add('Range', `bytes=${c.range ?? from}`);
  if (c.userAgent !== '') add('User-Agent', c.userAgent ?? `curl/${CURL_VERSION[u.tools]}`);
  add('Accept', '*/*');
  const proxy = url.scheme === 'http' ? proxyFor(t.s.p, c, url) : null;
  const through = proxy !== null && !isError(proxy);
  if (through) for (const [n, v] of proxyHeaders(proxy)) add(n, v);
  if (c.compressed) add('Accept-Encoding', 'deflate, gzip, br, zstd');
  if (c.referer) add('Referer', c.referer);
  if (c.http2 && url.scheme === 'http' && !c.http10) {
    add('Connection', 'Upgrade, HTTP2-Settings');
    add('Upgrade', 'h2c');
    add('HTTP2-Settings', 'AAMAAABkAAQCAAAAAAIAAAAA');
  }
  const cookies = [...cookiesFor(t.run.jar, url.host, url.path, url.scheme === 'https', t.s.p.kernel.sim.nowMs), ...c.cookies];
  if (cookies.length) add('Cookie', cookies.join('; '));
  const since = c.timeCond === null ? null : timeCondition(t.s.p, c.timeCond);
  if (since) add(since[0], since[1]);
  lines.push(...sent.filter(([n]) => n.toLowerCase() !== 'host'));
  if (through) {
    add('Proxy-Connection', 'Keep-Alive');
    for (const h of c.proxyHeaders) add(h.split(':')[0], h.slice(h.indexOf(':') + 1).trim());
  }
  if (t.body) {
    add('Content-Length', String(t.body.length));
    if (!t.run.upload) add('Content-Type', t.contentType);
    if (t.body.length > 1024 * 1024 || (t.run.upload && u.tools < 13)) add('Expect', '100-continue');
  }
  const at = through ? `http://${bare}${url.port ? `:${url.port}` : ''}` : '';
  const path = c.requestTarget ?? at + url.path.replaceAll(' ', '%20');
  return `${t.method} ${path} HTTP/${c.http10 ? '1.0' : '1.1'}\r\n${lines.map(([n, v]) => (v ? `${n}: ${v}` : `${n}:`)).join('\r\n')}\r\n\r\n`;
}

/** What nghttp2 makes of a request's head, told; -> the head as curl shows it. 7.88 shows the names as they are sent, but for Host. */
export function streamOpened(t: Transfer, request: string, nth: number): string {
  const [first, ...lines] = request.split('\r\n');
  const [method, path] = first.split(' ');
  const host = lines.find(l => /^host:/i.test(l))?.slice(5) ?? '';
  const lower = (l: string) => (/^host:/i.test(l) ? l : l.replace(/^[^:]*/, n => n.toLowerCase()));
  const fields = lines.filter(l => l && !/^host:/i.test(l)).map(lower);
  const stream = nth * 2 - 1;
  const authority = `:authority: ${host.trim()}`;
  if (t.run.u.tools >= 13) {
    t.s.info(`[HTTP/2] [${stream}] OPENED stream for ${t.info.urlEffective}`);
    const pseudo = [`:method: ${method}`, ':scheme: https', authority, `:path: ${path}`];
    for (const f of [...pseudo, ...fields]) t.s.info(`[HTTP/2] [${stream}] [${f}]`);
    return request.replace(/ HTTP\/1\.[01]\r\n/, ' HTTP/2\r\n');
  }
  for (const f of [`:method: ${method}`, `:path: ${path}`, ':scheme: https', authority, ...fields]) t.s.info(`h2h3 [${f}]`);
  t.s.info(`Using Stream ID: ${stream} (easy handle 0x${(0x55550000 + nth * 0x92b0).toString(16).padStart(12, '5')})`);
  return [`${method} ${path} HTTP/2`, ...lines.map(lower)].join('\r\n');
}
