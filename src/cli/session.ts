// What podnet remembers between two commands: an exclusive-link log.
//
//   state/root            names the first epoch
//   state/hint-G-NAME     an epoch that was committed: where readers may begin instead of at the root
//   state/eG-NAME/        one epoch: BUCKET.json snapshots, log/00000001 … deltas, each a batch of changes
//
// A commit writes its delta beside the log and links it to the next free number. link() fails when the number is taken, so of
// two writers that read the same state one wins and the other begins again on the new state. A delta that names another epoch
// ends the log: compaction copies the state into a fresh folder and commits the move in the same way. Nothing is overwritten,
// no name is used twice and there is no lock: a writer that is killed or stopped at any point leaves nothing to clean up but
// files nobody reads, and one that wakes up late finds its number taken or its whole folder gone.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { Change } from '../apiserver/types.ts';

export interface Session {
  /** The `state` folder. */
  dir: string;
  epoch: string;
  generation: number;
  /** Number of the last delta read. */
  seq: number;
  bytes: number;
  /** Changes since the snapshot: bucket -> key -> value, null when deleted. */
  overlay: Map<string, Map<string, unknown>>;
  /** Snapshots read so far. */
  snapshots: Map<string, Map<string, unknown>>;
}

/** A session that cannot be read or written; the message is for the user. */
export class SessionError extends Error {}

/** The epoch that was being read has been swept away: open the session anew. */
export class SessionMoved extends Error {}

const LOG = 'log';
const name = (seq: number) => String(seq).padStart(8, '0');
const code = (e: unknown) => (e as NodeJS.ErrnoException).code;
/** No two of any processes are the same; node:crypto would cost every command its loading. */
const unique = () =>
  `${process.pid.toString(36)}-${process.hrtime.bigint().toString(36)}${Math.floor(Math.random() * 2 ** 52)
    .toString(36)
    .padStart(10, '0')}`;

function fail(what: string, e: unknown): never {
  const why =
    code(e) === 'ENOSPC'
      ? 'no space left on device'
      : code(e) === 'EACCES' || code(e) === 'EPERM'
        ? 'permission denied'
        : code(e) === 'EROFS'
          ? 'read-only file system'
          : (e as Error).message;
  throw new SessionError(`${what}: ${why}`);
}

/** Open the session under `home`; `create` gives the first state of a new one. */
export function openSession(home: string, create: () => Change[]): Session {
  const dir = join(home, 'state');
  for (let attempt = 0; attempt < 1000; attempt++) {
    let entries: string[] = [];
    try {
      entries = fs.readdirSync(dir);
    } catch (e) {
      if (code(e) !== 'ENOENT') fail(`cannot read ${dir}`, e);
    }
    const start = newestEpoch(dir, entries);
    if (start === null) {
      makeRoot(dir, create());
      continue;
    }
    const session = readFrom(dir, start);
    if (session) return session;
  }
  throw new SessionError(`cannot read ${dir}: it keeps changing`);
}

/** Where reading begins: the newest hint, or the root. null: there is no session yet. */
function newestEpoch(dir: string, entries: string[]): string | null {
  let best = '';
  let generation = -1;
  for (const e of entries) {
    const m = /^hint-(\d+)-(.+)$/.exec(e);
    if (m && Number(m[1]) > generation && entries.includes(`e${m[1]}-${m[2]}`)) {
      generation = Number(m[1]);
      best = `e${m[1]}-${m[2]}`;
    }
  }
  if (best) return best;
  if (!entries.includes('root')) return null;
  return String(parse(join(dir, 'root')));
}

function parse(path: string): unknown {
  const text = fs.readFileSync(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new SessionError(`${path} is damaged (${(e as Error).message}); "podnet cluster reset" starts afresh`);
  }
}

/** null: the epoch went away while it was read; begin again. */
function readFrom(dir: string, epoch: string): Session | null {
  const session = newSession(dir, epoch);
  try {
    while (refresh(session) === 'moved');
    return session;
  } catch (e) {
    if (e instanceof SessionError) throw e;
    if (e instanceof SessionMoved || code(e) === 'ENOENT') return null;
    fail(`cannot read ${dir}`, e);
  }
}

function newSession(dir: string, epoch: string): Session {
  return { dir, epoch, generation: Number(/^e(\d+)/.exec(epoch)?.[1] ?? 0), seq: 0, bytes: 0, overlay: new Map(), snapshots: new Map() };
}

