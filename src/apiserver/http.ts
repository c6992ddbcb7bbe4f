// The API as a client of its HTTP port sees it: paths to requests, objects to JSON.

import { isAllowed, userOf } from './authorize.ts';
import { isMap, type Json } from './json.ts';
import { allResources, apiVersionOf, RESOURCES } from './resources.ts';
import { userOfToken } from './reviews.ts';
import { handle } from './server.ts';
import { failure } from './status.ts';
import type { ApiRequest, ApiServer, ResourceInfo, Status, Verb } from './types.ts';

export interface HttpRequest {
  method: string;
  /** With the query. */
  target: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

export interface HttpReply {
  code: number;
  type: string;
  body: string;
}

export function httpRequest(server: ApiServer, req: HttpRequest): HttpReply {
  const [path, search = ''] = req.target.split('?');
  const query = parseQuery(search);
  const pretty = query.has('pretty') || /^(curl|Wget|Mozilla)/.test(req.headers['user-agent'] ?? '');
  const send = (body: Json, code = 200): HttpReply => ({ code, type: 'application/json', body: text(body, pretty) });
  const refuse = (s: Status) => send(s, s.code ?? 500);
  const bearer = /^Bearer (.*)$/i.exec(req.headers.authorization ?? '');
  const name = bearer ? userOfToken(bearer[1].trim()) : 'system:anonymous';
  if (!name) return refuse(failure(401, 'Unauthorized', 'Unauthorized'));
  const asked = resourcePath(server, path);
  if (asked) return callResource(server, req, asked, query, name, send);
  const verb = req.method.toLowerCase() === 'head' ? 'get' : req.method.toLowerCase();
  if (!isAllowed(server, userOf(name), { verb, url: path })) {
    return refuse(failure(403, 'Forbidden', `forbidden: User "${name}" cannot ${verb} path "${path}"`, {}));
  }
  if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) return { code: 200, type: 'text/plain; charset=utf-8', body: 'ok' };
  const found = discovery(server, path);
  if (found) return send(found);
  return { code: 404, type: 'text/plain; charset=utf-8', body: '404 page not found\n' };
}

interface Asked {
  info: ResourceInfo;
  namespace?: string;
  name?: string;
  subresource?: string;
}

function resourcePath(server: ApiServer, path: string): Asked | null {
  const m = /^\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))\/(.+?)\/?$/.exec(path);
  if (!m) return null;
  const [group, version] = m[1] ? ['', m[1]] : [m[2], m[3]];
  const parts = m[4].split('/').map(decodeURIComponent);
  let namespace: string | undefined;
  if (parts[0] === 'namespaces' && parts.length > 2 && parts[2] !== 'status' && parts[2] !== 'finalize') namespace = parts.splice(0, 2)[1];
  const [resource, name, ...rest] = parts;
  const info = allResources(server).find(r => r.group === group && r.version === version && r.resource === resource);
  return info ? { info, namespace, name, subresource: rest.join('/') || undefined } : null;
}

const PATCHES: Record<string, ApiRequest['patchType']> = {
  'application/strategic-merge-patch+json': 'strategic',
  'application/merge-patch+json': 'merge',
  'application/json-patch+json': 'json',
  'application/apply-patch+yaml': 'apply',
};

/** `a=1&b=2` with its escapes undone; of a name that comes twice the first. */
function parseQuery(search: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const pair of search.split('&').filter(Boolean)) {
    const [name, value] = pair.split(/=(.*)/s).map(x => decodeURIComponent((x ?? '').replace(/\+/g, ' ')));
    if (!out.has(name)) out.set(name, value ?? '');
  }
  return out;
}

