// The messages of a TLS handshake and their lengths, as OpenSSL 3.0 and 3.5 build them and Go 1.26 answers them (RFC 8446 section 4, RFC
// 5246 section 7.4): what curl -v and openssl s_client tell of. Measured with curl 7.88.1 and 8.14.1 against nginx and Go's net/http.
import type { RsaKey } from '../sim/rsa.ts';
import type { Agreed, Certificate, ClientHello } from './tls.ts';
import { certificatesIn } from './x509.ts';
import { certificatePem, nameOf } from './x509-write.ts';

export interface TlsMessage {
  /** The client sends it. */
  out: boolean;
  /** As OpenSSL's callback has it when the message passes: that of a hello is what the client would like. */
  version: '1.2' | '1.3';
  /** `TLS handshake, Certificate (11)`. */
  name: string;
  bytes: number;
}

const RSA = '1.2.840.113549.1.1.1';

/** Lengths of a certificate and of a signature by its key. */
interface Lengths {
  der: number[];
  signature: number;
}

/** One of the same names and times, of a key that is none: where there is no real one, its length is this one's. */
const NO_KEY: RsaKey = { n: (1n << 2048n) - 1n, e: 65537n, d: 1n, p: 3n, q: 5n };
const likeness = (c: Certificate): string =>
  certificatePem({
    subject: nameOf(c.subject),
    issuer: nameOf(c.issuer),
    serial: 1n << 126n,
    notBeforeMs: c.notBeforeMs,
    notAfterMs: c.notAfterMs,
    key: NO_KEY,
    signer: NO_KEY,
    usages: ['server'],
    dns: c.sans.filter(n => !/^[\d.]+$|:/.test(n)),
    ips: c.sans.filter(n => /^[\d.]+$|:/.test(n)),
  });

function lengthsOf(c: Certificate): Lengths {
  const chain = certificatesIn(c.pem ?? likeness(c));
  const [leaf] = chain;
  // An ECDSA signature of P-256 is 70 to 72 bytes long.
  const signature = leaf.algorithm === RSA ? leaf.n.length - (leaf.n[0] === 0 ? 1 : 0) : 71;
  return { der: chain.map(x => x.der.length), signature };
}

const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
const message = (out: boolean, version: '1.2' | '1.3', name: string, bytes: number): TlsMessage => ({ out, version, name, bytes });
const CHANGE_CIPHER = 'TLS change cipher, Change cipher spec (1)';

/** An extension that lists one protocol, or several. */
const alpnLength = (names: string[]) => (names.length ? 6 + sum(names.map(n => n.length + 1)) : 0);
const sniLength = (sni: string | null) => (sni === null ? 0 : 9 + sni.length);

/** OpenSSL fills a hello up to 512 bytes (SSL_OP_TLSEXT_PADDING); one with a share for ML-KEM is longer than that by itself. */
export function clientHello(hello: ClientHello): TlsMessage {
  const own = hello.postQuantum ? 1528 + sniLength(hello.sni) + alpnLength(hello.alpn) : 512;
  return message(true, '1.3', 'TLS handshake, Client hello (1)', own);
}

/** Go chooses by its own preference, OpenSSL and BoringSSL take the client's first. `ec`: the certificate's key is of an elliptic curve. */
export function cipherOf(a: Agreed, ec = false): string {
  if (a.version === '1.2') return `ECDHE-${ec ? 'ECDSA' : 'RSA'}-AES256-GCM-SHA384`;
  return a.library === 'go' ? 'TLS_AES_128_GCM_SHA256' : 'TLS_AES_256_GCM_SHA384';
}

/** The key exchange: only Go answers a share for ML-KEM with one. */
export const groupOf = (hello: ClientHello, a: Agreed): string => (hello.postQuantum && a.library === 'go' ? 'X25519MLKEM768' : 'x25519');

