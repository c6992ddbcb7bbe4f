// The real kubectl pointed at `podnet serve` prints what podnet's own kubectl prints: that tells mistakes of one from those of the other.
// Skipped where there is no kubectl. `npm run same` compares whole scenarios, byte by byte.
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
}

const STEPS: Step[] = [
  { line: 'apply -f -', stdin: MANIFEST },
  { line: 'get pods -o wide' },
  { line: 'get pod nobody' },
  { line: 'create deployment back --image=nginx --replicas=2' },
  { line: 'exec -i front -- sh -s', stdin: 'echo out; echo err >&2; exit 3\n' },
  { line: 'logs front --tail=1' },
  { line: 'wait --for=condition=Ready pod/front --timeout=20s' },
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
    for (const { line, stdin } of STEPS) {
      const words = line.split(' ');
      const [a, b] = await Promise.all([
        run(mine, ['kubectl', ...words], stdin),
        run(theirs, [REAL, '--kubeconfig', join(theirs.path, 'serve.kubeconfig'), ...words], stdin),
      ]);
      const seen = (r: Ran) => ({ line, ...masked(r) });
      expect(seen(b)).toEqual(seen(a));
    }
  }, 120_000);
});
