// What miekg/dns v1.1.72 takes for a query before any plugin sees it (server.go serveDNS, acceptfunc.go), as coredns 1.14.2 runs it.
import type { DnsMessage, Rcode } from '../wire/dns.ts';
import { decodeHeader, decodeMessage } from '../wire/dns-codec.ts';

const [QUERY, NOTIFY] = [0, 4];

/** The query; or, with `response` set, what is said instead: a header without anything behind it; or null: it is passed over. */
export function acceptMessage(bytes: Uint8Array): DnsMessage | null {
  const header = decodeHeader(bytes);
  if (!header || header.message.response) return null;
  const said = (rcode: Rcode, opcode = QUERY): DnsMessage => ({ ...header.message, response: true, aa: false, opcode, rcode });
  const { opcode } = header.message;
  if (opcode !== QUERY && opcode !== NOTIFY) return said('NOTIMP', opcode);
  const [questions, answers, authority, additional] = header.counts;
  // NOTIFY may have one SOA record as a hint, and there may be OPT and TSIG.
  if (questions !== 1 || answers > 1 || authority > 1 || additional > 2) return said('FORMERR');
  // A header that ends where its sections should begin is one without them, and that has no question (errorAndMetricsFunc).
  if (bytes.length === 12) return said('SERVFAIL', opcode);
  return decodeMessage(bytes) ?? said('FORMERR');
}
