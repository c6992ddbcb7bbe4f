// kubectl over a real API server, with files in a map.
import { allResources } from '../../src/apiserver/resources.ts';
import { handle, newApiServer, watchRequest } from '../../src/apiserver/server.ts';
import type { ApiServer, KubeletProxy } from '../../src/apiserver/types.ts';
import { errorText, isFailure } from '../../src/kubectl/failure.ts';
import type { DiscoveryCache, Kubeconfig, KubectlHost } from '../../src/kubectl/host.ts';
import { prepareKubectl } from '../../src/kubectl/main.ts';
import { withPreferences } from '../../src/kubectl/preferences.ts';
import { bytesToString, stringToBytes } from '../../src/sim/bytes.ts';
import { newPipe, pipeOf } from '../../src/sim/pipe.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, runUntil, type Sim } from '../../src/sim/sim.ts';
import { startTask } from '../../src/sim/task.ts';

export interface TestCluster {
  sim: Sim;
  server: ApiServer;
  config: Kubeconfig;
  files: Map<string, string>;
  /** What lies at URLs. */
  pages: Map<string, string>;
  env: Record<string, string>;
  discovery: DiscoveryCache;
  program?: KubectlHost['program'];
}

export interface Ran {
  stdout: string;
  stderr: string;
  code: number;
}

export function newCluster(kubelet: KubeletProxy | null = null): TestCluster {
  const sim = newSim(Date.UTC(2026, 10, 21, 14, 0, 0), newRandom(1));
  const server = newApiServer(sim, newRandom(2));
  server.kubelet = kubelet;
  const config: Kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    clusters: [{ name: 'here', cluster: { server: 'https://10.0.0.1:6443' } }],
    users: [{ name: 'admin', user: {} }],
    contexts: [{ name: 'admin@here', context: { cluster: 'here', user: 'admin' } }],
    'current-context': 'admin@here',
  };
  let remembered: ReturnType<DiscoveryCache['load']>;
  const discovery: DiscoveryCache = { load: () => remembered, save: resources => (remembered = resources) };
  const cluster = { discovery, sim, server, config, files: new Map<string, string>(), pages: new Map<string, string>(), env: {} };
  for (const name of ['default', 'kube-system'])
    handle(server, {
      verb: 'create',
      group: '',
      version: 'v1',
      resource: 'namespaces',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    });
  return cluster;
}

function hostOf(c: TestCluster, stdin: string, ran: Ran): KubectlHost {
  const sink = (key: 'stdout' | 'stderr') =>
    newPipe({
      sink: chunk => {
        ran[key] += bytesToString(chunk);
      },
    });
  const directory = (path: string) => [...c.files.keys()].some(f => f.startsWith(`${path}/`));
  return {
    sim: c.sim,
    program: c.program,
    connect: ({ name }) =>
      name !== 'here'
        ? null
        : {
            server: c.server,
            discovery: c.discovery,
            request: req => handle(c.server, req),
            watch: (req, onEvent) => watchRequest(c.server, req, onEvent),
            resources: () => [...allResources(c.server)],
            kubelet: c.server.kubelet,
            version: 'v1.36.3',
          },
    kubeconfig: {
      path: '/home/me/.podnet/config',
      load: () => c.config,
      save: config => {
        c.config = config;
      },
    },
    fetchUrl: url => c.pages.get(url) ?? null,
    stdin: pipeOf(stdin),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: c.env,
    cwd: '/work',
    readFile: path => {
      const text = c.files.get(path);
      return text === undefined ? (directory(path) ? 'EISDIR' : 'ENOENT') : stringToBytes(text);
    },
    writeFile: (path, data) => {
      c.files.set(path, bytesToString(data));
      return null;
    },
    makeDir: () => null,
    removeFile: path => (c.files.delete(path) ? null : 'ENOENT'),
    stat: path => {
      const text = c.files.get(path);
      if (text === undefined && !directory(path)) return 'ENOENT';
      return { directory: text === undefined, mode: 0o644, size: text?.length ?? 0, mtimeMs: 0 };
    },
    listDir: path =>
      [...new Set([...c.files.keys()].filter(f => f.startsWith(`${path}/`)).map(f => f.slice(path.length + 1).split('/')[0]))].sort(),
  };
}

/** Words are split at spaces; 'single quotes' keep them together. */
export async function kubectl(c: TestCluster, line: string, stdin = '', extra: Partial<KubectlHost> = {}): Promise<Ran> {
  const argv = [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(m => m[0].replace(/'/g, ''));
  const ran: Ran = { stdout: '', stderr: '', code: -1 };
  const host = { ...hostOf(c, stdin, ran), ...extra };
  let words: string[];
  try {
    words = await withPreferences(argv, { ...host, warn: text => (ran.stderr += text) });
  } catch (e) {
    if (!isFailure(e)) throw e;
    return { stdout: '', stderr: ran.stderr + errorText(e), code: e.code };
  }
  const task = startTask(c.sim, await prepareKubectl(words, host));
  runUntil(c.sim, () => task.done, c.sim.nowMs + 120_000);
  ran.code = task.result ?? -1;
  return ran;
}

export async function stdout(c: TestCluster, line: string, stdin = ''): Promise<string> {
  const ran = await kubectl(c, line, stdin);
  if (ran.code !== 0) throw new Error(`${line}: ${ran.code}: ${ran.stderr}`);
  return ran.stdout;
}

export const failure = async (c: TestCluster, line: string, stdin = ''): Promise<string> => {
  const ran = await kubectl(c, line, stdin);
  if (ran.code === 0) throw new Error(`${line} did not fail`);
  return ran.stderr;
};
