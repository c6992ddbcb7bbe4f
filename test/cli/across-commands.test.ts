// What one command did inside of a container, a volume or a node is there in the next ones, and in those after them.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Home, newHome, removeHome, run, sh } from './machine.ts';

let home: Home;
beforeAll(() => {
  home = newHome();
});
afterAll(() => removeHome(home));

const POD = `
apiVersion: v1
kind: Pod
metadata: {name: box}
spec:
  containers:
  - {name: box, image: 'busybox:1.36', command: [sleep, infinity], volumeMounts: [{name: shared, mountPath: /shared}, {name: host, mountPath: /host, readOnly: true}]}
  volumes: [{name: shared, emptyDir: {}}, {name: host, hostPath: {path: /etc}}]
`;

const inBox = (script: string) => run(home, ['kubectl', 'exec', 'box', '--', 'sh', '-c', script]);

it('one file, many files, a volume, a file that is gone, and the node’s own', async () => {
  expect(await sh(home, 'kubectl apply -f -', POD)).toMatchObject({ code: 0 });
  expect(await inBox('echo alone > /tmp/one')).toMatchObject({ code: 0, stderr: '' });
  for (let i = 0; i < 2; i++) expect(await inBox('cat /tmp/one')).toMatchObject({ stdout: 'alone\n', stderr: '' });
  expect(await inBox('echo two > /tmp/two; echo both > /shared/both; rm /etc/hosts')).toMatchObject({ code: 0 });
  const node = (await sh(home, 'kubectl get pod box -o jsonpath={.spec.nodeName}')).stdout;
  expect(await run(home, ['podnet', 'node', node, '--', 'sh', '-c', 'echo seen > /etc/seen'])).toMatchObject({ code: 0 });
  for (let i = 0; i < 2; i++) {
    const r = await inBox('cat /tmp/one /tmp/two /shared/both /host/seen; cat /etc/hosts; echo no > /host/other; echo no > /host/seen');
    expect(r.stdout).toBe('alone\ntwo\nboth\nseen\n');
    expect(r.stderr).toMatch(
      /can't open '\/etc\/hosts'.*\n.*can't create \/host\/other: Read-only file system\n.*can't create \/host\/seen: Read-only file system/,
    );
  }
});

it('a container knows the Services that were there when it was created, not those of the same second after it', async () => {
  expect(await sh(home, 'kubectl create service clusterip before --tcp=80')).toMatchObject({ code: 0 });
  expect(await sh(home, 'kubectl run young --image=busybox:1.36 --command -- sleep infinity')).toMatchObject({ code: 0 });
  expect(await sh(home, 'kubectl get pods')).toMatchObject({ code: 0 });
  expect(await sh(home, 'kubectl create service clusterip after --tcp=80')).toMatchObject({ code: 0 });
  const names = (await sh(home, 'kubectl exec young -- printenv')).stdout.match(/^\w+(?=_SERVICE_HOST=)/gm);
  expect(names?.sort()).toEqual(['BEFORE', 'KUBERNETES']);
});

it('CoreDNS has read a Corefile that changed in between: queries of the next command are logged, after one line each about the reload', async () => {
  const dns = 'kubectl -n kube-system';
  const corefile = (await sh(home, `${dns} get configmap coredns -o jsonpath={.data.Corefile}`)).stdout;
  const patch = JSON.stringify({ data: { Corefile: corefile.replace('errors', 'errors\n    log') } });
  expect(await run(home, ['kubectl', '-n', 'kube-system', 'patch', 'configmap', 'coredns', '-p', patch])).toMatchObject({ code: 0 });
  expect(await inBox('sleep 120')).toMatchObject({ code: 0 });
  // Three: with two pods one is asked again, in a command after that which it was asked in.
  const names = ['first', 'second', 'third'];
  for (const name of names) expect((await inBox(`nslookup ${name}.default.svc.cluster.local`)).code).toBe(1);
  const log = (await sh(home, `${dns} logs -l k8s-app=kube-dns --tail=-1`)).stdout;
  for (const name of names) expect(log).toMatch(new RegExp(`"A IN ${name}\\.default\\.svc\\.cluster\\.local\\. udp .*" NXDOMAIN`));
  expect(log).toMatch(
    /^\[INFO\] Reloading\n\[INFO\] plugin\/reload: Running configuration SHA512 = [0-9a-f]{128}\n\[INFO\] Reloading complete\n/m,
  );
  expect(log).not.toContain('ERROR');
  expect(log.match(/Reloading complete/g)?.length).toBeLessThanOrEqual(2);
}, 60_000);

it('CoreDNS goes on with what it knew: a cached answer’s TTL counts down, queries add up', async () => {
  // Only virtual time passes: a slow machine's own would outlast the cache.
  home.env.PODNET_NOW = '2020-01-01T00:00:00Z';
  expect(await sh(home, 'kubectl run net --image=nicolaka/netshoot --command -- sleep infinity')).toMatchObject({ code: 0 });
  const ip = (await sh(home, 'kubectl -n kube-system get pods -l k8s-app=kube-dns -o jsonpath={.items[0].status.podIP}')).stdout;
  const inNet = async (line: string) => (await sh(home, `kubectl exec net -- ${line}`)).stdout;
  const ttl = async () => Number(/\s(\d+)\sIN/.exec(await inNet(`dig +noall +answer @${ip} example.com`))?.[1]);
  const asked = async () => Number(/^coredns_cache_requests_total\S* (\d+)$/m.exec(await inNet(`curl -s ${ip}:9153/metrics`))?.[1] ?? 0);
  const before = await asked();
  const first = await ttl();
  await inNet('sleep 9');
  expect(first - (await ttl())).toBe(9);
  expect((await asked()) - before).toBe(2);
});
