// RSA-2048 keys drawn with dice, and RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 8.2): what RS256 tokens and certificates are signed with.
import { unbase64 } from './bytes.ts';
import { PRIMES } from './primes.ts';
import { below, type Random } from './random.ts';
import { sha256 } from './sha256.ts';

export interface RsaKey {
  n: bigint;
  e: bigint;
  d: bigint;
  p: bigint;
  q: bigint;
}

export const toInt = (b: Uint8Array): bigint => b.reduce((n, x) => (n << 8n) | BigInt(x), 0n);

/** Big-endian, `length` bytes. */
function fromInt(n: bigint, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = length - 1; i >= 0; i--, n >>= 8n) out[i] = Number(n & 255n);
  return out;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let b = base % modulus;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % modulus;
    b = (b * b) % modulus;
  }
  return result;
}

/** The x with a·x ≡ 1 (mod m). */
export function inverse(a: bigint, m: bigint): bigint {
  let [r, next] = [m, a % m];
  let [t, nextT] = [0n, 1n];
  while (next) {
    const quotient = r / next;
    [r, next] = [next, r - quotient * next];
    [t, nextT] = [nextT, t - quotient * nextT];
  }
  return t < 0n ? t + m : t;
}

/** RFC 8017 3.2, the exponent 65537; p is the larger prime. */
export function newRsaKey(random: Random): RsaKey {
  const first = below(random, PRIMES.length);
  const second = (first + 1 + below(random, PRIMES.length - 1)) % PRIMES.length;
  const [a, b] = [first, second].map(i => toInt(unbase64(PRIMES[i]) as Uint8Array));
  const [p, q] = a > b ? [a, b] : [b, a];
  const e = 65_537n;
  return { n: p * q, e, d: inverse(e, (p - 1n) * (q - 1n)), p, q };
}

/** DigestInfo of SHA-256 (RFC 8017 9.2, note 1). */
const PREFIX = [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/** EMSA-PKCS1-v1_5 of a message, `length` bytes. */
function padded(message: Uint8Array, length: number): bigint {
  const tail = [0x00, ...PREFIX, ...sha256(message)];
  const padding = new Array(length - tail.length - 2).fill(0xff);
  return toInt(Uint8Array.from([0x00, 0x01, ...padding, ...tail]));
}

/** The signature, as long as the modulus: by the Chinese remainder theorem (RFC 8017 5.2.1). */
export function rsaSign(message: Uint8Array, key: RsaKey): Uint8Array {
  const { n, d, p, q } = key;
  const length = Math.ceil(n.toString(16).length / 2);
  const m = padded(message, length);
  const [m1, m2] = [power(m, d % (p - 1n), p), power(m, d % (q - 1n), q)];
  const h = (((m1 - m2) % p) + p) * inverse(q, p);
  return fromInt(m2 + (h % p) * q, length);
}

/** `n`, `e`: the key's modulus and exponent, big-endian. */
export function rsaVerifies(message: Uint8Array, signature: Uint8Array, n: Uint8Array, e: Uint8Array): boolean {
  const modulus = toInt(n);
  if (modulus === 0n) return false;
  const length = n.length - n.findIndex(x => x !== 0);
  if (signature.length !== length) return false;
  return power(toInt(signature), toInt(e), modulus) === padded(message, length);
}
