// The image envoyproxy/envoy as Envoy Gateway runs it: routes by what the controller's translation gives, connections of its own behind it.
import { getObject } from '../../apiserver/store.ts';
import { print } from '../../linux/process.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { nextFloat, uuid } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate, rfc3339 } from '../../sim/time.ts';
import { type Headers, header, plainStream } from '../../userland/http.ts';
import { background, type Reply, type Served, type ServeOptions, serveStream, tcpServer } from '../../userland/http-server.ts';
import { plain } from '../../userland/servers/nginx-scope.ts';
import { exchange, HOP_BY_HOP, hasFailed } from '../../userland/servers/upstream.ts';
import { tlsAccept } from '../../userland/tls.ts';
import { splitTarget } from '../../userland/url.ts';
import { formatIp, parseIp } from '../../wire/ip.ts';
import type { AddonContext } from '../context.ts';
import { type Backend, type Filter, fitsHost, type Listener, type PathChange, type Rule, ruleFor } from '../gateway-api/model.ts';
import { GATEWAYS, GRANTS, ROUTES, translate } from '../gateway-api/translate.ts';
import { reconcileOn, untilEnd } from '../reconcile.ts';
import { containerPort, OWNER_NAME, OWNER_NAMESPACE } from './infra.ts';

const READY = 19003;
const CONNECT_MS = 10_000;
const WATCHED = [GATEWAYS, ROUTES, GRANTS, 'services', 'secrets', 'namespaces', 'endpointslices.discovery.k8s.io'];

interface Envoy {
  p: Process;
  listeners: Listener[];
  turns: Map<string, number>;
}

export const envoy = ({ server, pod }: AddonContext): Program =>
  function* envoy(p) {
    const labels = pod.metadata.labels ?? {};
    const x: Envoy = { p, listeners: [], turns: new Map() };
    const opened = new Set<number>();
    const refresh = () => {
      const gateway = getObject(server, GATEWAYS, labels[OWNER_NAMESPACE], labels[OWNER_NAME]);
      x.listeners = gateway ? translate(server, gateway).listeners.filter(l => l.refs.ok) : [];
      for (const { port } of x.listeners) {
        if (opened.has(port)) continue;
        opened.add(port);
        tcpServer(p, containerPort(port), s => connection(x, s, port));
      }
    };
    refresh();
    tcpServer(p, READY, s =>
      serveStream(plainStream(s), function* (req) {
        return {
          status: req.target === '/ready' ? 200 : 404,
          headers: [['content-type', 'text/plain']],
          body: req.target === '/ready' ? 'OK' : '',
        };
      }),
    );
    const stop = reconcileOn(server, WATCHED, refresh);
    return yield* untilEnd(p, [stop]);
  };

function* connection(x: Envoy, s: Socket, port: number): Co<void> {
  const of = x.listeners.filter(l => l.port === port);
  const o: ServeOptions = {
    keepAliveMs: 3_600_000,
    decorate: (_req, reply, keep) => dress(x.p, reply, keep),
    badRequest: () => ({ status: 400, body: '' }),
  };
  const secure = of.some(l => l.certificate);
  const handler = (req: Served) => respond(x, req, port, secure);
  if (!secure) return yield* serveStream(plainStream(s), handler, o);
  const chosen = (sni: string | null) => of.find(l => l.hostname && sni && fitsHost(l.hostname, sni)) ?? of.find(l => !l.hostname) ?? of[0];
  const t = yield* tlsAccept(s, hello => chosen(hello.sni).certificate as NonNullable<Listener['certificate']>, {
    library: 'boringssl',
    protocols: ['h2', 'http/1.1'],
  });
  if (t && t !== 'plain') yield* serveStream(t.stream, handler, o);
}

/** Names in lower case, as its codec writes them. */
function dress(p: Process, reply: Reply, keep: boolean): Headers {
  const given = (reply.headers ?? []).map(([n, v]) => [n.toLowerCase(), v] as [string, string]);
  const out = given.filter(([n]) => n !== 'content-length' && n !== 'date');
  const length = header(given, 'content-length') ?? String((reply.body as Uint8Array).length);
  const date = header(given, 'date') ?? httpDate(p.kernel.sim.nowMs);
  const tail: Headers = keep ? [] : [['connection', 'close']];
  return [
    ...out,
    ['date', date],
    ...(reply.status === 204 || reply.status === 304 ? [] : [['content-length', length] as [string, string]]),
    ...tail,
  ];
}

