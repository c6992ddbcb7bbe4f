// nginx's stream block: TCP connections and UDP datagrams passed on as they are (src/stream/ngx_stream_proxy_module.c 1.22).
import { bind, close, connect, recv, recvFrom, type Socket, send, sendTo, shutdown, socket } from '../../linux/socket.ts';
import type { Errno } from '../../linux/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { type Co, join, killTask, startTask } from '../../sim/task.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import { background, tcpServer } from '../http-server.ts';
import { covers } from './nginx-access.ts';
import { connectionLog } from './nginx-log.ts';
import { errnoText } from './nginx-proxy.ts';
import type { Peer } from './nginx-scope.ts';
import { durationMs, type Listen, last, type Nginx, type NginxServer, plain } from './nginx-scope.ts';
import { freePeer, nextPeer, peerText } from './nginx-upstream.ts';

const text = (a: Ip, port: number) => (a.length === 16 ? `[${formatIp(a)}]:${port}` : `${formatIp(a)}:${port}`);

/** The server's word before the stream block's. */
const value = (n: Nginx, server: NginxServer, name: string) => (last(server.directives, name) ?? last(n.stream, name))?.args[0];

/** Open one listener of a stream server. -> what bind or listen said, or null */
export function listenStream(n: Nginx, server: NginxServer, l: Listen, opened: (s: Socket) => void): Errno | null {
  if (!l.udp) return tcpServer(n.p, l.port, s => session(n, server, l, s), { address: l.address, backlog: l.backlog, opened });
  const s = socket(n.p, 'udp', l.address.length === 4 ? 4 : 6);
  if (typeof s === 'string') return s;
  if (l.address.length === 16) s.v6only = true;
  const error = bind(s, l.address, l.port);
  if (error) {
    close(s);
    return error;
  }
  opened(s);
  background(n.p, datagrams(n, server, l, s));
  return null;
}

function denied(n: Nginx, server: NginxServer, client: Ip): boolean {
  const rules = [server.directives, n.stream]
    .map(list => list.filter(d => d.name === 'allow' || d.name === 'deny'))
    .find(list => list.length);
  return rules?.find(d => covers(d.args[0], client))?.name === 'deny';
}

const peersOf = (n: Nginx, server: NginxServer) => {
  const name = last(server.directives, 'proxy_pass')?.args[0];
  return name === undefined ? undefined : n.peers.get(`stream ${name}`);
};

/** One TCP connection: to the next server that takes it, then bytes both ways until either side ends. */
function* session(n: Nginx, server: NginxServer, l: Listen, s: Socket): Co<void> {
  const number = ++n.connections;
  const client = plain(s.remote as Ip);
  const where = `client: ${formatIp(client)}, server: ${text(l.address, l.port)}`;
  if (denied(n, server, client)) return connectionLog(n, 'error', `*${number} access forbidden by rule, ${where}`);
  const given = last(server.directives, 'return');
  if (given) {
    const values: Record<string, string> = {
      remote_addr: formatIp(client),
      server_port: String(l.port),
      hostname: n.hostname,
      nginx_version: n.version,
    };
    yield* send(s, stringToBytes(given.args[0].replace(/\$(\w+)/g, (_, name) => values[name] ?? '')));
    return;
  }
  const peers = peersOf(n, server);
  const tried = new Set<Peer>();
  while (peers) {
    const peer = nextPeer(n.p, peers, client, '', tried);
    if (!peer)
      return connectionLog(
        n,
        'error',
        `*${number} no live upstreams while connecting to upstream, ${where}, upstream: "${peers.name}", bytes from/to client:0/0, bytes from/to upstream:0/0`,
      );
    const up = socket(n.p, 'tcp', peer.address.length === 4 ? 4 : 6);
    if (typeof up === 'string') return;
    peer.active++;
    try {
      const error = yield* connect(up, peer.address, peer.port, durationMs(value(n, server, 'proxy_connect_timeout'), 60_000));
      freePeer(n.p, peers, peer, !error);
      if (!error) return yield* pass(n, s, up, durationMs(value(n, server, 'proxy_timeout'), 600_000));
      const late = error === 'ETIMEDOUT' || error === 'EINPROGRESS';
      const what = late ? 'upstream timed out (110: Connection timed out)' : `connect() failed (${errnoText(error)})`;
      const end = `upstream: "${peerText(peer)}", bytes from/to client:0/0, bytes from/to upstream:0/0`;
      connectionLog(n, 'error', `*${number} ${what} while connecting to upstream, ${where}, ${end}`);
    } finally {
      peer.active--;
      close(up);
    }
    if (value(n, server, 'proxy_next_upstream') === 'off' || !peers.list.some(x => !tried.has(x) && !x.down)) return;
  }
}

function* pass(n: Nginx, a: Socket, b: Socket, idleMs: number): Co<void> {
  const back = startTask(n.p.kernel.sim, copy(b, a, idleMs), n.p.task?.background ?? true);
  try {
    yield* copy(a, b, idleMs);
    yield* join(back);
  } finally {
    if (!back.done) killTask(back, undefined);
  }
}

function* copy(from: Socket, to: Socket, idleMs: number): Co<void> {
  for (;;) {
    const got = yield* recv(from, idleMs);
    if (typeof got === 'string' || !got.length) break;
    if (typeof (yield* send(to, got)) === 'string') break;
  }
  shutdown(to);
}

/** UDP: each client has a socket of its own towards the upstream for as long as `proxy_timeout` sees something. */
function* datagrams(n: Nginx, server: NginxServer, l: Listen, s: Socket): Co<void> {
  const sessions = new Map<string, Socket>();
  const idleMs = durationMs(value(n, server, 'proxy_timeout'), 600_000);
  for (;;) {
    const d = yield* recvFrom(s);
    if (typeof d === 'string') {
      if (d === 'EBADF') return;
      continue;
    }
    const client = plain(d.from);
    const key = text(client, d.fromPort);
    const known = sessions.get(key);
    const up = known && !known.closed ? known : yield* datagramSession(n, server, l, client);
    if (!up) continue;
    if (up !== known) {
      sessions.set(key, up);
      background(n.p, answersBack(s, up, d.from, d.fromPort, d.to, idleMs));
    }
    sendTo(up, d.data, null, 0);
  }
}

function* datagramSession(n: Nginx, server: NginxServer, l: Listen, client: Ip): Co<Socket | null> {
  const number = ++n.connections;
  if (denied(n, server, client)) {
    connectionLog(n, 'error', `*${number} access forbidden by rule, udp client: ${formatIp(client)}, server: ${text(l.address, l.port)}`);
    return null;
  }
  const peers = peersOf(n, server);
  const peer = peers ? nextPeer(n.p, peers, client, '', new Set()) : null;
  const up = peer ? socket(n.p, 'udp', peer.address.length === 4 ? 4 : 6) : 'EINVAL';
  if (typeof up === 'string' || !peer) return null;
  return (yield* connect(up, peer.address, peer.port)) ? null : up;
}

function* answersBack(s: Socket, up: Socket, client: Ip, port: number, src: Ip, idleMs: number): Co<void> {
  for (;;) {
    const got = yield* recvFrom(up, idleMs);
    if (got === 'EAGAIN' || got === 'EBADF') break;
    if (typeof got === 'string') continue;
    sendTo(s, got.data, client, port, { src });
  }
  close(up);
}
