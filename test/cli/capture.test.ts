// A packet capture goes on in one terminal while somebody works in another.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { background, end, type Home, newHome, removeHome, sh, until } from './machine.ts';

let home: Home;
beforeAll(async () => {
  home = newHome();
  expect((await sh(home, 'kubectl create configmap anything')).code).toBe(0);
}, 60_000);
afterAll(() => removeHome(home));

it('tcpdump sees the packets of other commands, those of its device alone, and says what it counted', async () => {
  const dump = await background(home, 'podnet node node-1 -- tcpdump -l -n icmp', /^$/);
  await until(() => dump.text.stderr.includes('listening on eth0'));
  // Its file is there once the line is.
  await sh(home, 'podnet node node-2 -- ping -c 1 192.168.1.30');
  await sh(home, 'podnet node node-2 -- ping -c 1 192.168.1.10');
  await until(() => /echo reply/.test(dump.text.stdout));
  expect(dump.text.stdout).toMatch(/^\S+ IP 192\.168\.1\.20 > 192\.168\.1\.10: ICMP echo request, id \d+, seq 1, length 64\n/);
  expect(dump.text.stdout).not.toContain('192.168.1.30');
  expect(await end(dump.process, 'SIGINT')).toBe(0);
  expect(dump.text.stderr).toContain('2 packets captured\n2 packets received by filter\n');
}, 60_000);
