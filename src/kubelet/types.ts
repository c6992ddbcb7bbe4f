// What the kubelet keeps, and what the composition (src/cluster) must give it.

import type { Recorder } from '../apiserver/recorder.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import type { Kernel, Netns, Process } from '../linux/types.ts';
import type { DirNode, Filesystem, FsNode } from '../linux/vfs.ts';
import type { Pipe } from '../sim/pipe.ts';
import type { SimEvent } from '../sim/sim.ts';
import type { Task, WaitQueue } from '../sim/task.ts';

/** What the kubelet needs to know of an image; userland's Image fits. */
export interface ImageConfig {
  /** `uid`, `uid:gid` or a name of the image's passwd; absent: root. */
  user?: string;
  workdir?: string;
  env?: Record<string, string>;
  entrypoint?: string[];
  cmd?: string[];
  /** For "Image size: N bytes." */
  sizeBytes?: number;
}

export interface PortMapping {
  hostPort: number;
  hostIP: string;
  containerPort: number;
  protocol: 'TCP' | 'UDP' | 'SCTP';
}

/** CRI's pod sandbox, built. */
export interface PodSandbox {
  /** The runtime's id: 64 hex digits. CNI_CONTAINERID. */
  id: string;
  namespace: string;
  name: string;
  uid: string;
  /** Of the pod: a namespace of its own with `lo` only. Not called for hostNetwork pods. */
  netns: Netns;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** For portmap. */
  portMappings: PortMapping[];
  pod: KubeObject;
}

export interface NodeConfig {
  /** InternalIPs, first the primary one. */
  addresses: string[];
  podCIDRs: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  taints?: { key: string; value?: string; effect: string }[];
  /** Defaults: 2 CPUs, 3.8 GiB, 110 pods. */
  cpu?: number;
  memoryBytes?: number;
  maxPods?: number;
  /** nodeInfo; defaults: Debian GNU/Linux 12 (bookworm), containerd://2.2.3. The kernel's version is Kernel.release. */
  osImage?: string;
  containerRuntimeVersion?: string;
}

