// Tools that change the tree: cp, mv, rm, mkdir, ln, touch, chmod, mktemp …
import { complain, stdinAll, strerror } from '../../linux/process.ts';
import type { Errno } from '../../linux/types.ts';
import { absolute, type DirNode, type FsNode, listDir, lookup, makeDir, newDir, readFile, remove, writeFile } from '../../linux/vfs.ts';
import { safeString } from '../../sim/random.ts';
import { newFifo } from '../fifo.ts';
import { mayWrite } from '../sh/redirect.ts';
import { human, sizeOf } from './ls.ts';
import { account, parseDate } from './plain.ts';
import { isDirectory } from './text.ts';
import { error, has, option, out, type Run, type ToolSpec, usage } from './tool.ts';

const at = (r: Run, path: string): string => absolute(path, r.p.cwd);
const node = (r: Run, path: string, follow = true): FsNode | Errno => lookup(r.p.fs, at(r, path), r.p, follow);
const base = (path: string): string => path.replace(/\/+$/, '').replace(/.*\//, '') || path;
const join = (dir: string, name: string): string => `${dir.replace(/\/$/, '')}/${name}`;

/** May this user make or remove entries beside `path`? */
function parentWritable(r: Run, path: string): Errno | null {
  const dir = lookup(r.p.fs, at(r, path).replace(/\/[^/]*$/, '') || '/', r.p);
  if (typeof dir === 'string') return dir;
  if (dir.kind !== 'dir') return 'ENOTDIR';
  if (dir.readOnly) return 'EROFS';
  return mayWrite(r.p, dir) ? null : 'EACCES';
}

/** Hang a node into the tree as a change of this container's. */
function put(r: Run, path: string, n: FsNode): Errno | null {
  const e = parentWritable(r, path);
  if (e) return e;
  const full = at(r, path);
  const dir = lookup(r.p.fs, full.replace(/\/[^/]*$/, '') || '/', r.p) as DirNode;
  if (dir.dynamic) return 'EACCES';
  dir.entries.set(base(full), n);
  r.p.fs.changed.add(full);
  return null;
}

function copyTree(r: Run, n: FsNode): FsNode {
  const now = r.p.kernel.sim.nowMs;
  if (n.kind === 'symlink') return { ...n };
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
  r.p.fs.changed.add(path);
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
      const e = copyOne(r, n, to);
      if (e) status = error(r, copyMessage(r, 'create', to, e));
      else if (has(r, 'v')) out(r, `'${source}' -> '${to}'\n`);
    }
    return status;
  },
};

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
      if (from !== at(r, to)) {
        const dir = lookup(r.p.fs, from.replace(/\/[^/]*$/, '') || '/', r.p) as DirNode;
        dir.entries.delete(base(from));
        r.p.fs.changed.add(from);
        markTree(r, at(r, to), n as FsNode);
      }
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
      if (e && !has(r, 'k')) status = error(r, r.bb ? `'${path}': ${strerror(e)}` : `failed to remove '${path}': ${strerror(e)}`);
    }
    return status;
  },
};

/** chmod's modes: 755, u+x, a=r,go-w. null: none of these. */
export function parseMode(text: string, old: number, isDir: boolean): number | null {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  let mode = old;
  for (const clause of text.split(',')) {
    const m = /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(clause);
    if (!m) return null;
    let bits = 0;
    for (const c of m[3]) bits |= { r: 4, w: 2, x: 1, X: isDir || mode & 0o111 ? 1 : 0, s: 0, t: 0 }[c as 'r'];
    for (const who of (m[1] || 'a').replace('a', 'ugo')) {
      const shift = { u: 6, g: 3, o: 0 }[who as 'u'];
      if (m[2] === '+') mode |= bits << shift;
      else if (m[2] === '-') mode &= ~(bits << shift);
      else mode = (mode & ~(7 << shift)) | (bits << shift);
    }
    if (m[3].includes('t')) mode = m[2] === '-' ? mode & ~0o1000 : mode | 0o1000;
  }
  return mode;
}

export const MKDIR: ToolSpec = {
  short: 'pm:v',
  long: { parents: 'p', mode: 'm', verbose: 'v' },
  usage: 'mkdir [-m MODE] [-p] DIRECTORY...\n\nCreate DIRECTORY',
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', MKDIR.usage);
    let status = 0;
    for (const path of r.args) {
      const e = makePath(r, path);
      if (e)
        status = error(r, r.bb ? `can't create directory '${path}': ${strerror(e)}` : `cannot create directory '${path}': ${strerror(e)}`);
      else if (has(r, 'v')) out(r, r.bb ? `created directory: '${path}'\n` : `mkdir: created directory '${path}'\n`);
    }
    return status;
  },
};

