// One node: its machine is built when something first needs it; its kubelet is there from the start.
import { repositoryOf, rewire } from '../addons/programs.ts';
import { getObject, listObjects, watchBucket } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { RESERVATIONS } from '../cni/conf-files.ts';
import { CNI_BIN } from '../cni/programs/table.ts';
import type { CniNode } from '../cni/types.ts';
import { writeKubeletChains } from '../kube-proxy/iptables/proxier.ts';
import { cleanFlowsSince } from '../kube-proxy/proxy.ts';
import { runtimeOf } from '../kubelet/adopt.ts';
import { adoptPod, snapshotKubelet, startKubelet } from '../kubelet/kubelet.ts';
import { wirePods } from '../kubelet/sandbox.ts';
import type { KubeletState, PodSandbox } from '../kubelet/types.ts';
import { lookAt, putOff } from '../linux/due.ts';
import { newKernel } from '../linux/kernel.ts';
import { addAddress, addLink, broadcastOf, linkByName, plug, setUp } from '../linux/link.ts';
import { NETNS_DIR, netnsDir } from '../linux/namespaces.ts';
import { type Flows, loadFlows, saveFlows } from '../linux/netfilter/flows.ts';
import { restoreNetns, snapshotNetns } from '../linux/snapshot.ts';
import { setSysctl } from '../linux/sysctl.ts';
import type { Netns } from '../linux/types.ts';
import { beforeLook, newFile, place } from '../linux/vfs.ts';
import { parseRfc3339 } from '../sim/time.ts';
import { findImage, missingPart } from '../userland/images.ts';
import { familyOf, ip } from '../wire/ip.ts';
import { dnsAddresses } from './bootstrap.ts';
import { cniOfAgent, hasCni } from './cni-install.ts';
import type { NodeSpec } from './config.ts';
import { apiUrl, dnsOf, unreached } from './host/kubelet-reach.ts';
import { placeHost } from './host/machine.ts';
import { manifestsOf } from './host/manifests.ts';
import { type HostState, hostHasHistory, kubeletLog, newHost } from './host/state.ts';
import { startUnits, tryAgain } from './host/unit-control.ts';
import { changedFiles, keepMachine, restoreMachine } from './machine-state.ts';
import { containerRootfs, imageOf, keptProxy, programFor, savedProxy, waits } from './pod-programs.ts';
import { machineRootfs } from './rootfs.ts';
import type { BuiltNode, Engine, NodeRuntime } from './types.ts';
import { defaultRoutes, machineMac, nodeBits } from './world.ts';

export function addNode(engine: Engine, spec: NodeSpec): NodeRuntime {
  const node = { engine, spec, built: null, proxy: null } as unknown as NodeRuntime;
  node.kernel = () => built(node).kernel;
  node.wire = () => wire(node);
  node.rootfs = () => built(node).rootfs;
  node.look = () => wakeNode(node);
  node.changedFiles = folder => changedFiles(node, node.built, folder);
  node.apiServer = apiUrl(engine.config, spec);
  node.log = entry => kubeletLog(node, entry);
  node.host = copyOf(engine.saved.get(`host:${spec.name}`) as HostState | undefined) ?? newHost(bornMs(node));
  const saved = (engine.saved.get(`kubelet:${spec.name}`) as KubeletState | undefined) ?? null;
  node.kubelet = startKubelet(engine.server, spec.name, {
    kernel: node.kernel,
    node: {
      addresses: spec.ips,
      podCIDRs: spec.podCIDRs,
      osImage: engine.config.osImage,
      ...(spec.role === 'control-plane'
        ? {
            labels: { 'node-role.kubernetes.io/control-plane': '', 'node.kubernetes.io/exclude-from-external-load-balancers': '' },
            taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
          }
        : {}),
    },
    cniAdd: pod => cniAdd(node, pod),
    cniWire: (sandbox, ips) => plumb(node, sandbox, ips),
    cniDel: pod => cniDel(node, pod),
    unwired: () => {
      if (node.built) putOff(node.built.cni.netns, node.wire);
    },
    findImage: imageOf,
    imagePresent: ref => findImage(ref) !== null,
    missingImage: ref => missingPart(ref) ?? 'tag',
    buildRootfs: image => containerRootfs(node, image),
    clusterDNS: dnsAddresses(engine.config),
    clusterDomain: 'cluster.local',
    hostResolvConf: () => resolvConf(engine),
    rootfs: () => built(node).rootfs,
    dnsOf: pod => dnsOf(node, pod),
    apiReachable: () => linkToOthers(node) && !node.host.kubelet?.server,
    unreached: () => unreached(node),
    cniError: () => cniError(node),
    runtimeDownSinceMs: () => (node.host.units.containerd.active ? null : node.host.units.containerd.sinceMs),
    staticPods: () => manifestsOf(node),
    log: node.log,
    programFor: (pod, container) => programFor(node, pod, container),
    // The agent that brings a machine its CNI cannot wait until somebody looks.
    waits: container => (hasCni(node) || !cniOfAgent(repositoryOf(container.image))) && waits(container),
    saved,
  });
  engine.nodes.set(spec.name, node);
  for (const unit of Object.keys(node.host.units)) tryAgain(node, unit);
  return node;
}

