// ValidatingAdmissionPolicies and their bindings at work (k8s.io/apiserver/pkg/admission/plugin/policy/validating v0.36.3).
// Audit annotations are evaluated for their errors only: there is no audit log. What expressions cost is not counted.

import type { User } from '../../authorize.ts';
import { CelError, fromJson, Obj, type Val } from '../../cel/values.ts';
import type { Json } from '../../json.ts';
import { matchLabelSelector } from '../../labels.ts';
import { allResources, apiVersionOf } from '../../resources.ts';
import { forbidden } from '../../status.ts';
import { bucketName, getObject, listObjects } from '../../store.ts';
import type { ApiServer, KubeObject, Status } from '../../types.ts';
import { newAuthorizer, newResourceCheck } from './authorizer.ts';
import { type CompiledPolicy, compilePolicy, type Expression } from './compile.ts';
import { type Attempt, matches } from './match.ts';
import { LazyFields, NAMESPACE, REQUEST, typed } from './variables.ts';

const POLICIES = 'validatingadmissionpolicies.admissionregistration.k8s.io';
const BINDINGS = 'validatingadmissionpolicybindings.admissionregistration.k8s.io';

export interface Requester {
  user: User;
  dryRun: boolean;
  warnings: string[];
}

interface Denial {
  policy: KubeObject;
  binding: KubeObject | null;
  message: string;
  reason: string;
}

/** null: nothing is against it. Warnings are added to the requester's. */
export function validatingPolicies(a: Attempt, by: Requester): Status | null {
  const denials: Denial[] = [];
  for (const policy of listObjects(a.server, POLICIES)) {
    if (!matches(a, policy.spec.matchConstraints)) continue;
    for (const binding of listObjects(a.server, BINDINGS)) {
      if (binding.spec.policyName !== policy.metadata.name || !matches(a, binding.spec.matchResources)) continue;
      denials.push(...applyBinding(a, by, policy, binding));
    }
  }
  return denials.length ? refusal(a, denials[0]) : null;
}

/** Of several denials the first is told. */
function refusal(a: Attempt, d: Denial): Status {
  const by = d.binding ? `'${d.policy.metadata.name}' with binding '${d.binding.metadata.name}'` : `'${d.policy.metadata.name}'`;
  const message = `ValidatingAdmissionPolicy ${by} denied request: ${d.message}`;
  const status = forbidden(a.info.group, a.info.resource, a.name, message);
  status.reason = d.reason;
  status.code = d.reason === 'Forbidden' ? 403 : d.reason === 'Unauthorized' ? 401 : d.reason === 'RequestEntityTooLarge' ? 413 : 422;
  status.details = { ...status.details, causes: [{ message }] };
  return status;
}

function applyBinding(a: Attempt, by: Requester, policy: KubeObject, binding: KubeObject): Denial[] {
  const strict = policy.spec.failurePolicy !== 'Ignore';
  const params = collectParams(a, policy.spec.paramKind, binding.spec.paramRef);
  if (typeof params === 'string') {
    return strict ? [{ policy, binding, message: `failed to configure binding: ${params}`, reason: 'Invalid' }] : [];
  }
  const denials: Denial[] = [];
  for (const param of params) {
    for (const { message, reason } of decide(a, by, policy, param, strict)) {
      for (const action of binding.spec.validationActions ?? []) {
        if (action === 'Deny') denials.push({ policy, binding, message, reason });
        if (action === 'Warn') {
          const [p, b] = [policy.metadata.name, binding.metadata.name];
          by.warnings.push(`Validation failed for ValidatingAdmissionPolicy '${p}' with binding '${b}': ${message}`);
        }
      }
    }
  }
  return denials;
}