function makePath(r: Run, path: string): Errno | null {
  const full = at(r, path);
  const steps = full.split('/').filter(Boolean);
  for (let i = has(r, 'p') ? 1 : steps.length; i <= steps.length; i++) {
    const here = `/${steps.slice(0, i).join('/')}`;
    const n = lookup(r.p.fs, here, r.p);
    if (typeof n !== 'string') {
      if (n.kind !== 'dir') return i === steps.length ? 'EEXIST' : 'ENOTDIR';
      if (i === steps.length && !has(r, 'p')) return 'EEXIST';
      continue;
    }
    const e = parentWritable(r, here) ?? makeDir(r.p.fs, here, r.p);
    if (e) return e;
    const made = lookup(r.p.fs, here, r.p);
    if (typeof made === 'string' || made.kind !== 'dir') continue;
    made.uid = r.p.uid;
    const mode = i === steps.length && option(r, 'm') ? parseMode(option(r, 'm') as string, 0o755, true) : null;
    if (mode !== null) made.mode = mode;
  }
  return null;
}

export const LN: ToolSpec = {
  short: 'sfnvrTb',
  long: { symbolic: 's', force: 'f', 'no-dereference': 'n', verbose: 'v', relative: 'r' },
  *run(r) {
    const [target, name] = r.args;
    if (target === undefined) return usage(r, 'missing file operand', 'ln [-sfnbtv] [-S SUF] TARGET... LINK|DIR');
    let link = name ?? base(target);
    if (isDirectory(r, link) && !has(r, 'n')) link = join(link, base(target));
    if (typeof node(r, link, false) !== 'string') {
      if (!has(r, 'f'))
        return error(
          r,
          r.bb ? `${link}: File exists` : `failed to create ${has(r, 's') ? 'symbolic' : 'hard'} link '${link}': File exists`,
        );
      remove(r.p.fs, at(r, link), r.p);
    }
    const existing = node(r, target, false);
    if (!has(r, 's') && typeof existing === 'string')
      return error(r, r.bb ? `${target}: ${strerror(existing)}` : `failed to access '${target}': ${strerror(existing)}`);
    const e = put(r, link, has(r, 's') ? { kind: 'symlink', target, mtimeMs: r.p.kernel.sim.nowMs } : (existing as FsNode));
    return e ? error(r, r.bb ? `${link}: ${strerror(e)}` : `failed to create symbolic link '${link}': ${strerror(e)}`) : 0;
  },
};

export const TOUCH: ToolSpec = {
  short: 'acmd:t:r:h',
  long: { 'no-create': 'c', date: 'd', reference: 'r' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing file operand', 'touch [-cham] [-d DATE] [-t DATE] [-r FILE] FILE...');
    const now = r.p.kernel.sim.nowMs;
    const stamp = option(r, 'd') === undefined ? now : (parseDate(option(r, 'd') as string, now) ?? now);
    let status = 0;
    for (const path of r.args) {
      const n = node(r, path);
      if (typeof n !== 'string') {
        n.mtimeMs = stamp;
        continue;
      }
      if (has(r, 'c')) continue;
      const e = n !== 'ENOENT' ? n : (parentWritable(r, path) ?? writeFile(r.p.fs, at(r, path), '', r.p));
      if (e) status = error(r, r.bb ? `${path}: ${strerror(e)}` : `cannot touch '${path}': ${strerror(e)}`);
      else {
        const made = node(r, path) as FsNode;
        made.mtimeMs = stamp;
        if (made.kind === 'file') made.uid = r.p.uid;
      }
    }
    return status;
  },
};

/** Apply to a path and, with -R, to all below it. */
function eachNode(r: Run, path: string, deep: boolean, change: (n: FsNode) => void): void {
  const n = node(r, path);
  if (typeof n === 'string') return;
  change(n);
  r.p.fs.changed.add(at(r, path));
  if (deep && n.kind === 'dir' && !n.dynamic) for (const name of n.entries.keys()) eachNode(r, join(path, name), deep, change);
}

/** chmod's mode may begin with a minus: options are only what looks like one. */
export const CHMOD: ToolSpec = {
  short: '+Rcvf',
  long: { recursive: 'R' },
  *run(r) {
    const [mode, ...files] = r.args;
    if (!files.length)
      return usage(r, mode === undefined ? 'missing operand' : `missing operand after '${mode}'`, 'chmod [-Rcvf] MODE[,MODE]... FILE...');
    let status = 0;
    for (const path of files) {
      const n = node(r, path);
      if (typeof n === 'string') {
        status = error(r, r.bb ? `${path}: ${strerror(n)}` : `cannot access '${path}': ${strerror(n)}`);
        continue;
      }
      if (parseMode(mode, 0, false) === null) return usage(r, `invalid mode: '${mode}'`, 'chmod [-Rcvf] MODE[,MODE]... FILE...');
      if (n.kind !== 'symlink' && n.uid !== r.p.uid && r.p.uid !== 0) {
        status = error(r, r.bb ? `${path}: Operation not permitted` : `changing permissions of '${path}': Operation not permitted`);
        continue;
      }
      eachNode(r, path, has(r, 'R'), x => {
        if (x.kind !== 'symlink') x.mode = parseMode(mode, x.mode, x.kind === 'dir') ?? x.mode;
      });
    }
    return status;
  },
};

