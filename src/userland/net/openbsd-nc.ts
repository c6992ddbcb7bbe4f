// OpenBSD's netcat of Debian 12 (1.219) and 13 (1.229).

import { complain, print, sleep, strerror } from '../../linux/process.ts';
import { accept, bind, close, connect, listen, recvFrom, type Socket, send, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Family, familyOf, formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import { getopt, type Options, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { type Relay, relay } from './nc-relay.ts';
import { numericHost } from './resolv-conf.ts';
import { gaiStrerror, getaddrinfo, getnameinfo } from './resolver.ts';
import { serviceName, servicePort } from './services.ts';
import { NC_HELP } from './usage/nc.ts';

const SHORT = '46bCDdFhI:i:klM:m:NnO:P:p:q:rSs:T:tUuV:vW:w:X:x:Zz';

export const openbsdNc = (u: Userland): Program =>
  function* nc(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), SHORT, {}, true);
    const fail = (text: string) => {
      complain(p, `nc: ${text}\n`);
      return 1;
    };
    if (o.error) {
      complain(p, `nc: ${o.error}\n${NC_USAGE}`);
      return 1;
    }
    if (o.flags.has('h')) {
      complain(p, NC_HELP.replace('1.219-1', u.tools >= 13 ? '1.229-1' : '1.219-1'));
      return 0;
    }
    const bad = refusal(o);
    if (bad) return fail(bad);
    const [host, ...words] = o.operands;
    const [word] = words;
    if (o.flags.has('U')) return yield* unixSocket(p, o, fail);
    if (o.flags.has('l')) {
      const port = optionValue(o, 'p') ?? o.operands.at(-1);
      if (port === undefined) return fail('missing port number');
      if (o.operands.length <= 2 && portOf(port, 'tcp') === null) return fail('getaddrinfo: Servname not supported for ai_socktype');
      if (o.operands.length <= 2) return yield* openbsdListen(p, u, o);
    }
    if (host === undefined || o.flags.has('l')) {
      complain(p, NC_USAGE);
      return 1;
    }
    if (o.flags.has('k')) return fail('must use -l with -k');
    if (word === undefined) return fail('missing port number');
    const ports: number[] = [];
    for (const each of words) {
      const range = portRange(each, o.flags.has('u') ? 'udp' : 'tcp');
      if (typeof range === 'string') return fail(range);
      ports.push(...range);
    }
    const family: Family | null = o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null;
    const refused = (why: string) => fail(`getaddrinfo for host "${host}" port ${word}: ${why}`);
    if (o.flags.has('n') && !numericHost(host)) return refused(gaiStrerror(u.libc, 'EAI_NONAME'));
    const found = yield* getaddrinfo(p, host, { libc: u.libc, family });
    if (typeof found === 'string') return refused(gaiStrerror(u.libc, found));
    const source = yield* sourceOf(p, u, o);
    if (typeof source === 'string') return fail(source);
    let code = 1;
    for (const port of ports) {
      const r = yield* openbsdConnect(p, u, o, { host, addresses: found.addresses, port, source });
      if (r === 'ended') return 1;
      if (r === 0) code = 0;
    }
    return code;
  };

/** strtonum's three complaints: option, what it is called, least, most. */
const NUMBERS: [string, string, number, number][] = [
  ['i', 'interval', 0, 2 ** 31 / 1000],
  ['I', 'TCP receive window', 1, 65536 << 14],
  ['O', 'TCP send window', 1, 65536 << 14],
  ['M', 'ttl', 0, 255],
  ['m', 'minttl', 0, 255],
  ['q', 'quit timer', -1, 2 ** 31 - 1],
  ['V', 'rtable', 0, 255],
  ['W', 'receive limit', 1, 2 ** 31 - 1],
  ['w', 'timeout', 0, 2 ** 31 / 1000],
];

function strtonum(text: string, least: number, most: number): string | null {
  if (!/^\s*[-+]?\d+$/.test(text)) return 'invalid';
  return Number(text) < least ? 'too small' : Number(text) > most ? 'too large' : null;
}

