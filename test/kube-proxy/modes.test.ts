// The three modes do the same to traffic, whatever they write.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { commit, newApiServer } from '../../src/apiserver/store.ts';
import { newKubeProxy } from '../../src/kube-proxy/proxy.ts';
import { SCHEDULERS } from '../../src/linux/ipvs/types.ts';
import { addRoute } from '../../src/linux/route.ts';
import { accept, bind, close, connect, kernelSocket, listen, recv, send } from '../../src/linux/socket.ts';
import { setSysctl } from '../../src/linux/sysctl.ts';
import type { Netns } from '../../src/linux/types.ts';
import { bytesToString, stringToBytes } from '../../src/sim/bytes.ts';
import { newRandom } from '../../src/sim/random.ts';
import { type Co, startTask } from '../../src/sim/task.ts';
import { cidr, ip, machine, newSegment, newWorld, routed, run } from '../linux/world.ts';
import { put, SLICES, service, slice } from './cluster.ts';

const NODE = 'worker-a';
const PODS = ['10.50.1.1', '10.50.1.2', '10.50.1.3'];
const CLIENT = '10.50.1.9';

function serve(ns: Netns, name: string): void {
  const l = kernelSocket(ns, 'tcp', 4);
  bind(l, null, 8080);
  listen(l);
  startTask(
    ns.kernel.sim,
    (function* (): Co<void> {
      for (;;) {
        const c = yield* accept(l);
        if (typeof c === 'string') return;
        yield* send(c, stringToBytes(name));
        close(c);
      }
    })(),
    true,
  );
}

/** The server's name, or that it was refused, or that nothing came. */
function* ask(ns: Netns, to: string, port: number): Co<string> {
  const s = kernelSocket(ns, 'tcp', 4);
  const e = yield* connect(s, ip(to), port, 1500);
  const data = e ? null : yield* recv(s);
  close(s);
  if (e) return e === 'ECONNREFUSED' ? 'refused' : 'nothing';
  return data && typeof data !== 'string' ? bytesToString(data) : 'nothing';
}

interface Spec {
  type: string;
  endpoints: string[];
  ready: boolean[];
  external: boolean;
  externalLocal: boolean;
  affinity: boolean;
  ranges: string[];
}

function world(mode: 'iptables' | 'ipvs' | 'nftables', specs: Spec[], scheduler = 'rr') {
  const sim = newWorld();
  const lan = newSegment('lan', 0.05);
  const node = machine(sim, NODE, lan, '172.20.0.11/24');
  const outside = machine(sim, 'outside', lan, '172.20.0.50/24');
  setSysctl(node.ns, 'net.ipv4.ip_forward', '1');
  addRoute(node.ns, { dst: cidr('0.0.0.0/0'), via: ip('172.20.0.50') });
  const pods = new Map([...PODS, CLIENT].map(a => [a, routed(node.kernel, `pod-${a}`, a).ns]));
  for (const a of PODS) serve(pods.get(a)!, a);
  addRoute(outside.ns, { dst: cidr('0.0.0.0/0'), via: ip('172.20.0.11') });
  const server = newApiServer(sim, newRandom(3));
  commit(server, 'nodes', `/${NODE}`, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: NODE },
    spec: { podCIDRs: ['10.50.1.0/24'] },
    status: { addresses: [{ type: 'InternalIP', address: '172.20.0.11' }] },
  });
  specs.forEach((s, i) => {
    const ports = [{ name: 'web', protocol: 'TCP', port: 80, ...(s.type === 'ClusterIP' ? {} : { nodePort: 30000 + i }) }];
    const spec = {
      type: s.type,
      clusterIP: `10.60.0.${10 + i}`,
      ports,
      externalIPs: s.external ? [`198.51.100.${i + 1}`] : undefined,
      externalTrafficPolicy: s.externalLocal ? 'Local' : 'Cluster',
      loadBalancerSourceRanges: s.ranges,
      ...(s.affinity ? { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } } : {}),
    };
    const status = s.type === 'LoadBalancer' ? { loadBalancer: { ingress: [{ ip: `198.51.100.${101 + i}` }] } } : undefined;
    put(server, 'services', service(`s${i}`, spec, { status }));
    const endpoints = s.endpoints.map((a, n) => ({ ip: a, node: NODE, conditions: { ready: s.ready[n] ?? true } }));
    put(server, SLICES, slice(`s${i}`, endpoints));
  });
  newKubeProxy(server, NODE, node.ns, { mode, clusterCIDR: '10.50.0.0/16', ipvs: { scheduler } });
  return { sim, from: { pod: pods.get(CLIENT)!, endpoint: pods.get(PODS[0])!, node: node.ns, outside: outside.ns } };
}

