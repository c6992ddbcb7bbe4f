// Warnings about pods and templates (k8s.io/kubernetes/pkg/api/pod/warnings.go v1.36.3).

import { quantity } from '../quantity.ts';
import type { KubeObject } from '../types.ts';
import { ipWarnings, isDns1123Label } from './rules.ts';

type Any = any;

const LABELS: Record<string, string> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

const ANNOTATIONS: Record<string, string> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};

const VOLUMES: Record<string, string> = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

/** A new object's name that is good enough for the API but not for DNS. */
function nameWarnings(o: KubeObject, old: KubeObject | null, where: string): string[] {
  const wrong = old ? [] : isDns1123Label(o.metadata.name);
  if (!wrong.length) return [];
  return [
    `metadata.name: this is used in ${where}, which can result in surprising behavior; a DNS label is recommended: [${wrong.join(' ')}]`,
  ];
}

export const podWarnings = (o: KubeObject, old: KubeObject | null): string[] =>
  old ? [] : [...nameWarnings(o, old, "the Pod's hostname"), ...warnings(o.metadata.annotations, o.spec ?? {}, '')];

const ofTemplate = (template: Any, prefix: string): string[] => warnings(template?.metadata?.annotations, template?.spec ?? {}, prefix);

/** Updates warn only when they make a new generation. */
const sameGeneration = (o: KubeObject, old: KubeObject | null): boolean => !!old && o.metadata.generation === old.metadata.generation;

export const templateWarnings = (o: KubeObject, old: KubeObject | null): string[] =>
  sameGeneration(o, old) ? [] : ofTemplate(o.spec?.template, 'spec.template.');

export const namedTemplateWarnings = (o: KubeObject, old: KubeObject | null): string[] => [
  ...nameWarnings(o, old, 'Pod names and hostnames'),
  ...templateWarnings(o, old),
];

const BIG_INDEXED =
  'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';

const jobSpecWarnings = (s: Any, prefix: string): string[] => [
  ...(s?.completionMode === 'Indexed' && s.completions > 100000 && s.parallelism > 10000 ? [`${prefix}: ${BIG_INDEXED}`] : []),
  ...ofTemplate(s?.template, `${prefix}.template.`),
];

export const jobWarnings = (o: KubeObject, old: KubeObject | null): string[] => [
  ...nameWarnings(o, old, 'Pod names and hostnames'),
  ...(sameGeneration(o, old) ? [] : jobSpecWarnings(o.spec, 'spec')),
];

function claimSpecWarnings(s: Any, at: string): string[] {
  const out: string[] = [];
  for (const part of ['requests', 'limits']) {
    const text = s?.resources?.[part]?.storage;
    if (text != null && fractional(text)) {
      out.push(`${at}.resources.${part}[storage]: fractional byte value "${text}" is invalid, must be an integer`);
    }
  }
  return out;
}

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

export const claimWarnings = (o: KubeObject): string[] => [
  ...(o.metadata.annotations?.[BETA_CLASS] != null
    ? [`metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`]
    : []),
  ...claimSpecWarnings(o.spec, 'spec'),
];

export const statefulSetWarnings = (o: KubeObject, old: KubeObject | null): string[] => [
  ...templateWarnings(o, old),
  ...(o.spec?.volumeClaimTemplates ?? []).flatMap((t: Any, i: number) =>
    claimSpecWarnings(t.spec, `spec.volumeClaimTemplates[${i}]${old ? '.Spec' : ''}`),
  ),
  ...(o.spec?.revisionHistoryLimit < 0
    ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
    : []),
];

export const cronJobWarnings = (o: KubeObject, old: KubeObject | null): string[] => [
  ...nameWarnings(o, old, 'Pod names and hostnames'),
  ...(sameGeneration(o, old) ? [] : jobSpecWarnings(o.spec?.jobTemplate?.spec, 'spec.jobTemplate.spec')),
  ...(old && o.spec?.schedule?.includes('TZ')
    ? [
        'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
      ]
    : []),
];

