import { beforeAll, describe, expect, it } from 'vitest';
import { addonNamed } from '../../src/addons/table.ts';
import { clusterConfig } from '../../src/cluster/config.ts';
import { apr1 } from '../../src/userland/servers/htpasswd.ts';
import { type TestCluster, testCluster } from '../cluster/harness.ts';
import { CERTIFICATE, KEY } from './certificate.ts';
import { clusterWith, echo } from './cluster.ts';

let c: TestCluster;
let ip: string;

const ANNOTATIONS = 'nginx.ingress.kubernetes.io/';
const path = (at: string, service: string, pathType = 'Prefix') => ({
  path: at,
  pathType,
  backend: { service: { name: service, port: { number: 80 } } },
});

function ingress(name: string, host: string, paths: object[], annotations: Record<string, string> = {}, more: object = {}): void {
  const noted = Object.fromEntries(Object.entries(annotations).map(([k, v]) => [ANNOTATIONS + k, v]));
  c.apply({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, annotations: noted },
    spec: { ingressClassName: 'nginx', rules: [{ host, http: { paths } }], ...more },
  });
  c.rest();
}

const get = (host: string, at = '/', ...flags: string[]) =>
  c.external(['curl', '-s', ...flags, '-H', `Host: ${host}`, `http://${ip}${at}`]);
const head = (host: string, at = '/', ...flags: string[]) => get(host, at, '-i', ...flags).out;

