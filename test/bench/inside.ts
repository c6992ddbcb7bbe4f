// What the simulation costs inside: run.js builds this file and prints its lines.
import { travel } from '../../src/cluster/journey.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { startTask } from '../../src/sim/task.ts';
import { serverPod, service as serviceOf, testCluster, toolPod } from '../cluster/harness.ts';

const line = (what: string, value: string, goal: string) => console.log(`${what.padEnd(34)} ${value.padStart(11)}  ${goal}`);
const cpuMs = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;

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

void tracedConnection();
