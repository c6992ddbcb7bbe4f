// One listener of a host of the outside world, as the cluster's configuration describes it.

import type { Socket } from '../linux/socket.ts';
import { accept, bind, close, listen, recv, recvFrom, send, sendTo, socket } from '../linux/socket.ts';
import type { Process, Program } from '../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';
import { type Co, startTask } from '../sim/task.ts';
import type { WorldListener } from './config.ts';

const REASONS: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** `STATUS REASON`, the given headers in their order, Content-Length, Connection: close. The first path that matches answers. */
export function worldAnswer(l: WorldListener, method: string, target: string): string {
  const path = target.split('?')[0];
  const rule = (l.http ?? []).find(r => (r.path.endsWith('*') ? path.startsWith(r.path.slice(0, -1)) : r.path === path));
  const status = rule ? (rule.status ?? 200) : 404;
  const body = rule?.body ?? '';
  const headers = Object.entries(rule?.headers ?? {}).map(([k, v]) => `${k}: ${v}\r\n`);
  const length = stringToBytes(body).length;
  return `HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\n${headers.join('')}Content-Length: ${length}\r\nConnection: close\r\n\r\n${method === 'HEAD' ? '' : body}`;
}

export function worldHostProgram(l: WorldListener): Program {
  return function* server(p: Process): Co<number> {
    const udp = l.protocol === 'UDP';
    // Family 6 takes IPv4 as well: one listener for all of the host's addresses.
    const s = socket(p, udp ? 'udp' : 'tcp', 6);
    if (typeof s === 'string' || bind(s, null, l.port)) return 1;
    if (udp) return yield* udpServer(s, l);
    if (listen(s)) return 1;
    for (;;) {
      const c = yield* accept(s);
      if (typeof c === 'string') return 1;
      startTask(p.kernel.sim, connection(c, l), true);
    }
  };
}

function* udpServer(s: Socket, l: WorldListener): Co<number> {
  for (;;) {
    const d = yield* recvFrom(s);
    if (typeof d === 'string') return 1;
    if (!d.error && (l.echo || l.banner !== undefined)) sendTo(s, l.echo ? d.data : stringToBytes(l.banner ?? ''), d.from, d.fromPort);
  }
}

function* connection(c: Socket, l: WorldListener): Co<number> {
  if (l.banner !== undefined) yield* send(c, stringToBytes(l.banner));
  let held: Uint8Array = new Uint8Array(0);
  for (;;) {
    const chunk = yield* recv(c);
    if (typeof chunk === 'string' || !chunk.length) break;
    if (l.echo) yield* send(c, chunk);
    if (!l.http) continue;
    held = concat([held, chunk]);
    const text = bytesToString(held);
    if (!text.includes('\r\n\r\n')) continue;
    const [method, target] = text.split(' ');
    yield* send(c, stringToBytes(worldAnswer(l, method, target ?? '/')));
    break;
  }
  close(c);
  return 0;
}
