// Kernel state as JSON: addresses, maps and sets get a tag, functions and undefined are left out.
import { base64, unbase64 } from '../sim/bytes.ts';
import { formatIp, parseIp } from '../wire/ip.ts';

export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

export function toPlain(v: unknown): Plain {
  if (v === null || typeof v === 'boolean' || typeof v === 'string') return v;
  if (typeof v === 'number') return Number.isFinite(v) ? v : { $inf: v > 0 };
  if (v instanceof Uint8Array) return v.length === 4 || v.length === 16 ? { $ip: formatIp(v) } : { $bytes: base64(v) };
  if (v instanceof Map) return { $map: [...v].map(([k, x]) => [toPlain(k), toPlain(x)]) };
  if (v instanceof Set) return { $set: [...v].map(toPlain) };
  if (Array.isArray(v)) return v.map(toPlain);
  const out: { [key: string]: Plain } = {};
  if (typeof v === 'object') {
    for (const [k, x] of Object.entries(v)) if (x !== undefined && typeof x !== 'function') out[k] = toPlain(x);
  }
  return out;
}

export function fromPlain(v: Plain): unknown {
  if (v === null || typeof v !== 'object') return v;
  if (Array.isArray(v)) return v.map(fromPlain);
  if (typeof v.$ip === 'string') return fromMapped(v.$ip);
  if (typeof v.$bytes === 'string') return unbase64(v.$bytes) ?? new Uint8Array(0);
  if (Array.isArray(v.$map)) return new Map((v.$map as Plain[][]).map(([k, x]) => [fromPlain(k), fromPlain(x)]));
  if (Array.isArray(v.$set)) return new Set(v.$set.map(fromPlain));
  if (typeof v.$inf === 'boolean') return v.$inf ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const out: Record<string, unknown> = {};
  for (const [k, x] of Object.entries(v)) out[k] = fromPlain(x);
  return out;
}

const fromMapped = (text: string): Uint8Array => parseIp(text) ?? new Uint8Array(4);
