// BusyBox' two netcats: the small one of Debian and of old builds, and NC_110_COMPAT.

import { complain, print, runChild } from '../../linux/process.ts';
import { accept, bind, close, connect, listen, recv, recvFrom, type Socket, send, socket } from '../../linux/socket.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { newPipe, writePipe } from '../../sim/pipe.ts';
import { type Co, killTask, startTask, waitOn } from '../../sim/task.ts';
import { familyOf, formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import { busyboxUsage, getopt, libcError, type Options, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { relay } from './nc-relay.ts';
import { getaddrinfo } from './resolver.ts';
import { servicePort } from './services.ts';

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
  const port = /^\d+$/.test(word) ? Number(word) : servicePort(word, udp ? 'udp' : 'tcp');
  if (port === null || port > 65535) {
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
