// plugin/cache, plugin/metrics and plugin/forward over time: what is kept, for how long, and what is counted meanwhile.
import { beforeEach, describe, expect, it } from 'vitest';
import { newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer } from '../../src/apiserver/types.ts';
import { addItem, keyOf, newStore, sizeOfStore } from '../../src/coredns/plugins/cache-store.ts';
import { corednsProgram } from '../../src/coredns/program.ts';
import { spawnProgram } from '../../src/linux/process.ts';
import type { Process } from '../../src/linux/types.ts';
import { writeFile } from '../../src/linux/vfs.ts';
import { stringToBytes } from '../../src/sim/bytes.ts';
import { newRandom } from '../../src/sim/random.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { curl } from '../../src/userland/net/curl.ts';
import { type Hosts, run, twoHosts } from '../userland/hosts.ts';
import { ask as askAt, bootCoredns, mistake } from './boot.ts';

let h: Hosts;
let server: ApiServer;

beforeEach(() => {
  h = twoHosts();
  server = newApiServer(h.sim, newRandom(1));
});

const boot = (corefile: string, files: Record<string, string> = {}) => bootCoredns(h, server, corefile, files);
const ask = (name: string) => askAt(h, name);
const pass = (seconds: number) => runUntil(h.sim, () => false, h.sim.nowMs + seconds * 1000);
const metric = (line: string) => {
  const found = run(h, curl, 'curl -s http://10.0.0.1:9153/metrics').out.split('\n');
  return Number(found.find(l => l.startsWith(`${line} `))?.split(' ')[1] ?? Number.NaN);
};

/** Answers of its second server, which the first one forwards to; its file can change. */
const UPSTREAM = 'a.test:54 {\n file /a.db\n reload 2s\n}\n';
const zone = (address: string) =>
  `$TTL 60\n@ IN SOA ns h ${address.replace(/\D/g, '')} 1 1 1 40\nwww IN A ${address}\nbrief 8 IN A ${address}\nlong 9000 IN A ${address}\n`;
const chain = (cache: string) => `.:53 {\n errors\n prometheus :9153\n ${cache}\n forward . 127.0.0.1:54\n}\n${UPSTREAM}`;
const two = (cache: string) => boot(chain(cache), { '/a.db': zone('192.0.2.1') });
const ttlOf = (name: string) => {
  const { answers, authority } = ask(name);
  return [...answers, ...authority][0]?.ttl;
};
const address = (name: string) => {
  const [first] = ask(name).answers;
  return first && 'ip' in first.data ? first.data.ip.join('.') : null;
};

