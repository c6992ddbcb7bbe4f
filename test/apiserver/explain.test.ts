import { expect, test } from 'vitest';
import { explain, wrap } from '../../src/apiserver/explain.ts';

const policy = { group: 'networking.k8s.io', version: 'v1', kind: 'NetworkPolicy' };

test('a field with its group, kind and description', async () => {
  const { stdout, error } = await explain(policy, ['spec', 'ingress', 'from', 'ipBlock', 'cidr'], false);
  expect(error).toBeNull();
  expect(stdout).toBe(`GROUP:      networking.k8s.io
KIND:       NetworkPolicy
VERSION:    v1

FIELD: cidr <string>


DESCRIPTION:
    cidr is a string representing the IPBlock Valid examples are
    "192.168.1.0/24" or "2001:db8::/64"
    

`);
});

test('enums are listed', async () => {
  const { stdout } = await explain({ group: '', version: 'v1', kind: 'Service' }, ['spec', 'type'], false);
  expect(stdout).toContain('FIELD: type <string>\nENUM:\n    ClusterIP\n    ExternalName\n    LoadBalancer\n    NodePort\n\n');
});

test('a field that is not there', async () => {
  const { stdout, error } = await explain(policy, ['spec', 'bogus'], false);
  expect(error).toBe('field "bogus" does not exist');
  expect(stdout).toBe('GROUP:      networking.k8s.io\nKIND:       NetworkPolicy\nVERSION:    v1\n\n');
});

test('a custom resource is explained by its own schema', async () => {
  const own = { properties: { spec: { type: 'object', required: ['a'], properties: { a: { type: 'string', enum: ['x', 'y'] } } } } };
  const { stdout } = await explain({ group: 'e.io', version: 'v1', kind: 'Gate' }, ['spec'], false, own);
  expect(stdout).toContain('DESCRIPTION:\n    <empty>\nFIELDS:\n  a\t<string> -required-\n  enum: x, y\n    <no description>\n\n');
});

test('words wrap as go-wordwrap does', () => {
  expect(wrap('aa bb cc', 5)).toBe('aa bb\ncc');
  expect(wrap('aaaaaaaa b', 5)).toBe('aaaaaaaa\nb');
});
