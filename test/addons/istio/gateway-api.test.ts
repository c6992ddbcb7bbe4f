import { beforeAll, describe, expect, it } from 'vitest';
import { addonNamed } from '../../../src/addons/table.ts';
import { type Mesh, mesh, namespace, server } from './mesh.ts';

let c: Mesh;
let door: string;
const API = 'gateway.networking.k8s.io/v1';
const listener = { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } };
const route = (name: string, hostnames: string[], rules: object[]) =>
  c.apply({
    apiVersion: API,
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'shop' },
    spec: { parentRefs: [{ name: 'door', namespace: 'shop' }], hostnames, rules },
  });
const under = (value: string, type = 'PathPrefix') => ({ path: { type, value } });
const backend = (name: string, weight = 1) => ({ name, port: 8000, weight });
const ask = (host: string, path: string, ...words: string[]) =>
  c.external(['curl', '-s', ...words, '-H', `Host: ${host}`, `http://${door}${path}`]).out;

beforeAll(async () => {
  c = await mesh();
  const kinds = addonNamed('gateway-api');
  c.must('apply --server-side -f -', (await kinds?.manifest(kinds.url))?.map(o => JSON.stringify(o)).join('\n---\n'));
  c.apply(namespace('shop', true));
  c.apply(...server('shop', 'bin'), ...server('shop', 'menu', ['v1']));
  c.apply({
    apiVersion: API,
    kind: 'Gateway',
    metadata: { name: 'door', namespace: 'shop' },
    spec: { gatewayClassName: 'istio', listeners: [listener] },
  });
  c.rest();
  c.rest();
  door = c.must('-n shop get gateway.gateway.networking.k8s.io door -o jsonpath={.status.addresses[0].value}');
}, 120_000);

describe('the Gateway API by Istio', () => {
  it('has its classes, and a proxy for each Gateway', () => {
    expect(c.must('get gatewayclass --no-headers')).toMatch(
      /^istio +istio\.io\/gateway-controller +True .*\nistio-remote +istio\.io\/unmanaged-gateway +True/,
    );
    expect(c.must('-n shop get gateways.gateway.networking.k8s.io --no-headers')).toMatch(/^door +istio +172\.18\.255\.\d+ +True/);
    expect(c.must('-n shop get deployment,service -l gateway.networking.k8s.io/gateway-name=door -o name')).toBe(
      'deployment.apps/door-istio\nservice/door-istio\n',
    );
  });

  it('routes by the most specific rule, over mutual TLS', () => {
    route('all', ['www.shop.test'], [{ matches: [under('/')], backendRefs: [backend('menu')] }]);
    route(
      'some',
      ['www.shop.test'],
      [
        {
          matches: [under('/headers', 'Exact')],
          backendRefs: [backend('bin')],
          filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { add: [{ name: 'x-a', value: 'b' }] } }],
        },
        {
          matches: [under('/old')],
          backendRefs: [backend('bin')],
          filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/anything' } } }],
        },
        { matches: [under('/gone')], filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'other.test', statusCode: 301 } }] },
        { matches: [under('/broken')], backendRefs: [backend('nobody')] },
      ],
    );
    c.rest();
    expect(ask('www.shop.test', '/')).toBe('v1\n');
    const { headers } = JSON.parse(ask('www.shop.test', '/headers'));
    expect([headers['X-A'], headers['X-Forwarded-Client-Cert']]).toEqual(['b', expect.stringContaining('/ns/shop/sa/door-istio')]);
    expect(JSON.parse(ask('www.shop.test', '/old/x?q=1')).url).toBe('http://www.shop.test/anything/x?q=1');
    expect(ask('www.shop.test', '/gone/a', '-o', '/dev/null', '-w', '%{http_code} %{redirect_url}')).toBe('301 http://other.test/gone/a');
    expect(['/broken', '/'].map((p, i) => ask(i ? 'no.test' : 'www.shop.test', p, '-o', '/dev/null', '-w', '%{http_code}'))).toEqual([
      '500',
      '404',
    ]);
  });

  it('says what it thinks of routes', () => {
    const word = (type: string) =>
      c.must(['-n', 'shop', 'get', 'httproute', 'some', '-o', `jsonpath={.status.parents[0].conditions[?(@.type=="${type}")].reason}`]);
    expect([word('Accepted'), word('ResolvedRefs')]).toEqual(['Accepted', 'BackendNotFound']);
  });

  it('takes the proxy away with its Gateway', () => {
    c.must('-n shop delete gateways.gateway.networking.k8s.io door');
    c.rest();
    expect(c.must('-n shop get deployment,service -l gateway.networking.k8s.io/gateway-name=door -o name')).toBe('');
  });
});
