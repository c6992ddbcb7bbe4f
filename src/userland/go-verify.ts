// Why a Go program does not believe a server, in the words of crypto/x509 (Go 1.26 verify.go: Certificate.Verify, isValid, VerifyHostname,
// UnknownAuthorityError): its time first, then its names, then who signed it.
import { goQuote } from '../sim/quote.ts';
import { rfc3339 } from '../sim/time.ts';
import { parseIp } from '../wire/ip.ts';
import type { Certificate } from './tls.ts';
import { certificateFits, commonName, hostNames, sameName, signatureHolds } from './trust.ts';
import { certificatesIn, nameText, type X509 } from './x509.ts';

const UNKNOWN = 'x509: certificate signed by unknown authority';

/** `authorities`: PEM, null: the system's own. -> the error with what crypto/tls puts before it; null: the server is believed */
export function goDistrust(c: Certificate, authorities: string | null, host: string, nowMs: number): string | null {
  const why = untimely(c, nowMs) ?? misnamed(c, host) ?? unsigned(c, certificatesIn(authorities ?? ''), nowMs);
  return why && `tls: failed to verify certificate: ${why}`;
}

function untimely(c: { notBeforeMs: number; notAfterMs: number }, nowMs: number): string | null {
  const says = (word: string, ms: number) =>
    `x509: certificate has expired or is not yet valid: current time ${rfc3339(nowMs)} is ${word} ${rfc3339(ms)}`;
  if (nowMs < c.notBeforeMs) return says('before', c.notBeforeMs);
  return nowMs > c.notAfterMs ? says('after', c.notAfterMs) : null;
}

function misnamed(c: Certificate, host: string): string | null {
  const names = hostNames(c);
  if (names.length && certificateFits(c, host)) return null;
  const isIp = parseIp(host) !== null;
  const valid = names.filter(n => (parseIp(n) !== null) === isIp);
  if (isIp && !valid.length) return `x509: cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  if (!isIp && !names.length && commonName(c.subject) !== undefined)
    return 'x509: certificate relies on legacy Common Name field, use SANs instead';
  if (!valid.length) return `x509: certificate is not valid for any names, but wanted to match ${host}`;
  return `x509: certificate is valid for ${valid.join(', ')}, not ${host}`;
}

/** From the leaf up to a root. An authority of the right name that did not sign is told of. */
function unsigned(c: Certificate, roots: X509[], nowMs: number): string | null {
  const [leaf, ...others] = certificatesIn(c.pem ?? '');
  if (!leaf) return roots.some(r => nameText(r.subject) === c.issuer) ? null : UNKNOWN;
  const seen = new Set<X509>();
  let hint = '';
  for (let at = leaf; ; ) {
    if (roots.some(r => sameName(r.der, at.der))) return null;
    let next: X509 | null = null;
    for (const by of [...roots, ...others].filter(x => sameName(x.subject, at.issuer) && x !== at && !seen.has(x))) {
      const wrong = signatureHolds(at, by) ? untimely(by, nowMs) : 'crypto/rsa: verification error';
      if (!wrong) {
        if (roots.includes(by)) return null;
        next = by;
        break;
      }
      const name = commonName(nameText(by.subject)) ?? '';
      hint ||= ` (possibly because of ${goQuote(wrong)} while trying to verify candidate authority certificate ${goQuote(name)})`;
    }
    if (!next) return UNKNOWN + hint;
    seen.add(next);
    at = next;
  }
}
