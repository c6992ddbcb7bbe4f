// The OpenAPI documents, made of the types that the server decodes by and of their documentation.

import { definitionOf } from '../custom/resources.ts';
import { load, type Schema, type Types, typeNameOf } from '../explain.ts';
import type { Json } from '../json.ts';
import { allResources, apiVersionOf } from '../resources.ts';
import { type FieldSchema, structOf, structOfKind, type TypeRef } from '../schema.ts';
import type { ApiServer, ResourceInfo } from '../types.ts';
import { servedPaths, verbsOf } from './discovery.ts';
import type { OpenApiRequest } from './message.ts';

/** The document, or null: there is no such path. */
export async function openApiDocument(server: ApiServer, request: OpenApiRequest): Promise<Json> {
  if (request.version === 2) return documentV2(server);
  if (request.path === null) {
    // Whoever has the document of a hash may keep it: custom resources change it.
    const hash = String(server.store.revision);
    const paths = servedPaths(server).map(s => [s.path, { serverRelativeURL: `/openapi/v3/${s.path}?hash=${hash}` }]);
    return { paths: Object.fromEntries(paths) };
  }
  const served = servedPaths(server).find(s => s.path === request.path);
  if (!served) return null;
  const rows = allResources(server).filter(r => r.group === served.group && r.version === served.version);
  const schemas = await schemasOf(server, rows, '#/components/schemas/');
  return {
    openapi: '3.0.0',
    info: infoOf(server),
    paths: pathsOf(rows, body),
    components: {
      schemas,
      securitySchemes: { BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' } },
    },
  };
}

const infoOf = (server: ApiServer): Json => ({
  title: 'Kubernetes',
  version: server.config.version.replace(/^v/, '').split('.').slice(0, 2).join('.'),
});

async function documentV2(server: ApiServer): Promise<Json> {
  const rows = [...allResources(server)];
  return {
    swagger: '2.0',
    info: infoOf(server),
    paths: pathsOf(rows, bodyV2),
    definitions: await schemasOf(server, rows, '#/definitions/'),
  };
}

// -- schemas

const nameOf = (info: ResourceInfo): string =>
  typeNameOf(info) ?? `${info.group.split('.').reverse().join('.')}.${info.version}.${info.kind}`;

async function schemasOf(server: ApiServer, rows: ResourceInfo[], prefix: string): Promise<Json> {
  const types: Types = new Map();
  const names = rows.map(typeNameOf).filter(n => n !== null);
  await load([...names, OBJECT_META, LIST_META], types);
  const out: Record<string, Json> = {};
  for (const name of [...types.keys()].sort()) out[name] = linked(types.get(name) as Schema, prefix);
  const annotate = annotator(out);
  for (const r of rows) {
    const name = nameOf(r);
    out[name] ??= linked(customSchema(server, r), prefix);
    if (typeNameOf(r)) annotate(name, apiVersionOf(r), r.kind);
    out[name] = { ...out[name], 'x-kubernetes-group-version-kind': [gvkOf(r)] };
    if (!r.verbs.includes('list')) continue;
    out[`${name}List`] ??= linked(listSchema(r, name), prefix);
  }
  return out;
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const LIST_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';

const gvkOf = (r: ResourceInfo, kind = r.kind): Json => ({ group: r.group, kind, version: r.version });

const ref = (name: string): Schema => ({ allOf: [{ $ref: name }] });

function listSchema(r: ResourceInfo, name: string): Schema {
  return {
    description: `${r.kind}List is a list of ${r.kind}.`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      items: { type: 'array', items: ref(name) },
      kind: { type: 'string' },
      metadata: ref(LIST_META),
    },
    ...{ 'x-kubernetes-group-version-kind': [gvkOf(r, `${r.kind}List`)] },
  };
}

function customSchema(server: ApiServer, r: ResourceInfo): Schema {
  const own: Schema = definitionOf(server, r)?.version.schema?.openAPIV3Schema ?? {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  };
  return {
    ...own,
    properties: { ...own.properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: ref(OBJECT_META) },
  };
}

/** References point into the document. */
function linked(schema: Schema, prefix: string): Json {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    key === '$ref' && typeof value === 'string' && !value.startsWith('#') ? prefix + value : value,
  );
}

/** Writes what the Go types say about merging into the schemas that a kind reaches. */
function annotator(out: Record<string, Json>): (name: string, apiVersion: string, kind: string) => void {
  const seen = new Set<string>();
  const visit = (name: string, fields: FieldSchema[]): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const f of fields) {
      const property = out[name]?.properties?.[f.name];
      if (!property) continue;
      Object.assign(property, mergeRules(f));
      const target = refIn(property);
      const struct = structIn(f.type);
      if (target && struct) visit(target, structOf(struct).fields);
    }
  };
  return (name, apiVersion, kind) => {
    const struct = structOfKind(apiVersion, kind);
    if (struct) visit(name, struct.fields);
  };
}

function mergeRules(f: FieldSchema): Json {
  return {
    ...(f.mapKeys.length && { 'x-kubernetes-list-map-keys': f.mapKeys }),
    ...(f.listType && { [f.type.code === 'list' ? 'x-kubernetes-list-type' : 'x-kubernetes-map-type']: f.listType }),
    ...(f.mergeKey && { 'x-kubernetes-patch-merge-key': f.mergeKey }),
    ...(f.strategies.length && { 'x-kubernetes-patch-strategy': f.strategies.join(',') }),
  };
}

const structIn = (t: TypeRef): string | undefined => (t.element ? structIn(t.element) : t.name);

/** The schema that a property, or what it holds, refers to. */
function refIn(property: Json): string | null {
  const inner = property.items ?? (typeof property.additionalProperties === 'object' ? property.additionalProperties : property);
  if (inner !== property) return refIn(inner);
  const found: string | undefined = property.$ref ?? property.allOf?.[0]?.$ref;
  return found === undefined ? null : found.slice(found.lastIndexOf('/') + 1);
}

