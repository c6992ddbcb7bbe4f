// What the server writes for itself into a new cluster beside RBAC: how it shares out its attention
// (k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap/default.go v0.36.3) and which groups it serves (cmd/kube-apiserver/app/aggregator.go).

import { fork, uuid } from '../sim/random.ts';
import { rfc3339 } from '../sim/time.ts';
import { putObject } from './put.ts';
import type { ApiServer, KubeObject } from './types.ts';

/** group version groupPriorityMinimum versionPriority */
const GROUPS = `
- v1 18000 1
admissionregistration.k8s.io v1 16700 15
apiextensions.k8s.io v1 16700 15
apps v1 17800 15
authentication.k8s.io v1 17700 15
authorization.k8s.io v1 17600 15
autoscaling v1 17500 15
autoscaling v2 17500 30
batch v1 17400 15
certificates.k8s.io v1 17300 15
coordination.k8s.io v1 16500 15
discovery.k8s.io v1 16200 15
events.k8s.io v1 17750 15
flowcontrol.apiserver.k8s.io v1 16100 21
networking.k8s.io v1 17200 15
node.k8s.io v1 16300 15
policy v1 17100 15
rbac.authorization.k8s.io v1 17000 15
resource.k8s.io v1 16200 21
scheduling.k8s.io v1 16600 15
storage.k8s.io v1 16800 15
`;

/** name shares lendablePercent queues handSize; without queues what is too much is refused, without shares nothing ever is. */
const LEVELS = `
catch-all 5 0
exempt - 0
global-default 20 50 128 6
leader-election 10 0 16 4
node-high 40 25 64 6
system 30 33 64 6
workload-high 40 50 128 6
workload-low 100 90 128 6
`;

/** name level precedence distinguisher subjects rules; subjects: g/GROUP u/USER s/NAMESPACE (all its accounts). */
const FLOWS = `
catch-all catch-all 10000 ByUser g/system:unauthenticated,g/system:authenticated all
exempt exempt 1 - g/system:masters all
global-default global-default 9900 ByUser g/system:unauthenticated,g/system:authenticated all
kube-controller-manager workload-high 800 ByNamespace u/system:kube-controller-manager all
kube-scheduler workload-high 800 ByNamespace u/system:kube-scheduler all
kube-system-service-accounts workload-high 900 ByNamespace s/kube-system all
probes exempt 2 - g/system:unauthenticated,g/system:authenticated probes
service-accounts workload-low 9000 ByUser g/system:serviceaccounts all
system-leader-election leader-election 100 ByUser u/system:kube-controller-manager,u/system:kube-scheduler,s/kube-system leases
system-node-high node-high 400 ByUser g/system:nodes nodes
system-nodes system 500 ByUser g/system:nodes all
`;

const everything = { apiGroups: ['*'], clusterScope: true, namespaces: ['*'], resources: ['*'], verbs: ['*'] };
const leases = (verbs: string[]) => ({ apiGroups: ['coordination.k8s.io'], namespaces: ['*'], resources: ['leases'], verbs });

const RULES: Record<string, object> = {
  all: { nonResourceRules: [{ nonResourceURLs: ['*'], verbs: ['*'] }], resourceRules: [everything] },
  probes: { nonResourceRules: [{ nonResourceURLs: ['/healthz', '/readyz', '/livez'], verbs: ['get'] }] },
  leases: { resourceRules: [leases(['get', 'create', 'update'])] },
  nodes: { resourceRules: [{ ...everything, apiGroups: [''], resources: ['nodes', 'nodes/status'] }, leases(['*'])] },
};

function subject(text: string): object {
  const [kind, name] = text.split('/');
  if (kind === 'g') return { group: { name }, kind: 'Group' };
  if (kind === 'u') return { kind: 'User', user: { name } };
  return { kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: name } };
}

const rows = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map(line => line.split(' '));

const FLOWCONTROL = 'flowcontrol.apiserver.k8s.io/v1';
const KEPT = { 'apf.kubernetes.io/autoupdate-spec': 'true' };

function priorityLevel([name, shares, lendable, queues, handSize]: string[]): KubeObject {
  const lendablePercent = Number(lendable);
  const queuing = { handSize: Number(handSize), queueLengthLimit: 50, queues: Number(queues) };
  const limitResponse = queues ? { queuing, type: 'Queue' } : { type: 'Reject' };
  const spec =
    shares === '-'
      ? { exempt: { lendablePercent, nominalConcurrencyShares: 0 }, type: 'Exempt' }
      : { limited: { lendablePercent, limitResponse, nominalConcurrencyShares: Number(shares) }, type: 'Limited' };
  return {
    apiVersion: FLOWCONTROL,
    kind: 'PriorityLevelConfiguration',
    metadata: { name, generation: 1, annotations: { ...KEPT } },
    spec,
    status: {},
  };
}

function flowSchema([name, level, precedence, method, subjects, rules]: string[], now: string): KubeObject {
  const message = `This FlowSchema references the PriorityLevelConfiguration object named "${level}" and it exists`;
  return {
    apiVersion: FLOWCONTROL,
    kind: 'FlowSchema',
    metadata: { name, generation: 1, annotations: { ...KEPT } },
    spec: {
      ...(method !== '-' && { distinguisherMethod: { type: method } }),
      matchingPrecedence: Number(precedence),
      priorityLevelConfiguration: { name: level },
      rules: [{ ...RULES[rules], subjects: subjects.split(',').map(subject) }],
    },
    status: { conditions: [{ lastTransitionTime: now, message, reason: 'Found', status: 'False', type: 'Dangling' }] },
  };
}

/** What a group version that is served here looks like; `managed`: since the server's start, or as long as its definition is there. */
export function localApiService(group: string, version: string, priorities: [number, number], managed: string, now: string): KubeObject {
  const [groupPriorityMinimum, versionPriority] = priorities;
  const message = 'Local APIServices are always available';
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}`, labels: { 'kube-aggregator.kubernetes.io/automanaged': managed } },
    spec: { ...(group && { group }), groupPriorityMinimum, version, versionPriority },
    status: { conditions: [{ lastTransitionTime: now, message, reason: 'Local', status: 'True', type: 'Available' }] },
  };
}

/** Written as it is, with a uid that takes nothing from the server's dice. */
export function putOwn(server: ApiServer, o: KubeObject): void {
  const { name } = o.metadata;
  const own = { uid: uuid(fork({ ...server.random }, `${o.kind} ${name}`)), creationTimestamp: rfc3339(server.sim.nowMs) };
  putObject(server, { ...o, metadata: { ...o.metadata, ...own } });
}

export function putServerObjects(server: ApiServer): void {
  const now = rfc3339(server.sim.nowMs);
  for (const [group, version, minimum, priority] of rows(GROUPS)) {
    putOwn(server, localApiService(group === '-' ? '' : group, version, [Number(minimum), Number(priority)], 'onstart', now));
  }
  for (const row of rows(LEVELS)) putOwn(server, priorityLevel(row));
  for (const row of rows(FLOWS)) putOwn(server, flowSchema(row, now));
}
