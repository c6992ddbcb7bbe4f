import { describe, expect, it } from 'vitest';
import { deleteObject, patchObject } from '../../src/apiserver/client.ts';
import { putObject } from '../../src/apiserver/put.ts';
import { asideOf, bucketOf, getObject, keyOf, listObjects, newApiServer } from '../../src/apiserver/store.ts';
import type { ExecSession, KubeObject } from '../../src/apiserver/types.ts';
import { nodeDueMs, podDueMs } from '../../src/kubelet/due.ts';
import { snapshotKubelet } from '../../src/kubelet/kubelet.ts';
import { execInPod, podLogs } from '../../src/kubelet/proxy.ts';
import { kill } from '../../src/linux/process.ts';
import { bytesToString } from '../../src/sim/bytes.ts';
import type { Pipe } from '../../src/sim/pipe.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';
import { rfc3339 } from '../../src/sim/time.ts';
import { apply, events, getPod, newCluster, pod, run, type TestCluster } from './cluster.ts';

const state = (c: TestCluster, name: string) => getPod(c, name)?.status.containerStatuses[0].state;
const condition = (c: TestCluster, name: string, type: string) => getPod(c, name)?.status.conditions.find((x: any) => x.type === type);
const kubeletOf = (c: TestCluster, name: string) => c.kubelets.find(k => k.nodeName === getPod(c, name)?.spec.nodeName)!;
const text = (pipe: Pipe) => pipe.chunks.map(bytesToString).join('');

function log(c: TestCluster, name: string, o: { previous?: boolean; timestamps?: boolean; tailLines?: number } = {}): string {
  const r = podLogs(kubeletOf(c, name), getPod(c, name) as KubeObject, 'c', { follow: false, previous: false, timestamps: false, ...o });
  return 'kind' in r ? (r.message ?? '') : text(r);
}

