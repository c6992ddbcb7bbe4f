// validatingadmissionpolicy-status-controller: what a policy's expressions look like against the types that it matches
// (pkg/controller/validatingadmissionpolicystatus v1.36.3).

import { typeCheck } from '../apiserver/admission/policies/type-check.ts';
import { updateStatus } from '../apiserver/client.ts';
import { getObject } from '../apiserver/store.ts';
import type { Controllers } from './context.ts';
import { enqueue, newQueue, watchAll } from './queue.ts';

const POLICIES = 'validatingadmissionpolicies.admissionregistration.k8s.io';

export function startAdmissionPolicyStatus(c: Controllers): void {
  const queue = newQueue(c.sim, 20, name => sync(c, name));
  c.queues.push(queue);
  c.stops.push(
    watchAll(c.server, POLICIES, c.unsettled, e => {
      if (e.type !== 'DELETED') enqueue(queue, e.object.metadata.name);
    }),
  );
}

/** Once for each version of the policy. */
function sync(c: Controllers, name: string): void {
  const o = getObject(c.server, POLICIES, '', name);
  if (!o || o.status?.observedGeneration === o.metadata.generation) return;
  const expressionWarnings = typeCheck(c.server, o);
  const typeChecking = expressionWarnings.length ? { expressionWarnings } : {};
  updateStatus(c.server, { ...o, status: { ...o.status, observedGeneration: o.metadata.generation, typeChecking } });
}
