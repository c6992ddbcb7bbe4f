// Groups of servers behind nginx: who is next, who has failed too often (src/http/ngx_http_upstream_round_robin.c 1.22), and names that
// are looked up while it runs (src/core/ngx_resolver.c).

import type { Process } from '../../linux/types.ts';
import { below } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import type { RrType } from '../../wire/dns.ts';
import { newMessage } from '../../wire/dns-codec.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import { exchangeUdp, failed, newQueryId } from '../net/dns-client.ts';
import { numericHost } from '../net/resolv-conf.ts';
import type { Directive } from './nginx-directives.ts';
import { durationMs, last, type Nginx, type Peer, type Peers, type Scope, setting } from './nginx-scope.ts';

export const peerText = (p: Peer): string =>
  p.address.length === 16 ? `[${formatIp(p.address)}]:${p.port}` : `${formatIp(p.address)}:${p.port}`;

export const newPeer = (address: Ip, port: number, options: string[] = []): Peer => {
  const value = (name: string) => options.find(o => o.startsWith(`${name}=`))?.slice(name.length + 1);
  const weight = Number(value('weight') ?? 1);
  return {
    address,
    port,
    weight,
    effective: weight,
    current: 0,
    maxFails: Number(value('max_fails') ?? 1),
    failMs: durationMs(value('fail_timeout'), 10_000),
    fails: 0,
    accessedMs: Number.NEGATIVE_INFINITY,
    checkedMs: Number.NEGATIVE_INFINITY,
    backup: options.includes('backup'),
    down: options.includes('down'),
    active: 0,
  };
};

/** Directives of an upstream block that say how its members are chosen. */
export function methodOf(block: Directive[]): Pick<Peers, 'method' | 'key'> {
  const d = block.find(x => ['least_conn', 'ip_hash', 'hash', 'random'].includes(x.name));
  return { method: (d?.name ?? 'round_robin') as Peers['method'], key: d?.args[0] ?? '' };
}

const usable = (p: Peer, nowMs: number, tried: Set<Peer>): boolean =>
  !p.down && !tried.has(p) && !(p.maxFails > 0 && p.fails >= p.maxFails && nowMs - p.checkedMs <= p.failMs);

/** Smooth weighted round robin. */
function roundRobin(list: Peer[]): Peer | null {
  let best: Peer | null = null;
  let total = 0;
  for (const p of list) {
    p.current += p.effective;
    total += p.effective;
    if (p.effective < p.weight) p.effective++;
    if (!best || p.current > best.current) best = p;
  }
  if (best) best.current -= total;
  return best;
}

/** The remainder that ip_hash and hash choose by. */
function bucket(peers: Peers, hash: number, nowMs: number, tried: Set<Peer>): Peer | null {
  const list = peers.list.filter(p => !p.backup);
  const total = list.reduce((sum, p) => sum + p.weight, 0);
  let h = hash;
  for (let turn = 0; turn < 20; turn++) {
    let w = h % total;
    const found = list.find(p => {
      w -= p.weight;
      return w < 0;
    });
    if (found && usable(found, nowMs, tried)) return found;
    h = (h * 113 + 6271 + turn) % 2_147_483_647;
  }
  return null;
}

/** ngx_http_upstream_get_ip_hash_peer: of an IPv4 address, the first three bytes. */
function ipHash(address: Ip): number {
  let hash = 89;
  for (const b of address.length === 4 ? address.subarray(0, 3) : address) hash = (hash * 113 + b) % 6271;
  return hash;
}

function textHash(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) >>> 0;
  return h;
}

/** The next server to ask. null: none is alive (or left). */
export function nextPeer(p: Process, peers: Peers, client: Ip, key: string, tried: Set<Peer>): Peer | null {
  const { nowMs } = p.kernel.sim;
  const chosen =
    peers.method === 'ip_hash'
      ? bucket(peers, ipHash(client), nowMs, tried)
      : peers.method === 'hash'
        ? bucket(peers, textHash(key), nowMs, tried)
        : null;
  const alive = (backup: boolean) => peers.list.filter(x => x.backup === backup && usable(x, nowMs, tried));
  const of = (list: Peer[]): Peer | null => {
    if (peers.method === 'random') return list[below(p.kernel.sim.random, Math.max(1, list.length))] ?? null;
    if (peers.method !== 'least_conn') return roundRobin(list);
    const least = Math.min(...list.map(x => x.active / x.weight));
    return roundRobin(list.filter(x => x.active / x.weight === least));
  };
  const best = chosen ?? of(alive(false)) ?? of(alive(true));
  if (best && nowMs - best.checkedMs > best.failMs) best.checkedMs = nowMs;
  if (best) tried.add(best);
  return best;
}

