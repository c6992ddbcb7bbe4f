// etcdctl v3.6: what a member says of itself, and which keys it has. It talks to whatever listens at its endpoints; what an etcd of the
// cluster holds is the API server's store. Values, writes and snapshots are refused: the store is no bbolt file.

import { listObjects } from '../../apiserver/store.ts';
import { complain, print, strerror } from '../../linux/process.ts';
import { close, connect, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import { goQuote } from '../../sim/quote.ts';
import { sha1 } from '../../sim/sha1.ts';
import { type Co, sleep } from '../../sim/task.ts';
import { rfc3339Micro } from '../../sim/time.ts';
import { goDistrust } from '../../userland/go-verify.ts';
import { getaddrinfo } from '../../userland/net/resolver.ts';
import { tlsConnect } from '../../userland/tls.ts';
import { certificateOf } from '../../userland/x509.ts';
import { familyOf, formatIp } from '../../wire/ip.ts';
import type { Engine } from '../types.ts';
import { etcdBytes, etcdKeys } from './etcd-keys.ts';

interface Call {
  engine: Engine;
  p: Process;
  flags: Map<string, string>;
  words: string[];
}

const SHORT: Record<string, string> = { w: 'write-out', '-w': 'write-out' };
const SWITCHES = new Set(
  'prefix keys-only count-only from-key print-value-only hex cluster debug insecure-skip-tls-verify insecure-transport help'.split(' '),
);
const VALUES = new Set(
  'endpoints cacert cert key write-out limit order sort-by consistency rev dial-timeout command-timeout user password'.split(' '),
);

function parse(p: Process): { flags: Map<string, string>; words: string[] } | string {
  const flags = new Map<string, string>();
  for (const name of ['endpoints', 'cacert', 'cert', 'key']) {
    const value = p.env.get(`ETCDCTL_${name.toUpperCase()}`);
    if (value) flags.set(name, value);
  }
  const words: string[] = [];
  const list = p.argv.slice(1);
  for (let i = 0; i < list.length; i++) {
    const m = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(list[i]);
    if (!m) {
      words.push(list[i]);
      continue;
    }
    const name = SHORT[m[1]] ?? m[1];
    if (SWITCHES.has(name)) flags.set(name, m[2] ?? 'true');
    else if (VALUES.has(name)) flags.set(name, m[2] ?? list[++i] ?? '');
    else return `unknown flag: --${m[1]}`;
  }
  return { flags, words };
}

const fail = (p: Process, text: string, code = 1): number => {
  complain(p, `Error: ${text}\n`);
  return code;
};

export const etcdctl = (engine: () => Engine): Program =>
  function* (p) {
    const parsed = parse(p);
    if (typeof parsed === 'string') return fail(p, parsed);
    const { words, flags } = parsed;
    const name = words.slice(0, 2).join(' ');
    const verb = VERBS[name] ?? VERBS[words[0] ?? ''];
    if (!verb) {
      if (REFUSED.has(words[0])) return fail(p, `podnet: etcdctl ${words[0]} is not modelled`);
      complain(p, `Error: unknown command ${goQuote(words[0] ?? '')} for "etcdctl"\nRun 'etcdctl --help' for usage.\n`);
      return 1;
    }
    for (const file of ['cacert', 'cert', 'key']) {
      const path = flags.get(file);
      if (path && typeof readFile(p.fs, absolute(path, p.cwd), p) === 'string')
        return fail(p, `open ${path}: no such file or directory`, 128);
    }
    return yield* verb({ engine: engine(), p, flags, words: words.slice(VERBS[name] ? 2 : 1) });
  };

const REFUSED = new Set(
  'put del txn watch lease snapshot defrag compaction move-leader check lock elect auth user role make-mirror downgrade completion'.split(
    ' ',
  ),
);

const text = (p: Process, path: string | undefined) => {
  const data = path ? readFile(p.fs, absolute(path, p.cwd), p) : 'ENOENT';
  return typeof data === 'string' ? '' : bytesToString(data);
};

/** null: an etcd answered; otherwise why gRPC's balancer has no connection. */
function* reach(c: Call, endpoint: string): Co<string | null> {
  const { p, flags } = c;
  const m = /^(https?:\/\/)?(\[[^\]]+\]|[^:/]+)(?::(\d+))?/.exec(endpoint);
  const host = m?.[2].replace(/^\[|\]$/g, '') ?? endpoint;
  const port = Number(m?.[3] ?? 2379);
  const found = yield* getaddrinfo(p, host, { libc: 'glibc' });
  if (typeof found === 'string') return `transport: Error while dialing: dial tcp: lookup ${host}: no such host`;
  const address = found.addresses[found.addresses.length - 1];
  const s = socket(p, 'tcp', familyOf(address));
  const error = typeof s === 'string' ? s : yield* connect(s, address, port, 2000);
  if (error || typeof s === 'string') {
    const why = error === 'EINPROGRESS' ? 'i/o timeout' : `connect: ${strerror(error ?? 'ECONNREFUSED').toLowerCase()}`;
    return `transport: Error while dialing: dial tcp ${host.includes(':') ? `[${host}]` : host}:${port}: ${why}`;
  }
  try {
    if (m?.[1] !== 'https://') return 'error reading server preface: EOF';
    const own = certificateOf(text(p, flags.get('cert')));
    const r = yield* tlsConnect(
      s,
      { sni: formatIp(address) === host ? null : host, alpn: ['h2'], ...(own ? { certificate: own } : {}) },
      5000,
    );
    if (typeof r === 'string')
      return `transport: authentication handshake failed: ${r === 'wrong version number' ? 'tls: first record does not look like a TLS handshake' : 'EOF'}`;
    if (!flags.has('insecure-skip-tls-verify')) {
      const why = goDistrust(r.certificate, text(p, flags.get('cacert')), host, p.kernel.sim.nowMs);
      if (why) return `transport: authentication handshake failed: ${why}`;
    }
    // --client-cert-auth
    return own ? null : 'error reading server preface: remote error: tls: certificate required';
  } finally {
    close(s);
  }
}

