// `ss` (iproute2 6.1 misc/ss.c): columns as wide as their contents, since a pod's output is no terminal.

import { complain, print } from '../../linux/process.ts';
import { inodeOf } from '../../linux/procfs.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { inCidr, parseCidr } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { addressText, holder, isListening, ofType, queues, serviceName, servicePort } from './socket-rows.ts';

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
      else if (!'mrxOZzbEK'.includes(x)) return x;
    }
    return null;
  };
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (word.startsWith('--')) {
      const letter = LONG[word.slice(2)];
      if (!letter) return `ss: unrecognized option '${word}'\n`;
      letters(letter);
    } else if (word.startsWith('-') && word.length > 1) {
      if (word === '-f' || word === '-A' || word === '-F' || word === '-D' || word === '-N') {
        family(o, argv[++i] ?? '');
        continue;
      }
      const bad = letters(word.slice(1));
      if (bad) return `ss: invalid option -- '${bad}'\n`;
    } else rest.push(word);
  }
  return filters(o, rest);
}

function family(o: Options, text: string): void {
  if (text === 'inet') o.family = 4;
  else if (text === 'inet6') o.family = 6;
  for (const t of text.split(',')) if (t === 'tcp' || t === 'udp' || t === 'raw' || t === 'sctp') o.types.push(t);
}

/** `state X`, and tests of addresses and ports joined by `and`. */
function filters(o: Options, words: string[]): Options | string {
  for (let i = 0; i < words.length; i++) {
    const word = words[i].replace(/^\(+/, '').replace(/\)+$/, '');
    if (word === '' || word === 'and' || word === '(' || word === ')') continue;
    if (word === 'state' || word === 'exclude') {
      const name = words[++i] ?? '';
      const states = name === 'all' ? [...STATE_WORDS.connected, 'LISTEN', 'UNCONN'] : STATE_WORDS[name];
      if (!states) return `ss: wrong state name: ${name}\n`;
      o.states = [...(o.states ?? []), ...states];
      continue;
    }
    const side = word === 'sport' || word === 'src' ? 'local' : word === 'dport' || word === 'dst' ? 'remote' : null;
    if (!side) return 'Error: an inet prefix is expected rather than "'.concat(word, '".\n');
    let value = words[++i] ?? '';
    let not = false;
    if (['=', 'eq', '==', '!=', 'ne', 'neq'].includes(value)) {
      not = value === '!=' || value.startsWith('ne');
      value = words[++i] ?? '';
    }
    o.tests.push(test(side, value.replace(/\)+$/, ''), not));
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
    const ok = (!portText || s[side === 'local' ? 'localPort' : 'remotePort'] === port) && (!cidr || (ip !== null && inCidr(cidr, ip)));
    return ok !== not;
  };
}

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

function rowOf(o: Options, s: Socket): Row {
  const [rq, sq] = queues(s);
  const port = (n: number) => (n === 0 ? '*' : o.numeric ? String(n) : serviceName(n, s.type === 'udp' ? 'udp' : 'tcp'));
  const more: string[] = [];
  const h = o.processes ? holder(s) : null;
  if (h) more.push(`users:(("${h.name.slice(0, 15)}",pid=${h.p.pid},fd=${h.fd}))`);
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
      return 255;
    }
    if (o.summary) {
      print(p, summary(p));
      return 0;
    }
    const types: Socket['type'][] = o.types.length ? [...new Set(o.types)] : ['udp', 'tcp'];
    const order: Socket['type'][] = ['raw', 'udp', 'tcp', 'sctp'];
    const rows = order
      .filter(t => types.includes(t))
      .flatMap(t =>
        ofType(p.netns, t)
          .filter(s => wanted(o, s))
          .map(s => rowOf(o, s)),
      );
    const one = types.length === 1;
    const stateKnown = o.states?.length === 1;
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
