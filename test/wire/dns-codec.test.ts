import { expect, test } from 'vitest';
import type { DnsMessage } from '../../src/wire/dns.ts';
import { decodeMessage, encodeMessage, nameLabels, newMessage, replyTo } from '../../src/wire/dns-codec.ts';
import { ip } from '../../src/wire/ip.ts';

const hex = (b: Uint8Array) => Array.from(b, x => x.toString(16).padStart(2, '0')).join('');
const unhex = (s: string) => Uint8Array.from(s.match(/../g) ?? [], x => Number.parseInt(x, 16));

test('a query has the bytes that RFC 1035 draws', () => {
  const m = newMessage(0x1234, 'web.default.', 'A');
  expect(hex(encodeMessage(m))).toBe('123401000001000000000000' + '03776562' + '0764656661756c74' + '00' + '0001' + '0001');
});

test('names repeat as pointers, SRV targets do not', () => {
  const m = replyTo(newMessage(1, 'a.b.', 'A'));
  m.aa = true;
  m.answers = [
    { name: 'a.b.', type: 'A', class: 'IN', ttl: 30, data: { ip: ip('10.0.0.1') } },
    { name: 'x.b.', type: 'CNAME', class: 'IN', ttl: 30, data: { host: 'a.b.' } },
    { name: 'a.b.', type: 'SRV', class: 'IN', ttl: 5, data: { priority: 0, weight: 100, port: 53, target: 'a.b.' } },
  ];
  const bytes = encodeMessage(m);
  expect(hex(bytes.subarray(12))).toBe(
    '0161016200' +
      '00010001' +
      'c00c00010001' +
      '0000001e' +
      '0004' +
      '0a000001' +
      '0178c00e00050001' +
      '0000001e' +
      '0002' +
      'c00c' +
      'c00c00210001' +
      '00000005' +
      '000b' +
      '000000640035' +
      '0161016200',
  );
  expect(decodeMessage(bytes)).toEqual(m);
  expect(encodeMessage(m, { compress: false }).length).toBeGreaterThan(bytes.length);
  expect(decodeMessage(encodeMessage(m, { compress: false }))).toEqual(m);
});

test('every type and EDNS come back as they went', () => {
  const m: DnsMessage = {
    ...replyTo(newMessage(9, 'z.', 'ANY'), 'NXDOMAIN'),
    authority: [
      {
        name: 'z.',
        type: 'SOA',
        class: 'IN',
        ttl: 30,
        data: { mname: 'ns.z.', rname: 'h\\.m.z.', serial: 4_000_000_000, refresh: 1, retry: 2, expire: 3, minimum: 4 },
      },
    ],
    additional: [
      { name: 'z.', type: 'TXT', class: 'CH', ttl: 0, data: { texts: ['v=1', ''] } },
      { name: 'z.', type: 'MX', class: 'IN', ttl: 1, data: { preference: 10, host: 'm.z.' } },
      { name: 'z.', type: 'TYPE99', class: 'CLASS7', ttl: 1, data: { bytes: Uint8Array.of(1, 2) } },
      { name: 'z.', type: 'AAAA', class: 'IN', ttl: 1, data: { ip: ip('fd00::1') } },
      { name: '.', type: 'NS', class: 'IN', ttl: 1, data: { host: 'm.z.' } },
    ],
    edns: { udpSize: 1232, dnssecOk: true, version: 0, options: [{ code: 10, data: Uint8Array.of(1, 2, 3) }] },
  };
  expect(decodeMessage(encodeMessage(m))).toEqual(m);
  expect(decodeMessage(encodeMessage({ ...m, rcode: 'RCODE16' }))?.rcode).toBe('RCODE16');
});

test('what does not fit is left out and TC says so', () => {
  const m = replyTo(newMessage(2, 'big.', 'A'));
  for (let i = 0; i < 40; i++) m.answers.push({ name: 'big.', type: 'A', class: 'IN', ttl: 30, data: { ip: Uint8Array.of(10, 0, 0, i) } });
  m.edns = { udpSize: 512, dnssecOk: false, version: 0, options: [] };
  const cut = encodeMessage(m, { limit: 512 });
  expect(cut.length).toBeLessThanOrEqual(512);
  const back = decodeMessage(cut) as DnsMessage;
  expect([back.tc, back.edns?.udpSize, back.answers.length]).toEqual([true, 512, Math.floor((512 - 12 - 9 - 11) / 16)]);
});

test('presentation escapes', () => {
  expect(nameLabels('a\\.b\\032c.d')?.map(l => String.fromCharCode(...l))).toEqual(['a.b c', 'd']);
  const m = newMessage(1, 'a\\.b\\032c.d.', 'A');
  expect(decodeMessage(encodeMessage(m))?.questions[0].name).toBe('a\\.b\\032c.d.');
  for (const bad of ['', '..', 'a..b', '.a', `${'x'.repeat(64)}.y`, Array(40).fill('abcdefg').join('.')])
    expect(nameLabels(bad)).toBeNull();
});

test('broken bytes are no message', () => {
  expect(decodeMessage(new Uint8Array(5))).toBeNull();
  expect(decodeMessage(unhex('000101000001000000000000' + 'c00c' + '00010001'))).toBeNull(); // a pointer to itself
  expect(decodeMessage(unhex('000181000001000100000000' + '00' + '00010001' + '00' + '0001000100000000' + '0003' + '0a0000'))).toBeNull();
});
