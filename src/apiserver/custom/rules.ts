// x-kubernetes-validations: rules of a schema over the values that it describes
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/{compilation,validation}.go v0.36.3).
// Costs are neither estimated nor counted.

import { compileExpression, type Program } from '../cel/program.ts';
import { optionalOf, type Type } from '../cel/types.ts';
import { CelError, Opt, type Val } from '../cel/values.ts';
import { errorBody, type FieldError, forbiddenField, invalidField, OMIT, required } from '../field.ts';
import { isMap, type Json, sameJson } from '../json.ts';
import { declaredType, toValue } from './cel-schema.ts';
import { fieldPathOf } from './field-path.ts';
import type { CustomSchema } from './schema.ts';

export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

export interface CompiledRule {
  rule: ValidationRule;
  program: Program | null;
  /** What the compiler says of the rule, of its message's expression. */
  error: string;
  messageProgram: Program | null;
  messageError: string;
  usesOldSelf: boolean;
}

const RULES = 'x-kubernetes-validations';

/** At the schema's own level. */
export function compileRules(s: CustomSchema, type: Type): CompiledRule[] {
  return (s[RULES] ?? []).map((rule: ValidationRule) => compileRule(rule, type));
}

function compileRule(rule: ValidationRule, type: Type): CompiledRule {
  const c: CompiledRule = { rule, program: null, error: '', messageProgram: null, messageError: '', usesOldSelf: false };
  if (!rule.rule?.trim()) return c;
  const variables = new Map<string, Type>([
    ['self', type],
    ['oldSelf', rule.optionalOldSelf ? optionalOf(type) : type],
  ]);
  const program = compileExpression(rule.rule, variables);
  if (typeof program === 'string') return { ...c, error: `compilation failed: ${program}` };
  if (program.type.k !== 'bool') return { ...c, error: 'cel expression must evaluate to a bool' };
  c.program = program;
  c.usesOldSelf = program.names.has('oldSelf');
  if (!rule.messageExpression) return c;
  const message = compileExpression(rule.messageExpression, variables);
  if (typeof message === 'string') c.messageError = `messageExpression compilation failed: ${message}`;
  else if (message.type.k !== 'string') c.messageError = 'messageExpression must evaluate to a string';
  else c.messageProgram = message;
  return c;
}

/** A schema's rules, compiled, and those below it; null: there are none. */
interface Node {
  schema: CustomSchema;
  root: boolean;
  rules: CompiledRule[];
  items: Node | null;
  additional: Node | null;
  properties: Map<string, Node>;
}

const nodes = new WeakMap<CustomSchema, Node | null>();

function nodeOf(s: CustomSchema, root: boolean): Node | null {
  const known = nodes.get(s);
  if (known !== undefined) return known;
  const node = newNode(s, root);
  nodes.set(s, node);
  return node;
}

function newNode(s: CustomSchema, root: boolean): Node | null {
  const below = (x: unknown): Node | null => (isMap(x) ? nodeOf(x, !!x['x-kubernetes-embedded-resource']) : null);
  const type = s[RULES]?.length ? declaredType(s, root) : null;
  const rules = type ? compileRules(s, type) : [];
  const node: Node = { schema: s, root, rules, items: below(s.items), additional: below(s.additionalProperties), properties: new Map() };
  for (const k of Object.keys(s.properties ?? {}).sort()) {
    const p = below(s.properties[k]);
    if (p) node.properties.set(k, p);
  }
  return rules.length || node.items || node.additional || node.properties.size ? node : null;
}

/** Errors of an object; what fails on a part that an update leaves alone is a warning. `old` undefined: it is new. */
export function validateRules(o: Json, old: Json, schema: CustomSchema, warnings: string[]): FieldError[] {
  const node = nodeOf(schema, true);
  return node ? validateNode(node, o, old, '', old !== undefined && sameJson(o, old), warnings) : [];
}

