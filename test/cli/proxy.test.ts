import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { background, end, fetchText, type Home, newHome, removeHome, sh } from './machine.ts';

let home: Home;
beforeAll(async () => {
  home = newHome();
  expect((await sh(home, 'kubectl create configmap words --from-literal=a=1')).code).toBe(0);
}, 60_000);
afterAll(() => removeHome(home));

const SERVING = /^Starting to serve on 127\.0\.0\.1:(\d+)\n/;

describe('kubectl proxy', () => {
  it('serves the API by plain HTTP as it is by then, without what its filter refuses', async () => {
    const proxy = await background(home, 'kubectl proxy --port=0 --api-prefix=/k8s', SERVING);
    const at = `http://127.0.0.1:${SERVING.exec(proxy.text.stdout)?.[1]}`;
    const words = `${at}/k8s/api/v1/namespaces/default/configmaps/words`;
    expect(JSON.parse(await fetchText(words))).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } });
    await sh(home, 'kubectl label configmap words b=2');
    expect(JSON.parse(await fetchText(words)).metadata.labels).toEqual({ b: '2' });
    expect(await fetchText(`${at}/k8s/api/v1/namespaces/default/pods/p/exec`)).toBe('Forbidden\n');
    expect(await fetchText(`${at}/api/v1`)).toBe('404 page not found\n');
    await end(proxy.process, 'SIGINT');
    expect(proxy.text.stderr).toBe('');
  }, 60_000);

  it('says plainly what it does not do', async () => {
    expect((await sh(home, 'kubectl proxy --www=.')).stderr).toContain('podnet does not model proxy --www');
    expect((await sh(home, 'kubectl proxy --port=1 --unix-socket=s')).stderr).toBe(
      'error: cannot set --unix-socket and --port at the same time\n',
    );
  }, 60_000);
});
