// Redirections: descriptors are pipes; a file is a pipe whose bytes go to (or came from) the vfs.
import type { ProcessSubstitutionPart, Redirect, Redirection } from 'unbash';
import { strerror, waitFor } from '../../linux/process.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { absolute, type FileNode, lookup, newFile, place, readFile, writeFile } from '../../linux/vfs.ts';
import { concat } from '../../sim/bytes.ts';
import { closePipe, newPipe, type Pipe, pipeOf } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { onClose, openFifo } from '../fifo.ts';
import { NETWORK_PATH, openNetwork } from './devtcp.ts';
import { expandHereDoc, expandString, expandWords } from './expand.ts';
import { fail, say } from './messages.ts';
import { runStatements } from './run.ts';
import { assignText } from './simple.ts';
import { spawnShell } from './subshell.ts';
import { bashLike, type Shell } from './types.ts';
import { getParam, variable } from './vars.ts';

type OpenMode = 'read' | 'write' | 'append' | 'clobber' | 'both';

/** Errors that the sink of a file met: writing into a pipe cannot answer them. */
const writeErrors = new WeakMap<Pipe, Errno>();

/** The error of the last write into this descriptor, once. */
export function takeWriteError(pipe: Pipe | undefined): Errno | null {
  if (!pipe) return null;
  const e = writeErrors.get(pipe) ?? null;
  writeErrors.delete(pipe);
  return e;
}

/** May this user write there? Root may; others by the world's bit or as the owner. */
export const mayWrite = (p: Process, node: { mode?: number; uid?: number }): boolean =>
  p.uid === 0 || ((node.mode ?? 0o777) & (node.uid === p.uid ? 0o200 : 0o002)) !== 0;

function parentDir(p: Process, path: string) {
  return lookup(p.fs, path.slice(0, path.lastIndexOf('/')) || '/', p);
}

/** A pipe whose writes go to a file. */
export function fileSink(p: Process, path: string, append: boolean): Pipe | Errno {
  const at = absolute(path, p.cwd);
  const node = lookup(p.fs, at, p);
  if (typeof node === 'string') {
    if (node !== 'ENOENT') return node;
    const dir = parentDir(p, at);
    if (typeof dir === 'string') return dir;
    if (!mayWrite(p, dir as { mode: number; uid: number })) return 'EACCES';
  } else if (node.kind === 'dir') return 'EISDIR';
  else if (node.kind === 'file' && !mayWrite(p, node)) return 'EACCES';
  const device = typeof node !== 'string' && node.kind === 'file' && node.onWrite;
  if (!device && !append) {
    const e = writeFile(p.fs, at, '', p);
    if (e) return e;
    const made = lookup(p.fs, at, p);
    if (typeof node === 'string' && typeof made !== 'string' && made.kind === 'file') made.uid = p.uid;
  } else if (!device && typeof node === 'string') {
    const e = writeFile(p.fs, at, '', p);
    if (e) return e;
  }
  const pipe = newPipe({
    sink: chunk => {
      const e = writeFile(p.fs, at, chunk, p, true);
      if (e) writeErrors.set(pipe, e);
    },
  });
  return pipe;
}

function descriptorName(path: string): number | null {
  const m = /^\/(?:dev|proc\/(?:self|\d+))\/fd\/(\d+)$/.exec(path);
  if (m) return Number(m[1]);
  return path === '/dev/stdin' ? 0 : path === '/dev/stdout' ? 1 : path === '/dev/stderr' ? 2 : null;
}

function* open(sh: Shell, path: string, mode: OpenMode): Co<Pipe | Errno> {
  const { p } = sh;
  const fd = descriptorName(path);
  if (fd !== null && sh.fds.has(fd)) return sh.fds.get(fd) as Pipe;
  if (path === '/dev/tty' && p.tty) return mode === 'read' ? (sh.fds.get(0) as Pipe) : (sh.fds.get(1) as Pipe);
  if (bashLike(sh) && NETWORK_PATH.test(path)) return yield* openNetwork(sh, path);
  const node = lookup(p.fs, absolute(path, p.cwd), p);
  if (typeof node !== 'string' && node.kind === 'file') {
    const fifo = yield* openFifo(p, node, mode);
    if (fifo) return fifo;
  }
  if (mode === 'read' || mode === 'both') {
    const data = readFile(p.fs, absolute(path, p.cwd), p);
    if (typeof data === 'string' && !(mode === 'both' && data === 'ENOENT')) return data;
    if (typeof node !== 'string' && node.kind === 'file' && p.uid !== 0 && !(node.mode & (node.uid === p.uid ? 0o400 : 0o004)))
      return 'EACCES';
    if (mode === 'read') return pipeOf(data as Uint8Array);
    const pipe = fileSink(p, path, true);
    if (typeof pipe !== 'string' && typeof data !== 'string') pipe.chunks.push(data);
    return pipe;
  }
  if (mode === 'write' && sh.options.has('C') && typeof node !== 'string' && node.kind === 'file' && !node.onWrite) return 'EEXIST';
  return fileSink(p, path, mode === 'append');
}