export interface KubeletDeps {
  /** The node. Called only when a pod's programs or packets are needed: may build the machine lazily. */
  kernel: () => Kernel;
  node: NodeConfig;
  /**
   * What CNI ADD decides: the addresses of a new sandbox (primary first), or the plugin's error, which FailedCreatePodSandBox prints
   * after `failed to setup network for sandbox "ID": `.
   */
  cniAdd: (pod: { namespace: string; name: string; wantedIPs: string[] }) => { ips: string[] } | { error: string };
  /** What CNI ADD builds in the sandbox that has these addresses, when somebody needs it: no allocation, no events. */
  cniWire: (sandbox: PodSandbox, ips: string[]) => void;
  /** CNI DEL, whether the sandbox was built or not. The kubelet deletes the namespace afterwards. */
  cniDel: (pod: { namespace: string; name: string }) => void;
  /** A pod has a sandbox that is not built: wirePods must be called before anybody looks. Default: it is, at once. */
  unwired?: () => void;
  /** null: no such image in any registry. */
  findImage: (ref: string) => ImageConfig | null;
  /** Is it on the node before anybody pulls? Default: every image that findImage knows. Asked for pull policies IfNotPresent and Never. */
  imagePresent?: (ref: string) => boolean;
  /** Why findImage has none: an unknown tag (default), an unknown repository, a registry that does not resolve. */
  missingImage?: (ref: string) => 'tag' | 'repository' | 'registry';
  buildRootfs: (image: ImageConfig) => Filesystem;
  /** `clusterDNS` and `clusterDomain` of the KubeletConfiguration. */
  clusterDNS: string[];
  clusterDomain: string;
  /** Where a pod's are others, because its kubelet had read another configuration when it started. */
  dnsOf?: (pod: KubeObject) => { servers?: string[]; domain?: string };
  /** The node's /etc/resolv.conf and /etc/hosts; by default the files of the node's own root (rootfs below). */
  hostResolvConf?: () => string;
  hostHosts?: () => string;
  /** The node's own file system, for hostPath volumes. Absent: each pod sees an empty directory. */
  rootfs?: () => Filesystem;
  /** Can the node reach the apiserver now (link up, route there)? Default: yes. Asked at each heartbeat and before each status update. */
  apiReachable?: () => boolean;
  /** A heartbeat found the apiserver out of reach. */
  unreached?: () => void;
  /** Is the CNI configured (a file in /etc/cni/net.d)? Otherwise the error for the Ready condition. Default: configured. */
  cniError?: () => string | null;
  /** Since when the container runtime does not answer; null: it does. Default: it does. */
  runtimeDownSinceMs?: () => number | null;
  /** Manifests in /etc/kubernetes/manifests: mirror pods NAME-NODE are made of them. Asked again while the kubelet runs. */
  staticPods?: () => KubeObject[];
  /** A line of the kubelet's own log. */
  log?: (entry: LogEntry) => void;
  /** Programs that an image's entrypoint cannot express (coredns, kube-proxy, CNI agents): run instead of the container's command when not null. */
  /** The container's program does nothing, and says nothing, until it gets a packet, a signal or company: it can be started then. */
  waits?: (container: any) => boolean;
  programFor?: (pod: KubeObject, container: any) => import('../linux/types.ts').Program | null;
  /** The service account token for a projected volume; default: an opaque text. */
  serviceAccountToken?: (namespace: string, serviceAccount: string, pod: KubeObject) => string;
  /** State of an earlier life of this kubelet: snapshotKubelet()'s answer. */
  saved?: KubeletState | null;
  /** Called after a container's processes or files have changed in a way that a session keeps (logs, exit of a container). */
  onChange?: () => void;
}

/** As klog writes: `E` for errors, `I` for what is worth knowing; `file.go:line`; the text with its key=value pairs. */
export interface LogEntry {
  level: 'I' | 'W' | 'E';
  source: string;
  text: string;
}

/** One line of a container's log, as containerd writes them. */
export interface LogLine {
  atMs: number;
  stream: 'stdout' | 'stderr';
  text: string;
  /** The line was ended by a newline (CRI's F; otherwise P). */
  full: boolean;
}

/** The pod's state as the kubelet knows it: its log, its processes, and what its status is made of. */
/** Lines still to be said again: those of the start, and all of them. */
export interface Replayed {
  start: number;
  all: number;
}

export interface ContainerRuntime {
  name: string;
  /** 64 hex digits, without containerd://; '' before the first start. */
  id: string;
  kind: 'init' | 'sidecar' | 'app' | 'ephemeral';
  process: Process | null;
  fs: Filesystem | null;
  /** What exec'd processes get too. */
  env: Map<string, string>;
  cwd: string;
  uid: number;
  caps: Set<string>;
  log: LogLine[];
  /** Of the incarnation before. */
  previousLog: LogLine[] | null;
  stdin: Pipe | null;
  /** For attach and `logs -f`: who else gets what it prints. */
  listeners: Set<(stream: 'stdout' | 'stderr', chunk: Uint8Array) => void>;
  /** Woken when the container has ended, and at each of its log's lines. */
  ended: WaitQueue;
  /** ContainerState and lastState of the API. */
  state: any;
  lastState: any;
  restartCount: number;
  ready: boolean;
  started: boolean;
  imageRef: string;
  /** The API's revision when it was created: which Services its environment can know. 0: unknown. */
  bornRevision: number;
  backoffMs: number;
  probes: ProbeState[];
  task: Task<void> | null;
  /** Somebody asked for its end: no message of its own is due. */
  stopping: boolean;
  /** A reloaded session: lines that the program may print again, by stream; `now`: it is being brought to where it was, nobody talks to it yet. */
  replay: { stdout: Replayed; stderr: Replayed; now: boolean } | null;
  /** It is in CrashLoopBackOff, until then. */
  restartsAtMs: number | null;
  /** Its last start failed: what the pod's next sync will tell, and when that comes. */
  failedStart: FailedStart | null;
  /** Its postStart hook failed, and why: told once the container has ended of it. */
  hookError: string | null;
  /** The back-off of its image. */
  pulls: { image: string; backoffMs: number; failedAtMs: number; message: string } | null;
}

