// The API's port: HTTPS on the loopback. Every request is one transaction on the session, as a command is.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import type { HttpRequest, LogRequest } from '../../apiserver/http/message.ts';
import { openApiDocument } from '../../apiserver/http/openapi.ts';
import { OPENAPI_PROTOBUF, openApiProtobuf, takesOpenApiProtobuf } from '../../apiserver/http/openapi-protobuf.ts';
import { failure, isStatus } from '../../apiserver/status.ts';
import type { ProxiedReply } from '../../apiserver/types.ts';
import type { Pipe } from '../../sim/pipe.ts';
import { type Co, killTask, startTask } from '../../sim/task.ts';
import { onClose } from '../listen.ts';
import { closeStream, openStream } from '../live.ts';
import { type ClusterHandle, engineOf, type Machine } from '../machine.ts';
import { lookOn } from '../onlooker.ts';
import { SessionError } from '../session.ts';
import type { Identity } from './certificate.ts';
import { ask, type Front, waits } from './front.ts';
import { follow } from './history.ts';
import { upgrade } from './upgrade.ts';
import { streamWatch } from './watch.ts';

/** One request that needs no upgrade, to its end. `as` changes what the client has sent. */
export function serveRequest(front: Front, req: IncomingMessage, res: ServerResponse, as = (r: HttpRequest) => r): void {
  readBody(req)
    .then(body => answer(front, as(requestOf(req, body)), res))
    .catch(e => crash(res, e));
}

export function apiServer(front: Front, identity: Identity): Server {
  const server = createServer({ ...identity, keepAlive: true }, (req, res) => serveRequest(front, req, res));
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) =>
    upgrade(front, requestOf(req, Buffer.alloc(0)), socket, head),
  );
  // A client that does not trust the certificate, or speaks no TLS, is its own problem.
  server.on('tlsClientError', () => {});
  server.on('clientError', (_e, socket) => void socket.destroy());
  return server;
}

function readBody(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    req.on('data', chunk => chunks.push(chunk));
    req.on('end', () => resolve(Buffer.concat(chunks)));
    req.on('error', reject);
  });
}

export function requestOf(req: IncomingMessage, body: Uint8Array): HttpRequest {
  const headers = Object.fromEntries(Object.entries(req.headers).map(([k, v]) => [k, Array.isArray(v) ? v.join(', ') : (v ?? '')]));
  const remote = req.socket.remoteAddress?.replace(/^::ffff:/, '');
  return { method: req.method ?? 'GET', target: req.url ?? '/', headers, body, remote };
}

function crash(res: ServerResponse, e: unknown): void {
  const message = e instanceof SessionError ? e.message : `internal error, please report it: ${(e as Error)?.stack ?? e}`;
  if (!(e instanceof SessionError)) process.stderr.write(`podnet: ${message}\n`);
  const status = failure(500, 'InternalError', `Internal error occurred: ${message}`);
  if (!res.headersSent) res.writeHead(500, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify(status));
}

