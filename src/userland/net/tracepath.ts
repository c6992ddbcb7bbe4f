// iputils' tracepath (20221126, 20240905): UDP probes that find the path's MTU on the way.

import { complain, print, strerror } from '../../linux/process.ts';
import { pathMtuTo } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Family, familyOf, formatIp, type Ip } from '../../wire/ip.ts';
import { getopt, type Options, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { badInteger, iputilsVersion } from './iputils.ts';
import { type Hop, probeOnce } from './probe.ts';
import { gaiStrerror, getaddrinfo, getnameinfo } from './resolver.ts';
import { hopsBack } from './trip.ts';

const usage = (u: Userland): string => `
Usage
  tracepath [options] <destination>

Options:
  -4             use IPv4
  -6             use IPv6
  -b             print both name and ${u.tools >= 13 ? 'IP' : 'ip'}
  -l <length>    use packet <length>
  -m <hops>      use maximum <hops>
  -n             no ${u.tools >= 13 ? 'reverse DNS' : 'dns'} name resolution
  -p <port>      use destination <port>
  -V             print version and exit
  <destination>  ${u.tools >= 13 ? 'DNS name or IP' : 'dns name or ip'} address

For more details see tracepath(8).
`;

export const tracepath = (u: Userland): Program =>
  function* tracepath(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), '46bhnl:m:p:V');
    const complaint = refusal(u, o);
    if (complaint) {
      complain(p, complaint.text);
      return complaint.code;
    }
    if (o.flags.has('V')) {
      print(p, iputilsVersion(u, 'tracepath'));
      return 0;
    }
    const family: Family | null = o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null;
    const found = yield* getaddrinfo(p, o.operands[0], { libc: u.libc, family });
    if (typeof found === 'string') {
      complain(p, `tracepath: ${o.operands[0]}: ${gaiStrerror(u.libc, found)}\n`);
      return 1;
    }
    yield* follow(p, u, o, found.addresses[0]);
    return 0;
  };

function refusal(u: Userland, o: Options): { text: string; code: number } | null {
  if (o.error) return { text: `tracepath: ${o.error}\n${usage(u)}`, code: 255 };
  if (o.flags.has('V')) return null;
  const bad =
    badInteger(optionValue(o, 'm'), 0, 255) ??
    badInteger(optionValue(o, 'l'), 0, 2 ** 31 - 1) ??
    badInteger(optionValue(o, 'p'), 0, 65_535);
  if (bad) return { text: `tracepath: ${bad}\n`, code: 1 };
  if (o.flags.has('h') || o.operands.length !== 1) return { text: usage(u), code: 255 };
  const length = optionValue(o, 'l');
  return length !== undefined && Number(length) <= 28
    ? { text: 'tracepath: pktlen must be within: 28 < value <= 2147483647\n', code: 1 }
    : null;
}

/** data_wait()'s second, and what a neighbour that nobody answers for takes longer than three of them. */
const WAIT_MS = 1050;
/** Widest host column: what is behind it begins there. */
const HOST_COLUMN = 52;

function* follow(p: Process, u: Userland, o: Options, to: Ip): Co<void> {
  const hops = Number(optionValue(o, 'm') ?? 30);
  const port = Number(optionValue(o, 'p') ?? 44_444);
  const header = familyOf(to) === 4 ? 28 : 48;
  let mtu = Number(optionValue(o, 'l') ?? (familyOf(to) === 4 ? 65_535 : 128_000));
  const name = function* (a: Ip): Co<string> {
    const text = formatIp(a);
    if (o.flags.has('n')) return text;
    const found = (yield* getnameinfo(p, a, u.libc)) ?? text;
    return o.flags.has('b') ? `${found} (${text})` : found;
  };
  const row = function* (ttl: number, r: Hop, behind: string): Co<void> {
    print(p, `${String(ttl).padStart(2)}:  ${`${yield* name(r.from)} `.padEnd(HOST_COLUMN)}${r.ms.toFixed(3).padStart(7)}ms ${behind}\n`);
  };
  /** The first datagram was too long for the device: what it was said in goes before the answers, and the first of them counts twice. */
  let shortened = false;
  for (let ttl = 1; ttl <= hops; ttl++) {
    let answered = false;
    const firstMs = p.kernel.sim.nowMs;
    for (let tries = 0; tries < 3 && !answered; ) {
      const r = yield* probeOnce(p, { method: 'udp', to, ttl, port: port + ttl, size: mtu - header, timeoutMs: WAIT_MS, df: true });
      if (r && 'errno' in r) {
        const device = r.errno === 'EMSGSIZE' ? pathMtuTo(p, to) : mtu;
        if (device >= mtu) {
          print(p, `${String(ttl).padStart(2)}:  send failed\n     Resume: pmtu ${mtu} \n`);
          if (r.errno === 'ENETUNREACH') complain(p, `tracepath: ${strerror(r.errno)}\n`);
          return;
        }
        mtu = device;
        shortened = ttl === 1;
        print(p, `${String(ttl).padStart(2)}?: ${'[LOCALHOST]'.padEnd(32)} pmtu ${mtu}\n`);
        continue;
      }
      tries++;
      if (!r) continue;
      if (r.mtu) {
        mtu = r.mtu;
        tries = 0;
        yield* row(ttl, r, `pmtu ${mtu}`);
        continue;
      }
      answered = true;
      // An unreachable neighbour is reported for the first of the datagrams that waited for it.
      if (r.mark) r.ms = p.kernel.sim.nowMs - firstMs;
      const back = hopsBack(r.replyTtl);
      const behind = r.mark ? r.mark : r.final ? 'reached' : back !== ttl ? `asymm ${String(back).padStart(2)} ` : '';
      if (shortened && !r.mark) yield* row(ttl, r, behind);
      shortened = false;
      yield* row(ttl, r, behind);
      if (r.final) {
        print(p, `     Resume: pmtu ${mtu} ${r.mark ? '' : `hops ${ttl} back ${back} `}\n`);
        return;
      }
    }
    if (!answered) print(p, `${String(ttl).padStart(2)}:  no reply\n`);
  }
  print(p, `     Too many hops: pmtu ${mtu}\n     Resume: pmtu ${mtu} \n`);
}
