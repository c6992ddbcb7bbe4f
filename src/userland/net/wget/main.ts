// GNU Wget 1.21.3 (Debian 12) and 1.25.0 (13): the command line, its URLs and their redirections (src/main.c, src/retr.c).
import { complain, print, stdinAll, strerror } from '../../../linux/process.ts';
import { close } from '../../../linux/socket.ts';
import type { Errno, Process, Program } from '../../../linux/types.ts';
import { absolute, readFile } from '../../../linux/vfs.ts';
import { bytesToString } from '../../../sim/bytes.ts';
import type { Co } from '../../../sim/task.ts';
import { parseUrl, resolveUrl } from '../../url.ts';
import type { Userland } from '../../userland.ts';
import { WGET_HELP, wgetVersion } from '../usage/wget.ts';
import { type Outcome, removeFile, retrieveUrl } from './loop.ts';
import { exists } from './name.ts';
import { clashes, parseWords, TRY, USAGE } from './options.ts';
import { humanSize, longTime, speed } from './progress.ts';
import { isOn, newRun, type Run, say, shownUrl, stamp, tell } from './run.ts';
import { openOutput } from './save.ts';

export const wget = (u: Userland): Program =>
  function* wget(p: Process): Co<number> {
    const words = parseWords(p.argv.slice(1));
    const version = u.tools >= 13 ? '1.25.0' : '1.21.3';
    if ('shows' in words) {
      print(p, words.shows === 'help' ? WGET_HELP(version) : wgetVersion(version));
      return 0;
    }
    if ('wrong' in words) {
      complain(p, words.wrong + (words.usage ? USAGE + TRY : ''));
      return words.code;
    }
    const { asked, urls } = words;
    const stopped = clashes(p, asked, urls);
    if (stopped !== null) return stopped;
    const r = newRun(p, u, asked);
    if ('cannotLog' in r) {
      complain(p, `wget: ${r.cannotLog}: ${strerror(r.errno as Errno)}\n`);
      return 1;
    }
    const early = openOut(r);
    if (early !== null) return early;
    return yield* all(r, urls);
  };

/** -O: its warnings and its file. -> exit code when nothing is fetched */
function openOut(r: Run): number | null {
  if (r.out === null) return null;
  if (isOn(r, 'timestamping')) {
    tell(r, 'WARNING: timestamping does nothing in combination with -O. See the manual\nfor details.\n\n');
    r.a.on.set('timestamping', false);
  }
  if (isOn(r, 'noclobber') && exists(r, r.out)) {
    say(r, `File '${r.out}' already there; not retrieving.\n`);
    return 1;
  }
  const errno = openOutput(r);
  if (errno) complain(r.p, `${r.out}: ${strerror(errno)}\n`);
  return errno ? 1 : null;
}

function* all(r: Run, urls: string[]): Co<number> {
  const startMs = r.p.kernel.sim.nowMs;
  let code = 0;
  // exits.c inform_exit_status: of several failures the smallest number is the program's.
  const note = (status: number) => {
    if (status && (!code || status < code)) code = status;
  };
  for (const url of urls) note(yield* retrieve(r, url));
  const list = r.a.text.get('input');
  if (list !== undefined) {
    const found = yield* listed(r, list);
    for (const url of found) {
      const quota = r.a.amount.get('quota');
      if (quota && r.bytes > quota) break;
      note(yield* retrieve(r, url));
    }
    if (!found.length) tell(r, `No URLs found in ${list}.\n`);
  }
  if (r.kept) close(r.kept.reader.stream.socket);
  if ((urls.length > 1 || list !== undefined) && r.bytes) {
    const [wall, quota] = [(r.p.kernel.sim.nowMs - startMs) / 1000, r.a.amount.get('quota')];
    tell(r, `FINISHED --${stamp(r.p)}--\nTotal wall clock time: ${longTime(wall)}\n`);
    const rate = speed(r.bytes, r.seconds, r.a.text.has('reportspeed'));
    tell(r, `Downloaded: ${r.files} files, ${humanSize(r.bytes)} in ${longTime(r.seconds)} (${rate})\n`);
    if (quota && r.bytes > quota) tell(r, `Download quota of ${humanSize(quota)} EXCEEDED!\n`);
  }
  return code;
}

/** -i: a file's lines, or the standard input's; -B is what they are relative to. */
function* listed(r: Run, file: string): Co<string[]> {
  const data = file === '-' ? yield* stdinAll(r.p) : readFile(r.p.fs, absolute(file, r.p.cwd), r.p);
  if (typeof data === 'string') {
    tell(r, `${file}: ${strerror(data)}\n`);
    return [];
  }
  const base = r.a.text.get('base');
  const lines = bytesToString(data)
    .split('\n')
    .map(l => l.trim())
    .filter(Boolean);
  return base === undefined ? lines : lines.map(l => resolveUrl(base, l));
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//;

function* retrieve(r: Run, text: string): Co<number> {
  const most = r.a.amount.get('maxredirect') ?? 20;
  const original = parseUrl(text);
  let target = text;
  let plainGet = false;
  for (let redirects = 0; ; redirects++) {
    const scheme = SCHEME.exec(target)?.[1].toLowerCase();
    if (scheme && scheme !== 'http' && scheme !== 'https') {
      tell(r, /^ftps?$/.test(scheme) ? `podnet does not model ${scheme}: ${target}\n` : `${target}: Unsupported scheme '${scheme}'.\n`);
      return 1;
    }
    const url = parseUrl(target);
    if (!url?.host || !original) {
      tell(r, `${scheme ? target : `http://${target}`}: ${url ? 'Invalid host name' : 'Bad port number'}.\n`);
      return 1;
    }
    const result: Outcome = yield* retrieveUrl(r, url, original, plainGet);
    if ('done' in result) {
      if (isOn(r, 'deleteafter') && result.name && r.out !== '-') removeFile(r, result.name);
      return result.done;
    }
    if (redirects >= most) {
      tell(r, `${most} redirections exceeded.\n`);
      return 8;
    }
    plainGet ||= !result.keepsMethod;
    target = resolveUrl(shownUrl({ ...url, user: null }), result.redirect);
  }
}
