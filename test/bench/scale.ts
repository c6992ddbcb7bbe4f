// What large clusters cost: a node's rules for many Services, one change among them, policies of many workloads. run.js builds this file and
// prints its lines.
import { commit, newApiServer } from '../../src/apiserver/store.ts';
import { newKubeProxy } from '../../src/kube-proxy/proxy.ts';
import { lookAt } from '../../src/linux/due.ts';
import type { Link } from '../../src/linux/types.ts';
import { connectivity, eachConnection } from '../../src/netpol/connectivity.ts';
import { writeConnectivity } from '../../src/netpol/connectivity-json.ts';
import { below, newRandom } from '../../src/sim/random.ts';
import { newSim, settle } from '../../src/sim/sim.ts';
import { type Fixture, fixture, NODE, put, SLICES, service, slice } from '../kube-proxy/cluster.ts';
import { pass, tcp } from '../linux/netfilter/world.ts';

const line = (what: string, value: string, note: string) => console.log(`${what.padEnd(34)} ${value.padStart(11)}  ${note}`);
const cpuMs = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;
const heapMb = () => {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

const ENDPOINTS = 10;
const SIZES = [100, 1000, 10_000];
const address = (first: number, i: number) => `${first}.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;

interface Cost {
  ms: number;
  mb: number;
  /** Until the first packet is through. */
  packetMs: number;
  changedMs: number;
}

type Mode = 'iptables' | 'nftables';

/** `endpoints`: how many the Service has; the change of a Service is one endpoint less. */
const backends = (i: number, endpoints: number) =>
  Array.from({ length: endpoints }, (_, k) => ({ ip: address(12, i * ENDPOINTS + k + 1), node: NODE }));

/** The first packet of a connection to a Service's address meets the rules; it has to come to an endpoint. */
function meetRules(f: Fixture, service: number, sport: number): void {
  lookAt(f.ns);
  const eth0 = [...f.ns.links.values()].find(l => l.name === 'eth0') as Link;
  const { packet } = pass(
    { ns: f.ns, inside: eth0, outside: eth0 },
    tcp('172.20.0.9', sport, address(11, service + 1), 80),
    ['PREROUTING'],
    {
      in: eth0,
      out: null,
    },
  );
  if (packet.dst[0] !== 12) throw new Error(`svc-${service}: the packet stays at ${packet.dst.join('.')}`);
}

/** A node's first full sync, and then the median of what one Service's change takes until a packet has met its rules. */
function nodeRules(mode: Mode, services: number): Cost {
  const f: Fixture = fixture();
  for (let i = 0; i < services; i++) {
    put(f.server, 'services', service(`svc-${i}`, { clusterIP: address(11, i + 1) }));
    put(f.server, SLICES, slice(`svc-${i}`, backends(i, ENDPOINTS)));
  }
  const [heap, start] = [heapMb(), cpuMs()];
  newKubeProxy(f.server, NODE, f.ns, { mode, clusterCIDR: '12.0.0.0/8' });
  // What is due is written when somebody looks.
  lookAt(f.ns);
  const cost = { ms: cpuMs() - start, mb: heapMb() - heap, packetMs: 0 };
  const first = cpuMs();
  meetRules(f, 0, 999);
  cost.packetMs = cpuMs() - first;
  const times: number[] = [];
  for (let n = 0; n < 15; n++) {
    settle(f.sim, 5000);
    const i = (n * 37) % services;
    const before = cpuMs();
    put(f.server, SLICES, slice(`svc-${i}`, backends(i, ENDPOINTS - 1 - (n % 2))));
    settle(f.sim, 5000);
    meetRules(f, i, 1000 + n);
    times.push(cpuMs() - before);
  }
  times.sort((a, b) => a - b);
  return { ...cost, changedMs: times[times.length >> 1] };
}

/** Growth between the first and last size: cost ~ size^exponent. */
const exponent = (first: number, last: number): string =>
  (Math.log(Math.max(last, 0.01) / Math.max(first, 0.01)) / Math.log(SIZES[SIZES.length - 1] / SIZES[0])).toFixed(2);

function rulesOfModes(): void {
  for (const mode of ['iptables', 'nftables'] as const) {
    nodeRules(mode, SIZES[0]); // the compiler's first look at it
    const costs = SIZES.map(n => nodeRules(mode, n));
    SIZES.forEach((n, i) => {
      line(
        `${mode}, ${n} Services x ${ENDPOINTS}`,
        `${costs[i].ms.toFixed(0)} ms`,
        `CPU time for one node's rules, ${costs[i].mb.toFixed(0)} MB; its first packet ${costs[i].packetMs.toFixed(1)} ms`,
      );
      line('', `${costs[i].changedMs.toFixed(1)} ms`, `one Service changed, and a packet to it${n === 10_000 ? ' (goal 10)' : ''}`);
    });
    const [a, z] = [costs[0], costs[costs.length - 1]];
    line(
      `${mode}, growth from ${SIZES[0]} to ${SIZES[2]}`,
      exponent(a.ms, z.ms),
      `exponent of the full sync; of one change ${exponent(a.changedMs, z.changedMs)}`,
    );
  }
}

