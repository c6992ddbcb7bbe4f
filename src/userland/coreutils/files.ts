// Tools that copy, move and remove: cp, mv, rm, rmdir.
import { strerror } from '../../linux/process.ts';
import type { Errno } from '../../linux/types.ts';
import { type DirNode, type FsNode, listDir, lookup, newDir, noteChange, remove, writeFile } from '../../linux/vfs.ts';
import { mayWrite } from '../sh/redirect.ts';
import { at, base, isDirectory, join, node, parentWritable, put } from './operands.ts';
import { error, has, option, out, type Run, type ToolSpec, usage } from './tool.ts';

function copyTree(r: Run, n: FsNode): FsNode {
  const now = r.p.kernel.sim.nowMs;
  if (n.kind === 'symlink') return { kind: 'symlink', target: n.target, mtimeMs: n.mtimeMs };
  const mtimeMs = has(r, 'p') || has(r, 'a') ? n.mtimeMs : now;
  if (n.kind === 'file') {
    const data = typeof n.data === 'function' ? n.data(r.p) : n.data;
    return { kind: 'file', data, mode: n.mode, uid: r.p.uid, mtimeMs, program: n.program };
  }
  const dir = newDir(n.mode, mtimeMs);
  for (const [name, child] of n.dynamic ? n.dynamic(r.p) : n.entries) dir.entries.set(name, copyTree(r, child));
  return dir;
}

function markTree(r: Run, path: string, n: FsNode): void {
  noteChange(r.p.fs, path, r.p);
  if (n.kind === 'dir') for (const [name, child] of n.entries) markTree(r, join(path, name), child);
}

function copyMessage(r: Run, kind: 'stat' | 'create', path: string, e: Errno): string {
  if (kind === 'stat') return r.bb ? `can't stat '${path}': ${strerror(e)}` : `cannot stat '${path}': ${strerror(e)}`;
  return r.bb ? `can't create '${path}': ${strerror(e)}` : `cannot create regular file '${path}': ${strerror(e)}`;
}

export const CP: ToolSpec = {
  short: 'rRapfLPdinuvTt:lsH',
  long: {
    recursive: 'r',
    archive: 'a',
    preserve: 'p',
    force: 'f',
    'no-clobber': 'n',
    verbose: 'v',
    update: 'u',
    'target-directory': 't',
    'no-target-directory': 'T',
    dereference: 'L',
    'no-dereference': 'P',
  },
  usage: 'cp [-arPLHpfinlsTu] SOURCE DEST\nor: cp [-arPLHpfinlsu] SOURCE... { -t DIRECTORY | DIRECTORY }',
  *run(r) {
    const target = option(r, 't') ?? r.args.at(-1);
    const sources = has(r, 't') ? r.args : r.args.slice(0, -1);
    if (!r.args.length) return usage(r, 'missing file operand', CP.usage);
    if (!sources.length || target === undefined) return usage(r, `missing destination file operand after '${r.args[0]}'`, CP.usage);
    const intoDir = !has(r, 'T') && isDirectory(r, target);
    if (sources.length > 1 && !intoDir)
      return error(
        r,
        r.bb
          ? `target '${target}' is not a directory`
          : `target '${target}': ${typeof node(r, target) === 'string' ? 'No such file or directory' : 'Not a directory'}`,
      );
    const deep = has(r, 'r') || has(r, 'R') || has(r, 'a');
    let status = 0;
    for (const source of sources) {
      const n = node(r, source, !(has(r, 'P') || has(r, 'd') || has(r, 'a')));
      if (typeof n === 'string') {
        status = error(r, copyMessage(r, 'stat', source, n));
        continue;
      }
      if (n.kind === 'dir' && !deep) {
        status = error(r, r.bb ? `omitting directory '${source}'` : `-r not specified; omitting directory '${source}'`);
        continue;
      }
      const to = intoDir ? join(target, base(source)) : target;
      if (has(r, 'n') && typeof node(r, to) !== 'string') continue;
      const itself = intoItself(r, source, to, n);
      if (itself) {
        const below = r.bb
          ? `recursion detected, omitting directory '${to}'`
          : `cannot copy a directory, '${source}', into itself, '${to}'`;
        status = error(r, itself === 'below' ? below : `'${source}' and '${to}' are the same file`);
        continue;
      }
      const e = copyOne(r, n, to);
      if (e) status = error(r, copyMessage(r, 'create', to, e));
      else if (has(r, 'v')) out(r, `'${source}' -> '${to}'\n`);
    }
    return status;
  },
};

/** Why `source` cannot go to where it is itself; null: it is elsewhere. */
function intoItself(r: Run, source: string, to: string, n: FsNode): 'same file' | 'below' | null {
  const [from, there] = [at(r, source), at(r, to)];
  if (from === there) return 'same file';
  return n.kind === 'dir' && there.startsWith(from === '/' ? '/' : `${from}/`) ? 'below' : null;
}

function copyOne(r: Run, n: FsNode, to: string): Errno | null {
  const old = node(r, to);
  if (n.kind === 'file' && typeof old !== 'string' && old.kind === 'file') {
    if (!mayWrite(r.p, old)) return 'EACCES';
    const data = typeof n.data === 'function' ? n.data(r.p) : n.data;
    return writeFile(r.p.fs, at(r, to), data, r.p);
  }
  if (n.kind === 'dir' && typeof old !== 'string' && old.kind === 'dir') {
    for (const [name, child] of n.dynamic ? n.dynamic(r.p) : n.entries) {
      const e = copyOne(r, child, join(to, name));
      if (e) return e;
    }
    return null;
  }
  const copy = copyTree(r, n);
  const e = put(r, to, copy);
  if (!e) markTree(r, at(r, to), copy);
  return e;
}

