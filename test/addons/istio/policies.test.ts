import { beforeAll, describe, expect, it } from 'vitest';
import { client, config, type Mesh, mesh, namespace, server } from './mesh.ts';
import { ISSUER, JWKS, token } from './tokens.ts';

let c: Mesh;

beforeAll(async () => {
  c = await mesh();
  c.apply(namespace('bank', true), namespace('street', true), namespace('wild', false));
  for (const ns of ['bank', 'street', 'wild']) c.apply(...client(ns));
  c.apply(...server('bank', 'bin'), ...server('bank', 'raw', ['v1'], { name: 'tcp', port: 9000 }));
  c.rest();
  c.rest();
}, 120_000);

const policy = (name: string, spec: object, ns = 'bank') => c.apply(config('AuthorizationPolicy', ns, name, spec));
const clear = () => {
  for (const ns of ['bank', 'istio-system']) c.must(`-n ${ns} delete authorizationpolicies,requestauthentications --all`);
};
const ask = (from: string, path = '/ip', ...words: string[]) => c.status(from, `http://bin.bank:8000${path}`, ...words);
const bin = { selector: { matchLabels: { app: 'bin' } } };

describe('authorization', () => {
  it('denies all by a policy without rules, in the words of Envoy', () => {
    policy('nothing', {});
    expect(c.curl('street', '-i', 'http://bin.bank:8000/ip').out).toMatch(
      /^HTTP\/1\.1 403 Forbidden\r\ncontent-length: 19\r\ncontent-type: text\/plain\r\ndate: .*\r\nserver: envoy\r\nx-envoy-upstream-service-time: \d+\r\n\r\nRBAC: access denied$/,
    );
    expect(c.must('-n bank logs deploy/bin -c istio-proxy --tail=1')).toContain(' 403 - rbac_access_denied_matched_policy[none] - ');
    clear();
  });

  it('allows what one rule allows: methods, paths, who', () => {
    policy('read', {
      ...bin,
      action: 'ALLOW',
      rules: [
        {
          from: [{ source: { principals: ['cluster.local/ns/street/sa/client'] } }],
          to: [{ operation: { methods: ['GET'], paths: ['/ip', '/status/*'] } }],
        },
      ],
    });
    expect([ask('street'), ask('street', '/status/200'), ask('street', '/headers'), ask('street', '/ip', '-X', 'POST')]).toEqual([
      '200',
      '200',
      '403',
      '403',
    ]);
    expect([ask('bank'), ask('wild')]).toEqual(['403', '403']);
    clear();
  });

  it('denies before it allows; namespaces, headers, everybody but', () => {
    policy('all', { ...bin, rules: [{}] });
    policy('no', {
      ...bin,
      action: 'DENY',
      rules: [
        { from: [{ source: { namespaces: ['street'] } }], when: [{ key: 'request.headers[x-token]', notValues: ['admin'] }] },
        { to: [{ operation: { paths: ['/admin/{*}', '*.php'] } }] },
      ],
    });
    expect([ask('street'), ask('street', '/ip', '-H', 'x-token: admin'), ask('bank')]).toEqual(['403', '200', '200']);
    expect([ask('bank', '/admin/x'), ask('bank', '/admin/x/y'), ask('bank', '/a.php')]).toEqual(['403', '404', '403']);
    expect(c.must('-n bank logs deploy/bin -c istio-proxy --tail=1')).toContain(
      ' rbac_access_denied_matched_policy[ns[bank]-policy[no]-rule[1]] ',
    );
    clear();
    policy('certified', { ...bin, action: 'DENY', rules: [{ from: [{ source: { notPrincipals: ['*'] } }] }] });
    expect([ask('wild'), ask('street')]).toEqual(['403', '200']);
    clear();
  });

  it('holds for the whole mesh from the root namespace', () => {
    policy('mesh', { action: 'DENY', rules: [{ to: [{ operation: { hosts: ['bin.bank*'] } }] }] }, 'istio-system');
    expect([ask('street'), c.status('street', 'http://bin.bank:8000/ip', '-H', 'Host: other')]).toEqual(['403', '200']);
    clear();
  });

  it('resets connections of other protocols, for which rules of requests never allow', () => {
    const raw = () => c.status('street', 'http://raw.bank:9000/');
    const ports = (action: string, more: object) =>
      policy('raw', { selector: { matchLabels: { app: 'raw' } }, action, rules: [{ to: [{ operation: { ports: ['80'], ...more } }] }] });
    ports('ALLOW', {});
    expect(raw()).toBe('200');
    ports('ALLOW', { methods: ['GET'] });
    expect(raw()).toMatch(/^000 exit 5[26]$/);
    ports('DENY', { methods: ['POST'] });
    expect(raw()).toMatch(/^000 exit 5[26]$/);
    clear();
  });
});

