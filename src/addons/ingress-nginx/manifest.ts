// ingress-nginx as deploy/static/provider/cloud/deploy.yaml of controller-v1.13.3 leaves it. `baremetal` has a NodePort in front, `kind` also
// ports 80 and 443 of its node, and `host` is that on the control plane: what minikube's own add-on comes to.
import type { KubeObject } from '../../apiserver/types.ts';
import { binding, type Labels, namespaceObject, object, type Rule, role, serviceAccount } from '../objects.ts';

const NS = 'ingress-nginx';
const RELEASE = '1.13.3';
const INSTANCE: Labels = { 'app.kubernetes.io/instance': NS, 'app.kubernetes.io/name': NS };
const PART: Labels = { ...INSTANCE, 'app.kubernetes.io/part-of': NS, 'app.kubernetes.io/version': RELEASE };
const CONTROLLER: Labels = { 'app.kubernetes.io/component': 'controller', ...PART };
const WEBHOOK: Labels = { 'app.kubernetes.io/component': 'admission-webhook', ...PART };
const SELECTOR: Labels = { 'app.kubernetes.io/component': 'controller', ...INSTANCE };

const READ = 'get list watch';
const shared: Rule[] = [
  ['""', 'services', READ],
  ['networking.k8s.io', 'ingresses', READ],
  ['networking.k8s.io', 'ingresses/status', 'update'],
  ['networking.k8s.io', 'ingressclasses', READ],
  ['""', 'events', 'create patch'],
  ['discovery.k8s.io', 'endpointslices', 'list watch get'],
];

const access: KubeObject[] = [
  { ...serviceAccount(NS, NS, CONTROLLER), automountServiceAccountToken: true },
  { ...serviceAccount(`${NS}-admission`, NS, WEBHOOK), automountServiceAccountToken: true },
  role(NS, NS, CONTROLLER, [
    ['""', 'namespaces', 'get'],
    ['""', 'configmaps pods secrets endpoints', READ],
    ['coordination.k8s.io', 'leases', 'get update', 'ingress-nginx-leader'],
    ['coordination.k8s.io', 'leases', 'create'],
    ...shared,
  ]),
  role(`${NS}-admission`, NS, WEBHOOK, [['""', 'secrets', 'get create']]),
  role(NS, null, PART, [
    ['""', 'configmaps endpoints nodes pods secrets namespaces', 'list watch'],
    ['coordination.k8s.io', 'leases', 'list watch'],
    ['""', 'nodes', 'get'],
    ...shared,
  ]),
  role(`${NS}-admission`, null, WEBHOOK, [['admissionregistration.k8s.io', 'validatingwebhookconfigurations', 'get update']]),
  binding(NS, NS, CONTROLLER, `Role/${NS}`, `${NS}/${NS}`),
  binding(`${NS}-admission`, NS, WEBHOOK, `Role/${NS}-admission`, `${NS}/${NS}-admission`),
  binding(NS, null, PART, `ClusterRole/${NS}`, `${NS}/${NS}`),
  binding(`${NS}-admission`, null, WEBHOOK, `ClusterRole/${NS}-admission`, `${NS}/${NS}-admission`),
];

const port = (name: string, number: number, targetPort: string) => ({
  appProtocol: targetPort,
  name,
  port: number,
  protocol: 'TCP',
  targetPort,
});

const services = (type: string): KubeObject[] => [
  object('v1', 'Service', `${NS}-controller`, NS, CONTROLLER, {
    spec: {
      ...(type === 'LoadBalancer' ? { externalTrafficPolicy: 'Local' } : {}),
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [port('http', 80, 'http'), port('https', 443, 'https')],
      selector: SELECTOR,
      type,
    },
  }),
  object('v1', 'Service', `${NS}-controller-admission`, NS, CONTROLLER, {
    spec: {
      ports: [{ appProtocol: 'https', name: 'https-webhook', port: 443, targetPort: 'webhook' }],
      selector: SELECTOR,
      type: 'ClusterIP',
    },
  }),
];

const onHost = (provider: Provider, hostPort: number) => (provider === 'kind' || provider === 'host' ? { hostPort } : {});

const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

const probe = (failureThreshold: number) => ({
  failureThreshold,
  httpGet: { path: '/healthz', port: 10254, scheme: 'HTTP' },
  initialDelaySeconds: 10,
  periodSeconds: 10,
  successThreshold: 1,
  timeoutSeconds: 1,
});

export type Provider = 'cloud' | 'baremetal' | 'kind' | 'host';

