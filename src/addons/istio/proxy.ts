// What one proxy knows while it runs: itself, the API through istiod, and what it remembers between requests.
import { getObject } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import type { Process } from '../../linux/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { sha256 } from '../../sim/sha256.ts';
import { parseRfc3339 } from '../../sim/time.ts';
import type { Certificate } from '../../userland/tls.ts';
import { TRUST_DOMAIN } from './names.ts';
import { spiffe } from './registry.ts';

export interface EnvoyProxy {
  p: Process;
  server: ApiServer;
  /** As it was when the program started; `podNow` has its labels of now. */
  pod: KubeObject;
  /** Whose turn it is, by cluster. */
  turns: Map<string, number>;
}

export const namespaceOf = (x: EnvoyProxy): string => x.pod.metadata.namespace ?? '';

export const podNow = (x: EnvoyProxy): KubeObject => getObject(x.server, 'pods', namespaceOf(x), x.pod.metadata.name) ?? x.pod;

export const ownIdentity = (x: EnvoyProxy): string => spiffe(namespaceOf(x), x.pod.spec.serviceAccountName ?? 'default');

const DAY_MS = 86_400_000;

/** The workload certificate that istiod signs: its identity is the only name in it (SECRET_TTL: a day). */
export function ownCertificate(x: EnvoyProxy): Certificate {
  const born = parseRfc3339(x.pod.status?.startTime ?? '') ?? x.p.startedAtMs;
  const days = Math.max(0, Math.floor((x.p.kernel.sim.nowMs - born) / DAY_MS));
  const notBeforeMs = born + days * DAY_MS;
  return { subject: '', issuer: `O = ${TRUST_DOMAIN}`, sans: [ownIdentity(x)], notBeforeMs, notAfterMs: notBeforeMs + DAY_MS };
}

const hex = (b: Uint8Array) => Array.from(b, v => v.toString(16).padStart(2, '0')).join('');

/** Stands for the SHA-256 of the certificate's DER. */
export const fingerprint = (c: Certificate): string => hex(sha256(stringToBytes(JSON.stringify(c))));
