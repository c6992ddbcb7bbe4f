// What the containers of a node's pods run: images, and the components that no image's entrypoint expresses.
import { addonProgram, repositoryOf } from '../addons/programs.ts';
import { listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { corednsProgram } from '../coredns/program.ts';
import { kubeProxyProgram } from '../kube-proxy/program.ts';
import { type KubeProxySnapshot, snapshotKubeProxy } from '../kube-proxy/proxy.ts';
import type { ImageConfig } from '../kubelet/types.ts';
import type { Program } from '../linux/types.ts';
import { beforeLook, type Filesystem, newFile, place } from '../linux/vfs.ts';
import { buildRootfs, findImage, type Image, missingPart, unknownImage } from '../userland/images.ts';
import { unknownServer } from '../userland/servers/unknown.ts';
import { kubeProxyConfig } from './bootstrap.ts';
import { etcdctl } from './host/etcdctl.ts';
import { agentProgram } from './programs.ts';
import type { NodeRuntime } from './types.ts';

const images = new Map<string, Image | null>();

export function imageOf(ref: string): ImageConfig | null {
  let image = images.get(ref);
  if (image === undefined) {
    image = findImage(ref) ?? (missingPart(ref) === null ? unknownImage(ref, [], unknownServer) : null);
    images.set(ref, image);
  }
  return image as ImageConfig | null;
}

export function containerRootfs(node: NodeRuntime, config: ImageConfig): Filesystem {
  const image = config as unknown as Image;
  const fs = buildRootfs(image);
  if (/\/etcd:/.test(image.name))
    beforeLook(fs, () => place(fs, '/usr/local/bin/etcdctl', { ...newFile('', 0o755), program: etcdctl(() => node.engine) }));
  return fs;
}

/** The program of a container that does nothing until somebody comes, as programFor or its image say. */
export function waits(container: any): boolean {
  if (container.command || container.args) return false;
  const image = findImage(container.image);
  return image ? image.waits : true;
}

/** What no image's entrypoint expresses: components that talk to the API, and images that the table does not know. */
export function programFor(node: NodeRuntime, pod: KubeObject, container: any): Program | null {
  const { engine } = node;
  const image: string = container.image;
  const repository = repositoryOf(image);
  if (/(^|\/)kube-proxy$/.test(repository)) return proxyOf(node, pod.metadata.uid ?? '');
  if (/(^|\/)coredns$/.test(repository)) return corednsProgram(engine.server);
  const running = pod.status?.containerStatuses?.some((c: any) => c.name === container.name && c.state?.running) ?? false;
  const addon = addonProgram(
    { server: engine.server, pod, settled: running && engine.settled && !engine.server.store.changes.length },
    image,
  );
  if (addon) return addon;
  const adopt = running && wasSynced(node, POLICY_BUCKETS);
  const again = running && !adopt && !engine.saved.has(`netns:${node.spec.name}:`);
  // Init containers of an agent's image copy its files: they run what they say.
  const init = (pod.spec.initContainers ?? []).some((c: { name: string }) => c.name === container.name);
  const agent = init ? null : agentProgram(node, repository, pod, container, { adopt, again, goesOn: running });
  if (agent) return agent;
  if (findImage(image) || container.command) return null;
  return unknownServer((container.ports ?? []).filter((p: any) => (p.protocol ?? 'TCP') === 'TCP').map((p: any) => p.containerPort));
}

interface SavedProxy {
  pod: string;
  snapshot: KubeProxySnapshot;
}

export const savedProxy = (node: NodeRuntime) => node.engine.saved.get(`kube-proxy:${node.spec.name}`) as SavedProxy | undefined;
export const keptProxy = (p: NonNullable<NodeRuntime['proxy']>): SavedProxy => ({ pod: p.pod, snapshot: snapshotKubeProxy(p.proxy) });

/** A kube-proxy that an earlier process ran goes on where that one was; any other starts. */
function proxyOf(node: NodeRuntime, pod: string): Program {
  const { engine, spec } = node;
  const saved = savedProxy(node);
  const before = !node.proxy && saved?.pod === pod ? saved.snapshot : undefined;
  return kubeProxyProgram(engine.server, spec.name, {
    kubeadm: kubeProxyConfig(engine.config),
    before,
    adopt: engine.saved.has(`netns:${spec.name}:`) ? before : undefined,
    onStart: proxy => {
      node.proxy = { pod, proxy };
    },
  });
}

const POLICY_BUCKETS = ['pods', 'namespaces', 'networkpolicies.networking.k8s.io'];

/** The node's tables come from the session as a user left them, and its agents were in step with the API when they were kept. */
function wasSynced(node: NodeRuntime, buckets: string[]): boolean {
  const { saved, server } = node.engine;
  if (!saved.has(`netns:${node.spec.name}:`)) return false;
  const kept = (saved.get(`revision:${node.spec.name}`) as number | undefined) ?? 0;
  return !buckets.some(b => listObjects(server, b).some(o => Number(o.metadata.resourceVersion) > kept));
}
