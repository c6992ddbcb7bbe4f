// The apiserver's way to the kubelets: exec, attach, logs and port-forward go to the node that runs the pod.
import { kubeletPlace } from '../apiserver/http/proxy-place.ts';
import { failure, isStatus, notFound } from '../apiserver/status.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeletProxy, KubeObject, Status } from '../apiserver/types.ts';
import { attachPod, execInPod, KUBELET_PORT, type LogOptions, podLogs, portForwardPod, upgradeError } from '../kubelet/proxy.ts';
import type { Kubelet } from '../kubelet/types.ts';
import { pipeOf } from '../sim/pipe.ts';
import { parseIp } from '../wire/ip.ts';
import { dialAtOnce, dialError } from './go-dial.ts';
import type { Engine, NodeRuntime } from './types.ts';

/** net.Dialer's of the kubelet's client (client-go v0.36.3, transport/cache.go). */
const DIAL_MS = 30_000;

/**
 * Nobody has touched the machine's network: its kubelet can be reached as on the first day, without a look at the way there. Policies of
 * hosts are the one thing that comes without a touch.
 */
function isAsMade(node: NodeRuntime): boolean {
  const { engine, spec, built, kubelet } = node;
  const touched = engine.saved.has(`netns:${spec.name}:`) || !!built?.kernel.netns.get('')?.dirty.size;
  return kubelet.running && !touched && !listObjects(engine.server, 'hostendpoints.projectcalico.org').length;
}

/** Why the kubelet cannot be had: there is no address, or the connection from the control plane fails; null: it can. */
function kubeletDown(engine: Engine, node: NodeRuntime): { host: string; why: string } | Status | null {
  const place = kubeletPlace(engine.server, node.spec.name);
  if (isStatus(place)) return getObject(engine.server, 'nodes', '', node.spec.name) ? place : null;
  const controlPlanes = [...engine.nodes.values()].filter(n => n.spec.role === 'control-plane');
  const ip = parseIp(place.address);
  if (!ip) return null;
  // Where it says that it is, it is.
  const asSaid = node.spec.ips.includes(place.address) && place.port === KUBELET_PORT;
  if (asSaid && [node, ...controlPlanes].every(isAsMade)) return null;
  const e = dialAtOnce(engine, { ip, port: place.port }, DIAL_MS);
  return e && { host: place.host, why: dialError(place.host, e) };
}

/** The request for a log as the server writes it (pkg/registry/core/pod/strategy.go, LogLocation). */
function logPath(pod: KubeObject, container: string, o: LogOptions): string {
  const flag = (name: string, v: boolean | undefined) => (v ? [`${name}=true`] : []);
  const value = (name: string, v: number | string | undefined) => (v === undefined ? [] : [`${name}=${encodeURIComponent(v)}`]);
  const query = [
    ...flag('follow', o.follow),
    ...value('limitBytes', o.limitBytes),
    ...flag('previous', o.previous),
    ...value('sinceSeconds', o.sinceSeconds),
    ...value('sinceTime', o.sinceTime),
    ...value('tailLines', o.tailLines),
    ...flag('timestamps', o.timestamps),
  ].join('&');
  return `/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}${query && `?${query}`}`;
}

/** What is told of a kubelet that cannot be had. */
type Lost = (down: { host: string; why: string }) => Status;

export function clusterProxy(engine: Engine): KubeletProxy {
  // Whoever asks names a pod: it is looked up each time (pkg/registry/core/pod/strategy.go).
  const on = <T>(asked: KubeObject, lost: Lost | null, use: (kubelet: Kubelet, pod: KubeObject) => T | Status): T | Status => {
    const { namespace, name } = asked.metadata;
    const pod = getObject(engine.server, 'pods', namespace, name);
    if (!pod) return notFound('', 'pods', name);
    const node = engine.nodes.get(pod.spec?.nodeName);
    if (!node) return failure(500, 'InternalError', `unable to upgrade connection: pod ${name} does not have a host assigned`);
    const down = lost && kubeletDown(engine, node);
    if (down) return isStatus(down) ? down : lost(down);
    return use(node.kubelet, pod);
  };
  const upgrade: Lost = ({ why }) => upgradeError(`error dialing backend: ${why}`);
  return {
    exec: (asked, container, argv, io) => on(asked, upgrade, (k, pod) => execInPod(k, pod, container, argv, io)),
    attach: (asked, container, io) => on(asked, upgrade, (k, pod) => attachPod(k, pod, container, io)),
    // A pod that has no node yet has an empty log (pkg/registry/core/pod/strategy.go LogLocation).
    logs: (asked, container, o) => {
      const { namespace, name } = asked.metadata;
      const waits = getObject(engine.server, 'pods', namespace, name)?.spec?.nodeName === undefined;
      const lost: Lost = ({ host, why }) => ({
        ...failure(500, '', `Get "https://${host}${logPath(asked, container, o)}": ${why}`),
        reason: undefined,
      });
      return waits && !asked.spec?.nodeName ? pipeOf() : on(asked, o.connected ? null : lost, (k, pod) => podLogs(k, pod, container, o));
    },
    reach: asked => on(asked, upgrade, () => null),
    portForward: (asked, port) => on(asked, upgrade, (k, pod) => portForwardPod(k, pod, port)),
  };
}
