// The hashes in names of ReplicaSets and ControllerRevisions. A ReplicaSet's (and a DaemonSet's revision's) is FNV-32a over what Go's spew
// prints of the PodTemplateSpec: every field by its Go name and type, in the order of their declaration (pkg/controller/controller_utils.go
// ComputeHash v1.36.3, apimachinery/pkg/util/dump v0.36.3). Fields and types come from the generated tables.

import { structOf, type TypeRef } from '../apiserver/schema.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { compareBytes, stringToBytes } from '../sim/bytes.ts';

type Any = any;

/** Go's names where they are not the JSON name with a capital. */
const NAMES: Record<string, string> = Object.fromEntries(
  'apiGroup:APIGroup apiVersion:APIVersion awsElasticBlockStore:AWSElasticBlockStore cephfs:CephFS chapAuthDiscovery:DiscoveryCHAPAuth chapAuthSession:SessionCHAPAuth csi:CSI diskURI:DataDiskURI dnsConfig:DNSConfig dnsPolicy:DNSPolicy endpoints:EndpointsName fc:FC fsGroup:FSGroup fsGroupChangePolicy:FSGroupChangePolicy fsType:FSType gcePersistentDisk:GCEPersistentDisk gmsaCredentialSpec:GMSACredentialSpec gmsaCredentialSpecName:GMSACredentialSpecName grpc:GRPC httpGet:HTTPGet httpHeaders:HTTPHeaders ip:IP iqn:IQN iscsi:ISCSI iscsiInterface:ISCSIInterface metadata:ObjectMeta nfs:NFS os:OS pdName:PDName rbd:RBD seLinuxChangePolicy:SELinuxChangePolicy seLinuxOptions:SELinuxOptions serviceAccount:DeprecatedServiceAccount sslEnabled:SSLEnabled storageos:StorageOS tcpSocket:TCPSocket tty:TTY uid:UID wwids:WWIDs'
    .split(' ')
    .map(pair => pair.split(':')),
);
const RBD: Record<string, string> = { monitors: 'CephMonitors', image: 'RBDImage', pool: 'RBDPool', user: 'RadosUser' };

const goName = (struct: string, json: string): string =>
  (struct === 'core/v1.RBDVolumeSource' && RBD[json]) || NAMES[json] || json[0].toUpperCase() + json.slice(1);

const NO_TIME = '{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}';

const SI: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** resource.Quantity as ParseQuantity leaves it: a number and its scale, or an inf.Dec where that could be too large. */
function quantityText(text: string): string {
  const m = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|([KMGTPE]i)|([numkMGTPE]?))$/.exec(text);
  if (!m) return '';
  const [, sign, whole, fraction = '', exponent, binary, si = ''] = m;
  const digits = whole.replace(/^0+(?=.)/, '') || '0';
  const format = exponent ? 'DecimalExponent' : binary ? 'BinarySI' : 'DecimalSI';
  const shift = binary ? 10 * ('KMGTPE'.indexOf(binary[0]) + 1) : 0;
  const precision = binary
    ? fraction
      ? -1
      : 15 - digits.length - Math.trunc(Math.fround((shift * 3) / 10)) - 1
    : 18 - digits.length - fraction.length;
  const value = BigInt(`${sign === '-' ? '-' : ''}${digits}${fraction}`) << BigInt(shift);
  const scale = (binary ? 0 : exponent ? Number(exponent.slice(1)) : SI[si]) - fraction.length;
  const fast = precision >= 0 && scale >= -9;
  const [i, at] = fast ? [value, scale] : [0n, 0];
  const dec = fast ? '<nil>' : decText(value, scale);
  // A text that is canonical at a glance is kept.
  const shifted = digits + fraction;
  const kept =
    text === '0' || (binary ? (Number(digits.slice(-3)) & 7) !== 0 : scale % 3 === 0 && !shifted.endsWith('000') && shifted[0] !== '0');
  return `{i:(resource.int64Amount){value:(int64)${i} scale:(resource.Scale)${at}} d:(resource.infDecAmount){Dec:(*inf.Dec)${dec}} s:(string)${fast && kept ? text : ''} Format:(resource.Format)${format}}`;
}

