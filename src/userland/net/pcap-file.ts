// Capture files (pcap 2.4): frames as the bytes they would be on a wire, and back.
import { concat } from '../../sim/bytes.ts';
import { type Arp, type Frame, type Icmp, type Packet, TCP_FLAG, type Tcp, type Udp } from '../../wire/packet.ts';

const u16 = (n: number) => [(n >> 8) & 255, n & 255];
const u32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
export const macBytes = (m: string) => m.split(':').map(x => Number.parseInt(x, 16));
export const macText = (b: Uint8Array) => Array.from(b, x => x.toString(16).padStart(2, '0')).join(':');

/** The Internet checksum (RFC 1071). */
function checksum(parts: Uint8Array[]): number {
  let sum = 0;
  const all = concat(parts);
  for (let i = 0; i < all.length; i += 2) sum += (all[i] << 8) | (all[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function withChecksum(p: Packet, segment: Uint8Array, at: number): Uint8Array {
  const pseudo = Uint8Array.from([
    ...p.src,
    ...p.dst,
    ...(p.family === 4 ? [0, p.proto, ...u16(segment.length)] : [...u32(segment.length), 0, 0, 0, p.proto]),
  ]);
  segment.set(u16(checksum(p.proto === 1 ? [segment] : [pseudo, segment])), at);
  return segment;
}

/** A transport checksum as its sender left it for the card to finish, and as it should be: what a capture on a virtual device shows. */
export function checksums(p: Packet): { partial: number; full: number } {
  const body = bodyBytes(p);
  const at = p.body.kind === 'tcp' ? 16 : 6;
  const head = [...p.src, ...p.dst, ...(p.family === 4 ? [0, p.proto, ...u16(body.length)] : [...u32(body.length), 0, 0, 0, p.proto])];
  return { partial: ~checksum([Uint8Array.from(head)]) & 0xffff, full: (body[at] << 8) | body[at + 1] };
}

function tcpBytes(p: Packet, t: Tcp): Uint8Array {
  const options =
    t.flags & TCP_FLAG.RST
      ? []
      : t.mss === undefined
        ? [1, 1, 8, 10, ...u32(0), ...u32(0)]
        : [2, 4, ...u16(t.mss), 4, 2, 8, 10, ...u32(0), ...u32(0), 1, 3, 3, 7];
  const head = [
    ...u16(t.sport),
    ...u16(t.dport),
    ...u32(t.seq),
    ...u32(t.ack),
    ((20 + options.length) / 4) << 4,
    t.flags,
    ...u16(t.window),
    0,
    0,
    0,
    0,
  ];
  return withChecksum(p, concat([Uint8Array.from([...head, ...options]), t.data]), 16);
}

function udpBytes(p: Packet, u: Udp): Uint8Array {
  const data = u.vxlan
    ? concat([Uint8Array.from([8, 0, 0, 0, (u.vxlan.vni >> 16) & 255, ...u16(u.vxlan.vni & 0xffff), 0]), frameBytes(u.vxlan.frame)])
    : u.data;
  return withChecksum(p, concat([Uint8Array.from([...u16(u.sport), ...u16(u.dport), ...u16(data.length + 8), 0, 0]), data]), 6);
}

function icmpBytes(p: Packet, m: Icmp): Uint8Array {
  const data = m.original ? packetBytes(m.original).subarray(0, 548) : m.target ? Uint8Array.from(m.target) : m.data;
  const rest = m.original ? [0, 0, ...u16(m.mtu ?? 0)] : [...u16(m.id), ...u16(m.seq)];
  return withChecksum(p, concat([Uint8Array.from([m.type, m.code, 0, 0, ...rest]), data]), 2);
}

function bodyBytes(p: Packet): Uint8Array {
  const b = p.body;
  switch (b.kind) {
    case 'tcp':
      return tcpBytes(p, b);
    case 'udp':
      return udpBytes(p, b);
    case 'icmp':
      return icmpBytes(p, b);
    case 'ipip':
      return packetBytes(b.inner);
    default:
      return b.data;
  }
}

export function packetBytes(p: Packet): Uint8Array {
  const body = bodyBytes(p);
  if (p.family === 6) return concat([Uint8Array.from([0x60, 0, 0, 0, ...u16(body.length), p.proto, p.ttl, ...p.src, ...p.dst]), body]);
  const head = Uint8Array.from([
    0x45,
    p.tos,
    ...u16(body.length + 20),
    ...u16(p.id),
    p.df ? 0x40 : 0,
    0,
    p.ttl,
    p.proto,
    0,
    0,
    ...p.src,
    ...p.dst,
  ]);
  head.set(u16(checksum([head])), 10);
  return concat([head, body]);
}

function arpBytes(a: Arp): Uint8Array {
  const head = [0, 1, 8, 0, 6, 4, 0, a.op === 'request' ? 1 : 2];
  return Uint8Array.from([
    ...head,
    ...macBytes(a.senderMac),
    ...a.senderIp,
    ...macBytes(a.targetMac || '00:00:00:00:00:00'),
    ...a.targetIp,
  ]);
}

export const etherType = (f: Frame): number => (f.payload.kind === 'arp' ? 0x0806 : f.payload.family === 4 ? 0x0800 : 0x86dd);

export function frameBytes(f: Frame): Uint8Array {
  const type = etherType(f);
  const body = f.payload.kind === 'arp' ? arpBytes(f.payload) : packetBytes(f.payload);
  return concat([Uint8Array.from([...macBytes(f.dst), ...macBytes(f.src), ...u16(type)]), body]);
}

const le32 = (n: number) => u32(n).reverse();

/** Little endian, microseconds. `snaplen`: the most bytes that a record has. */
export const encodePcapHeader = (linktype: number, snaplen: number): Uint8Array =>
  Uint8Array.from([0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...le32(snaplen), ...le32(linktype)]);

export function encodePcapPacket(bytes: Uint8Array, atMs: number): Uint8Array {
  const micros = Math.floor(atMs * 1000) % 1_000_000;
  return concat([
    Uint8Array.from([...le32(Math.floor(atMs / 1000)), ...le32(micros), ...le32(bytes.length), ...le32(bytes.length)]),
    bytes,
  ]);
}

export interface CaptureFile {
  linktype: number;
  snaplen: number;
  records: { bytes: Uint8Array; atMs: number }[];
}

/** null: no capture file of this form. */
export function decodePcap(data: Uint8Array): CaptureFile | null {
  if (data.length < 24 || data[0] !== 0xd4 || data[1] !== 0xc3) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const file: CaptureFile = { linktype: view.getUint32(20, true), snaplen: view.getUint32(16, true), records: [] };
  for (let at = 24; at + 16 <= data.length; ) {
    const size = view.getUint32(at + 8, true);
    const atMs = view.getUint32(at, true) * 1000 + view.getUint32(at + 4, true) / 1000;
    file.records.push({ bytes: data.subarray(at + 16, at + 16 + size), atMs });
    at += 16 + size;
  }
  return file;
}

export function decodeFrame(b: Uint8Array): Frame | null {
  if (b.length < 14) return null;
  const type = (b[12] << 8) | b[13];
  const base = { dst: macText(b.subarray(0, 6)), src: macText(b.subarray(6, 12)) };
  const rest = b.subarray(14);
  if (type === 0x0806) {
    const arp: Arp = {
      kind: 'arp',
      op: rest[7] === 1 ? 'request' : 'reply',
      senderMac: macText(rest.subarray(8, 14)),
      senderIp: rest.slice(14, 18),
      targetMac: macText(rest.subarray(18, 24)),
      targetIp: rest.slice(24, 28),
    };
    return { ...base, payload: arp };
  }
  const packet = decodePacket(rest);
  return packet ? { ...base, payload: packet } : null;
}

function decodePacket(b: Uint8Array): Packet | null {
  const family = b[0] >> 4 === 4 ? 4 : 6;
  const head = family === 4 ? (b[0] & 15) * 4 : 40;
  if (b.length < head) return null;
  const src = family === 4 ? b.slice(12, 16) : b.slice(8, 24);
  const dst = family === 4 ? b.slice(16, 20) : b.slice(24, 40);
  const proto = family === 4 ? b[9] : b[6];
  const total = family === 4 ? (b[2] << 8) | b[3] : 40 + ((b[4] << 8) | b[5]);
  const body = decodeBody(proto, b.subarray(head, total));
  const common = { kind: 'ip' as const, family: family as 4 | 6, src, dst, proto, body };
  return {
    ...common,
    ttl: family === 4 ? b[8] : b[7],
    tos: family === 4 ? b[1] : 0,
    id: family === 4 ? (b[4] << 8) | b[5] : 0,
    df: family === 4 && (b[6] & 0x40) !== 0,
  };
}

function decodeBody(proto: number, b: Uint8Array): Packet['body'] {
  const at = (i: number) => (b[i] << 8) | b[i + 1];
  const long = (i: number) => ((at(i) << 16) | at(i + 2)) >>> 0;
  if (proto === 6 && b.length >= 20) {
    const head = (b[12] >> 4) * 4;
    const mss = b[13] & TCP_FLAG.SYN && b[20] === 2 ? at(22) : undefined;
    return {
      kind: 'tcp',
      sport: at(0),
      dport: at(2),
      seq: long(4),
      ack: long(8),
      flags: b[13],
      window: at(14),
      ...(mss === undefined ? {} : { mss }),
      data: b.slice(head),
    };
  }
  if (proto === 17 && b.length >= 8) {
    const data = b.slice(8);
    if ((at(2) === 8472 || at(2) === 4789) && data[0] === 8) {
      const frame = decodeFrame(data.subarray(8));
      if (frame)
        return {
          kind: 'udp',
          sport: at(0),
          dport: at(2),
          data: new Uint8Array(0),
          vxlan: { vni: (data[4] << 16) | (data[5] << 8) | data[6], frame },
        };
    }
    return { kind: 'udp', sport: at(0), dport: at(2), data };
  }
  if ((proto === 1 || proto === 58) && b.length >= 8) {
    const error = proto === 1 ? [3, 5, 11].includes(b[0]) : b[0] < 128;
    const original = error ? decodePacket(b.subarray(8)) : null;
    return { kind: 'icmp', type: b[0], code: b[1], id: at(4), seq: at(6), data: b.slice(8), ...(original ? { original, mtu: at(6) } : {}) };
  }
  if (proto === 4) {
    const inner = decodePacket(b);
    if (inner) return { kind: 'ipip', inner };
  }
  return { kind: 'opaque', data: b.slice() };
}
