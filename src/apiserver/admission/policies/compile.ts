// A ValidatingAdmissionPolicy's expressions made ready: once for each version of the object.

import { compileExpression, type Program } from '../../cel/program.ts';
import { DYN, formatType, type Type } from '../../cel/types.ts';
import type { Json } from '../../json.ts';
import { AUTHORIZER, policyLibrary, RESOURCE_CHECK } from './authorizer.ts';
import { NAMESPACE, REQUEST } from './variables.ts';

export interface Expression {
  text: string;
  program: Program | null;
  /** What the compiler says. */
  error: string;
}

export interface CompiledPolicy {
  variables: { name: string; expression: Expression }[];
  matchConditions: { name: string; expression: Expression }[];
  validations: { rule: Json; expression: Expression; message: Expression | null }[];
  auditAnnotations: { key: string; expression: Expression }[];
}

/** Of its kind of expression: which types it may have. */
function compile(text: string, scope: Map<string, Type>, results: string[]): Expression {
  const program = compileExpression(text, scope, policyLibrary());
  if (typeof program === 'string') return { text, program: null, error: `compilation failed: ${program}` };
  if (!results.length || results.includes(program.type.k)) return { text, program, error: '' };
  const want = results.length === 1 ? results[0] : `one of [${results.map(r => (r === 'null' ? 'null_type' : r)).join(' ')}]`;
  return { text, program: null, error: `must evaluate to ${want} but got ${formatType(program.type)}` };
}

/** The variables of a kind of expression. */
export function scopeOf(spec: Json, authorizer: boolean, variables: Map<string, Type> | null): Map<string, Type> {
  const scope = new Map<string, Type>([
    ['object', DYN],
    ['oldObject', DYN],
    ['namespaceObject', NAMESPACE],
    ['request', REQUEST],
  ]);
  if (spec.paramKind) scope.set('params', DYN);
  if (authorizer) {
    scope.set('authorizer', { k: 'opaque', name: AUTHORIZER });
    scope.set('authorizer.requestResource', { k: 'opaque', name: RESOURCE_CHECK });
  }
  if (variables) scope.set('variables', { k: 'object', name: 'kubernetes.variables', fields: variables });
  return scope;
}

const compiled = new WeakMap<object, CompiledPolicy>();

/** Of a policy's spec; a webhook with its matchConditions will do. */
export function compilePolicy(spec: object): CompiledPolicy {
  let c = compiled.get(spec);
  if (!c) compiled.set(spec, (c = compileSpec(spec)));
  return c;
}

function compileSpec(spec: Json): CompiledPolicy {
  const types = new Map<string, Type>();
  const named: Json[] = spec.variables ?? [];
  const variables = named.map(v => {
    const expression = compile(v.expression ?? '', scopeOf(spec, true, types), []);
    types.set(v.name, expression.program?.type ?? DYN);
    return { name: v.name, expression };
  });
  // What has variables may be asked for them; conditions of matching have none.
  const all = named.length ? types : null;
  const full = scopeOf(spec, true, all);
  const plain = scopeOf(spec, false, all);
  return {
    variables,
    matchConditions: (spec.matchConditions ?? []).map((m: Json) => ({
      name: m.name,
      expression: compile((m.expression ?? '').trim(), scopeOf(spec, true, null), ['bool']),
    })),
    validations: (spec.validations ?? []).map((rule: Json) => ({
      rule,
      expression: compile(rule.expression ?? '', full, ['bool']),
      message: rule.messageExpression?.trim() ? compile(rule.messageExpression, plain, ['string']) : null,
    })),
    auditAnnotations: (spec.auditAnnotations ?? []).map((a: Json) => ({
      key: a.key,
      expression: compile((a.valueExpression ?? '').trim(), full, ['string', 'null']),
    })),
  };
}
