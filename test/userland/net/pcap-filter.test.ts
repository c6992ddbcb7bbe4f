// Filters against packets as bytes; expectations are tcpdump 4.99.3's answers to the same expressions.
import { expect, test } from 'vitest';
import { stringToBytes } from '../../../src/sim/bytes.ts';
import { compileFilter } from '../../../src/userland/net/pcap-filter.ts';
import { type Ip, parseIp } from '../../../src/wire/ip.ts';
import type { Frame, Packet } from '../../../src/wire/packet.ts';

const [a, b] = ['10.244.1.2', '10.244.2.3'].map(t => parseIp(t) as Ip);
const frame = (proto: number, body: Packet['body'], ttl = 64): Frame => ({
  src: '02:00:00:00:00:01',
  dst: '02:00:00:00:00:02',
  payload: { kind: 'ip', family: 4, src: a, dst: b, proto, ttl, tos: 0, id: 7, df: true, body },
});
const tcp = (flags: number, text = ''): Frame =>
  frame(6, { kind: 'tcp', sport: 40000, dport: 80, seq: 9, ack: 1, flags, window: 63, data: stringToBytes(text) });
const frames: Record<string, Frame> = {
  syn: tcp(2),
  synack: tcp(18),
  get: tcp(24, 'GET / HTTP/1.1\r\n\r\n'),
  dns: frame(17, { kind: 'udp', sport: 5000, dport: 53, data: new Uint8Array(30) }),
  ping: frame(1, { kind: 'icmp', type: 8, code: 0, id: 1, seq: 1, data: new Uint8Array(56) }, 62),
};
const passing = (text: string): string => {
  const f = compileFilter(text);
  if (typeof f === 'string') return f;
  return Object.keys(frames)
    .filter(name => f(frames[name]))
    .join(' ');
};

test.each([
  ['tcp[((tcp[12]&0xf0)>>2):4]=0x47455420', 'get'],
  ['tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn', 'syn'],
  ['tcp[tcpflags] == tcp-syn|tcp-ack', 'synack'],
  ['tcp[13] & 2 != 0', 'syn synack'],
  ['ip[9]=17', 'dns'],
  ['udp[4:2] > 20', 'dns'],
  ['ip[6:2] & 0x4000 != 0 and ip[8]<64', 'ping'],
  ['ip[2:2]-((ip[0]&0xf)<<2) > 49', 'get ping'],
  ['len > 80', 'get ping'],
  ['icmp[icmptype]=icmp-echo', 'ping'],
  ['(tcp[13]=2)', 'syn'],
  ['port (80 or 53)', 'syn synack get dns'],
  ['host (10.0.0.1 or 10.244.2.3) and not tcp', 'dns ping'],
  ['ether proto 0x0806 or ip proto \\udp', 'dns'],
  ['tcp port 443 or 80', 'syn synack get'],
])('%s', (text, names) => expect(passing(text)).toBe(names));

test('a load beyond the packet rejects it, also under a negation', () => {
  expect(passing('not udp[100] = 1')).toBe('syn synack get ping');
});

test.each([
  ['tcp[20:3]=1', 'data size must be 1, 2, or 4'],
  ['net 10.244.2.3/16', 'non-network bits set in "10.244.2.3/16"'],
  ['port 50-60', "unknown port '50-60'"],
  ['host nosuch', "unknown host 'nosuch'"],
  ['ip proto udp', "can't parse filter expression: syntax error"],
  ['10.244.2.3', "can't parse filter expression: syntax error"],
  ['tcp[13', "can't parse filter expression: syntax error"],
  ['port (80', "can't parse filter expression: syntax error"],
])('%s is refused', (text, why) => expect(passing(text)).toBe(why));
