// The virtual outbound listener, 15001: what the application opens comes here with its real destination, and goes on by the mesh's services
// (pilot/pkg/networking/core/listener*.go, httproute.go 1.28).
import { originalDestination } from '../../linux/netfilter/original-dst.ts';
import { peek } from '../../linux/peek.ts';
import { connect, type Socket, socket } from '../../linux/socket.ts';
import { uuid } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { type Headers, header, plainStream, type Stream } from '../../userland/http.ts';
import { type Reply, type Served, serveStream } from '../../userland/http-server.ts';
import { HOP_BY_HOP } from '../../userland/servers/upstream.ts';
import { helloIn, tlsConnect } from '../../userland/tls.ts';
import { splitTarget } from '../../userland/url.ts';
import { formatIp, type Ip, inCidr, parseCidr } from '../../wire/ip.ts';
import { decorated } from '../envoy/local-reply.ts';
import { relay } from '../envoy/relay.ts';
import { connectionEntry, type Entry, exchangeEntry, logAccess } from './access-log.ts';
import { type Cluster, clusterOf } from './destination.ts';
import { pick, targetsOf, tlsFor } from './forward.ts';
import { peerMetadata } from './peer-metadata.ts';
import { type EnvoyProxy, namespaceOf, podNow } from './proxy.ts';
import { coversHost, type MeshService, type ServicePort } from './registry.ts';
import { byWeight, destinationCluster, follow, type Plan } from './route.ts';
import { type Scope, scopeOf } from './scope.ts';
import {
  type Asked,
  chooseConnection,
  chooseRoute,
  type Opened,
  operationOf,
  virtualServiceFor,
  virtualServices,
} from './virtual-service.ts';

type Destination = { ip: Ip; port: number };

/** A cluster without a service: straight on, or nowhere. */
const special = (name: string, resolution: 'original' | 'none'): Cluster => ({
  name,
  hostname: '',
  resolution,
  endpoints: [],
  balance: 'ROUND_ROBIN',
  hash: null,
  connectMs: 10_000,
  tls: 'DISABLE',
  sni: null,
  external: true,
  maxPending: null,
});

export const PASSTHROUGH = special('PassthroughCluster', 'original');
export const BLACK_HOLE = special('BlackHoleCluster', 'none');

const fallback = (scope: Scope): Cluster => (scope.policy === 'REGISTRY_ONLY' ? BLACK_HOLE : PASSTHROUGH);

/** Does one of the service's addresses (or networks) have it? A headless service is where its endpoints are. */
function isAt(s: MeshService, port: ServicePort, d: Destination): boolean {
  if (port.number !== d.port) return false;
  const text = formatIp(d.ip);
  const at = (a: string) => {
    const net = a.includes('/') ? parseCidr(a) : null;
    return net ? net.ip.length === d.ip.length && inCidr(net, d.ip) : a === text;
  };
  if (s.addresses.length) return s.addresses.some(at);
  return s.resolution === 'original' && s.endpoints(port).some(e => e.host === text);
}

interface Found {
  service: MeshService;
  port: ServicePort;
}

function serviceAt(scope: Scope, d: Destination): Found | null {
  for (const service of scope.services)
    for (const port of service.ports) if (port.protocol !== 'UDP' && isAt(service, port, d)) return { service, port };
  return null;
}

const httpPort = (s: MeshService, port: number): ServicePort | undefined =>
  s.ports.find(p => p.number === port && (p.protocol === 'HTTP' || p.protocol === 'AUTO'));

const METHOD = /^[A-Z]{3,10} \S/;

const isHttp = (first: Uint8Array): boolean => METHOD.test(String.fromCharCode(...first.subarray(0, 16)));

/** A connection that was redirected here. */
export function* outbound(x: EnvoyProxy, s: Socket): Co<void> {
  const d = originalDestination(s);
  if (!d) return;
  const scope = scopeOf(x.server, podNow(x));
  const found = serviceAt(scope, d);
  // Ports of HTTP services have listeners on every address: who speaks HTTP there is asked for its Host.
  const shared = scope.services.some(o => o.ports.some(p => p.number === d.port && p.protocol === 'HTTP'));
  if (found ? found.port.protocol === 'HTTP' || found.port.protocol === 'AUTO' : shared) {
    const first = yield* peek(s);
    if (typeof first === 'string' || !first.length) return;
    if (isHttp(first)) return yield* http(x, plainStream(s), d, found?.port.protocol === 'AUTO' ? found : null);
  }
  yield* tcp(x, s, d, scope, found);
}

// -- TCP

/** Services without an address of their own whose TLS port it is: the name in the hello tells which. */
function byName(scope: Scope, port: number, sni: string): Found | null {
  for (const service of scope.services) {
    const p = service.ports.find(q => q.number === port && q.protocol === 'TLS');
    if (p && !service.addresses.length && coversHost(service.hostname, sni)) return { service, port: p };
  }
  return null;
}

