// From directives to what nginx runs by: servers, upstreams with their names resolved, zones, maps, certificates; and what it says of a
// configuration that reads well and means nothing (texts of 1.22).
import type { Process } from '../../linux/types.ts';
import { absolute, isReadOnly, lookup } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp, type Ip, ip, parseIp } from '../../wire/ip.ts';
import { numericHost } from '../net/resolv-conf.ts';
import { getaddrinfo } from '../net/resolver.ts';
import { certificateOf } from '../x509.ts';
import { hostnameOf, readText } from './daemon.ts';
import { isConfError, parseConf, walk } from './nginx-conf.ts';
import type { Directive } from './nginx-directives.ts';
import { treatment } from './nginx-directives.ts';
import { holdsVariables, madeVariables, unknownVariable } from './nginx-maps.ts';
import { targetOf } from './nginx-proxy.ts';
import type { Peers } from './nginx-scope.ts';
import { all, durationMs, type Listen, last, locationName, type Nginx, type NginxServer, pattern } from './nginx-scope.ts';
import { methodOf, newPeer, splitPort } from './nginx-upstream.ts';

/** `syntaxOk`: the words were all right, what they lead to was not. */
export interface Refusal {
  text: string;
  syntaxOk?: boolean;
}

export const isRefusal = (x: Nginx | Refusal): x is Refusal => 'text' in x;

const at = (d: Directive): string => `in ${d.file}:${d.line}`;

/** `stays`: it will run by what it reads, and remembers what names resolved to. */
export function* configure(p: Process, version: string, path: string, stays: boolean, warn: (text: string) => void): Co<Nginx | Refusal> {
  const main = parseConf(p, path);
  if (isConfError(main)) return main;
  const http = last(main, 'http')?.block ?? [];
  const stream = last(main, 'stream')?.block ?? [];
  const n: Nginx = {
    p,
    stays,
    version,
    main,
    http,
    stream,
    servers: [],
    streamServers: [],
    peers: new Map(),
    mime: new Map(),
    made: new Map(),
    formats: new Map(),
    zones: new Map(),
    hostname: hostnameOf(p),
    requests: 0,
    connections: 0,
    resolved: new Map(),
    assigned: new Set(),
  };
  for (const [d] of walk(main)) if (treatment(d.name, d.args[0]) === 'kept') warnOnce(n, d, warn);
  for (const types of all(http, 'types')) for (const d of types.block ?? []) for (const ext of d.args) n.mime.set(ext, d.name);
  const wrong = formatsAndZones(n) ?? (yield* upstreams(n, http)) ?? (yield* upstreams(n, stream)) ?? servers(n, warn) ?? locations(n);
  if (wrong) return { text: wrong };
  const unresolved = (yield* passes(n)) ?? madeVariables(n) ?? unknownVariable(n);
  if (unresolved) return { text: unresolved };
  return machine(n) ?? n;
}

const warned = new WeakMap<Nginx, Set<string>>();

function warnOnce(n: Nginx, d: Directive, warn: (text: string) => void): void {
  const names = warned.get(n) ?? new Set();
  warned.set(n, names);
  if (names.has(d.name)) return;
  names.add(d.name);
  warn(`podnet: "${d.name}" changes nothing here ${at(d)}`);
}

/** What needs the machine: files, folders. The syntax was all right before that. */
function machine(n: Nginx): Refusal | null {
  const { p } = n;
  if (!last(n.main, 'events')) return { text: 'no "events" section in configuration', syntaxOk: true };
  for (const [d] of walk([...n.http, ...n.stream])) {
    if (d.name === 'limit_req' || d.name === 'limit_conn') {
      const name = d.name === 'limit_conn' ? d.args[0] : d.args.find(a => a.startsWith('zone='))?.slice(5);
      if (name && !n.zones.has(name)) return { text: `zero size shared memory zone "${name}"`, syntaxOk: true };
    }
  }
  for (const [d] of walk(n.main)) {
    if ((d.name !== 'error_log' && d.name !== 'access_log') || d.args[0] === 'off' || d.args[0] === 'stderr' || d.args[0].includes('$'))
      continue;
    const path = absolute(d.args[0], '/etc/nginx');
    const dir = path.slice(0, path.lastIndexOf('/')) || '/';
    if (typeof lookup(p.fs, dir, p) === 'string') return { text: `open() "${path}" failed (2: No such file or directory)`, syntaxOk: true };
  }
  if (isReadOnly(p.fs, '/var/cache/nginx', p))
    return { text: 'mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)', syntaxOk: true };
  if (isReadOnly(p.fs, '/run', p)) return { text: 'open() "/run/nginx.pid" failed (30: Read-only file system)', syntaxOk: true };
  return null;
}

