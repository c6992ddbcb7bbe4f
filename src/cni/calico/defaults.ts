// What calico-node and calico-kube-controllers write into an empty datastore when they start (Calico v3.32: node/pkg/lifecycle/startup,
// kube-controllers/pkg/config, libcalico-go/lib/clientv3 EnsureInitialized), in the kinds of projectcalico.org/v3.
import { createObject } from '../../apiserver/client.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { uuid } from '../../sim/random.ts';
import type { CniConfig, Encapsulation } from '../types.ts';
import { INFORMATION, POOLS } from './pools.ts';

const CALICO_VERSION = 'v3.32.0';

const object = (kind: string, name: string, spec: Record<string, unknown>, more: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'projectcalico.org/v3',
  kind,
  metadata: { name },
  spec,
  ...more,
});

/** Which of the two encapsulations a pool has, by CALICO_IPV4POOL_IPIP and CALICO_IPV4POOL_VXLAN. */
function modes(encapsulation: Encapsulation, six: boolean): { ipipMode: string; vxlanMode: string } {
  const cross = encapsulation.endsWith('cross-subnet') ? 'CrossSubnet' : 'Always';
  return {
    ipipMode: encapsulation.startsWith('ipip') && !six ? cross : 'Never',
    vxlanMode: encapsulation.startsWith('vxlan') ? cross : 'Never',
  };
}

const pool = (cni: CniConfig, cidr: string): KubeObject => {
  const six = cidr.includes(':');
  return object('IPPool', `default-ipv${six ? 6 : 4}-ippool`, {
    allowedUses: ['Workload', 'Tunnel'],
    assignmentMode: 'Automatic',
    blockSize: six ? 122 : 26,
    cidr,
    ...modes(cni.encapsulation, six),
    natOutgoing: six ? cni.natOutgoing6 : cni.natOutgoing,
    nodeSelector: 'all()',
  });
};

const CONTROLLERS = {
  controllers: {
    loadBalancer: { assignIPs: 'AllServices' },
    namespace: { reconcilerPeriod: '5m0s' },
    node: { hostEndpoint: { autoCreate: 'Disabled' }, leakGracePeriod: '15m0s', reconcilerPeriod: '5m0s', syncLabels: 'Enabled' },
    policy: { reconcilerPeriod: '5m0s' },
    serviceAccount: { reconcilerPeriod: '5m0s' },
    workloadEndpoint: { reconcilerPeriod: '5m0s' },
  },
  etcdV3CompactionPeriod: '10m0s',
  healthChecks: 'Enabled',
  logSeverityScreen: 'Info',
  prometheusMetricsPort: 9094,
};

function defaults(server: ApiServer, config: CniConfig): KubeObject[] {
  const information = {
    calicoVersion: CALICO_VERSION,
    clusterGUID: uuid(server.random).replaceAll('-', ''),
    clusterType: 'k8s,bgp,kubeadm,kdd',
    datastoreReady: true,
  };
  return [
    object('ClusterInformation', 'default', information),
    object('FelixConfiguration', 'default', {
      bpfConnectTimeLoadBalancing: 'TCP',
      bpfHostNetworkedNATWithoutCTLB: 'Enabled',
      floatingIPs: 'Disabled',
      logSeverityScreen: 'Info',
      reportingInterval: '0s',
    }),
    object('KubeControllersConfiguration', 'default', CONTROLLERS, {
      status: { environmentVars: { DATASTORE_TYPE: 'kubernetes', ENABLED_CONTROLLERS: 'node,loadbalancer' }, runningConfig: CONTROLLERS },
    }),
    object('Tier', 'kube-admin', { defaultAction: 'Pass', order: 1000 }),
    object('Tier', 'default', { defaultAction: 'Deny', order: 1_000_000 }),
    object('Tier', 'kube-baseline', { defaultAction: 'Pass', order: 10_000_000 }),
    // Only where there is no pool at all: one that was taken away does not come back.
    ...(listObjects(server, POOLS).length ? [] : config.podCIDRs.map(cidr => pool(config, cidr))),
  ];
}

/** What the first agent of a cluster finds missing. */
export function writeDefaults(server: ApiServer, config: CniConfig): void {
  if (listObjects(server, POOLS).length && getObject(server, INFORMATION, '', 'default')) return;
  for (const o of defaults(server, config)) createObject(server, o, undefined, 'calico-node');
}
