// Names of record types beside those that the codec takes apart: a Corefile says them, dig asks for them (miekg/dns StringToType).
import type { RrType } from './dns.ts';
import { typeName, typeNumber } from './dns-codec.ts';

/** Those that the codec has no name for. */
const NUMBERS: Record<string, number> = {
  HINFO: 13,
  RP: 17,
  AFSDB: 18,
  SIG: 24,
  KEY: 25,
  LOC: 29,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  DNAME: 39,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  SPF: 99,
  EUI48: 108,
  EUI64: 109,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  URI: 256,
  CAA: 257,
};

/** The type as the codec names it; null: no such type. */
export function typeOfName(name: string): RrType | null {
  if (Object.hasOwn(NUMBERS, name)) return `TYPE${NUMBERS[name]}`;
  return typeName(typeNumber(name as RrType)) === name && !name.startsWith('TYPE') ? (name as RrType) : null;
}

export const isTypeName = (name: string): boolean => typeOfName(name) !== null;

const NAMES = new Map(Object.entries(NUMBERS).map(([name, n]) => [`TYPE${n}`, name]));

/** The type by its name: `TYPE13` is HINFO. */
export const typeText = (type: string): string => NAMES.get(type) ?? type;
