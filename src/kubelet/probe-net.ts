// httpGet, tcpSocket and grpc from the node's own namespace (pkg/probe/{http,tcp,grpc} v1.36): outcomes with Go's error texts.

import { close, connect, kernelSocket } from '../linux/socket.ts';
import type { Errno } from '../linux/types.ts';
import { bytesToString, stringToBytes } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import type { Co } from '../sim/task.ts';
import { plainStream } from '../userland/http.ts';
import { tlsConnect } from '../userland/tls.ts';
import { familyOf, parseIp } from '../wire/ip.ts';
import type { Kubelet } from './types.ts';

export interface ProbeResult {
  outcome: 'success' | 'failure' | 'unknown';
  output: string;
}

const GO_ERRNO: Partial<Record<Errno, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ECONNRESET: 'connection reset by peer',
  EHOSTDOWN: 'host is down',
};

export const hostPort = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

type Dialled = { socket: ReturnType<typeof kernelSocket> } | { error: string; timeout: boolean };

export function* dial(k: Kubelet, host: string, port: number, timeoutMs: number): Co<Dialled> {
  const ip = parseIp(host);
  const at = hostPort(host, port);
  if (!ip) return { error: `dial tcp: lookup ${host}: no such host`, timeout: false };
  const ns = k.deps.kernel().netns.get('');
  if (!ns) throw new Error('a machine without its own namespace');
  const socket = kernelSocket(ns, 'tcp', familyOf(ip));
  const error = yield* connect(socket, ip, port, timeoutMs);
  if (!error) return { socket };
  close(socket);
  if (error === 'ETIMEDOUT' || error === 'EAGAIN' || error === 'EINPROGRESS')
    return { error: `dial tcp ${at}: i/o timeout`, timeout: true };
  return { error: `dial tcp ${at}: connect: ${GO_ERRNO[error] ?? error}`, timeout: false };
}

export function* tcpProbe(k: Kubelet, host: string, port: number, timeoutMs: number): Co<ProbeResult> {
  const d = yield* dial(k, host, port, timeoutMs);
  if ('error' in d) return { outcome: 'failure', output: d.error };
  close(d.socket);
  return { outcome: 'success', output: '' };
}

export function* httpProbe(k: Kubelet, host: string, port: number, get: any, timeoutMs: number): Co<ProbeResult> {
  const scheme = (get.scheme ?? 'HTTP').toLowerCase();
  const path = get.path ? (get.path.startsWith('/') ? get.path : `/${get.path}`) : '/';
  const url = `${scheme}://${hostPort(host, port)}${path}`;
  const failure = (why: string): ProbeResult => ({ outcome: 'failure', output: `Get "${url}": ${why}` });
  const sim = k.server.sim;
  const deadline = sim.nowMs + timeoutMs;
  const d = yield* dial(k, host, port, timeoutMs);
  if ('error' in d) return failure(d.timeout ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' : d.error);
  const { socket } = d;
  try {
    let stream = plainStream(socket);
    if (scheme === 'https') {
      // The certificate is not checked (pkg/probe/http: InsecureSkipVerify).
      const t = yield* tlsConnect(socket, { sni: null, alpn: ['http/1.1'] }, Math.max(0, deadline - sim.nowMs));
      if (t === 'timeout') return failure('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
      if (t === 'wrong version number') return failure('http: server gave HTTP response to HTTPS client');
      if (typeof t === 'string') return failure('EOF');
      stream = t.stream;
    }
    const headers = new Map<string, string>([
      ['Host', port === 80 ? host : hostPort(host, port)],
      ['User-Agent', 'kube-probe/1.36'],
      ['Accept', '*/*'],
      ['Connection', 'close'],
    ]);
    for (const h of get.httpHeaders ?? []) headers.set(h.name, h.value);
    const text = [...headers].map(([a, b]) => `${a}: ${b}\r\n`).join('');
    const sent = yield* stream.send(stringToBytes(`GET ${path} HTTP/1.1\r\n${text}\r\n`));
    if (typeof sent === 'string') return failure('EOF');
    let head = '';
    while (!head.includes('\r\n')) {
      const left = deadline - sim.nowMs;
      const got = left > 0 ? yield* stream.recv(left) : 'EAGAIN';
      if (got === 'EAGAIN' || got === 'ETIMEDOUT')
        return failure('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
      if (typeof got === 'string') return failure(`read tcp ${hostPort(host, port)}: read: ${GO_ERRNO[got] ?? got}`);
      if (!got.length) return failure('EOF');
      head += bytesToString(got);
    }
    const m = /^HTTP\/\d\.\d (\d{3})/.exec(head);
    if (!m) return failure(`net/http: HTTP/1.x transport connection broken: malformed HTTP response ${goQuote(head.split('\r\n')[0])}`);
    const code = Number(m[1]);
    if (code >= 200 && code < 400) return { outcome: 'success', output: '' };
    return { outcome: 'failure', output: `HTTP probe failed with statuscode: ${code}` };
  } finally {
    close(socket);
  }
}

/** The health service's answer is not modelled: a port that accepts connections serves. */
export function* grpcProbe(k: Kubelet, host: string, port: number, timeoutMs: number): Co<ProbeResult> {
  const d = yield* dial(k, host, port, timeoutMs);
  if ('error' in d) {
    const output = `timeout: failed to connect service "${hostPort(host, port)}" within ${timeoutMs / 1000}s: context deadline exceeded`;
    return { outcome: 'failure', output };
  }
  close(d.socket);
  return { outcome: 'success', output: '' };
}
