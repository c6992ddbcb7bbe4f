// GNU Wget's tries for one URL (src/http.c http_loop, 1.21.3), and the connection that each goes over.
import { sleep, strerror } from '../../../linux/process.ts';
import { close } from '../../../linux/socket.ts';
import type { Errno } from '../../../linux/types.ts';
import { absolute, lookup, noteChange, remove } from '../../../linux/vfs.ts';
import { nextU32 } from '../../../sim/random.ts';
import type { Co } from '../../../sim/task.ts';
import { parseUrl, type Url } from '../../url.ts';
import { numericHost } from '../resolv-conf.ts';
import { reach } from './connect.ts';
import { ask } from './exchange.ts';
import { exists, fileName } from './name.ts';
import { speed } from './progress.ts';
import { type Answer, type Line, oldFile, type Retrieval, remoteMsOf } from './retrieval.ts';
import { type Attempt, isOn, portOf, type Run, requestBody, say, shownUrl, stamp, tell } from './run.ts';

/** The proxy of the environment or of -e (src/retr.c getproxy); null: none, or spared by no_proxy. */
function proxyOf(r: Run, url: Url): Url | null {
  if (!isOn(r, 'useproxy', true)) return null;
  const spared = (r.a.text.get('noproxy') ?? r.p.env.get('no_proxy') ?? '').split(',').map(n => n.trim());
  if (spared.some(n => n !== '' && url.host.endsWith(n))) return null;
  const text = r.a.text.get(`${url.scheme}proxy`) ?? r.p.env.get(`${url.scheme}_proxy`);
  return text ? parseUrl(text) : null;
}

function* lineTo(r: Run, url: Url): Co<Line | { done: number } | { again: string }> {
  const proxy = proxyOf(r, url);
  if (proxy && url.scheme === 'https') {
    tell(r, 'podnet does not model https through a proxy\n');
    return { done: 4 };
  }
  const at = proxy ?? url;
  const port = portOf(at);
  const key = `${at.scheme} ${at.host} ${port}`;
  if (r.kept?.key === key && r.kept.reader.stream.socket.state === 'ESTAB') {
    const shown = numericHost(at.host) ? (at.host.includes(':') ? `[${at.host}]` : at.host) : at.host;
    say(r, `Reusing existing connection to ${shown}:${port}.\n`);
    const { reader } = r.kept;
    r.kept = null;
    return { reader, key, proxied: proxy !== null };
  }
  if (r.kept) close(r.kept.reader.stream.socket);
  r.kept = null;
  const made = yield* reach(r, at, port);
  return 'done' in made || 'again' in made ? made : { reader: made, key, proxied: proxy !== null };
}

function* once(r: Run, g: Retrieval): Co<Answer> {
  const body = g.plainGet ? null : requestBody(r);
  if (body && 'missing' in body) {
    tell(r, `BODY data file '${body.missing}' missing: ${strerror(body.errno as Errno)}\n`);
    return { kind: 'over', code: 3 };
  }
  const line = yield* lineTo(r, g.url);
  if ('done' in line) return { kind: 'over', code: line.done };
  if ('again' in line) return { kind: 'again', text: line.again };
  return yield* ask(r, g, line, body);
}

function newRetrieval(r: Run, url: Url, original: Url, plainGet: boolean): Retrieval {
  const known = r.out ?? (isOn(r, 'contentdisposition') ? null : fileName(r, isOn(r, 'trustservernames') ? url : original));
  return {
    url,
    name: known,
    checked: false,
    count: 0,
    plainGet,
    headOnly: false,
    conditional: false,
    start: 0,
    got: 0,
    total: null,
    received: 0,
    seconds: 0,
    broken: null,
    remoteTime: null,
    old: null,
    again: function* (_line, next) {
      const line = yield* lineTo(r, url);
      if ('done' in line) return { kind: 'over', code: line.done };
      return 'again' in line ? { kind: 'again', text: line.again } : yield* next(line);
    },
  };
}

