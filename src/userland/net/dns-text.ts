// DNS messages as BIND's tools print them (lib/dns/masterdump.c, message.c of 9.18): columns by tab stops, names escaped, sections.
import type { DnsMessage, DnsQuestion, DnsRecord } from '../../wire/dns.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';

/** The style of one tool's output: where TTL, class, type and data begin. */
export interface RecordStyle {
  ttl: boolean;
  class: boolean;
  columns: [ttl: number, cls: number, type: number, data: number];
  /** SOA records over several lines. */
  multiline?: boolean;
  /** TTLs as `30s`, `1h30m`. */
  units?: boolean;
  /** IPv6 addresses in full. */
  expand?: boolean;
}

export const DIG_STYLE: RecordStyle = { ttl: true, class: true, columns: [24, 32, 40, 48] };

/** indent(): tabs as far as they reach, then blanks; always at least one. */
function indent(from: number, to: number): string {
  const target = Math.max(to, from + 1);
  const tabs = Math.max(0, Math.floor(target / 8) - Math.floor(from / 8));
  return '\t'.repeat(tabs) + ' '.repeat(target - (tabs ? Math.floor(target / 8) * 8 : from));
}

class Line {
  text = '';
  column = 0;
  add(s: string, at?: number): void {
    if (at !== undefined) {
      this.text += indent(this.column, at);
      this.column = Math.max(at, this.column + 1);
    }
    this.text += s;
    this.column += s.length;
  }
}

export function recordLine(r: DnsRecord, style: RecordStyle): string {
  const line = new Line();
  const [ttl, cls, type, data] = style.columns;
  line.add(r.name);
  if (style.ttl) line.add(style.units ? units(r.ttl) : String(r.ttl), ttl);
  if (style.class) line.add(r.class, cls);
  line.add(r.type, type);
  line.add(
    style.multiline && 'mname' in r.data ? soaLines(r.data) : style.expand && 'ip' in r.data ? expanded(r.data.ip) : rdataText(r),
    data,
  );
  return `${line.text}\n`;
}

const SPANS: [string, string, number][] = [
  ['w', 'week', 604_800],
  ['d', 'day', 86_400],
  ['h', 'hour', 3600],
  ['m', 'minute', 60],
  ['s', 'second', 1],
];

/** dns_ttl_totext: `1h30m`, or in words `1 hour 30 minutes`. */
function units(seconds: number, verbose = false): string {
  let rest = seconds;
  const parts: string[] = [];
  for (const [letter, word, span] of SPANS) {
    const n = Math.floor(rest / span);
    rest %= span;
    if (n > 0 || (letter === 's' && !parts.length)) parts.push(verbose ? `${n} ${word}${n === 1 ? '' : 's'}` : `${n}${letter}`);
  }
  return parts.join(verbose ? ' ' : '');
}

function soaLines(d: Extract<DnsRecord['data'], { mname: string }>): string {
  const row = (n: number, what: string, span = true) => `\t\t\t\t${String(n).padEnd(10)} ; ${what}${span ? ` (${units(n, true)})` : ''}\n`;
  const rows = [
    row(d.serial, 'serial', false),
    row(d.refresh, 'refresh'),
    row(d.retry, 'retry'),
    row(d.expire, 'expire'),
    row(d.minimum, 'minimum'),
  ];
  return `${d.mname} ${d.rname} (\n${rows.join('')}\t\t\t\t)`;
}

/** +expandaaaa: all eight groups of four digits. */
function expanded(ip: Ip): string {
  if (ip.length === 4) return formatIp(ip);
  return Array.from({ length: 8 }, (_, i) => hex(ip.subarray(2 * i, 2 * i + 2))).join(':');
}

export function questionLine(q: DnsQuestion, style: RecordStyle): string {
  const line = new Line();
  line.add(q.name);
  line.add(q.class, style.columns[1]);
  line.add(q.type, style.columns[2]);
  return `;${line.text}\n`;
}

/** A character string in quotes, with BIND's escapes. */
export function quoted(text: string): string {
  let out = '';
  for (const c of text) {
    const code = c.charCodeAt(0);
    if (c === '"' || c === '\\') out += `\\${c}`;
    else out += code < 32 || code > 126 ? `\\${String(code).padStart(3, '0')}` : c;
  }
  return `"${out}"`;
}

export function rdataText(r: DnsRecord): string {
  const d = r.data;
  if ('ip' in d) return formatIp(d.ip);
  if ('preference' in d) return `${d.preference} ${d.host}`;
  if ('host' in d) return d.host;
  if ('texts' in d) return d.texts.map(quoted).join(' ');
  if ('target' in d) return `${d.priority} ${d.weight} ${d.port} ${d.target}`;
  if ('mname' in d) return `${d.mname} ${d.rname} ${d.serial} ${d.refresh} ${d.retry} ${d.expire} ${d.minimum}`;
  const hex = Array.from(d.bytes, b => b.toString(16).padStart(2, '0').toUpperCase()).join('');
  return `\\# ${d.bytes.length}${hex ? ` ${hex}` : ''}`;
}

const OPCODES = ['QUERY', 'IQUERY', 'STATUS', 'RESERVED3', 'NOTIFY', 'UPDATE'];

export function headerLines(m: DnsMessage): string {
  const flags = [m.response && 'qr', m.aa && 'aa', m.tc && 'tc', m.rd && 'rd', m.ra && 'ra', m.ad && 'ad', m.cd && 'cd'].filter(Boolean);
  const status = m.rcode.startsWith('RCODE') ? `RESERVED${m.rcode.slice(5)}` : m.rcode;
  const additional = m.additional.length + (m.edns ? 1 : 0);
  const counts = `QUERY: ${m.questions.length}, ANSWER: ${m.answers.length}, AUTHORITY: ${m.authority.length}, ADDITIONAL: ${additional}`;
  return `;; ->>HEADER<<- opcode: ${OPCODES[m.opcode] ?? m.opcode}, status: ${status}, id: ${m.id}\n;; flags:${flags.map(f => ` ${f}`).join('')}; ${counts}\n`;
}

const hex = (b: Uint8Array) => Array.from(b, x => x.toString(16).padStart(2, '0')).join('');

export function optLines(m: DnsMessage, sentCookie: Uint8Array | null): string {
  if (!m.edns) return '';
  let out = `;; OPT PSEUDOSECTION:\n; EDNS: version: ${m.edns.version}, flags:${m.edns.dnssecOk ? ' do' : ''}; udp: ${m.edns.udpSize}\n`;
  for (const o of m.edns.options) {
    if (o.code === 3 || o.code === 9) {
      const data = hex(o.data).replace(/(..)(?=.)/g, '$1 ');
      out += `; ${o.code === 3 ? 'NSID' : 'EXPIRE'}:${data ? ` ${data}` : ''}\n`;
      continue;
    }
    if (o.code !== 10) {
      out += `; OPT=${o.code}: ${hex(o.data).replace(/(..)(?=.)/g, '$1 ')}\n`;
      continue;
    }
    if (m.response === false) {
      out += `; COOKIE: ${hex(o.data)}\n`;
      continue;
    }
    const ours = sentCookie && hex(o.data.subarray(0, 8)) === hex(sentCookie);
    out += `; COOKIE: ${hex(o.data)}${ours ? (o.data.length === 8 ? ' (echoed)' : ' (good)') : ' (bad)'}\n`;
  }
  return out;
}
