import { describe, expect, it } from 'vitest';
import { createObject, deleteObject, patchObject } from '../../src/apiserver/client.ts';
import { compareVersions } from '../../src/apiserver/custom/resources.ts';
import { applyDefaults, prune, validateValue } from '../../src/apiserver/custom/schema.ts';
import { errorBody } from '../../src/apiserver/field.ts';
import { allResources } from '../../src/apiserver/resources.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import { listObjects } from '../../src/apiserver/store.ts';
import type { ApiRequest, KubeObject, Status, Table } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['className'],
      properties: {
        className: { type: 'string', minLength: 2, pattern: '^[a-z]+$' },
        weight: { type: 'integer', minimum: 0, maximum: 100, default: 5 },
        mode: { type: 'string', enum: ['Fast', 'Slow'] },
      },
    },
    status: { type: 'object', properties: { addresses: { type: 'array', items: { type: 'string' } } } },
  },
};
const definition = (group = 'edge.example.com'): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `gates.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'gates', kind: 'Gate', shortNames: ['gt'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [{ name: 'Address', type: 'string', jsonPath: '.status.addresses[*]' }],
        schema: { openAPIV3Schema: schema },
      },
    ],
  },
});
const gate = (spec: object): KubeObject => ({
  apiVersion: 'edge.example.com/v1',
  kind: 'Gate',
  metadata: { name: 'one', namespace: 'default' },
  spec,
});
const fresh = () => {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  return server;
};
const gates = { group: 'edge.example.com', version: 'v1', resource: 'gates', namespace: 'default' };
const strict = (body: KubeObject): ApiRequest => ({ verb: 'create', ...gates, body, query: { fieldValidation: 'Strict' } });

describe('custom resources', () => {
  it('are served while their definition is there', () => {
    const server = fresh();
    expect((createObject(server, gate({ className: 'shiny' })) as Status).reason).toBe('NotFound');
    createObject(server, definition());
    expect(allResources(server).find(r => r.kind === 'Gate')).toMatchObject({
      singular: 'gate',
      shortNames: ['gt'],
      subresources: ['status'],
    });
    const made = createObject(server, gate({ className: 'shiny' })) as KubeObject;
    expect(made.spec).toEqual({ className: 'shiny', weight: 5 });
    expect(made.metadata.generation).toBe(1);
    patchObject(server, 'gates.edge.example.com', 'default', 'one', 'merge', { status: { addresses: ['1.2.3.4', '5.6.7.8'] } }, 'status');
    const table = handle(server, { verb: 'list', ...gates, as: 'table' }).body as Table;
    expect(table.rows[0].cells).toEqual(['one', '1.2.3.4']);
    deleteObject(server, 'customresourcedefinitions.apiextensions.k8s.io', '', 'gates.edge.example.com');
    expect(listObjects(server, 'gates.edge.example.com')).toEqual([]);
    expect(handle(server, { verb: 'list', ...gates }).code).toBe(404);
  });

  it('are held to their schema', () => {
    const server = fresh();
    createObject(server, definition());
    const unknown = handle(server, strict(gate({ className: 'ok', extra: 1 }))).body as Status;
    expect(unknown.message).toBe('Gate in version "v1" cannot be handled as a Gate: strict decoding error: unknown field "spec.extra"');
    const bad = createObject(server, gate({ className: 'X', weight: 200, mode: 'Turbo' })) as Status;
    expect(bad.details?.causes?.map(c => `${c.field}: ${c.message}`)).toEqual([
      'spec.className: Invalid value: "X": spec.className in body should be at least 2 chars long',
      'spec.mode: Unsupported value: "Turbo": supported values: "Fast", "Slow"',
      'spec.weight: Invalid value: 200: spec.weight in body should be less than or equal to 100',
    ]);
    expect((createObject(server, gate({})) as Status).message).toBe(
      'Gate.edge.example.com "one" is invalid: spec.className: Required value',
    );
  });

  it('refuse definitions that are wrong', () => {
    const server = fresh();
    const named = definition();
    named.metadata.name = 'x.edge.example.com';
    expect((createObject(server, named) as Status).message).toContain('must be spec.names.plural+"."+spec.group');
    expect((createObject(server, definition('a.k8s.io')) as Status).message).toContain('protected groups must have approval annotation');
  });
});

describe('schemas', () => {
  it('prune, default and name their errors', () => {
    const o = { apiVersion: 'x', spec: { className: 'ab', no: 1 }, other: {} };
    expect(prune(o, schema)).toEqual(['other', 'spec.no']);
    applyDefaults(o, schema);
    expect(o).toEqual({ apiVersion: 'x', spec: { className: 'ab', weight: 5 } });
    const [error] = validateValue({ spec: { className: 1 } }, schema);
    expect(`${error.field}: ${errorBody(error)}`).toBe(
      'spec.className: Invalid value: "integer": spec.className in body must be of type string: "integer"',
    );
  });

  it('orders versions as Kubernetes does', () => {
    expect(['v1alpha1', 'foo', 'v1', 'v2beta1', 'v10', 'v2'].sort(compareVersions)).toEqual([
      'v10',
      'v2',
      'v1',
      'v2beta1',
      'v1alpha1',
      'foo',
    ]);
  });
});
