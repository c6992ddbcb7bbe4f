// What the CNIs' own manifests put into the cluster: the agents that run on each node. Their init containers, which copy plugins onto the
// machine, are not among them: the plugins are there.
import type { KubeObject } from '../apiserver/types.ts';
import { type ClusterConfig, clusterConfig } from './config.ts';
import { crdObjects } from './crds.ts';
import { meta, serviceAccount } from './objects.ts';

/** What is applied to have the CNI in the cluster. */
export function cniManifest(config: ClusterConfig): KubeObject[] {
  switch (config.cni.name) {
    case 'calico':
      return calico();
    case 'kindnet':
      return [
        serviceAccount('kindnet', 'kube-system'),
        agent('kindnet', { 'k8s-app': 'kindnet' }, { name: 'kindnet-cni', image: 'docker.io/kindest/kindnetd:v20250512' }),
      ];
    case 'flannel':
      return flannel(config);
    default:
      return [];
  }
}

/** The manifest as its project publishes it, which knows nothing of the cluster: flannel's has kubeadm's usual pod network. */
export const officialManifest = (name: string): KubeObject[] => {
  const config = clusterConfig({ cni: name });
  const kinds = crdObjects(name).filter(o => o.metadata.name.endsWith('.projectcalico.org'));
  return [...kinds, ...cniManifest(config)];
};

interface Agent {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: object[];
  cpu?: string;
  volumeMounts?: object[];
}

/** A DaemonSet whose pods are on every node's own network. */
function agent(
  name: string,
  labels: Record<string, string>,
  { cpu = '100m', ...container }: Agent,
  spec: Record<string, unknown> = {},
  namespace = 'kube-system',
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: meta(name, namespace, { labels }),
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          hostNetwork: true,
          tolerations: [{ operator: 'Exists' }],
          priorityClassName: 'system-node-critical',
          serviceAccountName: name,
          containers: [{ ...container, securityContext: { privileged: true }, resources: { requests: { cpu } } }],
          ...spec,
        },
      },
    },
  };
}

function calico(): KubeObject[] {
  const controllers = { 'k8s-app': 'calico-kube-controllers' };
  return [
    ...['calico-node', 'calico-kube-controllers', 'calico-cni-plugin'].map(n => serviceAccount(n, 'kube-system')),
    agent(
      'calico-node',
      { 'k8s-app': 'calico-node' },
      { name: 'calico-node', image: 'quay.io/calico/node:v3.32.0', cpu: '250m' },
      { terminationGracePeriodSeconds: 0 },
    ),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta('calico-kube-controllers', 'kube-system', { labels: controllers }),
      spec: {
        replicas: 1,
        selector: { matchLabels: controllers },
        strategy: { type: 'Recreate' },
        template: {
          metadata: { labels: controllers },
          spec: {
            nodeSelector: { 'kubernetes.io/os': 'linux' },
            tolerations: [
              { key: 'CriticalAddonsOnly', operator: 'Exists' },
              { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
            ],
            serviceAccountName: 'calico-kube-controllers',
            priorityClassName: 'system-cluster-critical',
            containers: [{ name: 'calico-kube-controllers', image: 'quay.io/calico/kube-controllers:v3.32.0' }],
          },
        },
      },
    },
  ];
}

const FLANNEL_LIST = {
  name: 'cbr0',
  cniVersion: '0.3.1',
  plugins: [
    { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

/** Documentation/kube-flannel.yml v0.28.0. */
function flannel(config: ClusterConfig): KubeObject[] {
  const namespace = 'kube-flannel';
  const labels = { app: 'flannel', 'k8s-app': 'flannel' };
  const [v4, v6] = [false, true].map(six => config.podCIDRs.find(c => c.includes(':') === six));
  const network = {
    ...(v4 && { Network: v4 }),
    ...(v6 && { IPv6Network: v6, EnableIPv6: true, ...(!v4 && { EnableIPv4: false }) }),
    EnableNFTables: false,
    Backend: { Type: config.cni.encapsulation === 'host-gw' ? 'host-gw' : 'vxlan' },
  };
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: meta(namespace, undefined, { labels: { 'k8s-app': 'flannel', 'pod-security.kubernetes.io/enforce': 'privileged' } }),
    },
    serviceAccount('flannel', namespace),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta('kube-flannel-cfg', namespace, { labels: { ...labels, tier: 'node' } }),
      data: {
        'cni-conf.json': `${JSON.stringify(FLANNEL_LIST, null, 2)}\n`,
        'net-conf.json': `${JSON.stringify(network, null, 2)}\n`,
      },
    },
    agent(
      'kube-flannel-ds',
      labels,
      {
        name: 'kube-flannel',
        image: 'ghcr.io/flannel-io/flannel:v0.28.0',
        command: ['/opt/bin/flanneld'],
        args: ['--ip-masq', '--kube-subnet-mgr'],
        env: [
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
        ],
        volumeMounts: [{ name: 'flannel-cfg', mountPath: '/etc/kube-flannel/' }],
      },
      { serviceAccountName: 'flannel', volumes: [{ name: 'flannel-cfg', configMap: { name: 'kube-flannel-cfg' } }] },
      namespace,
    ),
  ];
}
