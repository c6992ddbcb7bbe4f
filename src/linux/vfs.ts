import { stringToBytes } from '../sim/bytes.ts';
import type { Errno, Process, Program } from './types.ts';

/** Files of one container or machine, in memory. A mounted volume is one directory node hung into several trees. */
export interface Filesystem {
  readonly root: DirNode;
  /** Mounted read-only (securityContext.readOnlyRootFilesystem): what is mounted into it says itself whether it is. */
  readOnly?: boolean;
  /** The PID namespace of its processes (pids.ts); none: one of its own. */
  pidNamespace?: object;
  /** Absolute paths that programs changed since the start: what a session has to keep. */
  changed: Set<string>;
  /** What is put in when somebody first looks; none: somebody has. */
  later?: (() => void)[];
}

export interface DirNode {
  kind: 'dir';
  entries: Map<string, FsNode>;
  mode: number;
  uid: number;
  mtimeMs: number;
  readOnly?: boolean;
  /** Listed when asked (/proc, /sys): overrides `entries`. */
  dynamic?: (p: Process | null) => Map<string, FsNode>;
}

export interface FileNode {
  kind: 'file';
  /** Bytes, or what makes them when read (/proc files, projected volumes). */
  data: Uint8Array | ((p: Process | null) => Uint8Array);
  mode: number;
  uid: number;
  mtimeMs: number;
  /** Executables: what runs. A file without it that starts with #! is a script. */
  program?: Program;
  /** sysctl files and the like: what writing does. */
  onWrite?: (data: Uint8Array, p: Process | null) => Errno | null;
  readOnly?: boolean;
}

export interface SymlinkNode {
  kind: 'symlink';
  target: string;
  mtimeMs: number;
  /** A link of /proc (/proc/PID/root, cwd): where it leads whatever its text says, or why it does not. */
  leads?: { fs: Filesystem; path: string } | Errno;
}

export type FsNode = DirNode | FileNode | SymlinkNode;

export const newDir = (mode = 0o755, mtimeMs = 0): DirNode => ({ kind: 'dir', entries: new Map(), mode, uid: 0, mtimeMs });

export const newFile = (data: Uint8Array | string | ((p: Process | null) => Uint8Array), mode = 0o644, mtimeMs = 0): FileNode => ({
  kind: 'file',
  data: typeof data === 'string' ? stringToBytes(data) : data,
  mode,
  uid: 0,
  mtimeMs,
});

export const newFilesystem = (): Filesystem => ({ root: newDir(), changed: new Set() });

/** A file system that `make` fills when somebody first looks into it: most machines and containers nobody ever looks into. */
export function lazyFilesystem(make: () => DirNode): Filesystem {
  let root: DirNode | undefined;
  const fs: Filesystem = {
    changed: new Set(),
    later: [],
    get root() {
      if (!root) {
        root = make();
        const todo = fs.later ?? [];
        fs.later = undefined;
        for (const put of todo) put();
      }
      return root;
    },
  };
  return fs;
}

/** A node of another file system that is looked for when somebody gets there; `view` is what is different of it here. */
export function nodeElsewhere(find: () => FsNode, view: Partial<DirNode> = {}): FsNode {
  let found: FsNode | undefined;
  const node = () => (found ??= find());
  return new Proxy({} as FsNode, {
    get: (_, key) => (key in view ? Reflect.get(view, key) : Reflect.get(node(), key)),
    set: (_, key, value) => Reflect.set(node(), key, value),
    has: (_, key) => key in view || key in node(),
    ownKeys: () => [...new Set([...Reflect.ownKeys(node()), ...Reflect.ownKeys(view)])],
    getOwnPropertyDescriptor: (_, key) => ({ ...Reflect.getOwnPropertyDescriptor(key in view ? view : node(), key), configurable: true }),
  });
}

/** Do something to a file system before anybody looks into it. */
export function beforeLook(fs: Filesystem, act: () => void): void {
  if (fs.later) fs.later.push(act);
  else act();
}

