// podnet trace: the journey as a value, and what of it is told.
import { beforeAll, describe, expect, it } from 'vitest';
import { journeyText } from '../../src/cli/journey-text.ts';
import { podOfWord } from '../../src/cli/pod-word.ts';
import { clusterConfig } from '../../src/cluster/config.ts';
import { type Journey, parseTarget, travel } from '../../src/cluster/journey.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { startTask } from '../../src/sim/task.ts';
import { type TestCluster, testCluster } from './harness.ts';

function journey(c: TestCluster, pod: string, target: string): Journey {
  c.rest();
  const task = startTask(c.sim, travel(c.engine, 'default', pod, parseTarget(target)!));
  runUntil(c.sim, () => task.done, c.sim.nowMs + 120_000);
  const j = task.result;
  if (!j || typeof j === 'string') throw new Error(`no journey: ${j}`);
  return j;
}

const told = (j: Journey) => journeyText(j, false, false).split('\n');
const rules = (j: Journey) => told(j).filter(l => l.startsWith('  rule'));

const shop = (c: TestCluster) => {
  c.must('create deployment tea --image=nginx:1.27 --replicas=2');
  c.must('expose deployment tea --port=80');
  c.must('run guest --image=busybox:1.36 -- sleep 9999');
  c.must('rollout status deployment tea');
};

describe.each(['iptables', 'nftables', 'ipvs'])('a journey through %s', mode => {
  let c: TestCluster;
  beforeAll(async () => {
    c = await testCluster(clusterConfig({ cni: 'kindnet', nodes: 2, kubeProxy: { mode } }));
    shop(c);
  });

  it('has the name, the choice of an endpoint, each hop and the way back', () => {
    const j = journey(c, 'guest', 'http://tea/');
    const ips = c.must('get pods -l app=tea -o jsonpath={.items[*].status.podIP}').split(' ');
    expect(j).toMatchObject({ verdict: 'connected', because: null, answer: 'HTTP/1.1 200 OK', odds: mode === 'ipvs' ? 1 : 0.5 });
    expect(j.lookup?.addresses).toEqual([c.must('get svc tea -o jsonpath={.spec.clusterIP}')]);
    const text = told(j);
    const nat = text.findIndex(l => /^ {2}nat .*tea|^ {2}nat .*:80 -> 10\.244\.\d+\.\d+:80$/.test(l));
    expect(ips).toContain(/-> (.*):80$/.exec(text[nat])?.[1]);
    const kinds = text.filter(l => l.startsWith('  ')).map(l => l.trim().split(' ')[0]);
    const back = kinds.slice(kinds.indexOf('send'));
    expect(back.filter(k => k !== 'rule' && k !== 'forward' && k !== '…')).toEqual([
      'send',
      'route',
      'nat',
      'deliver',
      'send',
      'route',
      'nat',
      'socket',
    ]);
    if (mode === 'iptables') {
      expect(
        rules(j)
          .map(l => / (KUBE-\w{3})/.exec(l)?.[1])
          .slice(0, 3),
      ).toEqual(['KUBE-SER', 'KUBE-SVC', 'KUBE-SEP']);
    }
    if (mode === 'nftables') expect(text[nat - 1]).toMatch(/rule .*service-\w{8}-default\/tea\/tcp\/.*dnat/);
  });

  it('names what refused it', () => {
    c.must('scale deployment tea --replicas=0');
    c.external('sleep 40');
    const j = journey(c, 'guest', 'tea:80');
    expect(j.verdict).toBe('refused');
    const because = {
      iptables: /KUBE-SERVICES .*"default\/tea has no endpoints" .*-j REJECT/,
      nftables: /reject-chain: reject/,
      ipvs: /IPVS: no destination/,
    };
    expect(`${j.because?.rule ?? j.because?.text}`).toMatch(because[mode as 'ipvs']);
    expect(told(j).at(-2)).toMatch(/^because {3}node-\d: /);
    c.must('scale deployment tea --replicas=2');
    c.must('rollout status deployment tea');
  });
});

describe('a journey under policies', () => {
  let c: TestCluster;
  beforeAll(async () => {
    c = await testCluster(clusterConfig({ nodes: 2 }));
    shop(c);
  });

  it('tells by which profile or policy a packet was let through, and not what only marked it', () => {
    const j = journey(c, 'guest', 'http://tea/');
    const text = rules(j).join('\n');
    expect(text).toContain('Profile kns.default egress');
    expect(text).toContain('Profile kns.default ingress');
    expect(text).not.toContain('raw ');
    expect(text).not.toContain('MARK --set-xmark 0x0/');
    expect(rules(j).length).toBeLessThan(16);
    expect(j.steps.filter(s => s.kind === 'rule').length).toBeGreaterThan(60);
    expect(journeyText(j, true, false).split('\n').length).toBeGreaterThan(j.steps.length);
  });

  it('tells which policies were asked before it was dropped, once', () => {
    c.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'closed', namespace: 'default' },
      spec: { podSelector: { matchLabels: { app: 'tea' } }, policyTypes: ['Ingress'] },
    });
    const j = journey(c, 'guest', 'tea:80');
    expect(j.verdict).toBe('timeout');
    expect(j.because?.rule).toContain('End of tier default. Drop if no policies passed packet');
    const text = told(j);
    expect(text.filter(l => l.includes('cali-pi-knp/default/closed'))).toHaveLength(1);
    expect(text.filter(l => l.startsWith('  send') && l.includes('default/guest'))).toHaveLength(1);
    c.must('delete networkpolicy closed');
  });

  it('ends at a port where nobody listens, and where there is no pod', () => {
    const ip = c.must('get pods -l app=tea -o jsonpath={.items[0].status.podIP}');
    expect(journey(c, 'guest', `${ip}:81`)).toMatchObject({ verdict: 'refused', because: { text: `RST: nobody listens on ${ip}:81` } });
    expect(journey(c, 'guest', 'nosuch:80')).toMatchObject({ verdict: 'unresolved', address: null });
  });

  it('starts at a pod, or at the best one of something that has pods', () => {
    const of = (word: string) => podOfWord(c.engine.server, 'default', word);
    expect(of('guest')).toEqual({ namespace: 'default', name: 'guest' });
    expect(of('pod/guest')).toEqual({ namespace: 'default', name: 'guest' });
    expect(of('kube-system/x')).toEqual({ namespace: 'kube-system', name: 'x' });
    const names = c.must('get pods -l app=tea -o jsonpath={.items[*].metadata.name}').split(' ');
    for (const word of ['deploy/tea', 'svc/tea', 'deployment.apps/tea']) expect(names).toContain((of(word) as { name: string }).name);
    expect(of('deploy/nosuch')).toBe('deployments.apps "nosuch" not found');
    expect(of('cm/kube-root-ca.crt')).toBe('selector for *v1.ConfigMap not implemented');
  });
});
