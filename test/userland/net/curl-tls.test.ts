// curl -v over TLS. Lines and lengths as curl 7.88.1 (OpenSSL 3.0) and 8.14.1 (OpenSSL 3.5) say them of nginx with the same certificate.
import { expect, test } from 'vitest';
import { curl } from '../../../src/userland/net/curl.ts';
import { nginx } from '../../../src/userland/servers/nginx.ts';
import { CERTIFICATE, KEY } from '../../addons/certificate.ts';
import { DEBIAN_12, DEBIAN_13, files, run, start, twoHosts } from '../hosts.ts';

const TLS = 'ssl_certificate /tls.crt; ssl_certificate_key /tls.key;';
const CONF = `events { } http { access_log off;
  server { listen 443 ssl http2; ssl_protocols TLSv1.2 TLSv1.3; ${TLS} location / { return 200 "ok\\n"; } }
  server { listen 444 ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off; keepalive_timeout 0; ${TLS} return 200 "ok\\n"; }
  server { listen 445 ssl; ${TLS} return 200 "old\\n"; }
  server { listen 80; return 200 "plain\\n"; } }`;

function said(words: string, u = DEBIAN_12) {
  const h = twoHosts();
  files({ '/etc/nginx/nginx.conf': CONF, '/tls.crt': CERTIFICATE, '/tls.key': KEY, '/var/log/nginx/error.log': '' }, h.server.fs);
  files({ '/ca.crt': CERTIFICATE }, h.client.fs);
  start(h, h.server, nginx({ ...DEBIAN_12 }), ['nginx'], { NGINX_VERSION: '1.22.1' });
  const r = run(h, curl, words, { u });
  return { ...r, lines: r.err.replaceAll('\r', '').split('\n') };
}
const NAMED = '--resolve secure.example:443:10.0.0.1 https://secure.example/';
const between = (lines: string[], from: RegExp, to: RegExp) =>
  lines.slice(
    lines.findIndex(l => from.test(l)) + 1,
    lines.findIndex(l => to.test(l)),
  );

test('7.88 tells of each message of the handshake, of what was agreed on, and of the certificate', () => {
  const r = said(`curl -skv ${NAMED}`);
  expect(r.out).toBe('ok\n');
  expect(between(r.lines, /Connected to/, /SSL connection/)).toEqual([
    '* ALPN: offers h2,http/1.1',
    '} [5 bytes data]',
    '* TLSv1.3 (OUT), TLS handshake, Client hello (1):',
    '} [512 bytes data]',
    '* TLSv1.3 (IN), TLS handshake, Server hello (2):',
    '{ [122 bytes data]',
    '* TLSv1.3 (IN), TLS handshake, Encrypted Extensions (8):',
    '{ [19 bytes data]',
    '* TLSv1.3 (IN), TLS handshake, Certificate (11):',
    '{ [497 bytes data]',
    '* TLSv1.3 (IN), TLS handshake, CERT verify (15):',
    '{ [79 bytes data]',
    '* TLSv1.3 (IN), TLS handshake, Finished (20):',
    '{ [52 bytes data]',
    '* TLSv1.3 (OUT), TLS change cipher, Change cipher spec (1):',
    '} [1 bytes data]',
    '* TLSv1.3 (OUT), TLS handshake, Finished (20):',
    '} [52 bytes data]',
  ]);
  expect(between(r.lines, /TLS handshake, Finished \(20\):$/, /h2h3/).slice(-11)).toEqual([
    '} [52 bytes data]',
    '* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384',
    '* ALPN: server accepted h2',
    '* Server certificate:',
    '*  subject: O=podnet; CN=secure.example',
    '*  start date: Nov 21 18:34:40 2026 GMT',
    '*  expire date: Oct 28 18:34:40 2126 GMT',
    '*  issuer: O=podnet; CN=secure.example',
    '*  SSL certificate verify result: self-signed certificate (18), continuing anyway.',
    '} [5 bytes data]',
    '* using HTTP/2',
  ]);
  expect(
    r.lines.slice(r.lines.indexOf('* using HTTP/2') + 1).filter(l => !l.includes('easy handle') && !/^< (server|date)/.test(l)),
  ).toEqual([
    '* h2h3 [:method: GET]',
    '* h2h3 [:path: /]',
    '* h2h3 [:scheme: https]',
    '* h2h3 [:authority: secure.example]',
    '* h2h3 [user-agent: curl/7.88.1]',
    '* h2h3 [accept: */*]',
    '} [5 bytes data]',
    '> GET / HTTP/2',
    '> Host: secure.example',
    '> user-agent: curl/7.88.1',
    '> accept: */*',
    '> ',
    '{ [5 bytes data]',
    '* TLSv1.3 (IN), TLS handshake, Newsession Ticket (4):',
    '{ [265 bytes data]',
    '* TLSv1.3 (IN), TLS handshake, Newsession Ticket (4):',
    '{ [265 bytes data]',
    '* old SSL session ID is stale, removing',
    '{ [5 bytes data]',
    '< HTTP/2 200 ',
    '< content-type: text/plain',
    '< content-length: 3',
    '< ',
    '{ [3 bytes data]',
    '* Connection #0 to host secure.example left intact',
    '',
  ]);
});

