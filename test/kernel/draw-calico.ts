// Calico's own kinds, and ClusterNetworkPolicy, which it alone writes rules of: tiers, ordered policies of namespaces and of the cluster, sets
// of networks, endpoints of the nodes themselves.
import { below, type Random } from '../../src/sim/random.ts';
import { LABELS, maybe, NAMESPACES, pick, some } from './chance.ts';

const API = 'projectcalico.org/v3';
const many = <T>(r: Random, most: number, make: (n: number) => T, least = 0): T[] =>
  Array.from({ length: least + below(r, most - least + 1) }, (_, n) => make(n));

const NETS = [
  '10.244.0.0/16',
  '192.168.1.0/24',
  '10.244.1.0/24',
  '0.0.0.0/0',
  '198.51.100.0/24',
  'fd00:10:244::/48',
  'fd00:192:168:1::/64',
];
const label = (r: Random) =>
  pick(r, [`color == '${pick(r, LABELS)}'`, "role == 'server'", "role in { 'client', 'block' }", 'has(color)', '!has(role)']);

function entity(r: Random, ports: boolean): object {
  return {
    ...pick<object>(r, [
      {},
      {},
      { selector: label(r) },
      { selector: label(r), namespaceSelector: pick(r, ['all()', "projectcalico.org/name == 'field'"]) },
      { notSelector: label(r) },
      { nets: some(r, NETS, 0.3).slice(0, 3) },
      { notNets: [pick(r, NETS)] },
      { nets: ['10.244.0.0/16'], notNets: ['10.244.2.0/24'] },
    ]),
    ...(ports && maybe(r)
      ? { [maybe(r, 0.8) ? 'ports' : 'notPorts']: some(r, [8080, 'web', 'query', '8000:8100', 9, 80, '1:1024']).slice(0, 4) }
      : {}),
  };
}

function rule(r: Random): object {
  const protocol = pick(r, [null, null, 'TCP', 'UDP', 'ICMP']);
  const ports = protocol === 'TCP' || protocol === 'UDP';
  return {
    action: pick(r, ['Allow', 'Allow', 'Deny', 'Pass', 'Log']),
    ...(protocol ? { protocol } : maybe(r, 0.1) ? { notProtocol: 'UDP' } : {}),
    ...(maybe(r, 0.1) ? { ipVersion: pick(r, [4, 6]) } : {}),
    source: entity(r, false),
    destination: entity(r, ports),
  };
}

function sides(r: Random, types = some(r, ['Ingress', 'Egress'], 0.7)): object {
  const all = types.length ? types : ['Ingress'];
  return {
    types: all,
    ...(all.includes('Ingress') ? { ingress: many(r, 3, () => rule(r)) } : {}),
    ...(all.includes('Egress') ? { egress: many(r, 3, () => rule(r)) } : {}),
  };
}

const calico = (kind: string, metadata: object, spec: object): object => ({ apiVersion: API, kind, metadata, spec });

/** How a policy acts on endpoints of nodes: on their own traffic, on what they pass on, before addresses are translated, or untracked. */
const HOST_WAYS: ((r: Random) => object)[] = [
  () => ({}),
  () => ({ applyOnForward: true }),
  r => ({ applyOnForward: true, preDNAT: true, ...sides(r, ['Ingress']) }),
  r => ({ applyOnForward: true, doNotTrack: true, ...sides(r) }),
];

function clusterPolicy(r: Random, n: number): object {
  const namespaces = () => pick<object>(r, [{}, { matchLabels: { 'kubernetes.io/metadata.name': pick(r, NAMESPACES) } }]);
  const pods = () =>
    maybe(r)
      ? { namespaces: namespaces() }
      : { pods: { namespaceSelector: namespaces(), podSelector: { matchLabels: { color: pick(r, LABELS) } } } };
  const protocol = () =>
    pick<object>(r, [
      { tcp: { destinationPort: { number: 8080 } } },
      { tcp: { destinationPort: { range: { start: 1, end: 9000 } } } },
      { udp: { destinationPort: { number: 8081 } } },
      { udp: { destinationPort: { range: { start: 1000, end: 9000 } } } },
      { destinationNamedPort: 'web' },
    ]);
  const rules = (side: 'from' | 'to') =>
    many(
      r,
      3,
      () => ({
        action: pick(r, ['Accept', 'Deny', 'Pass']),
        [side]: many(r, 2, () => (side === 'to' && maybe(r, 0.3) ? { networks: [pick(r, NETS)] } : pods()), 1),
        ...(maybe(r) ? { protocols: many(r, 2, protocol, 1) } : {}),
      }),
      1,
    );
  return {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: `wide-${n}` },
    spec: {
      tier: pick(r, ['Admin', 'Baseline']),
      priority: 10 * n + below(r, 10),
      subject: pods(),
      ...(maybe(r, 0.7) ? { ingress: rules('from') } : {}),
      ...(maybe(r, 0.5) ? { egress: rules('to') } : {}),
    },
  };
}

export function drawCalico(r: Random, nodes: string[]): object[] {
  const tiers = many(r, 2, n => ({ name: `tier-${n}`, order: 10 * n + 5, defaultAction: pick(r, ['Deny', 'Pass']) }));
  const tierOf = () => (tiers.length && maybe(r, 0.6) ? { tier: pick(r, tiers).name } : {});
  const subject = () => ({ selector: pick(r, ['all()', "role == 'server'", label(r)]), order: below(r, 40) });
  const hosts = maybe(r, 0.3) ? some(r, nodes, 0.7) : [];
  return [
    ...tiers.map(({ name, ...spec }) => calico('Tier', { name }, spec)),
    ...many(r, 2, n => calico('GlobalNetworkSet', { name: `set-${n}`, labels: { role: 'block' } }, { nets: some(r, NETS.slice(0, 3)) })),
    ...many(r, 1, n =>
      calico(
        'NetworkSet',
        { name: `own-${n}`, namespace: pick(r, NAMESPACES), labels: { color: pick(r, LABELS) } },
        { nets: ['192.168.1.100/32'] },
      ),
    ),
    ...many(r, 2, n =>
      calico('NetworkPolicy', { name: `own-${n}`, namespace: pick(r, NAMESPACES) }, { ...subject(), ...tierOf(), ...sides(r) }),
    ),
    ...many(r, 2, n => calico('GlobalNetworkPolicy', { name: `all-${n}` }, { ...subject(), ...tierOf(), ...sides(r) })),
    ...many(r, 2, n => clusterPolicy(r, n)),
    ...hosts.map(node =>
      calico(
        'HostEndpoint',
        { name: `${node}-eth0`, labels: { role: 'node' } },
        { node, interfaceName: pick(r, ['eth0', '*']), ...(maybe(r) ? { profiles: ['projectcalico-default-allow'] } : {}) },
      ),
    ),
    ...(hosts.length
      ? many(r, 2, n =>
          calico(
            'GlobalNetworkPolicy',
            { name: `node-${n}` },
            { selector: "role == 'node'", order: n, ...sides(r), ...pick(r, HOST_WAYS)(r) },
          ),
        )
      : []),
  ];
}
