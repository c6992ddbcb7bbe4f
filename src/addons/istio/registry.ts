// The service registry that proxies get from istiod: Services with their endpoints, and ServiceEntries (pilot/pkg/serviceregistry 1.28).
import { matchLabelSelector, matchMap } from '../../apiserver/labels.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { DOMAIN, SERVICE_ENTRIES, SLICES, TRUST_DOMAIN, WORKLOAD_ENTRIES } from './names.ts';

export type Protocol = 'HTTP' | 'TCP' | 'TLS' | 'AUTO' | 'UDP';

export interface Endpoint {
  /** An address, or with resolution DNS a name. */
  host: string;
  port: number;
  weight: number;
  labels: Record<string, string>;
  /** Its pod has a proxy that takes mutual TLS. */
  sidecar: boolean;
  namespace: string;
  account: string;
}

export interface ServicePort {
  number: number;
  name: string;
  protocol: Protocol;
}

export interface MeshService {
  hostname: string;
  namespace: string;
  /** Virtual addresses; none: headless, or an entry without. */
  addresses: string[];
  ports: ServicePort[];
  /** `original`: to wherever the client wanted to go. */
  resolution: 'eds' | 'dns' | 'original';
  external: boolean;
  exportTo: string[];
  endpoints: (port: ServicePort) => Endpoint[];
}

