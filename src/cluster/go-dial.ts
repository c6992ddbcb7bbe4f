// Connections that the API server makes: from the control plane's own machine, with the words of Go's net and net/http for what fails
// (src/net/net.go, src/net/http/transport.go, Go 1.26).
import type { Errno, Netns } from '../linux/types.ts';
import type { Engine } from './engine.ts';
import { wakeNode } from './node.ts';

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
