// The HTTPS ports of Kubernetes' own components as a stranger sees them: a certificate that no system trusts, health for everybody, and
// 403 for the rest. Requests with credentials do not come here: kubectl speaks to the API in process.
import type { Socket } from '../../linux/socket.ts';
import { send } from '../../linux/socket.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { uuid } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import { type Reply, type Served, serveStream, splitTarget, tcpServer } from '../http.ts';
import { type Certificate, tlsAccept } from '../tls.ts';
import { hostnameOf } from './daemon.ts';
import { goOptions } from './go-http.ts';

const YEAR = 31_536_000_000;

function certificateFor(p: Process, port: number, sni: string | null, local: Ip | null): Certificate {
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

/** The API's answer to who has no rights: a Status (apiserver/pkg/endpoints/handlers/responsewriters, v1.36). */
function forbidden(path: string): string {
  const message = `forbidden: User \\"system:anonymous\\" cannot get path \\"${path}\\"`;
  return `{\n  "kind": "Status",\n  "apiVersion": "v1",\n  "metadata": {},\n  "status": "Failure",\n  "message": "${message}",\n  "reason": "Forbidden",\n  "details": {},\n  "code": 403\n}`;
}

const VERSION = `{
  "major": "1",
  "minor": "36",
  "emulationMajor": "1",
  "emulationMinor": "36",
  "minCompatibilityMajor": "1",
  "minCompatibilityMinor": "35",
  "gitVersion": "v1.36.3",
  "gitTreeState": "clean",
  "compiler": "gc",
  "platform": "linux/amd64"
}`;

function* answer(p: Process, port: number, req: Served): Co<Reply> {
  const { path } = splitTarget(req.target);
  const api = port === 6443;
  if (/^\/(?:healthz|livez|readyz)(?:\/|$)/.test(path) && port !== 10250)
    return { status: 200, headers: [['X-Content-Type-Options', 'nosniff']], body: 'ok' };
  if (api && path === '/version') return { status: 200, headers: [['Content-Type', 'application/json']], body: VERSION };
  if (!api) return { status: 401, body: 'Unauthorized' };
  const audit: [string, string][] = [
    ['Audit-Id', uuid(p.kernel.sim.random)],
    ['Cache-Control', 'no-cache, private'],
    ['Content-Type', 'application/json'],
    ['X-Content-Type-Options', 'nosniff'],
  ];
  return { status: 403, headers: audit, body: forbidden(path) };
}

/** Listen with TLS. Plain HTTP is refused in the words of Go's net/http (server.go, tlsRecordHeaderLooksLikeHTTP). */
export function kubeEndpoint(p: Process, port: number, address: Ip | null): Errno | null {
  return tcpServer(p, port, s => connection(p, s, port), { address });
}

function* connection(p: Process, s: Socket, port: number): Co<void> {
  const t = yield* tlsAccept(s, hello => certificateFor(p, port, hello.sni, s.local));
  if (t === 'plain') yield* send(s, stringToBytes('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n'));
  else if (t) yield* serveStream(t.stream, req => answer(p, port, req), goOptions(p));
}
