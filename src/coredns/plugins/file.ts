// plugin/file (coredns 1.14.2): authoritative answers from zone files (lookup.go).
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsRecord, RrType } from '../../wire/dns.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import { formatIp } from '../../wire/ip.ts';
import { argumentError, CorefileError, type Plugin, plainError, type Request, type Setup } from '../types.ts';
import { parseZone } from '../zonefile.ts';
import { fallsThrough, inZone, longestZone, zoneName, zonesOf } from '../zones.ts';
import { isTransfer } from './transfer.ts';

interface Zone {
  origin: string;
  soa: DnsRecord;
  /** Name in lower case -> its records in the file's order. */
  names: Map<string, DnsRecord[]>;
}

type Result = 'success' | 'name error' | 'delegation' | 'no data' | 'failure';
interface Found {
  answers: DnsRecord[];
  authority: DnsRecord[];
  additional: DnsRecord[];
  result: Result;
}

type Lookup = (name: string, type: RrType) => Co<DnsMessage | null>;

/** A zone that has its SOA, or the error's text. */
function readZone(text: string, origin: string, path: string): Zone | string {
  const records = parseZone(text, origin);
  if (typeof records === 'string') return `failed to parse file "${path}" for origin ${origin} with error ${path}: ${records}`;
  const names = new Map<string, DnsRecord[]>();
  for (const r of records) {
    const key = r.name.toLowerCase();
    if (!inZone(key, origin)) continue;
    names.set(key, [...(names.get(key) ?? []), { ...r, name: key }]);
  }
  const soa = names.get(origin)?.find(r => r.type === 'SOA');
  return soa ? { origin, soa, names } : `file "${path}" has no SOA record for origin ${origin}`;
}

const ofType = (records: DnsRecord[] | undefined, type: RrType) => (records ?? []).filter(r => r.type === type);
const nsOf = (z: Zone) => ofType(z.names.get(z.origin), 'NS');
const found = (result: Result, answers: DnsRecord[], authority: DnsRecord[], additional: DnsRecord[] = []): Found => ({
  answers,
  authority,
  additional,
  result,
});

/** Zone.Lookup: from the apex down to the name; delegations, aliases and wildcards on the way. */
function* lookup(z: Zone, name: string, type: RrType, up: Lookup): Co<Found> {
  if (name === z.origin && type === 'SOA') return found('success', [z.soa], nsOf(z));
  if (name === z.origin && type === 'NS') return found('success', nsOf(z), [], glue(z, nsOf(z)));
  const labels = (z.origin === '.' ? name.slice(0, -1) : name.slice(0, -z.origin.length - 1)).split('.').filter(Boolean);
  let wild: DnsRecord[] | undefined;
  for (let i = labels.length - 1; i >= 0; i--) {
    const part = `${labels.slice(i).join('.')}.${z.origin === '.' ? '' : z.origin}`;
    const here = z.names.get(part);
    if (!here) {
      wild = z.names.get(part.replace(/^[^.]*/, '*')) ?? wild;
      continue;
    }
    const ns = ofType(here, 'NS');
    if (ns.length) return found('delegation', [], ns, glue(z, ns));
  }
  const exact = z.names.get(name);
  const records = exact ?? wild?.map(r => ({ ...r, name }));
  if (!records) {
    // An empty non-terminal exists, without data (RFC 4592 section 2.2.2).
    const between = [...z.names.keys()].some(n => n.endsWith(`.${name}`));
    return found(between ? 'success' : 'name error', [], [z.soa]);
  }
  const alias = ofType(records, 'CNAME');
  if (alias.length && type !== 'CNAME') return yield* follow(z, alias, type, up);
  const answers = ofType(records, type);
  if (!answers.length) return found('no data', [], [z.soa]);
  return found('success', answers, nsOf(z), exact ? additionalOf(z, answers) : []);
}

/** Zone.externalLookup: aliases inside the zone by its own records, those that leave it through the whole chain. */
function* follow(z: Zone, alias: DnsRecord[], type: RrType, up: Lookup): Co<Found> {
  const out = [...alias];
  let target = targetOf(alias[0]);
  for (let i = 0; i <= 8; i++) {
    const here = z.names.get(target.toLowerCase());
    if (!here || type === 'NS') {
      const m = yield* up(target, type);
      if (!m) return found(out.length > 8 ? 'failure' : 'success', out, nsOf(z));
      const result: Result =
        m.rcode === 'NXDOMAIN' ? 'name error' : m.rcode === 'SERVFAIL' ? 'failure' : m.answers.length ? 'success' : 'no data';
      return found(result, [...out, ...m.answers], nsOf(z));
    }
    const next = ofType(here, 'CNAME');
    if (!next.length) return found('success', [...out, ...ofType(here, type)], nsOf(z));
    out.push(...next);
    target = targetOf(next[0]);
  }
  return found('success', out, nsOf(z));
}