/** `path` against `cwd`, with `.` and `..` resolved. */
export function absolute(path: string, cwd = '/'): string {
  // Nearly every path is as it should be: nothing in it begins with a dot, is empty or is left open at the end.
  if (path[0] === '/' && path.length > 1 && !path.endsWith('/') && !path.includes('/.') && !path.includes('//')) return path;
  const out: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '..') out.pop();
    else if (part && part !== '.') out.push(part);
  }
  return `/${out.join('/')}`;
}

const entriesOf = (d: DirNode, p: Process | null) => (d.dynamic ? d.dynamic(p) : d.entries);

/** What a lookup says of its way's end: how it is mounted, and in which files it lies when a link of /proc led into others. */
interface Mount {
  readOnly?: boolean;
  at?: { fs: Filesystem; path: string };
  /** Whose root an absolute link starts from: the looker's, wherever the link lies (path_resolution(7)). */
  looker?: Filesystem;
}

/** The node at an absolute path. `follow`: resolve a symlink at the end too. */
export function lookup(
  fs: Filesystem,
  path: string,
  p: Process | null = null,
  follow = true,
  depth = 0,
  mount: Mount = {},
): FsNode | Errno {
  if (depth > 20) return 'ELOOP';
  mount.looker ??= fs;
  mount.at = fs === mount.looker ? undefined : { fs, path };
  const whole = absolute(path);
  const parts = whole === '/' ? [] : whole.slice(1).split('/');
  let node: FsNode = fs.root;
  mount.readOnly = node.readOnly ?? fs.readOnly;
  for (let i = 0; i < parts.length; i++) {
    if (node.kind !== 'dir') return 'ENOTDIR';
    const next = entriesOf(node, p).get(parts[i]);
    if (!next) return 'ENOENT';
    if (next.kind === 'symlink' && (follow || i < parts.length - 1)) {
      const rest = parts.slice(i + 1).join('/');
      if (typeof next.leads === 'string') return next.leads;
      const to = next.leads ?? {
        fs: next.target.startsWith('/') ? mount.looker : fs,
        path: absolute(next.target, `/${parts.slice(0, i).join('/')}`),
      };
      return lookup(to.fs, rest ? `${to.path}/${rest}` : to.path, p, follow, depth + 1, mount);
    }
    node = next;
    if (node.kind !== 'symlink') mount.readOnly = node.readOnly ?? mount.readOnly;
  }
  return node;
}

/** Whether what is at this path, or the folder where it would be, is on a read-only mount. */
export function isReadOnly(fs: Filesystem, path: string, p: Process | null = null): boolean {
  const mount: Mount = {};
  lookup(fs, path, p, true, 0, mount);
  return mount.readOnly ?? false;
}

export function readFile(fs: Filesystem, path: string, p: Process | null = null): Uint8Array | Errno {
  const node = lookup(fs, path, p);
  if (typeof node === 'string') return node;
  if (node.kind === 'dir') return 'EISDIR';
  if (node.kind === 'symlink') return 'ELOOP';
  return typeof node.data === 'function' ? node.data(p) : node.data;
}

export function listDir(fs: Filesystem, path: string, p: Process | null = null): Map<string, FsNode> | Errno {
  const node = lookup(fs, path, p);
  if (typeof node === 'string') return node;
  return node.kind === 'dir' ? entriesOf(node, p) : 'ENOTDIR';
}

/** Say that a program changed what is at this path: to the container whose files it is in. */
export function noteChange(fs: Filesystem, path: string, p: Process | null = null): void {
  const at = path.lastIndexOf('/');
  const mount: Mount = {};
  lookup(fs, path.slice(0, at) || '/', p, true, 0, mount);
  if (mount.at) mount.at.fs.changed.add(absolute(path.slice(at + 1), mount.at.path));
  else fs.changed.add(path);
}

