import { concat } from '../sim/bytes.ts';
import type { DnsMessage, DnsQuestion, DnsRecord, Rcode, RrType } from './dns.ts';

// Bytes of DNS messages (RFC 1035 section 4, RFC 3597 for unknown types, RFC 6891 for OPT).

const TYPES: [string, number][] = [
  ['A', 1],
  ['NS', 2],
  ['CNAME', 5],
  ['SOA', 6],
  ['PTR', 12],
  ['MX', 15],
  ['TXT', 16],
  ['AAAA', 28],
  ['SRV', 33],
  ['OPT', 41],
  ['HTTPS', 65],
  ['AXFR', 252],
  ['ANY', 255],
];
const CLASSES: [string, number][] = [
  ['IN', 1],
  ['CH', 3],
  ['HS', 4],
  ['NONE', 254],
  ['ANY', 255],
];
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

const typeByName = new Map(TYPES);
const typeByNumber = new Map(TYPES.map(([n, v]) => [v, n]));
const classByName = new Map(CLASSES);
const classByNumber = new Map(CLASSES.map(([n, v]) => [v, n]));

export const typeNumber = (t: RrType): number => typeByName.get(t) ?? Number(t.slice(4));
export const typeName = (n: number): RrType => (typeByNumber.get(n) ?? `TYPE${n}`) as RrType;
export const classNumber = (c: DnsRecord['class']): number => classByName.get(c) ?? Number(c.slice(5));
export const className = (n: number): DnsRecord['class'] => (classByNumber.get(n) ?? `CLASS${n}`) as DnsRecord['class'];
export const rcodeNumber = (r: Rcode): number => (r.startsWith('RCODE') ? Number(r.slice(5)) : RCODES.indexOf(r));
export const rcodeName = (n: number): Rcode => (RCODES[n] ?? `RCODE${n}`) as Rcode;

export function newMessage(id: number, name: string, type: RrType): DnsMessage {
  const questions: DnsQuestion[] = [{ name: presented(name), type, class: 'IN' }];
  const flags = { response: false, opcode: 0, aa: false, tc: false, rd: true, ra: false, ad: false, cd: false };
  return { id, ...flags, rcode: 'NOERROR', questions, answers: [], authority: [], additional: [], edns: null };
}

/** An answer to `query` without records: id, question and RD are copied. */
export function replyTo(query: DnsMessage, rcode: Rcode = 'NOERROR'): DnsMessage {
  // What is no plain query asks for no recursion (miekg/dns SetReply).
  const asked = query.opcode === 0 ? {} : { rd: false, cd: false };
  const flags = { response: true, aa: false, tc: false, ra: false, ad: false, ...asked };
  return { ...query, ...flags, rcode, answers: [], authority: [], additional: [], edns: null };
}

const SPECIAL = '"().;\\@$';

/** One label's bytes as presentation text (RFC 1035 section 5.1, the set of characters that BIND escapes). */
function labelText(b: Uint8Array): string {
  let s = '';
  for (const x of b) {
    if (x <= 0x20 || x >= 0x7f) s += `\\${String(x).padStart(3, '0')}`;
    else s += (SPECIAL.includes(String.fromCharCode(x)) ? '\\' : '') + String.fromCharCode(x);
  }
  return s;
}

/** Labels of a presentation name, unescaped; null: empty or over-long label, bad escape, more than 255 bytes. The final dot may lack. */
export function nameLabels(name: string): Uint8Array[] | null {
  if (name === '.') return [];
  const labels: Uint8Array[] = [];
  let label: number[] = [];
  let total = 1;
  const end = () => {
    if (!label.length || label.length > 63) return false;
    total += label.length + 1;
    labels.push(Uint8Array.from(label));
    label = [];
    return total <= 255;
  };
  for (let i = 0; i < name.length; i++) {
    const c = name[i];
    if (c === '.') {
      if (!end()) return null;
    } else if (c === '\\') {
      const digits = /^\d{3}/.exec(name.slice(i + 1));
      const code = digits ? Number(digits[0]) : name.charCodeAt(i + 1);
      if (Number.isNaN(code) || code > 255) return null;
      label.push(code);
      i += digits ? 3 : 1;
    } else {
      // A character beyond ASCII stands for its UTF-8 bytes, as a program that passes bytes through would send.
      const code = name.codePointAt(i) as number;
      if (code > 0xffff) i++;
      for (const x of utf8(code)) label.push(x);
    }
  }
  if (label.length && !end()) return null;
  return labels.length ? labels : null;
}

