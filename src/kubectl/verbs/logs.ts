// kubectl logs (k8s.io/kubectl v0.36.3, pkg/cmd/logs/logs.go).

import type { KubeObject } from '../../apiserver/types.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { type Pipe, readPipe } from '../../sim/pipe.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, killTask, sleep, startTask, type Task, waitOn } from '../../sim/task.ts';
import { parseRfc3339 } from '../../sim/time.ts';
import { build, oneInfo } from '../builder.ts';
import { bool, type Cmd, connect, duration, err, flag, int, isSet, isStatus, out, usageError } from '../command.ts';
import { fail, failure, isFailure, isNotFound, statusFailure } from '../failure.ts';
import { allContainerNames, DEFAULT_CONTAINER, findContainer, goTypeName, podsMapping, podsOfSelector, selectorFor } from '../pods.ts';
import { listObjects } from '../requests.ts';

const USAGE = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";

interface Request {
  pod: KubeObject;
  container: string;
}

export function* run(cmd: Cmd): Co<number> {
  const { args } = cmd;
  const selector = flag(cmd, 'selector').trim();
  if (args.length > 2 || (!args.length && !selector)) usageError(cmd, USAGE);
  if (args.length === 1 && selector) usageError(cmd, 'only a selector (-l) or a POD name is allowed');
  const timeout = duration(cmd, 'pod-running-timeout');
  if (timeout <= 0) fail('--pod-running-timeout must be higher than zero');
  const sinceTime = flag(cmd, 'since-time');
  if (sinceTime && parseRfc3339(sinceTime) === null)
    fail(`parsing time ${goQuote(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse ${goQuote(sinceTime)} as "2006"`);
  const objects = yield* target(cmd, args[0], selector);
  const inline = args.length === 2 ? args[1] : '';
  const container = flag(cmd, 'container') || inline;
  const allContainers = bool(cmd, 'all-containers');
  if (sinceTime && duration(cmd, 'since') !== 0) fail('at most one of `sinceTime` or `sinceSeconds` may be specified');
  if (allContainers && container) fail(`--all-containers=true should not be specified with container name ${container}`);
  if (isSet(cmd, 'container') && args.length === 2) fail('only one of -c or an inline [CONTAINER] arg is allowed');
  if (int(cmd, 'limit-bytes') < 0) fail('--limit-bytes must be greater than 0');
  if (duration(cmd, 'since') < 0) fail('--since must be greater than 0');
  if (int(cmd, 'tail') < -1) fail('--tail must be greater than or equal to -1');
  const requests: Request[] = [];
  for (const o of objects) requests.push(...(yield* requestsFor(cmd, o, container, allContainers, timeout)));
  const limit = int(cmd, 'max-log-requests');
  if (bool(cmd, 'follow') && requests.length > 1) {
    if (requests.length > limit)
      fail(
        `you are attempting to follow ${requests.length} log streams, but maximum allowed concurrency is ${limit}, use --max-log-requests to increase the limit`,
      );
    yield* together(cmd, requests, selector !== '');
    return 0;
  }
  for (const r of requests) yield* consume(cmd, r, selector !== '');
  return 0;
}

function* target(cmd: Cmd, arg: string | undefined, selector: string): Co<KubeObject[]> {
  if (selector) {
    const pods = listObjects(cmd, podsMapping(cmd), cmd.namespace, { labelSelector: selector });
    if (!pods.length) err(cmd, `No resources found in ${cmd.namespace} namespace.\n`);
    return pods;
  }
  const result = yield* build(cmd, { args: [arg as string], defaultType: 'pods', singleResourceType: true });
  try {
    return [oneInfo(result).object as KubeObject];
  } catch (e) {
    if (isFailure(e) && isNotFound(e)) throw failure(`error from server (NotFound): ${e.message} in namespace ${goQuote(cmd.namespace)}`);
    throw e;
  }
}

function* requestsFor(cmd: Cmd, o: KubeObject, container: string, allContainers: boolean, timeout: number): Co<Request[]> {
  const allPods = bool(cmd, 'all-pods');
  if (o.kind === 'Pod') return ofPod(cmd, o, container, allContainers, allPods);
  let selector: string;
  try {
    selector = selectorFor(o);
  } catch (e) {
    throw isFailure(e) ? failure(`cannot get the logs from ${goTypeName(o)}: ${e.message}`) : e;
  }
  const pods = yield* podsOfSelector(cmd, o.metadata.namespace ?? '', selector, timeout, true);
  if (pods.length > 1 && allPods) return pods.flatMap(p => ofPod(cmd, p, container, allContainers, true));
  if (pods.length > 1) err(cmd, `Found ${pods.length} pods, using pod/${pods[0].metadata.name}\n`);
  return ofPod(cmd, pods[0], container, allContainers, allPods);
}

