// bash's /dev/tcp/HOST/PORT and /dev/udp/HOST/PORT.
import { strerror } from '../../linux/process.ts';
import { close, connect, recv, recvFrom, send, sendTo, shutdown, socket } from '../../linux/socket.ts';
import type { Errno } from '../../linux/types.ts';
import { newPipe, type Pipe } from '../../sim/pipe.ts';
import { type Co, startTask, wakeAll } from '../../sim/task.ts';
import { familyOf, type Ip } from '../../wire/ip.ts';
import { onClose } from '../fifo.ts';
import { gaiStrerror, getaddrinfo } from '../net/resolver.ts';
import { say } from './messages.ts';
import type { Shell } from './types.ts';

export const NETWORK_PATH = /^\/dev\/(tcp|udp)\/([^/]+)\/([^/]+)$/;

/** Connect, and give the connection as a descriptor that reads and writes. What failed is said here; who opens says it again. */
export function* openNetwork(sh: Shell, path: string): Co<Pipe | Errno> {
  const [, protocol, host, port] = NETWORK_PATH.exec(path) as RegExpExecArray;
  const number = serviceNumber(port);
  const found = yield* getaddrinfo(sh.p, host, { libc: 'glibc' });
  if (typeof found === 'string') {
    say(sh, 2, `${sh.name}: ${host}: ${gaiStrerror('glibc', found)}\n`);
    return 'EINVAL';
  }
  if (number === null) {
    say(sh, 2, `${sh.name}: ${port}: Servname not supported for ai_socktype\n`);
    return 'EINVAL';
  }
  let error: Errno = 'ECONNREFUSED';
  for (const address of found.addresses) {
    const opened = protocol === 'tcp' ? yield* openTcp(sh, address, number) : openUdp(sh, address, number);
    if (typeof opened !== 'string') return opened;
    error = opened;
    say(sh, 2, `${sh.name}: connect: ${strerror(error)}\n`);
  }
  return error;
}

const SERVICES: Record<string, number> = {
  http: 80,
  https: 443,
  ssh: 22,
  domain: 53,
  smtp: 25,
  ftp: 21,
  telnet: 23,
  mysql: 3306,
  postgresql: 5432,
};

/** getaddrinfo takes a number modulo 65536. */
const serviceNumber = (text: string): number | null => (/^\d+$/.test(text) ? Number(text) & 0xffff : (SERVICES[text] ?? null));

/** Bytes that arrive go into the pipe's own buffer: its sink is for those that leave. */
function arrived(pipe: Pipe, data: Uint8Array): void {
  pipe.chunks.push(data);
  wakeAll(pipe.readers);
}

function* openTcp(sh: Shell, address: Ip, port: number): Co<Pipe | Errno> {
  const s = socket(sh.p, 'tcp', familyOf(address));
  if (typeof s === 'string') return s;
  const e = yield* connect(s, address, port);
  if (e) {
    close(s);
    return e;
  }
  const { sim } = sh.p.kernel;
  const waiting: Uint8Array[] = [];
  let sending = false;
  const pipe = newPipe({
    sink: chunk => {
      waiting.push(chunk);
      if (sending) return;
      sending = true;
      startTask(
        sim,
        sendAll(s, waiting, () => (sending = false)),
        true,
      );
    },
  });
  startTask(sim, receive(s, pipe), true);
  onClose.set(pipe, () => {
    shutdown(s);
    close(s);
  });
  return pipe;
}

function* sendAll(s: Parameters<typeof send>[0], waiting: Uint8Array[], done: () => void): Co<number> {
  for (let chunk = waiting.shift(); chunk; chunk = waiting.shift()) if (typeof (yield* send(s, chunk)) === 'string') break;
  done();
  return 0;
}

function* receive(s: Parameters<typeof recv>[0], pipe: Pipe): Co<number> {
  for (;;) {
    const data = yield* recv(s);
    if (typeof data === 'string' || !data.length) break;
    arrived(pipe, data);
  }
  pipe.closed = true;
  wakeAll(pipe.readers);
  return 0;
}

function openUdp(sh: Shell, address: Ip, port: number): Pipe | Errno {
  const s = socket(sh.p, 'udp', familyOf(address));
  if (typeof s === 'string') return s;
  const pipe = newPipe({ sink: chunk => void sendTo(s, chunk, address, port) });
  startTask(sh.p.kernel.sim, receiveDatagrams(s, pipe), true);
  onClose.set(pipe, () => close(s));
  return pipe;
}

function* receiveDatagrams(s: Parameters<typeof recvFrom>[0], pipe: Pipe): Co<number> {
  for (;;) {
    const d = yield* recvFrom(s);
    if (typeof d === 'string') return 0;
    arrived(pipe, d.data);
  }
}
