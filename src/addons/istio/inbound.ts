// The virtual inbound listener, 15006: who may come in, and on to the application (pilot/pkg/networking/core/listener_inbound.go 1.28).
import { listObjects } from '../../apiserver/store.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { originalDestination } from '../../linux/netfilter/original-dst.ts';
import { peek } from '../../linux/peek.ts';
import { bind, close, connect, type Socket, socket } from '../../linux/socket.ts';
import type { Co } from '../../sim/task.ts';
import { type Headers, header, plainStream, type Stream } from '../../userland/http.ts';
import { type Reply, type Served, serveStream } from '../../userland/http-server.ts';
import { exchange, hasFailed } from '../../userland/servers/upstream.ts';
import { type Certificate, helloIn, tlsAccept } from '../../userland/tls.ts';
import { type Ip, ip, parseIp } from '../../wire/ip.ts';
import { decorated, localReply, passedOn, resetReason, resetText } from '../envoy/local-reply.ts';
import { relay } from '../envoy/relay.ts';
import { connectionEntry, type Entry, logAccess } from './access-log.ts';
import { type Attributes, authorize } from './authorization.ts';
import { authenticate } from './jwt.ts';
import { SLICES } from './names.ts';
import { incoming } from './outbound.ts';
import { mtlsMode } from './peer-authentication.ts';
import { type EnvoyProxy, fingerprint, namespaceOf, ownCertificate, ownIdentity, podNow } from './proxy.ts';
import { hostnameOf, type Protocol, protocolOf } from './registry.ts';

/** Connections to the application come from here: the rules let them pass. */
const FROM: Record<number, Ip> = { 4: ip('127.0.0.6'), 16: ip('::6') };

interface Inbound {
  to: { ip: Ip; port: number };
  /** The client's certificate, when it showed one. */
  peer: Certificate | null;
  sni: string | null;
  remote: { ip: Ip; port: number };
  protocol: Protocol;
  /** `httpbin.foo.svc.cluster.local:8000/*`; '': no Service has this port. */
  operation: string;
}

/** What Services say of a port of this pod. */
function portOf(x: EnvoyProxy, pod: KubeObject, port: number): { protocol: Protocol; operation: string } {
  const namespace = namespaceOf(x);
  for (const slice of listObjects(x.server, SLICES, namespace)) {
    if (!(slice.endpoints ?? []).some((e: any) => e.targetRef?.kind === 'Pod' && e.targetRef.name === pod.metadata.name)) continue;
    const p = (slice.ports ?? []).find((q: any) => q.port === port);
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (!p || !service) continue;
    const found = listObjects(x.server, 'services', namespace).find(s => s.metadata.name === service);
    const own = (found?.spec.ports ?? []).find((q: any) => (q.name ?? '') === (p.name ?? ''));
    if (!own) continue;
    const protocol = protocolOf(own.name ?? '', own.appProtocol, own.protocol ?? 'TCP', own.port);
    return { protocol, operation: `${hostnameOf(service, namespace)}:${own.port}/*` };
  }
  return { protocol: 'AUTO', operation: '' };
}

const MESH_ALPN = ['istio-peer-exchange', 'istio', 'istio-http/1.0', 'istio-http/1.1', 'istio-h2'];

export function* inbound(x: EnvoyProxy, s: Socket): Co<void> {
  const to = originalDestination(s);
  if (!to) return;
  const pod = podNow(x);
  const mode = mtlsMode(x.server, namespaceOf(x), pod.metadata.labels ?? {}, to.port);
  const remote = { ip: s.remote as Ip, port: s.remotePort };
  const known = portOf(x, pod, to.port);
  const base: Inbound = { to, peer: null, sni: null, remote, ...known };
  // Who opens a connection without a word gets through to a port of plain TCP only when nobody has to look at what it says.
  const silent = known.protocol === 'TCP' && mode === 'DISABLE';
  const first = silent ? new Uint8Array(0) : yield* peek(s);
  if (typeof first === 'string' || (!silent && !first.length)) return;
  const hello = mode === 'DISABLE' ? null : helloIn(first);
  const meshTls = hello && (mode === 'STRICT' || hello.alpn.some(a => MESH_ALPN.includes(a)));
  if (!meshTls) {
    if (mode === 'STRICT') return reject(x, base); // no filter chain: closed unread, which is a reset
    return yield* serve(x, s, plainStream(s), base, first);
  }
  const ours = (c: Certificate) => c.issuer === ownCertificate(x).issuer;
  const t = yield* tlsAccept(s, () => ownCertificate(x), {
    library: 'boringssl',
    protocols: ['istio-http/1.1', 'istio', 'http/1.1'],
    trusts: ours,
  });
  if (!t || t === 'plain') return;
  yield* serve(x, s, t.stream, { ...base, peer: t.hello.certificate ?? null, sni: t.hello.sni }, null);
}

