// Command lines of nft and conntrack, mostly right, now and then with something wrong.
import { below, type Random } from '../../src/sim/random.ts';
import { maybe, pick } from './chance.ts';
import type { Line } from './draw-words.ts';

const FAMILIES = ['ip', 'ip', 'ip', 'inet', 'ip6', ''];
const TABLES = ['t', 't', 'u', 'absent'];
const CHAINS = ['c', 'd', 'base', 'absent'];
const SETS = ['s', 'i', 'm', 'p', 'absent'];

const SET_BODIES = [
  '{ type ipv4_addr; }',
  '{ type ipv4_addr; flags interval; }',
  '{ type ipv4_addr; flags interval; auto-merge; }',
  '{ type inet_service; flags interval; }',
  '{ type inet_service; elements = { 80, 443 } }',
  '{ type ipv4_addr . inet_service; }',
  '{ type ipv4_addr . inet_service; flags interval; }',
  '{ type ipv4_addr; timeout 1h; }',
  '{ type ipv4_addr; size 2; }',
  '{ type ipv4_addr; comment "some words"; }',
  '{ type nosuch; }',
  '{ flags interval; }',
  '{ type ipv4_addr; flags nosuch; }',
];
const MAP_BODIES = [
  '{ type ipv4_addr : verdict; }',
  '{ type inet_service : ipv4_addr; }',
  '{ type ipv4_addr : verdict; flags interval; }',
  '{ type mark : verdict; }',
  '{ type ipv4_addr; }',
];
const ELEMENTS = [
  '10.0.0.1',
  '10.0.0.0/24',
  '10.0.0.5',
  '10.0.0.1-10.0.0.9',
  '10.0.0.9-10.0.0.1',
  '10.0.1.0/24, 10.0.1.0/25',
  '10.0.2.1, 10.0.2.2, 10.0.2.1',
  '80',
  '80-90',
  '85-95',
  'http, 443',
  '10.0.0.1 . 80',
  '10.0.0.0/24 . 80-90',
  '10.0.0.1 : accept',
  '10.0.0.1 : drop',
  '10.0.0.0/24 : jump c',
  '80 : 10.0.0.1',
  '10.0.0.7 timeout 30s',
  '10.0.0.8 comment "x"',
  'fd00::1',
  'nosuch',
  '',
  '10.0.0.1/33',
  '70000',
];
const MATCHES = [
  'ip saddr 10.0.0.1',
  'ip saddr 10.0.0.0/24',
  'ip daddr != 10.0.0.0/8',
  'ip saddr { 10.0.0.1, 10.0.0.2 }',
  'ip saddr @s',
  'ip daddr @absent',
  'ip saddr . tcp dport @p',
  'tcp dport 80',
  'tcp dport { 80, 443 }',
  'tcp dport 80-90',
  'tcp dport 90-80',
  'tcp dport != { 22, 80-90 }',
  'udp sport 53',
  'tcp flags syn',
  'tcp flags & (syn | ack) == syn',
  'meta l4proto tcp',
  'meta l4proto { tcp, udp }',
  'meta mark 0x10',
  'meta mark & 0xff == 1',
  'meta mark set 0x1',
  'iifname "eth0"',
  'iifname "eth*"',
  'oifname { "eth0", "lo" }',
  'ct state new',
  'ct state established,related',
  'ct state nosuch',
  'ct mark 1',
  'ct mark set meta mark',
  'ct status dnat',
  'ip protocol icmp',
  'icmp type echo-request',
  'icmp type nosuch',
  'ip6 saddr fd00::/64',
  'ip6 nexthdr tcp',
  'fib daddr type local',
  'limit rate 5/minute',
  'limit rate 5/second burst 10 packets',
  'limit rate over 1 mbytes/second',
  'counter',
  'log',
  'log prefix "some words "',
  'ip ttl 1',
  'ip dscp 10',
  'ip length 100-200',
  'numgen random mod 2 0',
  'th dport 53',
  'tcp sport 1024-65535 udp dport 53',
  'nosuch 5',
  'ip saddr',
  'comment "a rule"',
];
const VERDICTS = [
  'accept',
  'drop',
  'return',
  'continue',
  'jump c',
  'goto d',
  'jump absent',
  'jump base',
  'reject',
  'reject with tcp reset',
  'reject with icmp type host-unreachable',
  'reject with icmpx type port-unreachable',
  'dnat to 10.0.0.1:80',
  'snat to 10.0.0.1',
  'masquerade',
  'redirect to :8080',
  'notrack',
  'ip saddr vmap { 10.0.0.1 : accept, 10.0.0.2 : drop }',
  'ip saddr vmap @m',
  'tcp dport vmap { 80-90 : accept, 85 : drop }',
  'queue',
  'nosuch',
  '',
];
const HOOKS = [
  'type filter hook input priority 0;',
  'type filter hook input priority filter; policy drop;',
  'type filter hook forward priority filter + 10; policy accept;',
  'type nat hook prerouting priority dstnat;',
  'type nat hook postrouting priority srcnat; policy accept;',
  'type nat hook input priority -300;',
  'type route hook output priority mangle;',
  'type filter hook prerouting priority raw;',
  'type filter hook ingress priority 0;',
  'type nosuch hook input priority 0;',
  'type filter hook nosuch priority 0;',
  'type filter hook output priority nosuch;',
  'policy drop;',
  'comment "x";',
];

