import { describe, expect, it } from 'vitest';
import { certificateOf } from '../../src/userland/x509.ts';
import { CERTIFICATE } from '../addons/certificate.ts';

describe('certificateOf', () => {
  it('reads names, alternative names and validity', () => {
    expect(certificateOf(CERTIFICATE)).toEqual({
      subject: 'O = podnet, CN = secure.example',
      issuer: 'O = podnet, CN = secure.example',
      sans: ['secure.example', '*.secure.example', '192.0.2.7'],
      notBeforeMs: Date.UTC(2026, 10, 21, 18, 34, 40),
      notAfterMs: Date.UTC(2126, 9, 28, 18, 34, 40),
      pem: CERTIFICATE,
    });
  });

  it('gives nothing for what is none', () => {
    expect(certificateOf('')).toBeNull();
    expect(certificateOf('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toBeNull();
    const cut = CERTIFICATE.split('\n');
    expect(certificateOf([...cut.slice(0, 3), ...cut.slice(-2)].join('\n'))).toBeNull();
  });
});
