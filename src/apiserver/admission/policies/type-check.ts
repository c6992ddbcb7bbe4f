// What a policy's expressions are by the types of what they will meet: warnings, kept in its status
// (k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go v0.36.3).

import { compileExpression } from '../../cel/program.ts';
import { DYN, type Type } from '../../cel/types.ts';
import type { Json } from '../../json.ts';
import { allResources, apiVersionOf } from '../../resources.ts';
import type { ApiServer, KubeObject, ResourceInfo } from '../../types.ts';
import { policyLibrary } from './authorizer.ts';
import { scopeOf } from './compile.ts';
import { objectType } from './object-types.ts';

const MOST_TYPES = 10;

export interface ExpressionWarning {
  fieldRef: string;
  warning: string;
}

/** In the order of the expressions; none for what matches by `*` or is a subresource only. */
export function typeCheck(server: ApiServer, policy: KubeObject): ExpressionWarning[] {
  const { spec } = policy;
  const kinds = matchedKinds(server, spec.matchConstraints?.resourceRules ?? []);
  const params = spec.paramKind && paramsType(server, spec.paramKind);
  const out: ExpressionWarning[] = [];
  const check = (fieldRef: string, text: string | undefined) => {
    const results = text ? kinds.flatMap(({ info, type }) => issuesOf(text, info, scopeFor(spec, type, params))) : [];
    if (results.length) out.push({ fieldRef, warning: results.join('\n') });
  };
  (spec.validations ?? []).forEach((v: Json, i: number) => {
    check(`spec.validations[${i}].expression`, v.expression);
    check(`spec.validations[${i}].messageExpression`, v.messageExpression);
  });
  return out;
}

/** Variables are not followed. */
function scopeFor(spec: Json, type: Type, params: Type | null): Map<string, Type> {
  const variables = new Map<string, Type>((spec.variables ?? []).map((v: Json) => [v.name, DYN]));
  const scope = scopeOf(spec, true, variables);
  scope.set('object', type);
  scope.set('oldObject', type);
  if (spec.paramKind) scope.set('params', params ?? DYN);
  return scope;
}

function issuesOf(text: string, info: ResourceInfo, scope: Map<string, Type>): string[] {
  const program = compileExpression(text, scope, policyLibrary());
  return typeof program === 'string' ? [`${info.group}/${info.version}, Kind=${info.kind}: ${program}\n`] : [];
}

function paramsType(server: ApiServer, kind: Json): Type | null {
  const info = allResources(server).find(r => r.kind === kind.kind && apiVersionOf(r) === kind.apiVersion);
  return info ? objectType(server, info) : null;
}

function matchedKinds(server: ApiServer, rules: Json[]): { info: ResourceInfo; type: Type }[] {
  const found = new Set<ResourceInfo>();
  for (const r of rules) {
    if ([r.apiGroups, r.apiVersions].some((list: string[] | undefined) => list?.includes('*'))) continue;
    if (r.resources?.some((x: string) => x === '*' || x === '*/*')) continue;
    for (const info of allResources(server)) {
      const named = r.apiGroups?.includes(info.group) && r.apiVersions?.includes(info.version) && r.resources?.includes(info.resource);
      if (named && found.size < MOST_TYPES) found.add(info);
    }
  }
  const id = (i: ResourceInfo) => `${i.group}/${i.version}/${i.kind}`;
  return [...found]
    .sort((a, b) => (id(a) < id(b) ? -1 : 1))
    .flatMap(info => {
      const type = objectType(server, info);
      return type ? [{ info, type }] : [];
    });
}
