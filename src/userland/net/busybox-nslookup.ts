// BusyBox nslookup: the one with its own DNS client since 1.29 (networking/nslookup.c), and the getaddrinfo one before it.

import { complain, print } from '../../linux/process.ts';
import { close, connect, recv, send, socket } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsRecord, RrType } from '../../wire/dns.ts';
import { decodeMessage, encodeMessage, fqdn, isDnsName, newMessage } from '../../wire/dns-codec.ts';
import { familyOf, formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import { busyboxUsage, libcError } from '../busybox.ts';
import { xatouRange } from '../busybox-number.ts';
import type { Userland } from '../userland.ts';
import { newQueryId } from './dns-client.ts';
import { type ResolvConf, readResolvConf, reverseName } from './resolv-conf.ts';
import { getaddrinfo, getnameinfo } from './resolver.ts';

const usage = `nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]

Query DNS about HOST

QUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,srv,ptr,any`;

export const busyboxNslookup = (u: Userland): Program => ((u.busybox ?? 37) < 29 ? oldNslookup(u) : newNslookup(u));

interface Question {
  name: string;
  id: number;
  /** As it is sent; null where the name is none: the kernel then refuses a datagram of that length. */
  bytes: Uint8Array | null;
  answered: boolean;
}

interface Options {
  types: RrType[];
  port: number;
  retry: number;
  timeoutMs: number;
  debug: boolean;
}

/** Types are asked in the order of its own table. */
const TYPES: RrType[] = ['SOA', 'NS', 'A', 'AAAA', 'CNAME', 'MX', 'TXT', 'SRV', 'PTR', 'ANY'];

/** Options by the first letters that tell them apart. */
const WORDS = ['type', 'querytype', 'port', 'retry', 'debug', 't', 'timeout'];

const newNslookup = (u: Userland): Program =>
  function* nslookup(p: Process): Co<number> {
    const operands = p.argv.slice(1);
    const o = optionsOf(operands);
    if (typeof o === 'string') {
      complain(p, o);
      return 1;
    }
    if (!o || !operands.length || operands.length > 2) return busyboxUsage(p, u, usage);
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
    const questions = questionsFor(p, conf, operands[0], o.types);
    for (const server of servers) {
      const code = yield* ask(p, u, server, questions, o);
      if (code === null) continue;
      // xconnect ends the program: nobody was asked.
      if (code === 'unreachable') return 1;
      const silent = questions.filter(q => !q.answered);
      for (const q of silent) print(p, `*** Can't find ${q.name}: No answer\n`);
      if (silent.length) print(p, '\n');
      return code;
    }
    print(p, ';; connection timed out; no servers could be reached\n\n');
    return 1;
  };

/** Takes the options off the front of `words`. -> null: usage; text: what is wrong */
function optionsOf(words: string[]): Options | string | null {
  const o: Options = { types: [], port: 53, retry: 2, timeoutMs: 5000, debug: false };
  const wanted = new Set<RrType>();
  while (words[0]?.startsWith('-')) {
    const [, name, value = ''] = /^-([^=]*)=?(.*)$/s.exec(words.shift() as string) as RegExpExecArray;
    const word = WORDS.find(w => w.startsWith(name));
    if (!word || !name) return null;
    if (word === 'debug') o.debug = true;
    else if (word === 'type' || word === 'querytype') {
      const type = TYPES.find(t => t === value.toUpperCase());
      if (!type) return `nslookup: invalid query type "${value}"\n`;
      wanted.add(type);
    } else {
      const n = xatouRange(value, 1, word === 'port' ? 0xffff : word === 'retry' ? 0x7fffffff : 2147483);
      if (typeof n === 'string') return `nslookup: ${n}\n`;
      if (word === 'port') o.port = n;
      else if (word === 'retry') o.retry = n;
      else o.timeoutMs = n * 1000;
    }
  }
  o.types = TYPES.filter(t => wanted.has(t));
  return o;
}

/** Names without a dot are asked under every search domain, all others as they are; a lone `search .` is none. */
function questionsFor(p: Process, conf: ResolvConf, word: string, types: RrType[]): Question[] {
  const address = types.length ? null : parseIp(word);
  const wanted: RrType[] = types.length ? types : address ? ['PTR'] : ['A', 'AAAA'];
  const target = address ? reverseName(address).replace(/\.$/, '') : word;
  const search = conf.search.length === 1 && conf.search[0] === '.' ? [] : conf.search;
  const first = newQueryId(p);
  return wanted
    .flatMap(type => {
      const names = type === 'PTR' || target.includes('.') || !search.length ? [target] : search.map(d => `${target}.${d}`);
      return names.map(name => ({ name, type }));
    })
    .map(({ name, type }, i) => {
      const id = (first + i) & 0xffff;
      const bytes = isDnsName(name) ? encodeMessage(newMessage(id, fqdn(name), type)) : null;
      return { name, id, bytes, answered: false };
    });
}

/**
 * send_queries: all at once, what is not answered again after each interval, a SERVFAIL again at once while there are tries; answers are
 * printed as they come. -> the exit code, or null: the next server's turn
 */
function* ask(
  p: Process,
  u: Userland,
  server: { ip: Ip; name: string },
  questions: Question[],
  o: Options,
): Co<number | null | 'unreachable'> {
  const s = socket(p, 'udp', familyOf(server.ip));
  if (typeof s === 'string') return 'unreachable';
  const { sim } = p.kernel;
  const start = sim.nowMs;
  const refused = (error: Errno): null => {
    complain(p, `nslookup: write to '${server.name}': ${libcError(u, error)}\n`);
    return null;
  };
  const waiting = () => questions.filter(q => !q.answered);
  let [code, replies, again, sentMs] = [0, 0, 0, -1];
  try {
    const error = yield* connect(s, server.ip, o.port);
    if (error) {
      complain(p, `nslookup: can't connect to remote host (${formatIp(server.ip)}): ${libcError(u, error)}\n`);
      return 'unreachable';
    }
    const interval = Math.floor(o.timeoutMs / o.retry);
    while (sim.nowMs - start < o.timeoutMs && waiting().length) {
      if (sentMs < 0 || sim.nowMs - sentMs >= interval) {
        for (const q of waiting()) {
          if (!q.bytes) return refused('EMSGSIZE');
          const sent = yield* send(s, q.bytes);
          if (typeof sent === 'string') return refused(sent);
        }
        sentMs = sim.nowMs;
        again = 2 * questions.length;
      }
      const got = yield* recv(s, interval - (sim.nowMs - sentMs));
      if (got === 'ECONNREFUSED') {
        // Of several datagrams the second one already meets the first one's refusal.
        if (waiting().length > 1) return refused(got);
        complain(p, `nslookup: read: ${libcError(u, got)}\n`);
      }
      if (typeof got === 'string') continue;
      if (!replies++) print(p, headText(server, o.port));
      const m = decodeMessage(got);
      const q = questions.find(x => x.id === m?.id);
      if (!m || !q || q.answered) continue;
      if (m.rcode === 'SERVFAIL' && again > 0) {
        again--;
        yield* send(s, q.bytes as Uint8Array);
        continue;
      }
      q.answered = true;
      if (o.debug) print(p, `Query #${questions.indexOf(q)} completed in ${Math.floor(sim.nowMs - start)}ms:\n`);
      print(p, replyText(q, m, o.debug));
      if (m.rcode !== 'NOERROR') code = 1;
    }
    return questions.some(q => q.answered) ? code : null;
  } finally {
    close(s);
  }
}

function headText({ ip, name }: { ip: Ip; name: string }, port: number): string {
  return `Server:\t\t${name}\nAddress:\t${ip.length === 16 ? `[${formatIp(ip)}]` : formatIp(ip)}:${port}\n\n`;
}

function replyText(q: Question, m: DnsMessage, debug: boolean): string {
  if (m.rcode !== 'NOERROR') return `** server can't find ${q.name}: ${m.rcode}\n\n`;
  const head = !m.aa ? 'Non-authoritative answer:\n' : debug ? 'authoritative answer:\n' : '';
  return `${head}${m.answers.map(recordText).join('')}\n`;
}

const bare = (name: string) => name.replace(/\.$/, '');

function recordText(r: DnsRecord): string {
  const d = r.data;
  const name = bare(r.name);
  if ('ip' in d) return `Name:\t${name}\nAddress: ${formatIp(d.ip)}\n`;
  if ('preference' in d) return `${name}\tmail exchanger = ${d.preference} ${bare(d.host)}\n`;
  if ('host' in d)
    return `${name}\t${{ CNAME: 'canonical name', PTR: 'name', NS: 'nameserver' }[r.type as string] ?? 'name'} = ${bare(d.host)}\n`;
  // Of several texts it shows the first.
  if ('texts' in d) return d.texts[0] ? `${name}\ttext = "${d.texts[0]}"\n` : '';
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
