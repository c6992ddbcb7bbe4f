// registry.k8s.io/ingress-nginx/controller: watches Ingresses, keeps the proxy's configuration and the Ingresses' status (v1.13).
import { updateStatus } from '../../apiserver/client.ts';
import { newRecorder, type Recorder } from '../../apiserver/recorder.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { print } from '../../linux/process.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { writeFile } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { type Headers, header, plainStream } from '../../userland/http.ts';
import { type Reply, type Served, type ServeOptions, serveStream, tcpServer } from '../../userland/http-server.ts';
import { INGRESS_NGINX_BANNER } from '../../userland/images/addons.ts';
import { goServer, notFound } from '../../userland/servers/go-http.ts';
import { errorPage, plainToTls } from '../../userland/servers/nginx-pages.ts';
import { tlsAccept } from '../../userland/tls.ts';
import type { AddonContext } from '../context.ts';
import { reconcileOn, sameJson, untilEnd } from '../reconcile.ts';
import { unmodelled } from './annotations.ts';
import { nginxConf } from './conf-text.ts';
import { klog, sayClass, sayMissing, sayStart, sayStatus, tell } from './log.ts';
import { accessLog, respond, serverFor } from './serve.ts';
import { type IngressProxy, newProxy, type Trip } from './state.ts';
import { flagsOf, isMine, mine, type Settings, settingsOf, shownFor, translate } from './translate.ts';

const HEALTH = 10254;
const WATCHED = [
  'ingresses.networking.k8s.io',
  'ingressclasses.networking.k8s.io',
  'services',
  'endpointslices.discovery.k8s.io',
  'secrets',
  'configmaps',
];
const CONF = '/etc/nginx/nginx.conf';
/** Long enough that the first look does not belong to the program's start. */
const SYNC_MS = 120;

/** Kept between commands. */
interface Known {
  running: string;
  seen: [string, string][];
}

export const ingressNginx = ({ server, pod }: AddonContext): Program =>
  function* controller(p) {
    const flags = flagsOf(p.argv);
    const settings = settingsOf(server, p.argv);
    print(p, INGRESS_NGINX_BANNER);
    sayStart(p, settings);
    const x = newProxy(p, translate(settings));
    // What it knew when an earlier command left it: the configuration that runs, and each Ingress as it was.
    const known = (p.memory?.left ?? {}) as Partial<Known>;
    let running = known.running ?? '';
    const fresh = running === '';
    goServer(p, HEALTH, function* (req) {
      return req.target === '/healthz' ? { status: 200, body: 'ok' } : req.target === '/metrics' ? { status: 200, body: '' } : notFound();
    });
    for (const [port, secure] of [
      [Number(flags.get('http-port') ?? 80), false],
      [Number(flags.get('https-port') ?? 443), true],
    ] as const) {
      const error = tcpServer(p, port, s => connection(x, s, secure));
      if (error) {
        klog(p, 'F', 'main.go:83', `port ${port} is already in use. Please check the flag --http${secure ? 's' : ''}-port`);
        return 255;
      }
    }
    const recorder = newRecorder(server, 'nginx-ingress-controller');
    const [namespace, name] = settings.configMap.split('/');
    const own = getObject(server, 'configmaps', namespace, name);
    if (own) tell(p, fresh ? recorder : null, own, 'CREATE', `ConfigMap ${settings.configMap}`);
    klog(p, 'I', 'nginx.go:317', '"Starting NGINX process"');
    const seen = new Map(known.seen);
    p.memory = { save: (): Known => ({ running, seen: [...seen] }) };
    const sync = () => {
      const next = translate(settings);
      const all = listObjects(server, 'ingresses.networking.k8s.io');
      for (const key of [...seen.keys()]) if (!all.some(ing => keyOf(ing) === key)) seen.delete(key);
      for (const ing of all) announce(x, recorder, seen, settings, ing);
      const text = nginxConf(next);
      if (running !== text || !sameJson(next, x.config)) sayMissing(p, settings);
      x.config = next;
      // Endpoints alone reach the balancer without a reload.
      if (running !== text) {
        writeFile(p.fs, CONF, text);
        klog(p, 'I', 'controller.go:196', '"Configuration changes detected, backend reload required"');
        klog(p, 'I', 'controller.go:216', '"Backend successfully reloaded"');
        if (!running) klog(p, 'I', 'controller.go:227', '"Initial sync, sleeping for 1 second"');
        tell(p, recorder, pod, 'RELOAD', 'NGINX reload triggered due to a change in configuration');
        running = text;
      }
      writeStatus(p, settings, flags.get('publish-service') ?? '', pod);
    };
    const stop = reconcileOn(server, WATCHED, sync, { delayMs: SYNC_MS });
    return yield* untilEnd(p, [stop]);
  };

