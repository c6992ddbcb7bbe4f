// What the rooms of one cluster are handed to each other in.
import type { ApiServer } from '../apiserver/types.ts';
import type { CniCluster, CniNode, CniPlugin } from '../cni/types.ts';
import type { Controllers } from '../controllers/start.ts';
import type { KubeProxy } from '../kube-proxy/types.ts';
import type { Kubelet, LogEntry } from '../kubelet/types.ts';
import type { Kernel } from '../linux/types.ts';
import type { Filesystem } from '../linux/vfs.ts';
import type { InstalledCni } from './cni-install.ts';
import type { ClusterConfig, NodeSpec } from './config.ts';
import type { HostState } from './host/state.ts';
import type { World } from './world.ts';

export interface Engine {
  server: ApiServer;
  config: ClusterConfig;
  world: World;
  cni: CniCluster;
  plugin: CniPlugin;
  /** null: the cluster was made with its CNI. */
  installedCni: InstalledCni | null;
  nodes: Map<string, NodeRuntime>;
  controllers: Controllers;
  /** What an earlier process left, by key; and what this one has seen of it, to write only what changed. */
  saved: Map<string, unknown>;
  /** Nothing was under way when `saved` was kept. */
  settled: boolean;
  written: Map<string, string>;
}

export interface NodeRuntime {
  engine: Engine;
  spec: NodeSpec;
  kubelet: Kubelet;
  /** null until it is needed. */
  built: BuiltNode | null;
  /** The running kube-proxy, and the pod that runs it. */
  proxy: { pod: string; proxy: KubeProxy } | null;
  /** Its init system and journal. */
  host: HostState;
  kernel: () => Kernel;
  /** Builds the sandboxes of its pods that are not there yet; always the same function, so that it is put off once. */
  wire: () => void;
  /** The machine's files; builds it. */
  rootfs: () => Filesystem;
  /** The machine as somebody finds it who looks: its rules are written. */
  look: () => BuiltNode;
  /** What users changed of the files of a folder: their text by path; null: removed. Builds nothing. */
  changedFiles: (folder: string) => Map<string, string | null>;
  /** The API server's URL in kubeadm's kubeconfigs. */
  apiServer: string;
  /** A line of the kubelet's log. */
  log: (entry: LogEntry) => void;
}

export interface BuiltNode {
  kernel: Kernel;
  rootfs: Filesystem;
  cni: CniNode;
  /** Somebody has looked at it: its rules are there, and the flows that earlier commands left. */
  awake: boolean;
}
