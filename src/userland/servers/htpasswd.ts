// Basic authentication against lines of htpasswd: apr1, {SHA} and plain text (apr-util crypto/apr_md5.c); bcrypt and crypt(3) are not modelled.
import { base64, bytesToString, concat, stringToBytes, unbase64 } from '../../sim/bytes.ts';
import { sha1 } from '../../sim/sha1.ts';
import { md5 } from '../coreutils/digests.ts';

const ITOA64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ROUNDS = 1000;

/** `$apr1$SALT$HASH` of a password. */
export function apr1(password: string, salt: string): string {
  const pw = stringToBytes(password);
  const s = stringToBytes(salt);
  const inner = md5(concat([pw, s, pw]));
  const parts = [pw, stringToBytes('$apr1$'), s];
  for (let left = pw.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)));
  for (let i = pw.length; i; i >>= 1) parts.push(i & 1 ? Uint8Array.of(0) : pw.subarray(0, 1));
  let sum = md5(concat(parts));
  for (let i = 0; i < ROUNDS; i++) {
    const round = [i & 1 ? pw : sum];
    if (i % 3) round.push(s);
    if (i % 7) round.push(pw);
    round.push(i & 1 ? sum : pw);
    sum = md5(concat(round));
  }
  let out = '';
  const encode = (value: number, digits: number) => {
    for (let v = value, n = digits; n > 0; n--, v >>>= 6) out += ITOA64[v & 0x3f];
  };
  for (const [a, b, c] of [
    [0, 6, 12],
    [1, 7, 13],
    [2, 8, 14],
    [3, 9, 15],
    [4, 10, 5],
  ])
    encode((sum[a] << 16) | (sum[b] << 8) | sum[c], 4);
  encode(sum[11], 2);
  return `$apr1$${salt}$${out}`;
}

function fits(password: string, stored: string): boolean {
  const salted = /^\$apr1\$([^$]*)\$/.exec(stored);
  if (salted) return apr1(password, salted[1]) === stored;
  if (stored.startsWith('{SHA}')) return `{SHA}${base64(sha1(stringToBytes(password)))}` === stored;
  return stored.replace(/^\{PLAIN\}/, '') === password;
}

/** `users`: name -> what htpasswd wrote. */
export function authorized(users: Map<string, string>, given: string | undefined): boolean {
  const m = /^Basic\s+(\S+)$/i.exec(given ?? '');
  const text = m ? bytesToString(unbase64(m[1]) ?? new Uint8Array(0)) : '';
  const colon = text.indexOf(':');
  const stored = colon > 0 ? users.get(text.slice(0, colon)) : undefined;
  return stored !== undefined && fits(text.slice(colon + 1), stored);
}
