// Command lines of iptables and ipset drawn from the tables that podnet parses them by: mostly right, now and then with something wrong.
import { MATCHES } from '../../src/linux/netfilter/matches.ts';
import { TARGETS } from '../../src/linux/netfilter/targets.ts';
import { below, newRandom, type Random } from '../../src/sim/random.ts';
import { maybe, pick } from './chance.ts';
import { conntrackLine, nftLine } from './draw-nft.ts';

export interface Line {
  argv: string[];
  stdin: string;
}

type Row = { name: string; family?: 4 | 6; options: Record<string, 0 | 1 | 2>; aliases?: Record<string, string> };

const ADDRESSES = {
  4: ['10.1.2.3', '10.1.0.0/16', '10.1.2.3/24', '10.0.0.0/255.0.255.0', '0.0.0.0/0', '10.1.2.3,10.1.2.4', '10.1.2.3/255.255.255.0', '10.9'],
  6: ['fd00::1', 'fd00::/64', 'fd00::1/64', '::/0', 'fd00::1,fd00::2', 'fe80::1', 'FD00:0::0001', '::ffff:10.1.2.3', 'fd00::/ffff::'],
};
const WRONG_ADDRESSES = ['10.1.2.3/33', '256.1.1.1', '', '10.1.2.3/', 'fd00::1/129', '10.1.2.3/x', '1.2.3.4.5', ':::', '/24'];
const PORTS = ['80', '1024:65535', ':80', '80:', 'http', '0', '65535', '0:65535', '53', '0x50', '1:1', ':', '0:79'];
const WRONG_PORTS = ['99999', '80:70', 'nosuch', '-1', '', '80,81', '80:90:100', 'http:', '1.5'];
const NUMBERS = ['0', '1', '5', '17', '100', '255', '0x10', '010'];
const WRONG_NUMBERS = ['-1', 'x', '', '99999999999', '1e3', '256', '1/2', '0x'];
const WORDS = ['plain', 'two words', 'it\'s "quoted"', 'back\\slash', '', 'a'.repeat(40), 'a'.repeat(300), '!', '-x', 'ünïcode'];

