// Conditions of the Gateway API's objects, whoever writes them.
import { updateStatus } from '../../apiserver/client.ts';
import { getObject } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { rfc3339 } from '../../sim/time.ts';
import { sameJson } from '../reconcile.ts';
import { type Attachment, ROUTES, type Verdict } from './translate.ts';

export type Said = [type: string, ok: boolean, reason: string, message: string];

/** The time of a condition is that of its last change. */
export function conditions(server: ApiServer, old: any[] | undefined, generation: number | undefined, said: Said[]) {
  return said.map(([type, ok, reason, message]) => {
    const status = ok ? 'True' : 'False';
    const before = old?.find(c => c.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : rfc3339(server.sim.nowMs);
    return { type, status, reason, message, observedGeneration: generation, lastTransitionTime };
  });
}

export function writeStatus(server: ApiServer, o: KubeObject, status: unknown): void {
  if (!sameJson(o.status, status)) updateStatus(server, { ...o, status });
}

export const said = (type: string, v: Verdict): Said => [type, v.ok, v.reason, v.message];

/** All gateways' words about all routes; other controllers' parents stay. */
export function writeRoutes(server: ApiServer, attachments: Attachment[], controller: string): void {
  const byRoute = new Map<string, Attachment[]>();
  for (const a of attachments) {
    const key = `${a.route.metadata.namespace}/${a.route.metadata.name}`;
    byRoute.set(key, [...(byRoute.get(key) ?? []), a]);
  }
  for (const [key, list] of byRoute) {
    const at = key.indexOf('/');
    const route = getObject(server, ROUTES, key.slice(0, at), key.slice(at + 1));
    if (!route) continue;
    const before: any[] = route.status?.parents ?? [];
    const mine = list.map(a => {
      const parentRef = route.spec.parentRefs[a.parent];
      const old = before.find(p => p.controllerName === controller && sameJson(p.parentRef, parentRef))?.conditions;
      const words = [said('Accepted', a.accepted), said('ResolvedRefs', a.resolved)];
      return { conditions: conditions(server, old, route.metadata.generation, words), controllerName: controller, parentRef };
    });
    writeStatus(server, route, { parents: [...before.filter(p => p.controllerName !== controller), ...mine] });
  }
}
