// TLS as far as its outside matters: records with real headers (RFC 8446 section 5.1), so that captures, a plain answer to a hello and a
// hello at a plain port look as they do; inside, the handshake carries its fields as JSON and application data stays readable.
// There is no cryptography, and nothing is kept secret: who is trusted is decided by the certificate's fields.
import { peek } from '../linux/peek.ts';
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
  /** It has a share of a key for X25519MLKEM768. */
  postQuantum?: boolean;
}

/** Whose code a server is: it decides the cipher, the tickets and what a client is asked for. */
export type TlsLibrary = 'openssl' | 'go' | 'boringssl';

/** How a server shakes hands, beside its certificates. */
export interface TlsServer {
  library: TlsLibrary;
  /** What it speaks inside, the best first; the first that the client offers too is agreed on. */
  protocols?: string[];
  /** The newest that it takes. Default 1.3. */
  version?: '1.2' | '1.3';
  /** Sessions are kept by the server, and tickets only name them (ssl_session_tickets off). */
  keepsSessions?: boolean;
  /** It would see a client's certificate: the names (DER) of the authorities that it takes one from. */
  asks?: Uint8Array[];
  /** A client without a certificate that it takes is sent away, which the client learns when it next reads (RFC 8446 4.4.2.4). */
  trusts?: (certificate: Certificate) => boolean;
}

/** What was agreed on, as far as a client can tell. */
export interface Agreed {
  library: TlsLibrary;
  version: '1.2' | '1.3';
  alpn: string | null;
  keepsSessions: boolean;
  /** The lengths of the names that the server takes certificates from; null: it asks for none. */
  asks: number[] | null;
}

/** The server's side of what was agreed. */
interface ServerHello extends Certificate {
  agreed: Agreed;
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

const isRecord = (bytes: Uint8Array) => bytes[0] >= 20 && bytes[0] <= DATA;

interface Records {
  socket: Socket;
  buffer: Uint8Array;
}

function* readRecord(r: Records, timeoutMs: number): Co<{ type: number; body: Uint8Array } | null | TlsFailure> {
  const sim = r.socket.netns.kernel.sim;
  const until = sim.nowMs + timeoutMs;
  for (;;) {
    if (r.buffer.length && !isRecord(r.buffer)) return 'wrong version number';
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
): Co<{ stream: Stream; certificate: Certificate; agreed: Agreed } | TlsFailure> {
  const body = stringToBytes(JSON.stringify(hello));
  const sent = yield* send(s, record(HANDSHAKE, concat([Uint8Array.of(1, 0, body.length >> 8, body.length & 255), body])));
  if (typeof sent === 'string') return sent;
  const r: Records = { socket: s, buffer: new Uint8Array(0) };
  const got = yield* readRecord(r, timeoutMs);
  if (got === null) return 'unexpected eof';
  if (got === 'wrong version number') other(r.buffer);
  if (typeof got === 'string') return got;
  if (got.type !== HANDSHAKE) return 'handshake failure';
  const { agreed, ...certificate } = JSON.parse(bytesToString(got.body.subarray(4))) as ServerHello;
  return { stream: streamOver(r), certificate, agreed };
}

/**
 * The server's side. 'plain': what came was no TLS, and waits to be read; null: the client went away, spoke something else, or `choose` had nothing for it.
 */
export function* tlsAccept(
  s: Socket,
  choose: (hello: ClientHello) => Certificate | null,
  server: TlsServer,
): Co<{ stream: Stream; hello: ClientHello; alpn: string | null } | 'plain' | null> {
  const r: Records = { socket: s, buffer: new Uint8Array(0) };
  const first = yield* peek(s, 60_000);
  if (typeof first !== 'string' && first.length && !isRecord(first)) return 'plain';
  const got = yield* readRecord(r, 60_000);
  if (got === null || typeof got === 'string' || got.type !== HANDSHAKE) return null;
  const hello = JSON.parse(bytesToString(got.body.subarray(4))) as ClientHello;
  const certificate = choose(hello);
  if (!certificate) {
    yield* send(s, record(ALERT, Uint8Array.of(2, HANDSHAKE_FAILURE)));
    return null;
  }
  const { library, version = '1.3', keepsSessions = false, trusts } = server;
  const alpn = server.protocols?.find(p => hello.alpn.includes(p)) ?? null;
  const agreed: Agreed = { library, version, alpn, keepsSessions, asks: server.asks?.map(name => name.length) ?? null };
  const body = stringToBytes(JSON.stringify({ ...certificate, agreed } satisfies ServerHello));
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
