// The ingress and the egress gateway of the demo profile (charts gateways/istio-ingress and istio-egress 1.28).
import type { KubeObject } from '../../apiserver/types.ts';
import { binding, object, role, serviceAccount } from '../objects.ts';
import { PROXY_IMAGE, ROOT } from './names.ts';

const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } });

type Ports = [name: string, port: number, targetPort: number][];

const INGRESS: Ports = [
  ['status-port', 15021, 15021],
  ['http2', 80, 8080],
  ['https', 443, 8443],
  ['tcp', 31400, 31400],
  ['tls', 15443, 15443],
];
const EGRESS: Ports = [
  ['http2', 80, 8080],
  ['https', 443, 8443],
];

const MOUNTS: [string, string][] = [
  ['workload-socket', '/var/run/secrets/workload-spiffe-uds'],
  ['credential-socket', '/var/run/secrets/credential-uds'],
  ['workload-certs', '/var/run/secrets/workload-spiffe-credentials'],
  ['istio-envoy', '/etc/istio/proxy'],
  ['config-volume', '/etc/istio/config'],
  ['istiod-ca-cert', '/var/run/secrets/istio'],
  ['istio-token', '/var/run/secrets/tokens'],
  ['istio-data', '/var/lib/istio/data'],
  ['podinfo', '/etc/istio/pod'],
];

const secretMounts = (name: string): [string, string][] => [
  [`${name}-certs`, `/etc/istio/${name}-certs`],
  [`${name}-ca-certs`, `/etc/istio/${name}-ca-certs`],
];

const volumes = (short: string) => [
  ...['workload-socket', 'credential-socket', 'workload-certs'].map(name => ({ emptyDir: {}, name })),
  { configMap: { defaultMode: 420, name: 'istio-ca-root-cert' }, name: 'istiod-ca-cert' },
  {
    downwardAPI: {
      defaultMode: 420,
      items: ['labels', 'annotations'].map(path => ({ fieldRef: { apiVersion: 'v1', fieldPath: `metadata.${path}` }, path })),
    },
    name: 'podinfo',
  },
  { emptyDir: {}, name: 'istio-envoy' },
  { emptyDir: {}, name: 'istio-data' },
  {
    name: 'istio-token',
    projected: { sources: [{ serviceAccountToken: { audience: 'istio-ca', expirationSeconds: 43200, path: 'istio-token' } }] },
  },
  { configMap: { defaultMode: 420, name: 'istio', optional: true }, name: 'config-volume' },
  ...secretMounts(short).map(([name]) => ({ name, secret: { optional: true, secretName: `istio-${name}` } })),
];

