import { describe, expect, it } from 'vitest';
import { canonical } from '../../src/cni/calico/felix/selector.ts';
import { vethName } from '../../src/cni/calico/names.ts';
import { linkByName } from '../../src/linux/link.ts';
import { save } from '../../src/linux/netfilter/save.ts';
import { runUntil, settle } from '../../src/sim/sim.ts';
import { formatCidr, formatIp } from '../../src/wire/ip.ts';
import { addPod, put, removePod, rules, serve, testCluster, tryConnect } from './cluster.ts';

const policy = (name: string, spec: Record<string, unknown>) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name },
  spec,
});

const KNP = 'networkpolicies.networking.k8s.io';

describe('addresses', () => {
  it('come from the block of the node, one after another, and wait their turn when released', () => {
    const c = testCluster();
    const a = addPod(c, 'a', 'alpha');
    const b = addPod(c, 'b', 'alpha');
    expect([a.ips, b.ips]).toEqual([['10.50.1.1'], ['10.50.1.2']]);
    removePod(c, a, 'alpha');
    expect(addPod(c, 'd', 'alpha').ips).toEqual(['10.50.1.3']);
    expect(c.cni.ipam.blocks[4].map(x => [x.cidr, x.node])).toEqual([
      ['10.50.1.0/26', 'alpha'],
      ['10.50.2.0/26', 'beta'],
    ]);
  });

  it('that are asked for claim their block, whose route other nodes get', () => {
    const c = testCluster();
    expect(addPod(c, 'a', 'alpha', { wanted: ['10.50.1.200'] }).ips).toEqual(['10.50.1.200']);
    const routes = (c.nodes.get('beta')!.netns.tables.get(254) ?? []).map(
      r => `${formatCidr(r.dst)} ${r.via && formatIp(r.via)} ${r.proto}`,
    );
    expect(routes).toContain('10.50.1.192/26 172.20.0.11 bird');
  });

  it('go on in a second block when the first is full', () => {
    const c = testCluster();
    const ips = Array.from({ length: 70 }, (_, i) => addPod(c, `p${i}`, 'beta').ips[0]);
    expect(new Set(ips).size).toBe(70);
    expect(ips[69]).toBe('10.50.2.70');
  });
});

describe('Felix', () => {
  it('shows whoever looks what it would have written by then, not what came since', () => {
    const c = testCluster();
    addPod(c, 'a', 'alpha', { labels: { app: 'a' } });
    const { netns } = c.nodes.get('alpha')!;
    const policies = () => [
      ...new Set(rules(netns, /knp/).flatMap(l => /(?:knp|Policy)[. /_-]+(shop[./]\w+)/.exec(l)?.[1].replace('.', '/') ?? [])),
    ];
    expect(policies()).toEqual([]);
    put(c, KNP, policy('first', { podSelector: {} }));
    settle(c.sim, 5000);
    expect(netns.due.size).toBeGreaterThan(0);
    put(c, KNP, policy('second', { podSelector: {} }));
    runUntil(c.sim, () => false, c.sim.nowMs + 50);
    expect(policies()).toEqual(['shop/first']);
    runUntil(c.sim, () => false, c.sim.nowMs + 100);
    expect(policies().sort()).toEqual(['shop/first', 'shop/second']);
  });

  it('leaves its rules behind when it is stopped, though nobody had looked', () => {
    const c = testCluster();
    addPod(c, 'a', 'alpha', { labels: { app: 'a' } });
    put(c, KNP, policy('only', { podSelector: {} }));
    settle(c.sim, 5000);
    const { netns } = c.nodes.get('alpha')!;
    c.agents.get('alpha')!.stop();
    put(c, KNP, policy('late', { podSelector: {} }));
    settle(c.sim, 5000);
    expect(rules(netns, /shop.only/).length > 0).toBe(true);
    expect(rules(netns, /shop.late/).length > 0).toBe(false);
  });
});

