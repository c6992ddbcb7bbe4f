import { expect, test } from 'vitest';
import { mtr } from '../../../src/userland/net/mtr.ts';
import { tracepath } from '../../../src/userland/net/tracepath.ts';
import { traceroute } from '../../../src/userland/net/traceroute.ts';
import { runIn } from '../container.ts';
import { run, twoHosts } from '../hosts.ts';

test('traceroute complains with the place of the word', () => {
  const h = twoHosts();
  const said = (words: string) => run(h, traceroute, words);
  expect(said('traceroute').err).toMatch(/^Usage:\n {2}traceroute \[ -46dFITnreAUDV \]/);
  expect(said('traceroute').code).toBe(0);
  expect(said('traceroute -n -m x server')).toMatchObject({ code: 2, err: "Cannot handle `-m' option with arg `x' (argc 3)\n" });
  expect(said('traceroute -m').err).toBe("Option `-m' (argc 1) requires an argument: `-m max_ttl'\n");
  expect(said('traceroute --far server').err).toBe("Bad option `--far' (argc 1)\n");
  expect(said('traceroute -nZ server').err).toBe("Bad option `-Z' (argc 1)\n");
  expect(said('traceroute -m 300 server').err).toBe('max hops cannot be more than 255\n');
  expect(said('traceroute -f 9 -m 3 server').err).toBe('first hop out of range\n');
  expect(said('traceroute -q 11 server').err).toBe('no more than 10 probes per hop\n');
  expect(said('traceroute server 60 more').err).toBe("Extra arg `more' (position 3, argc 3)\n");
  expect(said('traceroute server wide').err).toBe('Cannot handle "packetlen" cmdline arg `wide\' on position 2 (argc 2)\n');
  expect(said('traceroute -n').err).toBe('Specify "host" missing argument.\n');
  expect(said('traceroute -M pigeon server').err).toBe('Unknown traceroute module pigeon\n');
});

test('traceroute sends from where it is told, and prefers IPv4', () => {
  const h = twoHosts();
  expect(run(h, traceroute, 'traceroute -n -q 1 localhost').out).toMatch(/^traceroute to localhost \(127\.0\.0\.1\), 30 hops max, 60 byte/);
  expect(run(h, traceroute, 'traceroute -n -q 1 ::1').out).toContain(', 80 byte packets\n');
  expect(run(h, traceroute, 'traceroute -n -s 10.9.9.9 10.0.0.1')).toMatchObject({
    code: 1,
    err: '\nbind: Cannot assign requested address\n',
  });
  expect(run(h, traceroute, 'traceroute -n -i eth7 10.0.0.1').err).toBe('\nsetsockopt SO_BINDTODEVICE: No such device\n');
  const away = run(h, traceroute, 'traceroute -n 192.0.2.1');
  expect(away).toMatchObject({ code: 1, err: '\nconnect: Network is unreachable\n' });
  expect(away.out).toBe('traceroute to 192.0.2.1 (192.0.2.1), 30 hops max, 60 byte packets');
});

test('tracepath finds the MTU of the device first, and then says the first hop twice', () => {
  const h = twoHosts();
  expect(run(h, tracepath, 'tracepath -n 10.0.0.1').out).toMatch(
    /^ 1\?: \[LOCALHOST\] {22}pmtu 1500\n( 1: {2}10\.0\.0\.1 {40,}\d\.\d{3}ms reached\n){2} {5}Resume: pmtu 1500 hops 1 back 1 \n$/,
  );
  expect(run(h, tracepath, 'tracepath -n -l 1000 10.0.0.1').out).toMatch(
    /^ 1: {2}10\.0\.0\.1 +\d\.\d{3}ms reached\n {5}Resume: pmtu 1000 /,
  );
  expect(run(h, tracepath, 'tracepath -n 10.0.0.2').out).toMatch(/^ 1: {2}10\.0\.0\.2 .*\n {5}Resume: pmtu 65535 hops 1 back 1 \n$/);
  expect(run(h, tracepath, 'tracepath -n 10.0.0.77').out).toMatch(/ms !H\n {5}Resume: pmtu 1500 \n$/);
  expect(run(h, tracepath, 'tracepath -m 300 server')).toMatchObject({
    code: 1,
    err: "tracepath: invalid argument: '300': out of range: 0 <= value <= 255\n",
  });
  expect(run(h, tracepath, 'tracepath').code).toBe(255);
});

test('mtr reports in lines, commas and JSON', () => {
  const h = twoHosts();
  expect(run(h, mtr, 'mtr -C -n -c 1 10.0.0.1').out).toMatch(
    /^Mtr_Version,Start_Time,Status,Host,Hop,Ip,Loss%,Snt, ,Last,Avg,Best,Wrst,StDev,\nMTR\.0\.95,\d+,OK,10\.0\.0\.1,1,10\.0\.0\.1,0\.00,1,0,/,
  );
  const report = JSON.parse(run(h, mtr, 'mtr -j -n -c 2 10.0.0.1').out).report;
  expect(report.hubs).toMatchObject([{ count: 1, host: '10.0.0.1', 'Loss%': 0, Snt: 2 }]);
  expect(run(h, mtr, 'mtr -r -n nowhere.test')).toMatchObject({ code: 0, out: '' });
  expect(run(h, mtr, 'mtr -r -c x 10.0.0.1').err).toBe("mtr: invalid argument: 'x'\n");
  expect(run(h, mtr, 'mtr --version').out).toBe('mtr 0.95\n');
});

test('BusyBox’ traceroute takes numbers within its ranges', () => {
  const said = (words: string) => runIn('busybox:1.36', words.split(' '));
  expect(said('traceroute -m x 127.0.0.1')).toMatchObject({ code: 1, out: '', err: "traceroute: invalid number 'x'\n" });
  expect(said('traceroute -m 5 -f 6 127.0.0.1').err).toBe('traceroute: number 6 is not in 1..5 range\n');
  expect(said('traceroute -p 99999 127.0.0.1').err).toBe('traceroute: number 99999 is not in 0..65535 range\n');
  expect(said('traceroute 127.0.0.1 20').err).toBe('traceroute: number 20 is not in 46..32768 range\n');
  expect(said('traceroute 127.0.0.1 60').out).toContain('traceroute to 127.0.0.1 (127.0.0.1), 30 hops max, 60 byte packets\n');
});