/** What the upstream was sent: an echo of the request. */
const podinfo = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'mirror', labels: { app: 'mirror' } },
    spec: { containers: [{ name: 'e', image: 'registry.k8s.io/echoserver:1.10' }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'mirror' },
    spec: { selector: { app: 'mirror' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
];

beforeAll(async () => {
  c = await clusterWith(['ingress-nginx']);
  c.apply(...echo('shop'), ...echo('blog'), ...podinfo);
  ip = c.must('-n ingress-nginx get svc ingress-nginx-controller -o jsonpath={.status.loadBalancer.ingress[0].ip}');
}, 60_000);

describe('ingress-nginx', () => {
  it('is as its manifest leaves it: two Jobs done, a controller ready behind a load balancer', () => {
    expect(c.must('-n ingress-nginx get jobs --no-headers').match(/Complete +1\/1/g)).toHaveLength(2);
    expect(c.must('-n ingress-nginx get deploy --no-headers')).toMatch(/ingress-nginx-controller +1\/1/);
    expect(c.must('get ingressclass --no-headers')).toMatch(/^nginx +k8s.io\/ingress-nginx/);
  });

  it('answers what nobody asked for with 404, and without a Server header', () => {
    const answer = head('nobody.example');
    expect(answer).toMatch(/^HTTP\/1.1 404 Not Found\r\n/);
    expect(answer).toContain('<center>nginx</center>');
    expect(answer).not.toContain('Server:');
  });

  it('sends by host and by whole segments of the path, and writes its address into the status', () => {
    ingress('site', 'site.example', [path('/', 'shop'), path('/blog', 'blog')]);
    expect(['/', '/blog', '/blog/1', '/blogger'].map(at => get('site.example', at).out)).toEqual(['shop\n', 'blog\n', 'blog\n', 'shop\n']);
    expect(get('site.example:80').out).toBe('shop\n');
    expect(c.must('get ingress site -o jsonpath={.status.loadBalancer.ingress[0].ip}')).toBe(ip);
    expect(c.must('describe ingress site')).toContain('Scheduled for sync');
  });

  it('leaves an Ingress of another class alone', () => {
    ingress('foreign', 'foreign.example', [path('/', 'shop')], {}, { ingressClassName: 'other' });
    expect(head('foreign.example')).toContain('404 Not Found');
    expect(c.must('get ingress foreign -o jsonpath={.status.loadBalancer}')).toBe('{}');
  });

  it('tells the upstream who asked', () => {
    ingress('mirror', 'mirror.example', [path('/', 'mirror')]);
    const seen = get('mirror.example', '/x?y=1').out;
    expect(seen).toContain('x-forwarded-host=mirror.example');
    expect(seen).toMatch(/x-real-ip=192\.168\.1\.\d+/);
    expect(seen).toContain('real path=/x');
  });

  it('rewrites paths by the captures of their expression', () => {
    ingress('rewrite', 'rewrite.example', [path('/api(/|$)(.*)', 'mirror', 'ImplementationSpecific')], { 'rewrite-target': '/$2' });
    expect(get('rewrite.example', '/api/v1/items').out).toContain('real path=/v1/items');
    expect(get('rewrite.example', '/api').out).toMatch(/real path=\/\n/);
  });

  it('answers 503 without ready endpoints, 502 when they refuse', () => {
    c.must('create service clusterip empty --tcp=80:80');
    c.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'closed' },
      spec: { selector: { app: 'shop' }, ports: [{ port: 80, targetPort: 81 }] },
    });
    ingress('broken', 'broken.example', [path('/empty', 'empty'), path('/closed', 'closed')]);
    expect(head('broken.example', '/empty')).toContain('503 Service Temporarily Unavailable');
    expect(head('broken.example', '/closed')).toContain('502 Bad Gateway');
    expect(c.must('-n ingress-nginx logs deploy/ingress-nginx-controller')).toContain(
      'connect() failed (111: Connection refused) while connecting to upstream',
    );
  });

  it('does not reach pods that a policy closes to it', () => {
    c.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'shut' },
      spec: { podSelector: { matchLabels: { app: 'blog' } }, policyTypes: ['Ingress'] },
    });
    expect(head('site.example', '/blog')).toContain('504 Gateway Time-out');
    c.must('delete networkpolicy shut');
    expect(get('site.example', '/blog').out).toBe('blog\n');
  });

  it('asks for a password, and takes what htpasswd wrote', () => {
    expect(apr1('secret', 'abcdefgh')).toMatch(/^\$apr1\$abcdefgh\$[./0-9A-Za-z]{22}$/);
    c.must(['create', 'secret', 'generic', 'users', `--from-literal=auth=ann:${apr1('secret', 'abcdefgh')}`]);
    ingress('private', 'private.example', [path('/', 'shop')], { 'auth-type': 'basic', 'auth-secret': 'users', 'auth-realm': 'Members' });
    expect(head('private.example')).toMatch(/401 Unauthorized[\s\S]*WWW-Authenticate: Basic realm="Members"/);
    expect(get('private.example', '/', '-u', 'ann:wrong').out).toContain('401');
    expect(get('private.example', '/', '-u', 'ann:secret').out).toBe('shop\n');
  });

  it('asks another server about every request, and takes along what that says', () => {
    c.must('run guard --image=kennethreitz/httpbin --port=80 --expose');
    c.rest();
    const guarded = (name: string, code: number, more: Record<string, string> = {}) =>
      ingress(name, `${name}.example`, [path('/', 'guard')], {
        'auth-url': `http://guard.default.svc.cluster.local/status/${code}`,
        ...more,
      });
    guarded('known', 200, { 'auth-response-headers': 'Server' });
    expect(JSON.parse(get('known.example', '/headers').out).headers.Server).toBe('gunicorn/19.9.0');
    guarded('unknown', 401);
    expect(head('unknown.example', '/headers')).toContain('401 Unauthorized');
    guarded('sent', 401, { 'auth-signin': 'https://login.example/start' });
    expect(head('sent.example', '/a?b=c')).toContain('Location: https://login.example/start?rd=http://sent.example%2Fa%3Fb%3Dc\r');
    guarded('barred', 403);
    expect(head('barred.example')).toContain('403 Forbidden');
    guarded('broken', 418);
    expect(head('broken.example')).toContain('500 Internal Server Error');
  });

  it('lets in by source range, redirects, adds CORS headers, and limits the size of bodies', () => {
    ingress('ranges', 'ranges.example', [path('/', 'shop')], { 'whitelist-source-range': '10.0.0.0/8' });
    expect(head('ranges.example')).toContain('403 Forbidden');
    ingress('moved', 'moved.example', [path('/', 'shop')], { 'permanent-redirect': 'https://new.example' });
    expect(head('moved.example')).toMatch(/301 Moved Permanently[\s\S]*Location: https:\/\/new\.example\r/);
    ingress('cors', 'cors.example', [path('/', 'shop')], { 'enable-cors': 'true', 'proxy-body-size': '1k' });
    expect(head('cors.example')).toContain('Access-Control-Allow-Origin: *');
    expect(head('cors.example', '/', '-d', 'x'.repeat(2000))).toContain('413 Request Entity Too Large');
  });

  it('sends a share to a canary, and all of those who ask for it', () => {
    ingress('stable', 'canary.example', [path('/', 'shop')]);
    ingress('canary', 'canary.example', [path('/', 'blog')], { canary: 'true', 'canary-weight': '30', 'canary-by-header': 'X-Canary' });
    expect(get('canary.example', '/', '-H', 'X-Canary: always').out).toBe('blog\n');
    expect(get('canary.example', '/', '-H', 'X-Canary: never').out).toBe('shop\n');
    const answers = Array.from({ length: 40 }, () => get('canary.example').out);
    const share = answers.filter(a => a === 'blog\n').length;
    expect(share).toBeGreaterThan(3);
    expect(share).toBeLessThan(24);
  });

  it('keeps a client at its endpoint with a cookie', () => {
    c.must('scale deploy shop --replicas=3');
    c.must('rollout status deploy shop');
    ingress('sticky', 'sticky.example', [path('/', 'shop')], { affinity: 'cookie', 'session-cookie-name': 'route' });
    const cookie = /Set-Cookie: (route=\w+)/.exec(head('sticky.example'))?.[1] ?? '';
    expect(cookie).not.toBe('');
    for (let i = 0; i < 4; i++) get('sticky.example', '/', '-H', `Cookie: ${cookie}`);
    const used = c.must('-n ingress-nginx logs deploy/ingress-nginx-controller --tail=4').match(/\] (\S+:5678) /g) ?? [];
    expect(new Set(used).size).toBe(1);
  });

  it('sends to https where a host has a certificate, and shows it', () => {
    c.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'site-tls' },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': CERTIFICATE, 'tls.key': KEY },
    });
    ingress('secure', 'secure.example', [path('/', 'shop')], {}, { tls: [{ hosts: ['secure.example'], secretName: 'site-tls' }] });
    expect(head('secure.example')).toMatch(/308 Permanent Redirect[\s\S]*Location: https:\/\/secure\.example\/\r/);
    const https = (...flags: string[]) =>
      c.external(['curl', '-sS', '-i', ...flags, '--resolve', `secure.example:443:${ip}`, 'https://secure.example/']);
    expect(https().err).toContain('self-signed certificate');
    expect(https('-k').out).toMatch(/^HTTP\/2 200 \r\n[\s\S]*strict-transport-security[\s\S]*shop\n$/);
    expect(https('-k', '--http1.1').out).toMatch(/^HTTP\/1.1 200[\s\S]*Strict-Transport-Security[\s\S]*shop\n$/);
    expect(c.external(['curl', '-sS', `http://${ip}:443/`]).out).toContain('The plain HTTP request was sent to HTTPS port');
  });

  it('logs what it takes, what it leaves alone, and what is not there', () => {
    const log = () =>
      c
        .must('-n ingress-nginx logs deploy/ingress-nginx-controller')
        .split('\n')
        .map(l => l.replace(/^.*? +7 /, ''));
    expect(log()).toContain('controller.go:227] "Initial sync, sleeping for 1 second"');
    ingress('told', 'told.example', [path('/', 'nowhere')], {}, { tls: [{ hosts: ['told.example'], secretName: 'nothing' }] });
    ingress('classless', 'told.example', [path('/', 'shop')], {}, { ingressClassName: undefined });
    c.rest();
    const said = log().filter(l => !l.startsWith('event.go'));
    const at = said.indexOf('store.go:440] "Found valid IngressClass" ingress="default/told" ingressclass="nginx"');
    expect(said.slice(at + 1, at + 6)).toEqual(
      expect.arrayContaining([
        'controller.go:1108] Error obtaining Endpoints for Service "default/nowhere": no object matching key "default/nowhere" in local store',
        'controller.go:1486] Error getting SSL certificate "default/nothing": local SSL certificate default/nothing was not found. Using default certificate',
        'controller.go:196] "Configuration changes detected, backend reload required"',
        'controller.go:216] "Backend successfully reloaded"',
      ]),
    );
    expect(said).toContain(
      `status.go:304] "updating Ingress status" namespace="default" ingress="told" currentValue=null newValue=[{"ip":"${ip}"}]`,
    );
    expect(said).toContain(
      'store.go:436] "Ignoring ingress because of error while validating ingress class" ingress="default/classless" error="ingress does not contain a valid IngressClass"',
    );
    // Its own status is a change too.
    expect(c.must('describe ingress told')).toMatch(/Sync +\S+ \(x2 over \S+\) +nginx-ingress-controller +Scheduled for sync/);
    const reloads = () => log().filter(l => l.includes('reload required')).length;
    const before = reloads();
    c.must('scale deployment shop --replicas=2');
    c.rest();
    expect(reloads()).toBe(before);
    c.must('scale deployment shop --replicas=1');
    c.must('delete ingress told classless');
  });

  it('says which annotations do nothing', () => {
    ingress('odd', 'odd.example', [path('/', 'shop')], { 'enable-modsecurity': 'true' });
    expect(c.must('-n ingress-nginx logs deploy/ingress-nginx-controller')).toContain('annotation="enable-modsecurity"');
  });

  it('tells its version and its backends to who looks into its container', () => {
    const inside = (...argv: string[]) => c.must(['-n', 'ingress-nginx', 'exec', 'deploy/ingress-nginx-controller', '--', ...argv]);
    const version = inside('/nginx-ingress-controller', '--version');
    expect(version).toContain('Release:       v1.13.3');
    expect(c.must('-n ingress-nginx logs deploy/ingress-nginx-controller').startsWith(version)).toBe(true);
    expect(inside('/dbg', 'backends', 'list').split('\n')).toEqual(expect.arrayContaining(['default-shop-80', 'upstream-default-backend']));
  });

  it('takes an Ingress away with its object', () => {
    c.must('delete ingress site');
    c.rest();
    expect(head('site.example')).toContain('404 Not Found');
  });
});

describe('ingress-nginx where nothing balances', () => {
  it('is reached on the control plane’s own ports', async () => {
    const objects = await addonNamed('ingress-nginx')!.manifest(addonNamed('ingress-nginx')!.withoutBalancers as string);
    const small = await testCluster(clusterConfig({ nodes: 1, loadBalancer: 'none' }));
    small.must('apply -f -', objects.map(o => JSON.stringify(o)).join('\n---\n'));
    small.apply(...echo('shop'));
    small.must('create ingress shop --class=nginx --rule=shop.example/*=shop:80');
    small.rest();
    small.rest();
    const node = small.must(['get', 'node', 'control-plane', '-o', 'jsonpath={.status.addresses[0].address}']);
    expect(small.must('get ingress shop -o jsonpath={.status.loadBalancer.ingress[0].ip}')).toBe(node);
    expect(small.external(['curl', '-s', '--resolve', `shop.example:80:${node}`, 'http://shop.example/']).out).toBe('shop\n');
  }, 60_000);
});