function formatsAndZones(n: Nginx): string | null {
  const formats = [...all(n.http, 'log_format')];
  for (const d of formats) {
    const [name, first, ...rest] = d.args;
    if (n.formats.has(name)) return `duplicate "log_format" name "${name}" ${at(d)}`;
    const escaping = /^escape=(default|json|none)$/.exec(first)?.[1];
    n.formats.set(name, { text: (escaping ? rest : [first, ...rest]).join(''), escape: escaping ?? 'default' });
  }
  for (const d of n.http) {
    if (d.name !== 'limit_req_zone' && d.name !== 'limit_conn_zone') continue;
    const zone = /^zone=([^:]+):(.+)$/.exec(d.args.find(a => a.startsWith('zone=')) ?? '');
    if (!zone) return `invalid parameter "${d.args[1]}" ${at(d)}`;
    const rate = /^rate=(\d+)r\/([sm])$/.exec(d.args.find(a => a.startsWith('rate=')) ?? '');
    if (d.name === 'limit_req_zone' && !rate) return `invalid rate "${d.args.find(a => a.startsWith('rate=')) ?? d.args[2]}" ${at(d)}`;
    const thousandths = rate ? Math.floor((Number(rate[1]) * 1000) / (rate[2] === 's' ? 1 : 60)) : 0;
    n.zones.set(zone[1], { key: d.args[0], rate: thousandths, states: new Map(), open: new Map() });
  }
  for (const [d] of walk(n.http)) {
    const name = d.name === 'access_log' ? d.args[1] : undefined;
    if (name && !name.includes('=') && name !== 'combined' && !n.formats.has(name)) return `unknown log format "${name}" ${at(d)}`;
  }
  return null;
}

type Names = Record<string, string[]>;

/** What names resolved to when this nginx last read its configuration: it never asks again, in a later command neither. */
function namesOf(p: Process): Names {
  const names = (p.memory?.save?.() ?? p.memory?.left ?? {}) as Names;
  p.memory = { save: () => (Object.keys(names).length ? names : undefined) };
  return names;
}

/** A fresh start, or a reload: names are looked up anew. */
export function forgetNames(p: Process): void {
  p.memory = undefined;
}

function* resolved({ p, stays }: Nginx, host: string): Co<Ip[]> {
  const numeric = numericHost(host);
  if (numeric) return [numeric];
  const names = stays ? namesOf(p) : {};
  if (names[host]) return names[host].map(ip);
  const r = yield* getaddrinfo(p, host, { libc: 'glibc' });
  if (typeof r === 'string') return [];
  names[host] = r.addresses.map(formatIp);
  return r.addresses;
}

const MEMBER = /^(weight=[1-9]\d*|max_fails=\d+|max_conns=\d+|fail_timeout=\w+|backup|down|resolve|slow_start=\w+)$/;

function* upstreams(n: Nginx, list: Directive[]): Co<string | null> {
  const isStream = list === n.stream;
  for (const up of all(list, 'upstream')) {
    const key = (isStream ? 'stream ' : '') + up.args[0];
    if (n.peers.has(key)) return `duplicate upstream "${up.args[0]}" ${at(up)}`;
    const block = up.block ?? [];
    const members = all(block, 'server');
    if (!members.length) return `no servers are inside upstream ${at(up)}`;
    const peers: Peers = { name: up.args[0], list: [], ...methodOf(block) };
    for (const d of members) {
      const bad = d.args.slice(1).find(a => !MEMBER.test(a));
      if (bad) return `invalid parameter "${bad}" ${at(d)}`;
      const [host, port] = splitPort(d.args[0], isStream ? 0 : 80);
      if (isStream && !port) return `no port in upstream "${d.args[0]}" ${at(d)}`;
      if (port < 1 || port > 65535) return `invalid port in upstream "${d.args[0]}" ${at(d)}`;
      const ips = yield* resolved(n, host);
      if (!ips.length) return `host not found in upstream "${d.args[0]}" ${at(d)}`;
      peers.list.push(...ips.map(a => newPeer(a, port, d.args.slice(1))));
    }
    if (peers.list.every(x => x.backup)) return `no servers in upstream "${up.args[0]}" ${at(up)}`;
    n.peers.set(key, peers);
  }
  return null;
}

