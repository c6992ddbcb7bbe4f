// --raw: one request by its path, and the answer as it comes (k8s.io/kubectl v0.36.3, pkg/rawhttp).

import type { HttpAnswer, HttpBackend, HttpRequest } from '../apiserver/http/message.ts';
import { httpRequest } from '../apiserver/http/request.ts';
import { failure as statusOf } from '../apiserver/status.ts';
import { bytesToString } from '../sim/bytes.ts';
import type { Pipe } from '../sim/pipe.ts';
import { readAll } from '../sim/pipe.ts';
import { goQuote } from '../sim/quote.ts';
import type { Co } from '../sim/task.ts';
import { bool, type Cmd, connect, flag, isStatus, list, out, userOf } from './command.ts';
import { fail, statusFailure } from './failure.ts';
import { jsonSyntaxError } from './json-scan.ts';
import { lazy } from './lazy.ts';

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

/** Print what the server says to METHOD PATH with the file's text as the body. Throws the server's Status. */
export function* rawRequest(cmd: Cmd, method: string, target: string, body: Uint8Array): Co<void> {
  const groups = list(cmd, 'as-group');
  const user = userOf(cmd);
  const headers: Record<string, string> = { authorization: 'Bearer -', 'user-agent': 'kubectl/v1.36.3', accept: 'application/json, */*' };
  if (user) headers['impersonate-user'] = user;
  if (user && groups.length) headers['impersonate-group'] = groups.join(', ');
  const request: HttpRequest = { method, target, headers, body };
  out(cmd, yield* textOf(cmd, httpRequest(connect(cmd).server, BACKEND, request), target));
}

function* textOf(cmd: Cmd, answer: HttpAnswer, target: string): Co<string> {
  switch (answer.kind) {
    case 'reply':
      return answer.reply.code < 400 ? answer.reply.body : refused(answer.reply.code, answer.reply.body);
    case 'log': {
      const { pod, container } = answer.log;
      const pipe: Pipe | ReturnType<typeof statusOf> =
        connect(cmd).kubelet?.logs(pod, container, answer.log) ?? statusOf(500, 'InternalError', 'no kubelet');
      if (isStatus(pipe)) throw statusFailure(pipe);
      return bytesToString(yield* readAll(cmd.host.sim, pipe));
    }
    case 'connect':
      throw statusFailure(statusOf(400, 'BadRequest', 'Upgrade request required'));
    case 'watch':
      return fail(`podnet does not model get --raw of a watch: "kubectl get --watch" shows what changes`);
    default:
      return fail(`podnet does not model get --raw ${target}: "podnet serve" has the document`);
  }
}

/** A Status as it is; other texts are known by their code alone (apimachinery v0.36.3, pkg/api/errors: NewGenericServerResponse). */
function refused(code: number, body: string): never {
  let status: unknown = null;
  try {
    status = JSON.parse(body);
  } catch {
    // No JSON.
  }
  if (isStatus(status)) throw statusFailure(status);
  if (code === 404) throw statusFailure(statusOf(404, 'NotFound', 'the server could not find the requested resource'));
  throw statusFailure(statusOf(code, '', body.trim()));
}

const METHODS: Record<string, string> = { get: 'GET', create: 'POST', replace: 'PUT', delete: 'DELETE' };

/** `get|create|replace|delete --raw`: its own rules, then the request. */
export function* runRaw(cmd: Cmd): Co<number> {
  const target = flag(cmd, 'raw');
  checkFlags(cmd, target);
  const [file] = cmd.path === 'get' ? [] : list(cmd, 'filename');
  let body: Uint8Array | string = new Uint8Array();
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
