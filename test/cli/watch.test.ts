// `kubectl get -w` in one terminal, other commands in another.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { background, end, type Home, newHome, removeHome, sh, until } from './machine.ts';

let home: Home;
beforeAll(async () => {
  home = newHome();
  expect((await sh(home, 'kubectl create configmap before')).code).toBe(0);
}, 60_000);
afterAll(() => removeHome(home));

it('shows what other commands do, each thing once, until it is interrupted', async () => {
  const maps = await background(home, 'kubectl get configmaps -w --no-headers', /before/);
  await sh(home, 'kubectl create configmap during');
  await sh(home, 'kubectl label configmap during seen=yes');
  await until(() => (maps.text.stdout.match(/during/g) ?? []).length >= 2);
  const names = maps.text.stdout
    .trim()
    .split('\n')
    .map(l => l.split(' ')[0]);
  expect(names).toEqual(['before', 'kube-root-ca.crt', 'during', 'during']);
  expect(await end(maps.process, 'SIGINT')).toBe(130);
}, 60_000);

it('lets a cluster go on for who looks on: a Deployment of another command gets its pod', async () => {
  const pods = await background(home, 'kubectl get deployments -w --no-headers', /^$/);
  await sh(home, 'kubectl create deployment shop --image=nginx');
  await until(() => /shop +1\/1/.test(pods.text.stdout));
  await end(pods.process, 'SIGTERM');
}, 60_000);
