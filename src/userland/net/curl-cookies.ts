// curl's cookie engine (lib/cookie.c): what servers set, what goes with which request, the Netscape file.
import type { Process } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { numericHost } from './resolv-conf.ts';

interface Cookie {
  domain: string;
  /** Subdomains get it too. */
  tail: boolean;
  path: string;
  secure: boolean;
  httpOnly: boolean;
  /** Seconds since 1970; 0: as long as the session. */
  expires: number;
  name: string;
  value: string;
}

/** In the order in which they came. */
export type Jar = Cookie[];

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** `Wed, 21 Oct 2026 07:28:00 GMT` and its older spellings, to seconds; null: no date. */
export function httpSeconds(text: string): number | null {
  const m = /(\d{1,2})[ -]([A-Za-z]{3})[a-z]*[ -](\d{2,4})\s+(\d{1,2}):(\d\d)(?::(\d\d))?/.exec(text);
  const month = MONTHS.indexOf(m?.[2].toLowerCase() ?? '');
  if (!m || month < 0) return null;
  const year = m[3].length > 2 ? Number(m[3]) : Number(m[3]) + (Number(m[3]) < 70 ? 2000 : 1900);
  // Days before a year and a month of the proleptic Gregorian calendar.
  const y = month < 2 ? year - 1 : year;
  const days =
    365 * y +
    Math.floor(y / 4) -
    Math.floor(y / 100) +
    Math.floor(y / 400) +
    Math.floor((153 * ((month + 10) % 12) + 2) / 5) +
    Number(m[1]) -
    719_469;
  return days * 86_400 + Number(m[4]) * 3600 + Number(m[5]) * 60 + Number(m[6] ?? 0);
}

function put(jar: Jar, c: Cookie): void {
  const at = jar.findIndex(x => x.name === c.name && x.domain === c.domain && x.path === c.path);
  if (at >= 0) jar.splice(at, 1);
  jar.push(c);
}

const under = (host: string, domain: string) => host === domain || (host.endsWith(`.${domain}`) && !numericHost(host));

/** A Set-Cookie line. -> the cookie, or null when it is not for this host */
export function setCookie(jar: Jar, line: string, host: string, path: string, nowMs: number): Cookie | null {
  const [pair, ...attributes] = line.split(';').map(x => x.trim());
  const eq = pair.indexOf('=');
  if (eq < 1) return null;
  const slash = path.replace(/[?#].*/, '').lastIndexOf('/');
  const c: Cookie = {
    domain: host,
    tail: false,
    path: slash > 0 ? path.slice(0, slash) : '/',
    secure: false,
    httpOnly: false,
    expires: 0,
    name: pair.slice(0, eq).trim(),
    value: pair.slice(eq + 1).trim(),
  };
  let maxAge: number | null = null;
  for (const a of attributes) {
    const [key, ...rest] = a.split('=');
    const value = rest.join('=').trim();
    const name = key.trim().toLowerCase();
    if (name === 'path' && value.startsWith('/')) c.path = value.length > 1 ? value.replace(/\/$/, '') : value;
    else if (name === 'domain' && value) {
      const domain = value.replace(/^\./, '').toLowerCase();
      if (!under(host, domain)) return null;
      c.domain = domain;
      c.tail = !numericHost(domain);
    } else if (name === 'secure') c.secure = true;
    else if (name === 'httponly') c.httpOnly = true;
    else if (name === 'max-age') maxAge = Number(value.replace(/"/g, ''));
    else if (name === 'expires' && c.expires === 0) c.expires = httpSeconds(value) ?? 0;
  }
  if (maxAge !== null) c.expires = maxAge <= 0 ? 1 : Math.floor(nowMs / 1000) + maxAge;
  put(jar, c);
  return c;
}

const alive = (c: Cookie, nowMs: number) => c.expires === 0 || c.expires >= nowMs / 1000;

/** Those that go with a request: longest path first, then longest domain, then the oldest. */
export function cookiesFor(jar: Jar, host: string, path: string, secure: boolean, nowMs: number): string[] {
  const target = path.replace(/[?#].*/, '');
  const fits = (c: Cookie) =>
    alive(c, nowMs) &&
    (c.tail ? under(host, c.domain) : host === c.domain) &&
    (c.path === '/' || target === c.path || target.startsWith(`${c.path}/`)) &&
    (!c.secure || secure || host === 'localhost' || host === '127.0.0.1' || host === '::1');
  return jar
    .filter(fits)
    .map((c, at) => ({ c, at }))
    .sort(
      (a, b) =>
        b.c.path.length - a.c.path.length || b.c.domain.length - a.c.domain.length || b.c.name.length - a.c.name.length || a.at - b.at,
    )
    .map(({ c }) => `${c.name}=${c.value}`);
}

/** A Netscape file, or headers as a server sends them. A file that is not there is an empty one. */
export function readCookies(p: Process, jar: Jar, name: string, nowMs: number): void {
  const data = readFile(p.fs, name === '-' ? '/dev/stdin' : absolute(name, p.cwd), p);
  if (typeof data === 'string') return;
  for (const line of bytesToString(data).split(/\r?\n/)) {
    const header = /^Set-Cookie:\s*(.*)$/i.exec(line);
    if (header) {
      setCookie(jar, header[1], /domain=\.?([^;]+)/i.exec(header[1])?.[1] ?? '', '/', nowMs);
      continue;
    }
    const httpOnly = line.startsWith('#HttpOnly_');
    const f = (httpOnly ? line.slice('#HttpOnly_'.length) : line).split('\t');
    if ((line.startsWith('#') && !httpOnly) || f.length < 6) continue;
    const [domain, tail, path, secure, expires, key, value = ''] = f;
    put(jar, {
      domain: domain.replace(/^\./, ''),
      tail: tail === 'TRUE',
      path,
      secure: secure === 'TRUE',
      httpOnly,
      expires: Number(expires),
      name: key,
      value,
    });
  }
}

const HEAD =
  '# Netscape HTTP Cookie File\n# https://curl.se/docs/http-cookies.html\n# This file was generated by libcurl! Edit at your own risk.\n\n';
const yes = (b: boolean) => (b ? 'TRUE' : 'FALSE');

/** The newest first. */
export const jarText = (jar: Jar, nowMs: number): string =>
  HEAD +
  jar
    .filter(c => alive(c, nowMs))
    .toReversed()
    .map(c => {
      const domain = `${c.httpOnly ? '#HttpOnly_' : ''}${c.tail ? '.' : ''}${c.domain}`;
      return `${[domain, yes(c.tail), c.path, yes(c.secure), c.expires, c.name, c.value].join('\t')}\n`;
    })
    .join('');