const deployment = (provider: Provider): KubeObject =>
  object('apps/v1', 'Deployment', `${NS}-controller`, NS, CONTROLLER, {
    spec: {
      minReadySeconds: 0,
      revisionHistoryLimit: 10,
      selector: { matchLabels: SELECTOR },
      strategy: { rollingUpdate: { maxUnavailable: 1 }, type: 'RollingUpdate' },
      template: {
        metadata: { labels: CONTROLLER },
        spec: {
          automountServiceAccountToken: true,
          containers: [
            {
              args: [
                '/nginx-ingress-controller',
                ...(provider === 'cloud' ? ['--publish-service=$(POD_NAMESPACE)/ingress-nginx-controller'] : []),
                '--election-id=ingress-nginx-leader',
                '--controller-class=k8s.io/ingress-nginx',
                '--ingress-class=nginx',
                '--configmap=$(POD_NAMESPACE)/ingress-nginx-controller',
                '--validating-webhook=:8443',
                '--validating-webhook-certificate=/usr/local/certificates/cert',
                '--validating-webhook-key=/usr/local/certificates/key',
              ],
              env: [
                field('POD_NAME', 'metadata.name'),
                field('POD_NAMESPACE', 'metadata.namespace'),
                { name: 'LD_PRELOAD', value: '/usr/local/lib/libmimalloc.so' },
              ],
              image: `registry.k8s.io/ingress-nginx/controller:v${RELEASE}`,
              imagePullPolicy: 'IfNotPresent',
              lifecycle: { preStop: { exec: { command: ['/wait-shutdown'] } } },
              livenessProbe: probe(5),
              name: 'controller',
              ports: [
                { containerPort: 80, ...onHost(provider, 80), name: 'http', protocol: 'TCP' },
                { containerPort: 443, ...onHost(provider, 443), name: 'https', protocol: 'TCP' },
                { containerPort: 8443, name: 'webhook', protocol: 'TCP' },
              ],
              readinessProbe: probe(3),
              resources: { requests: { cpu: '100m', memory: '90Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
                readOnlyRootFilesystem: false,
                runAsGroup: 82,
                runAsNonRoot: true,
                runAsUser: 101,
                seccompProfile: { type: 'RuntimeDefault' },
              },
              volumeMounts: [{ mountPath: '/usr/local/certificates/', name: 'webhook-cert', readOnly: true }],
            },
          ],
          dnsPolicy: 'ClusterFirst',
          nodeSelector: { 'kubernetes.io/os': 'linux', ...(provider === 'host' ? { 'node-role.kubernetes.io/control-plane': '' } : {}) },
          serviceAccountName: NS,
          terminationGracePeriodSeconds: provider === 'kind' ? 0 : 300,
          ...(provider === 'kind' || provider === 'host'
            ? {
                tolerations: ['master', 'control-plane'].map(r => ({
                  effect: 'NoSchedule',
                  key: `node-role.kubernetes.io/${r}`,
                  operator: 'Equal',
                })),
              }
            : {}),
          volumes: [{ name: 'webhook-cert', secret: { secretName: `${NS}-admission` } }],
        },
      },
    },
  });

const job = (verb: string, args: string[]): KubeObject =>
  object('batch/v1', 'Job', `${NS}-admission-${verb}`, NS, WEBHOOK, {
    spec: {
      template: {
        metadata: { labels: WEBHOOK, name: `${NS}-admission-${verb}` },
        spec: {
          automountServiceAccountToken: true,
          containers: [
            {
              args: [verb, ...args],
              env: [field('POD_NAMESPACE', 'metadata.namespace')],
              image: 'registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.3',
              imagePullPolicy: 'IfNotPresent',
              name: verb,
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                readOnlyRootFilesystem: true,
                runAsGroup: 65532,
                runAsNonRoot: true,
                runAsUser: 65532,
                seccompProfile: { type: 'RuntimeDefault' },
              },
            },
          ],
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          restartPolicy: 'OnFailure',
          serviceAccountName: `${NS}-admission`,
        },
      },
    },
  });

const webhook = (): KubeObject =>
  object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', `${NS}-admission`, null, WEBHOOK, {
    webhooks: [
      {
        admissionReviewVersions: ['v1'],
        clientConfig: { service: { name: `${NS}-controller-admission`, namespace: NS, path: '/networking/v1/ingresses', port: 443 } },
        failurePolicy: 'Fail',
        matchPolicy: 'Equivalent',
        name: 'validate.nginx.ingress.kubernetes.io',
        rules: [{ apiGroups: ['networking.k8s.io'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['ingresses'] }],
        sideEffects: 'None',
      },
    ],
  });

export const manifest = (provider: Provider = 'cloud'): KubeObject[] => [
  namespaceObject(NS, INSTANCE),
  ...access,
  object('v1', 'ConfigMap', `${NS}-controller`, NS, CONTROLLER, { data: null }),
  ...services(provider === 'cloud' ? 'LoadBalancer' : 'NodePort'),
  deployment(provider),
  job('create', [
    '--host=ingress-nginx-controller-admission,ingress-nginx-controller-admission.$(POD_NAMESPACE).svc',
    '--namespace=$(POD_NAMESPACE)',
    '--secret-name=ingress-nginx-admission',
  ]),
  job('patch', [
    '--webhook-name=ingress-nginx-admission',
    '--namespace=$(POD_NAMESPACE)',
    '--patch-mutating=false',
    '--secret-name=ingress-nginx-admission',
    '--patch-failure-policy=Fail',
  ]),
  object('networking.k8s.io/v1', 'IngressClass', 'nginx', null, CONTROLLER, { spec: { controller: 'k8s.io/ingress-nginx' } }),
  webhook(),
];
