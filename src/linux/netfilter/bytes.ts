// A packet's bytes, for the matches that look at raw ones (u32, string): RFC 791, 8200, 9293, 768, 792. Checksums are zero.
import { concat } from '../../sim/bytes.ts';
import type { Packet } from '../../wire/packet.ts';

const u16 = (n: number) => [(n >> 8) & 255, n & 255];
const u32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

function bodyBytes(p: Packet): Uint8Array {
  const b = p.body;
  switch (b.kind) {
    case 'tcp': {
      const options =
        b.mss === undefined ? [1, 1, 8, 10, ...u32(0), ...u32(0)] : [2, 4, ...u16(b.mss), 4, 2, 8, 10, ...u32(0), ...u32(0), 1, 3, 3, 7];
      const head = [...u16(b.sport), ...u16(b.dport), ...u32(b.seq), ...u32(b.ack), ((20 + options.length) / 4) << 4, b.flags];
      return concat([Uint8Array.from([...head, ...u16(b.window), 0, 0, 0, 0, ...options]), b.data]);
    }
    case 'udp':
      return concat([Uint8Array.from([...u16(b.sport), ...u16(b.dport), ...u16(8 + b.data.length), 0, 0]), b.data]);
    case 'icmp': {
      const rest = b.original ? packetBytes(b.original) : b.data;
      return concat([Uint8Array.from([b.type, b.code, 0, 0, ...(b.mtu === undefined ? [...u16(b.id), ...u16(b.seq)] : u32(b.mtu))]), rest]);
    }
    case 'sctp':
      return concat([Uint8Array.from([...u16(b.sport), ...u16(b.dport), ...u32(0), ...u32(0)]), b.data]);
    case 'ipip':
      return packetBytes(b.inner);
    case 'opaque':
      return b.data;
  }
}

export function packetBytes(p: Packet): Uint8Array {
  const body = bodyBytes(p);
  if (p.family === 6) return concat([Uint8Array.from([0x60, 0, 0, 0, ...u16(body.length), p.proto, p.ttl, ...p.src, ...p.dst]), body]);
  const head = [0x45, p.tos, ...u16(20 + body.length), ...u16(p.id), p.df ? 0x40 : 0, 0, p.ttl, p.proto, 0, 0, ...p.src, ...p.dst];
  return concat([Uint8Array.from(head), body]);
}
