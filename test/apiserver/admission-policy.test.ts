import { describe, expect, it } from 'vitest';
import { typeCheck } from '../../src/apiserver/admission/policies/type-check.ts';
import { createObject } from '../../src/apiserver/client.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import type { ApiRequest, ApiServer, KubeObject, Status } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

const GROUP = 'admissionregistration.k8s.io/v1';
const maps = { group: '', version: 'v1', resource: 'configmaps', namespace: 'default' };

function fresh(): ApiServer {
  const server = newApiServer(newSim(1_800_000_000_000, newRandom(1)), newRandom(2));
  for (const name of ['default', 'quiet']) {
    createObject(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { mood: name === 'quiet' ? 'calm' : 'loud' } } });
  }
  return server;
}

function add(server: ApiServer, kind: string, name: string, spec: object): string | undefined {
  return (createObject(server, { apiVersion: GROUP, kind, metadata: { name }, spec }) as Status).message;
}

const onMaps = (more: object = {}) => ({
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
  ...more,
});

/** A policy over ConfigMaps and its binding. */
function guard(server: ApiServer, spec: object, binding: object = {}): void {
  const wrong =
    add(server, 'ValidatingAdmissionPolicy', 'guard', { matchConstraints: onMaps(), ...spec }) ??
    add(server, 'ValidatingAdmissionPolicyBinding', 'bound', { policyName: 'guard', validationActions: ['Deny'], ...binding });
  if (wrong) throw new Error(wrong);
}