/** Between two retrievals -w, between two tries of one --waitretry (src/retr.c sleep_between_retrievals). */
function* pause(r: Run, count: number): Co<void> {
  const first = !r.begun;
  r.begun = true;
  const retry = r.a.amount.get('waitretry') ?? 10;
  const wait = r.a.amount.get('wait') ?? 0;
  if (first) return;
  if (retry && count > 1) yield* sleep(r.p, Math.min(count - 1, retry) * 1000);
  else if (wait)
    yield* sleep(r.p, wait * 1000 * (isOn(r, 'randomwait') && count === 1 ? 0.5 + nextU32(r.p.kernel.sim.random) / 2 ** 32 : 1));
}

function startAt(r: Run, g: Retrieval, whole: boolean): number {
  if (whole) return 0;
  const own = r.a.amount.get('startpos');
  if (own !== undefined) return own;
  const there = isOn(r, 'continue') && g.name !== null && g.name !== '-' ? oldFile(r, g.name) : null;
  if (there) return there.size;
  return g.count > 1 && g.name !== '-' ? g.got : 0;
}

/** What a URL came to; `name`: the file it is in. */
export type Outcome = Attempt & { keepsMethod?: boolean; name?: string | null };

/** One URL until it is there, refused or given up. `original`: as the user wrote it, before redirections. */
export function* retrieveUrl(r: Run, url: Url, original: Url, plainGet: boolean): Co<Outcome> {
  const g = newRetrieval(r, url, original, plainGet);
  if (g.name !== null && isOn(r, 'noclobber') && r.out === null && exists(r, g.name)) {
    say(r, `File '${g.name}' already there; not retrieving.\n\n`);
    return { done: 0, name: g.name };
  }
  const there = isOn(r, 'timestamping') && g.name !== null && exists(r, g.name);
  let headFirst = r.spider || (isOn(r, 'contentdisposition') && isOn(r, 'continue'));
  if (there && isOn(r, 'ifmodifiedsince', true) && !headFirst) {
    g.conditional = true;
    g.old = oldFile(r, g.name as string);
    g.checked = true;
  } else if (isOn(r, 'timestamping') && (isOn(r, 'contentdisposition') || there)) headFirst = true;
  let gotHead = false;
  let newer = false;
  for (;;) {
    g.count++;
    yield* pause(r, g.count);
    if (r.spider && !gotHead) say(r, 'Spider mode enabled. Check if remote file exists.\n');
    say(r, `--${stamp(r.p)}--  ${g.count > 1 ? `(try:${String(g.count).padStart(2)})  ` : ''}${shownUrl(url)}\n`);
    g.headOnly = headFirst && !gotHead;
    g.start = startAt(r, g, newer);
    const a = yield* once(r, g);
    const judged = judge(r, g, a);
    if (judged === 'get') {
      gotHead = true;
      continue;
    }
    if (judged === 'again') {
      if (g.count >= r.tries) return { done: 4, name: g.name };
      continue;
    }
    if (judged) return { ...judged, name: g.name };
    if (g.headOnly && a.kind === 'finished') {
      if (r.spider) return { done: spied(r, a) };
      gotHead = true;
      const verdict = compare(r, g);
      if (verdict === 'same') return { done: 0, name: g.name };
      newer = verdict === 'newer';
      g.count = 0;
      continue;
    }
    const end = finished(r, g);
    if (end !== 'again') return { done: end, name: g.name };
    if (g.count >= r.tries) return { done: 4, name: g.name };
  }
}

/** `get`: once more, with GET instead of HEAD; null: what came is good. */
function judge(r: Run, g: Retrieval, a: Answer): Outcome | 'again' | 'get' | null {
  const giveUp = () => say(r, g.count >= r.tries ? 'Giving up.\n\n' : 'Retrying.\n\n');
  if (a.kind === 'over') return { done: a.code };
  if (a.kind === 'unneeded') return { done: 0 };
  if (a.kind === 'fatal') {
    say(r, '\n');
    tell(r, a.text);
    return { done: a.code };
  }
  if (a.kind === 'again') {
    say(r, a.text);
    giveUp();
    return 'again';
  }
  if (a.kind === 'redirect') {
    if (a.to !== null) return { redirect: a.to, keepsMethod: a.keepsMethod };
    tell(r, `ERROR: Redirection (${a.status}) without location.\n`);
    return { done: 8 };
  }
  if (a.ok) return null;
  if (r.level === 1) r.log(`${shownUrl(g.url)}:\n`);
  if (g.headOnly && (a.status === 500 || a.status === 501)) return 'get';
  const retried = (r.a.text.get('retryonhttperror') ?? '').split(',').includes(String(a.status));
  if (r.spider) tell(r, 'Remote file does not exist -- broken link!!!\n');
  else if (retried) {
    giveUp();
    return 'again';
  } else tell(r, `${stamp(r.p)} ERROR ${a.status}: ${a.reason}.\n`);
  say(r, '\n');
  return { done: 8 };
}