const LISTS: Record<string, string[]> = {
  '--ctstate': [
    'NEW',
    'ESTABLISHED,RELATED',
    'RELATED,ESTABLISHED',
    'INVALID',
    'NEW,DNAT',
    'SNAT',
    'UNTRACKED',
    'new',
    'NEW,',
    'NOSUCH',
    '',
  ],
  '--state': ['NEW', 'ESTABLISHED,RELATED', 'INVALID,UNTRACKED', 'DNAT', 'NOSUCH'],
  '--ctstatus': ['ASSURED', 'SEEN_REPLY,EXPECTED', 'NONE', 'CONFIRMED', 'NOSUCH'],
  '--ctproto': ['tcp', '17', 'nosuch', '300'],
  '--ctexpire': ['10', '10:20', '20:10', 'x'],
  '--ctdir': ['ORIGINAL', 'REPLY', 'original', 'BOTH'],
  '--mark': ['0x4000', '0x4000/0x4000', '1/0', '16', '0xffffffff', '0x100000000', 'x', '1/x', '0/0'],
  '--set-mark': ['0x4000', '0x4000/0x4000', '1/0xff', 'x'],
  '--set-xmark': ['0x4000/0x4000', '0x4000', '0/0xffffffff', '1/x'],
  '--tcp-flags': ['SYN', 'ALL', 'SYN,ACK', 'NONE', 'syn,fin', 'NOSUCH', 'SYN,ACK,FIN,RST'],
  '--icmp-type': [
    'echo-request',
    '8',
    '3/1',
    'any',
    'host-unreachable',
    'echo',
    'nosuch',
    '300',
    '3/300',
    'network-unreachable',
    '255',
    'ping',
  ],
  '--icmpv6-type': ['echo-request', '128', '1/3', 'any', 'no-route', 'nosuch', '300', 'packet-too-big', 'neighbour-solicitation', '1/x'],
  '--src-type': ['LOCAL', 'UNICAST,BROADCAST', 'local', 'NOSUCH', 'MULTICAST', ''],
  '--dst-type': ['LOCAL', 'BLACKHOLE', 'UNICAST,LOCAL', 'NOSUCH', 'ANYCAST'],
  '--limit': ['5/min', '10/second', '1/hour', '3/day', '7/s', '20000/second', '0/s', 'x', '5/week', '5', '5/minutes'],
  '--hashlimit-upto': ['5/min', '10/second', '1/hour', 'x', '512kb/s', '0/s'],
  '--hashlimit-above': ['5/min', '100/second', '1mb/s', 'x'],
  '--hashlimit-mode': ['srcip', 'dstip,srcport', 'srcip,dstip,srcport,dstport', 'nosuch', ''],
  '--hashlimit-name': ['one', 'two', 'averyveryverylongname', ''],
  '--mode': ['random', 'nth', 'nosuch'],
  '--probability': ['0.5', '0.33333333349', '1', '0', '0.0000000001', '1.5', 'x', '-0.1', '.25', '1e-3'],
  '--every': ['3', '1', '0', 'x'],
  '--packet': ['0', '2', '5', 'x'],
  '--uid-owner': ['0', 'root', '1000', '1000-2000', 'nosuchuser', '2000-1000', '4294967295'],
  '--gid-owner': ['0', 'root', '100-200', 'nosuchgroup'],
  '--mac-source': ['02:00:00:00:00:01', '2:0:0:0:0:1', 'AA:BB:CC:DD:EE:FF', 'nosuch', '02:00:00:00:00', '02-00-00-00-00-01'],
  '--src-range': ['10.0.0.1-10.0.0.9', '10.0.0.1', '10.0.0.9-10.0.0.1', 'fd00::1-fd00::9', 'x', '10.0.0.1-'],
  '--dst-range': ['10.0.0.1-10.0.0.9', 'fd00::1-fd00::9', '10.0.0.0/24'],
  '--pkt-type': ['unicast', 'broadcast', 'multicast', 'host', 'nosuch'],
  '--length': ['100', '100:200', ':200', '100:', '200:100', '70000', 'x'],
  '--dscp': ['10', '0x2e', '63', '64', 'x'],
  '--dscp-class': ['EF', 'AF11', 'cs1', 'BE', 'nosuch'],
  '--set-dscp-class': ['EF', 'AF11', 'cs1', 'nosuch'],
  '--tos': ['0x10', 'Minimize-Delay', '0x10/0x3f', 'Normal-Service', 'nosuch', '256'],
  '--set-tos': ['0x10', 'Minimize-Delay', '0x10/0x3f', 'nosuch', '256'],
  '--reject-with': [
    'icmp-port-unreachable',
    'icmp-host-prohibited',
    'tcp-reset',
    'icmp-admin-prohibited',
    'port-unreach',
    'icmp6-adm-prohibited',
    'icmp6-no-route',
    'nosuch',
    'icmp-net-unreachable',
    'icmp6-policy-fail',
  ],
  '--log-level': ['info', '4', 'debug', 'warning', '7', '8', 'nosuch', 'notice', 'error'],
  '--log-prefix': ['short: ', 'a prefix that is much too long for it', 'x', '', 'with "quotes"', 'newline\nin it'],
  '--nflog-prefix': ['short: ', 'x', '', 'p'.repeat(70)],
  '--to-destination': [
    '10.1.2.3',
    '10.1.2.3:80',
    ':80',
    '10.1.2.3-10.1.2.9',
    '10.1.2.3:80-90',
    '[fd00::1]:80',
    'fd00::1',
    '10.1.2.3:90-80',
    'x',
    '10.1.2.3:x',
    '[fd00::1]',
    '10.1.2.3:0',
    '10.1.2.3:80-90/85',
  ],
  '--to-source': [
    '10.1.2.3',
    '10.1.2.3-10.1.2.9',
    '10.1.2.3:1024-65535',
    'fd00::1',
    '[fd00::1]:80-90',
    '0.0.0.0',
    'x',
    ':80',
    '10.1.2.9-10.1.2.3',
  ],
  '--to-ports': ['80', '80-90', '90-80', 'x', '0', '70000', '80:90'],
  '--to': ['10.5.0.0/16', '10.5.0.1', 'fd05::/64', 'x', '10.5.0.1/24', '100', '70000'],
  '--set-mss': ['1400', '70000', 'x'],
  '--zone': ['1', '65536', 'x', 'orig:1'],
  '--ctevents': ['new,destroy', 'nosuch', 'assured'],
  '--match-set': ['known', 'known6', 'ports', 'absent'],
  '--add-set': ['known', 'ports', 'absent'],
  '--del-set': ['known', 'absent'],
  '--string': ['GET', 'two words', ''],
  '--hex-string': ['|0d0a|', 'GET|20|', '|0', '|zz|'],
  '--algo': ['bm', 'kmp', 'nosuch'],
  '--u32': ['0>>22&0x3C@0=1', '6&0xFF=6', '0=1:2,3', 'x', '4&0x1FFF=0&&6&0xFF=1'],
  '--timestart': ['08:00', '8:00', '25:00', 'x', '08:00:30'],
  '--timestop': ['18:00', '23:59:59', '24:00'],
  '--weekdays': ['Mon,Tue', 'mo', '1,2', '8', 'Mon,Mon', 'x'],
  '--monthdays': ['1,15', '32', '0', '31'],
  '--datestart': ['2026-01-01', '2026', '2026-01-01T10:00:00', 'x'],
  '--datestop': ['2026-12-31', '2026-13'],
  '--set-class': ['1:2', '1', 'x', 'ffff:1'],
  '--name': ['one', 'two', 'n'.repeat(250)],
  '--mask': ['255.255.255.0', 'ffff::', '24', 'x', '255.255.255.255'],
  '--physdev-in': ['eth0', 'veth+', 'averyveryverylong'],
  '--physdev-out': ['eth0', 'veth+'],
  '--chunk-types': ['any', 'all', 'only', 'x'],
  '--connlimit-upto': ['5', 'x', '0'],
  '--connlimit-above': ['5', '-1'],
  '--connlimit-mask': ['24', '33', '64', '129', 'x'],
  '--src-group': ['0', '1/3', 'default', 'x'],
  '--on-ip': ['10.1.2.3', '::1', 'x'],
  '--on-port': ['80', '0', 'x'],
  '--tproxy-mark': ['1', '1/1', 'x'],
};
const SECOND: Record<string, string[]> = {
  '--tcp-flags': ['SYN', 'NONE', 'ALL', 'SYN,ACK', 'NOSUCH'],
  '--match-set': ['src', 'dst', 'src,dst', 'dst,dst', 'nosuch', 'src,src,src,src,src,src,src'],
  '--add-set': ['src', 'dst,src', 'nosuch'],
  '--del-set': ['src', 'nosuch'],
  '--chunk-types': ['INIT', 'DATA,INIT', 'nosuch'],
};
const KINDS: [RegExp, readonly string[], readonly string[]][] = [
  [/port/, PORTS, WRONG_PORTS],
  [/src$|dst$/, [...ADDRESSES[4], ...ADDRESSES[6]], WRONG_ADDRESSES],
  [/comment|prefix|name|helper|timeout-policy/, WORDS, WORDS],
];

