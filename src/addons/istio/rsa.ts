// RSASSA-PKCS1-v1_5 with SHA-256, the checking half (RFC 8017 8.2.2): what RS256 tokens are signed with.
import { sha256 } from '../../sim/sha256.ts';

const toInt = (b: Uint8Array): bigint => b.reduce((n, x) => (n << 8n) | BigInt(x), 0n);

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let b = base % modulus;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % modulus;
    b = (b * b) % modulus;
  }
  return result;
}

/** DigestInfo of SHA-256 (RFC 8017 9.2, note 1). */
const PREFIX = [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/** `n`, `e`: the key's modulus and exponent, big-endian. */
export function rsaVerifies(message: Uint8Array, signature: Uint8Array, n: Uint8Array, e: Uint8Array): boolean {
  const modulus = toInt(n);
  if (modulus === 0n) return false;
  const length = n.length - n.findIndex(x => x !== 0);
  if (signature.length !== length) return false;
  const tail = [0x00, ...PREFIX, ...sha256(message)];
  const padding = new Array(length - tail.length - 2).fill(0xff);
  return power(toInt(signature), toInt(e), modulus) === toInt(Uint8Array.from([0x00, 0x01, ...padding, ...tail]));
}
