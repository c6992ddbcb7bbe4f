import { describe, expect, it } from 'vitest';
import { createObject, deleteObject } from '../../src/apiserver/client.ts';
import { getObject, newApiServer } from '../../src/apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../src/apiserver/types.ts';
import { startControllers } from '../../src/controllers/start.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, runUntil, settle } from '../../src/sim/sim.ts';

const BUCKET = 'servicecidrs.networking.k8s.io';

function cluster(): ApiServer {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(7)), newRandom(11), { serviceCIDRs: ['10.96.0.0/29'] });
  createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  startControllers(server);
  addRange(server, 'kubernetes', '10.96.0.0/29');
  return server;
}

function addRange(server: ApiServer, name: string, ...cidrs: string[]): void {
  createObject(server, { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, spec: { cidrs } });
  settle(server.sim, 30_000);
}

const addService = (server: ApiServer, name: string, clusterIP?: string): any =>
  createObject(server, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { clusterIP, ports: [{ port: 80 }] },
  });

const range = (server: ApiServer, name: string) => getObject(server, BUCKET, '', name);
const ready = (o: KubeObject | null | undefined) => o?.status?.conditions?.find((c: any) => c.type === 'Ready');

/** Deleted, and what follows of it within a second. */
function remove(server: ApiServer, name: string): void {
  deleteObject(server, BUCKET, '', name);
  runUntil(server.sim, () => false, server.sim.nowMs + 1000);
}

describe('ServiceCIDRs', () => {
  it('give out every address but the network and broadcast ones, then are full', () => {
    const server = cluster();
    const ips = Array.from({ length: 6 }, (_, i) => addService(server, `s${i}`).spec.clusterIP);
    expect(ips.sort()).toEqual([1, 2, 3, 4, 5, 6].map(n => `10.96.0.${n}`));
    expect(addService(server, 'more').message).toBe(
      'Internal error occurred: failed to allocate a serviceIP for Service "more": range is full',
    );
    addRange(server, 'wider', '10.96.0.0/28');
    expect(addService(server, 'more').spec.clusterIP).toMatch(/^10\.96\.0\.(7|8|9|1[0-4])$/);
  });

  it('do not give out the addresses at their borders', () => {
    const server = cluster();
    for (const ip of ['10.96.0.0', '10.96.0.7', '10.96.0.8']) {
      expect(addService(server, 's', ip).message).toContain(
        `failed to allocate IP ${ip}: the provided network does not match the current range`,
      );
    }
    addRange(server, 'wider', '10.96.0.0/28');
    expect(addService(server, 's', '10.96.0.7').spec.clusterIP).toBe('10.96.0.7');
  });

  it('stay while a Service has an address of theirs alone, and give out no more of them', () => {
    const server = cluster();
    addRange(server, 'extra', '10.97.0.0/28');
    addService(server, 's', '10.97.0.3');
    remove(server, 'extra');
    settle(server.sim, 30_000);
    expect(ready(range(server, 'extra'))).toMatchObject({ status: 'False', reason: 'Terminating' });
    expect(addService(server, 't', '10.97.0.4').message).toContain('the provided network does not match the current range');
    deleteObject(server, 'services', 'default', 's');
    settle(server.sim, 30_000);
    expect(range(server, 'extra')).toBeUndefined();
  });

  it('may go when another one covers their ranges, ten seconds after their deletion', () => {
    const server = cluster();
    addRange(server, 'extra', '10.97.0.0/28');
    addService(server, 's', '10.97.0.3');
    remove(server, 'extra');
    addRange(server, 'cover', '10.97.0.0/24');
    expect(range(server, 'extra')).toBeUndefined();
    const deletedMs = server.sim.nowMs;
    remove(server, 'kubernetes');
    expect(range(server, 'kubernetes')).toBeDefined();
    settle(server.sim, 30_000);
    expect(range(server, 'kubernetes')).toBeUndefined();
    expect(server.sim.nowMs - deletedMs).toBeGreaterThanOrEqual(9000);
    expect(addService(server, 'u').spec.clusterIP).toMatch(/^10\.97\.0\./);
  });
});