export const MV: ToolSpec = {
  short: 'finuvTt:',
  long: { force: 'f', 'no-clobber': 'n', verbose: 'v', 'target-directory': 't' },
  usage: 'mv [-finT] SOURCE DEST\nor: mv [-fin] SOURCE... { -t DIRECTORY | DIRECTORY }',
  *run(r) {
    const target = option(r, 't') ?? r.args.at(-1);
    const sources = has(r, 't') ? r.args : r.args.slice(0, -1);
    if (!r.args.length) return usage(r, 'missing file operand', MV.usage);
    if (!sources.length || target === undefined) return usage(r, `missing destination file operand after '${r.args[0]}'`, MV.usage);
    const intoDir = isDirectory(r, target);
    if (sources.length > 1 && !intoDir) return error(r, `target '${target}' is not a directory`);
    let status = 0;
    for (const source of sources) {
      const n = node(r, source, false);
      const to = intoDir ? join(target, base(source)) : target;
      const itself = typeof n === 'string' ? null : intoItself(r, source, to, n);
      if (itself === 'same file') {
        if (!r.bb) status = error(r, `'${source}' and '${to}' are the same file`);
        continue;
      }
      if (itself) {
        status = error(
          r,
          r.bb ? `can't rename '${source}': ${strerror('EINVAL')}` : `cannot move '${source}' to a subdirectory of itself, '${to}'`,
        );
        continue;
      }
      const e = typeof n === 'string' ? n : (parentWritable(r, source) ?? put(r, to, n));
      if (e) {
        status = error(
          r,
          r.bb
            ? `can't rename '${source}': ${strerror(e)}`
            : typeof n === 'string'
              ? `cannot stat '${source}': ${strerror(e)}`
              : `cannot move '${source}' to '${to}': ${strerror(e)}`,
        );
        continue;
      }
      const from = at(r, source);
      const dir = lookup(r.p.fs, from.replace(/\/[^/]*$/, '') || '/', r.p) as DirNode;
      dir.entries.delete(base(from));
      noteChange(r.p.fs, from, r.p);
      markTree(r, at(r, to), n as FsNode);
      if (has(r, 'v')) out(r, r.bb ? `'${source}' -> '${to}'\n` : `renamed '${source}' -> '${to}'\n`);
    }
    return status;
  },
};

/** Remove a path; directories with what is in them when `deep`. */
export function removePath(r: Run, path: string, deep: boolean): Errno | null {
  const full = at(r, path);
  const n = lookup(r.p.fs, full, r.p, false);
  if (typeof n === 'string') return n;
  const denied = parentWritable(r, full);
  if (denied) return denied;
  if (n.kind === 'dir' && deep) {
    const entries = listDir(r.p.fs, full, r.p);
    if (typeof entries === 'string') return entries;
    for (const name of [...entries.keys()]) {
      const e = removePath(r, join(full, name), true);
      if (e) return e;
    }
  }
  return remove(r.p.fs, full, r.p);
}

export const RM: ToolSpec = {
  short: 'rRfivdI',
  long: { recursive: 'r', force: 'f', verbose: 'v', dir: 'd', 'no-preserve-root': 'k' },
  usage: 'rm [-irf] FILE...\n\nRemove (unlink) FILEs',
  *run(r) {
    if (!r.args.length) return has(r, 'f') ? 0 : usage(r, 'missing operand', RM.usage);
    const deep = has(r, 'r') || has(r, 'R');
    let status = 0;
    for (const path of r.args) {
      const n = node(r, path, false);
      if (typeof n === 'string') {
        if (has(r, 'f') && (n === 'ENOENT' || n === 'ENOTDIR')) continue;
        status = error(r, r.bb ? `can't remove '${path}': ${strerror(n)}` : `cannot remove '${path}': ${strerror(n)}`);
        continue;
      }
      if (n.kind === 'dir' && !deep && !has(r, 'd')) {
        status = error(r, r.bb ? `'${path}' is a directory` : `cannot remove '${path}': Is a directory`);
        continue;
      }
      const e = removePath(r, path, deep);
      if (e) status = error(r, r.bb ? `can't remove '${path}': ${strerror(e)}` : `cannot remove '${path}': ${strerror(e)}`);
      else if (has(r, 'v')) out(r, `removed ${n.kind === 'dir' ? 'directory ' : ''}'${path}'\n`);
    }
    return status;
  },
};

export const RMDIR: ToolSpec = {
  short: 'pv',
  long: { parents: 'p', 'ignore-fail-on-non-empty': 'k' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'rmdir [-p] DIRECTORY...');
    let status = 0;
    for (const path of r.args) {
      const n = node(r, path, false);
      const e = typeof n === 'string' ? n : n.kind !== 'dir' ? 'ENOTDIR' : (parentWritable(r, path) ?? remove(r.p.fs, at(r, path), r.p));
      if (has(r, 'v') && !r.bb) out(r, `rmdir: removing directory, '${path}'\n`);
      if (e && !has(r, 'k')) status = error(r, r.bb ? `'${path}': ${strerror(e)}` : `failed to remove '${path}': ${strerror(e)}`);
    }
    return status;
  },
};

export const SYNC: ToolSpec = {
  short: 'df',
  *run() {
    return 0;
  },
};
