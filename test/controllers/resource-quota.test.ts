import { describe, expect, it } from 'vitest';
import { createObject, deleteObject, updateObject } from '../../src/apiserver/client.ts';
import { newApiServer } from '../../src/apiserver/server.ts';
import { getObject } from '../../src/apiserver/store.ts';
import type { KubeObject } from '../../src/apiserver/types.ts';
import { startControllers } from '../../src/controllers/start.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, settle as rest } from '../../src/sim/sim.ts';

function fresh() {
  const sim = newSim(1_800_000_000_000, newRandom(1));
  const server = newApiServer(sim, newRandom(2));
  startControllers(server);
  createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  rest(sim, 30_000);
  const create = (o: any): any => createObject(server, { ...o, metadata: { namespace: 'shop', ...o.metadata } });
  const settle = () => rest(sim, 30_000);
  const used = (name: string) => getObject(server, 'resourcequotas', 'shop', name)?.status?.used;
  return { server, create, settle, used };
}

const quota = (name: string, hard: object, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name },
  spec: { hard, ...more },
});
const pod = (name: string, resources: object | undefined, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'app', image: 'nginx', ...(resources && { resources }) }], ...spec },
});
const service = (name: string, type: string, ports = 1) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { type, ports: Array.from({ length: ports }, (_, i) => ({ name: `p${i}`, port: 80 + i })) },
});

describe('ResourceQuota', () => {
  it('is counted by the controller and refuses what does not fit', () => {
    const { create, settle, used } = fresh();
    create(quota('few', { pods: '2', 'requests.memory': '1Gi' }));
    settle();
    expect(used('few')).toEqual({ pods: '0', 'requests.memory': '0' });
    create(pod('a', { requests: { memory: '768Mi' } }));
    expect(used('few')).toEqual({ pods: '1', 'requests.memory': '768Mi' });
    expect(create(pod('b', { requests: { memory: '512Mi' } })).message).toBe(
      'pods "b" is forbidden: exceeded quota: few, requested: requests.memory=512Mi, used: requests.memory=768Mi, limited: requests.memory=1Gi',
    );
    expect(create(pod('c', undefined)).message).toBe('pods "c" is forbidden: failed quota: few: must specify requests.memory for: app');
  });

  it('gives back what is deleted', () => {
    const { server, create, settle, used } = fresh();
    create(quota('maps', { configmaps: '2', 'count/deployments.apps': '0' }));
    settle();
    expect(used('maps').configmaps).toBe('1'); // kube-root-ca.crt
    create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } });
    const refused = create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'two' } });
    expect(refused.message).toContain('requested: configmaps=1, used: configmaps=2, limited: configmaps=2');
    deleteObject(server, 'configmaps', 'shop', 'one');
    settle();
    expect(used('maps').configmaps).toBe('1');
    const deployment = { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: pod('x', {}).spec } };
    expect(create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: deployment }).message).toBe(
      'deployments.apps "d" is forbidden: exceeded quota: maps, requested: count/deployments.apps=1, used: count/deployments.apps=0, limited: count/deployments.apps=0',
    );
  });

  it("counts a Service's node ports and charges only what a change adds", () => {
    const { server, create, settle, used } = fresh();
    create(quota('net', { services: '3', 'services.nodeports': '2', 'services.loadbalancers': '1' }));
    settle();
    const one = create(service('one', 'ClusterIP')) as KubeObject;
    create(service('two', 'LoadBalancer', 2));
    expect(used('net')).toEqual({ services: '2', 'services.loadbalancers': '1', 'services.nodeports': '2' });
    const grown = updateObject(server, { ...one, spec: { ...one.spec, type: 'NodePort' } }) as any;
    expect(grown.message).toContain('exceeded quota: net, requested: services.nodeports=1, used: services.nodeports=2');
  });

  it('looks at the pods in its scope only', () => {
    const { create, settle, used } = fresh();
    create(quota('idle', { pods: '1' }, { scopes: ['BestEffort'] }));
    create(quota('jobs', { pods: '1' }, { scopeSelector: { matchExpressions: [{ scopeName: 'Terminating', operator: 'Exists' }] } }));
    settle();
    create(pod('busy', { requests: { cpu: '1' } }));
    create(pod('free', undefined));
    create(pod('short', { requests: { cpu: '1' } }, { activeDeadlineSeconds: 60 }));
    expect(used('idle').pods).toBe('1');
    expect(used('jobs').pods).toBe('1');
    expect(create(pod('more', undefined)).message).toContain('exceeded quota: idle');
  });
});

describe('LimitRange', () => {
  const range = (limits: object[]) => ({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'range' }, spec: { limits } });

  it('gives containers the defaults that they lack, and notes it', () => {
    const { create } = fresh();
    create(range([{ type: 'Container', default: { cpu: '500m', memory: '256Mi' }, defaultRequest: { cpu: '200m' } }]));
    const o = create(pod('a', { limits: { memory: '1Gi' } }, { initContainers: [{ name: 'first', image: 'busybox' }] }));
    expect(o.spec.containers[0].resources).toEqual({ limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '200m', memory: '1Gi' } });
    expect(o.metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container app; cpu limit for container app; cpu, memory request for init container first; cpu, memory limit for init container first',
    );
  });

  it('refuses what is out of bounds', () => {
    const { create } = fresh();
    create(
      range([
        { type: 'Container', max: { cpu: '1' }, min: { cpu: '100m' }, maxLimitRequestRatio: { cpu: '4' } },
        { type: 'Pod', max: { memory: '1Gi' } },
        { type: 'PersistentVolumeClaim', min: { storage: '1Gi' } },
      ]),
    );
    const why = (limits: object, requests: object) => create(pod('p', { limits, requests })).message;
    expect(why({ cpu: '2', memory: '1Mi' }, { cpu: '1' })).toBe(
      'pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    );
    expect(why({ cpu: '1', memory: '2Gi' }, { cpu: '200m' })).toBe(
      'pods "p" is forbidden: [cpu max limit to request ratio per Container is 4, but provided ratio is 5.000000, maximum memory usage per Pod is 1Gi, but limit is 2Gi]',
    );
    expect(why({ memory: '1Mi' }, { cpu: '50m' })).toContain('minimum cpu usage per Container is 100m, but request is 50m');
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '500Mi' } } };
    expect(create({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'c' }, spec: claim }).message).toBe(
      'persistentvolumeclaims "c" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi',
    );
  });
});
