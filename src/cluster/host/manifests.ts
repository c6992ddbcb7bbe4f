// /etc/kubernetes/manifests: what the kubelet makes static pods of. kubeadm's own stand there from the start.
import type { KubeObject } from '../../apiserver/types.ts';
import { ensureDir, type Filesystem, newFile, place } from '../../linux/vfs.ts';
import { staticPods } from '../static-pods.ts';
import type { NodeRuntime } from '../types.ts';
import { readManifest, writeManifest } from './manifest-text.ts';

const FOLDER = '/etc/kubernetes/manifests';

export function placeManifests(node: NodeRuntime, fs: Filesystem): void {
  ensureDir(fs, FOLDER);
  for (const pod of staticPods(node.engine.config, node.spec.name)) {
    place(fs, `${FOLDER}/${pod.metadata.name}.yaml`, newFile(writeManifest({ ...pod, status: {} }), 0o600));
  }
}

const NONE: KubeObject[] = [];
const known = new WeakMap<NodeRuntime, { text: string; pods: KubeObject[] }>();

/** The static pods of now. The same array as long as the files are the same. */
export function manifestsOf(node: NodeRuntime): KubeObject[] {
  const folder = node.host.kubelet?.staticPodPath ?? FOLDER;
  if (!folder) return NONE;
  const changed = node.changedFiles(folder);
  const text = JSON.stringify([folder, ...changed]);
  const before = known.get(node);
  if (before?.text === text) return before.pods;
  const kubeadms = folder === FOLDER ? staticPods(node.engine.config, node.spec.name) : [];
  const own = new Map(kubeadms.map(p => [`${FOLDER}/${p.metadata.name}.yaml`, p]));
  const pods: KubeObject[] = [];
  for (const path of [...new Set([...own.keys(), ...changed.keys()])].sort()) {
    const data = changed.get(path);
    const kubeadm = own.get(path);
    // Names that begin with a dot are passed over (config/file.go extractFromDir).
    if (data === undefined && kubeadm) pods.push(kubeadm);
    else if (data && !path.slice(folder.length + 1).startsWith('.')) pods.push(...parse(node, path, data));
  }
  known.set(node, { text, pods });
  return pods;
}

function parse(node: NodeRuntime, path: string, text: string): KubeObject[] {
  try {
    const pod = readManifest(text) as KubeObject | null;
    if (pod?.kind === 'Pod' && pod.metadata?.name && pod.spec) return [pod];
  } catch {
    // Told below.
  }
  node.log({
    level: 'E',
    source: 'file.go:187',
    text: `"Could not process manifest file" err="${path}: couldn't parse as pod(yaml: not a Pod), please check config file" path="${path}"`,
  });
  return [];
}