/** Read the deltas that were committed since; the changes in them go to `seen`. */
export function refresh(session: Session, seen?: (changes: Change[]) => void): 'same' | 'new' | 'moved' {
  let found = false;
  for (;;) {
    const path = join(session.dir, session.epoch, LOG, name(session.seq + 1));
    let text: string;
    try {
      text = fs.readFileSync(path, 'utf8');
    } catch (e) {
      if (code(e) !== 'ENOENT') throw e;
      if (!found && !stands(session)) throw new SessionMoved();
      return found ? 'new' : 'same';
    }
    let delta: { changes?: Change[]; epoch?: string };
    try {
      delta = JSON.parse(text);
    } catch (e) {
      throw new SessionError(`${path} is damaged (${(e as Error).message}); "podnet cluster reset" starts afresh`);
    }
    if (delta.epoch) {
      Object.assign(session, newSession(session.dir, delta.epoch));
      return 'moved';
    }
    session.seq++;
    session.bytes += text.length;
    found = true;
    apply(session, delta.changes ?? []);
    seen?.(delta.changes ?? []);
  }
}

/** Whether others have committed since this was read (or have moved on, so that it has to be opened anew). */
export const hasNews = (session: Session): boolean =>
  fs.existsSync(join(session.dir, session.epoch, LOG, name(session.seq + 1))) || !stands(session);

/** Read all that was committed since, wherever it lies by now. `gone` is thrown when there is no session any more. */
export function catchUp(session: Session, gone: () => Error): void {
  try {
    while (refresh(session) === 'moved');
  } catch (e) {
    if (!(e instanceof SessionMoved)) throw e;
    const none = () => {
      throw gone();
    };
    Object.assign(session, openSession(dirname(session.dir), none));
  }
}

/** Every bucket that has anything in it. */
export function bucketNames(session: Session): string[] {
  const names = new Set(session.overlay.keys());
  for (const f of fs.readdirSync(join(session.dir, session.epoch))) if (f.endsWith('.json')) names.add(decodeURIComponent(f.slice(0, -5)));
  return [...names];
}

function apply(session: Session, changes: Change[]): void {
  for (const c of changes) {
    let bucket = session.overlay.get(c.bucket);
    if (!bucket) {
      bucket = new Map();
      session.overlay.set(c.bucket, bucket);
    }
    bucket.set(c.key, c.object);
  }
}

/** A swept epoch is renamed before it is deleted, so it is there as a whole or not at all. */
const stands = (session: Session): boolean => fs.existsSync(join(session.dir, session.epoch, LOG));

const bucketFile = (dir: string, epoch: string, bucket: string): string => join(dir, epoch, `${encodeURIComponent(bucket)}.json`);

/** All values of one bucket, by key. */
export function loadBucket(session: Session, bucket: string): Map<string, unknown> {
  let base = session.snapshots.get(bucket);
  if (!base) {
    const path = bucketFile(session.dir, session.epoch, bucket);
    try {
      base = new Map(parse(path) as [string, unknown][]);
    } catch (e) {
      if (e instanceof SessionError) throw e;
      if (code(e) !== 'ENOENT') fail(`cannot read ${path}`, e);
      // No file: nothing of this kind, or no epoch any more.
      if (!stands(session)) throw new SessionMoved();
      base = new Map();
    }
    session.snapshots.set(bucket, base);
  }
  const over = session.overlay.get(bucket);
  if (!over) return base;
  const all = new Map(base);
  for (const [key, value] of over) {
    if (value === null) all.delete(key);
    else all.set(key, value);
  }
  return all;
}

/** Commit a batch on top of what was read. false: somebody else was first; begin again on the new state. */
export function commit(session: Session, changes: Change[]): boolean {
  const text = JSON.stringify({ changes });
  if (!exclusive(session, text)) return false;
  session.seq++;
  session.bytes += text.length;
  apply(session, changes);
  return true;
}

function exclusive(session: Session, text: string): boolean {
  const folder = join(session.dir, session.epoch);
  const temporary = join(folder, `tmp-${unique()}`);
  try {
    fs.writeFileSync(temporary, text, { flag: 'wx' });
    fs.linkSync(temporary, join(folder, LOG, name(session.seq + 1)));
    return true;
  } catch (e) {
    if (code(e) === 'EEXIST' || code(e) === 'ENOENT') return false;
    fail(`cannot write ${folder}`, e);
  } finally {
    forget(temporary);
  }
}

/** As fs.rmSync with `force`, which loads more than most commands need. */
function forget(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch {
    // Never written.
  }
}