/** What became of a request to it. -> has it just been given up for a while? */
export function freePeer(p: Process, peers: Peers, peer: Peer, ok: boolean): boolean {
  if (peers.list.length === 1) return false;
  if (ok) {
    if (peer.accessedMs < peer.checkedMs) peer.fails = 0;
    return false;
  }
  peer.fails++;
  peer.accessedMs = p.kernel.sim.nowMs;
  peer.checkedMs = p.kernel.sim.nowMs;
  if (peer.maxFails > 0) peer.effective = Math.max(0, peer.effective - Math.floor(peer.weight / peer.maxFails));
  return peer.maxFails > 0 && peer.fails >= peer.maxFails;
}

/** ngx_resolver_strerror. */
const RESOLVER_ERRORS: Record<string, string> = {
  FORMERR: '1: Format error',
  SERVFAIL: '2: Server failure',
  NXDOMAIN: '3: Host not found',
  NOTIMP: '4: Unimplemented',
  REFUSED: '5: Operation refused',
  timeout: '110: Operation timed out',
};

/** One question to the resolver, asked again each five seconds until `resolver_timeout`. -> addresses and their TTL, or an error */
function* ask(p: Process, server: Ip, port: number, name: string, type: RrType, untilMs: number): Co<{ ips: Ip[]; ttl: number } | string> {
  while (p.kernel.sim.nowMs < untilMs) {
    const query = newMessage(newQueryId(p), name.endsWith('.') ? name : `${name}.`, type);
    const r = yield* exchangeUdp(p, server, query, { port, timeoutMs: Math.min(5000, untilMs - p.kernel.sim.nowMs) });
    if (failed(r)) continue;
    const { message } = r;
    if (message.rcode !== 'NOERROR') return RESOLVER_ERRORS[message.rcode] ?? '2: Server failure';
    const found = message.answers.filter(a => a.type === type && 'ip' in a.data);
    return { ips: found.map(a => (a.data as { ip: Ip }).ip), ttl: Math.min(...message.answers.map(a => a.ttl), 3600) };
  }
  return RESOLVER_ERRORS.timeout;
}

/** A name that is known only now, by the `resolver` in force: no search domains, no hosts file. A text is the error. */
export function* resolveNow(s: Scope, host: string): Co<Ip[] | string> {
  const numeric = numericHost(host.replace(/^\[|\]$/g, ''));
  if (numeric) return [numeric];
  const d = setting(s, 'resolver') ?? last(s.n.main, 'resolver');
  if (!d) return `no resolver defined to resolve ${host}`;
  const { p } = s.n;
  const known = s.n.resolved.get(host);
  if (known && known.untilMs > p.kernel.sim.nowMs) return known.addresses;
  const r = yield* lookUp(s.n, d, host, p.kernel.sim.nowMs + durationMs(setting(s, 'resolver_timeout')?.args[0], 30_000));
  return typeof r === 'string' ? `${host} could not be resolved (${r})` : r;
}

function* lookUp(n: Nginx, d: Directive, host: string, untilMs: number): Co<Ip[] | string> {
  const servers = d.args.filter(a => !a.includes('='));
  const ips: Ip[] = [];
  let ttl = 3600;
  let error = RESOLVER_ERRORS.NXDOMAIN;
  for (const type of d.args.includes('ipv6=off') ? (['A'] as const) : (['A', 'AAAA'] as const)) {
    const [name, port] = splitPort(servers[0] ?? '', 53);
    const server = n.peers.get(`resolver ${name}`)?.list[0]?.address ?? numericHost(name);
    if (!server) return error;
    const r = yield* ask(n.p, server, port, host, type, untilMs);
    if (typeof r === 'string') error = r;
    else if (r.ips.length) {
      ips.push(...r.ips);
      ttl = Math.min(ttl, r.ttl);
    }
  }
  if (!ips.length) return error;
  const valid = d.args.find(a => a.startsWith('valid='))?.slice('valid='.length);
  n.resolved.set(host, { addresses: ips, untilMs: n.p.kernel.sim.nowMs + durationMs(valid, ttl * 1000) });
  return ips;
}

/** `host:port`, `[::1]:port`, `host` */
export function splitPort(text: string, usual: number): [host: string, port: number] {
  const m = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text);
  return m ? [m[1].replace(/^\[|\]$/g, ''), m[2] ? Number(m[2]) : usual] : [text, usual];
}
