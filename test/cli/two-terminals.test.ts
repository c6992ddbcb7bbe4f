// Two terminals: what goes on in one shows what somebody does in the other, at the pace of the clock on the wall.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { background, end, type Home, newHome, removeHome, run, sh, until } from './machine.ts';

let home: Home;
beforeAll(async () => {
  home = newHome();
  for (const line of [
    'create deployment web --image=nginx:1.27',
    'expose deployment web --port=80',
    'run guest --image=nicolaka/netshoot --restart=Never -- sleep 99999',
    'wait --for=condition=Ready pod/guest',
    'rollout status deployment web',
  ])
    expect((await sh(home, `kubectl ${line}`)).stderr).toBe('');
}, 120_000);
afterAll(() => removeHome(home));

const visit = (path: string) => sh(home, `kubectl exec guest -- curl -s -o /dev/null http://web/${path}`);

it('logs -f shows the requests of other commands, and ends with its container', async () => {
  const log = await background(home, 'kubectl logs -f deployment/web', /start worker process/);
  await visit('first');
  await until(() => /GET \/first/.test(log.text.stdout));
  await visit('second');
  await until(() => /GET \/second/.test(log.text.stdout));
  expect(log.text.stdout.match(/"GET \/first HTTP\/1.1" 404/g)).toHaveLength(1);
  await sh(home, 'kubectl delete pod -l app=web --now');
  await until(() => log.process.exitCode !== null);
  expect(log.process.exitCode).toBe(0);
}, 120_000);

it('logs -f waits for a container that is being created, and shows what it prints as time goes by', async () => {
  const ticks = 'i=0; while true; do echo tick $i; i=$((i+1)); sleep 1; done';
  await run(home, ['kubectl', 'run', 'clock', '--image=busybox:1.36', '--', 'sh', '-c', ticks]);
  const log = await background(home, 'kubectl logs -f clock', /tick 2/);
  expect(await end(log.process, 'SIGINT')).toBe(130);
}, 120_000);

it('tcpdump shows the packets of other commands, on the node as in the pod', async () => {
  await sh(home, 'kubectl rollout status deployment web');
  const node = (await sh(home, 'kubectl get pod guest -o jsonpath={.spec.nodeName}')).stdout;
  const inPod = await background(home, 'kubectl exec guest -- tcpdump -nn -i eth0 tcp port 80', /^$/);
  const onNode = await background(home, `podnet node ${node} -- tcpdump -nn -i eth0 tcp port 80`, /^$/);
  await until(() => [inPod, onNode].every(t => /listening on eth0/.test(t.text.stderr)));
  // They are noted a moment later.
  await new Promise(resolve => setTimeout(resolve, 400));
  await visit('seen');
  await until(() => [inPod, onNode].every(t => /GET \/seen/.test(t.text.stdout)));
  const service = (await sh(home, 'kubectl get svc web -o jsonpath={.spec.clusterIP}')).stdout;
  // In the pod it goes to the Service, on the node's way out to one of its pods.
  expect(inPod.text.stdout).toContain(` > ${service}.80: Flags [S]`);
  expect(onNode.text.stdout).not.toContain(service);
  expect(await end(onNode.process, 'SIGINT')).toBe(0);
  expect(onNode.text.stderr).toMatch(/\d+ packets captured/);
  expect(await end(inPod.process, 'SIGINT')).toBe(130);
}, 120_000);

it('a ping without an end is shown as it goes, and counts when it is interrupted; with an end it takes no time', async () => {
  const ping = await background(home, 'podnet external -- ping 192.168.1.2', /icmp_seq=2/);
  expect(await end(ping.process, 'SIGINT')).toBe(0);
  const sent = Number(/(\d+) packets transmitted/.exec(ping.text.stdout)?.[1]);
  expect(sent).toBeGreaterThan(1);
  expect(sent).toBeLessThan(100);
  for (const script of ['timeout 60 ping 192.168.1.2', 'ping 192.168.1.2 & sleep 60; kill %1']) {
    const begun = Date.now();
    const r = await run(home, ['podnet', 'external', '--', 'bash', '-c', script]);
    expect(r.stdout.match(/icmp_seq=/g)?.length).toBeGreaterThan(50);
    expect(Date.now() - begun).toBeLessThan(40_000);
  }
}, 120_000);

it('a loop that prints and sleeps is shown after a while', async () => {
  const loop = await background(home, ['kubectl', 'exec', 'guest', '--', 'sh', '-c', 'while true; do date +%s; sleep 1; done'], /\d+\n/);
  await until(() => loop.text.stdout.split('\n').length > 200);
  await end(loop.process, 'SIGINT');
}, 120_000);
