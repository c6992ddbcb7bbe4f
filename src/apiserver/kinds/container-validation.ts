// Containers (k8s.io/kubernetes/pkg/apis/core/validation/validation.go v1.36.3).

import { duplicate, type FieldError, forbiddenField, invalidField, notSupported, required, tooMany } from '../field.ts';
import { containerResourceName, resourceRequirements } from './resources-validation.ts';
import {
  checkRule,
  isConfigMapKey,
  isDns1123Label,
  isDns1123Subdomain,
  isEnvVarName,
  isHttpHeaderName,
  isPortName,
  isPortNumber,
  isUserId,
  nonNegative,
  oneOf,
  PROTOCOLS,
  portNumberOrName,
  requiredOneOf,
} from './rules.ts';
import {
  descendingPath,
  noBacksteps,
  objectFieldSelector,
  resourceFieldSelector,
  type Volumes,
  validateVolumeDevices,
  validateVolumeMounts,
} from './volume-validation.ts';

type Any = any;

/** What containers of one pod share. */
export interface PodView {
  spec: Any;
  volumes: Volumes;
  claims: ReadonlySet<string>;
}

export function containerCommon(c: Any, pod: PodView, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!c.name) errors.push(required(`${field}.name`));
  else errors.push(...checkRule(`${field}.name`, c.name, isDns1123Label));
  if (!c.image) errors.push(required(`${field}.image`));
  if (!['File', 'FallbackToLogsOnError'].includes(c.terminationMessagePolicy)) {
    errors.push(notSupported(`${field}.terminationMessagePolicy`, c.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']));
  }
  errors.push(
    ...containerPorts(c.ports ?? [], `${field}.ports`),
    ...env(c.env ?? [], `${field}.env`),
    ...envFrom(c.envFrom ?? [], `${field}.envFrom`),
    ...validateVolumeMounts(c, pod.volumes, `${field}.volumeMounts`),
    ...validateVolumeDevices(c, pod.volumes, `${field}.volumeDevices`),
    ...requiredOneOf(`${field}.imagePullPolicy`, c.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    ...resourceRequirements(c.resources, containerResourceName, pod.claims, `${field}.resources`),
    ...resizePolicy(c.resizePolicy ?? [], pod.spec.restartPolicy, `${field}.resizePolicy`),
    ...securityContext(c.securityContext, `${field}.securityContext`, pod.spec.hostUsers !== false),
  );
  return errors;
}

function containerPorts(ports: Any[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, p] of ports.entries()) {
    const at = `${field}[${i}]`;
    if (p.name) {
      const bad = checkRule(`${at}.name`, p.name, isPortName);
      if (bad.length) errors.push(...bad);
      else if (names.has(p.name)) errors.push(duplicate(`${at}.name`, p.name));
      else names.add(p.name);
    }
    if (!p.containerPort) errors.push(required(`${at}.containerPort`));
    else for (const t of isPortNumber(p.containerPort)) errors.push(invalidField(`${at}.containerPort`, p.containerPort, t));
    if (p.hostPort) for (const t of isPortNumber(p.hostPort)) errors.push(invalidField(`${at}.hostPort`, p.hostPort, t));
    errors.push(...requiredOneOf(`${at}.protocol`, p.protocol, PROTOCOLS));
  }
  return errors;
}

const DOWNWARD_ENV = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

function env(vars: Any[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, v] of vars.entries()) {
    const at = `${field}[${i}]`;
    if (!v.name) errors.push(required(`${at}.name`));
    else errors.push(...checkRule(`${at}.name`, v.name, isEnvVarName));
    if (v.valueFrom) errors.push(...valueFrom(v, `${at}.valueFrom`));
  }
  return errors;
}

function keySelector(s: Any, field: string): FieldError[] {
  const errors = checkRule(`${field}.name`, s.name ?? '', isDns1123Subdomain);
  if (!s.key) errors.push(required(`${field}.key`));
  else errors.push(...checkRule(`${field}.key`, s.key, isConfigMapKey));
  return errors;
}

