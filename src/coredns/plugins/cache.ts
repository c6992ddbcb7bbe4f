// plugin/cache (coredns 1.14.2, cache.go and handler.go): positive answers in one store, negative ones in another, TTLs counting down.
import { type Co, startTask } from '../../sim/task.ts';
import type { DnsMessage } from '../../wire/dns.ts';
import { typeNumber } from '../../wire/dns-codec.ts';
import { increase, setGauge } from '../metrics.ts';
import type { Instance, Next, Outcome, Plugin, Request } from '../types.ts';
import { inZone, longestZone } from '../zones.ts';
import { cacheOptions, type Kind, LONG_SECONDS, type Options, SHORT_SECONDS } from './cache-setup.ts';
import {
  addItem,
  answerFrom,
  getItem,
  type Item,
  keptItems,
  keyOf,
  newStore,
  noteHit,
  removeItem,
  restoreItems,
  type Store,
  secondsLeft,
  sizeOfStore,
  withTtl,
} from './cache-store.ts';

interface Cache extends Options {
  instance: Instance;
  stores: Record<Kind, Store>;
}

/** Labels of its metrics: server, zones, view. */
const labels = (c: Cache, r: Request): [string, string, string] => [r.server, c.zones.join(','), r.view ?? ''];

/** The same with the kind of store. */
const kindLabels = (c: Cache, r: Request, kind: Kind): string[] => [r.server, kind, c.zones.join(','), r.view ?? ''];

const requestKey = (r: Request): string =>
  keyOf(r.query.edns?.dnssecOk ?? false, r.query.cd, typeNumber(r.query.questions[0].type), r.name);

export const cache: Plugin = {
  name: 'cache',
  setup: s => {
    const options = cacheOptions(s);
    const { capacity, stale } = options;
    const stores = { success: newStore(capacity.success), denial: newStore(capacity.denial) };
    const c: Cache = { ...options, instance: s.instance, stores };
    const { sim } = s.instance.server;
    const save = (k: Kind) => keptItems(stores[k], sim.nowMs, stale.forMs);
    const kept = s.keep(() => ({ success: save('success'), denial: save('denial') })) as Record<Kind, unknown> | undefined;
    restoreItems(stores.success, kept?.success);
    restoreItems(stores.denial, kept?.denial);
    return (r, next) => serve(c, r, next);
  },
};

function* serve(c: Cache, asked: Request, next: Next): Co<Outcome> {
  const r: Request = { ...asked, message: { query: asked.query } };
  if (longestZone(r.name, c.zones) === undefined) return yield* next(r);
  const { sim } = c.instance.server;
  const item = usable(c, r, sim.nowMs);
  if (!item) return written(c, r, yield* next(r), false);
  const left = secondsLeft(item, sim.nowMs);
  if (left < 0) {
    if (c.stale.verify) {
      const outcome = yield* next(r);
      if (outcome.reply?.rcode === 'NOERROR' || outcome.reply?.rcode === 'NXDOMAIN') return written(c, r, outcome, false);
    } else refresh(c, r, next, item);
    increase(c.instance.metrics, 'coredns_cache_served_stale_total', ...labels(c, r));
  } else if (wantsPrefetch(c, item, left, sim.nowMs)) refresh(c, r, next, item);
  const ttl = c.keepTtl ? item.ttlSeconds : Math.max(0, left);
  return { reply: answerFrom(item.reply as DnsMessage, r.query, ttl) };
}

/** getIfNotStale: negative answers first. */
function usable(c: Cache, r: Request, nowMs: number): Item | null {
  const { metrics } = c.instance;
  increase(metrics, 'coredns_cache_requests_total', ...labels(c, r));
  for (const kind of ['denial', 'success'] as const) {
    const item = getItem(c.stores[kind], requestKey(r));
    if (!item?.reply) continue;
    const left = secondsLeft(item, nowMs);
    if (left <= 0 && !(c.stale.forMs > 0 && -left < Math.trunc(c.stale.forMs / 1000))) continue;
    increase(metrics, 'coredns_cache_hits_total', ...kindLabels(c, r, kind));
    return item;
  }
  increase(metrics, 'coredns_cache_misses_total', ...labels(c, r));
  return null;
}

function wantsPrefetch({ prefetch }: Cache, item: Item, left: number, nowMs: number): boolean {
  if (prefetch.amount <= 0) return false;
  noteHit(item, prefetch.withinMs, nowMs);
  return item.hits >= prefetch.amount && left <= Math.ceil((prefetch.percentage / 100) * item.ttlSeconds);
}

