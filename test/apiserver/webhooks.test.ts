import { beforeEach, describe, expect, it } from 'vitest';
import { createObject, deleteObject, updateObject } from '../../src/apiserver/client.ts';
import { putObject } from '../../src/apiserver/put.ts';
import { newApiServer } from '../../src/apiserver/store.ts';
import type { AdmissionAnswer, AdmissionReview, ApiServer, KubeObject, Status } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

let server: ApiServer;
let asked: string[];
let answer: (review: AdmissionReview) => AdmissionAnswer | { error: string } | null;

const service = { name: 'judge', namespace: 'court', path: '/judge' };
const webhook = (name: string, more: object = {}) => ({
  name,
  clientConfig: { service },
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
  ...more,
});
const configure = (name: string, ...webhooks: object[]) =>
  putObject(server, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks,
  });
const map = (labels: Record<string, string> = {}, namespace = 'default'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'm', namespace, labels },
  data: { a: '1' },
});

beforeEach(() => {
  server = newApiServer(newSim(Date.UTC(2026, 0, 1), newRandom(1)), newRandom(2));
  asked = [];
  answer = () => ({ allowed: true });
  server.webhook = (_client, review) => {
    asked.push(`${review.operation} ${review.namespace}/${review.object.metadata.name}`);
    return answer(review);
  };
  for (const [name, labels] of [
    ['default', {}],
    ['marked', { mark: 'yes' }],
  ] as const)
    putObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
});

describe('mutating webhooks', () => {
  it('are asked by operation, resource, namespace and labels', () => {
    configure(
      'a',
      webhook('a.test', {
        namespaceSelector: { matchLabels: { mark: 'yes' } },
        objectSelector: { matchExpressions: [{ key: 'no', operator: 'DoesNotExist' }] },
      }),
    );
    createObject(server, map());
    createObject(server, map({ no: '' }, 'marked'));
    expect(asked).toEqual([]);
    createObject(server, { ...map({}, 'marked'), metadata: { name: 'other', namespace: 'marked' } });
    expect(asked).toEqual(['CREATE marked/other']);
    updateObject(server, { ...map({ no: '' }, 'marked'), data: { a: '2' } });
    createObject(server, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'marked' } });
    expect(asked).toHaveLength(1);
  });

  it('change what is stored, one after the other in the order of names', () => {
    answer = ({ object }) => ({ allowed: true, object: { ...object, data: { ...object.data, seen: `${object.data.seen ?? ''}x` } } });
    configure('b', webhook('b.test'));
    configure('a', webhook('a.test'), webhook('a2.test'));
    expect((createObject(server, map()) as KubeObject).data).toEqual({ a: '1', seen: 'xxx' });
  });

  it('refuse with a reason', () => {
    answer = () => ({ allowed: false, message: 'not today', code: 403 });
    configure('a', webhook('a.test'));
    expect(createObject(server, map()) as Status).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'admission webhook "a.test" denied the request: not today',
    });
  });

  it('that cannot be reached hold the request up, unless they may be ignored', () => {
    answer = () => ({ error: 'service "judge" not found' });
    configure('a', webhook('a.test', { failurePolicy: 'Ignore' }));
    expect(createObject(server, map()).kind).toBe('ConfigMap');
    configure('b', webhook('b.test', { timeoutSeconds: 5 }));
    expect((createObject(server, { ...map(), metadata: { name: 'n', namespace: 'default' } }) as Status).message).toBe(
      'Internal error occurred: failed calling webhook "b.test": failed to call webhook: Post "https://judge.court.svc:443/judge?timeout=5s": service "judge" not found',
    );
  });

  it('whom nobody can ask change nothing', () => {
    answer = () => null;
    configure('a', webhook('a.test'));
    expect((createObject(server, map()) as KubeObject).data).toEqual({ a: '1' });
  });
});

