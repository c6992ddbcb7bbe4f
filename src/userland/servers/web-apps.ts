// Small applications of tutorials whose answer depends on another server that they reach over the network.
import { complain, print, strerror } from '../../linux/process.ts';
import { close, connect, recv, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { httpServer, type Reply } from '../http.ts';
import { getaddrinfo } from '../net/resolver.ts';
import type { Userland } from '../userland.ts';
import { untilSignal } from './daemon.ts';

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
