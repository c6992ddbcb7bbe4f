// dig 9.18.49 (Debian 12) and 9.20.26 (13): bin/dig/dig.c.
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { civilTime, MONTHS, WEEKDAYS } from '../../sim/time.ts';
import type { RrType } from '../../wire/dns.ts';
import { formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import {
  type Answered,
  ask,
  candidates,
  classNamed,
  type Lookup,
  legalName,
  type Server,
  serversNamed,
  serversOf,
  typeNamed,
} from './bind-lookup.ts';
import { headerLines, optLines, questionLine, type RecordStyle, rdataText, recordLine } from './dns-text.ts';
import { numericHost, readResolvConf, reverseName } from './resolv-conf.ts';

export const bindVersion = (u: Userland): string => (u.tools >= 13 ? '9.20.26-1~deb13u1-Debian' : '9.18.49-1~deb12u3-Debian');

interface Query {
  name: string | null;
  type: RrType | null;
  typeGiven: boolean;
  class: Lookup['class'];
  servers: Server[] | null;
  on: Record<string, boolean>;
  timeoutMs: number | null;
  tries: number;
  bufsize: number | null;
  ndots: number | null;
  domain: string | null;
  port: number;
  source: Ip | null;
  family: 4 | 6 | null;
}

const DEFAULTS: Record<string, boolean> = {
  cmd: true,
  comments: true,
  question: true,
  answer: true,
  authority: true,
  additional: true,
  stats: true,
  short: false,
  search: false,
  showsearch: false,
  tcp: false,
  recurse: true,
  edns: true,
  cookie: true,
  dnssec: false,
  adflag: true,
  cdflag: false,
  ttlid: true,
  class: true,
  multiline: false,
  ignore: false,
  identify: false,
  qr: false,
  all: true,
  fail: true,
  badcookie: true,
  rrcomments: false,
  nssearch: false,
  idnout: true,
  idnin: true,
  onesoa: false,
  keepopen: false,
  unknownformat: false,
  besteffort: true,
  aaonly: false,
  aaflag: false,
  raflag: false,
  tcflag: false,
  zflag: false,
  do: false,
  vc: false,
  nsid: false,
  expire: false,
  mapped: true,
  crypto: true,
  split: true,
  subnet: false,
  rdflag: true,
  defname: false,
  ttlunits: false,
  yaml: false,
  dns64prefix: false,
};
/** +options whose effect is not modelled. */
const UNMODELLED = new Set(['trace', 'nssearch', 'yaml', 'https', 'http-plain', 'tls', 'subnet', 'nsid', 'dns64prefix']);

const newQuery = (): Query => ({
  name: null,
  type: null,
  typeGiven: false,
  class: 'IN',
  servers: null,
  on: { ...DEFAULTS },
  timeoutMs: null,
  tries: 3,
  bufsize: null,
  ndots: null,
  domain: null,
  port: 53,
  source: null,
  family: null,
});

const USAGE = `Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}
            {global-d-opt} host [@local-server] {local-d-opt}
            [ host [@local-server] {local-d-opt} [...]]

Use "dig -h" (or "dig -h | more") for complete list of options
`;

export const dig = (u: Userland): Program =>
  function* dig(p: Process): Co<number> {
    if (p.argv.includes('-v')) {
      complain(p, `DiG ${bindVersion(u)}\n`);
      return 0;
    }
    const words = [...p.argv.slice(1)];
    const fileAt = words.indexOf('-f');
    const queries = fileAt >= 0 ? yield* fromFile(p, u, words, fileAt) : yield* parse(p, u, words);
    if (typeof queries === 'number') return queries;
    let code = 0;
    let first = true;
    for (const q of queries) {
      const r = yield* run(p, u, q, first);
      if (r) code = r;
      first = false;
    }
    return code;
  };

function* fromFile(p: Process, u: Userland, words: string[], at: number): Co<Query[] | number> {
  const data = readFile(p.fs, absolute(words[at + 1] ?? '', p.cwd), p);
  if (typeof data === 'string') {
    complain(p, `dig: couldn't open specified batch file\n`);
    return 1;
  }
  const rest = [...words.slice(0, at), ...words.slice(at + 2)];
  const all: Query[] = [];
  for (const line of bytesToString(data).split('\n')) {
    if (!line.trim() || line.startsWith('#')) continue;
    const parsed = yield* parse(p, u, [...rest, ...line.trim().split(/\s+/)]);
    if (typeof parsed === 'number') return parsed;
    all.push(...parsed);
  }
  return all;
}

/** Words before the first name are for all queries, those after a name for it. */
function* parse(p: Process, u: Userland, words: string[]): Co<Query[] | number> {
  const defaults = newQuery();
  const queries: Query[] = [];
  let q = defaults;
  const begin = () => {
    q = { ...defaults, on: { ...defaults.on }, name: null };
    queries.push(q);
  };
  const named = () => {
    if (!queries.length || q.name !== null) begin();
  };
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    const value = () => (w.length > 2 ? w.slice(2) : (words[++i] ?? ''));
    if (w.startsWith('@')) {
      const servers = yield* serversNamed(p, u, w.slice(1), q.family);
      if (!servers) {
        complain(p, `dig: couldn't get address for '${w.slice(1)}': not found\n`);
        return 10;
      }
      q.servers = servers;
    } else if (w.startsWith('+')) {
      const error = plus(q, w.slice(1));
      if (error) {
        complain(p, error);
        return 1;
      }
    } else if (w === '-4' || w === '-6') q.family = w === '-4' ? 4 : 6;
    else if (w.startsWith('-x')) {
      const at = numericHost(value());
      if (!at) return invalid(p, `dig: Invalid IP address ${words[i]}\n`);
      named();
      q.name = reverseName(at);
      if (!q.typeGiven) q.type = 'PTR';
    } else if (w.startsWith('-t')) q.type = typeNamed(value()) ?? q.type;
    else if (w.startsWith('-q')) {
      named();
      q.name = value();
    } else if (w.startsWith('-p')) q.port = Number(value());
    else if (w.startsWith('-b')) q.source = parseIp(value().replace(/#.*/, ''));
    else if (w.startsWith('-c')) q.class = classNamed(value()) ?? q.class;
    else if (w === '-h') {
      print(p, USAGE);
      return 0;
    } else if (/^-[kymuir]/.test(w) && w !== '-r' && w !== '-u') i++;
    else if (w.startsWith('-') && w !== '-r' && w !== '-u') return invalid(p, `Invalid option: ${w}\n${USAGE}`);
    else if (w === '-r' || w === '-u') continue;
    else yield* word(w, queries, () => q, named, defaults);
  }
  if (!queries.length || queries.every(x => x.name === null)) {
    const only = queries[0] ?? defaults;
    return [{ ...only, name: '.', type: only.type ?? 'NS' }];
  }
  return queries.filter(x => x.name !== null);
}

function invalid(p: Process, text: string): number {
  complain(p, text);
  return 1;
}

/** A bare word is a type, a class, or a name. */
function* word(w: string, queries: Query[], current: () => Query, named: () => void, defaults: Query): Co<void> {
  const type = typeNamed(w);
  const cls = classNamed(w);
  const q = queries.length ? current() : defaults;
  if (type && !q.typeGiven) {
    q.type = type;
    q.typeGiven = true;
  } else if (cls) q.class = cls;
  else {
    const had = queries.length > 0 && current().name !== null;
    named();
    const now = current();
    now.name = w;
    if (had) Object.assign(now, { type: defaults.type, typeGiven: defaults.typeGiven });
  }
}

/** One +option; a text is the complaint. */
function plus(q: Query, text: string): string | null {
  const [full, value] = text.split('=');
  const off = full.startsWith('no');
  const known = (name: string) => Object.keys(DEFAULTS).filter(k => k === name || (name.length > 2 && k.startsWith(name)));
  const numeric: Record<string, (n: number) => void> = {
    time: n => (q.timeoutMs = Math.max(1, n) * 1000),
    timeout: n => (q.timeoutMs = Math.max(1, n) * 1000),
    tries: n => (q.tries = Math.max(1, n)),
    retry: n => (q.tries = n + 1),
    bufsize: n => (q.bufsize = n),
    ndots: n => (q.ndots = n),
  };
  if (full in numeric) {
    numeric[full](Number(value));
    return null;
  }
  if (full === 'domain') {
    q.domain = value ?? null;
    q.on.search = true;
    return null;
  }
  const bare = off ? full.slice(2) : full;
  if (UNMODELLED.has(bare) && !off) return `dig: podnet does not model +${bare}\n`;
  const name = known(bare).length ? (known(bare).find(k => k === bare) ?? known(bare)[0]) : null;
  if (!name) return `Invalid option: +${text}\n${USAGE}`;
  if (name === 'all') for (const k of ['question', 'answer', 'authority', 'additional', 'comments', 'stats', 'cmd']) q.on[k] = !off;
  else if (name === 'short')
    Object.assign(
      q.on,
      off
        ? { short: false }
        : { short: true, comments: false, question: false, authority: false, additional: false, stats: false, cmd: false },
    );
  else if (name === 'do') q.on.dnssec = !off;
  else if (name === 'vc') q.on.tcp = !off;
  else if (name === 'rdflag') q.on.recurse = !off;
  else if (name === 'defname') q.on.search = !off;
  else if (name === 'showsearch') Object.assign(q.on, { showsearch: !off, search: !off });
  else q.on[name] = !off;
  return null;
}

function* run(p: Process, u: Userland, q: Query, first: boolean): Co<number> {
  const conf = readResolvConf(p);
  const servers = (q.servers ?? serversOf(conf)).filter(s => !q.family || s.ip.length === (q.family === 4 ? 4 : 16));
  const ndots = q.ndots ?? conf.ndots;
  const names = q.on.search ? candidates(q.name as string, q.domain ? [q.domain] : conf.search, ndots) : [q.name as string];
  const type = q.type ?? 'A';
  for (let i = 0; i < names.length; i++) {
    // Every name of the search list is a look-up of its own, with the first one's banner.
    const state = { bannerDue: first && q.on.cmd };
    if (!legalName(names[i])) {
      complain(p, `dig: '${names[i]}' is not a legal name (${/\.\./.test(names[i]) ? 'empty label' : 'label too long'})\n`);
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
      edns: q.on.edns || q.on.dnssec ? { udpSize: q.bufsize ?? 1232, dnssecOk: q.on.dnssec, cookie: q.on.cookie } : null,
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
        print(p, `;; ${text}\n`);
        if (/^(?:Connection|UDP)/.test(text)) lost++;
      },
      noServers: () => {
        if (!lost) banner(p, u, q, state);
        print(p, `;; no servers could be reached\n`);
      },
    });
    if (!r) return 9;
    const nx = r.message.rcode === 'NXDOMAIN' && i < names.length - 1;
    if (nx && !q.on.showsearch) continue;
    banner(p, u, q, state);
    show(p, q, r);
    if (!nx) break;
  }
  return 0;
}

