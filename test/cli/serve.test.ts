// `podnet serve` as clients of its port see it: one cluster with the commands that run meanwhile.
import { X509Certificate } from 'node:crypto';
import * as fs from 'node:fs';
import { get, request } from 'node:https';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFrame } from '../../src/cli/serve/websocket.ts';
import { type Background, background, end, type Home, newHome, removeHome, sh, until } from './machine.ts';

let home: Home;
let server: Background;
let port: number;
let ca: string;
let token: string;

beforeAll(async () => {
  home = newHome();
  server = await background(home, 'podnet serve', /serve\.kubeconfig\n/);
  const config = fs.readFileSync(join(home.path, 'serve.kubeconfig'), 'utf8');
  port = Number(/server: https:\/\/127\.0\.0\.1:(\d+)\n/.exec(config)?.[1]);
  ca = Buffer.from(/certificate-authority-data: (\S+)/.exec(config)?.[1] ?? '', 'base64').toString();
  token = /token: (\S+)/.exec(config)?.[1] ?? '';
  expect((await sh(home, 'kubectl run web --image=nginx')).code).toBe(0);
}, 60_000);
afterAll(() => removeHome(home));

const options = (path: string, method = 'GET') => ({
  host: '127.0.0.1',
  port,
  ca,
  path,
  method,
  headers: { authorization: `Bearer ${token}` },
});

function call(path: string, method = 'GET', body?: object): Promise<any> {
  return new Promise((done, fail) => {
    const req = request(options(path, method), res => {
      let text = '';
      res.on('data', chunk => (text += chunk));
      res.on('end', () => done(JSON.parse(text)));
    });
    req.on('error', fail);
    if (body) req.setHeader('content-type', 'application/json').write(JSON.stringify(body));
    req.end();
  });
}

interface Watching {
  events: { type: string; object: any }[];
  names: () => string[];
  over: Promise<void>;
  close: () => void;
}

function watch(path: string): Promise<Watching> {
  return new Promise((done, fail) => {
    const req = get(options(path), res => {
      const events: Watching['events'] = [];
      let text = '';
      res.on('data', chunk => {
        text += chunk;
        for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
          events.push(JSON.parse(text.slice(0, at)));
          text = text.slice(at + 1);
        }
      });
      const over = new Promise<void>(r => res.on('close', r));
      done({ events, over, names: () => events.map(e => `${e.type} ${e.object.metadata?.name ?? ''}`), close: () => void req.destroy() });
    });
    req.on('error', fail);
  });
}

/** A WebSocket client that writes and reads whole messages. */
function webSocket(path: string, protocol: string) {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca });
  const messages: Buffer[] = [];
  const state = { head: '', closed: false };
  let bytes = Buffer.alloc(0);
  socket.on('data', chunk => {
    bytes = Buffer.concat([bytes, chunk]);
    if (!state.head) {
      const at = bytes.indexOf('\r\n\r\n');
      if (at < 0) return;
      state.head = bytes.subarray(0, at).toString();
      bytes = bytes.subarray(at + 4);
    }
    for (let f = parseFrame(bytes); f && f !== 'bad'; f = parseFrame(bytes)) {
      bytes = bytes.subarray(f.size);
      if (f.opcode === 8) state.closed = true;
      else messages.push(f.data);
    }
  });
  socket.on('error', () => {});
  const head = [
    'Host: x',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  socket.write(
    [`GET ${path} HTTP/1.1`, ...head, `Sec-WebSocket-Protocol: ${protocol}`, `Authorization: Bearer ${token}`, '', ''].join('\r\n'),
  );
  const send = (...data: number[]) => {
    const mask = [1, 2, 3, 4];
    socket.write(Buffer.from([0x82, 0x80 | data.length, ...mask, ...data.map((b, i) => b ^ mask[i & 3])]));
  };
  /** What came on one channel. */
  const said = (channel: number) => Buffer.concat(messages.filter(m => m[0] === channel).map(m => m.subarray(1))).toString();
  return { socket, state, send, said };
}

const MAPS = '/api/v1/namespaces/default/configmaps';
const put = (name: string) => call(MAPS, 'POST', { metadata: { name } });
const EXEC = '/api/v1/namespaces/default/pods/web/exec';

