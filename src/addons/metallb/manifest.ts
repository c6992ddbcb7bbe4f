// MetalLB as config/manifests/metallb-native.yaml of v0.15.3 leaves it. Schemas hold what the controller and the speaker act on.
import type { KubeObject } from '../../apiserver/types.ts';
import {
  binding,
  bool,
  crd,
  int,
  type Kind,
  labelSelector,
  list,
  namespaceObject,
  object,
  open,
  role,
  root,
  serviceAccount,
  str,
  struct,
} from '../objects.ts';

const NS = 'metallb-system';
const LABELS = { app: 'metallb' };
const VERSION = 'v0.15.3';

const kind = (name: string, plural: string, schema: Kind['schema'], columns: Kind['columns'] = [], version = 'v1beta1'): KubeObject =>
  crd({
    annotations: { 'controller-gen.kubebuilder.io/version': 'v0.17.3' },
    group: 'metallb.io',
    version,
    kind: name,
    plural,
    scope: 'Namespaced',
    schema,
    columns: columns.length ? columns : undefined,
    status: true,
  });

const ipAddressPool = root(
  struct(
    {
      addresses: list(str()),
      autoAssign: bool({ default: true }),
      avoidBuggyIPs: bool({ default: false }),
      serviceAllocation: struct({
        namespaceSelectors: list(labelSelector()),
        namespaces: list(str()),
        priority: { type: 'integer' },
        serviceSelectors: list(labelSelector()),
      }),
    },
    ['addresses'],
  ),
  struct(
    {
      assignedIPv4: int({ format: 'int64' }),
      assignedIPv6: int({ format: 'int64' }),
      availableIPv4: int({ format: 'int64' }),
      availableIPv6: int({ format: 'int64' }),
    },
    ['assignedIPv4', 'assignedIPv6', 'availableIPv4', 'availableIPv6'],
  ),
);

const l2Advertisement = root(
  struct({
    interfaces: list(str()),
    ipAddressPoolSelectors: list(labelSelector()),
    ipAddressPools: list(str()),
    nodeSelectors: list(labelSelector()),
  }),
  open(),
  [],
);

const KINDS: KubeObject[] = [
  kind('BFDProfile', 'bfdprofiles', root(open(), open(), []), [
    ['Passive Mode', 'boolean', '.spec.passiveMode'],
    ['Transmit Interval', 'integer', '.spec.transmitInterval'],
    ['Receive Interval', 'integer', '.spec.receiveInterval'],
    ['Multiplier', 'integer', '.spec.detectMultiplier'],
  ]),
  kind('BGPAdvertisement', 'bgpadvertisements', root(open(), open(), []), [
    ['IPAddressPools', 'string', '.spec.ipAddressPools'],
    ['IPAddressPool Selectors', 'string', '.spec.ipAddressPoolSelectors'],
    ['Peers', 'string', '.spec.peers'],
  ]),
  kind(
    'BGPPeer',
    'bgppeers',
    root(open(), open(), []),
    [
      ['Address', 'string', '.spec.peerAddress'],
      ['ASN', 'string', '.spec.peerASN'],
      ['BFD Profile', 'string', '.spec.bfdProfile'],
      ['Multi Hops', 'string', '.spec.ebgpMultiHop'],
    ],
    'v1beta2',
  ),
  kind('Community', 'communities', root(open(), open(), [])),
  kind('ConfigurationState', 'configurationstates', root(open(), open(), []), [
    ['Result', 'string', '.status.result'],
    ['ErrorSummary', 'string', '.status.errorSummary'],
    ['Age', 'date', '.metadata.creationTimestamp'],
  ]),
  kind('IPAddressPool', 'ipaddresspools', ipAddressPool, [
    ['Auto Assign', 'boolean', '.spec.autoAssign'],
    ['Avoid Buggy IPs', 'boolean', '.spec.avoidBuggyIPs'],
    ['Addresses', 'string', '.spec.addresses'],
  ]),
  kind('L2Advertisement', 'l2advertisements', l2Advertisement, [
    ['IPAddressPools', 'string', '.spec.ipAddressPools'],
    ['IPAddressPool Selectors', 'string', '.spec.ipAddressPoolSelectors'],
    ['Interfaces', 'string', '.spec.interfaces'],
  ]),
  kind('ServiceBGPStatus', 'servicebgpstatuses', root(open(), open(), []), [
    ['Node', 'string', '.status.node'],
    ['Service Name', 'string', '.status.serviceName'],
    ['Service Namespace', 'string', '.status.serviceNamespace'],
  ]),
  kind('ServiceL2Status', 'servicel2statuses', root(open(), open(), []), [
    ['Allocated Node', 'string', '.status.node'],
    ['Service Name', 'string', '.status.serviceName'],
    ['Service Namespace', 'string', '.status.serviceNamespace'],
  ]),
];

