// netcat: OpenBSD's of Debian 12 (1.219) and 13 (1.229), and BusyBox' two.

import { complain, print, runChild, sleep, strerror } from '../../linux/process.ts';
import { accept, bind, close, connect, listen, recv, recvFrom, type Socket, send, shutdown, socket } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { newPipe, readPipe, writePipe } from '../../sim/pipe.ts';
import { type Co, killTask, startTask, type Task, waitOn } from '../../sim/task.ts';
import { type Family, familyOf, formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import { busyboxUsage, getopt, libcError, type Options, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { numericHost } from './resolv-conf.ts';
import { gaiStrerror, getaddrinfo, getnameinfo } from './resolver.ts';
import { serviceName, servicePort } from './services.ts';

// Moving bytes both ways.

interface Relay {
  /** After the end of stdin: null: wait for the other side; else quit after so many ms. */
  quitMs: number | null;
  /** Send FIN at the end of stdin. */
  shut: boolean;
  /** Nothing for so long: quit. */
  idleMs: number;
  readStdin: boolean;
}

/** stdin to the connection, the connection to stdout, until the other side closes. */
function* relay(p: Process, s: Socket, o: Relay): Co<void> {
  const feed = o.readStdin ? startTask(p.kernel.sim, feeder(p, s, o), p.task?.background ?? false) : null;
  if (feed) p.cleanup.push(() => killTask(feed, undefined));
  try {
    yield* drain(p, s, o, feed);
  } finally {
    if (feed && !feed.done) killTask(feed, undefined);
  }
}

function* feeder(p: Process, s: Socket, o: Relay): Co<void> {
  for (;;) {
    const chunk = yield* readPipe(p.kernel.sim, p.stdin);
    if (chunk === 'timeout') continue;
    if (!chunk.length) break;
    const sent = s.type === 'udp' ? yield* send(s, chunk) : yield* send(s, chunk);
    if (typeof sent === 'string') return;
  }
  if (o.shut && s.type === 'tcp') shutdown(s);
}

function* drain(p: Process, s: Socket, o: Relay, feed: Task<void> | null): Co<void> {
  const { sim } = p.kernel;
  let quitAt = Number.POSITIVE_INFINITY;
  for (;;) {
    if (feed?.done && o.quitMs !== null && quitAt === Number.POSITIVE_INFINITY) quitAt = sim.nowMs + o.quitMs;
    const wait = Math.min(o.idleMs, quitAt - sim.nowMs);
    if (wait <= 0) return;
    if (!readyToRead(s) && feed && !feed.done && o.quitMs !== null) {
      // The end of stdin starts the clock of -q: look again then.
      if (!(yield* waitOn(sim, [s.readable, feed.ended], o.idleMs)) && Number.isFinite(o.idleMs)) return;
      if (!readyToRead(s)) continue;
    }
    const got = yield* recv(s, wait);
    if (typeof got === 'string' || (!got.length && s.type === 'tcp')) return;
    if (print(p, got)) return;
  }
}

const readyToRead = (s: Socket): boolean =>
  s.datagrams.length > 0 || s.error !== null || (s.tcp !== null && (s.tcp.inboxLength > 0 || s.tcp.finReceived));

// OpenBSD netcat

export const openbsdNc = (u: Userland): Program =>
  function* nc(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), '46bCDdFhklnNrStUuvZzI:i:M:m:O:P:p:q:s:T:V:W:w:X:x:c');
    const fail = (text: string, code = 1) => {
      complain(p, `nc: ${text}\n`);
      return code;
    };
    if (o.error) {
      complain(p, `nc: ${o.error}\n${NC_USAGE}`);
      return 1;
    }
    if (o.flags.has('h')) {
      complain(p, `OpenBSD netcat (Debian patchlevel ${u.tools >= 13 ? '1.229-1' : '1.219-1'})\n${NC_USAGE}`);
      return 1;
    }
    if (o.flags.has('l')) return yield* openbsdListen(p, u, o);
    if (o.operands.length < 2) {
      complain(p, NC_USAGE);
      return 1;
    }
    const [host, ...portWords] = o.operands;
    const ports: number[] = [];
    const proto = o.flags.has('u') ? 'udp' : 'tcp';
    for (const w of portWords.slice(0, 1)) {
      const range = /^(\d+)-(\d+)$/.exec(w);
      const [from, to] = range ? [Number(range[1]), Number(range[2])] : [portNumber(w, proto), portNumber(w, proto)];
      if (typeof from === 'string' || typeof to === 'string') return fail(String(from));
      if (from > 65535 || to > 65535) return fail(`port number too large: ${w}`);
      for (let i = Math.min(from, to); i <= Math.max(from, to); i++) ports.push(i);
    }
    const family: Family | null = o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null;
    if (o.flags.has('n') && !numericHost(host))
      return fail(`getaddrinfo for host "${host}" port ${portWords[0]}: ${gaiStrerror(u.libc, 'EAI_NONAME')}`);
    const found = yield* getaddrinfo(p, host, { libc: u.libc, family });
    if (typeof found === 'string') return fail(`getaddrinfo for host "${host}" port ${portWords[0]}: ${gaiStrerror(u.libc, found)}`);
    let code = 1;
    for (const port of ports) {
      const r = yield* openbsdConnect(p, u, o, host, found.addresses, port);
      if (r === 0) code = 0;
    }
    return code;
  };

