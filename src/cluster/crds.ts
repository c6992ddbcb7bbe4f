// CustomResourceDefinitions that a cluster has from the start: the cluster-wide policies of sig-network (network-policy-api v0.2.0, and the
// v1alpha1 kinds of v0.1.7), and with Calico its own. Shapes, limits and rules are those of upstream's standard channel: peers by `nodes` and
// `domainNames` are in the experimental one alone, and are unknown here. Descriptions are left out.
import type { KubeObject } from '../apiserver/types.ts';

type Schema = Record<string, unknown>;

const string = (more: Schema = {}): Schema => ({ type: 'string', ...more });
const object = (properties: Record<string, Schema>, required: string[] = [], more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  ...(required.length ? { required } : {}),
  ...more,
});
const list = (items: Schema, more: Schema = {}): Schema => ({ type: 'array', items, ...more });
const ONE_OF = { minProperties: 1, maxProperties: 1 };

const selector = object(
  {
    matchExpressions: list(
      object({ key: string(), operator: string(), values: list(string(), { 'x-kubernetes-list-type': 'atomic' }) }, ['key', 'operator']),
      {
        'x-kubernetes-list-type': 'atomic',
      },
    ),
    matchLabels: { type: 'object', additionalProperties: string() },
  },
  [],
  { 'x-kubernetes-map-type': 'atomic' },
);

const pods = object({ namespaceSelector: selector, podSelector: selector }, ['podSelector']);
const subject = object({ namespaces: selector, pods }, [], ONE_OF);
const port: Schema = { type: 'integer', format: 'int32', minimum: 1, maximum: 65535 };
const network = string({ maxLength: 43, 'x-kubernetes-validations': [{ message: 'Invalid CIDR format provided', rule: 'isCIDR(self)' }] });
const networks = list(network, { minItems: 1, maxItems: 25, 'x-kubernetes-list-type': 'set' });
const ORDERED = [{ message: 'Start port must be less than End port', rule: 'self.start < self.end' }];

const peers = (side: 'ingress' | 'egress', max: number): Schema =>
  list(object({ namespaces: selector, pods, ...(side === 'egress' ? { networks } : {}) }, [], ONE_OF), {
    minItems: 1,
    maxItems: max,
  });

function rules(
  side: 'ingress' | 'egress',
  actions: string[],
  matches: Record<string, Schema>,
  most: { rules: number; peers: number },
): Schema {
  const key = side === 'ingress' ? 'from' : 'to';
  const properties = { action: string({ enum: actions }), [key]: peers(side, most.peers), name: string({ maxLength: 100 }), ...matches };
  return list(object(properties, ['action', key]), { maxItems: most.rules });
}

const adminPorts = list(
  object(
    {
      namedPort: string(),
      portNumber: object({ port, protocol: string({ default: 'TCP' }) }, ['port', 'protocol']),
      portRange: object({ end: port, protocol: string({ default: 'TCP' }), start: port }, ['end', 'start'], {
        'x-kubernetes-validations': ORDERED,
      }),
    },
    [],
    ONE_OF,
  ),
  { maxItems: 100 },
);

const destinationPort = object(
  { number: port, range: object({ end: port, start: port }, ['end', 'start'], { 'x-kubernetes-validations': ORDERED }) },
  [],
  ONE_OF,
);
const protocol = object({ destinationPort }, [], { minProperties: 1 });
const protocols = list(object({ destinationNamedPort: string(), sctp: protocol, tcp: protocol, udp: protocol }, [], ONE_OF), {
  minItems: 1,
  maxItems: 25,
});

const status = object({ conditions: list({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }) }, ['conditions']);

interface Definition {
  group: string;
  version: string;
  kind: string;
  plural: string;
  shortNames?: string[];
  scope: 'Cluster' | 'Namespaced';
  schema: Schema;
  columns?: { name: string; type: string; jsonPath: string }[];
  status?: boolean;
}

const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

