// Volumes as directories hung into containers (pkg/volume, pkg/kubelet/volumemanager v1.36).
import { managersOf } from '../apiserver/managed/kept.ts';
import { resourceInfo } from '../apiserver/resources.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import {
  absolute,
  type DirNode,
  ensureDir,
  type FileNode,
  type Filesystem,
  type FsNode,
  lookup,
  newDir,
  newFile,
  nodeElsewhere,
} from '../linux/vfs.ts';
import { base64, stringToBytes, unbase64 } from '../sim/bytes.ts';
import { civilTime, parseRfc3339 } from '../sim/time.ts';
import { fieldValue, resourceValue } from './env.ts';
import type { Kubelet, PodRuntime } from './types.ts';

type Files = Map<string, { data: Uint8Array; mode: number }>;

/** Why a volume cannot be set up, as it stands behind `MountVolume.SetUp failed for volume "NAME" : `. */
export interface MountError {
  error: string;
}

const isError = (x: object): x is MountError => 'error' in x;

/** Make (or refresh) one volume. */
export function setUpVolume(k: Kubelet, pod: KubeObject, rt: PodRuntime, volume: any): FsNode | MountError {
  if (volume.emptyDir) return rt.volumes.get(volume.name) ?? newDir(0o777, k.server.sim.nowMs);
  if (volume.hostPath) return hostPath(k, volume.hostPath);
  if (volume.persistentVolumeClaim || volume.ephemeral) return claimed(k, pod, volume);
  const files = filesOf(k, pod, rt, volume);
  if (!files) return rt.volumes.get(volume.name) ?? newDir(0o777, k.server.sim.nowMs);
  if (isError(files)) return files;
  const old = rt.volumes.get(volume.name);
  const dir = old?.kind === 'dir' ? old : newDir(0o777, k.server.sim.nowMs);
  writePayload(k, dir, files);
  return dir;
}

/** How long a change of a ConfigMap or Secret takes into a mounted volume: the kubelet's next sync of the pod. */
export const SYNC_MS = 45_000;

/** When the last change of what a volume is made of was in it; Infinity: nobody has written that down. */
export function changeSeenMs(k: Kubelet, pod: KubeObject, volume: any): number {
  const sources = volume.projected?.sources ?? [volume];
  const times = sources.flatMap((s: any) => {
    const name = s.configMap?.name ?? s.secret?.secretName ?? s.secret?.name;
    const info = resourceInfo(k.server, '', 'v1', s.configMap ? 'configmaps' : 'secrets');
    const object = name && info && getObject(k.server, info.resource, pod.metadata.namespace, name);
    return object ? managersOf(k.server, info, object).map(m => parseRfc3339(m.time ?? '') ?? 0) : [];
  });
  return times.length ? Math.max(...times) + SYNC_MS : Number.POSITIVE_INFINITY;
}

/** Does its content follow API objects? */
export const isProjection = (v: any): boolean => !!(v.configMap || v.secret || v.projected || v.downwardAPI);

function filesOf(k: Kubelet, pod: KubeObject, rt: PodRuntime, v: any): Files | MountError | null {
  if (v.configMap) return fromSource(k, pod, 'configmap', v.configMap, v.configMap.defaultMode ?? 0o644);
  if (v.secret) return fromSource(k, pod, 'secret', { ...v.secret, name: v.secret.secretName }, v.secret.defaultMode ?? 0o644);
  if (v.downwardAPI) return downward(k, pod, rt, v.downwardAPI.items ?? [], v.downwardAPI.defaultMode ?? 0o644);
  if (!v.projected) return null;
  const all: Files = new Map();
  const mode = v.projected.defaultMode ?? 0o644;
  for (const s of v.projected.sources ?? []) {
    let part: Files | MountError = new Map();
    if (s.configMap) part = fromSource(k, pod, 'configmap', s.configMap, mode);
    else if (s.secret) part = fromSource(k, pod, 'secret', s.secret, mode);
    else if (s.downwardAPI) part = downward(k, pod, rt, s.downwardAPI.items ?? [], mode);
    else if (s.serviceAccountToken) part.set(s.serviceAccountToken.path, { data: stringToBytes(token(k, pod)), mode: 0o600 });
    if (isError(part)) return part;
    for (const [path, file] of part) all.set(path, file);
  }
  return all;
}

