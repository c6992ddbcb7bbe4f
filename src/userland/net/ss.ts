// `ss` (iproute2 6.1 misc/ss.c): columns as wide as their contents, since a pod's output is no terminal.

import { complain, print } from '../../linux/process.ts';
import { inodeOf } from '../../linux/procfs.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Ip, inCidr, parseCidr } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { addressText, holder, isListening, ofType, queues, serviceName, servicePort } from './socket-rows.ts';
import { SS_USAGE } from './usage/ss.ts';

interface Options {
  all: boolean;
  listening: boolean;
  numeric: boolean;
  processes: boolean;
  extended: boolean;
  timers: boolean;
  info: boolean;
  summary: boolean;
  header: boolean;
  /** Also sockets that are not modelled (UNIX, packet): a table without rows. */
  others: boolean;
  family: 4 | 6 | null;
  types: Socket['type'][];
  states: string[] | null;
  tests: ((s: Socket) => boolean)[];
}

const LONG: Record<string, string> = {
  all: 'a',
  listening: 'l',
  numeric: 'n',
  processes: 'p',
  extended: 'e',
  options: 'o',
  memory: 'm',
  info: 'i',
  summary: 's',
  tcp: 't',
  udp: 'u',
  raw: 'w',
  unix: 'x',
  sctp: 'S',
  ipv4: '4',
  ipv6: '6',
  'no-header': 'H',
  oneline: 'O',
  version: 'V',
  resolve: 'r',
  help: 'h',
};

const STATE_WORDS: Record<string, string[]> = {
  established: ['ESTAB'],
  'syn-sent': ['SYN-SENT'],
  'syn-recv': ['SYN-RECV'],
  'fin-wait-1': ['FIN-WAIT-1'],
  'fin-wait-2': ['FIN-WAIT-2'],
  'time-wait': ['TIME-WAIT'],
  closed: ['UNCONN'],
  'close-wait': ['CLOSE-WAIT'],
  'last-ack': ['LAST-ACK'],
  listening: ['LISTEN'],
  closing: ['CLOSING'],
  connected: ['ESTAB', 'SYN-SENT', 'SYN-RECV', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSING'],
  synchronized: ['ESTAB', 'SYN-RECV', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSING'],
};

function parse(argv: string[]): Options | string {
  const o: Options = {
    all: false,
    listening: false,
    numeric: false,
    processes: false,
    extended: false,
    timers: false,
    info: false,
    summary: false,
    header: true,
    others: false,
    family: null,
    types: [],
    states: null,
    tests: [],
  };
  const letters = (word: string): string | null => {
    for (const x of word) {
      if (x === 'a') o.all = true;
      else if (x === 'l') o.listening = true;
      else if (x === 'n') o.numeric = true;
      else if (x === 'p') o.processes = true;
      else if (x === 'e') o.extended = true;
      else if (x === 'o') o.timers = true;
      else if (x === 'i') o.info = true;
      else if (x === 's') o.summary = true;
      else if (x === 'H') o.header = false;
      else if (x === 't') o.types.push('tcp');
      else if (x === 'u') o.types.push('udp');
      else if (x === 'w') o.types.push('raw');
      else if (x === 'S') o.types.push('sctp');
      else if (x === '4') o.family = 4;
      else if (x === '6') o.family = 6;
      else if (x === 'x' || x === '0') o.others = true;
      else if (!'mrOZzbEKVhdMT'.includes(x)) return x;
    }
    return null;
  };
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (word.startsWith('--')) {
      const letter = LONG[word.slice(2)];
      if (!letter) return `ss: unrecognized option '${word}'\n${SS_USAGE}`;
      letters(letter);
    } else if (word.startsWith('-') && word.length > 1) {
      if (word === '-f' || word === '-A' || word === '-F' || word === '-D' || word === '-N') {
        const value = argv[++i];
        if (value === undefined) return `ss: option requires an argument -- '${word[1]}'\n${SS_USAGE}`;
        const wrong = word === '-f' ? family(o, value) : word === '-A' ? tables(o, value) : null;
        if (wrong) return `ss: ${wrong}\n${SS_USAGE}`;
        continue;
      }
      const bad = letters(word.slice(1));
      if (bad) return `ss: invalid option -- '${bad}'\n${SS_USAGE}`;
    } else rest.push(word);
  }
  return filters(o, rest);
}

/** -f; a text is the complaint. */
function family(o: Options, text: string): string | null {
  if (text === 'inet' || text === 'inet6') o.family = text === 'inet' ? 4 : 6;
  else if (['unix', 'link', 'netlink', 'vsock', 'xdp', 'tipc'].includes(text)) o.others = true;
  else return `"${text}" is invalid family`;
  return null;
}

const OTHER_TABLES = [
  'unix',
  'unix_stream',
  'unix_dgram',
  'unix_seqpacket',
  'packet',
  'packet_raw',
  'packet_dgram',
  'p_raw',
  'p_dgram',
  'netlink',
  'dccp',
  'mptcp',
];
const TABLES: Record<string, Socket['type'][]> = {
  all: ['raw', 'udp', 'tcp', 'sctp'],
  inet: ['raw', 'udp', 'tcp', 'sctp'],
  tcp: ['tcp'],
  udp: ['udp'],
  raw: ['raw'],
  sctp: ['sctp'],
};

/** -A; a text is the complaint. */
function tables(o: Options, text: string): string | null {
  for (const name of text.split(',')) {
    if (name in TABLES) o.types.push(...TABLES[name]);
    else if (OTHER_TABLES.includes(name)) o.others = true;
    else return `"${name}" is illegal socket table id`;
  }
  return null;
}

/** `state X`, and tests of addresses and ports joined by `and`. */
function filters(o: Options, given: string[]): Options | string {
  const words = given.join(' ').match(/[()]|[^\s()]+/g) ?? [];
  let either = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === 'or' || word === '||' || word === '|') either = true;
    if (['and', '&&', '&', 'or', '||', '|', '(', ')'].includes(word)) continue;
    if (word === 'state' || word === 'exclude') {
      const name = words[++i] ?? '';
      const states = name === 'all' ? [...STATE_WORDS.connected, 'LISTEN', 'UNCONN'] : STATE_WORDS[name];
      if (!states) return `ss: wrong state name: ${name}\n`;
      o.states = [...(o.states ?? []), ...states];
      continue;
    }
    const side = word === 'sport' || word === 'src' ? 'local' : word === 'dport' || word === 'dst' ? 'remote' : null;
    if (!side) return `Error: an inet prefix is expected rather than "${word}".\nCannot parse dst/src address.\n`;
    let value = words[++i] ?? '';
    let not = false;
    if (['=', 'eq', '==', '!=', 'ne', 'neq'].includes(value)) {
      not = value === '!=' || value.startsWith('ne');
      value = words[++i] ?? '';
    }
    const port = value.startsWith(':') ? value.slice(1) : word.endsWith('port') ? value : null;
    if (port !== null && !/^\d+$/.test(port) && port !== '*' && servicePort(port) === null)
      return `Error: "${port}" does not look like a port.\nCannot parse dst/src address.\n`;
    const next = test(side, port === null ? value : `:${port}`, not);
    const before = either ? o.tests.pop() : undefined;
    o.tests.push(before ? x => before(x) || next(x) : next);
    either = false;
  }
  return o;
}

