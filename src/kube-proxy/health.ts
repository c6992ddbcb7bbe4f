// kube-proxy's HTTP listeners, as processes on the node: k8s.io/kubernetes v1.36.3 pkg/proxy/healthcheck, cmd/kube-proxy/app/server.go.
import { ALL_CAPS, complain, kill, spawnProgram } from '../linux/process.ts';
import type { Process, Program } from '../linux/types.ts';
import { newFilesystem } from '../linux/vfs.ts';
import { waitOn } from '../sim/task.ts';
import { rfc3339, rfc3339Micro } from '../sim/time.ts';
import type { Handler, Reply, Served } from '../userland/http-server.ts';
import { goServer } from '../userland/servers/go-http.ts';
import { splitTarget } from '../userland/url.ts';
import { type Family, type Ip, parseIp } from '../wire/ip.ts';
import { selectedAddresses } from './iptables/addresses.ts';
import type { FamilyProxier, KubeProxy } from './types.ts';

const TO_BE_DELETED = 'ToBeDeletedByClusterAutoscaler';
/** healthzServer's timeout: twice the sync period. */
const HEALTH_TIMEOUT_MS = 60_000;

interface HealthCheck {
  port: number;
  namespace: string;
  name: string;
  listeners: Process[];
}

/** time.Time as encoding/json writes it: no zeros at the end of the fraction. */
const goTime = (ms: number): string => (Number.isInteger(ms / 1000) ? rfc3339(ms) : rfc3339Micro(ms).replace(/\.?0+Z$/, 'Z'));

/** A program that answers HTTP on one address until it is killed: what a component that listens on a node runs as. */
function listenerProgram(address: Ip | null, family: Family, port: number, answer: (req: Served) => Reply): Program {
  const handler: Handler = function* (req) {
    return answer(req);
  };
  return function* (p) {
    const error = goServer(p, port, handler, { address, family });
    if (error) {
      complain(p, `listen tcp :${port}: ${error === 'EADDRINUSE' ? 'bind: address already in use' : error}\n`);
      return 1;
    }
    for (;;) yield* waitOn(p.kernel.sim, []);
  };
}

function listen(proxy: KubeProxy, address: Ip | null, family: Family, port: number, answer: (req: Served) => Reply): Process {
  const program = listenerProgram(address, family, port, answer);
  const argv = ['/usr/local/bin/kube-proxy', '--config=/var/lib/kube-proxy/config.conf', `--hostname-override=${proxy.nodeName}`];
  return spawnProgram(proxy.netns.kernel, program, {
    netns: proxy.netns,
    fs: newFilesystem(),
    argv,
    caps: new Set(ALL_CAPS),
    background: true,
    blind: true,
    thread: true,
  });
}

const json = (status: number, body: string, more: [string, string][] = []): Reply => ({
  status,
  headers: [['Content-Type', 'application/json'], ['X-Content-Type-Options', 'nosniff'], ...more],
  body,
});

const plain = (status: number, body: string): Reply => ({
  status,
  headers: [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
  ],
  body,
});

const NOT_FOUND = plain(404, '404 page not found\n');

function synced(proxy: KubeProxy): boolean {
  return proxy.queuedAtMs === null || proxy.server.sim.nowMs - proxy.queuedAtMs < HEALTH_TIMEOUT_MS;
}

function eligible(proxy: KubeProxy): boolean {
  const node = proxy.node;
  if (!node || node.metadata.deletionTimestamp) return false;
  return !(node.spec?.taints ?? []).some((t: { key: string }) => t.key === TO_BE_DELETED);
}

function health(proxy: KubeProxy, withNode: boolean): Reply {
  const healthy = synced(proxy);
  const node = eligible(proxy);
  const ok = healthy && (node || !withNode);
  const now = goTime(proxy.server.sim.nowMs);
  const last = Math.max(...proxy.proxiers.map(p => p.syncedAtMs));
  const families = proxy.proxiers.map(p => `"IPv${p.family}":{"lastUpdated":"${goTime(p.syncedAtMs)}","healthy":${healthy}}`);
  const parts = [`"lastUpdated":"${ok ? now : goTime(last)}"`, `"currentTime":"${now}"`];
  if (withNode) parts.push(`"nodeEligible":${node}`);
  // `healthy` is the proxiers' own: an ineligible node answers 503 with "healthy":true.
  parts.push(`"healthy":${healthy}`, `"status":{${families.join(',')}}`);
  return json(ok ? 200 : 503, `{${parts.join(',')}}`);
}

