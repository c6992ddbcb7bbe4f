// Which server a command line means and as whom it asks: the context in force with the flags over it (k8s.io/client-go v0.36.3, tools/clientcmd).

import { goQuote } from '../sim/quote.ts';
import { type Cmd, err, flag, isSet, kubeconfigOf } from './command.ts';
import { exitFailure, type Failure, fail } from './failure.ts';
import { parseDuration } from './flags.ts';
import type { ClientEntry } from './host.ts';
import { klogTime } from './klog.ts';

export interface ContextInForce {
  name: string;
  cluster: string;
  user: string;
  namespace: string;
  server: string;
}

/** These ask for the namespace before they ask for the server, and so learn of a wrong context in other words. */
const NAMESPACE_FIRST =
  /^(get|delete|describe|logs|exec|attach|cp|port-forward|debug|events|edit|label|annotate|scale|patch|taint|top pod|create token|auth reconcile)$|^(rollout|apply|set) ./;

/** Those among them that ask for neither in that order. */
const SERVER_FIRST = /^set env$/;

/** clientcmd's DirectClientConfig: flags over the context's own values. */
export function contextOf(cmd: Cmd): ContextInForce {
  const config = kubeconfigOf(cmd);
  const name = flag(cmd, 'context') || config['current-context'] || '';
  const row = (config.contexts ?? []).find(c => c.name === name);
  const early = NAMESPACE_FIRST.test(cmd.path) && !SERVER_FIRST.test(cmd.path) && !flag(cmd, 'raw');
  if (!row && flag(cmd, 'context')) {
    if (early) throw exitFailure(1, `Error in configuration: context was not found for specified context: ${name}`);
    fail(`context ${goQuote(name)} does not exist`);
  }
  const cluster = flag(cmd, 'cluster') || row?.context.cluster || '';
  // `create rolebinding --user` is a list of its own.
  const asked = cmd.flags.values.get('user');
  const askedUser = typeof asked === 'string' ? asked : '';
  const user = askedUser || row?.context.user || '';
  const entry = (config.clusters ?? []).find(c => c.name === cluster);
  if (!entry && flag(cmd, 'cluster'))
    fail(early ? `no server found for cluster ${goQuote(cluster)}` : `cluster ${goQuote(cluster)} does not exist`);
  if (askedUser && !(config.users ?? []).some(u => u.name === user)) fail(`auth info ${goQuote(user)} does not exist`);
  const server = flag(cmd, 'server') || entry?.cluster.server || '';
  return { name, cluster, user, namespace: row?.context.namespace ?? '', server };
}

/** The entries of the context in force, flags over them. */
export function entriesOf(cmd: Cmd, ctx: ContextInForce): Pick<ClientEntry, 'cluster' | 'user'> {
  const config = kubeconfigOf(cmd);
  const given = (names: string[]) => Object.fromEntries(names.flatMap(n => (isSet(cmd, n) ? [[n, cmd.flags.values.get(n)]] : [])));
  const skips = flag(cmd, 'insecure-skip-tls-verify') === 'true' ? { 'insecure-skip-tls-verify': true } : {};
  return {
    cluster: {
      ...config.clusters.find(c => c.name === ctx.cluster)?.cluster,
      ...given(['certificate-authority', 'tls-server-name']),
      ...skips,
    },
    user: { ...config.users.find(u => u.name === ctx.user)?.user, ...given(['client-certificate', 'client-key', 'token']) },
  };
}

const PROFILES = ['none', 'cpu', 'heap', 'goroutine', 'threadcreate', 'block', 'mutex', 'trace'];

/** What a client refuses to ask with. */
export function checkClient(cmd: Cmd, ctx: ContextInForce): void {
  const timeout = flag(cmd, 'request-timeout');
  if (timeout && !/^[+-]?\d+$/.test(timeout) && parseDuration(timeout) === null)
    fail(
      'Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)',
    );
  const extras = ['as-group', 'as-uid', 'as-user-extra'].some(name => isSet(cmd, name));
  if (extras && !flag(cmd, 'as')) fail(`requesting uid, groups or user-extra for ${ctx.user} without impersonating a user`);
  for (const [name, what, of] of [
    ['certificate-authority', 'certificate-authority', ctx.cluster],
    ['client-certificate', 'client-cert', ctx.user],
    ['client-key', 'client-key', ctx.user],
  ]) {
    const file = cmd.path.startsWith('config ') ? '' : flag(cmd, name);
    if (!file || typeof cmd.host.readFile(file) !== 'string') continue;
    fail(`unable to read ${what} ${file} for ${of} due to open ${file}: no such file or directory`);
  }
}

/** Before anything else of the command is looked at. */
export function checkStart(cmd: Cmd): void {
  // debug's own flag of that name is about something else.
  const profile = cmd.path === 'debug' ? '' : flag(cmd, 'profile');
  if (profile && !PROFILES.includes(profile)) fail(`unknown profile '${profile}'`);
  if (profile && profile !== 'none') fail(`podnet does not model --profile: there is no Go program whose ${profile} could be profiled`);
}

/** How often a client that has never seen the server asks for its groups, and logs that in vain. */
const ATTEMPTS: [RegExp, number][] = [
  [/^(get|describe|delete|cluster-info|scale|expose|autoscale|patch|label|annotate|edit|set .*|taint)$/, 5],
  [/^(logs|exec|attach|wait|drain|cordon|uncordon|port-forward|debug|rollout .*)$/, 4],
  [/^(explain|auth can-i)$/, 2],
  [/^(api-resources|api-versions|run|diff)$/, 1],
];

/** Nothing answers at `server` ('' : no context names one), because of `why`. podnet's own server is known to every client of the machine. */
export function unreachable(cmd: Cmd, server: string, why?: string): Failure {
  const url = server || 'http://localhost:8080';
  const host = url.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '');
  const known = server !== '' && !flag(cmd, 'server') && !/^api-/.test(cmd.path);
  const attempts = known || flag(cmd, 'raw') ? 0 : (ATTEMPTS.find(([path]) => path.test(cmd.path))?.[1] ?? 0);
  const said = why ?? `dial tcp ${addressOf(host)}: connect: connection refused`;
  const asked = `Get \\"${url}/api?timeout=32s\\": ${said}`;
  for (let i = 0; i < attempts; i++)
    err(cmd, `E${klogTime(cmd)} memcache.go:265] "Unhandled Error" err="couldn't get current server API group list: ${asked}"\n`);
  // cmdutil.StandardErrorMessage
  const message = said.includes('connection refused')
    ? `The connection to the server ${host} was refused - did you specify the right host or port?`
    : `Unable to connect to the server: ${said}`;
  return { ...exitFailure(1, message), unreachable: { url, why: said } };
}

const addressOf = (host: string): string => host.replace(/^localhost(?=:|$)/, '127.0.0.1');
