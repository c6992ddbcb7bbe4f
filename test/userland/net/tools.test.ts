import { expect, test } from 'vitest';
import { kill } from '../../../src/linux/process.ts';
import { readFile } from '../../../src/linux/vfs.ts';
import { runUntil } from '../../../src/sim/sim.ts';
import { getopt } from '../../../src/userland/busybox.ts';
import { busyboxNc } from '../../../src/userland/net/busybox-nc.ts';
import { busyboxPing } from '../../../src/userland/net/busybox-ping.ts';
import { busyboxWget } from '../../../src/userland/net/busybox-wget.ts';
import { curl } from '../../../src/userland/net/curl.ts';
import { openbsdNc } from '../../../src/userland/net/openbsd-nc.ts';
import { decodeFrame, frameBytes } from '../../../src/userland/net/pcap-file.ts';
import { compileFilter } from '../../../src/userland/net/pcap-filter.ts';
import { ping } from '../../../src/userland/net/ping.ts';
import { tcpdump } from '../../../src/userland/net/tcpdump.ts';
import { traceroute } from '../../../src/userland/net/traceroute.ts';
import { wget } from '../../../src/userland/net/wget/main.ts';
import { agnhost } from '../../../src/userland/servers/agnhost.ts';
import { echoServer, httpEcho } from '../../../src/userland/servers/echo.ts';
import { nginx } from '../../../src/userland/servers/nginx.ts';
import { redisServer } from '../../../src/userland/servers/redis.ts';
import { redisCli } from '../../../src/userland/servers/redis-cli.ts';
import { busyboxUserland } from '../../../src/userland/userland.ts';
import { ip } from '../../../src/wire/ip.ts';
import type { Frame } from '../../../src/wire/packet.ts';
import { runIn } from '../container.ts';
import { DEBIAN_12, DEBIAN_13, files, run, start, twoHosts } from '../hosts.ts';

test('ping counts, and says who is unreachable', () => {
  const h = twoHosts();
  const ok = run(h, ping, 'ping -c 2 -n server');
  expect(ok.out).toMatch(
    /^PING server \(10\.0\.0\.1\) 56\(84\) bytes of data\.\n(64 bytes from 10\.0\.0\.1: icmp_seq=\d ttl=64 time=\d+\.\d+ ms\n){2}\n--- server ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, time 1\d\d\dms\nrtt min\/avg\/max\/mdev = [\d./]+ ms\n$/,
  );
  const gone = run(h, ping, 'ping -c 1 10.0.0.77');
  expect(gone.out).toContain('From 10.0.0.2 icmp_seq=1 Destination Host Unreachable\n');
  expect(gone.out).toContain('1 packets transmitted, 0 received, +1 errors, 100% packet loss');
  expect(gone.code).toBe(1);
  expect(run(h, busyboxPing, 'ping -c 1 server', { u: busyboxUserland(37, 'musl') }).out).toContain(
    '64 bytes from 10.0.0.1: seq=0 ttl=64 time=',
  );
  expect(run(h, ping, 'ping -c 1 nosuch.host')).toMatchObject({ code: 2 });
});

test('nc scans, and moves bytes both ways', () => {
  const h = twoHosts();
  start(h, h.server, openbsdNc(DEBIAN_12), ['nc', '-l', '-p', '9000', '-k']);
  expect(run(h, openbsdNc, 'nc -zv server 9000').err).toBe('Connection to server (10.0.0.1) 9000 port [tcp/*] succeeded!\n');
  expect(run(h, openbsdNc, 'nc -zv server 9001')).toMatchObject({
    code: 1,
    err: 'nc: connect to server (10.0.0.1) port 9001 (tcp) failed: Connection refused\n',
  });
  expect(run(h, openbsdNc, 'nc -z server 9001')).toMatchObject({ code: 1, err: '' });
  const heard = start(h, h.server, openbsdNc(DEBIAN_12), ['nc', '-l', '7000']);
  run(h, openbsdNc, 'nc -N server 7000', { stdin: 'hello\n' });
  runUntil(h.sim, () => heard.process.exitCode !== null, h.sim.nowMs + 5000);
  expect(heard.out()).toBe('hello\n');
  expect(run(h, busyboxNc, 'nc server 9001', { u: { ...DEBIAN_12 } }).err).toBe(
    "nc: can't connect to remote host (10.0.0.1): Connection refused\n",
  );
});

