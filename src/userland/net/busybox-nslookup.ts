// BusyBox nslookup: the one with its own DNS client since 1.29 (networking/nslookup.c), and the getaddrinfo one before it.

import { complain, print } from '../../linux/process.ts';
import { close, connect, recv, send, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsRecord, RrType } from '../../wire/dns.ts';
import { decodeMessage, encodeMessage, fqdn, isDnsName, newMessage } from '../../wire/dns-codec.ts';
import { familyOf, formatIp, type Ip } from '../../wire/ip.ts';
import { busyboxUsage, libcError } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { typeNamed } from './bind-lookup.ts';
import { newQueryId } from './dns-client.ts';
import { numericHost, type ResolvConf, readResolvConf, reverseName } from './resolv-conf.ts';
import { getaddrinfo, getnameinfo } from './resolver.ts';

const usage = `nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]

Query DNS about HOST

QUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,srv,ptr,any`;

export const busyboxNslookup = (u: Userland): Program => ((u.busybox ?? 37) < 29 ? oldNslookup(u) : newNslookup(u));

interface Question {
  name: string;
  message: DnsMessage;
  reply: DnsMessage | null;
}

const newNslookup = (u: Userland): Program =>
  function* nslookup(p: Process): Co<number> {
    const types: RrType[] = [];
    const operands: string[] = [];
    for (const w of p.argv.slice(1)) {
      const option = /^-(?:type|querytype|t|q)=(.*)$/.exec(w);
      if (option) {
        const type = typeNamed(option[1]);
        if (!type) {
          complain(p, `nslookup: invalid query type "${option[1]}"\n`);
          return 1;
        }
        types.push(type);
      } else if (w.startsWith('-') && !/^-(?:debug|stats|timeout=\d+|retry=\d+|port=\d+)$/.test(w))
        return busyboxUsage(p, u, usage, `unrecognized option '${w}'`);
      else if (!w.startsWith('-')) operands.push(w);
    }
    if (!operands.length || operands.length > 2) return busyboxUsage(p, u, usage);
    const conf = readResolvConf(p);
    let servers: { ip: Ip; name: string }[] = conf.nameservers.map(ip => ({ ip, name: formatIp(ip) }));
    if (operands[1]) {
      const found = yield* getaddrinfo(p, operands[1], { libc: u.libc });
      if (typeof found === 'string') {
        complain(p, `nslookup: bad address '${operands[1]}'\n`);
        return 1;
      }
      servers = [{ ip: found.addresses[0], name: operands[1] }];
    }
    const questions = questionsFor(p, conf, operands[0], types);
    if (!questions) {
      complain(p, `nslookup: invalid domain name '${operands[0]}'\n`);
      return 1;
    }
    for (const server of servers) {
      const r = yield* ask(p, u, server.ip, questions);
      if (typeof r === 'number') return r;
      if (r) return show(p, server, questions);
    }
    print(p, ';; connection timed out; no servers could be reached\n\n');
    return 1;
  };

/** Names without a dot are asked under every search domain, all others as they are. */
function questionsFor(p: Process, conf: ResolvConf, word: string, types: RrType[]): Question[] | null {
  const address = numericHost(word);
  const wanted: RrType[] = types.length ? types : address ? ['PTR'] : ['A', 'AAAA'];
  const out: Question[] = [];
  for (const type of wanted) {
    const target = address && type === 'PTR' ? reverseName(address).replace(/\.$/, '') : word;
    const names = type === 'PTR' || word.includes('.') || !conf.search.length ? [target] : conf.search.map(d => `${word}.${d}`);
    for (const name of names) {
      if (!isDnsName(name)) return null;
      out.push({ name, message: newMessage(newQueryId(p), fqdn(name), type), reply: null });
    }
  }
  return out;
}

/** -> true: at least one reply; a number: the exit code of a failure that ends the program. */
function* ask(p: Process, u: Userland, server: Ip, questions: Question[]): Co<boolean | number> {
  const s = socket(p, 'udp', familyOf(server));
  if (typeof s === 'string') return 1;
  const { sim } = p.kernel;
  try {
    const error = yield* connect(s, server, 53);
    if (error) {
      complain(p, `nslookup: can't connect to remote host (${formatIp(server)}): ${libcError(u, error)}\n`);
      return 1;
    }
    const endMs = sim.nowMs + 5000;
    let resendMs = sim.nowMs;
    while (sim.nowMs < endMs && questions.some(q => !q.reply)) {
      if (sim.nowMs >= resendMs) {
        for (const q of questions) {
          if (q.reply) continue;
          const sent = yield* send(s, encodeMessage(q.message));
          if (typeof sent === 'string') return refused(p, u, server, sent);
        }
        resendMs = sim.nowMs + 2500;
      }
      const got = yield* recv(s, Math.min(resendMs, endMs) - sim.nowMs);
      if (got === 'ECONNREFUSED') return refused(p, u, server, got);
      if (typeof got === 'string') continue;
      const m = decodeMessage(got);
      const q = questions.find(x => !x.reply && x.message.id === m?.id);
      if (q && m) q.reply = m;
    }
    return questions.some(q => q.reply);
  } finally {
    close(s);
  }
}

