// dig 9.18.49 (Debian 12) and 9.20.26 (13): bin/dig/dig.c.
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { civilTime, clockText, MONTHS, twoDigits, WEEKDAYS } from '../../sim/time.ts';
import type { DnsMessage, EdnsOption } from '../../wire/dns.ts';
import { encodeMessage } from '../../wire/dns-codec.ts';
import { formatIp, ip } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { type Answered, ask, candidates, type Lookup, legalName, type Server, serversOf } from './bind-lookup.ts';
import { type Query, readQueries } from './dig-words.ts';
import { yamlMessage } from './dig-yaml.ts';
import { CO, optLines } from './dns-edns.ts';
import { headerLines, questionLine, type RecordStyle, rdataText, recordLine } from './dns-text.ts';
import { type ResolvConf, readResolvConf } from './resolv-conf.ts';

const bindVersion = (u: Userland): string => (u.tools >= 13 ? '9.20.26-1~deb13u1-Debian' : '9.18.49-1~deb12u3-Debian');

export const dig = (u: Userland): Program =>
  function* dig(p: Process): Co<number> {
    if (p.argv.includes('-v')) {
      complain(p, `DiG ${bindVersion(u)}\n`);
      return 0;
    }
    const queries = yield* readQueries(p, u);
    if (typeof queries === 'number') return queries;
    // A batch of nothing.
    if (!queries.length) return 0;
    let code = 0;
    // +nocmd counts wherever it stands.
    let first = queries[0].batch ? queries[0].on.cmd : queries.every(q => q.on.cmd);
    for (const q of queries) {
      const r = yield* q.on.trace ? trace(p, u, q, first) : run(p, u, q, first);
      if (r) code = r;
      first = false;
    }
    return code;
  };

function* run(p: Process, u: Userland, q: Query, first: boolean): Co<number> {
  const conf = readResolvConf(p);
  const servers = usable(q, conf);
  const ndots = q.ndots ?? conf.ndots;
  const names = q.on.search ? candidates(q.name as string, q.domain ? [q.domain] : conf.search, ndots) : [q.name as string];
  const type = q.type ?? 'A';
  for (let i = 0; i < names.length; i++) {
    // Every name of the search list is a look-up of its own, with the first one's banner.
    const state: Banner = { bannerDue: first || (q.batch !== undefined && q.on.cmd && !q.on.short), first };
    if (!legalName(names[i])) {
      complain(p, `dig: '${names[i]}' is not a legal name (${/^\.|\.\./.test(names[i]) ? 'empty label' : 'label too long'})\n`);
      return 10;
    }
    const tcp = q.on.tcp || type === 'ANY' || type === 'AXFR';
    const lookup: Lookup = {
      name: names[i],
      type,
      class: q.class,
      servers,
      port: q.port,
      timeoutMs: q.timeoutMs ?? (tcp ? 10_000 : 5000),
      tries: q.tries,
      tcp,
      recurse: q.on.recurse,
      edns:
        q.on.edns || q.on.dnssec
          ? {
              udpSize: q.bufsize ?? 1232,
              dnssecOk: q.on.dnssec,
              cookie: q.on.cookie,
              version: q.ednsVersion,
              flags: q.ednsFlags | (q.on.coflag ? CO : 0),
              ...ednsOptions(q),
            }
          : null,
      padding: q.padding,
      opcode: q.opcode,
      headerOnly: q.on['header-only'],
      negotiate: q.on.ednsneg,
      ignoreTruncation: q.on.ignore,
      adFlag: q.on.adflag,
      cdFlag: q.on.cdflag,
      source: q.source,
      family: q.family,
      tryNextOnServfail: q.on.fail === false || servers.length > 1,
    };
    let lost = 0;
    const r = yield* ask(p, u, lookup, {
      comment: text => {
        if (!q.on.yaml) print(p, `;; ${text}\n`);
        if (/^(?:Connection|UDP)/.test(text)) lost++;
      },
      noServers: () => {
        if (!lost) banner(p, u, q, state);
        print(p, q.on.yaml ? UNREACHED : ';; no servers could be reached\n');
      },
    });
    if (!r) return 9;
    if (isOdd(r.message)) print(p, ';; Warning: Message parser reports malformed message packet.\n');
    const nx = r.message.rcode === 'NXDOMAIN' && i < names.length - 1;
    if (nx && !q.on.showsearch) continue;
    if (q.on.yaml) {
      yaml(p, q, r, type === 'AXFR' && !isTransfer(r));
      if (!nx) break;
      continue;
    }
    banner(p, u, q, state);
    if (q.on.qr && !q.on.short) print(p, sent(p, q, r));
    if (type === 'AXFR' && !isTransfer(r)) print(p, '; Transfer failed.\n');
    else show(p, q, r);
    // A name with dots enough is nobody else's turn after NXDOMAIN; dighost's recv_done then says the statistics once more.
    if (
      r.message.rcode === 'NXDOMAIN' &&
      q.on.search &&
      dotsOf(q.name as string) >= ndots &&
      dotsOf(names[i]) >= ndots &&
      q.on.stats &&
      !q.on.short
    )
      print(p, stats(p, q, r));
    if (!nx) break;
  }
  return 0;
}

