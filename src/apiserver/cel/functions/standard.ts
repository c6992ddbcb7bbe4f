// Conversions, sizes, times, optional values (cel-spec standard definitions; cel-go common/types, cel/library.go v0.26.0).

import { bytesToString, stringToBytes } from '../../../sim/bytes.ts';
import { formatDuration, formatFloat, formatTimestamp, parseDuration, parseTimestamp, zoned } from '../time.ts';
import { CelError, Duration, type MapVal, Opt, Timestamp, TypeVal, typeName, type Uint, type Val } from '../values.ts';
import { matcher } from './matcher.ts';
import { int64, uint64 } from './operators.ts';
import type { Row } from './row.ts';

const SECOND = 1_000_000_000n;

function whole(n: number): bigint {
  if (!Number.isFinite(n) || n <= -(2 ** 63) || n >= 2 ** 63) throw new CelError('integer overflow');
  return BigInt(Math.trunc(n));
}

const impossible = (to: string): CelError => new CelError(`type conversion error from 'string' to '${to}'`);

function parsed(text: string, pattern: RegExp, to: string): string {
  if (!pattern.test(text)) throw impossible(to);
  return text;
}

/** A reader's own complaint is not told. */
function converted<T>(to: string, read: () => T): T {
  try {
    return read();
  } catch (e) {
    throw e instanceof CelError ? impossible(to) : e;
  }
}

function toBool(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw impossible('bool');
}

