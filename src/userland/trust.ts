// Whom a TLS client believes: chains of certificates (OpenSSL 3.0, crypto/x509/x509_vfy.c) and the names in them (RFC 6125; libcurl's
// lib/vtls/openssl.c, which looks at the common name of a certificate without alternative names).
import { rsaVerifies } from '../sim/rsa.ts';
import { parseIp } from '../wire/ip.ts';
import type { Certificate } from './tls.ts';
import { certificatesIn, nameText, type X509 } from './x509.ts';

/** Who signs for the internet: in every system's ca-certificates. */
export const PUBLIC_CA = "C = US, O = Let's Encrypt, CN = E7";

/** Of names, and of whole certificates: byte by byte. */
export const sameName = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((x, i) => x === b[i]);

const SHA256_RSA = '1.2.840.113549.1.1.11';

/** Signatures of other algorithms than RSA with SHA-256 are taken for what they say. */
export const signatureHolds = (c: X509, by: X509): boolean =>
  c.signatureAlgorithm !== SHA256_RSA || rsaVerifies(c.tbs, c.signature, by.n, by.e);

const signedBy = (c: X509, by: X509) => sameName(c.issuer, by.subject) && signatureHolds(c, by);

/** Why a chain is not trusted: X509_V_ERR_…; null: it is. `depth`: of the certificate that it is about. */
export function verifyChain(
  leaf: X509,
  trusted: X509[],
  nowMs: number,
  others: X509[] = [],
): { code: number; depth: number; about: X509; text: string } | null {
  const chain = [leaf];

  for (let c = leaf; ; ) {
    const anchor = trusted.find(t => sameName(t.der, c.der));
    if (anchor) break;
    const by = trusted.find(t => signedBy(c, t)) ?? others.find(t => !chain.includes(t) && signedBy(c, t));
    if (!by) {
      const own = sameName(c.issuer, c.subject);
      if (own) {
        const first = chain.length === 1;
        return {
          code: first ? 18 : 19,
          depth: chain.length - 1,
          about: c,
          text: first ? 'self-signed certificate' : 'self-signed certificate in certificate chain',
        };
      }
      return { code: 20, depth: chain.length - 1, about: c, text: 'unable to get local issuer certificate' };
    }
    chain.push(by);
    c = by;
  }
  for (const [depth, c] of [...chain.entries()].reverse()) {
    if (c.notBeforeMs > nowMs) return { code: 9, depth, about: c, text: 'certificate is not yet valid' };
    if (c.notAfterMs < nowMs) return { code: 10, depth, about: c, text: 'certificate has expired' };
  }
  return null;
}

/** X509_V_ERR_… and its words. */
export interface Distrust {
  code: number;
  text: string;
}

/** Why a client that trusts the authorities of a PEM text does not trust `c`; null: it does. `authorities` null: its system's own. */
export function distrust(c: Certificate, authorities: string | null, nowMs: number): Distrust | null {
  const [leaf, ...others] = certificatesIn(c.pem ?? '');
  if (leaf) return verifyChain(leaf, certificatesIn(authorities ?? ''), nowMs, others);
  // Not a real one: there is nothing but its names.
  const known = authorities === null ? [PUBLIC_CA] : certificatesIn(authorities).map(a => nameText(a.subject));
  if (known.includes(c.issuer)) return null;
  return c.issuer === c.subject
    ? { code: 18, text: 'self-signed certificate' }
    : { code: 20, text: 'unable to get local issuer certificate' };
}

/** The last common name in a subject as OpenSSL prints it. */
export const commonName = (subject: string): string | undefined => [...subject.matchAll(/(?:^|, )CN = ([^,]*)/g)].at(-1)?.[1];

/** Names that a host's would be among: a certificate that has some is not asked for its common name. */
export const hostNames = (c: Certificate): string[] => c.sans.filter(san => !/^[a-z][a-z0-9+.-]*:\/\//.test(san));

/** Does a certificate speak for this host? */
export const certificateFits = (c: Certificate, host: string): boolean => fittingName(c, host) !== undefined;

/** The name in a certificate that is a host's. A wildcard stands for one label. */
export function fittingName(c: Certificate, host: string): string | undefined {
  const names = hostNames(c);
  const common = names.length ? undefined : commonName(c.subject);
  const wanted = host.toLowerCase();
  const plain = parseIp(host) !== null;
  return [...names, ...(common === undefined ? [] : [common])].find(n => {
    const name = n.toLowerCase();
    if (name === wanted) return true;
    return !plain && name.startsWith('*.') && wanted.includes('.') && wanted.slice(wanted.indexOf('.')) === name.slice(1);
  });
}