function test(side: 'local' | 'remote', value: string, not: boolean): (s: Socket) => boolean {
  const at = value.lastIndexOf(':');
  const portText = at >= 0 && !/:.*:/.test(value.replace(/\[.*\]/, '')) ? value.slice(at + 1) : '';
  const hostText = (portText || at === value.length - 1 ? value.slice(0, at) : value).replace(/^\[|\]$/g, '');
  const port = /^\d+$/.test(portText) ? Number(portText) : servicePort(portText);
  const cidr = hostText && hostText !== '*' ? parseCidr(hostText) : null;
  return s => {
    const ip = s[side];
    const ok = (!portText || s[side === 'local' ? 'localPort' : 'remotePort'] === port) && (!cidr || inCidr(cidr, ip ?? anyOf(cidr)));
    return ok !== not;
  };
}

/** What a socket bound to no address has: 0.0.0.0 or ::. */
const anyOf = (like: { ip: Ip }): Ip => new Uint8Array(like.ip.length);

function wanted(o: Options, s: Socket): boolean {
  if (o.family && (s.family === 6 ? 6 : 4) !== o.family) return false;
  if (!o.tests.every(t => t(s))) return false;
  if (o.states) return o.states.includes(s.state);
  if (o.all) return true;
  if (o.listening) return isListening(s);
  return !isListening(s) && !(s.type === 'tcp' && (s.state === 'TIME-WAIT' || s.state === 'SYN-RECV'));
}

type Row = string[];
type Column = [head: string, align: 'left' | 'right', before: string];

const COLUMNS: Column[] = [
  ['Netid', 'left', ''],
  ['State', 'left', ' '],
  ['Recv-Q', 'left', ' '],
  ['Send-Q', 'left', ' '],
  ['Local Address:', 'right', ' '],
  ['Port', 'left', ''],
  ['Peer Address:', 'right', ' '],
  ['Port', 'left', ''],
  ['Process', 'left', ''],
];

