// The API as HTTP clients see it, without a socket.
import { beforeEach, describe, expect, it } from 'vitest';
import type { HttpAnswer, HttpBackend } from '../../src/apiserver/http/message.ts';
import { openApiDocument } from '../../src/apiserver/http/openapi.ts';
import { openApiProtobuf } from '../../src/apiserver/http/openapi-protobuf.ts';
import { httpRequest } from '../../src/apiserver/http/request.ts';
import { handle, newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer } from '../../src/apiserver/types.ts';
import { jsonSyntaxError } from '../../src/kubectl/json-scan.ts';
import { readYaml } from '../../src/kubectl/yaml-read.ts';
import { toYaml } from '../../src/kubectl/yaml-write.ts';
import { bytesToString, concat, stringToBytes } from '../../src/sim/bytes.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim } from '../../src/sim/sim.ts';

const jsonError = (text: string) => jsonSyntaxError(text).text;
const backend: HttpBackend = { userOfToken: t => (t === 'admin' ? 'kubernetes-admin' : null), fromYaml: readYaml, toYaml, jsonError };

let server: ApiServer;
beforeEach(() => {
  server = newApiServer(newSim(Date.UTC(2026, 10, 21), newRandom(1)), newRandom(2));
  for (const name of ['default', 'stage']) create('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
});

const create = (resource: string, body: object, namespace?: string) =>
  handle(server, { verb: 'create', group: '', version: 'v1', resource, namespace, body });

type Headers = Record<string, string>;

function answer(method: string, target: string, headers: Headers = {}, body: string | Uint8Array = ''): HttpAnswer {
  const all = { authorization: 'Bearer admin', 'user-agent': 'test/1.0', ...headers };
  return httpRequest(server, backend, { method, target, headers: all, body: typeof body === 'string' ? stringToBytes(body) : body });
}

function call(method: string, target: string, headers: Headers = {}, body: string | Uint8Array = '') {
  const a = answer(method, target, headers, body);
  if (a.kind !== 'reply') throw new Error(`${target} is a ${a.kind}`);
  const { code, headers: sent } = a.reply;
  const type = sent.find(([n]) => n === 'Content-Type')?.[1];
  return { code, type, headers: sent, text: a.reply.body, body: type?.includes('json') ? JSON.parse(a.reply.body) : null };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const MAPS = '/api/v1/namespaces/default/configmaps';

describe('an error', () => {
  it('is written as Go declares it, whoever put it together', () => {
    const missing = call('GET', `${MAPS}/nosuch`).body;
    expect(Object.keys(missing)).toEqual(['kind', 'apiVersion', 'metadata', 'status', 'message', 'reason', 'details', 'code']);
    expect(Object.keys(missing.details)).toEqual(['name', 'kind']);
    const unknownPatch = call('PATCH', `${MAPS}/nosuch`, JSON_TYPE, '{}').body;
    expect(Object.keys(unknownPatch).slice(-2)).toEqual(['details', 'code']);
  });

  it('names what another kind cannot become, and kinds that nobody knows', () => {
    const post = (path: string, kind: string, apiVersion: string) =>
      call('POST', path, JSON_TYPE, JSON.stringify({ apiVersion, kind, metadata: { name: 'x' } })).body.message;
    expect(post(MAPS, 'Deployment', 'apps/v1')).toBe(
      'Deployment in version "v1" cannot be handled as a ConfigMap: converting (v1.Deployment) to (core.ConfigMap): unknown conversion',
    );
    expect(post('/apis/rbac.authorization.k8s.io/v1/clusterroles', 'Secret', 'v1')).toContain(
      'converting (v1.Secret) to (rbac.ClusterRole)',
    );
    expect(post(MAPS, 'Nosuch', 'v1')).toContain('no kind "Nosuch" is registered for version "v1" in scheme');
  });

  it('is what other methods than GET get of the version', () => {
    expect(call('DELETE', '/version')).toMatchObject({ code: 405, body: { reason: 'MethodNotAllowed', details: {} } });
  });
});

describe('who asks', () => {
  it('is told apart by the token', () => {
    expect(call('GET', '/api/v1/pods', { authorization: 'Bearer nobodys' })).toMatchObject({ code: 401, body: { reason: 'Unauthorized' } });
    const anonymous = call('GET', '/api/v1/pods', { authorization: '' });
    expect(anonymous).toMatchObject({ code: 403, body: { reason: 'Forbidden', details: { kind: 'pods' } } });
    expect(anonymous.body.message).toContain('User "system:anonymous" cannot list resource "pods"');
    expect(call('GET', '/metrics', { authorization: '' }).body.message).toBe(
      'forbidden: User "system:anonymous" cannot get path "/metrics"',
    );
    expect(call('GET', '/version', { authorization: '' })).toMatchObject({ code: 200, body: { gitVersion: 'v1.36.3', minor: '36' } });
  });

  it('may be somebody else, for those who may', () => {
    const as = { 'impersonate-user': 'jane', 'impersonate-group': 'dev, ops' };
    expect(call('GET', MAPS, as).body.message).toBe(
      'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"',
    );
    expect(call('GET', MAPS, { authorization: '', 'impersonate-user': 'kubernetes-admin' })).toMatchObject({
      code: 403,
      body: { message: expect.stringContaining('User "system:anonymous" cannot impersonate resource "users"') },
    });
  });
});

describe('the flow that a request belongs to', () => {
  const flows = '/apis/flowcontrol.apiserver.k8s.io/v1';
  const subjects = (name: string) => [{ kind: 'Group', group: { name } }];
  const schema = (name: string, matchingPrecedence: number, level: string, rule: object) => {
    const spec = { matchingPrecedence, priorityLevelConfiguration: { name: level }, rules: [rule] };
    const body = { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema', metadata: { name }, spec };
    return call('POST', `${flows}/flowschemas`, JSON_TYPE, JSON.stringify(body)).body.metadata.uid;
  };
  const level = (name: string) => {
    const spec = { type: 'Limited', limited: { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' } } };
    const body = { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'PriorityLevelConfiguration', metadata: { name }, spec };
    return call('POST', `${flows}/prioritylevelconfigurations`, JSON_TYPE, JSON.stringify(body)).body.metadata.uid;
  };
  const flowOf = (method: string, target: string, headers: Headers = {}) =>
    call(method, target, headers)
      .headers.filter(([name]) => name.startsWith('X-Kubernetes-Pf-'))
      .map(([, value]) => value);

  it('is named in its answer: the first schema that fits, by precedence; none without schemas or for who is nobody', () => {
    expect(flowOf('GET', '/version')).toEqual([]);
    const [low, high] = [level('low'), level('high')];
    const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] };
    const urls = [{ verbs: ['*'], nonResourceURLs: ['*'] }];
    const last = schema('last', 9000, 'low', {
      subjects: [...subjects('system:authenticated'), ...subjects('system:unauthenticated')],
      resourceRules: [{ ...all, clusterScope: true }],
      nonResourceRules: urls,
    });
    const placed = schema('placed', 100, 'high', {
      subjects: [{ kind: 'User', user: { name: 'kubernetes-admin' } }],
      resourceRules: [{ ...all, verbs: ['list'], namespaces: ['default'] }],
    });
    expect(flowOf('GET', MAPS)).toEqual([placed, high]);
    for (const target of [`${MAPS}/nosuch`, '/api/v1/configmaps', '/api/v1/namespaces/stage/configmaps', '/version', '/elsewhere'])
      expect(flowOf('GET', target)).toEqual([last, low]);
    expect(flowOf('GET', MAPS, { authorization: '' })).toEqual([last, low]);
    expect(flowOf('GET', MAPS, { authorization: 'Bearer nobodys' })).toEqual([]);
  });
});

describe('paths and methods', () => {
  it('that are nobody’s are not found, as text or as a Status', () => {
    expect(call('GET', '/elsewhere')).toMatchObject({ code: 404, text: '404 page not found\n', type: 'text/plain; charset=utf-8' });
    expect(call('GET', '/apis/nosuch.io/v1/things').text).toBe('404 page not found\n');
    expect(call('GET', '/apis/apps/v1/things')).toMatchObject({
      code: 404,
      body: { message: 'the server could not find the requested resource' },
    });
    expect(call('GET', `${MAPS}/gone`)).toMatchObject({ code: 404, body: { message: 'configmaps "gone" not found' } });
  });

  it('that do not go together are not allowed', () => {
    const refused = { code: 405, body: { message: 'the server does not allow this method on the requested resource' } };
    expect(call('PUT', MAPS)).toMatchObject(refused);
    expect(call('POST', `${MAPS}/x`)).toMatchObject(refused);
    expect(call('POST', '/api/v1/configmaps', JSON_TYPE, '{}')).toMatchObject(refused);
    expect(call('DELETE', '/api/v1/nodes/x/status')).toMatchObject(refused);
    expect(call('OPTIONS', MAPS)).toMatchObject(refused);
  });
});

describe('media types', () => {
  it('are negotiated', () => {
    create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { a: '1' } }, 'default');
    expect(call('GET', `${MAPS}/m`, { accept: 'text/html' })).toMatchObject({ code: 406, body: { reason: 'NotAcceptable' } });
    expect(call('GET', `${MAPS}/m`, { accept: 'text/html' }).body.message).not.toContain('stream=watch');
    expect(call('GET', MAPS, { accept: 'text/html' }).body.message).toMatch(/, application\/json;stream=watch, \S+protobuf;stream=watch$/);
    const yaml = call('GET', `${MAPS}/m`, { accept: 'application/yaml' });
    expect([yaml.type, yaml.text.split('\n').slice(0, 4)]).toEqual([
      'application/yaml',
      ['apiVersion: v1', 'data:', '  a: "1"', 'kind: ConfigMap'],
    ]);
    const table = call('GET', MAPS, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1,application/json' }).body;
    expect(table).toMatchObject({
      kind: 'Table',
      rows: [{ cells: ['m', 1, expect.any(String)], object: { kind: 'PartialObjectMetadata' } }],
    });
    const bare = call('GET', `${MAPS}?includeObject=None`, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' }).body;
    expect(bare.rows[0]).not.toHaveProperty('object');
    const partial = call('GET', `${MAPS}/m`, { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' }).body;
    expect([partial.kind, partial.metadata.name, partial.data]).toEqual(['PartialObjectMetadata', 'm', undefined]);
    expect(call('GET', MAPS, { 'user-agent': 'curl/8.0' }).text).toMatch(/^\{\n {2}"kind": "ConfigMapList"/);
    expect(call('GET', MAPS).body.items[0]).not.toHaveProperty('kind');
  });

  it('of bodies are checked', () => {
    expect(call('POST', MAPS, { 'content-type': 'text/css' }, 'x')).toMatchObject({ code: 415, body: { reason: 'UnsupportedMediaType' } });
    expect(call('PATCH', `${MAPS}/x`, JSON_TYPE, '{}')).toMatchObject({ code: 415, body: { message: '415: Unsupported Media Type' } });
    expect(call('POST', MAPS, JSON_TYPE, '{"metadata":')).toMatchObject({ code: 400, body: { reason: 'BadRequest' } });
    const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
    const merge = { 'content-type': 'application/merge-patch+json' };
    const why = "invalid character 'a' looking for beginning of object key string";
    expect(call('PATCH', `${MAPS}/x`, strategic, '{a').body.message).toBe(why);
    expect(call('PATCH', `${MAPS}/x`, merge, '{a').body.message).toBe(`error decoding patch: ${why}`);
    const made = call('POST', MAPS, { 'content-type': 'application/yaml' }, 'metadata: {name: written}\ndata: {k: v}');
    expect(made).toMatchObject({ code: 201, body: { kind: 'ConfigMap', data: { k: 'v' } } });
  });

  it('may be Kubernetes’ protobuf', () => {
    const field = (n: number, ...parts: Uint8Array[]) => {
      const data = concat(parts);
      return concat([Uint8Array.of((n << 3) | 2, data.length), data]);
    };
    const text = (n: number, s: string) => field(n, stringToBytes(s));
    const number = (n: number, v: number) => Uint8Array.of(n << 3, v);
    const port = field(1, text(1, 'web'), text(2, 'TCP'), number(3, 80), field(4, number(1, 1), text(3, 'http')), number(5, 0));
    const spec = field(2, port, field(2, text(1, 'app'), text(2, 'shop')), text(3, ''), text(4, 'ClusterIP'));
    const service = concat([field(1, text(1, 'shop'), field(8)), spec, field(3)]);
    const envelope = concat([Uint8Array.of(0x6b, 0x38, 0x73, 0), field(1, text(1, 'v1'), text(2, 'Service')), field(2, service)]);
    const type = { 'content-type': 'application/vnd.kubernetes.protobuf' };
    const made = call('POST', '/api/v1/namespaces/default/services?dryRun=All', type, envelope);
    expect(made).toMatchObject({ code: 201, body: { metadata: { name: 'shop' }, spec: { selector: { app: 'shop' } } } });
    expect(made.body.spec.ports).toEqual([{ name: 'web', protocol: 'TCP', port: 80, targetPort: 'http' }]);
    expect(call('POST', MAPS, type, 'no protobuf').code).toBe(400);
    expect(call('GET', MAPS, { accept: 'application/vnd.kubernetes.protobuf' }).code).toBe(406);
  });
});

describe('options', () => {
  it('may have null where Go has no bytes, and lack a name', () => {
    const post = (resource: string, kind: string, rest: object) =>
      call('POST', `/api/v1/namespaces/default/${resource}`, JSON_TYPE, JSON.stringify({ apiVersion: 'v1', kind, ...rest }));
    expect(post('configmaps', 'ConfigMap', { metadata: { name: 'a' }, binaryData: { k: null } }).code).toBe(201);
    expect(post('secrets', 'Secret', { metadata: { name: 'a' }, data: { k: null } }).code).toBe(201);
    const nameless = post('services', 'Service', { metadata: {}, spec: { clusterIP: 'x', ports: [{ port: 80 }] } });
    expect(nameless).toMatchObject({ code: 422, body: { message: expect.stringMatching(/^Service "" is invalid: /) } });
  });

  it('are validated', () => {
    const body = '{"metadata":{"name":"o"}}';
    expect(call('POST', `${MAPS}?dryRun=Some`, JSON_TYPE, body)).toMatchObject({
      code: 422,
      body: { message: 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"' },
    });
    expect(call('GET', `${MAPS}?limit=few`).body.message).toBe('strconv.ParseInt: parsing "few": invalid syntax');
    expect(call('PATCH', `${MAPS}/o`, { 'content-type': 'application/apply-patch+yaml' }, 'kind: ConfigMap')).toMatchObject({
      code: 422,
      body: { message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch' },
    });
    expect(call('POST', `${MAPS}?dryRun=All`, JSON_TYPE, body).code).toBe(201);
    expect(call('GET', `${MAPS}/o`).code).toBe(404);
  });

  it('give warnings or refusals for unknown fields', () => {
    const odd = '{"metadata":{"name":"o"},"colour":"red"}';
    const warned = call('POST', `${MAPS}?dryRun=All`, JSON_TYPE, odd);
    expect(warned.headers.find(([n]) => n === 'Warning')?.[1]).toBe('299 - "unknown field \\"colour\\""');
    expect(call('POST', `${MAPS}?fieldValidation=Strict`, JSON_TYPE, odd).code).toBe(400);
  });

  it('select in the words of labels.Parse', () => {
    const why = (selector: string) => call('GET', `${MAPS}?labelSelector=${encodeURIComponent(selector)}`).body.message;
    expect(why('a===b')).toBe("unable to parse requirement: found '=', expected: identifier");
    expect(why('a in (')).toBe("unable to parse requirement: found '', expected: ',', ')' or identifier");
    expect(why(',a')).toBe("found ',', expected: !, identifier, or 'end of string'");
    expect(why('!')).toBe("unable to parse requirement: found '', expected: identifier");
  });

  it('hold a deletion to the object that was meant', () => {
    create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'meant' } }, 'default');
    const refused = call('DELETE', `${MAPS}/meant`, JSON_TYPE, '{"preconditions":{"uid":"another"}}');
    expect(refused).toMatchObject({
      code: 409,
      body: { message: expect.stringContaining('fulfilled on ConfigMap "meant": the UID in the precondition') },
    });
    expect(call('DELETE', `${MAPS}/meant`, JSON_TYPE, '{"propagationPolicy":"Sideways"}').code).toBe(422);
    expect(call('DELETE', `${MAPS}/meant`)).toMatchObject({ code: 200, body: { status: 'Success', details: { name: 'meant' } } });
  });

  it('cut a list into parts', () => {
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      create('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }, 'stage');
    const at = '/api/v1/configmaps?limit=2';
    const names: string[] = [];
    let part = call('GET', at).body;
    const { resourceVersion } = part.metadata;
    expect(part.metadata.remainingItemCount).toBe(3);
    for (;;) {
      names.push(...part.items.map((i: { metadata: { name: string } }) => i.metadata.name));
      expect(part.metadata.resourceVersion).toBe(resourceVersion);
      if (!part.metadata.continue) break;
      part = call('GET', `${at}&continue=${part.metadata.continue}`).body;
    }
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(call('GET', `${at}&continue=abc`).body.message).toBe(
      "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
    );
  });
});

describe('what goes on after the answer', () => {
  it('is told: a watch with its options, or a wrong one', () => {
    const a = answer('GET', `${MAPS}?watch=true&resourceVersion=7&labelSelector=a%3Db&allowWatchBookmarks=1&timeoutSeconds=9`);
    expect(a).toMatchObject({
      kind: 'watch',
      watch: {
        resourceVersion: '7',
        allowBookmarks: true,
        timeoutSeconds: 9,
        request: { namespace: 'default', query: { labelSelector: 'a=b' } },
      },
    });
    expect(call('GET', `${MAPS}?watch=true&sendInitialEvents=true`).code).toBe(422);
    expect(call('GET', `${MAPS}?watch=true`, { authorization: '' }).body.message).toContain('cannot watch resource "configmaps"');
  });

  it('a command in a pod, in a container that there is', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'two' },
      spec: { containers: ['a', 'b'].map(name => ({ name, image: 'i' })) },
    };
    expect(create('pods', pod, 'default').code).toBe(201);
    const exec = '/api/v1/namespaces/default/pods/two/exec';
    const a = answer('POST', `${exec}?container=b&command=ls&command=-l&stdout=true&tty=true`);
    expect(a).toMatchObject({ kind: 'connect', connect: { container: 'b', command: ['ls', '-l'], stdout: true, stdin: false, tty: true } });
    expect(call('GET', `${exec}?command=ls`).body.message).toBe('a container name must be specified for pod two, choose one of: [a b]');
    expect(call('GET', `${exec}?command=ls&container=c`).body.message).toBe('container c is not valid for pod two');
    expect(answer('GET', '/api/v1/namespaces/default/pods/two/log?container=a&tailLines=3&follow=true')).toMatchObject({
      kind: 'log',
      log: { container: 'a', follow: true, tailLines: 3 },
    });
  });
});

describe('discovery', () => {
  it('has the same resources in both of its forms', () => {
    const v2 = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' };
    const groups = call('GET', '/apis', v2).body;
    expect([groups.kind, groups.apiVersion]).toEqual(['APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2']);
    const apps = groups.items.find((i: { metadata: { name: string } }) => i.metadata.name === 'apps').versions[0];
    const deployments = apps.resources.find((r: { resource: string }) => r.resource === 'deployments');
    expect(deployments).toMatchObject({ scope: 'Namespaced', singularResource: 'deployment', shortNames: ['deploy'] });
    expect(deployments.subresources[0].responseKind).toEqual({ group: 'autoscaling', version: 'v1', kind: 'Scale' });
    const old = call('GET', '/apis/apps/v1').body.resources.map((r: { name: string }) => r.name);
    expect(old.filter((n: string) => !n.includes('/'))).toEqual(apps.resources.map((r: { resource: string }) => r.resource));
    expect(old).toContain('deployments/scale');
    const pods = call('GET', '/api/v1').body.resources.find((r: { name: string }) => r.name === 'pods');
    expect(pods.storageVersionHash).toBe('xPOwRZ+Yhw8=');
  });

  it('has OpenAPI documents with the types, how their lists merge, and what paths take', async () => {
    const list = await openApiDocument(server, { version: 3, path: null });
    expect(Object.keys(list.paths)).toContain('apis/apps/v1');
    const apps = await openApiDocument(server, { version: 3, path: 'apis/apps/v1' });
    const { schemas } = apps.components;
    expect(schemas['io.k8s.api.core.v1.PodSpec'].properties.containers).toMatchObject({
      type: 'array',
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    });
    expect(schemas['io.k8s.api.apps.v1.Deployment']['x-kubernetes-group-version-kind']).toEqual([
      { group: 'apps', kind: 'Deployment', version: 'v1' },
    ]);
    const { patch } = apps.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'];
    expect(patch.parameters.map((p: { name: string }) => p.name)).toContain('fieldValidation');
    // Every reference leads somewhere.
    const links = new Set([...JSON.stringify(apps).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(m => m[1]));
    expect([...links].filter(name => !schemas[name])).toEqual([]);
    expect(await openApiDocument(server, { version: 3, path: 'apis/nosuch/v1' })).toBeNull();
    const v2 = await openApiDocument(server, { version: 2 });
    const packed = bytesToString(openApiProtobuf(v2));
    expect(packed).toContain('/apis/apps/v1/namespaces/{namespace}/deployments/{name}');
    expect(packed).toContain('group: "apps"\nkind: Deployment\nversion: v1\n');
    expect(v2.definitions['io.k8s.api.core.v1.Pod'].properties.spec.allOf).toEqual([{ $ref: '#/definitions/io.k8s.api.core.v1.PodSpec' }]);
  });
});
