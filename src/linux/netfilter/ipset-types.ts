// The set types of ipset 7.17 and how the text of an entry is read (lib/ipset_*.c, lib/parse.c).
import { addToIp, compareIp, type Family, formatIp, type Ip, network, parseIp } from '../../wire/ip.ts';
import type { Netns } from '../types.ts';
import { ICMP_TYPES, ICMP6_TYPES } from './matches/icmp-names.ts';
import type { IpSet, IpSetEntry } from './types.ts';
import { parseUint, protocolName, protocolNumber, SERVICES_BY_NAME } from './values.ts';

export type Part = 'ip' | 'net' | 'port' | 'iface' | 'mac' | 'mark' | 'set';

export interface SetType {
  name: string;
  parts: Part[];
  /** What `ipset list` prints as Revision. */
  revision: number;
  /** hash, bitmap or list: which creation options there are. */
  method: 'hash' | 'bitmap' | 'list';
}

/** The revisions are those of Linux 6.18 with ipset 7.17. */
const SET_TYPES: SetType[] = [
  { name: 'hash:ip', parts: ['ip'], revision: 6, method: 'hash' },
  { name: 'hash:net', parts: ['net'], revision: 7, method: 'hash' },
  { name: 'hash:ip,port', parts: ['ip', 'port'], revision: 7, method: 'hash' },
  { name: 'hash:ip,port,ip', parts: ['ip', 'port', 'ip'], revision: 6, method: 'hash' },
  { name: 'hash:ip,port,net', parts: ['ip', 'port', 'net'], revision: 8, method: 'hash' },
  { name: 'hash:net,port', parts: ['net', 'port'], revision: 8, method: 'hash' },
  { name: 'hash:net,net', parts: ['net', 'net'], revision: 4, method: 'hash' },
  { name: 'hash:net,port,net', parts: ['net', 'port', 'net'], revision: 3, method: 'hash' },
  { name: 'hash:net,iface', parts: ['net', 'iface'], revision: 8, method: 'hash' },
  { name: 'hash:mac', parts: ['mac'], revision: 1, method: 'hash' },
  { name: 'hash:ip,mac', parts: ['ip', 'mac'], revision: 1, method: 'hash' },
  { name: 'hash:ip,mark', parts: ['ip', 'mark'], revision: 3, method: 'hash' },
  { name: 'bitmap:ip', parts: ['ip'], revision: 3, method: 'bitmap' },
  { name: 'bitmap:ip,mac', parts: ['ip', 'mac'], revision: 3, method: 'bitmap' },
  { name: 'bitmap:port', parts: ['port'], revision: 3, method: 'bitmap' },
  { name: 'list:set', parts: ['set'], revision: 3, method: 'list' },
];

const ALIASES: Record<string, string> = {
  iphash: 'hash:ip',
  nethash: 'hash:net',
  ipporthash: 'hash:ip,port',
  ipportiphash: 'hash:ip,port,ip',
  ipportnethash: 'hash:ip,port,net',
  netporthash: 'hash:net,port',
  netnethash: 'hash:net,net',
  netifacehash: 'hash:net,iface',
  machash: 'hash:mac',
  ipmarkhash: 'hash:ip,mark',
  ipmap: 'bitmap:ip',
  macipmap: 'bitmap:ip,mac',
  portmap: 'bitmap:port',
  setlist: 'list:set',
};

const byName = new Map(SET_TYPES.map(t => [t.name, t]));
export const setType = (name: string): SetType | undefined => byName.get(ALIASES[name] ?? name);

export const typeOfSet = (set: IpSet): SetType => setType(set.type) as SetType;

export const isAlive = (ns: Netns, e: IpSetEntry): boolean => e.timeoutAtMs === null || e.timeoutAtMs > ns.kernel.sim.nowMs;

/** One entry: its key in the map and its text. */
export interface Element {
  key: string;
  text: string;
  /** Prefix lengths of its networks, in order. */
  bits: number[];
}

type Result = Element[] | string;

/** Addresses one entry may stand for when ranges are given (the tool's own limit is 2^32; here as many as a set can hold). */
const MOST = 1 << 20;

interface Piece {
  key: string;
  text: string;
  bits?: number;
}

