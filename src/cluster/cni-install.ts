// A CNI that comes after the cluster: a machine without one has it once the CNI's agent runs there (its install container copies the
// configuration to /etc/cni/net.d, which containerd takes up), and keeps it when the agent goes.
import { writeDefaults } from '../cni/calico/defaults.ts';
import { pluginOf } from '../cni/plugins.ts';
import { schedule } from '../sim/sim.ts';
import type { Engine, NodeRuntime } from './types.ts';

/** Machines that have their CNI by now, of a cluster that was made without one. */
export interface InstalledCni {
  name: string;
  nodes: string[];
}

const AGENTS: [RegExp, string][] = [
  [/(^|\/)calico\/node$/, 'calico'],
  [/(^|\/)kindnetd$/, 'kindnet'],
  [/(^|\/)flannel$/, 'flannel'],
];

/** The CNI whose agent an image is, by its repository. */
export const cniOfAgent = (repository: string): string | null => AGENTS.find(([image]) => image.test(repository))?.[1] ?? null;

/** How long a kubelet takes to tell that its network is ready: nodeStatusUpdateFrequency. */
const STATUS_MS = 10_000;

/** Has this machine a CNI's configuration? */
export const hasCni = ({ engine, spec }: NodeRuntime): boolean =>
  engine.config.cni.name !== 'none' && (engine.installedCni?.nodes.includes(spec.name) ?? true);

/** The plugin of the whole cluster, when its first agent comes. */
export function takeCni(engine: Engine, installed: InstalledCni): void {
  const { cni } = engine.config;
  cni.name = installed.name;
  if (installed.name === 'flannel' && cni.encapsulation === 'none') cni.encapsulation = 'vxlan';
  engine.plugin = pluginOf(installed.name);
  engine.installedCni = installed;
}

/** An agent of `name` starts on a machine. -> is it the cluster's CNI's? */
export function installCni(node: NodeRuntime, name: string): boolean {
  const { engine, spec } = node;
  if (engine.config.cni.name === 'none') {
    takeCni(engine, { name, nodes: [] });
    if (name === 'calico') writeDefaults(engine.server, engine.config.cni);
  }
  if (engine.config.cni.name !== name) return false;
  if (hasCni(node)) return true;
  engine.installedCni?.nodes.push(spec.name);
  if (node.built) engine.plugin.setupNode(node.built.cni);
  // Until the kubelet has told it the cluster is not at rest: pods wait for a node that is ready.
  schedule(engine.server.sim, STATUS_MS + 1000, () => {}, false);
  return true;
}
