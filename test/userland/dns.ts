// A DNS server for tests: answers from a table, and misbehaves by name.
import { bind, recv, recvFrom, send, sendTo, socket } from '../../src/linux/socket.ts';
import type { Program } from '../../src/linux/types.ts';
import { waitOn } from '../../src/sim/task.ts';
import { background, tcpServer } from '../../src/userland/http-server.ts';
import type { DnsMessage, DnsRecord } from '../../src/wire/dns.ts';
import { decodeMessage, encodeMessage, frameForTcp, replyTo } from '../../src/wire/dns-codec.ts';

export interface Asked {
  name: string;
  type: string;
  tcp: boolean;
}

/** `records` by `NAME TYPE`; a name with any record has NOERROR for other types. Names below `drop.`, `fail.`, `no.` get silence, SERVFAIL, REFUSED. */
export function dnsServer(records: Record<string, DnsRecord['data'][]>, asked: Asked[] = []): Program {
  const answer = (q: DnsMessage, tcp: boolean): DnsMessage | null => {
    const { name, type } = q.questions[0];
    asked.push({ name, type, tcp });
    if (/\bdrop\.$/.test(name)) return null;
    const m = replyTo(q);
    m.aa = true;
    m.edns = q.edns;
    if (/\bfail\.$/.test(name)) return { ...m, rcode: 'SERVFAIL' };
    if (/\bno\.$/.test(name)) return { ...m, rcode: 'REFUSED' };
    const found = records[`${name} ${type}`];
    if (!found && !Object.keys(records).some(k => k.startsWith(`${name} `))) m.rcode = 'NXDOMAIN';
    m.answers = (found ?? []).map(data => ({ name, type: type as DnsRecord['type'], class: 'IN', ttl: 30, data }));
    return m;
  };
  return function* dns(p) {
    const s = socket(p, 'udp', 6);
    if (typeof s === 'string') return 1;
    bind(s, null, 53);
    background(
      p,
      (function* () {
        for (;;) {
          const d = yield* recvFrom(s);
          if (d === 'EBADF') return;
          const q = typeof d === 'string' || d.error ? null : decodeMessage(d.data);
          const m = q && answer(q, false);
          if (m && typeof d !== 'string') sendTo(s, encodeMessage(m, { limit: q?.edns?.udpSize ?? 512 }), d.from, d.fromPort);
        }
      })(),
    );
    tcpServer(p, 53, function* (c) {
      for (;;) {
        const got = yield* recv(c);
        if (typeof got === 'string' || !got.length) return;
        const q = decodeMessage(got.subarray(2));
        const m = q && answer(q, true);
        if (m) yield* send(c, frameForTcp(encodeMessage(m)));
      }
    });
    for (;;) yield* waitOn(p.kernel.sim, []);
  };
}
