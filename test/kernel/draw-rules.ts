// Three machines in a row with rules of every kind, and packets through them, drawn from a seed: every rule's counter tells on both sides how
// far each packet came.
import { below, newRandom, type Random } from '../../src/sim/random.ts';
import { maybe, pick } from './chance.ts';

export const PLACES = ['client', 'router', 'server'] as const;
export type Place = (typeof PLACES)[number];

export interface RulesDrawing {
  /** Commands of iptables, ipset, ip and sysctl by machine, in order; one that podnet does not take is left out on both sides. */
  setup: { at: Place; argv: string[] }[];
  /** What is sent, one after another. */
  traffic: { at: Place; argv: string[]; stdin: string }[];
}

/** Where the server listens: TCP without ever answering what is said, UDP with an answer to everything. */
export const OPEN = { tcp: 80, udp: 53 } as const;

const CLIENT = '10.1.0.2';
const SERVER = '10.2.0.2';
const ADDRESSES = [CLIENT, SERVER, '10.1.0.1', '10.2.0.1', '10.96.0.9', '10.1.0.0/24', '10.2.0.0/16', '10.96.0.0/12', '10.5.0.5'];
const TARGETS = [SERVER, SERVER, SERVER, '10.96.0.9', '10.1.0.1', '10.2.0.1', '10.3.0.9', '127.0.0.1', CLIENT, '10.1.0.255'];

const HOOKS: Record<string, string[]> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};

/** Conditions that hold for some of the packets. Rates are so low that only their bursts count. */
const CONDITIONS: ((r: Random) => string[])[] = [
  r => ['-s', pick(r, ADDRESSES)],
  r => ['-d', pick(r, ADDRESSES)],
  r => ['!', pick(r, ['-s', '-d']), pick(r, ADDRESSES)],
  r => ['-p', pick(r, ['icmp', 'udp', 'tcp'])],
  r => [
    '-p',
    'icmp',
    '--icmp-type',
    pick(r, ['echo-request', 'echo-reply', '3/3', 'destination-unreachable', 'time-exceeded', 'fragmentation-needed']),
  ],
  r => ['-p', 'udp', '--dport', pick(r, ['33434:33440', '53', '1024:', '!'].slice(0, 3))],
  r => ['-p', 'tcp', '--tcp-flags', pick(r, ['SYN,ACK', 'RST', 'ALL']), pick(r, ['SYN', 'RST', 'ACK'])],
  r => ['-m', 'ttl', pick(r, ['--ttl-eq', '--ttl-lt', '--ttl-gt']), pick(r, ['1', '2', '63', '64'])],
  r => ['-m', 'length', '--length', pick(r, ['84', '60:100', '1000:', '0:99'])],
  r => ['-m', 'mark', ...(maybe(r, 0.2) ? ['!'] : []), '--mark', pick(r, ['1', '2', '0/1', '0x3/0x3'])],
  r => ['-m', 'connmark', '--mark', pick(r, ['1', '4', '0/0xff'])],
  r => [
    '-m',
    'conntrack',
    '--ctstate',
    pick(r, ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'RELATED,ESTABLISHED', 'DNAT', 'SNAT', 'UNTRACKED']),
  ],
  r => ['-m', 'conntrack', '--ctdir', pick(r, ['ORIGINAL', 'REPLY'])],
  r => ['-m', 'conntrack', pick(r, ['--ctorigdst', '--ctreplsrc', '--ctorigsrc', '--ctrepldst']), pick(r, ADDRESSES)],
  r => ['-m', 'conntrack', '--ctstatus', pick(r, ['SEEN_REPLY', 'CONFIRMED', 'ASSURED', 'NONE'])],
  r => ['-m', 'limit', '--limit', '1/hour', '--limit-burst', pick(r, ['1', '2', '5'])],
  r => [
    '-m',
    'hashlimit',
    '--hashlimit-upto',
    '1/hour',
    '--hashlimit-burst',
    '2',
    '--hashlimit-mode',
    pick(r, ['srcip', 'dstip', 'srcip,dstip']),
    '--hashlimit-name',
    `h${below(r, 100000)}`,
  ],
  r => ['-m', 'statistic', '--mode', 'nth', '--every', pick(r, ['2', '3']), '--packet', pick(r, ['0', '1'])],
  r => [
    '-m',
    'recent',
    '--name',
    pick(r, ['a', 'b']),
    pick(r, ['--set', '--rcheck', '--update', '--remove']),
    pick(r, ['--rsource', '--rdest']),
  ],
  r => [
    '-m',
    'recent',
    '--name',
    pick(r, ['a', 'b']),
    pick(r, ['--rcheck', '--update']),
    '--seconds',
    '600',
    '--hitcount',
    pick(r, ['1', '2', '3']),
  ],
  r => ['-m', 'addrtype', pick(r, ['--src-type', '--dst-type']), pick(r, ['LOCAL', 'UNICAST', 'BROADCAST', 'UNREACHABLE', 'BLACKHOLE'])],
  r => ['-m', 'set', ...(maybe(r, 0.2) ? ['!'] : []), '--match-set', pick(r, ['hosts', 'nets']), pick(r, ['src', 'dst'])],
  r => ['-m', 'tos', '--tos', pick(r, ['0x10/0xff', '0x00/0xff'])],
  r => ['-m', 'dscp', '--dscp', pick(r, ['4', '0'])],
  r => ['-m', 'rpfilter', ...(maybe(r) ? ['--invert'] : []), ...(maybe(r) ? ['--loose'] : [])],
  r => ['-m', 'iprange', '--dst-range', pick(r, ['10.2.0.1-10.2.0.9', '10.96.0.0-10.96.255.255'])],
  r => ['-m', 'pkttype', '--pkt-type', pick(r, ['unicast', 'broadcast'])],
  r => [pick(r, ['-i', '-o']), pick(r, ['eth0', 'eth1', 'lo', 'eth+'])],
  r => ['-m', 'comment', '--comment', pick(r, ['one word', 'x'])],
  r => ['-m', 'owner', '--uid-owner', pick(r, ['0', '1000'])],
  () => ['-m', 'socket', '--nowildcard'],
  () => ['-f'],
  r => ['-m', 'u32', '--u32', pick(r, ['6&0xFF=1', '6&0xFF=6,17', '8>>24=62:64', '4&0x1FFF=0'])],
];

