// One URL's retrieval by GNU Wget: what is known of it between its requests (src/http.c struct http_stat).
import { absolute, lookup } from '../../../linux/vfs.ts';
import type { Co } from '../../../sim/task.ts';
import type { Reader } from '../../http.ts';
import type { Url } from '../../url.ts';
import { httpSeconds } from '../curl-cookies.ts';
import type { Run } from './run.ts';

/** What one request came to (uerr_t). `fatal`: what is said with -nv too, behind an empty line. */
export type Answer =
  | { kind: 'again'; text: string }
  | { kind: 'over'; code: number }
  | { kind: 'fatal'; text: string; code: number }
  | { kind: 'redirect'; to: string | null; status: number; keepsMethod: boolean }
  | { kind: 'unneeded' }
  | { kind: 'finished'; status: number; reason: string; ok: boolean; html: boolean };

export interface Line {
  reader: Reader;
  key: string;
  proxied: boolean;
}

export interface OldFile {
  size: number;
  mtimeMs: number;
}

export interface Retrieval {
  url: Url;
  /** The file's name, once it is known. */
  name: string | null;
  /** Whether something is under that name has been looked at. */
  checked: boolean;
  /** From 1. */
  count: number;
  /** A redirection has turned a POST into a GET. */
  plainGet: boolean;
  headOnly: boolean;
  conditional: boolean;
  /** Bytes that are there already and not asked for. */
  start: number;
  /** Bytes of the whole that are there now, and how many there are; null: nobody has said. */
  got: number;
  total: number | null;
  /** Bytes that came and the seconds they took. */
  received: number;
  seconds: number;
  /** Why the body ended too early: `EOF` or an errno. */
  broken: string | null;
  remoteTime: string | null;
  /** With -N: the file as it is. Times are whole seconds, as HTTP's are. */
  old: OldFile | null;
  /** Another request over the same connection, or over a new one if that has been closed. */
  again: (line: Line, ask: (line: Line) => Co<Answer>) => Co<Answer>;
}

export function oldFile(r: Run, name: string): OldFile | null {
  const node = lookup(r.p.fs, absolute(name, r.p.cwd), r.p);
  if (typeof node === 'string' || node.kind !== 'file') return null;
  const data = typeof node.data === 'function' ? node.data(r.p) : node.data;
  return { size: data.length, mtimeMs: Math.floor(node.mtimeMs / 1000) * 1000 };
}

/** When the server says that the file was changed; null: it does not, or not in words that are known. */
export function remoteMsOf(g: Retrieval): number | null {
  const seconds = g.remoteTime === null ? null : httpSeconds(g.remoteTime);
  return seconds === null ? null : seconds * 1000;
}
