// The Gateway API's standard channel (v1.4 standard-install.yaml): kinds, columns, defaults and the limits that people meet.
import type { KubeObject } from '../../apiserver/types.ts';
import { crd, int, type Kind, labelSelector, list, map, open, type Schema, str, struct } from '../objects.ts';

const GROUP = 'gateway.networking.k8s.io';
const BUNDLE = {
  'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api/pull/3328',
  'gateway.networking.k8s.io/bundle-version': 'v1.4.0',
  'gateway.networking.k8s.io/channel': 'standard',
};

const name = (more: Schema = {}) => str({ maxLength: 253, minLength: 1, ...more });
const namespace = () => str({ maxLength: 63, minLength: 1, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' });
const group = (more: Schema = {}) => str({ maxLength: 253, ...more });
const kind = (more: Schema = {}) => str({ maxLength: 63, minLength: 1, ...more });
const port = () => int({ maximum: 65535, minimum: 1 });
const hostname = (more: Schema = {}) =>
  str({
    maxLength: 253,
    minLength: 1,
    pattern: '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    ...more,
  });
const condition = struct(
  {
    lastTransitionTime: str({ format: 'date-time' }),
    message: str({ maxLength: 32768 }),
    observedGeneration: { format: 'int64', minimum: 0, type: 'integer' },
    reason: str({ maxLength: 1024, minLength: 1 }),
    status: str({ enum: ['True', 'False', 'Unknown'] }),
    type: str({ maxLength: 316 }),
  },
  ['lastTransitionTime', 'message', 'reason', 'status', 'type'],
);
const conditions = () => list(condition, { maxItems: 8, 'x-kubernetes-list-map-keys': ['type'], 'x-kubernetes-list-type': 'map' });
const root = (spec: Schema, status?: Schema): Schema =>
  struct({ apiVersion: str(), kind: str(), metadata: { type: 'object' }, spec, ...(status ? { status } : {}) }, ['spec']);

const define = (k: Pick<Kind, 'kind' | 'plural' | 'schema' | 'columns'> & Partial<Kind>): KubeObject =>
  crd({
    annotations: BUNDLE,
    group: GROUP,
    version: 'v1',
    scope: 'Namespaced',
    categories: ['gateway-api'],
    status: true,
    ...k,
  });

const AGE: [string, string, string] = ['Age', 'date', '.metadata.creationTimestamp'];

const gatewayClass = define({
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  scope: 'Cluster',
  shortNames: ['gc'],
  also: ['v1beta1'],
  columns: [
    ['Controller', 'string', '.spec.controllerName'],
    ['Accepted', 'string', '.status.conditions[?(@.type=="Accepted")].status'],
    AGE,
  ],
  schema: root(
    struct(
      {
        controllerName: str({
          maxLength: 253,
          minLength: 1,
          pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$",
          'x-kubernetes-validations': [{ message: 'Value is immutable', rule: 'self == oldSelf' }],
        }),
        description: str({ maxLength: 64 }),
        parametersRef: struct({ group: group(), kind: kind(), name: name(), namespace: namespace() }, ['group', 'kind', 'name']),
      },
      ['controllerName'],
    ),
    struct({ conditions: conditions(), supportedFeatures: list(open()) }, [], {
      default: {
        conditions: [
          {
            lastTransitionTime: '1970-01-01T00:00:00Z',
            message: 'Waiting for controller',
            reason: 'Pending',
            status: 'Unknown',
            type: 'Accepted',
          },
        ],
      },
    }),
  ),
});

const waiting = (type: string) => ({
  lastTransitionTime: '1970-01-01T00:00:00Z',
  message: 'Waiting for controller',
  reason: 'Pending',
  status: 'Unknown',
  type,
});

const secretRef = () =>
  struct({ group: group({ default: '' }), kind: kind({ default: 'Secret' }), name: name(), namespace: namespace() }, ['name']);

const listener = struct(
  {
    allowedRoutes: struct(
      {
        kinds: list(struct({ group: group({ default: GROUP }), kind: kind() }, ['kind']), { maxItems: 8 }),
        namespaces: struct({ from: str({ default: 'Same', enum: ['All', 'Selector', 'Same'] }), selector: labelSelector() }, [], {
          default: { from: 'Same' },
        }),
      },
      [],
      { default: { namespaces: { from: 'Same' } } },
    ),
    hostname: hostname(),
    name: name(),
    port: port(),
    protocol: str({ maxLength: 255, minLength: 1 }),
    tls: struct({
      certificateRefs: list(secretRef(), { maxItems: 64 }),
      mode: str({ default: 'Terminate', enum: ['Terminate', 'Passthrough'] }),
      options: map(str({ maxLength: 4096 })),
    }),
  },
  ['name', 'port', 'protocol'],
);

const gateway = define({
  kind: 'Gateway',
  plural: 'gateways',
  shortNames: ['gtw'],
  also: ['v1beta1'],
  columns: [
    ['Class', 'string', '.spec.gatewayClassName'],
    ['Address', 'string', '.status.addresses[*].value'],
    ['Programmed', 'string', '.status.conditions[?(@.type=="Programmed")].status'],
    AGE,
  ],
  schema: root(
    struct(
      {
        addresses: list(struct({ type: str({ default: 'IPAddress' }), value: str({ maxLength: 253 }) }), { maxItems: 16 }),
        gatewayClassName: name(),
        infrastructure: struct({ annotations: map(str()), labels: map(str()), parametersRef: open() }),
        listeners: list(listener, { maxItems: 64, minItems: 1, 'x-kubernetes-list-map-keys': ['name'], 'x-kubernetes-list-type': 'map' }),
      },
      ['gatewayClassName', 'listeners'],
    ),
    struct(
      {
        addresses: list(struct({ type: str({ default: 'IPAddress' }), value: str() }, ['value'])),
        conditions: conditions(),
        listeners: list(
          struct(
            {
              attachedRoutes: int(),
              conditions: conditions(),
              name: name(),
              supportedKinds: list(struct({ group: group({ default: GROUP }), kind: kind() }, ['kind'])),
            },
            ['attachedRoutes', 'conditions', 'name'],
          ),
          { 'x-kubernetes-list-map-keys': ['name'], 'x-kubernetes-list-type': 'map' },
        ),
      },
      [],
      { default: { conditions: [waiting('Accepted'), waiting('Programmed')] } },
    ),
  ),
});

const parentRef = () =>
  struct(
    {
      group: group({ default: GROUP }),
      kind: kind({ default: 'Gateway' }),
      name: name(),
      namespace: namespace(),
      port: port(),
      sectionName: name(),
    },
    ['name'],
  );

const backendObject = () => ({
  group: group({ default: '' }),
  kind: kind({ default: 'Service' }),
  name: name(),
  namespace: namespace(),
  port: port(),
});

const header = () =>
  struct({ name: str({ maxLength: 256, minLength: 1 }), value: str({ maxLength: 4096, minLength: 1 }) }, ['name', 'value']);
const headers = () => list(header(), { maxItems: 16, 'x-kubernetes-list-map-keys': ['name'], 'x-kubernetes-list-type': 'map' });
const modifier = () => struct({ add: headers(), remove: list(str(), { maxItems: 16, 'x-kubernetes-list-type': 'set' }), set: headers() });
const pathModifier = () =>
  struct(
    {
      replaceFullPath: str({ maxLength: 1024 }),
      replacePrefixMatch: str({ maxLength: 1024 }),
      type: str({ enum: ['ReplaceFullPath', 'ReplacePrefixMatch'] }),
    },
    ['type'],
  );

const filter = () =>
  struct(
    {
      cors: open(),
      extensionRef: struct({ group: group(), kind: kind(), name: name() }, ['group', 'kind', 'name']),
      requestHeaderModifier: modifier(),
      requestMirror: struct(
        {
          backendRef: struct(backendObject(), ['name']),
          fraction: struct({ denominator: int({ default: 100, minimum: 1 }), numerator: int({ minimum: 0 }) }, ['numerator']),
          percent: int({ maximum: 100, minimum: 0 }),
        },
        ['backendRef'],
      ),
      requestRedirect: struct({
        hostname: hostname(),
        path: pathModifier(),
        port: port(),
        scheme: str({ enum: ['http', 'https'] }),
        statusCode: { default: 302, enum: [301, 302], type: 'integer' },
      }),
      responseHeaderModifier: modifier(),
      type: str({
        enum: ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror', 'RequestRedirect', 'URLRewrite', 'ExtensionRef'],
      }),
      urlRewrite: struct({ hostname: hostname(), path: pathModifier() }),
    },
    ['type'],
  );

const matched = (types: string[]) =>
  struct(
    {
      name: str({ maxLength: 256, minLength: 1 }),
      type: str({ default: 'Exact', enum: types }),
      value: str({ maxLength: 4096, minLength: 1 }),
    },
    ['name', 'value'],
  );

const SLASH = { path: { type: 'PathPrefix', value: '/' } };

const httpMatch = struct({
  headers: list(matched(['Exact', 'RegularExpression']), { maxItems: 16 }),
  method: str({ enum: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] }),
  path: struct(
    {
      type: str({ default: 'PathPrefix', enum: ['Exact', 'PathPrefix', 'RegularExpression'] }),
      value: str({ default: '/', maxLength: 1024 }),
    },
    [],
    { default: { type: 'PathPrefix', value: '/' } },
  ),
  queryParams: list(matched(['Exact', 'RegularExpression']), { maxItems: 16 }),
});

const duration = () => str({ pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' });
const weight = () => int({ default: 1, maximum: 1_000_000, minimum: 0 });

const routeStatus = () =>
  struct(
    {
      parents: list(struct({ conditions: conditions(), controllerName: str(), parentRef: parentRef() }, ['controllerName', 'parentRef']), {
        maxItems: 32,
      }),
    },
    ['parents'],
  );

const httpRoute = define({
  kind: 'HTTPRoute',
  plural: 'httproutes',
  also: ['v1beta1'],
  columns: [['Hostnames', 'string', '.spec.hostnames'], AGE],
  schema: root(
    struct({
      hostnames: list(hostname(), { maxItems: 16 }),
      parentRefs: list(parentRef(), { maxItems: 32 }),
      rules: list(
        struct({
          backendRefs: list(struct({ ...backendObject(), filters: list(filter(), { maxItems: 16 }), weight: weight() }, ['name']), {
            maxItems: 16,
          }),
          filters: list(filter(), { maxItems: 16 }),
          matches: list(httpMatch, { default: [SLASH], maxItems: 64 }),
          name: name(),
          timeouts: struct({ backendRequest: duration(), request: duration() }),
        }),
        { default: [{ matches: [SLASH] }], maxItems: 16, minItems: 1 },
      ),
    }),
    routeStatus(),
  ),
});

const grpcRoute = define({
  kind: 'GRPCRoute',
  plural: 'grpcroutes',
  columns: [['Hostnames', 'string', '.spec.hostnames'], AGE],
  schema: root(struct({ hostnames: list(hostname()), parentRefs: list(parentRef()), rules: list(open()) }), routeStatus()),
});

const referenceGrant = define({
  kind: 'ReferenceGrant',
  plural: 'referencegrants',
  version: 'v1beta1',
  shortNames: ['refgrant'],
  status: false,
  columns: [AGE],
  schema: root(
    struct(
      {
        from: list(struct({ group: group(), kind: kind(), namespace: namespace() }, ['group', 'kind', 'namespace']), {
          maxItems: 16,
          minItems: 1,
        }),
        to: list(struct({ group: group(), kind: kind(), name: name() }, ['group', 'kind']), { maxItems: 16, minItems: 1 }),
      },
      ['from', 'to'],
    ),
  ),
});

const backendTls = define({
  kind: 'BackendTLSPolicy',
  plural: 'backendtlspolicies',
  shortNames: ['btlspolicy'],
  labels: { 'gateway.networking.k8s.io/policy': 'Direct' },
  columns: [AGE],
  schema: root(open(), open()),
});

export const gatewayApi = (): KubeObject[] => [backendTls, gatewayClass, gateway, grpcRoute, httpRoute, referenceGrant];