/** NGX_LISTEN_BACKLOG of Linux; `listen ... backlog=N` says another. */
const BACKLOG = 511;
const OPTIONS =
  /^(default_server|default|ssl|http2|udp|proxy_protocol|deferred|bind|reuseport|quic|backlog=\d+|ipv6only=(on|off)|so_keepalive=.*|(rcv|snd)buf=.*|setfib=.*|fastopen=.*)$/;

function listenOf(d: Directive, stream: boolean): Listen | string {
  const [text, ...options] = d.args;
  if (/^[^[]*:.*:/.test(text)) return `invalid port in "${text}" of the "listen" directive ${at(d)}`;
  const m = /^(?:(\[[^\]]*\]|[^:]+):)?(\d+)$/.exec(text) ?? /^(\[[^\]]*\]|[^:]+)$/.exec(text);
  const host = m?.[1]?.replace(/^\[|\]$/g, '');
  const port = m?.[2] ? Number(m[2]) : 80;
  const address = !host || host === '*' ? parseIp('0.0.0.0') : host === 'localhost' ? parseIp('127.0.0.1') : parseIp(host);
  if (!address) return `host not found in "${text}" of the "listen" directive ${at(d)}`;
  if (port < 1 || port > 65535) return `invalid port in "${text}" of the "listen" directive ${at(d)}`;
  if (stream && !m?.[2]) return `no port in "${text}" of the "listen" directive ${at(d)}`;
  const bad = options.find(o => !OPTIONS.test(o));
  if (bad) return `invalid parameter "${bad}" ${at(d)}`;
  return {
    address,
    port,
    isDefault: options.includes('default_server') || options.includes('default'),
    ssl: options.includes('ssl'),
    http2: options.includes('http2'),
    udp: options.includes('udp'),
    backlog: Number(options.find(o => o.startsWith('backlog='))?.slice('backlog='.length) ?? BACKLOG),
  };
}

const listenText = (l: Listen) => (l.address.length === 16 ? `[${formatIp(l.address)}]:${l.port}` : `${formatIp(l.address)}:${l.port}`);

function servers(n: Nginx, warn: (text: string) => void): string | null {
  for (const [list, into] of [
    [n.http, n.servers],
    [n.stream, n.streamServers],
  ] as const) {
    for (const d of all(list, 'server')) {
      const server = serverOf(n, d, list === n.stream);
      if (typeof server === 'string') return server;
      into.push(server);
    }
  }
  const defaults = new Set<string>();
  const names = new Set<string>();
  for (const server of n.servers) {
    for (const l of server.listens) {
      const text = listenText(l);
      if (l.isDefault && defaults.has(text)) {
        const d = all(server.directives, 'listen').find(x => x.args.some(a => a.startsWith('default'))) ?? server.directives[0];
        return `a duplicate default server for ${text} ${at(d)}`;
      }
      if (l.isDefault) defaults.add(text);
      for (const name of server.names.length ? server.names : ['']) {
        if (names.has(`${text} ${name}`)) warn(`conflicting server name "${name}" on ${text}, ignored`);
        names.add(`${text} ${name}`);
      }
    }
  }
  return null;
}

function serverOf(n: Nginx, d: Directive, stream: boolean): NginxServer | string {
  const directives = d.block ?? [];
  const server: NginxServer = { directives, names: all(directives, 'server_name').flatMap(x => x.args), listens: [], certificate: null };
  const listens = all(directives, 'listen');
  if (stream && !listens.length) return `no "listen" is defined for server ${at(d)}`;
  if (!listens.length) server.listens.push(listenOf({ ...d, args: ['80'] }, false) as Listen);
  for (const x of listens) {
    const l = listenOf(x, stream);
    if (typeof l === 'string') return l;
    if (server.listens.some(other => listenText(other) === listenText(l) && other.udp === l.udp))
      return `${stream ? 'duplicate' : 'a duplicate listen'} ${stream ? `"${x.args[0]}" address and port pair` : listenText(l)} ${at(x)}`;
    server.listens.push(l);
  }
  if (last(directives, 'http2')?.args[0] === 'on') for (const l of server.listens) l.http2 = true;
  if (!server.listens.some(l => l.ssl)) return server;
  return certificate(n, d, server) ?? server;
}

