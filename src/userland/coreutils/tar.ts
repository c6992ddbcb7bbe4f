// tar: ustar archives (POSIX.1-1988), as kubectl cp makes and reads them.
import { complain, strerror } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import { absolute, type FsNode, listDir, lookup, makeDir, readFile, writeFile } from '../../linux/vfs.ts';
import { compareBytes, concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import type { Userland } from '../userland.ts';
import { out, type Run, slurp, toBinary } from './tool.ts';

const BLOCK = 512;

function header(name: string, node: FsNode, size: number): Uint8Array {
  const b = new Uint8Array(BLOCK);
  const text = (at: number, s: string) => b.set(stringToBytes(s), at);
  const octal = (at: number, width: number, n: number) => text(at, `${n.toString(8).padStart(width - 1, '0')}\0`);
  let short = name;
  if (short.length > 100) {
    const cut = short.lastIndexOf('/', 154);
    text(345, short.slice(0, cut));
    short = short.slice(cut + 1);
  }
  text(0, short.slice(0, 100));
  octal(100, 8, node.kind === 'symlink' ? 0o777 : node.mode & 0o7777);
  octal(108, 8, node.kind === 'symlink' ? 0 : node.uid);
  octal(116, 8, 0);
  octal(124, 12, size);
  octal(136, 12, Math.floor(node.mtimeMs / 1000));
  text(148, '        ');
  text(156, node.kind === 'dir' ? '5' : node.kind === 'symlink' ? '2' : '0');
  if (node.kind === 'symlink') text(157, node.target.slice(0, 100));
  text(257, 'ustar\x0000');
  text(265, 'root');
  text(297, 'root');
  let sum = 0;
  for (const x of b) sum += x;
  text(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return b;
}

interface Options {
  directory: string;
  verbose: boolean;
  strip: number;
  exclude: string[];
}

function addPath(r: Run, o: Options, name: string, parts: Uint8Array[]): boolean {
  const path = absolute(name, o.directory);
  const node = lookup(r.p.fs, path, r.p, false);
  if (typeof node === 'string') {
    complain(r.p, r.bb ? `tar: ${name}: ${strerror(node)}\n` : `tar: ${name}: Cannot stat: ${strerror(node)}\n`);
    return false;
  }
  if (o.exclude.some(e => name === e || name.endsWith(`/${e}`))) return true;
  const stored = name.replace(/^\/+/, '');
  if (o.verbose) complain(r.p, `${stored}${node.kind === 'dir' ? '/' : ''}\n`);
  if (node.kind === 'dir') {
    parts.push(header(`${stored.replace(/\/$/, '')}/`, node, 0));
    const entries = listDir(r.p.fs, path, r.p);
    let ok = true;
    if (typeof entries !== 'string')
      for (const child of [...entries.keys()].sort(compareBytes)) ok = addPath(r, o, `${name.replace(/\/$/, '')}/${child}`, parts) && ok;
    return ok;
  }
  if (node.kind === 'symlink') {
    parts.push(header(stored, node, 0));
    return true;
  }
  const data = readFile(r.p.fs, path, r.p);
  const bytes = typeof data === 'string' ? new Uint8Array(0) : data;
  parts.push(header(stored, node, bytes.length), bytes, new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK));
  return true;
}

interface Member {
  name: string;
  type: string;
  mode: number;
  mtimeMs: number;
  target: string;
  data: Uint8Array;
}

function members(archive: Uint8Array): Member[] | null {
  const out: Member[] = [];
  let longName = '';
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const head = toBinary(archive.subarray(at, at + BLOCK));
    if (head.charCodeAt(0) === 0) break;
    const field = (from: number, length: number) => head.slice(from, from + length).split('\0')[0];
    const size = Number.parseInt(field(124, 12).trim() || '0', 8);
    if (Number.isNaN(size)) return null;
    const data = archive.slice(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = head[156];
    if (type === 'L') {
      longName = toBinary(data).split('\0')[0];
      continue;
    }
    if (type === 'x' || type === 'g') {
      longName = /\d+ path=([^\n]*)\n/.exec(toBinary(data))?.[1] ?? longName;
      continue;
    }
    const prefix = field(257, 5) === 'ustar' ? field(345, 155) : '';
    const name = longName || (prefix ? `${prefix}/${field(0, 100)}` : field(0, 100));
    longName = '';
    out.push({
      name,
      type,
      mode: Number.parseInt(field(100, 8).trim() || '644', 8),
      mtimeMs: Number.parseInt(field(136, 12).trim() || '0', 8) * 1000,
      target: field(157, 100),
      data,
    });
  }
  return out;
}

function extractOne(r: Run, o: Options, m: Member): boolean {
  const stripped = m.name.replace(/^\/+/, '').split('/').slice(o.strip).join('/');
  if (!stripped) return true;
  const path = absolute(stripped, o.directory);
  const steps = path.split('/').filter(Boolean);
  const isDir = m.type === '5' || m.name.endsWith('/');
  for (let i = 1; i < steps.length + (isDir ? 1 : 0); i++) {
    const dir = `/${steps.slice(0, i).join('/')}`;
    if (typeof lookup(r.p.fs, dir, r.p) !== 'string') continue;
    const e = makeDir(r.p.fs, dir, r.p);
    if (e) {
      complain(r.p, r.bb ? `tar: can't make dir ${stripped}: ${strerror(e)}\n` : `tar: ${stripped}: Cannot mkdir: ${strerror(e)}\n`);
      return false;
    }
  }
  if (isDir) return true;
  const e = writeFile(r.p.fs, path, m.data, r.p);
  if (e) {
    complain(r.p, r.bb ? `tar: can't open '${stripped}': ${strerror(e)}\n` : `tar: ${stripped}: Cannot open: ${strerror(e)}\n`);
    return false;
  }
  const node = lookup(r.p.fs, path, r.p);
  if (typeof node !== 'string' && node.kind === 'file') {
    node.mode = m.mode & 0o7777;
    node.mtimeMs = m.mtimeMs || r.p.kernel.sim.nowMs;
  }
  return true;
}

/** tar takes its letters with or without a dash, and options between the names. */
export const tar =
  (bb: boolean) =>
  (u: Userland): Program =>
    function* (p): Co<number> {
      const r: Run = { p, u, bb, name: 'tar', options: new Map(), args: [] };
      const o: Options = { directory: p.cwd, verbose: false, strip: 0, exclude: [] };
      const words = p.argv.slice(1);
      if (words[0] && !words[0].startsWith('-')) words[0] = `-${words[0]}`;
      let mode = '';
      let file = '-';
      const names: string[] = [];
      for (let i = 0; i < words.length; i++) {
        const word = words[i];
        const long = /^--([a-z-]+)(?:=(.*))?$/.exec(word);
        if (long) {
          const value = () => long[2] ?? words[++i] ?? '';
          if (long[1] === 'directory') o.directory = absolute(value(), p.cwd);
          else if (long[1] === 'file') file = value();
          else if (long[1] === 'strip-components') o.strip = Number(value());
          else if (long[1] === 'exclude') o.exclude.push(value());
          else if (long[1] === 'create' || long[1] === 'extract' || long[1] === 'list')
            mode = long[1][0] === 'e' ? 'x' : long[1] === 'list' ? 't' : 'c';
          continue;
        }
        if (!word.startsWith('-') || word === '-') {
          names.push(word);
          continue;
        }
        for (const letter of word.slice(1)) {
          if ('cxt'.includes(letter)) mode = letter;
          else if (letter === 'v') o.verbose = true;
          else if (letter === 'f') file = words[++i] ?? '-';
          else if (letter === 'C') o.directory = absolute(words[++i] ?? '.', p.cwd);
          else if (letter === 'z' || letter === 'j' || letter === 'J') {
            complain(p, 'tar: compressed archives are not modelled\n');
            return 1;
          }
        }
      }
      if (!mode) {
        complain(
          p,
          bb
            ? 'tar: must specify exactly one of -cxt\n'
            : "tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\nTry 'tar --help' or 'tar --usage' for more information.\n",
        );
        return bb ? 1 : 2;
      }
      if (mode === 'c') return create(r, o, file, names);
      return yield* read(r, o, file, names, mode === 't');
    };

function create(r: Run, o: Options, file: string, names: string[]): number {
  if (!names.length) {
    complain(
      r.p,
      r.bb
        ? 'tar: empty archive\n'
        : "tar: Cowardly refusing to create an empty archive\nTry 'tar --help' or 'tar --usage' for more information.\n",
    );
    return r.bb ? 1 : 2;
  }
  const parts: Uint8Array[] = [];
  let ok = true;
  if (!r.bb && names.some(n => n.startsWith('/'))) complain(r.p, "tar: Removing leading `/' from member names\n");
  if (r.bb && names.some(n => n.startsWith('/'))) complain(r.p, "tar: removing leading '/' from member names\n");
  for (const name of names) ok = addPath(r, o, name, parts) && ok;
  const used = parts.reduce((n, b) => n + b.length, 0) + 2 * BLOCK;
  const whole = concat([...parts, new Uint8Array(2 * BLOCK + ((20 * BLOCK - (used % (20 * BLOCK))) % (20 * BLOCK)))]);
  if (file === '-') out(r, whole);
  else writeFile(r.p.fs, absolute(file, r.p.cwd), whole, r.p);
  if (!ok)
    complain(r.p, r.bb ? 'tar: error exit delayed from previous errors\n' : 'tar: Exiting with failure status due to previous errors\n');
  return ok ? 0 : r.bb ? 1 : 2;
}

function* read(r: Run, o: Options, file: string, names: string[], listing: boolean): Co<number> {
  const data = yield* slurp(r, file);
  if (typeof data === 'string') return r.bb ? 1 : 2;
  const list = members(data);
  if (!list) {
    complain(
      r.p,
      r.bb
        ? 'tar: invalid tar magic\n'
        : 'tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n',
    );
    return r.bb ? 1 : 2;
  }
  let ok = true;
  for (const m of list) {
    if (names.length && !names.some(n => m.name === n || m.name.startsWith(`${n.replace(/\/$/, '')}/`))) continue;
    if (listing || o.verbose) out(r, `${m.name}\n`);
    if (!listing && m.type !== '2') ok = extractOne(r, o, m) && ok;
  }
  return ok ? 0 : 2;
}
