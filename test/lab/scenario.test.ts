import { describe, expect, it } from 'vitest';
import { junit, parseScenario, type Scenario } from '../../src/lab/scenario.ts';

const parsed = (o: object) => parseScenario(JSON.stringify(o));

describe("a lab in killercoda's layout", () => {
  it('has its parts in the order of reading', () => {
    const s = parsed({
      title: 'T',
      details: {
        intro: { text: 'i.md', background: 'bg.sh', foreground: 'fg.sh' },
        steps: [{ title: 'one', text: '1.md', verify: '1/check.sh' }, { verify: '2.sh' }],
        finish: { text: 'f.md' },
      },
    }) as Scenario;
    expect(s.parts.map(p => [p.name, p.title, p.background, p.foreground, p.verify])).toEqual([
      ['intro', 'intro', 'bg.sh', 'fg.sh', null],
      ['step 1', 'one', null, null, '1/check.sh'],
      ['step 2', 'step 2', null, null, '2.sh'],
      ['finish', 'finish', null, null, null],
    ]);
  });

  it.each([
    ['kubernetes-kubeadm-2nodes', ['controlplane', 'node01']],
    ['kubernetes-kubeadm-1node', ['controlplane']],
    ['kubernetes-k3s-1node', null],
    ['ubuntu', null],
    [undefined, null],
  ])('of the environment %s has its machines', (imageid, machines) => {
    expect((parsed({ backend: { imageid }, details: { steps: [{}] } }) as Scenario).machines).toEqual(machines);
  });

  it('reads the words of older ones', () => {
    const s = parsed({ details: { intro: { courseData: 'data.sh', code: 'code.sh' } } }) as Scenario;
    expect(s.parts[0]).toMatchObject({ background: 'data.sh', foreground: 'code.sh' });
  });

  it.each([
    ['{', /JSON/],
    ['{}', /there is no "details"/],
    ['{"details":{}}', /no steps/],
    ['{"details":{"steps":{}}}', /no list/],
  ])('%s is none', (text, why) => {
    expect(parseScenario(text)).toMatch(why);
  });
});

describe('the report', () => {
  it('counts, and keeps what a check said as text', () => {
    const xml = junit('a & b', [
      { name: 'setup', seconds: 1.5, failure: null, skipped: false },
      { name: 'look', seconds: 0, failure: null, skipped: true },
      { name: 'step "1"', seconds: 0.25, failure: 'expected <none>\u001b', skipped: false },
    ]);
    expect(xml).toContain('<testsuite name="a &amp; b" tests="3" failures="1" skipped="1" time="1.750">');
    expect(xml).toContain(
      'name="step &quot;1&quot;" time="0.250">\n      <failure message="the check failed">expected &lt;none&gt;</failure>',
    );
    expect(xml.match(/<skipped\/>/g)).toHaveLength(1);
  });
});
