// What dig, host and nslookup share: asking servers in turn, with BIND's words for what goes wrong (bin/dig/dighost.c of 9.18 and 9.20).
import { sleep } from '../../linux/process.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { bytes } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsClass, DnsMessage, EdnsOption, RrType } from '../../wire/dns.ts';
import { className, encodeMessage, fqdn, isDnsName, newMessage, typeName } from '../../wire/dns-codec.ts';
import { typeOfName } from '../../wire/dns-types.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { type Exchange, type ExchangeFailure, type ExchangeOptions, exchangeTcp, exchangeUdp, failed, newQueryId } from './dns-client.ts';
import { numericHost, type ResolvConf } from './resolv-conf.ts';
import { getaddrinfo } from './resolver.ts';

export interface Server {
  ip: Ip;
  /** As it was given: a name, or the address. */
  name: string;
}

export interface Lookup {
  name: string;
  type: RrType;
  class: DnsClass;
  servers: Server[];
  port: number;
  timeoutMs: number;
  tries: number;
  tcp: boolean;
  recurse: boolean;
  edns: {
    udpSize: number;
    dnssecOk: boolean;
    cookie: boolean;
    version?: number;
    flags?: number;
    options?: EdnsOption[] /** Behind the cookie. */;
    later?: EdnsOption[];
  } | null;
  /** +padding: the query is as long as a multiple of it. */
  padding?: number;
  /** +opcode; +header-only: no question. */
  opcode?: number;
  headerOnly?: boolean;
  /** A server that does not know the version of EDNS is asked again with one that it knows (+ednsneg). */
  negotiate?: boolean;
  ignoreTruncation: boolean;
  adFlag: boolean;
  cdFlag: boolean;
  source: Ip | null;
  family: 4 | 6 | null;
  /** SERVFAIL sends to the next server. */
  tryNextOnServfail: boolean;
}

export interface Answered {
  message: DnsMessage;
  bytes: Uint8Array;
  server: Server;
  tcp: boolean;
  ms: number;
  cookie: Uint8Array | null;
  query: DnsMessage;
}

/** What has to be said on the way: `;; ` lines, without those marks. `setup`: a connection that was never made. */
export interface Sayings {
  comment: (text: string) => void;
  noServers: () => void;
}

function queryOf(p: Process, l: Lookup): { query: DnsMessage; cookie: Uint8Array | null } {
  const query = newMessage(newQueryId(p), fqdn(l.name), l.type);
  query.questions[0].class = l.class;
  query.rd = l.recurse;
  query.ad = l.adFlag;
  query.cd = l.cdFlag;
  const cookie = l.edns?.cookie ? bytes(p.kernel.sim.random, 8) : null;
  if (l.edns) {
    const asked = l.edns.options ?? [];
    const options = [...asked, ...(cookie ? [{ code: 10, data: cookie }] : []), ...(l.edns.later ?? [])];
    const { udpSize, dnssecOk, version = 0, flags } = l.edns;
    query.edns = { udpSize, dnssecOk, version, options, ...(flags ? { flags } : {}) };
  }
  query.opcode = l.opcode ?? 0;
  if (l.headerOnly) Object.assign(query, { questions: [], edns: null });
  if (l.padding && query.edns) {
    const left = (encodeMessage(query).length + 4) % l.padding;
    query.edns.options.push({ code: 12, data: new Uint8Array(left ? l.padding - left : 0) });
  }
  return { query, cookie };
}

const WORDS: Partial<Record<Errno | 'timeout' | 'eof', string>> = {
  timeout: 'timed out',
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ECONNRESET: 'connection reset',
  EADDRNOTAVAIL: 'address not available',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  eof: 'end of file',
};

const BADVERS = 'RCODE16';

