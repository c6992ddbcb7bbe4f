// kubectl config (k8s.io/kubectl v0.36.3, pkg/cmd/config).

import { base64 } from '../../sim/bytes.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, err, flag, isSet, kubeconfigOf, list, out, usageError } from '../command.ts';
import { exitFailure, fail, failure } from '../failure.ts';
import { readBytes } from '../files.ts';
import { goJson } from '../go-json.ts';
import type { Kubeconfig } from '../host.ts';
import { kubeconfigPath, saveKubeconfig, shownKubeconfig } from '../kubeconfig.ts';
import { lazy } from '../lazy.ts';
import { badFormat, printerOf } from '../print-flags.ts';
import { alignRows, newTableWriter } from '../tabwriter.ts';
import { changeProperty } from './config-property.ts';

const copy = (c: Kubeconfig): Kubeconfig => JSON.parse(JSON.stringify(c));
const pathOf = (cmd: Cmd): string | null => kubeconfigPath(cmd.host, flag(cmd, 'kubeconfig'));
const shownPath = (cmd: Cmd): string => pathOf(cmd) ?? cmd.host.kubeconfig.path;
const save = (cmd: Cmd, c: Kubeconfig): void => saveKubeconfig(cmd, pathOf(cmd), c);

/** cobra help, then the error: what config's verbs do with wrong arguments. */
function unexpected(cmd: Cmd): never {
  lazy('help').printHelp(cmd, cmd.path);
  throw failure(`Unexpected args: [${cmd.args.join(' ')}]`);
}

export function* run(cmd: Cmd): Co<number> {
  VERBS[cmd.path.replace(/^config /, '')](cmd, copy(kubeconfigOf(cmd)));
  return 0;
}

const VERBS: Record<string, (cmd: Cmd, c: Kubeconfig) => void> = {
  'current-context': (cmd, c) => {
    if (!c['current-context']) fail('current-context is not set');
    out(cmd, `${c['current-context']}\n`);
  },
  'use-context': (cmd, c) => {
    if (cmd.args.length !== 1) unexpected(cmd);
    const [name] = cmd.args;
    if (!name) fail('empty context names are not allowed');
    if (!c.contexts.some(x => x.name === name)) fail(`no context exists with the name: ${goQuote(name)}`);
    save(cmd, { ...c, 'current-context': name });
    out(cmd, `Switched to context ${goQuote(name)}.\n`);
  },
  'get-contexts': getContexts,
  'get-clusters': (cmd, c) => names(cmd, c.clusters),
  'get-users': (cmd, c) => names(cmd, c.users),
  'rename-context': (cmd, c) => {
    if (cmd.args.length !== 2) unexpected(cmd);
    const [from, to] = cmd.args;
    const context = c.contexts.find(x => x.name === from);
    if (!context) return void fail(`cannot rename the context ${goQuote(from)}, it's not in ${shownPath(cmd)}`);
    if (c.contexts.some(x => x.name === to))
      fail(`cannot rename the context ${goQuote(from)}, the context ${goQuote(to)} already exists in ${shownPath(cmd)}`);
    context.name = to;
    if (c['current-context'] === from) c['current-context'] = to;
    save(cmd, c);
    out(cmd, `Context ${goQuote(from)} renamed to ${goQuote(to)}.\n`);
  },
  'delete-context': (cmd, c) => {
    if (cmd.args.length !== 1) unexpected(cmd);
    const [name] = cmd.args;
    if (!c.contexts.some(x => x.name === name)) fail(`cannot delete context ${name}, not in ${shownPath(cmd)}`);
    if (c['current-context'] === name)
      err(cmd, 'warning: this removed your active context, use "kubectl config use-context" to select a different one\n');
    c.contexts = c.contexts.filter(x => x.name !== name);
    save(cmd, c);
    out(cmd, `deleted context ${name} from ${shownPath(cmd)}\n`);
  },
  'delete-cluster': (cmd, c) => {
    if (cmd.args.length !== 1) unexpected(cmd);
    const [name] = cmd.args;
    if (!c.clusters.some(x => x.name === name)) fail(`cannot delete cluster ${name}, not in ${shownPath(cmd)}`);
    c.clusters = c.clusters.filter(x => x.name !== name);
    save(cmd, c);
    out(cmd, `deleted cluster ${name} from ${shownPath(cmd)}\n`);
  },
  'delete-user': (cmd, c) => {
    if (cmd.args.length !== 1) usageError(cmd, 'user to delete is required');
    const [name] = cmd.args;
    if (!c.users.some(x => x.name === name)) fail(`cannot delete user ${name}, not in ${shownPath(cmd)}`);
    c.users = c.users.filter(x => x.name !== name);
    save(cmd, c);
    out(cmd, `deleted user ${name} from ${shownPath(cmd)}\n`);
  },
  'set-context': setContext,
  'set-cluster': setCluster,
  'set-credentials': setCredentials,
  set: (cmd, c) => setProperty(cmd, c, false),
  unset: (cmd, c) => setProperty(cmd, c, true),
  view,
};

