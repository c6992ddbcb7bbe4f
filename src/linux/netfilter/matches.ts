// Every match that iptables rules here may use, in one table. A name that is not in it is refused as the real tool refuses it.
import type { Family } from '../../wire/ip.ts';
import { CT_MATCHES } from './matches/ct.ts';
import { IPVS_MATCH } from './matches/ipvs.ts';
import { META_MATCHES } from './matches/meta.ts';
import { PAYLOAD_MATCHES } from './matches/payload.ts';
import { PORT_MATCHES } from './matches/ports.ts';
import { RATE_MATCHES } from './matches/rate.ts';
import type { MatchRow } from './matches/row.ts';

export const MATCHES: MatchRow[] = [...PORT_MATCHES, ...CT_MATCHES, IPVS_MATCH, ...META_MATCHES, ...RATE_MATCHES, ...PAYLOAD_MATCHES];

const byName = new Map<string, MatchRow[]>();
for (const row of MATCHES) byName.set(row.name, [...(byName.get(row.name) ?? []), row]);

export function matchRow(name: string, family: Family): MatchRow | undefined {
  // icmpv6 and ipv6-icmp are other names of icmp6.
  const rows = byName.get(name === 'icmpv6' || name === 'ipv6-icmp' ? 'icmp6' : name);
  return rows?.find(r => r.family === undefined || r.family === family);
}

const byProto = new Map<number, MatchRow>();
for (const row of MATCHES) if (row.proto !== undefined) byProto.set(row.proto, row);

/** The match that `-p NUMBER` brings along when one of its options follows. */
export function protocolRow(proto: number, family: Family): MatchRow | undefined {
  const row = byProto.get(proto);
  return row && (row.family === undefined || row.family === family) ? row : undefined;
}