/** From the server's hello to the client's Finished. */
export function handshake(hello: ClientHello, certificate: Certificate, a: Agreed): TlsMessage[] {
  return a.version === '1.2' ? handshake12(hello, certificate, a) : handshake13(hello, certificate, a);
}

function handshake13(hello: ClientHello, certificate: Certificate, a: Agreed): TlsMessage[] {
  const to = (name: string, bytes: number) => message(true, '1.3', name, bytes);
  const from = (name: string, bytes: number) => message(false, '1.3', name, bytes);
  const chain = (l: Lengths) => 8 + sum(l.der.map(n => n + 5));
  const own = lengthsOf(certificate);
  const finished = cipherOf(a).endsWith('SHA384') ? 52 : 36;
  const out = [from('TLS handshake, Server hello (2)', groupOf(hello, a) === 'x25519' ? 122 : 1210)];
  // OpenSSL 3.0 says nothing of the record that stands there for old middleboxes.
  if (hello.postQuantum) out.push(from(CHANGE_CIPHER, 1));
  const named = hello.sni === null ? 0 : 4;
  out.push(from('TLS handshake, Encrypted Extensions (8)', 6 + named + alpnLength(a.alpn ? [a.alpn] : [])));
  if (a.asks) {
    const names = sum(a.asks.map(n => n + 2));
    out.push(from('TLS handshake, Request CERT (13)', (a.library === 'openssl' ? 45 : 65) + (names ? names + 6 : 0)));
  }
  out.push(
    from('TLS handshake, Certificate (11)', chain(own)),
    from('TLS handshake, CERT verify (15)', own.signature + 8),
    from('TLS handshake, Finished (20)', finished),
    to(CHANGE_CIPHER, 1),
  );
  if (a.asks) {
    const client = hello.certificate ? lengthsOf(hello.certificate) : null;
    out.push(to('TLS handshake, Certificate (11)', client ? chain(client) : 8));
    if (client) out.push(to('TLS handshake, CERT verify (15)', client.signature + 8));
  }
  return [...out, to('TLS handshake, Finished (20)', finished)];
}

function handshake12(hello: ClientHello, certificate: Certificate, a: Agreed): TlsMessage[] {
  const to = (name: string, bytes: number) => message(true, '1.2', name, bytes);
  const from = (name: string, bytes: number) => message(false, '1.2', name, bytes);
  const own = lengthsOf(certificate);
  const serverHello = 93 + (hello.sni === null ? 0 : 4) + alpnLength(a.alpn ? [a.alpn] : []);
  return [
    message(false, '1.3', 'TLS handshake, Server hello (2)', serverHello),
    from('TLS handshake, Certificate (11)', 7 + sum(own.der.map(n => n + 3))),
    from('TLS handshake, Server key exchange (12)', own.signature + 44),
    from('TLS handshake, Server finished (14)', 4),
    to('TLS handshake, Client key exchange (16)', 37),
    to(CHANGE_CIPHER, 1),
    to('TLS handshake, Finished (20)', 16),
    from('TLS handshake, Finished (20)', 16),
  ];
}

/** What a server sends ahead of its first data: OpenSSL two tickets, Go one. A ticket that carries its session is as long as that is. */
export function tickets(hello: ClientHello, a: Agreed): TlsMessage[] {
  if (a.version === '1.2') return [];
  const one = (bytes: number) => message(false, '1.3', 'TLS handshake, Newsession Ticket (4)', bytes);
  const client = a.asks && hello.certificate ? sum(lengthsOf(hello.certificate).der) + 5 : 0;
  if (a.library === 'go') return [one(122 + client)];
  if (a.keepsSessions) return [one(57), one(57)];
  const session = 150 + client + (hello.sni === null ? 0 : hello.sni.length + 4) + (a.alpn ? a.alpn.length + 4 : 0);
  const sealed = 89 + 16 * (Math.floor(session / 16) + 1);
  return [one(sealed), one(sealed)];
}
