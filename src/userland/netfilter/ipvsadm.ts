// ipvsadm 1.31: the table of virtual services, listed and changed.
import { liveConnections } from '../../linux/ipvs/connections.ts';
import {
  addressText,
  deleteDest,
  deleteService,
  flushServices,
  ipvsOf,
  putDest,
  putService,
  type ServiceSpec,
  serviceKey,
} from '../../linux/ipvs/table.ts';
import {
  type IpvsDest,
  type IpvsProtocol,
  type IpvsService,
  type IpvsStats,
  newStats,
  SCHEDULERS,
  type Scheduler,
} from '../../linux/ipvs/types.ts';
import { complain, print } from '../../linux/process.ts';
import type { Errno, Netns, Process, Program } from '../../linux/types.ts';
import { twoDigits } from '../../sim/time.ts';
import { compareIp, formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';

const PROTOCOLS: Record<string, IpvsProtocol> = { t: 'TCP', u: 'UDP' };
const DEFAULT_PERSISTENCE = 300;

/** Long names of what is done and of its options; a capital is for services, a small letter for destinations. */
const LONG: Record<string, string> = {
  'add-service': 'A',
  'edit-service': 'E',
  'delete-service': 'D',
  'add-server': 'a',
  'edit-server': 'e',
  'delete-server': 'd',
  clear: 'C',
  list: 'L',
  save: 'S',
  zero: 'Z',
  numeric: 'n',
  'tcp-service': 't',
  'udp-service': 'u',
  'sctp-service': 'sctp-service',
  scheduler: 's',
  persistent: 'p',
  'real-server': 'r',
  weight: 'w',
  masquerading: 'm',
  gatewaying: 'g',
  ipip: 'i',
  connection: 'c',
};
const TAKES_VALUE = new Set(['t', 'u', 'sctp-service', 's', 'r', 'w']);
const FLAGS = new Set(['stats', 'rate', 'exact', 'sort', 'nosort', 'timeout', 'daemon', 'thresholds', 'persistent-conn']);

interface Words {
  command: string;
  options: Map<string, string>;
}

class Refusal extends Error {}

function read(argv: string[]): Words {
  const words: Words = { command: '', options: new Map() };
  const take = (name: string, value: string | null, rest: string[]) => {
    if ('AEDaedCLSZR'.includes(name) && name.length === 1) {
      if (words.command && words.command !== name) throw new Refusal('multiple commands specified');
      words.command = name;
    } else if (TAKES_VALUE.has(name)) {
      const given = value ?? rest.shift();
      if (given === undefined) throw new Refusal(`option requires an argument -- '${name}'`);
      words.options.set(name, given);
    } else if (name === 'p') {
      const given = value ?? (/^\d+$/.test(rest[0] ?? '') ? rest.shift() : undefined);
      words.options.set('p', given ?? String(DEFAULT_PERSISTENCE));
    } else words.options.set(name, '');
  };
  const rest = [...argv];
  while (rest.length) {
    const word = rest.shift() as string;
    if (word.startsWith('--')) {
      const [name, value] = word.slice(2).split(/=(.*)/s);
      const short = LONG[name] ?? (FLAGS.has(name) ? name : null);
      if (short === null) throw new Refusal(`unknown option --${name}`);
      take(short, value ?? null, rest);
    } else if (word.startsWith('-')) {
      for (let i = 1; i < word.length; i++) {
        const name = word[i] === 'l' ? 'L' : word[i];
        if (!/[AEDaedCLSZRntusprwmgic]/.test(name)) throw new Refusal(`unknown option -${name}`);
        const value = TAKES_VALUE.has(name) && i + 1 < word.length ? word.slice(i + 1) : null;
        take(name, value, rest);
        if (value !== null) break;
      }
    } else throw new Refusal(`unexpected argument ${word}`);
  }
  return words;
}

function place(text: string, what: string): { ip: Ip; port: number } {
  const m = /^\[?(.*?)\]?:(\d+)$/.exec(text);
  const ip = parseIp(m ? m[1] : text);
  if (!ip) throw new Refusal(`illegal ${what} address[:port] specified`);
  return { ip, port: m ? Number(m[2]) : 0 };
}

const commandName = (letter: string): string => Object.keys(LONG).find(name => LONG[name] === letter) ?? '';

const needs = (option: string, { command }: Words): Refusal =>
  new Refusal(`You need to supply the '${option}' option for the '${commandName(command)}' command`);

function specOf({ options, command }: Words): ServiceSpec {
  for (const [option, protocol] of [...Object.entries(PROTOCOLS), ['sctp-service', 'SCTP'] as [string, IpvsProtocol]]) {
    const text = options.get(option);
    if (text === undefined) continue;
    const { ip, port } = place(text, 'virtual server');
    const persistentSeconds = Number(options.get('p') ?? 0);
    if (!port && !persistentSeconds) throw new Refusal('Zero port specified for non-persistent service');
    const scheduler = (options.get('s') ?? 'wlc') as Scheduler;
    return { protocol, ip, port, scheduler, persistentSeconds };
  }
  throw needs('service-address', { options, command });
}

const WHY: Partial<Record<Errno, [service: string, server: string]>> = {
  EEXIST: ['Service already exists', 'Destination already exists'],
  ESRCH: ['No such service', 'Service not defined'],
  ENOENT: ['Scheduler or persistence engine not found', 'No such destination'],
};

function change(ns: Netns, w: Words): string | null {
  const spec = specOf(w);
  const key = serviceKey(spec);
  if (w.command === 'A' || w.command === 'E') {
    if (!SCHEDULERS.includes(spec.scheduler)) return WHY.ENOENT![0];
    const e = putService(ns, spec, w.command === 'A');
    return e && (WHY[e]?.[0] ?? e);
  }
  if (w.command === 'D') {
    const e = deleteService(ns, key);
    return e && (WHY[e]?.[0] ?? e);
  }
  const service = ipvsOf(ns).services.get(key);
  if (!service) return WHY.ESRCH![1];
  const text = w.options.get('r');
  if (text === undefined) throw needs('real-server', w);
  const { ip, port } = place(text, 'real server');
  const at = { ip, port: port || spec.port };
  const e =
    w.command === 'd'
      ? deleteDest(service, addressText(at.ip, at.port))
      : putDest(service, at.ip, at.port, Number(w.options.get('w') ?? 1), w.command === 'a');
  return e && (WHY[e]?.[1] ?? e);
}

// -- listing

const ORDER: IpvsProtocol[] = ['TCP', 'UDP', 'SCTP'];
const byAddress = (a: { ip: Ip; port: number }, b: { ip: Ip; port: number }): number =>
  a.ip.length - b.ip.length || compareIp(a.ip, b.ip) || a.port - b.port;

const servicesOf = (ns: Netns): IpvsService[] =>
  [...ipvsOf(ns).services.values()].sort(
    (a, b) => a.ip.length - b.ip.length || ORDER.indexOf(a.protocol) - ORDER.indexOf(b.protocol) || byAddress(a, b),
  );

const destsOf = (s: IpvsService): IpvsDest[] => [...s.dests].sort(byAddress);

/** print_largenum: at most eight characters. */
function large(n: number): string {
  if (n < 100_000_000) return String(n).padStart(9);
  for (const [factor, unit] of [
    [1e3, 'K'],
    [1e6, 'M'],
    [1e9, 'G'],
  ] as [number, string][]) {
    const v = Math.floor(n / factor);
    if (v < 100_000_000 / 10) return `${String(v).padStart(8)}${unit}`;
  }
  return `${Math.floor(n / 1e12)}T`.padStart(9);
}

const statistics = (s: IpvsStats): string => [s.conns, s.inPackets, s.outPackets, s.inBytes, s.outBytes].map(large).join('');

const HEAD_STATS = `${'Prot LocalAddress:Port'.padEnd(33)}${['Conns', 'InPkts', 'OutPkts', 'InBytes', 'OutBytes'].map(x => ` ${x.padStart(8)}`).join('')}\n  -> RemoteAddress:Port\n`;
const HEAD_RATE = `${'Prot LocalAddress:Port'.padEnd(33)}${['CPS', 'InPPS', 'OutPPS', 'InBPS', 'OutBPS'].map(x => ` ${x.padStart(8)}`).join('')}\n  -> RemoteAddress:Port\n`;
const HEAD = 'Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n';

function listing(ns: Netns, w: Words): string {
  const stats = w.options.has('stats');
  const rate = w.options.has('rate');
  let out = `IP Virtual Server version 1.2.1 (size=4096)\n${stats ? HEAD_STATS : rate ? HEAD_RATE : HEAD}`;
  const none = newStats();
  for (const s of servicesOf(ns)) {
    const name = `${s.protocol.padEnd(4)} ${addressText(s.ip, s.port)}`;
    if (stats || rate) out += `${name.padEnd(33)}${statistics(stats ? s.stats : none)}\n`;
    else out += `${name} ${s.scheduler}${s.persistentSeconds ? ` persistent ${s.persistentSeconds}` : ''}\n`;
    for (const d of destsOf(s)) {
      const at = addressText(d.ip, d.port);
      if (stats || rate) out += `  -> ${at.padEnd(28)}${statistics(stats ? d.stats : none)}\n`;
      else
        out += `  -> ${at.padEnd(28)} ${'Masq'.padEnd(7)} ${String(d.weight).padEnd(6)} ${String(d.activeConns).padEnd(10)} ${String(d.inactiveConns).padEnd(10)}\n`;
    }
  }
  return out;
}

function connections(ns: Netns): string {
  const row = (a: string, b: string, c: string, d: string, e: string, f: string) =>
    `${a} ${b.padEnd(6)} ${c.padEnd(11)} ${d.padEnd(18)} ${e.padEnd(18)} ${f}\n`;
  let out = `IPVS connection entries\n${row('pro', 'expire', 'state', 'source', 'virtual', 'destination')}`;
  const now = ns.kernel.sim.nowMs;
  for (const c of liveConnections(ns)) {
    const left = Math.max(0, Math.floor((c.expiresAtMs - now) / 1000));
    const at = (x: { ip: Ip; port: number }) => addressText(x.ip, x.port);
    out += row(
      c.protocol.slice(0, 3),
      `${twoDigits(Math.floor(left / 60))}:${twoDigits(left % 60)}`,
      c.state,
      at(c.client),
      at(c.virtual),
      at(c.dest),
    );
  }
  for (const t of ipvsOf(ns).templates.values()) {
    const left = Math.floor((t.expiresAtMs - now) / 1000);
    if (left < 0) continue;
    const expire = `${twoDigits(Math.floor(left / 60))}:${twoDigits(left % 60)}`;
    const source = t.client.length === 16 ? `[${formatIp(t.client)}]:0` : `${formatIp(t.client)}:0`;
    const s = t.service;
    out += row(s.protocol.slice(0, 3), expire, 'ASSURED', source, addressText(s.ip, s.port), addressText(t.dest.ip, t.dest.port));
  }
  return out;
}

/** As `ipvsadm -R` reads it. */
function saved(ns: Netns): string {
  const option: Record<IpvsProtocol, string> = { TCP: '-t', UDP: '-u', SCTP: '--sctp-service' };
  let out = '';
  for (const s of servicesOf(ns)) {
    const at = `${option[s.protocol]} ${addressText(s.ip, s.port)}`;
    out += `-A ${at} -s ${s.scheduler}${s.persistentSeconds ? ` -p ${s.persistentSeconds}` : ''}\n`;
    for (const d of destsOf(s)) out += `-a ${at} -r ${addressText(d.ip, d.port)} -m -w ${d.weight}\n`;
  }
  return out;
}

export const ipvsadmProgram = (_: Userland): Program =>
  function* ipvsadm(p: Process) {
    const ns = p.netns;
    if (!p.caps.has('NET_ADMIN')) {
      complain(p, "Can't initialize ipvs: Permission denied (you must be root)\n");
      return 255;
    }
    try {
      const w = read(p.argv.slice(1));
      switch (w.command) {
        case '':
        case 'L':
          if (w.options.has('timeout')) print(p, 'Timeout (tcp tcpfin udp): 900 120 300\n');
          else print(p, w.options.has('c') ? connections(ns) : listing(ns, w));
          return 0;
        case 'S':
          print(p, saved(ns));
          return 0;
        case 'C':
          flushServices(ns);
          return 0;
        case 'Z':
          for (const s of ipvsOf(ns).services.values()) for (const x of [s, ...s.dests]) x.stats = newStats();
          return 0;
        default: {
          const why = change(ns, w);
          if (why === null) return 0;
          complain(p, `${why}\n`);
          return 255;
        }
      }
    } catch (e) {
      if (!(e instanceof Refusal)) throw e;
      complain(p, `${e.message}\nTry \`ipvsadm -h' or 'ipvsadm --help' for more information.\n`);
      return 2;
    }
  };
