// Tools for who may what: chmod, chown.
import { strerror } from '../../linux/process.ts';
import { type FsNode, noteChange } from '../../linux/vfs.ts';
import { account } from './accounts.ts';
import { at, join, node } from './operands.ts';
import { error, has, out, type Run, type ToolSpec, usage } from './tool.ts';

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

/** Apply to a path and, with -R, to all below it: what links there point to is elsewhere. */
function eachNode(r: Run, path: string, deep: boolean, change: (n: FsNode, path: string) => void, below = false): void {
  const n = node(r, path, !below);
  if (typeof n === 'string' || n.kind === 'symlink') return;
  change(n, path);
  noteChange(r.p.fs, at(r, path), r.p);
  if (deep && n.kind === 'dir' && !n.dynamic) for (const name of n.entries.keys()) eachNode(r, join(path, name), deep, change, true);
}

/** `rwxr-xr-x`, with the sticky bit and setuid. */
export function permissions(mode: number): string {
  const bits = [...'rwxrwxrwx'].map((c, i) => (mode & (0o400 >> i) ? c : '-'));
  if (mode & 0o1000) bits[8] = mode & 1 ? 't' : 'T';
  if (mode & 0o4000) bits[2] = mode & 0o100 ? 's' : 'S';
  return bits.join('');
}

/** -v and -c. BusyBox shows no letters. */
function changeText(r: Run, path: string, from: number, to: number): string {
  const octal = (mode: number) => mode.toString(8).padStart(4, '0');
  if (r.bb) return `mode of '${path}' changed to ${octal(to)} (${permissions(to)})\n`;
  const now = `${octal(to)} (${permissions(to)})`;
  return from === to
    ? `mode of '${path}' retained as ${now}\n`
    : `mode of '${path}' changed from ${octal(from)} (${permissions(from)}) to ${now}\n`;
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
      eachNode(r, path, has(r, 'R'), (x, name) => {
        if (x.kind === 'symlink') return;
        const old = x.mode;
        x.mode = parseMode(mode, old, x.kind === 'dir') ?? old;
        if (has(r, 'v') || (has(r, 'c') && x.mode !== old)) out(r, changeText(r, name, old, x.mode));
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
