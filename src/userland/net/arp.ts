// arp (net-tools 2.10 and BusyBox).
import { neighState, removeNeigh, setNeigh } from '../../linux/neigh.ts';
import { complain, print } from '../../linux/process.ts';
import type { Neigh, Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp, type Ip, parseIp, sameIp } from '../../wire/ip.ts';
import { getopt, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { letters, sortedLinks } from './net-tools.ts';
import { getaddrinfo, getnameinfo } from './resolver.ts';
import { ARP_USAGE, ARP_VERSION } from './usage/net-tools.ts';

const LONG: Record<string, string> = {
  set: 's',
  delete: 'd',
  verbose: 'v',
  numeric: 'n',
  'device=': 'i',
  'use-device': 'D',
  'protocol=': 'A',
  'file=': 'f',
  'hw-type=': 'H',
  version: 'V',
  help: 'h',
};

/** net-tools' exit code of a wrong command line. */
const E_USAGE = 3;
const FAILED = 255;

const arp = (u: Userland): Program =>
  function* arp(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), 'A:H:adef:i:nsvVhD?', LONG);
    const is = (name: string) => o.flags.has(name);
    if (o.error) {
      complain(p, `arp: ${o.error}\n${ARP_USAGE.join('')}`);
      return E_USAGE;
    }
    if (is('V') || is('h') || is('?')) {
      print(p, is('V') ? ARP_VERSION : ARP_USAGE[0]);
      if (!is('V')) complain(p, ARP_USAGE[1]);
      return 0;
    }
    if (is('f') || is('D')) {
      complain(p, `arp: podnet does not model ${is('f') ? '--file' : '--use-device'}\n`);
      return FAILED;
    }
    const [name, mac] = o.operands;
    if (is('d') || is('s')) {
      const wrong = name === undefined ? 'need host name' : is('s') && mac === undefined ? 'need hardware address' : null;
      if (wrong || (is('s') && !MAC.test(mac))) {
        complain(p, `arp: ${wrong ?? 'invalid hardware address'}\n`);
        return FAILED;
      }
      const ip = yield* addressOf(p, u, name);
      return typeof ip === 'string' ? hostUnknown(p, name) : change(p, is('d'), name, ip, mac);
    }
    const only = name === undefined ? null : yield* addressOf(p, u, name);
    if (typeof only === 'string') return hostUnknown(p, name);
    const all = entries(p);
    const device = optionValue(o, 'i');
    const rows = all.filter(n => (device === undefined || p.netns.links.get(n.dev)?.name === device) && (!only || sameIp(n.ip, only)));
    if (is('a')) for (const n of rows) print(p, yield* bsdRow(p, u, n, is('n')));
    else {
      if (rows.length) print(p, 'Address                  HWtype  HWaddress           Flags Mask            Iface\n');
      for (const n of rows) print(p, linuxRow(p, n, is('n') ? null : yield* getnameinfo(p, n.ip, u.libc)));
    }
    if (is('v')) print(p, `Entries: ${all.length}\tSkipped: ${all.length - rows.length}\tFound: ${rows.length}\n`);
    if (!rows.length && only) print(p, `${name} (${formatIp(only)}) -- no entry\n`);
    else if (!rows.length && device !== undefined) print(p, `arp: in ${all.length} entries no match found.\n`);
    return 0;
  };

const MAC = /^([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}$/;

function* addressOf(p: Process, u: Userland, name: string): Co<Ip | string> {
  const ip = parseIp(name);
  if (ip) return ip;
  const found = yield* getaddrinfo(p, name, { libc: u.libc, family: 4 });
  return typeof found === 'string' ? found : found.addresses[0];
}

function hostUnknown(p: Process, name: string): number {
  complain(p, `${name}: Host name lookup failure\n`);
  return FAILED;
}

const entries = (p: Process): Neigh[] => p.netns.neigh.filter(n => n.ip.length === 4 && !n.proxy && neighState(p.netns, n) !== 'NOARP');

function* bsdRow(p: Process, u: Userland, n: Neigh, numeric: boolean): Co<string> {
  const name = (numeric ? null : yield* getnameinfo(p, n.ip, u.libc)) ?? '?';
  const at = n.mac ? `${n.mac} [ether]${n.state === 'PERMANENT' ? ' PERM' : ''}` : '<incomplete>';
  return `${name} (${formatIp(n.ip)}) at ${at} on ${p.netns.links.get(n.dev)?.name ?? ''}\n`;
}

function linuxRow(p: Process, n: Neigh, name: string | null): string {
  const dev = p.netns.links.get(n.dev)?.name ?? '';
  const host = (name ?? formatIp(n.ip)).slice(0, 23).padEnd(23);
  if (!n.mac) return `${host}  ${''.padEnd(8)}${'(incomplete)'.padEnd(20)}                      ${dev}\n`;
  const flags = (n.state === 'PERMANENT' ? 'CM' : 'C').padEnd(6);
  return `${host}  ${'ether'.padEnd(8)}${n.mac.padEnd(20)}${flags}                ${dev}\n`;
}

/** BusyBox lists like BSD, and takes no names. */
const busyboxArp = (u: Userland): Program =>
  function* arp(p: Process): Co<number> {
    const o = letters(p.argv);
    const words = p.argv.slice(1).filter(a => !a.startsWith('-'));
    if (o.includes('d') || o.includes('s')) {
      const ip = parseIp(words[0] ?? '');
      if (ip) return change(p, o.includes('d'), words[0], ip, words[1] ?? '');
      complain(p, `${words[0] ?? ''}: Unknown host\n`);
      return FAILED;
    }
    const iface = p.argv.includes('-i') ? p.argv[p.argv.indexOf('-i') + 1] : null;
    const only = words.filter(w => w !== iface)[0];
    const rows = entries(p).filter(n => (!iface || p.netns.links.get(n.dev)?.name === iface) && (!only || formatIp(n.ip) === only));
    if (only && !rows.length) {
      print(p, `${only} (${only}) -- no entry\n`);
      return 1;
    }
    for (const n of rows) {
      const name = (o.includes('n') ? null : yield* getnameinfo(p, n.ip, u.libc)) ?? '?';
      const at = n.mac ? `${n.mac} [ether] ${n.state === 'PERMANENT' ? 'PERM ' : ''}` : '<incomplete> ';
      print(p, `${name} (${formatIp(n.ip)}) at ${at} on ${p.netns.links.get(n.dev)?.name ?? ''}\n`);
    }
    return 0;
  };

function change(p: Process, remove: boolean, name: string, ip: Ip, mac: string): number {
  if (!p.caps.has('NET_ADMIN')) {
    complain(p, `${remove ? 'SIOCDARP(dontpub)' : 'SIOCSARP'}: Operation not permitted\n`);
    return FAILED;
  }
  const dev =
    sortedLinks(p).find(l => p.netns.neigh.some(n => n.dev === l.ifindex && sameIp(n.ip, ip))) ??
    sortedLinks(p).find(l => l.up && l.kind !== 'loopback');
  if (!dev) return FAILED;
  if (!remove) setNeigh(p.netns, ip, dev, mac.toLowerCase(), 'PERMANENT');
  else if (!removeNeigh(p.netns, ip, dev)) {
    print(p, `No ARP entry for ${name}\n`);
    return FAILED;
  }
  p.netns.dirty.add('neigh');
  return 0;
}

export const arpProgram = (u: Userland): Program => arp(u);

export const busyboxArpProgram = (u: Userland): Program => busyboxArp(u);
