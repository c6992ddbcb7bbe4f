// The image envoyproxy/gateway: the controller itself, its certificate Job, and the sidecar that lets Envoy end in peace.
import { createObject } from '../../apiserver/client.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { print } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import { base64, stringToBytes } from '../../sim/bytes.ts';
import { rfc3339 } from '../../sim/time.ts';
import { untilSignal } from '../../userland/servers/daemon.ts';
import { goServer, notFound } from '../../userland/servers/go-http.ts';
import type { AddonContext } from '../context.ts';
import { writeRoutes } from '../gateway-api/conditions.ts';
import { CLASSES, GATEWAYS, GRANTS, ROUTES, translate } from '../gateway-api/translate.ts';
import { reconcileOn, untilEnd } from '../reconcile.ts';
import { reconcileInfra } from './infra.ts';
import { CONTROLLER, NS } from './manifest.ts';
import { writeClass, writeGateway } from './status.ts';

const WATCHED = [
  CLASSES,
  GATEWAYS,
  ROUTES,
  GRANTS,
  'services',
  'secrets',
  'namespaces',
  'deployments.apps',
  'endpointslices.discovery.k8s.io',
];

export const envoyGateway = ({ server, settled }: AddonContext): Program =>
  function* envoyGateway(p) {
    const words = p.argv.slice(1);
    if (words.includes('certgen')) return certgen(server);
    if (words.includes('shutdown-manager')) {
      goServer(p, 19002, function* (req) {
        return req.target === '/healthz' ? { status: 200, body: '' } : notFound();
      });
      return yield* untilSignal(p, { TERM: 0, INT: 0 });
    }
    goServer(p, 8081, function* (req) {
      return req.target === '/healthz' || req.target === '/readyz' ? { status: 200, body: 'ok' } : notFound();
    });
    print(p, `${rfc3339(server.sim.nowMs)}\tINFO\tcmd/server.go:58\tStart runners\t{"runner": "provider"}\n`);
    const stop = reconcileOn(server, WATCHED, () => sync(server), { delayMs: 60, settled });
    return yield* untilEnd(p, [stop]);
  };

/** The secrets that the controller and its proxies know each other by. */
function certgen(server: ApiServer): number {
  const pem = base64(stringToBytes('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'));
  for (const name of ['envoy-gateway', 'envoy', 'envoy-rate-limit', 'envoy-oidc-hmac']) {
    if (getObject(server, 'secrets', NS, name)) continue;
    const hmac = name === 'envoy-oidc-hmac';
    const data: Record<string, string> = hmac ? { 'hmac-secret': pem } : { 'ca.crt': pem, 'tls.crt': pem, 'tls.key': pem };
    createObject(server, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: NS, labels: { 'control-plane': 'envoy-gateway' } },
      type: hmac ? 'Opaque' : 'kubernetes.io/tls',
      data,
    });
  }
  return 0;
}

/** Gateways whose class is this controller's. */
export function ownGateways(server: ApiServer): KubeObject[] {
  const classes = new Set(
    listObjects(server, CLASSES)
      .filter(c => c.spec?.controllerName === CONTROLLER)
      .map(c => c.metadata.name),
  );
  return listObjects(server, GATEWAYS).filter(g => classes.has(g.spec?.gatewayClassName) && !g.metadata.deletionTimestamp);
}

function sync(server: ApiServer): void {
  for (const c of listObjects(server, CLASSES)) if (c.spec?.controllerName === CONTROLLER) writeClass(server, c);
  const gateways = ownGateways(server);
  reconcileInfra(server, gateways);
  const all = gateways.map(g => ({ g, t: translate(server, g) }));
  for (const { g, t } of all) writeGateway(server, getObject(server, GATEWAYS, g.metadata.namespace, g.metadata.name) ?? g, t);
  writeRoutes(
    server,
    all.flatMap(x => x.t.attachments),
    CONTROLLER,
  );
}
