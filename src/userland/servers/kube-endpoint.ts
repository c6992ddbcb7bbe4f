// The HTTPS ports of Kubernetes' own components as a stranger sees them: a certificate that no system trusts, health for everybody, and
// 401 for the rest. What the API server's own port answers is given to it: this room knows no API.
import type { Socket } from '../../linux/socket.ts';
import { recv, send } from '../../linux/socket.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { uuid } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import type { Headers } from '../http.ts';
import { type Reply, type Served, serveStream, tcpServer } from '../http-server.ts';
import { type Certificate, tlsAccept } from '../tls.ts';
import { splitTarget } from '../url.ts';
import { authorityNames, certificateOf } from '../x509.ts';
import { hostnameOf } from './daemon.ts';
import { goOptions } from './go-http.ts';

const YEAR = 31_536_000_000;

/** What a component's port shows of itself: the certificate in `pem`, or one that it has made; 6443 is the API server's. */
export function certificateFor(p: Process, port: number, sni: string | null, local: Ip | null, pem?: string): Certificate {
  const given = pem ? certificateOf(pem) : null;
  if (given) return given;
  const api = port === 6443;
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', hostnameOf(p)];
  return {
    subject: api ? 'CN = kube-apiserver' : `CN = ${hostnameOf(p)}`,
    issuer: api ? 'CN = kubernetes' : `CN = ${hostnameOf(p)}-ca`,
    sans: [...names, ...(local ? [formatIp(local)] : []), ...(sni && names.includes(sni) ? [sni] : []), '10.96.0.1'],
    notBeforeMs: p.startedAtMs,
    notAfterMs: p.startedAtMs + YEAR,
  };
}

/** What the API server behind 6443 answers, beside the headers that all of its answers have; null: it closes the connection. */
export type ApiAnswer = (req: Served) => Co<{ code: number; headers: Headers; body: string | Uint8Array } | null>;

function* answer(p: Process, req: Served, api: ApiAnswer | null): Co<Reply> {
  const { path } = splitTarget(req.target);
  if (!api) {
    const healthy = /^\/(?:healthz|livez|readyz)(?:\/|$)/.test(path);
    return healthy ? { status: 200, headers: [['X-Content-Type-Options', 'nosniff']], body: 'ok' } : { status: 401, body: 'Unauthorized' };
  }
  const answered = yield* api(req);
  if (!answered) return { status: 500, raw: '' };
  const { code, headers, body } = answered;
  return { status: code, headers: [['Audit-Id', uuid(p.kernel.sim.random)], ['Cache-Control', 'no-cache, private'], ...headers], body };
}

/** Plain HTTP is refused in the words of Go's net/http (server.go, tlsRecordHeaderLooksLikeHTTP). */
export const PLAIN_HTTP = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/** `pem`: the certificate that it shows, read for each connection; without one it has made its own. */
interface Endpoint {
  api?: ApiAnswer;
  pem?: () => string;
  /** The authorities whose clients it would see the certificates of, as PEM. */
  clientAuthorities?: () => string;
}

/** Listen with TLS. */
export function kubeEndpoint(p: Process, port: number, address: Ip | null, e: Endpoint = {}): Errno | null {
  return tcpServer(p, port, s => connection(p, s, port, e), { address });
}

function* connection(p: Process, s: Socket, port: number, e: Endpoint): Co<void> {
  const t = yield* tlsAccept(s, hello => certificateFor(p, port, hello.sni, s.local, e.pem?.()), {
    library: 'go',
    protocols: ['h2', 'http/1.1'],
    ...(e.clientAuthorities ? { asks: authorityNames(e.clientAuthorities()) } : {}),
  });
  if (t === 'plain') {
    yield* recv(s, 0);
    yield* send(s, stringToBytes(PLAIN_HTTP));
  } else if (t) yield* serveStream(t.stream, req => answer(p, req, e.api ?? null), goOptions(p, t.alpn === 'h2'));
}
