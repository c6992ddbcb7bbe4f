// `podnet cluster create` says what of a configuration it does not model, and refuses what it does not know.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Home, newHome, removeHome, sh } from './machine.ts';

let home: Home;
beforeAll(() => {
  home = newHome();
});
afterAll(() => removeHome(home));

const create = (config: string) => {
  fs.writeFileSync(join(home.path, 'c.yaml'), config);
  return sh(home, 'podnet cluster create --config c.yaml');
};

it('warns of a data plane whose rules it writes for another', async () => {
  expect(await create('cni: bridge\ndataplane: nftables\nnodes: [{name: one, role: control-plane, ip: 192.168.1.2}]\n')).toEqual({
    stdout: 'cluster kubernetes created: 1 node, CNI bridge, kube-proxy in iptables mode\n',
    stderr: 'podnet: Warning: bridge has no dataplane nftables here: it writes its rules for iptables\n',
    code: 0,
  });
  expect((await create('dataplane: nftables\nnodes: [{name: one, role: control-plane, ip: 192.168.1.2}]\n')).stderr).toBe('');
  expect((await create('dataplane: iptables\nnodes: [{name: one, role: control-plane, ip: 192.168.1.2}]\n')).stderr).toBe('');
}, 60_000);

it('refuses another one', async () => {
  const r = await create('dataplane: bpf\n');
  expect([r.code, r.stderr]).toEqual([1, 'podnet: c.yaml: dataplane: "bpf" must be iptables or nftables\n']);
});
