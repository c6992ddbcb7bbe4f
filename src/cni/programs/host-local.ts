// host-local: addresses kept as files, one per address (plugins v1.9.1 plugins/ipam/host-local).
import type { Process } from '../../linux/types.ts';
import { ensureDir, listDir, readFile, remove, writeFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { addToIp, type Cidr, compareIp, formatIp, type Ip, inCidr, network, parseCidr, parseIp, sameIp } from '../../wire/ip.ts';
import type { CniDns, CniResult } from './result.ts';
import { type CniError, failure, isFailure, type PluginArgs, type PluginImpl } from './skel.ts';

interface Range {
  subnet: Cidr;
  text: string;
  start: Ip;
  end: Ip;
  gateway: Ip;
}

const rangeText = (r: Range): string => `${formatIp(r.start)}-${formatIp(r.end)}`;
const setText = (set: Range[]): string => set.map(rangeText).join(',');

/** range.go Canonicalize */
function canonical(r: any): Range | string {
  const subnet = parseCidr(String(r.subnet ?? ''));
  if (!subnet) return `IPNet IP and Mask version mismatch`;
  const bits = subnet.ip.length * 8;
  const text = `${formatIp(subnet.ip)}/${subnet.bits}`;
  if (bits - subnet.bits < 2) return `Network ${text} too small to allocate from`;
  const net = network(subnet);
  if (!sameIp(net.ip, subnet.ip))
    return `Network has host bits set. For a subnet mask of length ${subnet.bits} the network address is ${formatIp(net.ip)}`;
  const size = Math.min(2 ** (bits - subnet.bits), 2 ** 53);
  const last = subnet.ip.length === 4 ? addToIp(net.ip, size - 2) : lastOf(net);
  const at = (field: string, otherwise: Ip) => (r[field] ? parseIp(r[field]) : otherwise);
  const start = at('rangeStart', addToIp(net.ip, 1));
  const end = at('rangeEnd', last);
  const gateway = at('gateway', addToIp(net.ip, 1));
  if (!start || !inCidr(net, start)) return `RangeStart ${r.rangeStart} not in network ${text}`;
  if (!end || !inCidr(net, end)) return `RangeEnd ${r.rangeEnd} not in network ${text}`;
  if (!gateway) return `invalid gateway ${r.gateway}`;
  return { subnet: net, text, start, end, gateway };
}

function lastOf(c: Cidr): Ip {
  const out = Uint8Array.from(c.ip);
  for (let i = c.bits; i < out.length * 8; i++) out[i >> 3] |= 0x80 >> (i & 7);
  return out;
}

const contains = (r: Range, ip: Ip): boolean => ip.length === r.start.length && compareIp(ip, r.start) >= 0 && compareIp(ip, r.end) <= 0;
const overlaps = (a: Range, b: Range): boolean =>
  a.start.length === b.start.length && (contains(a, b.start) || contains(a, b.end) || contains(b, a.start) || contains(b, a.end));

function rangeSets(ipam: any): Range[][] | CniError {
  const given: any[][] = [...(ipam.subnet ? [[ipam]] : []), ...(ipam.ranges ?? [])];
  if (!given.length) return failure('no IP ranges specified');
  const sets: Range[][] = [];
  for (let i = 0; i < given.length; i++) {
    const set: Range[] = [];
    for (const raw of given[i]) {
      const r = canonical(raw);
      if (typeof r === 'string') return failure(`invalid range set ${i}: ${r}`);
      set.push(r);
    }
    for (let x = 0; x < set.length; x++) {
      for (let y = x + 1; y < set.length; y++) {
        if (overlaps(set[x], set[y]))
          return failure(`invalid range set ${i}: subnets ${rangeText(set[x])} and ${rangeText(set[y])} overlap`);
      }
    }
    sets.push(set);
  }
  for (let x = 0; x < sets.length; x++) {
    for (let y = x + 1; y < sets.length; y++) {
      if (sets[x].some(a => sets[y].some(b => overlaps(a, b)))) return failure(`range set ${x} overlaps with ${y}`);
    }
  }
  return sets;
}

/** CNI_ARGS and the configuration's own requests. */
function requestedIps(a: PluginArgs): Ip[] | CniError {
  const pairs = a.args ? a.args.split(';') : [];
  const known: string[] = [];
  const unknown: string[] = [];
  let ignore = false;
  for (const pair of pairs) {
    const [key, value] = pair.split('=');
    if (pair.split('=').length !== 2) return failure(`ARGS: invalid pair "${pair}"`);
    if (key === 'IP') {
      if (!parseIp(value)) return failure(`ARGS: error parsing value of pair "${pair}": invalid IP address ${value}`);
      known.push(value);
    } else if (key === 'IgnoreUnknown') ignore = ['1', 'true', 'True', 'TRUE'].includes(value);
    else unknown.push(pair);
  }
  if (unknown.length && !ignore) return failure(`ARGS: unknown args [${unknown.map(u => `"${u}"`).join(' ')}]`);
  const texts: string[] = [...known, ...(a.conf.args?.cni?.ips ?? []), ...(a.conf.runtimeConfig?.ips ?? [])];
  return texts.flatMap(t => parseIp(t.replace(/\/.*/, '')) ?? []);
}

interface Store {
  p: Process;
  dir: string;
}

const dataDir = (a: PluginArgs): string => `${a.conf.ipam?.dataDir || '/var/lib/cni/networks'}/${a.conf.name}`;
const owner = (a: PluginArgs): string => `${a.containerId}\r\n${a.ifName}`;

function openStore(a: PluginArgs): Store {
  const dir = dataDir(a);
  ensureDir(a.p.fs, dir);
  if (typeof readFile(a.p.fs, `${dir}/lock`) === 'string') writeFile(a.p.fs, `${dir}/lock`, '', a.p);
  return { p: a.p, dir };
}

const fileOf = (s: Store, name: string): string | null => {
  const data = readFile(s.p.fs, `${s.dir}/${name}`);
  return typeof data === 'string' ? null : bytesToString(data);
};

function addressesOf(s: Store, who: string): string[] {
  const files = listDir(s.p.fs, s.dir);
  if (typeof files === 'string') return [];
  return [...files.keys()].filter(name => parseIp(name) && fileOf(s, name)?.trim() === who.trim());
}

const reserve = (s: Store, who: string, ip: Ip, index: number): void => {
  writeFile(s.p.fs, `${s.dir}/${formatIp(ip)}`, who, s.p);
  writeFile(s.p.fs, `${s.dir}/last_reserved_ip.${index}`, formatIp(ip), s.p);
};

/** allocator.go Get: round robin behind the last reserved address. */
function nextFree(s: Store, set: Range[], index: number): { ip: Ip; range: Range } | null {
  const last = parseIp(fileOf(s, `last_reserved_ip.${index}`)?.trim() ?? '');
  let at = last ? set.findIndex(r => contains(r, last)) : -1;
  let ip = at >= 0 && last ? last : null;
  at = Math.max(at, 0);
  let first: Ip | null = null;
  for (let n = 0; n < 70_000; n++) {
    if (ip && !sameIp(ip, set[at].end)) ip = addToIp(ip, 1);
    else {
      if (ip) at = (at + 1) % set.length;
      ip = set[at].start;
    }
    if (first && sameIp(first, ip)) return null;
    first ??= ip;
    if (!sameIp(ip, set[at].gateway) && fileOf(s, formatIp(ip)) === null) return { ip, range: set[at] };
  }
  return null;
}

function allocateFrom(s: Store, a: PluginArgs, set: Range[], index: number, requested: Ip | null): { ip: Ip; range: Range } | string {
  if (requested) {
    const range = set.find(r => contains(r, requested)) as Range;
    if (sameIp(requested, range.gateway)) return `requested ip ${formatIp(requested)} is subnet's gateway`;
    if (fileOf(s, formatIp(requested)) !== null)
      return `requested IP address ${formatIp(requested)} is not available in range set ${setText(set)}`;
    return { ip: requested, range };
  }
  for (const text of addressesOf(s, owner(a))) {
    const ip = parseIp(text) as Ip;
    if (set.some(r => contains(r, ip))) return `${text} has been allocated to ${a.containerId}, duplicate allocation is not allowed`;
  }
  return nextFree(s, set, index) ?? `no IP addresses available in range set: ${setText(set)}`;
}

/** dns.go parseResolvConf */
function resolvConf(text: string): CniDns {
  const dns: CniDns = {};
  for (const line of text.split('\n').map(l => l.trim())) {
    const [key, ...words] = line.split(/\s+/);
    if (!words.length || key.startsWith('#') || key.startsWith(';')) continue;
    if (key === 'nameserver') dns.nameservers = [...(dns.nameservers ?? []), words[0]];
    else if (key === 'domain') dns.domain = words[0];
    else if (key === 'search') dns.search = [...(dns.search ?? []), ...words];
    else if (key === 'options') dns.options = [...(dns.options ?? []), ...words];
  }
  return dns;
}

export function ipamAdd(a: PluginArgs): CniResult | CniError {
  const ipam = a.conf.ipam ?? {};
  const requested = requestedIps(a);
  if (isFailure(requested)) return requested;
  const sets = rangeSets(ipam);
  if (isFailure(sets)) return sets;
  const result: CniResult = { ips: [] };
  if (ipam.resolvConf) {
    const data = readFile(a.p.fs, ipam.resolvConf);
    if (typeof data === 'string') return failure(`open ${ipam.resolvConf}: no such file or directory`);
    result.dns = resolvConf(bytesToString(data));
  }
  const store = openStore(a);
  const wanted = [...requested];
  const mine: Ip[] = [];
  const undo = (msg: string): CniError => {
    for (const ip of mine) remove(store.p.fs, `${store.dir}/${formatIp(ip)}`, store.p);
    return failure(msg);
  };
  for (let i = 0; i < sets.length; i++) {
    const at = wanted.findIndex(ip => sets[i].some(r => contains(r, ip)));
    const got = allocateFrom(store, a, sets[i], i, at < 0 ? null : wanted.splice(at, 1)[0]);
    if (typeof got === 'string') return undo(`failed to allocate for range ${i}: ${got}`);
    reserve(store, owner(a), got.ip, i);
    mine.push(got.ip);
    result.ips?.push({ address: `${formatIp(got.ip)}/${got.range.subnet.bits}`, gateway: formatIp(got.range.gateway) });
  }
  if (wanted.length) return undo(`failed to allocate all requested IPs: ${wanted.map(formatIp).join(' ')}`);
  if (ipam.routes?.length) result.routes = ipam.routes;
  return result;
}

export function ipamDel(a: PluginArgs): CniError | null {
  const store = openStore(a);
  for (const ip of addressesOf(store, owner(a))) remove(store.p.fs, `${store.dir}/${ip}`, store.p);
  return null;
}

export function ipamCheck(a: PluginArgs): CniError | null {
  const store: Store = { p: a.p, dir: dataDir(a) };
  if (addressesOf(store, owner(a)).length) return null;
  return failure(`host-local: Failed to find address added by container ${a.containerId}`);
}

export const hostLocal: PluginImpl = { add: ipamAdd, check: ipamCheck, del: ipamDel, about: 'CNI host-local plugin v1.9.1' };
