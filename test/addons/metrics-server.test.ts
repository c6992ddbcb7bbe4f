import { beforeAll, describe, expect, it } from 'vitest';
import { addonNamed } from '../../src/addons/table.ts';
import { clusterConfig } from '../../src/cluster/config.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { type TestCluster, testCluster } from '../cluster/harness.ts';
import { clusterWith } from './cluster.ts';

const web = (name: string, cpu?: string, more: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'web', image: 'nginx:1.29', ...(cpu ? { resources: { requests: { cpu } } } : {}), ...more }] },
    },
  },
});

const pass = (c: TestCluster, seconds: number) => void runUntil(c.sim, () => false, c.sim.nowMs + seconds * 1000);

const small = () => clusterConfig({ nodes: 2 });

describe('a cluster without metrics-server', () => {
  let c: TestCluster;
  beforeAll(async () => {
    c = await testCluster(small());
  }, 60_000);

  it('has no metrics', () => {
    expect(c.kubectl('top nodes')).toMatchObject({ code: 1, err: 'error: Metrics API not available\n' });
  });

  it('never gets a ready one that does not trust the kubelets’ certificates', async () => {
    const objects = await addonNamed('metrics-server')!.manifest(
      'https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml',
    );
    c.must('apply -f -', objects.map(o => JSON.stringify(o)).join('\n---\n'));
    pass(c, 60);
    expect(c.must('-n kube-system get deploy metrics-server --no-headers')).toMatch(/metrics-server +0\/1/);
    expect(c.must('-n kube-system logs deploy/metrics-server')).toContain("because it doesn't contain any IP SANs");
    expect(c.must('get apiservice v1beta1.metrics.k8s.io --no-headers')).toContain('False (MissingEndpoints)');
    const patch = [{ op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--kubelet-insecure-tls' }];
    c.must(['-n', 'kube-system', 'patch', 'deploy', 'metrics-server', '--type=json', '-p', JSON.stringify(patch)]);
    pass(c, 45);
    expect(c.must('top nodes')).toContain('control-plane');
  });
});

describe('metrics-server', () => {
  let c: TestCluster;
  beforeAll(async () => {
    c = await clusterWith(['metrics-server'], small());
  }, 60_000);

  it('serves what kubelets say, to top and to autoscalers', () => {
    c.apply(web('web', '100m'));
    c.must('autoscale deployment web --cpu=50% --min=1 --max=4');
    expect(c.must('get hpa web --no-headers')).toContain('cpu: <unknown>/50%');
    pass(c, 45);
    expect(c.must('get apiservice v1beta1.metrics.k8s.io --no-headers')).toMatch(/kube-system\/metrics-server +True/);
    expect(c.must('top nodes').split('\n')).toHaveLength(5);
    expect(c.must('top pods -l app=web')).toMatch(
      /^NAME +CPU\(cores\) +MEMORY\(bytes\) +\nweb-\S+ +\d+m +\d+Mi +\nweb-\S+ +\d+m +\d+Mi +\n$/,
    );
    expect(c.must('top pods -n kube-system --containers --sort-by=memory').split('\n')[1]).toContain('kube-apiserver');
    expect(c.must('get hpa web --no-headers')).toMatch(/cpu: \d%\/50% +1 +4 +2/);
    const conditions = c.must(['get', 'hpa', 'web', '-o', 'jsonpath={range .status.conditions[*]}{.type}={.reason} {end}']);
    expect(conditions).toBe('AbleToScale=ScaleDownStabilized ScalingActive=ValidMetricFound ScalingLimited=DesiredWithinRange ');
    pass(c, 300);
    expect(c.must('get deployment web -o jsonpath={.spec.replicas}')).toBe('1');
    expect(c.must('get events')).toContain('New size: 1; reason: All metrics below target');
  });

  it('scales up what burns', () => {
    const limits = { requests: { cpu: '100m' }, limits: { cpu: '300m' } };
    c.apply(web('busy', undefined, { image: 'vish/stress', args: ['-cpus', '2'], resources: limits }));
    c.must('autoscale deployment busy --cpu=50% --min=1 --max=5');
    pass(c, 60);
    expect(c.must('get hpa busy --no-headers')).toMatch(/cpu: 29\d%\/50% +1 +5 +5/);
    expect(c.must('get events')).toContain('cpu resource utilization (percentage of request) above target');
  });

  it('says what it needs: requests', () => {
    c.apply(web('wild'));
    c.must('autoscale deployment wild --cpu=50% --max=4');
    pass(c, 45);
    expect(c.must('describe hpa wild')).toMatch(/FailedGetResourceMetric +.*missing request for cpu in container web of Pod wild-/);
  });

  it('knows nothing of a node that it cannot reach', () => {
    // Not its own: kubectl could not read its log.
    const own = c.must('-n kube-system get pods -l k8s-app=metrics-server -o jsonpath={.items[0].spec.nodeName}');
    const [node, address] = own === 'node-2' ? ['node-1', '192.168.1.10'] : ['node-2', '192.168.1.20'];
    c.node(node, `iptables -t raw -I PREROUTING -d ${address} -p tcp --dport 10250 -j DROP`);
    pass(c, 45);
    expect(c.must('top nodes')).toMatch(new RegExp(`${node} +<unknown> +<unknown> +<unknown> +<unknown>`));
    expect(c.must('-n kube-system logs deploy/metrics-server')).toContain('context deadline exceeded');
  });
});
