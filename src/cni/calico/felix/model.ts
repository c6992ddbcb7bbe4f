// API objects as Felix's calculation graph sees them: endpoints with their labels, profiles, tiers and policies
// (libcalico-go/lib/backend/k8s/conversion, backend/syncersv1/updateprocessors, felix/calc v3.32).
import { listObjects } from '../../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../../apiserver/types.ts';
import { compareBytes } from '../../../sim/bytes.ts';
import { type ApiRule, clusterNetworkPolicyRules, kubernetesRules, podSelectorText } from './kubernetes.ts';
import type { LabelOf, Selector } from './selector.ts';
import { and, NAMESPACE_LABEL, parseSelector, selectorText, selects } from './selector.ts';

export interface Endpoint {
  /** `namespace/name` of the pod, or the HostEndpoint's name. */
  key: string;
  kind: 'workload' | 'host' | 'netset';
  node: string;
  interfaceName: string;
  labels: Map<string, string>;
  profiles: string[];
  nets: string[];
  ports: { name: string; protocol: string; port: number }[];
}

export interface Policy {
  id: string;
  kind: string;
  shortKind: string;
  name: string;
  namespace: string;
  tier: string;
  order: number;
  selector: Selector;
  selectorText: string;
  ingress: ApiRule[] | null;
  egress: ApiRule[] | null;
  staged: boolean;
  preDNAT: boolean;
  untracked: boolean;
  applyOnForward: boolean;
}

export interface Tier {
  name: string;
  order: number;
  defaultPass: boolean;
}

export interface Model {
  endpoints: Endpoint[];
  policies: Policy[];
  tiers: Tier[];
}

const finished = (pod: KubeObject): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

export const podIPs = (pod: KubeObject): string[] =>
  pod.status?.podIPs?.length ? pod.status.podIPs.map((x: { ip: string }) => x.ip) : pod.status?.podIP ? [pod.status.podIP] : [];

interface Inherited {
  namespaces: Map<string, KubeObject>;
  accounts: Map<string, KubeObject>;
}

/** A pod's labels, with those that its profiles (namespace and service account) hand down: `pcns.` and `pcsa.`. */
function labelsOf(pod: KubeObject, account: string, from: Inherited): Map<string, string> {
  const ns = pod.metadata.namespace ?? '';
  const labels = new Map<string, string>();
  const put = (prefix: string, source: KubeObject | undefined, name: string) => {
    for (const [k, v] of Object.entries(source?.metadata.labels ?? {})) labels.set(prefix + k, v);
    if (source) labels.set(`${prefix}projectcalico.org/name`, name);
  };
  put('pcns.', from.namespaces.get(ns), ns);
  put('pcsa.', from.accounts.get(`${ns}/${account}`), account);
  for (const [k, v] of Object.entries(pod.metadata.labels ?? {})) labels.set(k, v);
  labels.set(NAMESPACE_LABEL, ns);
  labels.set('projectcalico.org/orchestrator', 'k8s');
  if (account && account.length < 63) labels.set('projectcalico.org/serviceaccount', account);
  return labels;
}

function workload(pod: KubeObject, from: Inherited, veth: (ns: string, name: string) => string): Endpoint | null {
  const spec = pod.spec ?? {};
  const nets = podIPs(pod);
  if (spec.hostNetwork || !spec.nodeName || !nets.length || finished(pod)) return null;
  const ns = pod.metadata.namespace ?? '';
  const account: string = spec.serviceAccountName ?? '';
  const ports = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap((c: any) => c.ports ?? []);
  return {
    key: `${ns}/${pod.metadata.name}`,
    kind: 'workload',
    node: spec.nodeName,
    interfaceName: veth(ns, pod.metadata.name),
    labels: labelsOf(pod, account, from),
    profiles: [`kns.${ns}`, ...(account ? [`ksa.${ns}.${account}`] : [])],
    nets,
    ports: ports.flatMap((p: any) =>
      p.name ? [{ name: p.name, protocol: (p.protocol ?? 'TCP').toLowerCase(), port: p.containerPort }] : [],
    ),
  };
}

function hostEndpoint(o: KubeObject): Endpoint {
  const s = o.spec ?? {};
  return {
    key: o.metadata.name,
    kind: 'host',
    node: s.node ?? '',
    interfaceName: s.interfaceName ?? '',
    labels: new Map(Object.entries(o.metadata.labels ?? {})),
    profiles: s.profiles ?? [],
    nets: s.expectedIPs ?? [],
    ports: (s.ports ?? []).map((p: any) => ({ name: p.name, protocol: String(p.protocol).toLowerCase(), port: p.port })),
  };
}

