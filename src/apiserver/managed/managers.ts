// Who wrote which field last: the entries of metadata.managedFields, kept by updates and by server-side apply
// (k8s.io/apimachinery/pkg/util/managedfields/internal v0.36.3, sigs.k8s.io/structured-merge-diff/v6/merge).

import { compareBytes } from '../../sim/bytes.ts';
import { type Json, sameJson } from '../json.ts';
import { difference, type Fields, hasPath, intersection, isEmptySet, pathsOf, printPath, union, without } from './fields.ts';
import { type Comparison, compare, fieldsOf, mergeValue, removeFields, withNamedFields } from './typed.ts';
import type { Kind } from './types.ts';

export interface Manager {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  /** None: it never changed the object, it only agrees. */
  time?: string;
  fieldsType: 'FieldsV1';
  fieldsV1: Fields;
  subresource?: string;
}

/** Who writes, and what of the object this kind of write cannot reach. */
export interface Write {
  kind: Kind;
  /** `manager`, `operation`, `apiVersion` and `subresource` of the entry. */
  self: Omit<Manager, 'fieldsV1' | 'time' | 'fieldsType'>;
  reset: string[][];
  now: string;
}

const MAX_UPDATE_MANAGERS = 10;

/** Appliers are one whatever the version. */
export const idOf = (m: Write['self']): string =>
  JSON.stringify([m.manager, m.operation, m.operation === 'Apply' ? '' : m.apiVersion, m.subresource ?? '']);

const META = 'name namespace creationTimestamp selfLink uid clusterName generation managedFields resourceVersion'.split(' ');
const STRIPPED: Fields = {
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': { '.': {}, ...Object.fromEntries(META.map(k => [`f:${k}`, {}])) },
};

export function order(a: Manager, b: Manager): number {
  return (
    compareBytes(a.operation, b.operation) ||
    compareBytes(a.time ?? '', b.time ?? '') ||
    compareBytes(a.manager, b.manager) ||
    compareBytes(a.apiVersion, b.apiVersion) ||
    compareBytes(a.subresource ?? '', b.subresource ?? '')
  );
}

const entry = (self: Write['self'], fieldsV1: Fields, time: string | undefined): Manager => ({
  apiVersion: self.apiVersion,
  fieldsType: 'FieldsV1',
  fieldsV1,
  manager: self.manager,
  operation: self.operation,
  ...(self.subresource && { subresource: self.subresource }),
  ...(time && { time }),
});

const isSame = (c: Comparison): boolean => isEmptySet(c.removed) && isEmptySet(c.modified) && isEmptySet(c.added);

function reachable(c: Comparison, reset: string[][]): Comparison {
  if (!reset.length) return c;
  return { removed: without(c.removed, reset), modified: without(c.modified, reset), added: without(c.added, reset) };
}

/** Nobody keeps what the change took or took away. */
function release(managers: Manager[], gone: Fields): Manager[] {
  const out: Manager[] = [];
  for (const m of managers) {
    const left = difference(m.fieldsV1, gone);
    if (!isEmptySet(left)) out.push({ ...m, fieldsV1: left });
  }
  return out;
}

/** After a create, update or patch. An object of nobody stays nobody's. */
export function afterUpdate(w: Write, before: Json, after: Json, managers: Manager[], isNew: boolean): Manager[] {
  if (!isNew && !managers.length) return managers;
  const c = reachable(compare(w.kind, before, after), w.reset);
  if (isSame(c)) return managers;
  const written = union(c.modified, c.added);
  const rest = release(managers, union(written, c.removed));
  const mine = difference(written, STRIPPED);
  if (isEmptySet(mine)) return rest.sort(order);
  const id = idOf(w.self);
  const had = rest.find(m => idOf(m) === id);
  const now = entry(w.self, had ? union(mine, had.fieldsV1) : mine, w.now);
  return cap([...rest.filter(m => m !== had), now]).sort(order);
}

/** The oldest updaters beyond ten are one together. */
function cap(managers: Manager[]): Manager[] {
  const updaters = managers.filter(m => m.operation === 'Update');
  if (updaters.length <= MAX_UPDATE_MANAGERS) return managers;
  const oldest = updaters.sort((a, b) => compareBytes(a.time ?? '', b.time ?? '') || compareBytes(idOf(a), idOf(b)));
  const gone = oldest.slice(0, updaters.length - MAX_UPDATE_MANAGERS + 1);
  const all = gone.map(m => m.fieldsV1).reduce(union);
  const last = gone[gone.length - 1];
  const ancient = entry({ manager: 'ancient-changes', operation: 'Update', apiVersion: last.apiVersion }, all, last.time);
  return [...managers.filter(m => !gone.includes(m)), ancient];
}

