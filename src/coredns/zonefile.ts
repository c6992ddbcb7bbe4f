// Resource records as text (RFC 1035 section 5.1), as miekg/dns reads them from zone files and from one line.

import { stringToBytes } from '../sim/bytes.ts';
import type { DnsRecord, RrType } from '../wire/dns.ts';
import { fqdn, isDnsName } from '../wire/dns-codec.ts';
import { parseIp, parseIp4 } from '../wire/ip.ts';

interface Word {
  text: string;
  quoted: boolean;
  /** Where it ends: `line:column`. */
  end: string;
}

interface Line {
  number: number;
  /** Starts with blanks: the owner is the one of the line before. */
  indented: boolean;
  words: Word[];
}

/** Logical lines: parentheses join, `;` begins a comment, quotes keep blanks. */
function lines(text: string): Line[] {
  const out: Line[] = [];
  let line: Line = { number: 1, indented: /^[ \t]/.test(text), words: [] };
  let number = 1;
  let depth = 0;
  for (let i = 0; i < text.length; ) {
    const c = text[i];
    if (c === '\n') {
      number++;
      i++;
      if (depth) continue;
      if (line.words.length) out.push(line);
      line = { number, indented: text[i] === ' ' || text[i] === '\t', words: [] };
    } else if (c === ';') while (i < text.length && text[i] !== '\n') i++;
    else if (c === '(' || c === ')') {
      depth += c === '(' ? 1 : -1;
      i++;
    } else if (/\s/.test(c)) i++;
    else {
      const [word, next] = c === '"' ? quoted(text, i) : bare(text, i);
      line.words.push({ ...word, end: `${number}:${next - text.lastIndexOf('\n', i) - 1}` });
      i = next;
    }
  }
  if (line.words.length) out.push(line);
  return out;
}

function quoted(text: string, from: number): [Omit<Word, 'end'>, number] {
  let value = '';
  let i = from + 1;
  for (; i < text.length && text[i] !== '"'; i++) {
    if (text[i] === '\\' && i + 1 < text.length) i++;
    value += text[i];
  }
  return [{ text: value, quoted: true }, i + 1];
}

function bare(text: string, from: number): [Omit<Word, 'end'>, number] {
  let i = from;
  while (i < text.length && !/[\s;()"]/.test(text[i])) i += text[i] === '\\' ? 2 : 1;
  return [{ text: text.slice(from, i), quoted: false }, i];
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** `3600`, `1h30m`; null: not a time. */
function seconds(text: string): number | null {
  if (!/^(\d+[smhdw]?)+$/i.test(text)) return null;
  let total = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)([smhdw]?)/gi)) total += Number(n) * (UNITS[unit.toLowerCase()] ?? 1);
  return total;
}

const number = (w: Word | undefined) => {
  if (!w || !/^\d+$/.test(w.text)) throw new Error(`bad number: "${w?.text ?? ''}"`);
  return Number(w.text);
};

const time = (w: Word | undefined) => {
  const s = w ? seconds(w.text) : null;
  if (s === null) throw new Error(`bad time: "${w?.text ?? ''}"`);
  return s;
};

type Data = (words: Word[], origin: string) => DnsRecord['data'];

function nameOf(w: Word | undefined, origin: string): string {
  if (!w) throw new Error('bad owner name: ""');
  const full = w.text === '@' ? origin : w.text.endsWith('.') ? w.text : origin === '.' ? fqdn(w.text) : `${w.text}.${origin}`;
  if (!isDnsName(full)) throw new Error(`bad owner name: "${w.text}"`);
  return full;
}

const host: Data = (w, origin) => ({ host: nameOf(w[0], origin) });

const DATA: Record<string, Data> = {
  A: w => {
    const ip = parseIp4(w[0]?.text ?? '');
    if (!ip) throw new Error(`bad A A: "${w[0]?.text ?? ''}"`);
    return { ip };
  },
  AAAA: w => {
    const ip = parseIp(w[0]?.text ?? '');
    if (ip?.length !== 16) throw new Error(`bad AAAA AAAA: "${w[0]?.text ?? ''}"`);
    return { ip };
  },
  NS: host,
  CNAME: host,
  PTR: host,
  MX: (w, origin) => ({ preference: number(w[0]), host: nameOf(w[1], origin) }),
  TXT: w => ({ texts: w.map(x => x.text) }),
  SRV: (w, origin) => ({ priority: number(w[0]), weight: number(w[1]), port: number(w[2]), target: nameOf(w[3], origin) }),
  SOA: (w, origin) => ({
    mname: nameOf(w[0], origin),
    rname: nameOf(w[1], origin),
    serial: number(w[2]),
    refresh: time(w[3]),
    retry: time(w[4]),
    expire: time(w[5]),
    minimum: time(w[6]),
  }),
  CAA: w => {
    const tag = stringToBytes(w[1]?.text ?? '');
    return { bytes: Uint8Array.from([number(w[0]), tag.length, ...tag, ...stringToBytes(w[2]?.text ?? '')]) };
  },
  HTTPS: (w, origin) => ({ bytes: serviceBinding(w, origin) }),
};