describe('tokens', () => {
  const rules = (more: object = {}) =>
    c.apply(config('RequestAuthentication', 'bank', 'jwt', { ...bin, jwtRules: [{ issuer: ISSUER, jwks: JWKS, ...more }] }));
  const bearer = (t: string) => ['-H', `Authorization: Bearer ${t}`];

  it('are checked when they are there', () => {
    rules();
    expect([ask('street'), ask('street', '/ip', ...bearer(token({})))]).toEqual(['200', '200']);
    const refused = (t: string) => c.curl('street', '-w', ' %{http_code}', ...bearer(t), 'http://bin.bank:8000/ip').out;
    expect(refused('nonsense')).toBe('Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections 401');
    expect(refused(token({ exp: 1000 }))).toBe('Jwt is expired 401');
    expect(refused(token({ iss: 'somebody' }))).toBe('Jwt issuer is not configured 401');
    const [head, , signature] = token({}).split('.');
    expect(refused(`${head}.${token({ sub: 'other' }).split('.')[1]}.${signature}`)).toBe('Jwt verification fails 401');
  });

  it('are what policies ask for: principals and claims', () => {
    policy('jwt', {
      ...bin,
      action: 'ALLOW',
      rules: [
        { from: [{ source: { requestPrincipals: [`${ISSUER}/*`] } }], when: [{ key: 'request.auth.claims[groups]', values: ['staff'] }] },
      ],
    });
    expect([
      ask('street'),
      ask('street', '/ip', ...bearer(token({}))),
      ask('street', '/ip', ...bearer(token({ groups: ['guests', 'staff'] }))),
    ]).toEqual(['403', '403', '200']);
  });

  it('stay with the proxy unless they are to go on', () => {
    clear();
    const seen = () => c.curl('street', ...bearer(token({ sub: 'me' })), 'http://bin.bank:8000/headers').out;
    rules({ outputClaimToHeaders: [{ header: 'x-sub', claim: 'sub' }] });
    expect(seen()).toContain('"X-Sub": "me"');
    expect(seen()).not.toContain('Authorization');
    rules({ forwardOriginalToken: true });
    expect(seen()).toContain('"Authorization": "Bearer ');
    clear();
  });

  it('of the sample issuer are on the internet, with the key that checks them', () => {
    const samples = 'https://raw.githubusercontent.com/istio/istio/release-1.28/security/tools/jwt/samples';
    const sample = c.external(['curl', '-s', `${samples}/demo.jwt`]).out.trim();
    const issuer = 'testing@secure.istio.io';
    expect(JSON.parse(Buffer.from(sample.split('.')[1], 'base64url').toString())).toMatchObject({ iss: issuer, sub: issuer, foo: 'bar' });
    rules({ issuer, jwks: undefined, jwksUri: `${samples}/jwks.json` });
    expect([ask('street', '/ip', ...bearer(sample)), ask('street', '/ip', ...bearer(token({ iss: issuer })))]).toEqual(['200', '401']);
    expect(c.external(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', `${samples}/other`]).out).toBe('404');
    clear();
  });
});
