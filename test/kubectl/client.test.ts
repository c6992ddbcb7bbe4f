// The client's side of a request: which server, as whom, what it remembers, and what it says when nobody answers.
import { describe, expect, it } from 'vitest';
import { customResources } from '../../src/apiserver/custom/resources.ts';
import { failure, kubectl, newCluster, stdout } from './cluster.ts';

describe('flags of the client', () => {
  it('are checked before anything is asked', async () => {
    const c = newCluster();
    expect(await failure(c, 'get pods --as-group=ops')).toMatch(
      /^error: requesting uid, groups or user-extra for \S+ without impersonating a user\n$/,
    );
    expect(await failure(c, 'get pods --request-timeout=soon')).toMatch(/^error: Invalid timeout value\. /);
    expect(await failure(c, 'get pods --profile=waves')).toBe("error: unknown profile 'waves'\n");
    expect(await failure(c, 'get pods --profile=cpu')).toContain('podnet does not model --profile');
    expect(await failure(c, 'get pods --kuberc=none.yaml')).toBe(
      'error occurred while applying preferences kuberc error kuberc: open none.yaml: no such file or directory\n',
    );
    expect(await failure(c, 'get pods --certificate-authority=ca.pem')).toContain('unable to read certificate-authority ca.pem for ');
    expect(await failure(c, 'get pods --cluster=nope')).toBe('error: no server found for cluster "nope"\n');
    expect(await failure(c, 'create namespace x --cluster=nope')).toBe('error: cluster "nope" does not exist\n');
  });

  it('warns of short names that several resources have', async () => {
    const c = newCluster();
    expect((await kubectl(c, 'get ev')).stderr).toBe(
      'Warning: short name "ev" could also match lower priority resource events.events.k8s.io\nNo resources found in default namespace.\n',
    );
    expect((await kubectl(c, 'get po')).stderr).toBe('No resources found in default namespace.\n');
  });

  it('logs requests from -v=6 on', async () => {
    const c = newCluster();
    const { stderr } = await kubectl(c, 'get cm -l a=b -v=6');
    expect(stderr).toMatch(/^I\d{4} [\d:.]+ +1 loader\.go:407\] Config loaded from file: {2}\S+\n/);
    expect(stderr).toMatch(
      /"Response" verb="GET" url="\S+\/api\/v1\/namespaces\/default\/configmaps\?labelSelector=a%3Db&limit=500" status="200 OK"/,
    );
    const made = (await kubectl(c, 'create cm words -v=7')).stderr;
    expect(made).toContain('"Request" verb="POST" url=');
    expect(made).toContain('status="201 Created"');
    expect((await kubectl(c, 'get cm words -v=5')).stderr).toBe('');
  });
});

describe('without a server', () => {
  const away = { connect: () => null };

  it('says what each command can still say', async () => {
    const c = newCluster();
    c.files.set('one.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n');
    const said = async (line: string) => {
      const { stdout, stderr, code } = await kubectl(c, line, '', away);
      expect(code).toBe(1);
      return { stdout, stderr };
    };
    expect((await said('get pods')).stderr).toMatch(
      /^The connection to the server \S+ was refused - did you specify the right host or port\?\n$/,
    );
    expect((await said('version')).stdout).toBe('Client Version: v1.36.3\nKustomize Version: v5.8.1\n');
    expect((await said('apply -f one.yaml')).stderr).toMatch(
      /^error: error validating "one\.yaml": error validating data: failed to download openapi: Get "\S+\/openapi\/v2\?timeout=32s": dial tcp \S+: connect: connection refused; if you choose/,
    );
    expect((await said('create deployment d --image=x')).stderr).toMatch(
      /^error: failed to create deployment: Post "\S+\/apis\/apps\/v1\/namespaces\/default\/deployments\?fieldManager=kubectl-create&fieldValidation=Strict": dial/,
    );
    expect((await said('api-versions')).stderr).toContain("error: couldn't get available api versions from server: Get ");
    const first = (await said('get pods --server=https://10.9.9.9:6443')).stderr.split('\n');
    expect(first.filter(l => l.includes('memcache.go:265]')).length).toBe(5);
    expect(first.at(-2)).toContain('The connection to the server 10.9.9.9:6443 was refused');
  });
});

const CRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lamps.home.example}
spec:
  group: home.example
  scope: Namespaced
  names: {plural: lamps, singular: lamp, kind: Lamp}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`;

describe('discovery', () => {
  it('is remembered until something is missed', async () => {
    const c = newCluster();
    expect(await failure(c, 'get lamps')).toBe('error: the server doesn\'t have a resource type "lamps"\n');
    await stdout(c, 'apply -f -', CRD);
    await stdout(c, 'get lamps');
    expect(customResources(c.server).map(r => r.resource)).toEqual(['lamps']);
    await stdout(c, 'delete crd lamps.home.example --wait=false');
    const gone = 'the server could not find the requested resource';
    expect(await failure(c, 'get lamps')).toBe(
      `Error from server (NotFound): Unable to list "home.example/v1, Resource=lamps": ${gone} (get lamps.home.example)\n`,
    );
    expect(await failure(c, 'get lamp desk')).toBe(`Error from server (NotFound): ${gone} (get lamps.home.example desk)\n`);
    expect(await failure(c, 'get nothing')).toBe('error: the server doesn\'t have a resource type "nothing"\n');
    expect(await failure(c, 'get lamps')).toBe('error: the server doesn\'t have a resource type "lamps"\n');
  });
});

describe('--raw', () => {
  it('asks by HTTP: what the server writes comes as it is', async () => {
    const c = newCluster();
    await stdout(c, 'create cm words --from-literal=b=<2> --from-literal=a=1');
    expect(await stdout(c, 'get --raw /api/v1/namespaces/default/configmaps/words')).toMatch(
      /^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{"name":"words","namespace":"default","uid":".*"data":\{"a":"1","b":"\\u003c2\\u003e"\}\}\n$/,
    );
    c.files.set('more.json', '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"more"}}');
    expect(await stdout(c, 'create --raw=/api/v1/namespaces/default/configmaps -f more.json')).toContain('"name":"more"');
    expect(await failure(c, 'create --raw=/api/v1/namespaces/default/configmaps -f more.json')).toBe(
      'Error from server (AlreadyExists): configmaps "more" already exists\n',
    );
    expect(await stdout(c, 'delete --raw=/api/v1/namespaces/default/configmaps/more')).toContain('"status":"Success"');
    expect(await failure(c, 'get --raw /nowhere')).toBe('Error from server (NotFound): the server could not find the requested resource\n');
    expect(await failure(c, 'get --raw /api/v1/pods -o yaml')).toBe('error: --raw and --output are mutually exclusive\n');
    expect(await failure(c, 'get --raw /api/v1/nodes --as=ann')).toContain('User "ann" cannot list resource "nodes"');
  });

  it('has the checks of the server’s health', async () => {
    const c = newCluster();
    expect(await stdout(c, 'get --raw /readyz')).toBe('ok');
    expect(await stdout(c, 'get --raw /readyz/etcd')).toBe('ok');
    const all = (await stdout(c, "get --raw '/readyz?verbose&exclude=etcd'")).split('\n');
    expect(all.slice(0, 3)).toEqual(['[+]ping ok', '[+]log ok', '[+]etcd excluded: ok']);
    expect(all.at(-2)).toBe('readyz check passed');
    expect(await failure(c, 'get --raw /livez/tea')).toContain('(NotFound)');
  });
});
