// What Envoy Gateway says of classes, gateways and routes (internal/gatewayapi/status v1.5).
import { getObject } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { conditions, type Said, said, writeStatus } from '../gateway-api/conditions.ts';
import type { Translated } from '../gateway-api/translate.ts';
import { infraName } from './infra.ts';
import { NS } from './manifest.ts';

export function writeClass(server: ApiServer, o: KubeObject): void {
  const said: Said[] = [['Accepted', true, 'Accepted', 'Valid GatewayClass']];
  writeStatus(server, o, { ...o.status, conditions: conditions(server, o.status?.conditions, o.metadata.generation, said) });
}

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
  writeStatus(server, g, { ...(addresses.length ? { addresses } : {}), conditions: own, listeners });
}
