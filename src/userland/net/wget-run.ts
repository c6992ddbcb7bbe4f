// One run of GNU Wget: its options, and what it says on the way.
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { absolute, writeFile } from '../../linux/vfs.ts';
import { civilTime, clockText, twoDigits } from '../../sim/time.ts';
import type { Family, Ip } from '../../wire/ip.ts';
import { type Options, optionValue } from '../busybox.ts';
import type { Reader } from '../http.ts';
import type { Url } from '../url.ts';
import type { Userland } from '../userland.ts';

export const LONG: Record<string, string> = {
  quiet: 'q',
  verbose: 'v',
  'no-verbose': 'nv',
  'output-document=': 'O',
  'output-file=': 'o',
  'directory-prefix=': 'P',
  spider: 'spider',
  'server-response': 'S',
  'timeout=': 'T',
  'connect-timeout=': 'connect-timeout',
  'dns-timeout=': 'dns-timeout',
  'read-timeout=': 'read-timeout',
  'tries=': 't',
  'waitretry=': 'waitretry',
  'wait=': 'w',
  'retry-connrefused': 'retry-connrefused',
  'header=': 'header',
  'post-data=': 'post-data',
  'post-file=': 'post-file',
  'body-data=': 'post-data',
  'method=': 'method',
  'user-agent=': 'U',
  'user=': 'user',
  'password=': 'password',
  'http-user=': 'user',
  'http-password=': 'password',
  'no-check-certificate': 'no-check-certificate',
  'ca-certificate=': 'ca-certificate',
  'inet4-only': '4',
  'inet6-only': '6',
  'no-proxy': 'ignored',
  'no-cache': 'ignored',
  'no-hsts': 'ignored',
  'no-cookies': 'ignored',
  'no-clobber': 'nc',
  'show-progress': 'show-progress',
  'progress=': 'ignored',
  'max-redirect=': 'max-redirect',
  'content-on-error': 'content-on-error',
  'save-headers': 'save-headers',
  'referer=': 'referer',
  version: 'V',
  help: 'h',
};

export interface Run {
  p: Process;
  u: Userland;
  o: Options;
  log: (text: string) => void;
  /** Verbosity: 0 quiet, 1 -nv, 2 as usual. */
  level: number;
  tries: number;
  connectMs: number;
  readMs: number;
  dnsMs: number;
  family: Family | null;
  out: string | null;
  outStarted: boolean;
  kept: { key: string; reader: Reader } | null;
  /** Names are resolved once. */
  resolved: Map<string, Ip[]>;
}

export function newRun(p: Process, u: Userland, o: Options): Run {
  const ms = (name: string, otherwise: number) =>
    Number(optionValue(o, name) ?? optionValue(o, 'T') ?? otherwise) * 1000 || Number.POSITIVE_INFINITY;
  const logFile = optionValue(o, 'o');
  const log = (text: string) => {
    if (logFile && logFile !== '-') writeFile(p.fs, absolute(logFile, p.cwd), text, p, true);
    else if (logFile) print(p, text);
    else complain(p, text);
  };
  const t = optionValue(o, 't');
  return {
    p,
    u,
    o,
    log,
    level: o.flags.has('q') ? 0 : o.flags.has('nv') ? 1 : 2,
    tries: t === undefined ? 20 : t === 'inf' || Number(t) === 0 ? Number.POSITIVE_INFINITY : Number(t),
    connectMs: ms('connect-timeout', 0),
    readMs: ms('read-timeout', 900),
    dnsMs: ms('dns-timeout', 0),
    family: o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null,
    out: optionValue(o, 'O') ?? null,
    outStarted: false,
    kept: null,
    resolved: new Map(),
  };
}

export const say = (r: Run, text: string) => {
  if (r.level === 2) r.log(text);
};

export function stamp(p: Process): string {
  const c = civilTime(p.kernel.sim.nowMs);
  return `${c.year}-${twoDigits(c.month)}-${twoDigits(c.day)} ${clockText(c)}`;
}

export function shownUrl(url: Url): string {
  const usual = url.scheme === 'https' ? 443 : 80;
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  return `${url.scheme}://${host}${url.port !== null && url.port !== usual ? `:${url.port}` : ''}${url.path}`;
}

/** What one attempt came to: done with an exit code, again, or on to another URL. */
export type Attempt = { done: number } | { again: string } | { redirect: string };
