// What programs changed in a tree, as text for a session: one entry per path, parents before what is in them.
import { base64, unbase64 } from '../sim/bytes.ts';
import { absolute, ensureDir, type Filesystem, lookup, newDir, newFile, place, remove } from './vfs.ts';

/** `f:MODE:UID:MTIME:BASE64`, `d:MODE:UID:MTIME`, `l:TARGET`; null: removed. */
export type SavedNode = string | null;

export function saveChanges(fs: Filesystem): Record<string, SavedNode> {
  const out: Record<string, SavedNode> = {};
  for (const path of [...fs.changed].sort()) {
    if (/^\/(proc|sys|dev)\//.test(path)) continue;
    const node = lookup(fs, path, null, false);
    if (node === 'ENOENT') out[path] = null;
    else if (typeof node === 'string') continue;
    else if (node.kind === 'symlink') out[path] = `l:${node.target}`;
    else if (node.kind === 'dir') out[path] = `d:${node.mode.toString(8)}:${node.uid}:${node.mtimeMs}`;
    else if (typeof node.data !== 'function') out[path] = `f:${node.mode.toString(8)}:${node.uid}:${node.mtimeMs}:${base64(node.data)}`;
  }
  return out;
}

/** Bring a fresh tree of the same image to where the saved one was. */
export function restoreChanges(fs: Filesystem, saved: Record<string, SavedNode>): void {
  for (const path of Object.keys(saved).sort()) {
    const text = saved[path];
    fs.changed.add(absolute(path));
    if (text === null) {
      remove(fs, path);
      continue;
    }
    if (text.startsWith('l:')) {
      place(fs, path, { kind: 'symlink', target: text.slice(2), mtimeMs: 0 });
      continue;
    }
    const [kind, mode, uid, mtime, data] = text.split(':');
    const owner = { mode: Number.parseInt(mode, 8), uid: Number(uid), mtimeMs: Number(mtime) };
    const old = lookup(fs, path, null, false);
    if (kind === 'd') {
      if (typeof old === 'string' || old.kind !== 'dir') place(fs, path, newDir());
      Object.assign(ensureDir(fs, path), owner);
    } else if (typeof old !== 'string' && old.kind === 'file' && !old.program) Object.assign(old, owner, { data: unbase64(data) });
    else place(fs, path, Object.assign(newFile(unbase64(data) ?? ''), owner));
  }
}