/** The server's own, or what http says for all. */
function certificate(n: Nginx, d: Directive, server: NginxServer): string | null {
  const lists = [server.directives, n.http];
  const of = (name: string) => lists.map(l => last(l, name)).find(x => x !== undefined);
  const [file, key] = [of('ssl_certificate'), of('ssl_certificate_key')];
  if (!file) return `no "ssl_certificate" is defined for the "listen ... ssl" directive ${at(d)}`;
  if (!key) return `no "ssl_certificate_key" is defined for certificate "${absolute(file.args[0], '/etc/nginx')}"`;
  for (const [x, what] of [
    [file, 'certificate'],
    [key, 'certificate key'],
  ] as const) {
    const path = absolute(x.args[0], '/etc/nginx');
    const text = readText(n.p, path);
    const missing = `(SSL: error:80000002:system library::No such file or directory:calling fopen(${path}, r) error:10000080:BIO routines::no such file)`;
    if (text === null) return `cannot load ${what} "${path}": BIO_new_file() failed ${missing}`;
    if (what === 'certificate') {
      server.certificate = certificateOf(text);
      if (!server.certificate)
        return `cannot load certificate "${path}": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)`;
    } else if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
      return `cannot load certificate key "${path}": PEM_read_bio_PrivateKey() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: ANY PRIVATE KEY)`;
  }
  return null;
}

const isPattern = (d: Directive) => locationName(d)[0].startsWith('~');

