// FIPS 202, SHA3-224 on big integers: Calico names its policy groups by it.
const MASK = (1n << 64n) - 1n;
const RATE = 144;

/** rc(t) of 3.2.5: the output of an LFSR. */
function roundConstants(): bigint[] {
  const out: bigint[] = [];
  let lfsr = 1;
  for (let round = 0; round < 24; round++) {
    let c = 0n;
    for (let j = 0; j <= 6; j++) {
      if (lfsr & 1) c |= 1n << BigInt((1 << j) - 1);
      lfsr = lfsr & 0x80 ? ((lfsr << 1) ^ 0x171) & 0xff : lfsr << 1;
    }
    out.push(c);
  }
  return out;
}

const rotate = (x: bigint, n: number) => (n ? ((x << BigInt(n)) | (x >> BigInt(64 - n))) & MASK : x);

function keccak(a: bigint[], constants: bigint[]): void {
  for (let round = 0; round < 24; round++) {
    const c = [0, 1, 2, 3, 4].map(x => a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    for (let i = 0; i < 25; i++) a[i] ^= c[(i + 4) % 5] ^ rotate(c[(i + 1) % 5], 1);
    const b: bigint[] = new Array(25);
    b[0] = a[0];
    for (let t = 0, x = 1, y = 0; t < 24; t++) {
      const to = y + 5 * ((2 * x + 3 * y) % 5);
      b[to] = rotate(a[x + 5 * y], (((t + 1) * (t + 2)) / 2) % 64);
      [x, y] = [to % 5, Math.floor(to / 5)];
    }
    for (let i = 0; i < 25; i++) {
      const row = i - (i % 5);
      a[i] = b[i] ^ (~b[row + ((i + 1) % 5)] & MASK & b[row + ((i + 2) % 5)]);
    }
    a[0] ^= constants[round];
  }
}

let constants: bigint[] | null = null;

export function sha3_224(data: Uint8Array): Uint8Array {
  constants ??= roundConstants();
  const padded = new Uint8Array((Math.floor(data.length / RATE) + 1) * RATE);
  padded.set(data);
  padded[data.length] ^= 0x06;
  padded[padded.length - 1] ^= 0x80;
  const view = new DataView(padded.buffer);
  const state: bigint[] = new Array(25).fill(0n);
  for (let at = 0; at < padded.length; at += RATE) {
    for (let i = 0; i < RATE / 8; i++) state[i] ^= view.getBigUint64(at + i * 8, true);
    keccak(state, constants);
  }
  const out = new Uint8Array(32);
  const o = new DataView(out.buffer);
  for (let i = 0; i < 4; i++) o.setBigUint64(i * 8, state[i], true);
  return out.subarray(0, 28);
}
