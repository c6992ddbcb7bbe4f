// host of BIND 9.18 and 9.20: bin/dig/host.c.
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsRecord, RrType } from '../../wire/dns.ts';
import { rcodeNumber } from '../../wire/dns-codec.ts';
import { formatIp } from '../../wire/ip.ts';
import { getopt, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { type Answered, ask, candidates, classNamed, type Lookup, serversNamed, serversOf, typeNamed } from './bind-lookup.ts';
import { headerLines, questionLine, rdataText, recordLine } from './dns-text.ts';
import { numericHost, readResolvConf, reverseName } from './resolv-conf.ts';

const USAGE = `Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]
            [-R number] [-m flag] [-p port] hostname [server]
       -a is equivalent to -v -t ANY
       -A is like -a but omits RRSIG, NSEC, NSEC3
       -c specifies query class for non-IN data
       -C compares SOA records on authoritative nameservers
       -d is equivalent to -v
       -l lists all hosts in a domain, using AXFR
       -m set memory debugging flag (trace|record|usage)
       -N changes the number of dots allowed before root lookup is done
       -p specifies the port on the server to query
       -r disables recursive processing
       -R specifies number of retries for UDP packets
       -s a SERVFAIL response should stop query
       -t specifies the query type
       -T enables TCP/IP mode
       -U enables UDP mode
       -v enables verbose output
       -V print version number and exit
       -w specifies to wait forever for a reply
       -W specifies how long to wait for a reply
       -4 use IPv4 query transport only
       -6 use IPv6 query transport only
`;

interface Run {
  p: Process;
  u: Userland;
  verbose: boolean;
  lookup: Omit<Lookup, 'name' | 'type'>;
  failed: boolean;
  /** The server that was named, until it has been shown above the first answer. */
  toName: string | null;
}

/** C's: the digits at the beginning, or nothing. */
const atoi = (text: string): number => Number(/^\s*[-+]?\d+/.exec(text)?.[0] ?? 0);

export const host = (u: Userland): Program =>
  function* host(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), 'aACc:dilm:N:p:rR:st:TUvVwW:46');
    if (o.error || !o.operands.length) {
      if (o.flags.has('V')) {
        complain(p, `host ${u.tools >= 13 ? '9.20.26-1~deb13u1-Debian' : '9.18.49-1~deb12u3-Debian'}\n`);
        return 0;
      }
      complain(p, `${o.error ? `host: ${o.error.replace(/invalid option -- '(.)'/, 'illegal option -- $1')}\n` : ''}${USAGE}`);
      return 1;
    }
    const conf = readResolvConf(p);
    const [word, server] = o.operands;
    const servers = server ? yield* serversNamed(p, u, server, null) : serversOf(conf);
    if (!servers) {
      complain(p, `host: couldn't get address for '${server}': not found\n`);
      return 1;
    }
    for (const letter of ['C', 'l']) {
      if (!o.flags.has(letter)) continue;
      complain(p, `host: podnet does not model -${letter}\n`);
      return 1;
    }
    const cls = classNamed(optionValue(o, 'c') ?? 'IN');
    if (!cls) {
      complain(p, `host: invalid class: ${optionValue(o, 'c')}\n\n`);
      return 2;
    }
    const tcp = o.flags.has('T');
    const run: Run = {
      p,
      u,
      verbose: o.flags.has('v') || o.flags.has('d') || o.flags.has('a'),
      failed: false,
      toName: server ?? null,
      lookup: {
        class: cls,
        servers,
        port: atoi(optionValue(o, 'p') ?? '53') & 0xffff,
        timeoutMs: atoi(optionValue(o, 'W') ?? (tcp ? '10' : '5')) * 1000,
        tries: atoi(optionValue(o, 'R') ?? '1') + 1,
        tcp,
        recurse: !o.flags.has('r'),
        edns: null,
        ignoreTruncation: false,
        adFlag: false,
        cdFlag: false,
        source: null,
        family: null,
        tryNextOnServfail: !o.flags.has('s'),
      },
    };
    const given = optionValue(o, 't');
    const type: RrType | null = o.flags.has('a') ? 'ANY' : given ? typeNamed(given) : null;
    if (given && !type) {
      complain(p, `host: invalid type: ${given}\n\n`);
      return 2;
    }
    const ndots = optionValue(o, 'N') === undefined ? conf.ndots : atoi(optionValue(o, 'N') as string);
    yield* find(run, word, type, conf.search, ndots);
    return run.failed ? 1 : 0;
  };

