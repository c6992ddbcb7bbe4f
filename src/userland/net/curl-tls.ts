// curl's TLS: the handshake, what -v tells of it and of the server's certificate, and why the server is not believed (lib/vtls/openssl.c of
// 7.88.1 with OpenSSL 3.0 and of 8.14.1 with 3.5; the sizes and the order of what is said as both do against nginx and Go's net/http).
import type { Process } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { civilTime, clockText, MONTHS } from '../../sim/time.ts';
import { familyOf, parseIp } from '../../wire/ip.ts';
import { newReader } from '../http.ts';
import { type Agreed, type Certificate, type ClientHello, tlsConnect } from '../tls.ts';
import { cipherOf, clientHello, groupOf, handshake, type TlsMessage, tickets } from '../tls-messages.ts';
import { certificateFits, commonName, distrust, fittingName, hostNames } from '../trust.ts';
import type { Url } from '../url.ts';
import { certificateOf, certificatesIn, nameText, type X509 } from '../x509.ts';
import type { Connection, CurlError, Session } from './curl-connect.ts';
import { numericHost } from './resolv-conf.ts';

/** A TLS connection's surroundings: what comes ahead of the server's first data, and what is said when it ends. */
export interface CurlTls {
  tickets: TlsMessage[];
  agreed: Agreed;
}

const PAGE = (tools: number) =>
  `\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\nestablish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the ${tools >= 13 ? 'webpage' : 'web page'} mentioned above.`;

/** Bytes of a record's head. */
export const RECORD_HEAD = 5;

/** Each message stands in a record, whose head is told of too: -v shows the first length after a line alone. */
function tell(s: Session, m: TlsMessage): void {
  s.tls(m.out, RECORD_HEAD);
  s.info(`TLSv${m.version} (${m.out ? 'OUT' : 'IN'}), ${m.name}:`);
  s.tls(m.out, m.bytes);
}

const alert = (out: boolean, version: '1.2' | '1.3', name: string): TlsMessage => ({ out, version, name: `TLS alert, ${name}`, bytes: 2 });

/** X509_V_ERR_… -> the alert that the server gets (ssl/statem/statem_lib.c, ssl_x509err2alert). */
const ALERTS: Record<number, string> = { 9: 'bad certificate (554)', 10: 'certificate expired (557)' };

/** `null`: TLS stands, and the connection's stream is it. */
export function* startTls(s: Session, connection: Connection, url: Url): Co<CurlError | null> {
  const left = s.deadlineMs - s.p.kernel.sim.nowMs;
  const hello = helloOf(s, url);
  if ('code' in hello) return hello;
  const newer = s.u.tools >= 13;
  s.info(`ALPN: ${newer ? 'curl ' : ''}offers ${hello.alpn.join(',')}`);
  tell(s, clientHello(hello));
  const authorities = authoritiesOf(s);
  if (typeof authorities === 'object' && authorities !== null) return authorities;
  const r = yield* tlsConnect(connection.stream.socket, hello, Number.isFinite(left) ? left : 300_000);
  if (r === 'timeout') return { code: 28, message: `SSL connection timeout` };
  if (r === 'wrong version number') {
    const where = newer ? 'TLS connect error' : 'OpenSSL/3.0.19';
    return { code: 35, message: `${where}: error:0A00010B:SSL routines::wrong version number` };
  }
  if (r === 'handshake failure') {
    tell(s, alert(false, '1.3', 'handshake failure (552)'));
    const where = newer ? 'TLS connect error' : 'OpenSSL/3.0.19';
    return { code: 35, message: `${where}: error:0A000410:SSL routines::${newer ? 'ssl/tls' : 'sslv3'} alert handshake failure` };
  }
  if (typeof r === 'string') {
    const errno = r === 'ECONNRESET' ? 'Connection reset by peer' : 'SSL_ERROR_SYSCALL';
    return { code: 35, message: `${r === 'ECONNRESET' ? 'Recv failure' : 'OpenSSL SSL_connect'}: ${errno}` };
  }
  const { certificate, agreed } = r;
  const why = distrust(certificate, s.c.insecure ? '' : authorities, s.p.kernel.sim.nowMs);
  for (const m of handshake(hello, certificate, agreed)) {
    tell(s, m);
    if (why && !s.c.insecure && m.name.endsWith('Certificate (11)')) {
      tell(s, alert(true, agreed.version, ALERTS[why.code] ?? 'unknown CA (560)'));
      s.sslVerifyResult = why.code;
      return { code: 60, message: `SSL certificate problem: ${why.text}${PAGE(s.u.tools)}` };
    }
  }
  s.times.appconnect = (s.p.kernel.sim.nowMs - s.startMs) / 1000;
  const wrong = accepted(s, url, { hello, certificate, agreed }, why);
  if (wrong) return wrong;
  Object.assign(connection, { stream: r.stream, http2: agreed.alpn === 'h2', reader: newReader(r.stream) });
  connection.tls = { tickets: tickets(hello, agreed), agreed };
  return null;
}

