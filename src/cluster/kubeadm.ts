// What kubeadm v1.36 keeps in the cluster of its own configuration (cmd/kubeadm/app/phases: uploadconfig, kubelet, bootstraptoken/clusterinfo).
// The roles that let nodes and strangers read it are among the server's (apiserver/bootstrap-rbac.ts). cluster-info is not signed: the
// token of `kubeadm init` has expired.
import type { KubeObject } from '../apiserver/types.ts';
import { base64, stringToBytes } from '../sim/bytes.ts';
import type { ClusterConfig } from './config.ts';

/** The KubeletConfiguration (componentconfigs/kubelet.go). `endpoint`: the container runtime's, of a machine's own file. */
export const kubeletConfig = (dns: string[], endpoint = '""'): string => `apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: false
  webhook:
    cacheTTL: 0s
    enabled: true
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: Webhook
  webhook:
    cacheAuthorizedTTL: 0s
    cacheUnauthorizedTTL: 0s
cgroupDriver: systemd
clusterDNS:
${dns.map(a => `- ${a}\n`).join('')}clusterDomain: cluster.local
containerRuntimeEndpoint: ${endpoint}
cpuManagerReconcilePeriod: 0s
crashLoopBackOff: {}
evictionPressureTransitionPeriod: 0s
fileCheckFrequency: 0s
healthzBindAddress: 127.0.0.1
healthzPort: 10248
httpCheckFrequency: 0s
imageMaximumGCAge: 0s
imageMinimumGCAge: 0s
kind: KubeletConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
memorySwap: {}
nodeStatusReportFrequency: 0s
nodeStatusUpdateFrequency: 0s
rotateCertificates: true
runtimeRequestTimeout: 0s
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
staticPodPath: /etc/kubernetes/manifests
streamingConnectionIdleTimeout: 0s
syncFrequency: 0s
volumeStatsAggPeriod: 0s
`;

const clusterConfiguration = (config: ClusterConfig): string => `apiServer: {}
apiVersion: kubeadm.k8s.io/v1beta4
caCertificateValidityPeriod: 87600h0m0s
certificateValidityPeriod: 8760h0m0s
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controllerManager: {}
dns: {}
encryptionAlgorithm: RSA-2048
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: ${config.version}
networking:
  dnsDomain: cluster.local
  podSubnet: ${config.podCIDRs.join(',')}
  serviceSubnet: ${config.serviceCIDRs.join(',')}
proxy: {}
scheduler: {}
`;

/** How a stranger finds the API server and knows that it is the right one. */
const clusterInfo = (server: string, authority: string): string => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${authority}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
users: null
`;

/** `authority`: the cluster's own, in PEM. */
export function kubeadmObjects(config: ClusterConfig, dns: string[], authority: string): KubeObject[] {
  const map = (name: string, namespace: string, data: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    data,
  });
  return [
    map('kubeadm-config', 'kube-system', { ClusterConfiguration: clusterConfiguration(config) }),
    map('kubelet-config', 'kube-system', { kubelet: kubeletConfig(dns) }),
    map('cluster-info', 'kube-public', {
      kubeconfig: clusterInfo(`https://${config.nodes[0]?.ips[0]}:6443`, base64(stringToBytes(authority))),
    }),
  ];
}