function warnings(notes: Record<string, string> | undefined, spec: Any, prefix: string): string[] {
  const out: string[] = [];
  const at = `${prefix}spec`;
  for (const k of Object.keys(spec.nodeSelector ?? {}).sort()) if (LABELS[k]) out.push(`${at}.nodeSelector[${k}]: ${LABELS[k]}`);
  for (const [i, t] of (spec.topologySpreadConstraints ?? []).entries()) {
    const path = `${at}.topologySpreadConstraints[${i}]`;
    if (LABELS[t.topologyKey]) out.push(`${path}.topologyKey: ${t.topologyKey} is ${LABELS[t.topologyKey]}`);
    if (!t.labelSelector) out.push(`${path}.labelSelector: a null labelSelector results in matching no pod`);
  }
  for (const k in ANNOTATIONS) if (notes?.[k] != null) out.push(`${prefix}metadata.annotations[${k}]: ${ANNOTATIONS[k]}`);
  for (const [i, v] of (spec.volumes ?? []).entries()) {
    for (const k in VOLUMES) if (v[k]) out.push(`${at}.volumes[${i}].${k === 'storageos' ? 'storageOS' : k}: ${VOLUMES[k]}`);
  }
  const aliases = new Set<string>();
  for (const [i, a] of (spec.hostAliases ?? []).entries()) {
    if (aliases.has(a.ip)) out.push(`${at}.hostAliases[${i}].ip: duplicate ip "${a.ip}"`);
    aliases.add(a.ip);
  }
  const secrets = new Set<string>();
  for (const [i, s] of (spec.imagePullSecrets ?? []).entries()) {
    if (secrets.has(s.name)) out.push(`${at}.imagePullSecrets[${i}].name: duplicate name "${s.name}"`);
    secrets.add(s.name);
  }
  for (const [i, s] of (spec.imagePullSecrets ?? []).entries()) {
    if (!s.name) out.push(`${at}.imagePullSecrets[${i}].name: invalid empty name ""`);
  }
  const containers = visit(spec, at);
  for (const [c, path] of containers) out.push(...containerWarnings(c, path));
  out.push(...portWarnings(containers));
  if (spec.terminationGracePeriodSeconds < 0) {
    out.push(`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`);
  }
  out.push(...affinityWarnings(spec.affinity, `${at}.affinity`));
  for (const [i, n] of (spec.dnsConfig?.nameservers ?? []).entries()) out.push(...ipWarnings(`${at}.dnsConfig.nameservers[${i}]`, n));
  for (const [i, a] of (spec.hostAliases ?? []).entries()) out.push(...ipWarnings(`${at}.hostAliases[${i}].ip`, a.ip ?? ''));
  return out;
}

function visit(spec: Any, at: string): [Any, string][] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap(list =>
    (spec[list] ?? []).map((c: Any, i: number): [Any, string] => [c, `${at}.${list}[${i}]`]),
  );
}

/** By MilliValue, which overflows. */
const fractional = (text: string): boolean => BigInt.asIntN(64, quantity(text).nano / 1_000_000n) % 1000n !== 0n;

function containerWarnings(c: Any, path: string): string[] {
  const out: string[] = [];
  for (const name of ['memory', 'ephemeral-storage']) {
    for (const part of ['limits', 'requests']) {
      const text = c.resources?.[part]?.[name];
      if (text != null && fractional(text)) {
        out.push(`${path}.resources.${part}[${name}]: fractional byte value "${text}" is invalid, must be an integer`);
      }
    }
  }
  const seen = new Set<string>();
  for (const [i, e] of (c.env ?? []).entries()) {
    const ref = `$(${e.name})`;
    const value: string = e.value ?? '';
    const hides = e.valueFrom || value === ref || !value.includes(ref);
    if (seen.has(e.name) && hides) {
      out.push(`${path}.env[${i}]: hides previous definition of "${e.name}", which may be dropped when using apply`);
    }
    seen.add(e.name);
  }
  return out;
}

function portWarnings(containers: [Any, string][]): string[] {
  const out: string[] = [];
  const byPort = new Map<string, { path: string; port: Any }[]>();
  for (const [c, path] of containers) {
    for (const [i, p] of (c.ports ?? []).entries()) {
      const at = `${path}.ports[${i}]`;
      const key = `${p.containerPort}/${p.protocol}`;
      const others = byPort.get(key) ?? [];
      const [ip, host] = [p.hostIP ?? '', p.hostPort ?? 0];
      for (const o of others) {
        const [ip2, host2] = [o.port.hostIP ?? '', o.port.hostPort ?? 0];
        if (ip === ip2 && host === host2) out.push(`${at}: duplicate port definition with ${o.path}`);
        else if (!host || !host2) out.push(`${at}: overlapping port definition with ${o.path}`);
        else if (host === host2 && (ip === '') !== (ip2 === '')) out.push(`${at}: dangerously ambiguous port definition with ${o.path}`);
      }
      byPort.set(key, [...others, { path: at, port: p }]);
    }
  }
  const names = new Map<string, string>();
  for (const [c, path] of containers) {
    for (const [i, p] of (c.ports ?? []).entries()) {
      if (!p.name) continue;
      const at = `${path}.ports[${i}]`;
      const first = names.get(p.name);
      if (!first) names.set(p.name, at);
      else
        out.push(`${at}: duplicate port name "${p.name}" with ${first}, services and probes that select ports by name will use ${first}`);
    }
  }
  return out;
}

function affinityWarnings(a: Any, at: string): string[] {
  const out: string[] = [];
  const none = 'a null labelSelector results in matching no pod';
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    for (const [i, t] of (a?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      if (!t.labelSelector) out.push(`${at}.${kind}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector: ${none}`);
    }
    for (const [i, t] of (a?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      const path = `${at}.${kind}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      if (!t.podAffinityTerm?.labelSelector) out.push(`${path}.podAffinityTerm.labelSelector: ${none}`);
    }
  }
  return out;
}