/** Each shell's words for a file that does not open. */
function openError(sh: Shell, path: string, mode: OpenMode, e: Errno): void {
  const reading = mode === 'read';
  if (bashLike(sh) && NETWORK_PATH.test(path)) {
    say(sh, 2, `${sh.name}: ${path}: ${strerror(e)}\n`);
    return;
  }
  if (e === 'EEXIST' && bashLike(sh)) {
    fail(sh, `${path}: cannot overwrite existing file`);
    return;
  }
  if (bashLike(sh)) {
    fail(sh, `${path}: ${strerror(e)}`);
    return;
  }
  if (sh.kind === 'ash') {
    const why = e === 'ENOENT' ? (reading ? 'no such file' : 'nonexistent directory') : strerror(e);
    fail(sh, `can't ${reading ? 'open' : 'create'} ${path}: ${why}`);
    return;
  }
  const why = e === 'ENOENT' || e === 'ENOTDIR' ? (reading ? 'No such file' : 'Directory nonexistent') : strerror(e);
  fail(sh, `cannot ${reading ? 'open' : 'create'} ${path}: ${why}`);
}

const failed = (sh: Shell): false => {
  sh.status = sh.kind === 'dash' ? 2 : 1;
  return false;
};

const MODES: Record<string, OpenMode> = {
  '<': 'read',
  '>': 'write',
  '>>': 'append',
  '>|': 'clobber',
  '<>': 'both',
  '&>': 'write',
  '&>>': 'append',
};

/** Apply redirections to the shell's descriptors, left to right. false: one failed, and was reported. */
export function* redirect(sh: Shell, redirections: readonly Redirection[]): Co<boolean> {
  for (const r of redirections) {
    if (r.type === 'HereDoc') {
      let text = yield* expandHereDoc(sh, r.operator === '<<-' ? stripTabs(r.body) : r.body, r.delimiter?.quoted ?? false);
      if (sh.flow) return false;
      if (r.operator === '<<-' && r.delimiter?.quoted) text = text.replace(/^\t+/gm, '');
      sh.fds.set((yield* namedDescriptor(sh, r, false)) ?? descriptor(r, 0), pipeOf(text));
    } else if (r.type === 'HereString') {
      const text = r.target ? yield* expandString(sh, r.target) : '';
      if (sh.flow) return false;
      sh.fds.set((yield* namedDescriptor(sh, r, false)) ?? descriptor(r, 0), pipeOf(`${text}\n`));
    } else if (!(yield* redirectOne(sh, r))) return false;
  }
  return true;
}

/** <<- takes the tabs away before the text is expanded. */
function stripTabs(body: import('unbash').HereDocBody): import('unbash').HereDocBody {
  const parts = body.parts?.map((part, i) => {
    if (part.type !== 'Literal') return part;
    const text = (i === 0 ? part.text.replace(/^\t+/, '') : part.text).replace(/\n\t+/g, '\n');
    return { ...part, text };
  });
  return { type: 'HereDocBody', pos: body.pos, end: body.end, text: body.text.replace(/^\t+/gm, ''), parts };
}

const descriptor = (r: Redirection, otherwise: number): number =>
  r.descriptor?.type === 'FileDescriptor' ? r.descriptor.value : otherwise;

/** `{name}>file`: a free descriptor from ten on, whose number the variable gets; `{name}>&-` closes the one that it has. */
function* namedDescriptor(sh: Shell, r: Redirection, closing: boolean): Co<number | null> {
  if (r.descriptor?.type !== 'FileDescriptorVariable') return null;
  const m = /^(\w+)(?:\[(.*)\])?$/.exec(r.descriptor.name);
  if (!m) return null;
  if (closing) {
    const v = variable(sh, m[1]);
    return Number(m[2] === undefined ? getParam(sh, m[1]) : (v?.assoc?.get(m[2]) ?? v?.array?.get(Number(m[2]))));
  }
  let free = 10;
  while (sh.fds.has(free)) free++;
  yield* assignText(sh, m[1], String(free), m[2], false);
  return free;
}

