// EDNS0 in answers (coredns 1.14.2: request/request.go SizeAndDo, plugin/pkg/edns): an answer's own OPT record goes out with the
// client's size; without one the client's comes back, less the options that nobody here knows.
import { stringToBytes } from '../sim/bytes.ts';
import type { DnsMessage } from '../wire/dns.ts';

type Edns = NonNullable<DnsMessage['edns']>;

export const NSID = 3;
const EXTENDED_ERROR = 15;
const NSID_EXPIRE_COOKIE_KEEPALIVE_PADDING = [NSID, 9, 10, 11, 12];

/** request.Size: the longest answer that the client takes. */
export const sizeOf = ({ proto, query }: { proto: 'udp' | 'tcp'; query: DnsMessage }): number =>
  proto === 'tcp' ? 65535 : Math.max(512, query.edns?.udpSize ?? 512);

/** dns.SetEdns0(4096, true): what plugins that add options put on an answer that has no OPT record. */
export const ownEdns = (options: Edns['options']): Edns => ({ udpSize: 4096, dnssecOk: true, version: 0, options });

/** RFC 8914 */
export function extendedError(code: number, text: string): Edns {
  return ownEdns([{ code: EXTENDED_ERROR, data: Uint8Array.from([code >> 8, code & 255, ...stringToBytes(text)]) }]);
}

/** `more`: codes that the Corefile's rewrite rules made known. */
export function withEdns(query: DnsMessage, reply: DnsMessage, more: Set<number>): DnsMessage {
  const asked = query.edns;
  if (!asked) return { ...reply, edns: null };
  const { udpSize } = asked;
  if (reply.edns) return { ...reply, edns: { ...reply.edns, udpSize, version: 0, dnssecOk: reply.edns.dnssecOk || asked.dnssecOk } };
  const known = (o: { code: number }) => NSID_EXPIRE_COOKIE_KEEPALIVE_PADDING.includes(o.code) || more.has(o.code);
  return { ...reply, edns: { udpSize, dnssecOk: asked.dnssecOk, version: 0, options: asked.options.filter(known) } };
}
