// A small cluster in memory: API, controllers, scheduler, and kubelets whose pods hang on point-to-point links of their node.
import { createObject } from '../../src/apiserver/client.ts';
import { getObject, listObjects, newApiServer } from '../../src/apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../src/apiserver/types.ts';
import { type Controllers, startControllers } from '../../src/controllers/start.ts';
import { startKubelet } from '../../src/kubelet/kubelet.ts';
import type { ImageConfig, Kubelet, KubeletDeps, KubeletState, PodSandbox } from '../../src/kubelet/types.ts';
import { newKernel } from '../../src/linux/kernel.ts';
import { addAddress, addVeth, setUp } from '../../src/linux/link.ts';
import { complain, print, sleep } from '../../src/linux/process.ts';
import { addRoute } from '../../src/linux/route.ts';
import { accept, bind, close, listen, recv, send, socket } from '../../src/linux/socket.ts';
import { setSysctl } from '../../src/linux/sysctl.ts';
import type { Kernel, Program } from '../../src/linux/types.ts';
import { newFile, newFilesystem, place, readFile } from '../../src/linux/vfs.ts';
import { startScheduler } from '../../src/scheduler/start.ts';
import { bytesToString, stringToBytes } from '../../src/sim/bytes.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, runUntil, settle } from '../../src/sim/sim.ts';
import { waitOn } from '../../src/sim/task.ts';
import { cidr, ip } from '../../src/wire/ip.ts';

const programs: Record<string, Program> = {
  sleep: function* (p) {
    yield* sleep(p, Number(p.argv[1]) * 1000);
    return 0;
  },
  echo: function* (p) {
    print(p, `${p.argv.slice(1).join(' ')}\n`);
    return 0;
  },
  fail: function* (p) {
    complain(p, 'no\n');
    return Number(p.argv[1] ?? 1);
  },
  /** Says a line each second. */
  ticker: function* (p) {
    for (let i = 0; ; i++) {
      print(p, `tick ${i}\n`);
      yield* sleep(p, 1000);
    }
  },
  /** Says what /conf/word is whenever it finds it changed. */
  reader: function* (p) {
    let before = '';
    for (;;) {
      const data = readFile(p.fs, '/conf/word', p);
      const word = typeof data === 'string' ? data : bytesToString(data);
      if (word !== before) print(p, `${word}\n`);
      before = word;
      yield* sleep(p, 1000);
    }
  },
  /** Says a line when it starts, and one each time it is asked. */
  asked: function* (p) {
    print(p, 'ready\n');
    p.onSignal.set('USR1', () => print(p, 'asked\n'));
    for (;;) yield* waitOn(p.kernel.sim, []);
  },
  env: function* (p) {
    for (const [k, v] of p.env) print(p, `${k}=${v}\n`);
    return 0;
  },
  /** An HTTP server: 200 with a body on its port, 500 for /bad. */
  serve: function* (p) {
    const s = socket(p, 'tcp');
    if (typeof s === 'string') return 1;
    bind(s, null, Number(p.argv[1] ?? 80));
    listen(s);
    for (;;) {
      const c = yield* accept(s);
      if (typeof c === 'string') return 2;
      const request = yield* recv(c, 500);
      const bad = typeof request !== 'string' && String.fromCharCode(...request).includes('/bad');
      yield* send(c, stringToBytes(`HTTP/1.1 ${bad ? '500 Oops' : '200 OK'}\r\nContent-Length: 0\r\n\r\n`));
      close(c);
    }
  },
};

const image = (ref: string): ImageConfig | null =>
  /missing|nosuch/.test(ref) ? null : { entrypoint: [], cmd: ['sleep', '100000'], env: { GREETING: 'hi' }, sizeBytes: 1000 };

export interface TestCluster {
  server: ApiServer;
  kubelets: Kubelet[];
  controllers: Controllers;
  kernels: Map<string, Kernel>;
}

