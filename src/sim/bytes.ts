// The two codecs that every JavaScript runtime has; declared here because the core is compiled without a platform's types.
declare class TextEncoder {
  encode(s: string): Uint8Array;
}
declare class TextDecoder {
  decode(b: Uint8Array): string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const stringToBytes = (s: string): Uint8Array => encoder.encode(s);
export const bytesToString = (b: Uint8Array): string => decoder.decode(b);

export function concat(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  let n = 0;
  for (const p of parts) n += p.length;
  const out = new Uint8Array(n);
  n = 0;
  for (const p of parts) {
    out.set(p, n);
    n += p.length;
  }
  return out;
}

/** Byte order, as Go sorts strings: UTF-16 order differs only past the BMP, where surrogates sort low. */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const HEX = Array.from({ length: 256 }, (_, x) => x.toString(16).padStart(2, '0'));

/** Two digits a byte, lower case. */
export function hex(b: Uint8Array): string {
  let out = '';
  for (let i = 0; i < b.length; i++) out += HEX[b[i]];
  return out;
}

const B32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 base32 without padding. */
export function base32(b: Uint8Array): string {
  let out = '';
  let bits = 0;
  let value = 0;
  for (const x of b) {
    value = (value << 8) | x;
    bits += 8;
    while (bits >= 5) {
      out += B32[(value >>> (bits - 5)) & 31];
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  return bits ? out + B32[(value << (5 - bits)) & 31] : out;
}

const B64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648 base64 with padding. */
export function base64(b: Uint8Array): string {
  let out = '';
  for (let i = 0; i < b.length; i += 3) {
    const n = (b[i] << 16) | ((b[i + 1] ?? 0) << 8) | (b[i + 2] ?? 0);
    out += B64[n >> 18] + B64[(n >> 12) & 63] + (i + 1 < b.length ? B64[(n >> 6) & 63] : '=') + (i + 2 < b.length ? B64[n & 63] : '=');
  }
  return out;
}

/** null: not base64. Whitespace is allowed, as in Go's decoder newlines are. */
export function unbase64(s: string): Uint8Array | null {
  const t = s.replace(/[\r\n]/g, '');
  if (t.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(t)) return null;
  const n = (t.length / 4) * 3 - (t.endsWith('==') ? 2 : t.endsWith('=') ? 1 : 0);
  const out = new Uint8Array(n);
  for (let i = 0, o = 0; i < t.length; i += 4) {
    const v = [0, 1, 2, 3].reduce((acc, k) => (acc << 6) | Math.max(0, B64.indexOf(t[i + k])), 0);
    for (let k = 16; k >= 0 && o < n; k -= 8) out[o++] = (v >> k) & 255;
  }
  return out;
}
