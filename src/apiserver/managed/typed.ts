// Walks over values by their types: what differs, which fields there are, what is left without some of them
// (sigs.k8s.io/structured-merge-diff/v6/typed: compare.go, tofieldset.go, remove.go).

import { isMap, type Json, sameJson } from '../json.ts';
import { type Draft, type Fields, finish, inOrder, insert, isEmptySet, LEAF, newDraft } from './fields.ts';
import { elementOf, formOf, isAtomic, type Kind } from './types.ts';

export interface Comparison {
  removed: Fields;
  modified: Fields;
  added: Fields;
}

/** Of one node: itself and what is below it. What nothing happened to is not there, and most of an object is as it was. */
type Change = Partial<Comparison>;

const SETS = ['removed', 'modified', 'added'] as const;
const REMOVED: Change = { removed: LEAF };
const MODIFIED: Change = { modified: LEAF };
const ADDED: Change = { added: LEAF };
const NOTHING: Fields = {};

export function compare(kind: Kind, before: Json, after: Json): Comparison {
  const { removed = NOTHING, modified = NOTHING, added = NOTHING } = compareValue(kind, before, after) ?? {};
  return { removed, modified, added };
}

const isVoid = (v: Json): boolean => {
  if (v === undefined || v === null) return true;
  if (typeof v !== 'object') return false;
  for (const _ in v) return false;
  return true;
};

function compareLeaf(l: Json, r: Json): Change | null {
  if (l === undefined) return ADDED;
  if (r === undefined) return REMOVED;
  return sameJson(l, r) ? null : MODIFIED;
}

/** undefined: not there. -> null: nothing differs */
function compareValue(kind: Kind, l: Json, r: Json): Change | null {
  if (l === r) return null;
  const form = formOf(kind, r === undefined || r === null ? (l ?? r) : r);
  const other = l === undefined || r === undefined || l === null || r === null ? form : formOf(kind, l);
  if (form === 'scalar' || other !== form || isAtomic(kind, form) || (isVoid(l) && isVoid(r))) return compareLeaf(l, r);
  const below: Change = {};
  if (form === 'list') compareItems(below, kind, l ?? [], r ?? []);
  else compareFields(below, kind, l ?? {}, r ?? {});
  let any = false;
  for (const set of SETS) {
    const kids = below[set];
    if (kids) below[set] = inOrder(kids);
    any ||= kids !== undefined;
  }
  if (l === undefined) below.added = member(below.added);
  else if (r === undefined) below.removed = member(below.removed);
  else if (!any) return null;
  return below;
}

const member = (kids: Fields | undefined): Fields => (kids ? { '.': LEAF, ...kids } : LEAF);

function note(below: Change, element: string, change: Change | null): void {
  if (!change) return;
  for (const set of SETS) {
    const fields = change[set];
    if (!fields) continue;
    const kids = below[set] ?? {};
    below[set] = kids;
    kids[element] = fields;
  }
}

function compareFields(below: Change, kind: Kind, l: Record<string, Json>, r: Record<string, Json>): void {
  for (const k in l) if (l[k] !== r[k]) note(below, `f:${k}`, compareValue(kind.below(k), l[k], r[k]));
  for (const k in r) if (!(k in l)) note(below, `f:${k}`, compareValue(kind.below(k), undefined, r[k]));
}

function itemsOf(kind: Kind, list: Json[]): Map<string, Json[]> {
  const out = new Map<string, Json[]>();
  for (const v of list) {
    const element = elementOf(kind, v);
    const same = out.get(element);
    if (same) same.push(v);
    else out.set(element, [v]);
  }
  return out;
}

function compareItems(below: Change, kind: Kind, l: Json[], r: Json[]): void {
  const [before, after] = [itemsOf(kind, l), itemsOf(kind, r)];
  const of = kind.below(null);
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const [x, y] = [before.get(element) ?? [], after.get(element) ?? []];
    if (x.length < 2 && y.length < 2) {
      note(below, element, compareValue(of, x[0], y[0]));
      continue;
    }
    // Duplicates are one thing together.
    if (x.length >= 2 && y.length >= 2) note(below, element, sameJson(x, y) ? null : MODIFIED);
    else if (x.length >= 2) note(below, element, { ...(y.length ? compareValue(of, undefined, y[0]) : null), ...REMOVED });
    else note(below, element, { ...(x.length ? compareValue(of, x[0], undefined) : null), ...ADDED });
  }
}

