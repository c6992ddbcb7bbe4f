// Capture files of the `any` device: LINKTYPE_LINUX_SLL2 (tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html), whose header names the device
// instead of the Ethernet addresses.
import { concat } from '../../sim/bytes.ts';
import type { Frame } from '../../wire/packet.ts';
import { decodeFrame, etherType, frameBytes, macBytes, macText } from './pcap-file.ts';

export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_LINUX_SLL2 = 276;

const HEADER = 20;
const ETHERNET = 14;
/** ARPHRD_ETHER and ARPHRD_LOOPBACK. */
const [ETHER, LOOPBACK] = [1, 772];

/** sll2_pkttype, by what tcpdump prints for it. */
const TYPES = ['In', 'B', 'M', 'P', 'Out'];

export interface Cooked {
  ifindex: number;
  loopback: boolean;
  direction: string;
  frame: Frame;
}

export function cookedBytes(c: Cooked): Uint8Array {
  const type = etherType(c.frame);
  const hardware = c.loopback ? LOOPBACK : ETHER;
  const head = [type >> 8, type & 255, 0, 0, 0, 0, c.ifindex >> 8, c.ifindex & 255, hardware >> 8, hardware & 255];
  const address = [...macBytes(c.frame.src), 0, 0];
  return concat([
    Uint8Array.from([...head, Math.max(0, TYPES.indexOf(c.direction)), 6, ...address]),
    frameBytes(c.frame).subarray(ETHERNET),
  ]);
}

export function decodeCooked(b: Uint8Array): Cooked | null {
  if (b.length < HEADER) return null;
  const source = b.subarray(12, 18);
  const frame = decodeFrame(concat([new Uint8Array(6), source, b.subarray(0, 2), b.subarray(HEADER)]));
  if (!frame) return null;
  return {
    ifindex: (b[6] << 8) | b[7],
    loopback: ((b[8] << 8) | b[9]) === LOOPBACK,
    direction: TYPES[b[10]] ?? 'In',
    frame: { ...frame, src: macText(source) },
  };
}