function parentOf(fs: Filesystem, path: string, p: Process | null): { dir: DirNode; name: string; readOnly: boolean } | Errno {
  const at = path.lastIndexOf('/');
  const mount: Mount = {};
  const dir = lookup(fs, path.slice(0, at) || '/', p, true, 0, mount);
  if (typeof dir === 'string') return dir;
  return dir.kind === 'dir' ? { dir, name: path.slice(at + 1), readOnly: mount.readOnly ?? false } : 'ENOTDIR';
}

/** Write a whole file as a program would: the parent must exist. `append` adds to the end. */
export function writeFile(fs: Filesystem, path: string, data: Uint8Array | string, p: Process | null = null, append = false): Errno | null {
  const bytes = typeof data === 'string' ? stringToBytes(data) : data;
  path = absolute(path);
  const mount: Mount = {};
  const old = lookup(fs, path, p, true, 0, mount);
  if (typeof old !== 'string') {
    if (old.kind === 'dir') return 'EISDIR';
    if (old.kind === 'symlink') return 'ELOOP';
    // A file of /proc that can be written lies in a folder that takes no others.
    if (old.readOnly || (mount.readOnly && !old.onWrite)) return 'EROFS';
    if (old.onWrite) return old.onWrite(bytes, p);
    const before = append ? (typeof old.data === 'function' ? old.data(p) : old.data) : new Uint8Array(0);
    const all = new Uint8Array(before.length + bytes.length);
    all.set(before);
    all.set(bytes, before.length);
    old.data = all;
    if (p) old.mtimeMs = p.kernel.sim.nowMs;
    noteChange(fs, path, p);
    return null;
  }
  if (old !== 'ENOENT') return old;
  const at = parentOf(fs, path, p);
  if (typeof at === 'string') return at;
  if (at.readOnly) return 'EROFS';
  if (at.dir.dynamic) return 'EACCES';
  at.dir.entries.set(at.name, newFile(bytes, 0o644, p?.kernel.sim.nowMs ?? 0));
  noteChange(fs, path, p);
  return null;
}

/** `mkdir -p`; not counted as a change (images and mounts use it; programs use `makeDir`). */
export function ensureDir(fs: Filesystem, path: string): DirNode {
  let node = fs.root;
  for (const part of absolute(path).split('/').filter(Boolean)) {
    const next = node.entries.get(part);
    if (next?.kind === 'dir') node = next;
    else {
      const made = newDir();
      node.entries.set(part, made);
      node = made;
    }
  }
  return node;
}

/** Put a node (an image's file, a mounted volume) at an absolute path, making its parents. */
export function place(fs: Filesystem, path: string, node: FsNode): void {
  path = absolute(path);
  const at = path.lastIndexOf('/');
  if (path === '/') throw new Error('the root cannot be replaced');
  beforeLook(fs, () => void ensureDir(fs, path.slice(0, at) || '/').entries.set(path.slice(at + 1), node));
}

export function makeDir(fs: Filesystem, path: string, p: Process | null = null): Errno | null {
  path = absolute(path);
  if (typeof lookup(fs, path, p, false) !== 'string') return 'EEXIST';
  const at = parentOf(fs, path, p);
  if (typeof at === 'string') return at;
  if (at.readOnly) return 'EROFS';
  at.dir.entries.set(at.name, newDir(0o755, p?.kernel.sim.nowMs ?? 0));
  noteChange(fs, path, p);
  return null;
}

/** unlink and rmdir: a directory must be empty. */
export function remove(fs: Filesystem, path: string, p: Process | null = null): Errno | null {
  path = absolute(path);
  const node = lookup(fs, path, p, false);
  if (typeof node === 'string') return node;
  if (node.kind === 'dir' && entriesOf(node, p).size) return 'ENOTEMPTY';
  const at = parentOf(fs, path, p);
  if (typeof at === 'string') return at;
  if (at.readOnly || (node.kind === 'file' && node.readOnly)) return 'EROFS';
  at.dir.entries.delete(at.name);
  noteChange(fs, path, p);
  return null;
}
