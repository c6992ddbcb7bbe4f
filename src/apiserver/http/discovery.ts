// What the server serves: /api, /apis and below, also in the aggregated form (k8s.io/apiserver v0.36.3, pkg/endpoints/discovery).
import { base64, stringToBytes } from '../../sim/bytes.ts';
import { sha256 } from '../../sim/sha256.ts';
import type { Json } from '../json.ts';
import { allResources, apiVersionOf, isBuiltin } from '../resources.ts';
import type { ApiServer, ResourceInfo } from '../types.ts';
import { healthPaths } from './health.ts';

interface SubresourceRow {
  kind?: string;
  group?: string;
  version?: string;
  verbs: string[];
}

const READ_WRITE = ['get', 'patch', 'update'];
const STREAM = ['create', 'get'];
const ANY = ['create', 'delete', 'get', 'patch', 'update'];

const SUBRESOURCES: Record<string, SubresourceRow> = {
  attach: { kind: 'PodAttachOptions', verbs: STREAM },
  binding: { kind: 'Binding', verbs: ['create'] },
  eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
  exec: { kind: 'PodExecOptions', verbs: STREAM },
  finalize: { verbs: ['update'] },
  log: { verbs: ['get'] },
  portforward: { kind: 'PodPortForwardOptions', verbs: STREAM },
  scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: READ_WRITE },
  token: { kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
};

function subresourceRow(info: ResourceInfo, name: string): SubresourceRow {
  if (name === 'proxy') return { kind: `${info.kind}ProxyOptions`, verbs: ANY };
  return SUBRESOURCES[name] ?? { verbs: READ_WRITE };
}

/** The verbs that discovery shows of a resource or one of its subresources. */
export const verbsOf = (info: ResourceInfo, subresource?: string): string[] =>
  subresource ? (info.subresources.includes(subresource) ? subresourceRow(info, subresource).verbs : []) : [...info.verbs].sort();

const groupsOf = (server: ApiServer): string[] => [
  ...new Set(
    allResources(server)
      .filter(r => r.group)
      .map(r => r.group),
  ),
];

const versionsOf = (server: ApiServer, group: string): string[] => [
  ...new Set(
    allResources(server)
      .filter(r => r.group === group)
      .map(r => r.version),
  ),
];

export const isGroup = (server: ApiServer, group: string): boolean => versionsOf(server, group).length > 0;

/** Every group and version with its path: `api/v1`, `apis/apps/v1`. */
export const servedPaths = (server: ApiServer): { path: string; group: string; version: string }[] =>
  ['', ...groupsOf(server)].flatMap(group =>
    versionsOf(server, group).map(version => ({ path: group ? `apis/${group}/${version}` : `api/${version}`, group, version })),
  );

function groupOf(server: ApiServer, name: string): Json {
  const versions = versionsOf(server, name).map(version => ({ groupVersion: `${name}/${version}`, version }));
  return versions.length ? { name, versions, preferredVersion: versions[0] } : null;
}

/** The document under a path, or null. */
export function discovery(server: ApiServer, path: string, address: string): Json {
  const p = path.replace(/\/$/, '');
  if (p === '') return { paths: rootPaths(server) };
  if (p === '/api') {
    const addresses = [{ clientCIDR: '0.0.0.0/0', serverAddress: address }];
    return { kind: 'APIVersions', versions: versionsOf(server, ''), serverAddressByClientCIDRs: addresses };
  }
  if (p === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(server).map(n => groupOf(server, n)) };
  const group = /^\/apis\/([^/]+)$/.exec(p);
  if (group) {
    const found = groupOf(server, group[1]);
    return found && { kind: 'APIGroup', apiVersion: 'v1', ...found };
  }
  const m = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/.exec(p);
  return m ? resourceList(server, m[1] ?? m[2]) : null;
}

function rootPaths(server: ApiServer): string[] {
  const groups = groupsOf(server).map(g => `/apis/${g}`);
  const own = ['/api', '/apis', '/apis/', '/openapi/v2', '/openapi/v3', '/openapi/v3/', '/version'];
  return [...own, ...healthPaths(), ...groups, ...servedPaths(server).map(s => `/${s.path}`)].sort();
}

function resourceList(server: ApiServer, groupVersion: string): Json {
  const list = allResources(server).filter(r => apiVersionOf(r) === groupVersion);
  if (!list.length) return null;
  const resources = list.flatMap(r => {
    const { namespaced, kind } = r;
    const own = { name: r.resource, singularName: r.singular, namespaced, kind, verbs: verbsOf(r), ...names(r), ...stored(r) };
    const subs = r.subresources.map(s => {
      const row = subresourceRow(r, s);
      const of = row.group ? { group: row.group, version: row.version } : {};
      return { name: `${r.resource}/${s}`, singularName: '', namespaced, ...of, kind: row.kind ?? kind, verbs: row.verbs };
    });
    return [own, ...subs];
  });
  return { kind: 'APIResourceList', ...(groupVersion !== 'v1' && { apiVersion: 'v1' }), groupVersion, resources };
}

/** Of what is stored, which version is it (pkg/registry/registrytest; discovery.StorageVersionHash). */
const stored = (r: ResourceInfo) =>
  isBuiltin(r) && r.verbs.includes('list') && r.verbs.includes('create')
    ? { storageVersionHash: base64(sha256(stringToBytes(`${r.group}/${r.version}/${r.kind}`)).subarray(0, 8)) }
    : {};

const names = (r: ResourceInfo) => ({
  ...(r.shortNames.length && { shortNames: r.shortNames }),
  ...(r.categories.length && { categories: r.categories }),
});

/** apidiscovery.k8s.io/v2 APIGroupDiscoveryList of /api or /apis. */
export function aggregatedDiscovery(server: ApiServer, core: boolean, version: string): Json {
  const groups = core ? [''] : groupsOf(server);
  const items = groups.map(group => ({
    metadata: group ? { name: group } : {},
    versions: versionsOf(server, group).map(v => ({
      version: v,
      resources: allResources(server)
        .filter(r => r.group === group && r.version === v)
        .map(aggregated),
      freshness: 'Current',
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items };
}

function aggregated(r: ResourceInfo): Json {
  // Built-in kinds leave out what the group already says.
  const kindOf = (kind: string, group = '', version = ''): Json => ({ group, version, kind });
  const own = isBuiltin(r) ? kindOf(r.kind) : kindOf(r.kind, r.group, r.version);
  const subresources = r.subresources.map(s => {
    const row = subresourceRow(r, s);
    return { subresource: s, responseKind: row.kind ? kindOf(row.kind, row.group, row.version) : own, verbs: row.verbs };
  });
  return {
    resource: r.resource,
    responseKind: own,
    scope: r.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: r.singular,
    verbs: verbsOf(r),
    ...names(r),
    ...(subresources.length && { subresources }),
  };
}
