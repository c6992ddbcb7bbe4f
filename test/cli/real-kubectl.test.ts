// The real kubectl pointed at `podnet serve` prints what podnet's own kubectl prints: that tells mistakes of one from those of the other.
// Skipped where there is no kubectl; PODNET_TEST_KUBECTL names one to run the whole list with.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { background, type Home, newHome, type Ran, removeHome, run } from './machine.ts';

const REAL = process.env.PODNET_TEST_KUBECTL || 'kubectl';

/** Minor version of the client; 0: there is none. */
function minorOf(kubectl: string): number {
  try {
    const text = execFileSync(kubectl, ['version', '--client', '-o', 'json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return Number(/^\d+/.exec(JSON.parse(text).clientVersion.minor)?.[0] ?? 0);
  } catch {
    return 0;
  }
}

const minor = minorOf(REAL);

const MANIFEST = `
apiVersion: v1
kind: ConfigMap
metadata: {name: words}
data: {greeting: hello}
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: front}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: front, labels: {app: front}}
spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]}
`;

interface Step {
  line: string;
  stdin?: string;
  /** The words are v1.36's: other versions have others. */
  own?: boolean;
  /** Also for a kubectl that just happens to be on PATH: some are slow to start. */
  always?: boolean;
}

const STEPS: Step[] = [
  { line: 'apply -f -', stdin: MANIFEST, always: true },
  { line: 'apply -f -', stdin: MANIFEST.replace('hello', 'good day') },
  { line: 'get pods -o wide', always: true },
  { line: 'get services,configmaps --show-labels' },
  { line: 'get pod front -o jsonpath={.status.podIP}{.spec.nodeName}' },
  { line: 'get -o name all' },
  { line: 'get pod nobody', always: true },
  { line: 'get things' },
  { line: 'get configmap words -o yaml' },
  { line: 'create deployment back --image=nginx --replicas=2', always: true },
  { line: 'get deployment back' },
  { line: 'scale deployment back --replicas=1' },
  { line: 'patch deployment back --type=merge -p {"spec":{"replicas":3}}' },
  { line: 'patch service front --type=json -p [{"op":"remove","path":"/nothing"}]' },
  { line: 'label pod front tier=edge' },
  { line: 'annotate pod front note=x --dry-run=server' },
  { line: 'exec front -- cat /etc/hostname' },
  { line: 'exec -i front -- sh -s', stdin: 'echo out; echo err >&2; exit 3\n', always: true },
  { line: 'exec front -- curl -s -o /dev/null -w %{http_code} http://front/' },
  { line: 'logs front --tail=1', always: true },
  { line: 'auth can-i create pods --as=jane' },
  { line: 'apply --server-side -f -', stdin: MANIFEST },
  { line: 'explain service.spec.ports.port', own: true },
  { line: 'api-resources --api-group=apps' },
  { line: 'wait --for=condition=Ready pod/front --timeout=20s', always: true },
  { line: 'rollout status deployment/back' },
  { line: 'create -f -', stdin: 'apiVersion: v1\nkind: Pod\nmetadata: {name: Bad_Name}\nspec: {containers: []}\n', own: true },
  { line: 'create -f -', stdin: 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 1}], odd: 1}\n' },
  { line: 'delete pod front', own: true },
  { line: 'delete configmap,service words front --ignore-not-found', own: true },
  { line: 'get pods front' },
];

/** What dice and clocks draw. */
const masked = (r: Ran): Ran => {
  const mask = (s: string) =>
    s
      .replace(/-[bcdfghjklmnpqrstvwxz2456789]{5,10}\b/g, '-x')
      .replace(/\b\d+m?\d*s\b/g, 'Ns')
      .replace(/(uid|resourceVersion|creationTimestamp): .*/g, '$1: X')
      .replace(/(\b2\d{3}:|\d\d )\d\d:\d\d:\d\d\b/g, '$1TIME')
      .replace(/\b10\.\d+\.\d+\.\d+/g, 'IP')
      .replace(/node-\d/g, 'node-N')
      .replace(/ +/g, ' ');
  return { stdout: mask(r.stdout), stderr: mask(r.stderr), code: r.code };
};

describe.skipIf(minor < 31)(`kubectl v1.${minor}`, () => {
  let mine: Home;
  let theirs: Home;
  beforeAll(async () => {
    [mine, theirs] = [newHome(), newHome()];
    await background(theirs, 'podnet serve', /serve\.kubeconfig\n/);
  }, 60_000);
  afterAll(async () => {
    await removeHome(mine);
    await removeHome(theirs);
  });

  it('prints what podnet’s own prints', async () => {
    theirs.env.HOME = theirs.path;
    const steps = process.env.PODNET_TEST_KUBECTL ? STEPS : STEPS.filter(s => s.always);
    for (const { line, stdin, own } of steps) {
      const words = line.split(' ');
      const [a, b] = await Promise.all([
        run(mine, ['kubectl', ...words], stdin),
        run(theirs, [REAL, '--kubeconfig', join(theirs.path, 'serve.kubeconfig'), ...words], stdin),
      ]);
      // Without v1.36's words, that both have worked or failed says enough.
      const seen = (r: Ran) => ({ line, ...(own && minor !== 36 ? { code: r.code } : masked(r)) });
      expect(seen(b)).toEqual(seen(a));
    }
  }, 120_000);
});
