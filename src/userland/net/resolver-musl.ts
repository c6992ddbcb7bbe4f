// musl's stub resolver: src/network/lookup_name.c and res_msend.c of 1.2.5. Every server is asked at once, the first answer counts.
import { close, recvFrom, sendTo, socket } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, RrType } from '../../wire/dns.ts';
import { decodeMessage, encodeMessage, fqdn, isDnsName, newMessage } from '../../wire/dns-codec.ts';
import { sameIp } from '../../wire/ip.ts';
import { answers, exchangeTcp, failed, newQueryId } from './dns-client.ts';
import type { ResolvConf } from './resolv-conf.ts';

export type MuslError = 'EAI_NONAME' | 'EAI_AGAIN' | 'EAI_FAIL' | 'EAI_NODATA' | 'EAI_SYSTEM';

/** Send all questions to all servers and wait for one answer to each. Only NOERROR and NXDOMAIN are answers. */
function* sendAll(p: Process, conf: ResolvConf, queries: DnsMessage[]): Co<(DnsMessage | null)[]> {
  const sim = p.kernel.sim;
  const replies: (DnsMessage | null)[] = queries.map(() => null);
  const s = socket(p, 'udp', conf.nameservers.some(n => n.length === 16) ? 6 : 4);
  if (typeof s === 'string') return replies;
  try {
    const timeoutMs = conf.timeout * 1000;
    const interval = timeoutMs / Math.max(1, conf.attempts);
    const end = sim.nowMs + timeoutMs;
    let resend = sim.nowMs;
    let retries = 0;
    while (sim.nowMs < end && replies.includes(null)) {
      if (sim.nowMs >= resend) {
        queries.forEach((q, i) => {
          if (!replies[i]) for (const server of conf.nameservers) sendTo(s, encodeMessage(q), server, 53);
        });
        resend = sim.nowMs + interval;
        retries = 2 * queries.length;
      }
      const got = yield* recvFrom(s, Math.min(resend, end) - sim.nowMs);
      if (typeof got === 'string') continue; // the socket is not connected: ICMP errors are not seen, only time passes
      const server = conf.nameservers.find(n => sameIp(n, got.from));
      const m = server ? decodeMessage(got.data) : null;
      const which = m ? queries.findIndex((q, i) => !replies[i] && answers(q, m)) : -1;
      if (!server || !m || which < 0) continue;
      if (m.rcode === 'SERVFAIL' && retries > 0) {
        retries--;
        sendTo(s, encodeMessage(queries[which]), server, 53);
      }
      if (m.rcode !== 'NOERROR' && m.rcode !== 'NXDOMAIN') continue;
      replies[which] = m;
      if (m.tc) {
        const full = yield* exchangeTcp(p, server, queries[which], { timeoutMs: Math.max(1, end - sim.nowMs) });
        if (!failed(full)) replies[which] = full.message;
      }
    }
    return replies;
  } finally {
    close(s);
  }
}

/** null: no such name, the next one of the search list may be tried. */
function* query(p: Process, conf: ResolvConf, name: string, types: RrType[]): Co<DnsMessage[] | MuslError | null> {
  if (!isDnsName(name)) return null;
  const queries = types.map(type => newMessage(newQueryId(p), fqdn(name), type));
  const replies = yield* sendAll(p, conf, queries);
  for (const m of replies) {
    if (!m) return 'EAI_AGAIN';
    if (m.rcode === 'NXDOMAIN') return null;
  }
  const all = replies as DnsMessage[];
  return all.some(m => m.answers.some(r => r.type === 'A' || r.type === 'AAAA' || types.includes(r.type))) ? all : 'EAI_NODATA';
}

export function* muslSearch(p: Process, conf: ResolvConf, name: string, types: RrType[]): Co<DnsMessage[] | MuslError> {
  const dots = [...name].filter(x => x === '.').length;
  const searched = dots >= conf.ndots || name.endsWith('.') ? [] : conf.search;
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  if (!bare || bare.endsWith('.')) return 'EAI_NONAME';
  for (const domain of searched) {
    const r = yield* query(p, conf, `${bare}.${domain}`, types);
    if (r !== null) return r;
  }
  return (yield* query(p, conf, bare, types)) ?? 'EAI_NONAME';
}
