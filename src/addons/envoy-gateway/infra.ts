// What Envoy Gateway makes for each Gateway: a Deployment of Envoy with a Service of type LoadBalancer (internal/infrastructure/kubernetes v1.5).
import { createObject, deleteObject, patchObject } from '../../apiserver/client.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { hex, stringToBytes } from '../../sim/bytes.ts';
import { sha256 } from '../../sim/sha256.ts';
import { sameJson } from '../reconcile.ts';
import { NS, VERSION } from './manifest.ts';

export const OWNER_NAME = 'gateway.envoyproxy.io/owning-gateway-name';
export const OWNER_NAMESPACE = 'gateway.envoyproxy.io/owning-gateway-namespace';

/** utils.GetHashedName: at most 48 characters of the name and eight of its hash. */
export function infraName(gateway: KubeObject): string {
  const full = `${gateway.metadata.namespace}/${gateway.metadata.name}`;
  return `envoy-${full.replace('/', '-').slice(0, 48)}-${hex(sha256(stringToBytes(full))).slice(0, 8)}`;
}

/** Envoy runs without privileges: low ports are moved. */
export const containerPort = (port: number): number => (port < 1024 ? port + 10_000 : port);

const labelsOf = (gateway: KubeObject) => ({
  'app.kubernetes.io/component': 'proxy',
  'app.kubernetes.io/managed-by': 'envoy-gateway',
  'app.kubernetes.io/name': 'envoy',
  [OWNER_NAME]: gateway.metadata.name,
  [OWNER_NAMESPACE]: gateway.metadata.namespace ?? '',
});

const PROTOCOL: Record<string, string> = { HTTP: 'http', HTTPS: 'https', TLS: 'tls', TCP: 'tcp', UDP: 'udp', GRPC: 'grpc' };

function portsOf(gateway: KubeObject) {
  const seen = new Map<number, { name: string; port: number; protocol: string; targetPort: number }>();
  for (const l of gateway.spec.listeners ?? []) {
    const protocol = l.protocol === 'UDP' ? 'UDP' : 'TCP';
    if (!seen.has(l.port))
      seen.set(l.port, { name: `${PROTOCOL[l.protocol] ?? 'tcp'}-${l.port}`, port: l.port, protocol, targetPort: containerPort(l.port) });
  }
  return [...seen.values()];
}

function service(gateway: KubeObject): KubeObject {
  const labels = labelsOf(gateway);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: infraName(gateway), namespace: NS, labels },
    spec: { externalTrafficPolicy: 'Local', ports: portsOf(gateway), selector: labels, sessionAffinity: 'None', type: 'LoadBalancer' },
  };
}

function deployment(gateway: KubeObject): KubeObject {
  const labels = labelsOf(gateway);
  const name = infraName(gateway);
  const env = [
    { name: 'ENVOY_POD_NAMESPACE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } } },
    { name: 'ENVOY_POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
  ];
  const ready = { httpGet: { path: '/ready', port: 19003, scheme: 'HTTP' } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NS, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          annotations: { 'prometheus.io/path': '/stats/prometheus', 'prometheus.io/port': '19001', 'prometheus.io/scrape': 'true' },
          labels,
        },
        spec: {
          automountServiceAccountToken: false,
          containers: [
            {
              name: 'envoy',
              image: 'docker.io/envoyproxy/envoy:distroless-v1.35.3',
              imagePullPolicy: 'IfNotPresent',
              args: [
                `--service-cluster ${gateway.metadata.namespace}/${gateway.metadata.name}`,
                '--service-node $(ENVOY_POD_NAME)',
                '--log-level warn',
              ],
              command: ['envoy'],
              env,
              ports: [
                { containerPort: 19001, name: 'metrics', protocol: 'TCP' },
                { containerPort: 19003, name: 'readiness', protocol: 'TCP' },
              ],
              readinessProbe: { ...ready, failureThreshold: 1, periodSeconds: 5, timeoutSeconds: 1 },
              startupProbe: { ...ready, failureThreshold: 30, periodSeconds: 10, timeoutSeconds: 1 },
              resources: { requests: { cpu: '100m', memory: '512Mi' } },
            },
            {
              name: 'shutdown-manager',
              image: `docker.io/envoyproxy/gateway:${VERSION}`,
              imagePullPolicy: 'IfNotPresent',
              args: ['envoy', 'shutdown-manager', '--ready-timeout=60s'],
              command: ['envoy-gateway'],
              env,
              resources: { requests: { cpu: '10m', memory: '32Mi' } },
            },
          ],
          serviceAccountName: name,
          terminationGracePeriodSeconds: 360,
        },
      },
    },
  };
}

/** Make what is missing, change what differs, take away what belongs to no Gateway any more. */
export function reconcileInfra(server: ApiServer, gateways: KubeObject[]): void {
  const names = new Set(gateways.map(infraName));
  for (const bucket of ['services', 'deployments.apps', 'serviceaccounts']) {
    for (const o of listObjects(server, bucket, NS)) {
      const owned = o.metadata.labels?.['app.kubernetes.io/managed-by'] === 'envoy-gateway' && o.metadata.labels?.[OWNER_NAME];
      if (owned && !names.has(o.metadata.name) && !o.metadata.deletionTimestamp) deleteObject(server, bucket, NS, o.metadata.name);
    }
  }
  for (const g of gateways) {
    const name = infraName(g);
    const account: KubeObject = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: NS, labels: labelsOf(g) } };
    if (!getObject(server, 'serviceaccounts', NS, name)) createObject(server, account);
    if (!getObject(server, 'deployments.apps', NS, name)) createObject(server, deployment(g));
    const now = getObject(server, 'services', NS, name);
    if (!now) createObject(server, service(g));
    else if (
      !sameJson(
        portsOf(g),
        now.spec.ports.map(({ nodePort: _, ...p }: any) => p),
      )
    )
      patchObject(server, 'services', NS, name, 'merge', { spec: { ports: portsOf(g) } });
  }
}