function locations(n: Nginx): string | null {
  for (const [d, inside] of walk(n.http)) {
    if (d.name === 'rewrite') {
      if (d.args[2] !== undefined && !['last', 'break', 'redirect', 'permanent'].includes(d.args[2]))
        return `invalid parameter "${d.args[2]}" ${at(d)}`;
      if (!pattern(d.args[0])) return `pcre2_compile() failed: ${badPattern(d.args[0])} ${at(d)}`;
    }
    if (d.name === 'return' && !/^\d{1,3}$/.test(d.args[0]) && !/^(https?:\/\/|\$scheme)/.test(d.args[0]))
      return `invalid return code "${d.args[0]}" ${at(d)}`;
    if (d.name === 'set' && !d.args[0].startsWith('$')) return `invalid variable name "${d.args[0]}" ${at(d)}`;
    if (holdsVariables(d) && d.args.some(a => /\$(?![\w{])/.test(a))) return `invalid variable name ${at(d)}`;
    if ((d.name === 'allow' || d.name === 'deny') && d.args[0] !== 'all' && !/^[0-9a-fA-F.:]+(\/\d+)?$/.test(d.args[0]))
      return `invalid parameter "${d.args[0]}" ${at(d)}`;
    if (d.name !== 'location') continue;
    const wrong = locationMistake(d, inside);
    if (wrong) return wrong;
  }
  for (const [d] of [...walk(n.http)].filter(([x]) => x.name === 'server' || x.name === 'location')) {
    const wrong = duplicates(d.block ?? []);
    if (wrong) return wrong;
  }
  return null;
}

/** PCRE's words on the mistakes that are made: an open group, an open class, a quantifier of nothing. */
function badPattern(text: string): string {
  const classes = text.replace(/\\./g, '').replace(/\[[^\]]*\]/g, '');
  if (classes.includes('[')) return `missing terminating ] for character class in "${text}"`;
  const nothing = /[*+?][*+]|^[*+?]|\([*+]/.exec(classes);
  if (nothing)
    return `quantifier does not follow a repeatable item in "${text}" at "${text.slice(text.indexOf(nothing[0]) + nothing[0].length - 1)}"`;
  return classes.includes('(') ? `missing closing parenthesis in "${text}"` : `unmatched closing parenthesis in "${text}"`;
}

function locationMistake(d: Directive, inside: Directive | null): string | null {
  const [kind, name] = locationName(d);
  if (!['', '=', '^~', '~', '~*'].includes(kind)) return `invalid location modifier "${kind}" ${at(d)}`;
  if (isPattern(d) && !pattern(name)) return `pcre2_compile() failed: ${badPattern(name)} ${at(d)}`;
  if (inside?.name !== 'location') return null;
  const [outerKind, outer] = locationName(inside);
  if (outerKind === '=') return `location "${name}" cannot be inside the exact location "${outer}" ${at(d)}`;
  if (!isPattern(d) && !isPattern(inside) && !name.startsWith(outer)) return `location "${name}" is outside location "${outer}" ${at(d)}`;
  return null;
}

/** Directives with one value, given twice in one block (those that are lists are not among them). */
const ONCE = new Set(
  'root alias default_type keepalive_timeout client_max_body_size autoindex charset proxy_pass proxy_http_version proxy_read_timeout proxy_connect_timeout try_files sendfile auth_basic auth_basic_user_file satisfy server_tokens ssl_certificate_key expires etag'.split(
    ' ',
  ),
);

function duplicates(block: Directive[]): string | null {
  const seen = new Set<string>();
  for (const d of block) {
    const key = d.name === 'location' ? `location ${locationName(d).join(' ')}` : d.name === 'alias' ? 'root' : d.name;
    if (d.name === 'location' && seen.has(key) && !isPattern(d)) return `duplicate location "${locationName(d)[1]}" ${at(d)}`;
    if (seen.has(key) && (ONCE.has(d.name) || key === 'root')) {
      const earlier = block.find(x => x.name === 'root' || x.name === 'alias');
      const other = key === 'root' && earlier?.name !== d.name ? `, "${earlier?.name}" directive was specified earlier` : '';
      return `"${d.name}" directive is duplicate${other} ${at(d)}`;
    }
    seen.add(key);
  }
  return null;
}

/** Hosts of proxy_pass and resolver: looked up now, once, unless there are variables in them. */
function* passes(n: Nginx): Co<string | null> {
  for (const [d, inside] of walk(n.http)) {
    if (d.name === 'resolver') {
      for (const a of d.args.filter(x => !x.includes('='))) {
        const [host] = splitPort(a, 53);
        const ips = yield* resolved(n, host);
        if (!ips.length) return `host not found in resolver "${a}" ${at(d)}`;
        n.peers.set(`resolver ${host}`, { name: host, list: ips.map(ip => newPeer(ip, 53)), method: 'round_robin', key: '' });
      }
    }
    if (d.name !== 'proxy_pass' || d.args[0].includes('$')) continue;
    const target = targetOf(d.args[0]);
    if (!target) return `invalid URL prefix ${at(d)}`;
    const bare =
      inside?.name === 'if' || inside?.name === 'limit_except' || (inside && (isPattern(inside) || inside.args[0]?.startsWith('@')));
    if (target.uri !== null && bare)
      return `"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, or inside "if" statement, or inside "limit_except" block ${at(d)}`;
    const wrong = yield* host(n, target.authority, target.host, target.port, d);
    if (wrong) return wrong;
  }
  for (const [d] of walk(n.stream)) {
    if (d.name !== 'proxy_pass' || d.args[0].includes('$') || n.peers.has(`stream ${d.args[0]}`)) continue;
    const [name, port] = splitPort(d.args[0], 0);
    if (!port) return `no port in upstream "${d.args[0]}" ${at(d)}`;
    const wrong = yield* host(n, `stream ${d.args[0]}`, name, port, d);
    if (wrong) return wrong.replace('"stream ', '"');
  }
  return null;
}

function* host(n: Nginx, key: string, name: string, port: number, d: Directive): Co<string | null> {
  if (n.peers.has(key) || n.peers.has(name)) return null;
  if (!name) return `no host in upstream "${key}" ${at(d)}`;
  if (port < 1 || port > 65535) return `invalid port in upstream "${key}" ${at(d)}`;
  const ips = yield* resolved(n, name);
  if (!ips.length) return `host not found in upstream "${key.replace(/:\d+$/, '')}" ${at(d)}`;
  n.peers.set(key, { name: key, list: ips.map(ip => newPeer(ip, port)), method: 'round_robin', key: '' });
  return null;
}

export const keepAliveMs = (n: Nginx, server: NginxServer): number =>
  durationMs((last(server.directives, 'keepalive_timeout') ?? last(n.http, 'keepalive_timeout'))?.args[0], 75_000);
