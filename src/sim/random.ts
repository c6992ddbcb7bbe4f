import { hex } from './bytes.ts';

/** Seeded dice: sfc32 (Chris Doty-Humphrey's Small Fast Counter, as in PractRand), state as plain data so that a session can keep it. */
export interface Random {
  a: number;
  b: number;
  c: number;
  counter: number;
}

export function newRandom(seed: number): Random {
  const r: Random = { a: 0, b: seed >>> 0, c: Math.floor(seed / 0x1_0000_0000) >>> 0, counter: 1 };
  for (let i = 0; i < 15; i++) nextU32(r);
  return r;
}

/** An independent stream, so that one component drawing more numbers does not shift another's. */
export function fork(r: Random, label: string): Random {
  let h = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) h = Math.imul(h ^ label.charCodeAt(i), 0x01000193);
  return newRandom((nextU32(r) ^ h) >>> 0);
}

/** 0 … 2³²−1 */
export function nextU32(r: Random): number {
  const t = (((r.a + r.b) | 0) + r.counter) | 0;
  r.counter = (r.counter + 1) | 0;
  r.a = r.b ^ (r.b >>> 9);
  r.b = (r.c + (r.c << 3)) | 0;
  r.c = (((r.c << 21) | (r.c >>> 11)) + t) | 0;
  return t >>> 0;
}

/** 0 ≤ x < 1 */
export function nextFloat(r: Random): number {
  return nextU32(r) / 0x1_0000_0000;
}

/** 0 … n−1 */
export function below(r: Random, n: number): number {
  return Math.floor(nextFloat(r) * n);
}

export function bytes(r: Random, n: number): Uint8Array {
  const out = new Uint8Array(n);
  for (let i = 0; i < n; i++) out[i] = nextU32(r) >>> 24;
  return out;
}

/** RFC 4122 version 4. */
export function uuid(r: Random): string {
  const b = bytes(r, 16);
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const text = hex(b);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

/** Kubernetes' alphabet for generated names: no vowels, no 0, 1, 3 (k8s.io/apimachinery/pkg/util/rand v0.36). */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

export function safeString(r: Random, n: number): string {
  let s = '';
  for (let i = 0; i < n; i++) s += SAFE[below(r, SAFE.length)];
  return s;
}
