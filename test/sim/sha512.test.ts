import { describe, expect, it } from 'vitest';
import { hex, stringToBytes } from '../../src/sim/bytes.ts';
import { sha512 } from '../../src/sim/sha512.ts';

const sum = (text: string) => hex(sha512(stringToBytes(text)));

describe('SHA-512', () => {
  it('is that of FIPS 180-4, for one block and for two', () => {
    expect(sum('abc')).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    );
    expect(sum('abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu')).toBe(
      '8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909',
    );
  });
});
