// The image istio/pilot: istiod. Proxies read their configuration from the API through it (registry.ts and its neighbours); here is what it
// does by itself: its ports, the root certificate for every namespace, and its own secrets.
import { createObject } from '../../apiserver/client.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer } from '../../apiserver/types.ts';
import { print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { base64, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { rfc3339 } from '../../sim/time.ts';
import { httpServer, tcpServer } from '../../userland/http-server.ts';
import { type Certificate, tlsAccept } from '../../userland/tls.ts';
import type { AddonContext } from '../context.ts';
import { CLASSES, GATEWAYS, GRANTS, ROUTES } from '../gateway-api/translate.ts';
import { reconcileOn, untilEnd } from '../reconcile.ts';
import { removeOrphans, syncGatewayApi } from './gateway-api.ts';
import { ROOT, TRUST_DOMAIN, VERSION } from './names.ts';

const GATEWAY_API = [CLASSES, GATEWAYS, ROUTES, GRANTS, 'customresourcedefinitions.apiextensions.k8s.io'];

const SYSTEM = ['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage'];
const PEM = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n';
const YEARS_10 = 10 * 365 * 86_400_000;

function certificate(p: Process): Certificate {
  const names = ['istiod', 'istiod-remote', 'istio-pilot'].flatMap(n => [`${n}.${ROOT}.svc`, `${n}.${ROOT}`]);
  return { subject: '', issuer: `O = ${TRUST_DOMAIN}`, sans: names, notBeforeMs: p.startedAtMs, notAfterMs: p.startedAtMs + YEARS_10 };
}

export const istiod = ({ server, settled }: AddonContext): Program =>
  function* istiod(p) {
    const line = (text: string) => void print(p, `${rfc3339(p.kernel.sim.nowMs).replace('Z', '.000000Z')}\tinfo\t${text}\n`);
    line(`initializing Istiod admin server`);
    line(`Starting Istiod Server with primary cluster Kubernetes`);
    httpServer(p, 8080, function* (req) {
      return { status: req.target === '/ready' ? 200 : 404, body: '' };
    });
    httpServer(p, 15014, function* (req) {
      if (req.target === '/version') return { status: 200, body: `${VERSION}-Clean` };
      if (req.target === '/metrics') return { status: 200, body: `istio_build{component="pilot",tag="${VERSION}"} 1\n` };
      return { status: 404, body: '' };
    });
    tcpServer(p, 15010, function* () {});
    const shown = certificate(p);
    for (const port of [15012, 15017])
      tcpServer(p, port, function* (s): Co<void> {
        const t = yield* tlsAccept(s, () => shown, { library: 'go', protocols: ['h2'] });
        if (t && t !== 'plain') yield* t.stream.recv(Number.POSITIVE_INFINITY);
      });
    const stop = reconcileOn(server, ['namespaces', 'configmaps'], () => sync(server), {
      settled,
      concerns: (bucket, e) => bucket === 'namespaces' || e.object.metadata.name === 'istio-ca-root-cert',
    });
    const more = reconcileOn(
      server,
      [...GATEWAY_API, 'services', 'secrets', 'deployments.apps'],
      () => {
        syncGatewayApi(server);
        removeOrphans(server);
      },
      { settled, delayMs: 60 },
    );
    return yield* untilEnd(p, [stop, more]);
  };

/** What it writes once, and the ConfigMap that proxies mount in each namespace. */
function sync(server: ApiServer): void {
  if (!getObject(server, 'namespaces', '', ROOT) || getObject(server, 'namespaces', '', ROOT)?.metadata.deletionTimestamp) return;
  if (!getObject(server, 'secrets', ROOT, 'istio-ca-secret')) {
    const pem = base64(stringToBytes(PEM));
    const data = { 'ca-cert.pem': pem, 'ca-key.pem': pem, 'cert-chain.pem': '', 'key.pem': '', 'root-cert.pem': '' };
    createObject(server, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'istio-ca-secret', namespace: ROOT },
      type: 'istio.io/ca-root',
      data,
    });
  }
  for (const name of ['istio-gateway-status-leader', 'istio-leader', 'istio-namespace-controller-election'])
    if (!getObject(server, 'configmaps', ROOT, name))
      createObject(server, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: ROOT } });
  for (const ns of listObjects(server, 'namespaces')) {
    const namespace = ns.metadata.name;
    if (SYSTEM.includes(namespace) || ns.metadata.deletionTimestamp) continue;
    if (getObject(server, 'configmaps', namespace, 'istio-ca-root-cert')) continue;
    createObject(server, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-ca-root-cert', namespace, labels: { 'istio.io/config': 'true' } },
      data: { 'root-cert.pem': PEM },
    });
  }
}
