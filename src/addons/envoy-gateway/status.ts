// What Envoy Gateway says of classes, gateways and routes (internal/gatewayapi/status v1.5).
import { updateStatus } from '../../apiserver/client.ts';
import { getObject } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { rfc3339 } from '../../sim/time.ts';
import { type Attachment, ROUTES, type Translated, type Verdict } from '../gateway-api/translate.ts';
import { sameJson } from '../reconcile.ts';
import { infraName } from './infra.ts';
import { CONTROLLER, NS } from './manifest.ts';

type Said = [type: string, ok: boolean, reason: string, message: string];

/** The time of a condition is that of its last change. */
function conditions(server: ApiServer, old: any[] | undefined, generation: number | undefined, said: Said[]) {
  return said.map(([type, ok, reason, message]) => {
    const status = ok ? 'True' : 'False';
    const before = old?.find(c => c.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : rfc3339(server.sim.nowMs);
    return { type, status, reason, message, observedGeneration: generation, lastTransitionTime };
  });
}

function write(server: ApiServer, o: KubeObject, status: unknown): void {
  if (!sameJson(o.status, status)) updateStatus(server, { ...o, status });
}

export function writeClass(server: ApiServer, o: KubeObject): void {
  const said: Said[] = [['Accepted', true, 'Accepted', 'Valid GatewayClass']];
  write(server, o, { ...o.status, conditions: conditions(server, o.status?.conditions, o.metadata.generation, said) });
}

const said = (type: string, v: Verdict): Said => [type, v.ok, v.reason, v.message];

export function writeGateway(server: ApiServer, g: KubeObject, t: Translated): void {
  const name = infraName(g);
  const service = getObject(server, 'services', NS, name);
  const deployment = getObject(server, 'deployments.apps', NS, name);
  const addresses = (service?.status?.loadBalancer?.ingress ?? []).map((i: any) =>
    i.ip ? { type: 'IPAddress', value: i.ip } : { type: 'Hostname', value: i.hostname },
  );
  const available = deployment?.status?.availableReplicas ?? 0;
  const generation = g.metadata.generation;
  const programmed: Said = !addresses.length
    ? ['Programmed', false, 'AddressNotAssigned', 'No addresses have been assigned to the Gateway']
    : !available
      ? ['Programmed', false, 'NoResources', 'Envoy replicas unavailable']
      : [
          'Programmed',
          true,
          'Programmed',
          `Address assigned to the Gateway, ${available}/${deployment?.status?.replicas ?? 1} envoy replicas available`,
        ];
  const listeners = t.listeners.map((l, i) => {
    const old = g.status?.listeners?.find((x: any) => x.name === l.name)?.conditions;
    const attached = t.attachments.filter(a => a.accepted.ok && a.listeners.includes(l.name)).length;
    const kinds = g.spec.listeners[i].allowedRoutes?.kinds ?? [{ kind: 'HTTPRoute' }, { kind: 'GRPCRoute' }];
    const fine: Said[] = l.refs.ok
      ? [
          ['Programmed', true, 'Programmed', 'Sending translated listener configuration to the data plane'],
          ['Accepted', true, 'Accepted', 'Listener has been successfully translated'],
        ]
      : [['Programmed', false, 'Invalid', 'Listener is invalid, see other Conditions for details.']];
    return {
      attachedRoutes: attached,
      conditions: conditions(server, old, generation, [...fine, said('ResolvedRefs', l.refs)]),
      name: l.name,
      supportedKinds: kinds.map((k: any) => ({ group: 'gateway.networking.k8s.io', kind: k.kind })),
    };
  });
  const own = conditions(server, g.status?.conditions, generation, [
    ['Accepted', true, 'Accepted', 'The Gateway has been scheduled by Envoy Gateway'],
    programmed,
  ]);
  write(server, g, { ...(addresses.length ? { addresses } : {}), conditions: own, listeners });
}

/** All gateways' words about all routes; other controllers' parents stay. */
export function writeRoutes(server: ApiServer, attachments: Attachment[]): void {
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
      const old = before.find(p => p.controllerName === CONTROLLER && sameJson(p.parentRef, parentRef))?.conditions;
      const words = [said('Accepted', a.accepted), said('ResolvedRefs', a.resolved)];
      return { conditions: conditions(server, old, route.metadata.generation, words), controllerName: CONTROLLER, parentRef };
    });
    write(server, route, { parents: [...before.filter(p => p.controllerName !== CONTROLLER), ...mine] });
  }
}