const blank = (x: EnvoyProxy, i: Inbound): Entry => connectionEntry(x.p.kernel.sim.nowMs, { local: i.to, remote: i.remote, sni: i.sni });

function reject(x: EnvoyProxy, i: Inbound): void {
  logAccess(x, { ...blank(x, i), flags: 'NR', details: 'filter_chain_not_found' });
}

/** `first`: what is known of the bytes to come; null: they are inside of TLS. */
function* serve(x: EnvoyProxy, s: Socket, stream: Stream, i: Inbound, first: Uint8Array | null): Co<void> {
  if (i.protocol === 'HTTP') return yield* http(x, stream, i);
  if (i.protocol !== 'AUTO') return yield* tcp(x, s, stream, i);
  // A protocol that nobody named: by its first bytes.
  let bytes = first;
  let through = stream;
  if (!bytes) {
    const got = yield* stream.recv(Number.POSITIVE_INFINITY);
    if (typeof got === 'string' || !got.length) return;
    bytes = got;
    through = withFirst(stream, got);
  }
  const text = String.fromCharCode(...bytes.subarray(0, 16));
  if (/^[A-Z]{3,10} \S/.test(text)) yield* http(x, through, i);
  else yield* tcp(x, s, through, i);
}

function withFirst(stream: Stream, first: Uint8Array): Stream {
  let held: Uint8Array | null = first;
  return {
    ...stream,
    *recv(ms) {
      if (!held) return yield* stream.recv(ms);
      const out = held;
      held = null;
      return out;
    },
  };
}

const clusterName = (i: Inbound): string => (i.operation ? `inbound|${i.to.port}||` : 'InboundPassthroughCluster');

function attributes(i: Inbound, http: Attributes['http'], remoteIp = i.remote.ip): Attributes {
  return {
    peer: i.peer?.sans[0] ?? null,
    sourceIp: i.remote.ip,
    remoteIp,
    destinationIp: i.to.ip,
    port: i.to.port,
    sni: i.sni,
    http,
  };
}

function* tcp(x: EnvoyProxy, s: Socket, stream: Stream, i: Inbound): Co<void> {
  const entry = { ...blank(x, i), cluster: clusterName(i), upstream: i.to };
  const verdict = authorize(x.server, podNow(x), attributes(i, null));
  if (!verdict.allowed) {
    s.options.set('linger0', 1); // envoy.filters.network.rbac closes without a word
    return logAccess(x, { ...entry, upstream: null, termination: verdict.details });
  }
  const up = socket(x.p, 'tcp', i.to.ip.length === 4 ? 4 : 6);
  if (typeof up === 'string') return;
  bind(up, FROM[i.to.ip.length], 0);
  const error = yield* connect(up, i.to.ip, i.to.port, 10_000);
  if (error) {
    close(up);
    s.options.set('linger0', 1);
    return logAccess(x, { ...entry, flags: 'UF', transport: 'delayed connect error: Connection refused' });
  }
  const upstreamLocal = { ip: up.local as Ip, port: up.localPort };
  const n = yield* relay(x.p, stream, plainStream(up));
  logAccess(x, { ...entry, ...n, upstreamLocal });
}

/** Headers that only proxies speak to each other with. */
const BETWEEN_PROXIES = /^x-envoy-(decorator-operation|peer-metadata(-id)?)$/;

