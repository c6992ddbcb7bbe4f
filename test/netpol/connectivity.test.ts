import { describe, expect, it } from 'vitest';
import { commit, newApiServer } from '../../src/apiserver/store.ts';
import type { ApiServer } from '../../src/apiserver/types.ts';
import { type Connectivity, connectivity, eachConnection } from '../../src/netpol/connectivity.ts';
import { writeConnectivity } from '../../src/netpol/connectivity-json.ts';
import { evaluateConnection } from '../../src/netpol/evaluate.ts';
import { type Party, policiesOf } from '../../src/netpol/policies.ts';
import { allPorts, type Protocol } from '../../src/netpol/ports.ts';
import { bytesToString } from '../../src/sim/bytes.ts';
import { below, newRandom, type Random } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';
import { parseIp } from '../../src/wire/ip.ts';

const SPACES = ['north', 'south', 'west'];
const NAMES = ['web', 'dns'];
const pick = <T>(r: Random, list: T[]): T => list[below(r, list.length)];
const some = <T>(r: Random, most: number, make: () => T): T[] => Array.from({ length: below(r, most + 1) }, make);
const maybe = <T>(r: Random, value: T): T | undefined => (below(r, 2) ? value : undefined);

const labels = (r: Random) => ({ size: pick(r, ['s', 'm', 'l']), ...(below(r, 2) ? { old: '1' } : {}), of: `${below(r, 1000)}` });
const selector = (r: Random) =>
  pick<object>(r, [
    {},
    { matchLabels: { size: 's' } },
    { matchExpressions: [{ key: 'old', operator: 'Exists' }] },
    { matchExpressions: [{ key: 'size', operator: 'NotIn', values: ['l'] }] },
  ]);
const space = (r: Random) =>
  pick<object>(r, [{}, { matchLabels: { cold: 'yes' } }, { matchExpressions: [{ key: 'cold', operator: 'DoesNotExist' }] }]);
const block = (r: Random) =>
  pick(r, ['10.1.0.0/24', '10.1.0.0/16', '192.0.2.0/25', '192.0.2.64/26', '0.0.0.0/0', '2001:db8::/33', '2001:db8::/64']);

function networkPolicy(r: Random, n: number) {
  const peer = () =>
    pick<object>(r, [
      { ipBlock: { cidr: '192.0.0.0/8', except: ['192.0.2.128/25'] } },
      { ipBlock: { cidr: block(r) } },
      { podSelector: selector(r) },
      { namespaceSelector: space(r), podSelector: maybe(r, selector(r)) },
    ]);
  const port = () =>
    pick<object>(r, [
      { port: pick(r, NAMES) },
      { port: 53, protocol: 'UDP' },
      { port: 80, endPort: 80 + below(r, 9000) },
      { protocol: 'SCTP' },
    ]);
  const rules = (side: string) =>
    maybe(
      r,
      some(r, 2, () => ({ [side]: maybe(r, some(r, 2, peer)), ports: maybe(r, some(r, 2, port)) })),
    );
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `np-${n}`, namespace: pick(r, SPACES) },
    spec: {
      podSelector: selector(r),
      policyTypes: pick(r, [['Ingress'], ['Egress'], ['Ingress', 'Egress']]),
      ingress: rules('from'),
      egress: rules('to'),
    },
  };
}

function clusterPolicy(r: Random, n: number) {
  const parties = () => pick<object>(r, [{ namespaces: space(r) }, { pods: { namespaceSelector: space(r), podSelector: selector(r) } }]);
  const protocol = () =>
    pick<object>(r, [{ tcp: { destinationPort: { number: 80 } } }, { destinationNamedPort: pick(r, NAMES) }, { udp: {} }]);
  const rules = (side: string) =>
    some(r, 2, () => ({
      action: pick(r, ['Accept', 'Deny', 'Pass']),
      [side]: [side === 'to' && below(r, 2) ? { networks: [block(r)] } : parties()],
      protocols: maybe(r, some(r, 2, protocol)),
    }));
  return {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: `cnp-${n}` },
    spec: { tier: pick(r, ['Admin', 'Baseline']), priority: below(r, 4), subject: parties(), ingress: rules('from'), egress: rules('to') },
  };
}