function portNumber(word: string, proto: string): number | string {
  if (/^\d+$/.test(word)) return Number(word);
  return servicePort(word, proto) ?? (/^-?\d+/.test(word) ? `port number invalid: ${word}` : `service "${word}" unknown`);
}

const NC_USAGE = `usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]
	  [-m minttl] [-O length] [-P proxy_username] [-p source_port]
	  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]
	  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]
	  [destination] [port]
`;

function shownHost(o: Options, host: string, address: Ip): string {
  return o.flags.has('n') || numericHost(host) ? formatIp(address) : `${host} (${formatIp(address)})`;
}

function* openbsdConnect(p: Process, u: Userland, o: Options, host: string, addresses: Ip[], port: number): Co<number> {
  const udp = o.flags.has('u');
  const proto = udp ? 'udp' : 'tcp';
  const timeoutMs = optionValue(o, 'w') ? Number(optionValue(o, 'w')) * 1000 : Number.POSITIVE_INFINITY;
  for (const address of addresses) {
    const s = socket(p, proto, familyOf(address));
    if (typeof s === 'string') continue;
    const from = optionValue(o, 's');
    if (from || optionValue(o, 'p')) bind(s, from ? parseIp(from) : null, Number(optionValue(o, 'p') ?? 0));
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
  const port = Number(optionValue(o, 'p') ?? words[words.length - 1] ?? 0);
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

// BusyBox

const SMALL = `nc [-iN] [-wN] [-l] [-p PORT] [-f FILE|IPADDR PORT] [-e PROG]

Open a pipe to IP:PORT or FILE

	-l	Listen mode, for inbound connects
		(use -ll with -e for persistent server)
	-p PORT	Local port
	-w SEC	Connect timeout
	-i SEC	Delay interval for lines sent
	-f FILE	Use file (ala /dev/ttyS0) instead of network
	-e PROG	Run PROG after connect`;

const BLOATY = `nc [OPTIONS] HOST PORT  - connect
nc [OPTIONS] -l -p PORT [HOST] [PORT]  - listen

	-e PROG	Run PROG after connect (must be last)
	-l	Listen mode, for inbound connects
	-lk	With -e, provides persistent server
	-p PORT	Local port
	-s ADDR	Local address
	-w SEC	Timeout for connects and final net reads
	-i SEC	Delay interval for lines sent
	-n	Don't do DNS resolution
	-u	UDP mode
	-b	Allow broadcasts
	-v	Verbose
	-o FILE	Hex dump traffic
	-z	Zero-I/O mode (scanning)`;

export const busyboxNc = (u: Userland): Program => (u.distro === 'debian' || (u.busybox ?? 37) < 28 ? smallNc(u) : bloatyNc(u));

/** Everything behind -e is the program. */
function splitProgram(words: string[]): { rest: string[]; program: string[] | null } {
  const at = words.findIndex(w => w === '-e' || (/^-[a-zA-Z]*e$/.test(w) && !w.startsWith('--')));
  if (at < 0) return { rest: words, program: null };
  const others = words[at].slice(1, -1);
  return { rest: [...words.slice(0, at), ...(others ? [`-${others}`] : [])], program: words.slice(at + 1) };
}

/** dup2 of the connection over the program's three descriptors. */
function* serveProgram(p: Process, s: Socket, argv: string[]): Co<void> {
  const stdin = newPipe();
  const stdout = newPipe({ sink: data => background(send(s, data)) });
  const background = (co: Co<unknown>) => {
    startTask(p.kernel.sim, co, true);
  };
  const reading = startTask(
    p.kernel.sim,
    (function* (): Co<void> {
      for (;;) {
        const got = yield* recv(s);
        if (typeof got === 'string' || !got.length) break;
        writePipe(stdin, got);
      }
      stdin.closed = true;
      for (const wake of [...stdin.readers]) wake();
    })(),
    true,
  );
  yield* runChild(p, argv, { stdin, stdout, stderr: stdout });
  killTask(reading, undefined);
}

const smallNc = (u: Userland): Program =>
  function* nc(p: Process): Co<number> {
    const { rest, program } = splitProgram(p.argv.slice(1));
    const o = getopt(rest, 'lp:w:i:f:', {}, false);
    if (o.error) return busyboxUsage(p, u, SMALL, o.error);
    if (o.flags.has('l'))
      return yield* busyboxListen(
        p,
        u,
        o,
        program,
        rest
          .filter(w => /l/.test(w))
          .join('')
          .replace(/[^l]/g, '').length > 1,
        'tcp',
      );
    if (o.operands.length < 2) return busyboxUsage(p, u, SMALL);
    return yield* busyboxConnect(p, u, o, program, 'small');
  };

const bloatyNc = (u: Userland): Program =>
  function* nc(p: Process): Co<number> {
    const { rest, program } = splitProgram(p.argv.slice(1));
    const o = getopt(rest, 'lkp:s:w:i:nubvo:z', {}, false);
    if (o.error) return busyboxUsage(p, u, BLOATY, o.error);
    if (o.flags.has('l'))
      return yield* busyboxListen(p, u, o, program, o.flags.has('k') || /l.*l/.test(rest.join('')), o.flags.has('u') ? 'udp' : 'tcp');
    if (o.operands.length < 2) return busyboxUsage(p, u, BLOATY);
    return yield* busyboxConnect(p, u, o, program, 'bloaty');
  };

function* busyboxConnect(p: Process, u: Userland, o: Options, program: string[] | null, kind: 'small' | 'bloaty'): Co<number> {
  const [host, word] = o.operands;
  const udp = o.flags.has('u');
  const port = portNumber(word, udp ? 'udp' : 'tcp');
  if (typeof port === 'string' || port > 65535) {
    complain(p, `nc: bad port '${word}'\n`);
    return 1;
  }
  const w = optionValue(o, 'w');
  const timeoutMs = w ? Number(w) * 1000 : Number.POSITIVE_INFINITY;
  // The small one's alarm runs from its start, and ends a look-up too.
  const startMs = p.kernel.sim.nowMs;
  const found =
    kind === 'small' && w
      ? yield* limited(p, getaddrinfo(p, host, { libc: u.libc }), timeoutMs)
      : yield* getaddrinfo(p, host, { libc: u.libc });
  if (found === null) {
    complain(p, 'nc: timed out\n');
    return 1;
  }
  if (typeof found === 'string') {
    complain(p, `nc: bad address '${host}'\n`);
    return 1;
  }
  const address = found.addresses[0];
  const s = socket(p, udp ? 'udp' : 'tcp', familyOf(address));
  if (typeof s === 'string') return 1;
  if (optionValue(o, 'p') || optionValue(o, 's'))
    bind(s, optionValue(o, 's') ? parseIp(optionValue(o, 's') as string) : null, Number(optionValue(o, 'p') ?? 0));
  const left = kind === 'small' ? timeoutMs - (p.kernel.sim.nowMs - startMs) : timeoutMs;
  const error = yield* connect(s, address, port, left);
  const shown = familyOf(address) === 6 ? `[${formatIp(address)}]:${port}` : `${formatIp(address)}:${port}`;
  if (error) {
    close(s);
    connectComplaint(p, u, o, kind, error, host, shown, address);
    return 1;
  }
  if (kind === 'bloaty' && o.flags.has('v')) complain(p, `${host} (${shown}) open\n`);
  if (!o.flags.has('z')) {
    if (program) yield* serveProgram(p, s, program);
    else yield* relay(p, s, { quitMs: udp ? 0 : null, shut: true, idleMs: Number.POSITIVE_INFINITY, readStdin: true });
  }
  close(s);
  return 0;
}

function* limited<T>(p: Process, co: Co<T>, ms: number): Co<T | null> {
  const task = startTask(p.kernel.sim, co, p.task?.background ?? false);
  if (!task.done) yield* waitOn(p.kernel.sim, [task.ended], ms);
  if (task.done) return task.result as T;
  killTask(task, undefined as T);
  return null;
}

function connectComplaint(p: Process, u: Userland, o: Options, kind: string, e: Errno, host: string, shown: string, address: Ip): void {
  if (kind === 'small') {
    if (e === 'EINPROGRESS') complain(p, 'nc: timed out\n');
    else complain(p, `nc: can't connect to remote host (${formatIp(address)}): ${libcError(u, e)}\n`);
    return;
  }
  const times = p.argv
    .filter(w => /^-[a-z]*v/.test(w))
    .join('')
    .replace(/[^v]/g, '').length;
  if (e === 'EINPROGRESS') {
    if (times > 0) complain(p, `nc: ${host} (${shown}): ${libcError(u, 'ETIMEDOUT')}\n`);
  } else if (times > 1 || (times === 1 && !o.flags.has('z'))) complain(p, `nc: ${host} (${shown}): ${libcError(u, e)}\n`);
}

function* busyboxListen(
  p: Process,
  u: Userland,
  o: Options,
  program: string[] | null,
  persistent: boolean,
  type: 'tcp' | 'udp',
): Co<number> {
  const port = Number(optionValue(o, 'p') ?? o.operands[0] ?? 0);
  const s = socket(p, type, optionValue(o, 's') ? 4 : 6);
  if (typeof s === 'string') return 1;
  s.options.set('reuseaddr', 1);
  const from = optionValue(o, 's');
  const error = bind(s, from ? parseIp(from) : null, port) ?? (type === 'udp' ? null : listen(s, 1));
  if (error) {
    complain(p, `nc: bind: ${libcError(u, error)}\n`);
    return 1;
  }
  if (o.flags.has('v')) complain(p, `listening on [::]:${port} ...\n`);
  if (type === 'udp') {
    const first = yield* recvFrom(s);
    if (typeof first === 'string') return 1;
    yield* connect(s, first.from, first.fromPort);
    if (!program) print(p, first.data);
    if (program) yield* serveProgram(p, s, program);
    else yield* relay(p, s, { quitMs: null, shut: false, idleMs: Number.POSITIVE_INFINITY, readStdin: true });
    close(s);
    return 0;
  }
  for (;;) {
    const c = yield* accept(s);
    if (typeof c === 'string') return 1;
    if (o.flags.has('v'))
      complain(
        p,
        `connect to [${formatIp(c.local as Ip)}]:${port} from ${formatIp(c.remote as Ip)}:${c.remotePort} ([${formatIp(c.remote as Ip)}]:${c.remotePort})\n`,
      );
    const serve = (function* (): Co<void> {
      if (program) yield* serveProgram(p, c, program);
      else yield* relay(p, c, { quitMs: null, shut: true, idleMs: Number.POSITIVE_INFINITY, readStdin: true });
      close(c);
    })();
    if (persistent && program) {
      // A persistent server forks for every connection.
      const task = startTask(p.kernel.sim, serve, p.task?.background ?? true);
      if (!task.done) p.cleanup.push(() => killTask(task, undefined));
      continue;
    }
    yield* serve;
    if (!persistent) break;
  }
  close(s);
  return 0;
}