const env = (name: string) => [
  { name: 'PILOT_CERT_PROVIDER', value: 'istiod' },
  { name: 'CA_ADDR', value: 'istiod.istio-system.svc:15012' },
  field('NODE_NAME', 'spec.nodeName'),
  field('POD_NAME', 'metadata.name'),
  field('POD_NAMESPACE', 'metadata.namespace'),
  field('INSTANCE_IP', 'status.podIP'),
  field('HOST_IP', 'status.hostIP'),
  { name: 'ISTIO_CPU_LIMIT', valueFrom: { resourceFieldRef: { divisor: '0', resource: 'limits.cpu' } } },
  field('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
  { name: 'ISTIO_META_WORKLOAD_NAME', value: name },
  { name: 'ISTIO_META_OWNER', value: `kubernetes://apis/apps/v1/namespaces/${ROOT}/deployments/${name}` },
  { name: 'ISTIO_META_MESH_ID', value: 'cluster.local' },
  { name: 'TRUST_DOMAIN', value: 'cluster.local' },
  { name: 'ISTIO_META_UNPRIVILEGED_POD', value: 'true' },
  { name: 'ISTIO_META_CLUSTER_ID', value: 'Kubernetes' },
  field('ISTIO_META_NODE_NAME', 'spec.nodeName'),
];

function gatewayOf(short: 'ingressgateway' | 'egressgateway', component: string, ports: Ports, type: string): KubeObject[] {
  const name = `istio-${short}`;
  const own = { app: name, istio: short };
  const labels = {
    ...own,
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/managed-by': 'Helm',
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/part-of': 'istio',
    'install.operator.istio.io/owning-resource': 'unknown',
    'istio.io/dataplane-mode': 'none',
    'istio.io/rev': 'default',
    'operator.istio.io/component': component,
    release: 'istio',
  };
  const account = `${name}-service-account`;
  const deployment = object('apps/v1', 'Deployment', name, ROOT, labels, {
    spec: {
      selector: { matchLabels: own },
      strategy: { rollingUpdate: { maxSurge: '100%', maxUnavailable: '25%' } },
      template: {
        metadata: {
          annotations: {
            'istio.io/rev': 'default',
            'prometheus.io/path': '/stats/prometheus',
            'prometheus.io/port': '15020',
            'prometheus.io/scrape': 'true',
            'sidecar.istio.io/inject': 'false',
          },
          labels: {
            ...labels,
            chart: 'gateways',
            heritage: 'Tiller',
            'service.istio.io/canonical-name': name,
            'service.istio.io/canonical-revision': 'latest',
            'sidecar.istio.io/inject': 'false',
          },
        },
        spec: {
          containers: [
            {
              args: [
                'proxy',
                'router',
                '--domain',
                '$(POD_NAMESPACE).svc.cluster.local',
                '--proxyLogLevel=warning',
                '--proxyComponentLogLevel=misc:error',
                '--log_output_level=default:info',
              ],
              env: env(name),
              image: PROXY_IMAGE,
              name: 'istio-proxy',
              ports: [
                ...ports.map(([, , containerPort]) => ({ containerPort, protocol: 'TCP' })),
                { containerPort: 15090, name: 'http-envoy-prom', protocol: 'TCP' },
              ],
              readinessProbe: {
                failureThreshold: 30,
                httpGet: { path: '/healthz/ready', port: 15021, scheme: 'HTTP' },
                initialDelaySeconds: 1,
                periodSeconds: 2,
                successThreshold: 1,
                timeoutSeconds: 1,
              },
              resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '10m', memory: '40Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                privileged: false,
                readOnlyRootFilesystem: true,
              },
              volumeMounts: [
                ...MOUNTS.map(([volume, mountPath]) => ({
                  mountPath,
                  name: volume,
                  ...(volume === 'istio-token' ? { readOnly: true } : {}),
                })),
                ...secretMounts(short).map(([volume, mountPath]) => ({ mountPath, name: volume, readOnly: true })),
              ],
            },
          ],
          securityContext: { runAsGroup: 1337, runAsNonRoot: true, runAsUser: 1337 },
          serviceAccountName: account,
          volumes: volumes(short),
        },
      },
    },
  });
  return [
    serviceAccount(account, ROOT, labels),
    role(`${name}-sds`, ROOT, labels, [['""', 'secrets', 'get watch list']]),
    binding(`${name}-sds`, ROOT, labels, `Role/${name}-sds`, `${ROOT}/${account}`),
    deployment,
    object('policy/v1', 'PodDisruptionBudget', name, ROOT, labels, { spec: { minAvailable: 1, selector: { matchLabels: own } } }),
    object('v1', 'Service', name, ROOT, labels, {
      spec: {
        ports: ports.map(([portName, port, targetPort]) => ({ name: portName, port, protocol: 'TCP', targetPort })),
        selector: own,
        type,
      },
    }),
  ];
}

export const gateways = (): KubeObject[] => [
  ...gatewayOf('egressgateway', 'EgressGateways', EGRESS, 'ClusterIP'),
  ...gatewayOf('ingressgateway', 'IngressGateways', INGRESS, 'LoadBalancer'),
];
