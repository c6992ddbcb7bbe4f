// X.509 certificates: what is in one (RFC 5280; DER by X.690), and how TLS shows it.
import { bytesToString } from '../sim/bytes.ts';
import { parseRfc3339 } from '../sim/time.ts';
import { formatIp } from '../wire/ip.ts';
import { type Der, oidText, pemBlocks, sequence, values } from './der.ts';
import type { Certificate } from './tls.ts';

export interface X509 {
  der: Uint8Array;
  tbs: Uint8Array;
  serial: Uint8Array;
  issuer: Uint8Array;
  subject: Uint8Array;
  notBeforeMs: number;
  notAfterMs: number;
  /** Key's algorithm; RSA's numbers. */
  algorithm: string;
  n: Uint8Array;
  e: Uint8Array;
  spki: Uint8Array;
  extensions: { id: string; critical: boolean; value: Uint8Array }[];
  signatureAlgorithm: string;
  signature: Uint8Array;
}

/** The whole of a value that lies in `data`, with its head. */
function whole(data: Uint8Array, d: Der): Uint8Array {
  const end = d.body.byteOffset - data.byteOffset + d.body.length;
  let start = d.body.byteOffset - data.byteOffset - 2;
  if (d.body.length >= 128) start -= d.body.length < 256 ? 1 : 2;
  return data.subarray(start, end);
}

/** UTCTime has two digits of the year, GeneralizedTime four. */
function timeOf(d: Der): number {
  const m = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(bytesToString(d.body));
  if (!m) return 0;
  const year = m[1].length === 4 ? m[1] : `${Number(m[1]) < 50 ? '20' : '19'}${m[1]}`;
  return parseRfc3339(`${year}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}Z`) ?? 0;
}

const EMPTY = new Uint8Array(0);
/** Of an AlgorithmIdentifier. */
const typeOf = (d: Der): string => oidText(values(d.body)[0]?.body ?? EMPTY);

/** null: it is no certificate. */
function readCertificate(der: Uint8Array): X509 | null {
  const outer = values(der)[0];
  if (outer?.tag !== 0x30) return null;
  const [tbs, algorithm, signature] = values(outer.body);
  if (tbs?.tag !== 0x30 || !signature) return null;
  let fields = values(tbs.body);
  if (fields[0]?.tag === 0xa0) fields = fields.slice(1); // the version
  const [serial, , issuer, validity, subject, spki] = fields;
  if (!spki) return null;
  const [notBefore, notAfter] = values(validity.body);
  const [keyAlgorithm, key] = values(spki.body);
  if (!notAfter || !key) return null;
  const list = fields.find(f => f.tag === 0xa3);
  const numbers = values(values(key.body.subarray(1))[0]?.body ?? EMPTY);
  return {
    der,
    tbs: whole(der, tbs),
    serial: serial.body,
    issuer: issuer.body,
    subject: subject.body,
    notBeforeMs: timeOf(notBefore),
    notAfterMs: timeOf(notAfter),
    algorithm: typeOf(keyAlgorithm),
    n: numbers[0]?.body ?? EMPTY,
    e: numbers[1]?.body ?? EMPTY,
    spki: whole(der, spki),
    extensions: (list ? values(values(list.body)[0]?.body ?? EMPTY) : []).map(x => {
      const parts = values(x.body);
      return { id: oidText(parts[0].body), critical: parts.length > 2 && parts[1].body[0] === 255, value: parts[parts.length - 1].body };
    }),
    signatureAlgorithm: typeOf(algorithm),
    signature: signature.body.subarray(1),
  };
}

/** As OpenSSL abbreviates them. */
const ATTRIBUTES: Record<string, string> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

/** XN_FLAG_ONELINE. */
export const nameText = (name: Uint8Array): string =>
  values(name)
    .flatMap(set => values(set.body))
    .map(pair => {
      const [type, value] = values(pair.body);
      const id = oidText(type.body);
      return `${ATTRIBUTES[id] ?? id} = ${bytesToString(value.body)}`;
    })
    .join(', ');

/** The certificates of a PEM text. */
export const certificatesIn = (text: string): X509[] =>
  pemBlocks(text).flatMap(b => (/CERTIFICATE$/.test(b.label) ? (readCertificate(b.der) ?? []) : []));

/** The names (DER) of the authorities in a PEM text: what a server asks a client's certificate for. */
export const authorityNames = (text: string): Uint8Array[] => certificatesIn(text).map(c => sequence(c.subject));

const SUBJECT_ALT_NAME = '2.5.29.17';
const DNS = 0x82;
const IP = 0x87;

function alternativeNames(c: X509): string[] {
  const san = c.extensions.find(x => x.id === SUBJECT_ALT_NAME);
  const names = san ? values(values(san.value)[0]?.body ?? EMPTY) : [];
  return names.flatMap(n => (n.tag === DNS ? [bytesToString(n.body)] : n.tag === IP ? [formatIp(Uint8Array.from(n.body))] : []));
}

/** The first certificate of a PEM text; null: there is none that can be read. */
export function certificateOf(pem: string): Certificate | null {
  const c = certificatesIn(pem)[0];
  if (!c) return null;
  const { notBeforeMs, notAfterMs } = c;
  return { subject: nameText(c.subject), issuer: nameText(c.issuer), sans: alternativeNames(c), notBeforeMs, notAfterMs, pem };
}