function makeRoot(dir: string, changes: Change[]): void {
  try {
    fs.mkdirSync(dir, { recursive: true });
    const epoch = writeEpoch(dir, 1, group(changes));
    const temporary = join(dir, `tmp-${unique()}`);
    fs.writeFileSync(temporary, JSON.stringify(epoch), { flag: 'wx' });
    try {
      fs.linkSync(temporary, join(dir, 'root'));
      fs.writeFileSync(join(dir, `hint-${epoch.slice(1)}`), '');
    } catch (e) {
      fs.rmSync(join(dir, epoch), { recursive: true, force: true });
      if (code(e) !== 'EEXIST') throw e;
    } finally {
      fs.rmSync(temporary, { force: true });
    }
  } catch (e) {
    fail(`cannot write ${dir}`, e);
  }
}

function group(changes: Change[]): Map<string, Map<string, unknown>> {
  const buckets = new Map<string, Map<string, unknown>>();
  for (const c of changes) {
    const bucket = buckets.get(c.bucket) ?? new Map();
    buckets.set(c.bucket, bucket);
    if (c.object === null) bucket.delete(c.key);
    else bucket.set(c.key, c.object);
  }
  return buckets;
}

/** `buckets`: objects by key, or the file of another epoch that holds them. */
function writeEpoch(dir: string, generation: number, buckets: Map<string, Map<string, unknown> | string>): string {
  const epoch = `e${generation}-${unique()}`;
  fs.mkdirSync(join(dir, epoch, LOG), { recursive: true });
  for (const [bucket, objects] of buckets) {
    const file = bucketFile(dir, epoch, bucket);
    if (typeof objects === 'string') fs.linkSync(objects, file);
    else if (objects.size) fs.writeFileSync(file, JSON.stringify([...objects]));
  }
  return epoch;
}

/** A log this long is worth a fresh snapshot: replaying it would cost a short command more than reading one file per kind. */
const MOST_DELTAS = 24;
/** A `get` reads all of the log, but of the snapshots only the kinds it asks for. */
const MOST_BYTES = 128 * 1024;

export const wantsCompaction = (session: Session): boolean => session.seq >= MOST_DELTAS || session.bytes > MOST_BYTES;

/**
 * Copy the state into a new epoch: what nobody has changed since the last one is the same file under another name. Loses against any other
 * commit, and then just leaves it to the next command.
 */
export function compact(session: Session): boolean {
  const buckets = new Map<string, Map<string, unknown> | string>();
  try {
    for (const n of bucketNames(session))
      buckets.set(n, session.overlay.has(n) ? loadBucket(session, n) : bucketFile(session.dir, session.epoch, n));
  } catch (e) {
    if (e instanceof SessionMoved || code(e) === 'ENOENT') return false;
    throw e;
  }
  return moveTo(session, buckets);
}

/** Replace the whole state (cluster create, reset). false: somebody else was first. */
export function replaceAll(session: Session, changes: Change[]): boolean {
  return moveTo(session, group(changes));
}

function moveTo(session: Session, buckets: Map<string, Map<string, unknown> | string>): boolean {
  let epoch = '';
  try {
    epoch = writeEpoch(session.dir, session.generation + 1, buckets);
    if (!exclusive(session, JSON.stringify({ epoch }))) {
      fs.rmSync(join(session.dir, epoch), { recursive: true, force: true });
      return false;
    }
    fs.writeFileSync(join(session.dir, `hint-${epoch.slice(1)}`), '');
  } catch (e) {
    if (e instanceof SessionError) throw e;
    // Others have moved on so far that even the new folder was swept.
    if (code(e) === 'ENOENT') return false;
    fail(`cannot write ${session.dir}`, e);
  }
  Object.assign(session, newSession(session.dir, epoch));
  sweep(session);
  return true;
}

/**
 * Remove epochs two or more generations old, and failed attempts as old. Each is renamed first: deleting its log file by file would set
 * numbers free one by one, and a writer that slept since then would find one of them.
 */
function sweep(session: Session): void {
  try {
    for (const e of fs.readdirSync(session.dir)) {
      const generation = Number(/^(?:e|hint-)(\d+)-/.exec(e)?.[1] ?? Number.POSITIVE_INFINITY);
      const path = join(session.dir, e);
      if (/^trash-/.test(e)) fs.rmSync(path, { recursive: true, force: true });
      if (generation >= session.generation - 1) continue;
      if (e.startsWith('hint-')) {
        fs.rmSync(path, { force: true });
        continue;
      }
      const trash = join(session.dir, `trash-${unique()}`);
      fs.renameSync(path, trash);
      fs.rmSync(trash, { recursive: true, force: true });
    }
  } catch {
    // Another process sweeps too; what is left is found next time.
  }
}
