// The control plane's components as kubeadm v1.36.3 leaves them in /etc/kubernetes/manifests (cmd/kubeadm/app/phases/controlplane,
// …/phases/etcd). Without their probes: podnet asks the components' own pods whether they run.
import type { KubeObject } from '../apiserver/types.ts';
import type { ClusterConfig } from './config.ts';
import { meta } from './objects.ts';

const PKI = '/etc/kubernetes/pki';

interface Component {
  image: string;
  flags: Record<string, string>;
  cpu: string;
  memory?: string;
  port: number;
  annotations?: Record<string, string>;
  /** name -> [path on the machine and in the container, its type]; all but etcd's are mounted read-only. */
  volumes: Record<string, [path: string, type: 'DirectoryOrCreate' | 'FileOrCreate']>;
}

const directories = (paths: Record<string, string>): Component['volumes'] =>
  Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, [path, 'DirectoryOrCreate']]));

const CERTIFICATES = directories({
  'ca-certs': '/etc/ssl/certs',
  'etc-ca-certificates': '/etc/ca-certificates',
  'k8s-certs': PKI,
  'usr-local-share-ca-certificates': '/usr/local/share/ca-certificates',
  'usr-share-ca-certificates': '/usr/share/ca-certificates',
});

function etcd(node: string, ip: string): Component {
  const local = ip.includes(':') ? '[::1]' : '127.0.0.1';
  const host = ip.includes(':') ? `[${ip}]` : ip;
  return {
    image: 'etcd:3.6.8-0',
    flags: {
      'advertise-client-urls': `https://${host}:2379`,
      'cert-file': `${PKI}/etcd/server.crt`,
      'client-cert-auth': 'true',
      'data-dir': '/var/lib/etcd',
      'feature-gates': 'InitialCorruptCheck=true',
      'initial-advertise-peer-urls': `https://${host}:2380`,
      'initial-cluster': `${node}=https://${host}:2380`,
      'key-file': `${PKI}/etcd/server.key`,
      'listen-client-urls': `https://${local}:2379,https://${host}:2379`,
      'listen-metrics-urls': `http://${local}:2381`,
      'listen-peer-urls': `https://${host}:2380`,
      name: node,
      'peer-cert-file': `${PKI}/etcd/peer.crt`,
      'peer-client-cert-auth': 'true',
      'peer-key-file': `${PKI}/etcd/peer.key`,
      'peer-trusted-ca-file': `${PKI}/etcd/ca.crt`,
      'snapshot-count': '10000',
      'trusted-ca-file': `${PKI}/etcd/ca.crt`,
      'watch-progress-notify-interval': '5s',
    },
    cpu: '100m',
    memory: '100Mi',
    port: 2381,
    annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': `https://${host}:2379` },
    volumes: directories({ 'etcd-certs': `${PKI}/etcd`, 'etcd-data': '/var/lib/etcd' }),
  };
}

