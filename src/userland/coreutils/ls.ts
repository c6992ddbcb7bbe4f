// ls and stat: what the vfs says of a file, as the two families print it.
import { complain, strerror } from '../../linux/process.ts';
import type { Errno } from '../../linux/types.ts';
import { absolute, type FsNode, listDir, lookup } from '../../linux/vfs.ts';
import { compareBytes } from '../../sim/bytes.ts';
import { civilTime, MONTHS, twoDigits } from '../../sim/time.ts';
import { isFifo } from '../fifo.ts';
import { strftime } from '../strftime.ts';
import { account, groupName } from './accounts.ts';
import { permissions } from './modes.ts';
import { error, has, option, out, type Run, type ToolSpec, usage } from './tool.ts';

interface Entry {
  name: string;
  path: string;
  node: FsNode;
}

export function sizeOf(r: Run, node: FsNode): number {
  if (node.kind === 'symlink') return node.target.length;
  if (node.kind === 'dir') return 4096;
  if (typeof node.data === 'function') return node.onWrite ? 0 : node.data(r.p).length;
  // Programs are stand-ins here; a real one has some hundred kilobytes.
  return node.program ? 150_512 : node.data.length;
}

const isDevice = (path: string) => /^\/dev\/(null|zero|full|random|urandom|tty|stdin|stdout|stderr|fd\/\d+)$/.test(path);

export function modeText(node: FsNode, path: string): string {
  const type = node.kind === 'dir' ? 'd' : node.kind === 'symlink' ? 'l' : isDevice(path) ? 'c' : isFifo(node) ? 'p' : '-';
  const mode = node.kind === 'symlink' ? 0o777 : node.mode;
  return type + permissions(mode);
}

/** Image files carry no time of their own: they are as old as the machine's start. */
export const timeOf = (r: Run, node: FsNode): number => node.mtimeMs || r.p.kernel.bootedAtMs;

/** GNU's --time-style: what is no name is a format, of files that are recent and of those that are not on two lines. */
function styled(style: string, recent: boolean, ms: number): string {
  const of = (format: string) => strftime(format, ms);
  if (style === 'full-iso') return `${of('%Y-%m-%d %H:%M:%S')}.000000000 +0000`;
  if (style === 'long-iso') return of('%Y-%m-%d %H:%M');
  if (style === 'iso') return of(recent ? '%m-%d %H:%M' : '%Y-%m-%d ');
  const [old, young] = style.slice(1).split('\n');
  return of(recent ? (young ?? old) : old);
}

function when(r: Run, ms: number): string {
  const c = civilTime(ms);
  const recent = r.p.kernel.sim.nowMs - ms < 15_778_476_000;
  const style = has(r, 'E') ? 'full-iso' : option(r, 'T');
  if (style !== undefined && !/^(?:posix-)?locale$/.test(style)) return styled(style.replace(/^posix-/, ''), recent, ms);
  return `${MONTHS[c.month - 1]} ${String(c.day).padStart(2)} ${recent ? `${twoDigits(c.hour)}:${twoDigits(c.minute)}` : ` ${c.year}`}`;
}

export function human(n: number): string {
  if (n < 1024) return String(n);
  let v = n;
  let unit = 0;
  while (v >= 1024 && unit < 4) {
    v /= 1024;
    unit++;
  }
  return `${v < 10 ? (Math.ceil(v * 10) / 10).toFixed(1) : Math.ceil(v)}${'KMGT'[unit - 1]}`;
}

function decorated(r: Run, e: Entry): string {
  if (!has(r, 'F') && !has(r, 'p')) return e.name;
  if (e.node.kind === 'dir') return `${e.name}/`;
  if (!has(r, 'F')) return e.name;
  if (e.node.kind === 'symlink') return `${e.name}@`;
  return e.node.mode & 0o111 ? `${e.name}*` : e.name;
}

function long(r: Run, entries: Entry[]): string {
  const uid = (e: Entry) => (e.node.kind === 'symlink' ? 0 : e.node.uid);
  const rows = entries.map(e => {
    const user = has(r, 'n') ? String(uid(e)) : (account(r.p, uid(e))?.name ?? String(uid(e)));
    const group = has(r, 'n') ? String(uid(e)) : (groupName(r.p, account(r.p, uid(e))?.gid ?? uid(e)) ?? String(uid(e)));
    const size = isDevice(e.path) ? '1, 3' : has(r, 'h') ? human(sizeOf(r, e.node)) : String(sizeOf(r, e.node));
    const links = e.node.kind === 'dir' ? 2 : 1;
    return { mode: modeText(e.node, e.path), links: String(links), user, group, size, when: when(r, timeOf(r, e.node)), e };
  });
  const width = (key: 'links' | 'user' | 'group' | 'size') => Math.max(...rows.map(row => row[key].length));
  return rows
    .map(row => {
      const target = row.e.node.kind === 'symlink' ? ` -> ${row.e.node.target}` : '';
      const inode = has(r, 'i') ? `${1000 + row.e.path.length} ` : '';
      const owner = has(r, 'g') ? '' : r.bb ? `${row.user.padEnd(8)} ` : `${row.user.padEnd(width('user'))} `;
      const name = `${decorated(r, row.e)}${target}\n`;
      if (r.bb)
        return `${inode}${row.mode} ${row.links.padStart(4)} ${owner}${row.group.padEnd(8)} ${row.size.padStart(9)} ${row.when} ${name}`;
      return `${inode}${row.mode} ${row.links.padStart(width('links'))} ${owner}${row.group.padEnd(width('group'))} ${row.size.padStart(width('size'))} ${row.when} ${name}`;
    })
    .join('');
}

