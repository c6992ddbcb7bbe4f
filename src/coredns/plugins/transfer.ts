// plugin/transfer (coredns 1.14.2): whole zones over TCP to those who may have them.
import type { DnsMessage, DnsRecord } from '../../wire/dns.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import { formatIp, parseIp } from '../../wire/ip.ts';
import { argumentError, CorefileError, type Plugin, plainError, type Setup } from '../types.ts';
import { longestZone, zonesOf } from '../zones.ts';

export const isTransfer = (type: string): boolean => type === 'AXFR' || type === IXFR;
const IXFR = 'TYPE251';

interface Rule {
  zones: string[];
  /** Addresses, or `*`. */
  to: string[];
}

function rules({ all, block }: Setup): Rule[] {
  return all.map(d => {
    const to: string[] = [];
    for (const p of d.body) {
      if (p.name !== 'to') throw new CorefileError(p.line, `unknown property "${p.name}"`);
      if (!p.args.length) throw argumentError(p);
      for (const word of p.args) {
        const ip = parseIp(word) ?? parseIp(/^\[?(.*?)\]?:\d+$/.exec(word)?.[1] ?? '');
        if (word !== '*' && !ip) throw plainError(`must specify an IP address: \`${word}'`);
        to.push(ip ? formatIp(ip) : word);
      }
    }
    if (!to.length) throw new CorefileError(d.line, "'to' is required");
    return { zones: zonesOf(d.args, block.zones), to };
  });
}

const serialOf = (m: DnsMessage): number | null => {
  const data = m.authority.length === 1 ? m.authority[0].data : null;
  return data && 'serial' in data ? data.serial : null;
};

export const transfer: Plugin = {
  name: 'transfer',
  setup: s => {
    const list = rules(s);
    const { instance, block } = s;
    return function* (r, next) {
      if (!isTransfer(r.type)) return yield* next(r);
      if (r.proto !== 'tcp') return { reply: null, rcode: 'REFUSED' };
      const matching = list.map(rule => ({ rule, zone: longestZone(r.name, rule.zones) })).filter(x => x.zone !== undefined);
      const best = matching.sort((a, b) => (b.zone as string).length - (a.zone as string).length)[0];
      if (!best) return yield* next(r);
      const client = formatIp(r.client);
      if (!best.rule.to.includes('*') && !best.rule.to.includes(client)) return { reply: replyTo(r.query, 'REFUSED') };
      const serial = r.type === IXFR ? serialOf(r.query) : 0;
      if (serial === null) return { reply: null, rcode: 'SERVFAIL' };
      let records: DnsRecord[] | null = null;
      for (const give of block.transferers ?? []) records ??= give(r.name);
      if (!records) return yield* next(r);
      const soa = records[0];
      const current = 'serial' in soa.data ? soa.data.serial : 0;
      if (serial && serial >= current) {
        instance.log(
          'INFO',
          `plugin/transfer: Outgoing noop, incremental transfer for up to date zone "${r.name}" to ${client} for ${current} SOA serial`,
        );
        return { reply: { ...replyTo(r.query), answers: [soa] } };
      }
      instance.log(
        'INFO',
        `plugin/transfer: Outgoing transfer of ${records.length} records of zone "${r.name}" to ${client} for ${current} SOA serial`,
      );
      return { reply: { ...replyTo(r.query), aa: true, answers: records } };
    };
  },
};
