// kubectl rollout (k8s.io/kubectl v0.36.3, pkg/cmd/rollout, pkg/polymorphichelpers).

import { cloneJson, sameJson } from '../../apiserver/json.ts';
import { twoWayPatch } from '../../apiserver/strategic-diff.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, waitOn, wakeAll } from '../../sim/task.ts';
import { rfc3339 } from '../../sim/time.ts';
import { build, type Info, infosOf } from '../builder.ts';
import { bool, type Cmd, connect, type DryRun, dryRun, duration, err, flag, int, isStatus, list, out } from '../command.ts';
import { describePodTemplate } from '../describe/pod-template.ts';
import { newDescription } from '../describe/writer.ts';
import { aggregate, type Failure, fail, failure, isFailure } from '../failure.ts';
import { goJson } from '../go-json.ts';
import { LAST_APPLIED, lastAppliedOf } from '../last-applied.ts';
import { groupResource } from '../mapping.ts';
import { dryRunSuffix, printerOf, resultPrinter } from '../print-flags.ts';
import { getObject, patchObject, writeQuery } from '../requests.ts';
import { revisionsOf } from '../rollout-history.ts';
import { alignText, newDescribeWriter } from '../tabwriter.ts';

export function* run(cmd: Cmd): Co<number> {
  const what = cmd.path.replace(/^rollout /, '');
  if (!cmd.args.length && !list(cmd, 'filename').length && !flag(cmd, 'kustomize')) fail('required resource not specified');
  if ((what === 'history' || what === 'status') && int(cmd, 'revision') < 0)
    fail(`revision must be a positive integer: ${int(cmd, 'revision')}`);
  const mode = what === 'undo' ? dryRun(cmd) : 'none';
  const result = yield* build(cmd, {
    args: cmd.args,
    allowEmptySelector: true,
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    labelSelector: flag(cmd, 'selector').trim(),
    latest: true,
    flatten: true,
    continueOnError: true,
  });
  if (result.error) throw result.error;
  if (what === 'pause' || what === 'resume' || what === 'restart') return change(cmd, what, infosOf(result));
  if (what === 'status') {
    const { infos, error } = infosOf(result);
    const errors: Failure[] = error ? [error] : [];
    for (const info of infos) {
      try {
        yield* status(cmd, info);
      } catch (e) {
        if (!isFailure(e)) throw e;
        errors.push(e);
      }
    }
    const all = aggregate(errors);
    if (all) throw all;
    if (!infos.length) err(cmd, `No resources found in ${cmd.namespace} namespace.\n`);
    return 0;
  }
  const error = result.visit(info => (what === 'history' ? history(cmd, info) : undo(cmd, info, mode)));
  if (error) throw error;
  return 0;
}

const groupKind = (info: Info) => (info.mapping.group ? `${info.mapping.kind}.${info.mapping.group}` : info.mapping.kind);
const hasHistory = (info: Info) => info.mapping.group === 'apps' && ['Deployment', 'DaemonSet', 'StatefulSet'].includes(info.mapping.kind);
const KNOWN = [
  'Pod',
  'ReplicationController',
  'ReplicaSet.apps',
  'Job.batch',
  'CronJob.batch',
  'Deployment.apps',
  'DaemonSet.apps',
  'StatefulSet.apps',
];

/** kindvisitor.go: kinds nobody thought of have an error of their own. */
function unsupported(info: Info, verb: string, what: string): never {
  const kind = groupKind(info);
  if (!KNOWN.includes(kind))
    fail(`error ${verb} for ${goQuote(kind)}, no visitor method exists for {${info.mapping.group} ${info.mapping.kind}}`);
  return fail(`no ${what} has been implemented for ${goQuote(kind)}`);
}

// ------------------------------------------------------------------ status