function names(cmd: Cmd, rows: { name: string }[]): void {
  out(
    cmd,
    `NAME\n${rows
      .map(r => `${r.name}\n`)
      .sort()
      .join('')}`,
  );
}

function getContexts(cmd: Cmd, c: Kubeconfig): void {
  const output = flag(cmd, 'output');
  if (output && output !== 'name')
    fail(`--output ${output} is not available in kubectl config get-contexts; resetting to default output format`);
  const wanted = cmd.args.length ? cmd.args : c.contexts.map(x => x.name);
  const missing = wanted.filter(n => !c.contexts.some(x => x.name === n));
  const rows = wanted
    .filter(n => !missing.includes(n))
    .sort()
    .map(n => c.contexts.find(x => x.name === n) as Kubeconfig['contexts'][number]);
  if (output === 'name') out(cmd, rows.map(r => `${r.name}\n`).join(''));
  else {
    const lines = rows.map(r => [
      r.name === c['current-context'] ? '*' : '',
      r.name,
      r.context.cluster ?? '',
      r.context.user ?? '',
      r.context.namespace ?? '',
    ]);
    if (!bool(cmd, 'no-headers')) lines.unshift(['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE']);
    if (lines.length) out(cmd, alignRows(newTableWriter(), lines));
  }
  if (missing.length === 1) fail(`context ${missing[0]} not found`);
  if (missing.length) throw exitFailure(1, missing.map(m => `context ${m} not found\n`).join(''));
}

function setContext(cmd: Cmd, c: Kubeconfig): void {
  const current = bool(cmd, 'current');
  if (cmd.args.length > 1) unexpected(cmd);
  if (cmd.args.length && current) fail('you cannot specify both a context name and --current');
  const name = current ? c['current-context'] : (cmd.args[0] ?? '');
  if (!name) fail(current ? 'no current context is set' : 'you must specify a non-empty context name or --current');
  let row = c.contexts.find(x => x.name === name);
  const existed = row !== undefined;
  if (!row) c.contexts.push((row = { name, context: { cluster: '', user: '' } }));
  for (const field of ['cluster', 'user', 'namespace'] as const) if (isSet(cmd, field)) row.context[field] = flag(cmd, field);
  save(cmd, c);
  out(cmd, `Context ${goQuote(name)} ${existed ? 'modified' : 'created'}.\n`);
}

const fileData = (cmd: Cmd, path: string, what: string): string => {
  const info = cmd.host.stat(path);
  if (typeof info === 'string') fail(`could not stat ${what} file ${path}: stat ${path}: no such file or directory`);
  return base64(readBytes(cmd, path));
};

function setCluster(cmd: Cmd, c: Kubeconfig): void {
  if (cmd.args.length !== 1) unexpected(cmd);
  const [name] = cmd.args;
  if (!name) fail('you must specify a non-empty cluster name');
  const [insecure, ca, embed] = [bool(cmd, 'insecure-skip-tls-verify'), flag(cmd, 'certificate-authority'), bool(cmd, 'embed-certs')];
  if (insecure && ca) fail('you cannot specify a certificate authority and insecure mode at the same time');
  if (embed && !ca) fail('you must specify a --certificate-authority to embed');
  let row = c.clusters.find(x => x.name === name);
  if (!row) c.clusters.push((row = { name, cluster: { server: '' } }));
  const { cluster } = row;
  if (isSet(cmd, 'server')) cluster.server = flag(cmd, 'server').replace(/\/$/, '');
  if (isSet(cmd, 'tls-server-name')) cluster['tls-server-name'] = flag(cmd, 'tls-server-name');
  // The flag says it anew each time: without it verification is on again.
  if (insecure) {
    cluster['insecure-skip-tls-verify'] = true;
    delete cluster['certificate-authority'];
    delete cluster['certificate-authority-data'];
  } else delete cluster['insecure-skip-tls-verify'];
  if (isSet(cmd, 'certificate-authority')) {
    delete cluster['insecure-skip-tls-verify'];
    if (embed) {
      cluster['certificate-authority-data'] = fileData(cmd, ca, 'certificate-authority');
      delete cluster['certificate-authority'];
    } else {
      cluster['certificate-authority'] = absolute(cmd, ca);
      delete cluster['certificate-authority-data'];
    }
  }
  if (isSet(cmd, 'proxy-url')) cluster['proxy-url'] = flag(cmd, 'proxy-url');
  save(cmd, c);
  out(cmd, `Cluster ${goQuote(name)} set.\n`);
}

