// kubectl cordon, uncordon and drain (k8s.io/kubectl v0.36.3, pkg/cmd/drain, pkg/drain).

import { parseSelector } from '../../apiserver/labels.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, killTask, sleep, startTask, type Task, waitOn } from '../../sim/task.ts';
import { parseRfc3339 } from '../../sim/time.ts';
import { build, type Info } from '../builder.ts';
import { bool, type Cmd, connect, dryRun, duration, err, flag, int, isSet, out, request, usageError, warn } from '../command.ts';
import { type Failure, fail, failure, isFailure, isNotFound, throwAll } from '../failure.ts';
import { mappingFor } from '../mapping.ts';
import { podsMapping } from '../pods.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { deleteObject, getObject, listObjects, patchObject, target } from '../requests.ts';
import { goDuration } from '../time.ts';

export function* run(cmd: Cmd): Co<number> {
  if (!cmd.args.length && !isSet(cmd, 'selector')) usageError(cmd, `USAGE: ${cmd.path} NODE [flags]`);
  if (cmd.args.length && flag(cmd, 'selector')) usageError(cmd, 'error: cannot specify both a node name and a --selector option');
  dryRun(cmd);
  const podSelector = flag(cmd, 'pod-selector');
  if (podSelector && typeof parseSelector(podSelector) === 'string') fail('--pod-selector=<pod_selector> must be a valid label selector');
  const nodes: Info[] = [];
  const result = yield* build(cmd, {
    args: cmd.args.length ? cmd.args : ['nodes'],
    defaultType: cmd.args.length ? 'nodes' : undefined,
    allowEmptySelector: true,
    labelSelector: flag(cmd, 'selector'),
    singleResourceType: true,
    flatten: true,
  });
  if (result.error) throw result.error;
  const error = result.visit(info => {
    if (info.mapping.resource !== 'nodes' || info.mapping.group) {
      const m = info.mapping;
      fail(`error: expected resource of type node, got ${goQuote(`${m.group}/${m.version}, Resource=${m.resource}`)}`);
    }
    nodes.push(info);
  });
  if (error) throw error;
  cordon(cmd, nodes, cmd.path !== 'uncordon');
  if (cmd.path === 'drain') yield* drain(cmd, nodes);
  return 0;
}

function cordon(cmd: Cmd, nodes: Info[], desired: boolean): void {
  const mode = dryRun(cmd);
  const done = desired ? 'cordoned' : 'uncordoned';
  for (const info of nodes) {
    const node = info.object as KubeObject;
    const same = Boolean(node.spec.unschedulable) === desired;
    if (!same && mode !== 'client') {
      try {
        const spec = { unschedulable: desired || null };
        patchObject(cmd, info.mapping, '', info.name, 'strategic', { spec }, { dryRun: mode === 'server' || undefined });
      } catch (e) {
        if (!isFailure(e)) throw e;
        err(cmd, `error: unable to ${desired ? 'cordon' : 'uncordon'} node ${goQuote(info.name)}: ${e.message}\n`);
        continue;
      }
    }
    resultPrinter(cmd, same ? `already ${done}` : done, dryRunSuffix(mode))(node);
  }
}

function* drain(cmd: Cmd, nodes: Info[]): Co<void> {
  const mode = dryRun(cmd);
  const fatal: Failure[] = [];
  const remaining: string[] = [];
  for (const info of nodes) {
    try {
      yield* drainNode(cmd, info.name);
      resultPrinter(cmd, 'drained', dryRunSuffix(mode))(info.object);
    } catch (e) {
      if (!isFailure(e)) throw e;
      err(cmd, `error: unable to drain node ${goQuote(info.name)} due to error: ${textOf(e)}, continuing command...\n`);
      fatal.push(e);
      remaining.push(info.name);
    }
  }
  if (remaining.length) err(cmd, `There are pending nodes to be drained:\n${remaining.map(n => ` ${n}\n`).join('')}`);
  throwAll(fatal);
}

const textOf = (f: Failure): string => (f.errors && f.errors.length > 1 ? `[${f.errors.map(e => e.message).join(', ')}]` : f.message);

interface Candidate {
  pod: KubeObject;
  remove: boolean;
  warning?: string;
  error?: string;
}