function* status(cmd: Cmd, info: Info): Co<void> {
  if (!hasHistory(info)) fail(`no status viewer has been implemented for ${groupKind(info)}`);
  const waiting = new Set<() => void>();
  const deadline = duration(cmd, 'timeout') ? cmd.host.sim.nowMs + duration(cmd, 'timeout') : Number.POSITIVE_INFINITY;
  const queue: (KubeObject | null)[] = [];
  const { mapping, namespace, name } = info;
  const stop = connect(cmd).watch(
    { verb: 'watch', group: mapping.group, version: mapping.version, resource: mapping.resource, namespace, name },
    (type, object) => {
      queue.push(type === 'DELETED' ? null : (object as KubeObject));
      wakeAll(waiting);
    },
  );
  try {
    const first = getObject(cmd, mapping, namespace, name);
    if (isFailure(first)) throw first;
    queue.unshift(first);
    for (;;) {
      for (let o = queue.shift(); o !== undefined; o = queue.shift()) {
        if (!o) fail('object has been deleted');
        const s = statusText(o as KubeObject, int(cmd, 'revision'));
        out(cmd, s.text);
        if (s.done || !bool(cmd, 'watch')) return;
      }
      const left = deadline - cmd.host.sim.nowMs;
      if (left <= 0 || !(yield* waitOn(cmd.host.sim, [waiting], left))) fail('timed out waiting for the condition');
    }
  } finally {
    if (!isStatus(stop)) stop();
  }
}

