// A client on a machine opens a connection to the API server: by name or address, through the network as it is, to whoever listens there.
import { close, connect, kernelSocket, type Socket } from '../linux/socket.ts';
import type { Process } from '../linux/types.ts';
import { runUntil } from '../sim/sim.ts';
import { type Co, startTask } from '../sim/task.ts';
import { getaddrinfo } from '../userland/net/resolver.ts';
import { type Certificate, type ClientHello, tlsConnect } from '../userland/tls.ts';
import { familyOf, formatIp, parseIp } from '../wire/ip.ts';
import { handshakeError } from './api-proxy.ts';
import { dialError } from './go-dial.ts';
import type { Engine } from './types.ts';

/** net.Dialer's, of client-go's transport (client-go v0.36.3 transport/cache.go). */
const DIAL_MS = 30_000;
/** A look-up's: five seconds and two attempts for each of what the resolver asks. */
const LOOKUP_MS = 60_000;

/** Who took the connection and what it showed of itself, or Go's words for why nobody did. `certificate`: null over plain HTTP. */
export type Reached = { apiserver: boolean; certificate: Certificate | null } | { error: string };

/** `host`: a name, or an address without brackets. `tls`: the hello; null: plain HTTP is spoken. */
export interface Destination {
  host: string;
  port: number;
  tls: ClientHello | null;
}

/** The cluster's time passes meanwhile. */
export function reachApiserver(engine: Engine, p: Process, { host, port, tls }: Destination): Reached {
  // The machines must be plugged into the network before one of them talks.
  for (const node of engine.nodes.values()) node.kernel();
  const { sim } = p.kernel;
  const step: { reached: Reached } = { reached: { error: dialError(shown(host, port), 'EINPROGRESS') } };
  const task = startTask(sim, attempt(engine, p, { host, port, tls, step }));
  runUntil(sim, () => task.done, sim.nowMs + DIAL_MS + LOOKUP_MS);
  return step.reached;
}

const shown = (host: string, port: number) => `${host.includes(':') ? `[${host}]` : host}:${port}`;

function* attempt(engine: Engine, p: Process, o: Destination & { step: { reached: Reached } }): Co<void> {
  const { host, port, step } = o;
  const address = parseIp(host);
  const found = address ? { addresses: [address] } : yield* getaddrinfo(p, host, { libc: 'glibc' });
  if (typeof found === 'string') {
    const said = found === 'EAI_AGAIN' ? 'i/o timeout' : 'no such host';
    step.reached = { error: `dial tcp: lookup ${host} on ${engine.config.world.dns.server}:53: ${said}` };
    return;
  }
  // Of several addresses the first one's error is told (net.dialSerial).
  let first: string | undefined;
  for (const to of found.addresses) {
    const before = new Set(atApiservers(engine));
    const s = kernelSocket(p.netns, 'tcp', familyOf(to));
    try {
      const error = yield* connect(s, to, port, DIAL_MS);
      if (!error) {
        const apiserver = atApiservers(engine).some(c => !before.has(c));
        const shown = yield* served(s, o.tls);
        step.reached = shown && 'error' in shown ? shown : { apiserver, certificate: shown };
        return;
      }
      first ??= dialError(shown(formatIp(to), port), error);
      step.reached = { error: first };
    } finally {
      close(s);
    }
  }
}

/** net/http's TLSHandshakeTimeout. */
const HANDSHAKE_MS = 10_000;

function* served(s: Socket, hello: ClientHello | null): Co<Certificate | null | { error: string }> {
  if (!hello) return null;
  let seen: Uint8Array = new Uint8Array(0);
  const t = yield* tlsConnect(s, hello, HANDSHAKE_MS, bytes => {
    seen = bytes;
  });
  return typeof t === 'string' ? { error: handshakeError(s, t, seen) } : t.certificate;
}

/** Connections that API servers have at the ports where they listen. */
function atApiservers(engine: Engine): Socket[] {
  return [...engine.nodes.values()]
    .filter(n => n.spec.role === 'control-plane')
    .flatMap(n => {
      const sockets = [...(n.kernel().netns.get('')?.sockets.all ?? [])];
      const ports = sockets.filter(s => s.state === 'LISTEN' && isApiserver(s.owner)).map(s => s.localPort);
      return sockets.filter(s => s.type === 'tcp' && s.state !== 'LISTEN' && ports.includes(s.localPort));
    });
}

const isApiserver = (p: Process | null): boolean => /(^|\/)kube-apiserver$/.test(p?.argv[0] ?? '');
