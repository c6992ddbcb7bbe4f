import { describe, expect, it } from 'vitest';
import { createObject, patchObject } from '../../src/apiserver/client.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer, KubeObject, Status } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

const definition = (spec: object, root: object = {}): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'kites.air.example' },
  spec: {
    group: 'air.example',
    scope: 'Namespaced',
    names: { plural: 'kites', kind: 'Kite' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            ...root,
            properties: { spec: { type: 'object', ...spec }, status: { type: 'object', properties: { height: { type: 'integer' } } } },
          },
        },
      },
    ],
  },
});

const rules = (...list: object[]) => ({ 'x-kubernetes-validations': list });

function withKites(spec: object, root: object = {}): ApiServer {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
  const made = createObject(server, definition(spec, root));
  if (made.kind === 'Status') throw new Error((made as Status).message);
  return server;
}

const kite = (spec: object, name = 'one'): KubeObject => ({
  apiVersion: 'air.example/v1',
  kind: 'Kite',
  metadata: { name, namespace: 'default' },
  spec,
});
const fly = (server: ApiServer, spec: object, name?: string) => (createObject(server, kite(spec, name)) as Status).message;
const change = (server: ApiServer, patch: object, subresource?: 'status') =>
  (patchObject(server, 'kites.air.example', 'default', 'one', 'merge', patch, subresource) as unknown as Status).message;
const refused = (spec: object) => {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  return (createObject(server, definition(spec)) as Status).message;
};