function helloOf(s: Session, url: Url): ClientHello | CurlError {
  const own = s.c.cert === null ? null : textOf(s.p, s.c.cert);
  const certificate = own === null ? null : certificateOf(own);
  if (s.c.cert !== null && !certificate) {
    const why = 'error:80000002:system library::No such file or directory, (no key found, wrong pass phrase, or wrong file format?)';
    return { code: 58, message: `could not load PEM client certificate from ${s.c.cert}, OpenSSL error ${why}` };
  }
  return {
    sni: numericHost(url.host) ? null : url.host,
    alpn: s.c.http11 || s.c.http10 ? ['http/1.1'] : ['h2', 'http/1.1'],
    ...(certificate ? { certificate } : {}),
    ...(s.u.tools >= 13 ? { postQuantum: true } : {}),
  };
}

function textOf(p: Process, path: string): string | null {
  const data = readFile(p.fs, absolute(path, p.cwd), p);
  return typeof data === 'string' ? null : bytesToString(data);
}

/** The text of --cacert; null: the system's own. They are read when the hello is on its way. */
function authoritiesOf(s: Session): string | null | CurlError {
  if (s.c.insecure) return null;
  const given = s.c.cacert === null ? null : textOf(s.p, s.c.cacert);
  if (s.c.cacert !== null && !certificatesIn(given ?? '').length) {
    s.info(`error setting certificate file: ${s.c.cacert}`);
    return { code: 77, message: `error setting certificate file: ${s.c.cacert}` };
  }
  s.info(` CAfile: ${s.c.cacert ?? '/etc/ssl/certs/ca-certificates.crt'}`);
  s.info(' CApath: /etc/ssl/certs');
  return given;
}

interface Shaken {
  hello: ClientHello;
  certificate: Certificate;
  agreed: Agreed;
}

/** What was agreed on and with whom; and whether the certificate is the host's. */
function accepted(s: Session, url: Url, { hello, certificate: c, agreed }: Shaken, why: ReturnType<typeof distrust>): CurlError | null {
  const newer = s.u.tools >= 13;
  const chain = certificatesIn(c.pem ?? '');
  const ec = chain.length > 0 && chain[0].algorithm === EC;
  const more = newer ? ` / ${agreed.version === '1.2' ? 'x25519' : groupOf(hello, agreed)} / ${ec ? 'id-ecPublicKey' : 'RSASSA-PSS'}` : '';
  s.info(`SSL connection using TLSv${agreed.version} / ${cipherOf(agreed, ec)}${more}`);
  s.info(agreed.alpn ? `ALPN: server accepted ${agreed.alpn}` : 'ALPN: server did not agree on a protocol. Uses default.');
  s.info('Server certificate:');
  s.info(` subject: ${shownName(c.subject)}`);
  s.info(` start date: ${shownTime(c.notBeforeMs)}`);
  s.info(` expire date: ${shownTime(c.notAfterMs)}`);
  if (!s.c.insecure) {
    const wrong = misfit(s, c, url.host);
    if (wrong) return { code: 60, message: `SSL: ${wrong}${PAGE(s.u.tools)}` };
  }
  s.info(` issuer: ${shownName(c.issuer)}`);
  s.info(why ? ` SSL certificate verify result: ${why.text} (${why.code}), continuing anyway.` : ' SSL certificate verify ok.');
  const root = why ? undefined : rootOf(s, chain);
  if (newer) for (const [level, x] of [...chain, ...(root ? [root] : [])].entries()) s.info(`  Certificate level ${level}: ${keyText(x)}`);
  return null;
}

