// Revisions of deployments, daemon sets and stateful sets (k8s.io/kubectl v0.36.3, pkg/polymorphichelpers/history.go).

import { formatLabelSelector } from '../apiserver/labels.ts';
import { strategicMerge } from '../apiserver/strategic.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Cmd, connect } from './command.ts';
import { mappingFor } from './mapping.ts';
import { listObjects } from './requests.ts';

export interface Revision {
  number: number;
  /** The ReplicaSet or ControllerRevision. */
  source: KubeObject;
  template: any;
  /** The workload as it was. */
  object: KubeObject;
}

export const controlledBy = (o: KubeObject, owner: KubeObject): boolean =>
  (o.metadata.ownerReferences ?? []).some(r => r.controller && r.uid === owner.metadata.uid);

export function revisionsOf(cmd: Cmd, o: KubeObject): Revision[] {
  const namespace = o.metadata.namespace ?? '';
  const query = { labelSelector: formatLabelSelector(o.spec.selector).replace('<none>', '') };
  if (o.kind === 'Deployment') {
    return listObjects(cmd, mappingFor(connect(cmd), 'replicasets.apps'), namespace, query)
      .filter(rs => controlledBy(rs, o))
      .map(rs => ({
        number: Number(rs.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? Number.NaN),
        source: rs,
        template: rs.spec.template,
        object: rs,
      }))
      .filter(r => !Number.isNaN(r.number))
      .sort((a, b) => a.number - b.number);
  }
  return listObjects(cmd, mappingFor(connect(cmd), 'controllerrevisions.apps'), namespace, query)
    .filter(h => controlledBy(h, o))
    .map(h => {
      const merged = strategicMerge(o.apiVersion, o.kind, JSON.parse(JSON.stringify(o)), h.data);
      const object = typeof merged === 'string' ? o : (merged.value as KubeObject);
      return { number: (h as any).revision as number, source: h, template: object.spec.template, object };
    })
    .sort((a, b) => a.number - b.number);
}
