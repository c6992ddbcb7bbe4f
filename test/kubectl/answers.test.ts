import { describe, expect, it } from 'vitest';
import { failure, kubectl, newCluster, stdout } from './cluster.ts';

const settings = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: ${data}\n`;

describe('server-side apply', () => {
  it('explains conflicts, and shows managers when it is asked to', async () => {
    const c = newCluster();
    expect(await stdout(c, 'apply --server-side -f -', settings('{a: "1"}'))).toBe('configmap/settings serverside-applied\n');
    const why = await failure(c, 'apply --server-side --field-manager=bob -f -', settings('{a: "2"}'));
    expect(why).toMatch(/^error: Apply failed with 1 conflict: conflict with "kubectl": \.data\.a\nPlease review the fields above/);
    expect(await stdout(c, 'get cm settings -o yaml')).not.toContain('managedFields');
    expect(await stdout(c, 'get cm settings -o yaml --show-managed-fields')).toContain('f:a: {}\n    manager: kubectl\n');
    expect(await stdout(c, `get cm settings -o jsonpath='{.metadata.managedFields[*].manager}'`)).toBe('kubectl');
    const forced = await stdout(c, 'diff --server-side -f -', settings('{a: "1"}'));
    expect(forced).toBe('');
  });

  it('makes the fields of client-side apply its own', async () => {
    const c = newCluster();
    await stdout(c, 'apply -f -', settings('{a: "1", b: "2"}'));
    await stdout(c, 'apply --server-side -f -', settings('{a: "1"}'));
    expect(await stdout(c, `get cm settings -o jsonpath='{.data} {.metadata.managedFields[*].manager}'`)).toBe(
      '{"a":"1"} kubectl-last-applied kubectl',
    );
  });
});

describe('auth', () => {
  it('asks the server as whom it is told to be', async () => {
    const c = newCluster();
    expect(await stdout(c, 'auth can-i delete nodes')).toBe('yes\n');
    expect(await kubectl(c, 'auth can-i get pods --as=ann')).toEqual({ stdout: 'no\n', stderr: '', code: 1 });
    await stdout(c, 'create role reader --verb=get,list --resource=pods,deployments.apps/scale');
    await stdout(c, 'create rolebinding readers --role=reader --user=ann --group=devs');
    expect(await stdout(c, 'auth can-i get pods --as=ann')).toBe('yes\n');
    expect(await stdout(c, 'auth can-i list pods --as=joe --as-group=devs')).toBe('yes\n');
    expect(await stdout(c, 'get pods --as=joe --as-group=devs')).toBe('');
    expect(await failure(c, 'get secrets --as=ann')).toContain('User "ann" cannot list resource "secrets"');
    const rules = await stdout(c, 'auth can-i --list --as=ann');
    expect(rules.split('\n').map(l => l.split(/\s{2,}/)[0])).toContain('deployments.apps/scale');
    expect(rules.indexOf('[/api/*]')).toBeLessThan(rules.indexOf('[/api] '));
  });

  it('leaves --user to the commands that bind subjects', async () => {
    const c = newCluster();
    await stdout(c, 'create clusterrolebinding ops --clusterrole=view --user=ann');
    await stdout(c, 'set subject clusterrolebinding ops --user=joe');
    expect(await stdout(c, `get clusterrolebinding ops -o jsonpath='{.subjects[*].name}'`)).toBe('ann joe');
    expect(await failure(c, 'get pods --user=nobody')).toBe('error: auth info "nobody" does not exist\n');
  });
});

describe('printed JSON', () => {
  it('has the order of Go types where kubectl decodes into them', async () => {
    const c = newCluster();
    const typed = await stdout(c, 'create deployment web --image=nginx --replicas=0 -o json');
    expect(typed).toMatch(/^\{\n {4}"kind": "Deployment",\n {4}"apiVersion": "apps\/v1",\n {4}"metadata": \{\n {8}"name": "web"/);
    expect(await stdout(c, 'get deployment web -o json')).toMatch(/^\{\n {4}"apiVersion"/);
    const binding = await stdout(c, 'create rolebinding b --role=r --user=u --dry-run=client -o json');
    expect(binding).toContain('"kind": "User",\n            "apiGroup": "rbac.authorization.k8s.io",\n            "name": "u"');
  });
});

describe('KYAML', () => {
  it('folds strings at their newlines and keeps them in one column', async () => {
    const c = newCluster();
    const text = await stdout(c, `create cm m --from-literal='two= lead\nend' --from-literal='one=a\tb' --dry-run=client -o kyaml`);
    expect(text).toBe(
      '---\n{\n  kind: "ConfigMap",\n  apiVersion: "v1",\n  metadata: {\n    name: "m",\n  },\n  data: {\n    one: "a\tb",\n    two: "\\\n      \\ lead\\n\\\n       end\\\n      ",\n  },\n}\n',
    );
    await stdout(c, `create cm m --from-literal='two=x\n'`);
    expect(await stdout(c, 'get cm m -o kyaml')).toContain('  apiVersion: "v1",\n  data: {\n    two: "\\\n       x\\n\\\n      ",\n');
  });
});

describe('generations', () => {
  it("count a NetworkPolicy's empty lists as a change, for storage keeps none", async () => {
    const c = newCluster();
    const policy = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, ingress: []}\n';
    const generation = () => stdout(c, `get netpol p -o jsonpath='{.metadata.generation}'`);
    await stdout(c, 'apply -f -', policy);
    await stdout(c, 'apply -f -', policy);
    expect(await generation()).toBe('2');
    await stdout(c, 'label netpol p a=b');
    expect(await generation()).toBe('2');
  });
});

describe('sorting', () => {
  it('shows nothing by a field that no object has, and refuses several answers', async () => {
    const c = newCluster();
    for (const n of ['a', 'b']) await stdout(c, `create cm ${n}`);
    expect(await kubectl(c, 'get cm --sort-by=.nope')).toMatchObject({
      stdout: '',
      stderr: 'No resources found in default namespace.\n',
      code: 0,
    });
    expect(await failure(c, 'get cm,secrets --sort-by=.metadata.name')).toBe(
      'error: couldn\'t find any field with path "{.metadata.name}" in the list of objects\n',
    );
  });
});

describe('manifests', () => {
  it('do what can be done, and say what cannot at the end', async () => {
    const c = newCluster();
    const item = (kind: string, name: string) => `- {apiVersion: v1, kind: ${kind}, metadata: {name: ${name}}}\n`;
    const list = `apiVersion: v1\nkind: List\nitems:\n${item('ConfigMap', 'a')}${item('Nope', 'b')}${item('ConfigMap', 'c')}`;
    expect(await kubectl(c, 'create -f -', list)).toEqual({
      stdout: 'configmap/a created\nconfigmap/c created\n',
      stderr: 'unable to recognize no matches for kind "Nope" in version "v1"\n',
      code: 1,
    });
    const two =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: {a: y}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
    expect((await failure(c, 'create -f -', two)).split('\n').map(l => l.slice(0, 22))).toEqual([
      'Error from server (Alr',
      'unable to decode "STDI',
      '',
    ]);
  });

  it('without a version are asked for where nothing is', async () => {
    const c = newCluster();
    expect(await failure(c, 'create -f -', 'apiVersion: ""\nkind: Service\nmetadata: {name: x}\n')).toBe(
      'Error from server (NotFound): error when creating "STDIN": the server could not find the requested resource\n',
    );
  });
});

describe('words of their own', () => {
  it('of flags on their way out, selections and names', async () => {
    const c = newCluster();
    await stdout(c, 'create deployment web --image=nginx --replicas=0');
    expect((await kubectl(c, 'autoscale deploy web --max=3 --cpu-percent=50')).stderr).toMatch(
      /^Flag --cpu-percent has been deprecated, Use --cpu /,
    );
    expect(await failure(c, 'delete cm --all -l a=b')).toBe("error: setting 'all' parameter but found a non empty selector. \n");
    expect(await failure(c, 'set image deploy web')).toBe('error: at least one image update is required\n');
    expect(await failure(c, 'create cm a -n a%b')).toContain(`invalid namespace "a%b": [may not contain '%']`);
    expect(await failure(c, "get cm -l 'a b'")).toContain("unable to parse requirement: found 'b', expected: in, notin");
    expect(await failure(c, 'explain nope')).toBe('the server doesn\'t have a resource type "nope"\n');
    expect(await failure(c, 'frobnicate')).toBe('error: unknown command "frobnicate" for "kubectl"\n');
    expect(await stdout(c, 'options')).toContain('The following options can be passed to any command:');
  });

  it('of the program that took the command', async () => {
    const c = newCluster();
    c.program = { name: 'podnet', commands: ['trace', 'probe'] };
    expect(await failure(c, 'tracee')).toBe('error: unknown command "tracee" for "podnet"\n\nDid you mean this?\n\ttrace\n');
  });

  it('ends a watch with its request', async () => {
    const c = newCluster();
    await stdout(c, 'create cm a');
    const before = c.sim.nowMs;
    expect((await stdout(c, 'get cm -w --request-timeout=2s')).split('\n')[1]).toMatch(/^a /);
    expect(c.sim.nowMs - before).toBe(2000);
  });
});