function value(r: Random, option: string): string {
  const own = LISTS[option];
  if (own) return pick(r, own);
  const [, right, wrong] = KINDS.find(([re]) => re.test(option)) ?? [null, NUMBERS, WRONG_NUMBERS];
  return pick(r, maybe(r, 0.85) ? right : wrong);
}

function option(r: Random, row: Row, name: string): string[] {
  const alias = Object.entries(row.aliases ?? {}).find(([, to]) => to === name)?.[0];
  const spelled = alias && maybe(r, 0.15) ? alias : maybe(r, 0.03) ? name.slice(0, -1) : name;
  const arity = row.options[name];
  if (arity === 0) return [spelled];
  const v = value(r, name);
  const words = maybe(r, 0.05) ? [`${spelled}=${v}`] : [spelled, v];
  if (arity === 2) words.push(pick(r, SECOND[name] ?? ['x']));
  return words;
}

/** An extension's options: one or two mostly, none and many as well. */
function options(r: Random, row: Row): string[] {
  const names = Object.keys(row.options);
  if (!names.length) return [];
  const count = pick(r, [1, 1, 1, 2, 2, 3, 0]);
  const out: string[] = [];
  for (let i = 0; i < count; i++) out.push(...(maybe(r, 0.12) ? ['!'] : []), ...option(r, row, pick(r, names)));
  return out;
}

