// One HTTP request of the API server's own to a pod, a Service's endpoint or a kubelet: a connection through the walk, from the control
// plane's machine (k8s.io/kubernetes v1.36.3, CreateProxyTransport in pkg/controlplane/apiserver/config.go; Go 1.26, net/http/transport.go).

import type { ProxiedReply, ProxiedRequest, ProxyPlace, RoundTripper } from '../apiserver/types.ts';
import { close, connect, kernelSocket, type Socket } from '../linux/socket.ts';
import type { Errno } from '../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import type { Co } from '../sim/task.ts';
import {
  newReader,
  parseResponseHead,
  plainStream,
  type Reader,
  readBody,
  readHead,
  responseFraming,
  type Stream,
  serialiseHead,
} from '../userland/http.ts';
import { type Certificate, type TlsFailure, tlsConnect } from '../userland/tls.ts';
import { familyOf, formatIp, type Ip, parseIp } from '../wire/ip.ts';
import { apiserverNetns, dialError, errnoWords } from './go-dial.ts';
import type { Engine } from './types.ts';

/** http.DefaultTransport's. */
const DIAL_MS = 30_000;
const HANDSHAKE_MS = 10_000;

type Failed = { error: string };

/** What kube-apiserver shows kubelets: kubeadm's apiserver-kubelet-client.crt. */
const KUBELET_CLIENT: Certificate = {
  subject: 'O = kubeadm:cluster-admins, CN = kube-apiserver-kubelet-client',
  issuer: 'CN = kubernetes',
  sans: [],
  notBeforeMs: 0,
  notAfterMs: Number.MAX_SAFE_INTEGER,
};

export const proxyTransport = (engine: Engine): RoundTripper =>
  function* (to, req) {
    const ip = parseIp(to.address);
    if (!ip) return { error: `dial tcp: lookup ${to.address}: no such host` };
    const s = kernelSocket(apiserverNetns(engine), 'tcp', familyOf(ip));
    try {
      const at = `${to.address.includes(':') ? `[${to.address}]` : to.address}:${to.port}`;
      const refused = yield* connect(s, ip, to.port, DIAL_MS);
      if (refused) return { error: dialError(at, refused) };
      const stream = to.scheme === 'https' ? yield* secured(s, to) : plainStream(s);
      return 'error' in stream ? stream : yield* roundTrip(stream, req);
    } finally {
      close(s);
    }
  };

function* secured(s: Socket, to: ProxyPlace): Co<Stream | Failed> {
  let seen: Uint8Array = new Uint8Array(0);
  const hello = { sni: null, alpn: ['http/1.1'], ...(to.kubelet ? { certificate: KUBELET_CLIENT } : {}) };
  const t = yield* tlsConnect(s, hello, HANDSHAKE_MS, bytes => {
    seen = bytes;
  });
  return typeof t === 'string' ? { error: handshakeError(s, t, seen) } : t.stream;
}

/** net/http's and crypto/tls's words for a handshake that failed. `seen`: what came instead of one. */
export function handshakeError(s: Socket, e: TlsFailure, seen: Uint8Array): string {
  if (e === 'timeout') return 'net/http: TLS handshake timeout';
  if (e === 'unexpected eof') return 'EOF';
  if (e === 'handshake failure') return 'remote error: tls: handshake failure';
  if (e !== 'wrong version number') return readError(s, e);
  const http = bytesToString(seen.subarray(0, 5)) === 'HTTP/';
  return http ? 'http: server gave HTTP response to HTTPS client' : 'tls: first record does not look like a TLS handshake';
}

const ends = (ip: Ip | null, port: number): string => {
  const text = ip ? formatIp(ip) : '';
  return `${text.includes(':') ? `[${text}]` : text}:${port}`;
};

const readError = (s: Socket, e: Errno, what = 'read'): string =>
  `${what} tcp ${ends(s.local, s.localPort)}->${ends(s.remote, s.remotePort)}: ${what}: ${errnoWords(e) ?? 'i/o timeout'}`;

function* roundTrip(stream: Stream, req: ProxiedRequest): Co<ProxiedReply | Failed> {
  const s = stream.socket;
  const head = stringToBytes(serialiseHead(`${req.method} ${req.target} HTTP/1.1`, req.headers));
  const chunked = req.headers.some(([name]) => name === 'Transfer-Encoding');
  const sent = yield* stream.send(concat([head, chunked ? inChunks(req.body) : req.body]));
  if (typeof sent === 'string') return { error: readError(s, sent, 'write') };
  const reader = newReader(stream);
  for (;;) {
    const lines = yield* readHead(reader);
    if (lines === null) return { error: 'EOF' };
    if (lines === 'EOF') return { error: 'unexpected EOF' };
    if (typeof lines === 'string') return { error: readError(s, lines) };
    const answer = parseResponseHead(lines);
    if (!answer)
      return { error: `net/http: HTTP/1.x transport connection broken: malformed HTTP response ${goQuote(firstLine(lines, reader))}` };
    // 100 Continue and the like come before the answer.
    if (answer.status >= 100 && answer.status < 200) continue;
    const body = yield* readBody(reader, responseFraming(req.method, answer));
    // The answer has begun by then: who asked gets what there is no end of, which their own client tells them.
    if (typeof body === 'string') return { error: body === 'EOF' ? 'unexpected EOF' : readError(s, body) };
    return { code: answer.status, headers: answer.headers, body };
  }
}

/** A body as one chunk (RFC 9112 section 7.1). */
const inChunks = (body: Uint8Array): Uint8Array =>
  concat([
    ...(body.length ? [stringToBytes(`${body.length.toString(16)}\r\n`), body, stringToBytes('\r\n')] : []),
    stringToBytes('0\r\n\r\n'),
  ]);

/** Of what is no HTTP the reader has taken nothing. */
const firstLine = (lines: string[], reader: Reader): string => lines[0] || bytesToString(reader.buffer).split('\n')[0];
