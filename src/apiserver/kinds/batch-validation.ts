// Jobs and CronJobs (k8s.io/kubernetes/pkg/apis/batch/validation/validation.go v1.36.3).

import { type FieldError, invalidField, notSupported, OMIT, required, tooLong, tooMany } from '../field.ts';
import { sameJson } from '../json.ts';
import { matchLabelSelector } from '../labels.ts';
import type { KubeObject } from '../types.ts';
import { cronError } from './cron.ts';
import { internalValue } from './internal-diff.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { validatePodTemplate } from './pod-validation.ts';
import {
  byteLength,
  checkRule,
  IMMUTABLE,
  immutable,
  isDns1123Label,
  isQualifiedName,
  nameIsSubdomain,
  nonNegative,
  validateLabelSelector,
} from './rules.ts';
import { selectorParses, selectorShown, sorted } from './workload-validation.ts';

type Any = any;

function jobSpec(s: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const k of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ]) {
    errors.push(...nonNegative(`${field}.${k}`, s[k]));
  }
  if (s.maxFailedIndexes != null && s.backoffLimitPerIndex == null) {
    errors.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (s.managedBy != null && byteLength(s.managedBy) > 63) errors.push(tooLong(`${field}.managedBy`, 63));
  errors.push(...completionMode(s, field));
  if (s.podFailurePolicy) errors.push(...failurePolicy(s, `${field}.podFailurePolicy`));
  if (s.successPolicy && s.completionMode !== 'Indexed') {
    errors.push(invalidField(`${field}.successPolicy`, OMIT, 'requires indexed completion mode'));
  }
  if (s.podReplacementPolicy != null) {
    const list = s.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
    if (!list.includes(s.podReplacementPolicy)) errors.push(notSupported(`${field}.podReplacementPolicy`, s.podReplacementPolicy, list));
  }
  errors.push(...validatePodTemplate(s.template ?? {}, `${field}.template`));
  const restart = s.template?.spec?.restartPolicy;
  const at = `${field}.template.spec.restartPolicy`;
  if (!restart || restart === 'Always') errors.push(required(at, 'valid values: "OnFailure", "Never"'));
  else if (restart !== 'OnFailure' && restart !== 'Never') errors.push(notSupported(at, restart, ['OnFailure', 'Never']));
  else if (s.podFailurePolicy && restart !== 'Never') {
    errors.push(invalidField(at, restart, 'only "Never" is supported when podFailurePolicy is specified'));
  }
  return errors;
}

function completionMode(s: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const mode = s.completionMode;
  if (mode != null && mode !== 'NonIndexed' && mode !== 'Indexed') {
    errors.push(notSupported(`${field}.completionMode`, mode, ['NonIndexed', 'Indexed']));
  }
  if (mode === 'Indexed') {
    if (s.completions == null) errors.push(required(`${field}.completions`, 'when completion mode is Indexed'));
    if (s.parallelism > 100000) {
      errors.push(
        invalidField(`${field}.parallelism`, s.parallelism, 'must be less than or equal to 100000 when completion mode is Indexed'),
      );
    }
    if (s.maxFailedIndexes > s.completions) {
      errors.push(invalidField(`${field}.maxFailedIndexes`, s.maxFailedIndexes, 'must be less than or equal to completions'));
    }
  } else if (mode == null || mode === 'NonIndexed') {
    for (const k of ['backoffLimitPerIndex', 'maxFailedIndexes']) {
      if (s[k] != null) errors.push(invalidField(`${field}.${k}`, s[k], 'requires indexed completion mode'));
    }
  }
  return errors;
}

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

function failurePolicy(s: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const rules: Any[] = s.podFailurePolicy.rules ?? [];
  if (rules.length > 20) errors.push(tooMany(`${field}.rules`, rules.length, 20));
  for (const [i, r] of rules.entries()) {
    const at = `${field}.rules[${i}]`;
    if (!r.action) errors.push(required(`${at}.action`, `valid values: [${ACTIONS.map(a => `"${a}"`).join(' ')}]`));
    else if (r.action === 'FailIndex' && s.backoffLimitPerIndex == null) {
      errors.push(invalidField(`${at}.action`, r.action, 'requires the backoffLimitPerIndex to be set'));
    } else if (!ACTIONS.includes(r.action)) errors.push(notSupported(`${at}.action`, r.action, ACTIONS));
    if (r.onExitCodes) errors.push(...exitCodes(r.onExitCodes, s, `${at}.onExitCodes`));
    for (const [k, p] of (r.onPodConditions ?? []).entries()) {
      errors.push(...checkRule(`${at}.onPodConditions[${k}].type`, p.type ?? '', isQualifiedName));
      if (!['False', 'True', 'Unknown'].includes(p.status)) {
        errors.push(notSupported(`${at}.onPodConditions[${k}].status`, p.status, ['False', 'True', 'Unknown']));
      }
    }
    const both = r.onExitCodes && r.onPodConditions?.length;
    if (both) errors.push(invalidField(at, OMIT, 'specifying both OnExitCodes and OnPodConditions is not supported'));
    if (!r.onExitCodes && !r.onPodConditions?.length) {
      errors.push(invalidField(at, OMIT, 'specifying one of OnExitCodes and OnPodConditions is required'));
    }
  }
  return errors;
}

