import { beforeAll, describe, expect, it } from 'vitest';
import { CERTIFICATE, KEY } from '../certificate.ts';
import { client, config, type Mesh, mesh, namespace, server } from './mesh.ts';

let c: Mesh;
let door: string;

beforeAll(async () => {
  c = await mesh();
  c.apply(namespace('shop', true));
  c.apply(...client('shop'), ...server('shop', 'bin'), ...server('shop', 'menu', ['v1', 'v2']));
  c.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'empty', namespace: 'shop' },
    spec: { selector: { app: 'nobody' }, ports: [{ name: 'http', port: 8000 }] },
  });
  c.apply(
    config('DestinationRule', 'shop', 'menu', {
      host: 'menu',
      subsets: ['v1', 'v2', 'v9'].map(v => ({ name: v, labels: { version: v } })),
    }),
  );
  c.rest();
  c.rest();
  door = c.must('-n istio-system get svc istio-ingressgateway -o jsonpath={.status.loadBalancer.ingress[0].ip}');
}, 120_000);

const routes = (name: string, spec: object) => c.apply(config('VirtualService', 'shop', name, spec));
const drop = (kind: string, ...names: string[]) => void c.must(['-n', 'shop', 'delete', kind, ...names]);
const ask = (url: string, ...words: string[]) => c.curl('shop', ...words, url).out.trim();
/** One after the other, in one shell. */
const many = (n: number, url: string): string[] =>
  c
    .must(['-n', 'shop', 'exec', 'deploy/client', '-c', 'tools', '--', 'sh', '-c', `for i in $(seq ${n}); do curl -s ${url}; done`])
    .trim()
    .split('\n');
const to = (host: string, subset?: string, more: object = {}) => ({ destination: { host, ...(subset ? { subset } : {}) }, ...more });

