// glibc's stub resolver: resolv/res_query.c and res_send.c of 2.36. What it asks, in which order, and what it makes of the answers.
import { close, connect, recv, send, socket } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, Rcode, RrType } from '../../wire/dns.ts';
import { decodeMessage, encodeMessage, fqdn, isDnsName, newMessage } from '../../wire/dns-codec.ts';
import { familyOf, type Ip } from '../../wire/ip.ts';
import { answers, exchangeTcp, failed, newQueryId } from './dns-client.ts';
import type { ResolvConf } from './resolv-conf.ts';

/** h_errno */
export type HostError = 'HOST_NOT_FOUND' | 'TRY_AGAIN' | 'NO_RECOVERY' | 'NO_DATA';

interface Context {
  p: Process;
  conf: ResolvConf;
  /** Turned on for the rest of the process's look-up when a server answers only one of two parallel questions. */
  oneByOne: boolean;
  reopen: boolean;
  /** Rcode of the last reply: `hp->rcode` of the answer buffer. */
  lastRcode: Rcode | null;
  /** What `errno` says after a search that no server answered. */
  refused: boolean;
}

type Reply = DnsMessage | null;

/** One server's turn over UDP. -> the replies (some may be missing), 'next': ask another, 'tc': ask again over TCP, 'half': one is missing. */
function* askServer(c: Context, server: Ip, queries: DnsMessage[]): Co<Reply[] | 'next' | 'timeout' | 'tc' | 'half'> {
  let s = socket(c.p, 'udp', familyOf(server));
  if (typeof s === 'string') return 'next';
  s.options.set('recverr', 1); // __res_enable_icmp, since 2.23
  const replies: Reply[] = queries.map(() => null);
  const sim = c.p.kernel.sim;
  try {
    if (yield* connect(s, server, 53)) return 'next';
    const oneByOne = c.oneByOne || c.conf.singleRequest || c.reopen || c.conf.singleRequestReopen;
    let sent = 0;
    for (; sent < (oneByOne ? 1 : queries.length); sent++) {
      if (typeof (yield* send(s, encodeMessage(queries[sent]))) === 'string') return 'next';
    }
    let until = sim.nowMs + Math.max(1, c.conf.timeout) * 1000;
    let failures = 0;
    for (;;) {
      const got = sim.nowMs < until ? yield* recv(s, until - sim.nowMs) : 'EAGAIN';
      if (got === 'EAGAIN') return replies.some(r => r) ? (queries.length === 2 && !c.reopen ? 'half' : replies) : 'timeout';
      if (typeof got === 'string') return 'next';
      const m = decodeMessage(got);
      const which = m ? queries.findIndex((q, i) => i < sent && !replies[i] && answers(q, m)) : -1;
      if (!m || which < 0) continue;
      c.lastRcode = m.rcode;
      if (isServerFailure(m)) {
        // The other reply, when it is there already, is all that counts.
        if (replies.some(r => r)) return replies;
        if (queries.length === 1 || ++failures === queries.length || oneByOne) return 'next';
        continue;
      }
      if (m.tc) return 'tc';
      replies[which] = m;
      if (failures) return replies;
      if (replies.every(r => r)) return replies;
      if (sent < queries.length) {
        if (c.reopen || c.conf.singleRequestReopen) {
          close(s);
          s = socket(c.p, 'udp', familyOf(server));
          if (typeof s === 'string' || (yield* connect(s, server, 53))) return replies;
        }
        if (typeof (yield* send(s, encodeMessage(queries[sent++]))) === 'string') return replies;
        until = sim.nowMs + Math.max(1, c.conf.timeout) * 1000;
      }
    }
  } finally {
    if (typeof s !== 'string') close(s);
  }
}

/** SERVFAIL, NOTIMP, REFUSED, and the empty answer of a lame server send glibc to the next one (res_send.c, next_ns). */
function isServerFailure(m: DnsMessage): boolean {
  if (m.rcode === 'SERVFAIL' || m.rcode === 'NOTIMP' || m.rcode === 'REFUSED') return true;
  return m.rcode === 'NOERROR' && !m.answers.length && !m.aa && !m.ra && !m.additional.length && !m.edns;
}

function* overTcp(c: Context, server: Ip, queries: DnsMessage[]): Co<Reply[] | 'next'> {
  const replies: Reply[] = [];
  for (const q of queries) {
    const r = yield* exchangeTcp(c.p, server, q, { timeoutMs: Math.max(1, c.conf.timeout) * 1000 });
    if (failed(r)) return 'next';
    c.lastRcode = r.message.rcode;
    if (isServerFailure(r.message)) return replies.length ? [...replies, null] : 'next';
    replies.push(r.message);
  }
  return replies;
}

