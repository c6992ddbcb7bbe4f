// Requests that turn their connection into something else: WebSocket, or SPDY for older clients.
import type { Duplex } from 'node:stream';
import type { ConnectRequest, HttpRequest } from '../../apiserver/http/message.ts';
import { isStatus } from '../../apiserver/status.ts';
import type { ExecSession, Status } from '../../apiserver/types.ts';
import { fresh, settleNow } from '../live.ts';
import { engineOf, type Machine } from '../machine.ts';
import { SessionError } from '../session.ts';
import type { Channel } from './channel.ts';
import { ask, clusterFor, clusterName, type Front } from './front.ts';
import { type CommandStreams, failChannels, forwardOverChannels, forwardOverSpdy, overChannels, overSpdy, runCommand } from './remote.ts';
import { acceptWebSocket } from './websocket.ts';

/** What connections become: streams of commands and of ports, as WebSocket's protocols and as SPDY's. */
export const PROTOCOLS = {
  command: { channels: ['v5.channel.k8s.io', 'v4.channel.k8s.io'], spdy: ['v4.channel.k8s.io'] },
  ports: { tunnel: ['SPDY/3.1+portforward.k8s.io'], channels: ['v4.channel.k8s.io'], spdy: ['portforward.k8s.io'] },
};

interface Upgrade {
  front: Front;
  req: HttpRequest;
  socket: Duplex;
  head: Buffer;
  machine: Machine;
  connect: ConnectRequest;
}

export function upgrade(front: Front, req: HttpRequest, socket: Duplex, head: Buffer): void {
  socket.on('error', () => {});
  try {
    const { answer, machine } = ask(front, req);
    if (answer.kind === 'connect') {
      const u = { front, req, socket, head, machine, connect: answer.connect };
      if (answer.connect.subresource === 'portforward') forwardPorts(u);
      else remoteCommand(u);
    } else if (answer.kind === 'reply') refuse(socket, answer.reply.code, answer.reply.body, 'application/json');
    else refuse(socket, 400, 'this is not a request that a connection is upgraded for\n');
  } catch (e) {
    refuse(socket, 500, e instanceof SessionError ? e.message : String((e as Error)?.stack ?? e));
  }
}

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
};

function refuse(socket: Duplex, code: number, body: string, type = 'text/plain; charset=utf-8'): void {
  const head = [`HTTP/1.1 ${code} ${REASONS[code] ?? 'Error'}`, `Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`];
  socket.end(`${[...head, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`);
}

const isWebSocket = (u: Upgrade): boolean => /^websocket$/i.test(u.req.headers.upgrade ?? '');
const isSpdy = (u: Upgrade): boolean => /^spdy\/3\.1$/i.test(u.req.headers.upgrade ?? '');

const offered = (text: string | undefined): string[] => (text ?? '').split(/ *, */).filter(Boolean);

/** The first protocol of ours that the client offers. */
const chosen = (ours: string[], theirs: string[]): string | undefined => ours.find(p => theirs.includes(p));

function webSocket(u: Upgrade, protocol: string): Channel {
  return acceptWebSocket(u.socket, u.req.headers['sec-websocket-key'] ?? '', protocol, u.head);
}

function spdyChannel(u: Upgrade, protocol: string): Channel {
  const { socket, head } = u;
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: SPDY/3.1', 'Connection: Upgrade', `X-Stream-Protocol-Version: ${protocol}`];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const channel: Channel = { write: data => void socket.write(data), end: () => void socket.end(), onData: () => {}, onEnd: () => {} };
  let ended = false;
  const end = () => {
    if (!ended) channel.onEnd();
    ended = true;
  };
  socket.on('data', chunk => channel.onData(chunk));
  for (const event of ['end', 'close', 'error']) socket.on(event, end);
  if (head.length) setImmediate(() => channel.onData(head));
  return channel;
}

function remoteCommand(u: Upgrade): void {
  const { connect, front, machine } = u;
  const ws = isWebSocket(u);
  const theirs = offered(ws ? u.req.headers['sec-websocket-protocol'] : u.req.headers['x-stream-protocol-version']);
  const ours = ws ? PROTOCOLS.command.channels : PROTOCOLS.command.spdy;
  const protocol = chosen(ours, theirs);
  if (!protocol || !(ws || isSpdy(u))) {
    refuse(u.socket, 403, `unable to upgrade: podnet speaks ${ours.join(', ')} only\n`);
    return;
  }
  const session = startCommand(u);
  // What fails in the container's runtime is told on the stream of errors; what fails before it, by the upgrade.
  if (isStatus(session) && !(session.reason === 'InternalError' && !session.message?.startsWith('error dialing backend'))) {
    refuse(u.socket, session.code ?? 500, session.message ?? '');
    return;
  }
  const start = (to: CommandStreams) => runCommand(front.live, machine, session as ExecSession, connect, to);
  if (!ws) overSpdy(spdyChannel(u, protocol), connect, to => (isStatus(session) ? session : start(to)));
  else if (isStatus(session)) failChannels(webSocket(u, protocol), session);
  else overChannels(webSocket(u, protocol), start);
}

function startCommand(u: Upgrade): ExecSession | Status {
  const { connect, machine } = u;
  const cluster = clusterFor(machine, clusterName(u.req));
  engineOf(machine, cluster);
  const { kubelet } = cluster.server;
  if (!kubelet) throw new SessionError('no kubelet answers');
  const { pod, container, command, stdin, tty } = connect;
  return connect.subresource === 'exec'
    ? kubelet.exec(pod, container, command, { stdin, tty })
    : kubelet.attach(pod, container, { stdin, tty });
}

function forwardPorts(u: Upgrade): void {
  const { front, connect } = u;
  const { live } = front;
  const { tunnel, channels, spdy } = PROTOCOLS.ports;
  // Each connection meets the cluster as it is by then.
  let machine = u.machine;
  const at = () => {
    machine = fresh(live);
    settleNow(machine);
    for (const c of machine.clusters.values()) engineOf(machine, c);
    return machine;
  };
  const forward = (port: number) => {
    const { kubelet } = clusterFor(machine, clusterName(u.req)).server;
    if (!kubelet) throw new SessionError('no kubelet answers');
    return kubelet.portForward(connect.pod, port);
  };
  const down = clusterFor(at(), clusterName(u.req)).server.kubelet?.reach(connect.pod);
  if (down) {
    // The server's own words: what comes before them is the client's.
    const message = (down.message ?? '').replace(/^unable to upgrade connection: /, '');
    const { kind, apiVersion, metadata, status, code = 500 } = down;
    refuse(u.socket, code, JSON.stringify({ kind, apiVersion, metadata, status, message, code }), 'application/json');
    return;
  }
  if (!isWebSocket(u)) {
    const protocol = chosen(spdy, offered(u.req.headers['x-stream-protocol-version']));
    if (protocol && isSpdy(u)) forwardOverSpdy(live, at, spdyChannel(u, protocol), forward);
    else refuse(u.socket, 403, `unable to upgrade: podnet speaks ${spdy.join(', ')} only\n`);
    return;
  }
  const theirs = offered(u.req.headers['sec-websocket-protocol']);
  const [tunnelled, numbered] = [chosen(tunnel, theirs), chosen(channels, theirs)];
  if (tunnelled) forwardOverSpdy(live, at, webSocket(u, tunnelled), forward);
  else if (numbered) forwardOverChannels(live, at, webSocket(u, numbered), connect.ports, forward);
  else refuse(u.socket, 403, `unable to upgrade: podnet speaks ${[...tunnel, ...channels].join(', ')} only\n`);
}
