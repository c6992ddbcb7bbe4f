// ifconfig (net-tools 2.10 and BusyBox).
import { operState } from '../../linux/carrier.ts';
import { addAddress, broadcastOf, linkByName, removeAddress, setMac, setUp } from '../../linux/link.ts';
import { maskOf } from '../../linux/netfilter/values.ts';
import { complain, print, strerror } from '../../linux/process.ts';
import { linkFlags } from '../../linux/procfs.ts';
import type { Link, Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Cidr, formatIp, type Ip, parseCidr, parseIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { netmaskBits, sortedLinks } from './net-tools.ts';
import { IFCONFIG_USAGE, IFCONFIG_VERSION } from './usage/net-tools.ts';

/** 531.1 KiB and the like. */
function human(bytes: number, busybox: boolean): string {
  if (busybox) {
    let n = bytes;
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let i = 0;
    while (n >= 1024 && i < 4) {
      n /= 1024;
      i++;
    }
    return `${n.toFixed(1)} ${units[i]}`;
  }
  const steps: [number, string][] = [
    [1024 ** 4, 'TiB'],
    [1024 ** 3, 'GiB'],
    [1024 ** 2, 'MiB'],
    [1024, 'KiB'],
  ];
  for (const [size, unit] of steps) if (bytes >= size) return `${(Math.floor((bytes * 10) / size) / 10).toFixed(1)} ${unit}`;
  return `${bytes.toFixed(1)} B`;
}

const FLAGS: [bit: number, name: string][] = [
  [1, 'UP'],
  [2, 'BROADCAST'],
  [8, 'LOOPBACK'],
  [0x10, 'POINTOPOINT'],
  [0x40, 'RUNNING'],
  [0x80, 'NOARP'],
  [0x1000, 'MULTICAST'],
];

const flagNames = (flags: number): string[] => FLAGS.filter(([bit]) => flags & bit).map(([, name]) => name);

const SCOPE6 = { link: '0x20<link>', global: '0x0<global>', host: '0x10<host>' } as const;

const BUSYBOX_SCOPE = { link: 'Link', global: 'Global', host: 'Host' } as const;

export function ifconfigText(l: Link): string {
  const c = l.counters;
  const flags = linkFlags(l);
  const names = flagNames(flags);
  const lines = [`${l.name}: flags=${flags}<${names.join(',')}>  mtu ${l.mtu}`];
  const first = l.addresses.find(a => a.ip.length === 4 && (a.label ?? l.name) === l.name);
  if (first) {
    const brd = first.broadcast ?? (l.kind === 'loopback' ? null : first.bits === 32 ? Uint8Array.from([0, 0, 0, 0]) : null);
    lines.push(
      `        inet ${formatIp(first.ip)}  netmask ${formatIp(maskOf(first.bits, 4))}${l.kind === 'loopback' ? '' : `  broadcast ${formatIp(brd ?? new Uint8Array(4))}`}`,
    );
  }
  for (const a of l.addresses)
    if (a.ip.length === 16) lines.push(`        inet6 ${formatIp(a.ip)}  prefixlen ${a.bits}  scopeid ${SCOPE6[a.scope]}`);
  if (l.kind === 'loopback') lines.push(`        loop  txqueuelen ${l.txqlen}  (Local Loopback)`);
  else if (l.kind === 'ipip') lines.push(`        tunnel   txqueuelen ${l.txqlen}  (IPIP Tunnel)`);
  else lines.push(`        ether ${l.mac}  txqueuelen ${l.txqlen}  (Ethernet)`);
  lines.push(`        RX packets ${c.rxPackets}  bytes ${c.rxBytes} (${human(c.rxBytes, false)})`);
  lines.push(`        RX errors 0  dropped ${c.rxDropped}  overruns 0  frame 0`);
  lines.push(`        TX packets ${c.txPackets}  bytes ${c.txBytes} (${human(c.txBytes, false)})`);
  lines.push(`        TX errors 0  dropped ${c.txDropped} overruns 0  carrier 0  collisions 0`);
  return `${lines.join('\n')}\n\n`;
}

export const INTERFACE_ROWS = 'Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n';

/** A row of `netstat -i` and `ifconfig -s`. */
export function interfaceRow(l: Link): string {
  const c = l.counters;
  const flags = `${l.kind === 'loopback' ? 'L' : 'BM'}${operState(l) === 'DOWN' ? '' : 'R'}${l.up ? 'U' : ''}`;
  const [rx, tx] = [c.rxPackets, c.txPackets].map(n => String(n).padStart(8));
  const head = `${l.name.slice(0, 15).padEnd(15)} ${String(l.mtu).padStart(5)} `;
  return `${head}${rx}      0 ${String(c.rxDropped).padStart(6)} 0      ${tx}      0 ${String(c.txDropped).padStart(6)}      0 ${flags}\n`;
}

function busyboxIfconfigText(l: Link): string {
  const c = l.counters;
  const encap =
    l.kind === 'loopback' ? 'Local Loopback  ' : l.kind === 'ipip' ? 'IPIP Tunnel  HWaddr   ' : `Ethernet  HWaddr ${l.mac.toUpperCase()}  `;
  const lines = [`${l.name.padEnd(9)} Link encap:${encap}`];
  const pad = ' '.repeat(10);
  const first = l.addresses.find(a => a.ip.length === 4);
  if (first) {
    const brd = l.kind === 'loopback' ? '' : `  Bcast:${formatIp(first.broadcast ?? new Uint8Array(4))}`;
    lines.push(`${pad}inet addr:${formatIp(first.ip)}${brd}  Mask:${formatIp(maskOf(first.bits, 4))}`);
  }
  for (const a of l.addresses)
    if (a.ip.length === 16) lines.push(`${pad}inet6 addr: ${formatIp(a.ip)}/${a.bits} Scope:${BUSYBOX_SCOPE[a.scope]}`);
  const flags = linkFlags(l);
  const names = flagNames(flags);
  lines.push(`${pad}${names.join(' ') || '[NO FLAGS]'}  MTU:${l.mtu}  Metric:1`);
  lines.push(`${pad}RX packets:${c.rxPackets} errors:0 dropped:${c.rxDropped} overruns:0 frame:0`);
  lines.push(`${pad}TX packets:${c.txPackets} errors:0 dropped:${c.txDropped} overruns:0 carrier:0`);
  lines.push(`${pad}collisions:0 txqueuelen:${l.txqlen} `);
  lines.push(`${pad}RX bytes:${c.rxBytes} (${human(c.rxBytes, true)})  TX bytes:${c.txBytes} (${human(c.txBytes, true)})`);
  return `${lines.join('\n')}\n\n`;
}

const NOTHING = "ifconfig: `--help' gives usage information.\n";

/** net-tools' exit code of a wrong command line. */
const E_USAGE = 3;

const ifconfig = (_u: Userland, busybox: boolean): Program =>
  function* ifconfig(p: Process): Co<number> {
    const options = p.argv.slice(1, 1 + p.argv.slice(1).findIndex(a => !a.startsWith('-')) || undefined).filter(a => a.startsWith('-'));
    const all = options.includes('-a');
    const odd = busybox ? undefined : options.find(a => !/^-[asv]$|^--?(help|version)$|^-[hV?]$/.test(a));
    if (odd) {
      complain(p, `ifconfig: option \`${odd}' not recognised.\n${NOTHING}`);
      return 1;
    }
    if (!busybox && options.some(a => /^-V$|version$/.test(a))) {
      print(p, IFCONFIG_VERSION);
      return 0;
    }
    if (!busybox && options.some(a => /^-[h?]$|help$/.test(a))) {
      print(p, IFCONFIG_USAGE[0]);
      complain(p, IFCONFIG_USAGE[1]);
      return 0;
    }
    const words = p.argv.slice(1).filter(a => !options.includes(a));
    const short = !busybox && options.includes('-s');
    const text = busybox ? busyboxIfconfigText : short ? interfaceRow : ifconfigText;
    if (short) print(p, INTERFACE_ROWS.replace('Iface             ', 'Iface      '));
    if (!words.length) {
      const links = sortedLinks(p).filter(l => all || l.up);
      for (const l of links.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        print(p, text(l));
        if (!busybox && !short) for (const label of aliasesOf(l)) print(p, aliasText(l, label));
      }
      return 0;
    }
    const [name, alias] = [words[0].replace(/:.*/, ''), words[0].includes(':') ? words[0] : null];
    const l = linkByName(p.netns, name);
    if (!l || (alias && words.length === 1 && !aliasesOf(l).includes(alias))) {
      const missing =
        words.length > 1 && !busybox
          ? 'ERROR while getting interface flags: No such device'
          : 'error fetching interface information: Device not found';
      if (busybox && words.length > 1) complain(p, 'ifconfig: SIOCGIFFLAGS: No such device\n');
      else complain(p, `${busybox ? 'ifconfig: ' : ''}${words[0]}: ${missing}\n`);
      return words.length > 1 && !busybox ? 255 : 1;
    }
    if (words.length === 1) {
      print(p, alias ? aliasText(l, alias) : text(l));
      return 0;
    }
    return configure(p, l, words.slice(1), { busybox, alias });
  };

/** Labels that are other names of the device: eth0:0. */
const aliasesOf = (l: Link): string[] => [...new Set(l.addresses.flatMap(a => (a.label && a.label !== l.name ? [a.label] : [])))];

/** An alias has its address and no counters. */
function aliasText(l: Link, label: string): string {
  const [head, ...lines] = ifconfigText({ ...l, name: label, addresses: l.addresses.filter(a => a.label === label) }).split('\n');
  return `${[head, ...lines.filter(line => line && !/^ +[RT]X /.test(line))].join('\n')}\n\n`;
}

interface Manner {
  busybox: boolean;
  alias: string | null;
}

function configure(p: Process, l: Link, words: string[], m: Manner): number {
  const say = (text: string, code = 1): number => {
    complain(p, `${m.busybox ? 'ifconfig: ' : ''}${text}\n`);
    return code;
  };
  if (!p.caps.has('NET_ADMIN')) return say('SIOCSIFFLAGS: Operation not permitted', m.busybox ? 1 : 255);
  let ip: Cidr | null = null;
  let bits: number | null = null;
  let broadcast: Ip | null = null;
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    if (TAKES_ONE.has(w) && words[i + 1] === undefined) {
      if (!m.busybox) complain(p, IFCONFIG_USAGE.join(''));
      return m.busybox ? say(`bad argument count for ${w}`) : E_USAGE;
    }
    if (w === 'up' || w === 'down') {
      if (m.alias && w === 'down') dropAlias(l, m.alias);
      else setUp(l, w === 'up');
    } else if (w === 'mtu') {
      const mtu = Number.parseInt(words[++i], 10) || 0;
      if (mtu < 68 || (mtu > 65_535 && l.kind !== 'loopback')) return say('SIOCSIFMTU: Invalid argument');
      l.mtu = mtu;
    } else if (w === 'netmask') {
      bits = netmaskBits(words[++i]);
      if (bits === null) return say('SIOCSIFNETMASK: Invalid argument');
    } else if (w === 'broadcast') broadcast = parseIp(words[++i] ?? '');
    else if (w === 'txqueuelen') l.txqlen = Number.parseInt(words[++i], 10) || 0;
    else if (w === 'hw') {
      const mac = words[i + 2] ?? '';
      i += 2;
      if (!/^([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}$/.test(mac)) return say(`${mac}: invalid ${words[i - 1]} address.`);
      setMac(l, mac.toLowerCase());
    } else if (w === 'promisc' || w === '-promisc') l.promisc = w === 'promisc';
    else if (w === 'arp' || w === '-arp') l.noarp = w === '-arp';
    else if (w === 'inet' || w === 'multicast' || w === 'allmulti' || w === '-allmulti') continue;
    else if (w === 'del') {
      const gone = parseCidr(words[++i] ?? '');
      const e = gone ? removeAddress(l, gone.ip, gone.bits) : 'EINVAL';
      if (e) return say(`SIOCDIFADDR: ${strerror(e)}`);
    } else {
      const text = w === 'add' || w === 'inet6' ? (words[++i] ?? '') : w;
      ip = parseCidr(text);
      if (!ip) return m.busybox ? say(`bad address '${text}'`) : say(`${text}: Host name lookup failure\n${NOTHING.trimEnd()}`);
    }
  }
  if (ip) {
    const own = m.alias ?? l.name;
    for (const a of [...l.addresses])
      if (a.ip.length === 4 && ip.ip.length === 4 && (a.label ?? l.name) === own) removeAddress(l, a.ip, a.bits);
    const classful = ip.ip[0] < 128 ? 8 : ip.ip[0] < 192 ? 16 : 24;
    const n = bits ?? (ip.bits < 32 || ip.ip.length === 16 ? ip.bits : classful);
    addAddress(l, ip.ip, n, {
      broadcast: broadcast ?? (l.kind === 'loopback' ? null : broadcastOf(ip.ip, n)),
      label: m.alias ?? undefined,
    });
    setUp(l, true);
  } else if (bits !== null) remask(l, m.alias ?? l.name, bits);
  p.netns.dirty.add('links').add('routes');
  return 0;
}

const TAKES_ONE = new Set(['mtu', 'netmask', 'broadcast', 'txqueuelen', 'add', 'del', 'inet6']);

function dropAlias(l: Link, label: string): void {
  for (const a of [...l.addresses]) if (a.label === label) removeAddress(l, a.ip, a.bits);
}

/** A netmask alone is the address' that is there. */
function remask(l: Link, label: string, bits: number): void {
  const a = l.addresses.find(x => x.ip.length === 4 && (x.label ?? l.name) === label);
  if (!a || a.bits === bits) return;
  removeAddress(l, a.ip, a.bits);
  addAddress(l, a.ip, bits, { broadcast: broadcastOf(a.ip, bits), label: a.label });
}

export const ifconfigProgram = (u: Userland): Program => ifconfig(u, false);

export const busyboxIfconfigProgram = (u: Userland): Program => ifconfig(u, true);