/** Ask until somebody answers. null: nobody did, and it has been said. */
export function* ask(p: Process, u: Userland, l: Lookup, say: Sayings): Co<Answered | null> {
  let tcp = l.tcp;
  let edns = l.edns;
  const where = (s: Server) => `${formatIp(s.ip)}#${l.port}`;
  let setups = 0;
  for (let attempt = 0; attempt < l.tries; attempt++) {
    for (let i = 0; i < l.servers.length; i++) {
      const server = l.servers[i];
      const { query, cookie } = queryOf(p, { ...l, edns });
      const startMs = p.kernel.sim.nowMs;
      const o = { port: l.port, timeoutMs: l.timeoutMs * (tcp && !l.tcp ? 2 : 1), source: l.source };
      const r = yield* tcp ? exchangeTcp(p, server.ip, query, o) : patientUdp(p, u, server.ip, query, o);
      if (failed(r)) {
        const why = WORDS[r.error] ?? r.error.toLowerCase();
        if (r.stage === 'io') say.comment(`communications error to ${where(server)}: ${why}`);
        else {
          setups++;
          say.comment(`${tcp ? 'Connection to' : 'UDP setup with'} ${where(server)}(${server.name}) for ${l.name} failed: ${why}.`);
          if (i === l.servers.length - 1) say.noServers();
        }
        continue;
      }
      if (r.message.tc && !tcp && !l.ignoreTruncation) {
        say.comment('Truncated, retrying in TCP mode.');
        tcp = true;
        i--;
        continue;
      }
      const known = r.message.edns?.version ?? 0;
      if (r.message.rcode === BADVERS && edns && (edns.version ?? 0) > known && l.negotiate) {
        say.comment(`BADVERS, retrying with EDNS version ${known}.`);
        edns = { ...edns, version: known };
        i--;
        continue;
      }
      const next = l.servers[i + 1];
      if (r.message.rcode === 'SERVFAIL' && l.tryNextOnServfail) {
        say.comment(`Got SERVFAIL reply from ${formatIp(server.ip)}${next ? ', trying next server' : ''}`);
        if (next) continue;
      }
      return { message: r.message, bytes: r.bytes, server, tcp, ms: p.kernel.sim.nowMs - startMs, cookie, query };
    }
  }
  if (!setups) say.noServers();
  return null;
}

/** 9.18 lets an unreachable host time out; 9.20 reports it when the ICMP error comes. */
function* patientUdp(p: Process, u: Userland, server: Ip, query: DnsMessage, o: ExchangeOptions): Co<Exchange | ExchangeFailure> {
  const untilMs = p.kernel.sim.nowMs + o.timeoutMs;
  const r = yield* exchangeUdp(p, server, query, { ...o, receiveErrors: u.tools >= 13 });
  if (!failed(r) || r.stage !== 'io' || u.tools >= 13 || r.error === 'ECONNREFUSED' || r.error === 'timeout') return r;
  yield* sleep(p, untilMs - p.kernel.sim.nowMs);
  return { stage: 'io', error: 'timeout' };
}

/** Servers that a word means: an address, or a name's addresses. null: no such name. */
export function* serversNamed(p: Process, u: Userland, word: string, family: 4 | 6 | null): Co<Server[] | null> {
  const numeric = numericHost(word);
  if (numeric) return [{ ip: numeric, name: word }];
  const r = yield* getaddrinfo(p, word, { libc: u.libc, family });
  return typeof r === 'string' ? null : r.addresses.map(ip => ({ ip, name: word }));
}

export const serversOf = (conf: ResolvConf): Server[] => conf.nameservers.map(ip => ({ ip, name: formatIp(ip) }));

/** `mx`, `TYPE65`, `ptr` -> the type; null: no type. */
export function typeNamed(word: string): RrType | null {
  const upper = word.toUpperCase();
  if (upper === 'OPT') return null;
  return typeOfName(upper) ?? (/^TYPE\d+$/.test(upper) ? typeName(Number(upper.slice(4))) : null);
}

const CLASSES: Record<string, DnsClass> = {
  IN: 'IN',
  INTERNET: 'IN',
  CH: 'CH',
  CHAOS: 'CH',
  HS: 'HS',
  HESIOD: 'HS',
  ANY: 'ANY',
  NONE: 'NONE',
};

/** dns_rdataclass_fromtext. */
export function classNamed(word: string): DnsClass | null {
  const upper = word.toUpperCase();
  if (Object.hasOwn(CLASSES, upper)) return CLASSES[upper];
  return /^CLASS\d+$/.test(upper) ? className(Number(upper.slice(5))) : null;
}

/** The names to try one after the other for `name`: the search list as dighost.c walks it. */
export function candidates(name: string, search: string[], ndots: number): string[] {
  if (name.endsWith('.')) return [name];
  const dots = [...name].filter(c => c === '.').length;
  const listed = search.map(d => (d === '.' ? name : `${name}.${d}`));
  // With dots enough it is asked as it is, and that is all (next_origin).
  return dots >= ndots ? [name] : [...listed, name];
}

export const legalName = (name: string): boolean => isDnsName(name);
