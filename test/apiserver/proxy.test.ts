// services/proxy, pods/proxy, nodes/proxy between the client's request and the program's answer; the network is the test's own.
import { beforeEach, describe, expect, it } from 'vitest';
import { httpRequest } from '../../src/apiserver/http/request.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer, ProxiedReply, ProxiedRequest, ProxyPlace } from '../../src/apiserver/types.ts';
import { bytesToString, stringToBytes } from '../../src/sim/bytes.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';
import { startTask } from '../../src/sim/task.ts';

let server: ApiServer;
let seen: { to: ProxyPlace; req: ProxiedRequest } | null;
let answer: ProxiedReply | { error: string };

const put = (resource: string, body: any) => {
  const namespace = resource === 'nodes' || resource === 'namespaces' ? undefined : 'default';
  const at = { group: '', version: 'v1', resource, namespace, name: body.metadata.name, body: { apiVersion: 'v1', ...body } };
  expect(handle(server, { ...at, verb: 'create' }).body).not.toMatchObject({ status: 'Failure' });
  if (body.status) expect(handle(server, { ...at, verb: 'update', subresource: 'status' }).code).toBe(200);
};
const pod = (name: string, ip: string, ports: number[] = []) =>
  put('pods', {
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'i', ports: ports.map(containerPort => ({ containerPort })) }] },
    status: { podIP: ip, podIPs: ip ? [{ ip }] : [] },
  });
const endpoints = (name: string, addresses: object[], ports: object[]) =>
  put('endpoints', { kind: 'Endpoints', metadata: { name }, subsets: [{ addresses, ports }] });

beforeEach(() => {
  server = newApiServer(newSim(Date.UTC(2026, 10, 21), newRandom(1)), newRandom(2));
  seen = null;
  answer = { code: 200, headers: [], body: stringToBytes('hi') };
  server.proxyTransport = function* (to, req) {
    seen = { to, req };
    return answer;
  };
  put('namespaces', { kind: 'Namespace', metadata: { name: 'default' } });
  pod('web', '10.244.1.2', [8080, 9090]);
});

type Headers = Record<string, string>;
const backend = { userOfToken: (t: string) => (t === 'admin' ? 'kubernetes-admin' : null), fromYaml: () => ({ error: '' }) };

function ask(method: string, target: string, headers: Headers = {}, body = '') {
  const all = { authorization: 'Bearer admin', host: '192.168.1.2:6443', 'user-agent': 'test/1.0', ...headers };
  const codecs = { ...backend, toYaml: String, jsonError: String };
  const got = httpRequest(server, codecs, { method, target, headers: all, body: stringToBytes(body), remote: '192.168.1.9' });
  if (got.kind === 'reply') return { ...got.reply, text: got.reply.body };
  if (got.kind !== 'proxy') throw new Error(`${target} is a ${got.kind}`);
  const reply = startTask(server.sim, got.proxy()).result as ProxiedReply;
  return { ...reply, text: bytesToString(reply.body) };
}
const told = (target: string) => {
  const { code, text } = ask('GET', target);
  const { message, reason, details } = JSON.parse(text);
  return [code, reason, message, details];
};
const PODS = '/api/v1/namespaces/default/pods';
const SERVICES = '/api/v1/namespaces/default/services';

