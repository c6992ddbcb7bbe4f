// One run of GNU Wget: what was asked for, what it says on the way and what it has done so far.
import { complain, print } from '../../../linux/process.ts';
import type { Process } from '../../../linux/types.ts';
import { absolute, readFile, writeFile } from '../../../linux/vfs.ts';
import { stringToBytes } from '../../../sim/bytes.ts';
import { civilTime, clockText, twoDigits } from '../../../sim/time.ts';
import type { Family, Ip } from '../../../wire/ip.ts';
import type { Reader } from '../../http.ts';
import type { Url } from '../../url.ts';
import type { Userland } from '../../userland.ts';
import type { Asked } from './options.ts';

export interface Run {
  p: Process;
  u: Userland;
  a: Asked;
  /** Says it whatever the verbosity. */
  log: (text: string) => void;
  /** Verbosity: 0 quiet, 1 -nv, 2 as usual. */
  level: number;
  /** The gauge is shown (LOG_PROGRESS). */
  shows: boolean;
  tries: number;
  connectMs: number;
  readMs: number;
  dnsMs: number;
  family: Family | null;
  /** -O. */
  out: string | null;
  spider: boolean;
  kept: { key: string; reader: Reader } | null;
  /** Names are resolved once. */
  resolved: Map<string, Ip[]>;
  /** Hosts that have asked for a password: later requests carry it unasked. */
  challenged: Set<string>;
  /** The first retrieval waits for nothing (-w). */
  begun: boolean;
  files: number;
  bytes: number;
  seconds: number;
}

/** The parent folder is there and can be written: opened with nothing to say. */
function openLog(p: Process, path: string, append: boolean): string | null {
  return writeFile(p.fs, absolute(path, p.cwd), new Uint8Array(0), p, append);
}

export function newRun(p: Process, u: Userland, a: Asked): Run | { cannotLog: string; errno: string } {
  const ms = (name: string, otherwise: number) =>
    (a.amount.get(name) ?? a.amount.get('timeout') ?? otherwise) * 1000 || Number.POSITIVE_INFINITY;
  const logFile = a.text.get('logfile');
  const toFile = logFile !== undefined && logFile !== '-';
  const errno = toFile ? openLog(p, logFile, a.appendLog) : null;
  if (errno) return { cannotLog: logFile as string, errno };
  const log = (text: string) => {
    if (toFile) writeFile(p.fs, absolute(logFile, p.cwd), text, p, true);
    else if (logFile) print(p, text);
    else complain(p, text);
  };
  const quiet = a.on.get('quiet') ?? false;
  const verbose = a.on.get('verbose') ?? !quiet;
  return {
    p,
    u,
    a,
    log,
    level: verbose ? 2 : quiet ? 0 : 1,
    shows: a.on.get('showprogress') ?? verbose,
    tries: (a.amount.get('tries') ?? 20) || Number.POSITIVE_INFINITY,
    connectMs: ms('connecttimeout', 0),
    readMs: ms('readtimeout', 900),
    dnsMs: ms('dnstimeout', 0),
    family: a.on.get('inet4only') ? 4 : a.on.get('inet6only') ? 6 : null,
    out: a.text.get('outputdocument') ?? null,
    spider: (a.on.get('spider') ?? false) || a.text.get('method') === 'HEAD',
    kept: null,
    resolved: new Map(),
    challenged: new Set(),
    begun: false,
    files: 0,
    bytes: 0,
    seconds: 0,
  };
}

export const isOn = (r: Run, command: string, otherwise = false): boolean => r.a.on.get(command) ?? otherwise;

/** LOG_VERBOSE: only as usual. */
export const say = (r: Run, text: string) => {
  if (r.level === 2) r.log(text);
};

/** LOG_NOTQUIET: also with -nv. */
export const tell = (r: Run, text: string) => {
  if (r.level) r.log(text);
};

export function stamp(p: Process): string {
  const c = civilTime(p.kernel.sim.nowMs);
  return `${c.year}-${twoDigits(c.month)}-${twoDigits(c.day)} ${clockText(c)}`;
}

export const usualPort = (url: Url): number => (url.scheme === 'https' ? 443 : 80);
export const portOf = (url: Url): number => url.port ?? usualPort(url);

export function shownUrl(url: Url): string {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  const user = url.user === null ? '' : `${url.user.replace(/:.*/, ':*password*')}@`;
  return `${url.scheme}://${user}${host}${url.port !== null && url.port !== usualPort(url) ? `:${url.port}` : ''}${url.path}`;
}

/** The body that -post-data, --body-file … ask for; the path of a file that cannot be read. */
export function requestBody(r: Run): Uint8Array | null | { missing: string; errno: string } {
  const { text } = r.a;
  const given = text.get('postdata') ?? text.get('bodydata');
  if (given !== undefined) return stringToBytes(given);
  const file = text.get('postfile') ?? text.get('bodyfile');
  if (file === undefined) return null;
  const data = readFile(r.p.fs, absolute(file, r.p.cwd), r.p);
  return typeof data === 'string' ? { missing: file, errno: data } : data;
}

export const askedMethod = (r: Run): string | undefined =>
  r.a.text.get('method') ?? (r.a.text.has('postdata') || r.a.text.has('postfile') ? 'POST' : undefined);

/** What a URL came to: done with an exit code, or on to another URL. */
export type Attempt = { done: number } | { redirect: string };
