import { describe, expect, it } from 'vitest';
import { deleteObject, patchObject } from '../../src/apiserver/client.ts';
import { getObject, listObjects } from '../../src/apiserver/store.ts';
import type { KubeObject } from '../../src/apiserver/types.ts';
import { nextAfter, parseSchedule } from '../../src/controllers/cron-schedule.ts';
import { completedIndexes, parseIndexes } from '../../src/controllers/job-indexes.ts';
import { stopKubelet } from '../../src/kubelet/kubelet.ts';
import { parseRfc3339, rfc3339 } from '../../src/sim/time.ts';
import { apply, events, getPod, newCluster, run, type TestCluster } from '../kubelet/cluster.ts';

const template = (app: string, container: any = {}, spec: any = {}) => ({
  metadata: { labels: { app } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'box:1', command: ['serve', '80'], ...container }], ...spec },
});
const object = (apiVersion: string, kind: string, name: string, spec: any, metadata: any = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'default', ...metadata },
  spec,
});
const deployment = (name: string, spec: any = {}) =>
  object('apps/v1', 'Deployment', name, { replicas: 2, selector: { matchLabels: { app: name } }, template: template(name), ...spec });
const pods = (c: TestCluster, app: string) => listObjects(c.server, 'pods', 'default').filter(p => p.metadata.labels?.app === app);
const get = (c: TestCluster, bucket: string, name: string) => getObject(c.server, bucket, 'default', name);
const patch = (c: TestCluster, bucket: string, name: string, p: unknown) => patchObject(c.server, bucket, 'default', name, 'merge', p);

describe('Deployments', () => {
  it('roll out, by a new ReplicaSet and fewer and fewer of the old', () => {
    const c = newCluster();
    apply(c, deployment('web', { replicas: 4 }));
    run(c);
    expect(get(c, 'deployments.apps', 'web')?.status).toMatchObject({
      replicas: 4,
      readyReplicas: 4,
      availableReplicas: 4,
      updatedReplicas: 4,
    });
    patch(c, 'deployments.apps', 'web', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'box:2', command: ['serve', '80'] }] } } },
    });
    let fewest = 4;
    for (let i = 0; i < 40; i++) {
      run(c, 250);
      fewest = Math.min(fewest, pods(c, 'web').filter(p => !p.metadata.deletionTimestamp && p.status?.phase === 'Running').length);
    }
    expect(fewest).toBe(3);
    expect(pods(c, 'web').map(p => p.spec.containers[0].image)).toEqual(['box:2', 'box:2', 'box:2', 'box:2']);
    const d = get(c, 'deployments.apps', 'web');
    expect(d?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
    const sets = listObjects(c.server, 'replicasets.apps', 'default');
    expect(sets.map(rs => rs.spec.replicas).sort()).toEqual([0, 4]);
    const [first, second] = sets
      .map(rs => rs.metadata.name)
      .sort((a, b) => events(c, 'web').findIndex(e => e.includes(a)) - events(c, 'web').findIndex(e => e.includes(b)));
    expect(events(c, 'web').slice(0, 3)).toEqual([
      `Normal ScalingReplicaSet Scaled up replica set ${first} from 0 to 4`,
      `Normal ScalingReplicaSet Scaled up replica set ${second} from 0 to 1`,
      `Normal ScalingReplicaSet Scaled down replica set ${first} from 4 to 3`,
    ]);
    expect(first).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{6,10}$/);
  });

  it('go back to a template they had, under a new revision of the same ReplicaSet', () => {
    const c = newCluster();
    apply(c, deployment('web'));
    run(c);
    const image = (i: string) =>
      patch(c, 'deployments.apps', 'web', {
        spec: { template: { spec: { containers: [{ name: 'c', image: i, command: ['serve', '80'] }] } } },
      });
    image('box:2');
    run(c);
    image('box:1');
    run(c);
    const sets = listObjects(c.server, 'replicasets.apps', 'default');
    expect(sets).toHaveLength(2);
    const current = sets.find(rs => rs.spec.replicas === 2);
    expect(current?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
  });

  it('Recreate has none before it has the new ones; a stuck one says so', () => {
    const c = newCluster();
    apply(c, deployment('web', { strategy: { type: 'Recreate' }, progressDeadlineSeconds: 60 }));
    run(c);
    patch(c, 'deployments.apps', 'web', { spec: { template: { spec: { containers: [{ name: 'c', image: 'missing:1' }] } } } });
    run(c, 80_000);
    expect(pods(c, 'web').every(p => p.spec.containers[0].image === 'missing:1')).toBe(true);
    const progressing = get(c, 'deployments.apps', 'web')?.status.conditions.find((x: any) => x.type === 'Progressing');
    expect(progressing).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
  });

  it('scale, replace what is deleted, and take everything with them', () => {
    const c = newCluster();
    apply(c, deployment('web'));
    run(c);
    patch(c, 'deployments.apps', 'web', { spec: { replicas: 3 } });
    run(c);
    const [one] = pods(c, 'web');
    deleteObject(c.server, 'pods', 'default', one.metadata.name);
    run(c);
    expect(pods(c, 'web')).toHaveLength(3);
    deleteObject(c.server, 'deployments.apps', 'default', 'web', { propagationPolicy: 'Foreground' });
    run(c);
    expect(pods(c, 'web')).toHaveLength(0);
    expect(listObjects(c.server, 'replicasets.apps')).toHaveLength(0);
    expect(get(c, 'deployments.apps', 'web')).toBeUndefined();
  });
});

