// Envoy's access log in Istio's default format (pilot/pkg/model/telemetry_logging.go EnvoyTextLogFormat 1.28).
import { print } from '../../linux/process.ts';
import { rfc3339 } from '../../sim/time.ts';
import { type Headers, header } from '../../userland/http.ts';
import type { Reply, Served } from '../../userland/http-server.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import type { Outcome } from './forward.ts';
import { meshConfig } from './mesh-config.ts';
import type { EnvoyProxy } from './proxy.ts';

type Place = { ip: Ip; port: number } | null;

export interface Entry {
  fromMs: number;
  method: string;
  path: string;
  protocol: string;
  status: number;
  flags: string;
  details: string;
  /** Why a TCP connection was ended. */
  termination: string | null;
  transport: string;
  received: number;
  sent: number;
  serviceMs: number | null;
  headers: Headers;
  upstream: Place;
  cluster: string;
  /** This end of the connection to the upstream. */
  upstreamLocal: Place;
  local: Place;
  remote: Place;
  sni: string | null;
  route: string;
}

type Ends = Pick<Entry, 'local' | 'remote' | 'sni'>;

/** Of a connection that nothing is known of but its ends. */
export const connectionEntry = (fromMs: number, ends: Ends): Entry => ({
  fromMs,
  method: '',
  path: '',
  protocol: '',
  status: 0,
  flags: '-',
  details: '-',
  termination: null,
  transport: '',
  received: 0,
  sent: 0,
  serviceMs: null,
  headers: [],
  upstream: null,
  cluster: '-',
  upstreamLocal: null,
  route: '-',
  ...ends,
});

/** Of a request and what became of it. */
export const exchangeEntry = (
  fromMs: number,
  req: Served,
  headers: Headers,
  done: Outcome & { cluster: string },
  reply: Reply,
  ends: Ends,
): Entry => ({
  ...connectionEntry(fromMs, ends),
  method: req.method,
  path: req.target,
  protocol: req.version,
  status: reply.status,
  flags: done.flags,
  details: done.details,
  transport: done.transport,
  received: req.body.length,
  sent: typeof reply.body === 'string' ? reply.body.length : (reply.body?.length ?? 0),
  serviceMs: done.serviceMs,
  headers,
  upstream: done.upstream,
  cluster: done.cluster,
  upstreamLocal: done.local,
});

export const place = (x: Place): string => (x ? `${x.ip.length === 16 ? `[${formatIp(x.ip)}]` : formatIp(x.ip)}:${x.port}` : '-');

const millis = (ms: number) => rfc3339(ms).replace('Z', `.${String(Math.floor(ms % 1000)).padStart(3, '0')}Z`);

/** A line, when the mesh wants them. */
export function logAccess(x: EnvoyProxy, e: Entry): void {
  const mesh = meshConfig(x.server);
  if (!mesh.accessLog) return;
  const h = (name: string) => header(e.headers, name) ?? '-';
  const durationMs = Math.round(x.p.kernel.sim.nowMs - e.fromMs);
  if (mesh.accessLogJson) {
    const line = {
      start_time: millis(e.fromMs),
      method: e.method || null,
      path: e.path || null,
      protocol: e.protocol || null,
      response_code: e.status,
      response_flags: e.flags,
      response_code_details: e.details || null,
      connection_termination_details: e.termination,
      upstream_transport_failure_reason: e.transport || null,
      bytes_received: e.received,
      bytes_sent: e.sent,
      duration: durationMs,
      upstream_service_time: e.serviceMs === null ? null : String(e.serviceMs),
      x_forwarded_for: header(e.headers, 'x-forwarded-for') ?? null,
      user_agent: header(e.headers, 'user-agent') ?? null,
      request_id: header(e.headers, 'x-request-id') ?? null,
      authority: header(e.headers, 'host') ?? null,
      upstream_host: e.upstream ? place(e.upstream) : null,
      upstream_cluster: e.cluster === '-' ? null : e.cluster,
      upstream_local_address: e.upstreamLocal ? place(e.upstreamLocal) : null,
      downstream_local_address: place(e.local),
      downstream_remote_address: place(e.remote),
      requested_server_name: e.sni,
      route_name: e.route === '-' ? null : e.route,
    };
    print(x.p, `${JSON.stringify(line)}\n`);
    return;
  }
  const request = `"${e.method || '-'} ${e.path || '-'} ${e.protocol || '-'}"`;
  const what = `${e.status} ${e.flags} ${e.details || '-'} ${e.termination ?? '-'} "${e.transport || '-'}"`;
  const counts = `${e.received} ${e.sent} ${durationMs} ${e.serviceMs ?? '-'}`;
  const who = `"${h('x-forwarded-for')}" "${h('user-agent')}" "${h('x-request-id')}" "${h('host')}" "${place(e.upstream)}"`;
  const where = `${e.cluster} ${place(e.upstreamLocal)} ${place(e.local)} ${place(e.remote)} ${e.sni ?? '-'} ${e.route}`;
  print(x.p, `[${millis(e.fromMs)}] ${request} ${what} ${counts} ${who} ${where}\n`);
}