function exitCodes(r: Any, s: Any, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!r.operator) errors.push(required(`${field}.operator`, 'valid values: ["In" "NotIn"]'));
  else if (r.operator !== 'In' && r.operator !== 'NotIn') errors.push(notSupported(`${field}.operator`, r.operator, ['In', 'NotIn']));
  const names = [...(s.template?.spec?.containers ?? []), ...(s.template?.spec?.initContainers ?? [])].map((c: Any) => c.name);
  if (r.containerName != null && !names.includes(r.containerName)) {
    errors.push(
      invalidField(`${field}.containerName`, r.containerName, 'must be one of the container or initContainer names in the pod template'),
    );
  }
  const values: number[] = r.values ?? [];
  if (!values.length) errors.push(invalidField(`${field}.values`, OMIT, 'at least one value is required'));
  else if (values.length > 255) errors.push(tooMany(`${field}.values`, values.length, 255));
  for (const [i, v] of values.entries()) {
    if (r.operator === 'In' && v === 0) errors.push(invalidField(`${field}.values[${i}]`, v, 'must not be 0 for the In operator'));
  }
  return errors;
}

function fullJobSpec(s: Any, field: string): FieldError[] {
  const errors = jobSpec(s, field);
  if (!s.selector) errors.push(required(`${field}.selector`));
  else errors.push(...validateLabelSelector(s.selector, `${field}.selector`));
  const labels = s.template?.metadata?.labels;
  if (selectorParses(s.selector) && !matchLabelSelector(s.selector, labels)) {
    errors.push(invalidField(`${field}.template.metadata.labels`, sorted(labels), '`selector` does not match template `labels`'));
  }
  return errors;
}

/** Without manualSelector the selector is the server's own. */
function generatedSelector(o: KubeObject): FieldError[] {
  if (o.spec?.manualSelector || !o.spec?.selector) return [];
  const { uid = '', name } = o.metadata;
  const expected = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  if (!selectorParses(o.spec.selector) || matchLabelSelector(o.spec.selector, expected)) return [];
  return [invalidField('spec.selector', selectorShown(o.spec.selector), '`selector` not auto-generated')];
}

export function validateJob(o: KubeObject): FieldError[] {
  const errors = [...validateMetadata(o.metadata, true, nameIsSubdomain), ...generatedSelector(o), ...fullJobSpec(o.spec ?? {}, 'spec')];
  if (o.spec?.completionMode === 'Indexed' && o.spec.completions > 0) {
    const host = `${o.metadata.name ?? ''}-${o.spec.completions - 1}`;
    if (isDns1123Label(host).length) {
      errors.push(invalidField('metadata.name', o.metadata.name ?? '', `will not able to create pod with invalid DNS label: ${host}`));
    }
  }
  return errors;
}

export function validateJobUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const s = o.spec ?? {};
  const was = old.spec ?? {};
  const errors = [...validateMetadataUpdate(o.metadata, old.metadata), ...fullJobSpec(s, 'spec')];
  if (s.completionMode !== 'Indexed') errors.push(...immutable('spec.completions', s.completions, was.completions));
  else if (s.completions !== was.completions && s.completions != null && s.completions !== s.parallelism) {
    errors.push(invalidField('spec.completions', s.completions, 'can only be modified in tandem with spec.parallelism'));
  }
  if (!sameJson(s.selector, was.selector))
    errors.push(invalidField('spec.selector', s.selector ? selectorShown(s.selector) : null, IMMUTABLE));
  errors.push(...templateUpdate(s.template ?? {}, was.template ?? {}, was.suspend === true, old.status ?? {}));
  for (const k of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy']) {
    errors.push(...immutable(`spec.${k}`, s[k], was[k]));
  }
  return errors;
}