const rule = (r: Random): string =>
  [...Array.from({ length: pick(r, [0, 1, 1, 2]) }, () => pick(r, MATCHES)), pick(r, VERDICTS)].filter(Boolean).join(' ');

function nftText(r: Random): string {
  const at = () => `${pick(r, FAMILIES)} ${pick(r, TABLES)}`.trim();
  const chain = () => `${at()} ${pick(r, CHAINS)}`;
  const set = () => `${at()} ${pick(r, SETS)}`;
  const verb = (...more: string[]) => pick(r, ['add', 'add', 'add', 'create', 'delete', ...more]);
  const handle = () => `handle ${pick(r, ['1', '2', '3', '4', '5', '99', 'x'])}`;
  return pick<() => string>(r, [
    () => `${verb('list', 'flush', 'destroy')} table ${at()}`,
    () => `add table ${at()}`,
    () => `${verb('list', 'flush', 'destroy')} chain ${chain()}`,
    () => `add chain ${chain()}`,
    () => `${pick(r, ['add', 'create'])} chain ${chain()} { ${pick(r, HOOKS)} }`,
    () => `rename chain ${chain()} ${pick(r, CHAINS)}`,
    ...Array(8).fill(() => `${pick(r, ['add', 'add', 'insert'])} rule ${chain()} ${rule(r)}`),
    () => `add rule ${chain()} ${pick(r, ['index 0', 'index 9', handle(), 'position 2'])} ${rule(r)}`,
    () => `replace rule ${chain()} ${handle()} ${rule(r)}`,
    () => `delete rule ${chain()} ${handle()}`,
    () => `${verb('destroy')} set ${set()}${maybe(r, 0.8) ? ` ${pick(r, SET_BODIES)}` : ''}`,
    () => `add set ${set()} ${pick(r, SET_BODIES)}`,
    () => `add map ${set()} ${pick(r, MAP_BODIES)}`,
    () => `${pick(r, ['list', 'flush', 'delete'])} ${pick(r, ['set', 'map'])} ${set()}`,
    ...Array(4).fill(() => `${verb('get')} element ${set()} { ${pick(r, ELEMENTS)} }`),
    () => `list ${pick(r, ['ruleset', 'tables', 'chains', 'sets', 'maps', 'nosuch', 'table', 'ruleset ip', 'chain ip t', 'counters'])}`,
    () => `flush ${pick(r, ['table', 'chain', 'set', 'nosuch'])} ${at()}`,
    () => pick(r, ['nosuch', 'add', 'add rule', 'list', '', 'add table ip t { }', 'add table ip t; add chain ip t c', 'reset counters']),
  ])();
}

export function nftLine(r: Random): Line {
  const text = nftText(r);
  const spoiled = maybe(r, 0.06) ? text.replace(/\S+/, w => pick(r, [`${w}x`, '', '{', ';', `${w} ${w}`])) : text;
  if (maybe(r, 0.15)) return { argv: ['nft', ...(maybe(r, 0.5) ? ['-a'] : []), '-f', '-'], stdin: `${spoiled}\n${nftText(r)}\n` };
  return { argv: ['nft', ...(maybe(r, 0.15) ? [pick(r, ['-a', '-n', '-s', '-nn', '-e', '-y'])] : []), spoiled], stdin: '' };
}

