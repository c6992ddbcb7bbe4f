// The Gateway API by istiod: its GatewayClasses, a proxy for each Gateway, and its rules as routes (pilot/pkg/config/kube/gateway 1.28).
import { createObject, deleteObject, patchObject } from '../../apiserver/client.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { conditions, type Said, said, writeRoutes, writeStatus } from '../gateway-api/conditions.ts';
import type { Filter, PathChange, Rule } from '../gateway-api/model.ts';
import { CLASSES, GATEWAYS, type Translated, translate } from '../gateway-api/translate.ts';
import { object } from '../objects.ts';
import { sameJson } from '../reconcile.ts';
import { gatewayContainer } from './inject.ts';
import { DOMAIN } from './names.ts';
import { hostnameOf } from './registry.ts';
import type { Chosen } from './virtual-service.ts';

const CONTROLLER = 'istio.io/gateway-controller';
const UNMANAGED = 'istio.io/unmanaged-gateway';
const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';
const MANAGED = 'gateway.istio.io/managed';

export const infraName = (g: KubeObject): string => `${g.metadata.name}-${g.spec.gatewayClassName}`;

/** Gateways whose class is istiod's. Nothing, where the kinds are not installed. */
export function ownGateways(server: ApiServer): KubeObject[] {
  const own = new Set(
    listObjects(server, CLASSES)
      .filter(c => c.spec?.controllerName === CONTROLLER)
      .map(c => c.metadata.name),
  );
  return listObjects(server, GATEWAYS).filter(g => own.has(g.spec?.gatewayClassName) && !g.metadata.deletionTimestamp);
}

/** The Gateway that a proxy's pod was made for. */
export function gatewayOf(server: ApiServer, pod: KubeObject): KubeObject | null {
  const name = pod.metadata.labels?.[GATEWAY_NAME];
  return (name && ownGateways(server).find(g => g.metadata.name === name && g.metadata.namespace === pod.metadata.namespace)) || null;
}

// -- what istiod makes and says

const labelsOf = (g: KubeObject) => ({
  ...g.metadata.labels,
  [GATEWAY_NAME]: g.metadata.name,
  [MANAGED]: CONTROLLER.replace('/', '-'),
});

const portsOf = (g: KubeObject) => [
  { appProtocol: 'tcp', name: 'status-port', port: 15021, protocol: 'TCP', targetPort: 15021 },
  ...[...new Map<number, any>((g.spec.listeners ?? []).map((l: any) => [l.port, l])).values()].map(l => ({
    appProtocol: l.protocol.toLowerCase(),
    name: l.name,
    port: l.port,
    protocol: 'TCP',
    targetPort: l.port,
  })),
];

function owned(g: KubeObject, o: KubeObject): KubeObject {
  const { name, uid } = g.metadata;
  return { ...o, metadata: { ...o.metadata, ownerReferences: [{ apiVersion: g.apiVersion, kind: 'Gateway', name, uid: uid as string }] } };
}

function deployment(g: KubeObject): KubeObject {
  const { namespace = '', name } = g.metadata;
  const labels = labelsOf(g);
  const { container, volumes } = gatewayContainer(infraName(g), namespace);
  return object('apps/v1', 'Deployment', infraName(g), namespace, labels, {
    spec: {
      selector: { matchLabels: { [GATEWAY_NAME]: name } },
      template: {
        metadata: {
          annotations: {
            'istio.io/rev': 'default',
            'prometheus.io/path': '/stats/prometheus',
            'prometheus.io/port': '15020',
            'prometheus.io/scrape': 'true',
          },
          labels: {
            ...labels,
            'service.istio.io/canonical-name': infraName(g),
            'service.istio.io/canonical-revision': 'latest',
            'sidecar.istio.io/inject': 'false',
          },
        },
        spec: {
          containers: [container],
          securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] },
          serviceAccountName: infraName(g),
          volumes,
        },
      },
    },
  });
}

/** annotation networking.istio.io/service-type */
const typeOf = (g: KubeObject): string => g.metadata.annotations?.['networking.istio.io/service-type'] ?? 'LoadBalancer';