/** While a Job is suspended and has no pods, where they will go and what they need may change. */
function templateUpdate(template: Any, was: Any, suspended: boolean, status: Any): FieldError[] {
  const stopped = !status.startTime || status.conditions?.some((c: Any) => c.type === 'Suspended' && c.status === 'True');
  if (!suspended || !stopped || status.active) {
    return sameJson(template, was) ? [] : [invalidField('spec.template', internalValue('PodTemplateSpec', template), 'field is immutable')];
  }
  const spec = template.spec ?? {};
  const allowed = { ...was.spec };
  for (const k of ['nodeSelector', 'tolerations', 'schedulingGates']) take(allowed, spec, k);
  allowed.affinity = { ...allowed.affinity };
  take(allowed.affinity, spec.affinity ?? {}, 'nodeAffinity');
  if (!Object.keys(allowed.affinity).length) take(allowed, spec.affinity && !Object.keys(spec.affinity).length ? spec : {}, 'affinity');
  for (const list of ['containers', 'initContainers']) {
    if (spec[list]?.length !== allowed[list]?.length) continue;
    allowed[list] = allowed[list]?.map((c: Any, i: number) =>
      c.name === spec[list][i].name ? take({ ...c }, spec[list][i], 'resources') : c,
    );
    if (!allowed[list]) delete allowed[list];
  }
  return sameJson(spec, allowed) ? [] : [invalidField('spec.template.spec', internalValue('PodSpec', spec), 'field is immutable')];
}

function take(to: Any, from: Any, key: string): Any {
  if (from[key] == null) delete to[key];
  else to[key] = from[key];
  return to;
}

function timeZone(zone: string | undefined): FieldError[] {
  if (zone == null) return [];
  const field = 'spec.timeZone';
  if (!zone) return [invalidField(field, zone, 'timeZone must be nil or non-empty string')];
  const unknown = [invalidField(field, zone, `unknown time zone ${zone}`)];
  for (const part of zone.split('/')) {
    if (part === '.' || part === '..' || part.startsWith('-') || !/^[A-Za-z.\-_0-9+]{1,14}$/.test(part)) return unknown;
  }
  if (zone.toLowerCase() === 'local') {
    return [invalidField(field, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')];
  }
  return isTimeZone(zone) ? [] : unknown;
}

/** By the areas of the IANA database: the database itself is not here. */
function isTimeZone(zone: string): boolean {
  const areas = [
    'Africa',
    'America',
    'Antarctica',
    'Arctic',
    'Asia',
    'Atlantic',
    'Australia',
    'Europe',
    'Indian',
    'Pacific',
    'Etc',
    'US',
    'Canada',
  ];
  const single =
    'UTC GMT EST MST HST CET EET MET WET EST5EDT CST6CDT MST7MDT PST8PDT Japan Singapore Israel Turkey Egypt Iran Cuba Jamaica Zulu';
  const [area, place] = zone.split('/');
  return place == null ? single.split(' ').includes(zone) : areas.includes(area) && /^[A-Z]/.test(place);
}

function cronJobSpec(o: KubeObject, old: KubeObject | null): FieldError[] {
  const s = o.spec ?? {};
  const errors: FieldError[] = [];
  if (!s.schedule) errors.push(required('spec.schedule'));
  else {
    const why = cronError(s.schedule);
    if (why) errors.push(invalidField('spec.schedule', s.schedule, why));
    if (s.schedule.includes('TZ') && !old?.spec?.schedule?.includes('TZ')) {
      errors.push(invalidField('spec.schedule', s.schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
    }
  }
  errors.push(...nonNegative('spec.startingDeadlineSeconds', s.startingDeadlineSeconds));
  if (!old || old.spec?.timeZone !== s.timeZone) errors.push(...timeZone(s.timeZone));
  const policies = ['Allow', 'Forbid', 'Replace'];
  if (!policies.includes(s.concurrencyPolicy)) errors.push(notSupported('spec.concurrencyPolicy', s.concurrencyPolicy, policies));
  const job = s.jobTemplate?.spec ?? {};
  errors.push(...jobSpec(job, 'spec.jobTemplate.spec'));
  if (job.selector)
    errors.push(invalidField('spec.jobTemplate.spec.selector', selectorShown(job.selector), '`selector` will be auto-generated'));
  if (job.manualSelector) errors.push(notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']));
  return [
    ...errors,
    ...nonNegative('spec.successfulJobsHistoryLimit', s.successfulJobsHistoryLimit),
    ...nonNegative('spec.failedJobsHistoryLimit', s.failedJobsHistoryLimit),
  ];
}

export function validateCronJob(o: KubeObject): FieldError[] {
  const errors = [...validateMetadata(o.metadata, true, nameIsSubdomain), ...cronJobSpec(o, null)];
  if (byteLength(o.metadata.name ?? '') > 52)
    errors.push(invalidField('metadata.name', o.metadata.name, 'must be no more than 52 characters'));
  return errors;
}

export const validateCronJobUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validateMetadataUpdate(o.metadata, old.metadata),
  ...cronJobSpec(o, old),
];
