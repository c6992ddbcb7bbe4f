// Quantities, versions and named formats (k8s.io/apiserver/pkg/cel/library/{quantity,semverlib,format}.go v0.36.3).

import { formatError } from '../../custom/formats.ts';
import { isDns1035Label, isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName, prefixed } from '../../kinds/rules.ts';
import { compareQuantity, parseQuantity, type Quantity } from '../../quantity.ts';
import { CelError, Opaque, Opt } from '../values.ts';
import type { Row } from './row.ts';

const NANO = 1_000_000_000n;

const newQuantity = (q: Quantity): Opaque => new Opaque('kubernetes.Quantity', q, String(q.nano));

function toQuantity(text: string): Opaque {
  const q = parseQuantity(text);
  if (typeof q === 'string') throw new CelError(q);
  return newQuantity(q);
}

const isInteger = (q: Opaque): boolean => q.value.nano % NANO === 0n && q.value.nano / NANO < 1n << 63n;

function asInteger(q: Opaque): bigint {
  if (!isInteger(q)) throw new CelError('cannot convert value to integer');
  return q.value.nano / NANO;
}

const plus = (q: Opaque, nano: bigint): Opaque => newQuantity({ ...q.value, nano: q.value.nano + nano });
const compare = (a: Opaque, b: Opaque): bigint => BigInt(compareQuantity(a.value, b.value));

const Q = 'kubernetes.Quantity';
const QUANTITY: Row[] = [
  [`quantity(string) ${Q}`, toQuantity],
  ['isQuantity(string) bool', (s: string) => typeof parseQuantity(s) !== 'string'],
  [`${Q}.isInteger() bool`, isInteger],
  [`${Q}.asInteger() int`, asInteger],
  [`${Q}.asApproximateFloat() double`, (q: Opaque) => Number(q.value.nano) / 1e9],
  [`sign(${Q}) int`, (q: Opaque) => (q.value.nano > 0n ? 1n : q.value.nano < 0n ? -1n : 0n)],
  [`${Q}.add(${Q}) ${Q}`, (a: Opaque, b: Opaque) => plus(a, b.value.nano)],
  [`${Q}.add(int) ${Q}`, (a: Opaque, n: bigint) => plus(a, n * NANO)],
  [`${Q}.sub(${Q}) ${Q}`, (a: Opaque, b: Opaque) => plus(a, -(b.value.nano as bigint))],
  [`${Q}.sub(int) ${Q}`, (a: Opaque, n: bigint) => plus(a, -n * NANO)],
  [`${Q}.isLessThan(${Q}) bool`, (a: Opaque, b: Opaque) => compare(a, b) < 0n],
  [`${Q}.isGreaterThan(${Q}) bool`, (a: Opaque, b: Opaque) => compare(a, b) > 0n],
  [`${Q}.compareTo(${Q}) int`, compare],
];

interface Version {
  parts: [bigint, bigint, bigint];
  pre: string[];
}

const VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** `v1.2` becomes `1.2.0` when it is to be normalized. */
function parseVersion(text: string, normalize: boolean): Version | null {
  let s = text;
  if (normalize) {
    const m = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)$/.exec(text);
    if (m) s = `${BigInt(m[1])}.${BigInt(m[2] ?? '0')}.${BigInt(m[3] ?? '0')}${m[4]}`;
  }
  const m = VERSION.exec(s);
  return m && { parts: [BigInt(m[1]), BigInt(m[2]), BigInt(m[3])], pre: m[4]?.split('.') ?? [] };
}

function toVersion(text: string, normalize = false): Opaque {
  const v = parseVersion(text, normalize);
  if (!v)
    throw new CelError(
      text.split('.').length === 3
        ? `Invalid character(s) found in version ${JSON.stringify(text)}`
        : 'No Major.Minor.Patch elements found',
    );
  return new Opaque('kubernetes.Semver', v, `${v.parts.join('.')}-${v.pre.join('.')}`);
}

/** semver.org, 11: numbers before words, fewer before more, none after all. */
function compareVersions(a: Version, b: Version): bigint {
  for (const i of [0, 1, 2]) if (a.parts[i] !== b.parts[i]) return a.parts[i] < b.parts[i] ? -1n : 1n;
  if (!a.pre.length || !b.pre.length) return BigInt(Number(!a.pre.length) - Number(!b.pre.length));
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const [x, y] = [a.pre[i], b.pre[i]];
    if (x === y) continue;
    if (x === undefined || y === undefined) return x === undefined ? -1n : 1n;
    const [n, m] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (n && m) return BigInt(x) < BigInt(y) ? -1n : 1n;
    return n !== m ? (n ? -1n : 1n) : x < y ? -1n : 1n;
  }
  return 0n;
}

const S = 'kubernetes.Semver';
const VERSIONS: Row[] = [
  [`semver(string) ${S}`, (s: string) => toVersion(s)],
  [`semver(string,bool) ${S}`, toVersion],
  ['isSemver(string) bool', (s: string) => parseVersion(s, false) !== null],
  ['isSemver(string,bool) bool', (s: string, normalize: boolean) => parseVersion(s, normalize) !== null],
  [`${S}.major() int`, (v: Opaque) => v.value.parts[0]],
  [`${S}.minor() int`, (v: Opaque) => v.value.parts[1]],
  [`${S}.patch() int`, (v: Opaque) => v.value.parts[2]],
  [`${S}.isLessThan(${S}) bool`, (a: Opaque, b: Opaque) => compareVersions(a.value, b.value) < 0n],
  [`${S}.isGreaterThan(${S}) bool`, (a: Opaque, b: Opaque) => compareVersions(a.value, b.value) > 0n],
  [`${S}.compareTo(${S}) int`, (a: Opaque, b: Opaque) => compareVersions(a.value, b.value)],
];

type Check = (text: string) => string[];

const format =
  (name: string, why: string): Check =>
  text =>
    formatError(name, text) ? [why] : [];

const FORMATS: Record<string, Check> = {
  dns1123Label: isDns1123Label,
  dns1123Subdomain: isDns1123Subdomain,
  dns1035Label: isDns1035Label,
  qualifiedName: isQualifiedName,
  dns1123LabelPrefix: s => prefixed(isDns1123Label)(s, true),
  dns1123SubdomainPrefix: s => prefixed(isDns1123Subdomain)(s, true),
  dns1035LabelPrefix: s => prefixed(isDns1035Label)(s, true),
  labelValue: isLabelValue,
  uri: s => (formatError('uri', s) ? [`parse ${JSON.stringify(s)}: ${s ? 'invalid URI for request' : 'empty url'}`] : []),
  uuid: format('uuid', 'does not match the UUID format'),
  byte: format('byte', 'invalid base64'),
  date: format('date', 'invalid date'),
  datetime: format('datetime', 'invalid datetime'),
};

const F = 'kubernetes.NamedFormat';
const newFormat = (name: string): Opaque => new Opaque(F, name, name);

function validate(f: Opaque, text: string): Opt {
  const errors = FORMATS[f.value](text);
  return new Opt(errors.length ? errors : undefined);
}

const NAMED: Row[] = [
  [`#format.named(string) optional<${F}>`, (name: string) => new Opt(Object.hasOwn(FORMATS, name) ? newFormat(name) : undefined)],
  ...Object.keys(FORMATS).map((name): Row => [`#format.${name}() ${F}`, () => newFormat(name)]),
  [`${F}.validate(string) optional<list<string>>`, validate],
];

export const QUANTITIES: Row[] = [...QUANTITY, ...VERSIONS, ...NAMED];
