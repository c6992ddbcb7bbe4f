import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src/apiserver/types.ts';
import { evaluateConnection } from '../../src/netpol/evaluate.ts';
import { type Party, policiesOf } from '../../src/netpol/policies.ts';
import { allPorts, type Interval, intersect, isEmpty, noPorts, type PortSet, sameSet, subtract, union } from '../../src/netpol/ports.ts';
import { ip } from '../../src/wire/ip.ts';

const pod = (namespace: string, labels: Record<string, string>, more: Partial<Party> = {}): Party => ({
  id: `${namespace}/${Object.values(labels).join('-')}`,
  pod: { namespace, labels, namespaceLabels: { team: namespace }, namedPorts: [{ name: 'web', protocol: 'TCP', port: 8080 }] },
  hostNetwork: false,
  ips: [ip('10.244.1.9')],
  ...more,
});
const outside = (address: string): Party => ({ id: address, pod: null, hostNetwork: false, ips: [ip(address)] });
const policy = (namespace: string, name: string, spec: object): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec,
});
const tiered = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: 'policy.networking.k8s.io/v1alpha1',
  kind,
  metadata: { name },
  spec,
});

const shop = pod('shop', { app: 'cart' });
const db = pod('shop', { app: 'db' });
const stranger = pod('blog', { app: 'cart' });

describe('NetworkPolicy', () => {
  it('leaves pods that no policy selects open', () => {
    const p = policiesOf([policy('shop', 'db', { podSelector: { matchLabels: { app: 'db' } }, policyTypes: ['Ingress'] })]);
    expect(sameSet(evaluateConnection(p, db, shop).allowed, allPorts())).toBe(true);
    expect(isEmpty(evaluateConnection(p, shop, db).allowed)).toBe(true);
  });

  it('adds up rules, resolves named ports at the destination, and keeps podSelector inside the namespace', () => {
    const p = policiesOf([
      policy('shop', 'a', {
        podSelector: {},
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'cart' } } }], ports: [{ port: 'web' }] }],
      }),
      policy('shop', 'b', { podSelector: {}, ingress: [{ ports: [{ protocol: 'UDP', port: 53, endPort: 60 }] }] }),
    ]);
    expect(evaluateConnection(p, shop, db).allowed).toEqual({ TCP: [[8080, 8080]], UDP: [[53, 60]], SCTP: [] });
    expect(evaluateConnection(p, stranger, db).allowed).toEqual({ TCP: [], UDP: [[53, 60]], SCTP: [] });
  });

  it('says which side denies, by which policies', () => {
    const p = policiesOf([
      policy('shop', 'in', { podSelector: {}, policyTypes: ['Ingress'] }),
      policy('blog', 'out', { podSelector: {}, policyTypes: ['Egress'], egress: [{ ports: [{ port: 443 }] }] }),
    ]);
    const tcp = evaluateConnection(p, stranger, db).denied.filter(d => d.protocol === 'TCP');
    expect(tcp.find(d => d.at === 'ingress')).toMatchObject({ ports: [[443, 443]], policies: ['shop/in'], tier: 'NetworkPolicy' });
    expect(tcp.find(d => d.at === 'both')).toMatchObject({
      ports: [
        [1, 442],
        [444, 65535],
      ],
      policies: ['blog/out', 'shop/in'],
    });
  });

  it('cuts ipBlock exceptions out, for addresses outside and inside', () => {
    const p = policiesOf([
      policy('shop', 'e', {
        podSelector: {},
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.9.0.0/16'] } }] }],
      }),
    ]);
    expect(isEmpty(evaluateConnection(p, shop, outside('10.8.1.1')).allowed)).toBe(false);
    expect(isEmpty(evaluateConnection(p, shop, outside('10.9.1.1')).allowed)).toBe(true);
    expect(isEmpty(evaluateConnection(p, shop, stranger).allowed)).toBe(false);
  });

  it('neither selects nor matches pods of the host network', () => {
    const agent = pod('shop', { app: 'cart' }, { hostNetwork: true });
    const p = policiesOf([
      policy('shop', 'all', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] }),
    ]);
    expect(sameSet(evaluateConnection(p, shop, agent).allowed, allPorts())).toBe(true);
    expect(isEmpty(evaluateConnection(p, agent, shop).allowed)).toBe(true);
  });
});

describe('cluster-wide tiers', () => {
  it('decides in order of priority; Pass hands over to NetworkPolicy, then Baseline', () => {
    const everyone = { namespaces: {} };
    const p = policiesOf([
      tiered('AdminNetworkPolicy', 'second', { priority: 20, subject: everyone, ingress: [{ action: 'Deny', from: [everyone] }] }),
      tiered('AdminNetworkPolicy', 'first', {
        priority: 10,
        subject: everyone,
        ingress: [
          { action: 'Allow', from: [everyone], ports: [{ portNumber: { port: 80 } }] },
          { action: 'Pass', from: [everyone], ports: [{ portRange: { start: 81, end: 82 } }] },
        ],
      }),
      tiered('BaselineAdminNetworkPolicy', 'default', {
        subject: everyone,
        ingress: [{ action: 'Deny', from: [everyone], ports: [{ portNumber: { port: 82 } }] }],
      }),
    ]);
    const v = evaluateConnection(p, stranger, db);
    expect(v.allowed).toEqual({ TCP: [[80, 81]], UDP: [], SCTP: [] });
    expect(v.denied.find(d => d.tier === 'Baseline')).toMatchObject({ protocol: 'TCP', ports: [[82, 82]], policies: ['default'], rule: 0 });
  });
});

describe('sets of ports', () => {
  const interval = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 20 })).map(([lo, n]): Interval => [lo, lo + n]);
  const set = fc
    .array(interval, { maxLength: 5 })
    .map(list => list.reduce<PortSet>((s, [lo, hi]) => union(s, { ...noPorts(), TCP: [[lo, hi]] }), noPorts()));
  const has = (s: PortSet, port: number) => s.TCP.some(([lo, hi]) => lo <= port && port <= hi);

  it('behave as sets', () => {
    fc.assert(
      fc.property(set, set, fc.integer({ min: 0, max: 90 }), (a, b, port) => {
        expect(has(union(a, b), port)).toBe(has(a, port) || has(b, port));
        expect(has(intersect(a, b), port)).toBe(has(a, port) && has(b, port));
        expect(has(subtract(a, b), port)).toBe(has(a, port) && !has(b, port));
      }),
    );
  });
});
