import { expect, test } from 'vitest';
import { openbsdNc } from '../../../src/userland/net/openbsd-nc.ts';
import { DEBIAN_12, run, start, twoHosts } from '../hosts.ts';

test('nc refuses ports, numbers and options in its own words', () => {
  const h = twoHosts();
  const said = (words: string) => run(h, openbsdNc, words);
  expect(said('nc server')).toMatchObject({ code: 1, err: 'nc: missing port number\n' });
  expect(said('nc -z server 0').err).toBe('nc: port number too small: 0\n');
  expect(said('nc -z server 99999').err).toBe('nc: port number too large: 99999\n');
  expect(said('nc -z server 5-x').err).toBe('nc: port number invalid: x\n');
  expect(said('nc -z server a-b').err).toBe('nc: port number invalid: a-b\n');
  expect(said('nc -z server 80 extra').err).toBe('nc: port number invalid: extra\n');
  expect(said('nc -l')).toMatchObject({ code: 1, err: 'nc: missing port number\n' });
  expect(said('nc -l 1 2 3')).toMatchObject({ code: 1, err: expect.stringMatching(/^usage: nc /) });
  expect(said('nc -z server nosuchservice').err).toBe('nc: port number invalid: nosuchservice\n');
  expect(said('nc -w soon server 80').err).toBe('nc: timeout invalid: soon\n');
  expect(said('nc -w -1 server 80').err).toBe('nc: timeout too small: -1\n');
  expect(said('nc -M 256 server 80').err).toBe('nc: ttl is too large\n');
  expect(said('nc -k server 80').err).toBe('nc: must use -l with -k\n');
  expect(said('nc -lz 80').err).toBe('nc: cannot use -z and -l\n');
  expect(said('nc -T slowly server 80').err).toBe('nc: illegal tos value slowly\n');
  expect(said('nc -X 9 server 80').err).toBe('nc: unsupported proxy protocol\n');
  expect(said('nc -z -p x server 80').err).toBe('nc: getaddrinfo: Servname not supported for ai_socktype\n');
  expect(said('nc -h')).toMatchObject({ code: 0 });
});

test('nc tries every port that it is given', () => {
  const h = twoHosts();
  start(h, h.server, openbsdNc(DEBIAN_12), ['nc', '-lk', '8082']);
  expect(run(h, openbsdNc, 'nc -nzv 10.0.0.1 8081 8082-8083')).toMatchObject({
    code: 0,
    err: [
      'nc: connect to 10.0.0.1 port 8081 (tcp) failed: Connection refused',
      'Connection to 10.0.0.1 8082 port [tcp/*] succeeded!',
      'nc: connect to 10.0.0.1 port 8083 (tcp) failed: Connection refused',
      '',
    ].join('\n'),
  });
});

test('nc binds before it connects', () => {
  const h = twoHosts();
  start(h, h.server, openbsdNc(DEBIAN_12), ['nc', '-lk', '8081']);
  expect(run(h, openbsdNc, 'nc -zv -s 10.9.9.9 server 8081')).toMatchObject({
    code: 1,
    err: 'nc: bind failed: Cannot assign requested address\n',
  });
  expect(run(h, openbsdNc, 'nc -zv 10.0.0.1 8081').err).toBe('Connection to 10.0.0.1 8081 port [tcp/tproxy] succeeded!\n');
});
