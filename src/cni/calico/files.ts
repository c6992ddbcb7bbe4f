// What calico-node's install-cni container leaves on the host (calico.yaml v3.32).
import { newFile, place } from '../../linux/vfs.ts';
import type { CniNode } from '../types.ts';
import { nodeMtu } from './routes.ts';

export function writeConflist(node: CniNode): void {
  if (!node.fs) return;
  const conf = {
    name: 'k8s-pod-network',
    cniVersion: '0.3.1',
    plugins: [
      {
        type: 'calico',
        log_level: 'info',
        log_file_path: '/var/log/calico/cni/cni.log',
        datastore_type: 'kubernetes',
        nodename: node.nodeName,
        mtu: nodeMtu(node),
        ipam: { type: 'calico-ipam' },
        policy: { type: 'k8s' },
        kubernetes: { kubeconfig: '/etc/cni/net.d/calico-kubeconfig' },
      },
      { type: 'portmap', snat: true, capabilities: { portMappings: true } },
      { type: 'bandwidth', capabilities: { bandwidth: true } },
    ],
  };
  place(node.fs, '/etc/cni/net.d/10-calico.conflist', newFile(`${JSON.stringify(conf, null, 2)}\n`));
  place(node.fs, '/var/lib/calico/nodename', newFile(node.nodeName));
}
