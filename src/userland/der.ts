// DER (X.690), read and written, and PEM around it (RFC 7468).
import { base64, concat, stringToBytes, unbase64 } from '../sim/bytes.ts';

export interface Der {
  tag: number;
  body: Uint8Array;
}

/** The values of a constructed one, in order. */
export function values(data: Uint8Array): Der[] {
  const out: Der[] = [];
  for (let i = 0; i + 2 <= data.length; ) {
    const tag = data[i++];
    let length = data[i++];
    if (length > 0x80) {
      let n = length & 0x7f;
      for (length = 0; n > 0; n--) length = length * 256 + (data[i++] ?? 0);
    }
    out.push({ tag, body: data.subarray(i, i + length) });
    i += length;
  }
  return out;
}

export function tlv(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const body = concat([new Uint8Array(0), ...parts]);
  const n = body.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return concat([Uint8Array.of(tag, ...length), body]);
}

export const sequence = (...parts: Uint8Array[]): Uint8Array => tlv(0x30, ...parts);
export const setOf = (...parts: Uint8Array[]): Uint8Array => tlv(0x31, ...parts);
export const NULL = Uint8Array.of(5, 0);
export const boolean = (b: boolean): Uint8Array => tlv(0x01, Uint8Array.of(b ? 255 : 0));
export const octets = (...parts: Uint8Array[]): Uint8Array => tlv(0x04, ...parts);
export const bits = (data: Uint8Array, unused = 0): Uint8Array => tlv(0x03, Uint8Array.of(unused), data);
export const utf8 = (text: string): Uint8Array => tlv(0x0c, stringToBytes(text));
export const printable = (text: string): Uint8Array => tlv(0x13, stringToBytes(text));

/** Two's complement, big-endian, as short as it goes; none is negative here. */
export function integer(n: bigint | number): Uint8Array {
  let text = BigInt(n).toString(16);
  if (text.length % 2) text = `0${text}`;
  if (Number.parseInt(text.slice(0, 2), 16) > 127) text = `00${text}`;
  return tlv(
    0x02,
    Uint8Array.from(text.match(/../g) as string[], h => Number.parseInt(h, 16)),
  );
}

/** `1.2.840.113549.1.1.11` */
export function oid(dotted: string): Uint8Array {
  const [a, b, ...rest] = dotted.split('.').map(Number);
  const arc = (n: number): number[] => {
    const out = [n & 127];
    for (let left = Math.floor(n / 128); left; left = Math.floor(left / 128)) out.unshift((left & 127) | 128);
    return out;
  };
  return tlv(0x06, Uint8Array.from([a * 40 + b, ...rest.flatMap(arc)]));
}

export function oidText(body: Uint8Array): string {
  const out = [Math.floor(body[0] / 40), body[0] % 40];
  let n = 0;
  for (const x of body.subarray(1)) {
    n = n * 128 + (x & 127);
    if (!(x & 128)) {
      out.push(n);
      n = 0;
    }
  }
  return out.join('.');
}

export const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${(base64(der).match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

/** The blocks of a PEM text that can be read, in order. */
export function pemBlocks(text: string): { label: string; der: Uint8Array }[] {
  const out: { label: string; der: Uint8Array }[] = [];
  for (const [, label, body] of text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g)) {
    const der = unbase64(body.replace(/\s/g, ''));
    if (der?.length) out.push({ label, der });
  }
  return out;
}