const ACTIONS: Record<string, ((r: Random) => string[])[]> = {
  raw: [() => ['CT', '--notrack'], () => ['TRACE'], r => ['CT', '--zone', pick(r, ['1', '2'])]],
  mangle: [
    r => ['MARK', pick(r, ['--set-mark', '--or-mark', '--xor-mark', '--and-mark']), pick(r, ['1', '2', '3'])],
    r => ['MARK', '--set-xmark', pick(r, ['1/3', '0/1'])],
    r => ['CONNMARK', '--set-mark', pick(r, ['1', '4'])],
    r => ['CONNMARK', pick(r, ['--save-mark', '--restore-mark'])],
    r => ['TTL', pick(r, ['--ttl-set', '--ttl-dec', '--ttl-inc']), pick(r, ['1', '2', '10'])],
    r => ['TOS', '--set-tos', pick(r, ['0x10', '0x10/0x3f'])],
    _r => ['DSCP', '--set-dscp', '4'],
  ],
  nat: [
    r => ['DNAT', '--to-destination', pick(r, [SERVER, SERVER, '10.1.0.1', '10.2.0.2-10.2.0.2', '127.0.0.1'])],
    r => ['SNAT', '--to-source', pick(r, ['10.1.0.1', '10.2.0.1', '10.9.9.9'])],
    () => ['MASQUERADE'],
    () => ['REDIRECT'],
    r => ['NETMAP', '--to', pick(r, ['10.2.0.0/24', '10.1.0.0/24'])],
  ],
  filter: [
    r => [
      'REJECT',
      ...(maybe(r, 0.8)
        ? [
            '--reject-with',
            pick(r, [
              'icmp-port-unreachable',
              'icmp-host-unreachable',
              'icmp-admin-prohibited',
              'icmp-net-prohibited',
              'icmp-proto-unreachable',
            ]),
          ]
        : []),
    ],
    () => ['DROP'],
  ],
};

const ALIKE: ((r: Random) => string[])[] = [
  () => ['ACCEPT'],
  () => ['RETURN'],
  () => ['LOG'],
  r => ['SET', pick(r, ['--add-set', '--del-set']), 'hosts', pick(r, ['src', 'dst']), '--exist'],
  () => ['DROP'],
];

function rule(r: Random, table: string, chain: string): string[] {
  const conditions = Array.from({ length: pick(r, [0, 1, 1, 1, 2, 2]) }, () => pick(r, CONDITIONS)(r));
  // One protocol, one set of each match.
  const seen = new Set<string>();
  const words = conditions.filter(c => {
    const key = c[0] === '-m' ? c[1] : c[0] === '!' ? c[1] : c[0];
    return seen.has(key) ? false : !!seen.add(key);
  });
  const how = below(r, 10);
  const dangerous = how < 4 ? pick(r, ACTIONS[table])(r) : null;
  const target = dangerous ?? (how < 6 ? pick(r, ['c1', 'c2']) : how < 8 ? null : pick(r, ALIKE)(r));
  const jump = target === null ? [] : typeof target === 'string' ? [maybe(r, 0.2) ? '-g' : '-j', target] : ['-j', ...target];
  if (jump[1] === 'DROP' && table === 'nat') return ['-A', chain, ...words.flat()];
  return ['-A', chain, ...words.flat(), ...jump];
}

