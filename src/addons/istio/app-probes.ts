// The kubelet's probes of an application go to the agent, which asks the application from inside: the kubelet has no certificate
// (pkg/kube/inject/app_probe.go, pilot/cmd/pilot-agent/status/server.go 1.28).
import type { KubeObject } from '../../apiserver/types.ts';
import { bind, close, connect, socket } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { Headers } from '../../userland/http.ts';
import type { Reply, Served } from '../../userland/http-server.ts';
import { exchange, hasFailed } from '../../userland/servers/upstream.ts';
import { type Ip, ip } from '../../wire/ip.ts';

type Any = any;

export interface Prober {
  httpGet?: { path?: string; port: number; scheme?: string; host?: string; httpHeaders?: { name: string; value: string }[] };
  tcpSocket?: { port: number };
  grpc?: { port: number };
  timeoutSeconds?: number;
}

const KINDS: [field: string, word: string][] = [
  ['readinessProbe', 'readyz'],
  ['livenessProbe', 'livez'],
  ['startupProbe', 'startupz'],
];

const STATUS_PORT = 15020;

const numbered = (c: Any, port: number | string): number | string =>
  typeof port === 'number' ? port : ((c.ports ?? []).find((p: Any) => p.name === port)?.containerPort ?? port);

/** Changes the pod's probes. -> the value of ISTIO_KUBE_APP_PROBERS; null: there are none */
export function rewriteProbes(pod: KubeObject): string | null {
  if (pod.metadata.annotations?.['sidecar.istio.io/rewriteAppHTTPProbers'] === 'false') return null;
  const probers: Record<string, Prober> = {};
  for (const c of pod.spec.containers ?? []) {
    if (c.name === 'istio-proxy') continue;
    for (const [name, word] of KINDS) {
      const probe = c[name];
      const what = probe?.httpGet ?? probe?.tcpSocket ?? probe?.grpc;
      if (!what) continue;
      const path = `/app-health/${c.name}/${word}`;
      const kind = probe.httpGet ? 'httpGet' : probe.tcpSocket ? 'tcpSocket' : 'grpc';
      probers[path] = {
        [kind]: { ...what, port: numbered(c, what.port) },
        ...(probe.timeoutSeconds === undefined ? {} : { timeoutSeconds: probe.timeoutSeconds }),
      };
      const { httpGet: _h, tcpSocket: _t, grpc: _g, ...rest } = probe;
      c[name] = { ...rest, httpGet: { path, port: STATUS_PORT, scheme: 'HTTP' } };
    }
  }
  return Object.keys(probers).length ? JSON.stringify(probers) : null;
}

/** Its own connections to the application bypass the proxy by this address. */
const FROM = ip('127.0.0.6');

/** Answers `/app-health/…` by asking the application at its own address. */
export function* askApplication(p: Process, req: Served, prober: Prober, address: Ip): Co<Reply> {
  const timeoutMs = (prober.timeoutSeconds ?? 1) * 1000;
  const { httpGet } = prober;
  if (!httpGet) {
    const port = prober.tcpSocket?.port ?? prober.grpc?.port ?? 0;
    const s = socket(p, 'tcp', address.length === 4 ? 4 : 6);
    if (typeof s === 'string') return { status: 500, body: '' };
    if (address.length === 4) bind(s, FROM, 0);
    const error = yield* connect(s, address, port, timeoutMs);
    close(s);
    return { status: error ? 500 : 200, body: '' };
  }
  const dropped = /^(connection|accept-encoding|content-length)$/i;
  const given: Headers = req.headers.filter(([n]) => !dropped.test(n) && !/^host$/i.test(n));
  const named = httpGet.httpHeaders ?? [];
  const headers: Headers = [
    ['Host', named.find(h => /^host$/i.test(h.name))?.value ?? (httpGet.host || `localhost:${httpGet.port}`)],
    ...given,
    ...named.filter(h => !/^host$/i.test(h.name)).map(h => [h.name, h.value] as [string, string]),
  ];
  const path = httpGet.path ?? '/';
  const got = yield* exchange(
    p,
    address,
    httpGet.port,
    { method: 'GET', target: path.startsWith('/') ? path : `/${path}`, headers, body: new Uint8Array(0) },
    {
      connectMs: timeoutMs,
      readMs: timeoutMs,
      from: address.length === 4 ? FROM : undefined,
      ...(/^https$/i.test(httpGet.scheme ?? '') ? { tls: { sni: null } } : {}),
    },
  );
  return { status: hasFailed(got) ? 500 : got.head.status, body: '' };
}
