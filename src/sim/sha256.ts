// FIPS 180-4. kube-proxy names its chains by SHA-256, and the core has no crypto module to call.
// Words are signed throughout: an engine keeps those as they are, and boxes half of the unsigned ones.
const K = new Int32Array(64);
const H0 = new Int32Array(8);
{
  // Fractional parts of the cube and square roots of the first primes (FIPS 180-4, 4.2.2 and 5.3.3).
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every(p => n % p)) primes.push(n);
  const frac = (x: number) => ((x - Math.floor(x)) * 0x1_0000_0000) | 0;
  primes.forEach((p, i) => {
    K[i] = frac(Math.cbrt(p));
    if (i < 8) H0[i] = frac(Math.sqrt(p));
  });
}

const W = new Int32Array(64);

/** SHA-224's start (FIPS 180-4, 5.3.2): Calico names its sets and rules by it. */
const H224 = Int32Array.of(0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4);

export const sha256 = (data: Uint8Array): Uint8Array => digest(data, H0);
export const sha224 = (data: Uint8Array): Uint8Array => digest(data, H224).subarray(0, 28);

/** The message with its padding (5.1.1): the bit 1, zeros, and its length in bits in the last eight bytes of a block of 64. */
export function padded(data: Uint8Array): Uint8Array {
  const end = data.length;
  const out = new Uint8Array((end + 72) & ~63);
  out.set(data);
  out[end] = 0x80;
  const high = Math.floor(end / 0x2000_0000);
  const low = end << 3;
  for (let i = 0; i < 4; i++) {
    out[out.length - 8 + i] = high >>> (24 - 8 * i);
    out[out.length - 4 + i] = low >>> (24 - 8 * i);
  }
  return out;
}

/** Words as bytes, the highest first. */
export function bytesOfWords(words: Int32Array): Uint8Array {
  const out = new Uint8Array(words.length * 4);
  for (let i = 0; i < out.length; i++) out[i] = words[i >> 2] >>> (24 - 8 * (i & 3));
  return out;
}

function digest(data: Uint8Array, start: Int32Array): Uint8Array {
  const message = padded(data);
  const h = Int32Array.from(start);
  for (let at = 0; at < message.length; at += 64) block(h, W, message, at);
  return bytesOfWords(h);
}

/** 6.2.2. */
function block(hash: Int32Array, w: Int32Array, m: Uint8Array, at: number): void {
  for (let i = 0, o = at; i < 16; i++, o += 4) w[i] = (m[o] << 24) | (m[o + 1] << 16) | (m[o + 2] << 8) | m[o + 3];
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = hash[0];
  let b = hash[1];
  let c = hash[2];
  let d = hash[3];
  let e = hash[4];
  let f = hash[5];
  let g = hash[6];
  let h = hash[7];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  hash[0] += a;
  hash[1] += b;
  hash[2] += c;
  hash[3] += d;
  hash[4] += e;
  hash[5] += f;
  hash[6] += g;
  hash[7] += h;
}
