// Static pods: manifests in a directory of the node, shown to the API as mirror pods, which this kubelet then runs
// (pkg/kubelet/config/file.go, pkg/kubelet/pod/mirror_client.go v1.36).

import { createObject } from '../apiserver/client.ts';
import { isStatus } from '../apiserver/status.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { hex, stringToBytes } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import { sha256 } from '../sim/sha256.ts';
import { rfc3339 } from '../sim/time.ts';
import { wake } from './adopt.ts';
import { stopPod } from './pod-worker.ts';
import type { Kubelet } from './types.ts';

const isMirror = (pod: KubeObject): boolean => pod.metadata.annotations?.['kubernetes.io/config.source'] === 'file';

const hashes = new WeakMap<KubeObject, string>();

function hashOf(pod: KubeObject): string {
  let hash = hashes.get(pod);
  if (hash === undefined) {
    hash = hex(sha256(stringToBytes(JSON.stringify(pod.spec))).subarray(0, 16));
    hashes.set(pod, hash);
  }
  return hash;
}

/** What the kubelet has seen at its last look, to look closer only when it is another list. */
const seen = new WeakMap<Kubelet, KubeObject[]>();

/** The apiserver can be reached: start the pods of new manifests and stop those whose manifest has gone or changed: a changed one starts again when it has stopped. */
export function syncStaticPods(k: Kubelet): void {
  const list = k.deps.staticPods?.() ?? [];
  if (seen.get(k) !== list) {
    seen.set(k, list);
    const wanted = new Map(list.map(p => [`${p.metadata.namespace ?? 'default'}/${p.metadata.name}-${k.nodeName}`, hashOf(p)]));
    for (const pod of listObjects(k.server, 'pods')) {
      if (pod.spec?.nodeName !== k.nodeName || !isMirror(pod)) continue;
      const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
      if (wanted.get(key) !== pod.metadata.annotations?.['kubernetes.io/config.hash']) stopMirrored(k, pod);
    }
  }
  for (const p of list) makeMirror(k, p);
}

function stopMirrored(k: Kubelet, pod: KubeObject): void {
  const rt = k.pods.get(pod.metadata.uid as string);
  if (!rt || rt.terminating) return;
  if (rt.dormant) wake(k, rt);
  stopPod(k, rt, pod.spec.terminationGracePeriodSeconds ?? 30, true);
}

function makeMirror(k: Kubelet, p: KubeObject): void {
  const name = `${p.metadata.name}-${k.nodeName}`;
  const namespace = p.metadata.namespace ?? 'default';
  if (getObject(k.server, 'pods', namespace, name)) return;
  const hash = hashOf(p);
  const node = getObject(k.server, 'nodes', '', k.nodeName);
  const owner = node && { apiVersion: 'v1', kind: 'Node', name: k.nodeName, uid: node.metadata.uid as string, controller: true };
  const made = createObject(
    k.server,
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace,
        labels: p.metadata.labels,
        annotations: {
          ...p.metadata.annotations,
          'kubernetes.io/config.hash': hash,
          'kubernetes.io/config.mirror': hash,
          'kubernetes.io/config.seen': rfc3339(k.server.sim.nowMs),
          'kubernetes.io/config.source': 'file',
        },
        ...(owner ? { ownerReferences: [owner] } : {}),
      },
      spec: {
        ...p.spec,
        nodeName: k.nodeName,
        tolerations: [...(p.spec.tolerations ?? []), { effect: 'NoExecute', operator: 'Exists' }],
      },
    },
    `system:node:${k.nodeName}`,
  );
  if (!isStatus(made)) return;
  const err = goQuote(made.message ?? '');
  k.deps.log?.({ level: 'E', source: 'kubelet.go:3501', text: `"Failed creating a mirror pod" err=${err} pod="${namespace}/${name}"` });
}