function callResource(
  server: ApiServer,
  req: HttpRequest,
  asked: Asked,
  query: Map<string, string>,
  user: string,
  send: (body: Json, code?: number) => HttpReply,
): HttpReply {
  const verbs: Record<string, Verb> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: asked.name ? 'delete' : 'deletecollection' };
  const verb = verbs[req.method] ?? (asked.name ? 'get' : 'list');
  let body: Json;
  if (req.body && verb !== 'get' && verb !== 'list') {
    try {
      body = JSON.parse(req.body);
    } catch (e) {
      const s = failure(
        400,
        'BadRequest',
        `the object provided is unrecognized (must be of type ${asked.info.kind}): ${(e as Error).message}`,
      );
      return send(s, 400);
    }
  }
  const { info, namespace, name, subresource } = asked;
  const { group, version, resource } = info;
  const options = verb === 'delete' && isMap(body) ? body : {};
  const r = handle(server, {
    verb,
    group,
    version,
    resource,
    namespace,
    name,
    subresource,
    body,
    user,
    patchType: PATCHES[(req.headers['content-type'] ?? '').split(';')[0].trim()],
    as: (req.headers.accept ?? '').includes('as=Table') ? 'table' : 'object',
    query: {
      labelSelector: query.get('labelSelector') ?? undefined,
      fieldSelector: query.get('fieldSelector') ?? undefined,
      limit: query.has('limit') ? Number(query.get('limit')) : undefined,
      continue: query.get('continue') ?? undefined,
      dryRun: query.get('dryRun') === 'All',
      ...(query.has('fieldManager') && { fieldManager: query.get('fieldManager') as string }),
      ...options,
    },
  });
  return send(r.body, r.code);
}

/** Kind and version first, as Go's structs have them. */
function text(o: Json, pretty: boolean): string {
  const ordered = (x: Json): Json => {
    if (Array.isArray(x)) return x.map(ordered);
    if (!isMap(x)) return x;
    const { kind, apiVersion, metadata, ...rest } = x;
    return { ...(kind !== undefined && { kind }), ...(apiVersion !== undefined && { apiVersion }), ...(metadata && { metadata }), ...rest };
  };
  const body = ordered(o);
  return pretty ? JSON.stringify(body, null, 2) : `${JSON.stringify(body)}\n`;
}

const groupVersions = (server: ApiServer): string[] => [
  ...new Set(
    allResources(server)
      .filter(r => r.group)
      .map(apiVersionOf),
  ),
];

function groupOf(server: ApiServer, name: string): Json {
  const versions = groupVersions(server)
    .filter(v => v.startsWith(`${name}/`))
    .map(groupVersion => ({ groupVersion, version: groupVersion.slice(name.length + 1) }));
  return versions.length ? { name, versions, preferredVersion: versions[0] } : null;
}

function discovery(server: ApiServer, path: string): Json {
  const p = path.replace(/\/$/, '');
  if (p === '/version') return versionOf(server);
  if (p === '/api')
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }] };
  if (p === '/apis') {
    const names = [...new Set(groupVersions(server).map(v => v.slice(0, v.indexOf('/'))))];
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: names.map(n => groupOf(server, n)) };
  }
  const group = /^\/apis\/([^/]+)$/.exec(p);
  if (group) {
    const found = groupOf(server, group[1]);
    return found && { kind: 'APIGroup', apiVersion: 'v1', ...found };
  }
  const m = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(p);
  return m ? resourceList(server, m[1] ?? m[2]) : null;
}

function resourceList(server: ApiServer, groupVersion: string): Json {
  const list = allResources(server).filter(r => apiVersionOf(r) === groupVersion);
  if (!list.length) return null;
  const resources = list.flatMap(r => {
    const { namespaced, kind } = r;
    const more = { ...(r.shortNames.length && { shortNames: r.shortNames }), ...(r.categories.length && { categories: r.categories }) };
    const own = { name: r.resource, singularName: r.singular, namespaced, kind, verbs: [...r.verbs].sort(), ...more };
    const verbs = ['get', 'patch', 'update'];
    return [own, ...r.subresources.map(s => ({ name: `${r.resource}/${s}`, singularName: '', namespaced, kind, verbs }))];
  });
  const core = RESOURCES.some(r => !r.group && r.version === groupVersion);
  return { kind: 'APIResourceList', ...(!core && { apiVersion: 'v1' }), groupVersion, resources };
}

const versionOf = (server: ApiServer): Json => ({
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: server.config.version,
  gitCommit: '$Format:%H$',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'go1.26.8',
  compiler: 'gc',
  platform: 'linux/amd64',
});