function ofPod(cmd: Cmd, pod: KubeObject, container: string, allContainers: boolean, allPods: boolean): Request[] {
  if (allContainers) {
    return ['initContainers', 'containers', 'ephemeralContainers'].flatMap(list =>
      (pod.spec[list] ?? []).map((c: any) => ({ pod, container: c.name })),
    );
  }
  let name = container;
  const annotated = pod.metadata.annotations?.[DEFAULT_CONTAINER];
  if (!name && annotated) {
    if (findContainer(pod, annotated)) name = annotated;
    else err(cmd, `Default container name ${goQuote(annotated)} not found in pod ${pod.metadata.name}\n`);
  }
  if (!name) {
    name = pod.spec.containers[0].name;
    const several = pod.spec.containers.length > 1 || pod.spec.initContainers?.length || pod.spec.ephemeralContainers?.length;
    if (several && !allPods) err(cmd, `Defaulted container ${goQuote(name)} out of: ${allContainerNames(pod)}\n`);
  }
  if (!findContainer(pod, name)) fail(`container ${name} is not valid for pod ${pod.metadata.name} out of: ${allContainerNames(pod)}`);
  return [{ pod, container: name }];
}

function openLog(cmd: Cmd, r: Request, selecting: boolean): Pipe {
  const { kubelet } = connect(cmd);
  if (!kubelet) return fail('no kubelet answers');
  const tail = int(cmd, 'tail');
  const since = duration(cmd, 'since');
  const log = kubelet.logs(r.pod, r.container, {
    follow: bool(cmd, 'follow'),
    previous: bool(cmd, 'previous'),
    tailLines: selecting && tail === -1 && !isSet(cmd, 'tail') ? 10 : tail === -1 ? undefined : tail,
    sinceSeconds: since ? Math.round(since / 1000) : undefined,
    sinceTime: flag(cmd, 'since-time') || undefined,
    timestamps: bool(cmd, 'timestamps'),
    limitBytes: int(cmd, 'limit-bytes') || undefined,
  });
  if (isStatus(log)) throw statusFailure(log);
  return log;
}

function prefixOf(cmd: Cmd, r: Request): string {
  return bool(cmd, 'prefix') || bool(cmd, 'all-pods') ? `[pod/${r.pod.metadata.name}/${r.container}] ` : '';
}

function* consume(cmd: Cmd, r: Request, selecting: boolean): Co<number> {
  // The apiserver asks no kubelet then, and answers with nothing.
  if (!r.pod.spec.nodeName) return 0;
  const deadline = cmd.host.sim.nowMs + duration(cmd, 'pod-running-timeout');
  for (;;) {
    try {
      yield* copyLog(cmd, openLog(cmd, r, selecting), prefixOf(cmd, r));
      return 0;
    } catch (e) {
      if (!isFailure(e)) throw e;
      if (bool(cmd, 'ignore-errors')) {
        out(cmd, `error: ${e.message}\n`);
        return 0;
      }
      if (!bool(cmd, 'follow') || !e.status) throw e;
      err(cmd, `${e.message}\n`);
      if (cmd.host.sim.nowMs >= deadline) throw failure('timed out waiting for the condition');
      yield* sleep(cmd.host.sim, 1000);
    }
  }
}

/** Several logs at once, lines as they come. */
function* together(cmd: Cmd, requests: Request[], selecting: boolean): Co<void> {
  const tasks: Task<number>[] = requests.map(r => startTask(cmd.host.sim, consume(cmd, r, selecting)));
  try {
    for (const t of tasks) while (!t.done) yield* waitOn(cmd.host.sim, [t.ended]);
  } finally {
    for (const t of tasks) killTask(t, 0);
  }
}

function* copyLog(cmd: Cmd, log: Pipe, prefix: string): Co<void> {
  let rest = '';
  for (;;) {
    const chunk = (yield* readPipe(cmd.host.sim, log)) as Uint8Array;
    if (!chunk.length) break;
    if (!prefix) {
      out(cmd, bytesToString(chunk));
      continue;
    }
    const lines = (rest + bytesToString(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const l of lines) out(cmd, `${prefix}${l}\n`);
  }
  if (rest) out(cmd, `${prefix}${rest}`);
}
