// What a route does with a request: faults, redirects, rewrites, headers, weights, mirrors (route.go 1.28, Envoy's router and fault filters).
import type { ApiServer } from '../../apiserver/types.ts';
import { nextFloat } from '../../sim/random.ts';
import { type Co, sleep } from '../../sim/task.ts';
import { type Headers, header } from '../../userland/http.ts';
import { background, type Reply } from '../../userland/http-server.ts';
import { localReply } from '../envoy/local-reply.ts';
import { type Cluster, clusterOf } from './destination.ts';
import { forward, type Outcome, type Outgoing, outcome, retriesOf } from './forward.ts';
import { milliseconds } from './mesh-config.ts';
import type { EnvoyProxy } from './proxy.ts';
import { fullName, type MeshService, registryOf, visible } from './registry.ts';
import { type Chosen, rewritten } from './virtual-service.ts';

/** Where a request goes when nothing else is said of it, or what a VirtualService says. */
export interface Plan {
  /** As the access log calls it. */
  name: string;
  operation: string;
  chosen: Chosen | null;
  /** Without a VirtualService. null: the cluster is not there. */
  cluster: Cluster | null;
  /** Of the listener that took the request, for destinations without a port. */
  port: number;
  secure: boolean;
  /** No route fits: 404. */
  missing?: boolean;
}

export interface Routed extends Outcome {
  cluster: string;
}

const chance = (x: EnvoyProxy, percentage: any, percent?: number): boolean => {
  const share = percentage?.value ?? percent ?? 100;
  return share >= 100 || nextFloat(x.p.kernel.sim.random) * 100 < share;
};

/** The cluster of a destination. null: no such service, port or subset (Envoy: NC). */
export function destinationCluster(server: ApiServer, destination: any, namespace: string, client: string, port: number): Cluster | null {
  const host = fullName(destination.host, namespace);
  const service = registryOf(server).find(s => s.hostname === host && visible(s.exportTo, s.namespace, client));
  const wanted = destination.port?.number ?? (service?.ports.length === 1 ? service.ports[0].number : port);
  const found = service?.ports.find(p => p.number === wanted);
  return service && found ? clusterOf(server, service, found, destination.subset ?? '', client) : null;
}

export const servicePort = (s: MeshService, port: number) => s.ports.find(p => p.number === port);

interface Operations {
  set?: Record<string, string>;
  add?: Record<string, string>;
  remove?: string[];
}

/** Envoy appends and sets in one go, then removes. */
function applyHeaders(headers: Headers, o: Operations | undefined): Headers {
  if (!o) return headers;
  const set = Object.entries(o.set ?? {}).map(([n, v]) => [n.toLowerCase(), v] as [string, string]);
  const gone = new Set([...(o.remove ?? []), ...set.map(([n]) => n)].map(n => n.toLowerCase()));
  const rest = set.filter(([n]) => n !== 'host' && n !== ':authority');
  const host = set.find(([n]) => n === 'host' || n === ':authority');
  const kept = headers.filter(([n]) => !gone.has(n.toLowerCase()) || (/^host$/i.test(n) && !host));
  const named: Headers = host ? [['host', host[1]], ...kept.filter(([n]) => !/^host$/i.test(n))] : kept;
  return [...named, ...rest, ...Object.entries(o.add ?? {}).map(([n, v]) => [n.toLowerCase(), v] as [string, string])];
}

function redirect(o: Outgoing, r: any, plan: Plan): Reply {
  const at = o.target.indexOf('?');
  const [path, query] = at < 0 ? [o.target, ''] : [o.target.slice(0, at), o.target.slice(at)];
  const [host, asked] = (header(o.headers, 'Host') ?? '').split(':');
  const scheme = r.scheme ?? (plan.secure ? 'https' : 'http');
  const derived = r.derivePort === 'FROM_REQUEST_PORT' ? plan.port : r.derivePort ? (scheme === 'https' ? 443 : 80) : undefined;
  const port = r.port || derived;
  // A port that belongs to the scheme that is left is not taken along.
  const kept = asked && !(r.scheme && asked === (plan.secure ? '443' : '80')) ? `:${asked}` : '';
  const authority = `${r.authority ?? host}${port ? `:${port}` : r.authority ? '' : kept}`;
  const to = r.uri === undefined ? path : r.uri === '%PREFIX()%' ? path : r.uri;
  return { status: r.redirectCode || 301, headers: [['location', `${scheme}://${authority}${to}${query}`]], body: '' };
}

