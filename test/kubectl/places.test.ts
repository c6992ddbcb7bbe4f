// An error in a manifest says where it is: FILE:LINE:COLUMN after kubectl's own words.
import { describe, expect, it } from 'vitest';
import { kubectl, newCluster } from './cluster.ts';

const apply = async (files: Record<string, string>, places = true, line = '') => {
  const c = newCluster();
  for (const [name, text] of Object.entries(files)) c.files.set(name, text);
  return kubectl(c, line || `apply -f ${Object.keys(files).join(' -f ')}`, '', { places });
};
const placesOf = (stderr: string) => stderr.split('\n').filter(l => /^\S+:\d+:\d+/.test(l));

const TWO = `# a comment, and a document before the wrong one
apiVersion: v1
kind: ConfigMap
metadata: {name: fine}
---
apiVersion: v1
kind: Service
metadata:
  name: wrong
  labels: {"a b": c}
spec:
  ports:
  - port: 80
  - {port: 70000, name: high}
`;

describe('places in manifests', () => {
  it('names every field that validation refuses', async () => {
    const r = await apply({ 'two.yaml': TWO });
    expect(r.stdout).toBe('configmap/fine created\n');
    expect(placesOf(r.stderr)).toEqual([
      'two.yaml:10:3: metadata.labels',
      'two.yaml:13:5: spec.ports[0].name',
      'two.yaml:14:6: spec.ports[1].port',
      'two.yaml:14:5: spec.ports[1].targetPort',
    ]);
    expect(r.code).toBe(1);
  });

  it('is podnet’s way only: kubectl prints what kubectl prints', async () => {
    const r = await apply({ 'two.yaml': TWO }, false);
    expect(r.stderr).toContain('Service "wrong" is invalid');
    expect(placesOf(r.stderr)).toEqual([]);
  });

  it('names unknown fields, and wrong types that the decoder names without indices', async () => {
    const pod = (line: string) => `apiVersion: v1
kind: Pod
metadata:
  name: p
spec:
  containers:
  - name: a
    image: a
  - image: b
    name: b
    ${line}
`;
    expect(placesOf((await apply({ 'p.yaml': pod('imagee: c') })).stderr)).toEqual(['p.yaml:11:5: spec.containers[1].imagee']);
    expect(placesOf((await apply({ 'p.yaml': pod('stdin: "no"') })).stderr)).toEqual(['p.yaml:11:5: spec.containers.stdin']);
  });

  it('finds an item of a List, in JSON too', async () => {
    const item = (port: number) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `s${port}` },
      spec: { ports: [{ port }] },
    });
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item(80), item(0)] }, null, 1);
    const line = text.split('\n').findIndex(l => l.includes('"port": 0')) + 1;
    expect(placesOf((await apply({ 'list.json': text })).stderr)[0]).toBe(`list.json:${line}:7: spec.ports[0].port`);
  });

  it('counts lines of the file where the parser counts those of the document', async () => {
    const r = await apply({
      'bad.yaml': `${TWO.replace('70000', '81').replaceAll('"a b"', 'a').replace('80\n', '80\n    name: low\n')}---\n\na: b\nc: d: e\n`,
    });
    expect(r.stderr).toContain('yaml: line 3:');
    expect(placesOf(r.stderr)).toEqual(['bad.yaml:19:5']);
  });

  it('points at an object without a kind, and at one whose kind nobody knows', async () => {
    expect(placesOf((await apply({ 'x.yaml': '---\n# nothing\n---\nmetadata: {name: x}\n' })).stderr)).toEqual(['x.yaml:4:1']);
    expect(placesOf((await apply({ 'x.yaml': 'apiVersion: v9\nkind: Thing\nmetadata: {name: x}\n' })).stderr)).toEqual(['x.yaml:1:1']);
  });

  it('says nothing of files when the error is not about one', async () => {
    expect(placesOf((await apply({ 'x.yaml': TWO }, true, 'get pod nobody')).stderr)).toEqual([]);
    expect(placesOf((await apply({}, true, 'apply -f missing.yaml')).stderr)).toEqual([]);
  });
});