export interface FailedStart {
  reason: string;
  message: string;
  attempts: number;
  atMs: number;
  /** The cluster may be called quiet meanwhile. */
  quiet: boolean;
}

export interface ProbeState {
  kind: 'startup' | 'liveness' | 'readiness';
  successes: number;
  failures: number;
  timer: SimEvent | null;
  running: boolean;
  done: boolean;
}

/** A pod that this kubelet knows. */
export interface PodRuntime {
  key: string;
  uid: string;
  /** Of the pod's sandbox; '': it has none. */
  sandboxId: string;
  /** The process that holds its namespaces; null: on the host's network, or not wired. */
  pause: Process | null;
  /** null: there is none, or nobody has needed it yet. */
  sandbox: PodSandbox | null;
  /** The node's own for hostNetwork. */
  netns: Netns | null;
  ips: string[];
  hostNetwork: boolean;
  startTimeMs: number;
  sandboxReady: boolean;
  containers: Map<string, ContainerRuntime>;
  volumes: Map<string, FsNode>;
  /** Files of projected volumes as its containers found them at their start (base64): programs have read them, and may not like what came since. */
  startedWith: Record<string, Record<string, string>>;
  /** Volumes that could not be set up, by name: when they are tried next. */
  mountTries: Record<string, { delayMs: number; nextMs: number }>;
  /** Its processes have not been needed yet: those of a reloaded pod, or of one whose programs only wait. */
  dormant: boolean;
  terminating: boolean;
  /** Its object goes when it has ended. */
  removing: boolean;
  /** Set by the kubelet itself: admission refused it, or its deadline has passed. */
  failed: { reason: string; message: string } | null;
  done: boolean;
  task: Task<void> | null;
  timers: Set<SimEvent>;
}

export interface Kubelet {
  server: ApiServer;
  nodeName: string;
  deps: KubeletDeps;
  recorder: Recorder;
  /** false: `systemctl stop kubelet`. Containers go on. */
  running: boolean;
  /** By uid. */
  pods: Map<string, PodRuntime>;
  /** Pods with a sandbox that nobody has needed yet, in the order of its creation. */
  unwired: Set<PodRuntime>;
  /** Pods whose status could not be written: the apiserver was out of reach. */
  unwritten: Set<string>;
  heartbeat: SimEvent | null;
  saved: KubeletState | null;
  /** Directories behind PersistentVolumes, by the volume's name. */
  disks: Map<string, DirNode>;
}

export interface SavedContainer {
  id: string;
  log: LogLine[];
  previousLog: LogLine[] | null;
  bornRevision?: number;
  failedStart?: FailedStart;
  pulls?: ContainerRuntime['pulls'];
  /** What its programs changed in its tree (linux/vfs-changes.ts). */
  files?: Record<string, string | null>;
  /** What its process knows beside that (linux/types.ts Process.memory). */
  memory?: unknown;
}

export interface SavedPod {
  sandboxId: string;
  containers: Record<string, SavedContainer>;
  startedWith?: Record<string, Record<string, string>>;
  mountTries?: PodRuntime['mountTries'];
  /** When something will happen in it by itself: a back-off is over, a program has slept enough. */
  dueMs?: number;
}

/** Plain JSON for the session: by pod uid, what the API objects do not tell. */
export interface KubeletState {
  running: boolean;
  pods: Record<string, SavedPod>;
}