/** Where each Service may be asked for. */
function targets(specs: Spec[]): [name: string, to: string, port: number, ready: string[]][] {
  return specs.flatMap((s, i) => {
    const ready = s.endpoints.filter((_, n) => s.ready[n] ?? true);
    const at = (name: string, to: string, port: number) => [`s${i} ${name}`, to, port, ready] as [string, string, number, string[]];
    return [
      at('cluster IP', `10.60.0.${10 + i}`, 80),
      ...(s.external ? [at('external IP', `198.51.100.${i + 1}`, 80)] : []),
      ...(s.type === 'ClusterIP' ? [] : [at('node port', '172.20.0.11', 30000 + i)]),
      ...(s.type === 'LoadBalancer' ? [at('load balancer', `198.51.100.${101 + i}`, 80)] : []),
    ];
  });
}

function outcomes(mode: 'iptables' | 'ipvs' | 'nftables', specs: Spec[]): Record<string, string> {
  const { sim, from } = world(mode, specs);
  const out: Record<string, string> = {};
  for (const [name, to, port, ready] of targets(specs)) {
    for (const [who, ns] of Object.entries(from)) {
      // The iptables mode refuses a node's own processes at cluster IPs and node ports alone (no KUBE-EXTERNAL-SERVICES in OUTPUT).
      if (who === 'node' && !ready.length && /external|balancer/.test(name)) continue;
      // Without endpoints the IPVS mode keeps a load balancer's source ranges, which the others forget.
      if (name.endsWith('balancer') && !ready.length && specs.some(s => s.ranges.length)) continue;
      const got = run(sim, ask(ns, to, port));
      // Which of several answers is the dice's.
      out[`${who} -> ${name}`] = ready.includes(got) ? (ready.length === 1 ? got : 'answered') : got;
    }
  }
  return out;
}

const anySpec: fc.Arbitrary<Spec> = fc.record({
  type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'),
  endpoints: fc.subarray(PODS),
  ready: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  external: fc.boolean(),
  externalLocal: fc.boolean(),
  affinity: fc.boolean(),
  ranges: fc.subarray(['203.0.113.0/24', '172.20.0.0/24', '10.50.0.0/16']),
});

it('any Services: who is answered, who is refused and who hears nothing', () => {
  fc.assert(
    fc.property(fc.array(anySpec, { minLength: 1, maxLength: 2 }), specs => {
      const iptables = outcomes('iptables', specs);
      expect(outcomes('nftables', specs)).toEqual(iptables);
      expect(outcomes('ipvs', specs)).toEqual(iptables);
    }),
    { numRuns: 12, seed: 5 },
  );
});

const plain: Spec = { type: 'ClusterIP', endpoints: PODS, ready: [], external: false, externalLocal: false, affinity: false, ranges: [] };

it.each(SCHEDULERS)('scheduler %s finds a destination for each connection', scheduler => {
  const { sim, from } = world('ipvs', [plain], scheduler);
  const got = Array.from({ length: 6 }, () => run(sim, ask(from.pod, '10.60.0.10', 80)));
  if (scheduler === 'ovf') return void expect(got.every(g => PODS.includes(g) || g === 'refused')).toBe(true);
  expect(got.every(g => PODS.includes(g))).toBe(true);
  // By turns, or always the same one for the same client.
  const different = new Set(got).size;
  if (scheduler === 'rr' || scheduler === 'wrr') expect([different, new Set(got.slice(0, 3)).size]).toEqual([3, 3]);
  if (['sh', 'dh', 'mh', 'fo'].includes(scheduler)) expect(different).toBe(1);
});

it('ClientIP affinity keeps a client at its destination', () => {
  const { sim, from } = world('ipvs', [{ ...plain, affinity: true }]);
  expect(new Set(Array.from({ length: 5 }, () => run(sim, ask(from.pod, '10.60.0.10', 80)))).size).toBe(1);
});