const targetOf = (r: DnsRecord) => ('host' in r.data ? r.data.host : 'target' in r.data ? r.data.target : '');

const addressesOf = (z: Zone, name: string) => {
  const here = z.names.get(name.toLowerCase());
  return [...ofType(here, 'A'), ...ofType(here, 'AAAA')];
};

const glue = (z: Zone, ns: DnsRecord[]) => ns.flatMap(r => addressesOf(z, targetOf(r)));

const additionalOf = (z: Zone, answers: DnsRecord[]) =>
  answers.filter(r => r.type === 'SRV' || r.type === 'MX').flatMap(r => addressesOf(z, targetOf(r)));

function zones({ instance, all, block }: Setup): { zones: Map<string, Zone | null>; fall: string[] | null } {
  const out = new Map<string, Zone | null>();
  let fall: string[] | null = null;
  for (const d of all) {
    if (!d.args.length) throw argumentError(d);
    const path = d.args[0];
    const data = readFile(
      instance.p.fs,
      path.startsWith('/') ? path : `${instance.p.cwd === '/' ? '' : instance.p.cwd}/${path}`,
      instance.p,
    );
    for (const origin of zonesOf(d.args.slice(1), block.zones)) {
      const zone = typeof data === 'string' ? null : readZone(bytesToString(data), origin, path);
      if (typeof zone === 'string') throw plainError(zone);
      out.set(origin, zone);
    }
    for (const p of d.body) {
      if (p.name === 'fallthrough') fall = p.args.map(zoneName);
      else if (p.name === 'reload') {
        if (!p.args.length) throw plainError('reload duration value is expected');
      } else if (p.name !== 'upstream') throw new CorefileError(p.line, `unknown property '${p.name}'`);
    }
    if (typeof data === 'string')
      instance.log('WARNING', `plugin/file: Failed to open "open ${path}: no such file or directory": trying again in 1m0s`);
  }
  return { zones: out, fall };
}

/** Zone.Transfer: the apex, then every other name, between two SOA records. */
function wholeZone(z: Zone | null | undefined): DnsRecord[] | null {
  if (!z) return null;
  const all = [...z.names.values()].flat().filter(r => r.type !== 'SOA');
  return [z.soa, ...nsOf(z), ...all.filter(r => !(r.type === 'NS' && r.name === z.origin)), z.soa];
}

const NOTIFY = 4;

const RCODES = { success: 'NOERROR', 'no data': 'NOERROR', delegation: 'NOERROR', 'name error': 'NXDOMAIN', failure: 'SERVFAIL' } as const;

export const file: Plugin = {
  name: 'file',
  setup: s => {
    const { zones: known, fall } = zones(s);
    const names = [...known.keys()];
    s.block.transferers = [...(s.block.transferers ?? []), zone => wholeZone(known.get(zone))];
    const up = (r: Request): Lookup =>
      function* (name, type) {
        const depth = Number(r.notes.get('lookups') ?? 0);
        if (depth > 8) return null;
        const query: DnsMessage = { ...r.query, questions: [{ name, type, class: 'IN' }] };
        const notes = new Map(r.notes).set('lookups', String(depth + 1));
        const o = yield* s.instance.resolve({ ...r, query, name: name.toLowerCase(), type, notes });
        return o.reply ?? replyTo(query, o.rcode ?? 'SERVFAIL');
      };
    return function* (r, next) {
      const origin = longestZone(r.name, names);
      // Where nobody comes behind it, it speaks as an authoritative server does.
      if (origin === undefined) return s.block.chain.at(-1)?.name === 'file' ? { reply: null, rcode: 'REFUSED' } : yield* next(r);
      const zone = known.get(origin);
      if (!zone) return { reply: null, rcode: 'SERVFAIL' };
      if (isTransfer(r.type)) return { reply: null, rcode: 'REFUSED' };
      // Notifies are for secondary zones.
      if (r.query.opcode === NOTIFY) {
        s.instance.log('INFO', `plugin/file: Dropping notify from ${formatIp(r.client)} for ${origin}`);
        return { reply: null, drop: true };
      }
      const f = yield* lookup(zone, r.name, r.type as RrType, up(r));
      if (!f.answers.length && (f.result === 'name error' || f.result === 'success') && fallsThrough(fall, r.name)) return yield* next(r);
      if (f.result === 'failure' && !f.answers.length) return { reply: null, rcode: 'SERVFAIL' };
      const reply: DnsMessage = {
        ...replyTo(r.query, RCODES[f.result]),
        aa: f.result !== 'delegation',
        answers: f.answers,
        authority: f.authority,
        additional: f.additional,
      };
      return { reply };
    };
  },
};