describe('StatefulSets', () => {
  const set = (spec: any = {}) =>
    object('apps/v1', 'StatefulSet', 'db', {
      serviceName: 'db',
      replicas: 3,
      selector: { matchLabels: { app: 'db' } },
      template: template('db'),
      ...spec,
    });

  it('start in order, update from the end, and stop at the partition', () => {
    const c = newCluster();
    apply(c, set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } }));
    run(c);
    expect(events(c, 'db').map(e => e.replace(/ in .*/, ''))).toEqual(
      ['db-0', 'db-1', 'db-2'].map(n => `Normal SuccessfulCreate create Pod ${n}`),
    );
    expect(getPod(c, 'db-1')).toMatchObject({
      spec: { hostname: 'db-1', subdomain: 'db' },
      metadata: { labels: { 'apps.kubernetes.io/pod-index': '1' } },
    });
    patch(c, 'statefulsets.apps', 'db', {
      spec: { template: { spec: { containers: [{ name: 'c', image: 'box:2', command: ['serve', '80'] }] } } },
    });
    run(c);
    expect(['db-0', 'db-1', 'db-2'].map(n => getPod(c, n)?.spec.containers[0].image)).toEqual(['box:1', 'box:2', 'box:2']);
    expect(
      events(c, 'db')
        .filter(e => e.includes('delete'))
        .map(e => e.replace(/ in .*/, '')),
    ).toEqual(['Normal SuccessfulDelete delete Pod db-2', 'Normal SuccessfulDelete delete Pod db-1']);
  });

  it('scale down from the end', () => {
    const c = newCluster();
    apply(c, set());
    run(c);
    patch(c, 'statefulsets.apps', 'db', { spec: { replicas: 1 } });
    run(c);
    expect(pods(c, 'db').map(p => p.metadata.name)).toEqual(['db-0']);
    expect(get(c, 'statefulsets.apps', 'db')?.status).toMatchObject({ replicas: 1, readyReplicas: 1 });
  });
});

describe('DaemonSets', () => {
  it('have one pod a node, where taints and selectors let them', () => {
    const c = newCluster({
      nodes: 3,
      deps: n =>
        n === 'node-3' ? { node: { addresses: ['192.168.1.30'], podCIDRs: [], taints: [{ key: 'x', effect: 'NoSchedule' }] } } : {},
    });
    apply(c, object('apps/v1', 'DaemonSet', 'agent', { selector: { matchLabels: { app: 'agent' } }, template: template('agent') }));
    run(c);
    expect(
      pods(c, 'agent')
        .map(p => p.spec.nodeName)
        .sort(),
    ).toEqual(['node-1', 'node-2']);
    patch(c, 'daemonsets.apps', 'agent', { spec: { template: { spec: { tolerations: [{ key: 'x', operator: 'Exists' }] } } } });
    run(c);
    expect(
      pods(c, 'agent')
        .map(p => p.spec.nodeName)
        .sort(),
    ).toEqual(['node-1', 'node-2', 'node-3']);
    expect(get(c, 'daemonsets.apps', 'agent')?.status).toMatchObject({
      desiredNumberScheduled: 3,
      numberReady: 3,
      updatedNumberScheduled: 3,
    });
    expect(
      listObjects(c.server, 'controllerrevisions.apps')
        .map(r => r.revision)
        .sort(),
    ).toEqual([1, 2]);
  });
});

