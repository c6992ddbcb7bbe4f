import type { DnsRecord } from '../../wire/dns.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import type { Plugin } from '../types.ts';

/** The client's own address, and its port as an SRV record, in the additional section (plugin/whoami). */
export const whoami: Plugin = {
  name: 'whoami',
  setup: () =>
    function* (r) {
      const name = r.query.questions[0].name;
      const four = r.client.length === 4;
      const address: DnsRecord = { name, type: four ? 'A' : 'AAAA', class: 'IN', ttl: 0, data: { ip: r.client } };
      const srv: DnsRecord = {
        name: name === '.' ? `_${r.proto}.` : `_${r.proto}.${name}`,
        type: 'SRV',
        class: 'IN',
        ttl: 0,
        data: { priority: 0, weight: 0, port: r.clientPort, target: '.' },
      };
      return { reply: { ...replyTo(r.query), aa: true, additional: [address, srv] } };
    },
};
