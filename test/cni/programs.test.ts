import { beforeEach, describe, expect, it } from 'vitest';
import { CNI_BIN } from '../../src/cni/programs/table.ts';
import { newKernel, newNetns } from '../../src/linux/kernel.ts';
import { linkByName } from '../../src/linux/link.ts';
import { runNft } from '../../src/linux/netfilter/nft/commands.ts';
import { save } from '../../src/linux/netfilter/save.ts';
import { spawnProgram } from '../../src/linux/process.ts';
import type { Kernel } from '../../src/linux/types.ts';
import { newFilesystem } from '../../src/linux/vfs.ts';
import { bytesToString } from '../../src/sim/bytes.ts';
import { newPipe, pipeOf } from '../../src/sim/pipe.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, settle } from '../../src/sim/sim.ts';

let kernel: Kernel;
let fs = newFilesystem();

beforeEach(() => {
  kernel = newKernel(newSim(1_700_000_000_000, newRandom(5)), 'box');
  fs = newFilesystem();
  newNetns(kernel, 'blue');
});

/** One call of the protocol: environment and standard input in, exit code and standard output back. */
function call(plugin: string, command: string, conf: object, env: Record<string, string> = {}) {
  let out = '';
  const all = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: 'box-1',
    CNI_NETNS: '/var/run/netns/blue',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
    ...env,
  };
  const p = spawnProgram(kernel, CNI_BIN[plugin], {
    netns: kernel.netns.get('')!,
    fs,
    argv: [plugin],
    env: new Map(Object.entries(all)),
    stdin: pipeOf(JSON.stringify(conf)),
    stdout: newPipe({ sink: b => (out += bytesToString(b)) }),
  });
  settle(kernel.sim, 1000);
  return { code: p.exitCode, out: out.trim() ? JSON.parse(out) : null };
}

const network = {
  cniVersion: '1.0.0',
  name: 'lab',
  type: 'bridge',
  bridge: 'lab0',
  isGateway: true,
  ipMasq: true,
  ipam: { type: 'host-local', subnet: '10.77.0.0/24', routes: [{ dst: '0.0.0.0/0' }] },
};

describe('plugins called by hand', () => {
  it('connect a namespace to a bridge and take it away again', () => {
    const added = call('bridge', 'ADD', network);
    expect(added.code).toBe(0);
    expect(added.out.ips).toEqual([{ address: '10.77.0.2/24', gateway: '10.77.0.1', interface: 2 }]);
    expect(linkByName(kernel.netns.get('blue')!, 'eth0')).toBeDefined();
    expect(save(kernel.netns.get('')!, 4)).toContain('-A POSTROUTING -s 10.77.0.2/32');
    expect(call('bridge', 'CHECK', { ...network, prevResult: added.out }).code).toBe(0);
    expect(call('bridge', 'DEL', network).code).toBe(0);
    expect(linkByName(kernel.netns.get('blue')!, 'eth0')).toBeUndefined();
    expect(call('bridge', 'DEL', network).code).toBe(0);
  });

  it('answer in the version that was asked for', () => {
    const { out } = call('bridge', 'ADD', { ...network, cniVersion: '0.2.0' });
    expect(out).toEqual({
      cniVersion: '0.2.0',
      ip4: { ip: '10.77.0.2/24', gateway: '10.77.0.1', routes: [{ dst: '0.0.0.0/0' }] },
      dns: {},
    });
  });

  it('publish ports of the result before them', () => {
    const prevResult = call('bridge', 'ADD', network).out;
    const conf = {
      ...network,
      type: 'portmap',
      prevResult,
      runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] },
    };
    expect(call('portmap', 'ADD', conf).code).toBe(0);
    expect(save(kernel.netns.get('')!, 4)).toContain('-p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.77.0.2:80');
  });

  it.each([
    [{ ...network, name: '' }, {}, { code: 7, msg: 'missing network name' }],
    [network, { CNI_CONTAINERID: '' }, { code: 4, msg: 'required env variables [CNI_CONTAINERID] missing' }],
    [{ ...network, cniVersion: '9.9.9' }, {}, { code: 1, msg: 'incompatible CNI versions' }],
  ])('refuse what they cannot do (%#)', (conf, env, error) => {
    const r = call('bridge', 'ADD', conf, env);
    expect(r.code).toBe(1);
    expect(r.out).toMatchObject(error);
  });
});

describe('with nftables as their backend', () => {
  const listed = () => runNft(kernel.netns.get('')!, 'list ruleset\n').out;

  it('masquerade and publish by rules that carry whose they are', () => {
    const added = call('bridge', 'ADD', { ...network, ipMasqBackend: 'nftables' });
    expect(listed()).toMatch(
      /ip saddr 10\.77\.0\.2 ip daddr != 10\.77\.0\.0\/24 masquerade comment "\w{16}-\w{16}, net: lab, if: eth0, id: box-1"/,
    );
    const ports = { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] };
    const conf = { ...network, type: 'portmap', backend: 'nftables', prevResult: added.out, runtimeConfig: ports };
    expect(call('portmap', 'ADD', conf).code).toBe(0);
    expect(listed()).toContain('tcp dport 8080 dnat to 10.77.0.2:80 comment "box-1"');
    expect(call('portmap', 'CHECK', conf).code).toBe(0);
    expect(call('portmap', 'DEL', conf).code).toBe(0);
    expect(call('bridge', 'DEL', { ...network, ipMasqBackend: 'nftables' }).code).toBe(0);
    expect(listed()).not.toContain('box-1');
  });
});
