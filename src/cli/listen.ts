// Listening sockets of the user's machine, for `kubectl port-forward` and `kubectl proxy`.
import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { HostConnection, KubectlHost } from '../kubectl/host.ts';
import { closePipe, newPipe, type Pipe, writePipe } from '../sim/pipe.ts';
import { type Co, waitOn, wakeAll } from '../sim/task.ts';
import { closeStream, fresh, type Live, openStream, settleNow } from './live.ts';

/** As strerror(3) has them; Go prints these. */
const ERRNO: Record<string, string> = {
  EADDRINUSE: 'bind: address already in use',
  EADDRNOTAVAIL: 'bind: cannot assign requested address',
  EACCES: 'bind: permission denied',
  ENOENT: 'bind: no such file or directory',
  EINVAL: 'bind: invalid argument',
  EAFNOSUPPORT: 'socket: address family not supported by protocol',
};

interface Listening {
  port: number;
  /** As Go shows it: `127.0.0.1:8001`, or the path of a socket. */
  at: string;
  close: () => void;
}

/** Connections that this process has ended; they are waited for, or the last bytes would be cut off by its end. */
const ending = new Set<Socket>();

const LINGER_MS = 250;

type Where = { address: string; port: number } | { socket: string };

function listenAt(server: Server, where: Where, done: () => void): void {
  if ('address' in where) {
    server.listen({ host: where.address, port: where.port, exclusive: true }, done);
    return;
  }
  // What another left there goes; other files stay, and are in the way.
  if (lstatSync(where.socket, { throwIfNoEntry: false })?.isSocket()) unlinkSync(where.socket);
  // The socket is the user's alone.
  const mask = process.umask(0o077);
  server.listen({ path: where.socket }, done);
  process.umask(mask);
}

function shownAt(server: Server): { port: number; at: string } {
  const at = server.address();
  if (at === null || typeof at === 'string') return { port: 0, at: at ?? '' };
  return { port: at.port, at: `${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}` };
}

/** Listen on the user's machine. -> where, and how to end it; or why it cannot be. */
export function* listening(live: Live, server: Server, where: Where, close: () => void): Co<Listening | string> {
  // libuv tells of a folder that is not there as of one that is closed to us.
  if ('socket' in where && !existsSync(dirname(where.socket))) return ERRNO.ENOENT;
  const changed = new Set<() => void>();
  let outcome: Listening | string | null = null;
  const settled = (result: Listening | string) => {
    outcome = result;
    wakeAll(changed);
    live.kick();
  };
  server.once('error', e => settled(ERRNO[(e as NodeJS.ErrnoException).code ?? ''] ?? e.message));
  listenAt(server, where, () => settled({ ...shownAt(server), close }));
  try {
    while (outcome === null) yield* waitOn(live.client, [changed]);
  } finally {
    // The command has ended meanwhile, or begins again.
    if (outcome === null) close();
  }
  return outcome;
}

export const hostListen = (live: Live): NonNullable<KubectlHost['listen']> =>
  function* (address, port, onConnection) {
    const server = createServer({ allowHalfOpen: true }, socket => void accepted(live, socket, onConnection));
    return yield* listening(live, server, { address, port }, () => void server.close());
  };

function accepted(live: Live, socket: Socket, onConnection: (c: HostConnection) => void): void {
  const machine = fresh(live);
  settleNow(machine);
  const stream = { skipsUntilMs: () => 0 };
  openStream(live, machine, stream);
  const c: HostConnection = {
    receive: newPipe(),
    send: newPipe({ sink: chunk => void live.outbox.push(() => void socket.write(chunk)) }),
    port: socket.remotePort ?? 0,
  };
  ending.add(socket);
  socket.on('data', chunk => {
    writePipe(c.receive, new Uint8Array(chunk));
    live.kick();
  });
  socket.on('end', () => {
    closePipe(c.receive);
    live.kick();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    ending.delete(socket);
    c.send.broken = true;
    closePipe(c.receive);
    closeStream(live, machine, stream);
    live.kick();
  });
  onClose(c.send, () => void live.outbox.push(() => void socket.end()));
  onConnection(c);
  live.kick();
}

/** Call once when the writing end is closed. */
export function onClose(pipe: Pipe, closed: () => void): void {
  const look = () => {
    if (pipe.closed) closed();
    else pipe.readers.add(look);
  };
  look();
}

/** The clients have read everything, or do not care. */
export function drained(): Promise<void> {
  for (const socket of ending) socket.end();
  const until = performance.now() + LINGER_MS;
  return new Promise(resolve => {
    const look = () => {
      if (!ending.size || performance.now() > until) resolve();
      else setTimeout(look, 5);
    };
    look();
  });
}
