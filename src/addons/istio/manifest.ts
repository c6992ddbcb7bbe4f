// Istio as `istioctl install --set profile=demo` leaves it (charts base, istio-discovery, gateways 1.28): the control plane, an ingress and an
// egress gateway, access logs on.
import type { KubeObject } from '../../apiserver/types.ts';
import { binding, namespaceObject, object, role, serviceAccount } from '../objects.ts';
import { crds } from './crds.ts';
import { gateways } from './gateway-manifest.ts';
import { PILOT_IMAGE, ROOT } from './names.ts';
import { webhookConfigurations } from './webhook-configs.ts';

const LABELS = {
  app: 'istiod',
  'app.kubernetes.io/instance': 'istio',
  'app.kubernetes.io/managed-by': 'Helm',
  'app.kubernetes.io/name': 'istiod',
  'app.kubernetes.io/part-of': 'istio',
  release: 'istio',
};
const PILOT = {
  ...LABELS,
  'install.operator.istio.io/owning-resource': 'unknown',
  istio: 'pilot',
  'istio.io/rev': 'default',
  'operator.istio.io/component': 'Pilot',
};

/** meshConfig of the demo profile. */
const MESH = `accessLogFile: /dev/stdout
defaultConfig:
  discoveryAddress: istiod.istio-system.svc:15012
defaultProviders:
  metrics:
  - prometheus
enablePrometheusMerge: true
extensionProviders:
- envoyOtelAls:
    port: 4317
    service: opentelemetry-collector.observability.svc.cluster.local
  name: otel
- name: skywalking
  skywalking:
    port: 11800
    service: tracing.istio-system.svc.cluster.local
- name: otel-tracing
  opentelemetry:
    port: 4317
    service: opentelemetry-collector.observability.svc.cluster.local
- name: jaeger
  opentelemetry:
    port: 4317
    service: jaeger-collector.istio-system.svc.cluster.local
rootNamespace: istio-system
trustDomain: cluster.local
`;

const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } });
const resource = (name: string, key: string) => ({ name, valueFrom: { resourceFieldRef: { divisor: '0', resource: key } } });