test('traceroute to a neighbour', () => {
  const h = twoHosts();
  expect(run(h, traceroute, 'traceroute -n 10.0.0.1').out).toMatch(
    /^traceroute to 10\.0\.0\.1 \(10\.0\.0\.1\), 30 hops max, 60 byte packets\n 1 {2}10\.0\.0\.1( {2}[\d.]+ ms){3}\n$/,
  );
});

test('tcpdump reads a connection', () => {
  const h = twoHosts();
  start(h, h.server, httpEcho(DEBIAN_12), ['http-echo', '-text=hi', '-listen=:80']);
  const dump = start(h, h.client, tcpdump(DEBIAN_12), ['tcpdump', '-nn', '-i', 'eth0', 'tcp', 'port', '80']);
  expect(run(h, curl, 'curl -s http://10.0.0.1/').out).toBe('hi\n');
  runUntil(h.sim, () => false, h.sim.nowMs + 100);
  kill(dump.process, 'INT');
  runUntil(h.sim, () => dump.process.exitCode !== null, h.sim.nowMs + 100);
  const lines = dump
    .out()
    .trimEnd()
    .split('\n')
    .map(l =>
      l
        .replace(/^[\d:.]+ /, '')
        .replace(/10\.0\.0\.2\.\d+/g, 'C')
        .replace(/(win|val|ecr) \d+/g, '$1 #')
        .replace(/\bseq \d{4,}|ack \d{4,}/g, s => `${s.slice(0, 3)} #`),
    );
  expect(lines.slice(0, 4)).toEqual([
    'IP C > 10.0.0.1.80: Flags [S], seq #, win #, options [mss 1460,sackOK,TS val # ecr #,nop,wscale 7], length 0',
    'IP 10.0.0.1.80 > C: Flags [S.], seq #, ack #, win #, options [mss 1460,sackOK,TS val # ecr #,nop,wscale 7], length 0',
    'IP C > 10.0.0.1.80: Flags [.], ack 1, win #, options [nop,nop,TS val # ecr #], length 0',
    'IP C > 10.0.0.1.80: Flags [P.], seq 1:73, ack 1, win #, options [nop,nop,TS val # ecr #], length 72: HTTP: GET / HTTP/1.1',
  ]);
  expect(dump.err()).toMatch(
    /listening on eth0, link-type EN10MB \(Ethernet\), snapshot length 262144 bytes\n\d+ packets captured\n\d+ packets received by filter\n0 packets dropped by kernel\n$/,
  );
  expect(run(h, tcpdump, 'tcpdump -i nosuch')).toMatchObject({
    code: 1,
    err: 'tcpdump: nosuch: No such device exists\n(No such device exists)\n',
  });
});

test('a capture on all devices is written and read with the header of cooked captures', () => {
  const h = twoHosts();
  const dump = start(h, h.client, tcpdump(DEBIAN_12), ['tcpdump', '-i', 'any', '-c', '2', '-w', '/any.pcap', 'icmp']);
  run(h, ping, 'ping -c 1 10.0.0.1');
  runUntil(h.sim, () => dump.process.exitCode !== null, h.sim.nowMs + 1000);
  const file = readFile(h.client.fs, '/any.pcap');
  if (typeof file === 'string') throw new Error(file);
  // LINKTYPE_LINUX_SLL2 is 276; the record: 20 bytes of header, IPv4 from interface 2, Ethernet, outgoing, an address of 6 bytes.
  expect([...file.subarray(20, 24)]).toEqual([0x14, 1, 0, 0]);
  expect([...file.subarray(40, 52)]).toEqual([8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6]);
  expect(file[60]).toBe(0x45);
  const read = run(h, tcpdump, 'tcpdump -nn -t -r /any.pcap');
  expect(read.err).toBe(
    'reading from file /any.pcap, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 262144\nWarning: interface names might be incorrect\n',
  );
  expect(read.out.split('\n')[0]).toMatch(/^eth0 {2}Out IP 10\.0\.0\.2 > 10\.0\.0\.1: ICMP echo request, id \d+, seq 1, length 64$/);
  expect(read.out.split('\n')[1]).toMatch(/^eth0 {2}In {2}IP 10\.0\.0\.1 > 10\.0\.0\.2: ICMP echo reply, /);
  expect(run(h, tcpdump, 'tcpdump -nn -e -t -c 1 -r /any.pcap').out).toMatch(
    /^eth0 {2}Out ifindex 2 [0-9a-f:]{17} ethertype IPv4 \(0x0800\), length 104: 10\.0\.0\.2 > 10\.0\.0\.1: ICMP echo request/,
  );
});