function reconcileInfra(server: ApiServer, g: KubeObject): void {
  const namespace = g.metadata.namespace ?? '';
  const name = infraName(g);
  if (!getObject(server, 'serviceaccounts', namespace, name))
    createObject(server, owned(g, object('v1', 'ServiceAccount', name, namespace, labelsOf(g), {})));
  if (!getObject(server, 'deployments.apps', namespace, name)) createObject(server, owned(g, deployment(g)));
  const now = getObject(server, 'services', namespace, name);
  const spec = { ports: portsOf(g), selector: { [GATEWAY_NAME]: g.metadata.name }, type: typeOf(g) };
  if (!now) createObject(server, owned(g, object('v1', 'Service', name, namespace, labelsOf(g), { spec })));
  else {
    const ports = now.spec.ports.map(({ nodePort: _, ...p }: any) => p);
    if (now.spec.type !== spec.type || !sameJson(ports, spec.ports)) patchObject(server, 'services', namespace, name, 'merge', { spec });
  }
}

function writeGateway(server: ApiServer, g: KubeObject, t: Translated): void {
  const service = getObject(server, 'services', g.metadata.namespace, infraName(g));
  const host = `${infraName(g)}.${g.metadata.namespace}.svc.${DOMAIN}`;
  const balanced = (service?.status?.loadBalancer?.ingress ?? []).map((i: any) => ({ type: 'IPAddress', value: i.ip }));
  const addresses = service?.spec.type === 'LoadBalancer' ? balanced : service ? [{ type: 'Hostname', value: host }] : [];
  const generation = g.metadata.generation;
  const ports = [...new Set((g.spec.listeners ?? []).map((l: any) => l.port))].map(p => `${host}:${p}`).join(' and ');
  const programmed: Said = addresses.length
    ? ['Programmed', true, 'Programmed', `Resource programmed, assigned to service(s) ${ports}`]
    : [
        'Programmed',
        false,
        'AddressNotAssigned',
        `Assigned to service(s) ${ports}, but failed to assign to all requested addresses: address pending for hostname "${host}"`,
      ];
  const listeners = t.listeners.map(l => {
    const old = g.status?.listeners?.find((x: any) => x.name === l.name)?.conditions;
    const fine = 'No errors found';
    const words: Said[] = [
      ['Accepted', true, 'Accepted', fine],
      ['Conflicted', false, 'NoConflicts', fine],
      l.refs.ok ? ['Programmed', true, 'Programmed', fine] : ['Programmed', false, 'Invalid', l.refs.message],
      l.refs.ok ? ['ResolvedRefs', true, 'ResolvedRefs', fine] : said('ResolvedRefs', l.refs),
    ];
    return {
      attachedRoutes: t.attachments.filter(a => a.accepted.ok && a.listeners.includes(l.name)).length,
      conditions: conditions(server, old, generation, words),
      name: l.name,
      supportedKinds: ['HTTPRoute', 'GRPCRoute'].map(kind => ({ group: 'gateway.networking.k8s.io', kind })),
    };
  });
  const own = conditions(server, g.status?.conditions, generation, [['Accepted', true, 'Accepted', 'Resource accepted'], programmed]);
  writeStatus(server, g, { ...(addresses.length ? { addresses } : {}), conditions: own, listeners });
}

/** What istiod does about the Gateway API where its kinds are installed. */
export function syncGatewayApi(server: ApiServer): void {
  if (!getObject(server, 'customresourcedefinitions.apiextensions.k8s.io', '', CLASSES)) return;
  const API = 'gateway.networking.k8s.io/v1';
  for (const [name, controllerName, description] of [
    ['istio', CONTROLLER, 'The default Istio GatewayClass'],
    ['istio-remote', UNMANAGED, 'Remote to this cluster. Does not deploy or affect configuration.'],
  ])
    if (!getObject(server, CLASSES, '', name))
      createObject(server, object(API, 'GatewayClass', name, null, null, { spec: { controllerName, description } }));
  for (const c of listObjects(server, CLASSES)) {
    if (c.spec?.controllerName !== CONTROLLER && c.spec?.controllerName !== UNMANAGED) continue;
    const words: Said[] = [['Accepted', true, 'Accepted', 'Handled by Istio controller']];
    writeStatus(server, c, { ...c.status, conditions: conditions(server, c.status?.conditions, c.metadata.generation, words) });
  }
  const gateways = ownGateways(server);
  for (const g of gateways) reconcileInfra(server, g);
  const all = gateways.map(g => translate(server, g));
  gateways.forEach((g, i) => {
    writeGateway(server, getObject(server, GATEWAYS, g.metadata.namespace, g.metadata.name) ?? g, all[i]);
  });
  const words = { accepted: 'Route was valid', resolved: 'All references resolved' };
  const attachments = all
    .flatMap(t => t.attachments)
    .map(a => ({
      ...a,
      accepted: a.accepted.ok ? { ...a.accepted, message: words.accepted } : a.accepted,
      resolved: a.resolved.ok ? { ...a.resolved, message: words.resolved } : a.resolved,
    }));
  writeRoutes(server, attachments, CONTROLLER);
}

