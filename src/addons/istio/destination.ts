// Clusters: a service's port, or a subset of it, with what DestinationRules say of it (pilot/pkg/networking/core/cluster*.go 1.28).
import { listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { type MeshConfig, meshConfig, milliseconds } from './mesh-config.ts';
import { DESTINATION_RULES, ROOT } from './names.ts';
import { mtlsMode } from './peer-authentication.ts';
import { coversHost, type Endpoint, fullName, type MeshService, type ServicePort, visible } from './registry.ts';

export type TlsMode = 'AUTO' | 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL';

export interface Hash {
  header?: string;
  cookie?: string;
  query?: string;
  sourceIp?: boolean;
}

export interface Cluster {
  /** `outbound|8000|v1|httpbin.foo.svc.cluster.local` */
  name: string;
  hostname: string;
  resolution: 'eds' | 'dns' | 'original' | 'none';
  endpoints: Endpoint[];
  balance: 'ROUND_ROBIN' | 'RANDOM' | 'LEAST_REQUEST';
  hash: Hash | null;
  connectMs: number;
  tls: TlsMode;
  /** What the proxy asks for: its own name for the cluster between proxies, a rule's else. */
  sni: string | null;
  external: boolean;
  maxPending: number | null;
}

const created = (o: KubeObject) => `${o.metadata.creationTimestamp} ${o.metadata.namespace}/${o.metadata.name}`;

/** The rules for a host as a client in `namespace` sees them: its own namespace's, else the service's, else the root's; the oldest first. */
export function rulesFor(server: ApiServer, hostname: string, owner: string, namespace: string): KubeObject[] {
  const all = listObjects(server, DESTINATION_RULES).filter(
    r => r.spec?.host && visible(r.spec.exportTo, r.metadata.namespace ?? '', namespace),
  );
  for (const ns of new Set([namespace, owner, ROOT])) {
    const own = all.filter(r => r.metadata.namespace === ns && coversHost(fullName(r.spec.host, ns), hostname));
    if (!own.length) continue;
    const length = Math.max(...own.map(r => fullName(r.spec.host, ns).length));
    const exact = own.filter(r => fullName(r.spec.host, ns).length === length);
    return exact.sort((a, b) => (created(a) < created(b) ? -1 : 1));
  }
  return [];
}

/** A subset's policy over the rule's, each with its port's settings in front. */
function policyFor(rules: KubeObject[], subset: any, port: number): any {
  const own = (policy: any) => {
    const level = policy?.portLevelSettings?.find((p: any) => p.port?.number === port);
    return level ? { ...policy, ...level } : (policy ?? {});
  };
  const base = own(rules.find(r => r.spec.trafficPolicy)?.spec.trafficPolicy);
  return { ...base, ...own(subset?.trafficPolicy) };
}

const subsetOf = (rules: KubeObject[], name: string): any => rules.flatMap(r => r.spec.subsets ?? []).find((s: any) => s.name === name);

/** null: there is no such subset. */
export function clusterOf(server: ApiServer, service: MeshService, port: ServicePort, subset: string, namespace: string): Cluster | null {
  const mesh = meshConfig(server);
  const rules = rulesFor(server, service.hostname, service.namespace, namespace);
  const chosen = subset ? subsetOf(rules, subset) : null;
  if (subset && !chosen) return null;
  const policy = policyFor(rules, chosen, port.number);
  const wanted = Object.entries((chosen?.labels ?? {}) as Record<string, string>);
  const endpoints = service.endpoints(port).filter(e => wanted.every(([k, v]) => e.labels[k] === v));
  const hash = policy.loadBalancer?.consistentHash;
  return {
    name: `outbound|${port.number}|${subset}|${service.hostname}`,
    hostname: service.hostname,
    resolution: policy.loadBalancer?.simple === 'PASSTHROUGH' ? 'original' : service.resolution,
    endpoints,
    balance: balanceOf(policy.loadBalancer?.simple),
    hash: hash
      ? { header: hash.httpHeaderName, cookie: hash.httpCookie?.name, query: hash.httpQueryParameterName, sourceIp: hash.useSourceIp }
      : null,
    connectMs: milliseconds(policy.connectionPool?.tcp?.connectTimeout) ?? mesh.connectMs,
    ...tlsOf(policy.tls, mesh, service, port, subset),
    external: service.external,
    maxPending: policy.connectionPool?.http?.http1MaxPendingRequests ?? null,
  };
}

function balanceOf(simple: string | undefined): Cluster['balance'] {
  return simple === 'ROUND_ROBIN' || simple === 'RANDOM' ? simple : 'LEAST_REQUEST';
}

function tlsOf(tls: any, mesh: MeshConfig, service: MeshService, port: ServicePort, subset: string): Pick<Cluster, 'tls' | 'sni'> {
  const own = `outbound_.${port.number}_.${subset}_.${service.hostname}`;
  const mode: TlsMode = tls ? (tls.mode ?? 'DISABLE') : mesh.autoMtls && !service.external ? 'AUTO' : 'DISABLE';
  if (mode === 'SIMPLE' || mode === 'MUTUAL') return { tls: mode, sni: tls.sni ?? service.hostname };
  return { tls: mode, sni: tls?.sni || own };
}

/** Does a connection to this endpoint speak the mesh's mutual TLS? */
export function speaksMtls(server: ApiServer, c: Cluster, e: Endpoint): boolean {
  if (c.tls === 'ISTIO_MUTUAL') return true;
  return c.tls === 'AUTO' && e.sidecar && mtlsMode(server, e.namespace, e.labels, e.port) !== 'DISABLE';
}
