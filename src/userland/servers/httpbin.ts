// httpbin's commonest endpoints (kennethreitz/httpbin 0.9, mccutchen/go-httpbin 2), podinfo, and application servers as their front pages.
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import { uuid } from '../../sim/random.ts';
import { type Co, sleep } from '../../sim/task.ts';
import { httpDate, rfc3339 } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { header, plainStream, type Stream } from '../http.ts';
import { httpServer, type Reply, type Served, type ServeOptions, serveStream, tcpServer } from '../http-server.ts';
import { splitTarget } from '../url.ts';
import type { Userland } from '../userland.ts';
import { GO_DEFAULT, goFlags, hostnameOf, untilSignal } from './daemon.ts';
import { canonicalHeader, goServer, jsonReply, notFound } from './go-http.ts';
import { statusReply } from './httpbin-status.ts';

/** Two-space JSON with sorted keys, as Flask prints it. */
function flaskJson(value: Record<string, unknown>): Reply {
  const sort = (v: unknown): unknown =>
    v && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(
          Object.entries(v)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([k, x]) => [k, sort(x)]),
        )
      : v;
  return { status: 200, headers: [['Content-Type', 'application/json']], body: stringToBytes(`${JSON.stringify(sort(value), null, 2)}\n`) };
}

interface Bin {
  p: Process;
  /** go-httpbin gives lists of values where httpbin gives one. */
  lists: boolean;
}

/** What proxies in front of it would add is not shown unless `?show_env` is asked for (helpers.py ENV_HEADERS). */
const ENV_HEADERS =
  /^(x-varnish|x-request-(start|id)|x-heroku-(queue-depth|queue-wait-time|dynos-in-use)|x-real-ip|x-forwarded-(proto|protocol|ssl|for|port)|via|total-route-time|connect-time)$/i;

function facts(b: Bin, req: Served): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  const { query } = splitTarget(req.target);
  const all = b.lists || query.has('show_env');
  for (const [n, v] of req.headers) if (all || !ENV_HEADERS.test(n)) headers[canonicalHeader(n)] = b.lists ? [v] : v;
  const args: Record<string, unknown> = {};
  for (const [k, v] of query) args[k] = b.lists || v.length > 1 ? v : v[0];
  const host = header(req.headers, 'Host') ?? '';
  const scheme = (!b.lists && (header(req.headers, 'X-Forwarded-Proto') ?? header(req.headers, 'X-Forwarded-Protocol'))) || 'http';
  const origin = (!b.lists && header(req.headers, 'X-Forwarded-For')) || formatIp(req.remote);
  return { args, headers, origin, url: `${scheme}://${host}${req.target}` };
}

function withBody(req: Served, all: Record<string, unknown>): Record<string, unknown> {
  const text = bytesToString(req.body);
  const type = header(req.headers, 'Content-Type') ?? '';
  const form: Record<string, string> = {};
  if (/urlencoded/.test(type)) for (const [k, v] of splitTarget(`/?${text}`).query) form[k] = v[0];
  const files: Record<string, string> = {};
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)/i.exec(type)?.[1];
  for (const part of boundary ? text.split(`--${boundary}`).slice(1, -1) : []) {
    const [head, ...rest] = part.split('\r\n\r\n');
    const name = /\bname="([^"]*)"/.exec(head)?.[1] ?? '';
    (/\bfilename=/.test(head) ? files : form)[name] = rest.join('\r\n\r\n').replace(/\r\n$/, '');
  }
  let json: unknown = null;
  try {
    json = text && /json/.test(type) ? JSON.parse(text) : null;
  } catch {
    json = null;
  }
  return { ...all, data: /urlencoded/.test(type) || boundary ? '' : text, files, form, json };
}

function* answer(b: Bin, req: Served): Co<Reply> {
  const { path } = splitTarget(req.target);
  const make = (v: Record<string, unknown>) => (b.lists ? jsonReply(v, 200, 2) : flaskJson(v));
  const [, name, arg] = path.split('/');
  switch (name) {
    case 'get':
    case 'headers':
    case 'ip':
    case 'user-agent': {
      const all = facts(b, req);
      if (name === 'get') return make(all);
      if (name === 'headers') return make({ headers: all.headers });
      return make(name === 'ip' ? { origin: all.origin } : { 'user-agent': header(req.headers, 'User-Agent') ?? '' });
    }
    case 'post':
    case 'put':
    case 'patch':
    case 'delete':
      return req.method.toLowerCase() === name ? make(withBody(req, facts(b, req))) : { status: 405, body: '' };
    case 'anything':
      return make({ ...withBody(req, facts(b, req)), method: req.method });
    case 'status':
      return statusReply(b.p.kernel.sim.random, arg ?? '');
    case 'delay':
      yield* sleep(b.p.kernel.sim, Math.min(Number(arg) || 0, 10) * 1000);
      return make(withBody(req, facts(b, req)));
    case 'uuid':
      return make({ uuid: uuid(b.p.kernel.sim.random) });
    case 'hostname':
      return make({ hostname: hostnameOf(b.p) });
    case 'redirect':
    case 'relative-redirect':
      return { status: 302, headers: [['Location', Number(arg) > 1 ? `/relative-redirect/${Number(arg) - 1}` : '/get']], body: '' };
    case '':
      return {
        status: 200,
        headers: [['Content-Type', 'text/html; charset=utf-8']],
        body: '<!DOCTYPE html>\n<html lang="en">\n<head>\n<title>httpbin.org</title>\n</head>\n<body>\n<h2 class="title">httpbin.org</h2>\n</body>\n</html>\n',
      };
    default:
      return {
        status: 404,
        headers: [['Content-Type', 'text/html']],
        body: '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n',
      };
  }
}