/** The fields that the value gives. */
export function fieldsOf(kind: Kind, v: Json): Fields {
  const d = newDraft();
  gather(d, kind, v, []);
  return finish(d);
}

function gather(d: Draft, kind: Kind, v: Json, path: string[]): void {
  const form = formOf(kind, v);
  if (form === 'scalar' || isAtomic(kind, form)) {
    insert(d, path);
    return;
  }
  if (form === 'list') {
    const below = kind.below(null);
    for (const [element, same] of itemsOf(kind, v ?? [])) {
      const at = [...path, element];
      if (same.length === 1) gather(d, below, same[0], at);
      insert(d, at);
    }
    return;
  }
  for (const k in v ?? {}) {
    const x = v[k];
    if (x === undefined) continue;
    const at = [...path, `f:${k}`];
    gather(d, kind.below(k), x, at);
    if (x === null || (isMap(x) && isVoid(x)) || !kind.declares(k)) insert(d, at);
  }
}

/** Without the members of `gone`; null: nothing is left. */
export function removeFields(kind: Kind, v: Json, gone: Fields): Json {
  const form = formOf(kind, v);
  if (form === 'scalar') return v;
  if (isVoid(v) || isAtomic(kind, form)) return null;
  const keep = (element: string, below: Kind, x: Json, put: (x: Json) => void) => {
    const at = gone[element];
    if (!at) put(x);
    else if (!isEmptySet(at) && !('.' in at)) put(removeFields(below, x, at));
  };
  if (form === 'list') {
    const out: Json[] = [];
    for (const x of v) keep(elementOf(kind, x), kind.below(null), x, y => out.push(y));
    return out.length ? out : null;
  }
  const out: Record<string, Json> = {};
  for (const k in v) {
    keep(`f:${k}`, kind.below(k), v[k], y => {
      out[k] = y;
    });
  }
  return isVoid(out) ? null : out;
}

/** Declared fields on the way to members are members too. */
export function withNamedFields(kind: Kind, s: Fields): Fields {
  const out: Fields = {};
  for (const k in s) {
    if (k === '.') {
      out[k] = {};
      continue;
    }
    const below = kind.below(k[0] === 'f' ? k.slice(2) : null);
    const kids = withNamedFields(below, s[k]);
    const member = k[0] === 'f' && kind.form !== 'any' && kind.declares(k.slice(2));
    out[k] = member && !isVoid(kids) ? { '.': {}, ...kids } : kids;
  }
  return out;
}

/** The applied value put into the live one. undefined: not there. */
export function mergeValue(kind: Kind, live: Json, applied: Json): Json {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  const form = formOf(kind, applied === null ? (live ?? applied) : applied);
  if (form === 'scalar' || isAtomic(kind, form) || formOf(kind, live) !== form || (isVoid(live) && isVoid(applied))) return applied;
  if (form === 'list') return mergeItems(kind, live ?? [], applied ?? []);
  const out: Record<string, Json> = {};
  for (const k of new Set([...Object.keys(live ?? {}), ...Object.keys(applied ?? {})])) {
    const v = mergeValue(kind.below(k), live?.[k], applied?.[k]);
    if (v !== undefined) out[k] = v;
  }
  return out;
}

/** The applied elements in their order, the others between them where they were. */
function mergeItems(kind: Kind, live: Json[], applied: Json[]): Json[] {
  const left = live.map(v => elementOf(kind, v));
  const right = applied.map(v => elementOf(kind, v));
  const before = new Map<string, Json>();
  for (const [i, e] of left.entries()) before.set(e, before.has(e) ? null : live[i]);
  const after = new Map(right.map((e, i) => [e, applied[i]]));
  const shared = right.filter(e => before.has(e));
  const merged = new Set<string>();
  const below = kind.below(null);
  const out: Json[] = [];
  let next = 0;
  const take = (e: string) => {
    merged.add(e);
    out.push(mergeValue(below, before.get(e) ?? undefined, after.get(e)));
    if (shared[next] === e) next++;
  };
  for (let l = 0, r = 0; l < left.length || r < right.length; ) {
    if (l < left.length && r < right.length) {
      if (left[l] === right[r]) {
        take(left[l]);
        l++;
        r++;
        continue;
      }
      if (after.has(left[l]) && next < shared.length && shared[next] !== left[l]) {
        l++;
        continue;
      }
    }
    if (l < left.length) {
      if (!after.has(left[l])) {
        out.push(live[l++]);
        continue;
      }
      if (merged.has(left[l])) l++;
    }
    if (r < right.length) take(right[r++]);
  }
  return out;
}
