// URLs, as far as clients and servers here need them.
import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';

export interface Url {
  scheme: string;
  user: string | null;
  host: string;
  port: number | null;
  /** With the query, at least `/`. */
  path: string;
}

/** null: not a URL. Brackets of an IPv6 host are taken off. */
export function parseUrl(text: string): Url | null {
  const m = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::([^/?#]*))?([^#]*)/.exec(text);
  if (!m) return null;
  const path = m[5].startsWith('?') ? `/${m[5]}` : m[5];
  if (m[4] && (!/^\d+$/.test(m[4]) || Number(m[4]) > 65535)) return null;
  return {
    scheme: (m[1] ?? 'http').toLowerCase(),
    user: m[2] ?? null,
    host: m[3].replace(/^\[|\]$/g, ''),
    port: m[4] ? Number(m[4]) : null,
    path: path || '/',
  };
}

/** `Location` against the URL it came from. */
export function resolveUrl(base: string, location: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(location)) return location;
  const m = /^([A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/?#]*/.exec(base);
  const origin = m?.[0] ?? '';
  if (location.startsWith('//')) return `${m?.[1] ?? 'http:'}${location}`;
  if (location.startsWith('/')) return origin + location;
  const path = base.slice(origin.length).replace(/[?#].*/, '');
  return `${origin}${path.slice(0, path.lastIndexOf('/') + 1) || '/'}${location}`;
}

export function percentDecode(s: string): string {
  return bytesToString(
    concat(
      s
        .split(/(%[0-9A-Fa-f]{2})/)
        .map(x => (/^%[0-9A-Fa-f]{2}$/.test(x) ? Uint8Array.of(Number.parseInt(x.slice(1), 16)) : stringToBytes(x))),
    ),
  );
}

/** Path and the query's values, decoded. */
export function splitTarget(target: string): { path: string; query: Map<string, string[]> } {
  const at = target.indexOf('?');
  const query = new Map<string, string[]>();
  for (const pair of at < 0 ? [] : target.slice(at + 1).split('&')) {
    if (!pair) continue;
    const eq = pair.indexOf('=');
    const key = percentDecode((eq < 0 ? pair : pair.slice(0, eq)).replaceAll('+', ' '));
    query.set(key, [...(query.get(key) ?? []), eq < 0 ? '' : percentDecode(pair.slice(eq + 1).replaceAll('+', ' '))]);
  }
  return { path: percentDecode(at < 0 ? target : target.slice(0, at)), query };
}