export interface TestOptions {
  nodes?: number;
  deps?: (name: string) => Partial<KubeletDeps>;
  saved?: Record<string, KubeletState>;
  server?: ApiServer;
}

export const START_MS = 1_800_000_000_000;

export function newCluster(o: TestOptions = {}): TestCluster {
  const sim = o.server?.sim ?? newSim(START_MS, newRandom(7));
  const server = o.server ?? newApiServer(sim, newRandom(11));
  if (!o.server) {
    for (const name of ['default', 'kube-system', 'kube-node-lease']) {
      createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
  }
  const controllers = startControllers(server, { rootCA: () => 'PEM', loadBalancerPool: ['192.168.1.240-192.168.1.241'] });
  const kernels = new Map<string, Kernel>();
  const kubelets: Kubelet[] = [];
  for (let n = 1; n <= (o.nodes ?? 2); n++) {
    const name = `node-${n}`;
    const nodeIP = `192.168.1.${n}0`;
    let next = 2;
    const kernel = () => {
      let k = kernels.get(name);
      if (!k) {
        kernels.set(name, (k = newKernel(sim, name)));
        const ns = k.netns.get('');
        if (ns) setSysctl(ns, 'net.ipv4.ip_forward', '1');
      }
      return k;
    };
    const plumb = (s: PodSandbox, address: string) => {
      const host = kernel().netns.get('');
      if (!host) return;
      const [a, b] = addVeth({ netns: host, name: `veth${s.id.slice(0, 8)}` }, { netns: s.netns, name: 'eth0' });
      setUp(a, true);
      setUp(b, true);
      addAddress(b, ip(address), 24);
      addAddress(a, ip(`10.244.${n}.1`), 32);
      addRoute(host, { dst: cidr(`${address}/32`), dev: a.ifindex });
    };
    const deps: KubeletDeps = {
      kernel,
      node: { addresses: [nodeIP], podCIDRs: [`10.244.${n}.0/24`] },
      cniAdd: pod => ({ ips: [pod.wantedIPs[0] ?? `10.244.${n}.${next++}`] }),
      cniDel: () => {},
      cniWire: (s, ips) => plumb(s, ips[0]),
      findImage: image,
      buildRootfs: () => {
        const fs = newFilesystem();
        for (const [cmd, program] of Object.entries(programs)) place(fs, `/bin/${cmd}`, { ...newFile('', 0o755), program });
        place(fs, '/etc/passwd', newFile('root:x:0:0:root:/root:/bin/sh\n'));
        return fs;
      },
      clusterDNS: ['10.96.0.10'],
      clusterDomain: 'cluster.local',
      hostResolvConf: () => 'nameserver 192.168.1.1\n',
      saved: o.saved?.[name] ?? null,
      ...o.deps?.(name),
    };
    kubelets.push(startKubelet(server, name, deps));
  }
  startScheduler(server);
  settle(sim, 60_000);
  return { server, kubelets, controllers, kernels };
}

export function apply(c: TestCluster, o: KubeObject): KubeObject {
  const made = createObject(c.server, o);
  if (made.kind === 'Status') throw new Error((made as { message?: string }).message);
  return made as KubeObject;
}

export const pod = (name: string, container: Record<string, unknown> = {}, spec: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec: { containers: [{ name: 'c', image: 'box:1', command: ['sleep', '1000'], ...container }], ...spec },
});

/** Let the cluster come to rest, or pass `ms` of its time. */
export function run(c: TestCluster, ms = 0): void {
  const { sim } = c.server;
  if (ms) runUntil(sim, () => false, sim.nowMs + ms);
  else settle(sim, 30_000);
}

export const getPod = (c: TestCluster, name: string, namespace = 'default'): KubeObject | undefined =>
  getObject(c.server, 'pods', namespace, name);

export const events = (c: TestCluster, name: string): string[] =>
  listObjects(c.server, 'events')
    .filter(e => e.involvedObject.name === name)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(e => `${e.type} ${e.reason} ${e.message}`);
