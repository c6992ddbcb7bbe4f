// Choosing a pod and a container (k8s.io/kubectl v0.36.3: pkg/cmd/util/podcmd, pkg/polymorphichelpers).

import { formatLabelSelector } from '../apiserver/labels.ts';
import type { KubeObject, ResourceInfo } from '../apiserver/types.ts';
import { goQuote } from '../sim/quote.ts';
import { type Co, waitOn, wakeAll } from '../sim/task.ts';
import { build, oneInfo } from './builder.ts';
import { type Cmd, connect, err, isStatus } from './command.ts';
import { fail, failure, isFailure } from './failure.ts';
import { mappingFor } from './mapping.ts';
import { getObject, listObjects } from './requests.ts';

export const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

export const podsMapping = (cmd: Cmd): ResourceInfo => mappingFor(connect(cmd), 'pods');

export function allContainerNames(pod: KubeObject): string {
  const names = (pod.spec.containers ?? []).map((c: any) => c.name);
  for (const c of pod.spec.ephemeralContainers ?? []) names.push(`${c.name} (ephem)`);
  for (const c of pod.spec.initContainers ?? []) names.push(`${c.name} (init)`);
  return names.join(', ');
}

export function findContainer(pod: KubeObject, name: string): any {
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    const hit = (pod.spec[list] ?? []).find((c: any) => c.name === name);
    if (hit) return hit;
  }
  return undefined;
}

/** The container that a command works in; says which one it took by default. */
export function containerFor(cmd: Cmd, pod: KubeObject, name: string, quiet: boolean): string {
  if (!pod.spec.containers?.length) fail(`pod ${pod.metadata.namespace}/${pod.metadata.name} does not have any containers`);
  const wanted = name || pod.metadata.annotations?.[DEFAULT_CONTAINER] || '';
  if (wanted) {
    if (!findContainer(pod, wanted))
      fail(`container ${wanted} is not valid for pod ${pod.metadata.name} out of: ${allContainerNames(pod)}`);
    return wanted;
  }
  const first = pod.spec.containers[0].name;
  if (!quiet && (pod.spec.containers.length > 1 || pod.spec.initContainers?.length || pod.spec.ephemeralContainers?.length))
    err(cmd, `Defaulted container ${goQuote(first)} out of: ${allContainerNames(pod)}\n`);
  return first;
}

/** polymorphichelpers.SelectorsForObject */
export function selectorFor(object: KubeObject): string {
  const bySet = (set: Record<string, string>) =>
    Object.keys(set)
      .sort()
      .map(k => `${k}=${set[k]}`)
      .join(',');
  switch (object.kind) {
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'Deployment':
    case 'Job':
      return formatLabelSelector(object.spec.selector).replace('<none>', '');
    case 'ReplicationController':
      return bySet(object.spec.selector ?? {});
    case 'Service':
      if (!Object.keys(object.spec.selector ?? {}).length)
        fail(`invalid service '${object.metadata.name}': Service is defined without a selector`);
      return bySet(object.spec.selector);
    default:
      return fail(`selector for ${goTypeName(object)} not implemented`);
  }
}

/** `*v1.ConfigMap` */
export const goTypeName = (object: KubeObject): string => `*${object.apiVersion.split('/').at(-1)}.${object.kind}`;

const ready = (p: KubeObject) => (p.status?.conditions ?? []).find((c: any) => c.type === 'Ready' && c.status === 'True');
const restarts = (p: KubeObject) => Math.max(0, ...(p.status?.containerStatuses ?? []).map((c: any) => c.restartCount ?? 0));

/** For sort(): assigned, running, ready, ready for longest, restarts, oldest. */
export const bestFirst = (a: KubeObject, b: KubeObject): number => comparePods(a, b, false);

function comparePods(a: KubeObject, b: KubeObject, logging: boolean): number {
  if (!a.spec.nodeName !== !b.spec.nodeName) return a.spec.nodeName ? -1 : 1;
  const phase = (p: KubeObject) => ({ Running: 0, Unknown: 1, Pending: 2 })[p.status?.phase as string] ?? 0;
  if (phase(a) !== phase(b)) return phase(a) - phase(b);
  const [ra, rb] = [ready(a), ready(b)];
  if (!ra !== !rb) return ra ? -1 : 1;
  if (ra && rb && ra.lastTransitionTime !== rb.lastTransitionTime)
    return (ra.lastTransitionTime ?? '') < (rb.lastTransitionTime ?? '') ? -1 : 1;
  if (restarts(a) !== restarts(b)) return logging ? restarts(b) - restarts(a) : restarts(a) - restarts(b);
  const [ta, tb] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return ta === tb ? 0 : ta < tb ? -1 : 1;
}

/** GetPodList: pods of a selector, best first; waits for the first one. */
export function* podsOfSelector(cmd: Cmd, namespace: string, selector: string, timeoutMs: number, logging: boolean): Co<KubeObject[]> {
  const mapping = podsMapping(cmd);
  const deadline = cmd.host.sim.nowMs + timeoutMs;
  const waiting = new Set<() => void>();
  const stop = connect(cmd).watch(
    { verb: 'watch', group: '', version: 'v1', resource: 'pods', namespace, query: { labelSelector: selector } },
    () => wakeAll(waiting),
  );
  try {
    for (;;) {
      const pods = listObjects(cmd, mapping, namespace, { labelSelector: selector });
      if (pods.length) return pods.sort((a, b) => comparePods(a, b, logging));
      const left = deadline - cmd.host.sim.nowMs;
      if (left <= 0 || !(yield* waitOn(cmd.host.sim, [waiting], left))) fail('timed out waiting for the condition');
    }
  } finally {
    if (!isStatus(stop)) stop();
  }
}

/** The pod that `NAME` or `TYPE/NAME` stands for. */
export function* attachablePod(cmd: Cmd, target: string, timeoutMs: number): Co<KubeObject> {
  const result = yield* build(cmd, { args: [target], defaultType: 'pods' });
  const object = oneInfo(result).object as KubeObject;
  return yield* podForObject(cmd, object, timeoutMs, 'cannot attach to');
}

export function* podForObject(cmd: Cmd, object: KubeObject, timeoutMs: number, verb: string): Co<KubeObject> {
  if (object.kind === 'Pod') return object;
  let selector: string;
  try {
    selector = selectorFor(object);
  } catch (e) {
    if (!isFailure(e)) throw e;
    throw failure(`${verb} ${goTypeName(object)}: ${e.message}`);
  }
  return (yield* podsOfSelector(cmd, object.metadata.namespace ?? '', selector, timeoutMs, false))[0];
}

/** Wait until a pod fulfils `done`; NotFound when it goes away. */
export function* waitForPod(
  cmd: Cmd,
  namespace: string,
  name: string,
  timeoutMs: number,
  done: (pod: KubeObject) => boolean,
): Co<KubeObject> {
  const mapping = podsMapping(cmd);
  const waiting = new Set<() => void>();
  const stop = connect(cmd).watch({ verb: 'watch', group: '', version: 'v1', resource: 'pods', namespace, name }, () => wakeAll(waiting));
  const deadline = cmd.host.sim.nowMs + (timeoutMs || Number.POSITIVE_INFINITY);
  try {
    for (;;) {
      const pod = getObject(cmd, mapping, namespace, name);
      if (isFailure(pod)) throw pod;
      if (done(pod)) return pod;
      const left = deadline - cmd.host.sim.nowMs;
      if (left <= 0 || !(yield* waitOn(cmd.host.sim, [waiting], left))) fail('timed out waiting for the condition');
    }
  } finally {
    if (!isStatus(stop)) stop();
  }
}