const UNREACHED = '- type: DIG_ERROR\n  message: |\n    no servers could be reached\n';

function yaml(p: Process, q: Query, r: Answered, untransferred: boolean): void {
  const { nowMs } = p.kernel.sim;
  if (q.on.qr && !q.on.short) print(p, yamlMessage(q, r, r.query, nowMs, true));
  print(p, yamlMessage(q, r, r.message, nowMs, !q.on.short && !untransferred));
  if (untransferred) print(p, '; Transfer failed.\n');
  else if (q.on.short) for (const a of r.message.answers) print(p, `${rdataText(a)}\n`);
}

const dotsOf = (name: string): number => name.split('.').length - 1;

/** Servers of the wanted family; the resolver of the host itself stands in for none. */
function usable(q: Query, conf: ResolvConf): Server[] {
  const all = q.servers ?? serversOf(conf);
  const fitting = all.filter(s => !q.family || s.ip.length === (q.family === 4 ? 4 : 16));
  if (fitting.length || q.servers) return fitting;
  const own = q.family === 6 ? '::1' : '127.0.0.1';
  return [{ ip: ip(own), name: own }];
}

const SUBNET = 8;
const empty = (code: number): EdnsOption => ({ code, data: new Uint8Array(0) });

/** As dighost.c setup_lookup puts them: the cookie has its place among them. */
function ednsOptions({ on, ednsOptions: given }: Query): { options: EdnsOption[]; later: EdnsOption[] } {
  const options = [...(on.nsid ? [empty(3)] : []), ...given.filter(o => o.code === SUBNET)];
  const later = [...(on.expire ? [empty(9)] : []), ...(on.keepalive ? [empty(11)] : []), ...given.filter(o => o.code !== SUBNET)];
  return { options, later };
}

/** A record of another class than was asked for (lib/dns/message.c getsection). */
function isOdd(m: DnsMessage): boolean {
  const cls = m.questions[0]?.class ?? 'ANY';
  return cls !== 'ANY' && [...m.answers, ...m.authority, ...m.additional].some(r => r.class !== cls);
}

/** A zone begins and ends with its SOA record. */
const isTransfer = (r: Answered): boolean => r.message.answers[0]?.type === 'SOA';

const MULTICAST = `;; WARNING: .local is reserved for Multicast DNS
;; You are currently testing what happens when an mDNS query is leaked to DNS
`;

/** +qr: the query as it went out. */
function sent(_p: Process, q: Query, r: Answered): string {
  const m = r.query;
  let out = '';
  if (q.on.comments) {
    out += `;; Sending:\n${/\.local\.$/i.test(m.questions[0]?.name ?? '') ? MULTICAST : ''}${headerLines(m)}\n`;
    out += optLines(m, null);
  }
  if (q.on.question)
    out += `${q.on.comments ? ';; QUESTION SECTION:\n' : ''}${m.questions.map(x => questionLine(x, styleOf(q))).join('')}\n`;
  if (q.on.stats) out += `;; QUERY SIZE: ${encodeMessage(m).length}\n\n`;
  return out;
}

/** +trace: the servers of the root are asked for first. Where the resolver names none, that is where dig ends too. */
function* trace(p: Process, u: Userland, q: Query, first: boolean): Co<number> {
  const conf = readResolvConf(p);
  const servers = usable(q, conf);
  const lookup: Lookup = {
    name: '.',
    type: 'NS',
    class: 'IN',
    servers,
    port: q.port,
    timeoutMs: q.timeoutMs ?? 5000,
    tries: q.tries,
    tcp: q.on.tcp,
    recurse: true,
    edns: { udpSize: q.bufsize ?? 1232, dnssecOk: true, cookie: q.on.cookie, version: 0, options: [] },
    ignoreTruncation: q.on.ignore,
    adFlag: q.on.adflag,
    cdFlag: q.on.cdflag,
    source: q.source,
    family: q.family,
    tryNextOnServfail: false,
  };
  const state: Banner = { bannerDue: first || (q.batch !== undefined && q.on.cmd && !q.on.short), first };
  const r = yield* ask(p, u, lookup, {
    comment: text => print(p, `;; ${text}\n`),
    noServers: () => {
      banner(p, u, q, state);
      print(p, ';; no servers could be reached\n');
    },
  });
  if (!r) return 9;
  banner(p, u, q, state);
  const server = `${formatIp(r.server.ip)}#${q.port}(${r.server.name})`;
  const records = [...r.message.answers, ...r.message.authority].map(x => recordLine(x, styleOf(q))).join('');
  print(p, `${records};; Received ${r.bytes.length} bytes from ${server} in ${Math.floor(r.ms)} ms\n\n`);
  if (r.message.answers.some(a => a.type === 'NS')) complain(p, 'dig: podnet does not model the servers of the root\n');
  return 0;
}

