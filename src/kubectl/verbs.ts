// Every command: one row, one lazily loaded file. Flags are in flag-table.ts, help in help/texts.ts.

import type { Co } from '../sim/task.ts';
import type { Cmd } from './command.ts';
import type { PartName } from './lazy.ts';

export interface VerbModule {
  /** What can only be loaded once the command is known. */
  prepare?: (cmd: Cmd) => Promise<void>;
  run: (cmd: Cmd) => Co<number>;
}

export interface VerbRow {
  name: string;
  aliases?: string[];
  subs?: VerbRow[];
  load?: () => Promise<VerbModule>;
  /** Parts needed whatever the flags say. */
  parts?: PartName[];
  hidden?: boolean;
  /** cobra's SuggestFor. */
  suggestFor?: string[];
}

const create = () => import('./verbs/create-generators.ts');
const config = () => import('./verbs/config.ts');
const rollout = () => import('./verbs/rollout.ts');
const set = () => import('./verbs/set.ts');
const auth = () => import('./verbs/auth.ts');
const certificate = () => import('./verbs/certificate.ts');
const drain = () => import('./verbs/drain.ts');
const label = () => import('./verbs/label.ts');

const row = (name: string, load: VerbRow['load'], more: Partial<VerbRow> = {}): VerbRow => ({ name, load, ...more });

export const VERBS: VerbRow[] = [
  row('get', () => import('./verbs/get.ts'), { suggestFor: ['list', 'ls'] }),
  row('apply', () => import('./verbs/apply.ts'), {
    subs: ['edit-last-applied', 'set-last-applied', 'view-last-applied'].map(n =>
      row(n, () => import('./verbs/last-applied.ts'), { parts: ['yaml', 'manifest'] }),
    ),
  }),
  row('create', () => import('./verbs/create.ts'), {
    subs: [
      row('clusterrole', create),
      row('clusterrolebinding', create),
      row('configmap', create, { aliases: ['cm'] }),
      row('cronjob', create, { aliases: ['cj'] }),
      row('deployment', create, { aliases: ['deploy'] }),
      row('ingress', create, { aliases: ['ing'] }),
      row('job', create),
      row('namespace', create, { aliases: ['ns'] }),
      row('poddisruptionbudget', create, { aliases: ['pdb'] }),
      row('priorityclass', create, { aliases: ['pc'] }),
      row('quota', create, { aliases: ['resourcequota'] }),
      row('role', create),
      row('rolebinding', create),
      row('secret', undefined, { subs: [row('docker-registry', create), row('generic', create), row('tls', create)] }),
      row('service', undefined, {
        aliases: ['svc'],
        subs: [row('clusterip', create), row('externalname', create), row('loadbalancer', create), row('nodeport', create)],
      }),
      row('serviceaccount', create, { aliases: ['sa'] }),
      row('token', create),
    ],
  }),
  row('delete', () => import('./verbs/delete.ts'), { suggestFor: ['rm'] }),
  row('describe', () => import('./verbs/describe.ts')),
  row('logs', () => import('./verbs/logs.ts')),
  row('exec', () => import('./verbs/exec.ts')),
  row('run', () => import('./verbs/run.ts')),
  row('expose', () => import('./verbs/expose.ts')),
  row('patch', () => import('./verbs/patch.ts'), { parts: ['manifest'] }),
  row('scale', () => import('./verbs/scale.ts'), { aliases: [], suggestFor: ['resize'] }),
  row('label', label),
  row('annotate', label),
  row('wait', () => import('./verbs/wait.ts'), { parts: ['jsonpath'] }),
  row('rollout', undefined, {
    subs: [
      row('history', rollout),
      row('pause', rollout),
      row('restart', rollout),
      row('resume', rollout),
      row('status', rollout),
      row('undo', rollout),
    ],
    suggestFor: ['rollback'],
  }),
  row('config', undefined, {
    subs: [
      row('current-context', config),
      row('delete-cluster', config),
      row('delete-context', config),
      row('delete-user', config),
      row('get-clusters', config),
      row('get-contexts', config),
      row('get-users', config),
      row('rename-context', config),
      row('set', config),
      row('set-cluster', config),
      row('set-context', config),
      row('set-credentials', config),
      row('unset', config),
      row('use-context', config, { aliases: ['use'] }),
      row('view', config, { parts: ['yaml'] }),
    ],
  }),
  row('cluster-info', () => import('./verbs/cluster-info.ts'), { subs: [row('dump', () => import('./verbs/cluster-info.ts'))] }),
  row('version', () => import('./verbs/version.ts')),
  row('api-resources', () => import('./verbs/api-resources.ts')),
  row('api-versions', () => import('./verbs/api-resources.ts')),
  row('replace', () => import('./verbs/replace.ts')),
  row('edit', () => import('./verbs/edit.ts'), { parts: ['yaml', 'manifest'] }),
  row('diff', () => import('./verbs/diff.ts'), { parts: ['yaml', 'manifest'] }),
  row('set', undefined, {
    subs: [
      row('env', set),
      row('image', set),
      row('resources', set),
      row('selector', set),
      row('serviceaccount', set, { aliases: ['sa'] }),
      row('subject', set),
    ],
  }),
  row('autoscale', () => import('./verbs/autoscale.ts')),
  row('attach', () => import('./verbs/attach.ts')),
  row('cp', () => import('./verbs/cp.ts')),
  row('port-forward', () => import('./verbs/port-forward.ts')),
  row('proxy', () => import('./verbs/proxy.ts')),
  row('debug', () => import('./verbs/debug.ts')),
  row('events', () => import('./verbs/events.ts')),
  row('top', undefined, {
    subs: [
      row('node', () => import('./verbs/top.ts'), { aliases: ['nodes', 'no'] }),
      row('pod', () => import('./verbs/top.ts'), { aliases: ['pods', 'po'] }),
    ],
  }),
  row('explain', () => import('./verbs/explain.ts')),
  row('auth', undefined, { subs: [row('can-i', auth), row('reconcile', auth), row('whoami', auth)] }),
  row('cordon', drain),
  row('uncordon', drain),
  row('drain', drain),
  row('taint', () => import('./verbs/taint.ts')),
  row('certificate', undefined, { subs: [row('approve', certificate), row('deny', certificate)] }),
  row('completion', () => import('./verbs/completion.ts')),
  row('__complete', () => import('./verbs/complete.ts'), { hidden: true, aliases: ['__completeNoDesc'], parts: ['help'] }),
  row('kustomize', () => import('./verbs/kustomize.ts'), { parts: ['kustomize', 'manifest', 'yaml'] }),
  row('kuberc', undefined, {
    subs: ['set', 'view'].map(n => row(n, () => import('./verbs/kuberc.ts'), { parts: ['yaml', 'kuberc'] })),
  }),
  row('options', () => import('./verbs/options.ts'), { parts: ['help'] }),
  row('plugin', undefined, { subs: [row('list', () => import('./verbs/plugin.ts'))] }),
  row('alpha', undefined, { subs: [] }),
];

export const findVerb = (rows: VerbRow[], word: string): VerbRow | undefined =>
  rows.find(r => r.name === word || r.aliases?.includes(word));
