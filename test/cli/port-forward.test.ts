import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { background, end, fetchText, type Home, newHome, removeHome, sh, until } from './machine.ts';

let home: Home;
beforeAll(async () => {
  home = newHome();
  expect((await sh(home, 'kubectl create deployment shop --image=nginx --port=80')).code).toBe(0);
  expect((await sh(home, 'kubectl expose deployment shop --port=8000 --target-port=80')).code).toBe(0);
}, 60_000);
afterAll(() => removeHome(home));

const FORWARDING = /^Forwarding from 127\.0\.0\.1:(\d+) -> 80\n/;

describe('kubectl port-forward', () => {
  it('listens on the loopback and reaches the pod, also after other commands, until an interrupt ends it', async () => {
    const pf = await background(home, 'kubectl port-forward deployment/shop :80', FORWARDING);
    const port = FORWARDING.exec(pf.text.stdout)?.[1];
    expect(await fetchText(`http://127.0.0.1:${port}/`)).toContain('Welcome to nginx!');
    const page = 'printf "fresh from the pod" > /usr/share/nginx/html/index.html';
    const pod = (await sh(home, 'kubectl get pods -o name')).stdout.trim();
    expect((await sh(home, `kubectl exec -i ${pod} -- sh`, page)).code).toBe(0);
    expect(await fetchText(`http://127.0.0.1:${port}/`)).toBe('fresh from the pod');
    expect(pf.text.stdout.endsWith(`Handling connection for ${port}\nHandling connection for ${port}\n`)).toBe(true);
    expect(await end(pf.process, 'SIGINT')).toBe(0);
    expect(pf.text.stderr).toBe('');
    // The server was started anew for each command, and says only once what it has said before.
    const log = (await sh(home, `kubectl logs ${pod}`)).stdout.split('\n');
    expect(log.filter(l => l.includes('"GET / HTTP/1.1" 200')).length).toBe(2);
    expect(log.filter(l => l.includes('start worker processes')).length).toBe(1);
  }, 60_000);

  it("forwards a Service's port to the pod's own, on the address that is asked for", async () => {
    const pf = await background(home, 'kubectl port-forward --address 127.0.0.1 service/shop :8000', FORWARDING);
    expect(pf.text.stdout).not.toContain('[::1]');
    expect(await fetchText(`http://127.0.0.1:${FORWARDING.exec(pf.text.stdout)?.[1]}/`)).not.toBe('');
    await end(pf.process, 'SIGTERM');
  }, 60_000);

  it('says what is wrong with a port that somebody has', async () => {
    const server = createServer();
    const port = await new Promise<number>(done => server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port)));
    const pf = await sh(home, `kubectl port-forward --address 127.0.0.1 service/shop ${port}:8000`);
    server.close();
    expect(pf.code).toBe(1);
    const why = `unable to create listener: Error listen tcp4 127.0.0.1:${port}: bind: address already in use`;
    expect(pf.stderr).toBe(
      `Unable to listen on port ${port}: Listeners failed to create with the following errors: [${why}]\n` +
        `error: unable to listen on any of the requested ports: [{${port} 80}]\n`,
    );
  }, 60_000);

  it('refuses addresses and ports that are none', async () => {
    expect((await sh(home, 'kubectl port-forward --address 300.1.1.1 service/shop :8000')).stderr).toBe(
      'error: 300.1.1.1 is not a valid IP\n',
    );
    expect((await sh(home, 'kubectl port-forward deployment/shop 8080:')).stderr).toBe('error: remote port cannot be empty\n');
  }, 60_000);

  it('ends when nothing answers inside of the pod; the client hears the end of its connection', async () => {
    const pf = await background(home, 'kubectl port-forward deployment/shop :9', /Forwarding from 127/);
    const port = /127\.0\.0\.1:(\d+)/.exec(pf.text.stdout)?.[1];
    expect(await fetchText(`http://127.0.0.1:${port}/`)).toBe('ECONNRESET'); // node's name for an end without an answer
    expect(await pf.ended).toBe(1);
    await until(() => pf.text.stderr.endsWith('error: lost connection to pod\n'));
    expect(pf.text.stderr).toMatch(/^E\d{4} .* portforward\.go:522\] "Unhandled Error" err="an error occurred forwarding \d+ -> 9: /);
  }, 60_000);

  it('begins with a connection to the kubelet', async () => {
    const node = (await sh(home, 'kubectl get pods -o jsonpath={.items[0].spec.nodeName}')).stdout;
    await sh(home, `podnet node ${node} -- systemctl stop kubelet`);
    const pf = await sh(home, 'kubectl port-forward deployment/shop :80');
    expect([pf.code, pf.stdout]).toEqual([1, '']);
    expect(pf.stderr).toMatch(
      /^error: error upgrading connection: unable to upgrade connection: error dialing backend: dial tcp 192\.168\.1\.\d+:10250: connect: connection refused\n$/,
    );
    await sh(home, `podnet node ${node} -- systemctl start kubelet`);
  }, 60_000);
});
