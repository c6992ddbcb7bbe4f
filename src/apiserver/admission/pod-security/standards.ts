// Levels and versions of the Pod Security Standards: which checks they are made of
// (k8s.io/pod-security-admission/policy/registry.go, api/helpers.go v0.36.3).

import { type FieldError, invalidField } from '../../field.ts';
import type { Json } from '../../json.ts';
import * as baseline from './baseline.ts';
import type { Check } from './containers.ts';
import * as restricted from './restricted.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

export interface Standard {
  level: Level;
  /** `latest` or `v1.30`. */
  version: string;
}

const { notOnWindows, unlessInUserNamespace } = restricted;

/** By their names, the order in which findings are told: from which minor version of Kubernetes on a check is which. */
const BASELINE: [id: string, versions: [sinceMinor: number, check: Check][]][] = [
  ['appArmorProfile', [[0, baseline.appArmorProfile]]],
  ['capabilities_baseline', [[0, baseline.capabilities]]],
  ['hostNamespaces', [[0, baseline.hostNamespaces]]],
  ['hostPathVolumes', [[0, baseline.hostPathVolumes]]],
  ['hostPorts', [[0, baseline.hostPorts]]],
  ['hostProbesAndHostLifecycle', [[34, baseline.hostProbes]]],
  ['privileged', [[0, baseline.privileged]]],
  [
    'procMount',
    [
      [0, baseline.procMount],
      [35, baseline.procMountRelaxed],
    ],
  ],
  [
    'seLinuxOptions',
    [
      [0, baseline.seLinuxOptions],
      [31, baseline.seLinuxOptionsWithEngine],
    ],
  ],
  [
    'seccompProfile_baseline',
    [
      [0, baseline.seccompAnnotations],
      [19, baseline.seccompProfile],
    ],
  ],
  ['sysctls', [0, 27, 29, 32].map((minor): [number, Check] => [minor, baseline.sysctls(minor)])],
  ['windowsHostProcess', [[0, baseline.windowsHostProcess]]],
];

/** `instead`: the baseline check that it makes needless. */
const RESTRICTED: [id: string, versions: [sinceMinor: number, check: Check][], instead?: string][] = [
  [
    'allowPrivilegeEscalation',
    [
      [8, restricted.allowPrivilegeEscalation],
      [25, notOnWindows(restricted.allowPrivilegeEscalation)],
    ],
  ],
  [
    'capabilities_restricted',
    [
      [22, restricted.dropAll],
      [25, notOnWindows(restricted.dropAll)],
    ],
    'capabilities_baseline',
  ],
  ['procMount_restricted', [[35, baseline.procMount]], 'procMount'],
  ['restrictedVolumes', [[0, restricted.restrictedVolumes]], 'hostPathVolumes'],
  [
    'runAsNonRoot',
    [
      [0, restricted.runAsNonRoot],
      [35, unlessInUserNamespace(restricted.runAsNonRoot)],
    ],
  ],
  [
    'runAsUser',
    [
      [23, restricted.runAsUser],
      [35, unlessInUserNamespace(restricted.runAsUser)],
    ],
  ],
  [
    'seccompProfile_restricted',
    [
      [19, restricted.seccompRequired],
      [25, notOnWindows(restricted.seccompRequired)],
    ],
    'seccompProfile_baseline',
  ],
];

const minorOf = (version: string): number => (version === 'latest' ? Number.POSITIVE_INFINITY : Number(version.slice(3)));

/** What is against a pod, check by check. */
export function evaluate({ level, version }: Standard, meta: Json, spec: Json): { reason: string; detail: string }[] {
  if (level === 'privileged') return [];
  const minor = minorOf(version);
  const current = (versions: [number, Check][]): Check | undefined => versions.filter(([since]) => since <= minor).pop()?.[1];
  const more = level === 'restricted' ? RESTRICTED.filter(([, versions]) => current(versions)) : [];
  const needless = new Set(more.map(([, , instead]) => instead));
  const checks = [...BASELINE.filter(([id]) => !needless.has(id)), ...more].map(([, versions]) => current(versions));
  return checks.flatMap(check => check?.(meta, spec) ?? []);
}

export interface Policy {
  enforce: Standard;
  audit: Standard;
  warn: Standard;
}

const PREFIX = 'pod-security.kubernetes.io/';
const LEVELS: Level[] = ['privileged', 'baseline', 'restricted'];

/** What a namespace's labels ask for, and what is wrong with them. A level to enforce that is none is the strictest. */
export function policyOf(labels: Record<string, string>): { policy: Policy; errors: FieldError[] } {
  const none = (): Standard => ({ level: 'privileged', version: 'latest' });
  const policy: Policy = { enforce: none(), audit: none(), warn: none() };
  const errors: FieldError[] = [];
  const wrong = (key: string, why: string) => errors.push(invalidField(`metadata.labels[${key}]`, labels[key], why));
  for (const mode of ['enforce', 'audit', 'warn'] as const) {
    const key = `${PREFIX}${mode}`;
    const level = labels[key] as Level | undefined;
    if (level !== undefined && LEVELS.includes(level)) policy[mode].level = level;
    else if (level !== undefined) {
      wrong(key, `must be one of ${LEVELS.join(', ')}`);
      policy[mode].level = mode === 'enforce' ? 'restricted' : 'privileged';
    }
    const version = labels[`${key}-version`];
    if (version !== undefined && /^(?:latest|v1\.(?:\d|[1-9]\d*))$/.test(version)) policy[mode].version = version;
    else if (version !== undefined) wrong(`${key}-version`, 'must be "latest" or "v1.x"');
  }
  const enforced = labels[`${PREFIX}enforce`] as Level;
  if (labels[`${PREFIX}warn`] === undefined && LEVELS.indexOf(enforced) > 0) {
    policy.warn.level = enforced;
    if (labels[`${PREFIX}warn-version`] === undefined) policy.warn.version = policy.enforce.version;
  }
  return { policy, errors };
}

export const stricter = (a: Level, b: Level): boolean => LEVELS.indexOf(a) > LEVELS.indexOf(b);
export const sameStandard = (a: Standard, b: Standard): boolean => a.level === b.level && a.version === b.version;
export const nameOf = (s: Standard): string => `${s.level}:${s.version}`;
