// Connections that the API server makes: from the control plane's own machine, with the words of Go's net and net/http for what fails
// (src/net/net.go, src/net/http/transport.go, Go 1.26).
import { close, connect, kernelSocket } from '../linux/socket.ts';
import type { Errno, Netns } from '../linux/types.ts';
import { runUntil } from '../sim/sim.ts';
import { type Co, startTask } from '../sim/task.ts';
import { familyOf, type Ip } from '../wire/ip.ts';
import { wakeNode } from './node.ts';
import type { Engine } from './types.ts';

/** The machine that kube-apiserver runs on. */
export function apiserverNetns(engine: Engine): Netns {
  // The nodes must be plugged into the network before one of them talks.
  for (const node of engine.nodes.values()) node.kernel();
  const first = [...engine.nodes.values()].find(n => n.spec.role === 'control-plane') ?? [...engine.nodes.values()][0];
  return wakeNode(first).kernel.netns.get('') as Netns;
}

const WORDS: Partial<Record<Errno, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ETIMEDOUT: 'connection timed out',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EINVAL: 'invalid argument',
  EPIPE: 'broken pipe',
};

/** syscall.Errno.Error; null: there was none but the time that ran out. */
export const errnoWords = (e: Errno): string | null => WORDS[e] ?? null;

/** net.Dialer with a timeout of its own. `to`: as the URL has it, with its port. */
export const dialError = (to: string, e: Errno): string =>
  `dial tcp ${to}: ${errnoWords(e) === null ? 'i/o timeout' : `connect: ${errnoWords(e)}`}`;

/** Engines that somebody is dialling in: nobody waits for two calls at a time. */
const dialling = new WeakSet<Engine>();

/** net.Dial with a deadline, for who cannot wait otherwise: the cluster's time passes meanwhile. null: somebody took the connection. */
export function dialAtOnce(engine: Engine, to: { ip: Ip; port: number }, timeoutMs: number): Errno | null {
  if (dialling.has(engine)) return null;
  dialling.add(engine);
  try {
    const from = apiserverNetns(engine);
    const { sim } = from.kernel;
    const s = kernelSocket(from, 'tcp', familyOf(to.ip));
    function* client(): Co<Errno | null> {
      try {
        return yield* connect(s, to.ip, to.port, timeoutMs);
      } finally {
        close(s);
      }
    }
    const task = startTask(sim, client());
    runUntil(sim, () => task.done, sim.nowMs + timeoutMs + 1);
    return task.done ? (task.result ?? null) : 'EINPROGRESS';
  } finally {
    dialling.delete(engine);
  }
}
