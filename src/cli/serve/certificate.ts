// A certificate that signs itself, for the loopback only (RFC 5280; DER by X.690).
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

export interface Identity {
  /** PEM. */
  key: string;
  cert: string;
}

type Der = Uint8Array;

const tlv = (tag: number, ...parts: Der[]): Der => {
  const body = Buffer.concat(parts);
  const n = body.length;
  const size = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};

const seq = (...parts: Der[]): Der => tlv(0x30, ...parts);
const octets = (d: Der): Der => tlv(0x04, d);
const bits = (d: Der, unused = 0): Der => tlv(0x03, Buffer.from([unused]), d);
const flag = (): Der => Buffer.from([0x01, 0x01, 0xff]);

function oid(dotted: string): Der {
  const [a, b, ...rest] = dotted.split('.').map(Number);
  const base128 = (n: number): number[] => (n < 128 ? [n] : [...base128(n >> 7).map(x => x | 0x80), n & 0x7f]);
  return tlv(0x06, Buffer.from([a * 40 + b, ...rest.flatMap(base128)]));
}

const ECDSA_SHA256 = seq(oid('1.2.840.10045.4.3.2'));

const named = (commonName: string): Der => seq(tlv(0x31, seq(oid('2.5.4.3'), tlv(0x0c, Buffer.from(commonName)))));

/** UTCTime; years from 2050 on would need the other form. */
const utc = (ms: number): Der => tlv(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

const extension = (id: string, value: Der, critical = false): Der => seq(oid(id), ...(critical ? [flag()] : []), octets(value));

const addressBytes = (address: string): Der => {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const out = Buffer.alloc(16); // of IPv6 only the loopback is asked for
  out[15] = 1;
  return out;
};

/** `hosts`: DNS names, IPv4 addresses and ::1. */
export function selfSigned(commonName: string, hosts: string[], notBeforeMs: number, notAfterMs: number): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = hosts.map(h => (isIP(h) ? tlv(0x87, addressBytes(h)) : tlv(0x82, Buffer.from(h))));
  const extensions = seq(
    extension('2.5.29.15', bits(Buffer.from([0b1010_0100]), 2), true), // keyUsage: digitalSignature, keyEncipherment, keyCertSign
    extension('2.5.29.37', seq(oid('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
    extension('2.5.29.19', seq(flag()), true), // basicConstraints: a CA, its own
    extension('2.5.29.17', seq(...names)), // subjectAltName
  );
  const serial = randomBytes(8);
  serial[0] = (serial[0] & 0x7f) | 0x01;
  const tbs = seq(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    ECDSA_SHA256,
    named(commonName),
    seq(utc(notBeforeMs), utc(notAfterMs)),
    named(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, extensions),
  );
  const der = Buffer.from(seq(tbs, ECDSA_SHA256, bits(sign('sha256', tbs, privateKey))));
  const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`,
  };
}
