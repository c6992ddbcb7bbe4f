import { describe, expect, it } from 'vitest';
import { evaluate, type Level, policyOf } from '../../src/apiserver/admission/pod-security/standards.ts';
import { createObject } from '../../src/apiserver/client.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import { listObjects } from '../../src/apiserver/store.ts';
import type { ApiServer, KubeObject, Status } from '../../src/apiserver/types.ts';
import { startControllers } from '../../src/controllers/start.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, settle } from '../../src/sim/sim.ts';

const PREFIX = 'pod-security.kubernetes.io/';

function fresh(labels: Record<string, string>): ApiServer {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  const prefixed = Object.fromEntries(Object.entries(labels).map(([k, v]) => [PREFIX + k, v]));
  createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lab', labels: prefixed } });
  return server;
}

function send(server: ApiServer, o: KubeObject, resource: string, group = ''): [code: number, message: string, warnings: string[]] {
  const r = handle(server, { verb: 'create', group, version: 'v1', resource, namespace: 'lab', body: o });
  return [r.code, (r.body as Status).message ?? '', r.warnings];
}

const pod = (name: string, container: object = {}, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'lab' },
  spec: { containers: [{ name: 'main', image: 'busybox', ...container }], ...spec },
});

const careful = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const CAREFUL_POD = { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } };

const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'lab' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'busybox', securityContext: careful }] },
    },
  },
};

const found = (level: Level, spec: object, version = 'latest', meta: object = {}) =>
  evaluate({ level, version }, meta, spec).map(f => `${f.reason} (${f.detail})`);

describe('PodSecurity', () => {
  it('refuses pods that violate what is enforced, and warns of what else would', () => {
    const server = fresh({ enforce: 'baseline', warn: 'restricted' });
    const [code, message, warnings] = send(server, pod('a', { securityContext: { privileged: true } }, { hostNetwork: true }), 'pods');
    expect([code, message, warnings]).toEqual([
      403,
      'pods "a" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), ' +
        'privileged (container "main" must not set securityContext.privileged=true)',
      [],
    ]);
    expect(send(server, pod('b', { securityContext: careful }), 'pods')).toEqual([
      201,
      '',
      [
        'would violate PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), ' +
          'seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      ],
    ]);
    expect(send(server, pod('c', { securityContext: careful }, CAREFUL_POD), 'pods')).toEqual([201, '', []]);
  });

  it('warns of a template whose pods it will refuse, and their owner hears of it', () => {
    const server = fresh({ enforce: 'restricted', 'enforce-version': 'v1.30' });
    startControllers(server);
    createObject(server, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'lab' } });
    const [code, , warnings] = send(server, deployment, 'deployments', 'apps');
    expect([code, warnings.length, warnings[0].split(':')[0]]).toEqual([201, 1, 'would violate PodSecurity "restricted']);
    settle(server.sim, 1000);
    expect(listObjects(server, 'pods', 'lab')).toEqual([]);
    const event = listObjects(server, 'events', 'lab').find(e => e.reason === 'FailedCreate');
    expect(event?.message).toMatch(
      /^Error creating: pods "web-\w+-\w{5}" is forbidden: violates PodSecurity "restricted:v1.30": runAsNonRoot/,
    );
  });

  it('asks about changes of images only', () => {
    const server = fresh({});
    send(server, pod('a', {}, { hostPID: true }), 'pods');
    const change = (resource: string, name: string, body: object, namespace?: string) =>
      handle(server, { verb: 'patch', group: '', version: 'v1', resource, namespace, name, patchType: 'strategic', body });
    change('namespaces', 'lab', { metadata: { labels: { [`${PREFIX}enforce`]: 'baseline' } } });
    expect(change('pods', 'a', { metadata: { labels: { x: 'y' } } }, 'lab').code).toBe(200);
    expect((change('pods', 'a', { spec: { containers: [{ name: 'main', image: 'other' }] } }, 'lab').body as Status).message).toContain(
      'host namespaces (hostPID=true)',
    );
  });

  it('reads the labels of namespaces, and tells of pods that a stricter level would not have', () => {
    const server = fresh({});
    for (const name of ['b', 'a', 'c'])
      send(server, pod(name, {}, name === 'c' ? { hostIPC: true } : { hostPID: true, hostNetwork: true }), 'pods');
    const label = (labels: Record<string, string>) => {
      const body = { metadata: { labels: Object.fromEntries(Object.entries(labels).map(([k, v]) => [PREFIX + k, v])) } };
      const r = handle(server, { verb: 'patch', group: '', version: 'v1', resource: 'namespaces', name: 'lab', patchType: 'merge', body });
      return [r.code, (r.body as Status).message ?? '', ...r.warnings];
    };
    expect(label({ enforce: 'strict', 'warn-version': '1.30' })[1]).toBe(
      'Namespace "lab" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, ' +
        'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.30": must be "latest" or "v1.x"]',
    );
    expect(label({ enforce: 'baseline' })).toEqual([
      200,
      '',
      'existing pods in namespace "lab" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 2 other pods): host namespaces',
    ]);
    expect(label({ enforce: 'privileged' })).toEqual([200, '']);
    expect(policyOf({ [`${PREFIX}enforce`]: 'baseline', [`${PREFIX}enforce-version`]: 'v1.28' }).policy.warn).toEqual({
      level: 'baseline',
      version: 'v1.28',
    });
  });
});

