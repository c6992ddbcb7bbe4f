// Whatever value stands at whatever place of a manifest, the server answers: it neither falls over nor says what a missing value looks like in
// JavaScript. ODD_MANIFESTS=COUNT,SEED changes more of them, by another seed.
import { readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { expect, it } from 'vitest';
import { below, newRandom } from '../../src/sim/random.ts';
import { testCluster } from './harness.ts';

type Doc = any;

const SHOP = loadAll(readFileSync('manifests/shop.yaml', 'utf8')) as Doc[];

const OTHERS: Doc[] = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', labels: { a: 'b' }, annotations: { x: 'y' } },
    spec: {
      nodeName: 'node-1',
      hostNetwork: false,
      restartPolicy: 'Always',
      tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 3 }],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }],
          },
        },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 3, podAffinityTerm: { topologyKey: 'x', labelSelector: { matchLabels: { a: 'b' } } } },
          ],
        },
      },
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} }],
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a'], options: [{ name: 'ndots', value: '2' }] },
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['a'] }],
      securityContext: { runAsUser: 1000, fsGroup: 1, sysctls: [{ name: 'net.ipv4.ip_local_port_range', value: '1 2' }] },
      initContainers: [{ name: 'i', image: 'busybox', command: ['true'], restartPolicy: 'Always' }],
      containers: [
        {
          name: 'c',
          image: 'nginx',
          command: ['sleep', '1'],
          args: ['x'],
          workingDir: '/',
          env: [
            { name: 'A', value: '1' },
            { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'C', valueFrom: { configMapKeyRef: { name: 'x', key: 'y', optional: true } } },
          ],
          envFrom: [{ prefix: 'P', secretRef: { name: 's' } }],
          ports: [{ name: 'http', containerPort: 80, hostPort: 8080, protocol: 'TCP' }],
          resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: 2 } },
          readinessProbe: { httpGet: { path: '/', port: 'http', httpHeaders: [{ name: 'a', value: 'b' }] }, periodSeconds: 3 },
          livenessProbe: { exec: { command: ['x'] } },
          startupProbe: { grpc: { port: 3 } },
          lifecycle: { preStop: { sleep: { seconds: 3 } } },
          volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a' }],
          securityContext: { capabilities: { add: ['NET_ADMIN'] }, privileged: false },
        },
      ],
      volumes: [
        { name: 'v', emptyDir: { sizeLimit: '1Mi' } },
        { name: 'w', configMap: { name: 'c', items: [{ key: 'k', path: 'p', mode: 420 }] } },
        {
          name: 'x',
          projected: {
            sources: [
              { serviceAccountToken: { path: 't' } },
              { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            ],
          },
        },
        { name: 'h', hostPath: { path: '/', type: 'Directory' } },
      ],
    },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'i', annotations: { 'nginx.ingress.kubernetes.io/rewrite-target': '/' } },
    spec: {
      ingressClassName: 'nginx',
      defaultBackend: { service: { name: 'a', port: { number: 80 } } },
      tls: [{ hosts: ['a.b'], secretName: 's' }],
      rules: [
        {
          host: 'a.b',
          http: { paths: [{ path: '/x', pathType: 'Prefix', backend: { service: { name: 'cart', port: { name: 'http' } } } }] },
        },
      ],
    },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'n' },
    spec: {
      podSelector: { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [
            { podSelector: {} },
            { namespaceSelector: { matchLabels: { a: 'b' } } },
            { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } },
          ],
          ports: [{ port: 80, endPort: 90, protocol: 'TCP' }, { port: 'http' }],
        },
      ],
      egress: [{ to: [{ ipBlock: { cidr: '::/0' } }] }],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: {
      type: 'LoadBalancer',
      selector: { a: 'b' },
      ports: [{ name: 'a', port: 80, targetPort: 'http', nodePort: 30111, protocol: 'TCP', appProtocol: 'x' }],
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
      externalTrafficPolicy: 'Local',
      internalTrafficPolicy: 'Cluster',
      loadBalancerSourceRanges: ['1.2.3.0/24'],
      externalIPs: ['9.9.9.9'],
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: ['IPv4'],
      publishNotReadyAddresses: true,
      trafficDistribution: 'PreferClose',
      healthCheckNodePort: 30222,
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'ss' },
    spec: {
      serviceName: 'x',
      replicas: 1,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
      selector: { matchLabels: { a: 'q' } },
      template: { metadata: { labels: { a: 'q' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } },
      volumeClaimTemplates: [
        { metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
      ],
    },
  },
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'cj' },
    spec: {
      schedule: '*/5 * * * *',
      concurrencyPolicy: 'Forbid',
      jobTemplate: {
        spec: {
          completions: 2,
          parallelism: 1,
          backoffLimit: 3,
          completionMode: 'Indexed',
          ttlSecondsAfterFinished: 4,
          podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [3] } }] },
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } },
        },
      },
    },
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart' },
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
      behavior: { scaleDown: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } },
    },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'pdb' },
    spec: { minAvailable: '50%', selector: { matchLabels: { a: 'b' } } },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'es', labels: { 'kubernetes.io/service-name': 's' } },
    addressType: 'IPv4',
    ports: [{ name: 'a', port: 80, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: ['10.1.1.1'],
        conditions: { ready: true, serving: true },
        hints: { forZones: [{ name: 'z' }] },
        targetRef: { kind: 'Pod', name: 'p' },
        nodeName: 'node-1',
      },
    ],
  },
  {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'e' },
    subsets: [{ addresses: [{ ip: '1.2.3.4', nodeName: 'n' }], ports: [{ port: 80, name: 'x' }] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'cr' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'rb' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'x' },
    subjects: [{ kind: 'ServiceAccount', name: 'a', namespace: 'b' }],
  },
  {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'foos.x.io' },
    spec: {
      group: 'x.io',
      scope: 'Namespaced',
      names: { plural: 'foos', singular: 'foo', kind: 'Foo', shortNames: ['f'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties: { a: { type: 'integer', minimum: 1 } } } },
            },
          },
          additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.spec.a' }],
        },
      ],
    },
  },
  {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: 'fs' },
    spec: {
      matchingPrecedence: 3,
      priorityLevelConfiguration: { name: 'x' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'a' } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }],
        },
      ],
    },
  },
  {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'IPPool',
    metadata: { name: 'pool' },
    spec: { cidr: '10.99.0.0/16', blockSize: 26, natOutgoing: true, nodeSelector: 'all()', allowedUses: ['Workload'] },
  },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, data: { a: 'b' }, binaryData: { c: 'AAA=' }, immutable: false },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'sec' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': 'AAA=', 'tls.key': 'AAA=' },
    stringData: { x: 'y' },
  },
];

