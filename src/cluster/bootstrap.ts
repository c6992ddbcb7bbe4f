// The objects that a cluster is born with: what kubeadm v1.36 and the CNI's own manifest leave behind (cmd/kubeadm/app/phases/addons,
// cmd/kubeadm/app/phases/controlplane), in the order in which they come.
import { apiserverObjects } from '../apiserver/bootstrap.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { addToIp, formatIp, network, parseCidr } from '../wire/ip.ts';
import type { ClusterConfig } from './config.ts';
import { crdObjects } from './crds.ts';

const nth = (cidr: string, n: number) => formatIp(addToIp(network(parseCidr(cidr)!).ip, n));

/** Where the cluster's DNS Service lives: the tenth address of the service network, as kubeadm picks it. */
export const dnsAddresses = (config: ClusterConfig): string[] => config.serviceCIDRs.slice(0, 1).map(c => nth(c, 10));
export const apiAddresses = (config: ClusterConfig): string[] => config.serviceCIDRs.slice(0, 1).map(c => nth(c, 1));

const meta = (name: string, namespace?: string, extra: Record<string, unknown> = {}) => ({
  name,
  ...(namespace ? { namespace } : {}),
  ...extra,
});

export function bootstrapObjects(config: ClusterConfig): KubeObject[] {
  return [
    ...['default', 'kube-system', 'kube-public', 'kube-node-lease'].map(n => ({ apiVersion: 'v1', kind: 'Namespace', metadata: meta(n) })),
    priorityClass('system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'),
    priorityClass(
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
    ...[
      'coredns',
      'kube-proxy',
      ...(config.cni.name === 'calico'
        ? ['calico-node', 'calico-kube-controllers', 'calico-cni-plugin']
        : config.cni.name === 'kindnet'
          ? ['kindnet']
          : []),
    ].map(n => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta(n, 'kube-system') })),
    ...apiserverObjects(config.serviceCIDRs),
    ...crdObjects(config.cni.name),
    ...configMaps(config),
    kubernetesService(config),
    dnsService(config),
    corednsDeployment(),
    kubeProxyDaemonSet(config),
    ...cniWorkloads(config),
  ];
}

const priorityClass = (name: string, value: number, description: string): KubeObject => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: meta(name),
  value,
  description,
});

export const COREFILE = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`;

function configMaps(config: ClusterConfig): KubeObject[] {
  const server = `https://${config.nodes[0]?.ips[0]}:6443`;
  const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
    server: ${server}
  name: default
contexts:
- context:
    cluster: default
    namespace: default
    user: default
  name: default
current-context: default
users:
- name: default
  user:
    tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
`;
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('coredns', 'kube-system'), data: { Corefile: COREFILE } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta('kube-proxy', 'kube-system', { labels: { app: 'kube-proxy' } }),
      data: { 'config.conf': kubeProxyConfig(config), 'kubeconfig.conf': kubeconfig },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta('kubeadm-config', 'kube-system'),
      data: {
        ClusterConfiguration: `apiVersion: kubeadm.k8s.io/v1beta4
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: ${config.version}
networking:
  dnsDomain: cluster.local
  podSubnet: ${config.podCIDRs.join(',')}
  serviceSubnet: ${config.serviceCIDRs.join(',')}
`,
      },
    },
  ];
}

/** The KubeProxyConfiguration as kubeadm writes it, with the cluster's own choices in it. */
function kubeProxyConfig(config: ClusterConfig): string {
  const { mode, clusterCIDR, ...rest } = config.kubeProxy;
  const extra = Object.keys(rest).length ? `${yamlBlock(rest)}` : '';
  return `apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