const FLOW = {
  '-p': ['tcp', 'udp', 'icmp', 'tcp', 'udp', 'nosuch', '6', 'icmpv6', 'sctp'],
  '-s': ['10.0.0.1', '10.0.0.2', '10.0.0.0/24', 'fd00::1', 'x'],
  '-d': ['10.0.0.9', '10.0.0.8', 'fd00::9', '10.0.0.300'],
  '--sport': ['1000', '2000', 'x', '70000'],
  '--dport': ['80', '53', 'http'],
  '-t': ['60', '0', 'x', '600'],
  '--state': ['ESTABLISHED', 'SYN_SENT', 'TIME_WAIT', 'NOSUCH'],
  '-u': ['ASSURED', 'SEEN_REPLY', 'UNSET', 'SEEN_REPLY,ASSURED', 'NOSUCH'],
  '-m': ['1', '0x10', 'x', '1/1'],
  '-r': ['10.0.0.9', '10.1.0.1'],
  '-q': ['10.0.0.1', '10.1.0.2'],
  '-n': ['10.0.0.5', ''],
  '-g': ['10.0.0.9', '10.0.0.9:90'],
  '-w': ['1', 'x'],
  '--reply-port-src': ['80'],
  '--reply-port-dst': ['1000'],
  '-f': ['ipv4', 'ipv6', 'nosuch'],
  '-o': ['extended', 'id', 'xml', 'nosuch', 'timestamp'],
  '--icmp-type': ['8', '0', 'x'],
  '--icmp-code': ['0'],
  '--icmp-id': ['7'],
  '--mask-src': ['255.255.255.0'],
  '--orig-src': ['10.0.0.1'],
  '--nosuch': ['x'],
} as Record<string, string[]>;

function flowWords(r: Random, options: string[], p: number): string[] {
  return options.filter(() => maybe(r, p)).flatMap(o => [o, pick(r, FLOW[o])]);
}

const ENDS = ['-p', '-s', '-d', '--sport', '--dport'];
const ALL = Object.keys(FLOW);

export function conntrackLine(r: Random): Line {
  const words = pick<() => string[]>(r, [
    ...Array(3).fill(() => ['-I', ...flowWords(r, [...ENDS, '-t', '--state'], 0.92), ...flowWords(r, ALL, 0.04)]),
    () => [
      '-I',
      '-p',
      'tcp',
      '-s',
      pick(r, ['10.0.0.1', '10.0.0.2']),
      '-d',
      '10.0.0.9',
      '--sport',
      String(1000 + below(r, 3)),
      '--dport',
      '80',
      '-t',
      '600',
      '--state',
      'ESTABLISHED',
      ...flowWords(r, ['-u', '-m', '-n', '-g', '-w'], 0.2),
    ],
    () => [
      '-I',
      '-p',
      'udp',
      '-s',
      '10.0.0.1',
      '-d',
      '10.0.0.8',
      '--sport',
      '2000',
      '--dport',
      '53',
      '-t',
      '60',
      ...flowWords(r, ['-u', '-m'], 0.3),
    ],
    () => [
      '-I',
      '-p',
      'icmp',
      '-s',
      '10.0.0.1',
      '-d',
      '10.0.0.8',
      '-t',
      '60',
      ...flowWords(r, ['--icmp-type', '--icmp-code', '--icmp-id'], 0.8),
    ],
    () => ['-L', ...flowWords(r, ALL, 0.06)],
    () => ['-L', pick(r, ['conntrack', 'expect', 'dying', 'unconfirmed', 'nosuch'])],
    () => ['-D', ...flowWords(r, ALL, 0.08)],
    () => ['-D', ...flowWords(r, ENDS, 0.6)],
    () => ['-G', ...flowWords(r, ENDS, 0.9)],
    () => ['-U', ...flowWords(r, [...ENDS, '-t', '-m', '-u'], 0.4)],
    () => ['-F'],
    () => ['-C'],
    () => [pick(r, ['', '-x', '-L -D', '--nosuch', '-L -I', '-p', 'word', '-L word word'])].join(' ').split(' ').filter(Boolean),
  ])();
  return { argv: ['conntrack', ...words], stdin: '' };
}