function statusText(o: KubeObject, revision: number): { text: string; done: boolean } {
  const waiting = (text: string) => ({ text, done: false });
  const { name, generation = 0 } = o.metadata;
  const s = o.status ?? {};
  const n = (x: any): number => x ?? 0;
  if (o.kind === 'Deployment') {
    if (revision > 0) {
      const have = Number(o.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
      if (have !== revision) fail(`desired revision (${revision}) is different from the running revision (${have})`);
    }
    if (generation > n(s.observedGeneration)) return waiting('Waiting for deployment spec update to be observed...\n');
    const progressing = (s.conditions ?? []).find((c: any) => c.type === 'Progressing');
    if (progressing?.reason === 'ProgressDeadlineExceeded') fail(`deployment ${goQuote(name)} exceeded its progress deadline`);
    const head = `Waiting for deployment ${goQuote(name)} rollout to finish:`;
    if (n(s.updatedReplicas) < n(o.spec.replicas))
      return waiting(`${head} ${n(s.updatedReplicas)} out of ${o.spec.replicas} new replicas have been updated...\n`);
    if (n(s.replicas) > n(s.updatedReplicas))
      return waiting(`${head} ${n(s.replicas) - n(s.updatedReplicas)} old replicas are pending termination...\n`);
    if (n(s.availableReplicas) < n(s.updatedReplicas))
      return waiting(`${head} ${n(s.availableReplicas)} of ${n(s.updatedReplicas)} updated replicas are available...\n`);
    return { text: `deployment ${goQuote(name)} successfully rolled out\n`, done: true };
  }
  if (o.spec.updateStrategy?.type !== 'RollingUpdate') fail('rollout status is only available for RollingUpdate strategy type');
  if (o.kind === 'DaemonSet') {
    if (generation > n(s.observedGeneration)) return waiting('Waiting for daemon set spec update to be observed...\n');
    const head = `Waiting for daemon set ${goQuote(name)} rollout to finish:`;
    if (n(s.updatedNumberScheduled) < n(s.desiredNumberScheduled))
      return waiting(`${head} ${n(s.updatedNumberScheduled)} out of ${n(s.desiredNumberScheduled)} new pods have been updated...\n`);
    if (n(s.numberAvailable) < n(s.desiredNumberScheduled))
      return waiting(`${head} ${n(s.numberAvailable)} of ${n(s.desiredNumberScheduled)} updated pods are available...\n`);
    return { text: `daemon set ${goQuote(name)} successfully rolled out\n`, done: true };
  }
  if (!s.observedGeneration || generation > s.observedGeneration) return waiting('Waiting for statefulset spec update to be observed...\n');
  const replicas = n(o.spec.replicas);
  if (n(s.readyReplicas) < replicas) return waiting(`Waiting for ${replicas - n(s.readyReplicas)} pods to be ready...\n`);
  const rolling = o.spec.updateStrategy.rollingUpdate;
  if (rolling) {
    const goal = replicas - n(rolling.partition);
    if (rolling.partition !== undefined && n(s.updatedReplicas) < goal)
      return waiting(`Waiting for partitioned roll out to finish: ${n(s.updatedReplicas)} out of ${goal} new pods have been updated...\n`);
    return { text: `partitioned roll out complete: ${n(s.updatedReplicas)} new pods have been updated...\n`, done: true };
  }
  if (s.updateRevision !== s.currentRevision)
    return waiting(`waiting for statefulset rolling update to complete ${n(s.updatedReplicas)} pods at revision ${s.updateRevision}...\n`);
  return { text: `statefulset rolling update complete ${n(s.currentReplicas)} pods at revision ${s.currentRevision}...\n`, done: true };
}

// ----------------------------------------------------------------- history

const CAUSE = 'kubernetes.io/change-cause';

function templateText(template: any): string {
  const d = newDescription();
  describePodTemplate(d, template);
  // PrintTemplate has no tabwriter: the tabs stay.
  return d.text;
}

function history(cmd: Cmd, info: Info): void {
  if (!hasHistory(info)) unsupported(info, 'retrieving history', 'history viewer');
  const o = info.object as KubeObject;
  const revisions = revisionsOf(cmd, o);
  const wanted = int(cmd, 'revision');
  const print = flag(cmd, 'output') ? printerOf(cmd) : null;
  const hit = revisions.find(r => r.number === wanted);
  if (wanted && !hit && (revisions.length || print)) fail('unable to find the specified revision');
  if (print) {
    for (const r of wanted ? [hit] : revisions) print(r?.object);
    return;
  }
  let text: string;
  if (!revisions.length) text = 'No rollout history found.';
  else if (hit) {
    const cause = hit.source.metadata.annotations?.[CAUSE];
    const { template } = hit;
    const withCause =
      o.kind === 'Deployment' && cause
        ? { ...template, metadata: { ...template.metadata, annotations: { ...template.metadata?.annotations, [CAUSE]: cause } } }
        : template;
    text = templateText(withCause);
  } else {
    const rows = revisions.map(r => `${r.number}\t${r.source.metadata.annotations?.[CAUSE] || '<none>'}\n`);
    text = alignText(newDescribeWriter(), `REVISION\tCHANGE-CAUSE\n${rows.join('')}`);
  }
  const withRevision = wanted ? `with revision #${wanted}` : '';
  resultPrinter(cmd, `${withRevision}\n${text}`)(o);
}

// -------------------------------------------------------------------- undo

const SKIPPED = [
  LAST_APPLIED,
  'deployment.kubernetes.io/revision',
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
];

function undo(cmd: Cmd, info: Info, mode: DryRun): void {
  const o = info.object as KubeObject;
  if (lastAppliedOf(o) !== undefined)
    err(
      cmd,
      `Warning: resource ${info.mapping.resource}/${info.name} was previously managed with 'kubectl apply'. Rolling back will not update the ${LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n`,
    );
  if (!hasHistory(info)) unsupported(info, 'retrieving rollbacker', 'rollbacker');
  const to = int(cmd, 'to-revision');
  if (to < 0) fail(`unable to find specified revision ${to} in history`);
  const text = o.kind === 'Deployment' ? undoDeployment(cmd, info, o, to, mode) : undoByHistory(cmd, info, o, to, mode);
  resultPrinter(cmd, text, dryRunSuffix(mode))(o);
}

const withoutHash = (template: any) => {
  const { 'pod-template-hash': _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
};

function undoDeployment(cmd: Cmd, info: Info, o: KubeObject, to: number, mode: DryRun): string {
  const revisions = revisionsOf(cmd, o);
  const r = to ? revisions.find(x => x.number === to) : revisions.at(-2);
  if (!r)
    return fail(
      to ? `unable to find specified revision ${to} in history` : `no rollout history found for deployment ${goQuote(info.name)}`,
    );
  if (mode === 'client') return templateText(r.template);
  if (o.spec.paused) fail("you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again");
  const template = withoutHash(r.template);
  if (sameJson(template, withoutHash(o.spec.template))) return `skipped rollback (current template already matches revision ${to})`;
  const annotations: Record<string, string> = {};
  for (const k of SKIPPED) if (o.metadata.annotations?.[k] !== undefined) annotations[k] = o.metadata.annotations[k];
  for (const [k, v] of Object.entries(r.source.metadata.annotations ?? {})) if (!SKIPPED.includes(k)) annotations[k] = v;
  const patch = [
    { op: 'replace', path: '/spec/template', value: template },
    { op: 'replace', path: '/metadata/annotations', value: annotations },
  ];
  return restore(cmd, info, 'json', patch, to, mode);
}

function undoByHistory(cmd: Cmd, info: Info, o: KubeObject, to: number, mode: DryRun): string {
  const revisions = revisionsOf(cmd, o);
  if (!to && revisions.length <= 1) fail('no last revision to roll back to');
  const r = to ? revisions.find(x => x.number === to) : revisions.at(-2);
  if (!r) return fail(`unable to find specified revision ${to} in history`);
  if (mode === 'client') return `will roll back to ${templateText(r.template)}`;
  if (sameJson(r.template, o.spec.template)) return `skipped rollback (current template already matches revision ${to})`;
  return restore(cmd, info, 'strategic', (r.source as any).data, to, mode);
}

function restore(cmd: Cmd, info: Info, type: 'json' | 'strategic', patch: unknown, to: number, mode: DryRun): string {
  try {
    patchObject(cmd, info.mapping, info.namespace, info.name, type, patch, { dryRun: mode === 'server' || undefined });
  } catch (e) {
    throw isFailure(e) ? failure(`failed restoring revision ${to}: ${e.message}`) : e;
  }
  return 'rolled back';
}

// --------------------------------------------------- pause, resume, restart

function mutated(cmd: Cmd, what: string, o: KubeObject): KubeObject {
  const deployment = o.kind === 'Deployment' && o.apiVersion === 'apps/v1';
  const after = cloneJson(o);
  if (what === 'restart') {
    if (!deployment && !(o.apiVersion === 'apps/v1' && ['DaemonSet', 'StatefulSet'].includes(o.kind))) fail('restarting is not supported');
    if (deployment && o.spec.paused) fail("can't restart paused deployment (run rollout resume first)");
    const { template } = after.spec;
    template.metadata = {
      ...template.metadata,
      annotations: { ...template.metadata?.annotations, 'kubectl.kubernetes.io/restartedAt': rfc3339(cmd.host.sim.nowMs) },
    };
    return after;
  }
  if (!deployment) fail(what === 'pause' ? 'pausing is not supported' : 'resuming is not supported');
  if (what === 'pause') {
    if (o.spec.paused) fail('is already paused');
    after.spec.paused = true;
  } else {
    if (!o.spec.paused) fail('is not paused');
    delete after.spec.paused;
  }
  return after;
}

const DONE: Record<string, string> = { pause: 'paused', resume: 'resumed', restart: 'restarted' };

function change(cmd: Cmd, what: string, found: { infos: Info[]; error: Failure | null }): number {
  const errors: Failure[] = found.error ? [found.error] : [];
  if (!found.infos.length && !errors.length) {
    err(cmd, `No resources found in ${cmd.namespace} namespace.\n`);
    return 0;
  }
  for (const info of found.infos) {
    const o = info.object as KubeObject;
    try {
      let after: KubeObject;
      try {
        after = mutated(cmd, what, o);
      } catch (e) {
        throw isFailure(e) ? failure(`error: ${groupResource(info.mapping)} ${goQuote(info.name)} ${e.message}`) : e;
      }
      const diff = twoWayPatch(o.apiVersion, o.kind, o, after);
      if (typeof diff === 'string') throw failure(diff);
      if (goJson(diff.patch) === '{}') {
        if (what !== 'restart') resultPrinter(cmd, `already ${DONE[what]}`)(o);
        else
          fail(
            `failed to create patch for ${info.name}: if restart has already been triggered within the past second, please wait before attempting to trigger another`,
          );
        continue;
      }
      let patched: KubeObject;
      try {
        patched = patchObject(
          cmd,
          info.mapping,
          info.namespace,
          info.name,
          'strategic',
          diff.patch,
          writeQuery(cmd, 'none', 'kubectl-rollout'),
        );
      } catch (e) {
        throw isFailure(e) ? failure(`failed to patch: ${e.message}`) : e;
      }
      resultPrinter(cmd, DONE[what])(patched);
    } catch (e) {
      if (!isFailure(e)) throw e;
      errors.push(e);
    }
  }
  const all = aggregate(errors);
  if (all) throw all;
  return 0;
}
