// Arithmetic, comparisons and membership (cel-spec, doc/langdef.md: List of Standard Definitions).

import { asSet, CelError, compareValues, Duration, equal, identityOf, MapVal, type Obj, Timestamp, Uint, type Val } from '../values.ts';
import type { Row } from './row.ts';

const MAX = 1n << 63n;

export function int64(n: bigint): bigint {
  if (n >= MAX || n < -MAX) throw new CelError('integer overflow');
  return n;
}

export function uint64(n: bigint): Uint {
  if (n < 0n || n >= 1n << 64n) throw new CelError('unsigned integer overflow');
  return new Uint(n);
}

function divisor(n: bigint, what: string): bigint {
  if (n === 0n) throw new CelError(`${what} by zero`);
  return n;
}

function ordered(test: (n: number) => boolean): (a: Val, b: Val) => boolean {
  return (a, b) => test(compareValues(a, b));
}

const ORDERED = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration'];
const NUMERIC = ['int', 'uint', 'double'];

/** Numbers compare with numbers of any kind. */
function comparison(fn: string, test: (n: number) => boolean): Row[] {
  const rows = ORDERED.map(t => [`${fn}(${t},${t}) bool`, ordered(test)] as Row);
  for (const a of NUMERIC) for (const b of NUMERIC) if (a !== b) rows.push([`${fn}(${a},${b}) bool`, ordered(test)]);
  return rows;
}

/** Lists that are sets or maps take in what they do not have; those of a map replace it. */
function joined(a: Val[], b: Val[]): Val[] {
  const idOf = identityOf(a);
  if (!idOf) return [...a, ...b];
  const all = new Map(a.map(v => [idOf(v), v] as [string, Val]));
  for (const v of b) all.set(idOf(v), v);
  return asSet([...all.values()], idOf);
}

export const OPERATORS: Row[] = [
  ['_+_(int,int) int', (a: bigint, b: bigint) => int64(a + b)],
  ['_+_(uint,uint) uint', (a: Uint, b: Uint) => uint64(a.n + b.n)],
  ['_+_(double,double) double', (a: number, b: number) => a + b],
  ['_+_(string,string) string', (a: string, b: string) => a + b],
  ['_+_(bytes,bytes) bytes', (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b])],
  ['_+_(list<A>,list<A>) list<A>', joined],
  ['_+_(duration,duration) duration', (a: Duration, b: Duration) => new Duration(int64(a.ns + b.ns))],
  ['_+_(timestamp,duration) timestamp', (a: Timestamp, b: Duration) => new Timestamp(a.ns + b.ns)],
  ['_+_(duration,timestamp) timestamp', (a: Duration, b: Timestamp) => new Timestamp(a.ns + b.ns)],
  ['_-_(int,int) int', (a: bigint, b: bigint) => int64(a - b)],
  ['_-_(uint,uint) uint', (a: Uint, b: Uint) => uint64(a.n - b.n)],
  ['_-_(double,double) double', (a: number, b: number) => a - b],
  ['_-_(duration,duration) duration', (a: Duration, b: Duration) => new Duration(int64(a.ns - b.ns))],
  ['_-_(timestamp,duration) timestamp', (a: Timestamp, b: Duration) => new Timestamp(a.ns - b.ns)],
  ['_-_(timestamp,timestamp) duration', (a: Timestamp, b: Timestamp) => new Duration(int64(a.ns - b.ns))],
  ['_*_(int,int) int', (a: bigint, b: bigint) => int64(a * b)],
  ['_*_(uint,uint) uint', (a: Uint, b: Uint) => uint64(a.n * b.n)],
  ['_*_(double,double) double', (a: number, b: number) => a * b],
  ['_/_(int,int) int', (a: bigint, b: bigint) => int64(a / divisor(b, 'division'))],
  ['_/_(uint,uint) uint', (a: Uint, b: Uint) => uint64(a.n / divisor(b.n, 'division'))],
  ['_/_(double,double) double', (a: number, b: number) => a / b],
  ['_%_(int,int) int', (a: bigint, b: bigint) => a % divisor(b, 'modulus')],
  ['_%_(uint,uint) uint', (a: Uint, b: Uint) => uint64(a.n % divisor(b.n, 'modulus'))],
  ['-_(int) int', (a: bigint) => int64(-a)],
  ['-_(double) double', (a: number) => -a],
  ['!_(bool) bool', (a: boolean) => !a],
  ['_==_(A,A) bool', equal],
  ['_!=_(A,A) bool', (a: Val, b: Val) => !equal(a, b)],
  // Which of their sides are asked the evaluation itself decides.
  ['_&&_(bool,bool) bool', (a: boolean, b: boolean) => a && b],
  ['_||_(bool,bool) bool', (a: boolean, b: boolean) => a || b],
  ['_?_:_(bool,A,A) A', (c: boolean, a: Val, b: Val) => (c ? a : b)],
  ...comparison('_<_', n => n < 0),
  ...comparison('_<=_', n => n <= 0),
  ...comparison('_>_', n => n > 0),
  ...comparison('_>=_', n => n >= 0),
  ['@in(A,list<A>) bool', (v: Val, list: Val[]) => list.some(x => equal(x, v))],
  ['@in(A,map<A,B>) bool', (k: Val, m: MapVal | Obj) => (m instanceof MapVal ? m.get(k) !== undefined : m.fields.has(String(k)))],
];
