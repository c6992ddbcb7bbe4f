// get --raw PATH: the API's own JSON.

import type { ApiRequest, ResourceInfo } from '../apiserver/types.ts';
import { type Cmd, connect, request, requestRaw } from './command.ts';
import { fail, statusFailure } from './failure.ts';
import { goJson } from './go-json.ts';
import { groupVersion } from './mapping.ts';

export function rawGet(cmd: Cmd, path: string): string {
  const [where, search = ''] = path.split('?');
  const parts = where.split('/').filter(Boolean);
  if (/^(healthz|livez|readyz)$/.test(parts[0] ?? '')) return 'ok';
  if (parts[0] === 'version') return `${JSON.stringify(versionInfo(cmd), null, 2)}`;
  const document = discovery(cmd, parts);
  if (document) return `${goJson(document)}\n`;
  const core = parts[0] === 'api';
  if (!core && parts[0] !== 'apis') notFound();
  const [group, version] = core ? ['', parts[1]] : [parts[1], parts[2]];
  const rest = parts.slice(core ? 2 : 3);
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 2 && !['status', 'finalize'].includes(rest[2])) namespace = rest.splice(0, 2)[1];
  const [resource, name, ...sub] = rest;
  const info = connect(cmd)
    .resources()
    .find(r => r.group === group && r.version === version && r.resource === resource);
  if (!info) return notFound();
  if (info.resource === 'nodes' && sub[0] === 'proxy' && sub[1] === 'healthz') {
    request(cmd, { verb: 'get', group, version, resource, name });
    return 'ok';
  }
  const query = new Map(search.split('&').map(p => [p.split('=')[0], decodeURIComponent(p.slice(p.indexOf('=') + 1).replace(/\+/g, ' '))]));
  const req: ApiRequest = {
    verb: name ? 'get' : 'list',
    group,
    version,
    resource,
    namespace,
    name,
    subresource: sub.join('/') || undefined,
    query: { labelSelector: query.get('labelSelector'), fieldSelector: query.get('fieldSelector') },
  };
  const response = requestRaw(cmd, req);
  if (response.code >= 400) throw statusFailure(response.body as any);
  return `${goJson(response.body)}\n`;
}

function notFound(): never {
  throw statusFailure({
    apiVersion: 'v1',
    kind: 'Status',
    metadata: {},
    status: 'Failure',
    message: 'the server could not find the requested resource',
    reason: 'NotFound',
    code: 404,
  });
}

function versionInfo(cmd: Cmd): Record<string, string> {
  const { version } = connect(cmd);
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? fail(version);
  return { major, minor, gitVersion: version, gitTreeState: 'clean', goVersion: 'go1.26.0', compiler: 'gc', platform: 'linux/amd64' };
}

const apiResource = (r: ResourceInfo) => ({
  name: r.resource,
  singularName: r.singular,
  namespaced: r.namespaced,
  kind: r.kind,
  verbs: [...r.verbs].sort(),
  ...(r.shortNames.length ? { shortNames: r.shortNames } : {}),
  ...(r.categories.length ? { categories: r.categories } : {}),
});

/** /api, /apis, /apis/GROUP and /apis/GROUP/VERSION. */
function discovery(cmd: Cmd, parts: string[]): unknown {
  const all = connect(cmd).resources();
  if (parts[0] === 'api' && parts.length === 1) return { kind: 'APIVersions', versions: ['v1'] };
  const ofGroup = (name: string) => {
    const versions = [...new Set(all.filter(r => r.group === name).map(r => r.version))].map(version => ({
      groupVersion: `${name}/${version}`,
      version,
    }));
    return { name, versions, preferredVersion: versions[0] };
  };
  if (parts[0] === 'apis' && parts.length === 1)
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: [...new Set(all.map(r => r.group))].filter(Boolean).map(ofGroup) };
  if (parts[0] === 'apis' && parts.length === 2 && all.some(r => r.group === parts[1]))
    return { kind: 'APIGroup', apiVersion: 'v1', ...ofGroup(parts[1]) };
  const gv = parts[0] === 'api' ? parts[1] : parts.slice(1).join('/');
  const depth = parts[0] === 'api' ? 2 : 3;
  const rows = parts.length === depth ? all.filter(r => groupVersion(r) === gv) : [];
  return rows.length ? { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: gv, resources: rows.map(apiResource) } : null;
}