function definition(d: Definition): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${d.plural}.${d.group}`,
      ...(d.group.endsWith('.k8s.io')
        ? { annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/network-policy-api/pull/300' } }
        : {}),
    },
    spec: {
      group: d.group,
      scope: d.scope,
      names: {
        kind: d.kind,
        listKind: `${d.kind}List`,
        plural: d.plural,
        singular: d.kind.toLowerCase(),
        ...(d.shortNames ? { shortNames: d.shortNames } : {}),
      },
      versions: [
        {
          name: d.version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: d.schema },
          ...(d.columns ? { additionalPrinterColumns: d.columns } : {}),
          ...(d.status ? { subresources: { status: {} } } : {}),
        },
      ],
    },
  };
}

const root = (spec: Schema): Schema =>
  object({ apiVersion: string(), kind: string(), metadata: { type: 'object' }, spec, status }, ['metadata', 'spec']);

const POLICY = 'policy.networking.k8s.io';
const ADMIN = { rules: 100, peers: 100 };
const CLUSTER = { rules: 25, peers: 25 };

function policyKinds(): KubeObject[] {
  const three = ['Allow', 'Deny', 'Pass'];
  const two = ['Allow', 'Deny'];
  const accept = ['Accept', 'Deny', 'Pass'];
  const both = (actions: string[], matches: Record<string, Schema>, most: typeof ADMIN) => ({
    egress: rules('egress', actions, matches, most),
    ingress: rules('ingress', actions, matches, most),
    subject,
  });
  const priority = { type: 'integer', format: 'int32', minimum: 0, maximum: 1000 };
  const shared = { group: POLICY, scope: 'Cluster' as const, status: true };
  return [
    definition({
      ...shared,
      version: 'v1alpha2',
      kind: 'ClusterNetworkPolicy',
      plural: 'clusternetworkpolicies',
      shortNames: ['cnp'],
      columns: [
        { name: 'Tier', type: 'string', jsonPath: '.spec.tier' },
        { name: 'Priority', type: 'string', jsonPath: '.spec.priority' },
        age,
      ],
      schema: root(
        object({ ...both(accept, { protocols }, CLUSTER), priority, tier: string({ enum: ['Admin', 'Baseline'] }) }, [
          'priority',
          'subject',
          'tier',
        ]),
      ),
    }),
    definition({
      ...shared,
      version: 'v1alpha1',
      kind: 'AdminNetworkPolicy',
      plural: 'adminnetworkpolicies',
      shortNames: ['anp'],
      columns: [{ name: 'Priority', type: 'string', jsonPath: '.spec.priority' }, age],
      schema: root(object({ ...both(three, { ports: adminPorts }, ADMIN), priority }, ['priority', 'subject'])),
    }),
    definition({
      ...shared,
      version: 'v1alpha1',
      kind: 'BaselineAdminNetworkPolicy',
      plural: 'baselineadminnetworkpolicies',
      shortNames: ['banp'],
      columns: [age],
      schema: {
        ...root(object(both(two, { ports: adminPorts }, ADMIN), ['subject'])),
        'x-kubernetes-validations': [
          {
            message: 'Only one baseline admin network policy with metadata.name="default" can be created in the cluster',
            rule: "self.metadata.name == 'default'",
          },
        ],
      },
    }),
  ];
}

/** Kinds of projectcalico.org/v3 that act on traffic; Calico checks them itself. */
const CALICO: [kind: string, plural: string, scope: 'Cluster' | 'Namespaced', shortNames: string[]][] = [
  ['NetworkPolicy', 'networkpolicies', 'Namespaced', ['cnp', 'caliconetworkpolicy', 'caliconetworkpolicies']],
  ['GlobalNetworkPolicy', 'globalnetworkpolicies', 'Cluster', ['gnp', 'cgnp', 'calicoglobalnetworkpolicies']],
  ['StagedNetworkPolicy', 'stagednetworkpolicies', 'Namespaced', ['snp']],
  ['Tier', 'tiers', 'Cluster', []],
  ['HostEndpoint', 'hostendpoints', 'Cluster', ['hep', 'heps']],
  ['NetworkSet', 'networksets', 'Namespaced', ['netsets']],
  ['GlobalNetworkSet', 'globalnetworksets', 'Cluster', []],
  ['FelixConfiguration', 'felixconfigurations', 'Cluster', ['felixconfig', 'felixconfigs']],
  ['BGPConfiguration', 'bgpconfigurations', 'Cluster', ['bgpconfig', 'bgpconfigs']],
  ['IPPool', 'ippools', 'Cluster', []],
  ['ClusterInformation', 'clusterinformations', 'Cluster', ['clusterinfo']],
  ['KubeControllersConfiguration', 'kubecontrollersconfigurations', 'Cluster', ['kcconfig']],
];

export function crdObjects(cni: string): KubeObject[] {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const calico = CALICO.map(([kind, plural, scope, shortNames]) =>
    definition({
      group: 'projectcalico.org',
      version: 'v3',
      kind,
      plural,
      scope,
      // `cnp` is ClusterNetworkPolicy's: of two kinds with one short name the first group wins.
      ...(shortNames.length ? { shortNames: shortNames.filter(n => n !== 'cnp') } : {}),
      schema: object({ apiVersion: string(), kind: string(), metadata: { type: 'object' }, spec: open, status: open }),
    }),
  );
  return [...policyKinds(), ...(cni === 'calico' ? calico : [])];
}