/** pkg/config/kube/conversion.go ConvertProtocol, protocol.Parse */
export function protocolOf(name: string, appProtocol: string | undefined, transport: string, port: number): Protocol {
  if (transport === 'UDP') return 'UDP';
  const word = (appProtocol?.replace(/^kubernetes\.io\//, '').replace(/^h2c$/, 'http2') ?? name.split('-')[0]).toLowerCase();
  if (['http', 'http2', 'grpc', 'grpc-web', 'http_proxy', 'ws'].includes(word)) return 'HTTP';
  if (['https', 'tls', 'wss'].includes(word)) return 'TLS';
  if (['tcp', 'mongo', 'redis', 'mysql', 'udp'].includes(word)) return 'TCP';
  if (name === 'grpc-web') return 'HTTP';
  // Protocols whose server speaks first are not detected.
  return [25, 53, 3306].includes(port) ? 'TCP' : 'AUTO';
}

const registries = new WeakMap<ApiServer, { revision: number; services: MeshService[] }>();

/** Everything that is known now; the same list until the API changes. */
export function registryOf(server: ApiServer): MeshService[] {
  const { revision } = server.store;
  const known = registries.get(server);
  if (known?.revision === revision) return known.services;
  const services = [
    ...listObjects(server, 'services').map(s => fromService(server, s)),
    ...listObjects(server, SERVICE_ENTRIES).flatMap(e => fromEntry(server, e)),
  ];
  registries.set(server, { revision, services });
  return services;
}

const exportsOf = (o: KubeObject): string[] => (o.metadata.annotations?.['networking.istio.io/exportTo'] ?? '').split(',').filter(Boolean);

export const hostnameOf = (name: string, namespace: string): string => `${name}.${namespace}.svc.${DOMAIN}`;

function fromService(server: ApiServer, s: KubeObject): MeshService {
  const { name, namespace = '' } = s.metadata;
  const external = s.spec.type === 'ExternalName';
  const addresses: string[] = (s.spec.clusterIPs ?? [s.spec.clusterIP]).filter((a: string) => a && a !== 'None');
  const ports: ServicePort[] = (s.spec.ports ?? []).map((p: any) => ({
    number: p.port,
    name: p.name ?? '',
    protocol: protocolOf(p.name ?? '', p.appProtocol, p.protocol ?? 'TCP', p.port),
  }));
  return {
    hostname: hostnameOf(name, namespace),
    namespace,
    addresses: external ? [] : addresses,
    ports,
    resolution: external ? 'dns' : addresses.length ? 'eds' : 'original',
    external,
    exportTo: exportsOf(s),
    endpoints: port => (external ? [{ ...NOBODY, host: s.spec.externalName, port: port.number, namespace }] : slicesOf(server, s, port)),
  };
}

const NOBODY = { weight: 1, labels: {}, sidecar: false, namespace: '', account: '' };

function slicesOf(server: ApiServer, s: KubeObject, port: ServicePort): Endpoint[] {
  const { name, namespace } = s.metadata;
  return listObjects(server, SLICES, namespace)
    .filter(x => x.metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(x =>
      (x.ports ?? [])
        .filter((p: any) => (p.name ?? '') === port.name)
        .flatMap((p: any) =>
          (x.endpoints ?? [])
            .filter((e: any) => e.conditions?.ready !== false)
            .flatMap((e: any) => {
              const pod = e.targetRef?.kind === 'Pod' ? getObject(server, 'pods', namespace, e.targetRef.name) : undefined;
              return e.addresses.map((host: string) => endpointOf(pod, host, p.port, namespace ?? ''));
            }),
        ),
    );
}

function endpointOf(pod: KubeObject | undefined, host: string, port: number, namespace: string): Endpoint {
  if (!pod) return { ...NOBODY, host, port, namespace };
  const labels = pod.metadata.labels ?? {};
  const account = pod.spec.serviceAccountName ?? 'default';
  return { host, port, weight: 1, labels, sidecar: labels['security.istio.io/tlsMode'] === 'istio', namespace, account };
}

const RESOLUTION = { NONE: 'original', STATIC: 'eds', DNS: 'dns', DNS_ROUND_ROBIN: 'dns', DYNAMIC_DNS: 'dns' } as const;

function fromEntry(server: ApiServer, e: KubeObject): MeshService[] {
  const { spec, metadata } = e;
  const namespace = metadata.namespace ?? '';
  const ports: (ServicePort & { target: number })[] = (spec.ports ?? []).map((p: any) => ({
    number: p.number,
    name: p.name,
    protocol: p.protocol ? protocolOf(p.protocol.toLowerCase(), undefined, '', p.number) : protocolOf(p.name, undefined, '', p.number),
    target: p.targetPort ?? p.number,
  }));
  const resolution = RESOLUTION[(spec.resolution ?? 'NONE') as keyof typeof RESOLUTION] ?? 'original';
  return (spec.hosts as string[]).map(hostname => ({
    hostname,
    namespace,
    addresses: (spec.addresses ?? []) as string[],
    ports,
    resolution,
    external: (spec.location ?? 'MESH_EXTERNAL') === 'MESH_EXTERNAL',
    exportTo: spec.exportTo ?? [],
    endpoints: port => {
      const { target } = ports.find(p => p.number === port.number) ?? { target: port.number };
      const given = [
        ...(spec.endpoints ?? []).map((w: any) => fromWorkload(w, port, target, namespace)),
        ...selected(server, e, port, target),
      ];
      if (given.length || resolution !== 'dns') return given;
      return [{ ...NOBODY, host: hostname, port: target, namespace }];
    },
  }));
}

function fromWorkload(w: any, port: ServicePort, target: number, namespace: string): Endpoint {
  const labels = w.labels ?? {};
  return {
    host: w.address,
    port: w.ports?.[port.name] ?? target,
    weight: w.weight ?? 1,
    labels,
    sidecar: labels['security.istio.io/tlsMode'] === 'istio',
    namespace,
    account: w.serviceAccount ?? 'default',
  };
}

/** workloadSelector: pods and WorkloadEntries of the entry's namespace. */
function selected(server: ApiServer, e: KubeObject, port: ServicePort, target: number): Endpoint[] {
  const labels = e.spec.workloadSelector?.labels;
  if (!labels) return [];
  const { namespace } = e.metadata;
  const pods = listObjects(server, 'pods', namespace)
    .filter(p => p.status?.podIP && p.status.phase === 'Running' && matchMap(labels, p.metadata.labels))
    .map(p => endpointOf(p, p.status.podIP, target, namespace ?? ''));
  const workloads = listObjects(server, WORKLOAD_ENTRIES, namespace)
    .filter(w => matchMap(labels, { ...w.metadata.labels, ...w.spec.labels }))
    .map(w => fromWorkload(w.spec, port, target, namespace ?? ''));
  return [...pods, ...workloads];
}

/** `exportTo`: may somebody in this namespace see it? Without any, everybody may. */
export const visible = (exportTo: string[] | undefined, own: string, namespace: string): boolean =>
  !exportTo?.length || exportTo.some(x => x === '*' || x === namespace || (x === '.' && own === namespace));

export const spiffe = (namespace: string, account: string): string => `spiffe://${TRUST_DOMAIN}/ns/${namespace}/sa/${account}`;

/** A name as configuration writes it: without a dot it is a Service of the same namespace. */
export const fullName = (host: string, namespace: string): string =>
  host.includes('.') || host === '*' ? host : hostnameOf(host, namespace);

/** Does a configuration's host (`*`, `*.example.com`, a name) speak of this one? */
export const coversHost = (pattern: string, host: string): boolean =>
  pattern === '*' || pattern === host || (pattern.startsWith('*') && host.endsWith(pattern.slice(1)) && host.length >= pattern.length);

/** Objects that select workloads: those for this pod; `selector` is metav1's or only its matchLabels. */
export const selectsPod = (o: KubeObject, pod: KubeObject): boolean =>
  o.spec?.selector ? matchLabelSelector(o.spec.selector, pod.metadata.labels) : true;