function token(k: Kubelet, pod: KubeObject): string {
  const account = pod.spec.serviceAccountName ?? 'default';
  const namespace = pod.metadata.namespace as string;
  const made = k.deps.serviceAccountToken?.(namespace, account, pod);
  if (made) return made;
  // The shape of a bound token; nothing in the simulation signs or checks it.
  const part = (o: unknown) =>
    base64(stringToBytes(JSON.stringify(o)))
      .replace(/=+$/, '')
      .replace(/\+/g, '-')
      .replace(/\//g, '_');
  const claims = { iss: 'https://kubernetes.default.svc.cluster.local', sub: `system:serviceaccount:${namespace}:${account}` };
  return `${part({ alg: 'RS256', kid: 'podnet' })}.${part(claims)}.${part(pod.metadata.uid)}`;
}

function fromSource(k: Kubelet, pod: KubeObject, kind: 'configmap' | 'secret', source: any, mode: number): Files | MountError {
  const object = getObject(k.server, `${kind}s`, pod.metadata.namespace, source.name);
  if (!object) return source.optional ? new Map() : { error: `${kind} "${source.name}" not found` };
  const content = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(object.data ?? {})) {
    content.set(key, kind === 'secret' ? (unbase64(value as string) ?? new Uint8Array(0)) : stringToBytes(value as string));
  }
  for (const [key, value] of Object.entries(object.binaryData ?? {})) content.set(key, unbase64(value as string) ?? new Uint8Array(0));
  const out: Files = new Map();
  if (!source.items?.length) {
    for (const [key, data] of content) out.set(key, { data, mode });
    return out;
  }
  for (const item of source.items) {
    const data = content.get(item.key);
    if (data) out.set(item.path, { data, mode: item.mode ?? mode });
    else if (!source.optional)
      return {
        error:
          kind === 'secret'
            ? `references non-existent secret key: ${item.key}`
            : `configmap references non-existent config key: ${item.key}`,
      };
  }
  return out;
}

function downward(k: Kubelet, pod: KubeObject, rt: PodRuntime, items: any[], mode: number): Files {
  const out: Files = new Map();
  for (const i of items) {
    const text = i.fieldRef
      ? (fieldValue(k, pod, rt, i.fieldRef.fieldPath) ?? '')
      : i.resourceFieldRef
        ? resourceValue(k, pod, i.resourceFieldRef, '')
        : '';
    out.set(i.path, { data: stringToBytes(text), mode: i.mode ?? mode });
  }
  return out;
}

const pad = (n: number) => String(n).padStart(2, '0');

/** pkg/volume/util/atomic_writer.go: a directory of the moment, `..data` pointing to it, a link for each name. */
function writePayload(k: Kubelet, dir: DirNode, files: Files): void {
  const old = dir.entries.get('..data');
  if (old?.kind === 'symlink') {
    const was = dir.entries.get(old.target);
    if (was?.kind === 'dir' && sameFiles(was, files)) return;
  }
  const now = k.server.sim.nowMs;
  const t = civilTime(now);
  const name = `..${t.year}_${pad(t.month)}_${pad(t.day)}_${pad(t.hour)}_${pad(t.minute)}_${pad(t.second)}.${1_000_000_000 + ((k.server.store.revision * 7919) % 3_000_000_000)}`;
  const stamp = newDir(0o755, now);
  for (const [path, file] of files) putFile(stamp, path, file, now);
  dir.entries.clear();
  dir.entries.set(name, stamp);
  dir.entries.set('..data', { kind: 'symlink', target: name, mtimeMs: now });
  for (const path of files.keys()) {
    const first = path.split('/')[0];
    dir.entries.set(first, { kind: 'symlink', target: `..data/${first}`, mtimeMs: now });
  }
  dir.readOnly = true;
}

function putFile(dir: DirNode, path: string, file: { data: Uint8Array; mode: number }, now: number): void {
  const parts = path.split('/').filter(Boolean);
  let at = dir;
  for (const p of parts.slice(0, -1)) {
    const next = at.entries.get(p);
    if (next?.kind === 'dir') at = next;
    else {
      const made = newDir(0o755, now);
      at.entries.set(p, made);
      at = made;
    }
  }
  at.entries.set(parts.at(-1) ?? path, { ...newFile(file.data, file.mode, now), readOnly: true });
}

