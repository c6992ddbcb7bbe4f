// Objects through an editor, by their last applied configuration, and permissions brought to what a manifest says.
import { describe, expect, it } from 'vitest';
import { stringToBytes } from '../../src/sim/bytes.ts';
import { failure, kubectl, newCluster, stdout, type TestCluster } from './cluster.ts';

/** An editor that leaves what `change` makes of the file. */
const editor = (c: TestCluster, change: (text: string) => string) => ({
  runProgram: function* (argv: string[]) {
    const path = (argv.at(-1) as string).replace(/^.* "(.*)"$/, '$1');
    c.files.set(path, change(c.files.get(path) ?? ''));
    return 0;
  },
});

const edit = (c: TestCluster, line: string, change: (text: string) => string) => kubectl(c, line, '', editor(c, change));

describe('kubectl edit', () => {
  it('says what cannot be changed, and keeps a copy', async () => {
    const c = newCluster();
    await stdout(c, 'create cm words --from-literal=a=1');
    const said = async (change: (text: string) => string) => {
      const { stderr, code } = await edit(c, 'edit cm words', change);
      expect(code).toBe(1);
      return stderr.replace(/kubectl-edit-\d+/g, 'N');
    };
    const copy = 'A copy of your changes has been stored to "/tmp/N.yaml"\n';
    expect(await said(t => t.replace('name: words', 'name: other'))).toBe(
      `${copy}error: At least one of apiVersion, kind and name was changed\n`,
    );
    expect(await said(t => t.replace('namespace: default', 'namespace: elsewhere'))).toBe(
      `${copy}error: the namespace from the provided object "elsewhere" does not match the namespace "default". You must pass '--namespace=elsewhere' to perform this operation.\n`,
    );
    const stuck = `error: configmaps "words" is invalid\n${copy}error: Edit cancelled, no valid changes were saved.\n`;
    expect(await said(() => '')).toBe(stuck);
    expect(await said(t => t.replace('a: "1"', 'a: ['))).toBe(stuck);
    expect(await said(t => t.replace('apiVersion: v1', 'apiVersion: v7'))).toBe(
      `${copy}error: Edit cancelled, no valid changes were saved.\n`,
    );
    expect((await edit(c, 'edit cm words', t => t.replace('a: "1"', 'a: "2"'))).stdout).toBe('configmap/words edited\n');
  });

  it('also edits what is to be made, and what was applied', async () => {
    const c = newCluster();
    c.files.set('one.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: "1"}\n');
    expect(await edit(c, 'create -f one.yaml --edit', t => t)).toMatchObject({ stderr: 'Edit cancelled, no changes made.\n', code: 0 });
    expect((await edit(c, 'create -f one.yaml --edit', t => t.replace('"1"', '"5"'))).stdout).toBe('configmap/one created\n');
    expect(await stdout(c, `get cm one -o jsonpath='{.data.a}'`)).toBe('5');
    expect(await stdout(c, 'apply view-last-applied cm one')).toBe('');
    expect(await stdout(c, 'apply set-last-applied -f one.yaml --create-annotation')).toBe('configmap/one configured\n');
    expect(await stdout(c, 'apply set-last-applied -f one.yaml')).toBe('set-last-applied one: no changes required.\n');
    expect((await edit(c, 'apply edit-last-applied cm one', t => t.replace('"1"', '"9"'))).stdout).toBe('configmap/one edited\n');
    expect(await stdout(c, 'apply view-last-applied cm one')).toContain('a: "9"\n');
  });

  it('keeps the configuration of what a generator makes as Go writes it', async () => {
    const c = newCluster();
    const made = await stdout(c, 'create service clusterip web --tcp=80 --save-config --dry-run=client -o yaml');
    expect(made).toContain('{"kind":"Service","apiVersion":"v1","metadata":{"name":"web","labels":{"app":"web"}},"spec":{"ports":');
  });
});