const forwardedCert = (x: EnvoyProxy, peer: Certificate): string =>
  `By=${ownIdentity(x)};Hash=${fingerprint(peer)};Subject="${peer.subject}";URI=${peer.sans[0]}`;

function requestHeaders(x: EnvoyProxy, req: Served, i: Inbound): Headers {
  const attempt = header(req.headers, 'x-envoy-attempt-count');
  const own = incoming(x, req, '', false).filter(([n]) => !BETWEEN_PROXIES.test(n) && n !== 'x-envoy-attempt-count');
  if (attempt !== undefined) own.push(['x-envoy-attempt-count', attempt]);
  const before = header(own, 'x-forwarded-client-cert');
  const rest = own.filter(([n]) => n !== 'x-forwarded-client-cert');
  if (!i.peer) return rest;
  const cert = forwardedCert(x, i.peer);
  return [...rest, ['x-forwarded-client-cert', before ? `${before},${cert}` : cert]];
}

const clientIp = (req: Served, i: Inbound): Ip => {
  const hops = (header(req.headers, 'X-Forwarded-For') ?? '')
    .split(',')
    .map(h => parseIp(h.trim()))
    .filter(h => h !== null);
  return hops[hops.length - 1] ?? i.remote.ip;
};

function* http(x: EnvoyProxy, stream: Stream, i: Inbound): Co<void> {
  const sim = x.p.kernel.sim;
  function* handler(req: Served): Co<Reply> {
    const fromMs = sim.nowMs;
    const headers = requestHeaders(x, req, i);
    const entry: Entry = {
      ...blank(x, i),
      fromMs,
      method: req.method,
      path: req.target,
      protocol: req.version,
      received: req.body.length,
      headers,
      cluster: clusterName(i),
      route: 'default',
    };
    const finish = (reply: Reply, more: Partial<Entry>): Reply => {
      const sent = typeof reply.body === 'string' ? reply.body.length : (reply.body?.length ?? 0);
      logAccess(x, { ...entry, status: reply.status, sent, ...more });
      return reply;
    };
    const pod = podNow(x);
    const token = yield* authenticate(x, pod, req);
    if (token.refused) return finish(token.refused, { details: `jwt_authn_access_denied{${token.why.replaceAll(' ', '_')}}` });
    const asked: Attributes['http'] = {
      method: req.method,
      path: req.target.replace(/[?#].*$/s, ''),
      host: header(req.headers, 'Host') ?? '',
      header: name => header(req.headers, name),
      claims: token.claims,
    };
    const verdict = authorize(x.server, pod, attributes(i, asked, clientIp(req, i)));
    if (!verdict.allowed) return finish(localReply(403, 'RBAC: access denied'), { details: verdict.details });
    const passed = { method: req.method, target: req.target, headers: token.headers(headers), body: req.body };
    const got = yield* exchange(x.p, i.to.ip, i.to.port, passed, { connectMs: 10_000, readMs: 3_600_000, from: FROM[i.to.ip.length] });
    if (hasFailed(got)) {
      if (got.failed === 'timeout')
        return finish(localReply(504, 'upstream request timeout'), { flags: 'UT', details: 'response_timeout' });
      const { flags, reason, transport } = resetReason(got);
      const details = `upstream_reset_before_response_started{${reason.replace(/,? transport failure reason: .*/s, '').replaceAll(' ', '_')}}`;
      return finish(localReply(503, resetText(reason, false)), { flags, details, transport, upstream: i.to });
    }
    const serviceMs = Math.round(sim.nowMs - fromMs);
    const reply: Reply = {
      status: got.head.status,
      reason: got.head.reason,
      headers: [
        ...passedOn(got.head.headers),
        ['x-envoy-upstream-service-time', String(serviceMs)],
        ...(i.operation && !i.peer ? [['x-envoy-decorator-operation', i.operation] as [string, string]] : []),
      ],
      body: got.body,
    };
    return finish(reply, { details: 'via_upstream', upstream: i.to, upstreamLocal: got.local, serviceMs });
  }
  yield* serveStream(stream, handler, {
    decorate: (req, reply, keep) => decorated(sim, 'istio-envoy', reply, keep, req.method === 'HEAD'),
    badRequest: () => ({ status: 400, body: '' }),
  });
}
