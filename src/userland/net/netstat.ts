// netstat (net-tools 2.10 and BusyBox).
import { complain, print } from '../../linux/process.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { busyboxUsage, getopt, type Options, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { INTERFACE_ROWS, ifconfigText, interfaceRow } from './ifconfig.ts';
import { printRoutes, sortedLinks } from './net-tools.ts';
import { getnameinfo } from './resolver.ts';
import { addressText, holder, isListening, ofType, queues, serviceName } from './socket-rows.ts';
import { busyboxNetstatUsage, NETSTAT_USAGE, NETSTAT_VERSION } from './usage/netstat.ts';

/** net-tools' exit code of a wrong command line. */
const E_USAGE = 3;

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

const LONG: Record<string, string> = {
  tcp: 't',
  udp: 'u',
  udplite: 'U',
  sctp: 'S',
  raw: 'w',
  unix: 'x',
  listening: 'l',
  all: 'a',
  numeric: 'n',
  'numeric-hosts': 'hosts',
  'numeric-ports': 'ports',
  'numeric-users': 'users',
  symbolic: 'N',
  timers: 'o',
  continuous: 'c',
  extend: 'e',
  programs: 'p',
  program: 'p',
  route: 'r',
  interfaces: 'i',
  groups: 'g',
  statistics: 's',
  masquerade: 'M',
  verbose: 'v',
  wide: 'W',
  fib: 'F',
  cache: 'C',
  context: 'Z',
  inet: '4',
  inet6: '6',
  'protocol=': 'A',
  version: 'V',
  help: 'h',
};

/** What podnet has no figures for. */
const REFUSED: Record<string, string> = {
  s: '--statistics',
  g: '--groups',
  M: '--masquerade',
  c: '--continuous',
  o: '--timers',
  C: '--cache',
};

const netstat = (u: Userland): Program =>
  function* netstat(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), 'A:CFMacdeghilNnoprsStuUvVWwxZ64?', LONG);
    const is = (name: string) => o.flags.has(name);
    if (o.error) {
      complain(p, `netstat: ${o.error}\n${NETSTAT_USAGE}`);
      return E_USAGE;
    }
    if (is('V') || is('h') || is('?')) {
      // The families are listed by another function, and that to stderr (lib/af.c print_aflist).
      const at = NETSTAT_USAGE.indexOf('    inet (DARPA');
      print(p, is('V') ? NETSTAT_VERSION : NETSTAT_USAGE.slice(0, at));
      if (!is('V')) complain(p, NETSTAT_USAGE.slice(at));
      return 0;
    }
    const family = optionValue(o, 'A');
    if (family !== undefined && !/^(inet6?|unix)$/.test(family)) {
      complain(p, `Unknown address family \`${family}'.\n`);
      return 1;
    }
    if (is('Z')) {
      complain(p, 'SELinux is not enabled on this machine.\n');
      return 1;
    }
    const refused = Object.keys(REFUSED).find(is);
    const six = is('6') || family === 'inet6';
    if (refused || (is('e') && !is('r') && !is('i')) || (is('r') && six)) {
      complain(
        p,
        `netstat: podnet does not model ${refused ? REFUSED[refused] : is('r') ? 'IPv6 routes: ip -6 route shows them' : '--extend'}\n`,
      );
      return 1;
    }
    if (is('r')) printRoutes(p, is('n') || is('hosts'), !is('e'), false);
    else if (is('i')) interfaces(p, is('a'), is('e'));
    else yield* connections(p, u, false, wantedOf(o, six ? 6 : is('4') || family === 'inet' ? 4 : null));
    return 0;
  };

const busyboxNetstat = (u: Userland): Program =>
  function* netstat(p: Process): Co<number> {
    const small = u.distro === 'debian';
    const o = getopt(p.argv.slice(1), small ? 'laentuwxr' : 'laentuwxrWp', {});
    if (o.error) return busyboxUsage(p, u, busyboxNetstatUsage(small), o.error);
    if (o.flags.has('r')) printRoutes(p, o.flags.has('n'), true, true);
    else yield* connections(p, u, true, wantedOf(o, null));
    return 0;
  };

interface Wanted {
  types: Socket['type'][];
  unix: boolean;
  family: 4 | 6 | null;
  all: boolean;
  listening: boolean;
  programs: boolean;
  wide: boolean;
  numericHosts: boolean;
  numericPorts: boolean;
}

