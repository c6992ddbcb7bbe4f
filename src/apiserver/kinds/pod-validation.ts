// Pods and pod templates (k8s.io/kubernetes/pkg/apis/core/validation/validation.go v1.36.3).

import { duplicate, type FieldError, forbiddenField, invalidField, notFoundField, notSupported, required, tooLong } from '../field.ts';
import { cloneJson, sameJson } from '../json.ts';
import { compareQuantity, quantity } from '../quantity.ts';
import type { KubeObject, ObjectMeta } from '../types.ts';
import { validateAffinity, validateTolerations, validateTopologySpread } from './affinity-validation.ts';
import {
  appArmor,
  containerCommon,
  containerRestart,
  hostPortConflicts,
  idRange,
  lifecycleAndProbes,
  type PodView,
  seccomp,
} from './container-validation.ts';
import { internalDiff } from './internal-diff.ts';
import { validateAnnotations, validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { validateEphemeralUpdate, validateResize } from './pod-part-update.ts';
import { aggregateRequests } from './pod-resources.ts';
import { podResourceName, quantityValue, resourceName, resourceRequirements } from './resources-validation.ts';
import {
  byteLength,
  checkRule,
  inRange,
  isDns1123Label,
  isDns1123Subdomain,
  isDns1123SubdomainWithUnderscore,
  isQualifiedName,
  legacyIp,
  nameIsSubdomain,
  oneOf,
  validateLabels,
} from './rules.ts';
import { validateVolumes } from './volume-validation.ts';

type Any = any;
const MAX_INT32 = 2147483647;

export function validatePod(o: KubeObject): FieldError[] {
  const errors = metadataAndSpec(o);
  if (o.spec.ephemeralContainers?.length) errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'));
  if (o.spec.nodeName && o.spec.schedulingGates?.length) {
    errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return errors;
}

function metadataAndSpec(o: KubeObject): FieldError[] {
  const errors = [
    ...validateMetadata(o.metadata, true, nameIsSubdomain),
    ...podAnnotations(o.metadata.annotations, o.spec, 'metadata.annotations'),
    ...validatePodSpec(o.spec, o.metadata, 'spec', true),
  ];
  for (const list of ['containers', 'initContainers']) {
    for (const [i, c] of (o.spec[list] ?? []).entries()) {
      if ((c.image ?? '').trim() !== (c.image ?? '')) {
        errors.push(invalidField(`spec.${list}[${i}].image`, c.image, 'must not have leading or trailing whitespace'));
      }
    }
  }
  return errors;
}

export function podAnnotations(notes: Record<string, string> | undefined, spec: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const mirror = notes?.['kubernetes.io/config.mirror'];
  if (mirror != null && !spec.nodeName) {
    errors.push(invalidField(`${field}[kubernetes.io/config.mirror]`, mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  }
  const key = 'controller.kubernetes.io/pod-deletion-cost';
  const cost = notes?.[key];
  if (cost != null && (!/^(0|-?[1-9]\d*)$/.test(cost) || Math.abs(Number(cost)) > MAX_INT32)) {
    errors.push(invalidField(`${field}[${key}]`, cost, 'must be a 32bit integer'));
  }
  return errors;
}

export function validatePodTemplate(t: Any, field: string): FieldError[] {
  const errors = [
    ...validateLabels(t.metadata?.labels, `${field}.labels`),
    ...validateAnnotations(t.metadata?.annotations, `${field}.annotations`),
    ...podAnnotations(t.metadata?.annotations, t.spec ?? {}, `${field}.annotations`),
    ...validatePodSpec(t.spec ?? {}, null, `${field}.spec`, false),
  ];
  if (t.spec?.ephemeralContainers?.length) {
    errors.push(forbiddenField(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
  return errors;
}

function containers(pod: PodView, field: string): FieldError[] {
  const list: Any[] = pod.spec.containers ?? [];
  if (!list.length) return [required(field)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, c] of list.entries()) {
    const at = `${field}[${i}]`;
    errors.push(...containerCommon(c, pod, at));
    if (names.has(c.name ?? '')) errors.push(duplicate(`${at}.name`, c.name ?? ''));
    names.add(c.name ?? '');
    errors.push(...lifecycleAndProbes(c, pod, at), ...containerRestart(c, at));
  }
  return [...errors, ...hostPortConflicts(list, field)];
}

function initContainers(pod: PodView, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>((pod.spec.containers ?? []).map((c: Any) => c.name));
  for (const [i, c] of (pod.spec.initContainers ?? []).entries()) {
    const at = `${field}[${i}]`;
    errors.push(...containerCommon(c, pod, at), ...containerRestart(c, at));
    if (names.has(c.name)) errors.push(duplicate(`${at}.name`, c.name));
    else if (c.name) names.add(c.name);
    errors.push(...hostPortConflicts([c], field));
    const always = c.restartPolicy === 'Always';
    if (always) errors.push(...lifecycleAndProbes(c, pod, at));
    else {
      for (const k of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe']) {
        if (c[k]) errors.push(forbiddenField(`${at}.${k}`, 'may not be set for init containers without restartPolicy=Always'));
      }
      for (const [k, p] of (c.resizePolicy ?? []).entries()) {
        const why = "must not be set to 'RestartContainer' for non-sidecar initContainers";
        if (p.restartPolicy === 'RestartContainer')
          errors.push(invalidField(`${at}.resizePolicy[${k}].restartPolicy`, p.restartPolicy, why));
      }
    }
  }
  return errors;
}

const EPHEMERAL_MAY_NOT = [
  'ports',
  'resources',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
];

function ephemeralContainers(pod: PodView, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const others = new Set<string>([...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].map((c: Any) => c.name));
  const names = new Set(others);
  for (const [i, c] of (pod.spec.ephemeralContainers ?? []).entries()) {
    const at = `${field}[${i}]`;
    errors.push(...containerCommon(c, pod, at));
    if (names.has(c.name)) errors.push(duplicate(`${at}.name`, c.name));
    names.add(c.name);
    if (c.targetContainerName && !others.has(c.targetContainerName)) {
      errors.push(notFoundField(`${at}.targetContainerName`, c.targetContainerName));
    }
    for (const k of EPHEMERAL_MAY_NOT) {
      const set = c[k] != null && !(k === 'resources' && !Object.keys(c[k]).length) && !(Array.isArray(c[k]) && !c[k].length);
      if (set) errors.push(forbiddenField(`${at}.${k}`, 'cannot be set for an Ephemeral Container'));
    }
  }
  return errors;
}

/** `isPod`: of a Pod, not of a template. */
function validatePodSpec(spec: Any, meta: ObjectMeta | null, field: string, isPod: boolean): FieldError[] {
  const { volumes, errors } = validateVolumes(spec.volumes ?? [], meta, `${field}.volumes`);
  const claims = new Set<string>((spec.resourceClaims ?? []).map((c: Any) => c.name).filter(Boolean));
  const pod: PodView = { spec, volumes, claims };
  errors.push(
    ...resourceClaims(spec.resourceClaims ?? [], `${field}.resourceClaims`),
    ...containers(pod, `${field}.containers`),
    ...initContainers(pod, `${field}.initContainers`),
    ...ephemeralContainers(pod, `${field}.ephemeralContainers`),
    ...podResources(pod, `${field}.resources`),
    ...hostNetworkPorts(spec, `${field}.containers`, isPod),
    ...choice(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${field}.restartPolicy`),
    ...choice(spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], `${field}.dnsPolicy`),
    ...validateLabels(spec.nodeSelector, `${field}.nodeSelector`),
    ...podSecurityContext(spec, `${field}.securityContext`),
    ...validateAffinity(spec.affinity, `${field}.affinity`),
    ...dnsConfig(spec, `${field}.dnsConfig`),
    ...gates(spec, field),
    ...validateTopologySpread(spec.topologySpreadConstraints ?? [], `${field}.topologySpreadConstraints`),
    ...hostUsers(spec, field),
    ...hostnameOverride(spec, field),
    ...names(spec, field),
    ...validateTolerations(spec.tolerations ?? [], `${field}.tolerations`),
  );
  for (const [i, a] of (spec.hostAliases ?? []).entries()) {
    errors.push(...legacyIp(`${field}.hostAliases[${i}].ip`, a.ip ?? ''));
    for (const [k, h] of (a.hostnames ?? []).entries()) {
      errors.push(...checkRule(`${field}.hostAliases[${i}].hostnames[${k}]`, h, isDns1123Subdomain));
    }
  }
  return [...errors, ...lateFields(spec, field), ...fileKeyVolumes(spec, field)];
}

const choice = (value: string | undefined, list: string[], field: string): FieldError[] =>
  !value ? [required(field)] : list.includes(value) ? [] : [notSupported(field, value, list)];

function names(spec: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.serviceAccountName) errors.push(...checkRule(`${field}.serviceAccountName`, spec.serviceAccountName, isDns1123Subdomain));
  if (spec.nodeName) errors.push(...checkRule(`${field}.nodeName`, spec.nodeName, isDns1123Subdomain));
  if (spec.activeDeadlineSeconds != null) {
    for (const t of inRange(spec.activeDeadlineSeconds, 1, MAX_INT32)) {
      errors.push(invalidField(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, t));
    }
  }
  if (spec.hostname) errors.push(...checkRule(`${field}.hostname`, spec.hostname, isDns1123Label));
  if (spec.subdomain) errors.push(...checkRule(`${field}.subdomain`, spec.subdomain, isDns1123Label));
  return errors;
}

function lateFields(spec: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.priorityClassName) errors.push(...checkRule(`${field}.priorityClassName`, spec.priorityClassName, isDns1123Subdomain));
  if (spec.runtimeClassName != null) errors.push(...checkRule(`${field}.runtimeClassName`, spec.runtimeClassName, isDns1123Subdomain));
  if (spec.preemptionPolicy != null) {
    errors.push(...choice(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${field}.preemptionPolicy`));
  }
  for (const k of Object.keys(spec.overhead ?? {}).sort()) {
    errors.push(...resourceName(k, `${field}.overhead[${k}]`), ...quantityValue(k, spec.overhead[k], `${field}.overhead[${k}]`));
  }
  if (spec.os) {
    if (!spec.os.name) errors.push(required(`${field}.os.name`));
    else errors.push(...oneOf(`${field}.os`, spec.os.name, ['linux', 'windows']));
  }
  return errors;
}

function resourceClaims(list: Any[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, c] of list.entries()) {
    const at = `${field}[${i}]`;
    if (!c.name) errors.push(required(`${at}.name`));
    else if (seen.has(c.name)) errors.push(duplicate(`${at}.name`, c.name));
    else errors.push(...checkRule(`${at}.name`, c.name, isDns1123Label));
    seen.add(c.name);
    const shown = {
      Name: c.name ?? '',
      ResourceClaimName: c.resourceClaimName ?? null,
      ResourceClaimTemplateName: c.resourceClaimTemplateName ?? null,
    };
    if (c.resourceClaimName != null && c.resourceClaimTemplateName != null) {
      errors.push(invalidField(at, shown, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'));
    } else if (c.resourceClaimName == null && c.resourceClaimTemplateName == null) {
      errors.push(invalidField(at, shown, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    }
  }
  return errors;
}

function podResources(pod: PodView, field: string): FieldError[] {
  const r = pod.spec.resources;
  if (!r) return [];
  const errors: FieldError[] = [];
  if (r.claims) errors.push(forbiddenField(`${field}.claims`, 'claims may not be set for Resources at pod-level'));
  errors.push(...resourceRequirements(r, podResourceName, pod.claims, field));
  const sums = aggregateRequests(pod.spec);
  for (const k of Object.keys(sums).sort()) {
    const mine = r.requests?.[k];
    if (mine != null && compareQuantity(quantity(sums[k]), quantity(mine)) > 0) {
      errors.push(
        invalidField(`${field}.requests[${k}]`, mine, `must be greater than or equal to aggregate container requests of ${sums[k]}`),
      );
    }
  }
  for (const [i, c] of (pod.spec.containers ?? []).entries()) {
    for (const k of Object.keys(c.resources?.limits ?? {}).sort()) {
      const limit = r.limits?.[k];
      if (limit != null && compareQuantity(quantity(c.resources.limits[k]), quantity(limit)) > 0) {
        const at = `${field}.containers[${i}][${k}].limits`;
        errors.push(invalidField(at, c.resources.limits[k], `must be less than or equal to pod limits of ${limit}`));
      }
    }
  }
  return errors;
}

function hostNetworkPorts(spec: Any, field: string, isPod: boolean): FieldError[] {
  if (!spec.hostNetwork) return [];
  const errors: FieldError[] = [];
  for (const [i, c] of (spec.containers ?? []).entries()) {
    for (const [k, p] of (c.ports ?? []).entries()) {
      const host = p.hostPort ?? 0;
      if ((isPod || host !== 0) && host !== (p.containerPort ?? 0)) {
        errors.push(invalidField(`${field}[${i}].ports[${k}].hostPort`, host, 'must match `containerPort` when `hostNetwork` is true'));
      }
    }
  }
  return errors;
}

const SYSCTL = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const IPC = /^(kernel[./](shm|msg|sem)|fs[./]mqueue[./])/;

function podSecurityContext(spec: Any, field: string): FieldError[] {
  const s = spec.securityContext;
  if (!s) return [];
  const errors = [
    ...idRange(`${field}.fsGroup`, s.fsGroup),
    ...idRange(`${field}.runAsUser`, s.runAsUser),
    ...idRange(`${field}.runAsGroup`, s.runAsGroup),
    ...(s.supplementalGroups ?? []).flatMap((g: number, i: number) => idRange(`${field}.supplementalGroups[${i}]`, g)),
  ];
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.push(invalidField(`${field}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  }
  const seen = new Set<string>();
  for (const [i, c] of (s.sysctls ?? []).entries()) {
    const at = `${field}.sysctls[${i}].name`;
    const name = c.name ?? '';
    if (!name) errors.push(required(at));
    else if (byteLength(name) > 253 || !new RegExp(SYSCTL).test(name)) {
      errors.push(invalidField(at, name, `must have at most 253 characters and match regex ${SYSCTL}`));
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    if (spec.hostNetwork && /^net[./]/.test(name)) errors.push(invalidField(at, name, "may not be specified when 'hostNetwork' is true"));
    else if (spec.hostIPC && IPC.test(name)) errors.push(invalidField(at, name, "may not be specified when 'hostIPC' is true"));
    seen.add(name);
  }
  if (s.fsGroupChangePolicy != null)
    errors.push(...oneOf(`${field}.fsGroupChangePolicy`, s.fsGroupChangePolicy, ['Always', 'OnRootMismatch']));
  errors.push(...seccomp(s.seccompProfile, `${field}.seccompProfile`), ...appArmor(s.appArmorProfile, `${field}.appArmorProfile`));
  if (s.supplementalGroupsPolicy != null) {
    errors.push(...oneOf(`${field}.supplementalGroupsPolicy`, s.supplementalGroupsPolicy, ['Merge', 'Strict']));
  }
  if (s.seLinuxChangePolicy != null)
    errors.push(...oneOf(`${field}.seLinuxChangePolicy`, s.seLinuxChangePolicy, ['MountOption', 'Recursive']));
  return errors;
}

function dnsConfig(spec: Any, field: string): FieldError[] {
  const c = spec.dnsConfig;
  if (spec.dnsPolicy === 'None') {
    if (!c) return [required(field, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if (!c.nameservers?.length)
      return [required(`${field}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')];
  }
  if (!c) return [];
  const errors: FieldError[] = [];
  const servers: string[] = c.nameservers ?? [];
  const searches: string[] = c.searches ?? [];
  if (servers.length > 3) errors.push(invalidField(`${field}.nameservers`, servers, 'must not have more than 3 nameservers'));
  for (const [i, n] of servers.entries()) errors.push(...legacyIp(`${field}.nameservers[${i}]`, n));
  if (searches.length > 32) errors.push(invalidField(`${field}.searches`, searches, 'must not have more than 32 search paths'));
  if (byteLength(searches.join(' ')) > 2048) {
    errors.push(
      invalidField(`${field}.searches`, searches, 'must not have more than 2048 characters (including spaces) in the search list'),
    );
  }
  for (const [i, s] of searches.entries()) {
    if (s !== '.') errors.push(...checkRule(`${field}.searches[${i}]`, s.replace(/\.$/, ''), isDns1123SubdomainWithUnderscore));
  }
  for (const [i, o] of (c.options ?? []).entries()) if (!o.name) errors.push(required(`${field}.options[${i}]`, 'must not be empty'));
  return errors;
}

function gates(spec: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, g] of (spec.readinessGates ?? []).entries()) {
    errors.push(...checkRule(`${field}.readinessGates[${i}].conditionType`, g.conditionType ?? '', isQualifiedName));
  }
  const seen = new Set<string>();
  for (const [i, g] of (spec.schedulingGates ?? []).entries()) {
    errors.push(...checkRule(`${field}.schedulingGates[${i}]`, g.name ?? '', isQualifiedName));
    if (seen.has(g.name)) errors.push(duplicate(`${field}.schedulingGates[${i}]`, g.name));
    seen.add(g.name);
  }
  return errors;
}

function hostUsers(spec: Any, field: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const why = 'when `hostUsers` is false';
  const errors: FieldError[] = [];
  if (spec.hostNetwork) errors.push(forbiddenField(`${field}.hostNetwork`, why));
  if (spec.hostPID) errors.push(forbiddenField(`${field}.HostPID`, why));
  if (spec.hostIPC) errors.push(forbiddenField(`${field}.HostIPC`, why));
  return errors;
}

function hostnameOverride(spec: Any, field: string): FieldError[] {
  const name = spec.hostnameOverride;
  if (name == null) return [];
  const at = `${field}.hostnameOverride`;
  const errors: FieldError[] = [];
  if (spec.setHostnameAsFQDN) errors.push(forbiddenField(at, 'may not be specified when setHostnameAsFQDN is true'));
  if (spec.hostNetwork) errors.push(forbiddenField(at, 'may not be specified when hostNetwork is true'));
  if (byteLength(name) > 64) errors.push(tooLong(at, 64));
  return [...errors, ...checkRule(at, name, isDns1123Subdomain)];
}

function fileKeyVolumes(spec: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const [i, c] of (spec[list] ?? []).entries()) {
      for (const [k, e] of (c.env ?? []).entries()) {
        const ref = e.valueFrom?.fileKeyRef;
        if (!ref) continue;
        const at = `${field}.${list}[${i}].env[${k}].valueFrom.fileKeyRef.volumeName`;
        const volume = (spec.volumes ?? []).find((v: Any) => v.name === ref.volumeName);
        if (!volume) errors.push(notFoundField(at, ref.volumeName));
        else if (!volume.emptyDir) errors.push(invalidField(at, ref.volumeName, 'referenced volume must be of type emptyDir'));
      }
    }
  }
  return errors;
}

// ---- updates

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

function changedImages(now: Any[], was: Any[], field: string): { errors: FieldError[]; stop: boolean } {
  if (now.length !== was.length) return { errors: [forbiddenField(field, 'pod updates may not add or remove containers')], stop: true };
  const errors: FieldError[] = [];
  for (const [i, c] of now.entries()) {
    const image = c.image ?? '';
    if (!image) errors.push(required(`${field}[${i}].image`));
    if (image.trim() !== image) errors.push(invalidField(`${field}[${i}].image`, image, 'must not have leading or trailing whitespace'));
  }
  return { errors, stop: false };
}

export function validatePodUpdate(o: KubeObject, old: KubeObject, c?: { request: { subresource?: string } }): FieldError[] {
  const errors = [
    ...validateMetadataUpdate(o.metadata, old.metadata),
    ...metadataAndSpec(o),
    ...podAnnotations(o.metadata.annotations, o.spec, 'metadata.annotations'),
  ];
  if (c?.request.subresource === 'ephemeralcontainers') return validateEphemeralUpdate(o, old, errors);
  if (c?.request.subresource === 'resize') return validateResize(o, old, errors);
  for (const list of ['containers', 'initContainers']) {
    const part = changedImages(o.spec[list] ?? [], old.spec[list] ?? [], `spec.${list}`);
    errors.push(...part.errors);
    if (part.stop) return errors;
  }
  const now = o.spec.activeDeadlineSeconds;
  const was = old.spec.activeDeadlineSeconds;
  if (now != null && was != null && was < now) {
    return [...errors, invalidField('spec.activeDeadlineSeconds', now, 'must be less than or equal to previous value')];
  }
  if (now == null && was != null) {
    errors.push(invalidField('spec.activeDeadlineSeconds', null, 'must not update from a positive integer to nil value'));
  }
  errors.push(...addedTolerations(o.spec.tolerations ?? [], old.spec.tolerations ?? []));
  const before = new Set((old.spec.schedulingGates ?? []).map((g: Any) => g.name));
  for (const [i, g] of (o.spec.schedulingGates ?? []).entries()) {
    const why = `only deletion is allowed, but found new scheduling gate '${g.name}'`;
    if (!before.has(g.name)) errors.push(forbiddenField(`spec.schedulingGates[${i}].name`, why));
  }
  if (sameJson(o.spec, old.spec)) return errors;
  const munged = mungedSpec(o.spec, old.spec);
  if (!sameJson(munged, old.spec)) {
    const why = `pod updates may not change fields other than ${UPDATABLE}\n${internalDiff('PodSpec', old.spec, munged)}`;
    errors.push(forbiddenField('spec', why));
  }
  return errors;
}

function addedTolerations(now: Any[], was: Any[]): FieldError[] {
  for (const t of was) {
    const kept = now.some(n => sameJson({ ...n, tolerationSeconds: undefined }, { ...t, tolerationSeconds: undefined }));
    if (!kept) return [forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
  }
  return validateTolerations(now, 'spec.tolerations');
}

/** The new spec with everything put back that may change. */
function mungedSpec(spec: Any, old: Any): Any {
  const m = cloneJson(spec);
  for (const list of ['containers', 'initContainers']) {
    for (const [i, c] of (m[list] ?? []).entries()) c.image = old[list][i].image;
  }
  for (const k of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations']) {
    if (old[k] == null) delete m[k];
    else m[k] = old[k];
  }
  if (old.terminationGracePeriodSeconds < 0 && m.terminationGracePeriodSeconds === 1) {
    m.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds;
  }
  if (old.schedulingGates?.length) {
    if (old.nodeSelector) m.nodeSelector = old.nodeSelector;
    else delete m.nodeSelector;
    if (old.affinity) m.affinity = old.affinity;
    else delete m.affinity;
  }
  return m;
}
