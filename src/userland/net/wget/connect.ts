// GNU Wget's connections: names, addresses, TLS (src/connect.c, src/host.c).
import { complain, strerror } from '../../../linux/process.ts';
import { bind, close, connect, type Socket, socket } from '../../../linux/socket.ts';
import type { Errno } from '../../../linux/types.ts';
import { absolute, readFile } from '../../../linux/vfs.ts';
import { bytesToString } from '../../../sim/bytes.ts';
import type { Co } from '../../../sim/task.ts';
import { familyOf, formatIp, type Ip, parseIp } from '../../../wire/ip.ts';
import { newReader, plainStream, type Reader, type Stream } from '../../http.ts';
import { type Certificate, tlsConnect } from '../../tls.ts';
import { certificateFits, distrust } from '../../trust.ts';
import type { Url } from '../../url.ts';
import { withDeadline } from '../curl-connect.ts';
import { numericHost } from '../resolv-conf.ts';
import { gaiStrerror, getaddrinfo } from '../resolver.ts';
import { isOn, type Run, say, tell } from './run.ts';

export function* reach(r: Run, url: Url, port: number): Co<Reader | { done: number } | { again: string }> {
  const numeric = numericHost(url.host);
  let addresses: Ip[] = numeric ? [numeric] : (r.resolved.get(url.host) ?? []);
  if (!addresses.length) {
    say(r, `Resolving ${url.host} (${url.host})... `);
    const look = getaddrinfo(r.p, url.host, { libc: r.u.libc, family: r.family });
    const found = yield* withDeadline(r.p, look, r.p.kernel.sim.nowMs + r.dnsMs);
    if (typeof found === 'string') {
      say(r, `failed: ${found === 'deadline' ? 'Connection timed out' : gaiStrerror(r.u.libc, found)}.\n`);
      tell(r, `wget: unable to resolve host address '${url.host}'\n`);
      return isOn(r, 'retryonhosterror') ? { again: '' } : { done: 4 };
    }
    addresses = preferred(r, found.addresses);
    if (isOn(r, 'dnscache', true)) r.resolved.set(url.host, addresses);
    const shown = addresses.slice(0, 3).map(formatIp).join(', ');
    say(r, `${shown}${addresses.length > 3 ? ', ...' : ''}\n`);
  }
  let last: Errno = 'ECONNREFUSED';
  for (const address of addresses) {
    const bare = familyOf(address) === 6 ? `[${formatIp(address)}]` : formatIp(address);
    say(r, `Connecting to ${numeric ? `${bare}:${port}` : `${url.host} (${url.host})|${bare.replace(/[[\]]/g, '')}|:${port}`}... `);
    const s = socket(r.p, 'tcp', familyOf(address));
    const error =
      typeof s === 'string'
        ? s
        : (bound(r, s) ?? (yield* connect(s, address, port, Number.isFinite(r.connectMs) ? r.connectMs : undefined)));
    if (!error && typeof s !== 'string') {
      say(r, 'connected.\n');
      return yield* secured(r, url, plainStream(s));
    }
    if (typeof s !== 'string') close(s);
    last = error === 'EINPROGRESS' ? 'ETIMEDOUT' : (error as Errno);
    tell(r, `failed: ${strerror(last)}.\n`);
  }
  const final = ['ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH'].includes(last) && !isOn(r, 'retryconnrefused');
  return final ? { done: 4 } : { again: '' };
}

/** --prefer-family: its addresses first, the others as they came. */
function preferred(r: Run, addresses: Ip[]): Ip[] {
  const family = { ipv4: 4, ipv6: 6 }[r.a.text.get('preferfamily')?.toLowerCase() ?? ''];
  const first = (a: Ip) => Number(familyOf(a) !== family);
  return family ? [...addresses].sort((a, b) => first(a) - first(b)) : addresses;
}

/** --bind-address. */
function bound(r: Run, s: Socket): Errno | null {
  const own = r.a.text.get('bindaddress');
  const address = own === undefined ? null : parseIp(own);
  return address ? bind(s, address, 0) : null;
}

function* secured(r: Run, url: Url, plain: Stream): Co<Reader | { done: number }> {
  if (url.scheme !== 'https') return newReader(plain);
  const t = yield* tlsConnect(plain.socket, { sni: numericHost(url.host) ? null : url.host, alpn: [] }, r.readMs);
  if (typeof t === 'string') {
    if (t === 'wrong version number') complain(r.p, 'GnuTLS: An unexpected TLS packet was received.\n');
    complain(r.p, 'Unable to establish SSL connection.\n');
    close(plain.socket);
    return { done: 4 };
  }
  const wrong = complaints(r, t.certificate, url.host);
  const heedless = !isOn(r, 'checkcertificate', true);
  tell(r, wrong.map(w => w.replace(/^ERROR/, heedless ? 'WARNING' : 'ERROR')).join(''));
  if (wrong.length && !heedless) {
    close(plain.socket);
    return { done: 5 };
  }
  return newReader(t.stream);
}

/** gnutls.c of wget 1.21, ssl_check_certificate: both of its looks at a certificate. */
function complaints(r: Run, c: Certificate, host: string): string[] {
  const path = r.a.text.get('cacertificate');
  const given = path === undefined ? null : readFile(r.p.fs, absolute(path, r.p.cwd), r.p);
  const extra = given && typeof given !== 'string' ? bytesToString(given) : null;
  const nowMs = r.p.kernel.sim.nowMs;
  const own = distrust(c, null, nowMs);
  const why = own && extra !== null ? distrust(c, extra, nowMs) : own;
  const out: string[] = [];
  if (why) {
    const reason = why.code === 10 ? 'has expired' : why.code === 9 ? 'is not yet activated' : "doesn't have a known issuer";
    out.push(`ERROR: The certificate of '${host}' is not trusted.\n`, `ERROR: The certificate of '${host}' ${reason}.\n`);
  }
  if (!certificateFits(c, host)) out.push(`The certificate's owner does not match hostname '${host}'\n`);
  return out;
}