const PROTOCOLS = [
  'tcp',
  'udp',
  'tcp',
  'udp',
  'icmp',
  'sctp',
  '6',
  'all',
  'ipv6-icmp',
  'icmpv6',
  'esp',
  '132',
  'nosuch',
  '256',
  'TCP',
  '0',
  'gre',
  'udplite',
];
const DEVICES = ['eth0', 'lo', 'cali+', '+', 'averyveryverylongname', 'eth0.1', 'eth*', ''];
const CHAINS: Record<string, string[]> = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
};
const OWN = ['one', 'two', 'a-chain.with_signs'];

/** What a rule says, after its chain. `without`: extensions that the kernel does not have. */
export function drawRule(r: Random, family: 4 | 6, table: string, without: ReadonlySet<string>): string[] {
  const out: string[] = [];
  const not = () => (maybe(r, 0.12) ? ['!'] : []);
  const add = (p: number, ...words: string[]) => {
    if (maybe(r, p)) out.push(...not(), ...words);
  };
  const known = (rows: readonly Row[]) => rows.filter(x => (x.family ?? family) === family && !without.has(x.name));
  const address = () => (maybe(r, 0.9) ? pick(r, ADDRESSES[family]) : pick(r, WRONG_ADDRESSES));
  add(0.3, pick(r, ['-s', '-s', '--source', '--src']), address());
  add(0.3, pick(r, ['-d', '-d', '--destination', '--dst']), address());
  add(0.2, pick(r, ['-i', '--in-interface']), pick(r, DEVICES));
  add(0.2, pick(r, ['-o', '--out-interface']), pick(r, DEVICES));
  const matches = known(MATCHES);
  const many = pick(r, [0, 0, 1, 1, 1, 2]);
  const chosen = Array.from({ length: many }, () => pick(r, matches));
  const ported = chosen.find(m => ['tcp', 'udp', 'sctp', 'icmp', 'icmp6'].includes(m.name));
  if (ported && maybe(r, 0.9)) out.push('-p', ported.name === 'icmp6' ? 'ipv6-icmp' : ported.name);
  else add(0.6, '-p', pick(r, PROTOCOLS));
  for (const m of chosen) out.push(...(m === ported && maybe(r, 0.3) ? [] : ['-m', m.name]), ...options(r, m));
  if (family === 4) add(0.03, '-f');
  const target = pick(r, ['verdict', 'verdict', 'extension', 'extension', 'chain', 'none']);
  if (target === 'verdict') out.push('-j', pick(r, ['ACCEPT', 'DROP', 'RETURN', 'accept', 'NOSUCH', 'ACCEPT', 'DROP']));
  else if (target === 'chain') out.push(pick(r, ['-j', '-j', '-g']), pick(r, [...OWN, 'absent', ...CHAINS[table]]));
  else if (target === 'extension') {
    const fitting = known(TARGETS).filter(t => maybe(r, 0.15) || fits(t.name, table));
    const t = pick(r, fitting);
    out.push('-j', t.name, ...options(r, t));
  }
  return spoil(r, out);
}

const NAT = ['DNAT', 'SNAT', 'MASQUERADE', 'REDIRECT', 'NETMAP'];
const fits = (target: string, table: string): boolean => (table === 'nat' ? NAT.includes(target) : !NAT.includes(target));

/** Sometimes a word is lost, doubled, or stands elsewhere. */
function spoil(r: Random, words: string[]): string[] {
  if (!words.length || !maybe(r, 0.08)) return words;
  const at = below(r, words.length);
  const out = [...words];
  const how = below(r, 4);
  if (how === 0) out.splice(at, 1);
  else if (how === 1) out.splice(at, 0, words[at]);
  else if (how === 2) out.splice(at, 0, pick(r, ['!', '-x', '--nosuch', 'word', '-c', '-v', '--dport']));
  else [out[at], out[0]] = [out[0], out[at]];
  return out;
}