function* one(r: Run, name: string, type: RrType): Co<Answered | null> {
  if (r.verbose) print(r.p, `Trying "${name.replace(/\.$/, '')}"\n`);
  const l: Lookup = { ...r.lookup, name, type, tcp: r.lookup.tcp || type === 'ANY' };
  const say = {
    comment: (t: string) => {
      if (!/^Got SERVFAIL/.test(t)) print(r.p, `;; ${t}\n`);
    },
    noServers: () => print(r.p, ';; no servers could be reached\n'),
  };
  return yield* ask(r.p, r.u, l, say);
}

function* find(r: Run, word: string, given: RrType | null, search: string[], ndots: number): Co<void> {
  const address = numericHost(word);
  const type = given ?? (address ? 'PTR' : 'A');
  const names = address ? [reverseName(address)] : candidates(word, search, ndots);
  for (let i = 0; i < names.length; i++) {
    const a = yield* one(r, names[i], type);
    if (!a) {
      r.failed = true;
      return;
    }
    if (a.message.rcode === 'NXDOMAIN' && i < names.length - 1) continue;
    const shown = address ? names[i] : word;
    if (!show(r, a, shown, type, given === null && !address)) return;
    if (given !== null || address) return;
    const target = endOfChain(a.message, names[i]);
    for (const more of r.u.tools >= 13 ? (['AAAA', 'MX', 'HTTPS'] as const) : (['AAAA', 'MX'] as const)) {
      const b = yield* one(r, target, more);
      if (b) show(r, b, target, more, true);
    }
    return;
  }
}

/** Where the aliases of an answer lead: the other types are asked there. */
function endOfChain(m: DnsMessage, name: string): string {
  let at = name.endsWith('.') ? name : `${name}.`;
  for (const a of m.answers) if (a.type === 'CNAME' && a.name.toLowerCase() === at.toLowerCase() && 'host' in a.data) at = a.data.host;
  return at;
}

function show(r: Run, a: Answered, name: string, type: RrType, defaults: boolean): boolean {
  const m = a.message;
  const found = (m.questions[0]?.name ?? name).replace(/(.)\.$/, '$1');
  if (r.toName !== null) {
    print(r.p, `Using domain server:\nName: ${r.toName}\nAddress: ${formatIp(a.server.ip)}#${r.lookup.port}\nAliases: \n\n`);
    r.toName = null;
  }
  if (m.rcode !== 'NOERROR') {
    // A name that does not exist is shown as it was asked for, any other as it was found.
    print(r.p, `Host ${m.rcode === 'NXDOMAIN' ? name : found} not found: ${rcodeNumber(m.rcode)}(${m.rcode})\n`);
    if (r.verbose) received(r, a);
    r.failed = true;
    return false;
  }
  if (r.verbose) {
    print(r.p, full(m));
    received(r, a);
    return true;
  }
  for (const x of m.answers) print(r.p, sentence(x));
  const wanted = m.answers.some(x => x.type === type || type === 'ANY');
  if (!defaults && !wanted) print(r.p, `${found} has no ${type} record\n`);
  return true;
}

function received(r: Run, a: Answered): void {
  print(r.p, `Received ${a.bytes.length} bytes from ${formatIp(a.server.ip)}#${r.lookup.port} in ${Math.floor(a.ms)} ms\n`);
}

function full(m: DnsMessage): string {
  const style = { ttl: true, class: true, columns: [24, 32, 40, 48] as [number, number, number, number] };
  let out = `${headerLines(m)}\n;; QUESTION SECTION:\n${m.questions.map(q => questionLine(q, style)).join('')}\n`;
  const sections: [string, DnsRecord[]][] = [
    ['ANSWER', m.answers],
    ['AUTHORITY', m.authority],
    ['ADDITIONAL', m.additional],
  ];
  for (const [name, records] of sections)
    if (records.length) out += `;; ${name} SECTION:\n${records.map(x => recordLine(x, style)).join('')}\n`;
  return out;
}

const PHRASES: Partial<Record<RrType, string>> = {
  A: 'has address',
  AAAA: 'has IPv6 address',
  CNAME: 'is an alias for',
  MX: 'mail is handled by',
  NS: 'name server',
  PTR: 'domain name pointer',
  SOA: 'has SOA record',
  SRV: 'has SRV record',
  TXT: 'descriptive text',
};

function sentence(r: DnsRecord): string {
  return `${r.name.replace(/\.$/, '')} ${PHRASES[r.type] ?? `has ${r.type} record`} ${rdataText(r)}\n`;
}
