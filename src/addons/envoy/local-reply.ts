// What every Envoy says by itself, whoever configured it: names in lower case, the texts of its own answers (source/common/http 1.36).
import type { Sim } from '../../sim/sim.ts';
import { httpDate } from '../../sim/time.ts';
import { type Headers, header } from '../../userland/http.ts';
import type { Reply } from '../../userland/http-server.ts';
import { HOP_BY_HOP, type UpstreamFailure } from '../../userland/servers/upstream.ts';

const lower = (headers: Headers): Headers => headers.map(([n, v]) => [n.toLowerCase(), v]);

/** An upstream's headers as they are passed on: in their order, without those of its connection. */
export function passedOn(headers: Headers): Headers {
  const chunked = /\bchunked\b/i.test(header(headers, 'Transfer-Encoding') ?? '');
  const kept = lower(headers).filter(([n]) => n === 'content-length' || !HOP_BY_HOP.has(n));
  return chunked ? [...kept, ['transfer-encoding', 'chunked']] : kept;
}

/** HttpConnectionManager's last touch: Date where none is, Server as its own name in the place of the upstream's. */
export function decorated(sim: Sim, server: string, reply: Reply, keep: boolean, head: boolean): Headers {
  const out = lower(reply.headers ?? []);
  const set = (name: string, value: string, overwrite: boolean) => {
    const at = out.findIndex(([n]) => n === name);
    if (at < 0) out.push([name, value]);
    else if (overwrite) out[at] = [name, value];
  };
  const { length } = reply.body as Uint8Array;
  const bodyless = reply.status === 204 || reply.status === 304 || reply.status < 200;
  if (!bodyless && header(out, 'content-length') === undefined && header(out, 'transfer-encoding') === undefined) {
    // Nobody knows how long the answer to a HEAD would be.
    if (head && !length) out.push(['transfer-encoding', 'chunked']);
    else out.unshift(['content-length', String(length)]);
  }
  set('date', httpDate(sim.nowMs), false);
  set('server', server, true);
  if (!keep) out.push(['connection', 'close']);
  return out;
}

/** An answer of its own. */
export const localReply = (status: number, text: string): Reply => ({
  status,
  headers: text ? [['content-type', 'text/plain']] : [],
  body: text,
});

/** [flag, reason] of a connection that failed (ResponseFlagUtils, Http::Utility::resetReasonToString). */
export function resetReason(got: Exclude<UpstreamFailure, { failed: 'timeout' }>): { flags: string; reason: string; transport: string } {
  if (got.failed === 'closed' && got.tls) {
    const why = got.tls === 'wrong version number' ? '268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER' : tlsWords(got.tls);
    if (!why) return { flags: 'UF', reason: 'connection termination', transport: '' };
    const transport = `TLS_error:|${why}:TLS_error_end`;
    return { flags: 'UF', reason: `remote connection failure, transport failure reason: ${transport}`, transport };
  }
  if (got.failed === 'closed') return { flags: 'UC', reason: 'connection termination', transport: '' };
  if (got.errno === 'ETIMEDOUT' || got.errno === 'EINPROGRESS') return { flags: 'UF', reason: 'connection timeout', transport: '' };
  const transport = `delayed connect error: ${ERRNO[got.errno] ?? got.errno}`;
  return { flags: 'UF', reason: `remote connection failure, transport failure reason: ${transport}`, transport };
}

const tlsWords = (failure: string): string =>
  failure === 'handshake failure' ? '268436528:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE' : '';

const ERRNO: Record<string, string> = {
  ECONNREFUSED: 'Connection refused',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ECONNRESET: 'Connection reset by peer',
};

/** The body of a 503 for it; `again`: it had been tried more than once. */
export const resetText = (reason: string, again: boolean): string =>
  `upstream connect error or disconnect/reset before headers. ${again ? 'retried and the latest reset reason' : 'reset reason'}: ${reason}`;
