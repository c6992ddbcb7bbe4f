// The resolver outside the cluster: what the nodes' /etc/resolv.conf names and CoreDNS forwards to.
import { accept, bind, close, listen, recv, recvFrom, send, sendTo, socket } from '../linux/socket.ts';
import type { Process, Program } from '../linux/types.ts';
import { concat } from '../sim/bytes.ts';
import { type Co, startTask } from '../sim/task.ts';
import type { DnsMessage, DnsRecord, RrType } from '../wire/dns.ts';
import { decodeMessage, encodeMessage, fqdn, frameForTcp, replyTo } from '../wire/dns-codec.ts';
import { type Ip, parseIp } from '../wire/ip.ts';
import { ConfigError, type WorldConfig } from './config.ts';

type Zone = Map<string, DnsRecord[]>;

const lower = (name: string) => fqdn(name).toLowerCase();

/** `NAME [TTL] TYPE DATA`, as in a master file (RFC 1035, 5.1) without its abbreviations. */
export function parseRecord(text: string, ttl: number): DnsRecord {
  const words = text.trim().split(/\s+/);
  const name = fqdn(words.shift() ?? '');
  const own = /^\d+$/.test(words[0] ?? '') ? Number(words.shift()) : ttl;
  if (words[0] === 'IN') words.shift();
  const type = (words.shift() ?? '').toUpperCase() as RrType;
  const bad = () => new ConfigError(`world.dns.records: "${text}" is not NAME [TTL] TYPE DATA`);
  const base = { name, type, class: 'IN' as const, ttl: own };
  switch (type) {
    case 'A':
    case 'AAAA': {
      const ip = parseIp(words[0] ?? '');
      if (!ip || ip.length !== (type === 'A' ? 4 : 16)) throw bad();
      return { ...base, data: { ip } };
    }
    case 'CNAME':
    case 'NS':
    case 'PTR':
      if (!words[0]) throw bad();
      return { ...base, data: { host: fqdn(words[0]) } };
    case 'MX':
      if (words.length < 2) throw bad();
      return { ...base, data: { preference: Number(words[0]), host: fqdn(words[1]) } };
    case 'TXT':
      return { ...base, data: { texts: words.map(w => w.replace(/^"|"$/g, '')) } };
    case 'SRV':
      if (words.length < 4) throw bad();
      return { ...base, data: { priority: Number(words[0]), weight: Number(words[1]), port: Number(words[2]), target: fqdn(words[3]) } };
    default:
      throw bad();
  }
}

function soaRecord(world: WorldConfig): DnsRecord {
  const [mname, rname, ...numbers] = world.dns.soa.split(/\s+/);
  const [serial, refresh, retry, expire, minimum] = numbers.map(Number);
  return {
    name: '.',
    type: 'SOA',
    class: 'IN',
    ttl: world.dns.ttl,
    data: { mname: fqdn(mname), rname: fqdn(rname), serial, refresh, retry, expire, minimum },
  };
}

function zoneOf(world: WorldConfig): Zone {
  const zone: Zone = new Map();
  const add = (r: DnsRecord) => {
    const key = lower(r.name);
    zone.set(key, [...(zone.get(key) ?? []), r]);
  };
  for (const h of world.hosts) {
    for (const name of h.dns) {
      for (const a of h.addresses) {
        const ip = parseIp(a) as Ip;
        add({ name: fqdn(name), type: ip.length === 4 ? 'A' : 'AAAA', class: 'IN', ttl: world.dns.ttl, data: { ip } });
      }
    }
  }
  for (const text of world.dns.records) add(parseRecord(text, world.dns.ttl));
  return zone;
}

/** A name exists when it, or a name below it, has records (RFC 8020). */
const exists = (zone: Zone, name: string) => zone.has(name) || [...zone.keys()].some(k => k.endsWith(`.${name}`));

/** The answer, or null: it never comes. */
function resolveWorld(world: WorldConfig, zone: Zone, query: DnsMessage): DnsMessage | null {
  const q = query.questions[0];
  const reply = replyTo(query);
  reply.ra = true;
  if (!q) return { ...reply, rcode: 'FORMERR' };
  const faults = Object.keys(world.dns.faults).filter(f => lower(q.name) === lower(f) || lower(q.name).endsWith(`.${lower(f)}`));
  const fault = world.dns.faults[faults.sort((a, b) => b.length - a.length)[0]];
  if (fault === 'drop') return null;
  if (fault === 'servfail' || fault === 'refused') return { ...reply, rcode: fault === 'servfail' ? 'SERVFAIL' : 'REFUSED' };
  let name = lower(q.name);
  let found = !fault && exists(zone, name);
  for (let hops = 0; found && hops < 8; hops++) {
    const here = zone.get(name) ?? [];
    const answers = here.filter(r => r.type === q.type || q.type === 'ANY');
    // The question's own spelling comes back, as resolvers that copy it do.
    reply.answers.push(...answers.map(r => (hops === 0 ? { ...r, name: q.name } : r)));
    const alias = here.find(r => r.type === 'CNAME');
    if (answers.length || !alias || q.type === 'CNAME') break;
    reply.answers.push(hops === 0 ? { ...alias, name: q.name } : alias);
    name = lower((alias.data as { host: string }).host);
    found = exists(zone, name);
  }
  const last = reply.answers[reply.answers.length - 1];
  if (!last || (last.type === 'CNAME' && q.type !== 'CNAME')) reply.authority.push(soaRecord(world));
  return { ...reply, rcode: found ? 'NOERROR' : 'NXDOMAIN' };
}

export function worldDnsProgram(world: WorldConfig): Program {
  return function* resolver(p: Process): Co<number> {
    const zone = zoneOf(world);
    const families = world.dns.server.includes(':') ? [6 as const] : [4 as const];
    const udp = socket(p, 'udp', families[0]);
    const tcp = socket(p, 'tcp', families[0]);
    if (typeof udp === 'string' || typeof tcp === 'string' || bind(udp, null, 53) || bind(tcp, null, 53) || listen(tcp)) return 1;
    startTask(p.kernel.sim, serveTcp(), true);
    for (;;) {
      const d = yield* recvFrom(udp);
      if (typeof d === 'string') return 1;
      if (d.error) continue;
      const query = decodeMessage(d.data);
      const reply = query && resolveWorld(world, zone, query);
      if (query && reply) sendTo(udp, encodeMessage(reply, { limit: query.edns?.udpSize ?? 512 }), d.from, d.fromPort);
    }

    function* serveTcp(): Co<number> {
      for (;;) {
        const c = yield* accept(tcp as Exclude<typeof tcp, string>);
        if (typeof c === 'string') return 1;
        startTask(
          p.kernel.sim,
          (function* (): Co<number> {
            let held: Uint8Array = new Uint8Array(0);
            for (;;) {
              const chunk = yield* recv(c);
              if (typeof chunk === 'string' || !chunk.length) break;
              held = concat([held, chunk]);
              while (held.length >= 2 && held.length >= 2 + ((held[0] << 8) | held[1])) {
                const n = (held[0] << 8) | held[1];
                const query = decodeMessage(held.subarray(2, 2 + n));
                held = held.subarray(2 + n);
                const reply = query && resolveWorld(world, zone, query);
                if (reply) yield* send(c, frameForTcp(encodeMessage(reply)));
              }
            }
            close(c);
            return 0;
          })(),
          true,
        );
      }
    }
  };
}