describe("rules in a custom resource's schema", () => {
  it('are told with their message, reason, place and value', () => {
    const server = withKites({
      properties: {
        low: { type: 'integer' },
        high: { type: 'integer' },
        colour: { type: 'string', ...rules({ rule: "self in ['red', 'blue']" }) },
        knots: { type: 'array', items: { type: 'integer', ...rules({ rule: 'self > 0', message: 'too few' }) } },
        tail: {
          type: 'object',
          additionalProperties: { type: 'string', ...rules({ rule: 'self.size() < 3', reason: 'FieldValueDuplicate' }) },
        },
      },
      ...rules(
        { rule: 'self.low <= self.high', messageExpression: "'low is above ' + string(self.high)", fieldPath: '.low' },
        { rule: '!has(self.tail) || self.high > 2', message: 'no tail so low', reason: 'FieldValueForbidden' },
      ),
    });
    expect(fly(server, { low: 3, high: 2, colour: 'grey', knots: [1, 0], tail: { a: 'abc' } })).toBe(
      'Kite.air.example "one" is invalid: [' +
        'spec.low: Invalid value: low is above 2, spec: Forbidden: no tail so low, ' +
        "spec.colour: Invalid value: \"grey\": failed rule: self in ['red', 'blue'], " +
        'spec.knots[1]: Invalid value: 0: too few, spec.tail[a]: Duplicate value: "abc"]',
    );
    expect(fly(server, { high: 1 })).toBe(
      'Kite.air.example "one" is invalid: spec: Invalid value: "object": no such key: low evaluating rule: self.low <= self.high',
    );
    expect(fly(server, { low: 1, high: 1, colour: 'red' })).toBeUndefined();
  });

  it('are asked only of values that are as the schema says', () => {
    const server = withKites({
      properties: { low: { type: 'integer', maximum: 5 } },
      ...rules({ rule: 'self.low < 0', message: 'never' }),
    });
    expect(fly(server, { low: 6 })).not.toContain('never');
    expect(fly(server, { low: 5 })).toContain('never');
  });

  it('compare with what was there before, where that can be told', () => {
    const server = withKites({
      properties: {
        owner: { type: 'string', ...rules({ rule: 'self == oldSelf', message: 'stays' }) },
        strings: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['id'],
          items: {
            type: 'object',
            required: ['id'],
            properties: { id: { type: 'string' }, length: { type: 'integer' } },
            ...rules({ rule: 'self.length >= oldSelf.length', message: 'strings are not cut' }),
          },
        },
      },
      ...rules({ rule: 'oldSelf.hasValue() || !has(self.owner) || self.owner != "nobody"', optionalOldSelf: true, message: 'whose?' }),
    });
    expect(fly(server, { owner: 'nobody' })).toContain('spec: Invalid value: whose?');
    expect(fly(server, { owner: 'ada', strings: [{ id: 'a', length: 5 }] })).toBeUndefined();
    expect(change(server, { spec: { owner: 'eve' } })).toContain('spec.owner: Invalid value: "eve": stays');
    expect(
      change(server, {
        spec: {
          strings: [
            { id: 'b', length: 1 },
            { id: 'a', length: 6 },
          ],
        },
      }),
    ).toBeUndefined();
    expect(change(server, { spec: { strings: [{ id: 'a', length: 5 }] } })).toContain(
      'spec.strings[0]: Invalid value: strings are not cut',
    );
  });

  it('hold for the status too, and let alone what an update does not touch', () => {
    const old = { properties: { limit: { type: 'integer' } } };
    const server = withKites(old, rules({ rule: '!has(self.status) || self.status.height <= self.spec.limit', message: 'too high' }));
    expect(fly(server, { limit: 10 })).toBeUndefined();
    expect(change(server, { status: { height: 11 } }, 'status')).toContain('too high');
    expect(change(server, { status: { height: 9 } }, 'status')).toBeUndefined();
    const crd = definition({ ...old, ...rules({ rule: 'self.limit > 50', message: 'low limit' }) });
    patchObject(server, 'customresourcedefinitions.apiextensions.k8s.io', '', 'kites.air.example', 'merge', { spec: crd.spec });
    const labelled = handle(server, {
      verb: 'patch',
      group: 'air.example',
      version: 'v1',
      resource: 'kites',
      namespace: 'default',
      name: 'one',
      patchType: 'merge',
      body: { metadata: { labels: { seen: 'yes' } } },
    });
    expect([labelled.code, labelled.warnings]).toEqual([200, ['spec: Invalid value: low limit']]);
    expect(change(server, { spec: { limit: 11 } })).toContain('low limit');
  });

  it('see the name of the object', () => {
    const server = withKites({}, rules({ rule: 'self.metadata.name.size() < 4', message: 'long name' }));
    expect(fly(server, {}, 'five5')).toBe('Kite.air.example "five5" is invalid: : Invalid value: long name');
    expect(fly(server, {}, 'abc')).toBeUndefined();
  });

  it('must compile before the definition is taken', () => {
    const at = 'spec.validation.openAPIV3Schema.properties[spec]';
    expect(refused({ properties: { a: { type: 'integer' } }, ...rules({ rule: 'self.b > 1' }) })).toContain(
      `${at}.x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.b \\u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'b'`,
    );
    expect(refused(rules({ rule: '1 + 1' }))).toContain('cel expression must evaluate to a bool');
    expect(refused(rules({ rule: 'true', messageExpression: '7' }))).toContain('messageExpression must evaluate to a string');
    expect(refused(rules({ rule: 'true', fieldPath: '.nowhere' }))).toContain('fieldPath: Invalid value: ".nowhere": must be a valid path');
    expect(refused(rules({ rule: 'true', reason: 'Whim' }))).toContain('reason: Unsupported value: "Whim"');
    expect(refused(rules({ rule: 'true', optionalOldSelf: true }))).toContain('may not be set if oldSelf is not used in rule');
    expect(refused(rules({ rule: 'true\n&& true' }))).toContain('message must be specified if rule contains line breaks');
    const items = { type: 'string', ...rules({ rule: 'self == oldSelf' }) };
    expect(refused({ properties: { list: { type: 'array', items } } })).toContain(
      `oldSelf cannot be used on the uncorrelatable portion of the schema within ${at}.properties[list]`,
    );
  });
});