/** Deployments of two pods in ten namespaces, each namespace with policies that name labels, namespaces, networks and ports. */
function policies(workloads: number, count: number): void {
  const server = newApiServer(newSim(0, newRandom(1)), newRandom(1));
  const r = newRandom(11);
  const tiers = ['web', 'api', 'db', 'job', 'cache'];
  for (let n = 0; n < 10; n++)
    commit(server, 'namespaces', `/ns-${n}`, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: `ns-${n}`, labels: { team: `t${n % 3}` } },
    });
  for (let i = 0; i < workloads; i++) {
    const namespace = `ns-${i % 10}`;
    const labels = { app: `app-${i}`, tier: tiers[below(r, tiers.length)] };
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: `app-${i}`, uid: `u${i}`, controller: true };
    commit(server, 'pods', `${namespace}/app-${i}-0`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `app-${i}-0`, namespace, labels, ownerReferences: [owner] },
      spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 8080 }] }] },
      status: { phase: 'Running', podIP: address(10, i + 1), podIPs: [{ ip: address(10, i + 1) }] },
    });
  }
  for (let i = 0; i < count; i++) {
    const namespace = `ns-${i % 10}`;
    const from = [
      { podSelector: { matchLabels: { tier: tiers[below(r, 5)] } } },
      { namespaceSelector: { matchLabels: { team: `t${below(r, 3)}` } } },
      { ipBlock: { cidr: `172.${below(r, 4)}.0.0/16`, except: ['172.3.4.0/24'] } },
    ];
    const ports = [{ port: 8000 + below(r, 100) }, { port: 'http' }, { port: 9000, endPort: 9000 + below(r, 500) }];
    commit(server, 'networkpolicies.networking.k8s.io', `${namespace}/np-${i}`, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: `np-${i}`, namespace },
      spec: {
        podSelector: { matchLabels: { tier: tiers[below(r, 5)] } },
        policyTypes: i % 3 ? ['Ingress'] : ['Ingress', 'Egress'],
        ingress: [{ from: from.slice(below(r, 3)), ports: ports.slice(below(r, 3)) }],
        ...(i % 3 ? {} : { egress: [{ to: from.slice(0, 2) }] }),
      },
    });
  }
  const start = cpuMs();
  let [connections, bytes] = [0, 0];
  const report = connectivity(server);
  eachConnection(report, () => connections++);
  const found = cpuMs();
  writeConnectivity(report, piece => {
    bytes += piece.length;
  });
  line(
    `connectivity, ${workloads} workloads`,
    `${((found - start) / 1000).toFixed(2)} s`,
    `${count} policies, ${connections} connections (goal 2); as ${(bytes / 1e6).toFixed(0)} MB of JSON ${((cpuMs() - start) / 1000).toFixed(2)} s`,
  );
}

rulesOfModes();
policies(1000, 200);