function apiserver(config: ClusterConfig, ip: string): Component {
  const host = ip.includes(':') ? `[${ip}]` : ip;
  return {
    image: `kube-apiserver:${config.version}`,
    flags: {
      'advertise-address': ip,
      'allow-privileged': 'true',
      'authorization-mode': 'Node,RBAC',
      'client-ca-file': `${PKI}/ca.crt`,
      'enable-admission-plugins': 'NodeRestriction',
      'enable-bootstrap-token-auth': 'true',
      'etcd-cafile': `${PKI}/etcd/ca.crt`,
      'etcd-certfile': `${PKI}/apiserver-etcd-client.crt`,
      'etcd-keyfile': `${PKI}/apiserver-etcd-client.key`,
      'etcd-servers': `https://${ip.includes(':') ? '[::1]' : '127.0.0.1'}:2379`,
      'kubelet-client-certificate': `${PKI}/apiserver-kubelet-client.crt`,
      'kubelet-client-key': `${PKI}/apiserver-kubelet-client.key`,
      'kubelet-preferred-address-types': 'InternalIP,ExternalIP,Hostname',
      'proxy-client-cert-file': `${PKI}/front-proxy-client.crt`,
      'proxy-client-key-file': `${PKI}/front-proxy-client.key`,
      'requestheader-allowed-names': 'front-proxy-client',
      'requestheader-client-ca-file': `${PKI}/front-proxy-ca.crt`,
      'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
      'requestheader-group-headers': 'X-Remote-Group',
      'requestheader-username-headers': 'X-Remote-User',
      'secure-port': '6443',
      'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
      'service-account-key-file': `${PKI}/sa.pub`,
      'service-account-signing-key-file': `${PKI}/sa.key`,
      'service-cluster-ip-range': config.serviceCIDRs.join(','),
      'tls-cert-file': `${PKI}/apiserver.crt`,
      'tls-private-key-file': `${PKI}/apiserver.key`,
    },
    cpu: '250m',
    port: 6443,
    annotations: { 'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${host}:6443` },
    volumes: CERTIFICATES,
  };
}

/** What a component's own kubeconfig is named in. */
const clientFlags = (kubeconfig: string) => ({
  'authentication-kubeconfig': kubeconfig,
  'authorization-kubeconfig': kubeconfig,
  'bind-address': '127.0.0.1',
  kubeconfig,
  'leader-elect': 'true',
});

function controllerManager(config: ClusterConfig): Component {
  const kubeconfig = '/etc/kubernetes/controller-manager.conf';
  return {
    image: `kube-controller-manager:${config.version}`,
    flags: {
      ...clientFlags(kubeconfig),
      'allocate-node-cidrs': 'true',
      'client-ca-file': `${PKI}/ca.crt`,
      'cluster-cidr': config.podCIDRs.join(','),
      'cluster-name': 'kubernetes',
      'cluster-signing-cert-file': `${PKI}/ca.crt`,
      'cluster-signing-key-file': `${PKI}/ca.key`,
      controllers: '*,bootstrapsigner,tokencleaner',
      'requestheader-client-ca-file': `${PKI}/front-proxy-ca.crt`,
      'root-ca-file': `${PKI}/ca.crt`,
      'service-account-private-key-file': `${PKI}/sa.key`,
      'service-cluster-ip-range': config.serviceCIDRs.join(','),
      'use-service-account-credentials': 'true',
    },
    cpu: '200m',
    port: 10257,
    volumes: {
      ...CERTIFICATES,
      ...directories({ 'flexvolume-dir': '/usr/libexec/kubernetes/kubelet-plugins/volume/exec' }),
      kubeconfig: [kubeconfig, 'FileOrCreate'],
    },
  };
}

function scheduler(config: ClusterConfig): Component {
  const kubeconfig = '/etc/kubernetes/scheduler.conf';
  return {
    image: `kube-scheduler:${config.version}`,
    flags: clientFlags(kubeconfig),
    cpu: '100m',
    port: 10259,
    volumes: { kubeconfig: [kubeconfig, 'FileOrCreate'] },
  };
}

const sortedEntries = <T>(o: Record<string, T>): [string, T][] => Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1));

function podOf(name: string, c: Component): KubeObject {
  const volumes = sortedEntries(c.volumes);
  const readOnly = name !== 'etcd' && { readOnly: true };
  const annotations = c.annotations && { annotations: c.annotations };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(name, 'kube-system', { ...annotations, labels: { component: name, tier: 'control-plane' } }),
    spec: {
      containers: [
        {
          name,
          image: `registry.k8s.io/${c.image}`,
          imagePullPolicy: 'IfNotPresent',
          command: [name, ...sortedEntries(c.flags).map(([flag, value]) => `--${flag}=${value}`)],
          ports: [{ containerPort: c.port, name: 'probe-port', protocol: 'TCP' }],
          resources: { requests: { cpu: c.cpu, ...(c.memory && { memory: c.memory }) } },
          volumeMounts: volumes.map(([volume, [mountPath]]) => ({ mountPath, name: volume, ...readOnly })),
        },
      ],
      hostNetwork: true,
      priority: 2_000_001_000,
      priorityClassName: 'system-node-critical',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      volumes: volumes.map(([volume, [path, type]]) => ({ hostPath: { path, type }, name: volume })),
    },
  };
}

/** Manifests in /etc/kubernetes/manifests of a control-plane node: the kubelet makes mirror pods NAME-NODE of them. */
export function staticPods(config: ClusterConfig, nodeName: string): KubeObject[] {
  const node = config.nodes.find(n => n.name === nodeName);
  if (node?.role !== 'control-plane') return [];
  const ip = node.ips[0];
  return [
    podOf('etcd', etcd(nodeName, ip)),
    podOf('kube-apiserver', apiserver(config, ip)),
    podOf('kube-controller-manager', controllerManager(config)),
    podOf('kube-scheduler', scheduler(config)),
  ];
}
