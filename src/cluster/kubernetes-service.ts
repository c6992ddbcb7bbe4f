// The Service default/kubernetes and what stands behind it are kube-apiserver's own: it looks every ten seconds whether they are as they
// should be (pkg/controlplane/controller/kubernetesservice and pkg/controlplane/reconcilers, v1.36.3).
import { createObject, updateObject } from '../apiserver/client.ts';
import { sameJson } from '../apiserver/json.ts';
import { getObject, watchBucket } from '../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { schedule } from '../sim/sim.ts';
import { apiAddresses } from './bootstrap.ts';
import type { ClusterConfig } from './config.ts';

const INTERVAL_MS = 10_000;
const APISERVER = 'system:apiserver';

/** An object as it should be, and of it what is mended when somebody has changed it. */
interface Own {
  bucket: string;
  wanted: KubeObject;
  mended: (o: KubeObject) => unknown;
}

const PORT = { name: 'https', port: 6443, protocol: 'TCP' };

function own(config: ClusterConfig): Own[] {
  const meta = (labels: Record<string, string>) => ({ name: 'kubernetes', namespace: 'default', labels });
  const clusterIPs = apiAddresses(config);
  const service: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta({ component: 'apiserver', provider: 'kubernetes' }),
    spec: {
      clusterIP: clusterIPs[0],
      clusterIPs,
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: PORT.port }],
      type: 'ClusterIP',
    },
  };
  const list: Own[] = [{ bucket: 'services', wanted: service, mended: o => ({ ports: o.spec.ports, type: o.spec.type }) }];
  const ip = config.nodes.find(n => n.role === 'control-plane')?.ips[0] ?? config.nodes[0]?.ips[0];
  if (!ip) return list;
  const endpoints: KubeObject = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: meta({ 'endpointslice.kubernetes.io/skip-mirror': 'true' }),
    subsets: [{ addresses: [{ ip }], ports: [PORT] }],
  };
  const slice: KubeObject = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: meta({ 'kubernetes.io/service-name': 'kubernetes' }),
    addressType: ip.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    ports: [PORT],
  };
  return [
    ...list,
    { bucket: 'endpoints', wanted: endpoints, mended: o => o.subsets },
    { bucket: 'endpointslices.discovery.k8s.io', wanted: slice, mended: o => ({ endpoints: o.endpoints, ports: o.ports }) },
  ];
}

const find = (server: ApiServer, o: Own) => getObject(server, o.bucket, 'default', 'kubernetes');

const isRight = (o: Own, found: KubeObject | undefined) => !!found && sameJson(o.mended(found), o.mended(o.wanted));

function mend(server: ApiServer, o: Own): void {
  const found = find(server, o);
  if (isRight(o, found)) return;
  if (!found) {
    createObject(server, o.wanted, APISERVER);
    return;
  }
  const { metadata, spec, ...rest } = o.wanted;
  const labels = { ...found.metadata.labels, ...metadata.labels };
  const mended: KubeObject = { ...found, ...rest, metadata: { ...found.metadata, labels } };
  if (spec) mended.spec = { ...found.spec, ports: spec.ports, type: spec.type };
  updateObject(server, mended, APISERVER);
}

/** As kube-apiserver does when it starts. */
export function mendKubernetesService(server: ApiServer, config: ClusterConfig): void {
  for (const o of own(config)) mend(server, o);
}

/** From now on what somebody takes away or changes is mended at the next look. `up`: does kube-apiserver run? */
export function keepKubernetesService(server: ApiServer, config: ClusterConfig, up: () => boolean): void {
  let due = false;
  const look = () => {
    due = false;
    if (up()) mendKubernetesService(server, config);
  };
  const check = () => {
    if (due || own(config).every(o => isRight(o, find(server, o)))) return;
    due = true;
    schedule(server.sim, INTERVAL_MS - (server.sim.nowMs % INTERVAL_MS), look);
  };
  for (const { bucket } of own(config)) {
    watchBucket(server, bucket, ({ object: { metadata } }) => {
      if (metadata.name === 'kubernetes' && metadata.namespace === 'default') check();
    });
  }
  check();
}
