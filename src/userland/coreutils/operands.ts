// Where a tool's operand leads in the tree.
import type { Errno } from '../../linux/types.ts';
import { absolute, type DirNode, type FsNode, isReadOnly, lookup } from '../../linux/vfs.ts';
import { mayWrite } from '../sh/redirect.ts';
import type { Run } from './tool.ts';

/** Does this path name a directory? */
export const isDirectory = (r: Run, path: string): boolean => {
  const node = lookup(r.p.fs, absolute(path, r.p.cwd), r.p);
  return typeof node !== 'string' && node.kind === 'dir';
};

export const at = (r: Run, path: string): string => absolute(path, r.p.cwd);

export const node = (r: Run, path: string, follow = true): FsNode | Errno => lookup(r.p.fs, at(r, path), r.p, follow);

export const base = (path: string): string => path.replace(/\/+$/, '').replace(/.*\//, '') || path;

export const join = (dir: string, name: string): string => `${dir.replace(/\/$/, '')}/${name}`;

/** May this user make or remove entries beside `path`? */
export function parentWritable(r: Run, path: string): Errno | null {
  const dir = lookup(r.p.fs, at(r, path).replace(/\/[^/]*$/, '') || '/', r.p);
  if (typeof dir === 'string') return dir;
  if (dir.kind !== 'dir') return 'ENOTDIR';
  if (isReadOnly(r.p.fs, at(r, path), r.p)) return 'EROFS';
  return mayWrite(r.p, dir) ? null : 'EACCES';
}

/** Hang a node into the tree as a change of this container's. */
export function put(r: Run, path: string, n: FsNode): Errno | null {
  const e = parentWritable(r, path);
  if (e) return e;
  const full = at(r, path);
  const dir = lookup(r.p.fs, full.replace(/\/[^/]*$/, '') || '/', r.p) as DirNode;
  if (dir.dynamic) return 'EACCES';
  dir.entries.set(base(full), n);
  r.p.fs.changed.add(full);
  return null;
}
