// What a request to nginx is answered from: the server block, the location, inherited directives, variables.

import { localPid } from '../../linux/pids.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { lookup, writeFile } from '../../linux/vfs.ts';
import { nextU32 } from '../../sim/random.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import { header } from '../http.ts';
import type { Served } from '../http-server.ts';
import { splitTarget } from '../url.ts';
import { clfTime, slashTime } from './daemon.ts';
import type { Directive } from './nginx-conf.ts';

export interface NginxServer {
  directives: Directive[];
  names: string[];
  listens: { address: Ip | null; port: number; isDefault: boolean; ssl: boolean; backlog: number }[];
}

export interface Nginx {
  p: Process;
  version: string;
  servers: NginxServer[];
  http: Directive[];
  upstreams: Map<string, string[]>;
  mime: Map<string, string>;
  hostname: string;
  /** Round robin positions of upstream groups. */
  turns: Map<string, number>;
  requests: number;
}

export const all = (list: Directive[], name: string) => list.filter(d => d.name === name);
export const last = (list: Directive[], name: string) => list.findLast(d => d.name === name);

export function notice(p: Process, text: string, level = 'notice'): void {
  writeLog(p, '/var/log/nginx/error.log', `${slashTime(p.kernel.sim.nowMs)} [${level}] ${pids(p)}: ${text}\n`);
}

/** The images link their logs to the container's streams. */
export function writeLog(p: Process, path: string, text: string): void {
  const node = lookup(p.fs, path, null, false);
  if (typeof node !== 'string' && node.kind === 'symlink') {
    if (/stdout|fd\/1/.test(node.target)) print(p, text);
    else complain(p, text);
  } else writeFile(p.fs, path, text, p, true);
}

export const pids = (p: Process) => `${localPid(p)}#${localPid(p)}`;

/** IPv4 inside IPv6 is shown as IPv4. */
export const plain = (a: Ip): Ip =>
  a.length === 16 && a.subarray(0, 10).every(b => b === 0) && a[10] === 255 && a[11] === 255 ? a.subarray(12) : a;

export const hostOf = (req: Served): string =>
  (header(req.headers, 'Host') ?? '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();

/** The server block for a request: by port, then by name; else the port's default. */
export function serverFor(n: Nginx, req: Served): NginxServer {
  const here = n.servers.filter(s => s.listens.some(l => l.port === req.localPort));
  const host = hostOf(req);
  const exact = here.find(s => s.names.some(name => name.toLowerCase() === host));
  const wild = here.find(s =>
    s.names.some(
      name =>
        (name.startsWith('*.') && host.endsWith(name.slice(1))) ||
        (name.startsWith('.') && (host.endsWith(name) || host === name.slice(1))),
    ),
  );
  const tail = here.find(s => s.names.some(name => name.endsWith('.*') && host.startsWith(name.slice(0, -1))));
  const pattern = here.find(s => s.names.some(name => name.startsWith('~') && matches(name.slice(1), host)));
  return (
    exact ??
    wild ??
    tail ??
    pattern ??
    here.find(s => s.listens.some(l => l.isDefault && l.port === req.localPort)) ??
    here[0] ??
    n.servers[0]
  );
}

export function matches(pattern: string, text: string, insensitive = false): boolean {
  try {
    return new RegExp(pattern, insensitive ? 'i' : '').test(text);
  } catch {
    return false;
  }
}

/** Exact, then the longest prefix unless a regular expression takes it (ngx_http_core_find_location). */
export function locationFor(list: Directive[], path: string): Directive | null {
  let best: Directive | null = null;
  let length = -1;
  for (const d of all(list, 'location')) {
    const [a, b] = d.args.length > 1 ? d.args : ['', d.args[0]];
    if (a === '=' && b === path) return d;
    if ((a === '' || a === '^~') && path.startsWith(b) && b.length > length) {
      best = d;
      length = b.length;
    }
  }
  if (best?.args[0] === '^~') return best;
  const pattern = all(list, 'location').find(
    d => (d.args[0] === '~' || d.args[0] === '~*') && matches(d.args[1], path, d.args[0] === '~*'),
  );
  return pattern ?? best;
}

/** Everything one request is answered from: the location's directives before the server's before http's. */
export interface Scope {
  n: Nginx;
  req: Served;
  path: string;
  uri: string;
  location: Directive | null;
  levels: Directive[][];
}

export const setting = (s: Scope, name: string): Directive | undefined => {
  for (const level of s.levels) {
    const d = last(level, name);
    if (d) return d;
  }
  return undefined;
};

export function settings(s: Scope, name: string): Directive[] {
  return s.levels.map(level => all(level, name)).find(list => list.length) ?? [];
}

/** `$name` and `${name}` in a directive's argument. */
export function expand(s: Scope, text: string): string {
  return text.replace(/\$\{(\w+)\}|\$(\w+)/g, (_, a, b) => variable(s, a ?? b));
}

function variable(s: Scope, name: string): string {
  const { req, n } = s;
  const host = header(req.headers, 'Host') ?? '';
  const simple: Record<string, () => string> = {
    request_method: () => req.method,
    scheme: () => 'http',
    http_host: () => host,
    host: () => hostOf(req) || n.hostname,
    request_uri: () => req.target,
    uri: () => s.path,
    document_uri: () => s.path,
    args: () => (req.target.includes('?') ? req.target.slice(req.target.indexOf('?') + 1) : ''),
    query_string: () => (req.target.includes('?') ? req.target.slice(req.target.indexOf('?') + 1) : ''),
    is_args: () => (req.target.includes('?') ? '?' : ''),
    remote_addr: () => formatIp(plain(req.remote)),
    remote_port: () => String(req.remotePort),
    server_addr: () => formatIp(plain(req.local)),
    server_port: () => String(req.localPort),
    server_protocol: () => req.version,
    server_name: () => serverFor(n, req).names[0] ?? '',
    hostname: () => n.hostname,
    nginx_version: () => n.version,
    time_local: () => clfTime(n.p.kernel.sim.nowMs),
    time_iso8601: () => slashTime(n.p.kernel.sim.nowMs).replaceAll('/', '-').replace(' ', 'T').concat('+00:00'),
    msec: () => (n.p.kernel.sim.nowMs / 1000).toFixed(3),
    request: () => `${req.method} ${req.target} ${req.version}`,
    request_id: () => Array.from({ length: 4 }, () => nextU32(n.p.kernel.sim.random).toString(16).padStart(8, '0')).join(''),
    request_body: () => String.fromCharCode(...req.body),
    proxy_host: () => '',
    proxy_add_x_forwarded_for: () => [header(req.headers, 'X-Forwarded-For'), formatIp(plain(req.remote))].filter(Boolean).join(', '),
    content_length: () => header(req.headers, 'Content-Length') ?? '',
    content_type: () => header(req.headers, 'Content-Type') ?? '',
  };
  if (simple[name]) return simple[name]();
  const custom = s.levels.flatMap(level => all(level, 'set')).find(d => d.args[0] === `$${name}`);
  if (custom) return expand(s, custom.args[1]);
  if (name.startsWith('http_')) return header(req.headers, name.slice(5).replaceAll('_', '-')) ?? '';
  if (name.startsWith('arg_')) return splitTarget(req.target).query.get(name.slice(4))?.[0] ?? '';
  return '';
}