const ENV = [
  { name: 'REVISION', value: 'default' },
  { name: 'PILOT_CERT_PROVIDER', value: 'istiod' },
  field('POD_NAME', 'metadata.name'),
  field('POD_NAMESPACE', 'metadata.namespace'),
  field('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
  { name: 'KUBECONFIG', value: '/var/run/secrets/remote/config' },
  { name: 'CA_TRUSTED_NODE_ACCOUNTS', value: 'istio-system/ztunnel' },
  { name: 'PILOT_TRACE_SAMPLING', value: '100' },
  { name: 'PILOT_ENABLE_ANALYSIS', value: 'false' },
  { name: 'CLUSTER_ID', value: 'Kubernetes' },
  resource('GOMEMLIMIT', 'limits.memory'),
  resource('GOMAXPROCS', 'limits.cpu'),
];

const PORTS: [string, number][] = [
  ['http-debug', 8080],
  ['grpc-xds', 15010],
  ['tls-xds', 15012],
  ['https-webhooks', 15017],
  ['http-monitoring', 15014],
];

const secret = (name: string, secretName = name) => ({ name, secret: { optional: true, secretName } });
const mount = (name: string, mountPath: string) => ({ mountPath, name, readOnly: true });

const istiod = (): KubeObject =>
  object('apps/v1', 'Deployment', 'istiod', ROOT, PILOT, {
    spec: {
      selector: { matchLabels: { istio: 'pilot' } },
      strategy: { rollingUpdate: { maxSurge: '100%', maxUnavailable: '25%' } },
      template: {
        metadata: {
          annotations: { 'prometheus.io/port': '15014', 'prometheus.io/scrape': 'true', 'sidecar.istio.io/inject': 'false' },
          labels: { ...PILOT, 'istio.io/dataplane-mode': 'none', 'sidecar.istio.io/inject': 'false' },
        },
        spec: {
          containers: [
            {
              args: [
                'discovery',
                '--monitoringAddr=:15014',
                '--log_output_level=default:info',
                '--domain',
                'cluster.local',
                '--keepaliveMaxServerConnectionAge',
                '30m',
              ],
              env: ENV,
              image: PILOT_IMAGE,
              name: 'discovery',
              ports: PORTS.map(([name, containerPort]) => ({ containerPort, name, protocol: 'TCP' })),
              readinessProbe: { httpGet: { path: '/ready', port: 8080 }, initialDelaySeconds: 1, periodSeconds: 3, timeoutSeconds: 5 },
              resources: { requests: { cpu: '10m', memory: '100Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                readOnlyRootFilesystem: true,
                runAsNonRoot: true,
              },
              volumeMounts: [
                mount('istio-token', '/var/run/secrets/tokens'),
                { mountPath: '/var/run/secrets/istio-dns', name: 'local-certs' },
                mount('cacerts', '/etc/cacerts'),
                mount('istio-kubeconfig', '/var/run/secrets/remote'),
                mount('istio-csr-dns-cert', '/var/run/secrets/istiod/tls'),
                mount('istio-csr-ca-configmap', '/var/run/secrets/istiod/ca'),
              ],
            },
          ],
          serviceAccountName: 'istiod',
          tolerations: [{ key: 'cni.istio.io/not-ready', operator: 'Exists' }],
          volumes: [
            { emptyDir: { medium: 'Memory' }, name: 'local-certs' },
            {
              name: 'istio-token',
              projected: { sources: [{ serviceAccountToken: { audience: 'istio-ca', expirationSeconds: 43200, path: 'istio-token' } }] },
            },
            secret('cacerts'),
            secret('istio-kubeconfig'),
            secret('istio-csr-dns-cert', 'istiod-tls'),
            { configMap: { defaultMode: 420, name: 'istio-ca-root-cert', optional: true }, name: 'istio-csr-ca-configmap' },
          ],
        },
      },
    },
  });

const service = (): KubeObject =>
  object('v1', 'Service', 'istiod', ROOT, PILOT, {
    spec: {
      ports: [
        { name: 'grpc-xds', port: 15010, protocol: 'TCP' },
        { name: 'https-dns', port: 15012, protocol: 'TCP' },
        { name: 'https-webhook', port: 443, protocol: 'TCP', targetPort: 15017 },
        { name: 'http-monitoring', port: 15014, protocol: 'TCP' },
      ],
      selector: { app: 'istiod', istio: 'pilot' },
    },
  });

const VALUES = {
  gateways: { seccompProfile: {}, securityContext: {} },
  global: {
    hub: 'docker.io/istio',
    istioNamespace: ROOT,
    logging: { level: 'default:info' },
    meshID: '',
    proxy: { clusterDomain: 'cluster.local', image: 'proxyv2', logLevel: 'warning', statusPort: 15020 },
    tag: PILOT_IMAGE.replace(/.*:/, ''),
  },
  pilot: { cni: { enabled: false } },
  revision: '',
  sidecarInjectorWebhook: { defaultTemplates: [], enableNamespacesByDefault: false, rewriteAppHTTPProbe: true },
};

const READ = 'get list watch';
const READER = 'istio-reader-service-account';

const rbac = (): KubeObject[] => [
  role(`istio-reader-clusterrole-${ROOT}`, null, { ...LABELS, app: 'istio-reader' }, [
    [
      'config.istio.io security.istio.io networking.istio.io authentication.istio.io rbac.istio.io telemetry.istio.io extensions.istio.io',
      '*',
      READ,
    ],
    ['""', 'endpoints pods services nodes replicationcontrollers namespaces secrets', READ],
    ['networking.istio.io', 'workloadentries', 'get watch list'],
    ['apiextensions.k8s.io', 'customresourcedefinitions', READ],
    ['discovery.k8s.io', 'endpointslices', READ],
    ['apps', 'replicasets', READ],
    ['authentication.k8s.io', 'tokenreviews', 'create'],
    ['authorization.k8s.io', 'subjectaccessreviews', 'create'],
  ]),
  role(`istiod-clusterrole-${ROOT}`, null, LABELS, [
    ['admissionregistration.k8s.io', 'mutatingwebhookconfigurations validatingwebhookconfigurations', 'get list watch update patch'],
    [
      'config.istio.io security.istio.io networking.istio.io authentication.istio.io rbac.istio.io telemetry.istio.io extensions.istio.io',
      '*',
      'get watch list',
    ],
    ['networking.istio.io', 'workloadentries workloadentries/status serviceentries/status', 'get watch list update patch create delete'],
    ['apiextensions.k8s.io', 'customresourcedefinitions', READ],
    ['""', 'pods nodes services namespaces endpoints', READ],
    ['discovery.k8s.io', 'endpointslices', READ],
    ['networking.k8s.io', 'ingresses ingressclasses', READ],
    ['networking.k8s.io', 'ingresses/status', '*'],
    ['""', 'configmaps', 'create get list watch update'],
    ['authentication.k8s.io', 'tokenreviews', 'create'],
    ['authorization.k8s.io', 'subjectaccessreviews', 'create'],
    ['gateway.networking.k8s.io', '*', 'get watch list update patch'],
    ['""', 'secrets', 'get watch list'],
  ]),
  binding(
    `istio-reader-clusterrole-${ROOT}`,
    null,
    { ...LABELS, app: 'istio-reader' },
    `ClusterRole/istio-reader-clusterrole-${ROOT}`,
    `${ROOT}/${READER}`,
  ),
  binding(`istiod-clusterrole-${ROOT}`, null, LABELS, `ClusterRole/istiod-clusterrole-${ROOT}`, `${ROOT}/istiod`),
  role('istiod', ROOT, LABELS, [
    ['networking.istio.io', 'gateways', 'create'],
    ['""', 'secrets', 'create get watch list update delete'],
    ['""', 'configmaps', 'delete'],
    ['coordination.k8s.io', 'leases', 'get update patch create'],
  ]),
  binding('istiod', ROOT, LABELS, 'Role/istiod', `${ROOT}/istiod`),
];

const budget = (name: string, labels: Record<string, string>, selector: Record<string, string>): KubeObject =>
  object('policy/v1', 'PodDisruptionBudget', name, ROOT, labels, { spec: { minAvailable: 1, selector: { matchLabels: selector } } });

/** Without its namespace, which istioctl makes first. */
export const manifest = (): KubeObject[] => [
  namespaceObject(ROOT),
  ...crds(),
  serviceAccount(READER, ROOT, { ...LABELS, app: 'istio-reader' }),
  serviceAccount('istiod', ROOT, LABELS),
  ...rbac(),
  object('v1', 'ConfigMap', 'istio', ROOT, PILOT, { data: { mesh: MESH, meshNetworks: 'networks: {}' } }),
  object('v1', 'ConfigMap', 'istio-sidecar-injector', ROOT, PILOT, {
    data: {
      config:
        'defaultTemplates: [sidecar]\npolicy: enabled\nalwaysInjectSelector:\n  []\nneverInjectSelector:\n  []\ninjectedAnnotations:\n',
      values: JSON.stringify(VALUES, null, 2),
    },
  }),
  ...webhookConfigurations(),
  istiod(),
  service(),
  budget('istiod', PILOT, { app: 'istiod', istio: 'pilot' }),
  ...gateways(),
];
