// Tokens of an issuer of our own, with a key that is made once and for all here: no test waits for one.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 1024,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

export const ISSUER = 'issuer@bank.test';
const KID = 'only';
const jwk = createPublicKey(createPrivateKey(privateKey)).export({ format: 'jwk' });

export const JWKS = JSON.stringify({ keys: [{ ...jwk, kid: KID }] });

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** RS256, valid for a long time unless `claims` says otherwise. */
export function token(claims: object): string {
  const message = `${part({ alg: 'RS256', kid: KID, typ: 'JWT' })}.${part({ iss: ISSUER, sub: 'somebody', exp: 4_000_000_000, ...claims })}`;
  return `${message}.${sign('RSA-SHA256', Buffer.from(message), privateKey).toString('base64url')}`;
}