function resolvConf(engine: Engine): string {
  const search = engine.config.searchDomains.length ? `search ${engine.config.searchDomains.join(' ')}\n` : '';
  return `${search}nameserver ${engine.config.world.dns.server}\n`;
}

// -- the machine

/** A packet of one machine may go to any other: they are there all together or not at all. */
function built(node: NodeRuntime): BuiltNode {
  if (!node.built) {
    const all = [...node.engine.nodes.values()].filter(n => !n.built);
    // Building one may ask for another.
    for (const n of all) if (!n.built) build(n);
    for (const n of all) restoreMachine(n, n.built as unknown as BuiltNode);
  }
  return node.built as unknown as BuiltNode;
}

/** Its pods have their links and routes; their programs come with their first packet. */
function wire(node: NodeRuntime): void {
  // A kubelet that does not run knows nothing of the pods that an earlier process started.
  for (const pod of node.kubelet.running ? [] : listObjects(node.engine.server, 'pods'))
    if (pod.spec?.nodeName === node.spec.name && pod.status?.phase === 'Running') runtimeOf(node.kubelet, pod);
  wirePods(node.kubelet);
}

function build(node: NodeRuntime): BuiltNode {
  const { engine, spec } = node;
  const kernel = newKernel(engine.server.sim, spec.name, { bootedAtMs: bornMs(node) - 30_000 });
  const ns = kernel.netns.get('')!;
  const eth0 = addLink(ns, { name: engine.config.cni.interface, kind: 'ethernet', mac: machineMac(spec.ips[0]) });
  plug(eth0, engine.world.segment);
  for (const a of spec.ips)
    addAddress(eth0, ip(a), nodeBits(familyOf(ip(a))), { broadcast: broadcastOf(ip(a), nodeBits(familyOf(ip(a)))) ?? undefined });
  const lo = linkByName(ns, 'lo')!;
  for (const a of spec.addresses) addAddress(lo, ip(a), a.includes(':') ? 128 : 32);
  setUp(eth0, true);
  defaultRoutes(kernel, eth0, engine.config, spec.ips);
  for (const [key, value] of NODE_SYSCTLS) setSysctl(ns, key, value);
  const rootfs = machineRootfs(kernel);
  kernel.rootfs = rootfs;
  if (node.host.modules) kernel.modules = node.host.modules;
  place(rootfs, NETNS_DIR, netnsDir(kernel));
  place(rootfs, '/etc/resolv.conf', newFile(resolvConf(engine)));
  beforeLook(rootfs, () => placeHost(node, rootfs));
  beforeLook(rootfs, () => {
    for (const [name, program] of Object.entries(CNI_BIN)) place(rootfs, `/opt/cni/bin/${name}`, { ...newFile('', 0o755), program });
  });
  const cni: CniNode = {
    cluster: engine.cni,
    nodeName: spec.name,
    kernel,
    netns: ns,
    fs: rootfs,
    sandboxes: new Map(),
    sandboxesChanged: new Set(),
  };
  node.built = { kernel, rootfs, cni, awake: false };
  if (hasCni(node)) engine.plugin.setupNode(cni);
  startUnits(node, node.built);
  ns.due.add(() => wake(node));
  return node.built;
}

