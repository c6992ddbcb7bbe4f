// Lists and sets (k8s.io/apiserver/pkg/cel/library/lists.go v0.36.3; cel-go ext/lists.go version 3, ext/sets.go v0.26.0).

import { CelError, compareValues, Duration, equal, Opt, Uint, type Val } from '../values.ts';
import { int64, uint64 } from './operators.ts';
import type { Row } from './row.ts';

const ORDERED = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'];

function extreme(name: string, sign: number) {
  return (list: Val[]): Val => {
    if (!list.length) throw new CelError(`${name} called on empty list`);
    return list.reduce((best, v) => (compareValues(v, best) * sign > 0 ? v : best));
  };
}

const isSorted = (list: Val[]): boolean => list.every((v, i) => i === 0 || compareValues(list[i - 1], v) <= 0);

/** Of an empty list the type is not seen: nothing is 0. */
function sum(zero: Val) {
  return (list: Val[]): Val => {
    let total: Val = zero;
    for (const v of list) {
      if (typeof v === 'bigint') total = int64((typeof total === 'bigint' ? total : 0n) + v);
      else if (typeof v === 'number') total = (typeof total === 'number' ? total : 0) + v;
      else if (v instanceof Uint) total = uint64((total instanceof Uint ? total.n : 0n) + v.n);
      else if (v instanceof Duration) total = new Duration((total instanceof Duration ? total.ns : 0n) + v.ns);
      else throw new CelError('no such overload');
    }
    return total;
  };
}

function slice(list: Val[], from: bigint, to: bigint): Val[] {
  if (from < 0n || to < 0n) throw new CelError(`cannot slice(${from}, ${to}), negative indexes not supported`);
  if (from > to) throw new CelError(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`);
  if (to > BigInt(list.length)) throw new CelError(`cannot slice(${from}, ${to}), list is length ${list.length}`);
  return list.slice(Number(from), Number(to));
}

function flatten(list: Val[], depth = 1n): Val[] {
  if (depth < 0n) throw new CelError('level must be non-negative');
  return list.flatMap(v => (Array.isArray(v) && depth > 0n ? (depth > 1n ? flatten(v, depth - 1n) : v) : [v]));
}

const distinct = (list: Val[]): Val[] => list.filter((v, i) => !list.slice(0, i).some(x => equal(x, v)));

const contains = (list: Val[], part: Val[]): boolean => part.every(x => list.some(y => equal(x, y)));

const SUMMED: [string, Val][] = [
  ['int', 0n],
  ['uint', new Uint(0n)],
  ['double', 0],
  ['duration', new Duration(0n)],
];

export const LISTS: Row[] = [
  ...ORDERED.flatMap((t): Row[] => [
    [`list<${t}>.isSorted() bool`, isSorted],
    [`list<${t}>.min() ${t}`, extreme('min', -1)],
    [`list<${t}>.max() ${t}`, extreme('max', 1)],
    [`list<${t}>.sort() list<${t}>`, (list: Val[]) => [...list].sort(compareValues)],
  ]),
  ...SUMMED.map(([t, zero]): Row => [`list<${t}>.sum() ${t}`, sum(zero)]),
  ['list<A>.indexOf(A) int', (list: Val[], v: Val) => BigInt(list.findIndex(x => equal(x, v)))],
  ['list<A>.lastIndexOf(A) int', (list: Val[], v: Val) => BigInt(list.findLastIndex(x => equal(x, v)))],
  ['list<A>.slice(int,int) list<A>', slice],
  ['list<list<A>>.flatten() list<A>', flatten],
  ['list<dyn>.flatten(int) list<dyn>', flatten],
  ['list<A>.distinct() list<A>', distinct],
  ['list<A>.reverse() list<A>', (list: Val[]) => [...list].reverse()],
  ['list<A>.first() optional<A>', (list: Val[]) => new Opt(list[0])],
  ['list<A>.last() optional<A>', (list: Val[]) => new Opt(list[list.length - 1])],
  ['#lists.range(int) list<int>', (n: bigint) => Array.from({ length: Number(n) }, (_, i) => BigInt(i))],
  ['#sets.contains(list<A>,list<A>) bool', contains],
  ['#sets.equivalent(list<A>,list<A>) bool', (a: Val[], b: Val[]) => contains(a, b) && contains(b, a)],
  ['#sets.intersects(list<A>,list<A>) bool', (a: Val[], b: Val[]) => a.some(x => b.some(y => equal(x, y)))],
];