function rules(r: Random, at: Place): RulesDrawing['setup'] {
  const out: RulesDrawing['setup'] = [];
  const run = (...argv: string[]) => out.push({ at, argv });
  run('ipset', 'create', 'hosts', 'hash:ip');
  run('ipset', 'create', 'nets', 'hash:net');
  for (const a of ADDRESSES) if (maybe(r, 0.4)) run('ipset', 'add', a.includes('/') ? 'nets' : 'hosts', a, '-exist');
  for (const table of Object.keys(HOOKS)) {
    if (!maybe(r, at === 'router' ? 0.8 : 0.4)) continue;
    const t = ['iptables', '-t', table];
    for (const c of ['c1', 'c2']) run(...t, '-N', c);
    const count = 1 + below(r, 6);
    for (let i = 0; i < count; i++) run(...t, ...rule(r, table, pick(r, HOOKS[table])));
    // Chains lead from the first to the second only: the kernel takes no circles.
    for (const c of ['c1', 'c2'])
      for (let i = 0; i < below(r, 4); i++) {
        const words = rule(r, table, c);
        if (!words.includes('c1') || c === words[words.length - 1])
          run(...t, ...words.map(w => (c === 'c1' && w === 'c1' && words[1] !== w ? 'c2' : w)));
      }
    if (table === 'filter' && maybe(r, 0.15)) run('iptables', '-P', pick(r, HOOKS['filter']), 'DROP');
  }
  return out;
}

function network(r: Random): RulesDrawing['setup'] {
  const out: RulesDrawing['setup'] = [];
  const run = (at: Place, words: string) => out.push({ at, argv: words.split(' ') });
  run('client', 'ip addr add 10.5.0.5/32 dev lo');
  for (const dev of ['eth0', 'eth1', 'all']) if (maybe(r, 0.4)) run('router', `sysctl -w net.ipv4.conf.${dev}.rp_filter=${below(r, 3)}`);
  if (maybe(r, 0.3)) run('router', `ip route add ${pick(r, ['blackhole', 'unreachable', 'prohibit'])} 10.3.0.0/24`);
  if (maybe(r, 0.3)) run('router', `ip route add 10.5.0.0/24 ${pick(r, ['via 10.1.0.2', 'dev eth1'])}`);
  if (maybe(r, 0.3)) run('router', 'ip route add 10.96.0.0/12 via 10.2.0.2');
  if (maybe(r, 0.3)) run('server', 'ip addr add 10.96.0.9/32 dev lo');
  // A narrow network, as all on it know it: a device may drop what is longer than its own MTU.
  if (maybe(r, 0.4)) {
    const mtu = pick(r, [1400, 1300]);
    run('router', `ip link set eth1 mtu ${mtu}`);
    run('server', `ip link set eth0 mtu ${mtu}`);
  }
  if (maybe(r, 0.1)) run('router', 'sysctl -w net.ipv4.ip_forward=0');
  if (maybe(r, 0.2)) run('router', 'sysctl -w net.ipv4.conf.all.route_localnet=1');
  if (maybe(r, 0.2)) {
    run('router', 'ip rule add fwmark 1 table 100');
    run('router', `ip route add ${pick(r, ['blackhole default', 'default via 10.2.0.2', 'unreachable default'])} table 100`);
  }
  return out;
}

/** Connections, and datagrams of which some are longer than the narrow network. */
function asked(r: Random): { argv: string[]; stdin: string } {
  const to = pick(
    r,
    TARGETS.filter(t => !t.endsWith('.255')),
  );
  const port = (open: number) => String(maybe(r, 0.8) ? open : open + 1);
  if (maybe(r)) return { argv: ['nc', '-n', '-z', '-v', '-w', '5', to, port(OPEN.tcp)], stdin: '' };
  return { argv: ['nc', '-n', '-u', '-w', '1', to, port(OPEN.udp)], stdin: 'x'.repeat(pick(r, [5, 5, 1350, 1450])) };
}

function sent(r: Random): { argv: string[]; stdin: string } {
  if (maybe(r, 0.4)) return asked(r);
  const to = pick(r, TARGETS);
  const ping = () => [
    ...['ping', '-n', '-c', pick(r, ['1', '2', '3']), '-i', '0.2', '-W', '1'],
    ...(maybe(r, 0.2) ? ['-s', pick(r, ['1372', '1272', '1472', '0', '8'])] : []),
    ...(maybe(r, 0.2) ? ['-M', 'do'] : []),
    ...(maybe(r, 0.2) ? ['-t', pick(r, ['1', '2', '3'])] : []),
    ...(maybe(r, 0.1) ? ['-Q', '0x10'] : []),
    to,
  ];
  const trace = () => ['traceroute', '-n', '-N', '1', '-q', '1', '-w', '1', '-m', '3', ...pick(r, [[], ['-I'], ['-U', '-p', '53']]), to];
  return { argv: maybe(r, 0.75) ? ping() : trace(), stdin: '' };
}

export function drawRules(seed: number): RulesDrawing {
  const r = newRandom(seed);
  const setup = [...network(r), ...PLACES.flatMap(at => (at === 'router' || maybe(r) ? rules(r, at) : []))];
  const traffic = Array.from({ length: 4 + below(r, 4) }, () => ({
    at: pick(r, ['client', 'client', 'client', 'server', 'router'] as const),
    ...sent(r),
  }));
  return { setup, traffic };
}
