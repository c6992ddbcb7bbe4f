// Calico's nftables data plane: the same policies, no iptables rule and no ipset of its own.
import { describe, expect, it } from 'vitest';
import { lookAt } from '../../src/linux/due.ts';
import { runNft } from '../../src/linux/netfilter/nft/commands.ts';
import { save } from '../../src/linux/netfilter/save.ts';
import type { Netns } from '../../src/linux/types.ts';
import { runUntil, settle } from '../../src/sim/sim.ts';
import { addPod, put, removePod, rules, serve, testCluster, tryConnect } from './cluster.ts';

const KNP = 'networkpolicies.networking.k8s.io';
const policy = (name: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name },
  spec,
});
const felix = (spec: object) => ({ apiVersion: 'projectcalico.org/v3', kind: 'FelixConfiguration', metadata: { name: 'default' }, spec });

/** What Felix would have written by now is written when somebody looks. */
function nft(ns: Netns, words: string) {
  lookAt(ns);
  return runNft(ns, words);
}
const listed = (ns: Netns, what = 'ruleset') => nft(ns, `list ${what}`).out;

function lab(config = {}) {
  const c = testCluster({ dataplane: 'nftables', ...config });
  const web = addPod(c, 'web', 'alpha', { labels: { app: 'web' }, containerPorts: [{ name: 'main', containerPort: 8080 }] });
  const friend = addPod(c, 'friend', 'beta', { labels: { app: 'friend' } });
  const other = addPod(c, 'other', 'beta');
  for (const port of [8080, 8081, 9000]) serve(c, web.netns, port);
  return { c, web, friend, other, alpha: c.nodes.get('alpha')!.netns };
}

describe('policies', () => {
  it('decide by selectors, named ports, ranges and networks', () => {
    const { c, web, friend, other } = lab();
    const to = web.ips[0];
    expect(tryConnect(c, other.netns, to, 9000)).toBe('connected');
    put(
      c,
      KNP,
      policy('web', {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [
          { from: [{ podSelector: { matchLabels: { app: 'friend' } } }], ports: [{ port: 'main' }] },
          { from: [{ ipBlock: { cidr: '10.50.0.0/16', except: ['10.50.77.0/24'] } }], ports: [{ port: 8081, endPort: 8085 }] },
        ],
      }),
    );
    settle(c.sim, 5000);
    const got = (from: typeof web) => [8080, 8081, 9000].map(port => tryConnect(c, from.netns, to, port) === 'connected');
    expect(got(friend)).toEqual([true, true, false]);
    expect(got(other)).toEqual([false, true, false]);
    expect(tryConnect(c, c.nodes.get('alpha')!.netns, to, 9000)).toBe('connected');
  });

  it('are written as one table, with sets and look-ups of its own, and nothing for iptables', () => {
    const { c, alpha } = lab();
    put(
      c,
      KNP,
      policy('a-name-that-iptables-would-hash', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }] }),
    );
    settle(c.sim, 5000);
    const text = listed(alpha);
    expect(text).toContain('chain filter-cali-pi-knp/shop/a-name-that-iptables-would-hash {');
    expect(text).toMatch(
      /ip saddr @cali40s-\S+ tcp dport 80 counter packets \d+ bytes \d+ meta mark set meta mark \| 0x00010000 comment "cali:/,
    );
    expect(text).toMatch(
      /map filter-cali-to-wl-dispatch \{\n\t\ttype ifname : verdict\n\t\telements = \{ "cali\w+" : goto filter-cali-tw-cali\w+ \}/,
    );
    expect(text).toMatch(/arp operation reply arp saddr ip 10\.50\.1\.1 counter packets 0 bytes 0 drop/);
    expect([save(alpha, 4).includes('cali-'), alpha.netfilter.ipsets.size]).toEqual([false, 0]);
    // What it wrote can be read back.
    expect(nft(c.nodes.get('beta')!.netns, `flush ruleset\n${text}`).error).toBeNull();
    expect(listed(c.nodes.get('beta')!.netns)).toBe(text);
  });
});

it('leaves out of its sets what lies within another network of theirs', () => {
  const { c, web, other, alpha } = lab();
  const set = (name: string, nets: string[]) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkSet',
    metadata: { name, labels: { role: 'block' } },
    spec: { nets },
  });
  put(c, 'globalnetworksets.projectcalico.org', set('wide', ['10.50.0.0/16', '192.0.2.7']));
  put(c, 'globalnetworksets.projectcalico.org', set('narrow', ['10.50.2.0/24', '10.50.2.1/32', '192.0.2.7/32']));
  put(c, 'globalnetworkpolicies.projectcalico.org', {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'no-block' },
    spec: { selector: "app == 'web'", ingress: [{ action: 'Deny', source: { selector: "role == 'block'" } }, { action: 'Allow' }] },
  });
  settle(c.sim, 5000);
  expect(listed(alpha)).toContain('elements = { 10.50.0.0/16, 192.0.2.7 }');
  expect(tryConnect(c, other.netns, web.ips[0], 9000)).not.toBe('connected');
});

it('keeps what has not changed, with its counters, and removes what is gone', () => {
  const { c, web, other, alpha } = lab();
  put(c, KNP, policy('first', { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ ports: [{ port: 8080 }] }] }));
  settle(c.sim, 5000);
  expect(tryConnect(c, other.netns, web.ips[0], 8080)).toBe('connected');
  const counted = () => /tcp dport 8080 counter packets (\d+)/.exec(listed(alpha))?.[1];
  const before = counted();
  expect(Number(before)).toBeGreaterThan(0);
  const late = addPod(c, 'late', 'alpha', { labels: { app: 'late' } });
  settle(c.sim, 5000);
  expect(counted()).toBe(before);
  expect(listed(alpha, 'map ip calico filter-cali-from-wl-dispatch').match(/goto/g)).toHaveLength(2);
  removePod(c, late, 'alpha');
  settle(c.sim, 5000);
  expect(listed(alpha, 'map ip calico filter-cali-from-wl-dispatch').match(/goto/g)).toHaveLength(1);
});

it('puts back what somebody flushed', () => {
  const { c, web, other, alpha } = lab();
  put(c, KNP, policy('none', { podSelector: { matchLabels: { app: 'web' } } }));
  settle(c.sim, 5000);
  nft(alpha, 'flush ruleset');
  expect(tryConnect(c, other.netns, web.ips[0], 9000)).toBe('connected');
  runUntil(c.sim, () => false, c.sim.nowMs + 400_000);
  expect(tryConnect(c, other.netns, web.ips[0], 9000)).not.toBe('connected');
});

it('changes over by its configuration, both ways', () => {
  const { c, web, other, alpha } = lab({ dataplane: 'iptables' });
  put(c, KNP, policy('none', { podSelector: { matchLabels: { app: 'web' } } }));
  settle(c.sim, 5000);
  const planes = () => [rules(alpha, /cali:/).length > 0, listed(alpha).includes('table ip calico')];
  const closed = () => tryConnect(c, other.netns, web.ips[0], 9000) !== 'connected';
  expect([planes(), closed()]).toEqual([[true, false], true]);
  put(c, 'felixconfigurations.projectcalico.org', felix({ nftablesMode: 'Enabled' }));
  settle(c.sim, 5000);
  expect([planes(), closed(), alpha.netfilter.ipsets.size]).toEqual([[false, true], true, 0]);
  put(c, 'felixconfigurations.projectcalico.org', felix({ nftablesMode: 'Disabled' }));
  settle(c.sim, 5000);
  expect([planes(), closed()]).toEqual([[true, false], true]);
});
