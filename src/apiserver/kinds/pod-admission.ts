// What the default admission plugins do to a pod: ServiceAccount, Priority, DefaultTolerationSeconds
// (k8s.io/kubernetes/plugin/pkg/admission v1.36.3).

import { safeString } from '../../sim/random.ts';
import { parseRfc3339 } from '../../sim/time.ts';
import { forbidden } from '../status.ts';
import { getObject, listObjects } from '../store.ts';
import type { WriteContext } from '../strategy.ts';
import type { KubeObject, Status } from '../types.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const MIRROR = 'kubernetes.io/config.mirror';

/** In the plugins' order. */
export function admitPod(c: WriteContext, pod: KubeObject, old: KubeObject | null): Status | null {
  if (old) {
    if (c.request.subresource) return null;
    for (const k of ['priority', 'preemptionPolicy']) if (pod.spec[k] == null && old.spec[k] != null) pod.spec[k] = old.spec[k];
    tolerations(pod);
    return null;
  }
  const refused = serviceAccount(c, pod) ?? priority(c, pod);
  if (refused) return refused;
  tolerations(pod);
  return null;
}

function serviceAccount(c: WriteContext, pod: KubeObject): Status | null {
  const { spec, metadata } = pod;
  if (metadata.annotations?.[MIRROR]) return null;
  const name = spec.serviceAccountName || 'default';
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
  const account = getObject(c.server, 'serviceaccounts', metadata.namespace, name);
  if (!account && !(name === 'default' && isBorn(c, metadata.namespace))) {
    const why = `error looking up service account ${metadata.namespace}/${name}: serviceaccount "${name}" not found`;
    return forbidden('', 'pods', metadata.name, why);
  }
  if (!spec.imagePullSecrets?.length && account?.imagePullSecrets?.length) spec.imagePullSecrets = account.imagePullSecrets;
  if (spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true) mountToken(c, pod);
  return null;
}

/**
 * The plugin asks again for about a second while an account is missing (MAX_RETRIES), which is longer than the controller takes to make
 * the one of a new namespace. Requests take no time here, so a namespace of this moment counts as having it.
 */
function isBorn(c: WriteContext, namespace: string | undefined): boolean {
  const ns = getObject(c.server, 'namespaces', undefined, namespace ?? '');
  return (parseRfc3339(ns?.metadata.creationTimestamp ?? '') ?? Number.NEGATIVE_INFINITY) + 1000 > c.server.sim.nowMs;
}

function mountToken(c: WriteContext, pod: KubeObject): void {
  const { spec } = pod;
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const missing = containers.filter((x: any) => !(x.volumeMounts ?? []).some((m: any) => m.mountPath === TOKEN_PATH));
  let volume = (spec.volumes ?? []).find((v: any) => v.name.startsWith('kube-api-access-') && v.projected)?.name;
  if (!missing.length && !volume) return;
  if (!volume) {
    volume = `kube-api-access-${safeString(c.server.random, 5)}`;
    if (missing.length) spec.volumes = [...(spec.volumes ?? []), tokenVolume(volume)];
  }
  for (const x of missing) x.volumeMounts = [...(x.volumeMounts ?? []), { name: volume, readOnly: true, mountPath: TOKEN_PATH }];
}

const tokenVolume = (name: string) => ({
  name,
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
  },
});

const SYSTEM_PRIORITIES: Record<string, number> = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 };

function priority(c: WriteContext, pod: KubeObject): Status | null {
  const { spec } = pod;
  let value = 0;
  let preemption = 'PreemptLowerPriority';
  if (!spec.priorityClassName) {
    const fallback = listObjects(c.server, 'priorityclasses.scheduling.k8s.io')
      .filter(p => p.globalDefault)
      .sort((a, b) => a.value - b.value)[0];
    if (fallback) {
      spec.priorityClassName = fallback.metadata.name;
      value = fallback.value;
      preemption = fallback.preemptionPolicy ?? preemption;
    }
  } else {
    const found = getObject(c.server, 'priorityclasses.scheduling.k8s.io', '', spec.priorityClassName);
    const system = SYSTEM_PRIORITIES[spec.priorityClassName];
    if (!found && system === undefined) {
      return forbidden('', 'pods', pod.metadata.name, `no PriorityClass with name ${spec.priorityClassName} was found`);
    }
    value = found?.value ?? system;
    preemption = found?.preemptionPolicy ?? preemption;
  }
  if (spec.priority !== undefined && spec.priority !== value) {
    const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
    return forbidden('', 'pods', pod.metadata.name, why);
  }
  spec.priority = value;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemption) {
    const why = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemption} from the given PriorityClass name`;
    return forbidden('', 'pods', pod.metadata.name, why);
  }
  spec.preemptionPolicy = preemption;
  return null;
}

/** Five minutes on a node that is not ready or unreachable. */
function tolerations(pod: KubeObject): void {
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const have = (pod.spec.tolerations ?? []).some((t: any) => (t.key === key || !t.key) && (t.effect === 'NoExecute' || !t.effect));
    if (!have) {
      pod.spec.tolerations = [...(pod.spec.tolerations ?? []), { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }];
    }
  }
}
