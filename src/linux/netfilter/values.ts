// How the iptables extensions read and write their arguments (libxtables 1.8.9: xtables.c, xtoptions.c).
import { type Family, formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import type { Netns } from '../types.ts';
import { PROTOCOLS, SERVICES } from './names.ts';
import type { TableName } from './types.ts';

/** What a command refuses: by the tool itself ('usage', exit 2), or by the kernel (an errno's text). */
export interface Problem {
  problem: string;
  kind: 'usage' | 'kernel' | 'other';
}

export const usage = (problem: string): Problem => ({ problem, kind: 'usage' });
export const kernelRefuses = (problem = 'Invalid argument'): Problem => ({ problem, kind: 'kernel' });
export const isProblem = (x: unknown): x is Problem => typeof x === 'object' && x !== null && 'problem' in x;

/** One option with its `!`, as it stood on the command line. */
export interface Option {
  name: string;
  value: string;
  /** Options with two arguments: --tcp-flags, --match-set, --chunk-types. */
  value2: string;
  invert: boolean;
}

export interface ParseContext {
  ns: Netns;
  family: Family;
  table: TableName;
  /** -p so far. */
  proto: number;
  protoInvert: boolean;
  /** Written by a program of the cluster itself: sets and chains may come into being later. */
  trusted: boolean;
  /** Chains that rules jump to are looked for later (at COMMIT). */
  laterChains: boolean;
}

/** xtables_strtoui: decimal, 0x hexadecimal, 0 octal. null: not a number in the range. */
export function parseUint(s: string, min = 0, max = 0xffffffff): number | null {
  let n: number;
  if (/^0[xX][0-9a-fA-F]+$/.test(s)) n = Number.parseInt(s.slice(2), 16);
  else if (/^0[0-7]*$/.test(s)) n = Number.parseInt(s, 8);
  else if (/^[1-9]\d*$/.test(s)) n = Number(s);
  else return null;
  return n >= min && n <= max ? n : null;
}

/** A port or a service's name; the names of tcp and udp are taken for each other unless `strict`. */
export function parsePort(s: string, proto: number, strict = false): number | null {
  const n = parseUint(s, 0, 65535);
  if (n !== null) return n;
  const name = proto === 17 ? 'udp' : proto === 132 ? 'sctp' : 'tcp';
  for (const [service, port, protocols] of SERVICES) if (service === s && protocols.includes(name)) return port;
  return strict || proto === 132 ? null : (SERVICES_BY_NAME.get(s) ?? null);
}

/** `80`, `80:90`, `:90`, `80:`, with service names. */
export function parsePortRange(s: string, proto: number): [number, number] | Problem {
  const colon = s.indexOf(':');
  if (colon < 0) {
    const port = parsePort(s, proto);
    return port === null ? usage(`invalid port/service \`${s}' specified`) : [port, port];
  }
  const a = s.slice(0, colon);
  const b = s.slice(colon + 1);
  const low = a === '' ? 0 : parsePort(a, proto);
  const high = b === '' ? 65535 : parsePort(b, proto);
  if (low === null) return usage(`invalid port/service \`${a}' specified`);
  if (high === null) return usage(`invalid port/service \`${b}' specified`);
  return low > high ? usage('invalid portrange (min > max)') : [low, high];
}

export const rangeText = (r: [number, number]): string => (r[0] === r[1] ? `${r[0]}` : `${r[0]}:${r[1]}`);

/** Service name of a port, as listings without -n print it. */
export function portName(port: number, proto: number): string {
  const name = proto === 17 ? 'udp' : proto === 132 ? 'sctp' : 'tcp';
  for (const [service, p, protocols] of SERVICES) if (p === port && protocols.includes(name)) return service;
  return String(port);
}

export function protocolNumber(s: string): number | null {
  const n = parseUint(s, 0, 255);
  if (n !== null) return n;
  const lower = s.toLowerCase();
  if (lower === 'all') return 0;
  for (const [number, name, alias] of PROTOCOLS) if (name === lower || alias === s) return number;
  return null;
}

export function protocolName(n: number): string {
  if (n === 0) return 'all';
  for (const [number, name] of PROTOCOLS) if (number === n) return name;
  return String(n);
}

/** `value[/mask]` of marks. */
export function parseMark(s: string): [number, number] | null {
  const slash = s.indexOf('/');
  const value = parseUint(slash < 0 ? s : s.slice(0, slash));
  const mask = slash < 0 ? 0xffffffff : parseUint(s.slice(slash + 1));
  return value === null || mask === null ? null : [value, mask];
}

export const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
export const markText = (value: number, mask: number): string => (mask === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`);

/** xtables_save_string: quotes unless every character is harmless. */
export function quoted(s: string): string {
  return /^[-_0-9a-zA-Z]+$/.test(s) ? s : `"${s.replace(/(["\\'])/g, '\\$1')}"`;
}

export function maskOf(bits: number, family: Family): Ip {
  const out = new Uint8Array(family === 4 ? 4 : 16);
  for (let i = 0; i < out.length; i++) {
    const keep = Math.min(8, Math.max(0, bits - i * 8));
    out[i] = (0xff << (8 - keep)) & 0xff;
  }
  return out;
}

/** Length of a contiguous mask, -1 when it is none. */
export function maskBits(mask: Ip): number {
  let bits = 0;
  let ended = false;
  for (const byte of mask) {
    for (let i = 7; i >= 0; i--) {
      const set = (byte >> i) & 1;
      if (set && ended) return -1;
      if (set) bits++;
      else ended = true;
    }
  }
  return bits;
}

export function masked(ip: Ip, mask: Ip): Ip {
  const out = new Uint8Array(ip.length);
  for (let i = 0; i < ip.length; i++) out[i] = ip[i] & mask[i];
  return out;
}

export function matchesMask(ip: Ip, net: Ip, mask: Ip): boolean {
  if (ip.length !== net.length) return false;
  for (let i = 0; i < ip.length; i++) if ((ip[i] ^ net[i]) & mask[i]) return false;
  return true;
}

/** `10.0.0.0/8`, `10.0.0.0/255.0.255.0`, `10.0.0.1`; the address with its host bits cleared, and as it was given. */
export function parseAddress(s: string, family: Family): { ip: Ip; host: Ip; mask: Ip; bits: number } | Problem {
  const slash = s.indexOf('/');
  const host = slash < 0 ? s : s.slice(0, slash);
  const ip = family === 4 ? (parseLoose4(host) ?? (host === 'localhost' ? parseLoose4('127.0.0.1') : null)) : parseIp(host);
  const notFound = !ip || ip.length !== (family === 4 ? 4 : 16) ? usage(`host/network \`${host}' not found`) : null;
  const length = family === 4 ? 32 : 128;
  let mask: Ip;
  if (slash < 0) mask = maskOf(length, family);
  else {
    const text = s.slice(slash + 1);
    const bits = /^\d+$/.test(text) ? Number(text) : null;
    const dotted = bits === null ? parseIp(text) : null;
    if (bits !== null && bits <= length) mask = maskOf(bits, family);
    else if (dotted && dotted.length === length / 8) mask = dotted;
    else return usage(`invalid mask \`${text}' specified`);
  }
  if (notFound || !ip) return notFound as Problem;
  return { ip: masked(ip, mask), host: ip, mask, bits: maskBits(mask) };
}

/** xtables_numeric_to_ipaddr takes `10.1` as 10.1.0.0 when a mask follows; here: dotted with up to four parts. */
function parseLoose4(s: string): Ip | null {
  const parts = s.split('.');
  if (parts.length > 4) return null;
  const out = new Uint8Array(4);
  for (let i = 0; i < parts.length; i++) {
    const n = parseUint(parts[i], 0, 255);
    if (n === null) return null;
    out[i] = n;
  }
  return out;
}

/** xtables_ipmask_to_numeric: nothing for a host, `/24`, or the dotted mask. */
export function maskSuffix(mask: Ip, bits: number): string {
  if (bits === mask.length * 8) return '';
  return bits < 0 ? `/${formatIp(mask)}` : `/${bits}`;
}

/** Any protocol's port of this name. */
export const SERVICES_BY_NAME: ReadonlyMap<string, number> = new Map([...SERVICES].reverse().map(([name, port]) => [name, port]));