describe('the Pod Security Standards', () => {
  it('have the checks of their version', () => {
    const probing = { containers: [{ name: 'a', livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } } }] };
    expect(found('baseline', probing, 'v1.33')).toEqual([]);
    expect(found('baseline', probing)).toEqual(['probe or lifecycle host (container "a" uses probe or lifecycle host "10.0.0.1")']);
    const tuned = { containers: [], securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem' }, { name: 'kernel.sem' }] } };
    expect([found('baseline', tuned, 'v1.31'), found('baseline', tuned)]).toEqual([
      ['forbidden sysctls (net.ipv4.tcp_rmem, kernel.sem)'],
      ['forbidden sysctls (kernel.sem)'],
    ]);
    const seccomp = 'seccomp.security.alpha.kubernetes.io/pod';
    expect(found('baseline', { containers: [] }, 'v1.18', { annotations: { [seccomp]: 'unconfined' } })).toEqual([
      `seccompProfile (forbidden annotation ${seccomp}="unconfined")`,
    ]);
    const root = { containers: [{ name: 'a', securityContext: { ...careful, runAsUser: 0 } }], ...CAREFUL_POD };
    expect([found('restricted', root, 'v1.22'), found('restricted', root), found('restricted', { ...root, hostUsers: false })]).toEqual([
      [],
      ['runAsUser=0 (container "a" must not set runAsUser=0)'],
      [],
    ]);
  });

  it('name who set what', () => {
    const spec = {
      securityContext: { seLinuxOptions: { type: 'spc_t', user: 'u' }, appArmorProfile: { type: 'Unconfined' } },
      initContainers: [{ name: 'i', ports: [{ hostPort: 80 }], securityContext: { capabilities: { add: ['NET_ADMIN', 'KILL'] } } }],
      containers: [{ name: 'c', ports: [{ hostPort: 443 }], securityContext: { seLinuxOptions: { role: 'r' }, procMount: 'Unmasked' } }],
      volumes: [
        { name: 'root', hostPath: { path: '/' } },
        { name: 'data', emptyDir: {} },
        { name: 'share', nfs: { server: 's', path: '/' } },
      ],
    };
    expect(found('baseline', spec)).toEqual([
      'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
      'non-default capabilities (container "i" must not include "NET_ADMIN" in securityContext.capabilities.add)',
      'hostPath volumes (volume "root")',
      'hostPort (containers "i", "c" use hostPorts 443, 80)',
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
      'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
    ]);
    const strict = found('restricted', spec);
    expect(strict).toContain('restricted volume types (volumes "root", "share" use restricted volume types "hostPath", "nfs")');
    expect(strict).toContain(
      'unrestricted capabilities (containers "i", "c" must set securityContext.capabilities.drop=["ALL"]; ' +
        'container "i" must not include "KILL", "NET_ADMIN" in securityContext.capabilities.add)',
    );
    expect(strict.some(x => x.startsWith('hostPath volumes'))).toBe(false);
  });
});
