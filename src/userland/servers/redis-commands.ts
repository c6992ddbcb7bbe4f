// What Redis keeps, and its commands over it.

import { localPid } from '../../linux/pids.ts';
import type { Process } from '../../linux/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';

type Value =
  | { kind: 'string'; value: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'hash'; fields: Map<string, string> }
  | { kind: 'set'; items: Set<string> };

export interface Store {
  p: Process;
  keys: Map<string, Value>;
  expires: Map<string, number>;
  password: string | null;
  startedMs: number;
  commands: number;
}

export const VERSION = '7.4.1';

export const OK = '+OK\r\n';

const bulk = (s: string | null) => (s === null ? '$-1\r\n' : `$${stringToBytes(s).length}\r\n${s}\r\n`);

const int = (n: number) => `:${n}\r\n`;

export const array = (items: string[]) => `*${items.length}\r\n${items.map(bulk).join('')}`;

const WRONG = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';

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

export function execute(store: Store, name: string, args: string[]): string {
  store.commands++;
  const row = COMMANDS[name];
  if (!row) {
    const shown = args.map(a => `'${a}' `).join('');
    return `-ERR unknown command '${name.toLowerCase()}', with args beginning with: ${shown}\r\n`;
  }
  if (args.length < row[0]) return `-ERR wrong number of arguments for '${name.toLowerCase()}' command\r\n`;
  return row[1](store, args);
}
