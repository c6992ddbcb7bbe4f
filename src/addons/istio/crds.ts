// Istio's kinds (manifests/charts/base/files/crd-all.gen.yaml 1.28): fields, limits and columns; descriptions and most CEL rules are left out.
import type { KubeObject } from '../../apiserver/types.ts';
import { bool, crd, type Kind, list, map, open, type Schema, str, struct } from '../objects.ts';
import { destinationRule, gateway, serviceEntry, sidecar, virtualService, workload } from './networking-schemas.ts';
import { authorizationPolicy, peerAuthentication, requestAuthentication } from './security-schemas.ts';

const AGE: [string, string, string] = ['Age', 'date', '.metadata.creationTimestamp'];

const root = (spec: Schema): Schema => struct({ spec, status: open() });

function define(
  group: string,
  versions: string,
  names: string,
  spec: Schema,
  columns: [string, string, string][] = [],
  more: Partial<Kind> = {},
): KubeObject {
  const [kind, plural, short] = names.split(' ');
  const [version, ...also] = versions.split(' ');
  return crd({
    annotations: { 'helm.sh/resource-policy': 'keep' },
    labels: { app: 'istio-pilot', chart: 'istio', heritage: 'Tiller', release: 'istio' },
    group: `${group}.istio.io`,
    version,
    also,
    kind,
    plural,
    scope: 'Namespaced',
    shortNames: short ? [short] : undefined,
    categories: ['istio-io', `${group}-istio-io`],
    columns: columns.length ? columns : undefined,
    status: true,
    schema: root(spec),
    ...more,
  });
}

const selector = () => struct({ matchLabels: map(str()) });
const targetRef = () => struct({ group: str(), kind: str(), name: str(), namespace: str() }, ['kind', 'name']);

const telemetry = struct({
  accessLogging: list(
    struct({
      disabled: bool(),
      filter: struct({ expression: str() }),
      match: struct({ mode: str({ enum: ['CLIENT_AND_SERVER', 'CLIENT', 'SERVER'] }) }),
      providers: list(struct({ name: str() }, ['name'])),
    }),
  ),
  metrics: list(open()),
  selector: selector(),
  targetRef: targetRef(),
  targetRefs: list(targetRef()),
  tracing: list(open()),
});

const wasmPlugin = struct({
  failStrategy: str({ enum: ['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'] }),
  imagePullPolicy: str({ enum: ['UNSPECIFIED_POLICY', 'IfNotPresent', 'Always'] }),
  imagePullSecret: str(),
  match: list(open()),
  phase: str({ enum: ['UNSPECIFIED_PHASE', 'AUTHN', 'AUTHZ', 'STATS'] }),
  pluginConfig: open(),
  pluginName: str(),
  priority: { format: 'int32', nullable: true, type: 'integer' },
  selector: selector(),
  sha256: str(),
  targetRef: targetRef(),
  targetRefs: list(targetRef()),
  type: str({ enum: ['UNSPECIFIED_PLUGIN_TYPE', 'HTTP', 'NETWORK'] }),
  url: str(),
  verificationKey: str(),
  vmConfig: open(),
});

const envoyFilter = struct({
  configPatches: list(
    struct({
      applyTo: str({
        enum: 'INVALID LISTENER FILTER_CHAIN NETWORK_FILTER HTTP_FILTER ROUTE_CONFIGURATION VIRTUAL_HOST HTTP_ROUTE CLUSTER EXTENSION_CONFIG BOOTSTRAP LISTENER_FILTER'.split(
          ' ',
        ),
      }),
      match: open(),
      patch: open(),
    }),
  ),
  priority: { format: 'int32', type: 'integer' },
  targetRefs: list(targetRef()),
  workloadSelector: struct({ labels: map(str()) }),
});

const proxyConfig = struct({
  concurrency: { format: 'int32', minimum: 0, nullable: true, type: 'integer' },
  environmentVariables: map(str()),
  image: struct({ imageType: str() }),
  selector: selector(),
});

const hosts: [string, string, string] = ['Hosts', 'string', '.spec.hosts'];
const NETWORKING = 'v1 v1beta1 v1alpha3';

/** In the file's order. */
export const crds = (): KubeObject[] => [
  define('extensions', 'v1alpha1', 'WasmPlugin wasmplugins', wasmPlugin, [AGE]),
  define('networking', NETWORKING, 'DestinationRule destinationrules dr', destinationRule, [['Host', 'string', '.spec.host'], AGE]),
  define('networking', 'v1alpha3', 'EnvoyFilter envoyfilters', envoyFilter),
  define('networking', NETWORKING, 'Gateway gateways gw', gateway),
  define('networking', 'v1beta1', 'ProxyConfig proxyconfigs', proxyConfig),
  define('networking', NETWORKING, 'ServiceEntry serviceentries se', serviceEntry, [
    hosts,
    ['Location', 'string', '.spec.location'],
    ['Resolution', 'string', '.spec.resolution'],
    AGE,
  ]),
  define('networking', NETWORKING, 'Sidecar sidecars', sidecar),
  define('networking', NETWORKING, 'VirtualService virtualservices vs', virtualService, [
    ['Gateways', 'string', '.spec.gateways'],
    hosts,
    AGE,
  ]),
  define('networking', NETWORKING, 'WorkloadEntry workloadentries we', workload, [AGE, ['Address', 'string', '.spec.address']]),
  define('networking', NETWORKING, 'WorkloadGroup workloadgroups wg', struct({ metadata: open(), probe: open(), template: workload }), [
    AGE,
  ]),
  define('security', 'v1 v1beta1', 'AuthorizationPolicy authorizationpolicies ap', authorizationPolicy(selector, targetRef), [
    ['Action', 'string', '.spec.action'],
    AGE,
  ]),
  define('security', 'v1 v1beta1', 'PeerAuthentication peerauthentications pa', peerAuthentication(selector), [
    ['Mode', 'string', '.spec.mtls.mode'],
    AGE,
  ]),
  define('security', 'v1 v1beta1', 'RequestAuthentication requestauthentications ra', requestAuthentication(selector, targetRef)),
  define('telemetry', 'v1 v1alpha1', 'Telemetry telemetries telemetry', telemetry, [AGE]),
];
