// A CNI that one command installs by its official URL is there in the next ones.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Home, newHome, removeHome, sh } from './machine.ts';

let home: Home;
beforeAll(() => {
  home = newHome();
});
afterAll(() => removeHome(home));

const FLANNEL = 'https://github.com/flannel-io/flannel/releases/latest/download/kube-flannel.yml';

it('is kept, with the machines that have it', async () => {
  expect(await sh(home, 'podnet cluster create --nodes 1 --cni none')).toMatchObject({ code: 0 });
  const states = () => sh(home, 'kubectl get nodes -o jsonpath={.items[*].status.conditions[-1].status}');
  expect((await states()).stdout).toBe('False False');
  expect(await sh(home, `kubectl apply -f ${FLANNEL}`)).toMatchObject({ code: 0, stderr: '' });
  for (let i = 0; i < 2; i++) expect((await states()).stdout).toBe('True True');
  expect((await sh(home, 'podnet node node-1 -- ls /etc/cni/net.d')).stdout).toBe('10-flannel.conflist\n');
  expect(await sh(home, 'kubectl run web --image=nginx')).toMatchObject({ code: 0 });
  const address = (await sh(home, 'kubectl get pod web -o jsonpath={.status.podIP}')).stdout;
  expect(address).toMatch(/^10\.244\.1\./);
  expect((await sh(home, `podnet node control-plane -- curl -s http://${address}`)).stdout).toContain('Welcome to nginx!');
}, 180_000);
