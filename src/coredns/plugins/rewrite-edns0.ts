// rewrite's edns0 rules (coredns 1.14.2, plugin/rewrite/edns0.go): options put into the query's OPT record on its way in.
import { stringToBytes } from '../../sim/bytes.ts';
import type { DnsMessage } from '../../wire/dns.ts';
import { typeNumber } from '../../wire/dns-codec.ts';
import { type Ip, network } from '../../wire/ip.ts';
import { NSID } from '../edns.ts';
import { type Instance, plainError, type Request } from '../types.ts';

const SUBNET = 8;
const ACTIONS = ['append', 'replace', 'set', 'unset'];

/** Changes the query; false: the rule is not for it. */
export type EdnsRule = (r: Request) => boolean;

type Data = (r: Request) => Uint8Array | null;

/** dns.SetEdns0(4096, false) when there is none. */
function optOf(query: DnsMessage): NonNullable<DnsMessage['edns']> {
  query.edns ??= { udpSize: 4096, dnssecOk: false, version: 0, options: [] };
  return query.edns;
}

function put(action: string, code: number, data: Data): EdnsRule {
  return r => {
    const bytes = data(r);
    if (!bytes) return false;
    const opt = optOf(r.query);
    const there = opt.options.find(o => o.code === code);
    if (action === 'unset') {
      opt.options = opt.options.filter(o => o.code !== code);
      return there !== undefined;
    }
    if (there && action !== 'append') there.data = bytes;
    else if (action === 'replace') return false;
    else opt.options.push({ code, data: bytes });
    return true;
  };
}

function unsigned(text: string): number {
  const n = /^0[xX][0-9a-fA-F]+$|^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(n)) throw plainError(`strconv.ParseUint: parsing "${text}": invalid syntax`);
  if (n > 65535) throw plainError(`strconv.ParseUint: parsing "${text}": value out of range`);
  return n;
}

const two = (n: number) => Uint8Array.of(n >> 8, n & 255);

const VARIABLES: Record<string, Data> = {
  '{qname}': r => stringToBytes(r.query.questions[0].name),
  '{qtype}': r => two(typeNumber(r.query.questions[0].type)),
  '{client_ip}': r => r.client,
  '{client_port}': r => two(r.clientPort),
  '{protocol}': r => stringToBytes(r.proto),
  '{server_ip}': r => r.local,
  '{server_port}': r => two(r.localPort),
};

function local(text: string): Data {
  if (text.startsWith('{') && text.endsWith('}')) {
    if (Object.hasOwn(VARIABLES, text)) return VARIABLES[text];
    const label = text.slice(1, -1);
    if (!/^[^/]+\/.+$/.test(label)) throw plainError(`unsupported variable name "${text}"`);
    return r => (r.notes.get(label) ? stringToBytes(r.notes.get(label) as string) : null);
  }
  if (!text.startsWith('0x')) return () => stringToBytes(text);
  const digits = text.slice(2);
  const odd = /[^0-9a-fA-F]/.exec(digits);
  if (odd)
    throw plainError(`encoding/hex: invalid byte: U+${odd[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')} '${odd[0]}'`);
  if (digits.length % 2) throw plainError('encoding/hex: odd length hex string');
  const bytes = Uint8Array.from(digits.match(/../g) ?? [], x => Number.parseInt(x, 16));
  return () => bytes;
}

/** RFC 7871 section 6: only the bytes that the prefix reaches into. */
function subnet(v4: number, v6: number): Data {
  const option = (ip: Ip, bits: number) =>
    Uint8Array.from([0, ip.length === 4 ? 1 : 2, bits, 0, ...network({ ip, bits }).ip.subarray(0, Math.ceil(bits / 8))]);
  return r => option(r.client, r.client.length === 4 ? v4 : v6);
}

function subnetRule(action: string, args: string[]): EdnsRule {
  const [v4, v6] = args.map(unsigned);
  if (v4 > 32) throw plainError(`invalid IPv4 bit mask length ${v4}`);
  if (v6 > 128) throw plainError(`invalid IPv6 bit mask length ${v6}`);
  return put(action, SUBNET, subnet(v4, v6));
}

/** The words behind `edns0`. */
export function ednsRule(args: string[], instance: Instance): EdnsRule {
  if (args.length < 2) throw plainError('too few arguments for an EDNS0 rule');
  const [type, action] = args.slice(0, 2).map(a => a.toLowerCase());
  const rest = args.slice(2);
  if (!ACTIONS.includes(action)) throw plainError(`invalid action: "${action}"`);
  switch (type) {
    case 'local': {
      if (rest.length !== (action === 'unset' ? 1 : 2)) throw plainError('EDNS0 local rules require exactly three args');
      const code = unsigned(rest[0]);
      const data = action === 'unset' ? () => new Uint8Array(0) : local(rest[1]);
      instance.ednsOptions.add(code);
      return put(action, code, data);
    }
    case 'nsid':
      if (rest.length) throw plainError('EDNS0 NSID rules do not accept args');
      return put(action, NSID, () => new Uint8Array(0));
    case 'subnet':
      if (rest.length !== 2) throw plainError('EDNS0 subnet rules require exactly three args');
      return subnetRule(action, rest);
    default:
      throw plainError(`invalid rule type "${type}"`);
  }
}
