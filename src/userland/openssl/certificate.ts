// Certificates as `openssl x509` prints them (OpenSSL 3.0: apps/x509.c, crypto/x509/t_x509.c, v3_prn.c).
import { bytesToString, concat, hex } from '../../sim/bytes.ts';
import { sha1 } from '../../sim/sha1.ts';
import { civilTime, twoDigits } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { type Der, oidText, sequence, setOf, tlv, utf8, values } from '../der.ts';
import { nameText, type X509 } from '../x509.ts';

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `Nov  2 02:45:11 2026 GMT` */
export function dateText(ms: number): string {
  const t = civilTime(ms);
  return `${MONTHS[t.month - 1]} ${String(t.day).padStart(2)} ${[t.hour, t.minute, t.second].map(twoDigits).join(':')} ${t.year} GMT`;
}

const ALGORITHMS: Record<string, string> = {
  '1.2.840.113549.1.1.1': 'rsaEncryption',
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.10045.2.1': 'id-ecPublicKey',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
};

const USAGES = [
  'Digital Signature',
  'Non Repudiation',
  'Key Encipherment',
  'Data Encipherment',
  'Key Agreement',
  'Certificate Sign',
  'CRL Sign',
  'Encipher Only',
  'Decipher Only',
];
const EXTENDED: Record<string, string> = {
  '1.3.6.1.5.5.7.3.1': 'TLS Web Server Authentication',
  '1.3.6.1.5.5.7.3.2': 'TLS Web Client Authentication',
  '1.3.6.1.5.5.7.3.3': 'Code Signing',
  '1.3.6.1.5.5.7.3.4': 'E-mail Protection',
  '1.3.6.1.5.5.7.3.8': 'Time Stamping',
  '1.3.6.1.5.5.7.3.9': 'OCSP Signing',
};

export const colons = (b: Uint8Array): string => (hex(b).match(/../g) ?? []).join(':').toUpperCase();

const generalName = (d: Der): string => {
  if (d.tag === 0x82) return `DNS:${bytesToString(d.body)}`;
  if (d.tag === 0x86) return `URI:${bytesToString(d.body)}`;
  if (d.tag === 0x81) return `email:${bytesToString(d.body)}`;
  if (d.tag === 0x87) {
    const text =
      d.body.length === 4
        ? formatIp(Uint8Array.from(d.body))
        : (hex(d.body).match(/..../g) ?? []).map(h => h.replace(/^0+(?=.)/, '').toUpperCase()).join(':');
    return `IP Address:${text}`;
  }
  return 'othername:<unsupported>';
};

/** -ext's name -> id, title, text. */
export const EXTENSIONS: Record<string, { id: string; title: string; text: (value: Uint8Array) => string }> = {
  keyUsage: {
    id: '2.5.29.15',
    title: 'Key Usage',
    text: v => {
      const b = values(v)[0].body;
      return USAGES.filter((_, i) => (b[1 + (i >> 3)] ?? 0) & (0x80 >> (i & 7))).join(', ');
    },
  },
  extendedKeyUsage: {
    id: '2.5.29.37',
    title: 'Extended Key Usage',
    text: v =>
      values(values(v)[0].body)
        .map(d => EXTENDED[oidText(d.body)] ?? oidText(d.body))
        .join(', '),
  },
  basicConstraints: {
    id: '2.5.29.19',
    title: 'Basic Constraints',
    text: v => {
      const parts = values(values(v)[0].body);
      const ca = parts[0]?.tag === 1 && parts[0].body[0] !== 0;
      const length = parts.find(d => d.tag === 2);
      return `CA:${ca ? 'TRUE' : 'FALSE'}${length ? `, pathlen:${length.body[length.body.length - 1]}` : ''}`;
    },
  },
  subjectKeyIdentifier: { id: '2.5.29.14', title: 'Subject Key Identifier', text: v => colons(values(v)[0].body) },
  authorityKeyIdentifier: {
    id: '2.5.29.35',
    title: 'Authority Key Identifier',
    text: v => colons(values(values(v)[0].body).find(d => d.tag === 0x80)?.body ?? new Uint8Array(0)),
  },
  subjectAltName: {
    id: '2.5.29.17',
    title: 'Subject Alternative Name',
    text: v => values(values(v)[0].body).map(generalName).join(', '),
  },
};