describe('Jobs', () => {
  const job = (name: string, command: string[], spec: any = {}) =>
    object('batch/v1', 'Job', name, {
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'box:1', command }] } },
      ...spec,
    });

  it('complete, with no more at a time than wanted', () => {
    const c = newCluster();
    apply(c, job('count', ['echo', 'x'], { completions: 3, parallelism: 2 }));
    run(c);
    const status = get(c, 'jobs.batch', 'count')?.status;
    expect(status).toMatchObject({ succeeded: 3, ready: 0 });
    expect(status.conditions.map((x: any) => x.type)).toEqual(['SuccessCriteriaMet', 'Complete']);
    expect(listObjects(c.server, 'pods').some(p => p.metadata.finalizers?.length)).toBe(false);
    deleteObject(c.server, 'jobs.batch', 'default', 'count', { propagationPolicy: 'Background' });
    run(c);
    expect(listObjects(c.server, 'pods')).toHaveLength(0);
  });

  it('fail when the limit is reached, ten seconds between the tries', () => {
    const c = newCluster();
    apply(c, job('fails', ['fail'], { backoffLimit: 1 }));
    run(c);
    expect(get(c, 'jobs.batch', 'fails')?.status).toMatchObject({ failed: 2 });
    expect(events(c, 'fails').at(-1)).toBe('Warning BackoffLimitExceeded Job has reached the specified backoff limit');
    const [a, b] = listObjects(c.server, 'pods')
      .map(p => parseRfc3339(p.metadata.creationTimestamp as string) as number)
      .sort();
    expect(b - a).toBeGreaterThanOrEqual(10_000);
  });

  it('with OnFailure count restarts, and end when their pod has ended for good', () => {
    const c = newCluster();
    const spec = { restartPolicy: 'OnFailure', containers: [{ name: 'c', image: 'box:1', command: ['fail'] }] };
    apply(c, job('again', [], { backoffLimit: 2, template: { spec } }));
    run(c, 60_000);
    expect(get(c, 'jobs.batch', 'again')?.status).toMatchObject({ failed: 1 });
    expect(events(c, 'again').at(-1)).toBe('Warning BackoffLimitExceeded Job has reached the specified backoff limit');
    expect(listObjects(c.server, 'pods')).toHaveLength(0);
  });

  it('with a limit for each index fail when all have ended and one has failed', () => {
    const c = newCluster();
    const spec = { completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 };
    apply(c, job('each', ['fail'], spec));
    run(c, 40_000);
    const status = get(c, 'jobs.batch', 'each')?.status;
    expect(status).toMatchObject({ failed: 4, failedIndexes: '0,1' });
    expect(status.conditions.map((x: any) => `${x.type} ${x.reason}`)).toEqual(['FailureTarget FailedIndexes', 'Failed FailedIndexes']);
    expect(
      listObjects(c.server, 'pods')
        .map(p => p.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'])
        .sort(),
    ).toEqual(['0', '0', '1', '1']);
  });

  it('obey the first rule of their failure policy that matches', () => {
    const c = newCluster();
    const rules = (action: string) => ({ rules: [{ action, onExitCodes: { operator: 'In', values: [7] } }] });
    apply(c, job('stops', ['fail', '7'], { podFailurePolicy: rules('FailJob') }));
    apply(c, job('ignores', ['fail', '7'], { podFailurePolicy: rules('Ignore'), backoffLimit: 0 }));
    run(c, 40_000);
    expect(get(c, 'jobs.batch', 'stops')?.status.conditions.at(-1)).toMatchObject({
      type: 'Failed',
      reason: 'PodFailurePolicy',
      message: expect.stringMatching(/^Container c for pod default\/stops-\w{5} failed with exit code 7 matching FailJob rule at index 0$/),
    });
    const ignores = get(c, 'jobs.batch', 'ignores')?.status;
    expect(ignores.failed).toBeUndefined();
    expect(ignores.conditions).toBeUndefined();
  });

  it('count by index', () => {
    const c = newCluster();
    apply(c, job('idx', ['echo', 'x'], { completions: 4, parallelism: 4, completionMode: 'Indexed' }));
    run(c);
    expect(get(c, 'jobs.batch', 'idx')?.status).toMatchObject({ succeeded: 4, completedIndexes: '0-3' });
    expect(completedIndexes(parseIndexes('0-1,3,5-7'))).toBe('0,1,3,5-7');
  });
});