const TOS = /^(?:lowdelay|throughput|reliability|inetcontrol|netcontrol|critical|ef|af[1-4][1-3]|cs[0-7]|0x[0-9a-fA-F]+|\d+)$/;

function refusal(o: Options): string | null {
  for (const [name, what, least, most] of NUMBERS) {
    const text = optionValue(o, name);
    const bad = text === undefined ? null : strtonum(text, least, most);
    if (!bad) continue;
    return name === 'M' || name === 'm' ? `${what} is ${bad}` : `${what} ${bad}: ${text}`;
  }
  if (o.flags.has('V')) return 'no alternate routing table support available';
  const tos = optionValue(o, 'T');
  if (tos !== undefined && !TOS.test(tos)) return `illegal tos value ${tos}`;
  const proxy = optionValue(o, 'X');
  if (proxy !== undefined && !['4', '5', 'connect'].includes(proxy)) return 'unsupported proxy protocol';
  if (o.flags.has('x')) return 'podnet does not model proxies (-x)';
  return o.flags.has('l') && o.flags.has('z') ? 'cannot use -z and -l' : null;
}

/** There are no UNIX sockets that a pod could have made: every path is missing. */
function* unixSocket(_p: Process, o: Options, fail: (text: string) => number): Co<number> {
  return o.operands.length ? fail(`${o.operands[0]}: No such file or directory`) : fail('missing path');
}

/** A number or a service's name; null: neither. */
const portOf = (word: string, proto: string): number | null => (/^\d+$/.test(word) ? Number(word) : servicePort(word, proto));

/** `80`, `80-90`, `http`. A string is the complaint. */
function portRange(word: string, proto: string): number[] | string {
  const named = servicePort(word, proto);
  if (named !== null) return [named];
  const at = word.indexOf('-');
  // A range begins with a digit; other words with a dash are one wrong name.
  const ends = at > 0 && /^\d/.test(word) ? [word.slice(0, at), word.slice(at + 1)] : [word, word];
  for (const end of ends) {
    const bad = strtonum(end, 1, 65_535);
    if (bad) return `port number ${bad}: ${end}`;
  }
  const [least, most] = ends.map(Number).sort((a, b) => a - b);
  return Array.from({ length: most - least + 1 }, (_, i) => least + i);
}

/** -s and -p; a string is the complaint. */
function* sourceOf(p: Process, u: Userland, o: Options): Co<{ ip: Ip | null; port: number } | null | string> {
  const host = optionValue(o, 's');
  const service = optionValue(o, 'p');
  if (host === undefined && service === undefined) return null;
  const port = service === undefined ? 0 : portOf(service, o.flags.has('u') ? 'udp' : 'tcp');
  if (port === null) return 'getaddrinfo: Servname not supported for ai_socktype';
  if (host === undefined) return { ip: null, port: port & 0xffff };
  const found = yield* getaddrinfo(p, host, { libc: u.libc });
  return typeof found === 'string' ? `getaddrinfo: ${gaiStrerror(u.libc, found)}` : { ip: found.addresses[0], port: port & 0xffff };
}

/** The first paragraph of the help. */
const NC_USAGE = NC_HELP.slice(NC_HELP.indexOf('usage:'), NC_HELP.indexOf('\tCommand Summary'));

interface Target {
  host: string;
  addresses: Ip[];
  port: number;
  source: { ip: Ip | null; port: number } | null;
}

function shownHost(o: Options, host: string, address: Ip): string {
  return o.flags.has('n') || numericHost(host) ? formatIp(address) : `${host} (${formatIp(address)})`;
}