function networkSet(o: KubeObject, from: Inherited): Endpoint {
  const labels = new Map<string, string>();
  const ns = o.metadata.namespace;
  if (ns) {
    for (const [k, v] of Object.entries(from.namespaces.get(ns)?.metadata.labels ?? {})) labels.set(`pcns.${k}`, v);
    labels.set('pcns.projectcalico.org/name', ns);
    labels.set(NAMESPACE_LABEL, ns);
  }
  for (const [k, v] of Object.entries(o.metadata.labels ?? {})) labels.set(k, v);
  const key = `${ns ?? ''}/${o.metadata.name}`;
  return { key, kind: 'netset', node: '', interfaceName: '', labels, profiles: [], nets: o.spec?.nets ?? [], ports: [] };
}

export const labelLookup =
  (e: Endpoint): LabelOf =>
  label =>
    e.labels.get(label);

// -- policies

const INFINITE = Number.POSITIVE_INFINITY;

function withPrefix(text: string, prefix: string): string {
  const s = parseSelector(text, prefix);
  return s ? selectorText(s) : '';
}

/** updateprocessors: the policy's own selector, with its namespace and the selectors over namespaces and service accounts. */
function subjectSelector(o: KubeObject): string {
  const s = o.spec ?? {};
  let text: string = s.selector ?? '';
  if (o.metadata.namespace) text = and(text, `${NAMESPACE_LABEL} == '${o.metadata.namespace}'`);
  if (s.namespaceSelector) text = and(text, withPrefix(s.namespaceSelector, 'pcns.'));
  if (s.serviceAccountSelector) text = and(text, withPrefix(s.serviceAccountSelector, 'pcsa.'));
  return text;
}

function policy(fields: Omit<Policy, 'selector' | 'selectorText'>, selector: string): Policy {
  const parsed = parseSelector(selector) ?? { op: 'none' as const };
  return { ...fields, selector: parsed, selectorText: selectorText(parsed) };
}

const TIERLESS = { staged: false, preDNAT: false, untracked: false, applyOnForward: false };

function fromKubernetes(o: KubeObject): Policy {
  const ns = o.metadata.namespace ?? '';
  const s = o.spec ?? {};
  const types: string[] = s.policyTypes ?? ['Ingress', ...(s.egress ? ['Egress'] : [])];
  const fields = {
    ...TIERLESS,
    id: `knp/${ns}/${o.metadata.name}`,
    kind: 'KubernetesNetworkPolicy',
    shortKind: 'knp',
    name: o.metadata.name,
    namespace: ns,
    tier: 'default',
    order: 1000,
    ingress: types.includes('Ingress') ? kubernetesRules(s.ingress ?? [], 'ingress') : null,
    egress: types.includes('Egress') ? kubernetesRules(s.egress ?? [], 'egress') : null,
  };
  return policy(fields, and(podSelectorText(s.podSelector), `${NAMESPACE_LABEL} == '${ns}'`));
}

function fromCalico(o: KubeObject, staged: boolean): Policy {
  const s = o.spec ?? {};
  const ns = o.metadata.namespace ?? '';
  const kind = (staged ? 'Staged' : '') + (ns ? 'NetworkPolicy' : 'GlobalNetworkPolicy');
  const short = (staged ? 's' : '') + (ns ? 'np' : 'gnp');
  const types: string[] = s.types?.length ? s.types : [...(s.ingress || !s.egress ? ['Ingress'] : []), ...(s.egress ? ['Egress'] : [])];
  const name = o.metadata.name;
  const fields = {
    id: ns ? `${short}/${ns}/${name}` : `${short}/${name}`,
    kind,
    shortKind: short,
    name,
    namespace: ns,
    tier: s.tier ?? 'default',
    order: s.order ?? INFINITE,
    ingress: types.includes('Ingress') ? ((s.ingress ?? []) as ApiRule[]) : null,
    egress: types.includes('Egress') ? ((s.egress ?? []) as ApiRule[]) : null,
    staged,
    preDNAT: s.preDNAT ?? false,
    untracked: s.doNotTrack ?? false,
    applyOnForward: (s.applyOnForward ?? false) || (s.preDNAT ?? false) || (s.doNotTrack ?? false),
  };
  return policy(fields, subjectSelector(o));
}

