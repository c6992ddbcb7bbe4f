// `proxy router`: an ingress or egress gateway's Envoy.
import { originalDestination } from '../../linux/netfilter/original-dst.ts';
import { peek } from '../../linux/peek.ts';
import type { Socket } from '../../linux/socket.ts';
import { uuid } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { type Headers, header, plainStream, type Stream } from '../../userland/http.ts';
import { type Reply, type Served, serveStream, tcpServer } from '../../userland/http-server.ts';
import { plain } from '../../userland/servers/nginx-scope.ts';
import { type Certificate, helloIn, tlsAccept } from '../../userland/tls.ts';
import { splitTarget } from '../../userland/url.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import { decorated, localReply } from '../envoy/local-reply.ts';
import { exchangeEntry, logAccess } from './access-log.ts';
import { type Attributes, authorize } from './authorization.ts';
import { API_GATEWAY, apiRule, boundTo, type Server, serversOf } from './gateway.ts';
import { chosenFor } from './gateway-api.ts';
import { authenticate } from './jwt.ts';
import { answered, askedOf, BLACK_HOLE, incoming, NO_ROUTE, relayTo } from './outbound.ts';
import { peerMetadata } from './peer-metadata.ts';
import { type EnvoyProxy, namespaceOf, ownCertificate, podNow } from './proxy.ts';
import { coversHost } from './registry.ts';
import { byWeight, destinationCluster, follow, type Plan, type Routed } from './route.ts';
import { chooseConnection, chooseRoute, operationOf, virtualServices } from './virtual-service.ts';

/** Opens what the Gateways ask for; called again when something has changed. What is open stays so: nothing is asked of a closed one. */
export function listenForGateways(x: EnvoyProxy, opened: Set<number>): void {
  for (const { listens } of serversOf(x.server, podNow(x))) {
    if (opened.has(listens)) continue;
    opened.add(listens);
    tcpServer(x.p, listens, s => connection(x, s, listens));
  }
}

function* connection(x: EnvoyProxy, s: Socket, port: number): Co<void> {
  const own = serversOf(x.server, podNow(x)).filter(o => o.listens === port);
  if (!own.length) {
    s.options.set('linger0', 1);
    return;
  }
  const secure = own.some(o => o.tls !== null);
  const first = secure || own[0].protocol !== 'HTTP' ? yield* peek(s) : null;
  if (typeof first === 'string') return;
  const sni = first ? (helloIn(first)?.sni ?? null) : null;
  const chosen = secure
    ? sni === null
      ? own.find(o => o.hosts.includes('*'))
      : (own.find(o => o.hosts.includes(sni)) ?? own.find(o => o.hosts.some(h => coversHost(h, sni))))
    : own[0];
  if (!chosen) return; // no filter chain: the hello is never answered
  if (chosen.protocol === 'TCP' || chosen.tls === 'PASSTHROUGH' || chosen.tls === 'AUTO_PASSTHROUGH') return yield* l4(x, s, chosen, sni);
  if (chosen.tls === null) return yield* http(x, plainStream(s), own, false, null, null);
  const t = yield* tlsAccept(s, () => chosen.certificate ?? ownCertificate(x), {
    library: 'boringssl',
    protocols: chosen.tls === 'ISTIO_MUTUAL' ? ['istio-http/1.1', 'http/1.1'] : ['h2', 'http/1.1'],
    ...(chosen.tls === 'MUTUAL' || chosen.tls === 'ISTIO_MUTUAL' ? { asks: [], trusts: trusted(x, chosen) } : {}),
  });
  if (!t || t === 'plain') return;
  const peer = t.hello.certificate?.sans[0] ?? null;
  if (chosen.protocol === 'TLS') return yield* l4(x, s, chosen, sni, t.stream);
  yield* http(x, t.stream, [chosen], true, sni, peer);
}

/** Whom a server takes that wants its clients' certificates: those that its own CA has signed. */
function trusted(x: EnvoyProxy, server: Server): (c: Certificate) => boolean {
  const issuer = server.tls === 'ISTIO_MUTUAL' ? ownCertificate(x).issuer : server.authority?.subject;
  return c => c.issuer === issuer;
}

/** spec.tls and spec.tcp of the VirtualServices that are bound to it. */
function* l4(x: EnvoyProxy, s: Socket, server: Server, sni: string | null, stream: Stream = plainStream(s)): Co<void> {
  const d = originalDestination(s) ?? { ip: s.local as Ip, port: s.localPort };
  const source = { labels: podNow(x).metadata.labels ?? {}, namespace: namespaceOf(x) };
  const opened = { port: server.port, sni, destination: d.ip, source, gateway: server.gateway };
  for (const vs of virtualServices(x.server, server.gateway, null)) {
    const kinds: ('tls' | 'tcp')[] = server.tls === 'PASSTHROUGH' ? ['tls'] : ['tcp'];
    const routes = chooseConnection(vs, opened, kinds);
    const to = routes && byWeight(x, routes);
    if (!to) continue;
    const cluster = destinationCluster(x.server, to.destination, vs.metadata.namespace ?? '', namespaceOf(x), server.port);
    return yield* relayTo(x, s, stream, cluster ?? BLACK_HOLE, d, sni);
  }
  yield* peek(s, 1000);
}

