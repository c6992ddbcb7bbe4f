import type { DnsMessage, DnsRecord, RrType } from '../../wire/dns.ts';
import type { Directive } from '../corefile.ts';
import { argumentError, CorefileError, type Plugin, plainError } from '../types.ts';
import { durationMs, inZone, zoneName } from '../zones.ts';

interface Item {
  reply: DnsMessage;
  storedAtMs: number;
  ttlSeconds: number;
}

/** Positive answers up to `success`, negative ones up to `denial` seconds; TTLs count down; per zones that may be disabled. */
export const cache: Plugin = {
  name: 'cache',
  setup: ({ instance, directive }) => {
    const sim = instance.server.sim;
    const first = directive.args[0];
    const max = first !== undefined && /^[-+]?\d+$/.test(first) ? Number(first) : null;
    if (max !== null && max <= 0) throw plainError(`cache TTL can not be zero or negative: ${first}`);
    const zones = directive.args.slice(max === null ? 0 : 1).map(zoneName);
    const limits = { success: max ?? 3600, denial: max ?? 1800 };
    const least = { success: SHORT_SECONDS, denial: SHORT_SECONDS };
    let failureSeconds = SHORT_SECONDS;
    const disabled: Record<'success' | 'denial', string[] | null> = { success: null, denial: null };
    for (const d of directive.body) {
      if (['success', 'denial', 'prefetch', 'servfail'].includes(d.name) && !d.args.length) throw argumentError(d);
      if (d.name === 'success' || d.name === 'denial') {
        for (const a of d.args.slice(0, 3)) if (!/^[-+]?\d+$/.test(a)) throw plainError(`strconv.Atoi: parsing "${a}": invalid syntax`);
        limits[d.name] = Number(d.args[1] ?? limits[d.name]);
        least[d.name] = Number(d.args[2] ?? SHORT_SECONDS);
      } else if (d.name === 'servfail') {
        const ms = durationMs(d.args[0]);
        if (ms === null) throw plainError(`time: invalid duration "${d.args[0]}"`);
        failureSeconds = ms / 1000;
      } else if (d.name === 'serve_stale') serveStale(d);
      else if (d.name === 'disable')
        disabled[d.args[0] as 'success' | 'denial'] = d.args.slice(1).length ? d.args.slice(1).map(zoneName) : ['.'];
      else if (!['prefetch', 'serve_stale', 'keepttl'].includes(d.name)) throw new CorefileError(d.line, `Unknown property '${d.name}'`);
    }
    const items = new Map<string, Item>();
    return function* (r, next) {
      if (zones.length && !zones.some(z => inZone(r.name, z))) return yield* next(r);
      const key = `${r.name} ${r.type} ${r.query.edns?.dnssecOk ?? false} ${r.query.cd}`;
      const known = items.get(key);
      if (known) {
        const age = Math.floor((sim.nowMs - known.storedAtMs) / 1000);
        if (age < known.ttlSeconds) return { reply: aged(known, r.query, age) };
        items.delete(key);
      }
      const outcome = yield* next(r);
      const { reply } = outcome;
      if (!reply || reply.tc || outcome.error) return outcome;
      const type = typeOfReply(reply, r.type as RrType);
      // What is not kept has a short time all the same.
      if (type === null) return { ...outcome, reply: aged({ reply, storedAtMs: sim.nowMs, ttlSeconds: SHORT_SECONDS }, r.query, 0) };
      const kind = type === 'answer' || type === 'delegation' ? 'success' : 'denial';
      if (disabled[kind]?.some(z => inZone(r.name, z))) return outcome;
      const ttlSeconds =
        type === 'failure'
          ? failureSeconds
          : Math.min(limits[kind], Math.max(least[kind], type === 'delegation' ? SHORT_SECONDS : smallestTtl(reply)));
      if (ttlSeconds <= 0) return outcome;
      const item: Item = { reply, storedAtMs: sim.nowMs, ttlSeconds };
      items.set(key, item);
      return { ...outcome, reply: aged(item, r.query, 0) };
    };
  },
};

function serveStale(d: Directive): void {
  const [time, mode] = d.args;
  if (d.args.length > 2) throw argumentError(d);
  const ms = time === undefined ? 0 : durationMs(time);
  if (ms === null) throw plainError(`time: invalid duration "${time}"`);
  if (ms < 0) throw plainError('invalid negative duration for serve_stale');
  if (mode && !['immediate', 'verify'].includes(mode.toLowerCase()))
    throw plainError(`invalid value for serve_stale refresh mode: ${mode}`);
}

/** dnsutil.MinimalDefaultTTL: of what says nothing about its time, and the shortest that anything is kept. */
const SHORT_SECONDS = 5;

function smallestTtl(m: DnsMessage): number {
  const all = [...m.answers, ...m.authority, ...m.additional];
  return all.length ? Math.min(3600, ...all.map(x => x.ttl)) : SHORT_SECONDS;
}

/** response.Typify: what the message is to the cache; null: nothing that is kept. */
function typeOfReply(m: DnsMessage, asked: RrType): 'answer' | 'denial' | 'delegation' | 'failure' | null {
  if (m.opcode !== 0 || asked === 'AXFR' || asked === 'TYPE251') return null;
  if (m.rcode === 'SERVFAIL' || m.rcode === 'NOTIMP') return 'failure';
  if (m.rcode === 'NOERROR' && m.answers.length) return 'answer';
  const has = (type: RrType) => m.authority.some(a => a.type === type);
  if (has('SOA')) return m.rcode === 'NOERROR' || m.rcode === 'NXDOMAIN' ? 'denial' : null;
  if (m.rcode !== 'NOERROR') return null;
  return has('NS') ? 'delegation' : 'answer';
}

function aged(item: Item, query: DnsMessage, age: number): DnsMessage {
  const ttl = item.ttlSeconds - age;
  const each = (records: DnsRecord[]) => records.map(x => ({ ...x, ttl }));
  const { reply } = item;
  return {
    ...reply,
    id: query.id,
    rd: query.rd,
    cd: query.cd,
    questions: query.questions,
    edns: null,
    answers: each(reply.answers),
    authority: each(reply.authority),
    additional: each(reply.additional),
  };
}