describe('where a request goes on to', () => {
  const placeOf = (target: string) => {
    seen = null;
    ask('GET', target);
    return seen && `${(seen as { to: ProxyPlace }).to.scheme} ${(seen as { to: ProxyPlace }).to.host}`;
  };

  it('is a pod at the first port of its containers, unless a port is named', () => {
    pod('bare', '10.244.1.3');
    pod('six', 'fd00::7');
    expect(placeOf(`${PODS}/web/proxy/`)).toBe('http 10.244.1.2:8080');
    expect(placeOf(`${PODS}/web:81/proxy/`)).toBe('http 10.244.1.2:81');
    expect(placeOf(`${PODS}/https:web:/proxy/`)).toBe('https 10.244.1.2:8080');
    expect(placeOf(`${PODS}/bare/proxy/`)).toBe('http 10.244.1.3');
    expect(placeOf(`${PODS}/six:443/proxy/`)).toBe('http [fd00::7]:443');
  });

  it('is no pod without an address that all may reach', () => {
    for (const [name, ip] of Object.entries({ none: '', loop: '127.0.0.1', local: '169.254.3.4', many: '224.0.0.1', six: 'fe80::1' })) {
      pod(name, ip);
      expect(told(`${PODS}/${name}/proxy/`)).toEqual([400, 'BadRequest', 'address not allowed', undefined]);
    }
    expect(told(`${PODS}/ftp:web:21/proxy/`)).toEqual([400, 'BadRequest', 'invalid pod request "ftp:web:21"', undefined]);
    expect(told(`${PODS}/gone/proxy/`).slice(0, 3)).toEqual([404, 'NotFound', 'pods "gone" not found']);
  });

  it('is one of the addresses behind a Service that are of its own pods', () => {
    const ref = { kind: 'Pod', name: 'web', namespace: 'default' };
    put('services', {
      kind: 'Service',
      metadata: { name: 'web' },
      spec: {
        ports: [
          { name: 'main', port: 80 },
          { name: 'more', port: 81 },
        ],
      },
    });
    const none = (id: string) => [503, 'ServiceUnavailable', `no endpoints available for service "${id}"`, undefined];
    expect(told(`${SERVICES}/web/proxy/`).slice(0, 3)).toEqual([404, 'NotFound', 'services "web" not found']);
    endpoints(
      'web',
      [{ ip: '10.244.9.9' }, { ip: '10.244.1.7', targetRef: ref }, { ip: '10.244.1.2', targetRef: ref }],
      [{ name: 'main', port: 8080 }],
    );
    for (let i = 0; i < 10; i++) expect(placeOf(`${SERVICES}/web:main/proxy/`)).toBe('http 10.244.1.2:8080');
    expect(placeOf(`${SERVICES}/https:web:80/proxy/`)).toBe('https 10.244.1.2:8080');
    expect(told(`${SERVICES}/web/proxy/`)).toEqual(none('web'));
    expect(told(`${SERVICES}/web:81/proxy/`)).toEqual(none('web:81'));
    expect(told(`${SERVICES}/web:82/proxy/`)[2]).toBe('no service port 82 found for service "web"');
    endpoints('hand', [{ ip: '10.244.1.2' }], [{ port: 8080 }]);
    expect(told(`${SERVICES}/hand/proxy/`)).toEqual(none('hand'));
  });

  it("is a node at its kubelet's port, with the server's certificate, or at another", () => {
    const addresses = [
      { type: 'Hostname', address: 'n' },
      { type: 'InternalIP', address: '192.168.1.10' },
    ];
    put('nodes', { kind: 'Node', metadata: { name: 'n' }, status: { addresses, daemonEndpoints: { kubeletEndpoint: { Port: 10250 } } } });
    put('nodes', { kind: 'Node', metadata: { name: 'bare' } });
    for (const id of ['n', 'n:10250', 'http:n:']) {
      expect(placeOf(`/api/v1/nodes/${id}/proxy/pods`)).toBe('https 192.168.1.10:10250');
      expect((seen as unknown as { to: ProxyPlace }).to.kubelet).toBe(true);
    }
    expect(placeOf('/api/v1/nodes/n:10256/proxy/healthz')).toBe('http 192.168.1.10:10256');
    expect((seen as unknown as { to: ProxyPlace }).to.kubelet).toBe(false);
    expect(told('/api/v1/nodes/bare/proxy/')).toEqual([500, undefined, 'no preferred addresses found; known addresses: []', undefined]);
  });
});

describe('what is asked there', () => {
  const request = (method: string, target: string, headers: Headers = {}, body = '') => {
    ask(method, target, headers, body);
    return (seen as unknown as { req: ProxiedRequest }).req;
  };

  it('has the path behind proxy, cleaned, and the query as it is', () => {
    const at = (tail: string) => request('GET', `${PODS}/web/proxy${tail}`).target;
    expect(at('/')).toBe('/');
    expect(at('/a/b?x=1&y=%20')).toBe('/a/b?x=1&y=%20');
    expect(at('/a//b/../c/')).toBe('/a/c/');
    expect(at('/a%20b%2Fc')).toBe('/a%20b/c');
    expect(at("/it's(1)!")).toBe('/it%27s%281%29%21');
    expect(request('POST', `${PODS}/web/proxy`).target).toBe('/');
  });

  it('has the headers of the client in the order of Go, without those of its connection', () => {
    const sent = { accept: '*/*', connection: 'keep-alive, x-mine', 'x-mine': '1', 'impersonate-uid': 'u', 'x-forwarded-for': '10.0.0.1' };
    expect(request('POST', `${PODS}/web/proxy/a/`, sent, 'body')).toEqual({
      method: 'POST',
      target: '/a/',
      headers: [
        ['Host', '192.168.1.2:6443'],
        ['User-Agent', 'test/1.0'],
        ['Content-Length', '4'],
        ['Accept', '*/*'],
        ['X-Forwarded-For', '10.0.0.1, 192.168.1.9'],
        ['X-Forwarded-Uri', `${PODS}/web/proxy/a/`],
        ['Accept-Encoding', 'gzip'],
      ],
      body: stringToBytes('body'),
    });
  });

  it('has a body of unknown length go on as one', () => {
    const { headers } = request('POST', `${PODS}/web/proxy`, { 'transfer-encoding': 'chunked' }, 'body');
    expect(headers[2]).toEqual(['Transfer-Encoding', 'chunked']);
    expect(headers).toContainEqual(['X-Forwarded-Uri', `${PODS}/web/proxy/`]);
  });

  it('is nothing for a path without its last slash: the client is sent to it', () => {
    for (const method of ['GET', 'HEAD']) {
      const { code, headers } = ask(method, `${PODS}/web/proxy?a=1`);
      expect([code, headers]).toEqual([301, [['Location', `${PODS}/web/proxy/?a=1`]]]);
    }
    expect(seen).toBe(null);
  });

  it('is only what the method allows whom', () => {
    const as = (user: string) => ({ 'impersonate-user': user });
    const refused = ask('DELETE', `${PODS}/web:81/proxy/x`, as('ann'));
    expect([refused.code, JSON.parse(refused.text).message]).toEqual([
      403,
      'pods "web:81" is forbidden: User "ann" cannot delete resource "pods/proxy" in API group "" in the namespace "default"',
    ]);
    expect(ask('TRACE', `${PODS}/web/proxy/`).code).toBe(405);
    expect(ask('OPTIONS', `${PODS}/web/proxy/`).code).toBe(200);
    expect(ask('GET', `${PODS}/web/proxy/`, { connection: 'Upgrade', upgrade: 'websocket' }).code).toBe(501);
  });
});

