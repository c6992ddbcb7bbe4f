import { describe, expect, it } from 'vitest';
import { putServerObjects } from '../../src/apiserver/bootstrap-server.ts';
import { createObject, deleteObject } from '../../src/apiserver/client.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import { getObject, listObjects } from '../../src/apiserver/store.ts';
import type { ApiServer, Table } from '../../src/apiserver/types.ts';
import { startControllers } from '../../src/controllers/start.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, settle } from '../../src/sim/sim.ts';

function fresh(): ApiServer {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  putServerObjects(server);
  return server;
}

const services = (server: ApiServer) => listObjects(server, 'apiservices.apiregistration.k8s.io').map(o => o.metadata.name);
const local = (server: ApiServer, name: string) => getObject(server, 'apiservices.apiregistration.k8s.io', '', name);

const definition = (plural: string, kind: string, ...versions: string[]) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.farm.example` },
  spec: {
    group: 'farm.example',
    scope: 'Cluster',
    names: { plural, kind },
    versions: versions.map((name, i) => ({ name, served: true, storage: i === 0, schema: { openAPIV3Schema: { type: 'object' } } })),
  },
});

describe('what a server writes for itself', () => {
  it('is the same for the same dice, and takes nothing from them', () => {
    const [a, b] = [fresh(), fresh()];
    expect(a.random).toEqual(newApiServer(a.sim, newRandom(2)).random);
    const uids = (s: ApiServer) => listObjects(s, 'flowschemas.flowcontrol.apiserver.k8s.io').map(o => o.metadata.uid);
    expect(uids(a)).toEqual(uids(b));
    expect(new Set(uids(a)).size).toBe(uids(a).length);
  });

  it('lists FlowSchemas in the order in which they are asked, each with a level that is there', () => {
    const server = fresh();
    const list = { verb: 'list' as const, group: 'flowcontrol.apiserver.k8s.io', version: 'v1', resource: 'flowschemas' };
    const rows = (handle(server, { ...list, as: 'table' }).body as Table).rows.map(r => r.cells as (string | number)[]);
    const precedences = rows.map(cells => Number(cells[2]));
    expect(precedences).toEqual([...precedences].sort((x, y) => x - y));
    expect([rows[0][0], rows[rows.length - 1][0]]).toEqual(['exempt', 'catch-all']);
    const levels = listObjects(server, 'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io').map(o => o.metadata.name);
    expect(rows.filter(cells => !levels.includes(cells[1] as string))).toEqual([]);
  });
});

describe('APIServices', () => {
  it('follow the served versions of custom resources', () => {
    const server = fresh();
    const controllers = startControllers(server);
    const before = services(server);
    createObject(server, definition('cows', 'Cow', 'v1', 'v1beta1'));
    createObject(server, definition('hens', 'Hen', 'v1'));
    settle(server.sim, 1000);
    expect(services(server).filter(n => !before.includes(n))).toEqual(['v1.farm.example', 'v1beta1.farm.example']);
    expect(local(server, 'v1.farm.example')?.spec).toMatchObject({ groupPriorityMinimum: 1000, versionPriority: 100 });
    deleteObject(server, 'customresourcedefinitions.apiextensions.k8s.io', '', 'cows.farm.example');
    settle(server.sim, 1000);
    expect(services(server).filter(n => !before.includes(n))).toEqual(['v1.farm.example']);
    // What went while nobody looked is gone when somebody does.
    controllers.stop();
    deleteObject(server, 'customresourcedefinitions.apiextensions.k8s.io', '', 'hens.farm.example');
    startControllers(server);
    settle(server.sim, 1000);
    expect(services(server)).toEqual(before);
  });
});
