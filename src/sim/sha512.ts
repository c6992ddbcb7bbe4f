// FIPS 180-4, each word in two halves: on big integers one Corefile's checksum took a tenth of a short command.

/** The first 64 bits of the fractions of the cube roots of the first 80 primes. */
const ROUNDS = `
428a2f98d728ae22 7137449123ef65cd b5c0fbcfec4d3b2f e9b5dba58189dbbc 3956c25bf348b538 59f111f1b605d019 923f82a4af194f9b
ab1c5ed5da6d8118 d807aa98a3030242 12835b0145706fbe 243185be4ee4b28c 550c7dc3d5ffb4e2 72be5d74f27b896f 80deb1fe3b1696b1
9bdc06a725c71235 c19bf174cf692694 e49b69c19ef14ad2 efbe4786384f25e3 0fc19dc68b8cd5b5 240ca1cc77ac9c65 2de92c6f592b0275
4a7484aa6ea6e483 5cb0a9dcbd41fbd4 76f988da831153b5 983e5152ee66dfab a831c66d2db43210 b00327c898fb213f bf597fc7beef0ee4
c6e00bf33da88fc2 d5a79147930aa725 06ca6351e003826f 142929670a0e6e70 27b70a8546d22ffc 2e1b21385c26c926 4d2c6dfc5ac42aed
53380d139d95b3df 650a73548baf63de 766a0abb3c77b2a8 81c2c92e47edaee6 92722c851482353b a2bfe8a14cf10364 a81a664bbc423001
c24b8b70d0f89791 c76c51a30654be30 d192e819d6ef5218 d69906245565a910 f40e35855771202a 106aa07032bbd1b8 19a4c116b8d2d0c8
1e376c085141ab53 2748774cdf8eeb99 34b0bcb5e19b48a8 391c0cb3c5c95a63 4ed8aa4ae3418acb 5b9cca4f7763e373 682e6ff3d6b2b8a3
748f82ee5defb2fc 78a5636f43172f60 84c87814a1f0ab72 8cc702081a6439ec 90befffa23631e28 a4506cebde82bde9 bef9a3f7b2c67915
c67178f2e372532b ca273eceea26619c d186b8c721c0c207 eada7dd6cde0eb1e f57d4f7fee6ed178 06f067aa72176fba 0a637dc5a2c898a6
113f9804bef90dae 1b710b35131c471b 28db77f523047d84 32caab7b40c72493 3c9ebe0a15c9bebc 431d67c49c100d4c 4cc5d4becb3e42b6
597f299cfc657e2a 5fcb6fab3ad6faec 6c44198c4a475817`;

/** And of the square roots of the first eight. */
const INITIAL = `
6a09e667f3bcc908 bb67ae8584caa73b 3c6ef372fe94f82b a54ff53a5f1d36f1 510e527fade682d1 9b05688c2b3e6c1f 1f83d9abfb41bd6b
5be0cd19137e2179`;

/** Halves, the high one first. */
const halves = (table: string): Uint32Array =>
  Uint32Array.from(table.trim().match(/[0-9a-f]{8}/g) as string[], x => Number.parseInt(x, 16));

let constants: { k: Uint32Array; h: Uint32Array } | null = null;
const W = new Uint32Array(160);

/** One half of a word rotated right by `n`; for the low half, give the halves the other way round. */
const turn = (hi: number, lo: number, n: number): number => (n < 32 ? (hi >>> n) | (lo << (32 - n)) : (lo >>> (n - 32)) | (hi << (64 - n)));

export function sha512(data: Uint8Array): Uint8Array {
  constants ??= { k: halves(ROUNDS), h: halves(INITIAL) };
  const { k } = constants;
  const padded = new Uint8Array((((data.length + 16) >> 7) + 1) * 128);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(data.length / 0x2000_0000));
  view.setUint32(padded.length - 4, (data.length * 8) >>> 0);
  const h = Uint32Array.from(constants.h);
  const v = new Uint32Array(16);
  for (let at = 0; at < padded.length; at += 128) {
    for (let i = 0; i < 32; i++) W[i] = view.getUint32(at + i * 4);
    for (let i = 32; i < 160; i += 2) {
      const [h15, l15, h2, l2] = [W[i - 30], W[i - 29], W[i - 4], W[i - 3]];
      const low =
        W[i - 31] +
        W[i - 13] +
        ((turn(l15, h15, 1) ^ turn(l15, h15, 8) ^ ((l15 >>> 7) | (h15 << 25))) >>> 0) +
        ((turn(l2, h2, 19) ^ turn(l2, h2, 61) ^ ((l2 >>> 6) | (h2 << 26))) >>> 0);
      const s0 = turn(h15, l15, 1) ^ turn(h15, l15, 8) ^ (h15 >>> 7);
      const s1 = turn(h2, l2, 19) ^ turn(h2, l2, 61) ^ (h2 >>> 6);
      W[i] = W[i - 32] + W[i - 14] + s0 + s1 + Math.floor(low / 0x1_0000_0000);
      W[i + 1] = low;
    }
    v.set(h);
    for (let i = 0; i < 160; i += 2) {
      const [eh, el, ah, al] = [v[8], v[9], v[0], v[1]];
      const low1 =
        v[15] +
        ((turn(el, eh, 14) ^ turn(el, eh, 18) ^ turn(el, eh, 41)) >>> 0) +
        (((el & v[11]) ^ (~el & v[13])) >>> 0) +
        k[i + 1] +
        W[i + 1];
      const s1 = turn(eh, el, 14) ^ turn(eh, el, 18) ^ turn(eh, el, 41);
      const high1 = v[14] + s1 + ((eh & v[10]) ^ (~eh & v[12])) + k[i] + W[i] + Math.floor(low1 / 0x1_0000_0000);
      const low2 =
        (low1 >>> 0) +
        ((turn(al, ah, 28) ^ turn(al, ah, 34) ^ turn(al, ah, 39)) >>> 0) +
        (((al & v[3]) ^ (al & v[5]) ^ (v[3] & v[5])) >>> 0);
      const s0 = turn(ah, al, 28) ^ turn(ah, al, 34) ^ turn(ah, al, 39);
      const high2 = high1 + s0 + ((ah & v[2]) ^ (ah & v[4]) ^ (v[2] & v[4])) + Math.floor(low2 / 0x1_0000_0000);
      v.copyWithin(2, 0, 14);
      const lowE = v[9] + (low1 >>> 0);
      v[8] = v[8] + high1 + Math.floor(lowE / 0x1_0000_0000);
      v[9] = lowE;
      v[0] = high2;
      v[1] = low2;
    }
    for (let i = 0; i < 16; i += 2) {
      const low = h[i + 1] + v[i + 1];
      h[i] = h[i] + v[i] + Math.floor(low / 0x1_0000_0000);
      h[i + 1] = low;
    }
  }
  const out = new Uint8Array(64);
  const o = new DataView(out.buffer);
  h.forEach((x, i) => {
    o.setUint32(i * 4, x);
  });
  return out;
}