describe('podnet serve', () => {
  it('has a certificate for the loopback that the kubeconfig trusts', () => {
    const cert = new X509Certificate(ca);
    expect(cert.verify(cert.publicKey)).toBe(true);
    expect([cert.checkIP('127.0.0.1'), cert.checkHost('localhost'), cert.ca]).toEqual(['127.0.0.1', 'localhost', true]);
    expect(fs.statSync(join(home.path, 'serve.kubeconfig')).mode & 0o777).toBe(0o600);
  });

  it('and commands see one cluster, in both directions', async () => {
    expect((await put('from-client')).metadata.name).toBe('from-client');
    expect((await sh(home, 'kubectl get configmap from-client -o name')).stdout).toBe('configmap/from-client\n');
    await sh(home, 'kubectl create configmap from-command');
    expect((await call(`${MAPS}/from-command`)).kind).toBe('ConfigMap');
  }, 30_000);

  it('tells watches what clients and commands do, from a revision on, and where the beginning ends', async () => {
    const list = await call(MAPS);
    const w = await watch(`${MAPS}?watch=1&resourceVersion=${list.metadata.resourceVersion}`);
    await put('seen-1');
    await sh(home, 'kubectl create configmap seen-2');
    await call(`${MAPS}/seen-1`, 'DELETE');
    const all = ['ADDED seen-1', 'ADDED seen-2', 'DELETED seen-1'];
    await until(() => w.events.length >= 3);
    expect(w.names()).toEqual(all);
    const [added, , deleted] = w.events;
    expect(Number(deleted.object.metadata.resourceVersion)).toBeGreaterThan(Number(added.object.metadata.resourceVersion));
    w.close();
    // Resumed behind the first event: the rest comes again.
    const again = await watch(`${MAPS}?watch=1&resourceVersion=${added.object.metadata.resourceVersion}&timeoutSeconds=1`);
    await again.over;
    expect(again.names()).toEqual(all.slice(1));
    const streamed = await watch(
      `${MAPS}?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name=seen-2`,
    );
    await streamed.over;
    expect(streamed.names()).toEqual(['ADDED seen-2', 'BOOKMARK ']);
    expect(streamed.events[1].object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    const old = await watch(`${MAPS}?watch=1&resourceVersion=1`);
    await old.over;
    expect(old.events).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
    // From a revision on that has not come yet: nothing before it is told.
    const ahead = await watch(`${MAPS}?watch=1&resourceVersion=999999999&timeoutSeconds=1`);
    await put('too-early');
    await ahead.over;
    expect(ahead.events).toEqual([]);
  }, 30_000);

  it('runs commands in pods over WebSocket, with their streams apart and their exit code at the end', async () => {
    const command = ['sh', '-c', 'read x; echo "got $x"; echo no >&2; exit 4'].map(w => `&command=${encodeURIComponent(w)}`).join('');
    const ws = webSocket(`${EXEC}?stdin=true&stdout=true&stderr=true${command}`, 'v5.channel.k8s.io');
    await until(() => ws.state.head !== '');
    expect(ws.state.head).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    ws.send(0, ...Buffer.from('it\n'));
    await until(() => ws.state.closed);
    expect([ws.said(1), ws.said(2)]).toEqual(['got it\n', 'no\n']);
    expect(JSON.parse(ws.said(3))).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ message: '4' }] } });
    ws.socket.destroy();
    const cat = webSocket(`${EXEC}?stdin=true&stdout=true&command=cat`, 'v5.channel.k8s.io');
    await until(() => cat.state.head !== '');
    cat.send(0, ...Buffer.from('abc'));
    cat.send(255, 0); // v5: no more stdin
    await until(() => cat.state.closed);
    expect([cat.said(1), JSON.parse(cat.said(3)).status]).toEqual(['abc', 'Success']);
    cat.socket.destroy();
  }, 30_000);

  it('does not tell who is attached how the container ended', async () => {
    const waits = { name: 'c', image: 'busybox:1.36', stdin: true, command: ['sh', '-c', 'read x; echo bye; exit 3'] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'ends' }, spec: { restartPolicy: 'Never', containers: [waits] } };
    await call('/api/v1/namespaces/default/pods', 'POST', pod);
    await sh(home, 'kubectl wait --for=condition=Ready pod/ends');
    const ws = webSocket('/api/v1/namespaces/default/pods/ends/attach?stdin=true&stdout=true&stderr=true', 'v5.channel.k8s.io');
    await until(() => ws.state.head !== '');
    ws.send(0, ...Buffer.from('go\n'));
    await until(() => ws.state.closed);
    expect([ws.said(1), JSON.parse(ws.said(3))]).toEqual(['bye\n', { metadata: {}, status: 'Success' }]);
    ws.socket.destroy();
  }, 30_000);

  it('refuses what it cannot upgrade', async () => {
    const odd = webSocket(`${EXEC}?stdout=true&command=ls`, 'v9.example');
    await until(() => odd.state.head !== '');
    expect(odd.state.head).toMatch(/^HTTP\/1\.1 403 /);
    const nobody = webSocket('/api/v1/namespaces/default/pods/nobody/exec?command=ls', 'v5.channel.k8s.io');
    await until(() => nobody.state.head !== '');
    expect(nobody.state.head).toMatch(/^HTTP\/1\.1 404 /);
  }, 30_000);

  it('forwards ports over WebSocket', async () => {
    const ws = webSocket('/api/v1/namespaces/default/pods/web/portforward?ports=80', 'v4.channel.k8s.io');
    await until(() => ws.state.head !== '');
    ws.send(0, ...Buffer.from('GET / HTTP/1.0\r\n\r\n'));
    await until(() => ws.said(0).includes('</html>'));
    // Each channel begins with its port.
    expect(ws.said(0).slice(0, 10)).toBe('P\0HTTP/1.1');
    expect(ws.said(1)).toBe('P\0');
    ws.socket.destroy();
  }, 30_000);

  it('takes no port that somebody has, no nonsense, and no cluster that nobody else sees', async () => {
    expect(await sh(home, `podnet serve --port ${port}`)).toEqual({
      stdout: '',
      stderr: `podnet: port ${port} of 127.0.0.1 is taken; without --port a free one is found\n`,
      code: 1,
    });
    expect((await sh(home, 'podnet serve --port many')).stderr).toBe('podnet: --port: "many" is not a port\n');
    expect((await sh(home, 'podnet serve --colour')).stderr).toContain("unknown option '--colour'");
    expect((await sh(home, `podnet --with ${home.path} serve`)).stderr).toMatch(/^podnet: (serve shares a cluster|--with)/);
    expect((await sh(home, 'podnet serve --help')).stdout).toContain('--port <n>');
  }, 60_000);

  it('ends with an interrupt, and takes its kubeconfig away', async () => {
    expect(await end(server.process, 'SIGINT')).toBe(0);
    expect(fs.existsSync(join(home.path, 'serve.kubeconfig'))).toBe(false);
    expect(server.text.stderr).toBe('');
  }, 30_000);
});