function iptablesLine(r: Random, without: ReadonlySet<string>): Line {
  const family = pick(r, [4, 4, 4, 6] as const);
  const tool = family === 4 ? 'iptables' : 'ip6tables';
  const table = pick(r, ['filter', 'filter', 'nat', 'mangle', 'raw']);
  const t = table === 'filter' && maybe(r) ? [] : ['-t', maybe(r, 0.02) ? 'nosuch' : table];
  const chain = () => pick(r, maybe(r, 0.8) ? CHAINS[table] : [...OWN, 'absent']);
  const own = () => pick(r, [...OWN, ...OWN, 'absent', 'c'.repeat(30), ...CHAINS[table].slice(0, 1)]);
  const n = () => pick(r, ['1', '2', '3', '99', '0', 'x']);
  const commands: (() => string[])[] = [
    ...Array(8).fill(() => ['-A', chain(), ...drawRule(r, family, table, without)]),
    () => ['-I', chain(), ...(maybe(r) ? [n()] : []), ...drawRule(r, family, table, without)],
    () => ['-R', chain(), n(), ...drawRule(r, family, table, without)],
    () => ['-D', chain(), n()],
    () => ['-C', chain(), ...drawRule(r, family, table, without)],
    () => ['-N', own()],
    () => ['-N', pick(r, OWN)],
    () => ['-X', ...(maybe(r, 0.7) ? [own()] : [])],
    () => ['-F', ...(maybe(r, 0.7) ? [chain()] : [])],
    () => ['-E', own(), own()],
    () => ['-P', chain(), pick(r, ['ACCEPT', 'DROP', 'REJECT', 'accept', 'RETURN'])],
    () => ['-Z', ...(maybe(r) ? [chain()] : [])],
    () => ['-L', ...(maybe(r) ? [chain()] : []), '-n', ...(maybe(r) ? ['-v'] : []), ...(maybe(r, 0.3) ? ['--line-numbers'] : [])],
    () => ['-S', ...(maybe(r) ? [chain()] : []), ...(maybe(r, 0.3) ? ['-v'] : [])],
  ];
  return { argv: [tool, ...t, ...pick(r, commands)()], stdin: '' };
}

export const SETS: Record<string, string[]> = {
  'hash:ip': ['10.1.2.3', '10.1.2.0/30', '10.1.2.3-10.1.2.5', 'x', '10.1.2.3/33', 'fd00::1', '0.0.0.0'],
  'hash:net': ['10.1.2.3', '10.1.0.0/16', '10.1.2.3/24', '0.0.0.0/0', '10.0.0.1-10.0.0.6', 'x', 'fd00::/64', '10.1.2.3/0'],
  'hash:ip,port': [
    '10.1.2.3,80',
    '10.1.2.3,tcp:80',
    '10.1.2.3,udp:53-55',
    '10.1.2.3',
    '10.1.2.3,http',
    '10.1.2.3,icmp:echo-request',
    '10.1.2.3,nosuch:1',
    '10.1.2.3,80,1',
  ],
  'hash:net,port': ['10.1.0.0/16,80', '10.1.0.0/16,udp:53', 'x,80', '10.1.0.0/16,tcp:70000'],
  'hash:ip,port,ip': ['10.1.2.3,80,10.4.5.6', '10.1.2.3,80', '10.1.2.3,tcp:80,x'],
  'hash:ip,port,net': ['10.1.2.3,80,10.4.0.0/16', '10.1.2.3,80,10.4.0.0/33'],
  'hash:net,net': ['10.1.0.0/16,10.2.0.0/16', '10.1.0.0/16'],
  'hash:net,iface': ['10.1.0.0/16,eth0', '10.1.0.0/16,averyveryverylongname', '10.1.0.0/16,physdev:eth0'],
  'hash:mac': ['02:00:00:00:00:01', '02:00:00:00:00', 'aa:bb:cc:dd:ee:ff'],
  'hash:ip,mark': ['10.1.2.3,0x10', '10.1.2.3,16', '10.1.2.3,x'],
  'bitmap:port': ['80', '80-90', 'http', 'tcp:80', '70000', '5000'],
  'bitmap:ip': ['10.1.2.3', '10.1.2.0/30', '10.9.9.9', 'x'],
  'list:set': ['known', 'absent', 's1', 'x'],
};

