import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { background, end, fetchText, type Home, newHome, removeHome, run, sh } from './machine.ts';

let home: Home;
beforeAll(async () => {
  home = newHome();
  expect((await sh(home, 'kubectl create configmap words --from-literal=a=1')).code).toBe(0);
}, 60_000);
afterAll(() => removeHome(home));

const SERVING = /^Starting to serve on 127\.0\.0\.1:(\d+)\n/;

describe('kubectl proxy', () => {
  it('serves the API by plain HTTP as it is by then, without what its filter refuses', async () => {
    const proxy = await background(home, 'kubectl proxy --port=0 --api-prefix=/k8s', SERVING);
    const at = `http://127.0.0.1:${SERVING.exec(proxy.text.stdout)?.[1]}`;
    const words = `${at}/k8s/api/v1/namespaces/default/configmaps/words`;
    expect(JSON.parse(await fetchText(words))).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } });
    await sh(home, 'kubectl label configmap words b=2');
    expect(JSON.parse(await fetchText(words)).metadata.labels).toEqual({ b: '2' });
    expect(await fetchText(`${at}/k8s/api/v1/namespaces/default/pods/p/exec`)).toBe('Forbidden\n');
    expect(await fetchText(`${at}/api/v1`)).toBe('404 page not found\n');
    await end(proxy.process, 'SIGINT');
    expect(proxy.text.stderr).toBe('');
  }, 60_000);

  it('serves files of a folder beside it', async () => {
    mkdirSync(join(home.path, 'www/more'), { recursive: true });
    writeFileSync(join(home.path, 'www/index.html'), '<p>here</p>');
    writeFileSync(join(home.path, 'www/more/a b.css'), 'a{}');
    const proxy = await background(home, ['kubectl', 'proxy', '--port=0', '--www=www', '--accept-hosts=^*$', '--reject-paths='], SERVING);
    const at = `http://127.0.0.1:${SERVING.exec(proxy.text.stdout)?.[1]}`;
    expect(await fetchText(`${at}/static/`)).toBe('<p>here</p>');
    expect(await fetchText(`${at}/static`)).toBe('<a href="/static/">Temporary Redirect</a>.\n\n');
    expect(await fetchText(`${at}/static/more/`)).toContain('\n<pre>\n<a href="a%20b.css">a b.css</a>\n</pre>\n');
    expect(await fetchText(`${at}/static/more/a%20b.css`)).toBe('a{}');
    expect(await fetchText(`${at}/static/../../config`)).not.toContain('kind');
    expect(await fetchText(`${at}/static/nosuch`)).toBe('404 page not found\n');
    // No path is refused any more.
    expect(JSON.parse(await fetchText(`${at}/api/v1/namespaces/default/pods/p/exec`))).toMatchObject({ reason: 'NotFound' });
    await end(proxy.process, 'SIGINT');
    expect(proxy.text.stderr).toBe('');
  }, 60_000);

  it('passes requests on to programs of the cluster, as the API server does', async () => {
    const image = '--image=registry.k8s.io/e2e-test-images/agnhost:2.53';
    await run(home, ['kubectl', 'run', 'web', image, '--port=8080', '--expose', '--', 'netexec']);
    const socket = join(home.path, 's');
    writeFileSync(join(home.path, 'taken'), '');
    const proxy = await background(home, `kubectl proxy --unix-socket=${socket}`, /^Starting to serve on .*\/s\n/);
    const ask = (path: string, method = 'GET') => overSocket(socket, method, path);
    const web = '/api/v1/namespaces/default/services/web:8080/proxy';
    expect((await ask(`${web}/header?key=X-Forwarded-For`)).body).toBe('192.168.1.2');
    expect((await ask(`${web}/echo?msg=x`, 'POST')).body).toBe('x');
    expect(await ask(web)).toMatchObject({ code: 301, headers: { location: `${web}/` } });
    expect(JSON.parse((await ask('/api/v1/namespaces/default/pods/web:1/proxy/')).body).message).toMatch(
      /^error trying to reach service: dial tcp 10\.244\.\d+\.\d+:1: connect: connection refused$/,
    );
    await end(proxy.process, 'SIGINT');
    expect((await sh(home, 'kubectl proxy --unix-socket=taken')).stderr).toBe('error: listen unix taken: bind: address already in use\n');
  }, 60_000);

  it('refuses what kubectl refuses', async () => {
    const told = async (flags: string) => {
      const { stderr, code } = await sh(home, `kubectl proxy ${flags}`);
      return [code, stderr.replace(/[IWF]\d{4} [\d:.]+ +\d+ /g, '')];
    };
    expect(await told('--port=1 --unix-socket=s')).toEqual([1, 'error: cannot set --unix-socket and --port at the same time\n']);
    expect(await told('--unix-socket=no/s')).toEqual([1, 'error: listen unix no/s: bind: no such file or directory\n']);
    expect(await told('--port=70000')).toEqual([1, 'error: listen tcp: address 70000: invalid port\n']);
    expect(await told('--address=::1')).toEqual([1, 'error: listen tcp: address ::1:8001: too many colons in address\n']);
    expect(await told('--accept-paths=(')).toEqual([
      255,
      'proxy_server.go:83] Error compiling re: error parsing regexp: missing closing ): `(`\n',
    ]);
  }, 60_000);
});

/** A request over a Unix socket. */
function overSocket(socketPath: string, method: string, path: string): Promise<{ code?: number; headers: object; body: string }> {
  return new Promise((done, fail) => {
    const req = request({ socketPath, method, path, agent: false, headers: { host: 'localhost' } }, res => {
      let body = '';
      res.on('data', chunk => (body += chunk));
      res.on('end', () => done({ code: res.statusCode, headers: res.headers, body }));
    });
    req.on('error', fail);
    req.end();
  });
}
