// telnet: BusyBox' applet and inetutils/netkit's: a connection with the terminal's words around it.

import { complain, print, strerror } from '../../linux/process.ts';
import { close, connect, recv, send, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { readPipe } from '../../sim/pipe.ts';
import { type Co, killTask, startTask } from '../../sim/task.ts';
import { familyOf, formatIp } from '../../wire/ip.ts';
import { busyboxUsage, getopt, libcError } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { gaiStrerror, getaddrinfo } from './resolver.ts';
import { servicePort } from './services.ts';

type Connected = Exclude<ReturnType<typeof socket>, string>;

/** Both directions until either side ends; BusyBox leaves at the end of stdin at once. */
function* session(p: Process, s: Connected, leaveAtEof: boolean): Co<void> {
  let left = false;
  const feed = startTask(
    p.kernel.sim,
    (function* (): Co<void> {
      for (;;) {
        const chunk = yield* readPipe(p.kernel.sim, p.stdin);
        if (chunk === 'timeout') continue;
        if (!chunk.length) break;
        yield* send(s, chunk);
      }
      left = leaveAtEof;
      if (left) close(s);
    })(),
    p.task?.background ?? false,
  );
  for (;;) {
    const got = yield* recv(s);
    if (typeof got === 'string' || !got.length) break;
    print(p, got);
  }
  if (!feed.done) killTask(feed, undefined);
}

export const busyboxTelnet = (u: Userland): Program =>
  function* telnet(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), 'al:');
    if (o.error || !o.operands.length)
      return busyboxUsage(
        p,
        u,
        'telnet [-a] [-l USER] HOST [PORT]\n\nConnect to telnet server\n\n\t-a\tAutomatic login with $USER variable\n\t-l USER\tAutomatic login as USER',
        o.error ?? undefined,
      );
    const [host, word] = o.operands;
    const port = word === undefined ? 23 : (servicePort(word, 'tcp') ?? Number(word));
    const found = yield* getaddrinfo(p, host, { libc: u.libc });
    if (typeof found === 'string') {
      complain(p, `telnet: bad address '${host}'\n`);
      return 1;
    }
    const address = found.addresses[0];
    const s = socket(p, 'tcp', familyOf(address));
    const error = typeof s === 'string' ? s : yield* connect(s, address, port);
    if (error || typeof s === 'string') {
      complain(p, `telnet: can't connect to remote host (${formatIp(address)}): ${libcError(u, error ?? 'EIO')}\n`);
      return 1;
    }
    print(p, `${(u.busybox ?? 37) >= 30 ? `Connected to ${host}\n` : ''}`);
    if (p.tty) print(p, "\nEntering character mode\nEscape character is '^]'.\n\n");
    const atEof = !p.tty;
    yield* session(p, s, atEof);
    if (!atEof) complain(p, 'Connection closed by foreign host\r\n');
    close(s);
    return atEof ? 0 : 1;
  };

export const telnet = (u: Userland): Program =>
  function* telnet(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), '468EFKLacdfrx7b:e:k:l:n:X:');
    if (!o.operands.length) {
      print(p, 'telnet> ');
      return 0;
    }
    const [host, word] = o.operands;
    const port = word === undefined ? 23 : (servicePort(word, 'tcp') ?? Number(word));
    const found = yield* getaddrinfo(p, host, { libc: u.libc });
    if (typeof found === 'string') {
      complain(p, `telnet: could not resolve ${host}/${word ?? 'telnet'}: ${gaiStrerror(u.libc, found)}\n`);
      return 1;
    }
    for (const address of found.addresses) {
      print(p, `Trying ${formatIp(address)}...\n`);
      const s = socket(p, 'tcp', familyOf(address));
      const error = typeof s === 'string' ? s : yield* connect(s, address, port);
      if (error || typeof s === 'string') {
        complain(p, `telnet: Unable to connect to remote host: ${strerror(error ?? 'EIO')}\n`);
        continue;
      }
      print(p, `Connected to ${host}.\nEscape character is '^]'.\n`);
      yield* session(p, s, !p.tty);
      complain(p, 'Connection closed by foreign host.\n');
      close(s);
      return 1;
    }
    return 1;
  };
