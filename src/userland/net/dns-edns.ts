// The EDNS record as dig shows it (lib/dns/message.c of 9.18, dns_message_pseudosectiontotext).
import { hex } from '../../sim/bytes.ts';
import type { DnsMessage } from '../../wire/dns.ts';
import { formatIp } from '../../wire/ip.ts';

const spaced = (b: Uint8Array): string => hex(b).replace(/(..)(?=.)/g, '$1 ');
/** Bytes as letters; what cannot be shown is a dot. */
const letters = (b: Uint8Array): string => Array.from(b, x => (x >= 0x20 && x < 0x7f ? String.fromCharCode(x) : '.')).join('');

/** Compact answers (draft-ietf-dnsop-compact-denial-of-existence). */
export const CO = 0x4000;

/** RFC 8914 and what came later. */
const EXTENDED_ERRORS = [
  'Other',
  'Unsupported DNSKEY Algorithm',
  'Unsupported DS Digest Type',
  'Stale Answer',
  'Forged Answer',
  'DNSSEC Indeterminate',
  'DNSSEC Bogus',
  'Signature Expired',
  'Signature Not Yet Valid',
  'DNSKEY Missing',
  'RRSIGs Missing',
  'No Zone Key Bit Set',
  'NSEC Missing',
  'Cached Error',
  'Not Ready',
  'Blocked',
  'Censored',
  'Filtered',
  'Prohibited',
  'Stale NXDOMAIN Answer',
  'Not Authoritative',
  'Not Supported',
  'No Reachable Authority',
  'Network Error',
  'Invalid Data',
];

function extendedError(d: Uint8Array): string {
  const code = (d[0] << 8) | d[1];
  const text = d.length > 2 ? `: (${letters(d.subarray(2))})` : '';
  return `; EDE: ${code}${EXTENDED_ERRORS[code] ? ` (${EXTENDED_ERRORS[code]})` : ''}${text}`;
}

/** Family, lengths of the source's and the answer's prefix, and as many bytes as the first takes. */
function clientSubnet(d: Uint8Array): string {
  const ip = new Uint8Array(((d[0] << 8) | d[1]) === 1 ? 4 : 16);
  ip.set(d.subarray(4, 4 + ip.length));
  return `; CLIENT-SUBNET: ${formatIp(ip)}/${d[2]}/${d[3]}`;
}

function optionLine(code: number, d: Uint8Array, m: DnsMessage, sentCookie: Uint8Array | null): string {
  if (code === 3) return d.length ? `; NSID: ${spaced(d)} ("${letters(d)}")` : '; NSID:';
  if (code === 8 && d.length >= 4) return clientSubnet(d);
  if (code === 9)
    return d.length === 4
      ? `; EXPIRE: ${new DataView(d.buffer, d.byteOffset).getUint32(0)}`
      : `; EXPIRE:${d.length ? ` ${spaced(d)}` : ''}`;
  if (code === 10) {
    if (m.response === false) return `; COOKIE: ${hex(d)}`;
    const ours = sentCookie && hex(d.subarray(0, 8)) === hex(sentCookie);
    return `; COOKIE: ${hex(d)}${ours ? (d.length === 8 ? ' (echoed)' : ' (good)') : ' (bad)'}`;
  }
  if (code === 11) {
    const tenths = d.length === 2 ? (d[0] << 8) | d[1] : 0;
    return d.length === 2
      ? `; TCP KEEPALIVE: ${Math.floor(tenths / 10)}.${tenths % 10} secs`
      : `; TCP KEEPALIVE:${d.length ? ` ${spaced(d)}` : ''}`;
  }
  if (code === 12) return `; PAD: (${d.length} bytes)`;
  if (code === 15 && d.length >= 2) return extendedError(d);
  return `; OPT=${code}:${d.length ? ` ${spaced(d)} ("${letters(d)}")` : ''}`;
}

export function optLines(m: DnsMessage, sentCookie: Uint8Array | null): string {
  if (!m.edns) return '';
  const more = m.edns.flags ?? 0;
  const flags = `${m.edns.dnssecOk ? ' do' : ''}${more & CO ? ' co' : ''}`;
  const rest = more & ~CO;
  const must = rest ? `; MBZ: 0x${rest.toString(16).padStart(4, '0')}` : '';
  const head = `;; OPT PSEUDOSECTION:\n; EDNS: version: ${m.edns.version}, flags:${flags}${must}; udp: ${m.edns.udpSize}\n`;
  return head + m.edns.options.map(o => `${optionLine(o.code, o.data, m, sentCookie)}\n`).join('');
}
