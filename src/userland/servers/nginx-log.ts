// nginx's two logs: errors (src/core/ngx_log.c) and accesses (src/http/modules/ngx_http_log_module.c).
import { localPid } from '../../linux/pids.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { absolute, lookup, writeFile } from '../../linux/vfs.ts';
import { formatIp } from '../../wire/ip.ts';
import { header } from '../http.ts';
import { slashTime } from './daemon.ts';
import type { Directive } from './nginx-directives.ts';
import { last, type Nginx, plain, type Scope, settings } from './nginx-scope.ts';
import { expand, onUninitialized } from './nginx-variables.ts';

const LEVELS = ['debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'];

/** The images link their logs to the container's streams. */
function writeLog(p: Process, path: string, text: string): void {
  const node = lookup(p.fs, path, null, false);
  const target = typeof node !== 'string' && node.kind === 'symlink' ? node.target : path;
  if (/stdout$|fd\/1$/.test(target)) print(p, text);
  else if (/stderr$|fd\/2$/.test(target)) complain(p, text);
  else writeFile(p.fs, path, text, p, true);
}

const masterPid = (p: Process) => `${localPid(p)}#${localPid(p)}`;
/** The image starts its workers as the 29th process and on: the entrypoint's scripts came before. */
const workerPid = (p: Process) => `${localPid(p) + 28}#${localPid(p) + 28}`;

const DEFAULT_ERROR_LOG = '/var/log/nginx/error.log';

function toErrorLog(p: Process, d: Directive | undefined, level: string, pid: string, text: string, usual = 'error'): void {
  const [path = DEFAULT_ERROR_LOG, least = usual] = d?.args ?? [];
  if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
  const line = `${slashTime(p.kernel.sim.nowMs)} [${level}] ${pid}: ${text}\n`;
  if (path === 'stderr') complain(p, line);
  else writeLog(p, absolute(path, '/etc/nginx'), line);
}

/** The master's word, to the log of the main block. */
export const notice = (n: { p: Process; main: Directive[] }, text: string, level = 'notice'): void =>
  toErrorLog(n.p, last(n.main, 'error_log'), level, masterPid(n.p), text);

/** Before its own log is known: the log it was built with. */
export const startNotice = (p: Process, text: string, level: string): void => toErrorLog(p, undefined, level, masterPid(p), text, 'notice');

/** A word about one request, with what nginx adds to each (ngx_http_log_error_handler). */
export function requestLog(s: Scope, level: string, text: string, more = ''): void {
  const host = header(s.req.headers, 'Host');
  const parts = [
    `client: ${formatIp(plain(s.req.remote))}`,
    `server: ${s.server.names[0] ?? ''}`,
    `request: "${s.req.method} ${s.req.target} ${s.http2 ? 'HTTP/2.0' : s.req.version}"`,
    ...(more ? [more] : []),
    ...(host === undefined ? [] : [`host: "${host}"`]),
  ];
  const d = settings(s, 'error_log')[0] ?? last(s.n.main, 'error_log');
  toErrorLog(s.n.p, d, level, workerPid(s.n.p), `*${s.number} ${text}, ${parts.join(', ')}`);
}

/** A word about one connection of a stream server. */
export const connectionLog = (n: Nginx, level: string, text: string): void =>
  toErrorLog(n.p, last(n.stream, 'error_log') ?? last(n.main, 'error_log'), level, workerPid(n.p), text);

const COMBINED = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

const hex2 = (c: string) => c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');

const ESCAPES: Record<string, (v: string) => string> = {
  // An empty value is a dash, and what could break the line is written in hexadecimal.
  default: v => (v === '' ? '-' : v.replace(/["\\\x00-\x1f\x7f]/g, c => `\\x${hex2(c)}`)),
  json: v => JSON.stringify(v).slice(1, -1),
  none: v => v,
};

export function accessLog(s: Scope): void {
  const logs = settings(s, 'access_log');
  const list: string[][] = logs.length ? logs.map(d => d.args) : [['/var/log/nginx/access.log']];
  if (list.some(([path]) => path === 'off')) return;
  for (const [path, name, ...options] of list) {
    const condition = options.find(o => o.startsWith('if='));
    if (condition && ['', '0'].includes(expand(s, condition.slice(3)))) continue;
    const format = s.n.formats.get(name && !name.includes('=') ? name : 'combined') ?? { text: COMBINED, escape: 'default' };
    writeLog(s.n.p, absolute(expand(s, path), '/etc/nginx'), `${expand(s, format.text, ESCAPES[format.escape])}\n`);
  }
}

onUninitialized((s, name) => requestLog(s, 'warn', `using uninitialized "${name}" variable`));
