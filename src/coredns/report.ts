// What plugin/metrics counts of each query (coredns 1.14.2, plugin/metrics/vars/report.go).
import type { DnsMessage } from '../wire/dns.ts';
import { encodeMessage, encodeSparingly } from '../wire/dns-codec.ts';
import { typeText } from '../wire/dns-types.ts';
import { increase, type Metrics, observe } from './metrics.ts';
import type { Request } from './types.ts';

/** Types with a name of their own in the counts; the rest is `other`. */
const MONITORED = 'AAAA A CNAME DNSKEY DS MX NSEC3 NSEC NS PTR RRSIG SOA SRV TXT HTTPS IXFR AXFR ANY'.split(' ');

/** Bytes of a message before it is cut to what the client takes. */
export const sizeOfMessage = (m: DnsMessage): number => encodeSparingly(m, 65535).length;

export interface Report {
  /** The block's zone, or `dropped`. */
  zone: string;
  view: string;
  rcode: string;
  /** Who wrote the answer, as upstream tells it. */
  plugin: string;
  size: number;
  ms: number;
}

export function report(m: Metrics, r: Request, { zone, view, rcode, plugin, size, ms }: Report): void {
  const at = [r.server, zone, view];
  const family = r.client.length === 4 ? '1' : '2';
  const type = typeText(r.message.query.questions[0].type);
  if (r.query.edns?.dnssecOk) increase(m, 'coredns_dns_do_requests_total', ...at);
  increase(m, 'coredns_dns_requests_total', ...at, r.proto, family, MONITORED.includes(type) ? type : 'other');
  observe(m, 'coredns_dns_request_duration_seconds', ms / 1000, at);
  observe(m, 'coredns_dns_response_size_bytes', size, [...at, r.proto]);
  observe(m, 'coredns_dns_request_size_bytes', encodeMessage(r.query, { compress: false }).length, [...at, r.proto]);
  increase(m, 'coredns_dns_responses_total', ...at, rcode, plugin);
}
