// What tcpdump 4.99.3 prints of the same packets, read from a capture file.
import { expect, test } from 'vitest';
import { stringToBytes } from '../../../src/sim/bytes.ts';
import { describeFrame, newFlows, type PrintOptions } from '../../../src/userland/net/tcpdump-print.ts';
import { type Ip, parseIp } from '../../../src/wire/ip.ts';
import type { Frame } from '../../../src/wire/packet.ts';

const [client, server] = ['10.9.0.1', '10.9.0.2'].map(t => parseIp(t) as Ip);
const plain: PrintOptions = {
  verbose: 0,
  quiet: false,
  link: false,
  hosts: null,
  ports: false,
  absoluteSeq: false,
  sums: false,
  offload: false,
};
const tcp = (from: 'client' | 'server', flags: number, seq: number, ack: number, text = ''): Frame => {
  const out = from === 'client';
  const data = stringToBytes(text);
  return {
    src: '02:00:00:00:00:01',
    dst: '02:00:00:00:00:02',
    payload: {
      kind: 'ip',
      family: 4,
      src: out ? client : server,
      dst: out ? server : client,
      proto: 6,
      ttl: 64,
      tos: 0,
      id: 1,
      df: true,
      body: { kind: 'tcp', sport: out ? 4000 : 80, dport: out ? 80 : 4000, seq, ack, flags, window: 63, data },
    },
  };
};
const print = (frames: Frame[], o: Partial<PrintOptions> = {}): string[] => {
  const flows = newFlows();
  return frames.map(f => describeFrame(f, { ...plain, ...o }, flows, 0).replace(/, options \[[^\]]*\]/, ''));
};

test('sequence numbers are relative to the first packet with an ACK, in both directions', () => {
  expect(print([tcp('client', 2, 9, 0), tcp('server', 20, 0, 10)])).toEqual([
    'IP 10.9.0.1.4000 > 10.9.0.2.80: Flags [S], seq 9, win 63, length 0',
    'IP 10.9.0.2.80 > 10.9.0.1.4000: Flags [R.], seq 0, ack 10, win 63, length 0',
  ]);
  expect(print([tcp('client', 24, 100, 500, 'ab'), tcp('server', 16, 500, 102), tcp('server', 17, 500, 102)])).toEqual([
    'IP 10.9.0.1.4000 > 10.9.0.2.80: Flags [P.], seq 100:102, ack 500, win 63, length 2: HTTP',
    'IP 10.9.0.2.80 > 10.9.0.1.4000: Flags [.], ack 2, win 63, length 0',
    'IP 10.9.0.2.80 > 10.9.0.1.4000: Flags [F.], seq 1, ack 2, win 63, length 0',
  ]);
});

test('-v shows the lines of HTTP, -vv every sequence number', () => {
  const answer = tcp('server', 24, 5, 5, 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 1\r\n\r\nx');
  expect(print([answer], { verbose: 1 })[0].split('\n').slice(1)).toEqual([
    '    10.9.0.2.80 > 10.9.0.1.4000: Flags [P.], seq 5:63, ack 5, win 63, length 58: HTTP, length: 58',
    '\tHTTP/1.1 500 Internal Server Error',
    '\tContent-Length: 1',
    '\t',
    '\tx [|http]',
  ]);
  expect(print([tcp('client', 24, 5, 5, 'POST /p HTTP/1.1\r\n\r\n\x7fELF\n')], { verbose: 1 })[0]).toMatch(
    /length: 25\n\tPOST \/p HTTP\/1\.1\n\t$/,
  );
  expect(print([tcp('client', 16, 5, 5)], { verbose: 2 })[0]).toContain('Flags [.], seq 5, ack 5, win');
});

test('the checksum of UDP waits for -vv', () => {
  const [src, dst] = [client, server];
  const body = { kind: 'udp' as const, sport: 5000, dport: 99, data: stringToBytes('hi\n') };
  const datagram: Frame = {
    ...tcp('client', 2, 0, 0),
    payload: { kind: 'ip', family: 4, src, dst, proto: 17, ttl: 64, tos: 0, id: 1, df: false, body },
  };
  const shown = (verbose: number) => print([datagram], { verbose, sums: true })[0].split('\n')[1];
  expect(shown(1)).toBe('    10.9.0.1.5000 > 10.9.0.2.99: UDP, length 3');
  expect(shown(2)).toBe('    10.9.0.1.5000 > 10.9.0.2.99: [udp sum ok] UDP, length 3');
});