function spied(r: Run, a: Extract<Answer, { kind: 'finished' }>): number {
  say(
    r,
    a.html
      ? 'Remote file exists and could contain further links,\nbut recursion is disabled -- not retrieving.\n\n'
      : 'Remote file exists.\n\n',
  );
  return 0;
}

/** -N, after the HEAD: whether what the server has is what is here. */
function compare(r: Run, g: Retrieval): 'same' | 'newer' | 'other' {
  const remoteMs = remoteMsOf(g);
  if (g.remoteTime === null) tell(r, 'Last-modified header missing -- time-stamps turned off.\n');
  else if (remoteMs === null) say(r, 'Last-modified header invalid -- time-stamp ignored.\n');
  if (!g.old || remoteMs === null) return 'other';
  if (g.old.mtimeMs < remoteMs) {
    say(r, 'Remote file is newer, retrieving.\n\n');
    return 'newer';
  }
  if (g.total === null || g.total === g.old.size) {
    say(r, `Server file no newer than local file '${g.name}' -- not retrieving.\n\n`);
    return 'same';
  }
  say(r, `The sizes do not match (local ${g.old.size}) -- retrieving.\n\n`);
  return 'other';
}

/** The file gets the server's time (-N compares it). */
function touch(r: Run, name: string, ms: number): void {
  const path = absolute(name, r.p.cwd);
  const node = lookup(r.p.fs, path, r.p);
  if (typeof node === 'string' || node.kind !== 'file' || node.onWrite) return;
  node.mtimeMs = ms;
  noteChange(r.p.fs, path, r.p);
}

/** What is said when a body has ended. -> the exit code, or that it was too short */
function finished(r: Run, g: Retrieval): number | 'again' {
  const name = g.name as string;
  const toStdout = r.out === '-';
  if (g.remoteTime === null && isOn(r, 'timestamping')) tell(r, 'Last-modified header missing -- time-stamps turned off.\n');
  const whole = g.total === null ? g.broken === null : g.got === g.total;
  const remoteMs = remoteMsOf(g);
  if (whole && remoteMs !== null && !toStdout && isOn(r, 'useservertimestamps', true)) touch(r, name, remoteMs);
  const rate = speed(g.received, g.seconds, r.a.text.has('reportspeed'));
  r.seconds += g.seconds;
  if (whole) {
    const size = g.total === null ? `[${g.got}]` : `[${g.got}/${g.total}]`;
    say(r, `${stamp(r.p)} (${rate}) - ${toStdout ? 'written to stdout' : `'${name}' saved`} ${size}\n\n`);
    if (r.level === 1) r.log(`${stamp(r.p)} URL:${shownUrl(g.url)} ${size} -> "${name}" [${g.count}]\n`);
    r.files++;
    r.bytes += g.received;
    return 0;
  }
  const why = g.broken === 'EAGAIN' ? 'Connection timed out' : strerror(g.broken as Errno);
  if (g.broken === 'EOF') say(r, `${stamp(r.p)} (${rate}) - Connection closed at byte ${g.got}. `);
  else if (g.total === null) say(r, `${stamp(r.p)} (${rate}) - Read error at byte ${g.got} (${why}).`);
  else say(r, `${stamp(r.p)} (${rate}) - Read error at byte ${g.got}/${g.total} (${why}). `);
  say(r, g.count >= r.tries ? 'Giving up.\n\n' : 'Retrying.\n\n');
  return 'again';
}

/** --delete-after. */
export function removeFile(r: Run, name: string): void {
  if (!exists(r, name)) return;
  say(r, `Removing ${name}.\n`);
  const errno = remove(r.p.fs, absolute(name, r.p.cwd), r.p);
  if (errno) tell(r, `unlink: ${strerror(errno)}\n`);
}
