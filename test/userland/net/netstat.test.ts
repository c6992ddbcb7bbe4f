import { expect, test } from 'vitest';
import { runUntil } from '../../../src/sim/sim.ts';
import { busyboxNetstatProgram, netstatProgram } from '../../../src/userland/net/netstat.ts';
import { openbsdNc } from '../../../src/userland/net/openbsd-nc.ts';
import { busyboxUserland } from '../../../src/userland/userland.ts';
import { DEBIAN_12, run, start, twoHosts } from '../hosts.ts';

const UNIX = 'Active UNIX domain sockets (only servers)\nProto RefCnt Flags       Type       State         I-Node   Path\n';

test('addresses have their names unless they are asked for as numbers; a long name gives way to its port', () => {
  const h = twoHosts();
  start(h, h.client, openbsdNc(DEBIAN_12), ['nc', '-lk', '80']);
  start(h, h.client, openbsdNc(DEBIAN_12), ['nc', '-6lk', '8081']);
  const client = (words: string) => run(h, netstatProgram, words, { host: h.client });
  start(h, h.client, openbsdNc(DEBIAN_12), ['nc', '127.0.0.1', '80']);
  runUntil(h.sim, () => false, h.sim.nowMs + 100);
  expect(client('netstat -t').out).toMatch(/^tcp {8}0 {6}0 localhost:http {10}localhost:\d{5} {9}ESTABLISHED$/m);
  expect(client('netstat -tn').out).toMatch(/^tcp {8}0 {6}0 127\.0\.0\.1:80 /m);
  expect(client('netstat -t --numeric-hosts').out).toContain(' 127.0.0.1:http ');
  expect(client('netstat -tl4').out).not.toContain('tcp6');
  expect(client('netstat -tl6').out).not.toContain('tcp ');
  expect(client('netstat -ln').out.endsWith(UNIX)).toBe(true);
  expect(client('netstat -tln').out).not.toContain('UNIX');
  expect(client('netstat -xl').out).toBe(UNIX);
});

test('interfaces, in short and in full', () => {
  const h = twoHosts();
  const out = run(h, netstatProgram, 'netstat -i').out.split('\n');
  expect(out[2]).toMatch(/^eth0 {13}1500 +\d+ {6}0 {6}0 0 {6} +\d+ {6}0 {6}0 {6}0 BMRU$/);
  expect(out[3]).toMatch(/^lo {14}65536 .* LRU$/);
  expect(run(h, netstatProgram, 'netstat -ie').out).toMatch(/^Kernel Interface table\neth0: flags=.* mtu 1500\n {8}inet 10\.0\.0\.2 /);
});

test('wrong options, and those that podnet has no figures for', () => {
  const h = twoHosts();
  const bad = run(h, netstatProgram, 'netstat --foo');
  expect(bad).toMatchObject({ code: 3, out: '' });
  expect(bad.err).toMatch(/^netstat: unrecognized option '--foo'\nusage: netstat /);
  expect(run(h, netstatProgram, 'netstat -s')).toMatchObject({ code: 1, out: '', err: 'netstat: podnet does not model --statistics\n' });
  expect(run(h, netstatProgram, 'netstat -A foo')).toMatchObject({ code: 1, err: "Unknown address family `foo'.\n" });
  expect(run(h, netstatProgram, 'netstat -V').out).toMatch(/^net-tools 2\.10\n/);
  const small = run(h, busyboxNetstatProgram, 'netstat -p');
  expect(small.err).toMatch(/^netstat: invalid option -- 'p'\nBusyBox v1\.35\.0 .*\n\nUsage: netstat \[-ral\] \[-tuwx\] \[-en\]\n/);
  expect(run(h, busyboxNetstatProgram, 'netstat -tlnp', { u: busyboxUserland(37, 'musl') }).code).toBe(0);
});
