// FIPS 180-4, on big integers: short and seldom (the CNI plugins' chain names), so plain beats fast.
const MASK = (1n << 64n) - 1n;

/** The first 64 bits of the fraction of the `root`-th root of n. */
function fraction(n: bigint, root: 2n | 3n): bigint {
  const target = n << (64n * root);
  let low = 0n;
  let high = 1n << 72n;
  while (low < high) {
    const mid = (low + high + 1n) >> 1n;
    if (mid ** root <= target) low = mid;
    else high = mid - 1n;
  }
  return low & MASK;
}

const primes: bigint[] = [];
for (let n = 2n; primes.length < 80; n++) if (primes.every(p => n % p !== 0n)) primes.push(n);
let constants: { k: bigint[]; h: bigint[] } | null = null;

const rotate = (x: bigint, n: bigint) => ((x >> n) | (x << (64n - n))) & MASK;

export function sha512(data: Uint8Array): Uint8Array {
  constants ??= { k: primes.map(p => fraction(p, 3n)), h: primes.slice(0, 8).map(p => fraction(p, 2n)) };
  const { k } = constants;
  const padded = new Uint8Array((((data.length + 16) >> 7) + 1) * 128);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(data.length) * 8n);
  const h = [...constants.h];
  for (let at = 0; at < padded.length; at += 128) {
    const w: bigint[] = [];
    for (let i = 0; i < 16; i++) w.push(view.getBigUint64(at + i * 8));
    for (let i = 16; i < 80; i++) {
      const s0 = rotate(w[i - 15], 1n) ^ rotate(w[i - 15], 8n) ^ (w[i - 15] >> 7n);
      const s1 = rotate(w[i - 2], 19n) ^ rotate(w[i - 2], 61n) ^ (w[i - 2] >> 6n);
      w.push((w[i - 16] + s0 + w[i - 7] + s1) & MASK);
    }
    let [a, b, c, d, e, f, g, hh] = h;
    for (let i = 0; i < 80; i++) {
      const s1 = rotate(e, 14n) ^ rotate(e, 18n) ^ rotate(e, 41n);
      const t1 = hh + s1 + ((e & f) ^ (~e & MASK & g)) + k[i] + w[i];
      const s0 = rotate(a, 28n) ^ rotate(a, 34n) ^ rotate(a, 39n);
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      [hh, g, f, e, d, c, b, a] = [g, f, e, (d + t1) & MASK, c, b, a, (t1 + t2) & MASK];
    }
    [a, b, c, d, e, f, g, hh].forEach((x, i) => {
      h[i] = (h[i] + x) & MASK;
    });
  }
  const out = new Uint8Array(64);
  const o = new DataView(out.buffer);
  h.forEach((x, i) => {
    o.setBigUint64(i * 8, x);
  });
  return out;
}
