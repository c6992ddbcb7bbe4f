import { beforeAll, describe, expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import type { TestCluster } from '../cluster/harness.ts';
import { clusterWith, echo } from './cluster.ts';

let c: TestCluster;

const pool = (name: string, addresses: string[], more: object = {}) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name, namespace: 'metallb-system' },
  spec: { addresses, ...more },
});
const balancer = (name: string, app: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, ...more },
  spec: { type: 'LoadBalancer', selector: { app }, ports: [{ port: 80, targetPort: 5678 }] },
});
const address = (name: string) => c.must(['get', 'svc', name, '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}']);
const fetch = (ip: string) => c.external(['curl', '-s', '-m', '3', `http://${ip}/`]);

beforeAll(async () => {
  c = await clusterWith(['metallb'], clusterConfig({ nodes: 2, loadBalancer: 'none' }));
  c.apply(...echo('front', 'from the front'));
}, 60_000);

describe('MetalLB', () => {
  it('runs one controller and a speaker on every node', () => {
    expect(c.must('-n metallb-system get deploy,ds --no-headers')).toMatch(/controller +1\/1[\s\S]*speaker +3 +3 +3/);
  });

  // controller/service.go convergeBalancer of v0.15.3: with empty pools the state is cleared, and no event is made.
  it('leaves a Service without an address while there is no pool, and says nothing of it', () => {
    c.apply(balancer('first', 'front'));
    c.rest();
    expect(address('first')).toBe('');
    expect(c.must('get events')).not.toContain('service/first');
  });

  it('gives the lowest free address of a pool', () => {
    c.apply(pool('lan', ['192.168.1.240-192.168.1.241']));
    c.rest();
    expect(address('first')).toBe('192.168.1.240');
    expect(c.must('get ipaddresspool lan -n metallb-system -o jsonpath={.status.assignedIPv4},{.status.availableIPv4}')).toBe('1,1');
  });

  it('does not answer for it until it is advertised: nobody has the address', () => {
    expect(fetch('192.168.1.240').code).not.toBe(0);
    c.apply({ apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata: { name: 'lan', namespace: 'metallb-system' } });
    expect(fetch('192.168.1.240')).toMatchObject({ code: 0, out: 'from the front\n' });
  });

  it('logs what it gives and what it announces, as JSON', () => {
    const lines = (who: string) =>
      c
        .must(`-n metallb-system logs ${who}`)
        .trim()
        .split('\n')
        .map(l => JSON.parse(l) as Record<string, unknown>);
    const controller = lines('deploy/controller');
    expect(controller[0]).toMatchObject({ caller: 'main.go:187', level: 'info', version: '0.15.3' });
    expect(controller.map(l => l.event ?? l.op ?? l['start reconcile'])).toEqual(
      expect.arrayContaining(['CreateMlSecret', 'Run', 'metallb-system/lan', 'config reloaded', 'ipAllocated', 'serviceUpdated']),
    );
    expect(controller.find(l => l.event === 'ipAllocated')?.ip).toEqual(['192.168.1.240']);
    const speakers = c.must('-n metallb-system get pods -l component=speaker -o name').trim().split('\n').map(lines);
    for (const l of speakers) expect(l[1]).toMatchObject({ event: 'createARPResponder', interface: 'eth0' });
    const announced = speakers.flat().filter(l => l.event === 'serviceAnnounced');
    expect(announced).toEqual([expect.objectContaining({ ips: ['192.168.1.240'], pool: 'lan', protocol: 'layer2' })]);
  });

  it('has an object that names the node which announces a Service', () => {
    const rows = c.must('-n metallb-system get servicel2statuses').split('\n');
    expect(rows[0]).toMatch(/^NAME +ALLOCATED NODE +SERVICE NAME +SERVICE NAMESPACE$/);
    const announced = c.must('get events').match(/announcing from node "(\S+)"/)?.[1];
    expect(rows[1].split(/ +/)).toEqual([expect.stringMatching(/^l2-\w{5}$/), announced, 'first', 'default']);
    expect(rows[2]).toBe('');
  });

  it('refuses pools that overlap or are none, and what lies in another namespace', () => {
    const refused = (o: object) => c.kubectl('create -f -', JSON.stringify(o)).err.replace(/^.*denied the request: /, '');
    expect(c.kubectl('create -f -', JSON.stringify(pool('twice', ['192.168.1.241/32']))).err).toBe(
      'Error from server (Forbidden): error when creating "STDIN": admission webhook "ipaddresspoolvalidationwebhook.metallb.io" denied the request: CIDR "192.168.1.241/32" in pool "twice" overlaps with already defined CIDR "192.168.1.240/31"\n',
    );
    expect(refused(pool('spread', ['192.168.1.230-192.168.1.242']))).toBe(
      'CIDR "192.168.1.240/31" in pool "spread" overlaps with already defined CIDR "192.168.1.240/31"\n',
    );
    expect(refused(pool('bare', ['192.168.1.9']))).toBe(
      'parsing address pool bare: invalid CIDR "192.168.1.9" in pool "bare": invalid CIDR "192.168.1.9"\n',
    );
    expect(refused(pool('back', ['192.168.1.9-192.168.1.3']))).toContain('start IP "192.168.1.9" is after the end IP "192.168.1.3"\n');
    expect(refused({ ...pool('away', ['10.0.0.0/30']), metadata: { name: 'away', namespace: 'default' } })).toBe(
      'resource must be created in metallb-system namespace\n',
    );
    expect(c.kubectl('-n metallb-system annotate ipaddresspool lan a=b').code).toBe(0);
  });

  it('answers ARP from one node only', () => {
    const neighbour = c.external('ip neigh show 192.168.1.240').out;
    const announced = c.must('get events').match(/announcing from node "(\S+)"/)?.[1] ?? '';
    expect(neighbour).toContain(c.node(announced, 'ip link show eth0').out.match(/ether (\S+)/)?.[1]);
  });

  it('gives the address that is asked for, and refuses one that is taken or is in no pool', () => {
    c.apply(balancer('second', 'front', { annotations: { 'metallb.io/loadBalancerIPs': '192.168.1.241' } }));
    c.apply(balancer('third', 'front', { annotations: { 'metallb.io/loadBalancerIPs': '192.168.1.241' } }));
    c.apply(balancer('fourth', 'front', { annotations: { 'metallb.io/loadBalancerIPs': '192.168.1.99' } }));
    c.rest();
    expect([address('second'), address('third'), address('fourth')]).toEqual(['192.168.1.241', '', '']);
    expect(c.must('get events')).toContain('"192.168.1.99"] is not allowed in config');
  });

  it('hands a freed address on', () => {
    c.must('delete svc second');
    c.must('annotate svc third example.com/again=1');
    c.rest();
    expect(address('third')).toBe('192.168.1.241');
  });

  it('is unreachable when its node goes, and moves when the speaker does', () => {
    const node = () => c.external('ip neigh show 192.168.1.240').out.match(/lladdr (\S+)/)?.[1];
    const before = node();
    const leader = c.must('get events').match(/announcing from node "(\S+)"/)?.[1] ?? '';
    c.must(['label', 'node', leader, 'node.kubernetes.io/exclude-from-external-load-balancers=']);
    c.rest();
    c.external('ip neigh flush all');
    expect(fetch('192.168.1.240').out).toBe('from the front\n');
    expect(node()).not.toBe(before);
  });
});
