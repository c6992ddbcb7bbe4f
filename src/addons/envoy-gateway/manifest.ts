// Envoy Gateway as releases/download/v1.5.1/install.yaml leaves it; its own kinds are kept and do not act.
import type { KubeObject } from '../../apiserver/types.ts';
import { gatewayApi } from '../gateway-api/crds.ts';
import { binding, crd, namespaceObject, object, open, role, root, serviceAccount } from '../objects.ts';

export const NS = 'envoy-gateway-system';
export const VERSION = 'v1.5.1';
export const CONTROLLER = 'gateway.envoyproxy.io/gatewayclass-controller';
const NAME = 'envoy-gateway';
const LABELS = {
  'app.kubernetes.io/instance': 'eg',
  'app.kubernetes.io/managed-by': 'Helm',
  'app.kubernetes.io/name': 'gateway-helm',
  'app.kubernetes.io/version': VERSION,
  'helm.sh/chart': `gateway-helm-${VERSION}`,
};
const SELECTOR = { 'app.kubernetes.io/instance': 'eg', 'app.kubernetes.io/name': 'gateway-helm', 'control-plane': NAME };

const KINDS: [kind: string, plural: string, short: string][] = [
  ['Backend', 'backends', 'be'],
  ['BackendTrafficPolicy', 'backendtrafficpolicies', 'btp'],
  ['ClientTrafficPolicy', 'clienttrafficpolicies', 'ctp'],
  ['EnvoyExtensionPolicy', 'envoyextensionpolicies', 'eep'],
  ['EnvoyPatchPolicy', 'envoypatchpolicies', 'epp'],
  ['EnvoyProxy', 'envoyproxies', 'eproxy'],
  ['HTTPRouteFilter', 'httproutefilters', 'hrf'],
  ['SecurityPolicy', 'securitypolicies', 'sp'],
];

const ownKinds = (): KubeObject[] =>
  KINDS.map(([kind, plural, short]) =>
    crd({
      annotations: { 'controller-gen.kubebuilder.io/version': 'v0.17.3' },
      group: 'gateway.envoyproxy.io',
      version: 'v1alpha1',
      kind,
      plural,
      scope: 'Namespaced',
      shortNames: [short],
      categories: ['envoy-gateway'],
      columns: [['Age', 'date', '.metadata.creationTimestamp']],
      status: true,
      schema: root(open(), open(), []),
    }),
  );

const CONFIG = `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
extensionApis: {}
gateway:
  controllerName: ${CONTROLLER}
logging:
  level:
    default: info
provider:
  kubernetes:
    rateLimitDeployment:
      container:
        image: docker.io/envoyproxy/ratelimit:99d85510
    shutdownManager:
      image: docker.io/envoyproxy/gateway:${VERSION}
  type: Kubernetes
`;

const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } });
const hardened = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  privileged: false,
  runAsGroup: 65532,
  runAsNonRoot: true,
  runAsUser: 65532,
  seccompProfile: { type: 'RuntimeDefault' },
};

const PORTS: [name: string, port: number][] = [
  ['grpc', 18000],
  ['ratelimit', 18001],
  ['wasm', 18002],
  ['metrics', 19001],
];