const RULES = (resource: string, user: string) => `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: looks}
rules: [{apiGroups: [""], resources: [${resource}], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: looks}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: looks}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: ${user}}]
`;

describe('kubectl auth reconcile', () => {
  it('adds what is missing, and takes away only when it is told to', async () => {
    const c = newCluster();
    const done = 'role.rbac.authorization.k8s.io/looks reconciled\nrolebinding.rbac.authorization.k8s.io/looks reconciled\n';
    const first = await kubectl(c, 'auth reconcile -f -', RULES('pods', 'ann'));
    expect(first.stdout).toBe(done);
    expect(first.stderr).toContain(
      '\treconciliation required create\n\tmissing rules added:\n\t\t{Verbs:[get list] APIGroups:[] Resources:[pods]',
    );
    expect(await kubectl(c, 'auth reconcile -f -', RULES('pods', 'ann'))).toEqual({ stdout: done, stderr: '', code: 0 });
    const more = await kubectl(c, 'auth reconcile -f -', RULES('services', 'bob'));
    expect(more.stderr).toContain('\t\t{Verbs:[list] APIGroups:[] Resources:[services] ResourceNames:[] NonResourceURLs:[]}\n');
    expect(await stdout(c, 'auth can-i list pods --as=ann')).toBe('yes\n');
    expect(await stdout(c, 'auth can-i list services --as=bob')).toBe('yes\n');
    await stdout(c, 'auth reconcile --remove-extra-permissions --remove-extra-subjects -f -', RULES('services', 'bob'));
    expect(await stdout(c, `get rolebinding looks -o jsonpath='{.subjects[*].name}'`)).toBe('bob');
    expect((await kubectl(c, 'auth can-i list pods --as=bob')).stdout).toBe('no\n');
    expect(await failure(c, 'auth reconcile --dry-run=server -f -', RULES('pods', 'ann'))).toContain('is not supported yet');
  });
});

describe('plugins', () => {
  it('are listed with what is wrong with them', async () => {
    const c = newCluster();
    c.env.PATH = '/one:/two';
    expect(await failure(c, 'plugin list')).toContain('unable to find any kubectl plugins in your PATH');
    for (const dir of ['/one', '/two']) c.files.set(`${dir}/kubectl-hello`, new TextDecoder().decode(stringToBytes('#!/bin/sh\n')));
    const said = await kubectl(c, 'plugin list --name-only');
    expect(said.stdout).toBe('The following compatible plugins are available:\n\nkubectl-hello\nkubectl-hello\n');
    expect(said.stderr).toContain('/one/kubectl-hello identified as a kubectl plugin, but it is not executable');
    expect(said.stderr).toContain('error: 2 plugin warnings were found\n');
  });
});

describe('a Scale', () => {
  it('has a row of its own', async () => {
    const c = newCluster();
    await stdout(c, 'create deployment web --image=nginx --replicas=3');
    expect(await stdout(c, 'get deployment web --subresource=scale')).toMatch(
      /^NAME {3}DESIRED {3}AVAILABLE {3}AGE\nweb {4}3 {9}0 {11}\d+s\n$/,
    );
  });
});

describe('what may not be done', () => {
  it('names it as the real one does', async () => {
    const c = newCluster();
    expect(await failure(c, 'delete ns default')).toBe(
      'Error from server (Forbidden): namespaces "default" is forbidden: this namespace may not be deleted\n',
    );
    await stdout(c, 'create service clusterip web --tcp=80');
    expect(await failure(c, `set selector svc web 'a in (b)'`)).toBe('error: match expression [{a In [b]}] not supported on this object\n');
    expect(await failure(c, 'create sa x --dry-run=client --aggregation-rule=a')).toContain('unknown flag');
    expect(await failure(c, 'create clusterrole x --aggregation-rule=a')).toContain('malformed pair, expect string=string');
    expect(await failure(c, 'apply -f x.yaml --cascade=sideways')).toContain('invalid cascade value (sideways)');
  });
});
