import { beforeAll, describe, expect, it } from 'vitest';
import type { TestCluster } from '../cluster/harness.ts';
import { CERTIFICATE, KEY } from './certificate.ts';
import { clusterWith, echo } from './cluster.ts';

let c: TestCluster;
let ip: string;

const API = 'gateway.networking.k8s.io/v1';
const gateway = (name: string, listeners: object[], namespace = 'default') => ({
  apiVersion: API,
  kind: 'Gateway',
  metadata: { name, namespace },
  spec: { gatewayClassName: 'envoy', listeners },
});
const route = (name: string, rules: object[], more: object = {}, namespace = 'default') => ({
  apiVersion: API,
  kind: 'HTTPRoute',
  metadata: { name, namespace },
  spec: { parentRefs: [{ name: 'door' }], rules, ...more },
});
const to = (name: string, more: object = {}) => ({ name, port: 80, ...more });
const under = (value: string, type = 'PathPrefix') => ({ path: { type, value } });
const get = (host: string, at = '/', ...flags: string[]) =>
  c.external(['curl', '-s', ...flags, '-H', `Host: ${host}`, `http://${ip}${at}`]);
const condition = (o: string, type: string) =>
  c.must(['get', ...o.split(' '), '-o', `jsonpath={..conditions[?(@.type=="${type}")].reason}`]);

