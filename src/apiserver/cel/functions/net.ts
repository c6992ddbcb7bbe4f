// URLs, addresses and networks (k8s.io/apiserver/pkg/cel/library/{urls,ip,cidr}.go v0.36.3).

import { type Cidr, formatIp, type Ip, inCidr, network, parseCidr, parseIp } from '../../../wire/ip.ts';
import { CelError, MapVal, Opaque, type Val } from '../values.ts';
import type { Row } from './row.ts';

const isMapped = (text: string): boolean => /^::ffff:/i.test(text) && text.includes('.');

const newIp = (ip: Ip): Opaque => new Opaque('net.IP', ip, formatIp(ip));

function ipError(text: string): string | null {
  if (text.includes('%')) return `IP address ${JSON.stringify(text)} with zone value is not allowed`;
  if (isMapped(text)) return `IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`;
  if (parseIp(text)) return null;
  return `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): ${addrReason(text)}`;
}

/** net/netip's words for the mistakes that are made. */
function addrReason(text: string): string {
  if (text.includes(':')) return 'unexpected character';
  if (!text.includes('.')) return 'unable to parse IP';
  if (/[^\d.]/.test(text)) return `unexpected character (at ${JSON.stringify(text.slice(text.search(/[^\d.]/)))})`;
  const fields = text.split('.');
  if (fields.some(f => Number(f) > 255)) return 'IPv4 field has value >255';
  if (fields.some(f => f.length > 1 && f.startsWith('0'))) return 'IPv4 field has octet with leading zero';
  return fields.length > 4 ? 'IPv4 address too long' : 'IPv4 address too short';
}

function toIp(text: string): Opaque {
  const error = ipError(text);
  if (error) throw new CelError(error);
  return newIp(parseIp(text) as Ip);
}

const newCidr = (c: Cidr): Opaque => new Opaque('net.CIDR', c, `${formatIp(c.ip)}/${c.bits}`);

function cidrError(text: string): string | null {
  if (isMapped(text)) return `IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`;
  if (text.includes('/') && parseCidr(text)) return null;
  const why = text.includes('/') ? 'bad bits after slash' : "no '/'";
  return `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): ${why}`;
}

function toCidr(text: string): Opaque {
  const error = cidrError(text);
  if (error) throw new CelError(error);
  return newCidr(parseCidr(text) as Cidr);
}

const containsIp = (c: Opaque, ip: Opaque): boolean => inCidr(c.value, ip.value);
const containsCidr = (c: Opaque, other: Opaque): boolean =>
  other.value.bits >= c.value.bits && inCidr(c.value, network(other.value).ip) && c.value.ip.length === other.value.ip.length;

const within = (ip: Ip, ...ranges: string[]): boolean => ranges.some(r => inCidr(parseCidr(r) as Cidr, ip));

function isGlobalUnicast(ip: Ip): boolean {
  return !within(
    ip,
    '0.0.0.0/32',
    '255.255.255.255/32',
    '127.0.0.0/8',
    '224.0.0.0/4',
    '169.254.0.0/16',
    '::/128',
    '::1/128',
    'ff00::/8',
    'fe80::/10',
  );
}

