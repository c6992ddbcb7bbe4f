import { describe, expect, it } from 'vitest';
import { createObject, patchObject, updateStatus } from '../../src/apiserver/client.ts';
import { formatQuantity, parseQuantity, roundToMilli } from '../../src/apiserver/quantity.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import { getObject } from '../../src/apiserver/store.ts';
import { strategicMerge } from '../../src/apiserver/strategic.ts';
import type { ApiRequest, ApiResponse, KubeObject, Status } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

const fresh = () => {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  createObject(server, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } });
  return server;
};
const messageOf = (r: ApiResponse | KubeObject | Status): string => (((r as ApiResponse).body ?? r) as Status).message as string;
const services = { group: '', version: 'v1', resource: 'services', namespace: 'default' };
const create = (body: unknown, rest: Partial<ApiRequest> = {}): ApiRequest => ({
  verb: 'create',
  ...services,
  body,
  query: { fieldValidation: 'Strict' },
  ...rest,
});
const service = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec });
const pod = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image: 'i' }], ...more },
});

describe('quantities', () => {
  it.each([
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['1024Ki', '1Mi'],
    ['1.5Ki', '1536'],
    ['1000k', '1M'],
    ['0.1n', '1n'],
    ['99999999999999999999', '99999999999999999999'],
    ['10Ei', `${(1n << 63n) - 1n}`],
    ['1e3', '1e3'],
  ])('%s is %s', (text, canonical) => {
    const q = parseQuantity(text);
    expect(typeof q === 'string' ? q : formatQuantity(q)).toBe(canonical);
  });

  it('has the real errors and rounds up to thousandths', () => {
    expect(parseQuantity('1x')).toContain('quantities must match the regular expression');
    const q = parseQuantity('100u');
    expect(typeof q === 'string' ? q : formatQuantity(roundToMilli(q))).toBe('1m');
  });
});

describe('decoding', () => {
  it('tells unknown fields and wrong types as the real server does', () => {
    const server = fresh();
    const ports = [{ port: 80 }];
    expect(messageOf(handle(server, create(service('a', { ports, bogus: 1, selector: {} }))))).toBe(
      'Service in version "v1" cannot be handled as a Service: strict decoding error: unknown field "spec.bogus"',
    );
    expect(messageOf(handle(server, create(service('a', { ports: [{ port: '80' }] }))))).toBe(
      'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32',
    );
  });

  it('tells other words when a strategic patch does not fit', () => {
    const server = fresh();
    createObject(server, service('a', { ports: [{ port: 80 }] }));
    const patched = patchObject(server, 'services', 'default', 'a', 'strategic', { spec: { ports: [{ port: 'x' }] } });
    expect(messageOf(patched)).toMatch(/^The request is invalid|^ is invalid|is invalid: patch: Invalid value: "map\[/);
    expect(messageOf(patched)).toContain('unrecognized type: int32');
  });
});

describe('services', () => {
  it('allocates addresses and ports, and refuses what is taken', () => {
    const server = fresh();
    const made = createObject(server, service('a', { type: 'NodePort', ports: [{ port: 80, nodePort: 30100 }] })) as KubeObject;
    expect(made.spec.clusterIP).toMatch(/^10\.\d+\.\d+\.\d+$/);
    expect(made.spec.ipFamilies).toEqual(['IPv4']);
    const again = createObject(server, service('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 30100 }] }));
    expect(messageOf(again)).toBe(
      'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30100: provided port is already allocated',
    );
    const same = createObject(server, service('c', { clusterIP: made.spec.clusterIP, ports: [{ port: 80 }] }));
    expect(messageOf(same)).toContain('failed to allocate IP');
    expect(getObject(server, 'ipaddresses.networking.k8s.io', '', made.spec.clusterIP)?.spec.parentRef.name).toBe('a');
  });
});

describe('evictions', () => {
  it('ask the disruption budget', () => {
    const server = fresh();
    createObject(server, pod('p', { nodeName: 'n' }));
    const running = { ...(getObject(server, 'pods', 'default', 'p') as KubeObject) };
    updateStatus(server, { ...running, status: { ...running.status, phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } });
    const meta = { name: 'b', namespace: 'default' };
    const spec = { minAvailable: 1, selector: { matchLabels: { app: 'a' } } };
    const budget = createObject(server, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: meta, spec }) as KubeObject;
    const status = { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
    updateStatus(server, { ...budget, status });
    const request: ApiRequest = {
      verb: 'create',
      group: '',
      version: 'v1',
      resource: 'pods',
      subresource: 'eviction',
      namespace: 'default',
    };
    const refused = handle(server, { ...request, name: 'p', body: { metadata: { name: 'p' } } });
    expect(refused.code).toBe(429);
    expect(messageOf(refused)).toBe("Cannot evict pod as it would violate the pod's disruption budget.");
    expect((refused.body as Status).details?.causes?.[0].message).toBe('The disruption budget b needs 1 healthy pods and has 1 currently');
  });
});

describe('parts of a pod', () => {
  const web = () => {
    const server = fresh();
    createObject(server, pod('p', { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }] }));
    const patch = (subresource: string, spec: object) =>
      patchObject(server, 'pods', 'default', 'p', 'strategic', { spec }, subresource) as KubeObject;
    return { server, patch };
  };

  it('ephemeral containers are added through their subresource, and then stay as they are', () => {
    const { patch } = web();
    const look = { name: 'look', image: 'box', command: ['sh'] };
    const made = patch('ephemeralcontainers', { ephemeralContainers: [{ ...look, targetContainerName: 'c' }] });
    expect(made.spec.ephemeralContainers[0]).toMatchObject({ name: 'look', targetContainerName: 'c', imagePullPolicy: 'Always' });
    expect(made.metadata.generation).toBe(2);
    expect(messageOf(patch('ephemeralcontainers', { ephemeralContainers: [{ ...look, image: 'box:2' }] }))).toMatch(
      /^Pod "p" is invalid: spec\.ephemeralContainers: Forbidden: existing ephemeral containers "look" may not be changed\n@@ .*\n/,
    );
    expect(messageOf(patch('ephemeralcontainers', { ephemeralContainers: [{ name: 'look', $patch: 'delete' }] }))).toContain(
      'existing ephemeral containers "look" may not be removed',
    );
    const lost = { name: 'x', image: 'box', targetContainerName: 'none' };
    expect(messageOf(patch('ephemeralcontainers', { ephemeralContainers: [lost] }))).toContain(
      'spec.ephemeralContainers[0].targetContainerName: Not found: "none"',
    );
  });

  it('resources change through resize, within the class of service', () => {
    const { patch } = web();
    const resized = (resources: object) => patch('resize', { containers: [{ name: 'c', resources }] });
    expect(resized({ requests: { cpu: '200m' } }).spec.containers[0].resources.requests).toEqual({ cpu: '200m' });
    expect(messageOf(resized({ requests: { cpu: null } }))).toContain('Pod QOS Class may not change as a result of resizing');
    expect(messageOf(resized({ requests: { memory: '1Gi', cpu: null } }))).toContain(
      'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
    );
    expect(messageOf(resized({ requests: { 'ephemeral-storage': '1Gi' } }))).toContain('only cpu and memory resources are mutable');
  });
});

describe('RBAC', () => {
  const list: ApiRequest = { verb: 'list', group: '', version: 'v1', resource: 'pods', namespace: 'default' };
  const user = 'system:serviceaccount:default:default';

  it('refuses strangers and allows what a binding gives', () => {
    const server = fresh();
    expect(messageOf(handle(server, { ...list, user }))).toBe(
      `pods is forbidden: User "${user}" cannot list resource "pods" in API group "" in the namespace "default"`,
    );
    const metadata = { name: 'view', namespace: 'default' };
    const roleRef = { kind: 'ClusterRole', name: 'view' };
    const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }];
    createObject(server, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, roleRef, subjects });
    expect(handle(server, { ...list, user }).code).toBe(200);
    expect(handle(server, { ...list, user, verb: 'delete', name: 'x' }).code).toBe(403);
  });
});

