// /healthz, /livez and /readyz (k8s.io/apiserver v0.36.3, pkg/server/healthz/healthz.go). A server that answers has passed its checks.
import type { Query } from './message.ts';

/** The hooks that a v1.36 server runs after its start, in the order in which they are asked. */
const HOOKS = `start-apiserver-admission-initializer generic-apiserver-start-informers priority-and-fairness-config-consumer
priority-and-fairness-filter storage-object-count-tracker-hook start-apiextensions-informers start-apiextensions-controllers
crd-informer-synced start-system-namespaces-controller peer-endpoint-reconciler-controller start-cluster-authentication-info-controller
start-kube-apiserver-identity-lease-controller start-kube-apiserver-identity-lease-garbage-collector storage-readiness
start-legacy-token-tracking-controller start-service-ip-repair-controllers rbac/bootstrap-roles
scheduling/bootstrap-system-priority-classes priority-and-fairness-config-producer bootstrap-controller
start-kubernetes-service-cidr-controller start-kube-aggregator-informers apiservice-status-local-available-controller
apiservice-status-remote-available-controller apiservice-registration-controller apiservice-discovery-controller
kube-apiserver-autoregistration !autoregister-completion apiservice-openapi-controller apiservice-openapiv3-controller`
  .split(/\s+/)
  .map(h => (h[0] === '!' ? h.slice(1) : `poststarthook/${h}`));

const LIVE = ['ping', 'log', 'loopback-serving-certificate', 'etcd', ...HOOKS];

const CHECKS: Record<string, string[]> = {
  healthz: LIVE,
  livez: LIVE,
  readyz: ['ping', 'log', 'etcd', 'etcd-readiness', 'informer-sync', ...HOOKS, 'shutdown'],
};

export const healthPaths = (): string[] => Object.entries(CHECKS).flatMap(([n, checks]) => [`/${n}`, ...checks.map(c => `/${n}/${c}`)]);

/** The text under a path; null: there is no such check. */
export function health(path: string, query: Query): string | null {
  const m = /^\/(healthz|livez|readyz)(?:\/(.*))?$/.exec(path);
  if (!m) return null;
  const [, name, check] = m;
  if (check) return CHECKS[name].includes(check) ? 'ok' : null;
  if (!query.has('verbose')) return 'ok';
  const excluded = query.get('exclude') ?? [];
  const lines = CHECKS[name].map(c => (excluded.includes(c) ? `[+]${c} excluded: ok\n` : `[+]${c} ok\n`));
  const unmatched = [...new Set(excluded)].filter(c => !CHECKS[name].includes(c)).sort();
  const warning = unmatched.length
    ? `warn: some health checks cannot be excluded: no matches for ${unmatched.map(c => JSON.stringify(c)).join(', ')}\n`
    : '';
  return `${lines.join('')}${warning}${name} check passed\n`;
}
