// Managers after a write through `scale` (k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go v0.36.3): those of the replicas go over
// to the Scale, one manager's write is accounted for there, and what comes of it goes back. On the way an Update's entry changes its
// version, and with it who it is: it comes back as an entry of its own, without a time, and the next time two of one name are one.
import type { Fields } from './fields.ts';
import { isEmptySet } from './fields.ts';
import { idOf, type Manager, order, type Write } from './managers.ts';

const REPLICAS: Fields = { 'f:spec': { 'f:replicas': {} } };

const ownsReplicas = (m: Manager): boolean => (m.fieldsV1['f:spec'] as Fields | undefined)?.['f:replicas'] !== undefined;

function withoutReplicas(fields: Fields): Fields {
  const { 'f:replicas': _, ...spec } = fields['f:spec'] as Fields;
  const { 'f:spec': __, ...rest } = fields;
  return isEmptySet(spec) ? rest : { ...rest, 'f:spec': spec };
}

/** One entry for each identity: of two the later counts. */
const decoded = (managers: Manager[]): Manager[] => [...new Map(managers.map(m => [idOf(m), m])).values()];

/** `before` and `after`: the replicas; a Scale does not write none. */
export function afterScale(managers: Manager[], before: number, after: number, self: Write['self']): Manager[] {
  const entries = decoded(managers);
  const owners = entries.filter(ownsReplicas);
  let scale: Write['self'][] = owners;
  if (owners.length && before !== after) scale = after ? [self] : [];
  // An applier is the same one in every version.
  const stays = (m: Manager) => m.operation === 'Apply' && scale.some(s => idOf(s) === idOf(m));
  const kept = entries.flatMap(m => {
    if (!ownsReplicas(m) || stays(m)) return [m];
    const fieldsV1 = withoutReplicas(m.fieldsV1);
    return isEmptySet(fieldsV1) ? [] : [{ ...m, fieldsV1 }];
  });
  const back = scale
    .filter(s => !entries.some(m => stays(m) && idOf(m) === idOf(s)))
    .map(({ manager, operation, apiVersion, subresource }): Manager => {
      return { apiVersion, fieldsType: 'FieldsV1', fieldsV1: REPLICAS, manager, operation, ...(subresource && { subresource }) };
    });
  return [...kept, ...back].sort(order);
}
