// NetworkPolicies, and Calico's global ones where its agent runs.
import { below, type Random } from '../../src/sim/random.ts';
import { LABELS, maybe, NAMESPACES, pick, some } from './chance.ts';

const podSelector = (r: Random): object =>
  pick<object>(r, [
    {},
    { matchLabels: { color: pick(r, LABELS) } },
    { matchLabels: { role: pick(r, ['server', 'client']) } },
    { matchExpressions: [{ key: 'color', operator: pick(r, ['In', 'NotIn']), values: [pick(r, LABELS)] }] },
  ]);

const BLOCKS: object[] = [
  { cidr: '10.244.0.0/16', except: ['10.244.1.0/24'] },
  { cidr: '10.244.1.0/24' },
  { cidr: '192.168.1.0/24', except: ['192.168.1.100/32', '192.168.1.2/32'] },
  { cidr: '0.0.0.0/0', except: ['10.244.0.0/16'] },
  { cidr: '0.0.0.0/0' },
  { cidr: '::/0' },
  { cidr: 'fd00:10:244::/56', except: ['fd00:10:244:1::/64'] },
];

function peer(r: Random): object {
  if (maybe(r, 0.3)) return { ipBlock: pick(r, BLOCKS) };
  const namespaceSelector = pick<object>(r, [{}, { matchLabels: { 'kubernetes.io/metadata.name': pick(r, NAMESPACES) } }]);
  return pick<object>(r, [{ podSelector: podSelector(r) }, { namespaceSelector }, { namespaceSelector, podSelector: podSelector(r) }]);
}

const port = (r: Random): object =>
  pick<object>(r, [
    { port: 8080 },
    { port: 'web' },
    { port: 'query', protocol: 'UDP' },
    { protocol: 'UDP', port: 8081 },
    { port: 8000, endPort: 8100 },
    { protocol: 'UDP', port: 53, endPort: 9000 },
    { port: 9 },
    {},
  ]);

const rules = (r: Random, side: 'from' | 'to'): object[] =>
  Array.from({ length: below(r, 3) }, () => ({
    ...(maybe(r, 0.8) ? { [side]: Array.from({ length: 1 + below(r, 2) }, () => peer(r)) } : {}),
    ...(maybe(r, 0.6) ? { ports: Array.from({ length: 1 + below(r, 2) }, () => port(r)) } : {}),
  }));

function networkPolicy(r: Random, n: number): object {
  const policyTypes = pick(r, [['Ingress'], ['Egress'], ['Ingress', 'Egress']]);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `policy-${n}`, namespace: pick(r, NAMESPACES) },
    spec: {
      podSelector: podSelector(r),
      policyTypes,
      ...(policyTypes.includes('Ingress') ? { ingress: rules(r, 'from') } : {}),
      ...(policyTypes.includes('Egress') ? { egress: rules(r, 'to') } : {}),
    },
  };
}

function globalPolicy(r: Random, n: number): object {
  const entity = () =>
    pick<object>(r, [
      {},
      { selector: `color == '${pick(r, LABELS)}'` },
      { nets: [pick(r, ['10.244.0.0/16', '192.168.1.0/24', '10.244.1.0/24'])] },
      { notNets: ['10.244.2.0/24'] },
      { notSelector: "role == 'client'" },
    ]);
  const rule = () => ({
    action: pick(r, ['Allow', 'Deny', 'Pass', 'Log']),
    ...(maybe(r) ? { protocol: pick(r, ['TCP', 'UDP']) } : {}),
    source: entity(),
    destination: entity(),
  });
  const types = some(r, ['Ingress', 'Egress'], 0.7);
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: `global-${n}` },
    spec: {
      order: 10 * n,
      selector: pick(r, ['all()', "role == 'server'", `has(color) && color != '${pick(r, LABELS)}'`]),
      types: types.length ? types : ['Ingress'],
      ...(types.includes('Egress') ? { egress: Array.from({ length: below(r, 3) }, rule) } : {}),
      ...(!types.length || types.includes('Ingress') ? { ingress: Array.from({ length: below(r, 3) }, rule) } : {}),
    },
  };
}

export const drawPolicies = (r: Random, calico: boolean): object[] => [
  ...Array.from({ length: 1 + below(r, 3) }, (_, n) => networkPolicy(r, n)),
  ...(calico && maybe(r, 0.4) ? Array.from({ length: 1 + below(r, 2) }, (_, n) => globalPolicy(r, n)) : []),
];
