// --raw: one request by its path, and the answer as it comes (k8s.io/kubectl v0.36.3, pkg/rawhttp).

import { escapePath, parseGoUrl, resolveGoUrl } from '../apiserver/http/go-url.ts';
import { decodePart, type HttpBackend, type HttpRequest, parseQuery } from '../apiserver/http/message.ts';
import { httpRequest } from '../apiserver/http/request.ts';
import { failure as statusOf } from '../apiserver/status.ts';
import type { ProxiedReply } from '../apiserver/types.ts';
import { bytesToString, stringToBytes } from '../sim/bytes.ts';
import { type Pipe, readAll, writePipe } from '../sim/pipe.ts';
import { goQuote } from '../sim/quote.ts';
import { uuid } from '../sim/random.ts';
import type { Co } from '../sim/task.ts';
import { contextOf } from './client-config.ts';
import { bool, type Cmd, connect, flag, isStatus, list, userOf } from './command.ts';
import { exitFailure, fail, statusFailure } from './failure.ts';
import { jsonSyntaxError } from './json-scan.ts';
import { lazy } from './lazy.ts';
import { responseError } from './response-error.ts';

/** The caller has a certificate: whatever is asked comes from the user that it names. */
const BACKEND: HttpBackend = {
  userOfToken: () => 'kubernetes-admin',
  fromYaml: text => {
    const [first] = [...lazy('manifest').documents(text)];
    return first && 'value' in first ? { value: first.value } : { error: first && 'error' in first ? first.error : '' };
  },
  toYaml: value => lazy('yaml').toYaml(value),
  jsonError: text => jsonSyntaxError(text).text,
};

/** Go's net/http follows no more (client.go, defaultCheckRedirect). */
const MOST_REDIRECTS = 10;

interface Answer {
  code: number;
  type: string;
  location: string | undefined;
  body: Uint8Array;
}

/** Print what the server says to METHOD PATH with the file's text as the body. Throws the server's Status. */
function* rawRequest(cmd: Cmd, method: string, target: string, body: Uint8Array | null): Co<void> {
  const origin = contextOf(cmd).server;
  let request = requestFor(cmd, origin, method, requestUri(target), body);
  for (let hops = 0; ; hops++) {
    const got = yield* answerTo(cmd, request);
    const next = redirected(request, got);
    if (!next) {
      if (got.code < 200 || got.code > 299) throw statusFailure(responseError(method, got.code, got.type, got.body));
      writePipe(cmd.host.stdout, got.body);
      return;
    }
    if (hops === MOST_REDIRECTS) throw exitFailure(1, `Unable to connect to the server: stopped after ${MOST_REDIRECTS} redirects\n`);
    request = { ...next, headers: { ...next.headers, referer: `${origin}${request.target}` } };
  }
}

/** As Request.RequestURI takes a URL apart and puts it together again: the path without its escapes, the query's keys in order. */
function requestUri(target: string): string {
  const [, path, search] = /^([^?]*)\??(.*)$/s.exec(target) as RegExpExecArray;
  const encode = (s: string) =>
    encodeURIComponent(s)
      .replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
      .replace(/%20/g, '+');
  const keys = [...parseQuery(search)].sort(([a], [b]) => (a < b ? -1 : 1));
  const query = keys.flatMap(([key, values]) => values.map(v => `${encode(key)}=${encode(v)}`)).join('&');
  return `${escapePath(decodePart(path))}${query ? `?${query}` : ''}`;
}

/** `body` null: there is none; a file's length is not told. */
function requestFor(cmd: Cmd, origin: string, method: string, target: string, body: Uint8Array | null): HttpRequest {
  const groups = list(cmd, 'as-group');
  const user = userOf(cmd);
  const host = origin.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  const headers: Record<string, string> = {
    host,
    authorization: 'Bearer -',
    'user-agent': 'kubectl/v1.36.3 (linux/amd64) kubernetes/$Format',
    accept: 'application/json, */*',
    'accept-encoding': 'gzip',
    'kubectl-command': `kubectl ${cmd.path}`,
  };
  if (body) headers['transfer-encoding'] = 'chunked';
  if (user) headers['impersonate-user'] = user;
  if (user && groups.length) headers['impersonate-group'] = groups.join(', ');
  // Whoever has the administrator's kubeconfig sits where kubeadm left it: on the control plane.
  return { method, target, headers, body: body ?? new Uint8Array(), remote: host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '') };
}