function refused(p: Process, u: Userland, server: Ip, error: Parameters<typeof libcError>[1]): false {
  complain(p, `nslookup: write to '${formatIp(server)}': ${libcError(u, error)}\n`);
  return false;
}

function show(p: Process, server: { ip: Ip; name: string }, questions: Question[]): number {
  const at = server.ip.length === 16 ? `[${formatIp(server.ip)}]:53` : `${formatIp(server.ip)}:53`;
  print(p, `Server:\t\t${server.name}\nAddress:\t${at}\n\n`);
  let code = 0;
  for (const q of questions) {
    const m = q.reply;
    if (m && m.rcode !== 'NOERROR') {
      print(p, `** server can't find ${q.name}: ${m.rcode}\n`);
      code = 1;
    } else if (m?.answers.length) {
      if (!m.aa) print(p, 'Non-authoritative answer:\n');
      for (const r of m.answers) print(p, recordText(r));
    } else if (!m) {
      print(p, `*** Can't find ${q.name}: No answer\n`);
      code = 1;
    }
    print(p, '\n');
  }
  return code;
}

const bare = (name: string) => name.replace(/\.$/, '');

function recordText(r: DnsRecord): string {
  const d = r.data;
  const name = bare(r.name);
  if ('ip' in d) return `Name:\t${name}\nAddress: ${formatIp(d.ip)}\n`;
  if ('preference' in d) return `${name}\tmail exchanger = ${d.preference} ${bare(d.host)}\n`;
  if ('host' in d)
    return `${name}\t${{ CNAME: 'canonical name', PTR: 'name', NS: 'nameserver' }[r.type as string] ?? 'name'} = ${bare(d.host)}\n`;
  if ('texts' in d) return `${name}\ttext = ${d.texts.map(t => `"${t}"`).join(' ')}\n`;
  if ('target' in d) return `${name}\tservice = ${d.priority} ${d.weight} ${d.port} ${bare(d.target)}\n`;
  if ('mname' in d) {
    const numbers = `\tserial = ${d.serial}\n\trefresh = ${d.refresh}\n\tretry = ${d.retry}\n\texpire = ${d.expire}\n\tminimum = ${d.minimum}\n`;
    return `${name}\n\torigin = ${bare(d.mname)}\n\tmail addr = ${bare(d.rname)}\n${numbers}`;
  }
  return '';
}

/** Before 1.29: everything by getaddrinfo, with the addresses' names beside them. */
const oldNslookup = (u: Userland): Program =>
  function* nslookup(p: Process): Co<number> {
    const [name, server] = p.argv.slice(1);
    if (!name || name.startsWith('-'))
      return busyboxUsage(
        p,
        u,
        '[HOST] [SERVER]\n\nQuery the nameserver for the IP address of the given HOST\noptionally using a specified DNS server',
      );
    const at = server ? yield* getaddrinfo(p, server, { libc: u.libc }) : null;
    if (typeof at === 'string') {
      complain(p, `nslookup: can't resolve '${server}'\n`);
      return 1;
    }
    const ip = at ? at.addresses[0] : readResolvConf(p).nameservers[0];
    print(p, `Server:    ${formatIp(ip)}\n`);
    print(p, `${yield* addressLine(p, u, 1, ip)}\n`);
    const found = yield* getaddrinfo(p, name, { libc: u.libc });
    if (typeof found === 'string') {
      complain(p, `nslookup: can't resolve '${name}'\n`);
      return 1;
    }
    print(p, `Name:      ${name}\n`);
    for (let i = 0; i < found.addresses.length; i++) print(p, yield* addressLine(p, u, i + 1, found.addresses[i]));
    return 0;
  };

function* addressLine(p: Process, u: Userland, n: number, ip: Ip): Co<string> {
  const name = yield* getnameinfo(p, ip, u.libc);
  return `Address ${n}: ${formatIp(ip)}${name ? ` ${name}` : ''}\n`;
}
