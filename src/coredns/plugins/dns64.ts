// plugin/dns64 (coredns 1.14.2): AAAA records made of A records for clients that have IPv6 only (RFC 6147, RFC 6052).
import type { DnsMessage, DnsRecord } from '../../wire/dns.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import { type Cidr, formatCidr, type Ip, network, parseCidr } from '../../wire/ip.ts';
import { increase } from '../metrics.ts';
import { argumentError, CorefileError, type Plugin, plainError } from '../types.ts';

const WELL_KNOWN = '64:ff9b::/96';
/** Without a SOA record in the negative answer. */
const TTL_WITHOUT_SOA = 600;

function prefixOf(text: string, line: number): Cidr {
  const c = parseCidr(text);
  if (!c || !text.includes('/')) throw plainError(`invalid CIDR address: ${text}`);
  const shown = formatCidr(network(c));
  if (c.ip.length === 4) throw new CorefileError(line, `invalid netmask 32 IPv6 address: "${shown}"`);
  if (c.bits % 8 || c.bits < 32 || c.bits > 96) throw new CorefileError(line, `invalid prefix length "${shown}"`);
  return network(c);
}

/** RFC 6052 section 2.2: byte 8 stays zero. */
function embed(prefix: Cidr, v4: Ip): Ip {
  const out = new Uint8Array(16);
  const bytes = prefix.bits / 8;
  out.set(prefix.ip.subarray(0, bytes));
  let at = bytes;
  for (const b of v4) {
    if (at === 8) at++;
    out[at++] = b;
  }
  return out;
}

function synthesized(query: DnsMessage, none: DnsMessage, a: DnsMessage, prefix: Cidr): DnsMessage {
  const soa = [...none.authority].reverse().find(x => x.type === 'SOA');
  const most = soa?.ttl ?? TTL_WITHOUT_SOA;
  const answers = a.answers.map(
    (x): DnsRecord =>
      x.type === 'A' && 'ip' in x.data ? { ...x, type: 'AAAA', ttl: Math.min(x.ttl, most), data: { ip: embed(prefix, x.data.ip) } } : x,
  );
  return { ...replyTo(query), tc: a.tc, answers, authority: a.authority, additional: a.additional, edns: a.edns };
}

export const dns64: Plugin = {
  name: 'dns64',
  setup: ({ instance, all }) => {
    let prefix = prefixOf(WELL_KNOWN, 0);
    let translateAll = false;
    let allowIpv4 = false;
    for (const d of all) {
      if (d.args.length > 1) throw argumentError(d);
      if (d.args.length) prefix = prefixOf(d.args[0], d.line);
      for (const p of d.args.length ? [] : d.body) {
        if (p.name === 'prefix') {
          if (!p.args.length) throw argumentError(p);
          prefix = prefixOf(p.args[0], p.line);
        } else if (p.name === 'translate_all') translateAll = true;
        else if (p.name === 'allow_ipv4') allowIpv4 = true;
        else throw new CorefileError(p.line, `unknown property '${p.name}'`);
      }
    }
    return function* (r, next) {
      const q = r.query.questions[0];
      if (r.type !== 'AAAA' || q.class !== 'IN' || (r.client.length === 4 && !allowIpv4)) return yield* next(r);
      const outcome = yield* next(r);
      const { reply } = outcome;
      if (!reply || reply.rcode === 'NXDOMAIN') return outcome;
      if (!translateAll && reply.answers.some(x => x.type === 'AAAA')) return outcome;
      const query: DnsMessage = { ...r.query, questions: [{ ...q, type: 'A' }] };
      const found = yield* instance.resolve({ ...r, query, type: 'A' });
      if (!found.reply) return { reply: null, rcode: 'SERVFAIL', error: found.error };
      increase(instance.metrics, 'coredns_dns64_requests_translated_total', r.server);
      return { reply: synthesized(r.query, reply, found.reply, prefix) };
    };
  },
};
