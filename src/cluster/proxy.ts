// The apiserver's way to the kubelets: exec, attach, logs and port-forward go to the node that runs the pod.
import { failure } from '../apiserver/status.ts';
import type { KubeletProxy, KubeObject, Status } from '../apiserver/types.ts';
import { attachPod, execInPod, podLogs, portForwardPod } from '../kubelet/proxy.ts';
import type { Kubelet } from '../kubelet/types.ts';
import { pipeOf } from '../sim/pipe.ts';
import type { Engine } from './engine.ts';

export function clusterProxy(engine: Engine): KubeletProxy {
  const on = <T>(pod: KubeObject, use: (kubelet: Kubelet) => T | Status): T | Status => {
    const node = engine.nodes.get(pod.spec?.nodeName);
    if (!node) return failure(500, 'InternalError', `unable to upgrade connection: pod ${pod.metadata.name} does not have a host assigned`);
    return use(node.kubelet);
  };
  return {
    exec: (pod, container, argv, io) => on(pod, k => execInPod(k, pod, container, argv, io)),
    attach: (pod, container, io) => on(pod, k => attachPod(k, pod, container, io)),
    // A pod that has no node yet has an empty log (pkg/registry/core/pod/strategy.go LogLocation).
    logs: (pod, container, o) => (pod.spec?.nodeName ? on(pod, k => podLogs(k, pod, container, o)) : pipeOf()),
    portForward: (pod, port) => on(pod, k => portForwardPod(k, pod, port)),
  };
}
