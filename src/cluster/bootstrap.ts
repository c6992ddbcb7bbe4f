// The objects that a cluster is born with: what kubeadm v1.36 and the CNI's own manifest leave behind (cmd/kubeadm/app/phases/addons,
// cmd/kubeadm/app/phases/controlplane), in the order in which they come.
import { apiserverObjects } from '../apiserver/bootstrap.ts';
import { kubeadmRbac } from '../apiserver/bootstrap-rbac.ts';
import type { KubeObject } from '../apiserver/types.ts';
import type { KubeProxyConfiguration } from '../kube-proxy/configuration.ts';
import { addToIp, formatIp, network, parseCidr } from '../wire/ip.ts';
import { cniManifest } from './cni-manifests.ts';
import type { ClusterConfig } from './config.ts';
import { crdObjects } from './crds.ts';
import { kubeadmObjects } from './kubeadm.ts';
import { meta, serviceAccount } from './objects.ts';

const nth = (cidr: string, n: number) => formatIp(addToIp(network(parseCidr(cidr)!).ip, n));

/** Where the cluster's DNS Service lives: the tenth address of the service network, as kubeadm picks it. */
export const dnsAddresses = (config: ClusterConfig): string[] => config.serviceCIDRs.slice(0, 1).map(c => nth(c, 10));
export const apiAddresses = (config: ClusterConfig): string[] => config.serviceCIDRs.slice(0, 1).map(c => nth(c, 1));

/** By whom they are written: the name of the field manager. */
export type Writer = 'kube-apiserver' | 'kubeadm' | 'kubectl-create';

/** Each writer's after those of the one before are there. `authority`: the cluster's certificate in PEM, drawn from what is there by then. */
export function bootstrapObjects(config: ClusterConfig, authority: () => string): [Writer, () => KubeObject[]][] {
  return [
    ['kube-apiserver', () => apiserversOwn(config)],
    ['kubeadm', () => kubeadmsOwn(config, authority())],
    ['kubectl-create', () => [...crdObjects(config.cni.name), ...cniManifest(config)]],
  ];
}

function apiserversOwn(config: ClusterConfig): KubeObject[] {
  return [
    ...['default', 'kube-system', 'kube-public', 'kube-node-lease'].map(n => ({ apiVersion: 'v1', kind: 'Namespace', metadata: meta(n) })),
    priorityClass('system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'),
    priorityClass(
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
    ...apiserverObjects(config.serviceCIDRs),
  ];
}

function kubeadmsOwn(config: ClusterConfig, authority: string): KubeObject[] {
  return [
    ...kubeadmRbac(),
    ...['coredns', 'kube-proxy'].map(n => serviceAccount(n, 'kube-system')),
    ...configMaps(config, authority),
    dnsService(config),
    corednsDeployment(),
    kubeProxyDaemonSet(config),
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

function configMaps(config: ClusterConfig, authority: string): KubeObject[] {
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
      data: { 'config.conf': kubeProxyConfig(config).text, 'kubeconfig.conf': kubeconfig },
    },
    ...kubeadmObjects(config, dnsAddresses(config), authority),
  ];
}

/** The KubeProxyConfiguration as kubeadm writes it, with the cluster's own choices in it; and what that text says. */
export function kubeProxyConfig(config: ClusterConfig): { text: string; config: KubeProxyConfiguration } {
  const { mode, clusterCIDR, ...rest } = config.kubeProxy;
  const said = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    bindAddress: '0.0.0.0',
    clusterCIDR,
    kind: 'KubeProxyConfiguration',
    ...rest,
    mode: mode === 'iptables' ? '' : mode,
  };
  const extra = Object.keys(rest).length ? `${yamlBlock(rest)}` : '';
  const text = `apiVersion: ${said.apiVersion}
bindAddress: ${said.bindAddress}
clusterCIDR: ${clusterCIDR}
kind: ${said.kind}
${extra}mode: ${mode === 'iptables' ? '""' : mode}
`;
  return { text, config: said as KubeProxyConfiguration };
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

const COREDNS_IMAGE = 'registry.k8s.io/coredns/coredns:v1.14.2';

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