/** In billionths, as 64-bit words. */
function decText(value: bigint, scale: number): string {
  const negative = value < 0n;
  let left = (negative ? -value : value) * 10n ** BigInt(Math.max(0, scale + 9));
  const words: bigint[] = [];
  for (; left > 0n; left >>= 64n) words.push(left & 0xffff_ffff_ffff_ffffn);
  return `{unscaled:(big.Int){neg:(bool)${negative} abs:(big.nat)[${words.join(' ')}]} scale:(inf.Scale)9}`;
}

/** A value without its type. */
function valueText(t: TypeRef, v: Any): string {
  switch (t.code) {
    case 'struct':
      return structText(t.name as string, v ?? {});
    case 'list':
      return v?.length ? `[${v.map((x: Any) => valueText(t.element as TypeRef, x)).join(' ')}]` : '<nil>';
    case 'map': {
      const keys = Object.keys(v ?? {}).sort(compareBytes);
      return keys.length ? `map[${keys.map(k => `${k}:${valueText(t.element as TypeRef, v[k])}`).join(' ')}]` : '<nil>';
    }
    case 's':
      return v ?? '';
    case 'b':
      return String(v ?? false);
    case 'Q':
      return quantityText(String(v ?? '0'));
    case 'X': {
      const number = typeof v === 'number' || v === undefined;
      return `{Type:(intstr.Type)${number ? 0 : 1} IntVal:(int32)${number ? (v ?? 0) : 0} StrVal:(string)${number ? '' : v}}`;
    }
    case 'T':
      return NO_TIME;
    default:
      return String(v ?? 0);
  }
}

interface Row {
  json: string;
  type: TypeRef;
  /** The embedded struct that it stands in, or ''. */
  inside: string;
  /** `Name:(type)` */
  head: string;
  /** All of it where the field is not set: most are not. */
  unset: string;
}

const rows = new Map<string, Row[]>();

function rowsOf(name: string): Row[] {
  let list = rows.get(name);
  if (!list) {
    list = structOf(name).fields.map((f): Row => {
      const { type } = f;
      const head = `${goName(name, f.name)}:(${type.pointer ? '*' : ''}${type.goName})`;
      const unset = head + (type.pointer ? '<nil>' : valueText(type, undefined));
      return { json: f.name, type, inside: f.via.slice(0, -1), head, unset };
    });
    rows.set(name, list);
  }
  return list;
}

/** Fields of an embedded struct stand in one of its own name. */
function structText(name: string, o: Any): string {
  let text = '{';
  let inside = '';
  for (const [i, r] of rowsOf(name).entries()) {
    if (inside && r.inside !== inside) text += '}';
    if (i) text += ' ';
    if (r.inside && r.inside !== inside) text += `${r.inside}:(v1.${r.inside}){`;
    const v = o[r.json];
    text += v === undefined || v === null ? r.unset : r.head + valueText(r.type, v);
    inside = r.inside;
  }
  return `${text}${inside ? '}' : ''}}`;
}

/** dump.ForHash of a PodTemplateSpec. */
export const templateText = (template: KubeObject['spec']): string =>
  `(v1.PodTemplateSpec)${structText('core/v1.PodTemplateSpec', template)}`;

const PRIME = 0x01000193;
const OFFSET = 0x811c9dc5;

function fnv1a(data: Uint8Array, from = OFFSET): number {
  let h = from;
  for (let i = 0; i < data.length; i++) h = Math.imul(h ^ data[i], PRIME);
  return h;
}

const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/** rand.SafeEncodeString (apimachinery v0.36). */
const safeEncode = (n: number): string => Array.from(String(n >>> 0), ch => SAFE[ch.charCodeAt(0) % SAFE.length]).join('');

/** ComputeHash. `collisionCount`: of the owner's status; null or undefined: it has none. */
export function templateHash(template: Any, collisionCount: number | null | undefined): string {
  let h = fnv1a(stringToBytes(templateText(template)));
  // Eight bytes, of which PutUint32 writes the first four.
  if (collisionCount !== undefined && collisionCount !== null)
    h = fnv1a(Uint8Array.of(...[0, 8, 16, 24].map(shift => (collisionCount >>> shift) & 0xff), 0, 0, 0, 0), h);
  return safeEncode(h);
}

/** HashControllerRevision of a StatefulSet's (pkg/controller/history/controller_history.go): FNV-32 over its data as JSON. */
export function revisionHash(json: string, collisionCount: number | undefined): string {
  let h = OFFSET;
  for (const byte of stringToBytes(json + (collisionCount ?? ''))) h = Math.imul(h, PRIME) ^ byte;
  return safeEncode(h);
}
