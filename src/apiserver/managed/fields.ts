// Sets of fields, as metadata.managedFields writes them (FieldsV1): `f:` a field, `k:` a list's element by its keys, `v:` one by its value,
// `.` the node itself beside its children (sigs.k8s.io/structured-merge-diff/v6/fieldpath). A set is never changed once it is made.

import { compareBytes } from '../../sim/bytes.ts';

export interface Fields {
  [element: string]: Fields;
}

/** Of the path itself; a node without children is always one. */
function isMember(n: Fields): boolean {
  if ('.' in n) return true;
  for (const _ in n) return false;
  return true;
}

const children = (n: Fields): string[] => Object.keys(n).filter(k => k !== '.');

function node(member: boolean, kids: Fields): Fields | undefined {
  for (const _ in kids) return member ? { '.': {}, ...kids } : kids;
  return member ? {} : undefined;
}

export const isEmptySet = (s: Fields): boolean => children(s).length === 0;

/** Children of both by `f`, which gets undefined for one that is not there. */
function combine(a: Fields, b: Fields, f: (x: Fields | undefined, y: Fields | undefined) => Fields | undefined): Fields {
  const out: Fields = {};
  for (const k of children(a)) {
    const n = f(a[k], b[k]);
    if (n) out[k] = n;
  }
  for (const k of children(b)) {
    if (k in a) continue;
    const n = f(undefined, b[k]);
    if (n) out[k] = n;
  }
  return out;
}

const has = (n: Fields | undefined): boolean => n !== undefined && isMember(n);

export const union = (a: Fields, b: Fields): Fields => combine(a, b, (x, y) => (x && y ? node(has(x) || has(y), union(x, y)) : (x ?? y)));

/** Members of `a` that `b` has not. */
export const difference = (a: Fields, b: Fields): Fields =>
  combine(a, b, (x, y) => (x && y ? node(has(x) && !has(y), difference(x, y)) : x));

export const intersection = (a: Fields, b: Fields): Fields =>
  combine(a, b, (x, y) => (x && y ? node(has(x) && has(y), intersection(x, y)) : undefined));

/** Without these subtrees: paths of elements. */
export function without(s: Fields, paths: string[][]): Fields {
  let out = s;
  for (const path of paths) out = cut(out, path);
  return out;
}

function cut(s: Fields, [first, ...rest]: string[]): Fields {
  const at = s[first];
  if (!at) return s;
  const { [first]: _, ...others } = s;
  const left = rest.length ? node(isMember(at), cutKids(at, rest)) : undefined;
  return left ? { ...others, [first]: left } : others;
}

function cutKids(at: Fields, rest: string[]): Fields {
  const { '.': _, ...kids } = cut(at, rest);
  return kids;
}

/** A member without children; all of them share one, for there are many. */
export const LEAF: Fields = {};
const NONE: ReadonlyMap<string, Draft> = new Map();

/** A set as it grows: a node without children is a member. */
export interface Draft {
  member: boolean;
  kids: ReadonlyMap<string, Draft>;
}

export const newDraft = (): Draft => ({ member: false, kids: NONE });

export function insert(d: Draft, path: string[]): void {
  if (!path.length) return;
  let at = d;
  for (const element of path) {
    let next = at.kids.get(element);
    if (!next) {
      if (at.kids === NONE) at.kids = new Map();
      (at.kids as Map<string, Draft>).set(element, (next = newDraft()));
    }
    at = next;
  }
  at.member = true;
}

/** Elements as a set lists them. Names of fields are ASCII, but for keys of maps, whose order here nobody sees. */
export function inOrder(s: Fields): Fields {
  const keys = Object.keys(s);
  if (keys.every((k, i) => i === 0 || keys[i - 1] < k)) return s;
  const out: Fields = {};
  for (const k of keys.sort()) out[k] = s[k];
  return out;
}

export function finish(d: Draft): Fields {
  const out: Fields = {};
  const keys = [...d.kids.keys()];
  if (keys.length > 1) keys.sort();
  for (const k of keys) {
    const kid = d.kids.get(k) as Draft;
    if (!kid.kids.size) out[k] = LEAF;
    else out[k] = node(kid.member, finish(kid)) as Fields;
  }
  return out;
}

/** All members' paths: a node's own before those below it, as Set.Iterate gives them. */
export function pathsOf(s: Fields, before: string[] = []): string[][] {
  const keys = children(s).sort(compareElements);
  const own = keys.filter(k => isMember(s[k])).map(k => [...before, k]);
  return [...own, ...keys.flatMap(k => pathsOf(s[k], [...before, k]))];
}

export function hasPath(s: Fields, path: string[]): boolean {
  let at: Fields | undefined = s;
  for (const element of path) at = at?.[element];
  return has(at);
}

const RANK: Record<string, number> = { f: 0, k: 1, v: 2, i: 3 };

/** PathElement.Compare: fields, keys, values, indexes; numbers by their size. */
function compareElements(a: string, b: string): number {
  if (a[0] !== b[0]) return RANK[a[0]] - RANK[b[0]];
  if (a[0] === 'f') return compareBytes(a, b);
  const [x, y] = [JSON.parse(a.slice(2)), JSON.parse(b.slice(2))];
  if (a[0] !== 'k') return compareValues(x, y);
  const [p, q] = [Object.entries(x), Object.entries(y)];
  for (let i = 0; i < Math.min(p.length, q.length); i++) {
    const c = compareBytes(p[i][0], q[i][0]) || compareValues(p[i][1], q[i][1]);
    if (c) return c;
  }
  return p.length - q.length;
}

function compareValues(x: any, y: any): number {
  if (typeof x === 'number' && typeof y === 'number') return x - y;
  return compareBytes(String(x), String(y));
}

/** `.spec.ports[port=80,protocol="TCP"].name` */
export function printPath(path: string[]): string {
  return path
    .map(element => {
      const text = element.slice(2);
      if (element[0] === 'f') return `.${text}`;
      if (element[0] !== 'k') return element[0] === 'v' ? `[=${text}]` : `[${text}]`;
      const keys = Object.entries(JSON.parse(text)).map(([k, v]) => `${k}=${JSON.stringify(v)}`);
      return `[${keys.join(',')}]`;
    })
    .join('');
}
