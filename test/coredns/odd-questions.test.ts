// What is no ordinary query, byte by byte, as CoreDNS 1.14.2 answers it.
import { expect, it } from 'vitest';
import { newApiServer } from '../../src/apiserver/server.ts';
import { kernelSocket, recvFrom, sendTo } from '../../src/linux/socket.ts';
import { newRandom } from '../../src/sim/random.ts';
import { ip } from '../../src/wire/ip.ts';
import { run } from '../linux/world.ts';
import { twoHosts } from '../userland/hosts.ts';
import { bootCoredns } from './boot.ts';

const QUESTION = '0161047465737400 0001 0001'; // a.test. A IN
const RECORD = 'c00c 0001 0001 00000005 0004 01020304';
const header = (flags: string, counts = '0001 0000 0000 0000') => `1234 ${flags} ${counts} `;

function served(corefile: string, files: Record<string, string> = {}) {
  const h = twoHosts();
  const dns = bootCoredns(h, newApiServer(h.sim, newRandom(1)), corefile, files);
  const netns = h.client.kernel.netns.get('');
  if (!netns) throw new Error('no namespace');
  const ask = (message: string): string => {
    const s = kernelSocket(netns, 'udp');
    const bytes = Uint8Array.from(message.replace(/ /g, '').match(/../g) ?? [], x => Number.parseInt(x, 16));
    sendTo(s, bytes, ip('10.0.0.1'), 53);
    const got = run(h.sim, recvFrom(s, 500));
    return typeof got === 'string' ? '-' : Buffer.from(got.data).toString('hex');
  };
  return { ask, log: () => dns.out() };
}

it('what the library refuses is answered by a header alone, or not at all', () => {
  const { ask, log } = served('test {\n log\n hosts {\n 192.0.2.1 a.test\n }\n}\n');
  const cases: [message: string, reply: string][] = [
    [header('0900') + QUESTION, '123489040000000000000000'], // an inverse query
    [header('2900') + QUESTION, '1234a9040000000000000000'], // an update
    [header('0100', '0000 0000 0000 0000'), '123481010000000000000000'],
    [header('0100', '0002 0000 0000 0000') + QUESTION + QUESTION, '123481010000000000000000'],
    [header('0100', '0001 0002 0000 0000') + QUESTION + RECORD + RECORD, '123481010000000000000000'],
    [header('0100', '0001 0000 0002 0000') + QUESTION + RECORD + RECORD, '123481010000000000000000'],
    [header('0100', '0001 0000 0000 0003') + QUESTION + RECORD + RECORD + RECORD, '123481010000000000000000'],
    [header('0100'), '123481020000000000000000'],
    [`${header('0100')}05616263`, '123481010000000000000000'], // a name that ends too early
    [`${header('0100')}c00c 0001 0001`, '123481010000000000000000'], // one that points to itself
    [header('8100') + QUESTION, '-'], // an answer
    ['12340100', '-'],
  ];
  for (const [message, reply] of cases) expect(`${message} ${ask(message)}`).toBe(`${message} ${reply}`);
  expect(log()).not.toContain('[INFO]');
  expect(ask(header('0100', '0001 0001 0000 0000') + QUESTION + RECORD)).toMatch(/^123485000001000100000000.*c0000201$/);
  expect(log()).toContain('"A IN a.test. udp 46 false 512"');
  expect(ask(`${header('0100')}0161047465737400 0001 00ff`)).toMatch(/^12348105/); // class ANY
});

it('a primary zone passes over notifies, and hands itself to nobody', () => {
  const { ask, log } = served('test {\n log\n file /zone\n}\n', {
    '/zone': '$TTL 60\n@ IN SOA ns h 1 2 3 4 60\n  IN NS ns\na IN A 192.0.2.1\n',
  });
  expect(ask(`${header('2100')}047465737400 0006 0001`)).toBe('-');
  expect(log()).toContain('[INFO] plugin/file: Dropping notify from 10.0.0.2 for test.\n');
  for (const type of ['00fb', '00fc']) expect(ask(`${header('0100')}047465737400 ${type} 0001`)).toMatch(/^12348105/);
});
