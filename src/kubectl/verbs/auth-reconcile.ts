// kubectl auth reconcile (k8s.io/kubectl v0.36.3, pkg/cmd/auth/reconcile.go; k8s.io/component-helpers v0.36.3, auth/rbac).

import { cloneJson, sameJson } from '../../apiserver/json.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { build, type Info, infosOf } from '../builder.ts';
import { bool, type Cmd, dryRun, err, flag, list } from '../command.ts';
import { fail, isFailure, isNotFound } from '../failure.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { createObject, deleteObject, getObject, replaceObject } from '../requests.ts';

interface Rule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

interface Subject {
  kind?: string;
  apiGroup?: string;
  name?: string;
  namespace?: string;
}

interface Outcome {
  operation: 'none' | 'create' | 'update' | 'recreate';
  object: KubeObject;
  missing: string[];
  extra: string[];
}

export function* reconcile(cmd: Cmd): Co<number> {
  if (!list(cmd, 'filename').length && !flag(cmd, 'kustomize')) fail('must specify one of -f and -k');
  const mode = dryRun(cmd);
  if (mode === 'server') fail('--dry-run=server for command reconcile is not supported yet');
  const result = yield* build(cmd, {
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    flatten: true,
    continueOnError: true,
  });
  const { infos, error } = infosOf(result);
  if (error) throw error;
  const print = resultPrinter(cmd, 'reconciled', dryRunSuffix(mode));
  for (const info of infos) {
    if (!/^(Cluster)?Role(Binding)?$/.test(info.mapping.kind) || info.mapping.group !== 'rbac.authorization.k8s.io') continue;
    const binding = info.mapping.kind.endsWith('Binding');
    const o = outcomeOf(cmd, info, binding);
    if (mode === 'none') write(cmd, info, o);
    print(o.object);
    if (o.operation !== 'none') err(cmd, `\treconciliation required ${o.operation}\n`);
    const what = binding ? 'subjects' : 'rules';
    const removes = bool(cmd, binding ? 'remove-extra-subjects' : 'remove-extra-permissions');
    if (o.operation === 'none') continue;
    if (o.missing.length) err(cmd, `\tmissing ${what} added:\n${o.missing.map(x => `\t\t${x}\n`).join('')}`);
    if (removes && o.extra.length) err(cmd, `\textra ${what} removed:\n${o.extra.map(x => `\t\t${x}\n`).join('')}`);
  }
  return 0;
}

function write(cmd: Cmd, info: Info, o: Outcome): void {
  const { mapping, namespace, name } = info;
  if (o.operation === 'recreate') deleteObject(cmd, mapping, namespace, name, {});
  if (o.operation === 'create' || o.operation === 'recreate') o.object = createObject(cmd, mapping, namespace, o.object, {});
  if (o.operation === 'update') o.object = replaceObject(cmd, mapping, namespace, o.object, {});
}

function outcomeOf(cmd: Cmd, info: Info, binding: boolean): Outcome {
  const wanted = info.object as KubeObject & { rules?: Rule[]; subjects?: Subject[]; roleRef?: unknown };
  const found = getObject(cmd, info.mapping, info.namespace, info.name);
  if (isFailure(found)) {
    if (!isNotFound(found)) throw found;
    const missing = binding ? (wanted.subjects ?? []).map(subjectText) : (wanted.rules ?? []).map(ruleText);
    return { operation: 'create', object: wanted, missing, extra: [] };
  }
  const now = found as typeof wanted;
  if (binding && !sameJson(now.roleRef, wanted.roleRef)) return { operation: 'recreate', object: wanted, missing: [], extra: [] };
  const object = cloneJson(now) as typeof wanted;
  for (const field of ['annotations', 'labels'] as const) {
    const merged = { ...wanted.metadata[field], ...now.metadata[field] };
    if (Object.keys(merged).length) object.metadata[field] = merged;
  }
  const removes = bool(cmd, binding ? 'remove-extra-subjects' : 'remove-extra-permissions');
  const texts = binding ? mergeSubjects(object, wanted, removes) : mergeRules(object, wanted, removes);
  return { operation: sameJson(object, now) ? 'none' : 'update', object, ...texts };
}

function mergeSubjects(into: { subjects?: Subject[] }, wanted: { subjects?: Subject[] }, removes: boolean) {
  const [a, b] = [wanted.subjects ?? [], into.subjects ?? []];
  const without = (of: Subject[], others: Subject[]) => of.filter(s => !others.some(o => subjectText(o) === subjectText(s)));
  const [missing, extra] = [without(a, b), without(b, a)];
  if (removes && (missing.length || extra.length)) into.subjects = a;
  else if (missing.length) into.subjects = [...b, ...missing];
  return { missing: missing.map(subjectText), extra: extra.map(subjectText) };
}

function mergeRules(into: { rules?: Rule[] }, wanted: { rules?: Rule[] }, removes: boolean) {
  const [a, b] = [wanted.rules ?? [], into.rules ?? []];
  const [missing, extra] = [uncovered(b, a), uncovered(a, b)];
  if (removes && (missing.length || extra.length)) into.rules = a;
  else if (missing.length) into.rules = [...b, ...missing];
  return { missing: missing.map(ruleText), extra: extra.map(ruleText) };
}

/** Of `rules` the parts that none of `owners` allows (validation.Covers). */
const uncovered = (owners: Rule[], rules: Rule[]): Rule[] => rules.flatMap(parts).filter(p => !owners.some(o => covers(o, p)));

function parts(r: Rule): Rule[] {
  const out: Rule[] = [];
  for (const group of r.apiGroups ?? [])
    for (const resource of r.resources ?? [])
      for (const verb of r.verbs ?? [])
        for (const name of r.resourceNames?.length ? r.resourceNames : [null])
          out.push({ verbs: [verb], apiGroups: [group], resources: [resource], ...(name !== null && { resourceNames: [name] }) });
  for (const url of r.nonResourceURLs ?? []) for (const verb of r.verbs ?? []) out.push({ verbs: [verb], nonResourceURLs: [url] });
  return out;
}

function covers(owner: Rule, part: Rule): boolean {
  const has = (of: string[] | undefined, x: string) => !!of && (of.includes('*') || of.includes(x));
  if (!has(owner.verbs, part.verbs?.[0] ?? '')) return false;
  const url = part.nonResourceURLs?.[0];
  if (url !== undefined) return !!owner.nonResourceURLs?.some(o => o === url || (o.endsWith('*') && url.startsWith(o.slice(0, -1))));
  const resource = part.resources?.[0] ?? '';
  const sub = resource.includes('/') ? `*/${resource.slice(resource.indexOf('/') + 1)}` : resource;
  if (!has(owner.apiGroups, part.apiGroups?.[0] ?? '') || !(has(owner.resources, resource) || has(owner.resources, sub))) return false;
  return !owner.resourceNames?.length || (!!part.resourceNames && owner.resourceNames.includes(part.resourceNames[0]));
}

/** fmt's %+v of the Go structs. */
const words = (l: string[] | undefined): string => `[${(l ?? []).join(' ')}]`;
const ruleText = (r: Rule): string =>
  `{Verbs:${words(r.verbs)} APIGroups:${words(r.apiGroups)} Resources:${words(r.resources)} ResourceNames:${words(r.resourceNames)} NonResourceURLs:${words(r.nonResourceURLs)}}`;
const subjectText = (s: Subject): string =>
  `{Kind:${s.kind ?? ''} APIGroup:${s.apiGroup ?? ''} Name:${s.name ?? ''} Namespace:${s.namespace ?? ''}}`;
