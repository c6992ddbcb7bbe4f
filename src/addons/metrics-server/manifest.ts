// metrics-server as releases/download/v0.8.0/components.yaml leaves it.
import type { KubeObject } from '../../apiserver/types.ts';
import { binding, object, role, serviceAccount } from '../objects.ts';

const NS = 'kube-system';
const NAME = 'metrics-server';
const LABELS = { 'k8s-app': NAME };

const deployment = (insecure: boolean): KubeObject =>
  object('apps/v1', 'Deployment', NAME, NS, LABELS, {
    spec: {
      selector: { matchLabels: LABELS },
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
      template: {
        metadata: { labels: LABELS },
        spec: {
          containers: [
            {
              args: [
                '--cert-dir=/tmp',
                '--secure-port=10250',
                '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
                '--kubelet-use-node-status-port',
                '--metric-resolution=15s',
                ...(insecure ? ['--kubelet-insecure-tls'] : []),
              ],
              image: 'registry.k8s.io/metrics-server/metrics-server:v0.8.0',
              imagePullPolicy: 'IfNotPresent',
              livenessProbe: { failureThreshold: 3, httpGet: { path: '/livez', port: 'https', scheme: 'HTTPS' }, periodSeconds: 10 },
              name: NAME,
              ports: [{ containerPort: 10250, name: 'https', protocol: 'TCP' }],
              readinessProbe: {
                failureThreshold: 3,
                httpGet: { path: '/readyz', port: 'https', scheme: 'HTTPS' },
                initialDelaySeconds: 20,
                periodSeconds: 10,
              },
              resources: { requests: { cpu: '100m', memory: '200Mi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
                readOnlyRootFilesystem: true,
                runAsNonRoot: true,
                runAsUser: 1000,
                seccompProfile: { type: 'RuntimeDefault' },
              },
              volumeMounts: [{ mountPath: '/tmp', name: 'tmp-dir' }],
            },
          ],
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          priorityClassName: 'system-cluster-critical',
          serviceAccountName: NAME,
          volumes: [{ emptyDir: {}, name: 'tmp-dir' }],
        },
      },
    },
  });

const READER = {
  ...LABELS,
  'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
  'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
  'rbac.authorization.k8s.io/aggregate-to-view': 'true',
};

/** `insecure`: the flag that clusters need whose kubelets sign their own certificates. */
export const manifest = (insecure: boolean): KubeObject[] => [
  serviceAccount(NAME, NS, LABELS),
  role('system:aggregated-metrics-reader', null, READER, [['metrics.k8s.io', 'pods nodes', 'get list watch']]),
  role('system:metrics-server', null, LABELS, [
    ['""', 'nodes/metrics', 'get'],
    ['""', 'pods nodes', 'get list watch'],
  ]),
  binding('metrics-server-auth-reader', NS, LABELS, 'Role/extension-apiserver-authentication-reader', `${NS}/${NAME}`),
  binding('metrics-server:system:auth-delegator', null, LABELS, 'ClusterRole/system:auth-delegator', `${NS}/${NAME}`),
  binding('system:metrics-server', null, LABELS, 'ClusterRole/system:metrics-server', `${NS}/${NAME}`),
  object('v1', 'Service', NAME, NS, LABELS, {
    spec: { ports: [{ appProtocol: 'https', name: 'https', port: 443, protocol: 'TCP', targetPort: 'https' }], selector: LABELS },
  }),
  deployment(insecure),
  object('apiregistration.k8s.io/v1', 'APIService', 'v1beta1.metrics.k8s.io', null, LABELS, {
    spec: {
      group: 'metrics.k8s.io',
      groupPriorityMinimum: 100,
      insecureSkipTLSVerify: true,
      service: { name: NAME, namespace: NS },
      version: 'v1beta1',
      versionPriority: 100,
    },
  }),
];