const map = (name: string, data: Record<string, string>, namespace = 'default'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

function send(
  server: ApiServer,
  rest: Partial<ApiRequest> & { verb: ApiRequest['verb'] },
): [code: number, message: string, warnings: string[]] {
  const r = handle(server, { ...maps, ...rest });
  return [r.code, (r.body as Status).message ?? '', r.warnings];
}

const write = (server: ApiServer, name: string, data: Record<string, string>, namespace = 'default') =>
  send(server, { verb: 'create', namespace, body: map(name, data, namespace) });

const DENIED = "ValidatingAdmissionPolicy 'guard' with binding 'bound' denied request:";

describe('a ValidatingAdmissionPolicy', () => {
  it('does nothing without a binding', () => {
    const server = fresh();
    add(server, 'ValidatingAdmissionPolicy', 'guard', { matchConstraints: onMaps(), validations: [{ expression: 'false' }] });
    expect(write(server, 'a', {})[0]).toBe(201);
  });

  it('denies with the message, the expression or what they make of it, and the reason', () => {
    const server = fresh();
    guard(server, {
      validations: [
        {
          expression: "!('a' in object.data) || object.data.a.size() < 3",
          messageExpression: "'a is ' + object.data.a",
          reason: 'Forbidden',
        },
        { expression: "!('b' in object.data)", message: 'no b here' },
        { expression: "!('c' in object.data)" },
      ],
    });
    const start = 'configmaps "m" is forbidden:';
    expect(write(server, 'm', { a: 'long' })).toEqual([403, `${start} ${DENIED} a is long`, []]);
    expect(write(server, 'm', { b: '', c: '' })).toEqual([422, `${start} ${DENIED} no b here`, []]);
    expect(write(server, 'm', { c: '' })[1]).toBe(`${start} ${DENIED} failed expression: !('c' in object.data)`);
    expect(write(server, 'm', { d: '' })[0]).toBe(201);
    expect(send(server, { verb: 'patch', name: 'm', patchType: 'merge', body: { data: { b: '1' } } })[1]).toContain('no b here');
  });

  it('sees old and new, the request, the namespace and who asks', () => {
    const server = fresh();
    guard(server, {
      validations: [
        { expression: "request.operation != 'DELETE' || oldObject.metadata.name != 'kept'", message: 'it stays' },
        { expression: "request.operation != 'UPDATE' || object.data.n == oldObject.data.n", message: 'n is fixed' },
        {
          expression: "request.operation != 'CREATE' || namespaceObject.metadata.labels.mood == 'loud'",
          messageExpression: "request.userInfo.username + ' in ' + namespaceObject.metadata.name",
        },
        {
          expression:
            "request.operation != 'CREATE' || !authorizer.serviceAccount('default', 'none').group('').resource('pods').check('get').allowed()",
        },
      ],
    });
    expect(write(server, 'kept', { n: '1' })[0]).toBe(201);
    expect(write(server, 'kept', { n: '1' }, 'quiet')[1]).toContain('kubernetes-admin in quiet');
    expect(send(server, { verb: 'patch', name: 'kept', patchType: 'merge', body: { data: { n: '2' } } })[1]).toContain('n is fixed');
    expect(send(server, { verb: 'delete', name: 'kept' })[1]).toContain('it stays');
    expect(send(server, { verb: 'deletecollection' })[1]).toContain('it stays');
  });

  it('reckons with variables and parameters, one decision for each', () => {
    const server = fresh();
    const limit = (name: string, most: string, strict: string) => ({
      ...map(name, { most }),
      metadata: { name, namespace: 'quiet', labels: { strict } },
    });
    createObject(server, limit('low', '1', 'yes'));
    createObject(server, limit('high', '5', 'no'));
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConditions: [{ name: 'outside', expression: "request.namespace != 'quiet'" }],
      variables: [
        { name: 'count', expression: 'size(object.data)' },
        { name: 'most', expression: 'int(params.data.most)' },
      ],
      validations: [{ expression: 'variables.count <= variables.most', messageExpression: "'more than ' + string(variables.most)" }],
    };
    const paramRef = { namespace: 'quiet', parameterNotFoundAction: 'Deny' };
    guard(server, spec, { paramRef: { ...paramRef, selector: { matchLabels: { strict: 'no' } } } });
    expect(write(server, 'a', { x: '', y: '' })[0]).toBe(201);
    add(server, 'ValidatingAdmissionPolicyBinding', 'soft', {
      policyName: 'guard',
      validationActions: ['Warn'],
      paramRef: { ...paramRef, name: 'low' },
    });
    const warning = "Validation failed for ValidatingAdmissionPolicy 'guard' with binding 'soft': more than 1";
    expect(write(server, 'b', { x: '', y: '' })).toEqual([201, '', [warning]]);
    add(server, 'ValidatingAdmissionPolicyBinding', 'lost', {
      policyName: 'guard',
      validationActions: ['Audit'],
      paramRef: { ...paramRef, name: 'nowhere' },
    });
    expect(write(server, 'c', { x: '' })[1]).toContain('no params found for policy binding with `Deny` parameterNotFoundAction');
  });

  it('fails or lets pass by its failure policy when an expression cannot be evaluated', () => {
    const validations = [{ expression: "object.data.missing == 'x'" }];
    const strict = fresh();
    guard(strict, { validations });
    expect(write(strict, 'm', { a: '' })[1]).toContain(`expression 'object.data.missing == 'x'' resulted in error: no such key: missing`);
    const loose = fresh();
    guard(loose, { validations, failurePolicy: 'Ignore' });
    expect(write(loose, 'm', { a: '' })[0]).toBe(201);
  });

  it('is for what its rules, selectors and those of its binding name', () => {
    const server = fresh();
    guard(
      server,
      {
        matchConstraints: onMaps({
          objectSelector: { matchLabels: { guarded: 'yes' } },
          excludeResourceRules: [{ apiGroups: [''], apiVersions: ['*'], operations: ['*'], resources: ['*'], resourceNames: ['free'] }],
        }),
        validations: [{ expression: 'false', message: 'never' }],
      },
      { matchResources: { namespaceSelector: { matchLabels: { mood: 'calm' } } } },
    );
    const labelled = (name: string, namespace: string, guarded = 'yes') =>
      send(server, { verb: 'create', namespace, body: { ...map(name, {}), metadata: { name, namespace, labels: { guarded } } } })[0];
    expect([labelled('a', 'quiet'), labelled('a', 'quiet', 'no'), labelled('a', 'default'), labelled('free', 'quiet')]).toEqual([
      422, 201, 201, 201,
    ]);
  });

  it('sees a scale as a subresource of its own', () => {
    const server = fresh();
    const rule = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/scale'] };
    guard(server, {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: 'object.spec.replicas < 3', message: 'enough' }],
    });
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'c' }] } };
    const spec = { replicas: 5, selector: { matchLabels: { a: 'b' } }, template };
    createObject(server, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'default' }, spec });
    const scale = (replicas: number) =>
      send(server, {
        verb: 'patch',
        group: 'apps',
        resource: 'deployments',
        name: 'd',
        subresource: 'scale',
        patchType: 'merge',
        body: { spec: { replicas } },
      });
    expect(scale(4)[1]).toContain('enough');
    expect(scale(2)[0]).toBe(200);
  });

  it('must compile', () => {
    const server = fresh();
    const policy = (spec: object) => add(server, 'ValidatingAdmissionPolicy', 'p', { matchConstraints: onMaps(), ...spec });
    expect(policy({ validations: [{ expression: 'object.data.a' }] })).toContain(
      'spec.validations[0].expression: Invalid value: "object.data.a": must evaluate to bool but got dyn',
    );
    expect(policy({ validations: [{ expression: 'params.x == 1' }] })).toContain("undeclared reference to 'params'");
    expect(policy({ validations: [{ expression: 'true', messageExpression: 'authorizer' }] })).toContain(
      "undeclared reference to 'authorizer'",
    );
    expect(policy({ matchConditions: [{ name: 'm', expression: 'variables.a' }], validations: [{ expression: 'true' }] })).toContain(
      "undeclared reference to 'variables'",
    );
    expect(policy({})).toContain('validations or auditAnnotations must contain at least one item');
    const both = { policyName: 'p', validationActions: ['Deny', 'Warn'] };
    expect(add(server, 'ValidatingAdmissionPolicyBinding', 'b', both)).toContain('must not contain both Deny and Warn');
  });
});

