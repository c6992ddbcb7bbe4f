// Bookinfo, the bookshop that Istio's tutorials are written for: four small services that call each other (samples/bookinfo/src 1.28).
import { print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { base64, bytesToString, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { type Headers, header } from '../http.ts';
import { httpServer, type Reply, type Served } from '../http-server.ts';
import { getaddrinfo } from '../net/resolver.ts';
import { splitTarget } from '../url.ts';
import type { Userland } from '../userland.ts';
import { productPage, userOf } from './bookinfo-page.ts';
import { hostnameOf, untilSignal } from './daemon.ts';
import { exchange, hasFailed } from './upstream.ts';

const PORT = 9080;

/** Headers that every one of them passes on, so that traces and routes by user hold together. */
const FORWARDED =
  /^(x-request-id|x-ot-span-context|x-datadog-.*|traceparent|tracestate|x-cloud-trace-context|grpc-trace-bin|x-b3-.*|sw8|end-user|user-agent|cookie|authorization|jwt)$/i;

const forwarded = (req: Served): Headers => req.headers.filter(([n]) => FORWARDED.test(n));

const domain = (p: Process): string => (p.env.get('SERVICES_DOMAIN') ? `.${p.env.get('SERVICES_DOMAIN')}` : '');

/** null: there was no answer within the time. */
function* call(
  p: Process,
  service: string,
  path: string,
  headers: Headers,
  timeoutMs: number,
): Co<{ status: number; text: string } | null> {
  const host = `${service}${domain(p)}`;
  const r = yield* getaddrinfo(p, host, { libc: 'glibc' });
  if (typeof r === 'string') return null;
  const request = { method: 'GET', target: path, headers: [['Host', `${host}:${PORT}`], ...headers] as Headers, body: new Uint8Array(0) };
  const got = yield* exchange(p, r.addresses[0], PORT, request, { connectMs: timeoutMs, readMs: timeoutMs });
  return hasFailed(got) ? null : { status: got.head.status, text: bytesToString(got.body) };
}

const json = (status: number, value: unknown): Reply => ({
  status,
  headers: [['Content-Type', 'application/json']],
  body: stringToBytes(typeof value === 'string' ? value : JSON.stringify(value)),
});

function* serve(p: Process, server: Headers, answer: (req: Served) => Co<Reply>): Co<number> {
  httpServer(p, PORT, answer, {
    decorate: (_req, reply, keep) => [
      ...server,
      ['Date', httpDate(p.kernel.sim.nowMs)],
      ['Connection', keep ? 'keep-alive' : 'close'],
      ...(reply.headers ?? []),
      ['Content-Length', String((reply.body as Uint8Array).length)],
    ],
  });
  return yield* untilSignal(p, { TERM: 0, INT: 0 });
}

const lastPart = (req: Served): string => splitTarget(req.target).path.split('/').pop() ?? '';

export const bookinfoDetails = (_u: Userland): Program =>
  function* (p) {
    return yield* serve(p, [['Server', 'WEBrick/1.9.1 (Ruby/3.4.1/2024-12-25)']], function* (req) {
      const { path } = splitTarget(req.target);
      if (path.startsWith('/health')) return json(200, { status: 'Details is healthy' });
      if (!path.startsWith('/details'))
        return { status: 404, headers: [['Content-Type', 'text/html; charset=ISO-8859-1']], body: 'Not Found\n' };
      const id = lastPart(req);
      if (!/^\d+$/.test(id)) return json(400, { error: 'please provide numeric product id' });
      const isbn = { 'ISBN-10': '1234567890', 'ISBN-13': '123-1234567890' };
      const book = {
        author: 'William Shakespeare',
        year: 1595,
        type: 'paperback',
        pages: 200,
        publisher: 'PublisherA',
        language: 'English',
      };
      return json(200, { id: Number(id), ...book, ...isbn });
    });
  };

export const bookinfoRatings = (_u: Userland): Program =>
  function* (p) {
    const given = new Map<number, unknown>();
    print(p, `Server listening on: http://0.0.0.0:${PORT}\n`);
    return yield* serve(p, [], function* (req) {
      print(p, `${req.method} ${req.target}\n`);
      const { path } = splitTarget(req.target);
      if (path === '/health') return json(200, { status: 'Ratings is healthy' });
      if (!path.startsWith('/ratings/')) return { status: 404, body: '' };
      const id = Number.parseInt(lastPart(req), 10);
      if (Number.isNaN(id)) return json(400, { error: 'please provide numeric product ID' });
      if (req.method === 'POST') {
        try {
          given.set(id, JSON.parse(bytesToString(req.body)));
        } catch {
          return json(400, { error: 'please provide valid ratings JSON' });
        }
      }
      // The versions that keep them in a database are not modelled.
      if (p.env.get('SERVICE_VERSION') === 'v2') return json(500, { error: 'could not connect to ratings database' });
      return json(200, { id, ratings: given.get(id) ?? { Reviewer1: 5, Reviewer2: 4 } });
    });
  };

const TEXTS: [string, string][] = [
  ['Reviewer1', 'An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!'],
  ['Reviewer2', 'Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.'],
];

/** v1 shows no ratings, v2 black stars, v3 red ones: the image's environment says which. */
export const bookinfoReviews = (_u: Userland): Program =>
  function* (p) {
    const rated = p.env.get('ENABLE_RATINGS') === 'true';
    const color = p.env.get('STAR_COLOR') ?? 'black';
    const server: Headers = [
      ['X-Powered-By', 'Servlet/3.1'],
      ['Content-Language', 'en-US'],
    ];
    return yield* serve(p, server, function* (req) {
      const { path } = splitTarget(req.target);
      if (path === '/health') return json(200, { status: 'Reviews is healthy' });
      if (!/^\/reviews\/\d+$/.test(path)) return { status: 404, body: '' };
      const id = lastPart(req);
      let stars: Record<string, number> | null = null;
      if (rated) {
        const got = yield* call(p, 'ratings', `/ratings/${id}`, forwarded(req), color === 'black' ? 10_000 : 2500);
        if (got?.status === 200) stars = JSON.parse(got.text).ratings;
        else if (got) print(p, `Error: unable to contact http://ratings${domain(p)}:${PORT}/ratings got status of ${got.status}\n`);
      }
      const reviews = TEXTS.map(([reviewer, text]) => {
        const rating = stars
          ? `{"stars": ${stars[reviewer]}, "color": "${color}"}`
          : '{"error": "Ratings service is currently unavailable"}';
        return `{  "reviewer": "${reviewer}",  "text": "${text}"${rated ? `, "rating": ${rating}` : ''}}`;
      });
      const cluster = p.env.get('CLUSTER_NAME') ?? 'null';
      return json(200, `{"id": "${id}","podname": "${hostnameOf(p)}","clustername": "${cluster}","reviews": [${reviews.join(',')}]}`);
    });
  };

/** What a service has said of the book: its answer, or what the page says instead. */
function* fetchPart(p: Process, name: 'details' | 'reviews' | 'ratings', headers: Headers): Co<{ status: number; value: any }> {
  // Reviews are asked for twice, with three seconds for each: the bug that the tutorials are about.
  let last: { status: number; text: string } | null = null;
  for (let i = 0; i < (name === 'reviews' ? 2 : 1); i++) {
    last = yield* call(p, name, `/${name}/0`, headers, 3000);
    if (last?.status === 200) return { status: 200, value: JSON.parse(last.text) };
  }
  const what = name === 'details' ? 'product details' : `product ${name}`;
  return { status: last?.status ?? 500, value: { error: `Sorry, ${what} are currently unavailable for this book.` } };
}

export const bookinfoProductpage = (_u: Userland): Program =>
  function* (p) {
    return yield* serve(p, [['Server', 'gunicorn']], function* (req) {
      const { path } = splitTarget(req.target);
      const user = userOf(header(req.headers, 'Cookie') ?? '');
      const headers = forwarded(req).filter(([n]) => !/^end-user$/i.test(n));
      if (user) headers.push(['end-user', user]);
      const html = (status: number, body: string, more: Headers = []): Reply => ({
        status,
        headers: [['Content-Type', 'text/html; charset=utf-8'], ...more],
        body,
      });
      if (path === '/health') return html(200, 'Product page is healthy');
      if (path === '/login' || path === '/logout') return session(req, path === '/login');
      const part = /^\/api\/v1\/products\/\d+(?:\/(reviews|ratings))?$/.exec(path);
      if (part) {
        const got = yield* fetchPart(p, (part[1] ?? 'details') as 'reviews', headers);
        return json(got.status, got.value);
      }
      if (path === '/' || path === '/index.html')
        return html(
          200,
          '<!DOCTYPE html>\n<title>Simple Bookstore App</title>\n<h3>Hello! This is a simple bookstore application consisting of three services as shown below</h3>\n',
        );
      if (path !== '/productpage') return html(404, '<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n');
      const details = yield* fetchPart(p, 'details', headers);
      const reviews = yield* fetchPart(p, 'reviews', headers);
      return html(200, productPage(user, details, reviews));
    });
  };

/** Flask's session cookie, signed by nobody here. */
function session(req: Served, login: boolean): Reply {
  const user = splitTarget(`/?${bytesToString(req.body)}`).query.get('username')?.[0] ?? '';
  const value = base64(stringToBytes(JSON.stringify({ user })))
    .replace(/=+$/, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  const cookie = login
    ? `session=${value}; HttpOnly; Path=/`
    : 'session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/';
  const back = header(req.headers, 'Referer') ?? '/productpage';
  return {
    status: 302,
    headers: [
      ['Content-Type', 'text/html; charset=utf-8'],
      ['Location', back],
      ['Set-Cookie', cookie],
    ],
    body: '',
  };
}
