// Files of the internet that tutorials fetch: Istio's sample issuer of tokens (istio/istio security/tools/jwt/samples), by its public key and
// what that issuer has signed.
import { base64, stringToBytes } from '../sim/bytes.ts';

const KEY_ID = 'DHFbpoIUqrY8t2zpA2qXfCmr5VO5ZEr4RzHU_-envvQ';
const MODULUS =
  'xAE7eB6qugXyCAG3yhh7pkDkT65pHymX-P7KfIupjf59vsdo91bSP9C8H07pSAGQO1MV_xFj9VswgsCg4R6otmg5PV2He95lZdHtOcU5DXIg_pbhLdKXbi66GlVeK6ABZOUW3WYtnNHD-91gVuoeJT_DwtGGcp4ignkgXfkiEm4sw-4sfb4qdt5oLbyVpmW6x9cfa7vs2WTfURiCrBoUqgBo_-4WTiULmmHSGZHOjzwa8WtrtOQGsAFjIbno85jp6MnGGGZPYZbDAa_b3y5u-YpW7ypZrvD8BgtKVjgtQgZhLAGezMt0ua3DRrWnKqTZ0BJ_EyxOGuHJrLsn00fnMQ';
const ISSUER = 'testing@secure.istio.io';

const part = (value: object): string =>
  base64(stringToBytes(JSON.stringify(value)))
    .replace(/=+$/, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_');

/** Claims in the order of their names, and the signature over them. */
const token = (claims: object, signature: string): string =>
  `${part({ alg: 'RS256', kid: KEY_ID, typ: 'JWT' })}.${part(claims)}.${signature}\n`;

const DEMO = token(
  { exp: 4685989700, foo: 'bar', iat: 1532389700, iss: ISSUER, sub: ISSUER },
  'CfNnxWP2tcnR9q0vxyxweaF3ovQYHYZl82hAUsn21bwQd9zP7c-LS9qd_vpdLG4Tn1A15NxfCjp5f7QNBUo-KC9PJqYpgGbaXhaGx7bEdFWjcwv3nZzvc7M__ZpaCERdwU7igUmJqYGBYQ51vr2njU9ZimyKkfDe3axcyiBZde7G6dabliUosJvvKOPcKIWPccCgefSj_GNfwIip3-SsFdlR7BtbVUcqR-yv-XOxJ3Uc1MI0tz3uMiiZcyPV7sNCU4KRnemRIMHVOfuvHsU60_GhGbiSFzgPTAa9WTltbnarTbxudb_YEOx12JiwYToeX0DCPb43W1tzIBxgm8NxUg',
);
const GROUPS = token(
  { exp: 3537391104, groups: ['group1', 'group2'], iat: 1537391104, iss: ISSUER, scope: ['scope1', 'scope2'], sub: ISSUER },
  'EdJnEZSH6X8hcyEii7c8H5lnhgjB5dwo07M5oheC8Xz8mOllyg--AHCFWHybM48reunF--oGaG6IXVngCEpVF0_P5DwsUoBgpPmK1JOaKN6_pe9sh0ZwTtdgK_RP01PuI7kUdbOTlkuUi2AO-qUyOm7Art2POzo36DLQlUXv8Ad7NBOqfQaKjE9ndaPWT7aexUsBHxmgiGbz1SyLH879f7uHYPbPKlpHU6P9S-DaKnGLaEchnoKnov7ajhrEhGXAQRukhDPKUHO9L30oPIr5IJllEQfHYtt6IZvlNUGeLUcif3wpry1R5tBXRicx2sXMQ7LyuDremDbcNy_iE76Upg',
);

const JWKS = `${JSON.stringify({ keys: [{ e: 'AQAB', kid: KEY_ID, kty: 'RSA', n: MODULUS }] })}\n`;

const file = (path: string, body: string) => ({ path, status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body });

/** raw.githubusercontent.com, whatever the branch; what it does not have is not found there. */
export const RAW_FILES = [
  file('/istio/istio/*/security/tools/jwt/samples/demo.jwt', DEMO),
  file('/istio/istio/*/security/tools/jwt/samples/groups-scope.jwt', GROUPS),
  file('/istio/istio/*/security/tools/jwt/samples/jwks.json', JWKS),
  { path: '/*', status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404: Not Found' },
];