describe('a pod', () => {
  it('runs, and tells so as the kubelet does', () => {
    const c = newCluster();
    apply(c, pod('web'));
    run(c);
    expect(getPod(c, 'web')?.status).toMatchObject({
      phase: 'Running',
      hostIP: '192.168.1.10',
      podIP: '10.244.1.2',
      qosClass: 'BestEffort',
    });
    expect(getPod(c, 'web')?.status.conditions.map((x: any) => `${x.type}=${x.status}`)).toEqual([
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'Ready=True',
      'ContainersReady=True',
      'PodScheduled=True',
    ]);
    expect(events(c, 'web')).toEqual([
      'Normal Scheduled Successfully assigned default/web to node-1',
      'Normal Pulled Container image "box:1" already present on machine and can be accessed by the pod',
      'Normal Created Container created',
      'Normal Started Container started',
    ]);
  });

  it('ends, well or not, and keeps its log', () => {
    const c = newCluster();
    apply(c, pod('good', { command: ['echo', 'hello'] }, { restartPolicy: 'Never' }));
    apply(c, pod('bad', { command: ['fail', '4'] }, { restartPolicy: 'Never' }));
    run(c);
    expect(getPod(c, 'good')?.status.phase).toBe('Succeeded');
    expect(condition(c, 'good', 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' });
    expect(log(c, 'good')).toBe('hello\n');
    expect(getPod(c, 'bad')?.status.phase).toBe('Failed');
    expect(state(c, 'bad').terminated).toMatchObject({ exitCode: 4, reason: 'Error' });
  });

  it('says what runc says of a command that is not there', () => {
    const c = newCluster();
    apply(c, pod('path', { command: ['/bin/none'] }, { restartPolicy: 'Never' }));
    apply(c, pod('name', { command: ['none'] }, { restartPolicy: 'Never' }));
    run(c);
    expect(state(c, 'path').terminated).toMatchObject({ exitCode: 128, reason: 'StartError' });
    expect(state(c, 'path').terminated.message).toMatch(/exec: "\/bin\/none": stat \/bin\/none: no such file or directory$/);
    expect(state(c, 'name').terminated.message).toMatch(/exec: "none": executable file not found in \$PATH$/);
  });

  it('backs off 10, 20, 40 seconds when it keeps crashing', () => {
    const c = newCluster();
    apply(c, pod('crash', { command: ['fail'] }));
    run(c);
    expect(getPod(c, 'crash')?.status.containerStatuses[0].restartCount).toBe(1);
    expect(state(c, 'crash').waiting.message).toMatch(/^back-off 10s restarting failed container=c pod=crash_default\(/);
    run(c, 75_000);
    expect(getPod(c, 'crash')?.status.containerStatuses[0].restartCount).toBe(4);
    expect(state(c, 'crash').waiting).toMatchObject({ reason: 'CrashLoopBackOff' });
    expect(log(c, 'crash', { previous: true })).toBe('no\n');
  });

  it('waits for an image that no registry has', () => {
    const c = newCluster();
    apply(c, pod('typo', { image: 'nosuch:1' }));
    apply(c, pod('never', { image: 'missing:1', imagePullPolicy: 'Never' }));
    run(c);
    expect(state(c, 'typo').waiting.reason).toBe('ImagePullBackOff');
    expect(log(c, 'typo')).toBe('container "c" in pod "typo" is waiting to start: trying and failing to pull image');
    expect(events(c, 'typo')).toContain(
      'Warning Failed Failed to pull image "nosuch:1": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nosuch:1": failed to resolve image: docker.io/library/nosuch:1: not found',
    );
    expect(state(c, 'never').waiting.reason).toBe('ErrImageNeverPull');
  });

  it('tells of a pull one sync later, and pulls again when the back-off is over', () => {
    const c = newCluster();
    apply(c, pod('typo', { image: 'nosuch:1' }));
    const seen: string[] = [];
    for (let s = 0; s < 45; s++) {
      run(c, 1000);
      const reason = state(c, 'typo')?.waiting?.reason;
      if (reason && seen.at(-1) !== reason) seen.push(reason);
    }
    expect(seen).toEqual(['ContainerCreating', 'ErrImagePull', 'ImagePullBackOff', 'ErrImagePull', 'ImagePullBackOff']);
    // 10 s, then 20 s: pulled at once, at the second sync after that, and at the second after that.
    const counts = listObjects(c.server, 'events').filter(e => e.involvedObject.name === 'typo' && e.reason !== 'Scheduled');
    expect(counts.map(e => [e.message.slice(0, 12), e.count])).toEqual([
      ['Pulling imag', 3],
      ['Failed to pu', 3],
      ['Error: ErrIm', 3],
      ['Back-off pul', 2],
      ['Error: Image', 2],
    ]);
    expect(log(c, 'typo')).toBe('container "c" in pod "typo" is waiting to start: trying and failing to pull image');
  });

  it('waits for the objects that its volumes and variables name, and starts when they come', () => {
    const c = newCluster();
    apply(c, pod('vol', { volumeMounts: [{ name: 'v', mountPath: '/conf' }] }, { volumes: [{ name: 'v', configMap: { name: 'conf' } }] }));
    apply(c, pod('env', { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } }] }));
    run(c);
    expect(events(c, 'vol')).toContain('Warning FailedMount MountVolume.SetUp failed for volume "v" : configmap "conf" not found');
    expect(state(c, 'env').waiting).toEqual({ reason: 'CreateContainerConfigError', message: 'configmap "conf" not found' });
    apply(c, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf', namespace: 'default' }, data: { a: 'x' } });
    run(c, 60_000);
    expect(getPod(c, 'vol')?.status.phase).toBe('Running');
    expect(getPod(c, 'env')?.status.phase).toBe('Running');
  });

  it('starts init containers one by one, sidecars before the rest', () => {
    const c = newCluster();
    const initContainers = [
      { name: 'first', image: 'box:1', command: ['sleep', '3'] },
      { name: 'side', image: 'box:1', command: ['serve', '81'], restartPolicy: 'Always' },
    ];
    apply(c, pod('p', { command: ['echo', 'x'] }, { initContainers, restartPolicy: 'Never' }));
    run(c, 2000);
    expect(getPod(c, 'p')?.status.containerStatuses[0].state.waiting.reason).toBe('PodInitializing');
    expect(condition(c, 'p', 'Initialized')).toMatchObject({ status: 'False', message: 'containers with incomplete status: [first side]' });
    run(c, 60_000);
    expect(getPod(c, 'p')?.status.phase).toBe('Succeeded');
    expect(getPod(c, 'p')?.status.initContainerStatuses[1].state.terminated).toBeDefined();
  });
});

describe('lifecycle hooks', () => {
  it('a container counts when its postStart hook has ended', () => {
    const c = newCluster();
    apply(c, pod('slow', { lifecycle: { postStart: { exec: { command: ['sleep', '4'] } } } }));
    run(c, 3000);
    expect(condition(c, 'slow', 'Ready').status).toBe('False');
    run(c, 4000);
    expect(condition(c, 'slow', 'Ready').status).toBe('True');
  });

  it('a postStart hook that fails ends the container', () => {
    const c = newCluster();
    apply(
      c,
      pod(
        'web',
        { command: ['serve'], lifecycle: { postStart: { exec: { command: ['fail', '7'] } } } },
        { terminationGracePeriodSeconds: 1 },
      ),
    );
    run(c);
    expect(events(c, 'web')).toContain('Warning FailedPostStartHook PostStartHook failed');
    expect(events(c, 'web')).toContain('Normal Killing FailedPostStartHook');
    expect(getPod(c, 'web')?.status.containerStatuses[0].restartCount).toBe(1);
    expect(state(c, 'web').waiting.reason).toBe('CrashLoopBackOff');
  });

  it('the kubelet asks an HTTP hook from the node, whatever the status it answers', () => {
    const c = newCluster();
    const hook = (port: number) => ({ lifecycle: { postStart: { httpGet: { path: '/bad', port } } } });
    apply(c, pod('good', { command: ['serve', '80'], ...hook(80) }));
    apply(c, pod('deaf', { command: ['serve', '80'], ...hook(81) }, { restartPolicy: 'Never' }));
    run(c);
    expect(condition(c, 'good', 'Ready').status).toBe('True');
    expect(events(c, 'deaf')).toContain('Warning FailedPostStartHook PostStartHook failed');
  });

  it('preStop comes before SIGTERM, within the grace, and its failure is told', () => {
    const c = newCluster();
    const stop = (command: string[]) => ({ command: ['serve'], lifecycle: { preStop: { exec: { command } } } });
    apply(c, pod('waits', stop(['sleep', '3'])));
    apply(c, pod('fails', stop(['fail'])));
    apply(c, pod('naps', { command: ['serve'], lifecycle: { preStop: { sleep: { seconds: 6 } } } }));
    run(c);
    for (const name of ['waits', 'fails', 'naps']) deleteObject(c.server, 'pods', 'default', name);
    run(c, 2000);
    expect(['waits', 'fails', 'naps'].map(n => !!getPod(c, n))).toEqual([true, false, true]);
    expect(events(c, 'fails')).toContain('Warning FailedPreStopHook PreStopHook failed');
    run(c, 2000);
    expect(['waits', 'naps'].map(n => !!getPod(c, n))).toEqual([false, true]);
    run(c, 3000);
    expect(getPod(c, 'naps')).toBeUndefined();
  });
});

describe('probes', () => {
  it('readiness follows real answers over the network', () => {
    const c = newCluster();
    const probe = (path: string, port: number) => ({ httpGet: { path, port }, periodSeconds: 2, failureThreshold: 2 });
    apply(c, pod('good', { command: ['serve', '80'], readinessProbe: probe('/', 80) }));
    apply(c, pod('bad', { command: ['serve', '80'], readinessProbe: probe('/bad', 80) }));
    apply(c, pod('deaf', { command: ['serve', '80'], readinessProbe: probe('/', 8080) }));
    run(c);
    expect(condition(c, 'good', 'Ready').status).toBe('True');
    expect(condition(c, 'bad', 'Ready')).toMatchObject({ status: 'False', message: 'containers with unready status: [c]' });
    expect(events(c, 'bad')).toContain('Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 500');
    const ip = getPod(c, 'deaf')?.status.podIP;
    expect(events(c, 'deaf')).toContain(
      `Warning Unhealthy Readiness probe failed: Get "http://${ip}:8080/": dial tcp ${ip}:8080: connect: connection refused`,
    );
  });

  it('a failed liveness probe ends a deaf PID 1 by force, and it is restarted', () => {
    const c = newCluster();
    const livenessProbe = { exec: { command: ['fail'] }, periodSeconds: 2, failureThreshold: 2 };
    apply(c, pod('mortal', { livenessProbe }, { terminationGracePeriodSeconds: 1 }));
    run(c, 7000); // the least grace that a container gets is two seconds
    const s = getPod(c, 'mortal')?.status.containerStatuses[0];
    expect(s.restartCount).toBe(1);
    expect(s.lastState.terminated.exitCode).toBe(137);
    expect(events(c, 'mortal')).toContain('Normal Killing Container c failed liveness probe, will be restarted');
  });
});

describe('deletion', () => {
  it('takes the grace that PID 1 makes necessary, then the object goes', () => {
    const c = newCluster();
    apply(c, pod('web', {}, { terminationGracePeriodSeconds: 5 }));
    run(c);
    deleteObject(c.server, 'pods', 'default', 'web');
    run(c, 3000);
    expect(getPod(c, 'web')?.metadata.deletionTimestamp).toBeDefined();
    run(c, 4000);
    expect(getPod(c, 'web')).toBeUndefined();
    expect(events(c, 'web')).toContain('Normal Killing Stopping container c');
    expect([...c.kernels.values()].every(k => k.netns.size === 1 && k.processes.size === 0)).toBe(true);
  });
});

describe('exec', () => {
  const start = (c: TestCluster, argv: string[]) =>
    execInPod(kubeletOf(c, 'web'), getPod(c, 'web') as KubeObject, 'c', argv, { stdin: false, tty: false }) as ExecSession;

  it('runs in the container, with its environment', () => {
    const c = newCluster();
    apply(c, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'my-db', namespace: 'default' },
      spec: { clusterIP: '10.96.7.7', selector: { app: 'db' }, ports: [{ name: 'sql', port: 5432 }] },
    });
    apply(c, pod('web', { env: [{ name: 'WHERE', value: '$(MY_DB_SERVICE_HOST):$(NOT) $$(X)' }] }));
    run(c);
    const s = start(c, ['env']);
    run(c, 10);
    const lines = text(s.stdout).split('\n');
    expect(s.exitCode).toBe(0);
    for (const l of [
      'HOSTNAME=web',
      'WHERE=10.96.7.7:$(NOT) $(X)',
      'MY_DB_SERVICE_PORT_SQL=5432',
      'MY_DB_PORT_5432_TCP=tcp://10.96.7.7:5432',
      'GREETING=hi',
    ]) {
      expect(lines).toContain(l);
    }
  });

  it('fails in the words of runc', () => {
    const c = newCluster();
    apply(c, pod('web'));
    run(c);
    const s = start(c, ['none']) as unknown as { message: string };
    expect(s.message).toMatch(
      /OCI runtime exec failed: exec failed: unable to start container process: exec: "none": executable file not found in \$PATH$/,
    );
  });
});

