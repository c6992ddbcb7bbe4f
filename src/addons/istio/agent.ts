// The image istio/proxyv2: pilot-agent, which writes the rules (istio-init), or runs Envoy beside an application or as a gateway.
import { behindMs, complain, print, sleep } from '../../linux/process.ts';
import { close, connect, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { rfc3339 } from '../../sim/time.ts';
import { background, httpServer, type Reply, type Served, tcpServer } from '../../userland/http-server.ts';
import { getaddrinfo } from '../../userland/net/resolver.ts';
import { ownAddresses } from '../../userland/servers/daemon.ts';
import { tlsConnect } from '../../userland/tls.ts';
import { type Family, ip } from '../../wire/ip.ts';
import type { AddonContext } from '../context.ts';
import { GATEWAYS as API_GATEWAYS } from '../gateway-api/translate.ts';
import { reconcileOn, untilEnd } from '../reconcile.ts';
import { askApplication, type Prober } from './app-probes.ts';
import { inbound } from './inbound.ts';
import { applyCapture, captureFamilies, captureOf, redirectRules } from './iptables.ts';
import { GATEWAYS, VERSION } from './names.ts';
import { outbound } from './outbound.ts';
import { type EnvoyProxy, ownCertificate } from './proxy.ts';
import { listenForGateways } from './router.ts';

const stamp = (p: Process) => rfc3339(p.kernel.sim.nowMs).replace('Z', '.000000Z');
const info = (p: Process, text: string) => void print(p, `${stamp(p)}\tinfo\t${text}\n`);

export const pilotAgent = (c: AddonContext): Program =>
  function* pilotAgent(p) {
    const words = p.argv.slice(1);
    if (words[0] === 'istio-iptables') return init(p, words.slice(1));
    if (words[0] !== 'proxy') {
      complain(p, `Error: unknown command ${JSON.stringify(words[0] ?? '')} for "pilot-agent"\n`);
      return 255;
    }
    return yield* proxy(c, p, words[1] === 'router');
  };

function init(p: Process, words: string[]): number {
  const c = captureOf(words);
  if (c.mode !== 'REDIRECT') complain(p, `podnet: interception mode ${c.mode} is not modelled, the rules are those of REDIRECT\n`);
  const rows: [string, string][] = [
    ['PROXY_PORT', c.proxyPort],
    ['PROXY_INBOUND_CAPTURE_PORT', c.inboundPort],
    ['PROXY_TUNNEL_PORT', c.tunnelPort],
    ['PROXY_UID', c.uids],
    ['PROXY_GID', c.gids],
    ['INBOUND_INTERCEPTION_MODE', c.mode],
    ['INBOUND_PORTS_INCLUDE', c.inboundPorts],
    ['INBOUND_PORTS_EXCLUDE', c.inboundExclude],
    ['OUTBOUND_IP_RANGES_INCLUDE', c.outboundRanges],
    ['OUTBOUND_IP_RANGES_EXCLUDE', c.outboundRangesExclude],
    ['OUTBOUND_PORTS_INCLUDE', c.outboundPorts],
    ['OUTBOUND_PORTS_EXCLUDE', c.outboundPortsExclude],
    ['EXCLUDE_INTERFACES', c.interfacesExclude],
  ];
  info(p, `Istio iptables variables:\n${rows.map(([k, v]) => `${k}=${v}\n`).join('')}`);
  applyCapture(p.netns, c);
  for (const family of captureFamilies(p.netns))
    info(p, `Running ${family === 4 ? 'iptables' : 'ip6tables'}-restore with the following input:\n${redirectRules(c, family)}`);
  return 0;
}

const NOT_READY =
  'Envoy proxy is NOT ready: config not received from XDS server (is Istiod running?): cds updates: 0 successful, 0 rejected; lds updates: 0 successful, 0 rejected';

/** The first configuration comes from istiod; who has had one keeps it. */
function* fetchConfig(p: Process, done: () => void): Co<number> {
  const [host, port] = (p.env.get('CA_ADDR') ?? 'istiod.istio-system.svc:15012').split(':');
  for (;;) {
    const r = yield* getaddrinfo(p, host, { libc: 'glibc' });
    const s = typeof r === 'string' ? null : socket(p, 'tcp', r.addresses[0].length === 4 ? 4 : 6);
    if (s && typeof s !== 'string' && typeof r !== 'string') {
      const error = yield* connect(s, r.addresses[0], Number(port), 5000);
      const t = error ? null : yield* tlsConnect(s, { sni: host, alpn: ['h2'] }, 5000);
      close(s);
      if (t && typeof t !== 'string') break;
    }
    yield* sleep(p, 1000);
  }
  done();
  return 0;
}

function* proxy({ server, pod, settled }: AddonContext, p: Process, router: boolean): Co<number> {
  const x: EnvoyProxy = { p, server, pod, turns: new Map() };
  let ready = false;
  const stops: (() => void)[] = [];
  info(p, `FLAG: --concurrency="0"\n${stamp(p)}\tinfo\tVersion ${VERSION}-Clean`);
  info(
    p,
    `Proxy role\tips=[${(pod.status?.podIPs ?? []).map((i: any) => i.ip).join(' ')}] type=${router ? 'router' : 'sidecar'} id=${pod.metadata.name}.${pod.metadata.namespace} domain=${pod.metadata.namespace}.svc.cluster.local`,
  );
  // What it said when it began is in its log already.
  const begin = (again: boolean) => {
    ready = true;
    const { notAfterMs } = ownCertificate(x);
    if (!again)
      info(p, `generated new workload certificate\tresourceName=default ttl=${notAfterMs - p.kernel.sim.nowMs > 0 ? '23h59m59s' : '0s'}`);
    if (router) {
      const opened = new Set<number>();
      stops.push(reconcileOn(server, [GATEWAYS, API_GATEWAYS, 'services', 'secrets'], () => listenForGateways(x, opened), { settled }));
      listenForGateways(x, opened);
    } else {
      tcpServer(p, 15001, s => outbound(x, s), families(p));
      tcpServer(p, 15006, s => inbound(x, s), families(p));
    }
    if (again) return;
    info(p, 'Readiness succeeded in 1.1s');
    info(p, 'Envoy proxy is ready');
  };
  openStatusPorts(x, () => ready);
  // It ran before this session began: it has its configuration.
  if (behindMs(p.fs) > 0) begin(true);
  else
    background(
      p,
      fetchConfig(p, () => begin(false)),
    );
  try {
    return yield* untilEnd(p, []);
  } finally {
    for (const stop of stops) stop();
  }
}

/** Envoy's listeners are IPv4's own where there is no IPv6. */
const families = (p: Process): { family: Family } => ({ family: ownAddresses(p).some(a => a.length === 16) ? 6 : 4 });

const text = (status: number, body: string): Reply => ({ status, headers: [['Content-Type', 'text/plain']], body });

function openStatusPorts(x: EnvoyProxy, ready: () => boolean): void {
  const { p } = x;
  const health = (): Reply => (ready() ? text(200, '') : text(503, NOT_READY));
  const probers: Record<string, Prober> = JSON.parse(p.env.get('ISTIO_KUBE_APP_PROBERS') || '{}');
  function* agent(req: Served): Co<Reply> {
    const path = req.target.replace(/\?.*$/s, '');
    if (path === '/healthz/ready') return health();
    if (path === '/stats/prometheus' || path === '/metrics') return text(200, `istio_build{component="proxy",tag="${VERSION}"} 1\n`);
    if (path === '/drain' || path === '/quitquitquit') return text(req.method === 'POST' ? 200 : 405, '');
    const prober = probers[path];
    const own = ownAddresses(p)[0];
    return prober && own ? yield* askApplication(p, req, prober, own) : text(404, '');
  }
  httpServer(p, 15020, agent);
  const status = function* (req: Served): Co<Reply> {
    return req.target === '/healthz/ready' ? health() : text(404, '');
  };
  httpServer(p, 15021, status, families(p));
  const stats = function* (req: Served): Co<Reply> {
    return req.target === '/stats/prometheus' ? text(200, `istio_build{component="proxy",tag="${VERSION}"} 1\n`) : text(404, '');
  };
  httpServer(p, 15090, stats, families(p));
  const local = { address: ip('127.0.0.1') };
  httpServer(
    p,
    15000,
    function* (req) {
      if (req.target === '/ready') return ready() ? text(200, 'LIVE\n') : text(503, 'PRE_INITIALIZING\n');
      return text(404, "podnet: of Envoy's admin interface only /ready is modelled\n");
    },
    local,
  );
}