export const CHOWN: ToolSpec = {
  short: 'RhvcfL',
  long: { recursive: 'R', 'no-dereference': 'h' },
  *run(r) {
    const [owner, ...files] = r.args;
    if (!files.length) return usage(r, 'missing operand', 'chown [-RhLHPcvf]... USER[:[GRP]] FILE...');
    const user = owner.split(/[:.]/)[0];
    const found = user === '' ? null : account(r.p, /^\d+$/.test(user) ? Number(user) : user);
    if (user && !found && !/^\d+$/.test(user)) return error(r, r.bb ? `unknown user ${user}` : `invalid user: '${owner}'`);
    let status = 0;
    for (const path of files) {
      const n = node(r, path);
      if (typeof n === 'string') status = error(r, r.bb ? `${path}: ${strerror(n)}` : `cannot access '${path}': ${strerror(n)}`);
      else if (r.p.uid !== 0)
        status = error(r, r.bb ? `${path}: Operation not permitted` : `changing ownership of '${path}': Operation not permitted`);
      else if (user && r.name === 'chown')
        eachNode(r, path, has(r, 'R'), x => {
          if (x.kind !== 'symlink') x.uid = found?.uid ?? Number(user);
        });
    }
    return status;
  },
};

export const MKTEMP: ToolSpec = {
  short: 'dqutp:',
  long: { directory: 'd', tmpdir: 'p', 'dry-run': 'u' },
  *run(r) {
    const template = r.args[0] ?? 'tmp.XXXXXXXXXX';
    const dir = r.args[0] && !has(r, 'p') && !has(r, 't') ? '' : `${option(r, 'p') || r.p.env.get('TMPDIR') || '/tmp'}/`;
    if (!/X{3,}/.test(template)) return error(r, r.bb ? `${template}: Invalid argument` : `too few X's in template '${template}'`);
    const path = dir + template.replace(/X+(?=[^X]*$)/, x => safeString(r.p.kernel.sim.random, x.length));
    const e =
      parentWritable(r, path) ??
      (has(r, 'u') ? null : has(r, 'd') ? makeDir(r.p.fs, at(r, path), r.p) : writeFile(r.p.fs, at(r, path), '', r.p));
    if (e) return error(r, r.bb ? `${template}: ${strerror(e)}` : `failed to create file via template '${dir}${template}': ${strerror(e)}`);
    const made = node(r, path);
    if (typeof made !== 'string' && made.kind !== 'symlink') {
      made.mode = has(r, 'd') ? 0o700 : 0o600;
      made.uid = r.p.uid;
    }
    out(r, `${path}\n`);
    return 0;
  },
};

/** The path without symlinks, or an Errno. The last part may be missing unless `strict`. */
export function resolveLinks(r: Run, path: string, strict: boolean): string | null {
  const parts = at(r, path).split('/').filter(Boolean);
  let here = '';
  for (let i = 0, hops = 0; i < parts.length; i++) {
    const next = `${here}/${parts[i]}`;
    const n = lookup(r.p.fs, next, r.p, false);
    if (typeof n === 'string') return strict || i < parts.length - 1 ? null : next;
    if (n.kind === 'symlink') {
      if (++hops > 40) return null;
      parts.splice(
        0,
        i + 1,
        ...absolute(n.target, here || '/')
          .split('/')
          .filter(Boolean),
      );
      here = '';
      i = -1;
      continue;
    }
    here = next;
  }
  return here || '/';
}

export const READLINK: ToolSpec = {
  short: 'fnmeqsvz',
  long: { canonicalize: 'f', 'no-newline': 'n' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'readlink [-fnv] FILE');
    let status = 0;
    for (const path of r.args) {
      const n = node(r, path, false);
      const text =
        has(r, 'f') || has(r, 'e') || has(r, 'm')
          ? resolveLinks(r, path, has(r, 'e'))
          : typeof n !== 'string' && n.kind === 'symlink'
            ? n.target
            : null;
      if (text === null) status = 1;
      else out(r, has(r, 'n') ? text : `${text}\n`);
    }
    return status;
  },
};

export const REALPATH: ToolSpec = {
  short: 'emqsz',
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'realpath FILE...');
    let status = 0;
    for (const path of r.args) {
      const text = resolveLinks(r, path, has(r, 'e') || r.bb);
      if (text === null) status = error(r, `${path}: No such file or directory`);
      else out(r, `${text}\n`);
    }
    return status;
  },
};