const absolute = (cmd: Cmd, path: string): string => (path.startsWith('/') || !path ? path : `${cmd.host.cwd}/${path}`);

const INTERACTIVE = ['IfAvailable', 'Never', 'Always'];

/** `NAME=VALUE` sets, `NAME-` removes. */
function changesOf(cmd: Cmd, flagName: string): { set: [string, string][]; remove: string[] } {
  const set: [string, string][] = [];
  const remove: string[] = [];
  for (const word of list(cmd, flagName)) {
    const at = word.indexOf('=');
    if (at > 0) set.push([word.slice(0, at), word.slice(at + 1)]);
    else if (at < 0 && word.endsWith('-') && word.length > 1) remove.push(word.slice(0, -1));
    else fail(`invalid ${flagName} format: ${word}`);
  }
  return { set, remove };
}

/** A plugin's command makes the entry; the other flags change one that is there. */
function setExec(cmd: Cmd, user: Record<string, any>): void {
  const mode = flag(cmd, 'exec-interactive-mode');
  if (mode && !INTERACTIVE.includes(mode)) fail(`invalid interactive mode type, can be only ${INTERACTIVE.join(', ')}`);
  if (flag(cmd, 'exec-command'))
    user.exec = { args: null, env: null, provideClusterInfo: false, ...user.exec, command: flag(cmd, 'exec-command') };
  const { exec } = user;
  if (!exec) return;
  if (flag(cmd, 'exec-api-version')) exec.apiVersion = flag(cmd, 'exec-api-version');
  if (list(cmd, 'exec-arg').length) exec.args = list(cmd, 'exec-arg');
  if (mode) exec.interactiveMode = mode;
  // The older versions have a default (client-go tools/clientcmd/api/v1/defaults.go).
  else if (/\/v1(alpha|beta)1$/.test(exec.apiVersion ?? '')) exec.interactiveMode ??= 'IfAvailable';
  if (isSet(cmd, 'exec-provide-cluster-info')) exec.provideClusterInfo = bool(cmd, 'exec-provide-cluster-info');
  if (!isSet(cmd, 'exec-env')) return;
  const { set, remove } = changesOf(cmd, 'exec-env');
  const env = new Map<string, string>((exec.env ?? []).map((e: any) => [e.name, e.value]));
  for (const [k, v] of set) env.set(k, v);
  for (const k of remove) env.delete(k);
  exec.env = [...env].map(([k, value]) => ({ name: k, value }));
}

function setAuthProvider(cmd: Cmd, user: Record<string, any>): void {
  if (flag(cmd, 'auth-provider')) user['auth-provider'] = { config: null, name: flag(cmd, 'auth-provider') };
  const provider = user['auth-provider'];
  if (!provider || !isSet(cmd, 'auth-provider-arg')) return;
  const { set, remove } = changesOf(cmd, 'auth-provider-arg');
  provider.config = { ...provider.config, ...Object.fromEntries(set) };
  for (const k of remove) delete provider.config[k];
}

function setCredentials(cmd: Cmd, c: Kubeconfig): void {
  if (cmd.args.length !== 1) unexpected(cmd);
  const [name] = cmd.args;
  if (!name) fail('you must specify a non-empty user name');
  const methods: string[] = [];
  if (flag(cmd, 'token')) methods.push('--token');
  if (flag(cmd, 'username') || flag(cmd, 'password')) methods.push('--username/--password');
  if (flag(cmd, 'exec-command')) methods.push('--exec-command');
  if (methods.length > 1) fail(`you cannot specify more than one authentication method at the same time: ${methods.join(', ')}`);
  const embed = bool(cmd, 'embed-certs');
  if (embed && !flag(cmd, 'client-certificate') && !flag(cmd, 'client-key'))
    fail('you must specify a --client-certificate or --client-key to embed');
  let row = c.users.find(x => x.name === name);
  if (!row) c.users.push((row = { name, user: {} }));
  const { user } = row;
  for (const field of ['client-certificate', 'client-key']) {
    if (!isSet(cmd, field)) continue;
    if (embed) {
      user[`${field}-data`] = fileData(cmd, flag(cmd, field), field);
      delete user[field];
    } else {
      user[field] = absolute(cmd, flag(cmd, field));
      delete user[`${field}-data`];
    }
  }
  if (isSet(cmd, 'token')) {
    user.token = flag(cmd, 'token');
    delete user.username;
    delete user.password;
  }
  for (const field of ['username', 'password']) {
    if (!isSet(cmd, field)) continue;
    user[field] = flag(cmd, field);
    delete user.token;
  }
  setExec(cmd, user);
  setAuthProvider(cmd, user);
  save(cmd, c);
  out(cmd, `User ${goQuote(name)} set.\n`);
}