describe('a reloaded session', () => {
  function reload(c: TestCluster, afterMs: number): TestCluster {
    const saved = Object.fromEntries(c.kubelets.map(k => [k.nodeName, JSON.parse(JSON.stringify(snapshotKubelet(k)))]));
    const objects = new Map([...c.server.store.buckets].map(([b, x]) => [b, JSON.stringify([...x.objects.values()])]));
    const server = newApiServer(newSim(c.server.sim.nowMs + afterMs, newRandom(9)), newRandom(12));
    server.store.load = b => JSON.parse(objects.get(b) ?? '[]');
    server.store.revision = c.server.store.revision;
    return newCluster({ server, saved });
  }

  it('changes nothing but heartbeats, and builds no machine, while nobody looks', () => {
    const c = newCluster();
    apply(c, pod('web'));
    run(c);
    const d = reload(c, 4000);
    expect([...new Set(d.server.store.changes.map(x => x.bucket))]).toEqual(['leases.coordination.k8s.io']);
    expect(d.kernels.size).toBe(0);
  });

  it('goes on with programs and logs as if they had run all the time', () => {
    const c = newCluster();
    apply(c, pod('talk', { command: ['ticker'] }));
    run(c);
    run(c, 3000);
    const before = log(c, 'talk');
    const d = reload(c, 5000);
    const after = log(d, 'talk');
    expect(after.startsWith(before)).toBe(true);
    const lines = after.trimEnd().split('\n');
    expect(lines).toEqual(lines.map((_, i) => `tick ${i}`));
    expect(lines.length).toBeGreaterThanOrEqual(8);
  });

  it('hands programs a changed file when it would have reached them, though nobody looked meanwhile', () => {
    const conf = (word: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf', namespace: 'default' },
      data: { word },
    });
    const c = newCluster();
    apply(c, conf('old'));
    const mounted = { command: ['reader'], volumeMounts: [{ name: 'v', mountPath: '/conf' }] };
    apply(c, pod('reads', mounted, { volumes: [{ name: 'v', configMap: { name: 'conf' } }] }));
    run(c, 3000);
    expect(log(c, 'reads')).toBe('old\n');
    const rested = reload(c, 5000);
    const { metadata } = getObject(rested.server, 'configmaps', 'default', 'conf') as KubeObject;
    // Who wrote it, and when, the API server keeps beside the object.
    const managers = [{ manager: 'm', operation: 'Update', apiVersion: 'v1', time: rfc3339(rested.server.sim.nowMs) }];
    bucketOf(rested.server, asideOf('configmaps')).objects.set(keyOf('default', 'conf'), { kind: 'Managers', metadata, managers } as never);
    putObject(rested.server, { ...conf('new'), metadata });
    expect(log(reload(rested, 20_000), 'reads')).toBe('old\n');
    expect(log(reload(rested, 90_000), 'reads')).toBe('old\nnew\n');
  });

  it('a line that somebody’s request causes is a new one, though the program has begun again', () => {
    let c = newCluster();
    apply(c, pod('server', { command: ['asked'] }));
    run(c);
    const ask = () => {
      // Whoever reads the log of a pod that rests wakes it.
      log(c, 'server');
      const runtime = [...c.kubelets.flatMap(k => [...k.pods.values()])].find(r => r.uid === getPod(c, 'server')?.metadata.uid);
      kill(runtime!.containers.get('c')!.process!, 'USR1');
      run(c);
    };
    run(c, 2000);
    ask();
    c = reload(c, 500);
    ask();
    c = reload(c, 500);
    ask();
    expect(log(c, 'server')).toBe('ready\nasked\nasked\nasked\n');
  });

  it('goes on with a pull that failed, not from its start', () => {
    const c = newCluster();
    apply(c, pod('typo', { image: 'nosuch:1' }));
    run(c);
    const pulls = (x: TestCluster) => listObjects(x.server, 'events').find(e => e.reason === 'Pulling')?.count;
    expect(pulls(c)).toBe(2);
    const d = reload(c, 1000);
    run(d, 3000);
    expect(pulls(d)).toBe(2);
    expect(state(d, 'typo').waiting.reason).toBe('ImagePullBackOff');
    run(d, 30_000);
    expect(pulls(d)).toBe(3);
  });

  it('starts an ephemeral container that was asked for in its last moment', () => {
    const c = newCluster();
    apply(c, pod('web'));
    run(c);
    const more = { spec: { ephemeralContainers: [{ name: 'look', image: 'box:1', command: ['sleep', '9'] }] } };
    patchObject(c.server, 'pods', 'default', 'web', 'strategic', more, 'ephemeralcontainers');
    const d = reload(c, 1000);
    run(d);
    expect(getPod(d, 'web')?.status.ephemeralContainerStatuses[0].state.running).toBeDefined();
    expect(events(d, 'web').slice(-1)).toEqual(['Normal Started Container started']);
  });

  it('comes back in time for what a program will do by itself', () => {
    const c = newCluster();
    apply(c, pod('short', { command: ['sleep', '20'] }));
    apply(c, pod('server', { command: ['serve'] }));
    apply(c, pod('loop', { command: ['ticker'] }));
    run(c, 15_000);
    const at = (name: string) => podDueMs(kubeletOf(c, name), kubeletOf(c, name).pods.get(getPod(c, name)?.metadata.uid as string)!);
    expect([at('short')! - c.server.sim.nowMs < 6000, at('server'), at('loop')]).toEqual([true, undefined, undefined]);
    // It ended while nobody looked, and was started again.
    const d = reload(c, 8000);
    run(d);
    expect(getPod(d, 'short')?.status.containerStatuses[0]).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 0 } } });
    expect(nodeDueMs(kubeletOf(d, 'short'))).toBeGreaterThan(d.server.sim.nowMs);
  });

  it('does not try again at once what could not be mounted', () => {
    const c = newCluster();
    apply(c, pod('vol', { volumeMounts: [{ name: 'v', mountPath: '/conf' }] }, { volumes: [{ name: 'v', configMap: { name: 'none' } }] }));
    run(c, 20_000);
    const tries = (x: TestCluster) => listObjects(x.server, 'events').find(e => e.reason === 'FailedMount')?.count;
    expect(tries(c)).toBe(6); // after 0.5, 1, 2, 4 and 8 seconds more
    const d = reload(c, 500);
    run(d, 1500);
    expect(tries(d)).toBe(6);
    run(d, 16_000);
    expect(tries(d)).toBe(7);
  });

  it('goes on with a back-off', () => {
    const c = newCluster();
    apply(c, pod('crash', { command: ['fail'] }));
    run(c);
    const d = reload(c, 1000);
    run(d, 15_000);
    expect(getPod(d, 'crash')?.status.containerStatuses[0].restartCount).toBe(2);
  });
});