test('8.14 offers a share for ML-KEM and tells of keys and signatures', () => {
  const r = said(`curl -skv ${NAMED}`, DEBIAN_13);
  expect(r.lines).toContain('* ALPN: curl offers h2,http/1.1');
  expect(r.lines).toContain('} [1569 bytes data]');
  expect(r.lines).toContain('* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / x25519 / id-ecPublicKey');
  expect(r.lines).toContain(
    '*   Certificate level 0: Public key type EC/prime256v1 (256/128 Bits/secBits), signed using ecdsa-with-SHA256',
  );
  expect(r.err).toMatch(/> User-Agent: curl\/8\.14\.1\r\n> Accept/);
});

test('who is not believed gets an alert after its certificate, and the connection keeps its number', () => {
  const r = said(`curl -sv ${NAMED}`);
  expect(r.code).toBe(60);
  expect(between(r.lines, /CApath/, /Closing/).filter(l => l.startsWith('*'))).toEqual([
    '* TLSv1.3 (IN), TLS handshake, Server hello (2):',
    '* TLSv1.3 (IN), TLS handshake, Encrypted Extensions (8):',
    '* TLSv1.3 (IN), TLS handshake, Certificate (11):',
    '* TLSv1.3 (OUT), TLS alert, unknown CA (560):',
    '* SSL certificate problem: self-signed certificate',
  ]);
  expect(r.lines).toContain('* Closing connection 0');
  expect(r.lines).toContain('*  CAfile: /etc/ssl/certs/ca-certificates.crt');
});

test('a server that keeps its sessions sends short tickets; whoever closes first says so first', () => {
  const r = said('curl -skv https://10.0.0.1:444/');
  expect(r.lines).toContain('< Connection: close');
  expect(r.lines.filter(l => l === '{ [57 bytes data]')).toHaveLength(2);
  expect(r.lines.slice(r.lines.indexOf('* Closing connection 0') + 1)).toEqual([
    '{ [5 bytes data]',
    '* TLSv1.3 (IN), TLS alert, close notify (256):',
    '{ [2 bytes data]',
    '* TLSv1.3 (OUT), TLS alert, close notify (256):',
    '} [2 bytes data]',
    '',
  ]);
});

test('nginx before 1.23.4 speaks TLSv1.2 unless it is told otherwise', () => {
  const r = said('curl -skv https://10.0.0.1:445/');
  expect(r.out).toBe('old\n');
  expect(r.lines).toContain('* SSL connection using TLSv1.2 / ECDHE-ECDSA-AES256-GCM-SHA384');
  expect(between(r.lines, /Client hello/, /SSL connection/).filter(l => l.startsWith('*'))).toEqual([
    '* TLSv1.3 (IN), TLS handshake, Server hello (2):',
    '* TLSv1.2 (IN), TLS handshake, Certificate (11):',
    '* TLSv1.2 (IN), TLS handshake, Server key exchange (12):',
    '* TLSv1.2 (IN), TLS handshake, Server finished (14):',
    '* TLSv1.2 (OUT), TLS handshake, Client key exchange (16):',
    '* TLSv1.2 (OUT), TLS change cipher, Change cipher spec (1):',
    '* TLSv1.2 (OUT), TLS handshake, Finished (20):',
    '* TLSv1.2 (IN), TLS handshake, Finished (20):',
  ]);
});

test('TLS to a plain port, and plain HTTP to one of TLS', () => {
  expect(said('curl -sS https://10.0.0.1:80/').err).toBe('curl: (35) OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number\n');
  expect(said('curl -sS http://10.0.0.1:443/').out).toContain('The plain HTTP request was sent to HTTPS port');
});
