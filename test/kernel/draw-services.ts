// Services of every type, with the fields that rules are made of; some choose pods, some have EndpointSlices of their own.
import { below, type Random } from '../../src/sim/random.ts';
import { LABELS, maybe, NAMESPACES, pick, some } from './chance.ts';
import type { Pod } from './draw.ts';

const ADDRESS = { 4: '198.18.0.', 6: 'fd00:18::' } as const;

export function drawServices(r: Random, pods: Pod[], families: (4 | 6)[]): object[] {
  const out: object[] = [];
  const count = 2 + below(r, 4);
  for (let i = 0; i < count; i++) {
    const meta = { name: `svc-${i}`, namespace: pick(r, NAMESPACES) };
    const chosen = maybe(r, 0.8);
    const spec: Record<string, any> = { ...serviceSpec(r, i, families), ...(chosen ? { selector: pick(r, SELECTORS) } : {}) };
    out.push({ apiVersion: 'v1', kind: 'Service', metadata: meta, spec });
    if (!chosen && spec['clusterIP'] !== 'None') out.push(...slices(r, meta, pods, spec['ports']));
  }
  if (maybe(r, 0.2)) {
    const spec = { type: 'ExternalName', externalName: 'host.example' };
    out.push({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'elsewhere', namespace: 'default' }, spec });
  }
  return out;
}

const SELECTORS = [...LABELS.map(color => ({ color, role: 'server' })), { role: 'server' }, { role: 'server' }, { role: 'nobody' }];

function serviceSpec(r: Random, i: number, families: (4 | 6)[]): Record<string, any> {
  const type = pick(r, ['ClusterIP', 'NodePort', 'NodePort', 'LoadBalancer']);
  const outer = type !== 'ClusterIP';
  const nodePort = (n: number) => (outer ? { nodePort: 30000 + i * 10 + n } : {});
  const ports = some(
    r,
    [
      { name: 'web', protocol: 'TCP', port: 80, targetPort: pick(r, ['web', 'web', 8080]), ...nodePort(0) },
      { name: 'query', protocol: 'UDP', port: 53, targetPort: 'query', ...nodePort(1) },
      { name: 'closed', protocol: 'TCP', port: 81, targetPort: 9, ...nodePort(2) },
    ],
    0.7,
  );
  if (!ports.length) ports.push({ name: 'web', protocol: 'TCP', port: 80, targetPort: 'web', ...nodePort(0) });
  const policy = families.length > 1 ? pick(r, ['SingleStack', 'PreferDualStack', 'RequireDualStack']) : 'SingleStack';
  const first =
    families.length > 1 && maybe(r, 0.3) ? { ipFamilies: policy === 'SingleStack' ? [families[1]] : [...families].reverse() } : {};
  return {
    type,
    ports,
    ipFamilyPolicy: policy,
    ...('ipFamilies' in first ? { ipFamilies: first.ipFamilies!.map(f => `IPv${f}`) } : {}),
    ...(type === 'ClusterIP' && maybe(r, 0.1) ? { clusterIP: 'None' } : {}),
    ...(outer && maybe(r, 0.4) ? { externalTrafficPolicy: 'Local' } : {}),
    ...(maybe(r, 0.15) ? { internalTrafficPolicy: 'Local' } : {}),
    ...(maybe(r, 0.2) ? { externalIPs: families.map(f => `${ADDRESS[f]}${10 + i}`) } : {}),
    ...(type === 'LoadBalancer' && maybe(r, 0.4) ? { loadBalancerSourceRanges: ranges(r, families) } : {}),
    ...(type === 'LoadBalancer' && maybe(r, 0.15)
      ? { allocateLoadBalancerNodePorts: false, ports: ports.map(p => ({ ...p, nodePort: undefined })) }
      : {}),
    ...(maybe(r, 0.15)
      ? { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 + below(r, 1000) } } }
      : {}),
    ...(maybe(r, 0.15) ? { publishNotReadyAddresses: true } : {}),
    ...(maybe(r, 0.15) ? { trafficDistribution: pick(r, ['PreferSameNode', 'PreferSameZone', 'PreferClose']) } : {}),
  };
}

const ranges = (r: Random, families: (4 | 6)[]): string[] =>
  families.flatMap(f =>
    pick(
      r,
      f === 4
        ? [['192.168.1.0/24'], ['203.0.113.0/24'], ['10.244.0.0/16', '192.168.1.100/32']]
        : [['fd00:192:168:1::/64'], ['fd00:99::/64']],
    ),
  );

/** Endpoints without a selector, in any condition: addresses are filled in once the pods have them (`@namespace/name`). */
function slices(r: Random, meta: { name: string; namespace: string }, pods: Pod[], ports: any[]): object[] {
  const named = { name: `${meta.name}-own`, namespace: meta.namespace, labels: { 'kubernetes.io/service-name': meta.name } };
  const endpoints = some(
    r,
    pods.filter(p => p.tcp && !p.hostNetwork),
  ).map(p => {
    const ready = maybe(r, 0.6);
    const terminating = !ready && maybe(r, 0.6);
    return {
      addresses: [`@${p.key}`],
      conditions: { ready, serving: ready || (terminating && maybe(r, 0.7)), terminating },
      nodeName: maybe(r, 0.9) ? p.node : undefined,
      ...(maybe(r, 0.1) ? { hints: { forNodes: [{ name: p.node }] } } : {}),
    };
  });
  const to = { web: 8080, query: 8081, closed: 9 } as Record<string, number>;
  return [
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: named,
      addressType: 'IPv4',
      endpoints,
      ports: ports.map(p => ({ name: p.name, protocol: p.protocol, port: to[p.name] })),
    },
  ];
}
