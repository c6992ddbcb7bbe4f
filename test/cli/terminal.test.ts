// A person at a terminal: `script` gives podnet one.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { end, type Home, newHome, removeHome, sh, until } from './machine.ts';

const PODNET = join(resolve(__dirname, '../..'), 'bin/podnet.js');
const hasTerminal = spawnSync('script', ['-qec', 'stty size', '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] }).status === 0;

interface Terminal {
  process: ChildProcess;
  /** What stands on the screen. */
  text: () => string;
  type: (keys: string) => void;
}

function open(home: Home, words: string): Terminal {
  const p = spawn('script', ['-qfec', `stty cols 120 rows 40; ${process.execPath} ${PODNET} ${words}`, '/dev/null'], {
    env: { ...home.env, TERM: 'xterm' },
    cwd: home.path,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  home.started.push(p);
  let text = '';
  p.stdout?.on('data', chunk => (text += chunk));
  return { process: p, text: () => text.replaceAll('\r', ''), type: keys => void p.stdin?.write(keys) };
}

describe.skipIf(!hasTerminal)('at a terminal', () => {
  let home: Home;
  beforeAll(async () => {
    home = newHome();
    await sh(home, 'kubectl run guest --image=busybox:1.36 --restart=Never -- sleep 99999');
    expect((await sh(home, 'kubectl wait --for=condition=Ready pod/guest')).code).toBe(0);
  }, 60_000);
  afterAll(() => removeHome(home));

  it('podnet sh is a shell: it keeps what it is told, ^C gets its prompt back, programs in pods get the keys', async () => {
    const t = open(home, 'sh');
    const prompts = () => t.text().match(/root@client:~# /g)?.length ?? 0;
    const typed = async (keys: string, wanted: RegExp) => {
      const before = prompts();
      t.type(keys);
      await until(() => wanted.test(t.text()) && prompts() > before);
    };
    await until(() => prompts() === 1);
    await typed('color=red\n', /color=red/);
    await typed('echo it is $color\n', /\nit is red\n/);
    // Nobody waits for what only takes the cluster's time.
    const begun = Date.now();
    await typed('sleep 60; echo slept\n', /\nslept\n/);
    expect(Date.now() - begun).toBeLessThan(30_000);
    t.type('ping 192.168.1.2\n');
    await until(() => /icmp_seq=2 /.test(t.text()));
    await typed('\x03', /packets transmitted/);
    expect(Number(/(\d+) packets transmitted/.exec(t.text())?.[1])).toBeLessThan(60);
    t.type('kubectl exec -it guest -- sh\n');
    await until(() => t.text().endsWith('/ # '));
    t.type('echo $((6*7)) in $(hostname)\n');
    await until(() => /\n42 in guest\n/.test(t.text()));
    expect(t.text().match(/echo \$\(\(6\*7\)\)/g)).toHaveLength(1);
    await typed('exit\n', /\/ # exit\n/);
    await typed('podnet trace guest 10.96.0.1:443 | tail -1\n', /\nverdict {3}connected\n/);
    t.type('\x04');
    await until(() => t.process.exitCode !== null);
    expect(t.process.exitCode).toBe(0);
  }, 120_000);

  it('the tour ends at such a prompt', async () => {
    const t = open(home, 'tour');
    await until(() => t.text().includes('Leave with Ctrl-D.'), 60_000);
    t.type('kubectl exec deploy/frontend -- curl -s http://cart/; exit\n');
    await until(() => t.process.exitCode !== null);
    expect(t.text()).toMatch(/podnet\$ .*\n.*your cart holds 3 things\n/);
    await end(t.process, 'SIGKILL');
  }, 120_000);
});
