// What every verb works with: its flags, its arguments, the cluster and the streams.

import type { ApiRequest, ApiResponse, KubeList, KubeObject, Status, Table } from '../apiserver/types.ts';
import { writePipe } from '../sim/pipe.ts';
import { goQuote } from '../sim/quote.ts';
import { checkClient, contextOf, entriesOf, unreachable } from './client-config.ts';
import { fail, failure, statusFailure } from './failure.ts';
import { type ParsedFlags, parseDuration } from './flags.ts';
import type { Connection, Kubeconfig, KubectlHost } from './host.ts';
import { klogTime } from './klog.ts';
import { kubeconfigPath, readKubeconfig } from './kubeconfig.ts';
import { onAmbiguousShortName } from './mapping.ts';
import { logConfig, logRequest } from './request-log.ts';

export interface Cmd {
  host: KubectlHost;
  /** `create secret generic` */
  path: string;
  flags: ParsedFlags;
  args: string[];
  /** From --namespace, the context, or `default`. */
  namespace: string;
  explicitNamespace: boolean;
  /** Made when it is first needed: --help, config and client-side dry runs need no server. */
  connection: Connection | null;
  kubeconfig: Kubeconfig | null;
  warned: boolean;
  /** `__completeNoDesc` */
  plainCompletion?: boolean;
}

export const out = (cmd: Cmd, text: string): void => void writePipe(cmd.host.stdout, text);
export const err = (cmd: Cmd, text: string): void => void writePipe(cmd.host.stderr, text);

export const flag = (cmd: Cmd, name: string): string => (cmd.flags.values.get(name) as string | undefined) ?? '';
export const isSet = (cmd: Cmd, name: string): boolean => cmd.flags.changed.has(name);
export const list = (cmd: Cmd, name: string): string[] => (cmd.flags.values.get(name) as string[] | undefined) ?? [];
export const bool = (cmd: Cmd, name: string): boolean => /^(1|t|true)$/i.test(flag(cmd, name));
export const int = (cmd: Cmd, name: string): number => Number(flag(cmd, name) || 0);
/** Milliseconds. */
export const duration = (cmd: Cmd, name: string): number => parseDuration(flag(cmd, name) || '0s') ?? 0;

/** cmdutil.UsageErrorf */
export function usageError(cmd: Cmd, message: string): never {
  throw failure(`${message}\nSee 'kubectl ${cmd.path} -h' for help and examples`);
}

/** The kubeconfig in force: podnet's own, or the file that the user names. */
export function kubeconfigOf(cmd: Cmd): Kubeconfig {
  if (!cmd.kubeconfig) {
    const path = kubeconfigPath(cmd.host, flag(cmd, 'kubeconfig'));
    cmd.kubeconfig =
      path === null
        ? cmd.host.kubeconfig.load()
        : readKubeconfig(cmd, path, !cmd.path.startsWith('config ') && flag(cmd, 'kubeconfig') !== '');
  }
  return cmd.kubeconfig;
}

/** The namespace in force: --namespace, the context's, or `default`. */
export function setNamespace(cmd: Cmd): void {
  const given = flag(cmd, 'namespace');
  cmd.explicitNamespace = given !== '';
  cmd.namespace = given || contextOf(cmd).namespace || 'default';
}

const logsRequests = (cmd: Cmd): boolean => int(cmd, 'v') >= 6;

/** The API server of the context in force. */
export function connect(cmd: Cmd): Connection {
  if (cmd.connection) return cmd.connection;
  const ctx = contextOf(cmd);
  checkClient(cmd, ctx);
  const connection = cmd.host.connect({ name: flag(cmd, 'server') ? '' : ctx.cluster, server: ctx.server, ...entriesOf(cmd, ctx) });
  if (!connection) throw unreachable(cmd, ctx.server);
  if ('unreached' in connection) throw unreachable(cmd, ctx.server, connection.unreached);
  if (logsRequests(cmd)) logConfig(cmd, kubeconfigPath(cmd.host, flag(cmd, 'kubeconfig')) ?? cmd.host.kubeconfig.path);
  onAmbiguousShortName(connection, text => warn(cmd, text));
  cmd.connection = connection;
  return connection;
}