const ipError = (s: string, family: Family) => `Syntax error: cannot parse ${s}: resolving to IPv${family} address failed`;

function ipOf(text: string, family: Family): Ip | null {
  const ip = parseIp(text);
  return ip && ip.length === (family === 4 ? 4 : 16) ? ip : null;
}

function cidrOf(text: string, family: Family): { ip: Ip; bits: number } | string {
  const slash = text.indexOf('/');
  const ip = ipOf(slash < 0 ? text : text.slice(0, slash), family);
  if (!ip) return ipError(slash < 0 ? text : text.slice(0, slash), family);
  const full = family === 4 ? 32 : 128;
  if (slash < 0) return { ip, bits: full };
  const bits = parseUint(text.slice(slash + 1), 0, full);
  if (bits === null) return `Syntax error: '${text.slice(slash + 1)}' is out of range 0-${full}`;
  return { ip, bits };
}

/** `a-b`, `a/n` or `a` for a type of single addresses. */
function ips(text: string, set: IpSet): Piece[] | string {
  const { family } = set;
  let first: Ip;
  let last: Ip;
  const dash = text.indexOf('-');
  if (dash > 0) {
    const a = ipOf(text.slice(0, dash), family);
    const b = ipOf(text.slice(dash + 1), family);
    if (!a || !b) return ipError(a ? text.slice(dash + 1) : text.slice(0, dash), family);
    [first, last] = compareIp(a, b) <= 0 ? [a, b] : [b, a];
  } else {
    const c = cidrOf(text, family);
    if (typeof c === 'string') return c;
    first = network(c).ip;
    last = first.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, c.bits - i * 8))));
  }
  const out: Piece[] = [];
  const full = family === 4 ? 32 : 128;
  for (let ip = first; compareIp(ip, last) <= 0; ip = addToIp(ip, 1)) {
    const cut = set.netmask < full ? network({ ip, bits: set.netmask }).ip : ip;
    const text = formatIp(cut);
    if (out[out.length - 1]?.key !== text) out.push({ key: text, text });
    if (out.length > MOST) return 'Kernel error received: the range of addresses is too big';
    if (compareIp(ip, last) === 0) break;
  }
  return out;
}

const numberOf = (ip: Ip) => ip.reduce((n, b) => n * 256 + b, 0);

function nets(text: string, family: Family, testing: boolean): Piece[] | string {
  const dash = text.indexOf('-');
  if (dash > 0 && family === 4) {
    const a = ipOf(text.slice(0, dash), family);
    const b = ipOf(text.slice(dash + 1), family);
    if (!a || !b) return ipError(a ? text.slice(dash + 1) : text.slice(0, dash), family);
    return rangeToNets(numberOf(a), numberOf(b)).map(c => netPiece(c.ip, c.bits));
  }
  const c = cidrOf(text, family);
  if (typeof c === 'string') return c;
  if (c.bits === 0 && !testing) return 'The value of the CIDR parameter of the IP address is invalid';
  return [netPiece(network(c).ip, c.bits)];
}

function netPiece(ip: Ip, bits: number): Piece {
  const text = formatIp(ip);
  return { key: `${text}/${bits}`, text: bits === ip.length * 8 ? text : `${text}/${bits}`, bits };
}

/** ip_set_range_to_cidr: the largest aligned network at each step. */
function rangeToNets(low: number, high: number): { ip: Ip; bits: number }[] {
  const out: { ip: Ip; bits: number }[] = [];
  while (low <= high) {
    let bits = 32;
    while (bits > 1 && low % 2 ** (33 - bits) === 0 && low + 2 ** (33 - bits) - 1 <= high) bits--;
    out.push({ ip: Uint8Array.of((low >>> 24) & 255, (low >>> 16) & 255, (low >>> 8) & 255, low & 255), bits });
    low += 2 ** (32 - bits);
  }
  return out;
}

