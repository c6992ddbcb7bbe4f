// What a user made on a node beside its tables: network namespaces of its own (`ip netns add`) and files.
import { newNetns } from '../linux/kernel.ts';
import { restoreNetns, snapshotNetns } from '../linux/snapshot.ts';
import { ensureDir, type Filesystem, lookup, makeDir, readFile, remove, writeFile } from '../linux/vfs.ts';
import { base64, bytesToString, unbase64 } from '../sim/bytes.ts';
import type { BuiltNode, NodeRuntime } from './types.ts';

/** Path -> contents; `dir`: a directory; null: it was removed. */
type Files = Record<string, { data: string } | 'dir' | null>;

/** Pods' namespaces are called `namespace/pod`; the machine's own has no name. */
const isUsers = (name: string): boolean => name !== '' && !name.includes('/');

export function restoreMachine(node: NodeRuntime, built: BuiltNode): void {
  const { saved } = node.engine;
  const { name } = node.spec;
  const names = (saved.get(`namespaces:${name}`) as string[] | undefined) ?? [];
  // All of them before any of them: whichever is restored last joins the two ends of a veth.
  for (const ns of names) if (!built.kernel.netns.has(ns)) newNetns(built.kernel, ns);
  for (const ns of ['', ...names]) {
    const kept = saved.get(`netns:${name}:${ns}`);
    if (kept) restoreNetns(built.kernel.netns.get(ns)!, kept as Parameters<typeof restoreNetns>[1]);
  }
  restoreFiles(built.rootfs, (saved.get(`files:${name}`) as Files | undefined) ?? {});
}

function restoreFiles(fs: Filesystem, files: Files): void {
  // Parents sort before what is in them; what was removed goes the other way round.
  for (const path of Object.keys(files)) {
    const f = files[path];
    if (!f) continue;
    ensureDir(fs, path.slice(0, path.lastIndexOf('/')));
    if (f === 'dir') makeDir(fs, path);
    else writeFile(fs, path, unbase64(f.data) ?? new Uint8Array(0));
  }
  for (const path of Object.keys(files).reverse()) if (files[path] === null) remove(fs, path);
}

/** What users changed of a folder's files: text by path, null where one is gone. */
export function changedFiles(node: NodeRuntime, built: BuiltNode | null, folder: string): Map<string, string | null> {
  const saved = (node.engine.saved.get(`files:${node.spec.name}`) as Files | undefined) ?? {};
  const out = new Map<string, string | null>();
  const inside = (path: string) => path.startsWith(`${folder}/`);
  if (!built) {
    for (const [path, f] of Object.entries(saved)) {
      if (inside(path) && f !== 'dir') out.set(path, f && bytesToString(unbase64(f.data) ?? new Uint8Array(0)));
    }
    return out;
  }
  // What an earlier command changed is among what was changed since the machine was built: restoring it counts.
  for (const path of [...built.rootfs.changed].filter(inside).sort()) {
    const data = readFile(built.rootfs, path);
    if (data !== 'EISDIR') out.set(path, typeof data === 'string' ? null : bytesToString(data));
  }
  return out;
}

export function keepMachine(node: NodeRuntime, built: BuiltNode, out: Map<string, unknown>): void {
  const { saved } = node.engine;
  const { name } = node.spec;
  const names = [...built.kernel.netns.keys()].filter(isUsers);
  if (names.length || saved.has(`namespaces:${name}`)) out.set(`namespaces:${name}`, names);
  for (const ns of names) out.set(`netns:${name}:${ns}`, snapshotNetns(built.kernel.netns.get(ns)!));
  if (!built.rootfs.changed.size) return;
  const files: Files = {};
  for (const path of [...built.rootfs.changed].sort()) {
    if (/^\/(proc|sys|dev)(\/|$)/.test(path)) continue;
    const at = lookup(built.rootfs, path, null, false);
    if (typeof at === 'string') files[path] = null;
    else if (at.kind === 'dir') files[path] = 'dir';
    else {
      const data = readFile(built.rootfs, path);
      if (typeof data !== 'string') files[path] = { data: base64(data) };
    }
  }
  out.set(`files:${name}`, files);
}
