// A whole cluster in memory for tests: kubectl, commands on nodes and outside, the engine itself.

import { bornCluster } from '../../src/cli/create.ts';
import { apiDown, connectionFor, defaultKubeconfig, loadApi, loadEngine } from '../../src/cli/machine.ts';
import { type ClusterConfig, clusterConfig } from '../../src/cluster/config.ts';
import { externalPlace, nodePlace, type Place, runAt } from '../../src/cluster/exec.ts';
import type { Engine } from '../../src/cluster/types.ts';
import type { KubectlHost } from '../../src/kubectl/host.ts';
import { kubectl, loadAllVerbs } from '../../src/kubectl/main.ts';
import { bytesToString, concat } from '../../src/sim/bytes.ts';
import { newPipe, pipeOf } from '../../src/sim/pipe.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, runUntil, type Sim, settle } from '../../src/sim/sim.ts';
import { type Co, startTask } from '../../src/sim/task.ts';

export interface Result {
  out: string;
  err: string;
  code: number;
}

export interface TestCluster {
  sim: Sim;
  engine: Engine;
  /** `stdin`: what `-f -` and `-i` read. */
  kubectl: (argv: string | string[], stdin?: string) => Result;
  /** One after another, each at rest before the next; fails the test when one fails. */
  must: (argv: string | string[], stdin?: string) => string;
  apply: (...objects: object[]) => void;
  node: (name: string, argv: string | string[]) => Result;
  external: (argv: string | string[], address?: string) => Result;
  exec: (pod: string, argv: string | string[]) => Result;
  rest: () => void;
}

export const T0 = Date.UTC(2026, 0, 1, 12, 0, 0);

export async function testCluster(config: ClusterConfig = clusterConfig(), seed = 1): Promise<TestCluster> {
  await loadAllVerbs();
  await loadApi();
  await loadEngine();
  const sim = newSim(T0, newRandom(seed));
  const handle = bornCluster(sim, config);
  const engine = handle.engine as Engine;
  const kubeconfig = defaultKubeconfig(config);
  const files = new Map<string, Uint8Array>();

  const collect = (
    make: (io: { stdin: ReturnType<typeof pipeOf>; stdout: ReturnType<typeof newPipe>; stderr: ReturnType<typeof newPipe> }) => Co<number>,
    stdin = '',
  ): Result => {
    const [out, err]: [Uint8Array[], Uint8Array[]] = [[], []];
    const io = { stdin: pipeOf(stdin), stdout: newPipe({ sink: c => out.push(c) }), stderr: newPipe({ sink: c => err.push(c) }) };
    const task = startTask(sim, make(io));
    runUntil(sim, () => task.done, sim.nowMs + 900_000);
    if (!task.done) throw new Error('the command never ended');
    return {
      out: bytesToString(concat([new Uint8Array(0), ...out])),
      err: bytesToString(concat([new Uint8Array(0), ...err])),
      code: task.result as number,
    };
  };
  const words = (argv: string | string[]) => (typeof argv === 'string' ? argv.split(/\s+/) : argv);
  const rest = () => void settle(sim, 30_000);
  const run = (argv: string | string[], stdin = ''): Result => {
    rest();
    return collect(io => {
      const host: KubectlHost = {
        sim,
        ...io,
        connect: c => (c.name === handle.name && !apiDown(handle) ? connectionFor(handle.server) : null),
        kubeconfig: { path: '/config', load: () => kubeconfig, save: () => {} },
        env: {},
        cwd: '/',
        readFile: path => files.get(path) ?? 'ENOENT',
        writeFile: (path, data) => {
          files.set(path, data);
          return null;
        },
        makeDir: () => null,
        removeFile: path => (files.delete(path) ? null : 'ENOENT'),
        stat: path => (files.has(path) ? { directory: false, mode: 0o644, size: files.get(path)!.length, mtimeMs: 0 } : 'ENOENT'),
        listDir: () => 'ENOENT',
      };
      return kubectl(words(argv), host);
    }, stdin);
  };
  const must = (argv: string | string[], stdin = '') => {
    const r = run(argv, stdin);
    if (r.code !== 0) throw new Error(`kubectl ${words(argv).join(' ')}: exit ${r.code}\n${r.err}${r.out}`);
    return r.out;
  };
  const at = (place: Place, argv: string | string[]) => {
    rest();
    return collect(io => runAt(place, words(argv), io));
  };
  return {
    sim,
    engine,
    kubectl: run,
    must,
    apply: (...objects) => void must(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })),
    node: (name, argv) => at(nodePlace(engine, name) as Place, argv),
    external: (argv, address) => at(externalPlace(engine, address), argv),
    exec: (pod, argv) => run(['exec', pod, '--', ...words(argv)]),
    rest,
  };
}

/** A pod that serves HTTP on 8080, and one that has tools. */
export const serverPod = (name: string, labels: Record<string, string> = {}, more: { namespace?: string; nodeName?: string } = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels, namespace: more.namespace ?? 'default' },
  spec: {
    nodeName: more.nodeName,
    containers: [
      {
        name: 'c',
        image: 'registry.k8s.io/e2e-test-images/agnhost:2.53',
        args: ['netexec', '--http-port=8080'],
        ports: [{ name: 'http', containerPort: 8080 }],
      },
    ],
  },
});

export const toolPod = (name: string, more: { namespace?: string; nodeName?: string; labels?: Record<string, string> } = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: more.labels ?? {}, namespace: more.namespace ?? 'default' },
  spec: { nodeName: more.nodeName, containers: [{ name: 'c', image: 'nicolaka/netshoot:v0.13', command: ['sleep', 'infinity'] }] },
});

export const service = (name: string, selector: Record<string, string>, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
});
