// Which resource a word on the command line, or an object, stands for (apimachinery v0.36.3, pkg/api/meta; client-go/restmapper/shortcut.go).

import { isBuiltin } from '../apiserver/resources.ts';
import type { KubeObject, ResourceInfo } from '../apiserver/types.ts';
import { goQuote } from '../sim/quote.ts';
import { failure } from './failure.ts';
import type { Connection } from './host.ts';

export const groupVersion = (r: ResourceInfo): string => (r.group ? `${r.group}/${r.version}` : r.version);
/** `deployments.apps` */
export const groupResource = (r: ResourceInfo): string => (r.group ? `${r.resource}.${r.group}` : r.resource);
/** `deployment.apps`, as results name it. */
export const kindName = (r: ResourceInfo): string => (r.group ? `${r.kind.toLowerCase()}.${r.group}` : r.kind.toLowerCase());

export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

interface Partial {
  resource: string;
  group: string;
  version: string;
}

/** schema.ParseResourceArg: `deployments.v1.apps` and `deployments.apps` are both ways to read two dots. */
function readings(arg: string): Partial[] {
  const parts = arg.split('.');
  const out: Partial[] = [];
  if (parts.length >= 3) out.push({ resource: parts[0], version: parts[1], group: parts.slice(2).join('.') });
  out.push({ resource: parts[0], version: '', group: parts.slice(1).join('.') });
  return out;
}

function matching(resources: ResourceInfo[], p: Partial): ResourceInfo[] {
  const word = p.resource.toLowerCase();
  const named = resources.filter(r => r.resource === word || r.singular === word);
  if (p.group && p.version) return named.filter(r => r.group === p.group && r.version === p.version);
  if (p.group) {
    const exact = named.filter(r => r.group === p.group);
    return exact.length ? exact : named.filter(r => r.group.startsWith(p.group));
  }
  if (p.version) return named.filter(r => r.version === p.version);
  return named;
}

const ambiguous = new WeakMap<Connection, (warning: string) => void>();

/** Who is told of a short name that several resources have. */
export const onAmbiguousShortName = (connection: Connection, tell: (warning: string) => void): void => void ambiguous.set(connection, tell);

/** A short name stands for its resource unless a resource has that very name. */
function expandShortcut(connection: Connection, resources: ResourceInfo[], p: Partial): Partial {
  if (resources.some(r => r.resource === p.resource)) return p;
  const [first, ...others] = resources.filter(r => r.shortNames.includes(p.resource) && (!p.group || p.group === r.group));
  if (first) {
    const lower = new Set(others.map(groupResource));
    lower.delete(groupResource(first));
    for (const name of lower)
      ambiguous.get(connection)?.(`short name ${goQuote(p.resource)} could also match lower priority resource ${name}`);
    return { ...p, resource: first.resource, group: first.group };
  }
  if (p.group) {
    for (const r of resources) {
      if (r.shortNames.includes(p.resource) && r.group.startsWith(p.group)) return { ...p, resource: r.resource, group: r.group };
    }
  }
  return p;
}

/** The resource that `word` names, or undefined. Discovery's order is the order of preference. */
export const findResource = (connection: Connection, word: string): ResourceInfo | undefined =>
  throughCache(connection, resources => findAmong(connection, resources, word));

/**
 * Look for a resource as a client does that keeps what discovery said: it may know what is gone by now, until it misses something and asks
 * anew (client-go v0.36.3, discovery/cached/disk).
 */
function throughCache(connection: Connection, find: (resources: ResourceInfo[]) => ResourceInfo | undefined): ResourceInfo | undefined {
  const live = connection.resources();
  const hit = find(live);
  const cache = connection.discovery;
  if (!cache || (hit && isBuiltin(hit))) return hit;
  const known = cache.load() ?? [];
  if (hit) {
    if (!known.some(k => sameResource(k, hit))) cache.save(live.filter(r => !isBuiltin(r)));
    return hit;
  }
  const gone = find(known.filter(k => !live.some(r => sameResource(k, r))));
  if (!gone && known.length) refreshDiscovery(connection);
  return gone;
}

const sameResource = (a: ResourceInfo, b: ResourceInfo): boolean =>
  a.resource === b.resource && a.group === b.group && a.version === b.version;

/** Ask the server anew, as api-resources does. */
export function refreshDiscovery(connection: Connection): void {
  const custom = connection.resources().filter(r => !isBuiltin(r));
  const known = connection.discovery?.load() ?? [];
  if (known.length !== custom.length || !known.every((k, i) => sameResource(k, custom[i]))) connection.discovery?.save(custom);
}

function findAmong(connection: Connection, resources: ResourceInfo[], word: string): ResourceInfo | undefined {
  for (const p of readings(word)) {
    const hit = matching(resources, expandShortcut(connection, resources, p))[0];
    if (hit) return hit;
  }
  for (const p of readings(word)) {
    const hit = resources.find(r => r.kind === p.resource && r.group === p.group && (!p.version || r.version === p.version));
    if (hit) return hit;
  }
  return undefined;
}

/** resource.Builder.mappingFor */
export function mappingFor(connection: Connection, word: string): ResourceInfo {
  const hit = findResource(connection, word);
  if (hit) return hit;
  const resource = word.split('.')[0];
  throw failure(`the server doesn't have a resource type ${goQuote(resource)}`);
}

/** meta.NoResourceMatchError, as checkErr prints it. */
export function noResourceMatch(word: string): never {
  const [p] = readings(word).slice(-1);
  const where = p.group ? ` in group ${goQuote(p.group)}` : '';
  throw { ...failure(`the server doesn't have a resource type ${goQuote(p.resource)}${where}`), plain: true };
}

/** The resource of a kind, or undefined. */
export function resourceOfKind(connection: Connection, apiVersion: string, kind: string): ResourceInfo | undefined {
  const { group, version } = splitApiVersion(apiVersion);
  // An empty version means any to the mapper, and then nothing to the server.
  if (!apiVersion) {
    const core = connection.resources().find(r => !r.group && r.kind === kind);
    return core && { ...core, version: '' };
  }
  return throughCache(connection, all =>
    all.find(r => r.group === group && r.version === version && (r.kind === kind || r.kind.toLowerCase() === kind)),
  );
}

/** meta.NoKindMatchError's text. */
export const noKindMatch = (apiVersion: string, kind: string): string =>
  `no matches for kind ${goQuote(kind)} in version ${goQuote(apiVersion)}`;

/** Expand `all` and other categories (restmapper/category_expansion.go: discovery's order). */
export function expandCategories(connection: Connection, arg: string): string {
  // Each call of resources() makes a list of all.
  const all = connection.resources();
  return arg
    .split(',')
    .map(word => {
      const hits = all.filter(r => r.categories.includes(word));
      return hits.length ? [...new Set(hits.map(groupResource))].join(',') : word;
    })
    .join(',');
}

/** `configmap/name` or `deployment.apps/name`, from the object itself. */
export function objectName(object: KubeObject): string {
  const { group } = splitApiVersion(object.apiVersion ?? '');
  const kind = (object.kind ?? '').toLowerCase();
  return `${group ? `${kind}.${group}` : kind}/${object.metadata?.name || '<unknown>'}`;
}