function planFor(x: EnvoyProxy, req: Served, own: Server[], secure: boolean): Plan {
  const host = (header(req.headers, 'Host') ?? '').replace(/:\d+$/, '').toLowerCase();
  const port = own[0].port;
  const base = { port, secure, name: '-', operation: '', chosen: null, cluster: null };
  if (own[0].gateway === API_GATEWAY) {
    const { path, query } = splitTarget(req.target);
    const asked = { host, path, method: req.method, header: (n: string) => header(req.headers, n), query };
    const rule = apiRule(x.server, podNow(x), port, asked);
    if (!rule) return { ...base, missing: true };
    const chosen = chosenFor(rule, path);
    const to = chosen.route.route?.[0]?.destination;
    return { ...base, name: chosen.route.name, operation: to ? operationOf(to.host, to.port?.number ?? port, chosen.match) : '', chosen };
  }
  for (const s of own.filter(o => o.hosts.some(h => coversHost(h, host)))) {
    if (s.redirects && !secure)
      return { ...base, chosen: { route: { redirect: { scheme: 'https', port: undefined } }, match: null, namespace: '' } };
    for (const vs of boundTo(x.server, s, host)) {
      const chosen = chooseRoute(x.server, vs, askedOf(x, req, s.port, s.gateway, secure));
      if (!chosen) continue;
      const to = chosen.route.route?.[0]?.destination;
      const cluster = to ? destinationCluster(x.server, to, chosen.namespace, namespaceOf(x), s.port) : null;
      const operation = cluster ? operationOf(cluster.hostname, to.port?.number ?? Number(cluster.name.split('|')[1]), chosen.match) : '';
      return { ...base, name: chosen.route.name || '-', operation, chosen };
    }
  }
  return { ...base, missing: true };
}

/** An edge proxy: what clients say of themselves does not count. */
function edgeHeaders(x: EnvoyProxy, req: Served, plan: Plan, secure: boolean): Headers {
  const client = formatIp(plain(req.remote));
  const before = header(req.headers, 'X-Forwarded-For');
  const told =
    /^(x-forwarded-(for|proto|client-cert)|x-envoy-(external-address|internal|decorator-operation|attempt-count)|x-request-id)$/i;
  const kept = { ...req, headers: req.headers.filter(([n]) => !told.test(n)) };
  return [
    ...incoming(x, kept, plan.operation, secure).filter(([n]) => n !== 'x-request-id'),
    ['x-forwarded-for', before ? `${before},${client}` : client],
    ['x-envoy-external-address', client],
    ['x-request-id', uuid(x.p.kernel.sim.random)],
  ];
}

function* http(x: EnvoyProxy, stream: Stream, own: Server[], secure: boolean, sni: string | null, peer: string | null): Co<void> {
  const sim = x.p.kernel.sim;
  function* handler(req: Served): Co<Reply> {
    const fromMs = sim.nowMs;
    const pod = podNow(x);
    // A Gateway that came meanwhile serves connections that are there, too.
    const servers = secure ? own : serversOf(x.server, pod).filter(o => o.listens === own[0].listens && o.tls === null);
    const plan = planFor(x, req, servers.length ? servers : own, secure);
    const headers = [...edgeHeaders(x, req, plan, secure), ...peerMetadata(pod)];
    const done = yield* decide(x, req, pod, plan, headers, { sni, peer });
    const reply = answered(done.reply, done.serviceMs);
    const [local, remote] = [
      { ip: plain(req.local), port: req.localPort },
      { ip: plain(req.remote), port: req.remotePort },
    ];
    logAccess(x, { ...exchangeEntry(fromMs, req, headers, done, reply, { local, remote, sni }), route: plan.name });
    return reply;
  }
  yield* serveStream(stream, handler, {
    decorate: (req, reply, keep) => decorated(sim, 'istio-envoy', reply, keep, req.method === 'HEAD'),
    badRequest: () => ({ status: 400, body: '' }),
  });
}

/** Tokens, policies, then the route. */
function* decide(
  x: EnvoyProxy,
  req: Served,
  pod: ReturnType<typeof podNow>,
  plan: Plan,
  headers: Headers,
  tls: { sni: string | null; peer: string | null },
): Co<Routed> {
  const own = (reply: Reply, details: string): Routed => ({ ...NO_ROUTE, reply, flags: '-', details, cluster: '-' });
  const token = yield* authenticate(x, pod, req);
  if (token.refused) return own(token.refused, `jwt_authn_access_denied{${token.why.replaceAll(' ', '_')}}`);
  const remote = plain(req.remote);
  const asked: Attributes = {
    ...tls,
    sourceIp: remote,
    remoteIp: remote,
    destinationIp: plain(req.local),
    port: req.localPort,
    http: {
      method: req.method,
      path: req.target.replace(/[?#].*$/s, ''),
      host: header(req.headers, 'Host') ?? '',
      header: name => header(req.headers, name),
      claims: token.claims,
    },
  };
  const verdict = authorize(x.server, pod, asked);
  if (!verdict.allowed) return own(localReply(403, 'RBAC: access denied'), verdict.details);
  if (plan.missing) return { ...NO_ROUTE, cluster: '-' };
  const out = { method: req.method, target: req.target, headers: token.headers(headers), body: req.body, original: null, sourceIp: remote };
  return yield* follow(x, out, plan, namespaceOf(x));
}