/** gunicorn/util.py write_error */
const badRequest = (line: string): Reply => ({
  status: 400,
  headers: [['Content-Type', 'text/html']],
  body: `<html>\n  <head>\n    <title>Bad Request</title>\n  </head>\n  <body>\n    <h1><p>Bad Request</p></h1>\n    Invalid Request Line &#x27;${line.replace(/[^ -~]/g, '')}&#x27;\n  </body>\n</html>\n`,
});

const gunicorn = (p: Process): ServeOptions => ({
  badRequest,
  decorate: (_req, reply, keep) => [
    ['Server', 'gunicorn/19.9.0'],
    ['Date', httpDate(p.kernel.sim.nowMs)],
    ['Connection', keep ? 'keep-alive' : 'close'],
    ...(reply.headers ?? []),
    ['Access-Control-Allow-Origin', '*'],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Content-Length', String((reply.body as Uint8Array).length)],
  ],
});

/** One connection to it, wherever it comes from. */
export function* serveHttpbin(p: Process, stream: Stream): Co<void> {
  yield* serveStream(stream, req => answer({ p, lists: false }, req), gunicorn(p));
}

export const httpbin = (_u: Userland): Program =>
  function* (p): Co<number> {
    const at = p.argv.indexOf('-b');
    const port = Number((at > 0 ? p.argv[at + 1] : '0.0.0.0:80').split(':').at(-1));
    tcpServer(p, port, s => serveHttpbin(p, plainStream(s)));
    complain(
      p,
      `[${rfc3339(p.kernel.sim.nowMs).replace('T', ' ').replace('Z', ' +0000')}] [1] [INFO] Listening at: http://0.0.0.0:${port} (1)\n`,
    );
    return yield* untilSignal(p, { TERM: 0, INT: 0 });
  };

export const goHttpbin = (_u: Userland): Program =>
  function* (p): Co<number> {
    const { flags } = goFlags(p.argv.slice(1));
    const port = Number(flags.get('port') ?? p.env.get('PORT') ?? 8080);
    const b: Bin = { p, lists: true };
    goServer(p, port, req => answer(b, req));
    print(p, `time="${rfc3339(p.kernel.sim.nowMs)}" level=INFO msg="go-httpbin listening on http://0.0.0.0:${port}"\n`);
    return yield* untilSignal(p, { TERM: 0, INT: 0 });
  };

/** stefanprodan/podinfo 6. */
export const podinfo = (_u: Userland): Program =>
  function* (p): Co<number> {
    const { flags } = goFlags(p.argv.slice(1));
    const port = Number(flags.get('port') ?? 9898);
    goServer(p, port, function* (req) {
      const { path } = splitTarget(req.target);
      if (path === '/healthz' || path === '/readyz') return jsonReply({ status: 'OK' }, 200, 2);
      if (path === '/version') return jsonReply({ commit: '', version: '6.9.3' }, 200, 2);
      if (path === '/env')
        return jsonReply(
          [...p.env].map(([k, v]) => `${k}=${v}`),
          200,
          2,
        );
      if (path === '/echo') return { status: 202, body: req.body };
      if (path !== '/' && path !== '/api/info') return notFound();
      const message = p.env.get('PODINFO_UI_MESSAGE') ?? 'greetings from podinfo v6.9.3';
      const info = {
        hostname: hostnameOf(p),
        version: '6.9.3',
        revision: '',
        color: '#34577c',
        logo: '',
        message,
        goos: 'linux',
        goarch: 'amd64',
        runtime: 'go1.25.3',
        num_goroutine: '8',
        num_cpu: '2',
      };
      return jsonReply(info, 200, 2);
    });
    return yield* untilSignal(p, GO_DEFAULT);
  };

/** A server of which only a front page is modelled; everything else below it is its 404. */
export const frontPage =
  (port: number, server: string, type: string, body: string): ((u: Userland) => Program) =>
  () =>
    function* (p): Co<number> {
      function* handler(req: Served): Co<Reply> {
        const root = splitTarget(req.target).path === '/';
        return {
          status: root ? 200 : 404,
          headers: [
            ['Server', server],
            ['Content-Type', type],
          ],
          body: root ? body : '',
        };
      }
      httpServer(p, port, handler);
      return yield* untilSignal(p, { TERM: 143, INT: 130, QUIT: 131 });
    };