function* fault(x: EnvoyProxy, f: any): Co<Outcome | null> {
  const { delay, abort } = f ?? {};
  if (delay?.fixedDelay && chance(x, delay.percentage, delay.percent)) yield* sleep(x.p.kernel.sim, milliseconds(delay.fixedDelay) ?? 0);
  if (!abort || !chance(x, abort.percentage)) return null;
  const status = abort.httpStatus ?? (abort.grpcStatus ? 200 : 503);
  return outcome(localReply(status, 'fault filter abort'), 'FI', 'fault_filter_abort');
}

/** Envoy takes weights as they are; without any, the only destination has all. */
export function byWeight(x: EnvoyProxy, routes: any[]): any {
  if (routes.length < 2) return routes[0];
  const total = routes.reduce((n, r) => n + (r.weight ?? 0), 0);
  let at = nextFloat(x.p.kernel.sim.random) * total;
  for (const r of routes) if ((at -= r.weight ?? 0) < 0) return r;
  return routes[routes.length - 1];
}

function mirror(x: EnvoyProxy, o: Outgoing, plan: Plan, client: string): void {
  const { route, namespace } = plan.chosen as Chosen;
  const all = [
    ...(route.mirror
      ? [{ destination: route.mirror, percentage: route.mirrorPercentage, percent: route.mirrorPercent ?? route.mirror_percent }]
      : []),
    ...(route.mirrors ?? []),
  ];
  for (const m of all) {
    if (!chance(x, m.percentage, m.percent)) continue;
    const cluster = destinationCluster(x.server, m.destination, namespace, client, plan.port);
    if (!cluster) continue;
    // The copy tells that it is one; nobody waits for its answer.
    const headers = o.headers.map(([n, v]) => [n, /^host$/i.test(n) ? v.replace(/(:\d+)?$/, '-shadow$1') : v] as [string, string]);
    const copy = { ...o, headers };
    background(x.p, forward(x, cluster, copy, { attempts: 0, perTryMs: null, on: [] }, 15_000));
  }
}

const NOT_THERE = (): Outcome => outcome(localReply(503, ''), 'NC', 'cluster_not_found');

/** `client`: the proxy's namespace, whose view of the mesh counts. */
export function* follow(x: EnvoyProxy, o: Outgoing, plan: Plan, client: string): Co<Routed> {
  const { chosen } = plan;
  if (!chosen) {
    if (!plan.cluster) return { ...NOT_THERE(), cluster: '-' };
    const own =
      plan.cluster.resolution === 'original' && plan.name === 'allow_any' ? { attempts: 0, perTryMs: null, on: [] } : retriesOf(null);
    return { ...(yield* forward(x, plan.cluster, o, own, null)), cluster: plan.cluster.name };
  }
  const { route, match, namespace } = chosen;
  if (route.redirect) return { ...outcome(redirect(o, route.redirect, plan), '-', 'direct_response'), cluster: '-' };
  const refused = yield* fault(x, route.fault);
  if (refused) return { ...refused, cluster: '-' };
  if (route.directResponse) {
    const { status, body } = route.directResponse;
    return { ...outcome(localReply(status, body?.string ?? ''), '-', 'direct_response'), cluster: '-' };
  }
  const to = byWeight(x, route.route ?? []);
  const cluster = to ? destinationCluster(x.server, to.destination, namespace, client, plan.port) : null;
  if (!cluster) return { ...NOT_THERE(), cluster: '-' };
  let headers = applyHeaders(applyHeaders(o.headers, to.headers?.request), route.headers?.request);
  if (route.rewrite?.authority) headers = applyHeaders(headers, { set: { host: route.rewrite.authority } });
  const target = rewritten(o.target, route.rewrite, match);
  if (target !== o.target) headers = [...headers, ['x-envoy-original-path', o.target]];
  const sent = { ...o, headers, target };
  mirror(x, sent, plan, client);
  const done = yield* forward(x, cluster, sent, retriesOf(route), milliseconds(route.timeout) || null);
  const answered = applyHeaders(applyHeaders(done.reply.headers ?? [], to.headers?.response), route.headers?.response);
  const delayed = route.fault?.delay && done.flags === '-' ? 'DI' : done.flags;
  return { ...done, flags: delayed, reply: { ...done.reply, headers: answered }, cluster: cluster.name };
}