function fromCluster(o: KubeObject): Policy {
  const s = o.spec ?? {};
  const subject = s.subject ?? {};
  const namespaces = subject.pods?.namespaceSelector ?? subject.namespaces ?? {};
  let selector = podSelectorText(subject.pods?.podSelector);
  const nsText = podSelectorText(namespaces, false);
  if (nsText) selector = and(selector, withPrefix(nsText, 'pcns.'));
  const fields = {
    ...TIERLESS,
    id: `kcnp/${o.metadata.name}`,
    kind: 'KubernetesClusterNetworkPolicy',
    shortKind: 'kcnp',
    name: o.metadata.name,
    namespace: '',
    tier: s.tier === 'Baseline' ? 'kube-baseline' : 'kube-admin',
    order: s.priority ?? 0,
    ingress: clusterNetworkPolicyRules(s.ingress ?? [], 'ingress'),
    egress: clusterNetworkPolicyRules(s.egress ?? [], 'egress'),
  };
  return policy(fields, selector);
}

/** felix/calc PolicySorter: by order, then by name. */
const before = (a: Policy, b: Policy): number =>
  a.order === b.order
    ? compareBytes(a.name, b.name) || compareBytes(a.namespace, b.namespace) || compareBytes(a.kind, b.kind)
    : a.order - b.order;

const BUILT_IN_TIERS: Tier[] = [
  { name: 'kube-admin', order: 1000, defaultPass: true },
  { name: 'default', order: 1_000_000, defaultPass: false },
  { name: 'kube-baseline', order: 10_000_000, defaultPass: true },
];

function tiersOf(server: ApiServer): Tier[] {
  const tiers = new Map(BUILT_IN_TIERS.map(t => [t.name, t]));
  for (const o of listObjects(server, 'tiers.projectcalico.org')) {
    const s = o.spec ?? {};
    const base = tiers.get(o.metadata.name);
    const defaultPass = s.defaultAction ? s.defaultAction === 'Pass' : (base?.defaultPass ?? false);
    tiers.set(o.metadata.name, { name: o.metadata.name, order: s.order ?? base?.order ?? INFINITE, defaultPass });
  }
  return [...tiers.values()].sort((a, b) => (a.order === b.order ? compareBytes(a.name, b.name) : a.order - b.order));
}

/** Buckets that the model is made of: a change of any of them may change rules or sets. */
export const MODEL_BUCKETS = [
  'pods',
  'namespaces',
  'serviceaccounts',
  'networkpolicies.networking.k8s.io',
  'clusternetworkpolicies.policy.networking.k8s.io',
  'networkpolicies.projectcalico.org',
  'globalnetworkpolicies.projectcalico.org',
  'stagednetworkpolicies.projectcalico.org',
  'stagedglobalnetworkpolicies.projectcalico.org',
  'tiers.projectcalico.org',
  'hostendpoints.projectcalico.org',
  'networksets.projectcalico.org',
  'globalnetworksets.projectcalico.org',
  'felixconfigurations.projectcalico.org',
  'bgpconfigurations.projectcalico.org',
  'clusterinformations.projectcalico.org',
  'ippools.projectcalico.org',
  'nodes',
];

export function readModel(server: ApiServer, veth: (ns: string, name: string) => string): Model {
  const list = (bucket: string) => listObjects(server, bucket);
  const from: Inherited = {
    namespaces: new Map(list('namespaces').map(o => [o.metadata.name, o])),
    accounts: new Map(list('serviceaccounts').map(o => [`${o.metadata.namespace}/${o.metadata.name}`, o])),
  };
  const endpoints: Endpoint[] = [];
  for (const pod of list('pods')) {
    const e = workload(pod, from, veth);
    if (e) endpoints.push(e);
  }
  for (const o of list('hostendpoints.projectcalico.org')) endpoints.push(hostEndpoint(o));
  for (const bucket of ['networksets.projectcalico.org', 'globalnetworksets.projectcalico.org']) {
    for (const o of list(bucket)) endpoints.push(networkSet(o, from));
  }
  const policies = [
    ...list('networkpolicies.networking.k8s.io').map(fromKubernetes),
    ...list('clusternetworkpolicies.policy.networking.k8s.io').map(fromCluster),
    ...['networkpolicies', 'globalnetworkpolicies'].flatMap(r => list(`${r}.projectcalico.org`).map(o => fromCalico(o, false))),
    ...['stagednetworkpolicies', 'stagedglobalnetworkpolicies'].flatMap(r => list(`${r}.projectcalico.org`).map(o => fromCalico(o, true))),
  ].sort(before);
  return { endpoints, policies, tiers: tiersOf(server) };
}

export const policiesFor = (m: Model, e: Endpoint): Policy[] => m.policies.filter(p => selects(p.selector, labelLookup(e)));
