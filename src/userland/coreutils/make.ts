// Tools that make entries: mkdir, ln, touch, mktemp, mkfifo.
import { strerror } from '../../linux/process.ts';
import type { Errno } from '../../linux/types.ts';
import { type FsNode, lookup, makeDir, remove, writeFile } from '../../linux/vfs.ts';
import { safeString } from '../../sim/random.ts';
import { newFifo } from '../fifo.ts';
import { parseDate } from './date.ts';
import { parseMode } from './modes.ts';
import { at, base, isDirectory, join, node, parentWritable, put } from './operands.ts';
import { error, has, option, out, type Run, type ToolSpec, usage } from './tool.ts';

export const MKDIR: ToolSpec = {
  short: 'pm:v',
  long: { parents: 'p', mode: 'm', verbose: 'v' },
  usage: 'mkdir [-m MODE] [-p] DIRECTORY...\n\nCreate DIRECTORY',
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', MKDIR.usage);
    let status = 0;
    for (const path of r.args) {
      const made: string[] = [];
      const e = makePath(r, path, made);
      if (e)
        status = error(r, r.bb ? `can't create directory '${path}': ${strerror(e)}` : `cannot create directory '${path}': ${strerror(e)}`);
      if (has(r, 'v')) for (const name of made) out(r, r.bb ? `created directory: '${name}'\n` : `mkdir: created directory '${name}'\n`);
    }
    return status;
  },
};

/** `created`: gets the directories that are new, as the path names them. */
function makePath(r: Run, path: string, created: string[]): Errno | null {
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
    created.push(
      i === steps.length
        ? path
        : path
            .replace(/\/+$/, '')
            .split('/')
            .slice(0, i - steps.length)
            .join('/') + (r.bb ? '/' : ''),
    );
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
    if (e) return error(r, r.bb ? `${link}: ${strerror(e)}` : `failed to create symbolic link '${link}': ${strerror(e)}`);
    if (has(r, 'v')) out(r, `'${link}' ${has(r, 's') ? '->' : '=>'} '${target}'\n`);
    return 0;
  },
};

/** The time that -d, -t or -r names, or what is wrong with it. */
function touchTime(r: Run, now: number): number | string {
  const text = option(r, 'd') ?? option(r, 't');
  if (text !== undefined) {
    // -t is [[CC]YY]MMDDhhmm[.ss] in both families.
    const ms = parseDate(text, now, r.bb || !has(r, 'd'));
    return ms ?? (r.bb || has(r, 'd') ? `invalid date ${r.bb ? `'${text}'` : `format '${text}'`}` : `invalid date format '${text}'`);
  }
  if (!has(r, 'r')) return now;
  const path = option(r, 'r') as string;
  const like = node(r, path);
  return typeof like === 'string'
    ? r.bb
      ? `${path}: ${strerror(like)}`
      : `failed to get attributes of '${path}': ${strerror(like)}`
    : like.mtimeMs;
}

export const TOUCH: ToolSpec = {
  short: 'acmd:t:r:h',
  long: { 'no-create': 'c', date: 'd', reference: 'r' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing file operand', 'touch [-cham] [-d DATE] [-t DATE] [-r FILE] FILE...');
    const now = r.p.kernel.sim.nowMs;
    const stamp = touchTime(r, now);
    if (typeof stamp === 'string') return error(r, stamp);
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
