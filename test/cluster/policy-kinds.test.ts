import { describe, expect, it } from 'vitest';
import { createObject } from '../../src/apiserver/client.ts';
import { newApiServer } from '../../src/apiserver/server.ts';
import type { Status } from '../../src/apiserver/types.ts';
import { crdObjects } from '../../src/cluster/crds.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
for (const crd of crdObjects('calico')) createObject(server, crd);

const subject = { namespaces: {} };

function refused(kind: string, name: string, spec: object, version = 'v1alpha1'): string | undefined {
  return (createObject(server, { apiVersion: `policy.networking.k8s.io/${version}`, kind, metadata: { name }, spec }) as Status).message;
}

const egress = (to: object, ports?: object[]) => ({
  priority: 5,
  subject,
  egress: [{ action: 'Deny', to: [to], ...(ports && { ports }) }],
});

describe('the kinds of cluster-wide policies', () => {
  it('hold their objects to the rules of their definitions', () => {
    const range = (start: number, end: number) => egress({ namespaces: {} }, [{ portRange: { start, end } }]);
    expect(refused('AdminNetworkPolicy', 'a', range(80, 80))).toContain('Start port must be less than End port');
    expect(refused('AdminNetworkPolicy', 'a', range(80, 81))).toBeUndefined();
    expect(refused('AdminNetworkPolicy', 'c', egress({ networks: ['::ffff:10.0.0.0/104'] }))).toContain('Invalid CIDR format provided');
    expect(refused('BaselineAdminNetworkPolicy', 'other', { subject })).toContain('Only one baseline admin network policy');
    expect(refused('BaselineAdminNetworkPolicy', 'default', { subject })).toBeUndefined();
    const cluster = (to: string) => ({ tier: 'Admin', priority: 1, subject, egress: [{ action: 'Deny', to: [{ networks: [to] }] }] });
    expect(refused('ClusterNetworkPolicy', 'd', cluster('10.0.0.0'), 'v1alpha2')).toContain('Invalid CIDR format provided');
    expect(refused('ClusterNetworkPolicy', 'd', cluster('2001:db8::/32'), 'v1alpha2')).toBeUndefined();
  });
});