beforeAll(async () => {
  c = await clusterWith(['envoy-gateway']);
  c.apply(...echo('one'), ...echo('two'));
  c.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'mirror', labels: { app: 'mirror' } },
    spec: { containers: [{ name: 'e', image: 'registry.k8s.io/echoserver:1.10' }] },
  });
  c.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'mirror' },
    spec: { selector: { app: 'mirror' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  c.apply({
    apiVersion: API,
    kind: 'GatewayClass',
    metadata: { name: 'envoy' },
    spec: { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' },
  });
  c.apply(gateway('door', [{ name: 'http', port: 80, protocol: 'HTTP' }]));
  c.rest();
  c.rest();
  ip = c.must('get gateway door -o jsonpath={.status.addresses[0].value}');
}, 60_000);

describe('Envoy Gateway', () => {
  it('accepts its class and makes a proxy with an address for each Gateway', () => {
    expect(c.must('get gatewayclass --no-headers')).toMatch(/^envoy +gateway.envoyproxy.io\/gatewayclass-controller +True/);
    expect(c.must('get gateway door --no-headers')).toMatch(/^door +envoy +172\.18\.255\.\d+ +True/);
    const owned = '-l gateway.envoyproxy.io/owning-gateway-name=door,gateway.envoyproxy.io/owning-gateway-namespace=default';
    expect(c.must(`-n envoy-gateway-system get pods ${owned} --no-headers`)).toMatch(/^envoy-default-door-[0-9a-f]{8}-\S+ +2\/2 +Running/);
  });

  it('answers 404 where there is no route', () => {
    expect(get('any.example', '/', '-i').out).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  });

  it('fills in what a route leaves out, and says that it is accepted', () => {
    c.apply(route('plain', [{ backendRefs: [to('one')] }], { hostnames: ['plain.example'] }));
    c.rest();
    expect(c.must('get httproute plain -o jsonpath={.spec.rules[0].matches[0].path.type}{.spec.rules[0].matches[0].path.value}')).toBe(
      'PathPrefix/',
    );
    expect(condition('httproute plain', 'Accepted')).toBe('Accepted');
    expect(get('plain.example').out).toBe('one\n');
    expect(c.must('get gateway door -o jsonpath={.status.listeners[0].attachedRoutes}')).toBe('1');
  });

  it('chooses the most specific match', () => {
    const rules = [
      { matches: [under('/')], backendRefs: [to('one')] },
      { matches: [under('/a')], backendRefs: [to('two')] },
      { matches: [{ ...under('/a'), headers: [{ name: 'x-to', value: 'one' }] }], backendRefs: [to('one')] },
      { matches: [under('/a/exact', 'Exact')], backendRefs: [to('one')] },
      { matches: [{ ...under('/q'), queryParams: [{ name: 'v', value: '2' }], method: 'GET' }], backendRefs: [to('two')] },
    ];
    c.apply(route('specific', rules, { hostnames: ['specific.example'] }));
    c.rest();
    const ask = (at: string, ...flags: string[]) => get('specific.example', at, ...flags).out.trim();
    expect([ask('/'), ask('/a'), ask('/a/b'), ask('/ab'), ask('/a/exact'), ask('/a', '-H', 'x-to: one'), ask('/q'), ask('/q?v=2')]).toEqual(
      'one two two one one one one two'.split(' '),
    );
  });

  it('filters: rewrites, headers, redirects', () => {
    const rewrite = {
      type: 'URLRewrite',
      urlRewrite: { hostname: 'inner.example', path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' } },
    };
    const request = {
      type: 'RequestHeaderModifier',
      requestHeaderModifier: { set: [{ name: 'x-set', value: 'yes' }], remove: ['x-gone'] },
    };
    const response = { type: 'ResponseHeaderModifier', responseHeaderModifier: { add: [{ name: 'x-back', value: 'here' }] } };
    const redirect = { type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } };
    const rules = [
      { matches: [under('/old')], filters: [rewrite, request, response], backendRefs: [to('mirror')] },
      { matches: [under('/away')], filters: [redirect] },
    ];
    c.apply(route('filtered', rules, { hostnames: ['filtered.example'] }));
    c.rest();
    const seen = get('filtered.example', '/old/thing?q=1', '-i', '-H', 'x-gone: 1').out;
    expect(seen).toContain('request_uri=http://inner.example:8080/new/thing?q=1');
    expect(seen).toContain('x-set=yes');
    expect(seen).not.toContain('x-gone');
    expect(seen).toContain('x-back: here');
    expect(get('filtered.example', '/away', '-i').out).toMatch(/301 Moved Permanently[\s\S]*location: https:\/\/filtered\.example\/away\r/);
  });

  it('splits by weight and mirrors', () => {
    c.apply(route('split', [{ backendRefs: [to('one', { weight: 1 }), to('two', { weight: 3 })] }], { hostnames: ['split.example'] }));
    const copy = { type: 'RequestMirror', requestMirror: { backendRef: to('two') } };
    c.apply(route('copied', [{ filters: [copy], backendRefs: [to('one')] }], { hostnames: ['copied.example'] }));
    c.rest();
    const answers = Array.from({ length: 40 }, () => get('split.example').out);
    const twos = answers.filter(a => a === 'two\n').length;
    expect(twos).toBeGreaterThan(20);
    expect(twos).toBeLessThan(40);
    expect(get('copied.example', '/shadow').out).toBe('one\n');
    c.rest();
    expect(c.must('logs deploy/two')).toMatch(/copied\.example-shadow .*"GET \/shadow HTTP\/1\.1" 200/);
  });

  it('keeps routes of other namespaces out unless the listener lets them in', () => {
    c.must('create namespace team');
    c.apply(
      route(
        'guest',
        [{ backendRefs: [to('one')] }],
        { parentRefs: [{ name: 'door', namespace: 'default' }], hostnames: ['guest.example'] },
        'team',
      ),
    );
    c.rest();
    expect(condition('httproute guest -n team', 'Accepted')).toBe('NotAllowedByListeners');
    c.apply(
      gateway('door', [
        {
          name: 'http',
          port: 80,
          protocol: 'HTTP',
          allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': 'team' } } } },
        },
      ]),
    );
    c.rest();
    expect(condition('httproute guest -n team', 'Accepted')).toBe('Accepted');
    expect(condition('httproute plain', 'Accepted')).toBe('NotAllowedByListeners');
    c.apply(gateway('door', [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }]));
    c.rest();
  });

  it('refuses a backend of another namespace until a ReferenceGrant allows it', () => {
    expect(condition('httproute guest -n team', 'ResolvedRefs')).toBe('BackendNotFound');
    const rules = [{ backendRefs: [to('one', { namespace: 'default' })] }];
    c.apply(route('guest', rules, { parentRefs: [{ name: 'door', namespace: 'default' }], hostnames: ['guest.example'] }, 'team'));
    c.rest();
    expect(condition('httproute guest -n team', 'ResolvedRefs')).toBe('RefNotPermitted');
    expect(get('guest.example', '/', '-i').out).toContain('500 Internal Server Error');
    const spec = {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'team' }],
      to: [{ group: '', kind: 'Service', name: 'one' }],
    };
    c.apply({
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { name: 'team', namespace: 'default' },
      spec,
    });
    c.rest();
    expect(condition('httproute guest -n team', 'ResolvedRefs')).toBe('ResolvedRefs');
    expect(get('guest.example').out).toBe('one\n');
  });

  it('says 503 when nobody is behind the Service', () => {
    c.must('scale deploy two --replicas=0');
    c.rest();
    expect(get('specific.example', '/a', '-i').out).toMatch(/503 Service Unavailable[\s\S]*no healthy upstream$/);
    c.must('scale deploy two --replicas=1');
  });

  it('ends TLS with the listener’s certificate', () => {
    c.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'pair' },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': CERTIFICATE, 'tls.key': KEY },
    });
    const tls = { certificateRefs: [{ name: 'pair' }] };
    c.apply(
      gateway('safe', [
        { name: 'https', port: 443, protocol: 'HTTPS', hostname: 'secure.example', tls },
        { name: 'lost', port: 444, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'none' }] } },
      ]),
    );
    c.apply(route('safe', [{ backendRefs: [to('one')] }], { parentRefs: [{ name: 'safe', sectionName: 'https' }] }));
    c.rest();
    c.rest();
    const at = c.must('get gateway safe -o jsonpath={.status.addresses[0].value}');
    const curl = (...flags: string[]) =>
      c.external(['curl', '-s', ...flags, '--resolve', `secure.example:443:${at}`, 'https://secure.example/']);
    expect(curl().code).toBe(60);
    expect(curl('-k').out).toBe('one\n');
    expect(c.must(['get', 'gateway', 'safe', '-o', 'jsonpath={.status.listeners[1].conditions[?(@.type=="ResolvedRefs")].reason}'])).toBe(
      'InvalidCertificateRef',
    );
  });

  it('takes the proxy away with its Gateway', () => {
    c.must('delete gateway door');
    c.rest();
    c.rest();
    expect(c.must('-n envoy-gateway-system get deploy --no-headers')).not.toContain('envoy-default-door');
  });
});
