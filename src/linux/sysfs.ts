// /sys/class/net as scripts and CNI plugins read it (Documentation/ABI/testing/sysfs-class-net).
import { bytesToString, stringToBytes } from '../sim/bytes.ts';
import { portsOf } from './bridge-fdb.ts';
import { hasCarrier, operState } from './carrier.ts';
import { setUp, sortLinks } from './link.ts';
import { linkFlags } from './procfs.ts';
import type { Errno, Kernel, Link, Netns, Process } from './types.ts';
import { type DirNode, type FileNode, type FsNode, newDir } from './vfs.ts';

const file = (make: () => string | number, write?: (text: string) => Errno | null): FileNode => {
  const f: FileNode = { kind: 'file', data: () => stringToBytes(`${make()}\n`), mode: write ? 0o644 : 0o444, uid: 0, mtimeMs: 0 };
  f.onWrite = (data, p) => {
    if (p && !p.caps.has('SYS_ADMIN')) return 'EROFS';
    return write ? write(bytesToString(data).trim()) : 'EACCES';
  };
  return f;
};

function dir(entries: [string, FsNode][]): DirNode {
  const d = newDir(0o755);
  for (const [name, node] of entries) d.entries.set(name, node);
  d.readOnly = true;
  return d;
}

const TYPES: Partial<Record<Link['kind'], number>> = { loopback: 772, ipip: 768, tun: 65534 };

function linkDir(link: Link): DirNode {
  const c = link.counters;
  const count = (name: keyof Link['counters']) => file(() => c[name]);
  const zero = file(() => 0);
  const entries: [string, FsNode][] = [
    ['address', file(() => link.mac)],
    ['broadcast', file(() => (link.kind === 'loopback' ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'))],
    ['carrier', file(() => (hasCarrier(link) ? 1 : 0))],
    [
      'flags',
      file(
        () => `0x${linkFlags(link).toString(16)}`,
        v => setFlags(link, v),
      ),
    ],
    ['ifalias', file(() => link.alias ?? '')],
    ['ifindex', file(() => link.ifindex)],
    ['iflink', file(() => (link.kind === 'veth' ? (link.peer?.ifindex ?? link.ifindex) : link.kind === 'ipip' ? 0 : link.ifindex))],
    [
      'mtu',
      file(
        () => link.mtu,
        v => setMtu(link, v),
      ),
    ],
    ['operstate', file(() => operState(link).toLowerCase())],
    ['speed', file(() => (link.kind === 'veth' || link.kind === 'bridge' ? 10000 : 1000))],
    ['tx_queue_len', file(() => link.txqlen)],
    ['type', file(() => TYPES[link.kind] ?? 1)],
    [
      'statistics',
      dir([
        ['rx_bytes', count('rxBytes')],
        ['rx_packets', count('rxPackets')],
        ['rx_dropped', count('rxDropped')],
        ['rx_errors', zero],
        ['tx_bytes', count('txBytes')],
        ['tx_packets', count('txPackets')],
        ['tx_dropped', count('txDropped')],
        ['tx_errors', zero],
      ]),
    ],
  ];
  if (link.master !== null) {
    const master = link.netns.links.get(link.master);
    if (master) entries.push(['master', { kind: 'symlink', target: `../${master.name}`, mtimeMs: 0 }]);
    const hairpin = file(
      () => (link.hairpin ? 1 : 0),
      v => {
        link.hairpin = v === '1';
        return null;
      },
    );
    entries.push([
      'brport',
      dir([
        ['hairpin_mode', hairpin],
        ['state', file(() => 3)],
        ['isolated', file(() => (link.isolated ? 1 : 0))],
      ]),
    ]);
  }
  if (link.kind === 'bridge') {
    const ports = newDir(0o755);
    ports.dynamic = () => new Map(portsOf(link).map(p => [p.name, { kind: 'symlink', target: `../../${p.name}/brport`, mtimeMs: 0 }]));
    entries.push(
      ['brif', ports],
      [
        'bridge',
        dir([
          ['stp_state', zero],
          ['forward_delay', file(() => 1500)],
        ]),
      ],
    );
  }
  return dir(entries);
}

function setMtu(link: Link, text: string): Errno | null {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 68 || n > 65_536) return 'EINVAL';
  link.mtu = n;
  return null;
}

function setFlags(link: Link, text: string): Errno | null {
  const n = Number(text);
  if (!Number.isInteger(n)) return 'EINVAL';
  setUp(link, (n & 1) === 1);
  return null;
}

/** The tree to hang at /sys. */
export function makeSys(_kernel: Kernel, netns: Netns): DirNode {
  const net = newDir(0o755);
  net.dynamic = (p: Process | null) => new Map(sortLinks(p?.netns ?? netns).map(l => [l.name, linkDir(l)]));
  return dir([
    ['class', dir([['net', net]])],
    ['fs', dir([['cgroup', newDir(0o555)]])],
    ['kernel', newDir(0o555)],
    [
      'module',
      dir([
        ['br_netfilter', newDir(0o555)],
        ['nf_conntrack', newDir(0o555)],
      ]),
    ],
  ]);
}