describe('a pod', () => {
  it('hangs on a routed veth with the link-local gateway', () => {
    const c = testCluster();
    const a = addPod(c, 'a', 'alpha');
    const host = linkByName(c.nodes.get('alpha')!.netns, vethName('shop', 'a'))!;
    expect(host.mac).toBe('ee:ee:ee:ee:ee:ee');
    const routes = (a.netns.tables.get(254) ?? []).filter(r => r.dst.ip.length === 4);
    expect(routes.map(r => `${formatCidr(r.dst)} ${r.via ? formatIp(r.via) : r.scope}`)).toEqual([
      '169.254.1.1/32 link',
      '0.0.0.0/0 169.254.1.1',
    ]);
  });

  for (const encapsulation of ['none', 'vxlan', 'ipip'] as const) {
    it(`reaches pods of its own node and of others, encapsulation ${encapsulation}`, () => {
      const c = testCluster({ encapsulation });
      const [a, b, far] = [addPod(c, 'a', 'alpha'), addPod(c, 'b', 'alpha'), addPod(c, 'far', 'beta')];
      for (const s of [a, b, far]) serve(c, s.netns, 80);
      expect(tryConnect(c, a.netns, b.ips[0], 80)).toBe('connected');
      expect(tryConnect(c, a.netns, far.ips[0], 80)).toBe('connected');
      expect(tryConnect(c, a.netns, far.ips[0], 81)).toBe('ECONNREFUSED');
      expect(tryConnect(c, c.nodes.get('beta')!.netns, a.ips[0], 80)).toBe('connected');
    });
  }

  it('is reached through its hostPort', () => {
    const c = testCluster();
    const web = addPod(c, 'web', 'alpha', { ports: [{ hostPort: 8081, containerPort: 80, protocol: 'tcp' }] });
    serve(c, web.netns, 80);
    expect(tryConnect(c, c.nodes.get('beta')!.netns, '172.20.0.11', 8081)).toBe('connected');
    removePod(c, web, 'alpha');
    expect(rules(c.nodes.get('alpha')!.netns, /CNI-DN/)).toEqual([]);
  });
});

describe('a NetworkPolicy', () => {
  it('lets in who its selectors name, and nobody else', () => {
    const c = testCluster();
    const web = addPod(c, 'web', 'alpha', { labels: { app: 'web' } });
    const friend = addPod(c, 'friend', 'beta', { labels: { app: 'friend' } });
    const other = addPod(c, 'other', 'beta');
    serve(c, web.netns, 80);
    serve(c, web.netns, 81);
    put(
      c,
      KNP,
      policy('web', {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }], ports: [{ port: 80 }] }],
      }),
    );
    settle(c.sim, 5000);
    expect(tryConnect(c, friend.netns, web.ips[0], 80)).toBe('connected');
    expect(tryConnect(c, friend.netns, web.ips[0], 81)).not.toBe('connected');
    expect(tryConnect(c, other.netns, web.ips[0], 80)).not.toBe('connected');
    // The node itself always reaches its own pods.
    expect(tryConnect(c, c.nodes.get('alpha')!.netns, web.ips[0], 80)).toBe('connected');
  });

  it('follows labels, named ports and its own removal', () => {
    const c = testCluster();
    const web = addPod(c, 'web', 'alpha', { containerPorts: [{ name: 'main', containerPort: 8080 }] });
    const peer = addPod(c, 'peer', 'beta');
    serve(c, web.netns, 8080);
    const p = put(c, KNP, policy('named', { podSelector: {}, ingress: [{ ports: [{ port: 'main' }] }] }));
    settle(c.sim, 5000);
    expect(tryConnect(c, peer.netns, web.ips[0], 8080)).toBe('connected');
    put(c, KNP, { ...p, metadata: { ...p.metadata }, spec: { podSelector: {}, policyTypes: ['Ingress'] } });
    settle(c.sim, 5000);
    expect(tryConnect(c, peer.netns, web.ips[0], 8080)).not.toBe('connected');
    expect(rules(c.nodes.get('alpha')!.netns, /cali40n:/)).toEqual([]);
  });

  it('excepts networks and ranges of ports on egress', () => {
    const c = testCluster();
    const [a, near, far] = [addPod(c, 'a', 'alpha'), addPod(c, 'near', 'alpha'), addPod(c, 'far', 'beta')];
    for (const s of [near, far]) serve(c, s.netns, 8050);
    const to = [{ ipBlock: { cidr: '10.50.0.0/16', except: ['10.50.2.0/24'] } }];
    put(c, KNP, policy('out', { podSelector: {}, policyTypes: ['Egress'], egress: [{ to, ports: [{ port: 8000, endPort: 8100 }] }] }));
    settle(c.sim, 5000);
    expect(tryConnect(c, a.netns, near.ips[0], 8050)).toBe('connected');
    expect(tryConnect(c, a.netns, far.ips[0], 8050)).not.toBe('connected');
  });
});

