// kubectl proxy (k8s.io/kubectl v0.36.3, pkg/cmd/proxy, pkg/proxy).

import { joinPath } from '../../apiserver/http/go-url.ts';
import { decodePart } from '../../apiserver/http/message.ts';
import { compile } from '../../apiserver/regexp.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { contextOf } from '../client-config.ts';
import { bool, type Cmd, connect, flag, int, klogWarning, out } from '../command.ts';
import { exitFailure, fail } from '../failure.ts';
import type { ProxyRequest, ProxyVerdict } from '../host.ts';
import { klogTime } from '../klog.ts';

const DEFAULT_PORT = 8001;

interface Filter {
  acceptPaths: RegExp[];
  rejectPaths: RegExp[];
  acceptHosts: RegExp[];
  rejectMethods: RegExp[];
}

/** What is served: the API below one prefix, files below another. */
interface Served {
  api: string;
  filter: Filter | null;
  /** What goes before every path on the server. */
  serverPath: string;
  files: { prefix: string; folder: string } | null;
}

export function* run(cmd: Cmd): Co<number> {
  const { host } = cmd;
  const served = servedOf(cmd);
  const socket = flag(cmd, 'unix-socket');
  if (int(cmd, 'port') !== DEFAULT_PORT && socket) fail('cannot set --unix-socket and --port at the same time');
  checkFolder(cmd);
  connect(cmd);
  if (!host.serveApi) return fail('podnet cannot listen on ports here');
  const [address, port] = [flag(cmd, 'address'), int(cmd, 'port')];
  // Go wants an address with colons in brackets, and puts none there itself.
  if (!socket && address.includes(':') && !/^\[.*\]$/.test(address))
    fail(`listen tcp: address ${address}:${port}: too many colons in address`);
  if (!socket && (port < 0 || port > 65_535)) fail(`listen tcp: address ${port}: invalid port`);
  const where = socket ? { socket } : { address: address.replace(/^\[(.*)\]$/, '$1'), port };
  const { cluster, server } = contextOf(cmd);
  const l = yield* host.serveApi(where, { name: flag(cmd, 'server') ? '' : cluster, server }, r => verdictOf(r, served));
  if (typeof l === 'string') return fail(`listen ${socket ? `unix ${socket}` : `tcp ${address}:${port}`}: ${l}`);
  try {
    out(cmd, `Starting to serve on ${l.at}\n`);
    for (;;) yield* waitOn(host.sim, [new Set()]);
  } finally {
    l.close();
  }
}

const slashed = (prefix: string): string => (prefix.endsWith('/') ? prefix : `${prefix}/`);

/** Complete: what the flags say, and what it warns of. */
function servedOf(cmd: Cmd): Served {
  const path = contextOf(cmd)
    .server.replace(/^[a-z]+:\/\/[^/]*/, '')
    .replace(/\/$/, '');
  const append = bool(cmd, 'append-server-path');
  if (path && !append) {
    const hint = 'use --append-server-path to automatically append the path to each request';
    klogWarning(cmd, 'proxy.go:172', `Your kube context contains a server path ${path}, ${hint}`);
  }
  const disabled = bool(cmd, 'disable-filter');
  if (disabled && !flag(cmd, 'unix-socket'))
    klogWarning(cmd, 'proxy.go:177', 'Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious');
  const folder = flag(cmd, 'www');
  return {
    api: slashed(flag(cmd, 'api-prefix')),
    filter: disabled ? null : filterOf(cmd),
    serverPath: append ? path : '',
    files: folder ? { prefix: slashed(flag(cmd, 'www-prefix')), folder } : null,
  };
}

/** Validate: a folder that is not there is served all the same, as one that is empty. */
function checkFolder(cmd: Cmd): void {
  const folder = flag(cmd, 'www');
  if (!folder) return;
  const found = cmd.host.stat(folder);
  if (typeof found === 'string')
    klogWarning(
      cmd,
      'proxy.go:200',
      `Failed to stat static file directory ${folder}: stat ${folder}: ${found === 'EACCES' ? 'permission denied' : 'no such file or directory'}`,
    );
  else if (typeof cmd.host.listDir(folder) === 'string')
    klogWarning(cmd, 'proxy.go:202', `Static file directory ${folder} is not a directory`);
}