function setProperty(cmd: Cmd, c: Kubeconfig, unset: boolean): void {
  if (cmd.args.length !== (unset ? 1 : 2)) unexpected(cmd);
  const [property, value] = cmd.args;
  changeProperty(c, property, unset ? null : value, bool(cmd, 'set-raw-bytes'));
  save(cmd, c);
  out(cmd, `Property ${goQuote(property)} ${unset ? 'unset' : 'set'}.\n`);
}

const SECRETS: Record<string, string> = {
  'certificate-authority-data': 'DATA+OMITTED',
  'client-certificate-data': 'DATA+OMITTED',
  'client-key-data': 'DATA+OMITTED',
  token: 'REDACTED',
  password: 'REDACTED',
};

function view(cmd: Cmd, c: Kubeconfig): void {
  if (cmd.args.length) usageError(cmd, `unexpected arguments: [${cmd.args.join(' ')}]`);
  const output = flag(cmd, 'output') || 'yaml';
  let shown = c;
  if (bool(cmd, 'minify')) {
    const name = flag(cmd, 'context') || c['current-context'];
    const context = c.contexts.find(x => x.name === name);
    if (!name || !context) fail(name && !context ? `cannot locate context ${name}` : 'current-context must exist in order to minify');
    shown = {
      ...c,
      'current-context': name,
      contexts: c.contexts.filter(x => x.name === name),
      clusters: c.clusters.filter(x => x.name === context?.context.cluster),
      users: c.users.filter(x => x.name === context?.context.user),
    };
  }
  shown = copy(shown);
  if (bool(cmd, 'flatten')) flatten(cmd, shown);
  if (!bool(cmd, 'raw'))
    for (const row of [...shown.clusters.map(x => x.cluster), ...shown.users.map(x => x.user)])
      for (const k of Object.keys(row)) if (SECRETS[k] && row[k]) row[k] = SECRETS[k];
  const config = shownKubeconfig(shown);
  if (output === 'yaml') {
    out(cmd, lazy('yaml').toYaml(config));
    return;
  }
  if (output === 'json') {
    out(cmd, `${structJson(config)}\n`);
    return;
  }
  const print = printerOf(cmd);
  if (!print) badFormat(output);
  else print(config);
}

/** --flatten: what lies in files stands in the kubeconfig itself. */
function flatten(cmd: Cmd, c: Kubeconfig): void {
  const fields = ['certificate-authority', 'client-certificate', 'client-key'];
  for (const row of [...c.users.map(x => x.user), ...c.clusters.map(x => x.cluster)])
    for (const field of fields) {
      if (!row[field]) continue;
      row[`${field}-data`] = base64(readBytes(cmd, row[field]));
      delete row[field];
    }
}

/** encoding/json keeps the order of struct fields (client-go tools/clientcmd/api/v1/types.go). */
const ORDER: Record<string, string[]> = {
  '': ['kind', 'apiVersion', 'preferences', 'clusters', 'users', 'contexts', 'current-context'],
  clusters: ['name', 'cluster'],
  users: ['name', 'user'],
  contexts: ['name', 'context'],
  cluster: ['server', 'tls-server-name', 'insecure-skip-tls-verify', 'certificate-authority', 'certificate-authority-data', 'proxy-url'],
  user: [
    'client-certificate',
    'client-certificate-data',
    'client-key',
    'client-key-data',
    'token',
    'tokenFile',
    'username',
    'password',
    'auth-provider',
    'exec',
  ],
  exec: ['command', 'args', 'env', 'apiVersion', 'installHint', 'provideClusterInfo', 'interactiveMode'],
  'auth-provider': ['name', 'config'],
  context: ['cluster', 'user', 'namespace'],
};

function structJson(v: any, key = '', at = ''): string {
  const inner = `${at}    `;
  if (Array.isArray(v)) return v.length ? `[\n${v.map(x => inner + structJson(x, key, inner)).join(',\n')}\n${at}]` : '[]';
  if (typeof v === 'object' && v !== null) {
    const order = ORDER[key] ?? [];
    const keys = [...order.filter(k => v[k] !== undefined), ...Object.keys(v).filter(k => !order.includes(k) && v[k] !== undefined)];
    return keys.length ? `{\n${keys.map(k => `${inner}${goJson(k)}: ${structJson(v[k], k, inner)}`).join(',\n')}\n${at}}` : '{}';
  }
  return goJson(v);
}
