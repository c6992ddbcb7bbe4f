/** An address: 4 or 16 bytes, network order. Text only at the edges. */
export type Ip = Uint8Array;
export interface Cidr {
  ip: Ip;
  bits: number;
}
export type Family = 4 | 6;

export const familyOf = (ip: Ip): Family => (ip.length === 4 ? 4 : 6);

/** Dotted decimal without leading zeros (as Go's netip), or RFC 4291 text; null when it is neither. Zones are not accepted. */
export function parseIp(s: string): Ip | null {
  return s.includes(':') ? parseIp6(s) : parseIp4(s);
}

export function parseIp4(s: string): Ip | null {
  const parts = s.split('.');
  if (parts.length !== 4) return null;
  const out = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(parts[i])) return null;
    const n = Number(parts[i]);
    if (n > 255) return null;
    out[i] = n;
  }
  return out;
}

function parseIp6(s: string): Ip | null {
  let tail: Uint8Array | null = null;
  const dot = s.lastIndexOf(':');
  if (s.includes('.')) {
    tail = parseIp4(s.slice(dot + 1));
    if (!tail) return null;
    s = `${s.slice(0, dot + 1)}0:0`;
  }
  const halves = s.split('::');
  if (halves.length > 2) return null;
  const words = halves.map(h => (h === '' ? [] : h.split(':')));
  const n = words.reduce((a, w) => a + w.length, 0);
  if (halves.length === 1 ? n !== 8 : n > 7) return null;
  const all = halves.length === 1 ? words[0] : [...words[0], ...Array(8 - n).fill('0'), ...words[1]];
  const out = new Uint8Array(16);
  for (let i = 0; i < 8; i++) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(all[i])) return null;
    const v = Number.parseInt(all[i], 16);
    out[2 * i] = v >> 8;
    out[2 * i + 1] = v & 255;
  }
  if (tail) out.set(tail, 12);
  return out;
}

/** RFC 5952 text. */
export function formatIp(ip: Ip): string {
  if (ip.length === 4) return `${ip[0]}.${ip[1]}.${ip[2]}.${ip[3]}`;
  if (isMapped(ip)) return `::ffff:${formatIp(ip.subarray(12))}`;
  const words = Array.from({ length: 8 }, (_, i) => (ip[2 * i] << 8) | ip[2 * i + 1]);
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && words[i + n] === 0) n++;
    if (n > bestLength) {
      best = i;
      bestLength = n;
    }
    if (n) i += n - 1;
  }
  const hex = (w: number[]) => w.map(x => x.toString(16)).join(':');
  return best < 0 ? hex(words) : `${hex(words.slice(0, best))}::${hex(words.slice(best + bestLength))}`;
}

function isMapped(ip: Ip): boolean {
  for (let i = 0; i < 10; i++) if (ip[i]) return false;
  return ip[10] === 0xff && ip[11] === 0xff;
}

export function sameIp(a: Ip, b: Ip): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Byte order; IPv4 before IPv6. */
export function compareIp(a: Ip, b: Ip): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}

/** `10.0.0.0/8`; a bare address is a host route. The host bits are kept (use `network`). */
export function parseCidr(s: string): Cidr | null {
  const slash = s.indexOf('/');
  const ip = parseIp(slash < 0 ? s : s.slice(0, slash));
  if (!ip) return null;
  if (slash < 0) return { ip, bits: ip.length * 8 };
  if (!/^(?:0|[1-9]\d{0,2})$/.test(s.slice(slash + 1))) return null;
  const bits = Number(s.slice(slash + 1));
  return bits > ip.length * 8 ? null : { ip, bits };
}

export const formatCidr = (c: Cidr): string => `${formatIp(c.ip)}/${c.bits}`;

export function inCidr(c: Cidr, ip: Ip): boolean {
  if (c.ip.length !== ip.length) return false;
  const whole = c.bits >> 3;
  for (let i = 0; i < whole; i++) if (c.ip[i] !== ip[i]) return false;
  const rest = c.bits & 7;
  return rest === 0 || ((c.ip[whole] ^ ip[whole]) & (0xff << (8 - rest)) & 0xff) === 0;
}

/** The network with its host bits cleared. */
export function network(c: Cidr): Cidr {
  const ip = new Uint8Array(c.ip.length);
  for (let i = 0; i < ip.length; i++) {
    const keep = Math.min(8, Math.max(0, c.bits - i * 8));
    ip[i] = c.ip[i] & (0xff << (8 - keep)) & 0xff;
  }
  return { ip, bits: c.bits };
}

/** `ip + n`, wrapping at the end of the family. */
export function addToIp(ip: Ip, n: number): Ip {
  const out = Uint8Array.from(ip);
  for (let i = out.length - 1, carry = n; i >= 0 && carry !== 0; i--) {
    const v = out[i] + carry;
    out[i] = ((v % 256) + 256) % 256;
    carry = Math.floor(v / 256);
  }
  return out;
}

/** An address that a host may have: neither the network's own nor, in IPv4, its broadcast address. */
export function isHostOf(c: Cidr, ip: Ip): boolean {
  const first = network(c).ip;
  if (!inCidr(c, ip) || sameIp(first, ip)) return false;
  return ip.length !== 4 || !sameIp(ip, addToIp(first, cidrSize(c) - 1));
}

/** Addresses in the network, as a number (a big IPv6 network gives Infinity-like sizes; callers cap it). */
export const cidrSize = (c: Cidr): number => 2 ** (c.ip.length * 8 - c.bits);

/** A key for maps. */
export const ipKey = (ip: Ip): string => (ip.length === 4 ? `${ip[0]}.${ip[1]}.${ip[2]}.${ip[3]}` : formatIp(ip));

/** Literal addresses of the program's own text: throws on a bad one. */
export function ip(s: string): Ip {
  const v = parseIp(s);
  if (!v) throw new Error(`not an address: ${s}`);
  return v;
}

export function cidr(s: string): Cidr {
  const v = parseCidr(s);
  if (!v) throw new Error(`not a network: ${s}`);
  return v;
}
