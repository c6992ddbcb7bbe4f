import type { Ip } from './ip.ts';

// DNS messages (RFC 1035, RFC 3596, RFC 2782, RFC 6891) as values; `encode`/`decode` are in dns-codec.ts.
export type RrType =
  | 'A'
  | 'NS'
  | 'CNAME'
  | 'SOA'
  | 'PTR'
  | 'MX'
  | 'TXT'
  | 'AAAA'
  | 'SRV'
  | 'OPT'
  | 'ANY'
  | 'HTTPS'
  | 'AXFR'
  | `TYPE${number}`;
export type Rcode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED' | `RCODE${number}`;

export type DnsClass = 'IN' | 'CH' | 'HS' | 'NONE' | 'ANY' | `CLASS${number}`;

export interface DnsQuestion {
  /** Absolute, with the final dot, case kept. */
  name: string;
  type: RrType;
  class: DnsClass;
}

export interface DnsRecord {
  name: string;
  type: RrType;
  class: DnsClass;
  ttl: number;
  data:
    | { ip: Ip } // A, AAAA
    | { host: string } // NS, CNAME, PTR
    | { preference: number; host: string } // MX
    | { texts: string[] } // TXT
    | { priority: number; weight: number; port: number; target: string } // SRV
    | { mname: string; rname: string; serial: number; refresh: number; retry: number; expire: number; minimum: number } // SOA
    | { bytes: Uint8Array };
}

export interface EdnsOption {
  code: number;
  data: Uint8Array;
}

export interface DnsMessage {
  id: number;
  response: boolean;
  opcode: number;
  aa: boolean;
  tc: boolean;
  rd: boolean;
  ra: boolean;
  ad: boolean;
  cd: boolean;
  rcode: Rcode;
  questions: DnsQuestion[];
  answers: DnsRecord[];
  authority: DnsRecord[];
  additional: DnsRecord[];
  /** EDNS0, when an OPT record is present; not repeated in `additional`. */
  edns: {
    udpSize: number;
    dnssecOk: boolean;
    version: number;
    options: EdnsOption[] /** Further flags beside DO, as they are sent. */;
    flags?: number;
  } | null;
}