test('tcpdump takes its filter from a file, and refuses what it would have to act on', () => {
  const h = twoHosts();
  expect(run(h, tcpdump, 'tcpdump -d icmp')).toMatchObject({
    code: 1,
    err: 'tcpdump: podnet does not model -d (the filter as instructions)\n',
  });
  expect(run(h, tcpdump, 'tcpdump -G 10 -w x').err).toBe('tcpdump: podnet does not model -G (rotation)\n');
  expect(run(h, tcpdump, 'tcpdump -F /nosuch').err).toBe("tcpdump: can't open /nosuch: No such file or directory\n");
  files({ '/filter': 'icmp # pings\n' }, h.client.fs);
  const dump = start(h, h.client, tcpdump(DEBIAN_12), ['tcpdump', '-nn', '-i', 'eth0', '-c', '1', '-F', '/filter', 'udp']);
  run(h, ping, 'ping -c 1 10.0.0.1');
  runUntil(h.sim, () => dump.process.exitCode !== null, h.sim.nowMs + 1000);
  expect(dump.out()).toContain('ICMP echo request');
});

const syn: Frame = {
  src: '02:00:00:00:00:01',
  dst: '02:00:00:00:00:02',
  payload: {
    kind: 'ip',
    family: 4,
    src: ip('10.0.0.2'),
    dst: ip('10.96.0.1'),
    proto: 6,
    ttl: 63,
    tos: 0,
    id: 7,
    df: true,
    body: { kind: 'tcp', sport: 40000, dport: 443, seq: 5, ack: 0, flags: 2, window: 64240, mss: 1460, data: new Uint8Array(0) },
  },
};

test('capture filters', () => {
  const yes = [
    '',
    'tcp',
    'host 10.0.0.2',
    'tcp port 443',
    'dst port 443 and src host 10.0.0.2',
    'net 10.96.0.0/12',
    'port https',
    'not udp and (port 80 or 443)',
    'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn',
    'portrange 400-500',
    'dst net 10.96',
  ];
  const no = ['udp', 'arp', 'src port 443', 'host 10.0.0.3', 'icmp or udp', 'tcp[tcpflags] & tcp-ack != 0', 'dst host 10.0.0.2'];
  for (const f of yes) expect([f, (compileFilter(f) as (x: Frame) => boolean)(syn)]).toEqual([f, true]);
  for (const f of no) expect([f, (compileFilter(f) as (x: Frame) => boolean)(syn)]).toEqual([f, false]);
  expect(compileFilter('host nosuch.')).toBe("unknown host 'nosuch.'");
  expect(typeof compileFilter('tcp and')).toBe('string');
});

test('frames survive a capture file', () => {
  expect(decodeFrame(frameBytes(syn))).toEqual(syn);
});

test('agnhost, an echo and Redis answer', () => {
  const h = twoHosts();
  start(h, h.server, agnhost(DEBIAN_13), ['/agnhost', 'netexec', '--http-port=8080'], { HOSTNAME: 'pod-a' });
  start(h, h.server, echoServer(DEBIAN_13), ['/bin/echo-server'], { PORT: '8090', HOSTNAME: 'pod-b' });
  start(h, h.server, redisServer(DEBIAN_12), ['redis-server']);
  expect(run(h, curl, 'curl -s http://server:8080/hostname').out).toBe('pod-a');
  expect(run(h, curl, 'curl -s http://server:8080/echo?msg=hey%20you').out).toBe('hey you');
  expect(run(h, curl, 'curl -s http://server:8080/clientip').out).toMatch(/^10\.0\.0\.2:\d+$/);
  expect(run(h, curl, 'curl -s http://server:8090/x').out).toMatch(
    /^Request served by pod-b\n\nGET \/x HTTP\/1\.1\n\nHost: server:8090\nAccept: \*\/\*\nUser-Agent: curl\/7\.88\.1\n\n$/,
  );
  expect(run(h, redisCli, 'redis-cli -h server SET a 1').out).toBe('OK\n');
  expect(run(h, redisCli, 'redis-cli -h server INCR a', { tty: true }).out).toBe('(integer) 2\n');
  expect(run(h, redisCli, 'redis-cli -h server -p 1 PING')).toMatchObject({
    code: 1,
    err: 'Could not connect to Redis at server:1: Connection refused\n',
  });
  expect(run(h, agnhost, '/agnhost connect server:8080 --timeout=1s').code).toBe(0);
  expect(run(h, agnhost, '/agnhost connect server:81 --timeout=1s')).toMatchObject({ code: 1, err: 'REFUSED\n' });
});