/** The authority at the end of a chain that is believed. */
function rootOf(s: Session, chain: X509[]): X509 | undefined {
  const end = chain[chain.length - 1];
  const given = s.c.insecure || s.c.cacert === null ? null : textOf(s.p, s.c.cacert);
  if (!end || nameText(end.issuer) === nameText(end.subject)) return undefined;
  return certificatesIn(given ?? '').find(x => nameText(x.subject) === nameText(end.issuer));
}

const EC = '1.2.840.10045.2.1';
const SIGNATURES: Record<string, string> = {
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384',
};

/** Strength by NIST SP 800-57, as OpenSSL counts it. */
function keyText(x: X509): string {
  const signed = `signed using ${SIGNATURES[x.signatureAlgorithm] ?? x.signatureAlgorithm}`;
  if (x.algorithm === EC) return `Public key type EC/prime256v1 (256/128 Bits/secBits), ${signed}`;
  const bits = (x.n.length - (x.n[0] === 0 ? 1 : 0)) * 8;
  const strength = bits >= 4096 ? 152 : bits >= 3072 ? 128 : bits >= 2048 ? 112 : 80;
  return `Public key type RSA (${bits}/${strength} Bits/secBits), ${signed}`;
}

/** As curl prints names: `O=Acme Co; CN=x`. */
const shownName = (oneline: string) =>
  oneline
    .split(/, (?=[A-Za-z]+ = )/)
    .map(pair => pair.replace(' = ', '='))
    .join('; ');

function shownTime(ms: number): string {
  const t = civilTime(ms);
  return `${MONTHS[t.month - 1]} ${String(t.day).padStart(2)} ${clockText(t)} ${t.year} GMT`;
}

/** Which names a certificate has instead of the host's (ossl_verifyhost); null: it has the host's, which is said. */
function misfit(s: Session, c: Certificate, host: string): string | null {
  const numeric = parseIp(host);
  const newer = s.u.tools >= 13;
  const what = !numeric || !newer ? 'host name' : familyOf(numeric) === 4 ? 'ipv4 address' : 'ipv6 address';
  if (hostNames(c).length) {
    if (certificateFits(c, host)) {
      const matched = numeric ? "cert's IP address!" : `cert's "${fittingName(c, host)}"`;
      s.info(` subjectAltName: host "${host}" matched ${matched}`);
      return null;
    }
    s.info(` subjectAltName does not match ${newer ? `${what} ` : ''}${host}`);
    return `no alternative certificate subject name matches target ${what} '${host}'`;
  }
  const name = commonName(c.subject);
  if (name === undefined) return 'unable to obtain common name from peer certificate';
  if (!certificateFits(c, host)) return `certificate subject name '${name}' does not match target host name '${host}'`;
  s.info(` common name: ${name} (matched)`);
  return null;
}

/** What the server has sent ahead of its first data. The second ticket takes the place of the first in 7.88's cache. */
export function tellTickets(s: Session, t: CurlTls): void {
  const list = t.tickets.splice(0);
  for (const m of list) tell(s, m);
  if (list.length > 1 && s.u.tools < 13) s.info('old SSL session ID is stale, removing');
  s.tls(false, RECORD_HEAD);
}

/** The end of a connection: 7.88 says goodbye, and hears it from a server that has closed first. */
export function tellClosing(s: Session, t: CurlTls, byServer: boolean): void {
  if (s.u.tools >= 13) return;
  if (byServer) tell(s, alert(false, t.agreed.version, 'close notify (256)'));
  tell(s, alert(true, t.agreed.version, 'close notify (256)'));
}
