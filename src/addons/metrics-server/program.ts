// metrics-server: asks every kubelet for its containers' usage and serves it as metrics.k8s.io (v0.8).

import { bucketOf, commit, keyOf, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { complain } from '../../linux/process.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, sleep, startTask } from '../../sim/task.ts';
import { klogStamp, rfc3339 } from '../../sim/time.ts';
import { background, type Reply, type Served, serveStream, tcpServer } from '../../userland/http-server.ts';
import { goFlags, hostnameOf, untilSignal } from '../../userland/servers/daemon.ts';
import { goOptions, notFound } from '../../userland/servers/go-http.ts';
import { exchange, hasFailed } from '../../userland/servers/upstream.ts';
import { tlsAccept } from '../../userland/tls.ts';
import { parseIp } from '../../wire/ip.ts';
import type { AddonContext } from '../context.ts';
import { containerUsage, systemUsage, type Usage, usageQuantities } from './usage.ts';

const KUBELET = 10250;
const NODES = 'nodes.metrics.k8s.io';
const PODS = 'pods.metrics.k8s.io';
const WINDOW = '15.041s';

interface Scraper {
  server: ApiServer;
  p: Process;
  /** --kubelet-insecure-tls: a kubelet's certificate is its own, and no authority's. */
  insecure: boolean;
  /** Nodes that answered the last time. */
  fresh: Set<string>;
}

export const metricsServer = ({ server }: AddonContext): Program =>
  function* main(p) {
    const { flags } = goFlags(p.argv.slice(1), [
      'kubelet-insecure-tls',
      'kubelet-use-node-status-port',
      'deprecated-kubelet-completely-insecure',
    ]);
    const port = Number(flags.get('secure-port') ?? 10250);
    const everyMs = 1000 * Number(/^(\d+)s$/.exec(flags.get('metric-resolution') ?? '')?.[1] ?? 60);
    const s: Scraper = { server, p, insecure: flags.get('kubelet-insecure-tls') === 'true', fresh: new Set() };
    if (tcpServer(p, port, c => connection(s, c))) {
      complain(p, `panic: failed to create listener: failed to listen on 0.0.0.0:${port}: bind: address already in use\n`);
      return 2;
    }
    log(p, 'I', 'secure_serving.go:211', `"Serving securely on [::]:${port}"`);
    // The first round is waited for; later ones only happen while time passes.
    const first = startTask(server.sim, scrape(s), false);
    background(p, rounds(s, everyMs));
    try {
      return yield* untilSignal(p, { TERM: 0, INT: 0 });
    } finally {
      first.abandon?.();
    }
  };

function log(p: Process, severity: string, where: string, text: string): void {
  complain(p, `${severity}${klogStamp(p.kernel.sim.nowMs)}       1 ${where}] ${text}\n`);
}

function* connection(s: Scraper, c: Socket): Co<void> {
  const host = hostnameOf(s.p);
  const certificate = { subject: `CN = ${host}`, issuer: `CN = ${host}-ca`, sans: [host], notBeforeMs: 0, notAfterMs: 4_102_444_800_000 };
  const t = yield* tlsAccept(c, () => certificate, { library: 'go', protocols: ['h2', 'http/1.1'] });
  if (t && t !== 'plain') yield* serveStream(t.stream, req => answer(s, req), goOptions(s.p, t.alpn === 'h2'));
}

function* answer(s: Scraper, req: Served): Co<Reply> {
  if (req.target === '/livez' || req.target === '/healthz') return { status: 200, body: 'ok' };
  if (req.target !== '/readyz') return notFound();
  if (s.fresh.size) return { status: 200, body: 'ok' };
  return { status: 500, body: '[+]ping ok\n[-]metric-storage-ready failed: reason withheld\nreadyz check failed\n' };
}

function* rounds(s: Scraper, everyMs: number): Co<void> {
  for (;;) {
    yield* sleep(s.server.sim, everyMs);
    yield* scrape(s);
  }
}

function* scrape(s: Scraper): Co<number> {
  s.fresh = new Set();
  for (const node of listObjects(s.server, 'nodes')) {
    const why = yield* ask(s, node);
    if (why === null) s.fresh.add(node.metadata.name);
    else log(s.p, 'E', 'scraper.go:149', `"Failed to scrape node" err=${goQuote(why)} node="${node.metadata.name}"`);
  }
  store(s);
  return 0;
}

/** null: the kubelet answered. */
function* ask(s: Scraper, node: KubeObject): Co<string | null> {
  const address: string = (node.status?.addresses ?? []).find((a: any) => a.type === 'InternalIP')?.address ?? '';
  const ip = parseIp(address);
  const url = `https://${address}:${KUBELET}/metrics/resource`;
  if (!ip) return `no addresses matched types [InternalIP ExternalIP Hostname]`;
  const headers: [string, string][] = [
    ['Host', `${address}:${KUBELET}`],
    ['Authorization', 'Bearer token'],
    ['Connection', 'close'],
  ];
  const got = yield* exchange(
    s.p,
    ip,
    KUBELET,
    { method: 'GET', target: '/metrics/resource', headers, body: new Uint8Array(0) },
    { connectMs: 10_000, readMs: 10_000, tls: { sni: null } },
  );
  if (hasFailed(got)) {
    const late = got.failed === 'timeout' || (got.failed === 'connect' && got.errno !== 'ECONNREFUSED' && got.errno !== 'EHOSTUNREACH');
    if (late) return `Get "${url}": context deadline exceeded`;
    return `Get "${url}": dial tcp ${address}:${KUBELET}: connect: ${got.failed === 'connect' && got.errno === 'EHOSTUNREACH' ? 'no route to host' : 'connection refused'}`;
  }
  if (s.insecure) return null;
  return `Get "${url}": tls: failed to verify certificate: x509: cannot validate certificate for ${address} because it doesn't contain any IP SANs`;
}

const add = (a: Usage, b: Usage): Usage => ({ nanoCores: a.nanoCores + b.nanoCores, bytes: a.bytes + b.bytes });

/** What is known now, in place of what was known before. */
function store(s: Scraper): void {
  const { server } = s;
  const now = server.sim.nowMs;
  const found = new Map<string, KubeObject>();
  const metrics = (kind: string, name: string, namespace: string | undefined, labels: unknown, rest: object): KubeObject => ({
    apiVersion: 'metrics.k8s.io/v1beta1',
    kind,
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      creationTimestamp: rfc3339(now),
      ...(labels ? { labels: labels as Record<string, string> } : {}),
    },
    timestamp: rfc3339(now),
    window: WINDOW,
    ...rest,
  });
  const totals = new Map<string, Usage>();
  for (const pod of listObjects(server, 'pods')) {
    if (!s.fresh.has(pod.spec?.nodeName) || pod.status?.phase !== 'Running') continue;
    const running = new Set((pod.status.containerStatuses ?? []).filter((c: any) => c.state?.running).map((c: any) => c.name));
    const containers = pod.spec.containers
      .filter((c: any) => running.has(c.name))
      .map((c: any) => ({ name: c.name, u: containerUsage(pod, c, now) }));
    if (!containers.length) continue;
    const total = containers.reduce((sum: Usage, c: { u: Usage }) => add(sum, c.u), { nanoCores: 0, bytes: 0 });
    totals.set(pod.spec.nodeName, add(totals.get(pod.spec.nodeName) ?? systemUsage(pod.spec.nodeName, now), total));
    const { name, namespace, labels } = pod.metadata;
    found.set(
      `${PODS} ${keyOf(namespace, name)}`,
      metrics('PodMetrics', name, namespace, labels, {
        containers: containers.map((c: any) => ({ name: c.name, usage: usageQuantities(c.u) })),
      }),
    );
  }
  for (const node of listObjects(server, 'nodes')) {
    const { name, labels } = node.metadata;
    if (!s.fresh.has(name)) continue;
    const usage = usageQuantities(totals.get(name) ?? systemUsage(name, now));
    found.set(`${NODES} ${keyOf(undefined, name)}`, metrics('NodeMetrics', name, undefined, labels, { usage }));
  }
  for (const bucket of [NODES, PODS])
    for (const key of [...bucketOf(server, bucket).objects.keys()]) if (!found.has(`${bucket} ${key}`)) commit(server, bucket, key, null);
  for (const [id, object] of found) {
    const at = id.indexOf(' ');
    commit(server, id.slice(0, at), id.slice(at + 1), object);
  }
}