function icmpPiece(proto: number, text: string): Piece | string {
  const names = proto === 1 ? ICMP_TYPES : ICMP6_TYPES;
  const named = names.find(n => n[0] === text);
  let type: number | null;
  let code: number | null;
  if (named) [, type, code] = named;
  else {
    const [a, b] = text.split('/');
    type = parseUint(a, 0, 255);
    code = b === undefined ? null : parseUint(b, 0, 255);
  }
  if (type === null || code === null) return `Syntax error: '${text}' is invalid as ICMP type/code`;
  const name = names.find(n => n[1] === type && n[2] === code && n[0] !== 'any');
  return { key: `${proto}:${type * 256 + code}`, text: `${proto === 1 ? 'icmp' : 'icmpv6'}:${name ? name[0] : `${type}/${code}`}` };
}

function ports(text: string, plain: boolean): Piece[] | string {
  const colon = text.indexOf(':');
  const protoText = colon < 0 ? 'tcp' : text.slice(0, colon);
  const proto = protoText === 'icmpv6' ? 58 : protocolNumber(protoText);
  if (proto === null) return `Syntax error: cannot parse '${protoText}' as a protocol`;
  const rest = text.slice(colon + 1);
  if (!plain && (proto === 1 || proto === 58)) {
    const piece = icmpPiece(proto, rest);
    return typeof piece === 'string' ? piece : [piece];
  }
  const known = (s: string) => parseUint(s, 0, 65535) ?? SERVICES_BY_NAME.get(s) ?? null;
  const whole = known(rest);
  const dash = rest.indexOf('-');
  const low = whole ?? (dash > 0 ? known(rest.slice(0, dash)) : null);
  const high = whole ?? (dash > 0 ? known(rest.slice(dash + 1)) : null);
  if (low === null || high === null) return `Syntax error: cannot parse '${rest}' as a ${protoText} port`;
  const withPorts = [6, 17, 132, 136].includes(proto);
  if (!withPorts && high !== 0) return `Syntax error: Protocol ${protocolName(proto)} can be used only with 0 port value`;
  const out: Piece[] = [];
  for (let p = Math.min(low, high); p <= Math.max(low, high); p++)
    out.push(plain ? { key: String(p), text: String(p) } : { key: `${proto}:${p}`, text: `${protocolName(proto)}:${p}` });
  return out;
}

function pieces(part: Part, text: string, set: IpSet, testing: boolean): Piece[] | string {
  switch (part) {
    case 'ip':
      return ips(text, set);
    case 'net':
      return nets(text, set.family, testing);
    case 'port':
      return ports(text, set.type === 'bitmap:port');
    case 'iface':
      return text.length > 15 ? `Syntax error: interface name '${text}' is longer than 15 characters` : [{ key: text, text }];
    case 'mac': {
      const mac = text.toUpperCase();
      return /^(?:[0-9A-F]{2}:){5}[0-9A-F]{2}$/.test(mac)
        ? [{ key: mac, text: mac }]
        : `Syntax error: cannot parse '${text}' as ethernet address`;
    }
    case 'mark': {
      const n = parseUint(text);
      return n === null
        ? `Syntax error: '${text}' is invalid as number`
        : [{ key: String(n), text: `0x${n.toString(16).padStart(8, '0')}` }];
    }
    case 'set':
      return [{ key: text, text }];
  }
}

const ORDINAL = ['First', 'Second', 'Third'];

/** What the text of an entry stands for: ranges are several elements. A string: the error. */
export function parseElements(set: IpSet, type: SetType, text: string, testing = false): Result {
  const words = text.split(',');
  if (words.length < type.parts.length) {
    if (type.name === 'bitmap:ip,mac' && words.length === 1) words.push('');
    else return `Syntax error: ${ORDINAL[words.length]} element is missing from ${text}.`;
  }
  if (words.length > type.parts.length) return `Syntax error: Elem separator in ${text}, but settype ${type.name} supports none.`;
  let out: Element[] = [{ key: '', text: '', bits: [] }];
  for (let i = 0; i < type.parts.length; i++) {
    if (type.name === 'bitmap:ip,mac' && words[i] === '') continue;
    const found = pieces(type.parts[i], words[i], set, testing);
    if (typeof found === 'string') return found;
    const join = i === 0 ? '' : ',';
    out = out.flatMap(e =>
      found.map(p => ({
        key: e.key + join + p.key,
        text: e.text + join + p.text,
        bits: p.bits === undefined ? e.bits : [...e.bits, p.bits],
      })),
    );
  }
  return out;
}