describe('the cache', () => {
  it('counts TTLs down, says that it has authority, caps what is long, keeps what is not there', () => {
    two('cache 30');
    expect([ask('www.a.test.').ra, ttlOf('long.a.test.'), ttlOf('nobody.a.test.')]).toEqual([false, 30, 30]);
    pass(12);
    expect([ttlOf('www.a.test.'), ttlOf('long.a.test.'), ttlOf('nobody.a.test.')]).toEqual([18, 18, 18]);
    pass(18);
    expect(ttlOf('www.a.test.')).toBe(30);
    const at = 'server="dns://:53"';
    expect(metric(`coredns_cache_hits_total{${at},type="success",view="",zones="."}`)).toBe(2);
    expect(metric(`coredns_cache_hits_total{${at},type="denial",view="",zones="."}`)).toBe(1);
    expect(metric(`coredns_cache_misses_total{${at},view="",zones="."}`)).toBe(4);
    expect(metric(`coredns_cache_entries{${at},type="success",view="",zones="."}`)).toBe(2);
  });

  it('keepttl gives an answer its first TTL as long as it lasts', () => {
    two('cache 30 {\n  keepttl\n }');
    ttlOf('www.a.test.');
    pass(20);
    expect(ttlOf('www.a.test.')).toBe(30);
  });

  it('serve_stale gives what is over with TTL 0 when nobody knows better; verify asks first', () => {
    for (const [mode, fresh] of [
      ['immediate', 0],
      ['verify', 30],
    ] as const) {
      h = twoHosts();
      server = newApiServer(h.sim, newRandom(1));
      two(`cache 30 {\n  serve_stale 1h ${mode}\n }`);
      expect(ttlOf('www.a.test.')).toBe(30);
      pass(40);
      expect(ttlOf('www.a.test.')).toBe(fresh);
      pass(1);
      expect(ttlOf('www.a.test.')).toBe(29);
    }
  });

  it('prefetch asks again in the last tenth of the time of what is asked for often', () => {
    two('cache 30 {\n  prefetch 2 1m 20%\n }');
    for (const s of [0, 10, 10]) {
      pass(s);
      ttlOf('www.a.test.');
    }
    pass(5);
    // In its last 20 %: this query is answered from the cache, and a new answer is fetched behind it.
    expect(ttlOf('www.a.test.')).toBe(5);
    pass(1);
    expect(ttlOf('www.a.test.')).toBe(29);
    expect(metric('coredns_cache_prefetch_total{server="dns://:53",view="",zones="."}')).toBe(1);
  });

  it('has room for so many answers: four in each of 256 shards at the least; another one drives one out', () => {
    const store = newStore(1);
    const dice = newRandom(1);
    let driven = 0;
    for (let i = 0; i < 3000; i++) {
      const item = { reply: null, ttlSeconds: 5, storedAtMs: 0, hits: 0, lastMs: 0 };
      if (addItem(store, keyOf(false, false, 1, `n${i}.a.test.`), item, dice)) driven++;
    }
    expect([sizeOfStore(store), driven]).toEqual([1024, 3000 - 1024]);
  });

  it('disable leaves names of a zone out', () => {
    two('cache 30 {\n  disable success a.test\n }');
    ttlOf('www.a.test.');
    ttlOf('none.a.test.');
    pass(7);
    expect([ttlOf('www.a.test.'), ttlOf('none.a.test.')]).toEqual([30, 23]);
  });

  it('refuses what it cannot read', () => {
    const wrong = (body: string) => mistake(h, server, `. {\n cache {\n  ${body}\n }\n}\n`);
    expect(wrong('prefetch 5 10')).toBe('plugin/cache: time: missing unit in duration "10"');
    expect(wrong('prefetch 5 10s 5%')).toBe('plugin/cache: percentage should fall in range [10, 90]: 5');
    expect(wrong('servfail 6m')).toBe('plugin/cache: caching SERVFAIL responses over 5 minutes is not permitted');
    expect(wrong('success 10 0')).toBe('plugin/cache: cache TTL can not be zero or negative: 0');
    expect(wrong('disable all')).toBe('plugin/cache: cache type for disable must be "success" or "denial"');
    expect(wrong('forever')).toBe(
      "plugin/cache: /Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after 'forever'",
    );
  });
});

describe('forward', () => {
  it('tries an upstream where nobody is until three checks have failed, and then once for each query', () => {
    const dns = boot('. {\n errors\n prometheus :9153\n forward . 127.0.0.1:55\n}\n');
    const before = h.sim.nowMs;
    expect(ask('x.test.').rcode).toBe('SERVFAIL');
    expect(h.sim.nowMs - before).toBeGreaterThan(1000);
    const then = h.sim.nowMs;
    expect(ask('y.test.').rcode).toBe('SERVFAIL');
    expect(h.sim.nowMs - then).toBeLessThan(20);
    expect(dns.out()).toMatch(/2 y\.test\. A: read udp [\d.:]+->127\.0\.0\.1:55: read: connection refused\n/);
    expect(metric('coredns_proxy_healthcheck_failures_total{proxy_name="forward",to="127.0.0.1:55"}')).toBe(3);
    expect(metric('coredns_forward_healthcheck_broken_total')).toBe(2);
  });

  it('leaves out what is down until it answers a check', () => {
    const corefile = (port: number) =>
      `.:53 {\n forward . 127.0.0.1:55 127.0.0.1:54 {\n  policy sequential\n }\n}\n${UPSTREAM.replace('54', String(port))}`;
    boot(corefile(54), { '/a.db': zone('192.0.2.1') });
    for (let i = 0; i < 4; i++) {
      expect(address('www.a.test.')).toBe('192.0.2.1');
      pass(1);
    }
  });

  it('round_robin begins with the second; failfast_all_unhealthy_upstreams asks nobody when all are down', () => {
    const dns = boot(
      '.:53 {\n log . "{/forward/upstream}"\n metadata\n forward . 127.0.0.1:55 127.0.0.1:54 {\n  policy round_robin\n  max_fails 0\n }\n}\n' +
        'b:53 {\n errors\n forward . 127.0.0.1:56 {\n  failfast_all_unhealthy_upstreams\n }\n}\n. {\n whoami\n}\n'.replace('. {', '.:54 {'),
    );
    for (const name of ['1.', '2.', '3.']) ask(name);
    expect(dns.out().match(/127\.0\.0\.1:5\d$/gm)).toEqual(['127.0.0.1:54', '127.0.0.1:54', '127.0.0.1:54']);
    ask('x.b.');
    ask('y.b.');
    expect(dns.out()).toContain('2 y.b. A: no healthy proxies\n');
  });
});

