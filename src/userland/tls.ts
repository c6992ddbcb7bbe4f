// TLS as far as its outside matters: records with real headers (RFC 8446 section 5.1), so that captures, a plain answer to a hello and a
// hello at a plain port look as they do; inside, the handshake carries its fields as JSON and application data stays readable.
// There is no cryptography, and nothing is kept secret: who is trusted is decided by the certificate's fields.
import type { Socket } from '../linux/socket.ts';
import { recv, send } from '../linux/socket.ts';
import type { Errno } from '../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';
import type { Co } from '../sim/task.ts';
import type { Stream } from './http.ts';

export interface Certificate {
  /** As OpenSSL prints names: `CN = kube-apiserver`. Issuer equal to subject: self-signed. */
  subject: string;
  issuer: string;
  /** DNS names and addresses as text. */
  sans: string[];
  notBeforeMs: number;
  notAfterMs: number;
  /** The certificates themselves, the server's first, where they are real. */
  pem?: string;
}

export interface ClientHello {
  sni: string | null;
  alpn: string[];
  /** What the client says who it is, if it is asked (mutual TLS). It goes with the hello: nobody here looks at the flights' order. */
  certificate?: Certificate;
}

/** The server's side of what was agreed. */
interface ServerHello extends Certificate {
  alpn?: string;
}

export type TlsFailure = Errno | 'wrong version number' | 'unexpected eof' | 'handshake failure' | 'timeout';

const ALERT = 21;
const HANDSHAKE = 22;
const DATA = 23;

/** AlertDescription. */
const HANDSHAKE_FAILURE = 40;
const CERTIFICATE_REQUIRED = 116;

function record(type: number, body: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(type, 3, type === HANDSHAKE ? 1 : 3, body.length >> 8, body.length & 255), body]);
}

interface Records {
  socket: Socket;
  buffer: Uint8Array;
}

function* readRecord(r: Records, timeoutMs: number): Co<{ type: number; body: Uint8Array } | null | TlsFailure> {
  const sim = r.socket.netns.kernel.sim;
  const until = sim.nowMs + timeoutMs;
  for (;;) {
    if (r.buffer.length && (r.buffer[0] < 20 || r.buffer[0] > 23)) return 'wrong version number';
    if (r.buffer.length >= 5) {
      const size = (r.buffer[3] << 8) | r.buffer[4];
      if (r.buffer.length >= 5 + size) {
        const body = r.buffer.subarray(5, 5 + size);
        const type = r.buffer[0];
        r.buffer = r.buffer.subarray(5 + size);
        return { type, body };
      }
    }
    const got = yield* recv(r.socket, until - sim.nowMs);
    if (got === 'EAGAIN') return 'timeout';
    if (typeof got === 'string') return got;
    if (!got.length) return null;
    r.buffer = concat([r.buffer, got]);
  }
}

function streamOver(r: Records): Stream {
  return {
    socket: r.socket,
    *send(data) {
      for (let i = 0; i < data.length; i += 16384) {
        const sent = yield* send(r.socket, record(DATA, data.subarray(i, i + 16384)));
        if (typeof sent === 'string') return sent;
      }
      return data.length;
    },
    *recv(timeoutMs) {
      for (;;) {
        const got = yield* readRecord(r, timeoutMs);
        if (got === null) return new Uint8Array(0);
        if (got === 'timeout') return 'EAGAIN';
        if (typeof got === 'string') return got.startsWith('E') ? (got as Errno) : 'EPROTO';
        if (got.type === ALERT) return got.body[1] === CERTIFICATE_REQUIRED ? 'EPROTO' : new Uint8Array(0);
        if (got.type === DATA && got.body.length) return got.body;
      }
    },
  };
}

/** The client's side of the handshake on a connected socket. `other`: told what came instead of TLS. */
export function* tlsConnect(
  s: Socket,
  hello: ClientHello,
  timeoutMs: number,
  other: (bytes: Uint8Array) => void = () => {},
): Co<{ stream: Stream; certificate: Certificate; alpn: string | null } | TlsFailure> {
  const body = stringToBytes(JSON.stringify(hello));
  const sent = yield* send(s, record(HANDSHAKE, concat([Uint8Array.of(1, 0, body.length >> 8, body.length & 255), body])));
  if (typeof sent === 'string') return sent;
  const r: Records = { socket: s, buffer: new Uint8Array(0) };
  const got = yield* readRecord(r, timeoutMs);
  if (got === null) return 'unexpected eof';
  if (got === 'wrong version number') other(r.buffer);
  if (typeof got === 'string') return got;
  if (got.type !== HANDSHAKE) return 'handshake failure';
  const { alpn, ...certificate } = JSON.parse(bytesToString(got.body.subarray(4))) as ServerHello;
  return { stream: streamOver(r), certificate, alpn: alpn ?? null };
}

/**
 * The server's side. 'plain': what came was no TLS; null: the client went away, spoke something else, or `choose` had nothing for it.
 * `protocols`: what the server speaks, the best first; the first that the client offers too is agreed on. `trusts`: a client without a
 * certificate that it takes is sent away, which the client learns when it next reads (RFC 8446 4.4.2.4).
 */
export function* tlsAccept(
  s: Socket,
  choose: (hello: ClientHello) => Certificate | null,
  protocols: string[] = [],
  trusts: ((certificate: Certificate) => boolean) | null = null,
): Co<{ stream: Stream; hello: ClientHello; alpn: string | null } | 'plain' | null> {
  const r: Records = { socket: s, buffer: new Uint8Array(0) };
  const got = yield* readRecord(r, 60_000);
  if (got === 'wrong version number') return 'plain';
  if (got === null || typeof got === 'string' || got.type !== HANDSHAKE) return null;
  const hello = JSON.parse(bytesToString(got.body.subarray(4))) as ClientHello;
  const certificate = choose(hello);
  if (!certificate) {
    yield* send(s, record(ALERT, Uint8Array.of(2, HANDSHAKE_FAILURE)));
    return null;
  }
  const alpn = protocols.find(p => hello.alpn.includes(p)) ?? null;
  const body = stringToBytes(JSON.stringify({ ...certificate, ...(alpn ? { alpn } : {}) } satisfies ServerHello));
  yield* send(s, record(HANDSHAKE, concat([Uint8Array.of(2, 0, body.length >> 8, body.length & 255), body])));
  if (trusts && !(hello.certificate && trusts(hello.certificate))) {
    yield* readRecord(r, 60_000); // the client's first words, which it does not wait with
    yield* send(s, record(ALERT, Uint8Array.of(2, CERTIFICATE_REQUIRED)));
    return null;
  }
  return { stream: streamOver(r), hello, alpn };
}

/** The hello in the first bytes of a connection, which stay where they are; null: there is none (whole) in them. */
export function helloIn(bytes: Uint8Array): ClientHello | null {
  if (bytes.length < 9 || bytes[0] !== HANDSHAKE || bytes[5] !== 1) return null;
  const size = (bytes[3] << 8) | bytes[4];
  return bytes.length < 5 + size ? null : (JSON.parse(bytesToString(bytes.subarray(9, 5 + size))) as ClientHello);
}
