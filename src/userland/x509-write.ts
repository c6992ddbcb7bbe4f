// X.509 certificates and keys as Go's crypto/x509 writes them (RFC 5280, RFC 8017 appendix A): what kubeadm makes.
import { stringToBytes } from '../sim/bytes.ts';
import { inverse, type RsaKey, rsaSign } from '../sim/rsa.ts';
import { sha256 } from '../sim/sha256.ts';
import { civilTime } from '../sim/time.ts';
import { parseIp } from '../wire/ip.ts';
import { bits, boolean, integer, NULL, octets, oid, pem, printable, sequence, setOf, tlv, utf8 } from './der.ts';

/** Pairs in their order: `['O', 'system:masters'], ['CN', 'admin']`. */
export type Name = [attribute: 'C' | 'ST' | 'L' | 'O' | 'OU' | 'CN', value: string][];

export interface CertificateRequest {
  subject: Name;
  issuer: Name;
  /** Positive; 64 bits of kubeadm's, 128 of others. */
  serial: bigint;
  notBeforeMs: number;
  notAfterMs: number;
  key: RsaKey;
  signer: RsaKey;
  ca?: boolean;
  usages?: ('server' | 'client')[];
  dns?: string[];
  ips?: string[];
}

const ATTRIBUTE_TYPES: Record<Name[number][0], string> = {
  C: '2.5.4.6',
  ST: '2.5.4.8',
  L: '2.5.4.7',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  CN: '2.5.4.3',
};
const RSA = sequence(oid('1.2.840.113549.1.1.1'), NULL);
const SHA256_WITH_RSA = sequence(oid('1.2.840.113549.1.1.11'), NULL);
const EXTENDED = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

/** Go takes PrintableString where it can (encoding/asn1 marshal.go). */
const text = (value: string) => (/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value) ? printable(value) : utf8(value));
const nameText = (name: Name) => JSON.stringify(name);
/** A name as OpenSSL prints it (XN_FLAG_ONELINE). */
export const nameOf = (oneline: string): Name =>
  oneline.split(/, (?=[A-Z]+ = )/).flatMap(pair => {
    const [, type, value] = /^([A-Z]+) = (.*)$/s.exec(pair) ?? [];
    return type !== undefined && type in ATTRIBUTE_TYPES ? [[type, value] as Name[number]] : [];
  });

const nameDer = (name: Name): Uint8Array =>
  sequence(...name.map(([type, value]) => setOf(sequence(oid(ATTRIBUTE_TYPES[type]), text(value)))));

const two = (n: number) => String(n).padStart(2, '0');

/** UTCTime until 2049. */
function timeDer(ms: number): Uint8Array {
  const t = civilTime(ms);
  const rest = `${two(t.month)}${two(t.day)}${two(t.hour)}${two(t.minute)}${two(t.second)}Z`;
  return t.year < 2050 ? tlv(0x17, stringToBytes(`${two(t.year % 100)}${rest}`)) : tlv(0x18, stringToBytes(`${t.year}${rest}`));
}

const pkcs1Public = (key: RsaKey) => sequence(integer(key.n), integer(key.e));
const spki = (key: RsaKey) => sequence(RSA, bits(pkcs1Public(key)));
/** Go since 1.25 (RFC 7093, method 1). */
const keyId = (key: RsaKey) => sha256(pkcs1Public(key)).subarray(0, 20);

function extensions(r: CertificateRequest): Uint8Array[] {
  const extension = (id: string, critical: boolean, value: Uint8Array) =>
    sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
  // digitalSignature, keyEncipherment; an authority's keyCertSign too.
  const out = [extension('2.5.29.15', true, r.ca ? bits(Uint8Array.of(0xa4), 2) : bits(Uint8Array.of(0xa0), 5))];
  if (r.usages?.length) out.push(extension('2.5.29.37', false, sequence(...r.usages.map(u => oid(EXTENDED[u])))));
  out.push(extension('2.5.29.19', true, r.ca ? sequence(boolean(true)) : sequence()));
  if (r.ca) out.push(extension('2.5.29.14', false, octets(keyId(r.key))));
  // Of one that signs itself there is nothing to say (crypto/x509 CreateCertificate).
  else if (nameText(r.issuer) !== nameText(r.subject)) out.push(extension('2.5.29.35', false, sequence(tlv(0x80, keyId(r.signer)))));
  const names = [
    ...(r.dns ?? []).map(n => tlv(0x82, stringToBytes(n))),
    ...(r.ips ?? []).flatMap(a => {
      const parsed = parseIp(a);
      return parsed ? [tlv(0x87, parsed)] : [];
    }),
  ];
  if (names.length) out.push(extension('2.5.29.17', false, sequence(...names)));
  return out;
}

export function certificatePem(r: CertificateRequest): string {
  const tbs = sequence(
    tlv(0xa0, integer(2)),
    integer(r.serial),
    SHA256_WITH_RSA,
    nameDer(r.issuer),
    sequence(timeDer(r.notBeforeMs), timeDer(r.notAfterMs)),
    nameDer(r.subject),
    spki(r.key),
    tlv(0xa3, sequence(...extensions(r))),
  );
  return pem('CERTIFICATE', sequence(tbs, SHA256_WITH_RSA, bits(rsaSign(tbs, r.signer))));
}

export function privateKeyPem(key: RsaKey): string {
  const { n, e, d, p, q } = key;
  const parts = [0n, n, e, d, p, q, d % (p - 1n), d % (q - 1n), inverse(q, p)];
  return pem('RSA PRIVATE KEY', sequence(...parts.map(integer)));
}

export const publicKeyPem = (key: RsaKey): string => pem('PUBLIC KEY', spki(key));
