// What containerd has on a machine, for its clients: sandboxes, containers, images; and the tables that they print.
import { getObject } from '../../apiserver/store.ts';
import type { ContainerRuntime, PodRuntime } from '../../kubelet/types.ts';
import type { NodeRuntime } from '../types.ts';
import { type FoundContainer, type FoundPod, startedMs } from './crictl-inspect.ts';

/** containerd's own number of a sandbox; a pod of a session that nobody has woken keeps the one it had. */
const sandboxIdOf = (node: NodeRuntime, rt: PodRuntime): string =>
  rt.sandbox?.id || node.kubelet.saved?.pods[rt.uid]?.sandboxId || rt.uid.replace(/-/g, '').padEnd(64, '0');

export function pods(node: NodeRuntime): FoundPod[] {
  const out: FoundPod[] = [];
  for (const rt of node.kubelet.pods.values()) {
    const at = rt.key.indexOf('/');
    const pod = getObject(node.engine.server, 'pods', rt.key.slice(0, at), rt.key.slice(at + 1));
    if (pod?.metadata.uid === rt.uid && (rt.sandboxReady || [...rt.containers.values()].some(c => c.id)))
      out.push({ rt, pod, sandboxId: sandboxIdOf(node, rt) });
  }
  return out.sort((a, b) => b.rt.startTimeMs - a.rt.startTimeMs || (a.rt.key < b.rt.key ? -1 : 1));
}

/** text/tabwriter with a least width of 20 and 3 blanks between. */
export function table(rows: string[][]): string {
  const widths = rows[0].map((_, i) => Math.max(20, ...rows.map(r => r[i].length + 3)));
  return rows.map(r => `${r.map((cell, i) => (i === r.length - 1 ? cell : cell.padEnd(widths[i]))).join('')}\n`).join('');
}

export const short = (id: string) => id.slice(0, 13);
export const digestOf = (c: ContainerRuntime) => c.imageRef.replace(/^.*@sha256:/, '');
export function containers(node: NodeRuntime): FoundContainer[] {
  return pods(node)
    .flatMap(f => [...f.rt.containers.values()].filter(c => c.id).map(c => ({ ...f, c })))
    .sort((a, b) => startedMs(b.c) - startedMs(a.c));
}

/** go-units HumanSizeWithPrecision(size, 3). */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let [n, i] = [bytes, 0];
  for (; n >= 1000 && i < 3; i++) n /= 1000;
  return `${Number(n.toPrecision(3))}${units[i]}`;
}

export interface FoundImage {
  /** Without the tag. */
  repository: string;
  tag: string;
  /** Hexadecimal. */
  digest: string;
  bytes: number;
}

/** The images of the machine's containers, by name. */
export function imagesOf(node: NodeRuntime): FoundImage[] {
  const found = new Map<string, FoundImage>();
  for (const f of containers(node)) {
    const spec = [...(f.pod.spec.containers ?? []), ...(f.pod.spec.initContainers ?? [])].find((s: any) => s.name === f.c.name);
    const [repository] = f.c.imageRef.split('@');
    const tag = /:([^/:@]+)$/.exec(spec?.image ?? '')?.[1] ?? 'latest';
    const bytes = node.kubelet.deps.findImage(spec?.image ?? '')?.sizeBytes ?? 0;
    found.set(`${repository}:${tag}`, { repository, tag, digest: digestOf(f.c), bytes });
  }
  return [...found.entries()].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, r]) => r);
}
