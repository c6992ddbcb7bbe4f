// openssl s_client: the handshake, and what it says of the server's certificate (OpenSSL 3.0, apps/s_client.c, apps/lib/s_cb.c). How many
// bytes a handshake has is not modelled, and not said.
import { complain, print, strerror } from '../../linux/process.ts';
import { close, connect, socket } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import { readPipe } from '../../sim/pipe.ts';
import { type Co, killTask, startTask } from '../../sim/task.ts';
import { familyOf, formatIp } from '../../wire/ip.ts';
import { pem } from '../der.ts';
import type { Stream } from '../http.ts';
import { getaddrinfo } from '../net/resolver.ts';
import { type Agreed, type Certificate, tlsConnect } from '../tls.ts';
import { cipherOf } from '../tls-messages.ts';
import { verifyChain } from '../trust.ts';
import { certificatesIn, nameText, type X509 } from '../x509.ts';
import { dateText } from './certificate.ts';
import { options, readInput } from './x509.ts';

const words = (text: string) => new Set(text.split(' '));
const SPEC = {
  words: words('connect host port servername CAfile CApath cert key alpn verify starttls verify_hostname verify_ip'),
  switches: words('showcerts brief quiet no_ign_eof ign_eof tls1_2 tls1_3 noservername verify_return_error 4 6'),
};

export function* sClient(p: Process, args: string[]): Co<number> {
  const o = options(p, 's_client', args, SPEC);
  if (typeof o === 'number') return o;
  const get = new Map(o.given);
  const m = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(
    get.get('connect') ?? o.rest[0] ?? `${get.get('host') ?? 'localhost'}:${get.get('port') ?? 4433}`,
  );
  if (!m || get.has('starttls')) {
    complain(
      p,
      get.has('starttls')
        ? 'podnet: -starttls is not modelled\n'
        : 's_client: -connect argument or target parameter malformed or ambiguous\n',
    );
    return 1;
  }
  const [host, port] = [m[1] ?? m[2], Number(m[3] ?? 4433)];
  const trusted = get.has('CAfile') ? certificatesIn((yield* readInput(p, get.get('CAfile'))) ?? '') : [];
  const found = yield* getaddrinfo(p, host, { libc: 'glibc' });
  if (typeof found === 'string') {
    complain(
      p,
      `4047E215547F0000:error:10080002:BIO routines:BIO_lookup_ex:system lib:../crypto/bio/bio_addr.c:738:Name or service not known\nconnect:errno=22\n`,
    );
    return 1;
  }
  let why = '';
  for (const address of found.addresses) {
    const s = socket(p, 'tcp', familyOf(address));
    const error = typeof s === 'string' ? s : yield* connect(s, address, port);
    if (error || typeof s === 'string') {
      why = strerror(error ?? 'ECONNREFUSED');
      continue;
    }
    print(p, 'CONNECTED(00000003)\n');
    const sni = get.get('servername') ?? (get.has('noservername') || formatIp(address) === host ? null : host);
    const r = yield* tlsConnect(s, { sni, alpn: get.get('alpn')?.split(',') ?? [] }, 60_000);
    if (typeof r === 'string') {
      close(s);
      return noHandshake(p, r);
    }
    report(p, r.certificate, r.agreed, trusted, get.has('showcerts'));
    const code = yield* talk(p, r.stream);
    close(s);
    return code;
  }
  complain(
    p,
    `4047E215547F0000:error:8000006F:system library:BIO_connect:${why}:../crypto/bio/bio_sock2.c:114:calling connect()\nconnect:errno=111\n`,
  );
  return 1;
}

function noHandshake(p: Process, r: string): number {
  if (r === 'wrong version number')
    complain(p, '4047E215547F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record/ssl3_record.c:354:\n');
  else
    complain(
      p,
      `4047E215547F0000:error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading:../ssl/record/rec_layer_s3.c:320:\n`,
    );
  print(p, '---\nno peer certificate available\n---\nNo client certificate CA names sent\n---\n');
  return 1;
}

function report(p: Process, shown: Certificate, agreed: Agreed, trusted: X509[], all: boolean): void {
  const chain = shown.pem ? certificatesIn(shown.pem) : [];
  const [leaf] = chain;
  const { subject, issuer } = shown;
  const wrong = leaf
    ? verifyChain(leaf, trusted, p.kernel.sim.nowMs, chain.slice(1))
    : { code: 20, depth: 0, text: 'unable to get local issuer certificate' };
  const at = `depth=0 ${subject}\n`;
  const first = wrong?.code === 20;
  if (wrong) complain(p, `${at}verify error:num=${wrong.code}:${wrong.text}\nverify return:1\n`);
  if (first) complain(p, `${at}verify error:num=21:unable to verify the first certificate\nverify return:1\n`);
  const root = wrong || !leaf ? undefined : trusted.find(t => nameText(t.subject) === nameText(chain[chain.length - 1].issuer));
  if (root) complain(p, `depth=${chain.length} ${nameText(root.subject)}\nverify return:1\n`);
  complain(p, `${at}verify return:1\n`);
  const links = leaf
    ? chain.map((c, i) => {
        const text = ` ${i} s:${nameText(c.subject)}\n   i:${nameText(c.issuer)}\n   a:PKEY: rsaEncryption, ${(c.n.length - 1) * 8} (bit); sigalg: RSA-SHA256\n   v:NotBefore: ${dateText(c.notBeforeMs)}; NotAfter: ${dateText(c.notAfterMs)}\n`;
        return text + (all ? pem('CERTIFICATE', c.der) : '');
      })
    : [` 0 s:${subject}\n   i:${issuer}\n   v:NotBefore: ${dateText(shown.notBeforeMs)}; NotAfter: ${dateText(shown.notAfterMs)}\n`];
  const [code, text] = first ? [21, 'unable to verify the first certificate'] : wrong ? [wrong.code, wrong.text] : [0, 'ok'];
  print(
    p,
    `---\nCertificate chain\n${links.join('')}---\nServer certificate\n${leaf && !all ? pem('CERTIFICATE', leaf.der) : ''}subject=${subject}\n\nissuer=${issuer}\n\n---\n` +
      `${code ? `Verification error: ${text}` : 'Verification: OK'}\n---\nNew, TLSv${agreed.version}, Cipher is ${cipherOf(agreed)}\n${leaf ? `Server public key is ${(leaf.n.length - 1) * 8} bit\n` : ''}Compression: NONE\nExpansion: NONE\n` +
      `${agreed.alpn ? `ALPN protocol: ${agreed.alpn}` : 'No ALPN negotiated'}\nEarly data was not sent\nVerify return code: ${code} (${text})\n---\n`,
  );
}

/** What is typed goes to the server, until it ends; what it answers is shown. */
function* talk(p: Process, stream: Stream): Co<number> {
  const shown = startTask(
    p.kernel.sim,
    (function* (): Co<void> {
      for (;;) {
        const got = yield* stream.recv(Number.POSITIVE_INFINITY);
        if (typeof got === 'string' || !got.length) return;
        print(p, got);
      }
    })(),
    true,
  );
  for (;;) {
    const chunk = yield* readPipe(p.kernel.sim, p.stdin);
    if (chunk === 'timeout') continue;
    if (!chunk.length) break;
    yield* stream.send(chunk);
  }
  complain(p, 'DONE\n');
  if (!shown.done) killTask(shown, undefined);
  return 0;
}
