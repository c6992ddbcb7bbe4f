// X.509 certificates as far as TLS shows them: names, alternative names, validity (RFC 5280; DER by X.690). No signature is checked.
import { bytesToString, hex } from '../sim/bytes.ts';
import { parseRfc3339 } from '../sim/time.ts';
import { formatIp } from '../wire/ip.ts';
import { type Der, pemBlocks, values } from './der.ts';
import type { Certificate } from './tls.ts';

/** Attribute types (2.5.4.N) as OpenSSL abbreviates them. */
const ATTRIBUTES: Record<string, string> = { '550403': 'CN', '550406': 'C', '550407': 'L', '550408': 'ST', '55040a': 'O', '55040b': 'OU' };

function nameOf(name: Der): string {
  return values(name.body)
    .flatMap(set => values(set.body))
    .map(pair => {
      const [type, value] = values(pair.body);
      return `${ATTRIBUTES[hex(type.body)] ?? hex(type.body)} = ${bytesToString(value.body)}`;
    })
    .join(', ');
}

/** UTCTime has two digits of the year, GeneralizedTime four. */
function timeOf(d: Der): number {
  const text = bytesToString(d.body);
  const m = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!m) return 0;
  const year = m[1].length === 4 ? m[1] : `${Number(m[1]) < 50 ? '20' : '19'}${m[1]}`;
  return parseRfc3339(`${year}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}Z`) ?? 0;
}

const EXTENSIONS = 0xa3;
const SUBJECT_ALT_NAME = '551d11';
const DNS = 0x82;
const IP = 0x87;

function alternativeNames(extensions: Der | undefined): string[] {
  const list = extensions ? values(values(extensions.body)[0]?.body ?? new Uint8Array(0)) : [];
  const san = list.map(e => values(e.body)).find(([id]) => id && hex(id.body) === SUBJECT_ALT_NAME);
  if (!san) return [];
  const names = values(values(san[san.length - 1].body)[0]?.body ?? new Uint8Array(0));
  return names.flatMap(n => (n.tag === DNS ? [bytesToString(n.body)] : n.tag === IP ? [formatIp(Uint8Array.from(n.body))] : []));
}

/** The first certificate of a PEM text; null: there is none that can be read. */
export function certificateOf(pem: string): Certificate | null {
  const der = pemBlocks(pem).find(b => b.label === 'CERTIFICATE')?.der;
  const tbs = der ? values(values(der)[0]?.body ?? new Uint8Array(0))[0] : undefined;
  if (!tbs) return null;
  let fields = values(tbs.body);
  if (fields[0]?.tag === 0xa0) fields = fields.slice(1); // the version
  const [, , issuer, validity, subject] = fields;
  if (!subject) return null;
  const [from, until] = values(validity.body);
  if (!until) return null;
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    sans: alternativeNames(fields.find(f => f.tag === EXTENSIONS)),
    notBeforeMs: timeOf(from),
    notAfterMs: timeOf(until),
    pem,
  };
}