describe('validating webhooks', () => {
  const guard = (name: string, ...webhooks: object[]) =>
    putObject(server, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name },
      webhooks,
    });
  const rules = (...operations: string[]) => [{ apiGroups: ['*'], apiVersions: ['*'], operations, resources: ['configmaps'], scope: '*' }];

  it('see what mutating ones and defaults made of the object', () => {
    answer = ({ object }) => (object.data.seen ? { allowed: true } : { allowed: true, object: { ...object, data: { seen: 'yes' } } });
    configure('a', webhook('a.test'));
    guard('b', webhook('b.test'));
    const seen: unknown[] = [];
    const ask = server.webhook as NonNullable<typeof server.webhook>;
    server.webhook = (client, review, ms) => {
      seen.push([review.object.data, ms]);
      return ask(client, review, ms);
    };
    createObject(server, map());
    expect(seen).toEqual([
      [{ a: '1' }, 10_000],
      [{ seen: 'yes' }, 10_000],
    ]);
  });

  it('are asked about what goes and what was, and the first refusal is told', () => {
    guard('a', webhook('a.test', { rules: rules('UPDATE', 'DELETE') }));
    guard('b', webhook('b.test', { rules: rules('DELETE') }));
    createObject(server, map());
    expect(asked).toEqual([]);
    answer = ({ operation, object, old }) => ({ allowed: false, message: `${operation} ${object.data.a} after ${old?.data.a}` });
    expect((updateObject(server, { ...map(), data: { a: '2' } }) as Status).message).toBe(
      'admission webhook "a.test" denied the request: UPDATE 2 after 1',
    );
    expect((deleteObject(server, 'configmaps', 'default', 'm') as Status).message).toBe(
      'admission webhook "a.test" denied the request: DELETE 1 after 1',
    );
    expect(asked).toHaveLength(3);
  });

  it('have conditions in CEL', () => {
    const when = (expression: string, more: object = {}) =>
      guard('a', webhook('a.test', { matchConditions: [{ name: 'c', expression }], ...more }));
    const refused = () => (createObject(server, map()) as Status).message;
    when('object.data.a == "2"');
    answer = () => ({ error: 'no' });
    expect(createObject(server, { ...map(), metadata: { name: 'other', namespace: 'default' } }).kind).toBe('ConfigMap');
    when('request.operation == "CREATE"');
    expect(refused()).toContain('failed calling webhook "a.test"');
    when('object.nope == 1');
    expect(refused()).toBe('configmaps "m" is forbidden: expression \'object.nope == 1\' resulted in error: no such key: nope');
    when('object.nope == 1', { failurePolicy: 'Ignore' });
    expect(createObject(server, map()).kind).toBe('ConfigMap');
  });

  it('take any version of a resource, unless they want their own', () => {
    const old = { rules: [{ apiGroups: [''], apiVersions: ['v0'], operations: ['*'], resources: ['*'] }] };
    answer = () => ({ allowed: false });
    guard('a', webhook('a.test', { ...old, matchPolicy: 'Exact' }));
    expect(createObject(server, map()).kind).toBe('ConfigMap');
    guard('a', webhook('a.test', { ...old, matchPolicy: 'Equivalent' }));
    expect((deleteObject(server, 'configmaps', 'default', 'm') as Status).message).toBe(
      'admission webhook "a.test" denied the request without explanation',
    );
  });

  it('are not asked about webhooks', () => {
    answer = () => ({ allowed: false });
    guard('a', webhook('a.test', { rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] }));
    expect(deleteObject(server, 'validatingwebhookconfigurations.admissionregistration.k8s.io', '', 'a')).toMatchObject({
      status: 'Success',
    });
  });
});

describe('webhook configurations', () => {
  const send = (...webhooks: object[]) =>
    createObject(server, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'w' },
      webhooks,
    }) as any;
  const causes = (...webhooks: object[]) => send(...webhooks).details.causes.map((c: any) => `${c.field}: ${c.message}`);

  it('get their defaults', () => {
    expect(
      send(webhook('a.b.c', { rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['*'] }] })),
    ).toMatchObject({
      metadata: { generation: 1 },
      webhooks: [
        {
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          reinvocationPolicy: 'Never',
          timeoutSeconds: 10,
          clientConfig: { service: { port: 443 } },
          namespaceSelector: {},
          objectSelector: {},
          rules: [{ scope: '*' }],
        },
      ],
    });
  });

  it('are refused for what they would do', () => {
    expect(causes(webhook('a.b', { sideEffects: 'Some', timeoutSeconds: 31, admissionReviewVersions: ['v2'] }))).toEqual([
      'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
      'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
      'webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ]);
    expect(causes(webhook('a.b.c', { clientConfig: { url: 'http://h/p?q' } }), webhook('a.b.c', { clientConfig: {} }))).toEqual([
      `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
      'webhooks[0].clientConfig.url: Invalid value: "q": query parameters are not permitted in the URL',
      'webhooks[1].clientConfig: Required value: exactly one of url or service is required',
      'webhooks[1].name: Duplicate value: "a.b.c"',
    ]);
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/*', 'pods/log', '*', 'x'] }];
    expect(causes(webhook('a.b.c', { rules, matchConditions: [{ name: 'c', expression: 'params.x' }] }))).toEqual([
      `webhooks[0].rules[0].resources[1]: Invalid value: "pods/log": if 'pods/*' is present, must not specify pods/log`,
      `webhooks[0].rules[0].resources: Invalid value: ["pods/*","pods/log","*","x"]: if '*' is present, must not specify other resources without subresources`,
      expect.stringContaining(`webhooks[0].matchConditions[0].expression: Invalid value: "params.x": compilation failed`),
    ]);
  });
});
