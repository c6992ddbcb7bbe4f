// GNU Wget 1.21.3 (Debian 12) and 1.25.0 (13): URLs, tries and redirections (src/main.c, src/retr.c).
import { complain, print, sleep } from '../../linux/process.ts';
import { close } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { getopt, optionValue } from '../busybox.ts';
import type { Reader } from '../http.ts';
import { parseUrl, resolveUrl, type Url } from '../url.ts';
import type { Userland } from '../userland.ts';
import { numericHost } from './resolv-conf.ts';
import { reach } from './wget-connect.ts';
import { ask } from './wget-exchange.ts';
import { type Attempt, LONG, newRun, type Run, say, shownUrl, stamp } from './wget-run.ts';

export const wget = (u: Userland): Program =>
  function* wget(p: Process): Co<number> {
    const words = p.argv
      .slice(1)
      .map(w => (/^-(nv|nc|nd|nH|np)$/.test(w) ? { '-nv': '--no-verbose', '-nc': '--no-clobber' }[w] : w) ?? '-q');
    const o = getopt(words, 'qvO:o:P:ST:t:w:U:46VhbcNrl:xkpe:i:', LONG);
    const usage = "Usage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n";
    if (o.error) {
      complain(p, `wget: ${o.error}\n${usage}`);
      return 2;
    }
    const version = u.tools >= 13 ? '1.25.0' : '1.21.3';
    if (o.flags.has('V')) {
      print(p, `GNU Wget ${version} built on linux-gnu.\n`);
      return 0;
    }
    for (const name of ['T', 'connect-timeout', 'dns-timeout', 'read-timeout', 't']) {
      const v = optionValue(o, name);
      if (v === undefined || /^\d+(\.\d+)?$/.test(v) || (name === 't' && v === 'inf')) continue;
      complain(
        p,
        name === 't'
          ? `wget: --tries: Invalid number '${v}'\n`
          : `wget: --${name === 'T' ? 'timeout' : name}: Invalid time period '${v}'\n`,
      );
      return 2;
    }
    if (!o.operands.length) {
      complain(p, `wget: missing URL\n${usage}`);
      return 1;
    }
    const run = newRun(p, u, o);
    let code = 0;
    for (const url of o.operands) code = (yield* retrieve(run, url)) || code;
    if (run.kept) close(run.kept.reader.stream.socket);
    return code;
  };

function* retrieve(r: Run, text: string): Co<number> {
  let target = text;
  for (let redirects = 0; ; redirects++) {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(target)?.[1].toLowerCase();
    if (scheme && scheme !== 'http' && scheme !== 'https') {
      complain(r.p, `${target}: Unsupported scheme '${scheme}'.\n`);
      return 1;
    }
    const url = parseUrl(target);
    const full = scheme ? target : `http://${target}`;
    if (!url?.host) {
      complain(r.p, `${full}: ${url ? 'Invalid host name' : 'Bad port number'}.\n`);
      return 1;
    }
    if (r.o.flags.has('spider') && !redirects) say(r, 'Spider mode enabled. Check if remote file exists.\n');
    const result = yield* withTries(r, url);
    if ('done' in result) return result.done;
    if (redirects >= Number(optionValue(r.o, 'max-redirect') ?? 20)) {
      say(r, `${Number(optionValue(r.o, 'max-redirect') ?? 20)} redirections exceeded.\n`);
      return 8;
    }
    target = resolveUrl(shownUrl(url), result.redirect);
  }
}

function* withTries(r: Run, url: Url): Co<{ done: number } | { redirect: string }> {
  for (let count = 1; ; count++) {
    const tried = count > 1 ? `(try:${String(count).padStart(2)})  ` : '';
    say(r, `--${stamp(r.p)}--  ${tried}${shownUrl(url)}\n`);
    const a: Attempt = yield* attempt(r, url);
    if ('done' in a || 'redirect' in a) return a;
    if (count >= r.tries) {
      say(r, `${a.again}Giving up.\n\n`);
      return { done: 4 };
    }
    say(r, `${a.again}Retrying.\n\n`);
    yield* sleep(r.p, Math.min(count, 10) * 1000);
  }
}

function* attempt(r: Run, url: Url): Co<Attempt> {
  const port = url.port ?? (url.scheme === 'https' ? 443 : 80);
  const key = `${url.scheme} ${url.host} ${port}`;
  let reader: Reader;
  if (r.kept?.key === key && r.kept.reader.stream.socket.state === 'ESTAB') {
    const shown = numericHost(url.host) ? (url.host.includes(':') ? `[${url.host}]` : url.host) : url.host;
    say(r, `Reusing existing connection to ${shown}:${port}.\n`);
    reader = r.kept.reader;
    r.kept = null;
  } else {
    const made = yield* reach(r, url, port);
    if ('done' in made || 'again' in made) return made;
    reader = made;
  }
  return yield* ask(r, url, port, key, reader);
}
