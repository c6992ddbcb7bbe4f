// nslookup of BIND 9.18 and 9.20: bin/dig/nslookup.c.
import { complain, print, stdinLine } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsRecord, RrType } from '../../wire/dns.ts';
import { typeText } from '../../wire/dns-types.ts';
import { formatIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { type Answered, ask, candidates, classNamed, type Lookup, type Server, serversNamed, serversOf, typeNamed } from './bind-lookup.ts';
import { quoted } from './dns-rdata.ts';
import { numericHost, readResolvConf, reverseName } from './resolv-conf.ts';

interface Settings {
  type: RrType;
  typeGiven: boolean;
  servers: Server[];
  port: number;
  timeoutMs: number;
  tries: number;
  tcp: boolean;
  recurse: boolean;
  search: boolean;
  searchList: string[];
  ndots: number;
  debug: boolean;
  /** As `set all` shows them. */
  typeText: string;
  timeoutText: number;
  class: Lookup['class'];
  /** A server was reached: without that nslookup has failed. */
  reached: boolean;
  /** Said once per answer, unless a server was named. */
  checkRa: boolean;
  failed: boolean;
}

export const nslookup = (u: Userland): Program =>
  function* nslookup(p: Process): Co<number> {
    const conf = readResolvConf(p);
    const s: Settings = {
      type: 'A',
      typeGiven: false,
      servers: serversOf(conf),
      port: 53,
      timeoutMs: 5000,
      tries: 3,
      tcp: false,
      recurse: true,
      search: true,
      searchList: conf.search,
      ndots: conf.ndots,
      debug: false,
      typeText: 'A',
      timeoutText: 0,
      class: 'IN',
      reached: false,
      checkRa: true,
      failed: false,
    };
    const operands: string[] = [];
    for (const w of p.argv.slice(1)) {
      if (w.startsWith('-') && w.length > 1) {
        if (w === '-version' || w === '-V') {
          complain(p, `nslookup ${u.tools >= 13 ? '9.20.26-1~deb13u1-Debian' : '9.18.49-1~deb12u3-Debian'}\n`);
          return 0;
        }
        set(p, s, w.slice(1));
      } else operands.push(w);
    }
    if (operands.length > 1) {
      const servers = yield* named(p, u, operands[1]);
      if (!servers) return 1;
      s.servers = servers;
      s.checkRa = false;
    }
    if (operands.length && operands[0] !== '-') yield* lookup(p, u, s, operands[0]);
    else yield* interactive(p, u, s);
    print(p, '\n');
    return s.failed || !s.reached ? 1 : 0;
  };

function* named(p: Process, u: Userland, word: string): Co<Server[] | null> {
  const servers = yield* serversNamed(p, u, word, null);
  if (!servers) complain(p, `nslookup: couldn't get address for '${word}': not found\n`);
  return servers;
}

/** `set NAME=VALUE` and -NAME=VALUE. */
function set(p: Process, s: Settings, text: string): void {
  const [name, value] = text.split('=');
  const n = Number(value);
  if (value !== undefined && /^(?:q|qu|que|quer|query|querytype|ty|typ|type)$/i.test(name)) {
    const type = typeNamed(value);
    if (!type) print(p, `unknown query type: ${value}\n`);
    else Object.assign(s, { type, typeGiven: true, typeText: value });
  } else if (/^timeout$/i.test(name)) Object.assign(s, { timeoutMs: n * 1000, timeoutText: n });
  else if (/^retry$/i.test(name)) s.tries = n;
  else if (/^port$/i.test(name)) s.port = n;
  else if (name === 'vc' || name === 'novc') s.tcp = name === 'vc';
  else if (name === 'debug' || name === 'nodebug') s.debug = name === 'debug';
  else if (name === 'search' || name === 'nosearch') s.search = name === 'search';
  else if (name === 'recurse' || name === 'norecurse') s.recurse = name === 'recurse';
  else if (name === 'ndots') s.ndots = n;
  else if (name === 'domain') s.searchList = [value ?? ''];
  else if (/^cl(?:ass)?$/i.test(name)) s.class = classNamed(value ?? '') ?? s.class;
  else if (/^all$/i.test(name)) settings(p, s);
  else if (!/^(?:defname|nodefname|d2|nod2|fail|nofail|sil|silent)/.test(name)) print(p, `*** Invalid option: ${name}\n`);
}

/** show_settings */
function settings(p: Process, s: Settings): void {
  for (const x of s.servers) print(p, `Default server: ${x.name}\nAddress: ${formatIp(x.ip)}#${s.port}\n`);
  const rows = [
    '',
    'Set options:',
    `  ${s.tcp ? 'vc' : 'novc'}\t\t\t${s.debug ? 'debug' : 'nodebug'}\t\tnod2`,
    `  ${s.search ? 'search' : 'nosearch'}\t\t${s.recurse ? 'recurse' : 'norecurse'}`,
    `  timeout = ${s.timeoutText}\t\tretry = ${s.tries}\tport = ${s.port}\tndots = ${s.ndots}`,
    `  querytype = ${s.typeText.padEnd(8)}\tclass = ${s.class}`,
    `  srchlist = ${s.searchList.join('/')}`,
  ];
  print(p, rows.map(r => `${r}\n`).join(''));
}

function* interactive(p: Process, u: Userland, s: Settings): Co<void> {
  for (;;) {
    if (p.tty) print(p, '> ');
    const line = yield* stdinLine(p);
    if (line === null) return;
    const [word, ...rest] = line.trim().split(/\s+/);
    if (!word) continue;
    if (word === 'exit' || word === 'quit') return;
    if (word === 'set') set(p, s, rest[0] ?? '');
    else if (word === 'server' || word === 'lserver') {
      const servers = yield* named(p, u, rest[0] ?? '');
      if (servers) {
        s.servers = servers;
        s.checkRa = false;
        for (const x of servers) print(p, `Default server: ${x.name}\nAddress: ${formatIp(x.ip)}#${s.port}\n`);
      }
    } else yield* lookup(p, u, s, word);
  }
}

const asked = (s: Settings, name: string, type: RrType): Lookup => ({
  name,
  type,
  class: s.class,
  servers: s.servers,
  port: s.port,
  timeoutMs: s.timeoutMs,
  tries: s.tries,
  tcp: s.tcp,
  recurse: s.recurse,
  edns: null,
  ignoreTruncation: false,
  adFlag: false,
  cdFlag: false,
  source: null,
  family: null,
  tryNextOnServfail: true,
});

function* lookup(p: Process, u: Userland, s: Settings, word: string): Co<void> {
  const address = numericHost(word);
  const defaults = !s.typeGiven;
  const type: RrType = address && (defaults || s.type === 'PTR') ? 'PTR' : s.type;
  const names = type === 'PTR' && address ? [reverseName(address)] : s.search ? candidates(word, s.searchList, s.ndots) : [word];
  const say = { comment: (t: string) => print(p, `;; ${t}\n`), noServers: () => print(p, ';; no servers could be reached\n') };
  for (let i = 0; i < names.length; i++) {
    const r = yield* ask(p, u, asked(s, names[i], type), say);
    if (!r) {
      s.failed = true;
      break;
    }
    s.reached = true;
    recursion(p, s, r);
    if (r.message.rcode === 'NXDOMAIN' && i < names.length - 1) continue;
    const ok = show(p, s, r, names[i], type, defaults, false);
    if (!ok || !defaults || type !== 'A') break;
    // The same name's IPv6 addresses, without another header.
    const target = lastName(r.message, names[i]);
    const six = yield* ask(p, u, asked(s, target, 'AAAA'), say);
    if (!six) break;
    recursion(p, s, six);
    if (s.debug && six.message.rcode === 'NOERROR') print(p, details(six.message));
    if (six.message.rcode !== 'NOERROR') show(p, s, six, target, 'AAAA', defaults, true);
    else if (six.message.answers.length) for (const a of six.message.answers) if (a.type === 'AAAA') print(p, recordText(a));
    if (!r.message.answers.length && !six.message.answers.length) print(p, `*** Can't find ${bare(names[i])}: No answer\n`);
    break;
  }
}

/** chase_cnamechain: where the aliases of an answer end. */
function lastName(m: DnsMessage, name: string): string {
  let at = name;
  for (let i = 0; i < m.answers.length; i++) {
    const owner = (at.endsWith('.') ? at : `${at}.`).toLowerCase();
    const alias = m.answers.find(a => a.type === 'CNAME' && a.name.toLowerCase() === owner);
    if (!alias || !('host' in alias.data)) break;
    at = bare(alias.data.host);
  }
  return at;
}

function recursion(p: Process, s: Settings, r: Answered): void {
  if (s.checkRa && s.recurse && !r.message.ra && r.message.rcode !== 'SERVFAIL')
    print(p, `;; Got recursion not available from ${formatIp(r.server.ip)}\n`);
}

const bare = (name: string) => (name === '.' ? name : name.replace(/\.$/, ''));

/** -> false: the name does not exist or the server failed. */
function show(p: Process, s: Settings, r: Answered, name: string, type: RrType, defaults: boolean, follow: boolean): boolean {
  const m = r.message;
  const header = (!defaults || type === 'A') && !follow;
  if (header) print(p, `Server:\t\t${r.server.name}\nAddress:\t${formatIp(r.server.ip)}#${s.port}\n\n`);
  if (s.debug) print(p, details(m));
  if (m.rcode !== 'NOERROR') {
    print(p, `** server can't find ${bare(name)}: ${m.rcode}\n`);
    s.failed = true;
    return false;
  }
  if (!m.aa && header) print(p, 'Non-authoritative answer:\n');
  for (const a of m.answers) print(p, recordText(a));
  if (!m.answers.length && !(defaults && type === 'A')) print(p, `*** Can't find ${bare(name)}: No answer\n`);
  if (!m.aa && type !== 'A' && !follow) {
    print(p, '\nAuthoritative answers can be found from:\n');
    for (const a of [...m.authority, ...m.additional]) print(p, authorityText(a));
  }
  return true;
}

/** detailsection: what `set debug` shows of an answer. */
function details(m: DnsMessage): string {
  const asked = m.questions.map(q => `\t${bare(q.name)}, type = ${typeText(q.type)}, class = ${q.class}\n`).join('');
  const records = (list: DnsRecord[]) =>
    list.map(r => `    ->  ${bare(r.name)}\n${authorityText(r).slice(bare(r.name).length).replace(/^\n/, '')}\tttl = ${r.ttl}\n`).join('');
  const line = '------------\n';
  const sections = `    ANSWERS:\n${records(m.answers)}    AUTHORITY RECORDS:\n${records(m.authority)}    ADDITIONAL RECORDS:\n${records(m.additional)}`;
  return `${line}    QUESTIONS:\n${asked}${sections}${line}`;
}

function recordText(r: DnsRecord): string {
  const d = r.data;
  const name = bare(r.name);
  if ('ip' in d) return `Name:\t${name}\nAddress: ${formatIp(d.ip)}\n`;
  if ('preference' in d) return `${name}\tmail exchanger = ${d.preference} ${d.host}\n`;
  if ('host' in d)
    return `${name}\t${{ CNAME: 'canonical name', PTR: 'name', NS: 'nameserver' }[r.type as string] ?? 'name'} = ${d.host}\n`;
  if ('texts' in d) return `${name}\ttext = ${d.texts.map(quoted).join(' ')}\n`;
  if ('target' in d) return `${name}\tservice = ${d.priority} ${d.weight} ${d.port} ${d.target}\n`;
  if ('mname' in d) {
    const rows = [`origin = ${bare(d.mname)}`, `mail addr = ${bare(d.rname)}`, `serial = ${d.serial}`, `refresh = ${d.refresh}`];
    rows.push(`retry = ${d.retry}`, `expire = ${d.expire}`, `minimum = ${d.minimum}`);
    return `${name}\n${rows.map(x => `\t${x}\n`).join('')}`;
  }
  return `${name}\trdata_${r.type.replace('TYPE', '')} = \\# ${d.bytes.length}\n`;
}

function authorityText(r: DnsRecord): string {
  if ('ip' in r.data) return `${bare(r.name)}\t${r.type === 'AAAA' ? 'has AAAA address' : 'internet address ='} ${formatIp(r.data.ip)}\n`;
  return recordText(r);
}