const ODD = [
  ...[null, true, false, -1, 0, 1.5, 7, [], {}, [null], [[]], [{}], { a: null }, { '': '' }, ['a', 'a']],
  ...['', 'x', '7', '0', '-5', '1e3', '%', '*', '/', '..', '10.0.0.0/33', '::', 'é', '\n', ' x ', 'a'.repeat(300), '2000-01-01T00:00:00Z'],
];

type Path = (string | number)[];

const pathsOf = (o: Doc, at: Path = []): Path[] =>
  o === null || typeof o !== 'object' ? [at] : [at, ...Object.entries(o).flatMap(([k, v]) => pathsOf(v, [...at, k]))];

it('manifests with odd values', async () => {
  const [count, seed] = (process.env.ODD_MANIFESTS ?? '250,1').split(',').map(Number);
  const random = newRandom(seed);
  const pick = <T>(list: T[]): T => list[below(random, list.length)];
  const docs = [...SHOP.filter(Boolean), ...OTHERS];
  const c = await testCluster();
  const verbs = ['create -f - --dry-run=server', 'apply -f -', 'apply --server-side --force-conflicts -f -', 'replace -f -', 'diff -f -'];
  const wrong: string[] = [];
  for (let i = 0; i < count; i++) {
    const doc = structuredClone(pick(docs));
    const [path, value] = [pick(pathsOf(doc).filter(p => p.length > 1)), pick(ODD)];
    const [key] = path.slice(-1);
    let parent = doc;
    for (const step of path.slice(0, -1)) parent = parent[step];
    if (below(random, 6) === 0) delete parent[key];
    else parent[key] = value;
    const verb = pick(verbs);
    const what = `${verb}: ${doc.kind} ${path.join('.')}=${JSON.stringify(value)}`;
    try {
      const said = c.kubectl(verb, JSON.stringify(doc));
      c.rest();
      const shown = said.code === 0 && doc.metadata?.name ? c.kubectl(['describe', doc.kind, String(doc.metadata.name)]) : null;
      const odd = /^.*(?:undefined|NaN|\[object).*$/m.exec(`${said.out}${said.err}${shown?.out ?? ''}${shown?.err ?? ''}`);
      if (odd) wrong.push(`${what}: ${odd[0]}`);
    } catch (e) {
      wrong.push(`${what}: ${(e as Error).stack}`);
    }
  }
  expect(wrong).toEqual([]);
}, 120_000);