/** One extension below its title, `indent` blanks in. */
export function extensionText(x: X509['extensions'][number], indent: string): string {
  const known = Object.values(EXTENSIONS).find(e => e.id === x.id);
  return `${indent}${known ? `X509v3 ${known.title}` : x.id}: ${x.critical ? 'critical' : ''}\n${indent}    ${known ? known.text(x.value) : colons(x.value)}\n`;
}

/** Bytes in lines of `perLine`, lower case, colons between. */
function dump(b: Uint8Array, perLine: number, indent: string): string {
  const all = hex(b).match(/../g) ?? [];
  const lines: string[] = [];
  for (let i = 0; i < all.length; i += perLine)
    lines.push(indent + all.slice(i, i + perLine).join(':') + (i + perLine < all.length ? ':' : ''));
  return lines.map(l => `${l}\n`).join('');
}

function serialText(serial: Uint8Array): string {
  const bytes = serial[0] === 0 && serial.length > 1 ? serial.subarray(1) : serial;
  if (bytes.length > 8) return `\n            ${hex(bytes).match(/../g)?.join(':')}\n`;
  const n = BigInt(`0x${hex(bytes)}`);
  return ` ${n} (0x${n.toString(16)})\n`;
}

function keyText(c: X509): string {
  const head = `        Subject Public Key Info:\n            Public Key Algorithm: ${ALGORITHMS[c.algorithm] ?? c.algorithm}\n`;
  if (c.algorithm !== '1.2.840.113549.1.1.1') return head;
  const bits = (c.n[0] === 0 ? c.n.length - 1 : c.n.length) * 8;
  const e = Number.parseInt(hex(c.e), 16);
  return `${head}                Public-Key: (${bits} bit)\n                Modulus:\n${dump(c.n, 15, ' '.repeat(20))}                Exponent: ${e} (0x${e.toString(16)})\n`;
}

export function certificateText(c: X509): string {
  const algorithm = ALGORITHMS[c.signatureAlgorithm] ?? c.signatureAlgorithm;
  return [
    `Certificate:\n    Data:\n        Version: 3 (0x2)\n        Serial Number:${serialText(c.serial)}`,
    `        Signature Algorithm: ${algorithm}\n        Issuer: ${nameText(c.issuer)}\n`,
    `        Validity\n            Not Before: ${dateText(c.notBeforeMs)}\n            Not After : ${dateText(c.notAfterMs)}\n`,
    `        Subject: ${nameText(c.subject)}\n${keyText(c)}`,
    c.extensions.length ? `        X509v3 extensions:\n${c.extensions.map(x => extensionText(x, ' '.repeat(12))).join('')}` : '',
    `    Signature Algorithm: ${algorithm}\n    Signature Value:\n${dump(c.signature, 18, ' '.repeat(8))}`,
  ].join('');
}

/** X509_NAME_hash: of the canonical encoding, lower case in UTF8Strings, without the outer sequence (crypto/x509/x_name.c). */
export function nameHash(name: Uint8Array): string {
  const sets = values(name).map(set =>
    setOf(
      ...values(set.body).map(pair => {
        const [type, value] = values(pair.body);
        const text = bytesToString(value.body).trim().replace(/\s+/g, ' ').toLowerCase();
        return sequence(tlv(0x06, type.body), utf8(text));
      }),
    ),
  );
  const d = sha1(concat([new Uint8Array(0), ...sets]));
  return ((d[0] | (d[1] << 8) | (d[2] << 16) | (d[3] << 24)) >>> 0).toString(16).padStart(8, '0');
}
