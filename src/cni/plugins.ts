// The CNIs, one row each.
import { bridge } from './bridge.ts';
import { calico } from './calico/plugin.ts';
import { flannel } from './flannel.ts';
import { kindnet, ptp } from './ptp.ts';
import type { CniPlugin } from './types.ts';

/** No CNI: pods on the pod network stay in ContainerCreating, as on a node whose /etc/cni/net.d is empty. */
const none: CniPlugin = {
  name: 'none',
  allocate: () => ({ error: 'cni plugin not initialized' }),
  release: () => {},
  setupNode: () => {},
  plumb: () => ({ error: 'cni plugin not initialized' }),
  unplumb: () => {},
  startAgent: null,
};

export const PLUGINS: CniPlugin[] = [calico, bridge, ptp, kindnet, flannel, none];

export function pluginOf(name: string): CniPlugin {
  const plugin = PLUGINS.find(p => p.name === name);
  if (!plugin) throw new Error(`no CNI named ${name}`);
  return plugin;
}