/** Somebody looks at the node's rules: they are written now, not with the next packet. */
export function wakeNode(node: NodeRuntime): BuiltNode {
  const there = built(node);
  lookAt(there.cni.netns);
  return there;
}

/** What kubeadm's preflight checks ask for, and the kubelet sets (--protect-kernel-defaults=false). */
const NODE_SYSCTLS: [string, string][] = [
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv6.conf.all.forwarding', '1'],
  ['net.bridge.bridge-nf-call-iptables', '1'],
  ['net.bridge.bridge-nf-call-ip6tables', '1'],
];

/**
 * The node's first packet: the agents that wrote its rules are running pods of it. The kubelet's chains came first, kube-proxy's
 * next: it is there before there is a CNI.
 */
function wake(node: NodeRuntime): void {
  const { cni } = node.built as BuiltNode;
  (node.built as BuiltNode).awake = true;
  node.wire();
  if (!node.engine.saved.has(`netns:${node.spec.name}:`)) writeKubeletChains(cni.netns);
  const late = (pod: KubeObject) => (pod.metadata.name.startsWith('kube-proxy-') ? 0 : 1);
  const pods = listObjects(node.engine.server, 'pods').filter(
    pod => pod.spec?.nodeName === node.spec.name && pod.spec.hostNetwork && pod.status?.phase === 'Running',
  );
  for (const pod of pods.sort((a, b) => late(a) - late(b))) adoptPod(node.kubelet, pod);
  // Behind what the agents have put off: the rules must be there again.
  putOff(cni.netns, () => restoreFlows(node, cni.netns));
}

/** Connections and stickiness that earlier commands left. */
function restoreFlows(node: NodeRuntime, ns: Netns): void {
  const flows = node.engine.saved.get(`flows:${node.spec.name}`) as Flows | undefined;
  if (flows) loadFlows(ns, flows);
  const before = savedProxy(node);
  if (flows && before && node.proxy) cleanFlowsSince(node.proxy.proxy, before.snapshot);
}

/**
 * An agent that ends leaves its rules and routes behind: from then on they are what they are, not what could be derived. Called before
 * the kubelet acts on the deletion.
 */
export function freezeOrphans(engine: Engine): void {
  watchBucket(engine.server, 'pods', e => {
    const { object: pod, old } = e;
    const ending =
      e.type === 'DELETED' ? !pod.metadata.deletionTimestamp : pod.metadata.deletionTimestamp && !old?.metadata.deletionTimestamp;
    const node = engine.nodes.get(pod.spec?.nodeName);
    if (!ending || !node || !pod.spec.hostNetwork || !pod.spec.containers.some((c: any) => isAgent(c.image))) return;
    const ns = wakeNode(node).kernel.netns.get('')!;
    for (const part of ['netfilter', 'ipset', 'routes'] as const) ns.dirty.add(part);
  });
}

const isAgent = (image: string) => /(^|\/)(kube-proxy|calico\/node|kindnetd|flannel)([:@]|$)/.test(image);

/** Tables that a user's commands changed are not derived again: they are as they were left. */
function restoreChanged(node: NodeRuntime, ns: Netns): void {
  const saved = node.engine.saved.get(`netns:${node.spec.name}:${ns.name}`) as Parameters<typeof restoreNetns>[1] | undefined;
  // A pod that has come back under its name has another sandbox: what was done in the old one is gone with it.
  if (saved && (saved.file === undefined || saved.file === ns.file)) restoreNetns(ns, saved);
}

// -- CNI

function cniAdd(node: NodeRuntime, pod: { namespace: string; name: string; wantedIPs: string[] }): { ips: string[] } | { error: string } {
  const { engine } = node;
  const { namespace, name, wantedIPs } = pod;
  const reserved = reservedAddresses(node);
  const ips = engine.plugin.allocate(engine.cni, { namespace, name, nodeName: node.spec.name, wanted: wantedIPs, reserved });
  if ('error' in ips) return ips;
  sandboxesChanged(node);
  return { ips };
}

/** host-local takes a file's name for a reservation, whoever wrote it (a pod that is long gone, a hand). */
function reservedAddresses(node: NodeRuntime): Set<string> {
  const files = [...node.changedFiles(RESERVATIONS)].filter(([, text]) => text !== null);
  return new Set(files.map(([path]) => path.slice(path.lastIndexOf('/') + 1).replaceAll('_', ':')));
}

