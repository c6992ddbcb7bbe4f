import { beforeEach, describe, expect, it } from 'vitest';
import { failure, kubectl, newCluster, stdout, type TestCluster } from './cluster.ts';

const map = (name: string, value = '1', more = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}${more}}\ndata: {v: "${value}"}\n---\n`;

let c: TestCluster;

describe('apply --applyset', () => {
  const json = async (what: string, path: string) => JSON.parse(await stdout(c, `get ${what} -o jsonpath={${path}}`));

  beforeEach(async () => {
    c = newCluster();
    c.env.KUBECTL_APPLYSET = 'true';
    await stdout(c, 'create namespace shop');
  });

  it('is there where its gate is open', async () => {
    expect(await stdout(c, 'apply --help')).toMatch(/--applyset=..[\s\S]*For alpha2, use with --applyset\./);
    c.env.KUBECTL_APPLYSET = '';
    expect(await failure(c, 'apply -f - --applyset=a', map('m'))).toMatch(/^error: unknown flag: --applyset\n/);
    expect(await stdout(c, 'apply --help')).not.toContain('applyset');
  });

  it('keeps its members in mind and deletes those that are left over, wherever they are', async () => {
    const both = map('m') + map('o', '1', ', namespace: default');
    expect(await stdout(c, 'apply -f - --applyset=configmaps/set --prune -n shop', map('m'))).toBe('configmap/m created\n');
    // --namespace holds for all manifests: a parent without a namespace reaches further.
    c.files.set(
      'crd.yaml',
      `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crates.test.dev, labels: {applyset.kubernetes.io/is-parent-type: ""}}
spec:
  group: test.dev
  scope: Cluster
  names: {plural: crates, singular: crate, kind: Crate}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`,
    );
    await stdout(c, 'apply -f crd.yaml');
    expect(await failure(c, 'apply -f - --applyset=crates.test.dev/a --prune', both)).toBe(
      'error: custom resource ApplySet parents cannot be created automatically\n',
    );
    const crate = `apiVersion: test.dev/v1\nkind: Crate\nmetadata:\n  name: a\n  annotations:\n    applyset.kubernetes.io/tooling: kubectl/v1\n    applyset.kubernetes.io/contains-group-kinds: ""\n  labels: {applyset.kubernetes.io/id: ID}\n`;
    await stdout(c, 'create -f -', crate);
    const want = /want: (applyset-[\w-]+-v1)/.exec(await failure(c, 'apply -f - --applyset=crates.test.dev/a --prune', both))?.[1];
    await stdout(c, `label crate a applyset.kubernetes.io/id=${want} --overwrite`);
    await stdout(c, 'apply -f - --applyset=crates.test.dev/a --prune', `${map('m', '1', ', namespace: kube-system')}${both}`);
    expect(await json('crate a', '.metadata.annotations')).toMatchObject({
      'applyset.kubernetes.io/additional-namespaces': 'default,kube-system',
      'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap',
      'applyset.kubernetes.io/tooling': 'kubectl/v1.36.3',
    });
    expect(await stdout(c, 'apply -f - --applyset=crates.test.dev/a --prune', map('o'))).toBe(
      'configmap/o unchanged\nconfigmap/m pruned\nconfigmap/m pruned\n',
    );
    expect(await json('crate a', '.metadata.annotations')).toMatchObject({ 'applyset.kubernetes.io/additional-namespaces': 'default' });
    expect((await json('cm m -n shop', '.metadata.labels'))['applyset.kubernetes.io/part-of']).toMatch(/^applyset-/);
  });

  it('is named by its parent: a Secret where nothing else is said', async () => {
    await stdout(c, 'apply -f - --applyset=set --prune -n shop --server-side', map('m'));
    // echo -n set.shop.Secret. | openssl dgst -sha256 -binary | base64
    expect(await stdout(c, 'get secret set -n shop -o jsonpath={.type}:{.metadata.labels}')).toBe(
      'Opaque:{"applyset.kubernetes.io/id":"applyset-FzxrwoaIPTCEj0WYvvKYzh_1_3tCFpkt2KWr_V1lRL4-v1"}',
    );
    expect(await stdout(c, 'apply -f - --applyset=set --prune -n shop --dry-run=server', map('o'))).toBe(
      'configmap/o created (server dry run)\nconfigmap/m pruned (server dry run)\n',
    );
    expect(await stdout(c, 'get cm -n shop -o name')).toContain('configmap/m');
  });

  it('refuses parents that are not its own', async () => {
    const apply = (flags: string) => failure(c, `apply -f - ${flags}`, map('m'));
    expect(await apply('--applyset=a')).toBe('error: --applyset requires --prune\n');
    expect(await apply('--applyset=a --prune')).toBe('error: namespace is required to use namespace-scoped ApplySet\n');
    expect(await apply('--applyset=deploy/a --prune -n shop')).toContain('"apps/v1, Resource=deployments" is not permitted');
    expect(await apply('--applyset=boats/a --prune -n shop')).toBe(
      'error: invalid parent reference "boats/a": no matches for /, Resource=boats\n',
    );
    expect(await apply('--applyset=a --prune --all -n shop')).toBe('error: --all is incompatible with --applyset\n');
    await stdout(c, 'create configmap theirs -n shop');
    expect(await apply('--applyset=configmaps/theirs --prune -n shop')).toContain('is missing required annotation');
    await stdout(c, 'annotate configmap theirs -n shop applyset.kubernetes.io/tooling=helm/v3');
    expect(await apply('--applyset=configmaps/theirs --prune -n shop')).toContain('managed by tooling "helm" instead of "kubectl"');
    const own = ', labels: {applyset.kubernetes.io/part-of: x}';
    expect(await failure(c, 'apply -f - --applyset=a --prune -n shop', map('m', '1', own))).toContain('already set in input data');
  });

  it('takes its annotations back from whoever wrote them', async () => {
    await stdout(c, 'apply -f - --applyset=set --prune -n shop', map('m'));
    await stdout(c, 'annotate secret set -n shop --overwrite applyset.kubernetes.io/contains-group-kinds=ConfigMap,Service');
    const ran = await kubectl(c, 'apply -f - --applyset=set --prune -n shop', map('m'));
    expect(ran.stdout).toBe('configmap/m unchanged\n');
    expect(ran.stderr).toContain('applyset.go:447] WARNING: failed to update ApplySet: Apply failed with 1 conflict');
  });
});

describe('pruning by label', () => {
  beforeEach(() => {
    c = newCluster();
  });

  it('is shown by diff beforehand', async () => {
    const both = map('m', '1', ', labels: {s: x}') + map('o', '1', ', labels: {s: x}');
    await stdout(c, 'apply -f -', both);
    const ran = await kubectl(c, 'diff -f - --prune -l s=x --prune-allowlist=core/v1/ConfigMap', map('m', '2', ', labels: {s: x}'));
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/- {2}v: "1"\n\+ {2}v: "2"\n/);
    expect(ran.stdout).toMatch(
      /\+\+\+ \/tmp\/MERGED-\d+\/v1\.ConfigMap\.default\.o\t1970-01-01 00:00:00\.000000000 \+0000\n@@ -1,\d+ \+0,0 @@\n/,
    );
    expect(await stdout(c, 'get cm o -o name')).toBe('configmap/o\n');
    expect((await kubectl(c, 'diff -f - --prune --prune-allowlist=ConfigMap', both)).stderr).toBe(
      'error: invalid GroupVersionKind format: ConfigMap, please follow <group/version/kind>\n',
    );
  });
});