function banner(p: Process, u: Userland, q: Query, state: { bannerDue: boolean }): void {
  if (!state.bannerDue) return;
  state.bannerDue = false;
  const words = p.argv
    .slice(1)
    .map(w => ` ${w}`)
    .join('');
  print(p, `\n; <<>> DiG ${bindVersion(u)} <<>>${words}\n`);
  if (q.servers) print(p, `; (${q.servers.length} server${q.servers.length === 1 ? '' : 's'} found)\n`);
  print(p, ';; global options: +cmd\n');
}

function styleOf(q: Query): RecordStyle {
  const ttl = q.on.ttlid;
  const cls = q.on.class;
  if (q.on.multiline || (!ttl && !cls)) return { ttl, class: cls, columns: [24, 24, 24, 32] };
  if (!ttl || !cls) return { ttl, class: cls, columns: [24, 24, 32, 40] };
  return { ttl, class: cls, columns: [24, 32, 40, 48] };
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
      out +=
        ';; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n';
    }
    out += headerLines(m);
    if (m.rd && !m.ra) out += ';; WARNING: recursion requested but not available\n';
    out += '\n';
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
  const two = (n: number) => String(n).padStart(2, '0');
  const when = `${WEEKDAYS[c.weekday]} ${MONTHS[c.month - 1]} ${two(c.day)} ${two(c.hour)}:${two(c.minute)}:${two(c.second)} UTC ${c.year}`;
  const server = `${formatIp(r.server.ip)}#${q.port}(${r.server.name}) (${r.tcp ? 'TCP' : 'UDP'})`;
  return `;; Query time: ${Math.floor(r.ms)} msec\n;; SERVER: ${server}\n;; WHEN: ${when}\n;; MSG SIZE  rcvd: ${r.bytes.length}\n\n`;
}