/** The objects that a binding gives its policy, null for none; or what is wrong with them. */
function collectParams(a: Attempt, kind: Json, ref: Json): (KubeObject | null)[] | string {
  if (!kind || !ref) return [null];
  const info = allResources(a.server).find(r => r.kind === kind.kind && apiVersionOf(r) === kind.apiVersion);
  if (!info) return `failed to find resource referenced by paramKind: '${kind.apiVersion}, Kind=${kind.kind}'`;
  if (info.namespaced && !ref.namespace && !a.namespace) {
    return 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources';
  }
  if (!info.namespaced && ref.namespace) return 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`';
  const namespace = info.namespaced ? ref.namespace || a.namespace : '';
  const bucket = bucketName(info.group, info.resource);
  const found = ref.name
    ? [getObject(a.server, bucket, namespace, ref.name)].filter(o => o !== undefined)
    : listObjects(a.server, bucket, namespace || undefined).filter(o => matchLabelSelector(ref.selector, o.metadata.labels ?? {}));
  if (!found.length && ref.parameterNotFoundAction === 'Deny') {
    return 'no params found for policy binding with `Deny` parameterNotFoundAction';
  }
  return found;
}

/** A webhook's matchConditions; a text: what is wrong with them. One that is not met decides, whatever is wrong with another. */
export function meetsConditions(a: Attempt, by: Requester, webhook: object): boolean | string {
  const compiled = compilePolicy(webhook);
  const names = activation(a, by, compiled, null);
  const results = compiled.matchConditions.map(m => run(m.expression, names));
  if (results.some(r => r.value === false)) return false;
  const errors = [...new Set(results.flatMap(r => r.error ?? []))];
  return errors.length ? (errors.length > 1 ? `[${errors.join(', ')}]` : errors[0]) : true;
}

type Decision = { message: string; reason: string };

function decide(a: Attempt, by: Requester, policy: KubeObject, param: KubeObject | null, strict: boolean): Decision[] {
  const compiled = compilePolicy(policy.spec);
  const names = activation(a, by, compiled, param);
  const failed = (message: string): Decision[] => (strict ? [{ message, reason: 'Invalid' }] : []);
  for (const m of compiled.matchConditions) {
    const r = run(m.expression, names);
    // A condition that is not met decides, whatever is wrong with another.
    if (r.value === false) return [];
  }
  for (const m of compiled.matchConditions) {
    const { error } = run(m.expression, names);
    if (error) return failed(error);
  }
  const out: Decision[] = [];
  for (const v of compiled.validations) {
    const r = run(v.expression, names);
    if (r.error) out.push(...failed(r.error));
    else if (r.value !== true) out.push({ message: messageOf(v.rule, v.message, names), reason: v.rule.reason ?? 'Invalid' });
  }
  for (const x of compiled.auditAnnotations) {
    const { error } = run(x.expression, names);
    if (error) out.push(...failed(error));
  }
  return out;
}

function messageOf(rule: Json, message: Expression | null, names: Names): string {
  const said = message ? run(message, names).value : undefined;
  const line = typeof said === 'string' ? said.trim() : '';
  if (line && !line.includes('\n') && line.length <= 5 * 1024) return line;
  return rule.message?.trim() || `failed expression: ${rule.expression.trim()}`;
}

type Names = (name: string) => Val | undefined;

function run(e: Expression, names: Names): { value?: Val; error?: string } {
  if (!e.program) return { error: `compilation error: ${e.error}` };
  try {
    return { value: e.program.run(names) };
  } catch (x) {
    if (!(x instanceof CelError)) throw x;
    return { error: `expression '${e.text}' resulted in error: ${x.message}` };
  }
}

function activation(a: Attempt, by: Requester, compiled: CompiledPolicy, param: KubeObject | null): Names {
  const values = new Map<string, () => Val>([
    ['object', () => fromJson(a.object)],
    ['oldObject', () => fromJson(a.old)],
    ['params', () => fromJson(param)],
    ['request', () => typed(requestOf(a, by), REQUEST)],
    ['namespaceObject', () => typed(namespaceOf(a), NAMESPACE)],
    ['authorizer', () => newAuthorizer(a.server, by.user)],
    ['authorizer.requestResource', () => resourceCheck(a, by)],
  ]);
  const known = new LazyFields(values);
  const variables = new Map(
    compiled.variables.map(({ name, expression }): [string, () => Val] => [name, () => variable(name, expression, resolve)]),
  );
  values.set('variables', () => new Obj('kubernetes.variables', new LazyFields(variables)));
  const resolve: Names = name => known.get(name);
  return resolve;
}

function variable(name: string, e: Expression, names: Names): Val {
  try {
    if (e.program) return e.program.run(names);
  } catch (x) {
    if (!(x instanceof CelError)) throw x;
    throw new CelError(`composited variable "${name}" fails to evaluate: ${x.message}`);
  }
  throw new CelError(`composited variable "${name}" fails to compile: ${e.error}`);
}

function requestOf(a: Attempt, by: Requester): Json {
  const { group, version, kind, resource } = a.info;
  return {
    kind: { group, version, kind },
    resource: { group, version, resource },
    subResource: a.subresource,
    requestKind: { group, version, kind },
    requestResource: { group, version, resource },
    requestSubResource: a.subresource,
    name: a.name,
    namespace: a.namespace,
    operation: a.operation,
    userInfo: { username: by.user.name, groups: by.user.groups },
    dryRun: by.dryRun,
    options: {},
  };
}

const namespaceOf = (a: Attempt): KubeObject | undefined =>
  a.namespace && !(a.info.group === '' && a.info.resource === 'namespaces')
    ? getObject(a.server, 'namespaces', '', a.namespace)
    : undefined;

function resourceCheck(a: Attempt, by: Requester): Val {
  const { group, resource } = a.info;
  return newResourceCheck({
    server: a.server as ApiServer,
    user: by.user,
    group,
    resource,
    subresource: a.subresource,
    namespace: a.namespace,
    name: a.name,
  });
}