function ipsetLine(r: Random, without: ReadonlySet<string>): Line {
  const name = () => pick(r, ['s1', 's2', 's3', 's1', 's2', 'known', 'known', 'absent', 'n'.repeat(maybe(r, 0.2) ? 32 : 31)]);
  const known = Object.keys(SETS).filter(t => !without.has(t));
  const type = () => pick(r, [...known, 'hash:nosuch', 'iphash']);
  const entry = () => pick(r, SETS[pick(r, known)]);
  const create = (): string[] => {
    const words: string[] = [];
    const t = type();
    if (t.startsWith('bitmap') && maybe(r, 0.9))
      words.push(
        'range',
        t === 'bitmap:port' ? pick(r, ['0-1024', '80', 'x', '0-70000']) : pick(r, ['10.1.2.0/24', '10.1.2.0-10.1.2.99', 'x', '10.0.0.0/8']),
      );
    for (const [p, ...w] of [
      [0.2, 'family', pick(r, ['inet', 'inet6', 'ipx'])],
      [0.2, 'timeout', pick(r, ['0', '60', 'x', '99999999999', '2147484'])],
      [0.15, 'hashsize', pick(r, ['64', '100', '0', 'x', '4096'])],
      [0.15, 'maxelem', pick(r, ['10', '0', 'x'])],
      [0.1, 'netmask', pick(r, ['24', '33', '0', 'x'])],
      [0.1, 'counters'],
      [0.1, 'comment'],
      [0.1, 'skbinfo'],
      [0.05, 'size', '4'],
      [0.05, 'nosuch'],
      [0.05, 'markmask', '0xff'],
      [0.05, 'forceadd'],
    ] as [number, ...string[]][])
      if (maybe(r, p)) words.push(...w);
    return ['create', name(), t, ...words];
  };
  const extra = (): string[] =>
    pick(r, [
      [],
      [],
      [],
      [],
      ['timeout', pick(r, ['5', 'x'])],
      ['comment', 'two words'],
      ['nomatch'],
      ['packets', '3', 'bytes', '9'],
      ['nosuch'],
      ['skbmark', '0x1/0xff'],
    ]);
  const commands: (() => string[])[] = [
    create,
    create,
    create,
    () => ['add', name(), entry(), ...extra()],
    () => ['add', name(), entry()],
    () => ['add', name(), entry()],
    () => ['del', name(), entry()],
    () => ['test', name(), entry()],
    () => ['flush', ...(maybe(r) ? [name()] : [])],
    () => ['destroy', ...(maybe(r, 0.9) ? [name()] : [])],
    () => ['rename', name(), name()],
    () => ['swap', name(), name()],
    () => ['list', ...(maybe(r) ? [name()] : []), ...(maybe(r) ? ['-n'] : ['-t'])],
    () => [pick(r, ['nosuch', 'add', 'create', '-x', 'test', 'del', 'rename'])],
  ];
  const words = pick(r, commands)();
  return { argv: ['ipset', ...(maybe(r, 0.15) ? ['-exist'] : []), ...spoil(r, words)], stdin: '' };
}

/** Sets that rules name. */
export const FIRST: Line[] = [
  { argv: ['ipset', 'create', 'known', 'hash:ip'], stdin: '' },
  { argv: ['ipset', 'create', 'known6', 'hash:net', 'family', 'inet6'], stdin: '' },
  { argv: ['ipset', 'create', 'ports', 'bitmap:port', 'range', '0-1024'], stdin: '' },
];

/** What is looked at after each drawing. */
export const LAST: Line[] = [
  ['iptables-save'],
  ['ip6tables-save'],
  ...['filter', 'nat', 'mangle', 'raw'].flatMap(t => ['iptables', 'ip6tables'].map(tool => [tool, '-t', t, '-L', '-n', '-v'])),
  ['ipset', 'save', '-s'],
  ['nft', 'list', 'ruleset'],
  ['conntrack', '-L'],
].map(argv => ({ argv, stdin: '' }));

/** Lines one after another in one namespace. */
export function drawWords(seed: number, what: string, without: ReadonlySet<string>): Line[] {
  const r = newRandom(seed);
  const count = 40 + below(r, 40);
  if (what === 'nft' || what === 'conntrack') return Array.from({ length: count }, () => (what === 'nft' ? nftLine(r) : conntrackLine(r)));
  const line = () => (what === 'ipset' || (what === 'all' && maybe(r, 0.3)) ? ipsetLine(r, without) : iptablesLine(r, without));
  return Array.from({ length: count }, line);
}
