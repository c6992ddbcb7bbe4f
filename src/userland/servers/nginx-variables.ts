// nginx's variables (src/http/ngx_http_variables.c, ngx_http_upstream.c, ngx_http_log_module.c).
import { localPid } from '../../linux/pids.ts';
import { absolute } from '../../linux/vfs.ts';
import { nextU32 } from '../../sim/random.ts';
import { formatIp } from '../../wire/ip.ts';
import { header } from '../http.ts';
import { percentDecode } from '../url.ts';
import { clfTime, slashTime } from './daemon.ts';
import type { Directive } from './nginx-directives.ts';
import { hostOf, plain, type Scope, setting } from './nginx-scope.ts';

const ms = (n: number) => (n / 1000).toFixed(3);
/** Of every server that was tried, in order. */
const tried = (s: Scope, f: (u: Scope['upstreams'][number]) => string) => s.upstreams.map(f).join(', ');

/** Where `root` or `alias` puts a path. */
export function fileFor(s: Scope, path: string): string {
  const own = s.levels.find(level => level.some(d => d.name === 'alias' || d.name === 'root'));
  const alias = own?.findLast(d => d.name === 'alias');
  if (!alias) return documentRoot(s) + path;
  const [d] = s.chain;
  const name = d?.args.length === 1 ? d.args[0] : '';
  const isPattern = (d?.args.length ?? 0) > 1 && /^~/.test(d.args[0]);
  const prefix = isPattern ? path : d && d.args.length > 1 ? d.args[1] : name;
  return (
    absolute(expand(s, alias.args[0]), '/etc/nginx') + (alias.args[0].endsWith('/') && !isPattern ? '/' : '') + path.slice(prefix.length)
  );
}

const documentRoot = (s: Scope) => {
  const d = setting(s, 'root');
  return d ? absolute(expand(s, d.args[0]), '/etc/nginx').replace(/\/$/, '') : '/etc/nginx/html';
};

/** $proxy_host and $proxy_port: what proxy_pass says. */
function passed(s: Scope): [host: string, port: string] {
  const d: Directive | undefined = s.chain[0]?.block?.find(x => x.name === 'proxy_pass');
  const m = /^(https?):\/\/([^/]*)/.exec(d ? expand(s, d.args[0]) : '');
  return m ? [m[2], /:(\d+)$/.exec(m[2])?.[1] ?? (m[1] === 'https' ? '443' : '80')] : ['', ''];
}

const VARIABLES: Record<string, (s: Scope) => string> = {
  request_method: s => s.req.method,
  scheme: s => (s.ssl ? 'https' : 'http'),
  https: s => (s.ssl ? 'on' : ''),
  host: s => hostOf(s.req) || s.server.names[0] || s.n.hostname,
  request_uri: s => s.req.target,
  uri: s => s.path,
  document_uri: s => s.path,
  args: s => s.args,
  query_string: s => s.args,
  is_args: s => (s.args ? '?' : ''),
  remote_addr: s => formatIp(s.realIp ?? plain(s.req.remote)),
  realip_remote_addr: s => formatIp(plain(s.req.remote)),
  binary_remote_addr: s => String.fromCharCode(...(s.realIp ?? plain(s.req.remote))),
  remote_port: s => String(s.req.remotePort),
  remote_user: s => s.user ?? '',
  server_addr: s => formatIp(plain(s.req.local)),
  server_port: s => String(s.req.localPort),
  server_protocol: s => (s.http2 ? 'HTTP/2.0' : s.req.version),
  http2: s => (s.http2 ? 'h2' : ''),
  server_name: s => s.server.names[0] ?? '',
  hostname: s => s.n.hostname,
  nginx_version: s => s.n.version,
  pid: s => String(localPid(s.n.p) + 28),
  time_local: s => clfTime(s.n.p.kernel.sim.nowMs),
  time_iso8601: s => slashTime(s.n.p.kernel.sim.nowMs).replaceAll('/', '-').replace(' ', 'T').concat('+00:00'),
  msec: s => ms(s.n.p.kernel.sim.nowMs),
  request: s => (s.req.method ? `${s.req.method} ${s.req.target} ${s.http2 ? 'HTTP/2.0' : s.req.version}` : '\x16\x03\x01'),
  request_id: s => {
    const id =
      s.vars.get(' id') ?? Array.from({ length: 4 }, () => nextU32(s.n.p.kernel.sim.random).toString(16).padStart(8, '0')).join('');
    s.vars.set(' id', id);
    return id;
  },
  request_body: s => String.fromCharCode(...s.req.body),
  request_length: s =>
    String(
      `${s.req.method} ${s.req.target} ${s.req.version}\r\n`.length +
        s.req.headers.reduce((sum, [k, v]) => sum + k.length + v.length + 4, 2) +
        s.req.body.length,
    ),
  request_time: s => ms(s.n.p.kernel.sim.nowMs - s.startMs),
  request_completion: s => (s.reply ? 'OK' : ''),
  request_filename: s => fileFor(s, s.path),
  document_root: documentRoot,
  realpath_root: documentRoot,
  status: s => (s.reply ? String(s.reply.status).padStart(3, '0') : '000'),
  body_bytes_sent: s => String(s.bodyBytes),
  bytes_sent: s => String(s.bodyBytes + s.headBytes),
  connection: s => String(s.number),
  connection_requests: () => '1',
  connections_active: () => '1',
  pipe: () => '.',
  content_length: s => header(s.req.headers, 'Content-Length') ?? '',
  content_type: s => header(s.req.headers, 'Content-Type') ?? '',
  ssl_protocol: s => (s.ssl ? 'TLSv1.3' : ''),
  ssl_cipher: s => (s.ssl ? 'TLS_AES_256_GCM_SHA384' : ''),
  ssl_server_name: s => (s.ssl ? hostOf(s.req) : ''),
  limit_rate: () => '0',
  gzip_ratio: () => '',
  proxy_host: s => passed(s)[0],
  proxy_port: s => passed(s)[1],
  proxy_add_x_forwarded_for: s =>
    [header(s.req.headers, 'X-Forwarded-For'), formatIp(s.realIp ?? plain(s.req.remote))].filter(Boolean).join(', '),
  upstream_addr: s => tried(s, u => u.addr),
  upstream_status: s => tried(s, u => String(u.status)),
  upstream_response_time: s => tried(s, u => ms(u.responseMs)),
  upstream_connect_time: s => tried(s, u => (u.connectMs < 0 ? '-' : ms(u.connectMs))),
  upstream_header_time: s => tried(s, u => (u.headerMs < 0 ? '-' : ms(u.headerMs))),
  upstream_response_length: s => tried(s, u => String(u.length)),
  upstream_bytes_received: s => tried(s, u => String(u.length)),
  upstream_cache_status: () => '',
};