function wantedOf(o: Options, family: 4 | 6 | null): Wanted {
  const is = (name: string) => o.flags.has(name);
  const named = ['t', 'u', 'w', 'x', 'S', 'U'].some(is);
  const types: Socket['type'][] = [];
  if (!named || is('t')) types.push('tcp');
  if (!named || is('u')) types.push('udp');
  if (named ? is('w') : true) types.push('raw');
  if (is('S')) types.push('sctp');
  return {
    types,
    unix: is('x') || (!named && family === null),
    family,
    all: is('a'),
    listening: is('l'),
    programs: is('p'),
    wide: is('W'),
    numericHosts: is('n') || is('hosts'),
    numericPorts: is('n') || is('ports'),
  };
}

const COLUMN = 23;

/** A name that is too long gives way to its port: net-tools cuts the name, BusyBox the whole. */
function fitted(host: string, port: string, wide: boolean, busybox: boolean): string {
  if (wide) return `${host}:${port}`.padEnd(COLUMN);
  if (busybox) return `${host}:${port}`.slice(0, COLUMN).padEnd(COLUMN);
  return `${host.slice(0, COLUMN - 1 - port.length)}:${port}`.padEnd(COLUMN);
}

function* connections(p: Process, u: Userland, busybox: boolean, o: Wanted): Co<void> {
  const which = o.all ? 'servers and established' : o.listening ? 'only servers' : 'w/o servers';
  if (o.types.length) {
    const program = o.programs ? ' PID/Program name    ' : busybox ? ' ' : '';
    print(p, `Active Internet connections (${which})\n`);
    print(p, `Proto Recv-Q Send-Q Local Address           Foreign Address         State      ${program}\n`);
  }
  const names = new Map<string, string>();
  function* host(s: Socket, at: 'local' | 'remote'): Co<string> {
    const text = addressText(s, at, 'netstat');
    const ip = s[at];
    if (o.numericHosts || !ip || /^(0\.0\.0\.0|::)$/.test(text)) return text;
    if (!names.has(text)) names.set(text, (yield* getnameinfo(p, ip, u.libc)) ?? text);
    return names.get(text) as string;
  }
  const port = (s: Socket, n: number) => (n === 0 ? '*' : o.numericPorts ? String(n) : serviceName(n, s.type === 'udp' ? 'udp' : 'tcp'));
  for (const type of o.types) {
    const all = ofType(p.netns, type).filter(
      s => (o.all || isListening(s) === o.listening) && (o.family === null || s.family === o.family),
    );
    for (const s of [...all.filter(x => x.family === 4), ...all.filter(x => x.family === 6)]) {
      const proto = `${s.type}${s.family === 6 && !busybox ? '6' : ''}`;
      const queue = s.state === 'LISTEN' ? [queues(s)[0], 0] : queues(s);
      const local = fitted(yield* host(s, 'local'), port(s, s.localPort), o.wide, busybox);
      const remote = fitted(yield* host(s, 'remote'), port(s, s.remotePort), o.wide, busybox);
      const state = s.type === 'tcp' ? (NETSTAT_STATES[s.state] ?? s.state) : s.remote ? 'ESTABLISHED' : '';
      const line = `${proto.padEnd(4)}  ${String(queue[0]).padStart(6)} ${String(queue[1]).padStart(6)} ${local} ${remote} ${state.padEnd(11)}`;
      const h = o.programs ? holder(s, p) : null;
      const program = h ? `${h.pid}/${h.name}` : '-';
      if (o.programs) print(p, `${line} ${busybox ? program : program.padEnd(20)}\n`);
      else print(p, `${line}${busybox ? ' ' : ''}\n`);
    }
  }
  // Programs here make no UNIX sockets.
  if (!o.unix) return;
  print(p, `Active UNIX domain sockets (${which})\n`);
  const program = o.programs ? (busybox ? ' PID/Program name   ' : '   PID/Program name    ') : busybox ? '' : '  ';
  print(p, `Proto RefCnt Flags       Type       State         I-Node${program} Path\n`);
}

function interfaces(p: Process, all: boolean, full: boolean): void {
  print(p, 'Kernel Interface table\n');
  const links = sortedLinks(p)
    .filter(l => all || l.up)
    .sort((x, y) => (x.name < y.name ? -1 : 1));
  if (full) {
    for (const l of links) print(p, ifconfigText(l));
    return;
  }
  print(p, INTERFACE_ROWS);
  for (const l of links) print(p, interfaceRow(l));
}

export const netstatProgram = (u: Userland): Program => netstat(u);

export const busyboxNetstatProgram = (u: Userland): Program => busyboxNetstat(u);