function sameFiles(dir: DirNode, files: Files): boolean {
  let n = 0;
  const count = (d: DirNode): void => {
    for (const e of d.entries.values())
      if (e.kind === 'dir') count(e);
      else n++;
  };
  count(dir);
  if (n !== files.size) return false;
  for (const [path, file] of files) {
    const node = lookup({ root: dir, changed: new Set() }, `/${path}`);
    if (typeof node === 'string' || node.kind !== 'file' || typeof node.data === 'function' || !sameBytes(node.data, file.data))
      return false;
  }
  return true;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

function hostPath(k: Kubelet, h: { path: string; type?: string }): FsNode | MountError {
  const fs = k.deps.rootfs?.();
  if (!fs) return newDir();
  const node = lookup(fs, h.path);
  const type = h.type ?? '';
  if (typeof node === 'string') {
    if (type === 'DirectoryOrCreate' || type === '') return ensureDir(fs, h.path);
    if (type === 'FileOrCreate') {
      const at = h.path.lastIndexOf('/');
      const file = newFile('');
      ensureDir(fs, h.path.slice(0, at) || '/').entries.set(h.path.slice(at + 1), file);
      return file;
    }
    if (type === 'Socket' || type === 'CharDevice' || type === 'BlockDevice') return newFile('');
    return { error: `hostPath type check failed: ${h.path} is not a ${type === 'File' ? 'file' : 'directory'}` };
  }
  if (type.startsWith('Directory') && node.kind !== 'dir') return { error: `hostPath type check failed: ${h.path} is not a directory` };
  if (type.startsWith('File') && node.kind !== 'file') return { error: `hostPath type check failed: ${h.path} is not a file` };
  return node;
}

function claimed(k: Kubelet, pod: KubeObject, v: any): FsNode | MountError {
  const name = v.persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${v.name}`;
  const claim = getObject(k.server, 'persistentvolumeclaims', pod.metadata.namespace, name);
  if (!claim?.spec.volumeName) return { error: `persistentvolumeclaim "${name}" not found` };
  const pv = getObject(k.server, 'persistentvolumes', '', claim.spec.volumeName);
  if (pv?.spec.hostPath) return hostPath(k, { type: 'DirectoryOrCreate', path: pv.spec.hostPath.path });
  if (pv?.spec.local) return hostPath(k, { type: 'DirectoryOrCreate', path: pv.spec.local.path });
  let disk = k.disks.get(claim.spec.volumeName);
  if (!disk) k.disks.set(claim.spec.volumeName, (disk = newDir(0o777)));
  return disk;
}

/** The files of a projected volume, by path. */
export function payloadOf(node: FsNode | undefined): Map<string, FileNode> {
  const out = new Map<string, FileNode>();
  const walk = (dir: DirNode, prefix: string): void => {
    for (const [name, e] of dir.entries) {
      if (e.kind === 'dir') walk(e, `${prefix}${name}/`);
      else if (e.kind === 'file') out.set(prefix + name, e);
    }
  };
  const link = node?.kind === 'dir' ? node.entries.get('..data') : undefined;
  const stamp = node?.kind === 'dir' && link?.kind === 'symlink' ? node.entries.get(link.target) : undefined;
  if (stamp?.kind === 'dir') walk(stamp, '');
  return out;
}

/** Hang a volume into a container. -> an error for CreateContainerConfigError */
export function mountVolume(fs: Filesystem, node: FsNode, mount: any, subPath: string): string | null {
  let source = node;
  if (subPath) {
    for (const part of absolute(subPath, '/').split('/').filter(Boolean)) {
      if (source.kind !== 'dir') return `failed to prepare subPath for volumeMount "${mount.name}" of container`;
      let next: FsNode | undefined = source.entries.get(part);
      if (next?.kind === 'symlink') {
        const found = lookup({ root: source, changed: new Set() }, `/${part}`);
        next = typeof found === 'string' ? undefined : found;
      }
      if (!next) source.entries.set(part, (next = newDir()));
      source = next;
    }
  }
  // The entries are shared with the volume; only this view of them is read-only.
  const mounted = source;
  const readOnly = mount.readOnly === true;
  place(fs, mount.mountPath, readOnly || fs.readOnly ? nodeElsewhere(() => mounted, { readOnly }) : mounted);
  return null;
}

/** As vfs.place, but through the image's symlinks (/var/run -> /run). */
export function place(fs: Filesystem, path: string, node: FsNode): void {
  for (let links = 0; links < 20; links++) {
    const there = lookup(fs, path, null, false);
    if (typeof there === 'string' || there.kind !== 'symlink') break;
    path = absolute(there.target, absolute(path).replace(/[^/]*$/, ''));
  }
  const parts = absolute(path).split('/').filter(Boolean);
  let dir: DirNode = fs.root;
  let at = '';
  for (const part of parts.slice(0, -1)) {
    at += `/${part}`;
    const found = lookup(fs, at);
    if (typeof found !== 'string' && found.kind === 'dir') {
      dir = found;
      continue;
    }
    const made = newDir();
    dir.entries.set(part, made);
    dir = made;
  }
  dir.entries.set(parts.at(-1) as string, node);
}