/** Where the answer sends the client on to (net/http, client.go, redirectBehavior); null: nowhere. */
function redirected(request: HttpRequest, got: Answer): HttpRequest | null {
  const { method, body } = request;
  if (!got.location || ![301, 302, 303, 307, 308].includes(got.code)) return null;
  const keeps = got.code === 307 || got.code === 308;
  // A file's text is not read twice.
  if (keeps && body.length) return null;
  const url = parseGoUrl(got.location);
  if (!url) throw exitFailure(1, `Unable to connect to the server: failed to parse Location header ${goQuote(got.location)}\n`);
  const { host, target } = resolveGoUrl(request.target, url);
  if (host !== null && host !== request.headers.host)
    return fail(`podnet's kubectl follows no redirects away from the API server: ${goQuote(got.location)}`);
  return keeps || method === 'GET' || method === 'HEAD'
    ? { ...request, target }
    : { ...request, method: 'GET', target, body: new Uint8Array() };
}

function* answerTo(cmd: Cmd, request: HttpRequest): Co<Answer> {
  const { target } = request;
  const answer = httpRequest(connect(cmd).server, BACKEND, request);
  const text = (body: string): Answer => ({ code: 200, type: 'text/plain', location: undefined, body: stringToBytes(body) });
  switch (answer.kind) {
    case 'reply':
      return shown({ ...answer.reply, body: stringToBytes(answer.reply.body) });
    case 'proxy':
      // Asking for the kubelets brings the cluster's machines up.
      void connect(cmd).kubelet;
      request.headers['kubectl-session'] = uuid(cmd.host.sim.random);
      return shown(yield* answer.proxy());
    case 'log': {
      const { pod, container } = answer.log;
      const pipe: Pipe | ReturnType<typeof statusOf> =
        connect(cmd).kubelet?.logs(pod, container, answer.log) ?? statusOf(500, 'InternalError', 'no kubelet');
      if (isStatus(pipe)) throw statusFailure(pipe);
      return text(bytesToString(yield* readAll(cmd.host.sim, pipe)));
    }
    case 'connect':
      throw statusFailure(statusOf(400, 'BadRequest', 'Upgrade request required'));
    case 'abort':
      throw exitFailure(1, 'Unable to connect to the server: stream error: stream ID 1; INTERNAL_ERROR; received from peer\n');
    case 'watch':
      return fail(`podnet does not model get --raw of a watch: "kubectl get --watch" shows what changes`);
    default:
      return fail(`podnet does not model get --raw ${target}: "podnet serve" has the document`);
  }
}

function shown({ code, headers, body }: ProxiedReply): Answer {
  const header = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  return { code, type: header('content-type') ?? '', location: header('location'), body };
}

const METHODS: Record<string, string> = { get: 'GET', create: 'POST', replace: 'PUT', delete: 'DELETE' };

/** `get|create|replace|delete --raw`: its own rules, then the request. */
export function* runRaw(cmd: Cmd): Co<number> {
  const target = flag(cmd, 'raw');
  checkFlags(cmd, target);
  const [file] = cmd.path === 'get' ? [] : list(cmd, 'filename');
  let body: Uint8Array | string | null = null;
  if (file === '-') body = yield* readAll(cmd.host.sim, cmd.host.stdin);
  else if (file !== undefined) body = cmd.host.readFile(file);
  if (typeof body === 'string') return fail(`open ${file}: ${body === 'ENOENT' ? 'no such file or directory' : 'permission denied'}`);
  yield* rawRequest(cmd, METHODS[cmd.path], target, body);
  return 0;
}

function checkFlags(cmd: Cmd, target: string): void {
  const exclusive = (name: string) => fail(`--raw and --${name} are mutually exclusive`);
  if (cmd.path === 'get') {
    if (cmd.args.length) fail('arguments may not be passed when --raw is specified');
    if (bool(cmd, 'watch') || bool(cmd, 'watch-only') || flag(cmd, 'selector'))
      fail('--raw may not be specified with other flags that filter the server request or alter the output');
    if (flag(cmd, 'output')) exclusive('output');
  } else {
    const files = list(cmd, 'filename');
    if (cmd.path === 'create' && bool(cmd, 'edit')) exclusive('edit');
    if (cmd.path === 'delete' ? files.length > 1 : files.length !== 1) fail('--raw can only use a single local file or stdin');
    if (/^https?:\/\//.test(files[0] ?? '')) fail('--raw cannot read from a url');
    if (bool(cmd, 'recursive')) exclusive('recursive');
    if (cmd.path === 'create' && flag(cmd, 'selector')) exclusive('selector (-l)');
    if (flag(cmd, 'output')) exclusive('output');
  }
  if (!target.startsWith('/')) fail(`--raw must be a valid URL path: parse ${goQuote(target)}: invalid URI for request`);
}