describe('static pods', () => {
  it('show as mirror pods and come back when they are deleted', () => {
    const etcd = [pod('etcd')];
    const c = newCluster({ nodes: 1, deps: () => ({ staticPods: () => etcd }) });
    run(c);
    const mirror = getPod(c, 'etcd-node-1');
    expect(mirror?.status.phase).toBe('Running');
    expect(mirror?.metadata.annotations?.['kubernetes.io/config.source']).toBe('file');
    deleteObject(c.server, 'pods', 'default', 'etcd-node-1');
    run(c, 40_000);
    expect(getPod(c, 'etcd-node-1')?.metadata.uid).not.toBe(mirror?.metadata.uid);
  });
});

describe('the node', () => {
  it('is NotReady without a CNI, and says why its pods wait', () => {
    const error = 'container runtime network not ready: NetworkReady=false';
    const c = newCluster({ nodes: 1, deps: () => ({ cniError: () => error }) });
    const node = getObject(c.server, 'nodes', '', 'node-1');
    expect(node?.status.conditions.find((x: any) => x.type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'KubeletNotReady',
      message: error,
    });
    expect(node?.spec.taints.map((t: any) => `${t.key}:${t.effect}`)).toEqual([
      'node.kubernetes.io/not-ready:NoSchedule',
      'node.kubernetes.io/not-ready:NoExecute',
    ]);
    apply(c, pod('forced', {}, { nodeName: 'node-1', tolerations: [{ operator: 'Exists' }] }));
    run(c);
    expect(events(c, 'forced')).toEqual([`Warning NetworkNotReady network is not ready: ${error}`]);
  });

  it('keeps its lease', () => {
    const c = newCluster({ nodes: 1 });
    const lease = () => getObject(c.server, 'leases.coordination.k8s.io', 'kube-node-lease', 'node-1')?.spec.renewTime;
    const first = lease();
    run(c, 25_000);
    expect(lease() > first).toBe(true);
    expect(listObjects(c.server, 'nodes')).toHaveLength(1);
  });
});