function utf8(code: number): number[] {
  if (code < 0x80) return [code];
  if (code < 0x800) return [0xc0 | (code >> 6), 0x80 | (code & 63)];
  if (code < 0x10000) return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
  return [0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
}

/** The name as an answer will have it: every byte that is no plain character escaped. */
function presented(name: string): string {
  if (/^[\w.-]*$/.test(name)) return name;
  const labels = nameLabels(name);
  return labels?.length ? `${labels.map(labelText).join('.')}.` : name;
}

export const isDnsName = (name: string): boolean => nameLabels(name) !== null;

/** Absolute form: with the final dot. */
export const fqdn = (name: string): string => (name.endsWith('.') && !name.endsWith('\\.') ? name : `${name}.`);

interface Writer {
  bytes: number[];
  /** Suffix -> offset; null: no compression. */
  seen: Map<string, number> | null;
}

const u16 = (w: Writer, v: number) => {
  w.bytes.push((v >> 8) & 255, v & 255);
};
const u32 = (w: Writer, v: number) => {
  w.bytes.push((v >>> 24) & 255, (v >>> 16) & 255, (v >>> 8) & 255, v & 255);
};

function writeName(w: Writer, name: string, compress: boolean): void {
  const labels = nameLabels(name);
  if (!labels) throw new Error(`not a domain name: ${name}`);
  for (let i = 0; i < labels.length; i++) {
    const suffix = labels
      .slice(i)
      .map(l => labelText(l))
      .join('.');
    const at = w.seen?.get(suffix);
    if (at !== undefined && compress) {
      u16(w, 0xc000 | at);
      return;
    }
    if (w.seen && at === undefined && w.bytes.length < 0x4000) w.seen.set(suffix, w.bytes.length);
    w.bytes.push(labels[i].length, ...labels[i]);
  }
  w.bytes.push(0);
}

function writeRecord(w: Writer, r: DnsRecord): void {
  writeName(w, r.name, true);
  u16(w, typeNumber(r.type));
  u16(w, classNumber(r.class));
  u32(w, r.ttl);
  const at = w.bytes.length;
  u16(w, 0);
  writeData(w, r.data);
  const n = w.bytes.length - at - 2;
  w.bytes[at] = n >> 8;
  w.bytes[at + 1] = n & 255;
}

/** A record's data in bytes, names in full. */
export function recordData(r: DnsRecord): Uint8Array {
  const w: Writer = { bytes: [], seen: null };
  writeData(w, r.data);
  return Uint8Array.from(w.bytes);
}

function writeData(w: Writer, d: DnsRecord['data']): void {
  if ('ip' in d) w.bytes.push(...d.ip);
  else if ('preference' in d) {
    u16(w, d.preference);
    writeName(w, d.host, true);
  } else if ('host' in d) writeName(w, d.host, true);
  else if ('texts' in d) {
    for (const t of d.texts) {
      const b = textBytes(t);
      w.bytes.push(b.length, ...b);
    }
  } else if ('target' in d) {
    u16(w, d.priority);
    u16(w, d.weight);
    u16(w, d.port);
    writeName(w, d.target, false); // RFC 2782: the target is not compressed
  } else if ('mname' in d) {
    writeName(w, d.mname, true);
    writeName(w, d.rname, true);
    for (const v of [d.serial, d.refresh, d.retry, d.expire, d.minimum]) u32(w, v);
  } else w.bytes.push(...d.bytes);
}

/** A character string's bytes: UTF-16 units above 255 are sent as UTF-8. */
function textBytes(t: string): number[] {
  const out: number[] = [];
  for (const c of t) out.push(...((c.codePointAt(0) as number) < 256 ? [c.charCodeAt(0)] : utf8(c.codePointAt(0) as number)));
  return out.slice(0, 255);
}

export interface EncodeOptions {
  /** Shorten repeated names (default true). */
  compress?: boolean;
  /** Longest message; what does not fit is left out, whole records from the end, and TC is set. OPT always stays. */
  limit?: number;
}

export function encodeMessage(m: DnsMessage, o: EncodeOptions = {}): Uint8Array {
  const w: Writer = { bytes: [], seen: (o.compress ?? true) ? new Map() : null };
  const limit = (o.limit ?? 65535) - (m.edns ? optLength(m.edns) : 0);
  const code = rcodeNumber(m.rcode);
  const bit = (on: boolean, n: number) => (on ? 1 << n : 0);
  const flags = bit(m.response, 15) | ((m.opcode & 15) << 11) | bit(m.aa, 10) | bit(m.tc, 9) | bit(m.rd, 8);
  u16(w, m.id);
  u16(w, flags | bit(m.ra, 7) | bit(m.ad, 5) | bit(m.cd, 4) | (code & 15));
  for (let i = 0; i < 4; i++) u16(w, 0);
  for (const q of m.questions) {
    writeName(w, q.name, true);
    u16(w, typeNumber(q.type));
    u16(w, classNumber(q.class));
  }
  const counts = [m.questions.length, 0, 0, 0];
  let full = false;
  [m.answers, m.authority, m.additional].forEach((section, i) => {
    for (const r of section) {
      if (full) return;
      const before = w.bytes.length;
      writeRecord(w, r);
      if (w.bytes.length > limit) {
        w.bytes.length = before;
        full = true;
        w.bytes[2] |= 2;
        return;
      }
      counts[i + 1]++;
    }
  });
  if (m.edns) {
    writeOpt(w, m.edns, code);
    counts[3]++;
  }
  counts.forEach((n, i) => {
    w.bytes[4 + 2 * i] = n >> 8;
    w.bytes[5 + 2 * i] = n & 255;
  });
  return Uint8Array.from(w.bytes);
}

/**
 * As CoreDNS sends: names are repeated in full unless the message would not fit (miekg/dns Msg.Truncate), or would be cut into fragments
 * (request.Scrub: more than `fragmentAt` bytes over UDP).
 */
export function encodeSparingly(m: DnsMessage, limit: number, fragmentAt = 65535): Uint8Array {
  const full = encodeMessage(m, { compress: false });
  return full.length <= limit && full.length <= fragmentAt ? full : encodeMessage(m, { limit });
}

const DO = 0x8000;
type Edns = NonNullable<DnsMessage['edns']>;
const optLength = (e: Edns) => e.options.reduce((n, x) => n + 4 + x.data.length, 11);

function writeOpt(w: Writer, e: Edns, rcode: number): void {
  w.bytes.push(0);
  u16(w, 41);
  u16(w, e.udpSize);
  w.bytes.push(rcode >> 4, e.version);
  u16(w, (e.dnssecOk ? DO : 0) | (e.flags ?? 0));
  u16(w, optLength(e) - 11);
  for (const x of e.options) {
    u16(w, x.code);
    u16(w, x.data.length);
    w.bytes.push(...x.data);
  }
}

interface Reader {
  b: Uint8Array;
  at: number;
}

class Malformed extends Error {}

function r8(r: Reader): number {
  if (r.at >= r.b.length) throw new Malformed();
  return r.b[r.at++];
}
const r16 = (r: Reader): number => (r8(r) << 8) | r8(r);
const r32 = (r: Reader): number => ((r16(r) << 16) | r16(r)) >>> 0;

function take(r: Reader, n: number): Uint8Array {
  if (r.at + n > r.b.length) throw new Malformed();
  r.at += n;
  return r.b.subarray(r.at - n, r.at);
}

function readName(r: Reader): string {
  let text = '';
  let length = 0;
  let after = -1;
  for (let jumps = 0; ; ) {
    const n = r8(r);
    if (n >= 0xc0) {
      const to = ((n & 0x3f) << 8) | r8(r);
      if (after < 0) after = r.at;
      if (++jumps > 126) throw new Malformed();
      r.at = to;
      continue;
    }
    if (n > 63 || (length += n + 1) > 255) throw new Malformed();
    if (n === 0) break;
    text += `${labelText(take(r, n))}.`;
  }
  if (after >= 0) r.at = after;
  return text || '.';
}

/** The name that stands uncompressed in a record's data, and where it ends; null: there is none. */
export function nameAt(b: Uint8Array, at: number): { name: string; end: number } | null {
  const r = { b, at };
  try {
    const name = readName(r);
    return { name, end: r.at };
  } catch (e) {
    if (e instanceof Malformed) return null;
    throw e;
  }
}

function readData(r: Reader, type: RrType, n: number): DnsRecord['data'] {
  const end = r.at + n;
  if (end > r.b.length) throw new Malformed();
  switch (type) {
    case 'A':
    case 'AAAA':
      if (n !== (type === 'A' ? 4 : 16)) throw new Malformed();
      return { ip: Uint8Array.from(take(r, n)) };
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return { host: readName(r) };
    case 'MX':
      return { preference: r16(r), host: readName(r) };
    case 'TXT': {
      const texts: string[] = [];
      while (r.at < end) texts.push(String.fromCharCode(...take(r, r8(r))));
      return { texts };
    }
    case 'SRV':
      return { priority: r16(r), weight: r16(r), port: r16(r), target: readName(r) };
    case 'SOA':
      return {
        mname: readName(r),
        rname: readName(r),
        serial: r32(r),
        refresh: r32(r),
        retry: r32(r),
        expire: r32(r),
        minimum: r32(r),
      };
    default:
      return { bytes: Uint8Array.from(take(r, n)) };
  }
}

function readOpt(r: Reader): { edns: Edns; rcode: number } {
  const udpSize = r16(r);
  const high = r8(r);
  const version = r8(r);
  const flags = r16(r);
  const end = r16(r) + r.at;
  const options: Edns['options'] = [];
  while (r.at < end) options.push({ code: r16(r), data: Uint8Array.from(take(r, r16(r))) });
  const more = flags & ~DO;
  return { edns: { udpSize, dnssecOk: (flags & DO) !== 0, version, options, ...(more ? { flags: more } : {}) }, rcode: high };
}

/** The message in `bytes`, or null when they are not one. Bytes after it are ignored. */
export function decodeMessage(bytes: Uint8Array): DnsMessage | null {
  const r: Reader = { b: bytes, at: 0 };
  try {
    return readMessage(r);
  } catch (e) {
    if (e instanceof Malformed) return null;
    throw e;
  }
}

/** The message without its sections, and how many records each of them has. */
function readHeader(r: Reader): { message: DnsMessage; counts: number[]; code: number } {
  const id = r16(r);
  const f = r16(r);
  const counts = [r16(r), r16(r), r16(r), r16(r)];
  const m = newMessage(id, '.', 'A');
  m.questions = [];
  Object.assign(m, { response: !!(f & 0x8000), opcode: (f >> 11) & 15, aa: !!(f & 0x400), tc: !!(f & 0x200), rd: !!(f & 0x100) });
  Object.assign(m, { ra: !!(f & 0x80), ad: !!(f & 0x20), cd: !!(f & 0x10) });
  return { message: m, counts, code: f & 15 };
}

/** null: too short for a header. */
export const decodeHeader = (bytes: Uint8Array): { message: DnsMessage; counts: number[] } | null =>
  bytes.length < 12 ? null : readHeader({ b: bytes, at: 0 });

function readMessage(r: Reader): DnsMessage {
  const { message: m, counts, code: low } = readHeader(r);
  let code = low;
  for (let i = 0; i < counts[0]; i++) m.questions.push({ name: readName(r), type: typeName(r16(r)), class: className(r16(r)) });
  [m.answers, m.authority, m.additional].forEach((section, s) => {
    for (let i = 0; i < counts[s + 1]; i++) {
      const name = readName(r);
      const type = typeName(r16(r));
      if (type === 'OPT') {
        const opt = readOpt(r);
        m.edns = opt.edns;
        code |= opt.rcode << 4;
        continue;
      }
      const cls = className(r16(r));
      const ttl = r32(r);
      const n = r16(r);
      const end = r.at + n;
      section.push({ name, type, class: cls, ttl, data: readData(r, type, n) });
      if (r.at !== end) throw new Malformed();
    }
  });
  m.rcode = rcodeName(code);
  return m;
}

/** TCP's form: two bytes of length before the message (RFC 1035 section 4.2.2). */
export const frameForTcp = (message: Uint8Array): Uint8Array => concat([Uint8Array.of(message.length >> 8, message.length & 255), message]);