function columns(names: string[]): string {
  const width = 80;
  for (let rows = 1; rows <= names.length; rows++) {
    const cols: string[][] = [];
    for (let i = 0; i < names.length; i += rows) cols.push(names.slice(i, i + rows));
    const widths = cols.map((c, i) => Math.max(...c.map(n => n.length)) + (i === cols.length - 1 ? 0 : 2));
    if (widths.reduce((a, b) => a + b, 0) > width && rows < names.length) continue;
    let text = '';
    for (let row = 0; row < rows; row++) {
      const cells = cols.map((c, i) => (c[row] === undefined ? '' : cols[i + 1]?.[row] === undefined ? c[row] : c[row].padEnd(widths[i])));
      text += `${cells.join('').trimEnd()}\n`;
    }
    return text;
  }
  return '';
}

function sorted(r: Run, entries: Entry[]): Entry[] {
  const list = [...entries];
  if (!has(r, 'U') && !has(r, 'f')) list.sort((a, b) => compareBytes(a.name, b.name));
  if (has(r, 't')) list.sort((a, b) => timeOf(r, b.node) - timeOf(r, a.node));
  if (has(r, 'S')) list.sort((a, b) => sizeOf(r, b.node) - sizeOf(r, a.node));
  return has(r, 'r') ? list.reverse() : list;
}

function show(r: Run, entries: Entry[]): void {
  const list = sorted(r, entries);
  if (!list.length) return;
  if (has(r, 'l') || has(r, 'n') || has(r, 'g') || has(r, 'o')) out(r, long(r, list));
  else if (r.p.tty && !has(r, '1')) out(r, columns(list.map(e => decorated(r, e))));
  else out(r, list.map(e => `${has(r, 'i') ? `${1000 + e.path.length} ` : ''}${decorated(r, e)}\n`).join(''));
}

function entriesOf(r: Run, path: string): Entry[] | Errno {
  const at = absolute(path, r.p.cwd);
  const dir = lookup(r.p.fs, at, r.p);
  const entries = listDir(r.p.fs, at, r.p);
  if (typeof entries === 'string') return entries;
  const list: Entry[] = [];
  if ((has(r, 'a') || has(r, 'f')) && typeof dir !== 'string') {
    list.push({ name: '.', path: at, node: dir });
    const up = lookup(r.p.fs, absolute('..', at), r.p);
    list.push({ name: '..', path: absolute('..', at), node: typeof up === 'string' ? dir : up });
  }
  for (const [name, node] of entries) {
    if (name.startsWith('.') && !has(r, 'a') && !has(r, 'A') && !has(r, 'f')) continue;
    list.push({ name, path: at === '/' ? `/${name}` : `${at}/${name}`, node });
  }
  return list;
}

function wrongStyle(r: Run, style: string): number {
  complain(
    r.p,
    `ls: invalid argument '${style}' for 'time style'\nValid arguments are:\n  - [posix-]full-iso\n  - [posix-]long-iso\n  - [posix-]iso\n  - [posix-]locale\n  - +FORMAT (e.g., +%H:%M) for a 'date'-style format\nTry 'ls --help' for more information.\n`,
  );
  return 2;
}

