// The lab that comes with podnet, and a shell with its commands: real bash, the built program.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = resolve(__dirname, '../..');
const PODNET = join(ROOT, 'bin', 'podnet.js');
const home = fs.mkdtempSync(join(tmpdir(), 'podnet-lab-'));
const env = { ...process.env, PODNET_HOME: home, PODNET_SEED: '1', NODE_EXTRA_CA_CERTS: '' };
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

const podnet = (...argv: string[]) => spawnSync(process.execPath, [PODNET, ...argv], { env, encoding: 'utf8' });

describe('podnet lab run', () => {
  it('sets up, solves, checks and reports', () => {
    const report = join(home, 'report.xml');
    const r = podnet('lab', 'run', join(ROOT, 'manifests/labs/selector'), '--junit', report);
    expect(r.stderr).toMatch(/\[2\/4\] Give the Service its endpoints[\s\S]*✔[\s\S]*\[3\/4\] Let the customer in[\s\S]*✔/);
    expect(r.status).toBe(0);
    expect(fs.readFileSync(report, 'utf8')).toContain('tests="4" failures="0" skipped="1"');
    expect(fs.readdirSync(join(home, 'labs'))).toEqual([]);
  }, 60_000);

  it('fails where there is no lab, or where a check does', () => {
    expect(podnet('lab', 'run', home)).toMatchObject({ status: 1, stderr: expect.stringContaining('index.json: no such file') });
    const dir = join(home, 'own');
    fs.mkdirSync(dir);
    fs.writeFileSync(join(dir, 'index.json'), JSON.stringify({ title: 'own', details: { steps: [{ title: 'never', verify: 'v.sh' }] } }));
    fs.writeFileSync(join(dir, 'v.sh'), 'echo "not so"; exit 3\n');
    const r = podnet('lab', 'run', dir);
    expect(r.status).toBe(1);
    expect(r.stderr).toContain('not so');
  });
});

describe("a lab's own machine", () => {
  const lab = (name: string, imageid: string, check: string) => {
    const dir = join(home, name);
    fs.mkdirSync(dir);
    fs.writeFileSync(
      join(dir, 'index.json'),
      JSON.stringify({ backend: { imageid }, details: { steps: [{ title: 'one', verify: 'check.sh' }] } }),
    );
    fs.writeFileSync(join(dir, 'check.sh'), `set -eu\n${check}\n`);
    return podnet('lab', 'run', dir);
  };

  it('is the control plane of the cluster that its environment names', () => {
    const r = lab(
      'two',
      'kubernetes-kubeadm-2nodes',
      `test "$(kubectl get nodes -o name | tr '\\n' ' ')" = 'node/controlplane node/node01 '
test "$(ssh node01 hostname)" = node01
kubectl create deployment web --image=nginx
kubectl expose deployment web --type=NodePort --port=80
kubectl wait --for=condition=Available deployment/web
port=$(kubectl get service web -o 'jsonpath={.spec.ports[0].nodePort}')
iptables-save -t nat | grep -q -- "--dport $port "
curl -s "http://localhost:$port/" | grep -q Welcome`,
    );
    expect([r.status, r.stderr]).toEqual([0, expect.stringContaining('✔')]);
  }, 120_000);

  it('runs pods itself where it is alone', () => {
    const r = lab(
      'one',
      'kubernetes-kubeadm-1node',
      `kubectl run web --image=nginx
test "$(kubectl get pod web -o 'jsonpath={.spec.nodeName}')" = controlplane
systemctl is-active kubelet`,
    );
    expect([r.status, r.stderr]).toEqual([0, expect.stringContaining('✔')]);
  }, 120_000);
});

describe('podnet env', () => {
  it('puts kubectl on the PATH of a shell and takes it away again', () => {
    const script = `PS1='$ '; eval "$('${process.execPath}' '${PODNET}' env)"; command -v kubectl; echo "$PS1"; podnet_off; echo "$PATH"; echo "$PS1$PODNET_ENV"`;
    // A bash whose stdin is a socket takes itself for a remote one, and reads .bashrc: Node's pipes are sockets.
    const r = spawnSync('bash', ['--norc', '-c', script], { env: { ...env, PATH: '/usr/bin:/bin' }, encoding: 'utf8' });
    expect(r.stdout.split('\n')).toEqual([join(home, 'env/bin/kubectl'), '(podnet simulation) $ ', '/usr/bin:/bin', '$ ', '']);
  });
});
