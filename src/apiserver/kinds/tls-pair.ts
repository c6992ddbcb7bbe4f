// What crypto/tls's X509KeyPair finds wrong with the PEM of a certificate and its key; the keys' mathematics are not checked.

import { bytesToString, unbase64 } from '../../sim/bytes.ts';
import type { KubeObject } from '../types.ts';

function blockTypes(data: string | undefined): string[] {
  const text = bytesToString(unbase64(data ?? '') ?? new Uint8Array(0));
  const blocks = text.matchAll(/^-----BEGIN ([^\n-]*)-----\r?\n[\s\S]*?^-----END \1-----/gm);
  return [...blocks].map(m => m[1]);
}

const isKey = (type: string): boolean => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY');

function pairError(cert: string | undefined, key: string | undefined): string | null {
  const certs = blockTypes(cert);
  if (!certs.includes('CERTIFICATE')) {
    if (!certs.length) return 'tls: failed to find any PEM data in certificate input';
    if (certs.length === 1 && certs[0].endsWith('PRIVATE KEY')) {
      return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
    }
    return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${certs.join(' ')}]`;
  }
  const keys = blockTypes(key);
  if (keys.some(isKey)) return null;
  if (!keys.length) return 'tls: failed to find any PEM data in key input';
  if (keys.length === 1 && keys[0] === 'CERTIFICATE') return 'tls: found a certificate rather than a key in the PEM for the private key';
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${keys.join(' ')}]`;
}

export function secretWarnings(o: KubeObject): string[] {
  if (o.type !== 'kubernetes.io/tls') return [];
  const wrong = pairError(o.data?.['tls.crt'], o.data?.['tls.key']);
  return wrong ? [wrong] : [];
}