function validateNode(n: Node, x: Json, old: Json, at: string, unchanged: boolean, warnings: string[]): FieldError[] {
  if (x === null || x === undefined) return [];
  const errors = n.rules.length ? evaluateRules(n, x, old, at, unchanged, warnings) : [];
  const below = (inner: Node, v: Json, before: Json, path: string) => {
    const same = unchanged || (before !== undefined && sameJson(v, before));
    errors.push(...validateNode(inner, v, before ?? undefined, path, same, warnings));
  };
  if (Array.isArray(x)) {
    if (n.items) for (const [i, v] of x.entries()) below(n.items, v, correlated(n.schema, v, old), `${at}[${i}]`);
  } else if (isMap(x)) {
    const before = isMap(old) ? old : {};
    for (const k of Object.keys(x).sort()) {
      const property = n.properties.get(k);
      if (n.additional) below(n.additional, x[k], before[k], `${at}[${k}]`);
      else if (property) below(property, x[k], before[k], at ? `${at}.${k}` : k);
    }
  }
  return errors;
}

/** Of a list that is a map the old element with the same keys. */
function correlated(s: CustomSchema, v: Json, old: Json): Json {
  if (s['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return undefined;
  const keys: string[] = s['x-kubernetes-list-map-keys'] ?? [];
  return old.find(o => keys.every(k => sameJson(o?.[k], v?.[k])));
}

const shown = (r: ValidationRule): string => (r.message || r.rule).trim();

function evaluateRules(n: Node, x: Json, old: Json, at: string, unchanged: boolean, warnings: string[]): FieldError[] {
  const errors: FieldError[] = [];
  const type: string = n.schema.type ?? '';
  for (const c of n.rules) {
    if (c.error) errors.push(invalidField(at, type, `rule compile error: ${c.error}`));
    if (!c.program || (c.usesOldSelf && old === undefined && !c.rule.optionalOldSelf)) continue;
    try {
      const variables = activation(n, c, x, old);
      if (c.program.run(variables) === true) continue;
      const e = ruleError(n, c, x, at, messageOf(c, variables));
      if (!c.usesOldSelf && unchanged) warnings.push(`${e.field}: ${errorBody(e)}`);
      else errors.push(e);
    } catch (e) {
      if (!(e instanceof CelError)) throw e;
      const why = e.message.startsWith('no such overload')
        ? `'${e.message}': call arguments did not match a supported operator, function or macro signature for rule: ${shown(c.rule)}`
        : `${e.message} evaluating rule: ${shown(c.rule)}`;
      errors.push(invalidField(at, type, why));
    }
  }
  return errors;
}

function activation(n: Node, c: CompiledRule, x: Json, old: Json): Record<string, Val | undefined> {
  const self = toValue(x, n.schema, n.root);
  if (!c.usesOldSelf && !c.messageProgram?.names.has('oldSelf')) return { self };
  const before = old === undefined || old === null ? undefined : toValue(old, n.schema, n.root);
  return { self, oldSelf: c.rule.optionalOldSelf ? new Opt(before) : before };
}

/** The message's expression, if it says something in one line; else the message, else the rule. */
function messageOf(c: CompiledRule, variables: Record<string, Val | undefined>): string {
  try {
    const text = c.messageProgram?.run(variables);
    const line = typeof text === 'string' ? text.trim() : '';
    if (line && !line.includes('\n') && line.length <= 5 * 1024) return line;
  } catch (e) {
    if (!(e instanceof CelError)) throw e;
  }
  return c.rule.message ? c.rule.message.trim() : `failed rule: ${c.rule.rule.trim()}`;
}

function ruleError(n: Node, c: CompiledRule, x: Json, at: string, detail: string): FieldError {
  const path = c.rule.fieldPath ? fieldPathOf(c.rule.fieldPath, n.schema) : null;
  const field = path ? (at ? `${at}.${path}` : path) : at;
  const value = n.schema.type === 'object' || n.schema.type === 'array' ? OMIT : x;
  switch (c.rule.reason) {
    case 'FieldValueForbidden':
      return forbiddenField(field, detail);
    case 'FieldValueRequired':
      return required(field, detail);
    case 'FieldValueDuplicate':
      return { type: 'Duplicate', field, value, detail: '' };
    default:
      return invalidField(field, value, detail);
  }
}