export const LS: ToolSpec = {
  short: '1aAlhtrRSdFpingoGcuUfLHQqskxCwT',
  long: {
    all: 'a',
    'almost-all': 'A',
    'human-readable': 'h',
    reverse: 'r',
    recursive: 'R',
    directory: 'd',
    classify: 'F',
    inode: 'i',
    color: 'k',
    'full-time': 'E',
    'group-directories-first': 'k',
    'time-style': 'T:',
  },
  usage: 'ls [-1AaCxdLHRFplinshrSXvctu] [-w WIDTH] [FILE]...\n\nList directory contents',
  usageStatus: 2,
  *run(r) {
    const style = option(r, 'T');
    if (style !== undefined && !/^(?:(?:posix-)?(?:full-iso|long-iso|iso|locale)|\+[\s\S]*)$/.test(style)) return wrongStyle(r, style);
    if (has(r, 'E')) r.options.set('l', ['']);
    const files: Entry[] = [];
    const dirs: string[] = [];
    let status = 0;
    for (const path of r.args.length ? r.args : ['.']) {
      const follow = !has(r, 'd') && !(has(r, 'l') && !path.endsWith('/'));
      const node = lookup(r.p.fs, absolute(path, r.p.cwd), r.p, follow);
      if (typeof node === 'string') {
        error(r, r.bb ? `${path}: ${strerror(node)}` : `cannot access '${path}': ${strerror(node)}`);
        status = r.bb ? 1 : 2;
      } else if (node.kind === 'dir' && !has(r, 'd')) dirs.push(path);
      else files.push({ name: path, path: absolute(path, r.p.cwd), node });
    }
    show(r, files);
    const several = r.args.length > 1 || has(r, 'R');
    for (let i = 0; i < dirs.length; i++) {
      const entries = entriesOf(r, dirs[i]);
      if (typeof entries === 'string') continue;
      if (several) out(r, `${i || files.length ? '\n' : ''}${dirs[i]}:\n`);
      if (has(r, 'l') || has(r, 'n'))
        out(
          r,
          `total ${Math.ceil(entries.reduce((n, e) => n + (e.node.kind === 'symlink' ? 0 : Math.ceil(sizeOf(r, e.node) / 4096) * 4), 0))}\n`,
        );
      show(r, entries);
      if (has(r, 'R')) {
        const below = sorted(r, entries).filter(e => e.node.kind === 'dir' && e.name !== '.' && e.name !== '..');
        dirs.splice(i + 1, 0, ...below.map(e => `${dirs[i].replace(/\/$/, '')}/${e.name}`));
      }
    }
    return status;
  },
};

/** st_mode's upper bits (inode(7)). */
const S_IFREG = 0o100000;
const TYPE_BITS: Record<string, number> = { directory: 0o040000, 'symbolic link': 0o120000, 'character special file': 0o020000 };

function statFormat(r: Run, format: string, path: string, node: FsNode): string {
  const mode = node.kind === 'symlink' ? 0o777 : node.mode;
  const uid = node.kind === 'symlink' ? 0 : node.uid;
  const user = account(r.p, uid);
  const kind =
    node.kind === 'dir'
      ? 'directory'
      : node.kind === 'symlink'
        ? 'symbolic link'
        : isDevice(absolute(path, r.p.cwd))
          ? 'character special file'
          : sizeOf(r, node)
            ? 'regular file'
            : 'regular empty file';
  const stamp = `${strftime('%Y-%m-%d %H:%M:%S', timeOf(r, node))}.000000000 +0000`;
  const seconds = String(Math.floor(timeOf(r, node) / 1000));
  const fields: Record<string, string> = {
    n: path,
    N: node.kind === 'symlink' ? `'${path}' -> '${node.target}'` : `'${path}'`,
    s: String(sizeOf(r, node)),
    a: mode.toString(8),
    f: ((TYPE_BITS[kind] ?? S_IFREG) | mode).toString(16),
    A: modeText(node, absolute(path, r.p.cwd)),
    u: String(uid),
    U: user?.name ?? 'UNKNOWN',
    g: String(user?.gid ?? uid),
    G: groupName(r.p, user?.gid ?? uid) ?? 'UNKNOWN',
    F: kind,
    Y: seconds,
    X: seconds,
    Z: seconds,
    y: stamp,
    x: stamp,
    z: stamp,
    h: '1',
    i: '1000',
    b: String(Math.ceil(sizeOf(r, node) / 512)),
    B: '512',
    o: '4096',
    '%': '%',
  };
  return format.replace(/%(.)/g, (all, c) => fields[c] ?? all);
}

export const STAT: ToolSpec = {
  short: 'c:Lft',
  long: { format: 'c', dereference: 'L', printf: 'P:', terse: 't', 'file-system': 'f' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'stat [-ltf] [-c FMT] FILE...');
    let status = 0;
    for (const path of r.args) {
      const node = lookup(r.p.fs, absolute(path, r.p.cwd), r.p, has(r, 'L'));
      if (typeof node === 'string') {
        status = error(r, r.bb ? `can't stat '${path}': ${strerror(node)}` : `cannot statx '${path}': ${strerror(node)}`);
        continue;
      }
      const format = option(r, 'c') ?? option(r, 'P');
      if (format !== undefined) out(r, `${statFormat(r, format, path, node)}${has(r, 'c') ? '\n' : ''}`);
      else
        out(
          r,
          `${statFormat(r, `  File: ${r.bb ? '%n' : node.kind === 'symlink' ? `%n -> ${node.target}` : '%n'}\n  Size: %s\t\tBlocks: %b          IO Block: %o   %F\nDevice: 0,50\tInode: %i        Links: %h\nAccess: (${(node.kind === 'symlink' ? 0o777 : node.mode).toString(8).padStart(4, '0')}/%A)  Uid: (    %u/    %U)   Gid: (    %g/    %G)\nAccess: %x\nModify: %y\nChange: %z\n${r.bb ? '' : ' Birth: -\n'}`, path, node)}`,
        );
    }
    return status;
  },
};
