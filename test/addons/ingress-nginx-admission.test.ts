// What ingress-nginx's webhook refuses before an Ingress is kept.
import { beforeAll, beforeEach, expect, it } from 'vitest';
import type { TestCluster } from '../cluster/harness.ts';
import { clusterWith } from './cluster.ts';

const DENIED =
  'Error from server (BadRequest): error when creating "STDIN": admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: ';
const SNIPPET = 'nginx.ingress.kubernetes.io/configuration-snippet';

let c: TestCluster;
const NS = '-n ingress-nginx';

beforeAll(async () => {
  c = await clusterWith(['ingress-nginx']);
}, 60_000);

beforeEach(() => {
  c.kubectl('delete ingress --all');
  c.kubectl([
    '-n',
    'ingress-nginx',
    'patch',
    'cm',
    'ingress-nginx-controller',
    '--type=json',
    '-p',
    '[{"op":"add","path":"/data","value":{}}]',
  ]);
  c.rest();
});

const configure = (data: Record<string, string>) =>
  c.must([...NS.split(' '), 'patch', 'cm', 'ingress-nginx-controller', '--type=merge', '-p', JSON.stringify({ data })]);

interface Wanted {
  annotations?: Record<string, string>;
  paths?: [path: string, pathType: string][];
  host?: string;
  className?: string;
}

function create(name: string, w: Wanted) {
  const paths = (w.paths ?? [['/', 'Prefix']]).map(([path, pathType]) => ({
    path,
    pathType,
    backend: { service: { name: 'nowhere', port: { number: 80 } } },
  }));
  const rules = [{ ...(w.host === undefined ? {} : { host: w.host }), http: { paths } }];
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, annotations: w.annotations ?? {} },
    spec: { ingressClassName: w.className ?? 'nginx', rules },
  };
  const r = c.kubectl('create -f -', JSON.stringify(object));
  return { code: r.code, err: r.err };
}

it('wants regular expressions under ImplementationSpecific alone', () => {
  const odd = (pathType: string) => create('odd', { host: 'odd.example', paths: [['/a(/|$)(.*)', pathType]] });
  const warning = 'path /a(/|$)(.*) cannot be used with pathType Prefix';
  expect(odd('Prefix')).toEqual({ code: 1, err: `Warning: ${warning}\n${DENIED}ingress contains invalid paths: ${warning}\n` });
  expect(odd('ImplementationSpecific')).toEqual({ code: 0, err: '' });
  expect(create('dots', { host: 'dots.example', paths: [['/.well-known/a_b-c', 'Exact']] }).code).toBe(0);
  configure({ 'strict-validate-path-type': 'false' });
  const lenient = create('lenient', { host: 'lenient.example', paths: [['/a(/|$)(.*)', 'Prefix']] });
  expect(lenient).toEqual({ code: 0, err: `Warning: ${warning}\n` });
});

it('lets snippets pass when both of its settings do', () => {
  const cut = () => create('cut', { host: 'cut.example', annotations: { [SNIPPET]: 'return 418;' } });
  expect(cut().err).toBe(`${DENIED}${SNIPPET} annotation cannot be used. Snippet directives are disabled by the Ingress administrator\n`);
  configure({ 'allow-snippet-annotations': 'true' });
  expect(cut().err).toBe(`${DENIED}annotation group ConfigurationSnippet contains risky annotation based on ingress configuration\n`);
  configure({ 'annotations-risk-level': 'Critical' });
  expect(cut()).toEqual({ code: 0, err: '' });
});

it('takes what is risky by the level that is set', () => {
  const rewritten = () => create('re', { host: 're.example', annotations: { 'nginx.ingress.kubernetes.io/rewrite-target': '/' } });
  configure({ 'annotations-risk-level': 'Low' });
  expect(rewritten().err).toBe(`${DENIED}annotation group Rewrite contains risky annotation based on ingress configuration\n`);
  configure({ 'annotations-risk-level': 'Medium' });
  expect(rewritten().code).toBe(0);
});

it('gives a host and path to one Ingress, canaries aside, and looks no further than what is its own', () => {
  const canary = { 'nginx.ingress.kubernetes.io/canary': 'true' };
  expect(create('first', { host: 'same.example' }).code).toBe(0);
  expect(create('second', { host: 'same.example' }).err).toBe(
    `${DENIED}host "same.example" and path "/" is already defined in ingress default/first\n`,
  );
  expect(create('third', { host: 'same.example', annotations: canary }).code).toBe(0);
  expect(create('other-type', { host: 'same.example', paths: [['/', 'Exact']] }).code).toBe(0);
  expect(c.must('annotate ingress first note=kept')).toBe('ingress.networking.k8s.io/first annotated\n');
  const own: [string, string] = ['/own', 'Prefix'];
  expect(create('late', { host: 'same.example', paths: [own, ['/', 'Prefix']] }).code).toBe(0);
  expect(create('anyhost', {}).code).toBe(0);
  expect(create('anyhost-too', {}).err).toContain('host "_" and path "/" is already defined in ingress default/anyhost\n');
});

it('leaves other classes alone, and says nothing while it is away', () => {
  expect(
    create('foreign', { className: 'else', host: 'f.example', paths: [['/(.*)', 'Prefix']], annotations: { [SNIPPET]: 'x' } }),
  ).toEqual({
    code: 0,
    err: 'Warning: path /(.*) cannot be used with pathType Prefix\n',
  });
  c.must(`${NS} scale deploy ingress-nginx-controller --replicas=0`);
  c.rest();
  const { err } = create('unasked', { host: 'u.example' });
  expect(err).toMatch(/failed calling webhook "validate\.nginx\.ingress\.kubernetes\.io".*connection refused/);
});
