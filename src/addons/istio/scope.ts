// What of the mesh a proxy sees: Sidecar resources, exportTo, and the policy for what it does not see (pilot/pkg/model/sidecar.go 1.28).
import { listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { meshConfig } from './mesh-config.ts';
import { ROOT, SIDECARS } from './names.ts';
import { coversHost, type MeshService, registryOf, visible } from './registry.ts';

export interface Scope {
  services: MeshService[];
  policy: 'ALLOW_ANY' | 'REGISTRY_ONLY';
}

const created = (o: KubeObject) => `${o.metadata.creationTimestamp} ${o.metadata.name}`;

/** The Sidecar that selects the pod, its namespace's, or the root namespace's. */
function sidecarOf(server: ApiServer, pod: KubeObject): KubeObject | null {
  const all = [...listObjects(server, SIDECARS)].sort((a, b) => (created(a) < created(b) ? -1 : 1));
  const labels = pod.metadata.labels ?? {};
  const wanted = (o: KubeObject) => Object.entries((o.spec?.workloadSelector?.labels ?? {}) as Record<string, string>);
  const own = all.filter(o => o.metadata.namespace === pod.metadata.namespace);
  return (
    own.find(o => wanted(o).length && wanted(o).every(([k, v]) => labels[k] === v)) ??
    own.find(o => !wanted(o).length) ??
    all.find(o => o.metadata.namespace === ROOT && !wanted(o).length) ??
    null
  );
}

const scopes = new WeakMap<KubeObject, { revision: number; scope: Scope }>();

/** `pod`: as it is now. */
export function scopeOf(server: ApiServer, pod: KubeObject): Scope {
  const { revision } = server.store;
  const known = scopes.get(pod);
  if (known?.revision === revision) return known.scope;
  const namespace = pod.metadata.namespace ?? '';
  const sidecar = sidecarOf(server, pod);
  const hosts: string[] | null = sidecar?.spec?.egress ? sidecar.spec.egress.flatMap((e: any) => e.hosts ?? []) : null;
  const imports = (s: MeshService): boolean =>
    !hosts ||
    hosts.some(text => {
      const [ns, host] = text.includes('/') ? text.split('/') : ['*', text];
      if (ns === '~') return false;
      return (ns === '*' || ns === s.namespace || (ns === '.' && s.namespace === namespace)) && coversHost(host, s.hostname);
    });
  const scope: Scope = {
    services: registryOf(server).filter(s => visible(s.exportTo, s.namespace, namespace) && imports(s)),
    policy: sidecar?.spec?.outboundTrafficPolicy?.mode ?? meshConfig(server).outboundPolicy,
  };
  scopes.set(pod, { revision, scope });
  return scope;
}
