import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { hex } from '../../src/sim/bytes.ts';
import { sha1 } from '../../src/sim/sha1.ts';
import { sha224, sha256 } from '../../src/sim/sha256.ts';

// Around the ends of one, two and many blocks, where the padding begins another.
const LENGTHS = [0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 1000, 4095, 4096, 70_001];

test.each([
  ['sha1', sha1],
  ['sha224', sha224],
  ['sha256', sha256],
] as const)('%s is the one that every platform has, at every length of a last block', (name, sum) => {
  for (const length of LENGTHS) {
    // Every bit of a word is set in some: sums that run over, and words that are negative as signed ones.
    const data = Uint8Array.from({ length }, (_, i) => (i * 131 + (i >> 3) * 17 + 255) & 255);
    expect(hex(sum(data)), `${length} bytes`).toBe(createHash(name).update(data).digest('hex'));
  }
});