test('busybox wget names the host as it was given, with its port', () => {
  const wget = (url: string) => runIn('busybox:1.36', ['wget', '-q', '-O-', url]);
  expect(wget('http://nowhere.example:81/')).toMatchObject({ code: 1, err: "wget: bad address 'nowhere.example:81'\n" });
  expect(wget('http://nowhere.example/')).toMatchObject({ code: 1, err: "wget: bad address 'nowhere.example'\n" });
});

test('busybox tools refuse numbers that are none', () => {
  const said = (...words: string[]) => runIn('busybox:1.36', words);
  expect(said('ping', '-c', 'x', '127.0.0.1')).toMatchObject({ code: 1, err: "ping: invalid number 'x'\n" });
  expect(said('ping', '-s', '70000', '127.0.0.1')).toMatchObject({ code: 1, err: 'ping: number 70000 is not in 0..65535 range\n' });
  expect(said('traceroute', '-m', '300', '127.0.0.1')).toMatchObject({ code: 1, err: 'traceroute: number 300 is not in 1..255 range\n' });
  expect(said('traceroute', '-f', '31', '127.0.0.1').err).toBe('traceroute: number 31 is not in 1..30 range\n');
  expect(said('ip', 'foo').err).toMatch(/^BusyBox v1\.36\.1 \(.*\) multi-call binary\.\n\nUsage: ip \[OPTIONS\] address\|/);
});

test('busybox wget goes on with a file, and writes what it says where it is told', () => {
  const h = twoHosts();
  const conf = 'events {} http { server { listen 80; root /srv; } }';
  files({ '/etc/nginx/nginx.conf': conf, '/srv/f.txt': 'hello\n' }, h.server.fs);
  start(h, h.server, nginx(DEBIAN_12), ['nginx', '-g', 'daemon off;'], { NGINX_VERSION: '1.22.1' });
  files({ '/f.txt': 'hel' }, h.client.fs);
  expect(run(h, busyboxWget, 'wget -q -c http://server/f.txt').code).toBe(0);
  const text = (path: string) => String.fromCharCode(...(readFile(h.client.fs, path) as Uint8Array));
  expect(text('/f.txt')).toBe('hello\n');
  expect(run(h, busyboxWget, 'wget -q -c http://server/f.txt')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^wget: server returned error: HTTP\/1\.1 416 /),
  });
  expect(run(h, busyboxWget, 'wget -o log -O x http://server/f.txt')).toMatchObject({ code: 0, err: '' });
  expect(text('/log')).toMatch(/^Connecting to server \(10\.0\.0\.1:80\)\nsaving to 'x'\n/);
});

test('long options: what begins several is ambiguous, what takes no value is given none', () => {
  const o = getopt(['--ti=1'], 'T:', { 'timeout=': 'T', 'times=': 'x', 'tries=': 't', quiet: 'q', silent: 'q', 'color=?': 'c' });
  expect(o.error).toBe("option '--ti=1' is ambiguous; possibilities: '--timeout' '--times'");
  const long = { quiet: 'q', quieter: 'q', 'color=?': 'c' };
  expect(getopt(['--qui', '--color', '--colo=x', 'rest'], '', long)).toMatchObject({
    error: null,
    order: [
      ['q', null],
      ['c', null],
      ['c', 'x'],
    ],
    operands: ['rest'],
  });
  expect(getopt(['--quiet=1'], '', long).error).toBe("option '--quiet' doesn't allow an argument");
});

test('GNU wget -nv keeps quiet about the connection but says why it failed', () => {
  const h = twoHosts();
  expect(run(h, wget, 'wget -nv -t 1 http://10.0.0.1:81/')).toMatchObject({ code: 4, err: 'failed: Connection refused.\n' });
  expect(run(h, wget, 'wget -q -t 1 http://10.0.0.1:81/')).toMatchObject({ code: 4, err: '' });
});