describe('routes between services', () => {
  it('spread over all versions until somebody says otherwise', () => {
    const seen = () => new Set(many(10, 'http://menu:8000/'));
    expect([...seen()].sort()).toEqual(['v1', 'v2']);
    routes('menu', { hosts: ['menu'], http: [{ route: [to('menu', 'v2')] }] });
    expect([...seen()]).toEqual(['v2']);
  });

  it('are chosen by header, path, method, query; the first that fits', () => {
    routes('menu', {
      hosts: ['menu'],
      http: [
        { match: [{ headers: { 'end-user': { exact: 'jason' } }, uri: { prefix: '/x' } }], route: [to('menu', 'v2')] },
        { match: [{ queryParams: { v: { regex: '2|two' } } }, { method: { exact: 'POST' } }], route: [to('menu', 'v2')] },
        {
          match: [{ withoutHeaders: { plain: {} }, uri: { exact: '/with' } }],
          directResponse: { status: 418, body: { string: 'no plain' } },
        },
        { route: [to('menu', 'v1')] },
      ],
    });
    expect(ask('http://menu:8000/x', '-H', 'end-user: jason')).toBe('v2');
    expect(ask('http://menu:8000/', '-H', 'end-user: jason')).toBe('v1');
    expect(ask('http://menu:8000/?v=two')).toBe('v2');
    expect(ask('http://menu:8000/?v=2222')).toBe('v1');
    expect(ask('http://menu:8000/', '-X', 'POST')).toBe('v2');
    expect(ask('http://menu:8000/with', '-w', '%{http_code}')).toBe('no plain418');
    expect(ask('http://menu:8000/with', '-H', 'plain: 1')).toBe('v1');
  });

  it('have weights', () => {
    routes('menu', { hosts: ['menu'], http: [{ route: [to('menu', 'v1', { weight: 90 }), to('menu', 'v2', { weight: 10 })] }] });
    const share = many(60, 'http://menu:8000/').filter(v => v === 'v2').length;
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(20);
  });

  it('that lead nowhere answer 503: no subset, nobody in it, nobody at all', () => {
    routes('menu', {
      hosts: ['menu'],
      http: [{ match: [{ uri: { exact: '/a' } }], route: [to('menu', 'v3')] }, { route: [to('menu', 'v9')] }],
    });
    expect(ask('http://menu:8000/a', '-w', '%{http_code}')).toBe('503');
    expect(ask('http://menu:8000/', '-w', '%{http_code}')).toBe('no healthy upstream503');
    expect(ask('http://empty:8000/', '-w', '%{http_code}')).toBe('no healthy upstream503');
    const log = c.must('-n shop logs deploy/client -c istio-proxy --tail=3').split('\n');
    expect(log.slice(0, 3).map(l => l.split('"')[2].trim().split(' ').slice(0, 3).join(' '))).toEqual([
      '503 NC cluster_not_found',
      '503 UH no_healthy_upstream',
      '503 UH no_healthy_upstream',
    ]);
    routes('menu', { hosts: ['menu'], http: [{ match: [{ uri: { exact: '/a' } }], route: [to('menu', 'v1')] }] });
    expect(ask('http://menu:8000/', '-w', '%{http_code}')).toBe('404');
    drop('virtualservice', 'menu');
  });

  it('rewrite, redirect and set headers', () => {
    routes('bin', {
      hosts: ['bin'],
      http: [
        { match: [{ uri: { prefix: '/old/' } }], rewrite: { uri: '/anything/', authority: 'other.test' }, route: [to('bin')] },
        { match: [{ uri: { prefix: '/gone' } }], redirect: { uri: '/status/200', authority: 'bin.shop:8000', redirectCode: 302 } },
        {
          match: [{ uri: { prefix: '/headers' } }],
          headers: { request: { set: { 'x-set': 'a' }, remove: ['x-gone'] }, response: { add: { 'x-back': 'b' } } },
          route: [to('bin')],
        },
        { route: [to('bin')] },
      ],
    });
    expect(JSON.parse(ask('http://bin:8000/old/x?q=1'))).toMatchObject({
      url: 'http://other.test/anything/x?q=1',
      headers: { Host: 'other.test', 'X-Envoy-Original-Path': '/old/x?q=1' },
    });
    expect(ask('http://bin:8000/gone?a=1', '-o', '/dev/null', '-w', '%{http_code} %{redirect_url}')).toBe(
      '302 http://bin.shop:8000/status/200?a=1',
    );
    const changed = ask('http://bin:8000/headers', '-i', '-H', 'x-gone: 1');
    expect(changed).toMatch(/\r\nx-back: b\r\n/);
    expect(JSON.parse(changed.slice(changed.indexOf('{'))).headers).toMatchObject({ 'X-Set': 'a' });
    expect(changed).not.toContain('X-Gone');
  });

  it('fail and wait on purpose, and end what takes too long', () => {
    routes('bin', {
      hosts: ['bin'],
      http: [
        {
          match: [{ uri: { prefix: '/slow' } }],
          fault: { delay: { fixedDelay: '7s', percentage: { value: 100 } } },
          rewrite: { uri: '/ip' },
          route: [to('bin')],
        },
        { match: [{ uri: { prefix: '/broken' } }], fault: { abort: { httpStatus: 500, percentage: { value: 100 } } }, route: [to('bin')] },
        { match: [{ uri: { prefix: '/delay' } }], timeout: '1s', route: [to('bin')] },
        { route: [to('bin')] },
      ],
    });
    expect(ask('http://bin:8000/slow', '-o', '/dev/null', '-w', '%{http_code} %{time_total}')).toMatch(/^200 7\.0/);
    expect(ask('http://bin:8000/broken', '-w', ' %{http_code}')).toBe('fault filter abort 500');
    expect(ask('http://bin:8000/delay/3', '-w', ' %{http_code} %{time_total}')).toMatch(/^upstream request timeout 504 1\.0/);
    expect(c.must('-n shop logs deploy/client -c istio-proxy --tail=1')).toContain(' 504 UT response_timeout ');
  });

  it('try again what failed, and copy what they are told to', () => {
    routes('bin', {
      hosts: ['bin'],
      http: [
        { match: [{ uri: { prefix: '/status/500' } }], retries: { attempts: 3, retryOn: '5xx' }, route: [to('bin')] },
        {
          match: [{ uri: { prefix: '/copy' } }],
          rewrite: { uri: '/ip' },
          mirror: { host: 'menu', subset: 'v1' },
          mirrorPercentage: { value: 100 },
          route: [to('bin')],
        },
        { route: [to('bin')] },
      ],
    });
    const served = (app: string) => c.must(`-n shop logs deploy/${app} -c istio-proxy`).split('\n');
    const before = served('bin').length;
    expect(ask('http://bin:8000/status/500', '-o', '/dev/null', '-w', '%{http_code}')).toBe('500');
    expect(served('bin').length - before).toBe(4);
    expect(ask('http://bin:8000/copy')).toContain('origin');
    c.rest();
    expect(served('menu-v1').at(-2)).toMatch(/"GET \/ip HTTP\/1\.1" 200 .*"bin-shadow:8000"/);
    drop('virtualservice', 'bin');
  });
});

