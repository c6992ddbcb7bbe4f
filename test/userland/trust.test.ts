import { describe, expect, it } from 'vitest';
import { newRandom } from '../../src/sim/random.ts';
import { newRsaKey } from '../../src/sim/rsa.ts';
import type { Certificate } from '../../src/userland/tls.ts';
import { certificateFits, distrust, PUBLIC_CA } from '../../src/userland/trust.ts';
import { certificateOf } from '../../src/userland/x509.ts';
import { certificatePem } from '../../src/userland/x509-write.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 22);
const caKey = newRsaKey(newRandom(1));
const otherKey = newRsaKey(newRandom(2));
const authority = (key: typeof caKey, name = 'house') =>
  certificatePem({
    subject: [['CN', name]],
    issuer: [['CN', name]],
    serial: 1n,
    notBeforeMs: NOW - DAY,
    notAfterMs: NOW + 9 * DAY,
    key,
    signer: key,
    ca: true,
  });
const leaf = certificateOf(
  certificatePem({
    subject: [['CN', 'door']],
    issuer: [['CN', 'house']],
    serial: 2n,
    notBeforeMs: NOW - DAY,
    notAfterMs: NOW + DAY,
    key: otherKey,
    signer: caKey,
    usages: ['server'],
    dns: ['door.house', '*.attic.house'],
    ips: ['192.0.2.9'],
  }),
) as Certificate;

describe('distrust', () => {
  it('trusts what a known authority has signed, and nothing that only bears its name', () => {
    expect(distrust(leaf, authority(caKey), NOW)).toBeNull();
    expect(distrust(leaf, authority(otherKey), NOW)).toMatchObject({ code: 20, text: 'unable to get local issuer certificate' });
    expect(distrust(leaf, `${authority(otherKey, 'barn')}${authority(caKey)}`, NOW)).toBeNull();
    expect(distrust(leaf, null, NOW)).toMatchObject({ code: 20 });
  });

  it('trusts a self-signed certificate only as itself', () => {
    const own = certificateOf(authority(caKey)) as Certificate;
    expect(distrust(own, authority(caKey), NOW)).toBeNull();
    expect(distrust(own, authority(otherKey, 'barn'), NOW)).toMatchObject({ code: 18, text: 'self-signed certificate' });
  });

  it('looks at the time', () => {
    expect(distrust(leaf, authority(caKey), NOW + 2 * DAY)).toMatchObject({ code: 10, text: 'certificate has expired' });
    expect(distrust(leaf, authority(caKey), NOW - 2 * DAY)).toMatchObject({ code: 9 });
  });

  it('knows those that are only told of by their names', () => {
    const told: Certificate = { subject: 'CN = shop.example', issuer: PUBLIC_CA, sans: [], notBeforeMs: 0, notAfterMs: 9e15 };
    expect(distrust(told, null, NOW)).toBeNull();
    expect(distrust(told, authority(caKey), NOW)).toMatchObject({ code: 20 });
    expect(distrust({ ...told, issuer: 'CN = house' }, authority(caKey), NOW)).toBeNull();
  });
});

describe('certificateFits', () => {
  it.each([
    ['door.house', true],
    ['DOOR.house', true],
    ['x.attic.house', true],
    ['x.y.attic.house', false],
    ['attic.house', false],
    ['192.0.2.9', true],
    ['192.0.2.8', false],
    // A certificate with names is not asked for its common name.
    ['door', false],
  ])('%s: %s', (host, fits) => {
    expect(certificateFits(leaf, host)).toBe(fits);
  });

  it('asks the common name when there is no other for a host', () => {
    const c = { ...leaf, subject: 'O = house, CN = cellar', sans: ['spiffe://house/cellar'] };
    expect(certificateFits(c, 'cellar')).toBe(true);
    expect(certificateFits(c, 'attic')).toBe(false);
  });
});