export const MKFIFO: ToolSpec = {
  short: 'm:',
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'mkfifo [-m MODE] NAME');
    let status = 0;
    for (const path of r.args) {
      const e = typeof node(r, path, false) !== 'string' ? 'EEXIST' : put(r, path, newFifo());
      if (e) status = error(r, r.bb ? `${path}: ${strerror(e)}` : `cannot create fifo '${path}': ${strerror(e)}`);
    }
    return status;
  },
};

export const DD: ToolSpec = {
  short: '',
  *run(r) {
    const o = new Map(r.args.map(a => [a.split('=')[0], a.slice(a.indexOf('=') + 1)]));
    const size = (key: string, otherwise: number) => {
      const m = /^(\d+)([kKMG]?)B?$/.exec(o.get(key) ?? '');
      return m ? Number(m[1]) * { '': 1, k: 1024, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[m[2] as 'k'] : otherwise;
    };
    const block = size('bs', size('ibs', 512));
    const count = o.has('count') ? Number(o.get('count')) : Number.POSITIVE_INFINITY;
    const input = o.get('if');
    let data: Uint8Array;
    if (input && /^\/dev\/(zero|u?random)$/.test(input)) {
      const total = Math.min(block * count, 64 * 1024 * 1024);
      data = new Uint8Array(total);
    } else {
      const read = input ? readFile(r.p.fs, at(r, input), r.p) : null;
      if (typeof read === 'string')
        return error(r, r.bb ? `can't open '${input}': ${strerror(read)}` : `failed to open '${input}': ${strerror(read)}`);
      data = (read ?? (yield* stdinAll(r.p)))
        .subarray(size('skip', 0) * (o.has('skip') ? block : 0))
        .subarray(0, Math.min(block * count, Number.MAX_SAFE_INTEGER));
    }
    const output = o.get('of');
    if (output) {
      const e = writeFile(r.p.fs, at(r, output), data, r.p);
      if (e) return error(r, r.bb ? `can't open '${output}': ${strerror(e)}` : `failed to open '${output}': ${strerror(e)}`);
    } else out(r, data);
    const full = Math.floor(data.length / block);
    const part = data.length % block ? 1 : 0;
    const records = `${full}+${part} records in\n${full}+${part} records out\n`;
    if (o.get('status') !== 'none') {
      const seconds = Math.max(0.0001, data.length / 1e9);
      complain(
        r.p,
        `${records}${data.length} bytes (${human(data.length)}${r.bb ? 'B' : 'B'}) copied, ${seconds.toFixed(6)} s${r.bb ? 'econds' : ''}, ${r.bb ? '953.7MB/s' : '1.0 GB/s'}\n`,
      );
    }
    return 0;
  },
};

export const TRUNCATE: ToolSpec = {
  short: 's:c',
  long: { size: 's', 'no-create': 'c' },
  *run(r) {
    const n = Number(/^\d+/.exec(option(r, 's') ?? '0')?.[0] ?? 0);
    for (const path of r.args) {
      const old = readFile(r.p.fs, at(r, path), r.p);
      const data = new Uint8Array(n);
      if (typeof old !== 'string') data.set(old.subarray(0, n));
      writeFile(r.p.fs, at(r, path), data, r.p);
    }
    return 0;
  },
};

function treeSize(r: Run, n: FsNode): number {
  if (n.kind !== 'dir') return Math.ceil(sizeOf(r, n) / 4096) * 4096;
  let total = 4096;
  for (const child of (n.dynamic ? new Map<string, FsNode>() : n.entries).values()) total += treeSize(r, child);
  return total;
}

export const DU: ToolSpec = {
  short: 'shakcd:xmb',
  long: { summarize: 's', 'human-readable': 'h', all: 'a', total: 'c', 'max-depth': 'd' },
  *run(r) {
    const show = (bytes: number) =>
      has(r, 'h') ? human(bytes) : has(r, 'b') ? String(bytes) : String(bytes / (has(r, 'm') ? 1024 ** 2 : 1024));
    const depthLimit = has(r, 's') ? 0 : option(r, 'd') === undefined ? Number.POSITIVE_INFINITY : Number(option(r, 'd'));
    let status = 0;
    const walk = (path: string, n: FsNode, depth: number) => {
      if (n.kind === 'dir' && !n.dynamic)
        for (const [name, child] of n.entries) if (child.kind === 'dir' || has(r, 'a')) walk(join(path, name), child, depth + 1);
      if (depth <= depthLimit) out(r, `${show(treeSize(r, n))}\t${path}\n`);
    };
    for (const path of r.args.length ? r.args : ['.']) {
      const n = node(r, path, false);
      if (typeof n === 'string') status = error(r, r.bb ? `${path}: ${strerror(n)}` : `cannot access '${path}': ${strerror(n)}`);
      else walk(path, n, 0);
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
