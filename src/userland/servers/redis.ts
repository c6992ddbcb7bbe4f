// Redis: RESP over TCP, strings, lists, hashes, counters and expiry; and redis-cli beside it (7.4).
import { complain, print, stdinLine, strerror } from '../../linux/process.ts';
import { close, connect, recv, type Socket, send, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { civilTime, MONTHS } from '../../sim/time.ts';
import { tcpServer } from '../http-server.ts';
import { gaiStrerror, getaddrinfo } from '../net/resolver.ts';
import { localPid } from '../pids.ts';
import type { Userland } from '../userland.ts';
import { untilSignal } from './daemon.ts';

type Value =
  | { kind: 'string'; value: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'hash'; fields: Map<string, string> }
  | { kind: 'set'; items: Set<string> };

interface Store {
  p: Process;
  keys: Map<string, Value>;
  expires: Map<string, number>;
  password: string | null;
  startedMs: number;
  commands: number;
}

const VERSION = '7.4.1';
const OK = '+OK\r\n';
const bulk = (s: string | null) => (s === null ? '$-1\r\n' : `$${stringToBytes(s).length}\r\n${s}\r\n`);
const int = (n: number) => `:${n}\r\n`;
const array = (items: string[]) => `*${items.length}\r\n${items.map(bulk).join('')}`;
const WRONG = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';

function logLine(p: Process, mark: string, text: string): void {
  const c = civilTime(p.kernel.sim.nowMs);
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(c.day)} ${MONTHS[c.month - 1]} ${c.year} ${two(c.hour)}:${two(c.minute)}:${two(c.second)}.${String(c.ms).padStart(3, '0')}`;
  print(p, `${localPid(p)}:M ${time} ${mark} ${text}\n`);
}

export const redisServer = (_u: Userland): Program =>
  function* (p): Co<number> {
    const words = p.argv.slice(1);
    const after = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
    const port = Number(after('--port') ?? 6379);
    const store: Store = {
      p,
      keys: new Map(),
      expires: new Map(),
      password: after('--requirepass') ?? null,
      startedMs: p.kernel.sim.nowMs,
      commands: 0,
    };
    const c = localPid(p);
    logLine(p, '*', 'oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo');
    logLine(p, '*', `Redis version=${VERSION}, bits=64, commit=00000000, modified=0, pid=${c}, just started`);
    const error = tcpServer(p, port, s => session(store, s));
    if (error) {
      logLine(p, '#', `Warning: Could not create server TCP listening socket *:${port}: bind: ${strerror(error)}`);
      logLine(p, '#', 'Failed listening on port 6379 (tcp), aborting.');
      return 1;
    }
    logLine(p, '*', 'Running mode=standalone, port=6379.'.replace('6379', String(port)));
    logLine(p, '*', 'Server initialized');
    logLine(p, '*', 'Ready to accept connections tcp');
    return yield* untilSignal(p, {
      TERM: () => {
        logLine(p, '#', 'User requested shutdown...');
        logLine(p, '#', 'Redis is now ready to exit, bye bye...');
        return 0;
      },
      INT: 0,
    });
  };

/** One command's words from the buffer: RESP arrays or an inline line. null: more bytes are needed. */
function readCommand(text: string): { words: string[]; rest: string } | null {
  const nl = text.indexOf('\r\n');
  if (!text.startsWith('*')) {
    const end = text.indexOf('\n');
    if (end < 0) return null;
    return { words: text.slice(0, end).trim().split(/\s+/).filter(Boolean), rest: text.slice(end + 1) };
  }
  if (nl < 0) return null;
  let at = nl + 2;
  const words: string[] = [];
  for (let i = Number(text.slice(1, nl)); i > 0; i--) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return null;
    const size = Number(text.slice(at + 1, end));
    if (text.length < end + 4 + size) return null;
    words.push(text.slice(end + 2, end + 2 + size));
    at = end + 4 + size;
  }
  return { words, rest: text.slice(at) };
}

function* session(store: Store, s: Socket): Co<void> {
  let buffer = '';
  let authenticated = store.password === null;
  for (;;) {
    const got = yield* recv(s);
    if (typeof got === 'string' || !got.length) return;
    buffer += bytesToString(got);
    for (let c = readCommand(buffer); c; c = readCommand(buffer)) {
      buffer = c.rest;
      if (!c.words.length) continue;
      const name = c.words[0].toUpperCase();
      if (name === 'AUTH') {
        authenticated = c.words[c.words.length - 1] === store.password;
        yield* send(s, stringToBytes(authenticated ? OK : '-WRONGPASS invalid username-password pair or user is disabled.\r\n'));
      } else if (!authenticated) yield* send(s, stringToBytes('-NOAUTH Authentication required.\r\n'));
      else yield* send(s, stringToBytes(execute(store, name, c.words.slice(1))));
      if (name === 'QUIT') return;
    }
  }
}

function live(store: Store, key: string): Value | undefined {
  const at = store.expires.get(key);
  if (at !== undefined && at <= store.p.kernel.sim.nowMs) {
    store.keys.delete(key);
    store.expires.delete(key);
  }
  return store.keys.get(key);
}

type Handler = (store: Store, a: string[]) => string;

function ofKind<K extends Value['kind']>(
  store: Store,
  key: string,
  kind: K,
  make: () => Extract<Value, { kind: K }>,
): Extract<Value, { kind: K }> | null {
  const v = live(store, key) ?? make();
  if (v.kind !== kind) return null;
  store.keys.set(key, v);
  return v as Extract<Value, { kind: K }>;
}

const add =
  (by: (a: string[]) => number): Handler =>
  (store, a) => {
    const v = ofKind(store, a[0], 'string', () => ({ kind: 'string', value: '0' }));
    if (!v) return WRONG;
    if (!/^-?\d+$/.test(v.value)) return '-ERR value is not an integer or out of range\r\n';
    v.value = String(Number(v.value) + by(a));
    return int(Number(v.value));
  };

const push =
  (left: boolean): Handler =>
  (store, a) => {
    const v = ofKind(store, a[0], 'list', () => ({ kind: 'list', items: [] }));
    if (!v) return WRONG;
    for (const x of a.slice(1)) left ? v.items.unshift(x) : v.items.push(x);
    return int(v.items.length);
  };

const pop =
  (left: boolean): Handler =>
  (store, a) => {
    const v = live(store, a[0]);
    if (!v) return bulk(null);
    return v.kind === 'list' ? bulk((left ? v.items.shift() : v.items.pop()) ?? null) : WRONG;
  };

function setCommand(store: Store, a: string[]): string {
  const options = a.slice(2).map(x => x.toUpperCase());
  const exists = live(store, a[0]) !== undefined;
  if ((options.includes('NX') && exists) || (options.includes('XX') && !exists)) return bulk(null);
  store.keys.set(a[0], { kind: 'string', value: a[1] });
  store.expires.delete(a[0]);
  const ex = options.indexOf('EX');
  const px = options.indexOf('PX');
  if (ex >= 0) store.expires.set(a[0], store.p.kernel.sim.nowMs + Number(a[3 + ex]) * 1000);
  if (px >= 0) store.expires.set(a[0], store.p.kernel.sim.nowMs + Number(a[3 + px]));
  return OK;
}

function info(store: Store): string {
  const up = Math.floor((store.p.kernel.sim.nowMs - store.startedMs) / 1000);
  return [
    '# Server',
    `redis_version:${VERSION}`,
    'redis_mode:standalone',
    `os:Linux ${store.p.kernel.release} x86_64`,
    'arch_bits:64',
    `process_id:${localPid(store.p)}`,
    'tcp_port:6379',
    `uptime_in_seconds:${up}`,
    '',
    '# Clients',
    'connected_clients:1',
    '',
    '# Replication',
    'role:master',
    'connected_slaves:0',
    '',
    '# Keyspace',
    ...(store.keys.size ? [`db0:keys=${store.keys.size},expires=${store.expires.size},avg_ttl=0`] : []),
    '',
  ].join('\r\n');
}

function expire(store: Store, a: string[]): string {
  if (!live(store, a[0])) return int(0);
  store.expires.set(a[0], store.p.kernel.sim.nowMs + Number(a[1]) * 1000);
  return int(1);
}

function flush(store: Store): string {
  store.keys.clear();
  store.expires.clear();
  return OK;
}

const glob = (pattern: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

/** Name, number of arguments at least, action. */
const COMMANDS: Record<string, [least: number, run: Handler]> = {
  PING: [0, (_s, a) => (a.length ? bulk(a[0]) : '+PONG\r\n')],
  ECHO: [1, (_s, a) => bulk(a[0])],
  QUIT: [0, () => OK],
  SELECT: [1, () => OK],
  SET: [2, setCommand],
  GET: [1, (s, a) => (v => (!v ? bulk(null) : v.kind === 'string' ? bulk(v.value) : WRONG))(live(s, a[0]))],
  MGET: [1, (s, a) => `*${a.length}\r\n${a.map(k => (v => bulk(v?.kind === 'string' ? v.value : null))(live(s, k))).join('')}`],
  DEL: [1, (s, a) => int(a.filter(k => live(s, k) && s.keys.delete(k)).length)],
  EXISTS: [1, (s, a) => int(a.filter(k => live(s, k)).length)],
  KEYS: [1, (s, a) => array([...s.keys.keys()].filter(k => live(s, k) && glob(a[0]).test(k)))],
  DBSIZE: [0, s => int(s.keys.size)],
  TYPE: [1, (s, a) => `+${live(s, a[0])?.kind ?? 'none'}\r\n`],
  INCR: [1, add(() => 1)],
  DECR: [1, add(() => -1)],
  INCRBY: [2, add(a => Number(a[1]))],
  DECRBY: [2, add(a => -Number(a[1]))],
  APPEND: [
    2,
    (s, a) => {
      const v = ofKind(s, a[0], 'string', () => ({ kind: 'string', value: '' }));
      if (v) v.value += a[1];
      return v ? int(v.value.length) : WRONG;
    },
  ],
  EXPIRE: [2, expire],
  TTL: [
    1,
    (s, a) =>
      int(!live(s, a[0]) ? -2 : s.expires.has(a[0]) ? Math.ceil(((s.expires.get(a[0]) as number) - s.p.kernel.sim.nowMs) / 1000) : -1),
  ],
  LPUSH: [2, push(true)],
  RPUSH: [2, push(false)],
  LPOP: [1, pop(true)],
  RPOP: [1, pop(false)],
  LLEN: [1, (s, a) => (v => (!v ? int(0) : v.kind === 'list' ? int(v.items.length) : WRONG))(live(s, a[0]))],
  LRANGE: [
    3,
    (s, a) => {
      const v = live(s, a[0]);
      if (v && v.kind !== 'list') return WRONG;
      const items = v?.items ?? [];
      const at = (n: number) => (n < 0 ? items.length + n : n);
      return array(items.slice(Math.max(0, at(Number(a[1]))), at(Number(a[2])) + 1));
    },
  ],
  SADD: [
    2,
    (s, a) => {
      const v = ofKind(s, a[0], 'set', () => ({ kind: 'set', items: new Set() }));
      return v ? int(a.slice(1).filter(x => !v.items.has(x) && v.items.add(x)).length) : WRONG;
    },
  ],
  SMEMBERS: [1, (s, a) => (v => (!v ? array([]) : v.kind === 'set' ? array([...v.items]) : WRONG))(live(s, a[0]))],
  HSET: [
    3,
    (s, a) => {
      const v = ofKind(s, a[0], 'hash', () => ({ kind: 'hash', fields: new Map() }));
      if (!v) return WRONG;
      let made = 0;
      for (let i = 1; i + 1 < a.length; i += 2) {
        if (!v.fields.has(a[i])) made++;
        v.fields.set(a[i], a[i + 1]);
      }
      return int(made);
    },
  ],
  HGET: [2, (s, a) => (v => (!v ? bulk(null) : v.kind === 'hash' ? bulk(v.fields.get(a[1]) ?? null) : WRONG))(live(s, a[0]))],
  HGETALL: [1, (s, a) => (v => (!v ? array([]) : v.kind === 'hash' ? array([...v.fields].flat()) : WRONG))(live(s, a[0]))],
  FLUSHALL: [0, flush],
  FLUSHDB: [0, flush],
  INFO: [0, s => bulk(info(s))],
  TIME: [0, s => array([String(Math.floor(s.p.kernel.sim.nowMs / 1000)), '0'])],
  COMMAND: [0, () => array([])],
  CLIENT: [1, () => OK],
  CONFIG: [1, (_s, a) => (a[0].toUpperCase() === 'GET' ? array([]) : OK)],
  HELLO: [0, () => '-NOPROTO unsupported protocol version\r\n'],
};

function execute(store: Store, name: string, args: string[]): string {
  store.commands++;
  const row = COMMANDS[name];
  if (!row) {
    const shown = args.map(a => `'${a}' `).join('');
    return `-ERR unknown command '${name.toLowerCase()}', with args beginning with: ${shown}\r\n`;
  }
  if (args.length < row[0]) return `-ERR wrong number of arguments for '${name.toLowerCase()}' command\r\n`;
  return row[1](store, args);
}

// redis-cli

export const redisCli = (_u: Userland): Program =>
  function* (p): Co<number> {
    let host = '127.0.0.1';
    let port = 6379;
    let password = p.env.get('REDISCLI_AUTH') ?? null;
    const words = p.argv.slice(1);
    let i = 0;
    for (; i < words.length && words[i].startsWith('-'); i++) {
      if (words[i] === '-h') host = words[++i];
      else if (words[i] === '-p') port = Number(words[++i]);
      else if (words[i] === '-a') password = words[++i];
      else if (words[i] === '-v' || words[i] === '--version') {
        print(p, `redis-cli ${VERSION}\n`);
        return 0;
      }
    }
    const found = yield* getaddrinfo(p, host, { libc: _u.libc });
    if (typeof found === 'string') {
      complain(p, `Could not connect to Redis at ${host}:${port}: ${gaiStrerror(_u.libc, found)}\n`);
      return 1;
    }
    const s = socket(p, 'tcp', found.addresses[0].length === 4 ? 4 : 6);
    const error = typeof s === 'string' ? s : yield* connect(s, found.addresses[0], port);
    if (error || typeof s === 'string') {
      complain(p, `Could not connect to Redis at ${host}:${port}: ${strerror(error ?? 'EIO')}\n`);
      return 1;
    }
    const tty = p.tty || p.stdout.tty;
    if (password !== null) yield* ask(s, ['AUTH', password]);
    let code = 0;
    if (i < words.length) code = yield* one(p, s, words.slice(i), tty);
    else
      for (let line = yield* stdinLine(p); line !== null; line = yield* stdinLine(p))
        if (line.trim()) code = yield* one(p, s, line.trim().split(/\s+/), tty);
    close(s);
    return code;
  };

function* one(p: Process, s: Socket, words: string[], tty: boolean): Co<number> {
  const r = yield* ask(s, words);
  if (r === null) {
    complain(p, 'Error: Server closed the connection\n');
    return 1;
  }
  print(p, `${show(r, tty)}\n`);
  return typeof r === 'object' && r !== null && 'error' in r ? (tty ? 0 : 1) : 0;
}

type Resp = string | number | { nil: true } | { error: string } | { status: string } | Resp[];

function* ask(s: Socket, words: string[]): Co<Resp | null> {
  yield* send(s, stringToBytes(array(words)));
  let data: Uint8Array = new Uint8Array(0);
  for (;;) {
    const got = yield* recv(s);
    if (typeof got === 'string' || !got.length) return null;
    data = concat([data, got]);
    const r = parse(bytesToString(data), 0);
    if (r) return r.value;
  }
}

function parse(text: string, at: number): { value: Resp; next: number } | null {
  const end = text.indexOf('\r\n', at);
  if (end < 0) return null;
  const head = text.slice(at + 1, end);
  switch (text[at]) {
    case '+':
      return { value: { status: head }, next: end + 2 };
    case '-':
      return { value: { error: head }, next: end + 2 };
    case ':':
      return { value: Number(head), next: end + 2 };
    case '$': {
      const n = Number(head);
      if (n < 0) return { value: { nil: true }, next: end + 2 };
      return text.length < end + 4 + n ? null : { value: text.slice(end + 2, end + 2 + n), next: end + 4 + n };
    }
    default: {
      const items: Resp[] = [];
      let next = end + 2;
      for (let i = 0; i < Number(head); i++) {
        const item = parse(text, next);
        if (!item) return null;
        items.push(item.value);
        next = item.next;
      }
      return { value: items, next };
    }
  }
}

/** A terminal gets types and quotes, a pipe the bare values. */
function show(r: Resp, tty: boolean): string {
  if (Array.isArray(r)) {
    if (!r.length) return tty ? '(empty array)' : '';
    return r.map((x, i) => (tty ? `${i + 1}) ` : '') + show(x, tty)).join('\n');
  }
  if (typeof r === 'number') return tty ? `(integer) ${r}` : String(r);
  if (typeof r === 'string') return tty ? JSON.stringify(r) : r;
  if ('nil' in r) return tty ? '(nil)' : '';
  if ('error' in r) return tty ? `(error) ${r.error}` : `${r.error}\n`;
  return r.status;
}
