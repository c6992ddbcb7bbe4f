// The apiserver's way to the kubelets: exec, attach, logs and port-forward go to the node that runs the pod.
import { failure, notFound } from '../apiserver/status.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeletProxy, KubeObject, Status } from '../apiserver/types.ts';
import { attachPod, execInPod, podLogs, portForwardPod } from '../kubelet/proxy.ts';
import type { Kubelet } from '../kubelet/types.ts';
import { pipeOf } from '../sim/pipe.ts';
import type { Engine } from './engine.ts';

export function clusterProxy(engine: Engine): KubeletProxy {
  // Whoever asks names a pod: it is looked up each time (pkg/registry/core/pod/strategy.go).
  const on = <T>(asked: KubeObject, use: (kubelet: Kubelet, pod: KubeObject) => T | Status): T | Status => {
    const { namespace, name } = asked.metadata;
    const pod = getObject(engine.server, 'pods', namespace, name);
    if (!pod) return notFound('', 'pods', name);
    const node = engine.nodes.get(pod.spec?.nodeName);
    if (!node) return failure(500, 'InternalError', `unable to upgrade connection: pod ${name} does not have a host assigned`);
    return use(node.kubelet, pod);
  };
  return {
    exec: (asked, container, argv, io) => on(asked, (k, pod) => execInPod(k, pod, container, argv, io)),
    attach: (asked, container, io) => on(asked, (k, pod) => attachPod(k, pod, container, io)),
    // A pod that has no node yet has an empty log (pkg/registry/core/pod/strategy.go LogLocation).
    logs: (asked, container, o) => {
      const { namespace, name } = asked.metadata;
      const waits = getObject(engine.server, 'pods', namespace, name)?.spec?.nodeName === undefined;
      return waits && !asked.spec?.nodeName ? pipeOf() : on(asked, (k, pod) => podLogs(k, pod, container, o));
    },
    portForward: (asked, port) => on(asked, (k, pod) => portForwardPod(k, pod, port)),
  };
}
