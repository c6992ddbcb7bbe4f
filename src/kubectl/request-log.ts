// -v=6 and above: every request on stderr, as client-go's round trippers log it (k8s.io/client-go v0.36.3, transport/round_trippers.go).
// Bodies and response headers, which the real one adds from -v=8 on, are not logged: nothing here goes over a wire.

import type { ApiRequest, ApiResponse } from '../apiserver/types.ts';
import { contextOf } from './client-config.ts';
import { type Cmd, err, flag, int } from './command.ts';
import { klogTime } from './klog.ts';

const STATUS: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const METHODS: Record<string, string> = { create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE', deletecollection: 'DELETE' };

export function logConfig(cmd: Cmd, path: string): void {
  err(cmd, `I${klogTime(cmd)} loader.go:407] Config loaded from file:  ${path}\n`);
}

/** The path of a request on the server, with its query as url.Values writes it. */
function urlOf(cmd: Cmd, req: ApiRequest): string {
  const parts = [req.group ? `apis/${req.group}` : 'api', req.version];
  if (req.namespace) parts.push('namespaces', encodeURIComponent(req.namespace));
  parts.push(req.resource, ...[req.name, req.subresource].filter(p => p !== undefined).map(p => encodeURIComponent(p as string)));
  const q = req.query ?? {};
  const values: [string, string | undefined][] = [
    ['dryRun', q.dryRun && req.verb !== 'delete' ? 'All' : undefined],
    ['fieldManager', q.fieldManager],
    ['fieldSelector', q.fieldSelector],
    ['fieldValidation', q.fieldValidation],
    ['force', q.force ? 'true' : undefined],
    ['labelSelector', q.labelSelector],
    ['limit', req.verb === 'list' && /^(get|describe)$/.test(cmd.path) ? flag(cmd, 'chunk-size') : undefined],
  ];
  const search = values.flatMap(([k, v]) => (v ? [`${k}=${encodeURIComponent(v)}`] : [])).join('&');
  return `${contextOf(cmd).server}/${parts.join('/')}${search ? `?${search}` : ''}`;
}

const TABLES = ['v1', 'v1beta1'].map(v => `application/json;as=Table;v=${v};g=meta.k8s.io`).join(',');

export function logRequest(cmd: Cmd, req: ApiRequest, response: ApiResponse): void {
  const what = `verb="${METHODS[req.verb] ?? 'GET'}" url="${urlOf(cmd, req)}"`;
  const status = `status="${response.code} ${STATUS[response.code] ?? ''}" milliseconds=1\n`;
  if (int(cmd, 'v') < 7) {
    err(cmd, `I${klogTime(cmd)} round_trippers.go:632] "Response" ${what} ${status}`);
    return;
  }
  const accept = req.as === 'table' ? `${TABLES},application/json` : 'application/json';
  const headers = `\tAccept: ${accept}\n\tUser-Agent: kubectl/v1.36.3 (linux/amd64) kubernetes/$Format\n`;
  err(cmd, `I${klogTime(cmd)} round_trippers.go:527] "Request" ${what} headers=<\n${headers} >\n`);
  err(cmd, `I${klogTime(cmd)} round_trippers.go:632] "Response" ${status}`);
}
