// What a request to nginx is answered from: the server block, the location, inherited directives.
import type { Process } from '../../linux/types.ts';
import type { Ip } from '../../wire/ip.ts';
import { type Headers, header } from '../http.ts';
import type { Reply, Served } from '../http-server.ts';
import type { Certificate } from '../tls.ts';
import type { Directive } from './nginx-directives.ts';

export interface Peer {
  address: Ip;
  port: number;
  weight: number;
  effective: number;
  current: number;
  maxFails: number;
  failMs: number;
  fails: number;
  accessedMs: number;
  checkedMs: number;
  backup: boolean;
  down: boolean;
  active: number;
}

export interface Peers {
  name: string;
  list: Peer[];
  method: 'round_robin' | 'least_conn' | 'ip_hash' | 'hash' | 'random';
  /** What `hash` is of. */
  key: string;
}

export interface Listen {
  address: Ip;
  port: number;
  isDefault: boolean;
  ssl: boolean;
  http2: boolean;
  udp: boolean;
  backlog: number;
}

export interface NginxServer {
  directives: Directive[];
  names: string[];
  listens: Listen[];
  certificate: Certificate | null;
}

/** A variable that a map, geo or split_clients block makes, from the value of `source`. */
export interface Made {
  source: string;
  value: (s: Scope, source: string) => string;
}

export interface Nginx {
  /** It runs by this configuration; `nginx -t` does not. */
  stays: boolean;
  /** Names that `set` gives values to. */
  assigned: Set<string>;
  p: Process;
  version: string;
  main: Directive[];
  http: Directive[];
  servers: NginxServer[];
  stream: Directive[];
  streamServers: NginxServer[];
  /** Groups of `upstream`, and hosts of proxy_pass by their text: resolved once, when the configuration is read. */
  peers: Map<string, Peers>;
  mime: Map<string, string>;
  made: Map<string, Made>;
  formats: Map<string, { text: string; escape: string }>;
  zones: Map<string, Zone>;
  hostname: string;
  requests: number;
  connections: number;
  /** What resolvers said, until when. */
  resolved: Map<string, { addresses: Ip[]; untilMs: number }>;
}

/** Shared memory of limit_req_zone (excess in thousandths of a request) and limit_conn_zone (how many are open). */
export interface Zone {
  key: string;
  /** Thousandths of a request per second, whole. */
  rate: number;
  states: Map<string, { excess: number; atMs: number }>;
  open: Map<string, number>;
}

/** One request: everything its variables and directives are read from. Innermost directives first in `levels`. */
export interface Scope {
  n: Nginx;
  req: Served;
  server: NginxServer;
  method: string;
  /** Decoded, without the query. */
  path: string;
  args: string;
  /** Innermost location first. */
  chain: Directive[];
  levels: Directive[][];
  /** The `if` whose condition held last. */
  branch: Directive | null;
  vars: Map<string, string>;
  captures: string[];
  /** Came here by an internal redirect. */
  internal: boolean;
  /** The path is still what the client sent: proxy_pass passes it on as it was written. */
  untouched: boolean;
  /** No rewrite ended with `break`: the location's name is still what the path begins with. */
  validLocation: boolean;
  ssl: boolean;
  http2: boolean;
  startMs: number;
  number: number;
  upstreams: { addr: string; status: number; connectMs: number; headerMs: number; responseMs: number; length: number; headers: Headers }[];
  user: string | null;
  realIp: Ip | null;
  reply: Reply | null;
  bodyBytes: number;
  headBytes: number;
  /** Location was a path, which nginx has put its own name before. */
  ownLocation: boolean;
  release: (() => void)[];
}

export const all = (list: Directive[], name: string) => list.filter(d => d.name === name);
export const last = (list: Directive[], name: string) => list.findLast(d => d.name === name);

/** IPv4 inside IPv6 is shown as IPv4. */
export const plain = (a: Ip): Ip =>
  a.length === 16 && a.subarray(0, 10).every(b => b === 0) && a[10] === 255 && a[11] === 255 ? a.subarray(12) : a;