function* redirectOne(sh: Shell, r: Redirect): Co<boolean> {
  const words = r.target ? yield* expandWords(sh, [r.target]) : [];
  if (sh.flow) return false;
  if (words.length !== 1 && bashLike(sh)) {
    fail(sh, `${r.target?.text ?? ''}: ambiguous redirect`);
    return failed(sh);
  }
  const target = words.join(' ');
  const both = r.operator === '&>' || r.operator === '&>>';
  if (r.operator === '<&' || r.operator === '>&') {
    const fd = (yield* namedDescriptor(sh, r, target === '-')) ?? descriptor(r, r.operator === '<&' ? 0 : 1);
    if (target === '-') {
      closeDescriptor(sh, fd);
      return true;
    }
    if (/^\d+-?$/.test(target)) return duplicate(sh, fd, target);
    if (r.operator === '<&' || r.descriptor) {
      fail(sh, bashLike(sh) ? `${target}: ambiguous redirect` : 'Bad fd number');
      return failed(sh);
    }
    return yield* toFile(sh, [1, 2], target, 'write');
  }
  const mode = MODES[r.operator];
  const named = yield* namedDescriptor(sh, r, false);
  if (named !== null) {
    return yield* toFile(sh, [named], target, mode);
  }
  return yield* toFile(sh, both ? [1, 2] : [descriptor(r, r.operator.startsWith('<') ? 0 : 1)], target, mode);
}

function* toFile(sh: Shell, fds: number[], target: string, mode: OpenMode): Co<boolean> {
  const pipe = yield* open(sh, target, mode);
  if (typeof pipe === 'string') {
    openError(sh, target, mode, pipe);
    return failed(sh);
  }
  for (const fd of fds) sh.fds.set(fd, pipe);
  return true;
}

function duplicate(sh: Shell, fd: number, target: string): boolean {
  const from = Number(target.replace('-', ''));
  const pipe = sh.fds.get(from);
  if (!pipe) {
    fail(
      sh,
      bashLike(sh) ? `${from}: Bad file descriptor` : sh.kind === 'dash' ? `${from}: Bad file descriptor` : `${from}: Bad file descriptor`,
    );
    return failed(sh);
  }
  sh.fds.set(fd, pipe);
  if (target.endsWith('-')) sh.fds.delete(from);
  return true;
}

function closeDescriptor(sh: Shell, fd: number): void {
  const pipe = sh.fds.get(fd);
  sh.fds.delete(fd);
  if (pipe && ![...sh.fds.values()].includes(pipe)) onClose.get(pipe)?.();
}

/** After a command with redirections: let go what only they had opened. */
export function restoreDescriptors(sh: Shell, saved: Map<number, Pipe>): void {
  const kept = new Set(saved.values());
  for (const pipe of sh.fds.values()) if (!kept.has(pipe)) onClose.get(pipe)?.();
  sh.fds = saved;
}

/** bash's <(…) and >(…): a name under /dev/fd. */
export function* processSubstitution(sh: Shell, part: ProcessSubstitutionPart): Co<string> {
  const { p } = sh;
  let n = 63;
  while (typeof lookup(p.fs, `/dev/fd/${n}`, p) !== 'string') n--;
  const path = `/dev/fd/${n}`;
  const statements = part.script?.commands ?? [];
  let node: FileNode;
  if (part.operator === '<') {
    const chunks: Uint8Array[] = [];
    const stdout = newPipe({ sink: c => chunks.push(c) });
    const child = spawnShell(sh, new Map(sh.fds).set(1, stdout), sub => runStatements(sub, statements));
    yield* waitFor(child);
    node = newFile(concat(chunks.length ? chunks : [new Uint8Array(0)]));
  } else {
    const pipe = newPipe();
    spawnShell(sh, new Map(sh.fds).set(0, pipe), sub => runStatements(sub, statements));
    p.cleanup.push(() => closePipe(pipe));
    node = newFile('');
    node.onWrite = data => {
      pipe.chunks.push(data);
      closePipe(pipe);
      return null;
    };
  }
  place(p.fs, path, node);
  return path;
}
