// ServiceL2Status: which node announces a Service's addresses, as its speaker says (metallb v0.15.3
// internal/k8s/controllers/layer2_status_controller.go).
import { createObject, deleteObject, updateObject, updateStatus } from '../../apiserver/client.ts';
import { listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { sameJson } from '../reconcile.ts';

const L2_STATUSES = 'servicel2statuses.metallb.io';
const LABEL = { node: 'metallb.io/node', name: 'metallb.io/service-name', namespace: 'metallb.io/service-namespace' };

export interface Announced {
  service: KubeObject;
  /** Names of links; none: all. */
  links: string[];
}

/** Make the objects say what this speaker announces: one per Service, and none of its own beside. */
export function writeL2Statuses(server: ApiServer, speaker: KubeObject, announced: Announced[]): void {
  const node: string = speaker.spec.nodeName;
  const namespace = speaker.metadata.namespace ?? 'metallb-system';
  const all = () => listObjects(server, L2_STATUSES, namespace);
  const of = (o: KubeObject, s: KubeObject) =>
    o.metadata.labels?.[LABEL.name] === s.metadata.name && o.metadata.labels?.[LABEL.namespace] === s.metadata.namespace;
  for (const o of all())
    if (o.metadata.labels?.[LABEL.node] === node && !announced.some(a => of(o, a.service)))
      deleteObject(server, L2_STATUSES, namespace, o.metadata.name);
  const done = new Set<string | undefined>();
  for (const { service, links } of announced) {
    if (done.has(service.metadata.uid)) continue;
    done.add(service.metadata.uid);
    const labels = { [LABEL.node]: node, [LABEL.name]: service.metadata.name, [LABEL.namespace]: service.metadata.namespace ?? '' };
    const status = {
      node,
      serviceName: service.metadata.name,
      serviceNamespace: service.metadata.namespace,
      ...(links.length ? { interfaces: links.map(name => ({ name })) } : {}),
    };
    const old = all().find(o => of(o, service));
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: speaker.metadata.name, uid: speaker.metadata.uid as string }];
    const kept = old
      ? sameJson(old.metadata.labels, labels)
        ? old
        : updateObject(server, { ...old, metadata: { ...old.metadata, labels, ownerReferences } })
      : createObject(server, {
          apiVersion: 'metallb.io/v1beta1',
          kind: 'ServiceL2Status',
          metadata: { generateName: 'l2-', namespace, labels, ownerReferences } as unknown as KubeObject['metadata'],
          spec: {},
        });
    if (kept.kind !== 'Status' && !sameJson((kept as KubeObject).status, status)) updateStatus(server, { ...(kept as KubeObject), status });
  }
}