/** What the VirtualService for what was found says of the connection. */
function l4Cluster(x: EnvoyProxy, found: Found, d: Destination, sni: string | null): Cluster | null {
  const namespace = namespaceOf(x);
  const vs = virtualServiceFor(virtualServices(x.server, 'mesh', namespace), found.service.hostname);
  const source = { labels: podNow(x).metadata.labels ?? {}, namespace };
  const opened: Opened = { port: found.port.number, sni, destination: d.ip, source, gateway: 'mesh' };
  const routes = vs && chooseConnection(vs, opened, sni === null ? ['tcp'] : ['tls', 'tcp']);
  const chosen = routes && byWeight(x, routes);
  if (!vs || !chosen) return clusterOf(x.server, found.service, found.port, '', namespace);
  return destinationCluster(x.server, chosen.destination, vs.metadata.namespace ?? '', namespace, found.port.number);
}

function* tcp(x: EnvoyProxy, s: Socket, d: Destination, scope: Scope, at: Found | null): Co<void> {
  let found = at;
  let sni: string | null = null;
  const named = scope.services.some(o => !o.addresses.length && o.ports.some(p => p.number === d.port && p.protocol === 'TLS'));
  if (named || found?.port.protocol === 'TLS') {
    const first = yield* peek(s);
    sni = typeof first === 'string' ? null : (helloIn(first)?.sni ?? null);
    if (sni) found = byName(scope, d.port, sni) ?? found;
  }
  const cluster = found ? l4Cluster(x, found, d, sni) : fallback(scope);
  yield* relayTo(x, s, plainStream(s), cluster ?? BLACK_HOLE, d, sni);
}

/** Connect to one of the cluster's endpoints and let the bytes through. Without one the connection is closed as it came. */
export function* relayTo(x: EnvoyProxy, s: Socket, down: Stream, cluster: Cluster, d: Destination, sni: string | null): Co<void> {
  const sim = x.p.kernel.sim;
  const fromMs = sim.nowMs;
  const list = yield* targetsOf(x, cluster, d);
  const none = { method: '', target: '', headers: [], body: new Uint8Array(0), original: d, sourceIp: s.remote as Ip };
  const t = pick(x, cluster, list, new Set(), none);
  const entry: Entry = {
    ...connectionEntry(fromMs, { local: d, remote: { ip: s.remote as Ip, port: s.remotePort }, sni }),
    upstream: t && { ip: t.ip, port: t.port },
    cluster: cluster.name,
  };
  if (!t) {
    // What the client sent already is never read: it is answered with a reset.
    yield* peek(s, 1000);
    return logAccess(x, { ...entry, flags: 'UH' });
  }
  const up = socket(x.p, 'tcp', t.ip.length === 4 ? 4 : 6);
  if (typeof up === 'string') return;
  const error = yield* connect(up, t.ip, t.port, cluster.connectMs);
  if (error) {
    yield* peek(s, 1000);
    return logAccess(x, { ...entry, flags: 'UF,URX', transport: 'delayed connect error: Connection refused' });
  }
  const tls = tlsFor(x, cluster, t);
  let stream = plainStream(up);
  if (tls) {
    const made = yield* tlsConnect(up, { alpn: ['istio'], ...tls }, cluster.connectMs);
    if (typeof made === 'string') return logAccess(x, { ...entry, flags: 'UF,URX' });
    stream = made.stream;
  }
  const local = { ip: up.local as Ip, port: up.localPort };
  const n = yield* relay(x.p, down, stream);
  logAccess(x, { ...entry, ...n, upstreamLocal: local });
}

// -- HTTP

const shortNames = (s: MeshService, namespace: string): string[] => {
  const m = /^([^.]+)\.([^.]+)\.svc\./.exec(s.hostname);
  if (!m) return [s.hostname];
  const [, name, ns] = m;
  return [s.hostname, `${name}.${ns}`, `${name}.${ns}.svc`, ...(ns === namespace ? [name] : [])];
};

/** The virtual host of a port's routes that a request's Host means. */
function serviceFor(scope: Scope, port: number, host: string, namespace: string): Found | null {
  let best: (Found & { rank: number }) | null = null;
  for (const service of scope.services) {
    const p = httpPort(service, port);
    if (!p) continue;
    const exact = shortNames(service, namespace).includes(host) || service.addresses.includes(host);
    const rank = exact ? 1e6 : service.hostname.startsWith('*') && coversHost(service.hostname, host) ? service.hostname.length : -1;
    if (rank >= 0 && (!best || rank > best.rank)) best = { service, port: p, rank };
  }
  return best;
}

const withoutPort = (host: string) => (host.startsWith('[') ? host.replace(/^\[([^\]]*)\].*$/, '$1') : host.replace(/:\d+$/, ''));