async function answer(front: Front, req: HttpRequest, res: ServerResponse): Promise<void> {
  const { answer: a, machine, cluster } = ask(front, req);
  res.setHeader('Audit-Id', randomUUID());
  res.setHeader('Cache-Control', 'no-cache, private');
  switch (a.kind) {
    case 'reply': {
      for (const [name, value] of a.reply.headers) res.appendHeader(name, value);
      res.setHeader('Content-Length', Buffer.byteLength(a.reply.body));
      res.writeHead(a.reply.code);
      res.end(req.method === 'HEAD' ? '' : a.reply.body);
      return;
    }
    case 'openapi': {
      const accept = req.headers.accept ?? '';
      const document = await openApiDocument(cluster.server, a.document);
      const json = !accept || /\*\/\*|application\/(json|\*)/.test(accept);
      const protobuf = a.document.version === 2 && takesOpenApiProtobuf(accept);
      if (!document || !(json || protobuf)) {
        res.writeHead(document ? 406 : 404);
        res.end();
        return;
      }
      res.writeHead(200, { 'Content-Type': protobuf ? OPENAPI_PROTOBUF : 'application/json' });
      res.end(protobuf ? openApiProtobuf(document) : JSON.stringify(document));
      return;
    }
    case 'watch': {
      const open = { hurries: waits(req) };
      follow(front.history);
      front.watching.add(open);
      const server = () => front.live.machine.clusters.get(cluster.name)?.server ?? cluster.server;
      streamWatch(res, { history: front.history, cluster: cluster.name, server }, a.watch, () => void front.watching.delete(open));
      front.live.kick();
      return;
    }
    case 'log':
      streamLog(front, machine, cluster, a.log, res);
      return;
    case 'abort':
      res.destroy();
      return;
    case 'proxy':
      passOn(front, machine, cluster, a.proxy, { req, res });
      return;
    default: {
      // No upgrade was asked for (k8s.io/streaming pkg/httpstream/spdy/upgrade.go).
      res.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' });
      res.end('unable to upgrade: missing upgrade headers in request\n');
    }
  }
}

/** A program may take so long of the cluster's time at once; from then on its client waits by the clock on the wall. */
const PATIENCE_MS = 300_000;

/** A request that a program of the cluster answers, in the cluster's time. */
function passOn(
  front: Front,
  machine: Machine,
  cluster: ClusterHandle,
  proxy: () => Co<ProxiedReply>,
  { req, res }: { req: HttpRequest; res: ServerResponse },
): void {
  const { live } = front;
  engineOf(machine, cluster);
  const until = machine.sim.nowMs + PATIENCE_MS;
  let answered = false;
  const stream = { skipsUntilMs: () => (answered ? 0 : until) };
  openStream(live, machine, stream);
  const give = ({ code, headers, body }: ProxiedReply) => {
    if (res.destroyed) return;
    for (const [name, value] of headers) res.appendHeader(name, value);
    if (!res.hasHeader('content-length') && req.method !== 'HEAD') res.setHeader('Content-Length', body.length);
    res.writeHead(code);
    res.end(body);
  };
  const task = startTask(
    machine.sim,
    (function* () {
      const reply = yield* proxy();
      answered = true;
      live.outbox.push(() => {
        give(reply);
        closeStream(live, machine, stream);
      });
      live.kick();
    })(),
    true,
  );
  // The client went away before there was an answer.
  res.on('close', () => {
    if (task.done) return;
    killTask(task, undefined);
    closeStream(live, machine, stream);
  });
  live.kick();
}

function streamLog(front: Front, machine: Machine, cluster: ClusterHandle, log: LogRequest, res: ServerResponse): void {
  const { live } = front;
  engineOf(machine, cluster);
  const pipe: Pipe | ReturnType<typeof failure> =
    cluster.server.kubelet?.logs(log.pod, log.container, log) ?? failure(500, '', 'no kubelet');
  if (isStatus(pipe)) {
    res.writeHead(pipe.code ?? 500, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify(pipe));
    return;
  }
  const stream = { skipsUntilMs: () => 0 };
  openStream(live, machine, stream);
  res.writeHead(200, { 'Content-Type': 'text/plain' });
  res.flushHeaders();
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    pipe.broken = true;
    res.end();
    closeStream(live, machine, stream);
  };
  const give = (chunk: Uint8Array) => void live.outbox.push(() => void (over || res.write(chunk)));
  for (const chunk of pipe.chunks.splice(0)) give(chunk);
  pipe.sink = give;
  onClose(pipe, () => void live.outbox.push(end));
  res.on('close', end);
  live.kick();
}

/** What happens beside requests: others' commits reach the watches, and time passes for who looks on. */
export function turn(front: Front): void {
  if (front.watching.size)
    lookOn(
      front.live,
      front,
      [...front.watching].some(w => w.hurries),
    );
}