function rowOf(o: Options, s: Socket, viewer: Process): Row {
  const [rq, sq] = queues(s);
  const port = (n: number) => (n === 0 ? '*' : o.numeric ? String(n) : serviceName(n, s.type === 'udp' ? 'udp' : 'tcp'));
  const more: string[] = [];
  const h = o.processes ? holder(s, viewer) : null;
  if (h) more.push(`users:(("${h.name.slice(0, 15)}",pid=${h.pid},fd=${h.fd}))`);
  const timer = s.tcp?.timer;
  if (o.timers && timer?.run) {
    const left = Math.max(0, timer.atMs - s.netns.kernel.sim.nowMs);
    const shown = left >= 1000 ? `${Math.floor(left / 1000)}sec` : `${Math.round(left)}ms`;
    more.push(`timer:(${s.state === 'TIME-WAIT' ? 'timewait' : 'on'},${shown},${s.tcp?.retries ?? 0})`);
  }
  if (o.extended) more.push(`${s.uid ? `uid:${s.uid} ` : ''}ino:${inodeOf(s)} sk:${inodeOf(s).toString(16)}`);
  return [
    s.type,
    s.state,
    String(rq),
    String(sq),
    `${addressText(s, 'local', 'ss')}:`,
    port(s.localPort),
    `${addressText(s, 'remote', 'ss')}:`,
    port(s.remotePort),
    more.join(' '),
  ];
}

export const ssProgram = (u: Userland): Program =>
  function* ss(p: Process): Co<number> {
    const o = parse(p.argv.slice(1));
    if (typeof o === 'string') {
      complain(p, o);
      return o.startsWith('Error:') ? 1 : 255;
    }
    const first = p.argv.slice(1).find(w => /^-[a-zA-Z0-9]*[Vh]|^--(version|help)$/.test(w));
    if (first) {
      print(p, /V|version/.test(first) ? `ss utility, iproute2-${u.tools >= 13 ? '6.15.0' : '6.1.0'}\n` : SS_USAGE);
      return 0;
    }
    if (o.summary) {
      print(p, summary(p));
      return 0;
    }
    const types: Socket['type'][] = o.types.length || o.others ? [...new Set(o.types)] : ['udp', 'tcp'];
    const order: Socket['type'][] = ['raw', 'udp', 'tcp', 'sctp'];
    const rows = order
      .filter(t => types.includes(t))
      .flatMap(t =>
        ofType(p.netns, t)
          .filter(s => wanted(o, s))
          .map(s => rowOf(o, s, p)),
      );
    const one = types.length + (o.others ? 2 : 0) === 1;
    // Raw sockets that neither listen nor connect have one state.
    const stateKnown = o.states?.length === 1 || (one && types[0] === 'raw' && !o.all && !o.listening);
    // Since 6.12 the last column is there only when something is in it.
    const noProcess = u.tools >= 13 && !o.processes && !o.extended && !o.timers;
    const columns = COLUMNS.map((c, i) => ({ c, i })).filter(
      ({ i }) => !(i === 0 && one) && !(i === 1 && stateKnown) && !(i === 8 && noProcess),
    );
    const widths = columns.map(({ c, i }) => Math.max(o.header ? c[0].length : 0, ...rows.map(r => r[i].length)));
    const line = (cells: Row) =>
      columns
        .map(({ c, i }, k) => (k === 0 ? '' : c[2]) + (c[1] === 'left' ? cells[i].padEnd(widths[k]) : cells[i].padStart(widths[k])))
        .join('');
    if (o.header) print(p, `${line(COLUMNS.map(c => c[0]))}\n`);
    for (const r of rows) print(p, `${line(r)}\n`);
    return 0;
  };

function summary(p: Process): string {
  const all = [...p.netns.sockets.all].filter(s => s.type !== 'tcp' || s.state !== 'UNCONN');
  const tcp = all.filter(s => s.type === 'tcp');
  const n = (list: Socket[], six: boolean) => list.filter(s => (s.family === 6) === six).length;
  const tw = tcp.filter(s => s.state === 'TIME-WAIT').length;
  const live = tcp.filter(s => s.state !== 'TIME-WAIT');
  const row = (name: string, list: Socket[]) =>
    `${name}\t  ${String(list.length).padEnd(9)} ${String(n(list, false)).padEnd(9)} ${String(n(list, true)).padEnd(9)}\n`;
  const udp = all.filter(s => s.type === 'udp');
  const raw = all.filter(s => s.type === 'raw' || s.type === 'icmp');
  return [
    `Total: ${all.length - tw}\n`,
    `TCP:   ${tcp.length} (estab ${tcp.filter(s => s.state === 'ESTAB').length}, closed ${tw}, orphaned 0, timewait ${tw})\n\n`,
    'Transport Total     IP        IPv6\n',
    row('RAW', raw),
    row('UDP', udp),
    row('TCP', live),
    row('INET', [...raw, ...udp, ...live]),
    row('FRAG', []),
    '\n',
  ].join('');
}