const endpointsOf = (c: Call): string[] => (c.flags.get('endpoints') ?? '127.0.0.1:2379').split(',');

/** A call that nobody answers is given up after five seconds. */
function* gaveUp(c: Call, endpoint: string, why: string, method: string, logger = 'etcd-client'): Co<void> {
  yield* sleep(c.p.kernel.sim, 5000);
  const error = `rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = ${goQuote(why)}`;
  const target = `etcd-endpoints://0xc000224000/${endpoint.replace(/^https?:\/\//, '')}`;
  const line = {
    level: 'warn',
    ts: rfc3339Micro(c.p.kernel.sim.nowMs),
    logger,
    caller: 'v3@v3.6.8/retry_interceptor.go:65',
    msg: 'retrying of unary invoker failed',
    target,
    method: `/etcdserverpb.${method}`,
    attempt: 0,
    error,
  };
  complain(c.p, `${JSON.stringify(line)}\n`);
}

/** The first endpoint that answers; null: none, which has been said. */
function* anyEndpoint(c: Call, method: string): Co<string | null> {
  let why = '';
  for (const e of endpointsOf(c)) {
    const error = yield* reach(c, e);
    if (!error) return e;
    why = error;
  }
  yield* gaveUp(c, endpointsOf(c)[0], why, method);
  fail(c.p, 'context deadline exceeded');
  return null;
}

interface Member {
  id: string;
  name: string;
  peer: string;
  client: string;
}

/** The member's number: of its peers' addresses and its cluster's token (server/etcdserver/api/membership/member.go computeMemberID). */
function members(engine: Engine): Member[] {
  const out: Member[] = [];
  for (const pod of listObjects(engine.server, 'pods')) {
    if (pod.metadata.namespace !== 'kube-system' || pod.metadata.labels?.component !== 'etcd') continue;
    const flag = (name: string) =>
      (pod.spec.containers[0]?.command ?? []).find((w: string) => w.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
    const peer = flag('initial-advertise-peer-urls');
    const digest = sha1(stringToBytes(`${peer}etcd-cluster`));
    const id = digest
      .subarray(0, 8)
      .reduce((n, x) => (n << 8n) | BigInt(x), 0n)
      .toString(16);
    out.push({ id, name: flag('name'), peer, client: flag('advertise-client-urls') });
  }
  return out;
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map(r => r[i].length)));
  const line = `+${widths.map(w => '-'.repeat(w + 2)).join('+')}+\n`;
  const centred = (h: string, w: number) => {
    const left = Math.floor((w + 2 - h.length) / 2);
    return ' '.repeat(left) + h + ' '.repeat(w + 2 - h.length - left);
  };
  const body = rows.map(r => `|${r.map((cell, i) => ` ${cell.padStart(widths[i])} `).join('|')}|\n`).join('');
  return `${line}|${head.map((h, i) => centred(h, widths[i])).join('|')}|\n${line}${body}${line}`;
}

/** Go's Duration.String() below a second. */
const took = (ms: number): string => (ms >= 1 ? `${Number(ms.toFixed(6))}ms` : `${Number((ms * 1000).toFixed(3))}µs`);

