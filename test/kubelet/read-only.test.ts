// What containers can write to: securityContext.readOnlyRootFilesystem and readOnly mounts.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Home, newHome, removeHome, run, sh } from '../cli/machine.ts';

let home: Home;
beforeAll(async () => {
  home = newHome();
  await sh(home, 'kubectl apply -f -', PODS);
});
afterAll(() => removeHome(home));

const PODS = `
apiVersion: v1
kind: Pod
metadata: {name: box}
spec:
  containers:
  - name: box
    image: busybox:1.36
    command: [sleep, infinity]
    securityContext: {readOnlyRootFilesystem: true}
    volumeMounts: [{name: tmp, mountPath: /tmp}]
  volumes: [{name: tmp, emptyDir: {}}]
---
apiVersion: v1
kind: Pod
metadata: {name: stuck}
spec:
  containers:
  - {name: web, image: nginx, securityContext: {readOnlyRootFilesystem: true}}
---
apiVersion: v1
kind: Pod
metadata: {name: served}
spec:
  containers:
  - name: web
    image: nginx
    securityContext: {readOnlyRootFilesystem: true}
    volumeMounts: [{name: cache, mountPath: /var/cache/nginx}, {name: run, mountPath: /var/run}]
  volumes: [{name: cache, emptyDir: {}}, {name: run, emptyDir: {}}]
`;

it('a read-only root takes no change, what is mounted into it does', async () => {
  const script = 'touch /x; echo a > /etc/b; mkdir /d; rm /bin/ls; echo ok > /tmp/f; cat /tmp/f; echo n > /dev/null';
  const r = await run(home, ['kubectl', 'exec', 'box', '--', 'sh', '-c', script]);
  expect(r.stdout).toBe('ok\n');
  expect(r.stderr.match(/Read-only file system/g)?.length).toBe(4);
});

it('nginx needs its cache and its run folder', async () => {
  expect((await sh(home, 'kubectl logs stuck')).stdout).toMatch(
    /can not modify \/etc\/nginx\/conf\.d\/default\.conf \(read-only file system\?\)[\s\S]*nginx: \[emerg\] mkdir\(\) "\/var\/cache\/nginx\/client_temp" failed \(30: Read-only file system\)/,
  );
  expect((await sh(home, 'kubectl exec served -- curl -s -o /dev/null -w %{http_code} localhost')).stdout).toBe('200');
  expect((await sh(home, 'kubectl get pods stuck served -o jsonpath={.items[*].status.containerStatuses[0].ready}')).stdout).toBe(
    'false true',
  );
});
