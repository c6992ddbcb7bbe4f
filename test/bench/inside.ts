// What the simulation costs inside: run.js builds this file and prints its lines.
import { travel } from '../../src/cluster/journey.ts';
import { newKubeProxy } from '../../src/kube-proxy/proxy.ts';
import { lookAt } from '../../src/linux/due.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { startTask } from '../../src/sim/task.ts';
import { serverPod, service as serviceOf, testCluster, toolPod } from '../cluster/harness.ts';
import { fixture, NODE, put, rules, SLICES, service, slice } from '../kube-proxy/cluster.ts';

const line = (what: string, value: string, goal: string) => console.log(`${what.padEnd(34)} ${value.padStart(11)}  ${goal}`);
const cpuMs = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;
const heapMb = () => {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

function nodeRules(services: number, endpoints: number): void {
  const f = fixture();
  const address = (first: number, i: number) => `${first}.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
  for (let i = 0; i < services; i++) {
    const name = `svc-${i}`;
    put(f.server, 'services', service(name, { clusterIP: address(11, i + 1) }));
    const list = Array.from({ length: endpoints }, (_, k) => ({ ip: address(12, i * endpoints + k + 1), node: NODE }));
    put(f.server, SLICES, slice(name, list));
  }
  const [heap, start] = [heapMb(), cpuMs()];
  newKubeProxy(f.server, NODE, f.ns, { clusterCIDR: '12.0.0.0/8' });
  // What is due is written when somebody looks.
  lookAt(f.ns);
  const [ms, mb] = [cpuMs() - start, heapMb() - heap];
  const what = `${services} Services x ${endpoints} endpoints`;
  line(what, `${ms.toFixed(0)} ms`, "CPU time for one node's rules");
  line('', `${mb.toFixed(0)} MB`, `for ${rules(f.ns, /./).length} rules`);
}

async function tracedConnection(): Promise<void> {
  const c = await testCluster();
  c.apply(
    serverPod('web', { app: 'web' }, { nodeName: 'node-2' }),
    toolPod('tool', { nodeName: 'node-1' }),
    serviceOf('web', { app: 'web' }),
  );
  c.must('wait --for=condition=Ready pod --all');
  const host = c.must(['get', 'svc', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
  const port = Number(c.must(['get', 'svc', 'web', '-o', 'jsonpath={.spec.ports[0].port}']));
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    const start = cpuMs();
    const task = startTask(c.sim, travel(c.engine, 'default', 'tool', { host, port, path: null }));
    runUntil(c.sim, () => task.done);
    times.push(cpuMs() - start);
    const journey = task.result;
    if (!journey || typeof journey === 'string' || journey.verdict !== 'connected')
      throw new Error(`no connection: ${JSON.stringify(journey)}`);
  }
  times.sort((a, b) => a - b);
  line('one traced connection', `${times[times.length >> 1].toFixed(2)} ms`, '(goal 1)');
}

void tracedConnection().then(() => nodeRules(10_000, 10));
