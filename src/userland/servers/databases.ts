// Databases and brokers as far as their ports show: the first bytes a client sees, refusals of what is not spoken, log lines, signals.
// None of them stores anything; Redis does, in redis.ts.
import { complain, print, strerror } from '../../linux/process.ts';
import { close, connect, recv, type Socket, send, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../../sim/bytes.ts';
import { bytes as randomBytes } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { rfc3339 } from '../../sim/time.ts';
import { httpServer, type Reply, type Served, tcpServer } from '../http-server.ts';
import { gaiStrerror, getaddrinfo } from '../net/resolver.ts';
import { splitTarget } from '../url.ts';
import type { Userland } from '../userland.ts';
import { hostnameOf, untilSignal } from './daemon.ts';
import { goServer, jsonReply, notFound } from './go-http.ts';

/** Listen, log that it is ready, sit. */
const listener =
  (port: number, each: (p: Process, s: Socket) => Co<void>, ready: (p: Process) => string, stop = 0): ((u: Userland) => Program) =>
  () =>
    function* (p): Co<number> {
      const error = tcpServer(p, port, s => each(p, s));
      if (error) {
        complain(p, `could not listen on port ${port}: ${strerror(error)}\n`);
        return 1;
      }
      print(p, ready(p));
      return yield* untilSignal(p, { TERM: stop, INT: stop, QUIT: stop });
    };

const stamp = (p: Process) => rfc3339(p.kernel.sim.nowMs).replace('T', ' ').replace('Z', '.000 UTC');

/** PostgreSQL 16: SSLRequest is answered N; a start-up message gets a password request, any password is wrong. */
function* postgresSession(_p: Process, s: Socket): Co<void> {
  for (;;) {
    const got = yield* recv(s);
    if (typeof got === 'string' || got.length < 8) return;
    const code = (got[4] << 24) | (got[5] << 16) | (got[6] << 8) | got[7];
    if (code === 80877103 || code === 80877104) {
      yield* send(s, stringToBytes('N'));
      continue;
    }
    if (code === 196608) {
      yield* send(s, concat([Uint8Array.of(82, 0, 0, 0, 23, 0, 0, 0, 10), stringToBytes('SCRAM-SHA-256'), Uint8Array.of(0, 0)]));
      yield* recv(s);
      const fields = 'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "postgres"\0Fauth.c\0L323\0Rauth_failed\0\0';
      yield* send(s, concat([Uint8Array.of(69, 0, 0, 0, fields.length + 4), stringToBytes(fields)]));
    }
    return;
  }
}

export const postgres = listener(5432, postgresSession, p => {
  const at = stamp(p);
  const line = (text: string) => `${at} [1] LOG:  ${text}\n`;
  return (
    `\nPostgreSQL init process complete; ready for start up.\n\n${line('starting PostgreSQL 16.10 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit')}` +
    `${line('listening on IPv4 address "0.0.0.0", port 5432')}${line('listening on IPv6 address "::", port 5432')}${line('database system is ready to accept connections')}`
  );
});

/** MySQL's initial handshake packet (protocol 10), then "access denied". */
function* mysqlSession(p: Process, s: Socket): Co<void> {
  const salt = randomBytes(p.kernel.sim.random, 20).map(b => (b % 94) + 33);
  const greeting = concat([
    Uint8Array.of(10),
    stringToBytes('8.0.44\0'),
    Uint8Array.of(8, 0, 0, 0),
    salt.subarray(0, 8),
    Uint8Array.of(0, 255, 255, 255, 2, 0, 255, 223, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    salt.subarray(8),
    stringToBytes('\0caching_sha2_password\0'),
  ]);
  yield* send(s, concat([Uint8Array.of(greeting.length & 255, greeting.length >> 8, 0, 0), greeting]));
  const got = yield* recv(s);
  if (typeof got === 'string' || !got.length) return;
  const text = "#28000Access denied for user 'root'@'localhost' (using password: YES)";
  yield* send(s, concat([Uint8Array.of(text.length + 3, 0, 0, 2, 255, 21, 4), stringToBytes(text)]));
}

export const mysql = listener(3306, mysqlSession, p => {
  const at = rfc3339(p.kernel.sim.nowMs).replace('Z', '.000000Z');
  return `${at} 0 [System] [MY-010116] [Server] /usr/sbin/mysqld (mysqld 8.0.44) starting as process 1\n${at} 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.0.44'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL.\n`;
});

/** MongoDB's port speaks its own protocol; to HTTP it has one well-known sentence. */
function* mongoSession(_p: Process, s: Socket): Co<void> {
  const got = yield* recv(s);
  if (typeof got === 'string' || !/^(?:GET|HEAD|POST) /.test(bytesToString(got.subarray(0, 5)))) return;
  const text = 'It looks like you are trying to access MongoDB over HTTP on the native driver port.\n';
  yield* send(
    s,
    stringToBytes(`HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
  );
}

export const mongod = listener(27017, mongoSession, p => {
  const at = rfc3339(p.kernel.sim.nowMs).replace('Z', '.000+00:00');
  return `{"t":{"$date":"${at}"},"s":"I",  "c":"NETWORK",  "id":23016,   "ctx":"listener","msg":"Waiting for connections","attr":{"port":27017,"ssl":"off"}}\n`;
});

/** memcached's text protocol. */
const memcachedStores = new WeakMap<Process, Map<string, [flags: string, value: string]>>();

function* memcachedSession(p: Process, s: Socket): Co<void> {
  const store = memcachedStores.get(p) ?? new Map<string, [string, string]>();
  memcachedStores.set(p, store);
  let buffer = '';
  for (;;) {
    const got = yield* recv(s);
    if (typeof got === 'string' || !got.length) return;
    buffer += bytesToString(got);
    for (let nl = buffer.indexOf('\n'); nl >= 0; nl = buffer.indexOf('\n')) {
      const [command, ...a] = buffer.slice(0, nl).trim().split(/\s+/);
      if (command === 'set' || command === 'add' || command === 'replace') {
        const size = Number(a[3]);
        if (buffer.length < nl + 1 + size + 2) break;
        store.set(a[0], [a[1], buffer.slice(nl + 1, nl + 1 + size)]);
        buffer = buffer.slice(nl + 1 + size + 2);
        yield* send(s, stringToBytes('STORED\r\n'));
        continue;
      }
      buffer = buffer.slice(nl + 1);
      if (command === 'quit') return;
      yield* send(s, stringToBytes(memcachedAnswer(p, store, command, a)));
    }
  }
}

function memcachedAnswer(p: Process, store: Map<string, [string, string]>, command: string, a: string[]): string {
  switch (command) {
    case 'get':
      return `${a.flatMap(k => (v => (v ? [`VALUE ${k} ${v[0]} ${v[1].length}\r\n${v[1]}\r\n`] : []))(store.get(k))).join('')}END\r\n`;
    case 'delete':
      return store.delete(a[0]) ? 'DELETED\r\n' : 'NOT_FOUND\r\n';
    case 'flush_all':
      store.clear();
      return 'OK\r\n';
    case 'version':
      return 'VERSION 1.6.39\r\n';
    case 'stats':
      return `STAT pid 1\r\nSTAT uptime ${Math.floor((p.kernel.sim.nowMs - p.startedAtMs) / 1000)}\r\nSTAT version 1.6.39\r\nSTAT curr_items ${store.size}\r\nEND\r\n`;
    default:
      return 'ERROR\r\n';
  }
}

export const memcached = listener(11211, memcachedSession, () => '');

function* silent(_p: Process, s: Socket): Co<void> {
  for (;;) {
    const got = yield* recv(s);
    if (typeof got === 'string' || !got.length) return;
  }
}

function* amqp(_p: Process, s: Socket): Co<void> {
  const got = yield* recv(s);
  if (typeof got !== 'string' && got.length) yield* send(s, Uint8Array.of(65, 77, 81, 80, 0, 0, 9, 1));
}

function* nats(p: Process, s: Socket): Co<void> {
  const info = {
    server_id: 'NPODNET',
    server_name: hostnameOf(p),
    version: '2.12.2',
    proto: 1,
    host: '0.0.0.0',
    port: 4222,
    headers: true,
    max_payload: 1048576,
  };
  yield* send(s, stringToBytes(`INFO ${JSON.stringify(info)} \r\n`));
  for (;;) {
    const got = yield* recv(s);
    if (typeof got === 'string' || !got.length) return;
    for (const line of bytesToString(got).split('\r\n')) if (/^ping$/i.test(line)) yield* send(s, stringToBytes('PONG\r\n'));
  }
}

function* zookeeper(_p: Process, s: Socket): Co<void> {
  const got = yield* recv(s);
  if (typeof got === 'string') return;
  const word = bytesToString(got.subarray(0, 4));
  if (word === 'ruok') yield* send(s, stringToBytes('imok'));
  else if (word === 'srvr') yield* send(s, stringToBytes('Zookeeper version: 3.9.4\nMode: standalone\n'));
}

export const rabbitmq = listener(5672, amqp, () => ' Starting broker... completed with 4 plugins.\n');
export const natsServer = listener(
  4222,
  nats,
  () => '[1] [INF] Starting nats-server\n[1] [INF] Listening for client connections on 0.0.0.0:4222\n[1] [INF] Server is ready\n',
);
export const cassandra = listener(
  9042,
  silent,
  () => 'INFO  [main] Starting listening for CQL clients on /0.0.0.0:9042 (unencrypted)...\n',
);
export const zkServer = listener(2181, zookeeper, () => 'ZooKeeper JMX enabled by default\nUsing config: /conf/zoo.cfg\n');

export const elasticsearch = (_u: Userland): Program =>
  function* (p): Co<number> {
    function* handler(req: Served): Co<Reply> {
      const { path } = splitTarget(req.target);
      if (path === '/')
        return jsonReply(
          { name: hostnameOf(p), cluster_name: 'docker-cluster', version: { number: '8.19.6' }, tagline: 'You Know, for Search' },
          200,
          2,
        );
      if (path === '/_cluster/health') return jsonReply({ cluster_name: 'docker-cluster', status: 'green', number_of_nodes: 1 });
      return notFound();
    }
    httpServer(p, 9200, handler);
    return yield* untilSignal(p, { TERM: 143 });
  };

export const consul = (_u: Userland): Program =>
  function* (p): Co<number> {
    goServer(p, 8500, function* (req) {
      return splitTarget(req.target).path === '/v1/status/leader' ? jsonReply('127.0.0.1:8300') : notFound();
    });
    print(p, '==> Starting Consul agent...\n');
    return yield* untilSignal(p, { TERM: 0, INT: 0 });
  };

/** pg_isready: is somebody there who speaks PostgreSQL? */
export const pgIsready = (u: Userland): Program =>
  function* (p): Co<number> {
    const words = p.argv.slice(1);
    const after = (name: string, otherwise: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : otherwise);
    const host = after('-h', p.env.get('PGHOST') ?? 'localhost');
    const port = Number(after('-p', p.env.get('PGPORT') ?? '5432'));
    const r = yield* reach(p, u, host, port, Number(after('-t', '3')) * 1000);
    print(p, `${host}:${port} - ${r === null ? 'accepting connections' : 'no response'}\n`);
    return r === null ? 0 : 2;
  };

/** Clients that get as far as the connection: their own words when there is none. */
const client =
  (
    name: string,
    port: number,
    failed: (host: string, port: number, why: string) => string,
    reached: (host: string) => string,
  ): ((u: Userland) => Program) =>
  u =>
    function* (p): Co<number> {
      const words = p.argv.slice(1);
      const value = (flags: string[]) => {
        const at = words.findIndex(w => flags.some(f => w === f || (f.length === 2 && w.startsWith(f) && w.length > 2)));
        return at < 0 ? null : words[at].length > 2 && !flags.includes(words[at]) ? words[at].slice(2) : words[at + 1];
      };
      const host = value(['-h', '--host']) ?? (name === 'psql' ? (p.env.get('PGHOST') ?? 'localhost') : 'localhost');
      const at = Number(value(['-p', '-P', '--port']) ?? port) || port;
      const r = yield* reach(p, u, host, at, Number.POSITIVE_INFINITY);
      complain(p, r === null ? reached(host) : failed(host, at, r));
      return r === null ? 1 : 2;
    };

function* reach(p: Process, u: Userland, host: string, port: number, timeoutMs: number): Co<string | null> {
  const found = yield* getaddrinfo(p, host, { libc: u.libc });
  if (typeof found === 'string') return gaiStrerror(u.libc, found);
  let why = 'Connection refused';
  for (const address of found.addresses) {
    const s = socket(p, 'tcp', address.length === 4 ? 4 : 6);
    if (typeof s === 'string') return strerror(s);
    const error = yield* connect(s, address, port, timeoutMs);
    close(s);
    if (!error) return null;
    why = strerror(error);
  }
  return why;
}

export const psql = client(
  'psql',
  5432,
  (host, port, why) =>
    /known|resolution/.test(why)
      ? `psql: error: could not translate host name "${host}" to address: ${why}\n`
      : `psql: error: connection to server at "${host}", port ${port} failed: ${why}\n\tIs the server running on that host and accepting TCP/IP connections?\n`,
  host => `psql: error: connection to server at "${host}", port 5432 failed: FATAL:  password authentication failed for user "postgres"\n`,
);

export const mysqlClient = client(
  'mysql',
  3306,
  (host, port, why) =>
    /known|resolution/.test(why)
      ? `ERROR 2005 (HY000): Unknown MySQL server host '${host}' (-2)\n`
      : `ERROR 2003 (HY000): Can't connect to MySQL server on '${host}:${port}' (111)\n`,
  () => "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)\n",
);