/** 'ended': nc gives up altogether. */
function* openbsdConnect(p: Process, u: Userland, o: Options, { host, addresses, port, source }: Target): Co<number | 'ended'> {
  const udp = o.flags.has('u');
  const proto = udp ? 'udp' : 'tcp';
  const timeoutMs = optionValue(o, 'w') ? Number(optionValue(o, 'w')) * 1000 : Number.POSITIVE_INFINITY;
  for (const address of addresses) {
    const s = socket(p, proto, familyOf(address));
    if (typeof s === 'string') continue;
    const refused = source ? bind(s, source.ip, source.port) : null;
    if (refused) {
      complain(p, `nc: bind failed: ${strerror(refused)}\n`);
      return 'ended';
    }
    const error = yield* connect(s, address, port, timeoutMs);
    if (error) {
      const why = error === 'EINPROGRESS' ? 'timed out: Operation now in progress' : `failed: ${strerror(error)}`;
      if (o.flags.has('v')) complain(p, `nc: connect to ${shownHost(o, host, address)} port ${port} (${proto}) ${why}\n`);
      close(s);
      continue;
    }
    if (udp && (o.flags.has('z') || o.flags.has('v')) && !(yield* udpProbe(p, s, o))) {
      close(s);
      continue;
    }
    if (o.flags.has('v') || (o.flags.has('z') && u.tools >= 13)) {
      const service = o.flags.has('n') ? null : serviceName(port, proto);
      complain(p, `Connection to ${shownHost(o, host, address)} ${port} port [${proto}/${service ?? '*'}] succeeded!\n`);
    }
    if (!o.flags.has('z')) yield* relay(p, s, relayOptions(o));
    close(s);
    return 0;
  }
  return 1;
}

function relayOptions(o: Options): Relay {
  const q = optionValue(o, 'q');
  const w = optionValue(o, 'w');
  const quits = q !== undefined && Number(q) >= 0;
  return {
    quitMs: quits ? Number(q) * 1000 : null,
    shut: o.flags.has('N') || quits,
    idleMs: w ? Number(w) * 1000 : Number.POSITIVE_INFINITY,
    readStdin: !o.flags.has('d'),
  };
}

/** udptest(): a few bytes, and see whether the port says it is closed. */
function* udpProbe(p: Process, s: Socket, o: Options): Co<boolean> {
  const wait = Math.max(1, Number(optionValue(o, 'w') ?? 1)) * 1000;
  for (let i = 0; i < 4; i++) {
    const sent = yield* send(s, Uint8Array.of(88));
    if (typeof sent === 'string') return false;
    if (i === 0) yield* sleep(p, wait);
  }
  return s.error === null;
}

function* openbsdListen(p: Process, u: Userland, o: Options): Co<number> {
  const words = o.operands;
  const port = portOf(optionValue(o, 'p') ?? words[words.length - 1] ?? '0', 'tcp') ?? 0;
  const host = optionValue(o, 's') ?? (words.length > 1 ? words[0] : null);
  const udp = o.flags.has('u');
  const family: Family = o.flags.has('6') || host?.includes(':') ? 6 : 4;
  const s = socket(p, udp ? 'udp' : 'tcp', family);
  if (typeof s === 'string') return 1;
  s.options.set('reuseaddr', 1);
  const error = bind(s, host ? parseIp(host) : null, port) ?? (udp ? null : listen(s, 1));
  if (error) {
    complain(p, `nc: ${strerror(error)}\n`);
    return 1;
  }
  if (o.flags.has('v')) complain(p, `${udp ? 'Bound' : 'Listening'} on ${host ?? (family === 6 ? '::' : '0.0.0.0')} ${port}\n`);
  if (udp) return yield* udpListen(p, u, o, s);
  do {
    const c = yield* accept(s);
    if (typeof c === 'string') return 1;
    yield* received(p, u, o, c.remote as Ip, c.remotePort);
    yield* relay(p, c, relayOptions(o));
    close(c);
  } while (o.flags.has('k'));
  close(s);
  return 0;
}

function* received(p: Process, u: Userland, o: Options, from: Ip, port: number): Co<void> {
  if (!o.flags.has('v')) return;
  const name = o.flags.has('n') ? null : yield* getnameinfo(p, from, u.libc);
  complain(p, `Connection received on ${name ?? formatIp(from)} ${port}\n`);
}

/** A UDP listener belongs to the first peer that sends. */
function* udpListen(p: Process, u: Userland, o: Options, s: Socket): Co<number> {
  const first = yield* recvFrom(s);
  if (typeof first === 'string') return 1;
  yield* received(p, u, o, first.from, first.fromPort);
  print(p, first.data);
  yield* connect(s, first.from, first.fromPort);
  yield* relay(p, s, relayOptions(o));
  close(s);
  return 0;
}