const deployment = (): KubeObject =>
  object(
    'apps/v1',
    'Deployment',
    NAME,
    NS,
    { ...LABELS, 'control-plane': NAME },
    {
      spec: {
        replicas: 1,
        selector: { matchLabels: SELECTOR },
        template: {
          metadata: { annotations: { 'prometheus.io/port': '19001', 'prometheus.io/scrape': 'true' }, labels: SELECTOR },
          spec: {
            containers: [
              {
                args: ['server', '--config-path=/config/envoy-gateway.yaml'],
                env: [
                  field('ENVOY_GATEWAY_NAMESPACE', 'metadata.namespace'),
                  { name: 'KUBERNETES_CLUSTER_DOMAIN', value: 'cluster.local' },
                ],
                image: `docker.io/envoyproxy/gateway:${VERSION}`,
                imagePullPolicy: 'IfNotPresent',
                livenessProbe: { httpGet: { path: '/healthz', port: 8081 }, initialDelaySeconds: 15, periodSeconds: 20 },
                name: NAME,
                ports: PORTS.map(([name, containerPort]) => ({ containerPort, name })),
                readinessProbe: { httpGet: { path: '/readyz', port: 8081 }, initialDelaySeconds: 5, periodSeconds: 10 },
                resources: { limits: { memory: '1024Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
                securityContext: hardened,
                volumeMounts: [
                  { mountPath: '/config', name: 'envoy-gateway-config', readOnly: true },
                  { mountPath: '/certs', name: 'certs', readOnly: true },
                ],
              },
            ],
            imagePullSecrets: [],
            serviceAccountName: NAME,
            terminationGracePeriodSeconds: 10,
            volumes: [
              { configMap: { defaultMode: 420, name: 'envoy-gateway-config' }, name: 'envoy-gateway-config' },
              { name: 'certs', secret: { secretName: NAME } },
            ],
          },
        },
      },
    },
  );

const certgen = (): KubeObject =>
  object('batch/v1', 'Job', 'eg-gateway-helm-certgen', NS, LABELS, {
    spec: {
      backoffLimit: 1,
      completions: 1,
      parallelism: 1,
      template: {
        metadata: { labels: { app: 'certgen' } },
        spec: {
          containers: [
            {
              args: ['certgen'],
              env: [field('ENVOY_GATEWAY_NAMESPACE', 'metadata.namespace'), { name: 'KUBERNETES_CLUSTER_DOMAIN', value: 'cluster.local' }],
              image: `docker.io/envoyproxy/gateway:${VERSION}`,
              imagePullPolicy: 'IfNotPresent',
              name: 'envoy-gateway-certgen',
              securityContext: { ...hardened, readOnlyRootFilesystem: true },
            },
          ],
          imagePullSecrets: [],
          restartPolicy: 'Never',
          serviceAccountName: 'eg-gateway-helm-certgen',
        },
      },
      ttlSecondsAfterFinished: 30,
    },
  });

const READ = 'get list watch';

export const manifest = (): KubeObject[] => [
  namespaceObject(NS),
  ...gatewayApi(),
  ...ownKinds(),
  serviceAccount(NAME, NS, LABELS),
  serviceAccount('eg-gateway-helm-certgen', NS, LABELS),
  object('v1', 'ConfigMap', 'envoy-gateway-config', NS, LABELS, { data: { 'envoy-gateway.yaml': CONFIG } }),
  role('eg-gateway-helm-envoy-gateway-role', null, null, [
    ['""', 'nodes namespaces configmaps secrets services pods', READ],
    ['discovery.k8s.io', 'endpointslices', READ],
    ['gateway.networking.k8s.io', 'gatewayclasses gateways httproutes grpcroutes referencegrants backendtlspolicies', READ],
    [
      'gateway.networking.k8s.io',
      'gatewayclasses/status gateways/status httproutes/status grpcroutes/status backendtlspolicies/status',
      'update',
    ],
    ['gateway.envoyproxy.io', KINDS.map(k => k[1]).join(' '), READ],
  ]),
  role('eg-gateway-helm-infra-manager', NS, LABELS, [
    ['""', 'serviceaccounts services configmaps', 'create get list delete deletecollection patch'],
    ['apps', 'deployments daemonsets', 'create get delete deletecollection patch'],
    ['autoscaling policy', 'horizontalpodautoscalers poddisruptionbudgets', 'create get delete deletecollection patch'],
  ]),
  role('eg-gateway-helm-certgen', NS, LABELS, [['""', 'secrets', 'get create update']]),
  binding('eg-gateway-helm-envoy-gateway-rolebinding', null, null, 'ClusterRole/eg-gateway-helm-envoy-gateway-role', `${NS}/${NAME}`),
  binding('eg-gateway-helm-infra-manager', NS, LABELS, 'Role/eg-gateway-helm-infra-manager', `${NS}/${NAME}`),
  binding('eg-gateway-helm-certgen', NS, LABELS, 'Role/eg-gateway-helm-certgen', `${NS}/eg-gateway-helm-certgen`),
  object(
    'v1',
    'Service',
    NAME,
    NS,
    { ...LABELS, 'control-plane': NAME },
    {
      spec: { ports: PORTS.map(([name, port]) => ({ name, port, targetPort: port })), selector: SELECTOR },
    },
  ),
  deployment(),
  certgen(),
];

/** quickstart.yaml's last part: a class, a gateway, a route and a server to try them. */
export const quickstart = (): KubeObject[] => {
  const labels = { app: 'backend', service: 'backend' };
  return [
    object('gateway.networking.k8s.io/v1', 'GatewayClass', 'eg', null, null, { spec: { controllerName: CONTROLLER } }),
    object('gateway.networking.k8s.io/v1', 'Gateway', 'eg', 'default', null, {
      spec: { gatewayClassName: 'eg', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
    }),
    serviceAccount('backend', 'default', null),
    object('v1', 'Service', 'backend', 'default', labels, {
      spec: { ports: [{ name: 'http', port: 3000, targetPort: 3000 }], selector: { app: 'backend' } },
    }),
    object('apps/v1', 'Deployment', 'backend', 'default', null, {
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: 'backend', version: 'v1' } },
        template: {
          metadata: { labels: { app: 'backend', version: 'v1' } },
          spec: {
            containers: [
              {
                env: [field('POD_NAME', 'metadata.name'), field('NAMESPACE', 'metadata.namespace')],
                image: 'gcr.io/k8s-staging-gateway-api/echo-basic:v20231214-v1.0.0-140-gf544a46e',
                imagePullPolicy: 'IfNotPresent',
                name: 'backend',
                ports: [{ containerPort: 3000 }],
              },
            ],
            serviceAccountName: 'backend',
          },
        },
      },
    }),
    object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'backend', 'default', null, {
      spec: {
        hostnames: ['www.example.com'],
        parentRefs: [{ name: 'eg' }],
        rules: [
          {
            backendRefs: [{ group: '', kind: 'Service', name: 'backend', port: 3000, weight: 1 }],
            matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          },
        ],
      },
    }),
  ];
};