clusterCIDR: ${clusterCIDR}
kind: KubeProxyConfiguration
${extra}mode: ${mode === 'iptables' ? '""' : mode}
`;
}

/** Maps, lists of scalars and scalars: all that KubeProxyConfiguration needs. */
function yamlBlock(value: Record<string, any>, indent = ''): string {
  return Object.keys(value)
    .sort()
    .map(k => {
      const v = value[k];
      if (Array.isArray(v)) return `${indent}${k}:\n${v.map(x => `${indent}- ${JSON.stringify(x)}\n`).join('')}`;
      if (v && typeof v === 'object') return `${indent}${k}:\n${yamlBlock(v, `${indent}  `)}`;
      return `${indent}${k}: ${JSON.stringify(v)}\n`;
    })
    .join('');
}

function kubernetesService(config: ClusterConfig): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('kubernetes', 'default', { labels: { component: 'apiserver', provider: 'kubernetes' } }),
    spec: {
      clusterIP: apiAddresses(config)[0],
      clusterIPs: apiAddresses(config),
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      type: 'ClusterIP',
    },
  };
}

/** The apiserver writes the endpoints of its own Service (pkg/controlplane/reconcilers). */
export function kubernetesEndpoints(config: ClusterConfig): KubeObject[] {
  const ip = config.nodes.find(n => n.role === 'control-plane')?.ips[0] ?? config.nodes[0]?.ips[0];
  if (!ip) return [];
  return [
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: meta('kubernetes', 'default', { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }),
      subsets: [{ addresses: [{ ip }], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }] }],
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: meta('kubernetes', 'default', { labels: { 'kubernetes.io/service-name': 'kubernetes' } }),
      addressType: ip.includes(':') ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [ip], conditions: { ready: true } }],
      ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
    } as KubeObject,
  ];
}

function dnsService(config: ClusterConfig): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('kube-dns', 'kube-system', {
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
    }),
    spec: {
      clusterIP: dnsAddresses(config)[0],
      clusterIPs: dnsAddresses(config),
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
        { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
      ],
      selector: { 'k8s-app': 'kube-dns' },
    },
  };
}

export const COREDNS_IMAGE = 'registry.k8s.io/coredns/coredns:v1.14.2';

function corednsDeployment(): KubeObject {
  const labels = { 'k8s-app': 'kube-dns' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta('coredns', 'kube-system', { labels }),
    spec: {
      replicas: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          priorityClassName: 'system-cluster-critical',
          serviceAccountName: 'coredns',
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                {
                  weight: 100,
                  podAffinityTerm: {
                    labelSelector: { matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns'] }] },
                    topologyKey: 'kubernetes.io/hostname',
                  },
                },
              ],
            },
          },
          tolerations: [
            { key: 'CriticalAddonsOnly', operator: 'Exists' },
            { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
          ],
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          containers: [
            {
              name: 'coredns',
              image: COREDNS_IMAGE,
              imagePullPolicy: 'IfNotPresent',
              resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
              args: ['-conf', '/etc/coredns/Corefile'],
              volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
              ports: [
                { containerPort: 53, name: 'dns', protocol: 'UDP' },
                { containerPort: 53, name: 'dns-tcp', protocol: 'TCP' },
                { containerPort: 9153, name: 'metrics', protocol: 'TCP' },
                { containerPort: 8080, name: 'liveness-probe', protocol: 'TCP' },
                { containerPort: 8181, name: 'readiness-probe', protocol: 'TCP' },
              ],
              livenessProbe: {
                httpGet: { path: '/health', port: 'liveness-probe', scheme: 'HTTP' },
                initialDelaySeconds: 60,
                timeoutSeconds: 5,
                successThreshold: 1,
                failureThreshold: 5,
              },
              readinessProbe: { httpGet: { path: '/ready', port: 'readiness-probe', scheme: 'HTTP' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
                readOnlyRootFilesystem: true,
              },
            },
          ],
          dnsPolicy: 'Default',
          volumes: [{ name: 'config-volume', configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] } }],
        },
      },
    },
  };
}

function kubeProxyDaemonSet(config: ClusterConfig): KubeObject {
  const labels = { 'k8s-app': 'kube-proxy' };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: meta('kube-proxy', 'kube-system', { labels }),
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'RollingUpdate' },
      template: {
        metadata: { labels },
        spec: {
          priorityClassName: 'system-node-critical',
          containers: [
            {
              name: 'kube-proxy',
              image: `registry.k8s.io/kube-proxy:${config.version}`,
              imagePullPolicy: 'IfNotPresent',
              command: ['/usr/local/bin/kube-proxy', '--config=/var/lib/kube-proxy/config.conf', '--hostname-override=$(NODE_NAME)'],
              securityContext: { privileged: true },
              volumeMounts: [
                { mountPath: '/var/lib/kube-proxy', name: 'kube-proxy' },
                { mountPath: '/run/xtables.lock', name: 'xtables-lock' },
                { mountPath: '/lib/modules', name: 'lib-modules', readOnly: true },
              ],
              env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
            },
          ],
          hostNetwork: true,
          serviceAccountName: 'kube-proxy',
          volumes: [
            { name: 'kube-proxy', configMap: { name: 'kube-proxy' } },
            { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
            { name: 'lib-modules', hostPath: { path: '/lib/modules' } },
          ],
          tolerations: [{ operator: 'Exists' }],
          nodeSelector: { 'kubernetes.io/os': 'linux' },
        },
      },
    },
  };
}

function cniWorkloads(config: ClusterConfig): KubeObject[] {
  const tolerations = [{ operator: 'Exists' }];
  const daemon = (name: string, image: string, container: string, extra: Record<string, unknown> = {}): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: meta(name, 'kube-system', { labels: { 'k8s-app': name } }),
    spec: {
      selector: { matchLabels: { 'k8s-app': name } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels: { 'k8s-app': name } },
        spec: {
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          hostNetwork: true,
          tolerations,
          priorityClassName: 'system-node-critical',
          containers: [
            {
              name: container,
              image,
              securityContext: { privileged: true },
              resources: { requests: { cpu: name === 'calico-node' ? '250m' : '100m' } },
            },
          ],
          ...extra,
        },
      },
    },
  });
  switch (config.cni.name) {
    case 'calico':
      return [
        daemon('calico-node', 'quay.io/calico/node:v3.32.0', 'calico-node', {
          serviceAccountName: 'calico-node',
          terminationGracePeriodSeconds: 0,
        }),
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: meta('calico-kube-controllers', 'kube-system', { labels: { 'k8s-app': 'calico-kube-controllers' } }),
          spec: {
            replicas: 1,
            selector: { matchLabels: { 'k8s-app': 'calico-kube-controllers' } },
            strategy: { type: 'Recreate' },
            template: {
              metadata: { labels: { 'k8s-app': 'calico-kube-controllers' } },
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
    case 'kindnet':
      return [daemon('kindnet', 'docker.io/kindest/kindnetd:v20250512', 'kindnet-cni', { serviceAccountName: 'kindnet' })];
    case 'flannel':
      return [daemon('kube-flannel-ds', 'ghcr.io/flannel-io/flannel:v0.28.0', 'kube-flannel')];
    default:
      return [];
  }
}

/** Manifests in /etc/kubernetes/manifests of a control-plane node: the kubelet makes mirror pods NAME-NODE of them. */
export function staticPods(config: ClusterConfig, nodeName: string): KubeObject[] {
  const node = config.nodes.find(n => n.name === nodeName);
  if (node?.role !== 'control-plane') return [];
  const ip = node.ips[0];
  const pod = (component: string, image: string, command: string[], cpu: string, port: number): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(component, 'kube-system', { labels: { component, tier: 'control-plane' } }),
    spec: {
      containers: [
        {
          name: component,
          image,
          imagePullPolicy: 'IfNotPresent',
          command,
          ports: [{ containerPort: port, name: 'probe-port', protocol: 'TCP' }],
          resources: { requests: { cpu } },
        },
      ],
      hostNetwork: true,
      priority: 2_000_001_000,
      priorityClassName: 'system-node-critical',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    },
  });
  return [
    pod(
      'etcd',
      'registry.k8s.io/etcd:3.6.6-0',
      [
        'etcd',
        `--advertise-client-urls=https://${ip}:2379`,
        `--listen-client-urls=https://127.0.0.1:2379,https://${ip}:2379`,
        `--name=${nodeName}`,
      ],
      '100m',
      2381,
    ),
    pod(
      'kube-apiserver',
      `registry.k8s.io/kube-apiserver:${config.version}`,
      ['kube-apiserver', `--advertise-address=${ip}`, '--secure-port=6443', `--service-cluster-ip-range=${config.serviceCIDRs.join(',')}`],
      '250m',
      6443,
    ),
    pod(
      'kube-controller-manager',
      `registry.k8s.io/kube-controller-manager:${config.version}`,
      [
        'kube-controller-manager',
        '--allocate-node-cidrs=true',
        `--cluster-cidr=${config.podCIDRs.join(',')}`,
        `--service-cluster-ip-range=${config.serviceCIDRs.join(',')}`,
      ],
      '200m',
      10257,
    ),
    pod(
      'kube-scheduler',
      `registry.k8s.io/kube-scheduler:${config.version}`,
      ['kube-scheduler', '--bind-address=127.0.0.1', '--leader-elect=true'],
      '100m',
      10259,
    ),
  ];
}