interface Banner {
  /** The first query has one, and each line of a file. */
  bannerDue: boolean;
  /** The options of all queries are named once. */
  first: boolean;
}

function banner(p: Process, u: Userland, q: Query, state: Banner): void {
  if (!state.bannerDue) return;
  state.bannerDue = false;
  const words = (q.batch ?? p.argv.slice(1)).map(w => ` ${w}`).join('');
  print(p, `${state.first ? '\n' : ''}; <<>> DiG ${bindVersion(u)} <<>>${words}\n`);
  if (q.servers) print(p, `; (${q.servers.length} server${q.servers.length === 1 ? '' : 's'} found)\n`);
  if (state.first) print(p, ';; global options: +cmd\n');
}

function styleOf(q: Query): RecordStyle {
  const ttl = q.on.ttlid;
  const cls = q.on.class;
  const more = { multiline: q.on.multiline, units: q.on.ttlunits, expand: q.on.expandaaaa, unknown: q.on.unknownformat };
  if (q.on.multiline || (!ttl && !cls)) return { ttl, class: cls, columns: [24, 24, 24, 32], ...more };
  if (!ttl || !cls) return { ttl, class: cls, columns: [24, 24, 32, 40], ...more };
  return { ttl, class: cls, columns: [24, 32, 40, 48], ...more };
}

function show(p: Process, q: Query, r: Answered): void {
  const m = r.message;
  const { on } = q;
  if (on.short) {
    for (const a of m.answers)
      print(p, `${rdataText(a)}${on.identify ? ` from server ${formatIp(r.server.ip)} in ${Math.floor(r.ms)} ms.` : ''}\n`);
    return;
  }
  let out = '';
  if (on.comments) {
    out += ';; Got answer:\n';
    if (/\.local\.$/i.test(m.questions[0]?.name ?? '')) {
      out += MULTICAST;
    }
    out += headerLines(m);
    if (m.rd && !m.ra) out += ';; WARNING: recursion requested but not available\n';
    out += '\n';
    if (q.on.edns && !m.edns && (m.rcode === 'FORMERR' || m.rcode === 'NOTIMP'))
      out += `;; WARNING: EDNS query returned status ${m.rcode} - retry with '${q.on.dnssec ? '+nodnssec ' : ''}+noedns'\n\n`;
    out += optLines(m, r.cookie);
  }
  const style = styleOf(q);
  if (on.question && m.questions.length) {
    out += `${on.comments ? ';; QUESTION SECTION:\n' : ''}${m.questions.map(x => questionLine(x, style)).join('')}${on.comments ? '\n' : ''}`;
  }
  const sections: [string, boolean, typeof m.answers][] = [
    ['ANSWER', on.answer, m.answers],
    ['AUTHORITY', on.authority, m.authority],
    ['ADDITIONAL', on.additional, m.additional],
  ];
  for (const [name, shown, records] of sections) {
    if (!shown || !records.length) continue;
    out += `${on.comments ? `;; ${name} SECTION:\n` : ''}${records.map(x => recordLine(x, style)).join('')}${on.comments ? '\n' : ''}`;
  }
  if (on.stats) out += stats(p, q, r);
  print(p, out);
}

function stats(p: Process, q: Query, r: Answered): string {
  const c = civilTime(p.kernel.sim.nowMs);
  const when = `${WEEKDAYS[c.weekday]} ${MONTHS[c.month - 1]} ${twoDigits(c.day)} ${clockText(c)} UTC ${c.year}`;
  const server = `${formatIp(r.server.ip)}#${q.port}(${r.server.name}) (${r.tcp ? 'TCP' : 'UDP'})`;
  return `;; Query time: ${q.on.micro ? `${Math.floor(r.ms * 1000)} usec` : `${Math.floor(r.ms)} msec`}\n;; SERVER: ${server}\n;; WHEN: ${when}\n;; MSG SIZE  rcvd: ${r.bytes.length}\n\n`;
}