it('what a process knows goes on in its next life in another command: answers, counts, what is down; not in one with another Corefile', () => {
  const corefile = '.:53 {\n errors\n prometheus :9153\n cache 30\n forward . 127.0.0.1:54\n}\na.test:54 {\n file /a.db\n}\n';
  const first = boot(corefile, { '/a.db': zone('192.0.2.1') });
  ttlOf('www.a.test.');
  const left = JSON.parse(JSON.stringify(first.process.memory?.save?.()));
  const again = (memory: unknown, text = corefile) => {
    h = twoHosts();
    h.sim.nowMs += 9000;
    server = newApiServer(h.sim, newRandom(1));
    writeFile(h.server.fs, '/Corefile', stringToBytes(text));
    const netns = h.server.kernel.netns.get('')!;
    return spawnProgram(h.server.kernel, corednsProgram(server), {
      netns,
      fs: h.server.fs,
      argv: ['coredns', '-conf', '/Corefile'],
      background: true,
      memory,
    }) as Process;
  };
  again(left);
  expect(ttlOf('www.a.test.')).toBeLessThan(30);
  expect(address('www.a.test.')).toBe('192.0.2.1'); // the file is gone, the answer is not
  expect(metric('coredns_cache_requests_total{server="dns://:53",view="",zones="."}')).toBe(3);
  again(left, `${corefile}# other\n`);
  expect(address('www.a.test.')).toBe(null);
});

it('forward asks again over the connection that it has, for ten seconds, and then over a new one', () => {
  two('');
  const ports = () => metric('coredns_proxy_conn_cache_misses_total{proto="udp",proxy_name="forward",to="127.0.0.1:54"}');
  for (const s of [0, 1, 9]) {
    pass(s);
    ask('www.a.test.');
  }
  expect(ports()).toBe(1);
  expect(metric('coredns_proxy_conn_cache_hits_total{proto="udp",proxy_name="forward",to="127.0.0.1:54"}')).toBe(2);
  pass(11);
  ask('www.a.test.');
  expect(ports()).toBe(2);
});

it('what is consolidated is told when its period ends, in whatever command that is', () => {
  const corefile =
    '. {\n errors {\n  consolidate 1m "refused$" warning show_first\n }\n forward . 127.0.0.1:55 {\n  max_fails 0\n  max_connect_attempts 1\n }\n}\n';
  const dns = boot(corefile);
  ask('a.test.');
  pass(20);
  ask('b.test.');
  const dueMs = dns.process.memory?.dueMs?.() ?? 0;
  expect(dueMs - h.sim.nowMs).toBeGreaterThan(39_000);
  pass(41);
  expect(dns.out().split('\n').slice(-3)).toEqual([
    expect.stringMatching(
      /^\[WARNING\] plugin\/errors: 2 a\.test\. A: read udp 127\.0\.0\.1:\d+->127\.0\.0\.1:55: read: connection refused$/,
    ),
    "[WARNING] plugin/errors: 2 errors like 'refused$' occurred in last 1m0s",
    '',
  ]);
  expect(dns.process.memory?.dueMs?.()).toBeUndefined();
});
