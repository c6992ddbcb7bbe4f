import { beforeAll, describe, expect, it } from 'vitest';
import { createObject } from '../../src/apiserver/client.ts';
import { putObject } from '../../src/apiserver/put.ts';
import { newApiServer } from '../../src/apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../src/apiserver/types.ts';
import { revisionHash, templateHash, templateText } from '../../src/controllers/template-hash.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

let server: ApiServer;
let made = 0;

beforeAll(() => {
  server = newApiServer(newSim(Date.UTC(2026, 0, 1), newRandom(1)), newRandom(2));
  putObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  putObject(server, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
  });
});

/** The template as the server keeps it. */
function template(app: string, spec: object, metadata: object = {}): any {
  const stored = createObject(server, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `d${made++}`, namespace: 'default' },
    spec: { selector: { matchLabels: { app } }, template: { metadata: { labels: { app }, ...metadata }, spec } },
  } as KubeObject) as KubeObject;
  if (stored.kind === 'Status') throw new Error((stored as { message?: string }).message);
  return stored.spec.template;
}

// The hashes are those of a kube-controller-manager v1.36.3 for the same manifests.
describe('the hash of a pod template', () => {
  it("is upstream's", () => {
    expect(templateHash(template('h1', { containers: [{ name: 'c', image: 'nginx' }] }), undefined)).toBe('6d6996df8b');
  });

  it('knows quantities, pointers and empty strings', () => {
    const resources = {
      requests: { cpu: '0.1', memory: '1G', 'hugepages-2Mi': '0' },
      limits: { memory: '1500M', cpu: '2k', 'hugepages-2Mi': '0', 'nvidia.com/gpu': 1 },
    };
    const spec = {
      containers: [{ name: 'c', image: 'nginx', resources }],
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      shareProcessNamespace: true,
      setHostnameAsFQDN: false,
      runtimeClassName: 'x',
      schedulerName: 's',
      hostname: 'h',
      subdomain: 'd',
      overhead: { cpu: '10m' },
    };
    const metadata = { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' } };
    expect(templateHash(template('h3', spec, metadata), undefined)).toBe('679bd8d5bb');
    const large = { containers: [{ name: 'c', image: 'nginx', resources: { limits: { memory: '100Ti' } } }] };

    expect(templateText(template('d1', large))).toContain(
      'memory:{i:(resource.int64Amount){value:(int64)0 scale:(resource.Scale)0} d:(resource.infDecAmount){Dec:(*inf.Dec){unscaled:(big.Int){neg:(bool)false abs:(big.nat)[8568098291072368640 5960]} scale:(inf.Scale)9}} s:(string) Format:(resource.Format)BinarySI}',
    );
  });

  it('knows the fields of containers, volumes and affinity', () => {
    const spec = {
      serviceAccountName: 'sa',
      nodeSelector: { x: 'yy' },
      terminationGracePeriodSeconds: 5,
      priorityClassName: 'system-node-critical',
      hostPID: true,
      dnsConfig: { nameservers: ['1.1.1.1'], options: [{ name: 'ndots', value: '2' }, { name: 'x' }] },
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }],
      securityContext: {
        runAsUser: 1000,
        fsGroup: 2000,
        sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }],
        seccompProfile: { type: 'RuntimeDefault' },
        supplementalGroups: [1, 2],
      },
      tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 }],
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 1,
              podAffinityTerm: {
                topologyKey: 'z',
                labelSelector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'q', operator: 'In', values: ['w'] }] },
              },
            },
          ],
        },
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'k', operator: 'Exists' }] }] },
        },
      },
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { a: 'b' } } },
      ],
      imagePullSecrets: [{ name: 'ps' }],
      initContainers: [{ name: 'i', image: 'busybox', command: ['sh', '-c', 'echo $X'], restartPolicy: 'Always' }],
      containers: [
        {
          name: 'c',
          image: 'nginx',
          stdin: true,
          tty: true,
          args: ['a', ''],
          workingDir: '/w',
          ports: [
            { containerPort: 80, name: 'http', protocol: 'TCP', hostPort: 80 },
            { containerPort: 53, protocol: 'UDP', hostIP: '1.1.1.1', hostPort: 53 },
          ],
          envFrom: [{ configMapRef: { name: 'cm', optional: true }, prefix: 'P_' }, { secretRef: { name: 's' } }],
          env: [
            { name: 'A', value: 'b' },
            { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'C', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } },
            { name: 'D', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
            { name: 'E', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
          ],
          resources: {
            limits: { cpu: '1.5', memory: '128Mi' },
            requests: { cpu: '100m', memory: '64Mi', 'ephemeral-storage': '1e3' },
          },
          livenessProbe: { httpGet: { path: '/h', port: 80, httpHeaders: [{ name: 'X', value: 'yz' }] }, periodSeconds: 3 },
          readinessProbe: { tcpSocket: { port: 'http' } },
          startupProbe: { exec: { command: ['true'] }, failureThreshold: 5 },
          lifecycle: { preStop: { sleep: { seconds: 3 } }, postStart: { exec: { command: ['x'] } } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
            runAsNonRoot: true,
            privileged: false,
          },
          volumeMounts: [
            { name: 'v1', mountPath: '/a' },
            { name: 'v2', mountPath: '/b', readOnly: true, subPath: 'x', mountPropagation: 'None' },
          ],
        },
      ],
      volumes: [
        { name: 'v1', emptyDir: {} },
        { name: 'v2', configMap: { name: 'cm', items: [{ key: 'k', path: 'p', mode: 256 }], defaultMode: 420 } },
        { name: 'v3', secret: { secretName: 's' } },
        { name: 'v4', emptyDir: { medium: 'Memory', sizeLimit: '500Mi' } },
        { name: 'v5', hostPath: { path: '/x', type: 'Directory' } },
        { name: 'v6', persistentVolumeClaim: { claimName: 'pvc' } },
        {
          name: 'v7',
          projected: {
            sources: [
              { serviceAccountToken: { path: 't', audience: 'x', expirationSeconds: 3600 } },
              { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            ],
          },
        },
        { name: 'v8', nfs: { server: 'a', path: '/b' } },
        { name: 'v9', csi: { driver: 'd', volumeAttributes: { a: 'bb' } } },
        {
          name: 'v10',
          ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } } },
        },
        { name: 'v11', rbd: { monitors: ['a'], image: 'i' } },
        { name: 'v12', downwardAPI: { items: [{ path: 'c', resourceFieldRef: { containerName: 'c', resource: 'limits.memory' } }] } },
      ],
    };
    const metadata = { labels: { app: 'h2', b: 'c' }, annotations: { z: '1', a: 'ü "q" %v' } };
    expect(templateHash(template('h2', spec, metadata), undefined)).toBe('7556947b79');
  });

  it('changes with the count of collisions', () => {
    const t = template('h1', { containers: [{ name: 'c', image: 'nginx' }] });
    const hashes = [undefined, 0, 1, 256].map(n => templateHash(t, n));
    expect(new Set(hashes).size).toBe(4);
    expect(templateHash(t, null)).toBe(hashes[0]);
  });
});

it("the hash of a StatefulSet's revision is of its JSON and the count", () => {
  const spec =
    '"spec":{"containers":[{"args":["\\u003ca\\u003e"],"image":"nginx","imagePullPolicy":"Always","name":"c","resources":{"limits":{"cpu":"1"}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],"dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{},"terminationGracePeriodSeconds":30}';
  const json = `{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"s1"}},${spec}}}}`;
  expect(revisionHash(json, 0)).toBe('85fd95dc4c');
  expect(revisionHash(json, 1)).not.toBe('85fd95dc4c');
});