const keyOf = (o: KubeObject) => `${o.metadata.namespace}/${o.metadata.name}`;

/** A new or changed Ingress is told of once, with what of it does nothing here. */
function announce(x: IngressProxy, recorder: Recorder, seen: Map<string, string>, s: Settings, ing: KubeObject): void {
  const stamp = `${ing.metadata.uid} ${ing.metadata.resourceVersion}`;
  const key = keyOf(ing);
  const before = seen.get(key);
  if (before === stamp) return;
  seen.set(key, stamp);
  if (before === undefined) sayClass(x.p, s, ing);
  if (!isMine(s, ing)) return;
  tell(x.p, recorder, ing, 'Sync', 'Scheduled for sync');
  for (const name of before === undefined ? unmodelled(ing) : [])
    klog(x.p, 'W', 'annotations.go:1', `"podnet does not model this annotation" ingress="${key}" annotation="${name}"`);
}

/** Where the controller can be reached: the published Service's addresses, or those of the nodes that run it. */
function writeStatus(p: Process, s: Settings, publish: string, pod: KubeObject): void {
  const [namespace, name] = publish.split('/');
  const service = publish ? getObject(s.server, 'services', namespace, name) : undefined;
  const spec = service?.spec ?? {};
  const external = (spec.externalIPs ?? []).map((ip: string) => ({ ip }));
  let ingress: { ip?: string; hostname?: string }[] = [];
  if (!publish) {
    const node = getObject(s.server, 'nodes', '', pod.spec.nodeName);
    const address = (node?.status?.addresses ?? []).find((a: any) => a.type === 'InternalIP')?.address;
    ingress = address ? [{ ip: address }] : [];
  } else if (spec.type === 'LoadBalancer') {
    const given: any[] = service?.status?.loadBalancer?.ingress ?? [];
    ingress = [...given.map(i => (i.ip ? { ip: i.ip } : { hostname: i.hostname })), ...external];
  } else if (spec.type === 'NodePort') ingress = external.length ? external : [{ ip: spec.clusterIP }];
  else if (spec.clusterIP) ingress = [{ ip: spec.clusterIP }];
  for (const ing of mine(s)) {
    if (sameJson(ing.status?.loadBalancer?.ingress ?? [], ingress)) continue;
    sayStatus(p, ing, ingress);
    updateStatus(s.server, { ...ing, status: { loadBalancer: ingress.length ? { ingress } : {} } });
  }
}

function* connection(x: IngressProxy, s: Socket, secure: boolean): Co<void> {
  let http2 = false;
  const trips = new Map<Served, { trip: Trip; startedMs: number }>();
  const o: ServeOptions = {
    keepAliveMs: 75_000,
    decorate: (_req, reply, keep) => dress(x.p, reply, keep, http2),
    served: (req, reply, bytes) => {
      const t = trips.get(req);
      trips.delete(req);
      if (t) accessLog(x, http2 ? { ...req, version: 'HTTP/2.0' } : req, reply, bytes, t.trip, t.startedMs);
    },
    badRequest: () => ({ status: 400, headers: [['Content-Type', 'text/html']], body: errorPage(400, '').replace('nginx/', 'nginx') }),
  };
  function* handler(req: Served): Co<Reply> {
    const startedMs = x.p.kernel.sim.nowMs;
    const { reply, trip } = yield* respond(x, req, secure);
    trips.set(req, { trip, startedMs });
    return reply;
  }
  function* overPlain(): Co<Reply> {
    return plainToTls('');
  }
  if (!secure) return yield* serveStream(plainStream(s), handler, o);
  const t = yield* tlsAccept(s, hello => shownFor(serverFor(x.config, hello.sni ?? '_'), x.p.startedAtMs), {
    library: 'openssl',
    protocols: x.config.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    keepsSessions: true,
  });
  if (t === 'plain') return yield* serveStream(plainStream(s), overPlain, o);
  if (!t) return;
  http2 = t.alpn === 'h2';
  yield* serveStream(t.stream, handler, o);
}

/** No Server header: the template clears it. */
function dress(p: Process, reply: Reply, keep: boolean, http2: boolean): Headers {
  const given = reply.headers ?? [];
  const type = given.filter(([n]) => /^content-type$/i.test(n));
  const length = header(given, 'Content-Length') ?? String((reply.body as Uint8Array).length);
  const rest = given.filter(([n]) => !/^(content-type|content-length|connection|date)$/i.test(n));
  const out: Headers = [['Date', httpDate(p.kernel.sim.nowMs)], ...type];
  if (reply.status !== 204 && reply.status !== 304) out.push(['Content-Length', length]);
  if (!http2) out.push(['Connection', keep ? 'keep-alive' : 'close']);
  return [...out, ...rest];
}