describe('selectors', () => {
  it('have one canonical text', () => {
    expect(canonical("a=='b'")).toBe('a == "b"');
    expect(canonical("x in {'b','a'} && !has(y)")).toBe('(x in {"a", "b"} && !has(y))');
    expect(canonical("(a == 'b' && c != 'd') || all()")).toBe('((a == "b" && c != "d") || all())');
    expect(canonical("name starts with 'we'")).toBe('name starts with "we"');
  });
});

it('endpoints of all devices of a node have every chain that their dispatch leads to', () => {
  const c = testCluster();
  const at = (kind: string, plural: string, name: string, spec: object) =>
    put(c, `${plural}.projectcalico.org`, { apiVersion: 'projectcalico.org/v3', kind, metadata: { name, labels: { role: 'node' } }, spec });
  at('HostEndpoint', 'hostendpoints', 'all', { node: 'alpha', interfaceName: '*' });
  at('GlobalNetworkPolicy', 'globalnetworkpolicies', 'some', {
    selector: "role == 'node'",
    applyOnForward: true,
    ingress: [{ action: 'Allow' }],
    egress: [{ action: 'Allow' }],
  });
  settle(c.sim, 5000);
  const { netns } = c.nodes.get('alpha')!;
  for (const text of save(netns, 4).split(/^(?=\*)/m)) {
    const there = new Set([...text.matchAll(/^:(\S+)/gm)].map(m => m[1]));
    const led = [...text.matchAll(/ -[jg] (cali-\S+)/g)].map(m => m[1]);
    expect(led.filter(name => !there.has(name))).toEqual([]);
  }
  expect(rules(netns, /-g cali-[ft]h/).length).toBeGreaterThan(3);
});

describe('a ClusterNetworkPolicy', () => {
  const CNP = 'clusternetworkpolicies.policy.networking.k8s.io';
  const cluster = (tier: string, egress: object[]) => ({
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: 'wide' },
    spec: { tier, priority: 3, subject: { namespaces: {} }, egress },
  });
  const to = [{ namespaces: {} }];

  it.each([
    ['Accept', 'connected'],
    ['Deny', 'EINPROGRESS'],
    ['Pass', 'EINPROGRESS'],
  ])('with a named port, which Calico does not know there, fails closed: %s', (action, got) => {
    const c = testCluster();
    const web = addPod(c, 'web', 'alpha', { containerPorts: [{ name: 'main', containerPort: 8080 }] });
    const peer = addPod(c, 'peer', 'beta');
    serve(c, web.netns, 9090);
    put(c, CNP, cluster('Admin', [{ action, to, protocols: [{ destinationNamedPort: 'main' }] }]));
    settle(c.sim, 5000);
    expect(tryConnect(c, peer.netns, web.ips[0], 9090)).toBe(got);
  });

  it('goes on after a rule that was dropped', () => {
    const c = testCluster();
    const [web, peer] = [addPod(c, 'web', 'alpha'), addPod(c, 'peer', 'beta')];
    for (const port of [9090, 9091]) serve(c, web.netns, port);
    const tcp = (number: number) => [{ tcp: { destinationPort: { number } } }];
    put(
      c,
      CNP,
      cluster('Baseline', [
        { action: 'Accept', to, protocols: [{ destinationNamedPort: 'main' }] },
        { action: 'Deny', to, protocols: tcp(9090) },
      ]),
    );
    settle(c.sim, 5000);
    expect(tryConnect(c, peer.netns, web.ips[0], 9090)).not.toBe('connected');
    expect(tryConnect(c, peer.netns, web.ips[0], 9091)).toBe('connected');
  });
});
