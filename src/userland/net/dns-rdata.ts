// Data of records that the codec leaves as bytes, as BIND prints it (lib/dns/rdata/generic and in_1 of 9.18).
import type { RrType } from '../../wire/dns.ts';
import { nameAt } from '../../wire/dns-codec.ts';
import { typeText } from '../../wire/dns-types.ts';
import { formatIp } from '../../wire/ip.ts';

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

class Bytes {
  b: Uint8Array;
  at = 0;
  constructor(b: Uint8Array) {
    this.b = b;
  }
  get left(): number {
    return this.b.length - this.at;
  }
  take(n: number): Uint8Array {
    if (n > this.left) throw new RangeError();
    this.at += n;
    return this.b.subarray(this.at - n, this.at);
  }
  number(n: number): number {
    return this.take(n).reduce((v, x) => v * 256 + x, 0);
  }
  string(): string {
    return quoted(latin(this.take(this.number(1))));
  }
  name(): string {
    const found = nameAt(this.b, this.at);
    if (!found) throw new RangeError();
    this.at = found.end;
    return found.name;
  }
}

const latin = (b: Uint8Array): string => String.fromCharCode(...b);
const hex = (b: Uint8Array): string => Array.from(b, x => x.toString(16).padStart(2, '0').toUpperCase()).join('');
/** Long data in words of 56 letters (+split). */
const words = (b: Uint8Array): string => hex(b).replace(/(.{56})(?=.)/g, '$1 ');

const numbersThenHex = (sizes: number[]) => (d: Bytes) => [...sizes.map(n => d.number(n)), words(d.take(d.left))].join(' ');

const TEXTS: Record<string, (d: Bytes) => string> = {
  HINFO: d => `${d.string()} ${d.string()}`,
  DNAME: d => d.name(),
  SPF: d => {
    const out: string[] = [];
    while (d.left) out.push(d.string());
    return out.join(' ');
  },
  CAA: d => `${d.number(1)} ${latin(d.take(d.number(1)))} ${quoted(latin(d.take(d.left)))}`,
  URI: d => `${d.number(2)} ${d.number(2)} ${quoted(latin(d.take(d.left)))}`,
  NAPTR: d => `${d.number(2)} ${d.number(2)} ${d.string()} ${d.string()} ${d.string()} ${d.name()}`,
  DS: numbersThenHex([2, 1, 1]),
  CDS: numbersThenHex([2, 1, 1]),
  TLSA: numbersThenHex([1, 1, 1]),
  SMIMEA: numbersThenHex([1, 1, 1]),
  SSHFP: numbersThenHex([1, 1]),
  SVCB: serviceBinding,
  HTTPS: serviceBinding,
};

const KEYS = ['mandatory', 'alpn', 'no-default-alpn', 'port', 'ipv4hint', 'ech', 'ipv6hint'];
const keyText = (n: number): string => KEYS[n] ?? `key${n}`;

/** RFC 9460: priority, target, and what a client should know before it connects. */
function serviceBinding(d: Bytes): string {
  let out = `${d.number(2)} ${d.name()}`;
  while (d.left) {
    const key = d.number(2);
    const value = new Bytes(d.take(d.number(2)));
    out += ` ${keyText(key)}${parameter(key, value)}`;
  }
  return out;
}

function parameter(key: number, v: Bytes): string {
  const list = (one: () => string) => {
    const all: string[] = [];
    while (v.left) all.push(one());
    return all.join(',');
  };
  if (key === 0) return `=${list(() => keyText(v.number(2)))}`;
  if (key === 1) return `="${list(() => latin(v.take(v.number(1))))}"`;
  if (key === 2) return '';
  if (key === 3) return `=${v.number(2)}`;
  if (key === 4 || key === 6) return `=${list(() => formatIp(v.take(key === 4 ? 4 : 16)))}`;
  return v.left ? `=${quoted(latin(v.take(v.left)))}` : '';
}

/** null: this type has no form of its own, or the bytes do not fit it. */
export function dataText(type: RrType, bytes: Uint8Array): string | null {
  const text = TEXTS[typeText(type)];
  if (!text) return null;
  try {
    const d = new Bytes(bytes);
    const out = text(d);
    return d.left ? null : out;
  } catch (e) {
    if (e instanceof RangeError) return null;
    throw e;
  }
}