const access: KubeObject[] = [
  serviceAccount('controller', NS, LABELS),
  serviceAccount('speaker', NS, LABELS),
  role('controller', NS, LABELS, [
    ['""', 'secrets', 'create delete get list patch update watch'],
    ['""', 'secrets', 'list', 'metallb-memberlist'],
    ['apps', 'deployments', 'get', 'controller'],
    ['metallb.io', 'ipaddresspools bgppeers bgpadvertisements l2advertisements communities bfdprofiles', 'get list watch'],
  ]),
  role('pod-lister', NS, LABELS, [
    ['""', 'pods', 'list get'],
    ['""', 'secrets configmaps', 'get list watch'],
    ['metallb.io', 'bfdprofiles bgppeers l2advertisements bgpadvertisements ipaddresspools communities', 'get list watch'],
  ]),
  role('metallb-system:controller', null, LABELS, [
    ['""', 'services namespaces nodes', 'get list watch'],
    ['""', 'services/status', 'update'],
    ['""', 'events', 'create patch'],
    [
      'admissionregistration.k8s.io',
      'validatingwebhookconfigurations mutatingwebhookconfigurations',
      'create delete get list patch update watch',
    ],
    ['apiextensions.k8s.io', 'customresourcedefinitions', 'create delete get list patch update watch'],
  ]),
  role('metallb-system:speaker', null, LABELS, [
    ['metallb.io', 'servicel2statuses servicel2statuses/status', '*'],
    ['""', 'services endpoints nodes namespaces', 'get list watch'],
    ['discovery.k8s.io', 'endpointslices', 'get list watch'],
    ['""', 'events', 'create patch'],
  ]),
  binding('controller', NS, LABELS, 'Role/controller', `${NS}/controller`),
  binding('pod-lister', NS, LABELS, 'Role/pod-lister', `${NS}/speaker`),
  binding('metallb-system:controller', null, LABELS, 'ClusterRole/metallb-system:controller', `${NS}/controller`),
  binding('metallb-system:speaker', null, LABELS, 'ClusterRole/metallb-system:speaker', `${NS}/speaker`),
];

const probe = {
  failureThreshold: 3,
  httpGet: { path: '/metrics', port: 'monitoring' },
  initialDelaySeconds: 10,
  periodSeconds: 10,
  successThreshold: 1,
  timeoutSeconds: 1,
};
const monitoring = { containerPort: 7472, name: 'monitoring' };
const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const args = ['--port=7472', '--log-level=info', '--tls-min-version=VersionTLS12'];
const scraped = { 'prometheus.io/port': '7472', 'prometheus.io/scrape': 'true' };

const controller = (): KubeObject => {
  const labels = { ...LABELS, component: 'controller' };
  return object('apps/v1', 'Deployment', 'controller', NS, labels, {
    spec: {
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { annotations: scraped, labels },
        spec: {
          containers: [
            {
              args,
              env: [
                { name: 'METALLB_ML_SECRET_NAME', value: 'memberlist' },
                { name: 'METALLB_DEPLOYMENT', value: 'controller' },
              ],
              image: `quay.io/metallb/controller:${VERSION}`,
              livenessProbe: probe,
              name: 'controller',
              ports: [monitoring, { containerPort: 9443, name: 'webhook-server', protocol: 'TCP' }],
              readinessProbe: probe,
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['all'] }, readOnlyRootFilesystem: true },
              volumeMounts: [{ mountPath: '/tmp/k8s-webhook-server/serving-certs', name: 'cert', readOnly: true }],
            },
          ],
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          securityContext: { fsGroup: 65534, runAsNonRoot: true, runAsUser: 65534 },
          serviceAccountName: 'controller',
          terminationGracePeriodSeconds: 0,
          volumes: [{ name: 'cert', secret: { defaultMode: 420, secretName: 'metallb-webhook-cert' } }],
        },
      },
    },
  });
};