function podsToRemove(cmd: Cmd, node: string): Candidate[] {
  const pods = listObjects(cmd, podsMapping(cmd), '', {
    labelSelector: flag(cmd, 'pod-selector') || undefined,
    fieldSelector: `spec.nodeName=${node}`,
  });
  return pods.map(pod => judge(cmd, pod));
}

/** The filters one after another: the first that keeps the pod decides, else the last one's warning stands. */
function judge(cmd: Cmd, pod: KubeObject): Candidate {
  const finished = ['Succeeded', 'Failed'].includes(pod.status?.phase);
  const owner = (pod.metadata.ownerReferences ?? []).find(r => r.controller);
  if (skips(cmd, pod)) return { pod, remove: false };
  let orphan: string | undefined;
  if (!finished && owner?.kind === 'DaemonSet' && owner.apiVersion === 'apps/v1') {
    const set = getObject(cmd, mappingFor(connect(cmd), 'daemonsets.apps'), pod.metadata.namespace ?? '', owner.name);
    if (isFailure(set)) {
      if (!isNotFound(set) || !bool(cmd, 'force')) return { pod, remove: false, error: set.message };
      orphan = set.message;
    } else if (!bool(cmd, 'ignore-daemonsets'))
      return { pod, remove: false, error: 'DaemonSet-managed Pods (use --ignore-daemonsets to ignore)' };
    else return { pod, remove: false, warning: 'ignoring DaemonSet-managed Pods' };
  }
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return { pod, remove: false };
  if (!finished && (pod.spec.volumes ?? []).some((v: any) => v.emptyDir) && !bool(cmd, 'delete-emptydir-data'))
    return { pod, remove: false, error: 'Pods with local storage (use --delete-emptydir-data to override)' };
  if (finished || owner) return { pod, remove: true, warning: orphan && finished ? orphan : undefined };
  if (bool(cmd, 'force')) return { pod, remove: true, warning: 'deleting Pods that declare no controller' };
  return { pod, remove: false, error: 'Pods that declare no controller (use --force to override)' };
}

function skips(cmd: Cmd, pod: KubeObject): boolean {
  const seconds = int(cmd, 'skip-wait-for-delete-timeout');
  const at = pod.metadata.deletionTimestamp ? parseRfc3339(pod.metadata.deletionTimestamp) : null;
  return seconds > 0 && at !== null && cmd.host.sim.nowMs - at > seconds * 1000;
}

/** Pods by what is said of them: `MESSAGE: ns/a, ns/b`. */
function grouped(list: Candidate[], key: 'warning' | 'error'): string[] {
  const by = new Map<string, string[]>();
  for (const c of list) {
    const text = c[key];
    if (text) by.set(text, [...(by.get(text) ?? []), `${c.pod.metadata.namespace}/${c.pod.metadata.name}`]);
  }
  return [...by].map(([text, pods]) => `${text}: ${pods.join(', ')}`);
}

function* drainNode(cmd: Cmd, node: string): Co<void> {
  const list = podsToRemove(cmd, node);
  throwAll(grouped(list, 'error').map(t => failure(`cannot delete ${t}`)));
  const warnings = grouped(list, 'warning').join('; ');
  if (warnings) warn(cmd, warnings);
  const pods = list.filter(c => c.remove).map(c => c.pod);
  if (dryRun(cmd) === 'client') {
    for (const p of pods) out(cmd, `evicting pod ${p.metadata.namespace}/${p.metadata.name} (dry run)\n`);
    return;
  }
  const errors: Failure[] = [];
  if (bool(cmd, 'disable-eviction')) yield* removeAll(cmd, pods, errors);
  else yield* evictAll(cmd, pods, errors);
  if (!errors.length) return;
  const pending = podsToRemove(cmd, node).filter(c => c.remove);
  const why = errors.length > 1 ? `[${errors.map(e => e.message).join(', ')}]` : errors[0].message;
  if (pending.length) {
    err(cmd, `There are pending pods in node ${goQuote(node)} when an error occurred: ${why}\n`);
    for (const c of pending) err(cmd, `pod/${c.pod.metadata.name}\n`);
  }
  throwAll(errors);
}

