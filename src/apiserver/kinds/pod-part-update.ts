// Updates of one part of a pod through a subresource (pkg/apis/core/validation/validation.go v1.36: ValidatePodEphemeralContainersUpdate,
// ValidatePodResize).
import { type FieldError, forbiddenField, invalidField } from '../field.ts';
import { cloneJson, sameJson } from '../json.ts';
import type { KubeObject } from '../types.ts';
import { internalDiff } from './internal-diff.ts';
import { qosClass } from './pod-resources.ts';

type Any = any;

const isMirror = (pod: KubeObject): boolean => pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;

/** What there is already may not be touched. `common`: what any update of the pod's spec and metadata is checked for. */
export function validateEphemeralUpdate(o: KubeObject, old: KubeObject, common: FieldError[]): FieldError[] {
  if (isMirror(old)) return [forbiddenField('', 'static pods do not support ephemeral containers')];
  const field = 'spec.ephemeralContainers';
  // By name; of two of one name the last counts.
  const now = new Map<string, Any>((o.spec.ephemeralContainers ?? []).map((c: Any) => [c.name, c]));
  const errors = [...common];
  for (const was of old.spec.ephemeralContainers ?? []) {
    const is = now.get(was.name);
    const which = `existing ephemeral containers ${JSON.stringify(was.name)} may not be`;
    if (!is) errors.push(forbiddenField(field, `${which} removed\n`));
    else if (!sameJson(is, was)) errors.push(forbiddenField(field, `${which} changed\n${internalDiff('EphemeralContainer', was, is)}`));
  }
  return errors;
}

/** CPU and memory of containers and sidecars; nothing that is set may go. */
export function validateResize(o: KubeObject, old: KubeObject, common: FieldError[]): FieldError[] {
  if (isMirror(old)) return [forbiddenField('', 'static pods cannot be resized')];
  const errors = [...common];
  if (qosClass(o.spec) !== qosClass(old.spec)) {
    errors.push(invalidField('spec', old.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'));
  }
  const order = ['containers', 'initContainers'].flatMap(list => sameContainers(o.spec[list] ?? [], old.spec[list] ?? [], list));
  if (order.length) return [...errors, ...order];
  for (const list of ['initContainers', 'containers']) {
    for (const [i, was] of (old.spec[list] ?? []).entries()) {
      const is = o.spec[list][i];
      const field = `spec.${list}[${i}]`;
      if (list === 'initContainers' && was.restartPolicy !== 'Always') {
        if (!sameJson(is, was)) errors.push(forbiddenField('spec', 'resources for non-sidecar init containers are immutable'));
        continue;
      }
      for (const kind of ['requests', 'limits']) {
        const gone = Object.keys(was.resources?.[kind] ?? {}).some(k => !(k in (is.resources?.[kind] ?? {})));
        if (gone) errors.push(forbiddenField(`${field}.resources.${kind}`, `resource ${kind} cannot be removed`));
      }
      if (sameJson(withoutCpuAndMemory(is), withoutCpuAndMemory(was))) continue;
      if (list === 'containers') errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable'));
      else errors.push(forbiddenField(field, 'only cpu and memory resources for init or sidecar containers are mutable'));
    }
  }
  return errors;
}

function sameContainers(now: Any[], was: Any[], list: string): FieldError[] {
  if (now.length !== was.length) return [forbiddenField(`spec.${list}`, `${list} may not be added or removed on resize`)];
  return was.flatMap((c, i) =>
    now[i].name === c.name ? [] : [forbiddenField(`spec.${list}[${i}].name`, 'containers may not be renamed or reordered on resize')],
  );
}

function withoutCpuAndMemory(container: Any): Any {
  const c = cloneJson(container);
  for (const kind of ['requests', 'limits']) {
    const { cpu: _cpu, memory: _memory, ...rest } = c.resources?.[kind] ?? {};
    c.resources = { ...c.resources, [kind]: rest };
  }
  return c;
}