function* sendAll(c: Context, queries: DnsMessage[]): Co<Reply[] | 'TRY_AGAIN'> {
  let gotSomewhere = false;
  const servers = [...c.conf.nameservers];
  if (c.conf.rotate) servers.push(servers.shift() as Ip);
  for (let attempt = 0; attempt < Math.max(1, c.conf.attempts); attempt++) {
    for (const server of servers) {
      let r = c.conf.useVc ? 'tc' : yield* askServer(c, server, queries);
      // Half an answer: the same server is asked again, first one question after the other, then on a fresh socket each.
      while (r === 'half') {
        if (c.oneByOne) c.reopen = true;
        else c.oneByOne = true;
        r = yield* askServer(c, server, queries);
      }
      if (r === 'tc') r = yield* overTcp(c, server, queries);
      if (Array.isArray(r)) return r;
      gotSomewhere ||= r === 'timeout' || c.lastRcode !== null;
    }
  }
  c.refused = !gotSomewhere;
  return 'TRY_AGAIN';
}

/** RESOLV_EDNS_BUFFER_SIZE */
const OWN_EDNS = { udpSize: 1200, dnssecOk: false, version: 0, options: [] };

/** res_querydomain: the answers for one absolute name. */
function* query(c: Context, name: string, wanted: RrType[]): Co<DnsMessage[] | HostError> {
  if (!isDnsName(name)) return 'NO_RECOVERY';
  // The question for AAAA becomes one for A, whose records do not count (res_query.c, RES_NOAAAA).
  const none = c.conf.noAaaa && wanted.every(t => t === 'AAAA');
  const types: RrType[] = c.conf.noAaaa ? [none ? 'A' : wanted[0]] : wanted;
  c.lastRcode = null;
  c.refused = false;
  const queries = types.map(type => ({ ...newMessage(newQueryId(c.p), fqdn(name), type), edns: c.conf.edns0 ? OWN_EDNS : null }));
  const replies = yield* sendAll(c, queries);
  if (replies === 'TRY_AGAIN') return replies;
  const usable = replies.filter(r => r !== null);
  if (usable.some(m => m.rcode === 'NOERROR' && m.answers.length)) return none ? 'NO_DATA' : usable;
  const first = replies[0]?.rcode ?? 'NOERROR';
  const rcode = first === 'NOERROR' ? (replies[1]?.rcode ?? 'NOERROR') : first;
  if (rcode === 'NXDOMAIN') return 'HOST_NOT_FOUND';
  if (rcode === 'SERVFAIL') return 'TRY_AGAIN';
  return rcode === 'NOERROR' ? 'NO_DATA' : 'NO_RECOVERY';
}

/** res_search: the name as it is and with the search list behind it. */
export function* glibcSearch(p: Process, conf: ResolvConf, name: string, types: RrType[]): Co<DnsMessage[] | HostError> {
  const c: Context = { p, conf, oneByOne: false, reopen: false, lastRcode: null, refused: false };
  const dots = [...name].filter(x => x === '.').length;
  const absolute = name.endsWith('.');
  let saved: HostError | null = null;
  let triedAsIs = false;
  if (dots >= conf.ndots || absolute) {
    const r = yield* query(c, name, types);
    if (typeof r !== 'string' || absolute) return r;
    saved = r;
    triedAsIs = true;
  }
  let noData = false;
  let servfail = false;
  let rootListed = false;
  let last: HostError = saved ?? 'HOST_NOT_FOUND';
  for (const domain of absolute ? [] : conf.search) {
    if (domain === '.') rootListed = true;
    const r = yield* query(c, domain === '.' ? name : `${name}.${domain}`, types);
    if (typeof r !== 'string') return r;
    if (c.refused) return 'TRY_AGAIN';
    last = r;
    if (r === 'NO_DATA') noData = true;
    else if (r === 'TRY_AGAIN' && c.lastRcode === 'SERVFAIL') servfail = true;
    else if (r !== 'HOST_NOT_FOUND') break;
  }
  const skipped = conf.noTldQuery && dots === 0 && conf.search.length > 0;
  if (!triedAsIs && !rootListed && !skipped) {
    const r = yield* query(c, name, types);
    if (typeof r !== 'string') return r;
    last = r;
  }
  return saved ?? (noData ? 'NO_DATA' : servfail ? 'TRY_AGAIN' : last);
}