describe('type checking of policies', () => {
  const warnings = (resources: string[], expressions: string[], more: object = {}) => {
    const rule = { apiGroups: ['', 'apps'], apiVersions: ['v1'], operations: ['CREATE'], resources };
    const spec = { matchConstraints: { resourceRules: [rule] }, validations: expressions.map(expression => ({ expression })), ...more };
    return typeCheck(fresh(), { apiVersion: GROUP, kind: 'ValidatingAdmissionPolicy', metadata: { name: 'p' }, spec });
  };

  it('warns of fields that a matched kind does not have, kind by kind', () => {
    expect(warnings(['pods', 'deployments'], ['object.spec.replicas > 1', "object.metadata.name != ''"])).toEqual([
      {
        fieldRef: 'spec.validations[0].expression',
        warning: "/v1, Kind=Pod: ERROR: <input>:1:12: undefined field 'replicas'\n | object.spec.replicas > 1\n | ...........^\n",
      },
    ]);
  });

  it('knows lists, maps, times, and what may be of several types', () => {
    expect(
      warnings(
        ['services', 'statefulsets'],
        [
          "!has(object.spec.ports) || object.spec.ports.all(p, p.targetPort == 80 || p.targetPort == 'http')",
          "object.metadata.labels['a'] == 'b' && object.metadata.creationTimestamp < timestamp(0)",
        ],
      ).map(w => [w.fieldRef, ...w.warning.split('\n').filter(l => l.includes('ERROR'))]),
    ).toEqual([
      [
        'spec.validations[0].expression',
        "apps/v1, Kind=StatefulSet: ERROR: <input>:1:5: undefined field 'ports'",
        "ERROR: <input>:1:39: undefined field 'ports'",
      ],
    ]);
  });

  it('leaves alone what matches everything, and variables', () => {
    expect(warnings(['*'], ['object.nothing'])).toEqual([]);
    const variables = [{ name: 'v', expression: 'object.spec.nothing' }];
    expect(warnings(['pods'], ['variables.v.more == 1'], { variables })).toEqual([]);
    const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' };
    expect(warnings(['pods'], ['params.dta.a == "b"'], { paramKind })[0].warning).toContain("undefined field 'dta'");
  });
});
