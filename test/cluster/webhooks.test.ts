import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;

const guard = (clientConfig: object, more: object = {}) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'gate' },
  webhooks: [
    {
      name: 'gate.test.dev',
      clientConfig,
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      timeoutSeconds: 5,
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
      ...more,
    },
  ],
});
const service = { name: 'gatekeeper', namespace: 'default', path: '/check' };
let made = 0;
/** What the call failed with; '' : it did not fail. */
const create = (): string => {
  const r = c.kubectl(`create configmap m${made++}`);
  expect(r.code).toBe(r.err ? 1 : 0);
  return r.err.replace(/^.*Post "https:\/\/gatekeeper\.default\.svc:443\/check\?timeout=5s": /, '').trimEnd();
};

beforeAll(async () => {
  c = await testCluster();
  c.apply(guard({ service }));
});

describe('a webhook that cannot be reached holds up what it guards', () => {
  it('while its Service is not there, has no such port or no address', () => {
    expect(create()).toBe('service "gatekeeper" not found');
    c.must('create service clusterip gatekeeper --tcp=8443:8443');
    expect(create()).toBe('no service port 443 found for service "gatekeeper"');
    c.must('delete service gatekeeper');
    c.must('create service clusterip gatekeeper --tcp=443:8443 --clusterip=None');
    expect(create()).toBe('cannot route to service with ClusterIP "None"');
    c.must('delete service gatekeeper');
  });

  it('as the rules of the control plane have it', () => {
    c.must('create service clusterip gatekeeper --tcp=443:8443 --clusterip=10.96.44.44');
    c.rest();
    expect(create()).toBe('dial tcp 10.96.44.44:443: connect: connection refused');
    c.must('run gatekeeper --image=nginx:1.29 --labels=app=gatekeeper --port=80');
    c.rest();
    // nginx listens on 80 alone.
    expect(create()).toBe('dial tcp 10.96.44.44:443: connect: connection refused');
    // Without kube-proxy's rules the address is nobody's.
    c.node('control-plane', 'iptables -t nat -F KUBE-SERVICES');
    const before = c.sim.nowMs;
    expect(create()).toBe('context deadline exceeded');
    expect(c.sim.nowMs - before).toBeGreaterThanOrEqual(5000);
    c.must('-n kube-system rollout restart daemonset/kube-proxy');
    c.rest();
    expect(create()).toContain('connection refused');
  });

  it('until its time is over where nothing comes back', () => {
    c.apply(guard({ url: 'https://203.0.113.9/check' }));
    const before = c.sim.nowMs;
    const r = c.kubectl('create configmap late');
    expect(r.err).toContain('Post "https://203.0.113.9/check?timeout=5s": context deadline exceeded');
    expect(c.sim.nowMs - before).toBeGreaterThanOrEqual(5000);
  });

  it('but not where it may be ignored, or elsewhere', () => {
    expect(c.kubectl('create configmap elsewhere -n kube-public').code).toBe(0);
    c.apply(guard({ service }, { failurePolicy: 'Ignore' }));
    expect(create()).toBe('');
  });

  it('and is passed over where nobody knows what it would say', () => {
    c.apply(guard({ service }));
    c.must('delete pod gatekeeper');
    c.must('run gatekeeper --image=ghcr.io/team/gatekeeper:1 --labels=app=gatekeeper');
    c.rest();
    expect(create()).toBe('');
  });
});
