// Zone names in a Corefile: absolute, lower case; prefixes stand for their reverse zones (coredns 1.14.2, plugin/normalize.go, plugin/pkg/cidr).
import { fqdn, isDnsName } from '../wire/dns-codec.ts';
import { type Cidr, formatIp, network, parseCidr, parseIp } from '../wire/ip.ts';

export const inZone = (name: string, zone: string): boolean => zone === '.' || name === zone || name.endsWith(`.${zone}`);

export const zoneName = (z: string): string => fqdn(z).toLowerCase();

export const isReverse = (name: string): boolean => name.endsWith('.in-addr.arpa.') || name.endsWith('.ip6.arpa.');

/** The longest of the zones that the name is in. */
export function longestZone(name: string, zones: string[]): string | undefined {
  let best: string | undefined;
  for (const z of zones) if (inZone(name, z) && (best === undefined || z.length > best.length)) best = z;
  return best;
}

/** One word of a Corefile as zones: several when a prefix does not end between two labels of its reverse name. */
export function expandZone(word: string): string[] {
  const bare = word.replace(/^(dns|tls|https|https3|grpc|quic):\/\//, '').replace(/:\d+$/, '');
  const c = bare.includes('/') ? parseCidr(bare) : null;
  if (!c) return [zoneName(bare || '.')];
  const digit = c.ip.length === 4 ? 8 : 4;
  const bits = Math.ceil(c.bits / digit) * digit;
  const out: string[] = [];
  let at: Cidr = { ip: network(c).ip, bits };
  for (let i = 0; i < 2 ** (bits - c.bits); i++) {
    out.push(reverseZone(at));
    at = { ip: nextNetwork(at), bits };
  }
  return out;
}

function nextNetwork(c: Cidr): Cidr['ip'] {
  const ip = new Uint8Array(c.ip);
  const byte = Math.ceil(c.bits / 8) - 1;
  const step = 2 ** ((byte + 1) * 8 - c.bits);
  let carry = step;
  for (let i = byte; i >= 0 && carry; i--) {
    const sum = ip[i] + carry;
    ip[i] = sum & 255;
    carry = sum >> 8;
  }
  return ip;
}

function reverseZone(c: Cidr): string {
  if (c.ip.length === 4)
    return `${[...c.ip.slice(0, c.bits / 8)]
      .reverse()
      .map(b => `${b}.`)
      .join('')}in-addr.arpa.`;
  const digits = [...c.ip]
    .map(b => b.toString(16).padStart(2, '0'))
    .join('')
    .slice(0, c.bits / 4);
  return `${[...digits]
    .reverse()
    .map(d => `${d}.`)
    .join('')}ip6.arpa.`;
}

/** Words that are no domain names are passed over (plugin.OriginsFromArgsOrServerBlock). */
const isZoneWord = (word: string): boolean => isDnsName(word.replace(/^\w+:\/\//, '').replace(/:\d+$/, ''));

/** Zones of a directive: its own arguments, else the server block's. */
export const zonesOf = (args: string[], blockZones: string[]): string[] =>
  args.length ? args.filter(isZoneWord).flatMap(expandZone) : [...blockZones];

/** `fallthrough`: null: no; with zones: for names in them. */
export const fallsThrough = (zones: string[] | null, name: string): boolean =>
  zones !== null && (!zones.length || zones.some(z => inZone(name, z)));

/** The address that a reverse name stands for, as text; null when it is none or not a whole one. */
export function addressOfReverse(name: string): string | null {
  const v4 = /^((?:\d+\.){4})in-addr\.arpa\.$/.exec(name);
  if (v4) {
    const ip = parseIp(v4[1].slice(0, -1).split('.').reverse().join('.'));
    return ip && formatIp(ip);
  }
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa\.$/.exec(name);
  if (!v6) return null;
  const digits = v6[1].slice(0, -1).split('.').reverse().join('');
  return formatIp(parseIp((digits.match(/.{4}/g) as string[]).join(':'))!);
}
