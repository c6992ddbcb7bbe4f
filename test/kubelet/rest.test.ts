// Pods whose programs only wait: they run as far as the API can tell, and are built when somebody comes.
import { describe, expect, it } from 'vitest';
import { deleteObject, updateObject } from '../../src/apiserver/client.ts';
import type { KubeObject } from '../../src/apiserver/types.ts';
import { execInPod } from '../../src/kubelet/proxy.ts';
import { wirePods } from '../../src/kubelet/sandbox.ts';
import type { KubeletDeps } from '../../src/kubelet/types.ts';
import { lookAt } from '../../src/linux/due.ts';
import { close, connect, kernelSocket } from '../../src/linux/socket.ts';
import { startTask } from '../../src/sim/task.ts';
import { ip } from '../../src/wire/ip.ts';
import { apply, events, getPod, newCluster, pod, run, type TestCluster } from './cluster.ts';

/** Sandboxes stay unbuilt, and every program may wait. */
const LAZY: Partial<KubeletDeps> = { waits: () => true, unwired: () => {} };
const lazy = (more: Partial<KubeletDeps> = {}) => newCluster({ nodes: 1, deps: () => ({ ...LAZY, ...more }) });

const serve = (name: string, container = {}, spec = {}) => pod(name, { command: ['serve', '80'], ...container }, spec);
const runtime = (c: TestCluster, name: string) => c.kubelets[0].pods.get(getPod(c, name)?.metadata.uid as string)!;
const processOf = (c: TestCluster, name: string) => runtime(c, name).containers.get('c')?.process ?? null;

function dial(c: TestCluster, address: string): string | null {
  const host = c.kernels.get('node-1')!.netns.get('')!;
  const socket = kernelSocket(host, 'tcp', 4);
  const task = startTask(c.server.sim, connect(socket, ip(address), 80, 1000));
  run(c, 1500);
  close(socket);
  return task.result as string | null;
}

describe('a pod whose programs only wait', () => {
  it('says of itself what one that is built says', () => {
    const [there, paper] = [newCluster({ nodes: 1 }), lazy()];
    for (const c of [there, paper]) {
      apply(c, serve('web'));
      run(c);
    }
    expect(getPod(paper, 'web')).toEqual(getPod(there, 'web'));
    expect(events(paper, 'web')).toEqual(events(there, 'web'));
    expect(processOf(there, 'web')).not.toBeNull();
    expect(processOf(paper, 'web')).toBeNull();
    expect(runtime(paper, 'web').netns).toBeNull();
  });

  it('has its devices when the node is looked at, and its process with the first packet', () => {
    const c = lazy();
    apply(c, serve('web'));
    run(c);
    wirePods(c.kubelets[0]);
    const { netns } = runtime(c, 'web');
    expect(netns).not.toBeNull();
    expect(processOf(c, 'web')).toBeNull();
    expect(dial(c, getPod(c, 'web')?.status.podIP)).toBeNull();
    expect(processOf(c, 'web')?.exitCode).toBeNull();
    lookAt(netns!);
    expect(getPod(c, 'web')?.status.containerStatuses[0].restartCount).toBe(0);
  });

  it('is there for whoever runs a command in it', () => {
    const c = lazy();
    apply(c, serve('web'));
    run(c);
    const session = execInPod(c.kubelets[0], getPod(c, 'web') as KubeObject, 'c', ['echo', 'hello'], { stdin: false, tty: false });
    expect(session).toMatchObject({ exitCode: 0 });
    expect(processOf(c, 'web')).not.toBeNull();
  });

  it('runs at once when somebody asks it how it is', () => {
    const c = lazy();
    apply(c, serve('probed', { readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } }));
    apply(c, serve('first', {}, { initContainers: [{ name: 'i', image: 'box:1', command: ['echo', 'x'] }] }));
    run(c);
    for (const name of ['probed', 'first']) expect(processOf(c, name)?.exitCode).toBeNull();
  });

  it('gives its address back when it goes, built or not', () => {
    const gone: string[] = [];
    const c = lazy({ cniDel: p => void gone.push(p.name) });
    apply(c, serve('a'));
    apply(c, serve('b'));
    run(c);
    deleteObject(c.server, 'pods', 'default', 'a', {});
    deleteObject(c.server, 'pods', 'default', 'b', { gracePeriodSeconds: 0 });
    run(c);
    expect(getPod(c, 'a')).toBeUndefined();
    expect(gone.sort()).toEqual(['a', 'b']);
  });

  it('still tells why the CNI refuses it', () => {
    const c = lazy({ cniAdd: () => ({ error: 'no IP addresses available' }) });
    apply(c, serve('web'));
    run(c);
    expect(events(c, 'web').join('\n')).toMatch(
      /FailedCreatePodSandBox .* failed to setup network for sandbox "\w{64}": no IP addresses available/,
    );
    expect(getPod(c, 'web')?.status.phase).toBe('Pending');
  });

  it('is restarted with another image, as a built one is', () => {
    const c = lazy();
    apply(c, serve('web'));
    run(c);
    const old = getPod(c, 'web') as KubeObject;
    updateObject(c.server, { ...old, spec: { ...old.spec, containers: [{ ...old.spec.containers[0], image: 'box:2' }] } });
    run(c, 60_000);
    const [status] = getPod(c, 'web')?.status.containerStatuses ?? [];
    expect(status).toMatchObject({ restartCount: 1, image: 'box:2' });
    expect(status.state.running).toBeDefined();
  });
});