function plumb(node: NodeRuntime, sandbox: PodSandbox, ips: string[]): void {
  const { cni } = built(node);
  const error = node.engine.plugin.plumb(cni, {
    id: sandbox.id,
    namespace: sandbox.namespace,
    name: sandbox.name,
    netns: sandbox.netns,
    ips,
    portMappings: sandbox.portMappings.map(m => ({
      ...m,
      protocol: m.protocol.toLowerCase() as 'tcp' | 'udp' | 'sctp',
      hostIP: m.hostIP || undefined,
    })),
  });
  if (error) return;
  rewire(sandbox.netns, sandbox.pod);
  restoreChanged(node, sandbox.netns);
}

function cniDel(node: NodeRuntime, pod: { namespace: string; name: string }): void {
  const { engine } = node;
  const plumbed = node.built?.cni.sandboxes.get(`${pod.namespace}/${pod.name}`);
  if (plumbed && node.built) engine.plugin.unplumb(node.built.cni, plumbed);
  engine.plugin.release(engine.cni, pod);
  sandboxesChanged(node);
}

/** The policy agent programs a pod's own chains before its first packet. */
function sandboxesChanged(node: NodeRuntime): void {
  for (const tell of [...(node.built?.cni.sandboxesChanged ?? [])]) tell();
}

/** containerd loads its network from the first file there that is one (each CNI brings just one); without any it is not ready. */
function cniError(node: NodeRuntime): string | null {
  if (!hasCni(node)) return NO_CNI;
  const changed = [...node.changedFiles('/etc/cni/net.d')].filter(([path]) => /\.(conf|conflist|json)$/.test(path));
  const removed = changed.some(([, text]) => text === null);
  return removed && !changed.some(([, text]) => text !== null) ? NO_CNI : null;
}

/** When the machine became a node. */
const bornMs = (node: NodeRuntime): number =>
  parseRfc3339(getObject(node.engine.server, 'nodes', '', node.spec.name)?.metadata.creationTimestamp ?? '') ??
  node.engine.server.sim.nowMs;

const copyOf = <T>(v: T | undefined): T | undefined => (v === undefined ? undefined : JSON.parse(JSON.stringify(v)));

const NO_CNI =
  'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized';

function linkToOthers(node: NodeRuntime): boolean {
  // A machine that is not there is as it was made, unless a command had changed it.
  if (!node.built && !node.engine.saved.has(`netns:${node.spec.name}:`)) return true;
  const eth0 = linkByName(built(node).kernel.netns.get('')!, node.engine.config.cni.interface);
  return !!eth0?.up;
}

// -- what a session keeps

const NO_FLOWS: Flows = { entries: [], nextId: 1, enabled: true, recent: [], elements: [] };

export function saveNode(node: NodeRuntime): Map<string, unknown> {
  const out = new Map<string, unknown>();
  out.set(`kubelet:${node.spec.name}`, snapshotKubelet(node.kubelet));
  const machine = node.built?.kernel.netns.get('');
  const flowsKey = `flows:${node.spec.name}`;
  if (machine && node.built?.awake) {
    const flows = saveFlows(machine);
    if (flows || node.engine.saved.has(flowsKey)) out.set(flowsKey, flows ?? NO_FLOWS);
    // The nftables mode leaves emptied chains behind for a while.
    if ((flows || node.proxy?.proxy.config.mode === 'nftables') && node.proxy)
      out.set(`kube-proxy:${node.spec.name}`, keptProxy(node.proxy));
  }
  for (const ns of node.built?.kernel.netns.values() ?? []) {
    const key = `netns:${node.spec.name}:${ns.name}`;
    if (!ns.dirty.size && !node.engine.saved.has(key)) continue;
    lookAt(ns);
    out.set(key, snapshotNetns(ns));
    if (!ns.name) out.set(`revision:${node.spec.name}`, node.engine.server.store.revision);
    if (!ns.name && node.proxy) out.set(`kube-proxy:${node.spec.name}`, keptProxy(node.proxy));
  }
  const { host } = node;
  if (hostHasHistory(host)) out.set(`host:${node.spec.name}`, host);
  if (node.built) keepMachine(node, node.built, out);
  return out;
}