const TEXT: Headers = [['content-type', 'text/plain']];

function* respond(x: Envoy, req: Served, port: number, secure: boolean): Co<Reply> {
  const host = (header(req.headers, 'Host') ?? '').toLowerCase();
  const { path, query } = splitTarget(req.target);
  const rule = ruleFor(x.listeners, port, {
    host: host.replace(/:\d+$/, ''),
    path,
    method: req.method,
    header: name => header(req.headers, name),
    query,
  });
  const fromMs = x.p.kernel.sim.nowMs;
  const reply = rule ? yield* route(x, req, rule, port, secure) : { status: 404, body: '' };
  const line = {
    start_time: rfc3339(fromMs),
    method: req.method,
    'x-envoy-origin-path': req.target,
    protocol: req.version,
    response_code: reply.status,
    response_flags: rule ? '-' : 'NR',
    duration: Math.round(x.p.kernel.sim.nowMs - fromMs),
    ':authority': host,
    route_name: rule ? `httproute/${rule.name}` : null,
    downstream_remote_address: `${formatIp(plain(req.remote))}:${req.remotePort}`,
  };
  print(x.p, `${JSON.stringify(line)}\n`);
  return reply;
}

function changed(path: string, change: PathChange | undefined, rule: Rule): string {
  if (!change) return path;
  if (change.full !== undefined) return change.full || '/';
  const base = rule.match.path.value.replace(/\/+$/, '');
  const rest = path.slice(base.length);
  const prefix = (change.prefix ?? '').replace(/\/+$/, '');
  return `${prefix}${rest.startsWith('/') || !rest ? rest : `/${rest}`}` || '/';
}

function apply(headers: Headers, f: Extract<Filter, { kind: 'request' | 'response' }>): Headers {
  const gone = new Set([...f.remove, ...f.set.map(([n]) => n)].map(n => n.toLowerCase()));
  return [...headers.filter(([n]) => !gone.has(n.toLowerCase())), ...f.set, ...f.add];
}

function redirected(req: Served, rule: Rule, f: Extract<Filter, { kind: 'redirect' }>, port: number, secure: boolean): Reply {
  const [path, tail] = [req.target.split('?')[0], req.target.includes('?') ? req.target.slice(req.target.indexOf('?')) : ''];
  const scheme = f.scheme ?? (secure ? 'https' : 'http');
  const [name, asked] = (header(req.headers, 'Host') ?? '').split(':');
  const usual = scheme === 'https' ? 443 : 80;
  const to = f.port ?? (f.scheme ? usual : asked ? Number(asked) : port);
  const authority = `${f.hostname ?? name}${to === usual ? '' : `:${to}`}`;
  return { status: f.status, headers: [['location', `${scheme}://${authority}${changed(path, f.path, rule)}${tail}`]], body: '' };
}

/** By weight; an invalid backend's share is answered 500. */
function pick(x: Envoy, backends: Backend[]): Backend | null {
  const total = backends.reduce((n, b) => n + b.weight, 0);
  let at = nextFloat(x.p.kernel.sim.random) * total;
  if (backends.length === 1) return total ? backends[0] : null;
  for (const b of backends) if ((at -= b.weight) < 0) return b;
  return null;
}