const ADDRESSES: Row[] = [
  ['ip(string) net.IP', toIp],
  ['isIP(string) bool', (s: string) => ipError(s) === null],
  ['#ip.isCanonical(string) bool', (s: string) => toIp(s).id === s],
  ['net.IP.family() int', (ip: Opaque) => (ip.value.length === 4 ? 4n : 6n)],
  ['net.IP.isUnspecified() bool', (ip: Opaque) => within(ip.value, '0.0.0.0/32', '::/128')],
  ['net.IP.isLoopback() bool', (ip: Opaque) => within(ip.value, '127.0.0.0/8', '::1/128')],
  ['net.IP.isLinkLocalMulticast() bool', (ip: Opaque) => within(ip.value, '224.0.0.0/24', 'ff02::/16')],
  ['net.IP.isLinkLocalUnicast() bool', (ip: Opaque) => within(ip.value, '169.254.0.0/16', 'fe80::/10')],
  ['net.IP.isGlobalUnicast() bool', (ip: Opaque) => isGlobalUnicast(ip.value)],
  ['string(net.IP) string', (ip: Opaque) => ip.id],
  ['cidr(string) net.CIDR', toCidr],
  ['isCIDR(string) bool', (s: string) => cidrError(s) === null],
  ['net.CIDR.containsIP(net.IP) bool', containsIp],
  ['net.CIDR.containsIP(string) bool', (c: Opaque, s: string) => containsIp(c, toIp(s))],
  ['net.CIDR.containsCIDR(net.CIDR) bool', containsCidr],
  ['net.CIDR.containsCIDR(string) bool', (c: Opaque, s: string) => containsCidr(c, toCidr(s))],
  ['net.CIDR.ip() net.IP', (c: Opaque) => newIp(c.value.ip)],
  ['net.CIDR.masked() net.CIDR', (c: Opaque) => newCidr(network(c.value))],
  ['net.CIDR.prefixLength() int', (c: Opaque) => BigInt(c.value.bits)],
  ['string(net.CIDR) string', (c: Opaque) => c.id],
];

interface Url {
  scheme: string;
  /** With its port; an IPv6 address in brackets. */
  host: string;
  path: string;
  query: string;
}

/** url.ParseRequestURI, then: an absolute one, or a path. -> what is wrong */
function parseUrl(text: string): Url | string {
  const fail = (why: string) => `parse ${JSON.stringify(text)}: ${why}`;
  if (!text) return fail('empty url');
  const [before, ...rest] = text.split('?');
  const query = rest.join('?');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(before)?.[1];
  if (!scheme) return before.startsWith('/') ? { scheme: '', host: '', path: before, query } : fail('invalid URI for request');
  const after = before.slice(scheme.length + 1);
  if (!after.startsWith('/')) return fail('invalid URI for request');
  const m = /^\/\/(?:[^/@]*@)?([^/]*)(.*)$/.exec(after);
  if (!m) return { scheme: scheme.toLowerCase(), host: '', path: after, query };
  if (/[\s<>"{}|\\^`]/.test(m[1])) return fail(`invalid character ${JSON.stringify(/[\s<>"{}|\\^`]/.exec(m[1])?.[0])} in host name`);
  const port = /:([^:\]]*)$/.exec(m[1])?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) return fail(`invalid port ${JSON.stringify(`:${port}`)} after host`);
  return { scheme: scheme.toLowerCase(), host: m[1], path: m[2], query };
}

function toUrl(text: string): Opaque {
  const u = parseUrl(text);
  if (typeof u === 'string') throw new CelError(`URL parse error during conversion from string: ${u}`);
  return new Opaque('kubernetes.URL', u, JSON.stringify(u));
}

const hostname = (host: string): string => host.replace(/:\d*$/, '').replace(/^\[|\]$/g, '');

function queryOf(u: Url): MapVal {
  const values = new Map<string, Val[]>();
  const plain = (s: string) => decodeURIComponent(s.replace(/\+/g, ' '));
  for (const pair of u.query ? u.query.split('&') : []) {
    const [k, ...v] = pair.split('=');
    const list = values.get(plain(k)) ?? [];
    values.set(plain(k), [...list, plain(v.join('='))]);
  }
  return MapVal.of(values);
}

const URLS: Row[] = [
  ['url(string) kubernetes.URL', toUrl],
  ['isURL(string) bool', (s: string) => typeof parseUrl(s) !== 'string'],
  ['kubernetes.URL.getScheme() string', (u: Opaque) => u.value.scheme],
  ['kubernetes.URL.getHost() string', (u: Opaque) => u.value.host],
  ['kubernetes.URL.getHostname() string', (u: Opaque) => hostname(u.value.host)],
  ['kubernetes.URL.getPort() string', (u: Opaque) => /:(\d+)$/.exec(u.value.host)?.[1] ?? ''],
  ['kubernetes.URL.getEscapedPath() string', (u: Opaque) => u.value.path],
  ['kubernetes.URL.getQuery() map<string,list<string>>', (u: Opaque) => queryOf(u.value)],
];

export const NET: Row[] = [...ADDRESSES, ...URLS];
