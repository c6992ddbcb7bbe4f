// A kubeconfig of the user's, changed step by step.
import { describe, expect, it } from 'vitest';
import { failure, newCluster, stdout, type TestCluster } from './cluster.ts';

const config = (c: TestCluster, words: string) => stdout(c, `config --kubeconfig=mine ${words}`);
const refused = (c: TestCluster, words: string) => failure(c, `config --kubeconfig=mine ${words}`);

describe('kubectl config', () => {
  it('sets properties by their path, each as its type wants it', async () => {
    const c = newCluster();
    await config(c, 'set clusters.lab.v2.server https://192.0.2.1');
    expect(await config(c, `view -o jsonpath='{.clusters[*].name} {.clusters[*].cluster.server}'`)).toBe('lab.v2 https://192.0.2.1');
    await config(c, 'set clusters.lab.v2.insecure-skip-tls-verify 1');
    expect(await config(c, 'view')).toContain('    insecure-skip-tls-verify: true\n');
    expect(await refused(c, 'set clusters.lab.v2.insecure-skip-tls-verify maybe')).toBe(
      'error: strconv.ParseBool: parsing "maybe": invalid syntax\n',
    );
    expect(await refused(c, 'set clusters.lab.v2.certificate-authority-data ab!')).toBe(
      'error: error decoding input value: illegal base64 data at input byte 2\n',
    );
    await config(c, 'set clusters.lab.v2.certificate-authority-data ab --set-raw-bytes');
    expect(await config(c, 'view --raw')).toContain('certificate-authority-data: YWI=\n');
    expect(await refused(c, 'set clusters.lab.v2 x')).toMatch(/^error: can't set a map to a value: map\[lab\.v2:0x/);
    expect(await refused(c, 'set current-context.lab x')).toBe('error: unable to parse one or more field values of current-context.lab\n');
    expect(await refused(c, 'unset contexts.none.namespace')).toBe('error: current map key `none` is invalid\n');
    await config(c, 'unset clusters');
    expect(await config(c, 'view')).toContain('clusters: null\n');
  });

  it('keeps plugins and providers of credentials', async () => {
    const c = newCluster();
    const api = '--exec-api-version=client.authentication.k8s.io/v1';
    await config(c, `set-credentials ann --exec-command=login ${api} --exec-arg=-v --exec-env=A=1 --exec-env=B=2`);
    await config(c, 'set-credentials ann --exec-env=A- --exec-env=C=3 --exec-interactive-mode=Never');
    expect(await config(c, `view -o jsonpath='{.users[0].user.exec}'`)).toBe(
      '{"apiVersion":"client.authentication.k8s.io/v1","args":["-v"],"command":"login","env":[{"name":"B","value":"2"},{"name":"C","value":"3"}],"interactiveMode":"Never","provideClusterInfo":false}',
    );
    expect(await refused(c, 'set-credentials ann --exec-interactive-mode=Perhaps')).toBe(
      'error: invalid interactive mode type, can be only IfAvailable, Never, Always\n',
    );
    await config(c, 'set-credentials bob --auth-provider=oidc --auth-provider-arg=id=x --auth-provider-arg=secret=y');
    await config(c, 'set-credentials bob --auth-provider-arg=secret-');
    expect(await config(c, `view -o jsonpath='{.users[1].user.auth-provider}'`)).toBe('{"config":{"id":"x"},"name":"oidc"}');
  });

  it('reads files into the kubeconfig when it is to be flat, and forgets what is not said again', async () => {
    const c = newCluster();
    await config(c, 'set-cluster lab --server=https://192.0.2.1 --insecure-skip-tls-verify');
    await config(c, 'set-cluster lab --tls-server-name=lab');
    expect(await config(c, 'view')).not.toContain('insecure');
    c.files.set('/keys/ca.crt', 'authority');
    await config(c, 'set-cluster lab --certificate-authority=/keys/ca.crt');
    expect(await config(c, 'view --flatten --raw')).toContain('certificate-authority-data: YXV0aG9yaXR5\n');
    c.files.delete('/keys/ca.crt');
    expect(await refused(c, 'view --flatten')).toBe('error: open /keys/ca.crt: no such file or directory\n');
    expect(await refused(c, 'view extra')).toBe(
      "error: unexpected arguments: [extra]\nSee 'kubectl config view -h' for help and examples\n",
    );
  });
});