function fileKeySelector(s: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!s.key) errors.push(required(`${field}.key`));
  else errors.push(...checkRule(`${field}.key`, s.key, isEnvVarName));
  if (!s.volumeName) errors.push(required(`${field}.volumeName`));
  else errors.push(...checkRule(`${field}.volumeName`, s.volumeName, isDns1123Label));
  return [...errors, ...(s.path ? noBacksteps(`${field}.path`, s.path) : [required(`${field}.path`)])];
}

function valueFrom(v: Any, field: string): FieldError[] {
  const from = v.valueFrom;
  const errors: FieldError[] = [];
  if (from.fieldRef) errors.push(...objectFieldSelector(from.fieldRef, DOWNWARD_ENV, `${field}.fieldRef`));
  if (from.resourceFieldRef) errors.push(...resourceFieldSelector(from.resourceFieldRef, `${field}.resourceFieldRef`, false));
  if (from.configMapKeyRef) errors.push(...keySelector(from.configMapKeyRef, `${field}.configMapKeyRef`));
  if (from.secretKeyRef) errors.push(...keySelector(from.secretKeyRef, `${field}.secretKeyRef`));
  if (from.fileKeyRef) errors.push(...fileKeySelector(from.fileKeyRef, `${field}.fileKeyRef`));
  const n = Object.keys(from).length;
  const one = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
  if (!n) errors.push(invalidField(field, '', one));
  else if (v.value) errors.push(invalidField(field, '', 'may not be specified when `value` is not empty'));
  else if (n > 1) errors.push(invalidField(field, '', 'may not have more than one field specified at a time'));
  return errors;
}

