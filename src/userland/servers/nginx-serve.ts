// One request through nginx's phases (src/http/ngx_http_core_module.c): server rewrites, the location, its rewrites, limits, access,
// try_files, content; then error_page, and what is done to the answer on its way out.
import { absolute } from '../../linux/vfs.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { type Headers, header } from '../http.ts';
import type { Served } from '../http-server.ts';
import { byAddress, limited, realIp, refused } from './nginx-access.ts';
import type { Directive } from './nginx-directives.ts';
import { accessLog, requestLog } from './nginx-log.ts';
import { type Answer, CLOSING, errorAnswer, errorText, redirectTo } from './nginx-pages.ts';
import { proxyPass } from './nginx-proxy.ts';
import { runRewrites } from './nginx-rewrite.ts';
import { all, durationMs, last, locationFor, type Nginx, type Scope, serverFor, setting, settings, sizeBytes } from './nginx-scope.ts';
import { type Goto, staticFile, tryFiles } from './nginx-static.ts';
import { capture, decodePath, expand } from './nginx-variables.ts';

/** NGX_HTTP_MAX_URI_CHANGES: an internal redirect more is a cycle. */
const MAX_URI_CHANGES = 10;

function normal(path: string): string {
  const clean = absolute(path);
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

/** More steps up than down (ngx_http_parse_complex_uri). */
function aboveRoot(target: string): boolean {
  let depth = 0;
  for (const part of decodePath(target.replace(/[?#].*/s, '')).split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}

export function newScope(n: Nginx, req: Served, ssl: boolean, http2: boolean, number: number): Scope {
  const at = req.target.indexOf('?');
  const raw = (at < 0 ? req.target : req.target.slice(0, at)).replace(/#.*/s, '');
  const server = serverFor(n, req);
  return {
    n,
    req,
    server,
    method: req.method,
    path: normal(decodePath(raw) || '/'),
    args: at < 0 ? '' : req.target.slice(at + 1),
    chain: [],
    levels: [server.directives, n.http],
    branch: null,
    vars: new Map(),
    captures: [],
    internal: false,
    untouched: true,
    validLocation: true,
    ssl,
    http2,
    startMs: n.p.kernel.sim.nowMs,
    number,
    upstreams: [],
    user: null,
    realIp: null,
    reply: null,
    bodyBytes: 0,
    headBytes: 0,
    ownLocation: false,
    release: [],
  };
}

export function* respond(s: Scope): Co<Answer> {
  s.n.requests++;
  s.realIp = realIp(s);
  try {
    if (s.req.version === 'HTTP/1.1' && header(s.req.headers, 'Host') === undefined) {
      requestLog(s, 'info', 'client sent HTTP/1.1 request without "Host" header while reading client request headers');
      return errorAnswer(s, 400);
    }
    if (aboveRoot(s.req.target)) {
      requestLog(s, 'info', 'client sent invalid request while reading client request line');
      return errorAnswer(s, 400);
    }
    const answer = finish(s, yield* answered(s, null));
    // 444 sends nothing, and is logged all the same.
    if (answer.raw !== undefined) {
      s.reply = answer;
      accessLog(s);
    }
    return answer;
  } finally {
    for (const release of s.release) release();
  }
}

const isGoto = (x: Answer | Goto): x is Goto => 'to' in x;

/** Until there is an answer: each internal redirect and each error page begins again. `start`: where a redirect of before leads. */
function* answered(s: Scope, start: string | null): Co<Answer> {
  let to = start;
  // What an error page was shown for stays the status, and there is no error page for an error page.
  let shownFor: { status: number | null; close: boolean } | null = null;
  for (let changes = 0; changes <= MAX_URI_CHANGES; changes++) {
    const got = yield* phases(s, to);
    if (isGoto(got)) {
      to = got.to;
      s.internal = true;
      continue;
    }
    if (shownFor) {
      const close = shownFor.close ? { close: true } : {};
      if (shownFor.status === null || got.status >= 300) return { ...got, ...close };
      return { ...got, ...close, status: shownFor.status, reason: errorText(shownFor.status) };
    }
    const page = got.special ? settings(s, 'error_page').find(d => d.args.slice(0, -1).includes(String(got.status))) : undefined;
    if (!page) return got;
    const target = expand(s, page.args[page.args.length - 1]);
    const becomes = page.args.find(a => a.startsWith('='));
    if (!target.startsWith('/') && !target.startsWith('@')) {
      const code = becomes && becomes.length > 1 ? Number(becomes.slice(1)) : 302;
      return redirectTo(s, [301, 302, 303, 307, 308].includes(code) ? code : 302, target);
    }
    const status = becomes === undefined ? got.status : becomes.length > 1 ? Number(becomes.slice(1)) : null;
    shownFor = { status, close: CLOSING.has(got.status) };
    if (target.startsWith('/') && s.method !== 'HEAD') s.method = 'GET';
    to = target;
    s.internal = true;
  }
  requestLog(s, 'error', `rewrite or internal redirection cycle while internally redirecting to "${to}"`);
  return errorAnswer(s, 500);
}

/** The levels of a location: its own block, those around it, the server's and http's; before them the `if` that held. */
function enter(s: Scope, chain: Directive[]): void {
  s.chain = chain;
  s.branch = null;
  s.levels = [...chain.map(d => d.block ?? []), s.server.directives, s.n.http];
}

function* phases(s: Scope, to: string | null): Co<Answer | Goto> {
  if (to?.startsWith('@')) {
    const named = all(s.server.directives, 'location').find(d => d.args[0] === to);
    if (!named) {
      requestLog(s, 'error', `could not find named location "${to}"`);
      return errorAnswer(s, 500);
    }
    enter(s, [named]);
    return yield* within(s, 0);
  }
  if (to !== null) {
    const at = to.indexOf('?');
    s.path = normal(at < 0 ? to : to.slice(0, at));
    if (at >= 0) s.args = to.slice(at + 1);
    s.untouched = false;
    s.validLocation = true;
  }
  enter(s, []);
  const first = runRewrites(s, s.server.directives);
  if (first.answer) return first.answer;
  return yield* located(s, 0);
}

function* located(s: Scope, cycles: number): Co<Answer | Goto> {
  if (cycles > MAX_URI_CHANGES) {
    requestLog(s, 'error', `rewrite or internal redirection cycle while processing "${s.path}"`);
    return { ...errorAnswer(s, 500), special: false };
  }
  const found = locationFor(s.server.directives, s.path);
  enter(s, found.chain);
  if (found.match) capture(s, found.match);
  if (found.redirect) return redirectTo(s, 301, `${s.path}/${s.args ? `?${s.args}` : ''}`);
  if (!s.internal && s.chain[0]?.block?.some(d => d.name === 'internal')) return errorAnswer(s, 404);
  const most = sizeBytes(setting(s, 'client_max_body_size')?.args[0], 1_048_576);
  if (most > 0 && s.req.body.length > most && !s.internal) {
    requestLog(s, 'error', `client intended to send too large body: ${s.req.body.length} bytes`);
    return errorAnswer(s, 413);
  }
  return yield* within(s, cycles);
}

/** Inside a location. */
function* within(s: Scope, cycles: number): Co<Answer | Goto> {
  const own = s.chain[0]?.block ?? [];
  const r = s.chain.length ? runRewrites(s, own) : { answer: null, changed: false };
  if (r.answer) return r.answer;
  if (r.changed) {
    s.internal = true;
    return yield* located(s, cycles + 1);
  }
  const slow = yield* limited(s);
  if (slow) return slow;
  const denied = (yield* refused(s, subrequest)) ?? limitedMethod(s, own);
  if (denied) return denied;
  // In a branch of `if` the location's try_files is not in force.
  const tries = s.chain.length ? (s.branch ? undefined : last(own, 'try_files')) : last(s.server.directives, 'try_files');
  const tried = tries ? tryFiles(s, tries.args) : null;
  return tried ?? (yield* content(s, own));
}

function* subrequest(s: Scope, uri: string): Co<{ answer: Answer; scope: Scope }> {
  const scope: Scope = { ...newScope(s.n, { ...s.req, method: 'GET', body: new Uint8Array(0) }, s.ssl, s.http2, s.number), internal: true };
  scope.server = s.server;
  // The subrequest keeps the client's request line: $request_uri and $http_* are of the request that asks.
  return { answer: yield* answered(scope, uri), scope };
}

function limitedMethod(s: Scope, own: Directive[]): Answer | null {
  const d = last(own, 'limit_except');
  if (!d || d.args.includes(s.method) || (s.method === 'HEAD' && d.args.includes('GET'))) return null;
  return byAddress(s, d.block ?? []);
}

function* content(s: Scope, own: Directive[]): Co<Answer | Goto> {
  const branch = s.branch?.block ?? [];
  const pass = last(branch, 'proxy_pass') ?? last(own, 'proxy_pass');
  if (pass) return yield* proxyPass(s, pass);
  if (last(own, 'stub_status')) return status(s);
  if (last(own, 'empty_gif')) return { status: 200, headers: [['Content-Type', 'image/gif']], body: new Uint8Array(43) };
  return staticFile(s);
}

function status(s: Scope): Answer {
  const { connections, requests } = s.n;
  const text = `Active connections: 1 \nserver accepts handled requests\n ${connections} ${connections} ${requests} \nReading: 0 Writing: 1 Waiting: 0 \n`;
  return { status: 200, headers: [['Content-Type', 'text/plain']], body: text };
}

/** add_header without `always` speaks to these alone (ngx_http_headers_filter). */
const ADDED = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

function finish(s: Scope, a: Answer): Answer {
  if (a.raw !== undefined) return a;
  const headers: Headers = [...(a.headers ?? [])];
  const ok = ADDED.has(a.status);
  const ages = setting(s, 'expires');
  if (ages && ok) headers.push(...expires(s, ages.args));
  for (const d of settings(s, 'add_header')) {
    const value = expand(s, d.args[1]);
    if ((ok || d.args[2] === 'always') && value !== '') headers.push([d.args[0], value]);
  }
  return substituted(s, { ...a, headers });
}

function expires(s: Scope, words: string[]): Headers {
  const [value] = words;
  const { nowMs } = s.n.p.kernel.sim;
  if (value === 'off') return [];
  if (value === 'epoch')
    return [
      ['Expires', 'Thu, 01 Jan 1970 00:00:01 GMT'],
      ['Cache-Control', 'no-cache'],
    ];
  if (value === 'max')
    return [
      ['Expires', 'Thu, 31 Dec 2037 23:55:55 GMT'],
      ['Cache-Control', 'max-age=315360000'],
    ];
  const ms = durationMs(value, 0) * (value.startsWith('-') ? -1 : 1);
  return [
    ['Expires', httpDate(nowMs + ms)],
    ['Cache-Control', ms < 0 ? 'no-cache' : `max-age=${ms / 1000}`],
  ];
}

/** sub_filter: the first place of each text, or all of them; what is replaced has no length, date of change or tag any more. */
function substituted(s: Scope, a: Answer): Answer {
  const rules = settings(s, 'sub_filter');
  const type = (header(a.headers ?? [], 'Content-Type') ?? '').replace(/;.*/, '');
  const types = setting(s, 'sub_filter_types')?.args ?? [];
  if (!rules.length || !(type === 'text/html' || types.includes(type) || types.includes('*')) || a.body === undefined) return a;
  let text = typeof a.body === 'string' ? a.body : bytesToString(a.body);
  const once = setting(s, 'sub_filter_once')?.args[0] !== 'off';
  for (const d of rules) {
    const from = expand(s, d.args[0]);
    const to = expand(s, d.args[1]);
    text = once ? text.replace(from, () => to) : text.replaceAll(from, () => to);
  }
  const lost = ['content-length', 'last-modified', 'etag', 'accept-ranges', 'transfer-encoding'];
  const headers = (a.headers ?? []).filter(([n]) => !lost.includes(n.toLowerCase()));
  if (s.req.version === 'HTTP/1.1' && !s.http2) headers.push(['Transfer-Encoding', 'chunked']);
  return { ...a, headers, body: stringToBytes(text) };
}