describe('strategic merge', () => {
  const merged = (live: object[], env: object[], order: string[]) => {
    const containers = [{ name: 'c', env: live }];
    const patch = { name: 'c', env, '$setElementOrder/env': order.map(name => ({ name })) };
    const done = strategicMerge('v1', 'Pod', { spec: { containers } }, { spec: { containers: [patch] } });
    return typeof done === 'string' ? done : done.value.spec.containers[0].env.map((e: { name: string }) => e.name).join('');
  };
  const list = (names: string) => [...names].map(name => ({ name, value: '1' }));

  it('orders lists as the real server does, also after deletions', () => {
    expect(merged(list('ABL'), [...list('C'), { name: 'A', $patch: 'delete' }], ['B', 'C'])).toBe('BLC');
    expect(merged(list('ABL'), list('C'), ['A', 'B', 'C'])).toBe('ABCL');
    expect(merged(list('LAB'), list('C'), ['A', 'B', 'C'])).toBe('LABC');
  });
});

describe('what a request says and nothing keeps', () => {
  it('is shown in the error all the same', () => {
    const server = fresh();
    const site = (spec: object) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'site', namespace: 'default' },
      spec,
    });
    const ingresses = { group: 'networking.k8s.io', resource: 'ingresses' };
    expect(messageOf(handle(server, create(site({ rules: [] }), ingresses)))).toContain('spec: Invalid value: []: either');
    expect(messageOf(handle(server, create(site({}), ingresses)))).toContain('spec: Invalid value: null: either');
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: { capacity: {}, accessModes: ['ReadWriteOnce'] },
    };
    const volumes = { resource: 'persistentvolumes', namespace: undefined };
    expect(messageOf(handle(server, create(volume, volumes)))).toContain(
      'spec.capacity: Unsupported value: {}: supported values: "storage"',
    );
  });

  it('is a number that no range has, where a dry run asks for node ports', () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ];
    const body = service('web', { type: 'NodePort', ports });
    const made = handle(fresh(), create(body, { query: { dryRun: true } })).body as KubeObject;
    expect(made.spec.ports.map((p: { nodePort: number }) => p.nodePort)).toEqual([32769, 32770]);
  });
});
