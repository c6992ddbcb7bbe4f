// What Go's net/url and path make of the URLs that go through the server's proxy (src/net/url/url.go, src/path/path.go, Go 1.26).

import { goQuote } from '../../sim/quote.ts';
import { decodePart } from './message.ts';

/** Every byte that is not one of `kept` (a class of ASCII characters) as %XX. */
const escaped = (text: string, kept: RegExp): string =>
  [...text].map(c => (kept.test(c) ? c : c.codePointAt(0) === 0x2f ? c : percent(c))).join('');

const percent = (c: string): string =>
  c.charCodeAt(0) < 0x80 ? `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : encodeURIComponent(c);

/** A decoded path as it is written (escape in mode encodePath). */
export const escapePath = (path: string): string => escaped(path, /[A-Za-z0-9\-_.~$&+,/:;=@]/);

/** path.Join: elements joined and cleaned; '' of nothing. */
export function joinPath(...elements: string[]): string {
  const text = elements.filter(Boolean).join('/');
  if (!text) return '';
  const rooted = text.startsWith('/');
  const out: string[] = [];
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.length && out[out.length - 1] !== '..') out.pop();
    else if (!rooted) out.push(part);
  }
  return `${rooted ? '/' : ''}${out.join('/')}` || '.';
}

export interface GoUrl {
  scheme: string;
  /** With user and port; null: the text has none (`//` is missing). */
  host: string | null;
  /** As written. */
  path: string;
  /** With its question mark. */
  query: string;
  fragment: string;
}

/** url.Parse; null: it is none. */
export function parseGoUrl(text: string): GoUrl | null {
  if ([...text].some(c => c < ' ' || c === '\x7f')) return null;
  const m = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?([^?#]*)(\?[^#]*)?(?:#(.*))?$/s.exec(text);
  if (!m) return null;
  const [, scheme = '', rest, query = '', fragment = ''] = m;
  const authority = /^\/\/([^/]*)(.*)$/s.exec(rest);
  const host = authority ? authority[1] : null;
  const path = authority ? authority[2] : rest;
  if (/%(?![0-9A-Fa-f]{2})/.test(path + fragment)) return null;
  if (host !== null && (/[\s"<>\\^`{|}]/.test(host) || !/^[^:]*$|:\d*$|\]$/.test(host))) return null;
  // What looks like a scheme and is none.
  if (!scheme && host === null && /^[^/]*:/.test(path)) return null;
  return { scheme: scheme.toLowerCase(), host, path, query, fragment };
}

/** What url.Parse says of a text that is no URL. */
export function goUrlError(text: string): string {
  const badEscape = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text)?.[0];
  const port = /^[^/]*\/\/[^/]*(:[^/:]*)/.exec(text)?.[1];
  let why = port ? `invalid port ${goQuote(port)} after host` : 'first path segment in URL cannot contain colon';
  if ([...text].some(c => c < ' ' || c === '\x7f')) why = 'net/url: invalid control character in URL';
  else if (badEscape !== undefined) why = `invalid URL escape ${goQuote(badEscape)}`;
  return `parse ${goQuote(text)}: ${why}`;
}

/** A path that is written with signs which need no escape stays as it is written; any other is written anew (URL.EscapedPath). */
const shownPath = (path: string): string =>
  /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]/]|%[0-9A-Fa-f]{2})*$/.test(path) ? path : escapePath(decodePart(path));

/** URL.String */
export function goUrlText(u: GoUrl): string {
  const front = `${u.scheme ? `${u.scheme}:` : ''}${u.host === null ? '' : `//${u.host}`}`;
  const fragment = escaped(decodePart(u.fragment), /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/);
  // What follows a scheme without slashes is opaque.
  const opaque = u.scheme !== '' && u.host === null && !u.path.startsWith('/');
  return `${front}${opaque ? u.path : shownPath(u.path)}${u.query}${fragment ? `#${fragment}` : ''}`;
}

/** A reference as `target` (path and query on the same server) understands it. host null: the same server. */
export function resolveGoUrl(target: string, reference: GoUrl): { host: string | null; target: string } {
  const base = target.replace(/\?.*$/s, '');
  let path = reference.path || (reference.host === null ? base : '/');
  if (!path.startsWith('/')) path = `${base.slice(0, base.lastIndexOf('/') + 1)}${path}`;
  const clean = joinPath('/', path);
  const query = reference.path || reference.query || reference.host !== null ? reference.query : target.slice(base.length);
  return { host: reference.host, target: `${clean}${path.endsWith('/') && !clean.endsWith('/') ? '/' : ''}${query}` };
}