describe('gateways', () => {
  const out = (...words: string[]) => c.external(['curl', '-s', ...words]);
  const gate = (servers: object[]) => c.apply(config('Gateway', 'shop', 'door', { selector: { istio: 'ingressgateway' }, servers }));
  const http = { port: { number: 80, name: 'http', protocol: 'HTTP' } };

  it('are closed without a Gateway', () => {
    expect(out('-S', `http://${door}/`)).toMatchObject({ code: 7 });
  });

  it('let in what a VirtualService leads on, by host', () => {
    gate([{ ...http, hosts: ['*.shop.test'] }]);
    routes('in', {
      hosts: ['www.shop.test'],
      gateways: ['door'],
      http: [{ match: [{ uri: { prefix: '/status' } }, { uri: { exact: '/headers' } }], route: [to('bin')] }],
    });
    const at = (host: string, path: string) =>
      out('-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: ${host}`, `http://${door}${path}`).out;
    expect(['/status/204', '/headers', '/ip'].map(p => at('www.shop.test', p))).toEqual(['204', '200', '404']);
    expect([at('api.shop.test', '/status/200'), at('www.other.test', '/status/200')]).toEqual(['404', '404']);
    expect(out('-I', '-H', 'Host: www.shop.test', `http://${door}/status/200`).out).toMatch(
      /^HTTP\/1\.1 200 OK\r\nserver: istio-envoy\r\ndate: [\s\S]*\r\nx-envoy-upstream-service-time: \d+\r\n\r\n$/,
    );
    const seen = JSON.parse(out('-H', 'Host: www.shop.test', `http://${door}/headers`).out).headers;
    expect(seen['X-Forwarded-Client-Cert']).toContain('URI=spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account');
    // What is bound to the gateway only is nothing to the mesh.
    expect(ask('http://bin:8000/ip', '-o', '/dev/null', '-w', '%{http_code}')).toBe('200');
  });

  it('end TLS with the certificate of a Secret beside them, in HTTP/2', () => {
    c.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'cert', namespace: 'istio-system' },
      data: { 'tls.crt': Buffer.from(CERTIFICATE).toString('base64'), 'tls.key': Buffer.from(KEY).toString('base64') },
    });
    gate([
      { ...http, hosts: ['secure.example'], tls: { httpsRedirect: true } },
      {
        port: { number: 443, name: 'https', protocol: 'HTTPS' },
        tls: { mode: 'SIMPLE', credentialName: 'cert' },
        hosts: ['secure.example'],
      },
    ]);
    routes('in', { hosts: ['secure.example'], gateways: ['shop/door'], http: [{ route: [to('bin')] }] });
    const secure = (host: string, path: string, ...words: string[]) =>
      out(...words, '-k', '--resolve', `${host}:443:${door}`, `https://${host}${path}`);
    expect(secure('secure.example', '/status/418', '-i').out).toMatch(/^HTTP\/2 418 \r\nserver: istio-envoy\r\n[\s\S]*teapot/);
    expect(secure('unknown.example', '/', '-S').code).toBe(35);
    expect(out('-o', '/dev/null', '-w', '%{http_code} %{redirect_url}', '-H', 'Host: secure.example', `http://${door}/a`).out).toBe(
      '301 https://secure.example/a',
    );
  });
});

describe('gateways that ask clients for certificates', () => {
  it('send away who has none, or one of another authority', () => {
    const pem = Buffer.from(CERTIFICATE).toString('base64');
    c.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'both', namespace: 'istio-system' },
      data: { 'tls.crt': pem, 'tls.key': Buffer.from(KEY).toString('base64'), 'ca.crt': pem },
    });
    const https = { port: { number: 443, name: 'https', protocol: 'HTTPS' }, hosts: ['secure.example'] };
    c.apply(
      config('Gateway', 'shop', 'door', {
        selector: { istio: 'ingressgateway' },
        servers: [{ ...https, tls: { mode: 'MUTUAL', credentialName: 'both' } }],
      }),
    );
    const ask = (flags: string) =>
      c.external([
        'sh',
        '-c',
        `echo '${CERTIFICATE}' > /tmp/own.pem; curl -sS -k -o /dev/null -w '%{http_code}' ${flags} --resolve secure.example:443:${door} https://secure.example/ip`,
      ]);
    expect(ask('--cert /tmp/own.pem --key /tmp/own.pem').out).toBe('200');
    expect(ask('')).toMatchObject({ code: 56, err: expect.stringContaining('tlsv13 alert certificate required') });
    expect(ask('--cert /tmp/none.pem').code).toBe(58);
    drop('gateways.networking.istio.io', 'door');
  });
});

