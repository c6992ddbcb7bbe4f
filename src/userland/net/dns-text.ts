// DNS messages as BIND's tools print them (lib/dns/masterdump.c, message.c of 9.18): columns by tab stops, names escaped, sections.
import { hex } from '../../sim/bytes.ts';
import type { DnsMessage, DnsQuestion, DnsRecord } from '../../wire/dns.ts';
import { classNumber, recordData, typeNumber } from '../../wire/dns-codec.ts';
import { typeText } from '../../wire/dns-types.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import { dataText, quoted } from './dns-rdata.ts';

/** The style of one tool's output: where TTL, class, type and data begin. */
export interface RecordStyle {
  ttl: boolean;
  class: boolean;
  columns: [ttl: number, cls: number, type: number, data: number];
  /** SOA records over several lines. */
  multiline?: boolean;
  /** TTLs as `30s`, `1h30m`. */
  units?: boolean;
  /** RFC 3597: everything by number and bytes. */
  unknown?: boolean;
  /** IPv6 addresses in full. */
  expand?: boolean;
}

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
  if (style.class) line.add(style.unknown ? `CLASS${classNumber(r.class)}` : r.class, cls);
  line.add(style.unknown ? `TYPE${typeNumber(r.type)}` : typeText(r.type), type);
  if (style.unknown) {
    line.add(bytesText(recordData(r)), data);
    return `${line.text}\n`;
  }
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
  line.add(style.unknown ? `CLASS${classNumber(q.class)}` : q.class, style.columns[1]);
  line.add(style.unknown ? `TYPE${typeNumber(q.type)}` : typeText(q.type), style.columns[2]);
  return `;${line.text}\n`;
}

const bytesText = (b: Uint8Array): string => `\\# ${b.length}${b.length ? ` ${hex(b).toUpperCase()}` : ''}`;

export function rdataText(r: DnsRecord): string {
  const d = r.data;
  if ('ip' in d) return formatIp(d.ip);
  if ('preference' in d) return `${d.preference} ${d.host}`;
  if ('host' in d) return d.host;
  if ('texts' in d) return d.texts.map(quoted).join(' ');
  if ('target' in d) return `${d.priority} ${d.weight} ${d.port} ${d.target}`;
  if ('mname' in d) return `${d.mname} ${d.rname} ${d.serial} ${d.refresh} ${d.retry} ${d.expire} ${d.minimum}`;
  return dataText(r.type, d.bytes) ?? bytesText(d.bytes);
}

/** dig's own table ends with BADVERS; what is beyond it is a number. */
function rcodeText(rcode: string): string {
  const n = rcode.startsWith('RCODE') ? Number(rcode.slice(5)) : -1;
  return n < 0 ? rcode : n < 16 ? `RESERVED${n}` : n === 16 ? 'BADVERS' : `?${n}`;
}

const OPCODES = ['QUERY', 'IQUERY', 'STATUS', 'RESERVED3', 'NOTIFY', 'UPDATE'];
export const opcodeText = (opcode: number): string => OPCODES[opcode] ?? `RESERVED${opcode}`;

export function headerLines(m: DnsMessage): string {
  const flags = [m.response && 'qr', m.aa && 'aa', m.tc && 'tc', m.rd && 'rd', m.ra && 'ra', m.ad && 'ad', m.cd && 'cd'].filter(Boolean);
  const status = rcodeText(m.rcode);
  const additional = m.additional.length + (m.edns ? 1 : 0);
  const counts = `QUERY: ${m.questions.length}, ANSWER: ${m.answers.length}, AUTHORITY: ${m.authority.length}, ADDITIONAL: ${additional}`;
  return `;; ->>HEADER<<- opcode: ${opcodeText(m.opcode)}, status: ${status}, id: ${m.id}\n;; flags:${flags.map(f => ` ${f}`).join('')}; ${counts}\n`;
}