/** A cluster drawn from a seed, and its pods as the evaluator sees them. */
function drawn(seed: number): { server: ApiServer; pods: Party[]; policies: any[] } {
  const r = newRandom(seed);
  const server = newApiServer(newSim(0, newRandom(1)), newRandom(1));
  const spaces: Record<string, Record<string, string>> = { north: { cold: 'yes' }, south: {}, west: below(r, 2) ? { cold: 'yes' } : {} };
  for (const [name, of] of Object.entries(spaces))
    commit(server, 'namespaces', `/${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: of } });
  const pods = Array.from({ length: 9 }, (_, i): Party => {
    const namespace = pick(r, SPACES);
    const of: Record<string, string> = labels(r);
    const ports = NAMES.filter(() => below(r, 2)).map(name => ({
      name,
      protocol: pick<Protocol>(r, ['TCP', 'UDP']),
      containerPort: 8000 + below(r, 3),
    }));
    const hostNetwork = below(r, 6) === 0;
    const ips = [`10.1.${below(r, 2)}.${i + 1}`, ...(below(r, 2) ? [`2001:db8:0:${below(r, 2)}::${i + 1}`] : [])];
    commit(server, 'pods', `${namespace}/p${i}`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `p${i}`, namespace, labels: of },
      spec: { hostNetwork, containers: [{ name: 'c', image: 'i', ports }] },
      status: { phase: 'Running', podIP: ips[0], podIPs: ips.map(ip => ({ ip })) },
    });
    const namedPorts = ports.map(p => ({ name: p.name, protocol: p.protocol, port: p.containerPort }));
    const pod = { namespace, labels: of, namespaceLabels: spaces[namespace], namedPorts };
    return { id: `${namespace}/p${i}`, pod, hostNetwork, ips: ips.map(ip => parseIp(ip) as Uint8Array) };
  });
  const policies: any[] = [
    ...some(r, 5, () => 0).map((_, n) => networkPolicy(r, n)),
    ...some(r, 4, () => 0).map((_, n) => clusterPolicy(r, n)),
  ];
  for (const p of policies) {
    const bucket = p.kind === 'NetworkPolicy' ? 'networkpolicies.networking.k8s.io' : 'clusternetworkpolicies.policy.networking.k8s.io';
    commit(server, bucket, `${p.metadata.namespace ?? ''}/${p.metadata.name}`, p);
  }
  return { server, pods, policies };
}

/** First and last address of an endpoint outside. */
const ends = (id: string) => id.split('-').map(ip => parseIp(ip) as Uint8Array);

describe('connectivity of a cluster', () => {
  it('is what the policies say of each pair, whoever else is like them, in all of a range outside', () => {
    let denied = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const { server, pods, policies } = drawn(seed);
      const order = policiesOf(policies);
      const report = connectivity(server);
      const partiesAt = (i: number): Party[] => {
        const { id } = report.endpoints[i];
        const pod = pods.find(p => p.id === id);
        return pod ? [pod] : ends(id).map(ip => ({ id, pod: null, hostNetwork: false, ips: [ip] }));
      };
      eachConnection(report, (from, to, verdict) => {
        denied += verdict.denied.length;
        for (const a of partiesAt(from))
          for (const b of partiesAt(to)) {
            const expected = from === to ? { allowed: allPorts(), denied: [] } : evaluateConnection(order, a, b);
            expect(verdict, `seed ${seed}: ${a.id} -> ${b.id}`).toEqual(expected);
          }
      });
    }
    expect(denied).toBeGreaterThan(500);
  });

  it('cuts what lies outside only where pods fare otherwise', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const report = connectivity(drawn(seed).server);
      for (let i = report.pods; i + 1 < report.endpoints.length; i++) {
        if (ends(report.endpoints[i].id)[0].length !== ends(report.endpoints[i + 1].id)[0].length) continue;
        const fates = [i, i + 1].map(e =>
          JSON.stringify(report.endpoints.slice(0, report.pods).map((_, p) => [report.verdict(e, p), report.verdict(p, e)])),
        );
        expect(fates[0], `seed ${seed}: ${report.endpoints[i].id}`).not.toBe(fates[1]);
      }
    }
  });

  it('is written in pieces that make the JSON of all connections', () => {
    const { server } = drawn(7);
    const report: Connectivity = connectivity(server);
    const pieces: Uint8Array[] = [];
    writeConnectivity(report, p => pieces.push(p));
    const connections: object[] = [];
    eachConnection(report, (a, b, { allowed, denied }) => {
      const id = (i: number) => report.endpoints[i].id;
      connections.push({ from: id(a), to: id(b), self: a === b, allowed, denied, via: [] });
    });
    expect(pieces.map(bytesToString).join('')).toBe(`${JSON.stringify({ endpoints: report.endpoints, connections })}\n`);
  });
});