describe('what lies outside', () => {
  const policy = (mode: string) =>
    c.must([
      '-n',
      'istio-system',
      'patch',
      'configmap',
      'istio',
      '--type',
      'merge',
      '-p',
      JSON.stringify({ data: { mesh: `accessLogFile: /dev/stdout\noutboundTrafficPolicy:\n  mode: ${mode}\n` } }),
    ]);
  const code = (url: string) => c.status('shop', url);

  it('is reached as long as the mesh lets everything pass', () => {
    expect([code('http://httpbin.org/ip'), code('https://www.google.com')]).toEqual(['200', '200']);
  });

  it('has to be entered in the registry when only that counts', () => {
    policy('REGISTRY_ONLY');
    expect([code('http://httpbin.org/ip'), code('https://www.google.com'), code('http://bin:8000/ip')]).toEqual([
      '502',
      '000 exit 35',
      '200',
    ]);
    c.apply(
      config('ServiceEntry', 'shop', 'bin', {
        hosts: ['httpbin.org'],
        location: 'MESH_EXTERNAL',
        resolution: 'DNS',
        ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      }),
      config('ServiceEntry', 'shop', 'google', {
        hosts: ['www.google.com'],
        resolution: 'DNS',
        ports: [{ number: 443, name: 'https', protocol: 'HTTPS' }],
      }),
    );
    expect([code('http://httpbin.org/ip'), code('https://www.google.com'), code('https://example.com')]).toEqual([
      '200',
      '200',
      '000 exit 35',
    ]);
    expect(ask('http://httpbin.org/headers')).toMatch(/"X-Envoy-Decorator-Operation": "httpbin\.org:80\/\*",\s*"X-Envoy-Peer-Metadata": /);
  });

  it('can be given TLS on the way', () => {
    c.apply(
      config('ServiceEntry', 'shop', 'cnn', {
        hosts: ['edition.cnn.com'],
        resolution: 'DNS',
        ports: [{ number: 80, name: 'http-port', protocol: 'HTTP', targetPort: 443 }],
      }),
      config('DestinationRule', 'shop', 'cnn', {
        host: 'edition.cnn.com',
        trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'SIMPLE' } }] },
      }),
    );
    expect(code('http://edition.cnn.com/politics')).toBe('200');
  });

  it('can be led through the egress gateway, as requests and as TLS that nobody opens', () => {
    const gate = 'istio-egressgateway.istio-system.svc.cluster.local';
    const leave = (host: string, port: number) => ({ destination: { host, port: { number: port } } });
    c.apply(
      config('Gateway', 'shop', 'exit', {
        selector: { istio: 'egressgateway' },
        servers: [
          { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['httpbin.org'] },
          { port: { number: 443, name: 'tls', protocol: 'TLS' }, hosts: ['www.google.com'], tls: { mode: 'PASSTHROUGH' } },
        ],
      }),
    );
    const both = (name: string, kind: 'http' | 'tls', host: string, port: number) =>
      routes(name, {
        hosts: [host],
        gateways: ['exit', 'mesh'],
        [kind]: [
          { match: [{ gateways: ['mesh'], port, ...(kind === 'tls' ? { sniHosts: [host] } : {}) }], route: [leave(gate, port)] },
          { match: [{ gateways: ['exit'], port, ...(kind === 'tls' ? { sniHosts: [host] } : {}) }], route: [leave(host, port)] },
        ],
      });
    both('bin', 'http', 'httpbin.org', 80);
    both('google', 'tls', 'www.google.com', 443);
    const log = () => c.must('-n istio-system logs deploy/istio-egressgateway --tail=1');
    expect(code('http://httpbin.org/status/202')).toBe('202');
    expect(log()).toMatch(/"GET \/status\/202 HTTP\/1\.1" 202 .* outbound\|80\|\|httpbin\.org /);
    expect(code('https://www.google.com')).toBe('200');
    expect(log()).toMatch(/^\[\S+\] "- - -" 0 - .* outbound\|443\|\|www\.google\.com .* www\.google\.com -\n$/);
    drop('virtualservice', 'bin', 'google');
  });

  it('is hidden by a Sidecar, as the rest of the mesh is', () => {
    c.apply(config('Sidecar', 'shop', 'default', { egress: [{ hosts: ['./bin.shop.svc.cluster.local', 'istio-system/*'] }] }));
    expect([code('http://bin:8000/ip'), code('http://menu:8000/')]).toEqual(['200', '502']);
    drop('sidecar', 'default');
    policy('ALLOW_ANY');
    expect(code('http://menu:8000/')).toBe('200');
  });
});
