// Files that a command line names: paths, folders, patterns, standard input.

import { bytesToString } from '../sim/bytes.ts';
import { readAll } from '../sim/pipe.ts';
import { goQuote } from '../sim/quote.ts';
import type { Co } from '../sim/task.ts';
import type { Cmd } from './command.ts';
import { type Failure, fail, failure } from './failure.ts';
import type { FileError } from './host.ts';

export interface Source {
  name: string;
  text?: string;
  /** It could not be opened. */
  error?: Failure;
  /** The folder of a kustomization. */
  kustomize?: boolean;
}

const EXTENSIONS = ['.json', '.yaml', '.yml'];

const WHY: Record<FileError, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EEXIST: 'file exists',
  EIO: 'input/output error',
};

/** Go's *PathError. */
export const pathError = (op: string, path: string, e: FileError): string => `${op} ${path}: ${WHY[e] ?? e}`;

export function* readStdin(cmd: Cmd): Co<string> {
  return bytesToString(yield* readAll(cmd.host.sim, cmd.host.stdin));
}

/** os.ReadFile; the failure has Go's words. */
export function readBytes(cmd: Cmd, path: string): Uint8Array {
  const data = cmd.host.readFile(path);
  return typeof data === 'string' ? fail(pathError(data === 'EISDIR' ? 'read' : 'open', path, data)) : data;
}

export const readText = (cmd: Cmd, path: string): string => bytesToString(readBytes(cmd, path));

function open(cmd: Cmd, name: string): Source {
  const data = cmd.host.readFile(name);
  return typeof data === 'string' ? { name, error: failure(pathError('open', name, data)) } : { name, text: bytesToString(data) };
}

export function fileSources(cmd: Cmd, name: string, recursive: boolean): Source[] {
  if (/^https?:\/\//.test(name)) {
    const text = cmd.host.fetchUrl?.(name) ?? null;
    if (text !== null) return [{ name, text }];
    fail(`unable to read URL ${goQuote(name)}: podnet's clusters have no internet; save the manifest to a file and pass its path`);
  }
  const info = cmd.host.stat(name);
  let paths = [name];
  if (typeof info === 'string') {
    if (info !== 'ENOENT' && info !== 'ENOTDIR') fail(`the path ${goQuote(name)} cannot be accessed: ${pathError('stat', name, info)}`);
    paths = glob(cmd, name);
    if (!paths.length) fail(`the path ${goQuote(name)} does not exist`);
  }
  const sources = paths.flatMap(p => walk(cmd, p, p, recursive));
  if (!sources.length) fail(`error reading [${paths.join(' ')}]: recognized file extensions are [${EXTENSIONS.join(' ')}]`);
  return sources;
}

/** filepath.Walk: lexical order. */
function walk(cmd: Cmd, root: string, path: string, recursive: boolean): Source[] {
  const info = cmd.host.stat(path);
  if (typeof info === 'string') return [{ name: path, error: failure(pathError('lstat', path, info)) }];
  if (!info.directory) {
    if (path !== root && !EXTENSIONS.some(e => path.endsWith(e))) return [];
    return [open(cmd, path)];
  }
  if (path !== root && !recursive) return [];
  const names = cmd.host.listDir(path);
  if (typeof names === 'string') return [{ name: path, error: failure(pathError('open', path, names)) }];
  return [...names]
    .sort()
    .flatMap(n => walk(cmd, root, path.endsWith('/') ? `${path}${n}`.replace(/^\.\//, '') : path === '.' ? n : `${path}/${n}`, recursive));
}

/** filepath.Glob for * ? and [] in any segment. */
function glob(cmd: Cmd, pattern: string): string[] {
  if (!/[*?[]/.test(pattern)) return [];
  const segments = pattern.split('/');
  let found = [segments[0] === '' ? '/' : ''];
  segments.forEach((segment, i) => {
    if (segment === '' && i === 0) return;
    const join = (base: string, n: string) => (base === '' ? n : base.endsWith('/') ? base + n : `${base}/${n}`);
    if (!/[*?[]/.test(segment)) {
      found = found.map(base => join(base, segment)).filter(p => typeof cmd.host.stat(p) !== 'string');
      return;
    }
    const rx = new RegExp(
      `^${segment
        .replace(/[.+^${}()|\\]/g, '\\$&')
        .replace(/\*/g, '[^/]*')
        .replace(/\?/g, '[^/]')}$`,
    );
    found = found.flatMap(base => {
      const names = cmd.host.listDir(base || '.');
      return typeof names === 'string'
        ? []
        : [...names]
            .sort()
            .filter(n => rx.test(n))
            .map(n => join(base, n));
    });
  });
  return found;
}