function* health(c: Call): Co<number> {
  const rows: string[][] = [];
  let code = 0;
  for (const e of endpointsOf(c)) {
    const from = c.p.kernel.sim.nowMs;
    const why = yield* reach(c, e);
    const ms = c.p.kernel.sim.nowMs - from;
    if (why) yield* gaveUp(c, e, why, 'KV/Range', 'client');
    if (why) code = 1;
    rows.push(why ? [e, 'false', took(c.p.kernel.sim.nowMs - from), 'context deadline exceeded'] : [e, 'true', took(ms), '']);
  }
  if (c.flags.get('write-out') === 'table') print(c.p, table(['ENDPOINT', 'HEALTH', 'TOOK', 'ERROR'], rows));
  else
    for (const [e, good, time, error] of rows) {
      if (good === 'true') print(c.p, `${e} is healthy: successfully committed proposal: took = ${time}\n`);
      else complain(c.p, `${e} is unhealthy: failed to commit proposal: ${error}\n`);
    }
  return code ? fail(c.p, 'unhealthy cluster') : 0;
}

/** humanize.Bytes of whole pages. */
function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let [n, i] = [Math.ceil(bytes / 4096) * 4096, 0];
  for (; n >= 1000 && i < 3; i++) n /= 1000;
  return `${n < 10 && i ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

const STATUS_HEAD =
  'ENDPOINT,ID,VERSION,STORAGE VERSION,DB SIZE,IN USE,PERCENTAGE NOT IN USE,QUOTA,IS LEADER,IS LEARNER,RAFT TERM,RAFT INDEX,RAFT APPLIED INDEX,ERRORS,DOWNGRADE TARGET VERSION,DOWNGRADE ENABLED'.split(
    ',',
  );

function* status(c: Call): Co<number> {
  const rows: string[][] = [];
  let code = 0;
  const [member] = members(c.engine);
  for (const e of c.flags.has('cluster') && member ? [member.client] : endpointsOf(c)) {
    const why = yield* reach(c, e);
    if (why) {
      yield* gaveUp(c, e, why, 'Maintenance/Status');
      complain(c.p, `Failed to get the status of endpoint ${e} (context deadline exceeded)\n`);
      code = 1;
      continue;
    }
    const { store } = c.engine.server;
    const used = size(etcdBytes(c.engine.server));
    const index = String(store.revision);
    rows.push([e, member?.id ?? '', '3.6.8', '3.6.0', used, used, '0%', '2.1 GB', 'true', 'false', '2', index, index, '', '', 'false']);
  }
  print(c.p, c.flags.get('write-out') === 'table' ? table(STATUS_HEAD, rows) : rows.map(r => `${r.join(', ')}\n`).join(''));
  return code;
}

function* memberList(c: Call): Co<number> {
  if ((yield* anyEndpoint(c, 'Cluster/MemberList')) === null) return 1;
  const rows = members(c.engine).map(m => [m.id, 'started', m.name, m.peer, m.client, 'false']);
  const head = ['ID', 'STATUS', 'NAME', 'PEER ADDRS', 'CLIENT ADDRS', 'IS LEARNER'];
  print(c.p, c.flags.get('write-out') === 'table' ? table(head, rows) : rows.map(r => `${r.join(', ')}\n`).join(''));
  return 0;
}

function* get(c: Call): Co<number> {
  const [key] = c.words;
  if (key === undefined) return fail(c.p, 'get command needs one argument as key and an optional argument as range_end', 128);
  if (c.flags.has('count-only') && c.flags.get('write-out') !== 'fields')
    return fail(c.p, '--count-only is only for `--write-out=fields`', 128);
  if ((yield* anyEndpoint(c, 'KV/Range')) === null) return 1;
  const match = c.flags.has('prefix')
    ? (k: string) => k.startsWith(key)
    : c.flags.has('from-key')
      ? (k: string) => k >= key
      : (k: string) => k === key;
  const found = etcdKeys(c.engine.server).filter(match);
  if (c.flags.has('count-only')) {
    print(c.p, `"Count" : ${found.length}\n`);
    return 0;
  }
  const shown = found.slice(0, Number(c.flags.get('limit') ?? 0) || undefined);
  if (!c.flags.has('keys-only') && shown.length)
    return fail(c.p, 'podnet: values are protobuf in etcd, which podnet does not write; --keys-only shows the keys');
  print(c.p, shown.map(k => `${k}\n\n`).join(''));
  return 0;
}

function* alarms(c: Call): Co<number> {
  return (yield* anyEndpoint(c, 'Maintenance/Alarm')) === null ? 1 : 0;
}

function* version(c: Call): Co<number> {
  print(c.p, 'etcdctl version: 3.6.8\nAPI version: 3.6\n');
  return 0;
}

const VERBS: Record<string, (c: Call) => Co<number>> = {
  version,
  get,
  'endpoint health': health,
  'endpoint status': status,
  'member list': memberList,
  'alarm list': alarms,
};
