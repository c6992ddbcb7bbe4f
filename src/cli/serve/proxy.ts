// The API by plain HTTP for `kubectl proxy`: whoever reaches it is the user of the kubeconfig.
import * as fs from 'node:fs';
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import { join } from 'node:path';
import type { HttpRequest } from '../../apiserver/http/message.ts';
import type { KubectlHost, ProxyVerdict } from '../../kubectl/host.ts';
import type { Reply } from '../../userland/http-server.ts';
import { type FileTree, goFileReply } from '../../userland/servers/go-files.ts';
import { notFound } from '../../userland/servers/go-http.ts';
import { listening } from '../listen.ts';
import type { Live } from '../live.ts';
import { clusterAt } from '../machine.ts';
import { newFront } from './front.ts';
import { requestOf, serveRequest, turn } from './server.ts';
import { upgrade } from './upgrade.ts';

const addressOf = (req: IncomingMessage): string => req.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';

function fileOf(v: { folder: string; path: string; query: string }, req: IncomingMessage): Reply {
  try {
    return goFileReply(folderTree(v.folder), v.path, v.query, req.headers['if-modified-since']);
  } catch (e) {
    // net/http, toHTTPError
    const [status, body] = (e as NodeJS.ErrnoException).code === 'EACCES' ? [403, '403 Forbidden\n'] : [500, '500 Internal Server Error\n'];
    return { ...notFound(), status, body } as Reply;
  }
}

/** http.Dir */
function folderTree(folder: string): FileTree {
  const at = (path: string) => join(folder, path);
  return {
    look: path => {
      const s = fs.statSync(at(path), { throwIfNoEntry: false });
      return s ? { directory: s.isDirectory(), mtimeMs: s.mtimeMs } : null;
    },
    list: path => fs.readdirSync(at(path)),
    read: path => new Uint8Array(fs.readFileSync(at(path))),
  };
}

export function hostServeApi(live: Live): NonNullable<KubectlHost['serveApi']> {
  return function* (where, entry, admit) {
    const front = newFront(live);
    live.turn = () => turn(front);
    const ask = (req: IncomingMessage): ProxyVerdict =>
      admit({
        method: req.method ?? 'GET',
        target: req.url ?? '/',
        host: req.headers.host ?? '',
      });
    const host = entry.server.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '');
    const cluster = clusterAt(live.machine, entry)?.name ?? '';
    /** The client's request as kubectl passes it on: a reverse proxy that is itself the API server's client, on the control plane. */
    const passedOn =
      (req: IncomingMessage, target: string) =>
      (r: HttpRequest): HttpRequest => {
        const prior = r.headers['x-forwarded-for'];
        const headers: HttpRequest['headers'] = { ...r.headers, host, authorization: `Bearer ${front.token}` };
        const from = addressOf(req);
        // Who comes over a socket's path has no address.
        if (from) headers['x-forwarded-for'] = prior ? `${prior}, ${from}` : from;
        const of = target.startsWith('/clusters/') ? '' : `/clusters/${encodeURIComponent(cluster)}`;
        return { ...r, target: `${of}${target}`, headers, remote: host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '') };
      };
    const server = createServer((req, res) => {
      const verdict = ask(req);
      if ('target' in verdict) return serveRequest(front, req, res, passedOn(req, verdict.target));
      const { status, headers = [], body = '' }: Reply = 'folder' in verdict ? fileOf(verdict, req) : verdict;
      for (const [name, value] of headers) res.appendHeader(name, value);
      if (status !== 304) res.setHeader('Content-Length', Buffer.byteLength(body));
      res.writeHead(status);
      res.end(req.method === 'HEAD' ? '' : body);
    });
    server.on('upgrade', (req, socket, head) => {
      const verdict = ask(req);
      if ('target' in verdict) upgrade(front, passedOn(req, verdict.target)(requestOf(req, Buffer.alloc(0))), socket, head);
      else {
        const status = 'status' in verdict ? verdict.status : 400;
        socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
      }
    });
    server.on('clientError', (_e, socket) => void socket.destroy());
    return yield* listening(live, server, where, () => {
      server.close();
      server.closeAllConnections();
    });
  };
}
