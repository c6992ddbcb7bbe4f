// Packets against sets: `-m set --match-set`, `-j SET` (xt_set.c, ip_set_core.c and ip_set_hash_*.c of Linux 6.18).
import { formatIp, type Ip, network } from '../../wire/ip.ts';
import { packetLength } from '../../wire/packet.ts';
import type { Netns, Skb } from '../types.ts';
import { addEntry, delEntry } from './ipset.ts';
import { isAlive, type Part, typeOfSet } from './ipset-types.ts';
import type { HookContext, IpSet } from './types.ts';

type Devices = Pick<HookContext, 'in' | 'out'>;

/** ip_set_get_ip_port: `protocol:port`; ICMP has its type and code in the port's place. */
function portKey(skb: Skb, src: boolean): string {
  const { proto, body } = skb.packet;
  switch (body.kind) {
    case 'tcp':
    case 'udp':
    case 'sctp':
      return `${proto}:${src ? body.sport : body.dport}`;
    case 'icmp':
      return `${proto}:${body.type * 256 + body.code}`;
    default:
      return `${proto}:0`;
  }
}

/** What the packet shows for one dimension, as keys to try in order: networks from the longest prefix in use. */
function keysFor(set: IpSet, part: Part, skb: Skb, src: boolean, dev: Devices, prefixes: Map<number, number> | undefined): string[] {
  const ip: Ip = src ? skb.packet.src : skb.packet.dst;
  switch (part) {
    case 'ip':
      return [formatIp(set.netmask < ip.length * 8 ? network({ ip, bits: set.netmask }).ip : ip)];
    case 'net': {
      const lengths = [...(prefixes ?? new Map<number, number>()).keys()].sort((a, b) => b - a);
      return lengths.map(bits => `${formatIp(network({ ip, bits }).ip)}/${bits}`);
    }
    case 'port': {
      const key = portKey(skb, src);
      return [set.type === 'bitmap:port' ? key.slice(key.indexOf(':') + 1) : key];
    }
    case 'iface': {
      const name = (src ? dev.in : dev.out)?.name;
      return name === undefined ? [] : [name];
    }
    case 'mac':
      return skb.srcMac === undefined ? [] : [skb.srcMac.toUpperCase()];
    case 'mark':
      return [String(skb.mark)];
    case 'set':
      return [];
  }
}

/** 1: in the set; -1: in it, but `nomatch`; 0: not in it. */
function testPacket(ns: Netns, set: IpSet, skb: Skb, dirs: boolean[], dev: Devices): 0 | 1 | -1 {
  const type = typeOfSet(set);
  if (type.method === 'list') {
    for (const name of set.entries.keys()) {
      const member = ns.netfilter.ipsets.get(name);
      const result = member ? testPacket(ns, member, skb, dirs, dev) : 0;
      if (result) return result;
    }
    return 0;
  }
  const needsFamily = type.parts.includes('ip') || type.parts.includes('net');
  if ((needsFamily && set.family !== skb.packet.family) || dirs.length < type.parts.length) return 0;
  let keys: string[] = [''];
  let dimension = 0;
  for (let i = 0; i < type.parts.length; i++) {
    const prefixes = type.parts[i] === 'net' ? set.prefixes[dimension++] : undefined;
    const own = keysFor(set, type.parts[i], skb, dirs[i], dev, prefixes);
    keys = keys.flatMap(k => own.map(o => (i === 0 ? o : `${k},${o}`)));
  }
  for (const key of keys) {
    const e = set.entries.get(key);
    if (!e || !isAlive(ns, e)) continue;
    if (e.nomatch) return -1;
    if (set.counters) {
      e.packets++;
      e.bytes += packetLength(skb.packet);
    }
    return 1;
  }
  return 0;
}

export function setMatches(ns: Netns, name: string, skb: Skb, dirs: boolean[], returnNomatch: boolean, dev: Devices): boolean {
  const set = ns.netfilter.ipsets.get(name);
  if (!set) return false;
  const result = testPacket(ns, set, skb, dirs, dev);
  return returnNomatch ? result === -1 : result === 1;
}

/** `-j SET --add-set` and `--del-set`: the packet's own values become an entry. */
export function addPacketToSet(
  ns: Netns,
  name: string,
  skb: Skb,
  dirs: boolean[],
  add: boolean,
  exist: boolean,
  seconds: number | null,
  dev: Devices,
): void {
  const set = ns.netfilter.ipsets.get(name);
  if (!set) return;
  const type = typeOfSet(set);
  const words: string[] = [];
  for (let i = 0; i < type.parts.length; i++) {
    const part = type.parts[i];
    const ip = dirs[i] ? skb.packet.src : skb.packet.dst;
    if (part === 'ip' || part === 'net') words.push(formatIp(ip));
    else {
      const [key] = keysFor(set, part, skb, dirs[i], dev, undefined);
      if (key === undefined) return;
      words.push(key);
    }
  }
  const entry = words.join(',');
  if (add) addEntry(ns, name, entry, seconds !== null && set.timeout !== null ? ['timeout', String(seconds)] : [], exist);
  else delEntry(ns, name, entry);
}