function bindAddress(text: string | undefined, ip: string | null, port: number): { ip: Ip | null; port: number } {
  const m = /^\[?(.*?)\]?(?::(\d+))?$/.exec(text ?? '');
  const host = m?.[1] || ip;
  const address = host && host !== '0.0.0.0' && host !== '::' ? parseIp(host) : null;
  return { ip: address, port: m?.[2] ? Number(m[2]) : port };
}

export function startHealthServers(proxy: KubeProxy): void {
  const healthz = bindAddress(proxy.config.healthzBindAddress, null, 10256);
  const metrics = bindAddress(proxy.config.metricsBindAddress, '127.0.0.1', 10249);
  const processes = [
    listen(proxy, healthz.ip, 6, healthz.port, req => {
      const { path } = splitTarget(req.target);
      return path === '/healthz' ? health(proxy, true) : path === '/livez' ? health(proxy, false) : NOT_FOUND;
    }),
    listen(proxy, metrics.ip, 6, metrics.port, req => {
      const { path } = splitTarget(req.target);
      if (path === '/proxyMode') return plain(200, proxy.config.mode || 'iptables');
      return path === '/healthz' ? plain(200, 'ok') : NOT_FOUND;
    }),
  ];
  const checks = new Map<string, HealthCheck>();
  proxy.health = checks;
  proxy.stops.push(() => {
    for (const p of [...processes, ...[...checks.values()].flatMap(c => c.listeners)]) kill(p, 'KILL');
  });
}

/** Ready endpoints of a Service on this node, counted by address. */
function localReady(p: FamilyProxier | undefined, key: string): number {
  const service = p?.services.get(key);
  return new Set((service?.endpoints ?? []).flat().flatMap(e => (e.node === p?.settings.nodeName && e.ready ? [e.ip] : []))).size;
}

function serviceHealth(proxy: KubeProxy, check: HealthCheck, req: Served): Reply {
  const family = req.local.length === 4 ? 4 : 6;
  const count = localReady(
    proxy.proxiers.find(p => p.family === family),
    `${check.namespace}/${check.name}`,
  );
  const healthy = synced(proxy);
  const body =
    `{\n\t"service": {\n\t\t"namespace": "${check.namespace}",\n\t\t"name": "${check.name}"\n\t},\n` +
    `\t"localEndpoints": ${count},\n\t"serviceProxyHealthy": ${healthy}\n}`;
  return json(count && healthy ? 200 : 503, body, [['X-Load-Balancing-Endpoint-Weight', String(count)]]);
}

function openHealthCheck(proxy: KubeProxy, check: HealthCheck): void {
  const answer = (req: Served) => serviceHealth(proxy, check, req);
  const selective = proxy.proxiers.filter(p => p.settings.nodePortCIDRs !== null);
  if (!selective.length) check.listeners.push(listen(proxy, null, 6, check.port, answer));
  for (const p of selective.length ? proxy.proxiers : []) {
    const addresses = p.settings.nodePortCIDRs === null ? [null] : selectedAddresses(proxy.netns, p.settings).map(parseIp);
    for (const ip of addresses) check.listeners.push(listen(proxy, ip, p.family, check.port, answer));
  }
}

/** Open and close the health check node ports that Services have now. */
export function syncHealthServers(proxy: KubeProxy): void {
  const checks = proxy.health as Map<string, HealthCheck>;
  const wanted = new Map<string, HealthCheck>();
  for (const p of proxy.proxiers) {
    for (const [key, port] of p.healthChecks)
      wanted.set(key, { port: port.healthCheckNodePort, namespace: port.namespace, name: port.service, listeners: [] });
  }
  for (const [key, check] of checks) {
    if (wanted.get(key)?.port === check.port) continue;
    for (const listener of check.listeners) kill(listener, 'KILL');
    checks.delete(key);
  }
  for (const [key, check] of wanted) {
    if (checks.has(key)) continue;
    openHealthCheck(proxy, check);
    checks.set(key, check);
  }
}
