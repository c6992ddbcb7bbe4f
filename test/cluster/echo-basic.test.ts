import { expect, it } from 'vitest';
import { clusterConfig } from '../../src/cluster/config.ts';
import { testCluster } from './harness.ts';

it("the Gateway API's echo server tells in its log what it was asked, by whom", async () => {
  const c = await testCluster(clusterConfig({ nodes: 1 }));
  c.must('run echo --image=registry.k8s.io/gateway-api/echo-basic:v1.4.0');
  const address = c.must('get pod echo -o jsonpath={.status.podIP}');
  expect(c.node('node-1', ['curl', '-s', `http://${address}:3000/shadow?x=1`]).out).toContain('"path": "/shadow?x=1"');
  expect(c.must('logs echo')).toMatch(/^Echoing back request made to \/shadow\?x=1 to client \(192\.168\.1\.10:\d+\)$/m);
});