function* route(x: Envoy, req: Served, rule: Rule, port: number, secure: boolean): Co<Reply> {
  const redirect = rule.filters.find(f => f.kind === 'redirect');
  if (redirect?.kind === 'redirect') return redirected(req, rule, redirect, port, secure);
  const backend = pick(x, rule.backends);
  if (!backend?.endpoints) return { status: 500, body: '' };
  const filters = [...rule.filters, ...backend.filters];
  let headers: Headers = req.headers.filter(([n]) => !HOP_BY_HOP.has(n.toLowerCase()));
  let target = req.target;
  for (const f of filters) {
    if (f.kind === 'request') headers = apply(headers, f);
    else if (f.kind === 'rewrite') {
      const at = target.indexOf('?');
      target = changed(at < 0 ? target : target.slice(0, at), f.path, rule) + (at < 0 ? '' : target.slice(at));
      if (f.hostname) headers = [...headers.filter(([n]) => !/^host$/i.test(n)), ['host', f.hostname]];
    }
  }
  const client = formatIp(plain(req.remote));
  const before = header(headers, 'X-Forwarded-For');
  headers = [
    ...headers
      .filter(([n]) => !/^(x-forwarded-(for|proto)|x-envoy-external-address|x-request-id)$/i.test(n))
      .map(([n, v]) => [n.toLowerCase(), v] as [string, string]),
    ['x-forwarded-for', before ? `${before},${client}` : client],
    ['x-forwarded-proto', secure ? 'https' : 'http'],
    ['x-envoy-external-address', client],
    ['x-request-id', header(headers, 'X-Request-Id') ?? uuid(x.p.kernel.sim.random)],
  ];
  for (const f of filters)
    if (f.kind === 'mirror' && nextFloat(x.p.kernel.sim.random) < f.fraction) background(x.p, mirrored(x, req, f.backend, headers, target));
  const reply = yield* forward(x, req, backend, headers, target, rule.timeoutMs);
  for (const f of filters) if (f.kind === 'response') reply.headers = apply(reply.headers ?? [], f);
  return reply;
}

function endpointOf(x: Envoy, backend: Backend): { host: string; port: number } | null {
  const list = backend.endpoints ?? [];
  if (!list.length) return null;
  const turn = x.turns.get(backend.name) ?? 0;
  x.turns.set(backend.name, turn + 1);
  return list[turn % list.length];
}

/** Fire and forget; the copy's host tells what it is. */
function* mirrored(x: Envoy, req: Served, backend: Backend, headers: Headers, target: string): Co<number> {
  const e = endpointOf(x, backend);
  const ip = e && parseIp(e.host);
  if (!e || !ip) return 1;
  const copy = headers.map(([n, v]) => [n, /^host$/i.test(n) ? `${v.replace(/:\d+$/, '')}-shadow` : v] as [string, string]);
  yield* exchange(
    x.p,
    ip,
    e.port,
    { method: req.method, target, headers: copy, body: req.body },
    { connectMs: CONNECT_MS, readMs: 15_000 },
  );
  return 0;
}

function* forward(x: Envoy, req: Served, backend: Backend, headers: Headers, target: string, timeoutMs: number | null): Co<Reply> {
  const e = endpointOf(x, backend);
  const ip = e && parseIp(e.host);
  if (!e || !ip) return { status: 503, headers: TEXT, body: 'no healthy upstream' };
  const limits = { connectMs: Math.min(CONNECT_MS, timeoutMs ?? CONNECT_MS), readMs: timeoutMs ?? 15_000 };
  const got = yield* exchange(x.p, ip, e.port, { method: req.method, target, headers, body: req.body }, limits);
  if (!hasFailed(got)) {
    const kept = got.head.headers.filter(([n]) => !HOP_BY_HOP.has(n.toLowerCase()));
    const length = header(got.head.headers, 'Content-Length');
    if (length !== undefined) kept.push(['content-length', length]);
    return { status: got.head.status, reason: got.head.reason, headers: kept, body: got.body };
  }
  if (got.failed === 'timeout') return { status: 504, headers: TEXT, body: 'upstream request timeout' };
  const late = got.failed === 'connect' && (got.errno === 'ETIMEDOUT' || got.errno === 'EINPROGRESS');
  const why =
    got.failed === 'closed'
      ? 'connection termination'
      : late
        ? 'connection timeout'
        : `remote connection failure, transport failure reason: delayed connect error: ${got.errno === 'EHOSTUNREACH' ? '113' : 'Connection refused'}`;
  return {
    status: 503,
    headers: TEXT,
    body: stringToBytes(`upstream connect error or disconnect/reset before headers. reset reason: ${why}`),
  };
}