const TYPE_NUMBERS: Record<string, RrType> = { CAA: 'TYPE257' };

/** RFC 9460: priority, target, parameters in the order of their keys. */
function serviceBinding(w: Word[], origin: string): Uint8Array {
  const priority = number(w[0]);
  const out = [priority >> 8, priority & 255];
  for (const label of nameOf(w[1], origin).split('.').filter(Boolean)) out.push(label.length, ...stringToBytes(label));
  out.push(0);
  const parameters: [number, number[]][] = [];
  for (let i = 2; i < w.length; i++) {
    const [, key, inline] = /^([a-z0-9]+)=?(.*)$/.exec(w[i].text) ?? [];
    const value = inline || !w[i].text.endsWith('=') ? inline : (w[++i]?.text ?? '');
    parameters.push(parameter(key ?? '', value ?? ''));
  }
  for (const [key, bytes] of parameters.sort((a, b) => a[0] - b[0])) out.push(0, key, bytes.length >> 8, bytes.length & 255, ...bytes);
  return Uint8Array.from(out);
}

function parameter(key: string, value: string): [number, number[]] {
  const list = value.split(',');
  if (key === 'alpn') return [1, list.flatMap(x => [x.length, ...stringToBytes(x)])];
  if (key === 'port') return [3, [Number(value) >> 8, Number(value) & 255]];
  if (key === 'ipv4hint' || key === 'ipv6hint') return [key === 'ipv4hint' ? 4 : 6, list.flatMap(x => [...(parseIp(x) ?? [])])];
  throw new Error(`bad SVCB value: "${key}"`);
}

interface Context {
  origin: string;
  owner: string;
  ttl: number | null;
}

/** One line's record: `[owner] [ttl] [class] type data`. */
function recordOf(line: Line, c: Context): DnsRecord {
  const words = [...line.words];
  if (!line.indented) c.owner = nameOf(words.shift(), c.origin);
  let ttl: number | null = null;
  for (;;) {
    const w = words[0]?.text.toUpperCase() ?? '';
    if (w === 'IN') words.shift();
    else if (ttl === null && seconds(w) !== null) ttl = seconds((words.shift() as Word).text);
    else break;
  }
  const type = (words.shift()?.text ?? '').toUpperCase();
  if (!Object.hasOwn(DATA, type)) throw new Error(`unknown RR type: "${type}"`);
  const data = DATA[type](words, c.origin);
  if (ttl === null) ttl = c.ttl ?? ('minimum' in data ? data.minimum : 3600);
  c.ttl ??= ttl; // a record without TTL takes the one before, when there is no $TTL
  return { name: c.owner, type: TYPE_NUMBERS[type] ?? (type as RrType), class: 'IN', ttl, data };
}

/** The end of the word that the message quotes; of the last one when it quotes none. */
function placeOf(e: Error, line: Line): string {
  const text = /"(.*)"$/.exec(e.message)?.[1];
  return (line.words.find(w => w.text === text) ?? line.words[line.words.length - 1]).end;
}

/** dns.NewRR: relative names are the root's, the TTL is 3600. -> the error's text when it is none */
export function parseRecord(text: string): DnsRecord | string {
  try {
    const [line] = lines(text);
    if (!line) return 'dns: no record';
    return recordOf({ ...line, indented: false }, { origin: '.', owner: '.', ttl: 3600 });
  } catch (e) {
    return `dns: ${(e as Error).message} at line: ${placeOf(e as Error, lines(text)[0])}`;
  }
}

/** A whole zone file. -> its records, or `dns: … at line: L` */
export function parseZone(text: string, origin: string): DnsRecord[] | string {
  const c: Context = { origin, owner: origin, ttl: null };
  const out: DnsRecord[] = [];
  let fixed = false;
  for (const line of lines(text)) {
    try {
      const first = line.words[0].text;
      if (first === '$ORIGIN') c.origin = nameOf(line.words[1], c.origin);
      else if (first === '$TTL') {
        c.ttl = time(line.words[1]);
        fixed = true;
      } else if (first.startsWith('$')) throw new Error(`${first} is not supported here`);
      else {
        const before = c.ttl;
        const r = recordOf(line, c);
        if (!fixed) c.ttl = r.ttl;
        else c.ttl = before;
        out.push(r);
      }
    } catch (e) {
      return `dns: ${(e as Error).message} at line: ${placeOf(e as Error, line)}`;
    }
  }
  return out;
}
