import { expect, test } from 'vitest';
import { explainV2 } from '../../src/apiserver/explain-v2.ts';

const pod = { group: '', version: 'v1', kind: 'Pod' };
const text = async (path: string, recursive = false, of = pod, own?: object) =>
  (await explainV2(of, path.split('.').filter(Boolean), recursive, own)).stdout;

test('a value with its type, whose descriptions add up', async () => {
  expect(await text('spec.containers.resources.limits')).toMatch(
    /^KIND: {5}Pod\nVERSION: {2}v1\n\nFIELD: {4}limits <map\[string\]string>\n\nDESCRIPTION:\n {5}Limits describes [\s\S]*\n\n {5}Quantity is a fixed-point/,
  );
  expect(await text('metadata.labels')).toContain('FIELD:    labels <map[string]string>');
});

test('an object with its fields, filled at eighty columns', async () => {
  const said = await text('spec.containers.env');
  expect(said).toContain('RESOURCE: env <[]Object>\n');
  expect(said).toContain('\nFIELDS:\n   name\t<string> -required-\n     Name of the environment variable.');
  expect(said.split('\n').every(l => l.length <= 80)).toBe(true);
});

test('--recursive is a tree of names that ends where a type comes back', async () => {
  const tree = await text('spec.versions.schema', true, {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
  });
  expect(tree).toContain('\n   openAPIV3Schema\t<Object>\n      $ref\t<string>\n      $schema\t<string>\n      additionalItems\t<>\n');
  expect(tree).toMatch(/\n {6}properties\t<map\[string\]Object>\n {6}required\t/);
});

test('custom resources say what version 2 can', async () => {
  const boat = { group: 'test.dev', version: 'v1', kind: 'Boat' };
  const own = {
    type: 'object',
    properties: {
      sails: { type: 'integer', description: 'How many:\n- one\n- two' },
      any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  };
  const said = await text('', false, boat, own);
  expect(said).toContain('VERSION:  test.dev/v1\n\nDESCRIPTION:\n     <empty>\n\nFIELDS:\n   any\t<>\n\n   apiVersion\t<string>\n');
  expect(said).toContain('   sails\t<integer>\n     How many:\n     - one\n     - two\n');
});

test('what is not there', async () => {
  expect(await explainV2(pod, ['spec', 'nope', 'x'], false)).toEqual({ stdout: '', error: 'field "nope" does not exist' });
  expect((await explainV2({ group: 'a.b', version: 'v1', kind: 'C' }, [], false)).error).toBe(
    'couldn\'t find resource for "a.b/v1, Kind=C"',
  );
});
