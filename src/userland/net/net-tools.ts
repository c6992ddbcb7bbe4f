// net-tools 2.10 and BusyBox' applets of the same names: netstat, route, arp, ifconfig.
import { addAddress, broadcastOf, linkByName, operState, removeAddress, setMac, setUp } from '../../linux/link.ts';
import { neighState, removeNeigh, setNeigh } from '../../linux/neigh.ts';
import { complain, print, strerror } from '../../linux/process.ts';
import { linkFlags, sortRoutes } from '../../linux/procfs.ts';
import { addRoute, removeRoute } from '../../linux/route.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Link, Process, Program, Route } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Cidr, formatIp, type Ip, parseCidr, parseIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { addressText, holder, isListening, ofType, queues, serviceName } from './socket-rows.ts';

const maskOf = (bits: number): Ip => Uint8Array.from({ length: 4 }, (_, i) => (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff);

function maskBits(text: string): number | null {
  const ip = parseIp(text);
  if (ip?.length !== 4) return null;
  const bits = Array.from(ip, x => x.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.replace(/0/g, '').length : null;
}

const sortedLinks = (p: Process): Link[] => [...p.netns.links.values()].sort((a, b) => a.ifindex - b.ifindex);

interface RouteRow {
  dst: string;
  via: string;
  mask: string;
  flags: string;
  metric: number;
  dev: string;
}

function routeRows(p: Process, numeric: boolean, busybox: boolean): RouteRow[] {
  const routes = sortRoutes((p.netns.tables.get(254) ?? []).filter(r => r.dst.ip.length === 4 && r.kind !== 'blackhole'));
  return routes.map(r => {
    const hop = r.nexthops?.[0] ?? { via: r.via, dev: r.dev };
    const reject = r.kind === 'unreachable' || r.kind === 'prohibit';
    const flags = `${reject ? '!' : 'U'}${hop.via ? 'G' : ''}${r.dst.bits === 32 ? 'H' : ''}`;
    return {
      dst: r.dst.bits === 0 && !numeric ? 'default' : formatIp(r.dst.ip),
      via: hop.via ? formatIp(hop.via) : reject ? '-' : numeric ? '0.0.0.0' : busybox ? '*' : '0.0.0.0',
      mask: formatIp(maskOf(r.dst.bits)),
      flags,
      metric: r.metric,
      dev: p.netns.links.get(hop.dev ?? 0)?.name ?? '-',
    };
  });
}

/** `route -n` and, with MSS columns, `netstat -rn`. */
function printRoutes(p: Process, numeric: boolean, extended: boolean, busybox: boolean): void {
  print(p, 'Kernel IP routing table\n');
  const tail = extended ? 'Flags   MSS Window  irtt Iface' : 'Flags Metric Ref    Use Iface';
  print(p, `Destination     Gateway         Genmask         ${tail}\n`);
  for (const r of routeRows(p, numeric, busybox)) {
    const head = `${r.dst.padEnd(15)} ${r.via.padEnd(15)} ${r.mask.padEnd(15)} `;
    if (extended) print(p, `${head}${r.flags.padEnd(9)} 0 0          0 ${r.dev}\n`);
    else print(p, `${head}${r.flags.padEnd(5)} ${String(r.metric).padEnd(6)} 0        0 ${r.dev}\n`);
  }
}

const letters = (argv: string[]): string =>
  argv
    .slice(1)
    .filter(a => a.startsWith('-'))
    .map(a => {
      const long: Record<string, string> = {
        '--numeric': 'n',
        '--all': 'a',
        '--listening': 'l',
        '--tcp': 't',
        '--udp': 'u',
        '--program': 'p',
        '--programs': 'p',
        '--route': 'r',
        '--interfaces': 'i',
        '--statistics': 's',
      };
      return a.startsWith('--') ? (long[a] ?? '') : a.slice(1);
    })
    .join('');

const NETSTAT_STATES: Record<string, string> = {
  ESTAB: 'ESTABLISHED',
  'SYN-SENT': 'SYN_SENT',
  'SYN-RECV': 'SYN_RECV',
  'FIN-WAIT-1': 'FIN_WAIT1',
  'FIN-WAIT-2': 'FIN_WAIT2',
  'TIME-WAIT': 'TIME_WAIT',
  'CLOSE-WAIT': 'CLOSE_WAIT',
  'LAST-ACK': 'LAST_ACK',
  LISTEN: 'LISTEN',
  CLOSING: 'CLOSING',
};

const netstat = (u: Userland, busybox: boolean): Program =>
  function* netstat(p: Process): Co<number> {
    const o = letters(p.argv);
    if (o.includes('r')) {
      printRoutes(p, o.includes('n'), true, busybox);
      return 0;
    }
    if (o.includes('i')) {
      interfaces(p);
      return 0;
    }
    connections(p, o, busybox, u);
    return 0;
  };

function connections(p: Process, o: string, busybox: boolean, _u: Userland): void {
  const numeric = o.includes('n');
  const programs = o.includes('p');
  const which = o.includes('a') ? 'servers and established' : o.includes('l') ? 'only servers' : 'w/o servers';
  const types: Socket['type'][] = /[tuw]/.test(o)
    ? [
        ...(o.includes('t') ? ['tcp' as const] : []),
        ...(o.includes('u') ? ['udp' as const] : []),
        ...(o.includes('w') ? ['raw' as const] : []),
      ]
    : ['tcp', 'udp'];
  print(p, `Active Internet connections (${which})\n`);
  print(
    p,
    `Proto Recv-Q Send-Q Local Address           Foreign Address         State       ${programs ? 'PID/Program name    ' : ''}\n`.replace(
      / {7}\n$/,
      busybox ? '       \n' : '      \n',
    ),
  );
  const port = (s: Socket, n: number) => (n === 0 ? '*' : numeric ? String(n) : serviceName(n, s.type === 'udp' ? 'udp' : 'tcp'));
  for (const type of types) {
    const all = ofType(p.netns, type).filter(s => o.includes('a') || isListening(s) === o.includes('l'));
    for (const s of [...all.filter(x => x.family === 4), ...all.filter(x => x.family === 6)]) {
      const proto = `${s.type}${s.family === 6 && !busybox ? '6' : ''}`;
      const queue = s.state === 'LISTEN' ? [queues(s)[0], 0] : queues(s);
      const local = `${addressText(s, 'local', 'netstat')}:${port(s, s.localPort)}`;
      const remote = `${addressText(s, 'remote', 'netstat')}:${port(s, s.remotePort)}`;
      const state = s.type === 'tcp' ? (NETSTAT_STATES[s.state] ?? s.state) : s.remote ? 'ESTABLISHED' : '';
      let line = `${proto.padEnd(4)}  ${String(queue[0]).padStart(6)} ${String(queue[1]).padStart(6)} ${local.padEnd(23)} ${remote.padEnd(23)} ${state.padEnd(busybox ? 11 : 11)} `;
      if (programs) {
        const h = holder(s);
        line += h ? `${h.p.pid}/${h.name}`.padEnd(busybox ? 0 : 20) : '-'.padEnd(busybox ? 0 : 20);
      } else if (!busybox) line = line.slice(0, -1);
      print(p, `${line}\n`);
    }
  }
}

function interfaces(p: Process): void {
  print(p, 'Kernel Interface table\n');
  print(p, 'Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n');
  for (const l of sortedLinks(p).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const c = l.counters;
    const flags = `${l.kind === 'loopback' ? 'L' : 'BM'}${operState(l) === 'DOWN' ? '' : 'R'}${l.up ? 'U' : ''}`;
    print(
      p,
      `${l.name.padEnd(16)} ${String(l.mtu).padStart(5)} ${String(c.rxPackets).padStart(8)}      0 ${String(c.rxDropped).padStart(6)} 0      ${String(c.txPackets).padStart(8)}      0 ${String(c.txDropped).padStart(6)}      0 ${flags}\n`,
    );
  }
}

const routeTool = (_u: Userland, busybox: boolean): Program =>
  function* route(p: Process): Co<number> {
    const words = p.argv.slice(1).filter(a => !/^-[neAv]+$/.test(a) && a !== '-4');
    const at = words.findIndex(w => w === 'add' || w === 'del' || w === 'delete');
    if (at < 0) {
      printRoutes(p, letters(p.argv).includes('n'), letters(p.argv).includes('e'), busybox);
      return 0;
    }
    return changeRoute(p, words[at] === 'add', words.slice(at + 1), busybox);
  };

function changeRoute(p: Process, add: boolean, words: string[], busybox: boolean): number {
  const r: Partial<Route> = {};
  let dst: Cidr | null = null;
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    if (w === '-net' || w === '-host') continue;
    if (w === 'gw') r.via = parseIp(words[++i] ?? '');
    else if (w === 'dev') r.dev = linkByName(p.netns, words[++i] ?? '')?.ifindex ?? -1;
    else if (w === 'metric') r.metric = Number(words[++i]);
    else if (w === 'netmask') {
      const bits = maskBits(words[++i] ?? '');
      if (dst && bits !== null) dst = { ip: dst.ip, bits };
    } else if (w === 'reject') r.kind = 'unreachable';
    else if (dst && linkByName(p.netns, w)) r.dev = linkByName(p.netns, w)?.ifindex;
    else dst = w === 'default' ? { ip: new Uint8Array(4), bits: 0 } : parseCidr(w);
    if (!dst && w !== 'gw' && w !== 'dev') {
      complain(p, `${w}: ${busybox ? 'bad address' : 'Unknown host'}\n`);
      return busybox ? 1 : 6;
    }
  }
  const say = (text: string): number => {
    complain(p, busybox ? `route: ${text}\n` : `${text}\n`);
    return busybox ? 1 : 7;
  };
  const call = add ? 'SIOCADDRT' : 'SIOCDELRT';
  if (!dst) return say('Usage: inet_route [-vF] del {-host|-net} Target[/prefix] [gw Gw] [metric M] [[dev] If]');
  if (!p.caps.has('NET_ADMIN')) return say(busybox ? `${call}: Operation not permitted` : `${call}: Operation not permitted`);
  if (r.dev === -1) return say(`${call}: No such device`);
  const e = add ? addRoute(p.netns, { ...r, dst }) : removeRoute(p.netns, { ...r, dst });
  if (e) return say(`${call}: ${strerror(e)}`);
  p.netns.dirty.add('routes');
  return 0;
}

const arpTool = (_u: Userland, busybox: boolean): Program =>
  function* arp(p: Process): Co<number> {
    const o = letters(p.argv);
    const words = p.argv.slice(1).filter(a => !a.startsWith('-'));
    if (o.includes('d') || o.includes('s')) return changeArp(p, o.includes('d'), words);
    const iface = p.argv.includes('-i') ? p.argv[p.argv.indexOf('-i') + 1] : null;
    const only = words.filter(w => w !== iface)[0];
    const rows = p.netns.neigh.filter(n => {
      const dev = p.netns.links.get(n.dev)?.name;
      return (
        n.ip.length === 4 &&
        !n.proxy &&
        neighState(p.netns, n) !== 'NOARP' &&
        (!iface || dev === iface) &&
        (!only || formatIp(n.ip) === only)
      );
    });
    if (only && !rows.length) {
      print(p, `${only} (${only}) -- no entry\n`);
      return 1;
    }
    if (o.includes('a') || busybox) {
      for (const n of rows) {
        const dev = p.netns.links.get(n.dev)?.name ?? '';
        const at = n.mac ? `${n.mac} [ether] ${n.state === 'PERMANENT' ? 'PERM ' : ''}` : '<incomplete> ';
        print(p, `? (${formatIp(n.ip)}) at ${busybox ? at : at.trimEnd().concat(' ')}${busybox ? ' ' : ''}on ${dev}\n`);
      }
      return 0;
    }
    if (!rows.length) return 0;
    print(p, 'Address                  HWtype  HWaddress           Flags Mask            Iface\n');
    for (const n of rows) {
      const dev = p.netns.links.get(n.dev)?.name ?? '';
      const ip = formatIp(n.ip).padEnd(23);
      if (n.mac)
        print(
          p,
          `${ip}  ${'ether'.padEnd(8)}${n.mac.padEnd(20)}${(n.state === 'PERMANENT' ? 'CM' : 'C').padEnd(6)}                ${dev}\n`,
        );
      else print(p, `${ip}  ${''.padEnd(8)}${'(incomplete)'.padEnd(20)}                      ${dev}\n`);
    }
    return 0;
  };

function changeArp(p: Process, remove: boolean, words: string[]): number {
  const ip = parseIp(words[0] ?? '');
  if (!ip) {
    complain(p, `${words[0] ?? ''}: Unknown host\n`);
    return 255;
  }
  if (!p.caps.has('NET_ADMIN')) {
    complain(p, `${remove ? 'SIOCDARP(dontpub)' : 'SIOCSARP'}: Operation not permitted\n`);
    return 255;
  }
  const dev =
    sortedLinks(p).find(l => p.netns.neigh.some(n => n.dev === l.ifindex && formatIp(n.ip) === words[0])) ??
    sortedLinks(p).find(l => l.up && l.kind !== 'loopback');
  if (!dev) return 255;
  if (remove) {
    if (!removeNeigh(p.netns, ip, dev)) {
      complain(p, 'No ARP entry for '.concat(words[0], '\n'));
      return 255;
    }
  } else setNeigh(p.netns, ip, dev, words[1] ?? '', 'PERMANENT');
  p.netns.dirty.add('neigh');
  return 0;
}

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

const SCOPE6 = { link: '0x20<link>', global: '0x0<global>', host: '0x10<host>' } as const;
const BUSYBOX_SCOPE = { link: 'Link', global: 'Global', host: 'Host' } as const;

function ifconfigText(l: Link): string {
  const c = l.counters;
  const flags = linkFlags(l);
  const names = [
    [1, 'UP'],
    [2, 'BROADCAST'],
    [8, 'LOOPBACK'],
    [0x10, 'POINTOPOINT'],
    [0x40, 'RUNNING'],
    [0x80, 'NOARP'],
    [0x1000, 'MULTICAST'],
  ].filter(([bit]) => flags & (bit as number));
  const lines = [`${l.name}: flags=${flags}<${names.map(x => x[1]).join(',')}>  mtu ${l.mtu}`];
  const first = l.addresses.find(a => a.ip.length === 4);
  if (first) {
    const brd = first.broadcast ?? (l.kind === 'loopback' ? null : first.bits === 32 ? Uint8Array.from([0, 0, 0, 0]) : null);
    lines.push(
      `        inet ${formatIp(first.ip)}  netmask ${formatIp(maskOf(first.bits))}${l.kind === 'loopback' ? '' : `  broadcast ${formatIp(brd ?? new Uint8Array(4))}`}`,
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

function busyboxIfconfigText(l: Link): string {
  const c = l.counters;
  const encap =
    l.kind === 'loopback' ? 'Local Loopback  ' : l.kind === 'ipip' ? 'IPIP Tunnel  HWaddr   ' : `Ethernet  HWaddr ${l.mac.toUpperCase()}  `;
  const lines = [`${l.name.padEnd(9)} Link encap:${encap}`];
  const pad = ' '.repeat(10);
  const first = l.addresses.find(a => a.ip.length === 4);
  if (first) {
    const brd = l.kind === 'loopback' ? '' : `  Bcast:${formatIp(first.broadcast ?? new Uint8Array(4))}`;
    lines.push(`${pad}inet addr:${formatIp(first.ip)}${brd}  Mask:${formatIp(maskOf(first.bits))}`);
  }
  for (const a of l.addresses)
    if (a.ip.length === 16) lines.push(`${pad}inet6 addr: ${formatIp(a.ip)}/${a.bits} Scope:${BUSYBOX_SCOPE[a.scope]}`);
  const flags = linkFlags(l);
  const names = [
    [1, 'UP'],
    [2, 'BROADCAST'],
    [8, 'LOOPBACK'],
    [0x10, 'POINTOPOINT'],
    [0x40, 'RUNNING'],
    [0x80, 'NOARP'],
    [0x1000, 'MULTICAST'],
  ].filter(([bit]) => flags & (bit as number));
  lines.push(`${pad}${names.map(x => x[1]).join(' ') || '[NO FLAGS]'}  MTU:${l.mtu}  Metric:1`);
  lines.push(`${pad}RX packets:${c.rxPackets} errors:0 dropped:${c.rxDropped} overruns:0 frame:0`);
  lines.push(`${pad}TX packets:${c.txPackets} errors:0 dropped:${c.txDropped} overruns:0 carrier:0`);
  lines.push(`${pad}collisions:0 txqueuelen:${l.txqlen} `);
  lines.push(`${pad}RX bytes:${c.rxBytes} (${human(c.rxBytes, true)})  TX bytes:${c.txBytes} (${human(c.txBytes, true)})`);
  return `${lines.join('\n')}\n\n`;
}

const ifconfig = (_u: Userland, busybox: boolean): Program =>
  function* ifconfig(p: Process): Co<number> {
    const all = p.argv.includes('-a');
    const words = p.argv.slice(1).filter(a => a !== '-a' && a !== '-s' && a !== '-v');
    const text = busybox ? busyboxIfconfigText : ifconfigText;
    if (!words.length) {
      const links = sortedLinks(p).filter(l => all || l.up);
      for (const l of links.sort((a, b) => (a.name < b.name ? -1 : 1))) print(p, text(l));
      return 0;
    }
    const l = linkByName(p.netns, words[0]);
    if (!l) {
      complain(
        p,
        busybox
          ? `ifconfig: ${words[0]}: error fetching interface information: Device not found\n`
          : `${words[0]}: error fetching interface information: Device not found\n`,
      );
      return 1;
    }
    if (words.length === 1) {
      print(p, text(l));
      return 0;
    }
    return configure(p, l, words.slice(1), busybox);
  };

function configure(p: Process, l: Link, words: string[], busybox: boolean): number {
  if (!p.caps.has('NET_ADMIN')) {
    complain(p, `${busybox ? 'ifconfig: ' : ''}SIOCSIFFLAGS: Operation not permitted\n`);
    return busybox ? 1 : 255;
  }
  let ip: Cidr | null = null;
  let bits: number | null = null;
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    if (w === 'up' || w === 'down') setUp(l, w === 'up');
    else if (w === 'mtu') l.mtu = Number(words[++i]);
    else if (w === 'netmask') bits = maskBits(words[++i] ?? '');
    else if (w === 'broadcast') i++;
    else if (w === 'hw') {
      i++;
      setMac(l, words[++i] ?? l.mac);
    } else if (w === 'promisc' || w === '-promisc') l.promisc = w === 'promisc';
    else if (w === 'add' || w === 'inet6') ip = parseCidr(words[++i] ?? '');
    else ip = parseCidr(w);
  }
  if (ip) {
    for (const a of [...l.addresses]) if (a.ip.length === ip.ip.length && ip.ip.length === 4) removeAddress(l, a.ip, a.bits);
    const classful = ip.ip[0] < 128 ? 8 : ip.ip[0] < 192 ? 16 : 24;
    const n = bits ?? (ip.bits < 32 || ip.ip.length === 16 ? ip.bits : classful);
    addAddress(l, ip.ip, n, { broadcast: broadcastOf(ip.ip, n) });
    setUp(l, true);
  }
  p.netns.dirty.add('links').add('routes');
  return 0;
}

export const netstatProgram = (u: Userland): Program => netstat(u, false);
export const busyboxNetstatProgram = (u: Userland): Program => netstat(u, true);
export const routeProgram = (u: Userland): Program => routeTool(u, false);
export const busyboxRouteProgram = (u: Userland): Program => routeTool(u, true);
export const arpProgram = (u: Userland): Program => arpTool(u, false);
export const busyboxArpProgram = (u: Userland): Program => arpTool(u, true);
export const ifconfigProgram = (u: Userland): Program => ifconfig(u, false);
export const busyboxIfconfigProgram = (u: Userland): Program => ifconfig(u, true);