const DOUBLE = /^[+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|^[+-]?(?:inf|infinity|nan)$/i;

function toDouble(text: string): number {
  parsed(text, DOUBLE, 'double');
  const special = /^([+-]?)(inf|nan)/i.exec(text);
  if (!special) return Number(text);
  return /nan/i.test(text) ? Number.NaN : special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

const CONVERSIONS: Row[] = [
  ['int(int) int', (v: bigint) => v],
  ['int(uint) int', (v: Uint) => int64(v.n)],
  ['int(double) int', whole],
  ['int(string) int', (v: string) => int64(BigInt(parsed(v, /^[+-]?\d+$/, 'int').replace(/^\+/, '')))],
  ['int(timestamp) int', (v: Timestamp) => v.ns / SECOND],
  ['int(duration) int', (v: Duration) => v.ns],
  ['uint(uint) uint', (v: Uint) => v],
  ['uint(int) uint', (v: bigint) => uint64(v)],
  ['uint(double) uint', (v: number) => uint64(whole(v))],
  ['uint(string) uint', (v: string) => uint64(BigInt(parsed(v, /^\d+$/, 'uint')))],
  ['double(double) double', (v: number) => v],
  ['double(int) double', (v: bigint) => Number(v)],
  ['double(uint) double', (v: Uint) => Number(v.n)],
  ['double(string) double', toDouble],
  ['string(string) string', (v: string) => v],
  ['string(int) string', (v: bigint) => String(v)],
  ['string(uint) string', (v: Uint) => String(v.n)],
  ['string(double) string', formatFloat],
  ['string(bool) string', (v: boolean) => String(v)],
  ['string(bytes) string', (v: Uint8Array) => bytesToString(v)],
  ['string(timestamp) string', (v: Timestamp) => formatTimestamp(v.ns)],
  ['string(duration) string', (v: Duration) => formatDuration(v.ns)],
  ['bytes(bytes) bytes', (v: Uint8Array) => v],
  ['bytes(string) bytes', (v: string) => stringToBytes(v)],
  ['bool(bool) bool', (v: boolean) => v],
  ['bool(string) bool', toBool],
  ['duration(duration) duration', (v: Duration) => v],
  ['duration(int) duration', (v: bigint) => new Duration(v)],
  ['duration(string) duration', (v: string) => new Duration(converted('google.protobuf.Duration', () => parseDuration(v)))],
  ['timestamp(timestamp) timestamp', (v: Timestamp) => v],
  ['timestamp(int) timestamp', (v: bigint) => new Timestamp(v * SECOND)],
  ['timestamp(string) timestamp', (v: string) => new Timestamp(converted('google.protobuf.Timestamp', () => parseTimestamp(v)))],
  ['dyn(A) dyn', (v: Val) => v],
  ['type(A) type<A>', (v: Val) => new TypeVal(typeName(v))],
];

const runes = (s: string): bigint => BigInt([...s].length);

function sizes(t: string, size: (v: any) => bigint): Row[] {
  return [
    [`size(${t}) int`, size],
    [`${t}.size() int`, size],
  ];
}

const SIZES: Row[] = [
  ...sizes('string', runes),
  ...sizes('bytes', (v: Uint8Array) => BigInt(v.length)),
  ...sizes('list<A>', (v: Val[]) => BigInt(v.length)),
  ...sizes('map<A,B>', (v: MapVal) => BigInt(v.entries.size)),
];

const MATCHES: Row[] = [
  ['string.startsWith(string) bool', (s: string, x: string) => s.startsWith(x)],
  ['string.endsWith(string) bool', (s: string, x: string) => s.endsWith(x)],
  ['string.contains(string) bool', (s: string, x: string) => s.includes(x)],
  ['string.matches(string) bool', (s: string, x: string) => matcher(x).test(s)],
  ['matches(string,string) bool', (s: string, x: string) => matcher(x).test(s)],
];

type Civil = ReturnType<typeof zoned>;

function timePart(name: string, of: (t: Civil) => number): Row[] {
  return [
    [`timestamp.${name}() int`, (t: Timestamp) => BigInt(of(zoned(t.ns, 'UTC')))],
    [`timestamp.${name}(string) int`, (t: Timestamp, zone: string) => BigInt(of(zoned(t.ns, zone)))],
  ];
}

const TIMES: Row[] = [
  ...timePart('getFullYear', t => t.year),
  ...timePart('getMonth', t => t.month - 1),
  ...timePart('getDayOfYear', t => t.dayOfYear),
  ...timePart('getDayOfMonth', t => t.day - 1),
  ...timePart('getDate', t => t.day),
  ...timePart('getDayOfWeek', t => t.weekday),
  ...timePart('getHours', t => t.hour),
  ...timePart('getMinutes', t => t.minute),
  ...timePart('getSeconds', t => t.second),
  ...timePart('getMilliseconds', t => Math.floor(t.ms)),
  ['duration.getHours() int', (d: Duration) => d.ns / (3600n * SECOND)],
  ['duration.getMinutes() int', (d: Duration) => d.ns / (60n * SECOND)],
  ['duration.getSeconds() int', (d: Duration) => d.ns / SECOND],
  ['duration.getMilliseconds() int', (d: Duration) => d.ns / 1_000_000n],
];

function dereference(o: Opt): Val {
  if (o.value === undefined) throw new CelError('optional.none() dereference');
  return o.value;
}

const OPTIONALS: Row[] = [
  ['#optional.of(A) optional<A>', (v: Val) => new Opt(v)],
  ['#optional.none() optional<A>', () => new Opt(undefined)],
  ['#optional.ofNonZeroValue(A) optional<A>', (v: Val) => new Opt(isZero(v) ? undefined : v)],
  ['optional<A>.hasValue() bool', (o: Opt) => o.value !== undefined],
  ['optional<A>.value() A', dereference],
  ['optional<A>.or(optional<A>) optional<A>', (o: Opt, other: Opt) => (o.value === undefined ? other : o)],
  ['optional<A>.orValue(A) A', (o: Opt, other: Val) => o.value ?? other],
];

function isZero(v: Val): boolean {
  if (v === null || v === false || v === 0n || v === 0 || v === '') return true;
  if (Array.isArray(v) || v instanceof Uint8Array) return v.length === 0;
  return typeof v === 'object' && 'entries' in v && v.entries instanceof Map && v.entries.size === 0;
}

export const STANDARD: Row[] = [...CONVERSIONS, ...SIZES, ...MATCHES, ...TIMES, ...OPTIONALS];