describe('CronJobs', () => {
  it('read schedules as cron does', () => {
    const at = (schedule: string, from: string) => rfc3339(nextAfter(parseSchedule(schedule)!, parseRfc3339(from)!)!);
    expect(at('*/15 * * * *', '2026-03-01T10:07:30Z')).toBe('2026-03-01T10:15:00Z');
    expect(at('0 0 13 * fri', '2026-03-01T00:00:00Z')).toBe('2026-03-06T00:00:00Z');
    expect(at('@monthly', '2026-12-02T00:00:00Z')).toBe('2027-01-01T00:00:00Z');
    expect(parseSchedule('61 * * * *')).toBeNull();
  });

  it('make a Job at each time', () => {
    const c = newCluster();
    apply(
      c,
      object('batch/v1', 'CronJob', 'tick', {
        schedule: '* * * * *',
        jobTemplate: {
          spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'box:1', command: ['echo', 'x'] }] } } },
        },
      }),
    );
    run(c, 150_000);
    expect(listObjects(c.server, 'jobs.batch')).toHaveLength(2);
    expect(get(c, 'cronjobs.batch', 'tick')?.status.lastSuccessfulTime).toBeDefined();
  });
});

describe('nodes', () => {
  it('whose kubelet is silent become NotReady, and their pods move', () => {
    const c = newCluster();
    const tolerations = [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }];
    apply(c, deployment('web', { replicas: 2, template: template('web', {}, { tolerations }) }));
    run(c);
    expect(
      pods(c, 'web')
        .map(p => p.spec.nodeName)
        .sort(),
    ).toEqual(['node-1', 'node-2']);
    stopKubelet(c.kubelets[1]);
    run(c, 75_000);
    const node = getObject(c.server, 'nodes', '', 'node-2');
    expect(node?.status.conditions.find((x: any) => x.type === 'Ready')).toMatchObject({
      status: 'Unknown',
      message: 'Kubelet stopped posting node status.',
    });
    expect(node?.spec.taints.map((t: any) => t.effect).sort()).toEqual(['NoExecute', 'NoSchedule']);
    expect(
      pods(c, 'web')
        .filter(p => !p.metadata.deletionTimestamp)
        .map(p => p.spec.nodeName),
    ).toEqual(['node-1', 'node-1']);
    expect(pods(c, 'web').find(p => p.metadata.deletionTimestamp)?.spec.nodeName).toBe('node-2');
  });
});

describe('the rest', () => {
  it('namespaces have an account and the CA, and go with all that is in them', () => {
    const c = newCluster();
    apply(c, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    run(c);
    expect(getObject(c.server, 'serviceaccounts', 'shop', 'default')).toBeDefined();
    expect(getObject(c.server, 'configmaps', 'shop', 'kube-root-ca.crt')?.data).toEqual({ 'ca.crt': 'PEM' });
    apply(c, { ...deployment('web'), metadata: { name: 'web', namespace: 'shop' } });
    run(c);
    deleteObject(c.server, 'namespaces', '', 'shop');
    run(c, 60_000);
    expect(getObject(c.server, 'namespaces', '', 'shop')).toBeUndefined();
    expect(listObjects(c.server, 'pods', 'shop')).toHaveLength(0);
  });

  it('load balancers get addresses of the pool until there are none', () => {
    const c = newCluster();
    for (const name of ['a', 'b', 'c'])
      apply(c, object('v1', 'Service', name, { type: 'LoadBalancer', selector: { app: name }, ports: [{ port: 80 }] }));
    run(c);
    const ip = (name: string) => get(c, 'services', name)?.status.loadBalancer?.ingress?.[0]?.ip;
    expect(new Set([ip('a'), ip('b'), ip('c')])).toEqual(new Set(['192.168.1.240', '192.168.1.241', undefined]));
    deleteObject(c.server, 'services', 'default', 'a');
    run(c, 20_000);
    expect(get(c, 'services', 'a')).toBeUndefined();
    expect(ip('b') && ip('c')).toBeTruthy();
  });

  it('budgets count', () => {
    const c = newCluster();
    apply(c, deployment('web', { replicas: 3 }));
    apply(c, object('policy/v1', 'PodDisruptionBudget', 'b', { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } }));
    run(c);
    expect(get(c, 'poddisruptionbudgets.policy', 'b')?.status).toMatchObject({
      currentHealthy: 3,
      desiredHealthy: 2,
      disruptionsAllowed: 1,
      expectedPods: 3,
    });
  });

  it('orphans stay, foreground waits', () => {
    const c = newCluster();
    apply(c, deployment('web'));
    run(c);
    deleteObject(c.server, 'deployments.apps', 'default', 'web', { propagationPolicy: 'Orphan' });
    run(c);
    const [rs] = listObjects(c.server, 'replicasets.apps');
    expect(rs.metadata.ownerReferences).toBeUndefined();
    expect(pods(c, 'web')).toHaveLength(2);
  });
});