describe('what comes back', () => {
  const page = (headers: [string, string][], body: string) => {
    answer = { code: 200, headers, body: stringToBytes(body) };
    return ask('GET', `${PODS}/web/proxy/foo`);
  };
  const HTML: [string, string] = ['Content-Type', 'text/html; charset=utf-8'];

  it('has lost what belongs to the connection there', () => {
    const { headers, text } = page(
      [
        ['Connection', 'close, X-Own'],
        ['X-Own', '1'],
        ['Access-Control-Allow-Origin', '*'],
        ['Server', 's'],
      ],
      '<a href="/x">',
    );
    expect([headers, text]).toEqual([[['Server', 's']], '<a href="/x">']);
  });

  // Pairs as apimachinery v0.36.3 makes them.
  it.each([
    ['<A  HREF=/x>x</a><img src="y" alt=z />', `<a href="${PODS}/web/proxy/x">x</a><img src="y" alt="z"/>`],
    ['<a href="http://10.244.1.2:8080/x/?q#f">', `<a href="${PODS}/web/proxy/x/?q#f">`],
    ['<a href="http://192.168.1.2:6443/x">', `<a href="http://192.168.1.2:6443${PODS}/web/proxy/x">`],
    ['<a href="https://other/x"><a href="#">', '<a href="https://other/x"><a href="">'],
    [`<a href='${PODS}/web/proxy/in'>`, `<a href="${PODS}/web/proxy/in">`],
    ['<script>"<a href=/x>"</script><!-- <a href=/x> --><p title=/x>', '<script>"<a href=/x>"</script><!-- <a href=/x> --><p title="/x">'],
    ['<form action="/a?b=1&amp;c=\'2\'">', `<form action="${PODS}/web/proxy/a?b=1&amp;c=&#39;2&#39;">`],
    ['<a href=/a/ x><a href="/%zz">', `<a href="${PODS}/web/proxy/a/" x=""><a href="/%zz">`],
    ['1 < 2 <a href', '1 < 2 '],
  ])('%s has its links put right', (given, wanted) => {
    const { headers, text } = page([HTML, ['Content-Length', '3']], given);
    expect([text, headers]).toEqual([wanted, [HTML, ['Content-Length', String(wanted.length)]]]);
  });

  it('is left alone in an encoding', () => {
    expect(page([HTML, ['Content-Encoding', 'br']], '<a href=/x>').text).toBe('<a href=/x>');
  });

  it('sends on to the same place through the server', () => {
    const to = (location: string) => page([['Location', location]], '').headers[0][1];
    expect(to('/login')).toBe(`${PODS}/web/proxy/login`);
    expect(to('http://10.244.1.2:8080/')).toBe(`${PODS}/web/proxy/`);
    expect(to('http://elsewhere/')).toBe('http://elsewhere/');
    expect(to('next')).toBe('next');
    const broken = page([['Location', '/%zz']], '');
    expect(JSON.parse(broken.text).message).toBe(
      'Internal error occurred: error trying to parse Location header: parse "/%zz": invalid URL escape "%zz"',
    );
  });

  it('is a failure of the service when nothing did', () => {
    answer = { error: 'dial tcp 10.244.1.2:8080: i/o timeout' };
    const wanted = 'error trying to reach service: dial tcp 10.244.1.2:8080: i/o timeout';
    expect(told(`${PODS}/web/proxy/`)).toEqual([503, 'ServiceUnavailable', wanted, undefined]);
  });
});