/** doPrefetch: asked as if over TCP, so that nothing is cut off; nobody waits for it. */
function refresh(c: Cache, r: Request, next: Next, before: Item): void {
  const { sim } = c.instance.server;
  const { hits } = before;
  const lastMs = sim.nowMs + Math.min(0, secondsLeft(before, sim.nowMs)) * 1000;
  increase(c.instance.metrics, 'coredns_cache_prefetch_total', ...labels(c, r));
  startTask(
    sim,
    (function* (): Co<void> {
      written(c, r, yield* next({ ...r, proto: 'tcp', notes: new Map(r.notes) }), true);
      const item = getItem(c.stores.denial, requestKey(r)) ?? getItem(c.stores.success, requestKey(r));
      if (item) Object.assign(item, { hits, lastMs });
    })(),
    true,
  );
}

/** ResponseWriter.WriteMsg: what goes out has the time that it is kept for; what is not kept has one all the same. */
function written(c: Cache, r: Request, outcome: Outcome, prefetched: boolean): Outcome {
  if (!outcome.reply) return outcome;
  const { metrics } = c.instance;
  const type = typify(outcome.reply);
  const ms = keptMs(c, outcome.reply, type);
  const reply = withTtl(outcome.reply, Math.trunc(ms / 1000));
  if (!r.query.ad && !r.query.edns?.dnssecOk) reply.ad = false;
  if (!reply.tc && type !== 'other' && type !== 'meta' && ms > 0) {
    if (isFor(reply, r)) {
      keep(c, r, reply, STORES[type], ms, prefetched);
      for (const kind of ['success', 'denial'] as const)
        setGauge(metrics, 'coredns_cache_entries', sizeOfStore(c.stores[kind]), ...kindLabels(c, r, kind));
    } else increase(metrics, 'coredns_cache_drops_total', ...labels(c, r));
  }
  return { ...outcome, reply };
}

function keep(c: Cache, r: Request, reply: DnsMessage, kind: Kind, ms: number, prefetched: boolean): void {
  if (c.except[kind].some(z => inZone(r.name, z))) return;
  const { sim } = c.instance.server;
  const item: Item = { reply, ttlSeconds: Math.trunc(ms / 1000), storedAtMs: sim.nowMs, hits: 0, lastMs: 0 };
  if (addItem(c.stores[kind], requestKey(r), item, sim.random))
    increase(c.instance.metrics, 'coredns_cache_evictions_total', ...kindLabels(c, r, kind));
  if (prefetched && kind === 'success') removeItem(c.stores.denial, requestKey(r));
}

/** request.Match: an answer to something else (a plugin rewrote the question) is not kept. */
function isFor(reply: DnsMessage, r: Request): boolean {
  const [q, ...more] = reply.questions;
  return reply.response && !!q && !more.length && q.name.toLowerCase() === r.name && q.type === r.query.questions[0].type;
}

type ReplyType = 'noerror' | 'nxdomain' | 'nodata' | 'failure' | 'delegation' | 'meta' | 'other';

const STORES: Record<Exclude<ReplyType, 'meta' | 'other'>, Kind> = {
  noerror: 'success',
  delegation: 'success',
  nxdomain: 'denial',
  nodata: 'denial',
  failure: 'denial',
};

/** response.Typify */
function typify(m: DnsMessage): ReplyType {
  const NOTIFY = 4;
  const asked: string | undefined = m.questions[0]?.type;
  if (m.opcode === NOTIFY || asked === 'AXFR' || asked === 'TYPE251') return 'meta';
  if (m.rcode === 'NOERROR' && m.answers.length) return 'noerror';
  const has = (type: string) => m.authority.some(a => a.type === type);
  if (has('SOA') && m.rcode === 'NOERROR') return 'nodata';
  if (has('SOA') && m.rcode === 'NXDOMAIN') return 'nxdomain';
  if (m.rcode === 'SERVFAIL' || m.rcode === 'NOTIMP') return 'failure';
  if (m.rcode !== 'NOERROR') return 'other';
  return has('NS') ? 'delegation' : 'noerror';
}

function keptMs(c: Cache, m: DnsMessage, type: ReplyType): number {
  if (type === 'failure') return c.failureMs;
  const kind = type === 'nxdomain' || type === 'nodata' ? 'denial' : 'success';
  const counts = type === 'noerror' || type === 'nxdomain' || type === 'nodata';
  const all = counts ? [...m.answers, ...m.authority, ...m.additional] : [];
  const least = all.length ? Math.min(LONG_SECONDS, ...all.map(x => x.ttl)) : SHORT_SECONDS;
  return Math.min(Math.max(least, c.least[kind]), c.most[kind]) * 1000;
}