const dashed = (name: string) => name.replaceAll('_', '-');

/** Families of variables, by the beginning of their names. */
const FAMILIES: [prefix: string, value: (s: Scope, name: string) => string][] = [
  ['upstream_http_', (s, name) => header(s.upstreams.at(-1)?.headers ?? [], dashed(name)) ?? ''],
  ['upstream_cookie_', (s, name) => cookie(header(s.upstreams.at(-1)?.headers ?? [], 'Set-Cookie') ?? '', name)],
  ['sent_http_', (s, name) => header(s.reply?.headers ?? [], dashed(name)) ?? ''],
  ['sent_trailer_', () => ''],
  [
    'http_',
    (s, name) =>
      s.req.headers
        .filter(([n]) => n.toLowerCase() === dashed(name))
        .map(([, v]) => v)
        .join(', '),
  ],
  ['cookie_', (s, name) => cookie(header(s.req.headers, 'Cookie') ?? '', name)],
  ['arg_', (s, name) => argument(s.args, name)],
];

function cookie(text: string, name: string): string {
  const found = text.split(/;\s*/).find(c => c.toLowerCase().startsWith(`${name.toLowerCase()}=`));
  return found?.slice(name.length + 1) ?? '';
}

/** As it was written: nginx does not decode it. */
function argument(args: string, name: string): string {
  const found = args.split('&').find(a => a.toLowerCase().startsWith(`${name.toLowerCase()}=`));
  return found?.slice(name.length + 1) ?? '';
}

let uninitialized: (s: Scope, name: string) => void = () => {};
/** The log reads variables too: it says here what becomes of one that no `set` has come to. */
export const onUninitialized = (tell: typeof uninitialized): void => {
  uninitialized = tell;
};

/** Does nginx itself give a value to this name? */
export const isBuiltIn = (name: string): boolean =>
  Object.hasOwn(VARIABLES, name) || /^[1-9]$/.test(name) || FAMILIES.some(([prefix]) => name.startsWith(prefix));

export function variable(s: Scope, name: string): string {
  if (/^\d$/.test(name)) return s.captures[Number(name)] ?? '';
  const given = s.vars.get(name);
  if (given !== undefined) return given;
  const made = s.n.made.get(name);
  if (made) return made.value(s, expand(s, made.source));
  if (Object.hasOwn(VARIABLES, name)) return VARIABLES[name](s);
  if (s.n.assigned.has(name)) {
    uninitialized(s, name);
    return '';
  }
  const family = FAMILIES.find(([prefix]) => name.startsWith(prefix));
  return family ? family[1](s, name.slice(family[0].length)) : '';
}

export const VARIABLE = /\$\{(\w+)\}|\$(\w+)/g;

/** `$name` and `${name}` in a directive's argument. `each`: what is done to every value on its way into the text. */
export function expand(s: Scope, text: string, each: (value: string) => string = v => v): string {
  // $1x is the first capture and an x.
  return text.replace(/\$\{(\w+)\}|\$(\d)|\$([A-Za-z_]\w*)/g, (_, a, b, c) => each(variable(s, a ?? b ?? c)));
}

/** A pattern matched: its groups are $1 … $9, those with names variables. */
export function capture(s: Scope, m: RegExpExecArray): void {
  s.captures = [...m].map(x => x ?? '');
  for (const [name, value] of Object.entries(m.groups ?? {})) s.vars.set(name, value ?? '');
}

export const decodePath = (path: string): string => percentDecode(path);
