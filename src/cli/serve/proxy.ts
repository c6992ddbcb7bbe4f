// The API by plain HTTP for `kubectl proxy`: whoever reaches it is the user of the kubeconfig.
import { createServer, type IncomingMessage } from 'node:http';
import type { HttpRequest } from '../../apiserver/http/message.ts';
import type { KubectlHost, ProxyVerdict } from '../../kubectl/host.ts';
import { listening } from '../listen.ts';
import type { Live } from '../live.ts';
import { newFront } from './front.ts';
import { requestOf, serveRequest, turn } from './server.ts';
import { upgrade } from './upgrade.ts';

const TEXT: Record<number, string> = { 403: 'Forbidden\n', 404: '404 page not found\n' };

const hostOf = (req: IncomingMessage): string => (req.headers.host ?? '').replace(/:\d+$/, '');

export function hostServeApi(live: Live): NonNullable<KubectlHost['serveApi']> {
  return function* (address, port, admit) {
    const front = newFront(live);
    live.turn = () => turn(front);
    const ask = (req: IncomingMessage): ProxyVerdict => admit({ method: req.method ?? 'GET', target: req.url ?? '/', host: hostOf(req) });
    const trusted =
      (target: string) =>
      (r: HttpRequest): HttpRequest => ({ ...r, target, headers: { ...r.headers, authorization: `Bearer ${front.token}` } });
    const server = createServer((req, res) => {
      const verdict = ask(req);
      if ('target' in verdict) return serveRequest(front, req, res, trusted(verdict.target));
      res.writeHead(verdict.code, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' });
      res.end(TEXT[verdict.code]);
    });
    server.on('upgrade', (req, socket, head) => {
      const verdict = ask(req);
      if ('target' in verdict) upgrade(front, trusted(verdict.target)(requestOf(req, Buffer.alloc(0))), socket, head);
      else socket.end(`HTTP/1.1 ${verdict.code} ${TEXT[verdict.code].trim()}\r\nConnection: close\r\n\r\n`);
    });
    server.on('clientError', (_e, socket) => void socket.destroy());
    return yield* listening(live, server, address, port, () => {
      server.close();
      server.closeAllConnections();
    });
  };
}
