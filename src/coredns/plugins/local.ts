// plugin/local (coredns 1.14.2): answers for names and addresses that never leave a host, so that root servers are spared them.
import type { DnsRecord, RrType } from '../../wire/dns.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import { ip } from '../../wire/ip.ts';
import { increase } from '../metrics.ts';
import type { Plugin, Request } from '../types.ts';
import { longestZone } from '../zones.ts';

const ZONES = ['localhost.', '0.in-addr.arpa.', '127.in-addr.arpa.', '255.in-addr.arpa.'];
const TTL = 604800;

const record = (name: string, type: RrType, data: DnsRecord['data']): DnsRecord => ({ name, type, class: 'IN', ttl: TTL, data });

const soa = (name: string): DnsRecord =>
  record(name, 'SOA', { mname: 'localhost.', rname: 'root.localhost.', serial: 1, refresh: 0, retry: 0, expire: 0, minimum: TTL });

const loopback = (name: string, type: string): DnsRecord[] =>
  type === 'A' ? [record(name, 'A', { ip: ip('127.0.0.1') })] : type === 'AAAA' ? [record(name, 'AAAA', { ip: ip('::1') })] : [];

/** Records of a name inside the zones; null: there is no such name. */
function answersFor(r: Request, name: string): DnsRecord[] | null {
  if (ZONES.includes(r.name)) {
    if (r.name === 'localhost.' && (r.type === 'A' || r.type === 'AAAA')) return loopback(name, r.type);
    return r.type === 'SOA' ? [soa(name)] : r.type === 'NS' ? [record(name, 'NS', { host: 'localhost.' })] : [];
  }
  if (r.name !== '1.0.0.127.in-addr.arpa.') return null;
  return r.type === 'PTR' ? [record(name, 'PTR', { host: 'localhost.' })] : [];
}

export const local: Plugin = {
  name: 'local',
  setup: ({ instance }) =>
    function* (r, next) {
      const { name } = r.query.questions[0];
      // What a search list makes of "localhost".
      if (r.name.length > 'localhost.'.length && r.name.startsWith('localhost.')) {
        increase(instance.metrics, 'coredns_local_localhost_requests_total');
        const answers = loopback(name, r.type);
        return { reply: { ...replyTo(r.query), answers, authority: answers.length ? [] : [soa(name)] } };
      }
      const zone = longestZone(r.name, ZONES);
      if (zone === undefined) return yield* next(r);
      const answers = answersFor(r, name);
      if (answers?.length) return { reply: { ...replyTo(r.query), answers } };
      const origin = ZONES.includes(r.name) ? name : name.slice(name.length - zone.length);
      return { reply: { ...replyTo(r.query, answers ? 'NOERROR' : 'NXDOMAIN'), authority: [soa(origin)] } };
    },
};
