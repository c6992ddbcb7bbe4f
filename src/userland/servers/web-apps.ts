// Small applications of tutorials that tell what reached them, or whether they reach another server.
import { complain, print, strerror } from '../../linux/process.ts';
import { close, connect, recv, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { header } from '../http.ts';
import { httpServer, type Reply, type Served } from '../http-server.ts';
import { getaddrinfo } from '../net/resolver.ts';
import type { Userland } from '../userland.ts';
import { GO_DEFAULT, hostnameOf, untilSignal } from './daemon.ts';
import { remoteOf } from './echo.ts';
import { canonicalHeader, goServer } from './go-http.ts';

const MYSQL_PORT = 3306;
/** The mysql module's connectTimeout. */
const CONNECT_MS = 10_000;
/** First byte of a server's greeting: protocol version 10. */
const PROTOCOL = 10;

/** Node's words for what went wrong, or null: a server greeted. */
function* greetedBy(p: Process, host: string): Co<string | null> {
  const found = yield* getaddrinfo(p, host, { libc: 'musl' });
  if (typeof found === 'string') return `getaddrinfo ${found === 'EAI_AGAIN' ? 'EAI_AGAIN' : 'ENOTFOUND'} ${host}`;
  const address = found.addresses[0];
  const s = socket(p, 'tcp', address.length === 4 ? 4 : 6);
  if (typeof s === 'string') return strerror(s);
  try {
    const error = yield* connect(s, address, MYSQL_PORT, CONNECT_MS);
    if (error)
      return error === 'ETIMEDOUT' || error === 'EINPROGRESS' ? 'connect ETIMEDOUT' : `connect ${error} ${formatIp(address)}:${MYSQL_PORT}`;
    const greeting = yield* recv(s, CONNECT_MS);
    if (typeof greeting === 'string') return `read ${greeting}`;
    return greeting[4] === PROTOCOL ? null : 'Connection lost: The server closed the connection.';
  } finally {
    close(s);
  }
}

/** A page that says whether the MySQL server of DB_HOST can be reached; port 3000. */
export const mysqlWebApp = (_u: Userland): Program =>
  function* (p): Co<number> {
    function* handler(): Co<Reply> {
      const why = yield* greetedBy(p, p.env.get('DB_HOST') ?? 'localhost');
      if (why) complain(p, `Error: ${why}\n`);
      return { status: 200, body: why ? `Failed to connect to database: Error: ${why}` : 'Successfully connected to database!' };
    }
    httpServer(p, 3000, handler, {
      decorate: (_r, _reply, keep) => [
        ['Date', httpDate(p.kernel.sim.nowMs)],
        ['Connection', keep ? 'keep-alive' : 'close'],
      ],
    });
    print(p, 'App listening on port 3000\n');
    return yield* untilSignal(p, { TERM: 143, INT: 130 });
  };

/** The Gateway API's echo-basic: the request as JSON. */
export const echoBasic = (_u: Userland): Program =>
  function* (p): Co<number> {
    const port = Number(p.env.get('HTTP_PORT') ?? 3000);
    function* handler(req: Served): Co<Reply> {
      print(p, `Echoing back request made to ${req.target} to client (${remoteOf(req)})\n`);
      const headers: Record<string, string[]> = {};
      const names = req.headers
        .filter(([n]) => n.toLowerCase() !== 'host')
        .sort((a, b) => (canonicalHeader(a[0]) < canonicalHeader(b[0]) ? -1 : 1));
      for (const [n, v] of names) headers[canonicalHeader(n)] = [...(headers[canonicalHeader(n)] ?? []), v];
      const said = {
        path: req.target,
        host: header(req.headers, 'Host') ?? '',
        method: req.method,
        proto: req.version,
        headers,
        namespace: p.env.get('NAMESPACE') ?? '',
        ingress: p.env.get('INGRESS_NAME') ?? '',
        service: p.env.get('SERVICE_NAME') ?? '',
        pod: p.env.get('POD_NAME') ?? hostnameOf(p),
      };
      const type: [string, string][] = [
        ['Content-Type', 'application/json'],
        ['X-Content-Type-Options', 'nosniff'],
      ];
      return { status: 200, headers: type, body: JSON.stringify(said, null, 1) };
    }
    goServer(p, port, handler);
    print(p, `Starting server, listening on port ${port} (http)\n`);
    return yield* untilSignal(p, GO_DEFAULT);
  };
