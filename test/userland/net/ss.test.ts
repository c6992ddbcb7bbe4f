import { expect, test } from 'vitest';
import { openbsdNc } from '../../../src/userland/net/openbsd-nc.ts';
import { ssProgram } from '../../../src/userland/net/ss.ts';
import { DEBIAN_12, run, start, twoHosts } from '../hosts.ts';

test('ss filters by ports and addresses, whatever blanks and brackets stand between', () => {
  const h = twoHosts();
  for (const port of ['7000', '7001']) start(h, h.client, openbsdNc(DEBIAN_12), ['nc', '-l', port]);
  run(h, openbsdNc, 'nc -z -w 1 server 1');
  const ports = (words: string) => [...run(h, ssProgram, words).out.matchAll(/0\.0\.0\.0:(70\d\d)/g)].map(m => m[1]).sort();
  expect(ports('ss -tln')).toEqual(['7000', '7001']);
  expect(ports("ss -tln 'sport = :7000'")).toEqual(['7000']);
  expect(ports('ss -tln sport = 7001')).toEqual(['7001']);
  expect(ports("ss -tln '( sport = :7000 or sport = :7001 )'")).toEqual(['7000', '7001']);
  expect(ports('ss -tln sport != :7000')).toEqual(['7001']);
  expect(ports('ss -tln src 0.0.0.0')).toEqual(['7000', '7001']);
  expect(ports('ss -tln src 10.0.0.2')).toEqual([]);
  expect(run(h, ssProgram, 'ss -tn sport = :nosuch')).toMatchObject({
    code: 1,
    err: 'Error: "nosuch" does not look like a port.\nCannot parse dst/src address.\n',
  });
});

test('ss has a version, a usage, and complaints that come with it', () => {
  const h = twoHosts();
  expect(run(h, ssProgram, 'ss -V').out).toBe('ss utility, iproute2-6.1.0\n');
  expect(run(h, ssProgram, 'ss --help')).toMatchObject({ code: 0, out: expect.stringMatching(/^Usage: ss \[ OPTIONS \]\n/) });
  expect(run(h, ssProgram, 'ss -f ipx')).toMatchObject({
    code: 255,
    err: expect.stringMatching(/^ss: "ipx" is invalid family\nUsage: ss/),
  });
  expect(run(h, ssProgram, 'ss -A ipx').err).toMatch(/^ss: "ipx" is illegal socket table id\nUsage/);
  expect(run(h, ssProgram, 'ss -w').out).toBe('Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n');
});