/** Whose Gateway is gone: its proxy goes with it. */
export function removeOrphans(server: ApiServer): void {
  const names = new Set(ownGateways(server).map(g => `${g.metadata.namespace}/${infraName(g)}`));
  for (const bucket of ['deployments.apps', 'services', 'serviceaccounts'])
    for (const o of listObjects(server, bucket)) {
      const { namespace, name, labels, deletionTimestamp } = o.metadata;
      if (labels?.[MANAGED] && !deletionTimestamp && !names.has(`${namespace}/${name}`))
        deleteObject(server, bucket, namespace ?? '', name);
    }
}

// -- a rule as an entry of a VirtualService

const pathOf = (c: PathChange | undefined): string | undefined => c?.full ?? c?.prefix;

function headersOf(filters: Filter[], kind: 'request' | 'response') {
  const own = filters.filter(f => f.kind === kind) as Extract<Filter, { kind: 'request' | 'response' }>[];
  return {
    set: Object.fromEntries(own.flatMap(f => f.set)),
    add: Object.fromEntries(own.flatMap(f => f.add)),
    remove: own.flatMap(f => f.remove),
  };
}

/** `ns/name:port` as VirtualServices name a destination. */
function destination(name: string): object {
  const m = /^([^/]*)\/(.*):(\d+)$/.exec(name);
  return m ? { host: hostnameOf(m[2], m[1]), port: { number: Number(m[3]) } } : { host: name };
}

/** What istiod makes of the rule that a request was matched by. */
export function chosenFor(rule: Rule, path: string): Chosen {
  const { filters, backends } = rule;
  const { type, value } = rule.match.path;
  const uri =
    type === 'Exact'
      ? { exact: value }
      : type === 'RegularExpression'
        ? { regex: value }
        : path === value
          ? { exact: value }
          : { prefix: value.endsWith('/') ? value : `${value}/` };
  const redirect = filters.find(f => f.kind === 'redirect') as Extract<Filter, { kind: 'redirect' }> | undefined;
  const rewrite = filters.find(f => f.kind === 'rewrite') as Extract<Filter, { kind: 'rewrite' }> | undefined;
  const usable = backends.filter(b => b.weight > 0);
  const route: any = {
    name: rule.name.replaceAll('/', '.'),
    headers: { request: headersOf(filters, 'request'), response: headersOf(filters, 'response') },
    ...(rule.timeoutMs ? { timeout: `${rule.timeoutMs}ms` } : {}),
    mirrors: filters.flatMap(f =>
      f.kind === 'mirror' ? [{ destination: destination(f.backend.name), percentage: { value: f.fraction * 100 } }] : [],
    ),
    route: usable.map(b => ({
      destination: destination(b.name),
      weight: b.weight,
      headers: { request: headersOf(b.filters, 'request'), response: headersOf(b.filters, 'response') },
    })),
  };
  if (rewrite) route.rewrite = { uri: pathOf(rewrite.path), authority: rewrite.hostname };
  if (redirect) {
    const { scheme, hostname, port, status } = redirect;
    const full = redirect.path?.full;
    const prefix = redirect.path?.prefix;
    const changed = prefix === undefined ? full : prefix.replace(/\/+$/, '') + path.slice(value.replace(/\/+$/, '').length) || '/';
    route.redirect = { scheme, authority: hostname, port, uri: changed, redirectCode: status };
  } else if (!usable.length || usable.some(b => !b.endpoints)) route.directResponse = { status: 500 };
  return { route, match: { uri }, namespace: '' };
}