export const hostOf = (req: Served): string =>
  (header(req.headers, 'Host') ?? '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();

const isAny = (a: Ip) => a.every(b => b === 0);
const same = (a: Ip, b: Ip) => a.length === b.length && a.every((x, i) => x === b[i]);

/** The listeners that a connection to this address came in by: those of the address itself before those of all. */
export function serversAt(servers: NginxServer[], local: Ip, port: number): { server: NginxServer; listen: Listen }[] {
  const here = servers.flatMap(server => server.listens.filter(l => l.port === port).map(listen => ({ server, listen })));
  const to = plain(local);
  const own = here.filter(x => same(x.listen.address, to));
  if (own.length) return own;
  return here.filter(x => isAny(x.listen.address) && x.listen.address.length === to.length);
}

/** The server block for a name: exact, leading wildcard, trailing one, pattern; else the listener's default (ngx_http_find_virtual_server). */
export function serverFor(n: Nginx, req: Served, host = hostOf(req)): NginxServer {
  const here = serversAt(n.servers, req.local, req.localPort);
  const named = (f: (name: string) => boolean) => here.find(x => x.server.names.some(f));
  const longest = (f: (name: string) => boolean) => {
    const found = here.flatMap(x => x.server.names.filter(f).map(name => ({ ...x, name })));
    return found.sort((a, b) => b.name.length - a.name.length)[0];
  };
  const found =
    named(name => name.toLowerCase() === host) ??
    longest(
      name =>
        (name.startsWith('*.') && host.endsWith(name.slice(1))) ||
        (name.startsWith('.') && (host.endsWith(name) || host === name.slice(1))),
    ) ??
    longest(name => name.endsWith('.*') && host.startsWith(name.slice(0, -1))) ??
    named(name => name.startsWith('~') && pattern(name.slice(1))?.test(host) === true) ??
    here.find(x => x.listen.isDefault) ??
    here[0];
  return found?.server ?? n.servers[0];
}

/** PCRE as far as JavaScript has it: named groups and a leading (?i) are spelled otherwise. null: it cannot be read. */
export function pattern(text: string, insensitive = false): RegExp | null {
  const flag = /^\(\?i\)/.exec(text);
  try {
    return new RegExp(text.slice(flag?.[0].length ?? 0).replaceAll('(?P<', '(?<'), insensitive || flag ? 'i' : '');
  } catch {
    return null;
  }
}

/** [modifier, name] of a location: `location =/x` is one word. */
export function locationName(d: Directive): [string, string] {
  if (d.args.length > 1) return [d.args[0], d.args[1]];
  const m = /^(=|\^~|~\*|~)(.*)$/s.exec(d.args[0]);
  return m ? [m[1], m[2]] : ['', d.args[0]];
}

export interface Found {
  /** Innermost first; empty: none. */
  chain: Directive[];
  /** By `=` or a pattern: outer patterns are not asked. */
  decided: boolean;
  match: RegExpExecArray | null;
  /** A location of this name with a slash passes requests on: the client is told to add it. */
  redirect: boolean;
}

const passes = (d: Directive) => (d.block ?? []).some(x => x.name === 'proxy_pass');

/** Exact, then the longest prefix and what it holds, unless a pattern takes it (ngx_http_core_find_location). */
export function locationFor(list: Directive[], path: string): Found {
  const here = all(list, 'location').map(d => ({ d, name: locationName(d) }));
  const found = (d: Directive, match: RegExpExecArray | null = null): Found => ({ chain: [d], decided: true, match, redirect: false });
  const exact = here.find(({ name: [kind, text] }) => kind === '=' && text === path);
  if (exact) return found(exact.d);
  const prefixes = here.filter(({ name: [kind, text] }) => (kind === '' || kind === '^~') && !text.startsWith('@'));
  const wanted = prefixes.find(({ d, name: [, text] }) => text === `${path}/` && passes(d));
  const best = prefixes.filter(({ name: [, text] }) => path.startsWith(text)).sort((a, b) => b.name[1].length - a.name[1].length)[0];
  if (wanted && best?.name[1] !== path) return { chain: [wanted.d], decided: true, match: null, redirect: true };
  const inner = best ? locationFor(best.d.block ?? [], path) : null;
  if (inner?.decided) return { ...inner, chain: [...inner.chain, best.d] };
  if (best?.name[0] !== '^~') {
    for (const { d, name } of here) {
      if (name[0] !== '~' && name[0] !== '~*') continue;
      const match = pattern(name[1], name[0] === '~*')?.exec(path);
      if (!match) continue;
      const nested = locationFor(d.block ?? [], path);
      return { ...found(d, nested.match ?? match), chain: [...nested.chain, d] };
    }
  }
  return { chain: best ? [...(inner?.chain ?? []), best.d] : [], decided: false, match: null, redirect: false };
}

/** The innermost level's word on a directive that has one value. */
export const setting = (s: Scope, name: string): Directive | undefined => {
  for (const level of s.levels) {
    const d = last(level, name);
    if (d) return d;
  }
  return undefined;
};

/** A directive that is given several times is inherited as a whole. */
export function settings(s: Scope, name: string): Directive[] {
  return s.levels.map(level => all(level, name)).find(list => list.length) ?? [];
}

export const isOn = (s: Scope, name: string): boolean => setting(s, name)?.args[0] === 'on';

/** `10s`, `1m`, `500ms`, bare seconds -> ms */
export function durationMs(text: string | undefined, otherwise: number): number {
  const parts = [...(text ?? '').matchAll(/(\d+)(ms|[smhdwMy])?/g)];
  const unit: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, M: 2_592_000_000 };
  return parts.length ? parts.reduce((sum, m) => sum + Number(m[1]) * (unit[m[2] ?? 's'] ?? 31_536_000_000), 0) : otherwise;
}

/** `1m`, `8k` -> bytes */
export function sizeBytes(text: string | undefined, otherwise: number): number {
  const m = /^(\d+)([kKmMgG]?)$/.exec(text ?? '');
  return m ? Number(m[1]) * { '': 1, k: 1024, m: 1_048_576, g: 1_073_741_824 }[m[2].toLowerCase() as '' | 'k' | 'm' | 'g'] : otherwise;
}