export function userOf(cmd: Cmd): string | undefined {
  return flag(cmd, 'as') || undefined;
}

/** One request; warnings are printed as kubectl's warning writer does. The response may be a failure. */
export function requestRaw(cmd: Cmd, req: ApiRequest): ApiResponse {
  const user = userOf(cmd);
  const response = connect(cmd).request(user ? { ...req, user, groups: list(cmd, 'as-group') } : req);
  if (logsRequests(cmd)) logRequest(cmd, req, response);
  for (const w of response.warnings) {
    warn(cmd, w);
  }
  return response.code === 404 && !(response.body as Status).details?.name ? named(req, response) : response;
}

const METHODS: Record<string, string> = { list: 'get', watch: 'get', create: 'post', update: 'put', deletecollection: 'delete' };

/** Of a path that the server has never heard of only the client knows what was asked (apimachinery, NewGenericServerResponse). */
function named(req: ApiRequest, response: ApiResponse): ApiResponse {
  const status = response.body as Status;
  const custom = req.group.includes('.') && !req.group.endsWith('.k8s.io');
  if (!custom || status.message !== 'the server could not find the requested resource') return response;
  const asked = `${METHODS[req.verb] ?? req.verb} ${req.resource}.${req.group}${req.name ? ` ${req.name}` : ''}`;
  return { ...response, body: { ...status, message: `${status.message} (${asked})` } };
}

/** rest.NewWarningWriter: yellow only on a terminal. Repeated texts of one command are printed once. */
const printed = new WeakMap<Cmd, Set<string>>();

export function warn(cmd: Cmd, text: string): void {
  let seen = printed.get(cmd);
  if (!seen) printed.set(cmd, (seen = new Set()));
  if (seen.has(text)) return;
  seen.add(text);
  cmd.warned = true;
  err(cmd, `Warning: ${text}\n`);
}

export const isStatus = (x: unknown): x is Status =>
  (x as { kind?: string })?.kind === 'Status' && (x as { apiVersion?: string }).apiVersion === 'v1';

/** One request that must succeed; throws the server's Status otherwise. */
export function request<T extends KubeObject | KubeList | Table | Status = KubeObject>(cmd: Cmd, req: ApiRequest): T {
  const response = requestRaw(cmd, req);
  if (response.code >= 400) throw statusFailure(response.body as Status);
  return response.body as T;
}

/** `where`: file and line of kubectl's. */
export const klogWarning = (cmd: Cmd, where: string, text: string): void => err(cmd, `W${klogTime(cmd)} ${where}] ${text}\n`);

export type DryRun = 'none' | 'client' | 'server';

/** cmdutil.GetDryRunStrategy */
export function dryRun(cmd: Cmd): DryRun {
  const v = flag(cmd, 'dry-run');
  switch (v) {
    case 'client':
    case 'server':
    case 'none':
      return v;
    case '':
      return 'none';
    case 'unchanged':
      klogWarning(cmd, 'helpers.go:719', '--dry-run is deprecated and can be replaced with --dry-run=client.');
      return 'client';
    default:
      if (/^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(v)) {
        const mode = /^[1t]/i.test(v) ? 'client' : 'none';
        klogWarning(cmd, 'helpers.go:719', `--dry-run=${v} is deprecated (boolean value) and can be replaced with --dry-run=${mode}.`);
        return mode;
      }
      return fail(`Invalid dry-run value (${v}). Must be "none", "server", or "client".`);
  }
}

/** cmdutil.GetValidationDirective */
export function validation(cmd: Cmd): 'Strict' | 'Warn' | 'Ignore' {
  switch (flag(cmd, 'validate')) {
    case '':
    case 'strict':
      return 'Strict';
    case 'warn':
      return 'Warn';
    case 'ignore':
      return 'Ignore';
    default: {
      const v = flag(cmd, 'validate');
      if (/^(1|t|true)$/i.test(v)) return 'Strict';
      if (/^(0|f|false)$/i.test(v)) return 'Ignore';
      return fail(`invalid - validate option ${goQuote(v)}; must be one of: strict (or true), warn, ignore (or false)`);
    }
  }
}