// -- paths

const METHODS: Record<string, [method: string, action: string]> = {
  get: ['get', 'get'],
  list: ['get', 'list'],
  create: ['post', 'post'],
  update: ['put', 'put'],
  patch: ['patch', 'patch'],
  delete: ['delete', 'delete'],
  deletecollection: ['delete', 'deletecollection'],
};

const WRITE_QUERY = ['dryRun', 'fieldManager', 'fieldValidation'];
const LIST_QUERY = ['allowWatchBookmarks', 'continue', 'fieldSelector', 'labelSelector', 'limit', 'resourceVersion'];
const LIST_QUERY_REST = ['resourceVersionMatch', 'sendInitialEvents', 'timeoutSeconds', 'watch'];

const QUERY: Record<string, string[]> = {
  list: [...LIST_QUERY, ...LIST_QUERY_REST],
  create: WRITE_QUERY,
  update: WRITE_QUERY,
  patch: [...WRITE_QUERY, 'force'],
  delete: ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy'],
  deletecollection: ['continue', 'dryRun', 'fieldSelector', 'labelSelector', 'limit', 'propagationPolicy'],
};

const TYPES: Record<string, string> = {
  limit: 'integer',
  timeoutSeconds: 'integer',
  gracePeriodSeconds: 'integer',
  watch: 'boolean',
  force: 'boolean',
  allowWatchBookmarks: 'boolean',
  sendInitialEvents: 'boolean',
  orphanDependents: 'boolean',
};

type Body = (verb: string, name: string) => Json;

const parameter = (name: string, where: 'query' | 'path', v3: boolean): Json => {
  const type = TYPES[name] ?? 'string';
  const typed = v3 ? { schema: { type, uniqueItems: true } } : { type, uniqueItems: true };
  return { name, in: where, ...(where === 'path' && { required: true }), ...typed };
};

function pathsOf(rows: ResourceInfo[], bodies: Body): Json {
  const v3 = bodies === body;
  const paths: Record<string, Json> = {};
  for (const r of rows) {
    const root = r.group ? `/apis/${r.group}/${r.version}` : `/api/${r.version}`;
    const place = r.namespaced ? `${root}/namespaces/{namespace}/${r.resource}` : `${root}/${r.resource}`;
    const collection = r.verbs.filter(v => v === 'list' || v === 'create' || v === 'deletecollection');
    const item = r.verbs.filter(v => v === 'get' || v === 'update' || v === 'patch' || v === 'delete');
    if (collection.length) paths[place] = pathItem(r, collection, place, bodies);
    if (r.namespaced && r.verbs.includes('list')) paths[`${root}/${r.resource}`] = pathItem(r, ['list'], '', bodies);
    if (item.length) paths[`${place}/{name}`] = pathItem(r, item, `${place}/{name}`, bodies);
    for (const s of r.subresources) {
      const path = `${place}/{name}/${s}`;
      paths[path] = pathItem(r, verbsOf(r, s), path, bodies, s);
    }
  }
  for (const [path, entry] of Object.entries(paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(m => parameter(m[1], 'path', v3));
    if (inPath.length) entry.parameters = inPath;
  }
  return paths;
}

function pathItem(r: ResourceInfo, verbs: readonly string[], path: string, bodies: Body, subresource = ''): Json {
  const out: Record<string, Json> = {};
  const v3 = bodies === body;
  const part = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);
  const tag = `${r.group.split('.')[0] || 'core'}_${r.version}`;
  const where = r.namespaced && path ? 'Namespaced' : '';
  for (const verb of verbs) {
    const [method, action] = METHODS[verb] ?? [];
    if (!method || out[method]) continue;
    out[method] = {
      tags: [tag],
      operationId: `${verb}${tag.split('_').map(part).join('')}${where}${r.kind}${part(subresource)}${path || !r.namespaced ? '' : 'ForAllNamespaces'}`,
      parameters: (QUERY[verb] ?? []).map(name => parameter(name, 'query', v3)),
      ...bodies(verb, nameOf(r)),
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group: r.group, kind: r.kind, version: r.version },
    };
  }
  return out;
}

const PATCH_TYPES = ['apply-patch+yaml', 'json-patch+json', 'merge-patch+json', 'strategic-merge-patch+json'].map(t => `application/${t}`);
const MEDIA_TYPES = ['application/json', 'application/yaml'];
const sends = (verb: string): boolean => verb === 'create' || verb === 'update' || verb === 'patch';
const answered = (verb: string, name: string): string => (verb === 'list' ? `${name}List` : name);

function body(verb: string, name: string): Json {
  const contents = (types: string[], schema: Json) => Object.fromEntries(types.map(t => [t, { schema }]));
  const to = (n: string): Json => ({ $ref: `#/components/schemas/${n}` });
  const types = verb === 'patch' ? PATCH_TYPES : ['*/*'];
  const request = { content: contents(types, verb === 'patch' ? { type: 'object' } : to(name)), required: true };
  const ok = { description: 'OK', content: contents(MEDIA_TYPES, to(answered(verb, name))) };
  return { ...(sends(verb) && { requestBody: request }), responses: { 200: ok, 401: { description: 'Unauthorized' } } };
}

function bodyV2(verb: string, name: string): Json {
  const ok = { description: 'OK', schema: { $ref: `#/definitions/${answered(verb, name)}` } };
  const consumes = verb === 'patch' ? PATCH_TYPES : ['*/*'];
  return { consumes, produces: MEDIA_TYPES, schemes: ['https'], responses: { 200: ok, 401: { description: 'Unauthorized' } } };
}
