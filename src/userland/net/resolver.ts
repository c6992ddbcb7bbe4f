// getaddrinfo(3) and getnameinfo(3) in the flavours of the C libraries.
import { close, connect, socket } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, RrType } from '../../wire/dns.ts';
import { type Family, familyOf, type Ip, inCidr, ip, parseCidr, sameIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { type HostsEntry, hostSources, numericHost, readHosts, readResolvConf, reverseName } from './resolv-conf.ts';
import { glibcSearch, type HostError } from './resolver-glibc.ts';
import { muslSearch } from './resolver-musl.ts';

export type Libc = Userland['libc'];
export type GaiError = 'EAI_NONAME' | 'EAI_AGAIN' | 'EAI_FAIL' | 'EAI_NODATA' | 'EAI_SYSTEM' | 'EAI_ADDRFAMILY';

const TEXTS: Record<'glibc' | 'musl', Record<GaiError, string>> = {
  glibc: {
    EAI_NONAME: 'Name or service not known',
    EAI_AGAIN: 'Temporary failure in name resolution',
    EAI_FAIL: 'Non-recoverable failure in name resolution',
    EAI_NODATA: 'No address associated with hostname',
    EAI_SYSTEM: 'System error',
    EAI_ADDRFAMILY: 'Address family for hostname not supported',
  },
  musl: {
    EAI_NONAME: 'Name does not resolve',
    EAI_AGAIN: 'Try again',
    EAI_FAIL: 'Non-recoverable error',
    EAI_NODATA: 'Name has no usable address',
    EAI_SYSTEM: 'System error',
    EAI_ADDRFAMILY: 'Name has no usable address',
  },
};

export const gaiStrerror = (libc: Libc, e: GaiError): string => TEXTS[libc === 'musl' ? 'musl' : 'glibc'][e];

export interface Resolved {
  /** In the order in which a program should try them (RFC 6724). */
  addresses: Ip[];
  canonical: string;
  /** Names that led to it, as the answers have them (h_aliases). */
  aliases?: string[];
}

const HOST_ERRORS: Record<HostError, GaiError> = {
  HOST_NOT_FOUND: 'EAI_NONAME',
  TRY_AGAIN: 'EAI_AGAIN',
  NO_RECOVERY: 'EAI_FAIL',
  NO_DATA: 'EAI_NODATA',
};

/** Addresses of a host name or numeric address. A string is the error; `gaiStrerror` has its text. */
export function* getaddrinfo(p: Process, name: string, o: { libc: Libc; family?: Family | null }): Co<Resolved | GaiError> {
  const family = o.family ?? null;
  const numeric = numericHost(name);
  if (numeric)
    return family && familyOf(numeric) !== family
      ? o.libc === 'musl'
        ? 'EAI_NONAME'
        : 'EAI_ADDRFAMILY'
      : { addresses: [numeric], canonical: name };
  if (!name || name.length > 254 || /[\s/]/.test(name)) return 'EAI_NONAME';
  const sources = o.libc === 'musl' ? ['files', 'dns'] : hostSources(p);
  let error: GaiError = 'EAI_NONAME';
  for (const source of sources) {
    const r = source === 'files' ? fromHosts(p, name, family, o.libc) : source === 'dns' ? yield* fromDns(p, name, family, o.libc) : null;
    if (r && typeof r !== 'string') return { ...r, addresses: yield* sorted(p, r.addresses) };
    if (r) error = r;
  }
  return error;
}

/** Lines of /etc/hosts for a name. Who asks glibc for IPv4 alone gets ::1 as 127.0.0.1 (nss_files/files-hosts.c). */
export function hostsLines(p: Process, name: string, family: Family | null, libc: Libc): HostsEntry[] {
  const wanted = name.toLowerCase().replace(/\.$/, '');
  const all = readHosts(p).map(h => (libc === 'glibc' && family === 4 && sameIp(h.ip, LOOPBACK6) ? { ...h, ip: LOOPBACK4 } : h));
  return all.filter(h => h.names.some(n => n.toLowerCase() === wanted) && (!family || familyOf(h.ip) === family));
}

const [LOOPBACK4, LOOPBACK6] = [ip('127.0.0.1'), ip('::1')];

function fromHosts(p: Process, name: string, family: Family | null, libc: Libc): Resolved | null {
  const found = hostsLines(p, name, family, libc);
  if (!found.length) return null;
  return { addresses: found.map(h => h.ip), canonical: found[0].names[0] };
}

function* fromDns(p: Process, name: string, family: Family | null, libc: Libc): Co<Resolved | GaiError> {
  const types: RrType[] = family === 4 ? ['A'] : family === 6 ? ['AAAA'] : ['A', 'AAAA'];
  const conf = readResolvConf(p);
  const r = libc === 'musl' ? yield* muslSearch(p, conf, name, types) : yield* glibcSearch(p, conf, name, types);
  if (typeof r === 'string') return r in HOST_ERRORS ? HOST_ERRORS[r as HostError] : (r as GaiError);
  const addresses = r.flatMap(m => addressesIn(m));
  return addresses.length ? { addresses, canonical: canonicalIn(r) ?? name, aliases: aliasesIn(r) } : 'EAI_NODATA';
}

/** The addresses at the end of the question's CNAME chain. */
function addressesIn(m: DnsMessage): Ip[] {
  const out: Ip[] = [];
  for (const r of m.answers)
    if ((r.type === 'A' || r.type === 'AAAA') && r.type === m.questions[0]?.type && 'ip' in r.data) out.push(r.data.ip);
  return out;
}

const aliasesIn = (messages: DnsMessage[]): string[] => [
  ...new Set(messages.flatMap(m => m.answers.filter(r => r.type === 'CNAME').map(r => r.name.replace(/\.$/, '')))),
];

function canonicalIn(messages: DnsMessage[]): string | null {
  for (const m of messages) {
    const last = m.answers.find(r => r.type === 'A' || r.type === 'AAAA');
    if (last) return last.name.replace(/\.$/, '');
  }
  return null;
}

// RFC 6724 section 2.1, the default policy table: prefix, precedence, label.
const POLICY: [string, number, number][] = [
  ['::1/128', 50, 0],
  ['::ffff:0:0/96', 35, 4],
  ['2002::/16', 30, 2],
  ['2001::/32', 5, 5],
  ['fc00::/7', 3, 13],
  ['::/0', 40, 1],
];
const policy = POLICY.map(([net, precedence, label]) => ({ net: parseCidr(net), precedence, label }));

function mapped(a: Ip): Ip {
  if (a.length === 16) return a;
  const out = Uint8Array.from(ip('::ffff:0:0'));
  out.set(a, 12);
  return out;
}

const rowOf = (a: Ip) => policy.find(row => row.net && inCidr(row.net, mapped(a))) ?? policy[policy.length - 1];

function scopeOf(a: Ip): number {
  if (a.length === 4) return a[0] === 127 || (a[0] === 169 && a[1] === 254) ? 2 : 14;
  if (sameIp(a, ip('::1')) || (a[0] === 0xfe && (a[1] & 0xc0) === 0x80)) return 2;
  return 14;
}

interface Candidate {
  ip: Ip;
  source: Ip | null;
}

function compare(a: Candidate, b: Candidate): number {
  if (!a.source !== !b.source) return a.source ? -1 : 1;
  if (a.source && b.source) {
    const scopeA = scopeOf(a.ip) === scopeOf(a.source);
    const scopeB = scopeOf(b.ip) === scopeOf(b.source);
    if (scopeA !== scopeB) return scopeA ? -1 : 1;
    const labelA = rowOf(a.ip).label === rowOf(a.source).label;
    const labelB = rowOf(b.ip).label === rowOf(b.source).label;
    if (labelA !== labelB) return labelA ? -1 : 1;
  }
  return rowOf(b.ip).precedence - rowOf(a.ip).precedence || scopeOf(a.ip) - scopeOf(b.ip);
}

/** Destination address selection: what has no source address goes last, the rest by the policy table; otherwise the order stays. */
function* sorted(p: Process, addresses: Ip[]): Co<Ip[]> {
  if (addresses.every(a => a.length === addresses[0].length)) return addresses;
  const candidates: Candidate[] = [];
  for (const a of addresses) candidates.push({ ip: a, source: yield* sourceFor(p, a) });
  return candidates.sort(compare).map(c => c.ip);
}

/** The address the kernel would send from, or null: no route. A connected UDP socket tells; nothing is sent. */
export function* sourceFor(p: Process, to: Ip): Co<Ip | null> {
  const s = socket(p, 'udp', familyOf(to));
  if (typeof s === 'string') return null;
  const error = yield* connect(s, to, 9);
  const source = error ? null : s.local;
  close(s);
  return source;
}

/** The name of an address by /etc/hosts or a PTR record, or null. */
export function* getnameinfo(p: Process, address: Ip, libc: Libc): Co<string | null> {
  const entry = readHosts(p).find(h => sameIp(h.ip, address));
  if (entry) return entry.names[0];
  const conf = readResolvConf(p);
  const name = reverseName(address);
  const r = libc === 'musl' ? yield* muslSearch(p, conf, name, ['PTR']) : yield* glibcSearch(p, conf, name, ['PTR']);
  if (typeof r === 'string') return null;
  const ptr = r[0].answers.find(a => a.type === 'PTR');
  return ptr && 'host' in ptr.data ? ptr.data.host.replace(/\.$/, '') : null;
}