export interface Conflict {
  manager: Manager;
  path: string[];
}

export interface Applied {
  object: Json;
  managers: Manager[];
}

/** What an object without managers counts as written by. */
function beforeFirstApply(w: Write, empty: Json, live: Json): Manager[] {
  const c = compare(w.kind, empty, live);
  const all = difference(union(c.modified, c.added), STRIPPED);
  const self = { ...w.self, manager: 'before-first-apply', operation: 'Update' as const };
  return isEmptySet(all) ? [] : [entry(self, all, w.now)];
}

/** The configuration applied to the live object, or whose fields it would take. `empty`: a new object of the kind. */
export function applyConfig(w: Write, empty: Json, live: Json, config: Json, known: Manager[], force: boolean): Applied | Conflict[] {
  const managers = known.length ? known : beforeFirstApply(w, empty, live);
  const id = idOf(w.self);
  const last = managers.find(m => idOf(m) === id);
  const mine = without(fieldsOf(w.kind, config), w.reset);
  const all = [...managers.filter(m => m !== last), entry(w.self, mine, last?.time)];
  const object = prune(w.kind, mergeValue(w.kind, live, config), all, last?.fieldsV1);
  const c = reachable(compare(w.kind, live, object), w.reset);
  const written = union(c.modified, c.added);
  const others = all.filter(m => idOf(m) !== id);
  const conflicts = others
    .map(m => ({ manager: m, fields: intersection(m.fieldsV1, written) }))
    .flatMap(({ manager, fields }) => pathsOf(fields).map(path => ({ manager, path })));
  if (conflicts.length && !force) return conflicts;
  const left = difference(mine, STRIPPED);
  const time = sameJson(live, object) ? last?.time : w.now;
  const own = isEmptySet(left) ? [] : [entry(w.self, left, time)];
  return { object, managers: [...release(others, union(written, c.removed)), ...own].sort(order) };
}

/** Takes away what the manager applied last time, no longer applies and nobody else has. */
function prune(kind: Kind, merged: Json, managers: Manager[], last: Fields | undefined): Json {
  if (!last || isEmptySet(last)) return merged;
  const named = (s: Fields) => withNamedFields(kind, s);
  const had = named(last);
  const present = named(fieldsOf(kind, merged));
  const owned = named(managers.map(m => m.fieldsV1).reduce(union, {}));
  const bare = named(fieldsOf(kind, removeFields(kind, merged, had)));
  const kept = removeFields(kind, merged, difference(present, union(bare, owned)));
  const left = named(fieldsOf(kind, kept));
  return removeFields(kind, merged, intersection(difference(present, left), had));
}

/** Fields of the annotation of client-side apply that still have its values: `kubectl` may take them from whoever applied so. */
export function clientSideFields(kind: Kind, live: Json, applied: Json): Fields {
  const c = compare(kind, applied, live);
  return difference(fieldsOf(kind, applied), union(c.removed, union(c.modified, c.added)));
}

export const outside = (conflicts: Conflict[], allowed: Fields): Conflict[] => conflicts.filter(c => !hasPath(allowed, c.path));

function nameOf(m: Manager): string {
  const sub = m.subresource ? ` with subresource ${JSON.stringify(m.subresource)}` : '';
  return `${JSON.stringify(m.manager)}${sub}${m.operation === 'Update' ? ` using ${m.apiVersion}` : ''}`;
}

/** Message and causes of the refusal. */
export function conflictText(conflicts: Conflict[]): { message: string; causes: { reason: string; message: string; field: string }[] } {
  const causes = conflicts.map(c => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${nameOf(c.manager)}`,
    field: printPath(c.path),
  }));
  if (conflicts.length === 1) {
    return { message: `Apply failed with 1 conflict: ${causes[0].message}: ${causes[0].field}`, causes };
  }
  const byManager = new Map<string, Conflict[]>();
  for (const c of conflicts) byManager.set(idOf(c.manager), [...(byManager.get(idOf(c.manager)) ?? []), c]);
  const parts = [...byManager.keys()].sort(compareBytes).flatMap(id => {
    const mine = byManager.get(id) as Conflict[];
    return [`conflicts with ${nameOf(mine[0].manager)}:`, ...mine.map(c => `- ${printPath(c.path)}`)];
  });
  return { message: `Apply failed with ${conflicts.length} conflicts: ${parts.join('\n')}`, causes };
}