function filterOf(cmd: Cmd): Filter {
  const expressions = (name: string) => {
    const texts = flag(cmd, name);
    return texts === '' ? [] : texts.split(',').map(text => compile(text) ?? brokenExpression(cmd, text));
  };
  return {
    acceptPaths: expressions('accept-paths'),
    rejectPaths: expressions('reject-paths'),
    acceptHosts: expressions('accept-hosts'),
    rejectMethods: expressions('reject-methods'),
  };
}

/** klog.Fatalf, without the stacks of its goroutines. */
function brokenExpression(cmd: Cmd, text: string): never {
  const repetition = /^[*+?]/.exec(text)?.[0];
  let why = `invalid or unsupported Perl syntax: \`${text}\``;
  if (repetition) why = `missing argument to repetition operator: \`${repetition}\``;
  else if (/\[[^\]]*$/.test(text)) why = `missing closing ]: \`${text.slice(text.lastIndexOf('['))}\``;
  else if ((text.match(/\(/g) ?? []).length > (text.match(/\)/g) ?? []).length) why = `missing closing ): \`${text}\``;
  else if ((text.match(/\(/g) ?? []).length < (text.match(/\)/g) ?? []).length) why = `unexpected ): \`${text}\``;
  throw exitFailure(255, `F${klogTime(cmd)} proxy_server.go:83] Error compiling re: error parsing regexp: ${why}\n`);
}

/** http.Error */
const plain = (status: number, text: string): ProxyVerdict => ({
  status,
  headers: [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
  ],
  body: `${text}\n`,
});

/** http.ServeMux over the two prefixes (net/http/server.go, Go 1.26): the longer one that fits; other spellings of a path are sent to it. */
function verdictOf(r: ProxyRequest, s: Served): ProxyVerdict {
  const [, path, query] = /^([^?]*)(.*)$/s.exec(r.target) as RegExpExecArray;
  const joined = joinPath('/', path);
  const clean = path.endsWith('/') ? slashed(joined) : joined;
  const prefixes = [s.api, ...(s.files ? [s.files.prefix] : [])];
  if (!clean.endsWith('/') && prefixes.includes(`${clean}/`)) return redirect(r.method, `${clean}/${query}`);
  if (clean !== path) return redirect(r.method, `${clean}${query}`);
  const fits = prefixes.filter(p => path.startsWith(p)).sort((a, b) => b.length - a.length)[0];
  if (fits === undefined) return plain(404, '404 page not found');
  if (fits === s.files?.prefix) return { folder: s.files.folder, path: decodePart(path.slice(fits.length)), query };
  // One of the API's own prefixes stays (NewProxyHandler).
  const target = s.api.startsWith('/api') ? path : path.slice(s.api.length - 1);
  if (s.filter && !accepts(s.filter, r.method, decodePart(target), r.host)) return plain(403, 'Forbidden');
  return { target: `${s.serverPath}${target}${query}` };
}

function accepts(f: Filter, method: string, path: string, hostHeader: string): boolean {
  const m = /^(?:\[(.*)\]|([^:]*)):\d*$/.exec(hostHeader);
  const host = m ? (m[1] ?? m[2]) : hostHeader;
  const any = (of: RegExp[], text: string) => of.some(x => x.test(text));
  return !any(f.rejectPaths, path) && !any(f.rejectMethods, method) && any(f.acceptPaths, path) && any(f.acceptHosts, host);
}

function redirect(method: string, to: string): ProxyVerdict {
  const shown = to.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&#34;').replace(/'/g, '&#39;');
  const told = method === 'GET' || method === 'HEAD';
  return {
    status: 307,
    headers: [['Location', to], ...(told ? ([['Content-Type', 'text/html; charset=utf-8']] as [string, string][]) : [])],
    body: method === 'GET' ? `<a href="${shown}">Temporary Redirect</a>.\n\n` : '',
  };
}