const speaker = (): KubeObject => {
  const labels = { ...LABELS, component: 'speaker' };
  const tolerate = (key: string) => ({ effect: 'NoSchedule', key, operator: 'Exists' });
  return object('apps/v1', 'DaemonSet', 'speaker', NS, labels, {
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { annotations: scraped, labels },
        spec: {
          containers: [
            {
              args,
              env: [
                field('METALLB_NODE_NAME', 'spec.nodeName'),
                field('METALLB_POD_NAME', 'metadata.name'),
                field('METALLB_HOST', 'status.hostIP'),
                field('METALLB_ML_BIND_ADDR', 'status.podIP'),
                { name: 'METALLB_ML_LABELS', value: 'app=metallb,component=speaker' },
                { name: 'METALLB_ML_SECRET_KEY_PATH', value: '/etc/ml_secret_key' },
              ],
              image: `quay.io/metallb/speaker:${VERSION}`,
              livenessProbe: probe,
              name: 'speaker',
              ports: [
                monitoring,
                { containerPort: 7946, name: 'memberlist-tcp' },
                { containerPort: 7946, name: 'memberlist-udp', protocol: 'UDP' },
              ],
              readinessProbe: probe,
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { add: ['NET_RAW'], drop: ['ALL'] },
                readOnlyRootFilesystem: true,
              },
              volumeMounts: [
                { mountPath: '/etc/ml_secret_key', name: 'memberlist', readOnly: true },
                { mountPath: '/etc/metallb', name: 'metallb-excludel2', readOnly: true },
              ],
            },
          ],
          hostNetwork: true,
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          serviceAccountName: 'speaker',
          terminationGracePeriodSeconds: 2,
          tolerations: [tolerate('node-role.kubernetes.io/master'), tolerate('node-role.kubernetes.io/control-plane')],
          volumes: [
            { name: 'memberlist', secret: { defaultMode: 420, secretName: 'memberlist' } },
            { configMap: { defaultMode: 256, name: 'metallb-excludel2' }, name: 'metallb-excludel2' },
          ],
        },
      },
    },
  });
};

const EXCLUDED = [
  '^docker.*',
  '^cbr.*',
  '^dummy.*',
  '^virbr.*',
  '^lxcbr.*',
  '^veth.*',
  '^lo$',
  '^cali.*',
  '^tunl.*',
  '^flannel.*',
  '^kube-ipvs.*',
  '^cni.*',
  '^nodelocaldns.*',
  '^lxc.*',
];

const singular = (resource: string): string => resource.replace(/ies$/, 'y').replace(/s$/, '');

/** `word`: what the resource is called in its webhook's name, its singular but for BGPPeers. */
const webhook = (resource: string, operations: string[], version = 'v1beta1', word = singular(resource)) => ({
  admissionReviewVersions: ['v1'],
  clientConfig: {
    service: {
      name: 'metallb-webhook-service',
      namespace: NS,
      path: `/validate-metallb-io-${version}-${singular(resource)}`,
    },
  },
  failurePolicy: 'Fail',
  name: `${word}validationwebhook.metallb.io`,
  rules: [{ apiGroups: ['metallb.io'], apiVersions: [version], operations, resources: [resource] }],
  sideEffects: 'None',
});

export const manifest = (): KubeObject[] => [
  namespaceObject(NS, {
    'pod-security.kubernetes.io/audit': 'privileged',
    'pod-security.kubernetes.io/enforce': 'privileged',
    'pod-security.kubernetes.io/warn': 'privileged',
  }),
  ...KINDS,
  ...access,
  object('v1', 'ConfigMap', 'metallb-excludel2', NS, null, {
    data: { 'excludel2.yaml': `announcedInterfacesToExclude:\n${EXCLUDED.map(x => `- ${x}\n`).join('')}` },
  }),
  object('v1', 'Secret', 'metallb-webhook-cert', NS, null, {}),
  object('v1', 'Service', 'metallb-webhook-service', NS, null, {
    spec: { ports: [{ port: 443, targetPort: 9443 }], selector: { component: 'controller' } },
  }),
  controller(),
  speaker(),
  object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'metallb-webhook-configuration', null, null, {
    webhooks: [
      webhook('bgppeers', ['CREATE', 'UPDATE'], 'v1beta2', 'bgppeers'),
      webhook('bfdprofiles', ['CREATE', 'DELETE']),
      ...['bgpadvertisements', 'communities', 'ipaddresspools', 'l2advertisements'].map(r => webhook(r, ['CREATE', 'UPDATE'])),
    ],
  }),
];