export function askedOf(x: EnvoyProxy, req: Served, port: number, gateway: string, secure: boolean): Asked {
  const { query } = splitTarget(req.target);
  const pod = podNow(x);
  return {
    authority: header(req.headers, 'Host') ?? '',
    path: req.target.replace(/\?.*$/s, ''),
    query,
    method: req.method,
    scheme: secure ? 'https' : 'http',
    header: name => header(req.headers, name),
    port,
    source: { labels: pod.metadata.labels ?? {}, namespace: namespaceOf(x) },
    gateway,
  };
}

function planFor(x: EnvoyProxy, req: Served, d: Destination, only: Found | null): Plan {
  const scope = scopeOf(x.server, podNow(x));
  const namespace = namespaceOf(x);
  const host = withoutPort(header(req.headers, 'Host') ?? '').toLowerCase();
  const base = { port: d.port, secure: false, chosen: null };
  const list = virtualServices(x.server, 'mesh', namespace);
  const found = only ?? serviceFor(scope, d.port, host, namespace);
  const vs = virtualServiceFor(list, found?.service.hostname ?? host);
  if (vs) {
    const chosen = chooseRoute(x.server, vs, askedOf(x, req, d.port, 'mesh', false));
    if (!chosen) return { ...base, name: '-', operation: '', cluster: null, missing: true };
    const to = chosen.route.route?.[0]?.destination;
    const cluster = to ? destinationCluster(x.server, to, chosen.namespace, namespace, d.port) : null;
    const operation = operationOf(cluster?.hostname ?? found?.service.hostname ?? host, to?.port?.number ?? d.port, chosen.match);
    return { ...base, name: chosen.route.name || '-', operation, chosen, cluster: null };
  }
  if (found) {
    const operation = operationOf(found.service.hostname, d.port, null);
    return { ...base, name: 'default', operation, cluster: clusterOf(x.server, found.service, found.port, '', namespace) };
  }
  const nowhere = scope.policy === 'REGISTRY_ONLY';
  return { ...base, name: nowhere ? 'block_all' : 'allow_any', operation: '', cluster: fallback(scope) };
}

/** The connection manager's part of a request's headers. */
export function incoming(x: EnvoyProxy, req: Served, operation: string, secure: boolean): Headers {
  const kept = req.headers
    .filter(([n]) => !HOP_BY_HOP.has(n.toLowerCase()) && !/^x-envoy-peer-metadata/i.test(n))
    .map(([n, v]) => [n.toLowerCase(), v] as [string, string]);
  const add = (name: string, value: string) => {
    if (header(kept, name) === undefined) kept.push([name, value]);
  };
  add('x-forwarded-proto', secure ? 'https' : 'http');
  add('x-request-id', uuid(x.p.kernel.sim.random));
  if (operation) {
    const at = kept.findIndex(([n]) => n === 'x-envoy-decorator-operation');
    if (at >= 0) kept.splice(at, 1);
    kept.push(['x-envoy-decorator-operation', operation]);
  }
  const at = kept.findIndex(([n]) => n === 'x-envoy-attempt-count');
  if (at >= 0) kept.splice(at, 1);
  kept.push(['x-envoy-attempt-count', '1']);
  return kept;
}

/** What the client gets: the time the upstream took in the place of what it said itself. */
export function answered(reply: Reply, serviceMs: number | null): Reply {
  const headers = (reply.headers ?? []).filter(([n]) => n !== 'x-envoy-decorator-operation' && n !== 'x-envoy-upstream-service-time');
  return serviceMs === null
    ? { ...reply, headers }
    : { ...reply, headers: [...headers, ['x-envoy-upstream-service-time', String(serviceMs)]] };
}

function* http(x: EnvoyProxy, stream: Stream, d: Destination, only: Found | null): Co<void> {
  const sim = x.p.kernel.sim;
  function* handler(req: Served): Co<Reply> {
    const fromMs = sim.nowMs;
    const plan = planFor(x, req, d, only);
    const headers = [...incoming(x, req, plan.operation, false), ...peerMetadata(podNow(x))];
    const out = { method: req.method, target: req.target, headers, body: req.body, original: d, sourceIp: req.remote };
    const done = plan.missing ? { ...NO_ROUTE, cluster: '-' } : yield* follow(x, out, plan, namespaceOf(x));
    const reply = answered(done.reply, done.serviceMs);
    const remote = { ip: req.remote, port: req.remotePort };
    logAccess(x, { ...exchangeEntry(fromMs, req, headers, done, reply, { local: d, remote, sni: null }), route: plan.name });
    return reply;
  }
  yield* serveStream(stream, handler, {
    decorate: (req, reply, keep) => decorated(sim, 'envoy', reply, keep, req.method === 'HEAD'),
    badRequest: () => ({ status: 400, body: '' }),
  });
}

export const NO_ROUTE = {
  reply: { status: 404, body: '' } as Reply,
  flags: 'NR',
  details: 'route_not_found',
  transport: '',
  upstream: null,
  local: null,
  serviceMs: null,
};