const deleteOptions = (cmd: Cmd) => ({
  gracePeriodSeconds: int(cmd, 'grace-period') >= 0 ? int(cmd, 'grace-period') : undefined,
  dryRun: dryRun(cmd) === 'server' || undefined,
});

function* evictAll(cmd: Cmd, pods: KubeObject[], errors: Failure[]): Co<void> {
  const timeout = duration(cmd, 'timeout');
  const deadline = timeout ? cmd.host.sim.nowMs + timeout : Number.POSITIVE_INFINITY;
  const tasks: Task<void>[] = pods.map(p => startTask(cmd.host.sim, evictOne(cmd, p, deadline, errors)));
  try {
    for (const t of tasks) while (!t.done) yield* waitOn(cmd.host.sim, [t.ended]);
  } finally {
    for (const t of tasks) killTask(t, undefined);
  }
}

function* evictOne(cmd: Cmd, pod: KubeObject, deadline: number, errors: Failure[]): Co<void> {
  const { name, namespace = '' } = pod.metadata;
  const which = `pods/${goQuote(name)} -n ${goQuote(namespace)}`;
  for (;;) {
    out(cmd, `evicting pod ${namespace}/${name}${dryRun(cmd) === 'server' ? ' (server dry run)' : ''}\n`);
    if (cmd.host.sim.nowMs >= deadline) {
      errors.push(failure(`error when evicting ${which}: global timeout reached: ${goDuration(duration(cmd, 'timeout'))}`));
      return;
    }
    try {
      const { dryRun: dry, gracePeriodSeconds } = deleteOptions(cmd);
      request(cmd, {
        verb: 'create',
        ...target(podsMapping(cmd), namespace),
        name,
        subresource: 'eviction',
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions: { gracePeriodSeconds } },
        query: { dryRun: dry },
      });
      break;
    } catch (e) {
      if (!isFailure(e)) throw e;
      if (isNotFound(e)) return;
      if (e.status?.reason !== 'TooManyRequests') {
        errors.push(failure(`error when evicting ${which}: ${e.message}`));
        return;
      }
      err(cmd, `error when evicting ${which} (will retry after 5s): ${e.message}\n`);
      yield* sleep(cmd.host.sim, 5000);
    }
  }
  if (dryRun(cmd) === 'server') return;
  const why = yield* waitGone(cmd, [pod], deadline, 'evicted');
  if (why) errors.push(failure(`error when waiting for pod ${goQuote(name)} in namespace ${goQuote(namespace)} to terminate: ${why}`));
}

function* removeAll(cmd: Cmd, pods: KubeObject[], errors: Failure[]): Co<void> {
  const timeout = duration(cmd, 'timeout');
  const deadline = timeout ? cmd.host.sim.nowMs + timeout : Number.POSITIVE_INFINITY;
  for (const p of pods) {
    try {
      deleteObject(cmd, podsMapping(cmd), p.metadata.namespace ?? '', p.metadata.name, deleteOptions(cmd));
    } catch (e) {
      if (!isFailure(e)) throw e;
      if (isNotFound(e)) continue;
      errors.push(e);
      return;
    }
  }
  const why = yield* waitGone(cmd, pods, deadline, 'deleted');
  if (why) errors.push(failure(why));
}

/** Looks once a second, as drain does. -> why it gave up */
function* waitGone(cmd: Cmd, pods: KubeObject[], deadline: number, done: string): Co<string> {
  let left = pods;
  for (;;) {
    left = left.filter(p => {
      const now = getObject(cmd, podsMapping(cmd), p.metadata.namespace ?? '', p.metadata.name);
      if (isFailure(now) ? !isNotFound(now) : now.metadata.uid === p.metadata.uid) {
        if (isFailure(now) || !skips(cmd, now)) return true;
        out(
          cmd,
          `pod ${goQuote(p.metadata.name)} has DeletionTimestamp older than ${int(cmd, 'skip-wait-for-delete-timeout')} seconds, skipping\n`,
        );
        return false;
      }
      resultPrinter(cmd, done)(p);
      return false;
    });
    if (!left.length) return '';
    if (cmd.host.sim.nowMs >= deadline) return 'context deadline exceeded';
    yield* sleep(cmd.host.sim, Math.min(1000, deadline - cmd.host.sim.nowMs));
  }
}