function envFrom(list: Any[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, e] of list.entries()) {
    const at = `${field}[${i}]`;
    if (e.prefix) errors.push(...checkRule(`${at}.prefix`, e.prefix, isEnvVarName));
    for (const ref of ['configMapRef', 'secretRef']) {
      if (!e[ref]) continue;
      if (!e[ref].name) errors.push(required(`${at}.${ref}.name`));
      else errors.push(...checkRule(`${at}.${ref}.name`, e[ref].name, isDns1123Subdomain));
    }
    if (!e.configMapRef && !e.secretRef) errors.push(invalidField(field, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (e.configMapRef && e.secretRef) errors.push(invalidField(field, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}

function resizePolicy(list: Any[], podRestart: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, p] of list.entries()) {
    if (seen.has(p.resourceName)) errors.push(duplicate(`${field}[${i}]`, p.resourceName));
    seen.add(p.resourceName);
    errors.push(...requiredOneOf(field, p.resourceName, ['cpu', 'memory']));
    errors.push(...requiredOneOf(field, p.restartPolicy, ['NotRequired', 'RestartContainer']));
    if (podRestart === 'Never' && p.restartPolicy !== 'NotRequired') {
      errors.push(invalidField(field, p.restartPolicy ?? '', "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
  }
  return errors;
}

export function seccomp(p: Any, field: string): FieldError[] {
  if (!p) return [];
  const errors: FieldError[] = [];
  const types = ['Localhost', 'RuntimeDefault', 'Unconfined'];
  if (!p.type) errors.push(required(`${field}.type`, 'type is required when seccompProfile is set'));
  else errors.push(...oneOf(`${field}.type`, p.type, types));
  const path = `${field}.localhostProfile`;
  if (p.type === 'Localhost') {
    if (p.localhostProfile == null) errors.push(required(path, 'must be set when seccomp type is Localhost'));
    else errors.push(...descendingPath(path, p.localhostProfile));
  } else if (p.localhostProfile != null) {
    const shown = { Type: p.type ?? '', LocalhostProfile: p.localhostProfile };
    errors.push(invalidField(path, shown, 'can only be set when seccomp type is Localhost'));
  }
  return errors;
}

export function appArmor(p: Any, field: string): FieldError[] {
  if (!p) return [];
  const path = `${field}.localhostProfile`;
  if (p.type === 'Localhost') {
    if (!p.localhostProfile) return [required(path, 'must be set when AppArmor type is Localhost')];
    if (p.localhostProfile.trim() !== p.localhostProfile)
      return [invalidField(path, p.localhostProfile, 'must not be padded with whitespace')];
    return [];
  }
  if (!p.type) return [required(`${field}.type`, 'type is required when appArmorProfile is set')];
  if (p.type !== 'RuntimeDefault' && p.type !== 'Unconfined') {
    return [notSupported(`${field}.type`, p.type, ['Localhost', 'RuntimeDefault', 'Unconfined'])];
  }
  return p.localhostProfile == null ? [] : [invalidField(path, p.localhostProfile, 'can only be set when AppArmor type is Localhost')];
}

export const idRange = (field: string, value: number | undefined): FieldError[] =>
  value == null ? [] : isUserId(value).map(t => invalidField(field, value, t));

function securityContext(s: Any, field: string, hostUsers: boolean): FieldError[] {
  if (!s) return [];
  const errors = [...idRange(`${field}.runAsUser`, s.runAsUser), ...idRange(`${field}.runAsGroup`, s.runAsGroup)];
  if (s.procMount != null) {
    errors.push(...oneOf(`${field}.procMount`, s.procMount, ['Default', 'Unmasked']));
    if (hostUsers && s.procMount === 'Unmasked') {
      errors.push(invalidField(`${field}.procMount`, s.procMount, '`hostUsers` must be false to use `Unmasked`'));
    }
  }
  errors.push(...seccomp(s.seccompProfile, `${field}.seccompProfile`));
  if (s.allowPrivilegeEscalation === false) {
    const shown = internalSecurityContext(s);
    if (s.privileged) errors.push(invalidField(field, shown, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    if (s.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      errors.push(invalidField(field, shown, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
    }
  }
  return [...errors, ...appArmor(s.appArmorProfile, `${field}.appArmorProfile`)];
}

/** The internal type's fields and order: it has no JSON names. */
function internalSecurityContext(s: Any): Any {
  const capabilities = s.capabilities ? { Add: s.capabilities.add ?? null, Drop: s.capabilities.drop ?? null } : null;
  const se = s.seLinuxOptions;
  return {
    Capabilities: capabilities,
    Privileged: s.privileged ?? null,
    SELinuxOptions: se ? { User: se.user ?? '', Role: se.role ?? '', Type: se.type ?? '', Level: se.level ?? '' } : null,
    WindowsOptions: null,
    RunAsUser: s.runAsUser ?? null,
    RunAsGroup: s.runAsGroup ?? null,
    RunAsNonRoot: s.runAsNonRoot ?? null,
    ReadOnlyRootFilesystem: s.readOnlyRootFilesystem ?? null,
    AllowPrivilegeEscalation: s.allowPrivilegeEscalation ?? null,
    ProcMount: s.procMount ?? null,
    SeccompProfile: null,
    AppArmorProfile: null,
  };
}

// ---- probes and hooks

function handler(h: Any, kinds: string[], grace: number | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let n = 0;
  for (const kind of kinds) {
    const a = h[kind];
    if (!a) continue;
    const at = `${field}.${kind}`;
    if (n++) errors.push(forbiddenField(at, 'may not specify more than 1 handler type'));
    else if (kind === 'exec') errors.push(...(a.command?.length ? [] : [required(`${at}.command`)]));
    else if (kind === 'httpGet') errors.push(...httpGet(a, at));
    else if (kind === 'tcpSocket') errors.push(...portNumberOrName(`${at}.port`, a.port));
    else if (kind === 'grpc') errors.push(...portNumberOrName(`${at}.port`, a.port ?? 0));
    else if (grace != null && ((a.seconds ?? 0) < 0 || (a.seconds ?? 0) > grace)) {
      errors.push(invalidField(at, a.seconds ?? 0, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`));
    }
  }
  if (!n) errors.push(required(field, 'must specify a handler type'));
  return errors;
}

function httpGet(a: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!a.path) errors.push(required(`${field}.path`));
  errors.push(...portNumberOrName(`${field}.port`, a.port), ...oneOf(`${field}.scheme`, a.scheme, ['HTTP', 'HTTPS']));
  for (const h of a.httpHeaders ?? []) errors.push(...checkRule(`${field}.httpHeaders`, h.name ?? '', isHttpHeaderName));
  return errors;
}

function probe(p: Any, field: string, kind: 'liveness' | 'readiness' | 'startup', grace: number | undefined): FieldError[] {
  if (!p) return [];
  const errors = handler(p, ['exec', 'httpGet', 'tcpSocket', 'grpc'], grace, field);
  for (const k of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']) {
    errors.push(...nonNegative(`${field}.${k}`, p[k]));
  }
  const seconds = p.terminationGracePeriodSeconds;
  const path = `${field}.terminationGracePeriodSeconds`;
  if (seconds != null && seconds <= 0) errors.push(invalidField(path, seconds, 'must be greater than 0'));
  if (kind === 'readiness') {
    if (seconds != null) errors.push(invalidField(path, seconds, 'must not be set for readinessProbes'));
  } else if (p.successThreshold !== 1) errors.push(invalidField(`${field}.successThreshold`, p.successThreshold, 'must be 1'));
  return errors;
}

export function lifecycleAndProbes(c: Any, pod: PodView, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const grace: number | undefined = pod.spec.terminationGracePeriodSeconds;
  const hooks = ['exec', 'httpGet', 'tcpSocket', 'sleep'];
  if (c.lifecycle) {
    for (const k of ['postStart', 'preStop']) {
      if (c.lifecycle[k]) errors.push(...handler(c.lifecycle[k], hooks, grace, `${field}.lifecycle.${k}`));
    }
    if (c.lifecycle.stopSignal != null && !pod.spec.os) {
      errors.push(forbiddenField(`${field}.lifecycle.stopSignal`, 'may not be set for containers with empty `spec.os.name`'));
    }
  }
  return [
    ...errors,
    ...probe(c.livenessProbe, `${field}.livenessProbe`, 'liveness', grace),
    ...probe(c.readinessProbe, `${field}.readinessProbe`, 'readiness', grace),
    ...probe(c.startupProbe, `${field}.startupProbe`, 'startup', grace),
  ];
}

export function containerRestart(c: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const rules: Any[] = c.restartPolicyRules ?? [];
  if (c.restartPolicy == null) {
    if (!rules.length) return [];
    errors.push(required(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  } else errors.push(...oneOf(`${field}.restartPolicy`, c.restartPolicy, ['Always', 'Never', 'OnFailure']));
  if (rules.length > 20) errors.push(tooMany(`${field}.restartPolicyRules`, rules.length, 20));
  for (const [i, r] of rules.entries()) {
    const at = `${field}.restartPolicyRules[${i}]`;
    errors.push(...oneOf(`${at}.action`, r.action, ['Restart', 'RestartAllContainers']));
    if (!r.exitCodes) errors.push(required(`${at}.exitCodes`, 'must be specified'));
    else errors.push(...oneOf(`${at}.exitCodes.operator`, r.exitCodes.operator, ['In', 'NotIn']));
  }
  return errors;
}

/** Duplicates among the host ports of some containers. */
export function hostPortConflicts(containers: Any[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, c] of containers.entries()) {
    for (const [k, p] of (c.ports ?? []).entries()) {
      if (!p.hostPort) continue;
      const key = `${p.protocol}/${p.hostIP ?? ''}/${p.hostPort}`;
      if (seen.has(key)) errors.push(duplicate(`${field}[${i}].ports[${k}].hostPort`, key));
      seen.add(key);
    }
  }
  return errors;
}
