// Requests about resources: the method and path as a verb, query and body as the server's own request.
import { goQuote } from '../../sim/quote.ts';
import { refusal } from '../authorize.ts';
import { isMap, type Json } from '../json.ts';
import { selectionOf } from '../read.ts';
import { isBuiltin } from '../resources.ts';
import { handle } from '../server.ts';
import { badRequest, failure, isStatus, noSuchResource, notFound } from '../status.ts';
import type { ApiRequest, ApiResponse, KubeList, ResourceInfo, Status, Verb } from '../types.ts';
import { verbsOf } from './discovery.ts';
import { type Exchange, first, flag, type HttpAnswer, type Query, type Shape } from './message.ts';
import { decodeBody, fromYaml, NOT_ALLOWED, parseMediaType, patchFromJson, reply, shapeOf } from './negotiate.ts';
import { optionsProblem } from './options.ts';
import { connectPod, logOf } from './pod.ts';
import { connectProxy } from './proxy.ts';

export interface Asked {
  info: ResourceInfo;
  namespace?: string;
  name?: string;
  subresource?: string;
}

const PATCHES: Record<string, NonNullable<ApiRequest['patchType']>> = {
  'application/strategic-merge-patch+json': 'strategic',
  'application/merge-patch+json': 'merge',
  'application/json-patch+json': 'json',
  'application/apply-patch+yaml': 'apply',
};

const ERRORS: Shape = { as: 'object', includeObject: 'Metadata', yaml: false, pretty: true };

export function callResource(x: Exchange, asked: Asked): HttpAnswer {
  const errorReply = (s: Status) => reply(x, ERRORS, s, s.code ?? 500);
  const refuse = (s: Status): HttpAnswer => ({ kind: 'reply', reply: errorReply(s) });
  const { resource: kind, subresources } = asked.info;
  if (!asked.info.group && subresources.includes('proxy') && /^proxy(\/|$)/.test(asked.subresource ?? '')) {
    const { namespaced } = asked.info;
    return connectProxy(x, { resource: kind, namespaced, namespace: asked.namespace, name: asked.name ?? '' }, errorReply);
  }
  const verb = verbFor(x, asked);
  if (typeof verb !== 'string') return refuse(verb);
  const { info, namespace, name, subresource } = asked;
  const { group, version, resource } = info;
  const base: ApiRequest = { verb, group, version, resource, namespace, name, subresource, user: x.user, groups: x.groups };
  if (group === '' && resource === 'pods' && subresource) {
    if (subresource === 'log') return logOf(x, base, refuse);
    if (subresource === 'exec' || subresource === 'attach' || subresource === 'portforward')
      return connectPod(x, base, subresource, refuse);
  }
  const shape = shapeOf(
    x.request.headers.accept ?? '',
    x.request.headers['user-agent'] ?? '',
    x.query,
    verb === 'list' || verb === 'watch',
  );
  if (isStatus(shape)) return refuse(shape);
  if (verb === 'watch') return watchOf(x, asked, base, shape, refuse);
  const decoded = bodyOf(x, verb, info);
  if (isStatus(decoded)) return refuse(decoded);
  const query = queryOf(x, verb, decoded.body);
  if (isStatus(query)) return refuse(query);
  const patchType = verb === 'patch' ? PATCHES[mediaType(x)] : undefined;
  const r = handle(x.server, { ...base, body: decoded.body, patchType, as: shape.as === 'table' ? 'table' : 'object', query });
  const body = isBuiltin(info) ? withoutKinds(r.body) : r.body;
  return { kind: 'reply', reply: reply(x, isFailure(r.body) ? { ...shape, pretty: true } : shape, body, r.code, r.warnings) };
}

const isFailure = (body: ApiResponse['body']): boolean => isStatus(body) && body.status === 'Failure';

/** The items of a typed list do not say again what the list is of. */
function withoutKinds(body: ApiResponse['body']): ApiResponse['body'] {
  if (!Array.isArray((body as KubeList).items)) return body;
  const items = (body as KubeList).items.map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest) as KubeList['items'];
  return { ...(body as KubeList), items };
}

const mediaType = (x: Exchange): string => parseMediaType(x.request.headers['content-type'] ?? '').type;

export const METHOD_VERBS: Record<string, [item: Verb | null, collection: Verb | null]> = {
  GET: ['get', 'list'],
  POST: [null, 'create'],
  PUT: ['update', null],
  PATCH: ['patch', null],
  DELETE: ['delete', 'deletecollection'],
};

/** What the method asks for, if the path has it. */
function verbFor(x: Exchange, asked: Asked): Verb | Status {
  const { info, name, subresource } = asked;
  const { method } = x.request;
  const row = METHOD_VERBS[method];
  let verb = row?.[name === undefined ? 1 : 0] ?? null;
  if (subresource !== undefined && method === 'POST') verb = 'create';
  if (subresource !== undefined && !info.subresources.includes(subresource))
    return isBuiltin(info) ? noSuchResource() : notFound(info.group, info.resource, name ?? '');
  const allowed = verbsOf(info, subresource);
  // A namespaced kind is created in a namespace; without one the path only lists.
  const placeless = verb === 'create' && info.namespaced && asked.namespace === undefined && info.verbs.includes('list');
  if (!verb || placeless || !allowed.includes(verb)) return NOT_ALLOWED;
  return (verb === 'list' || verb === 'get') && !subresource && flag(x.query, 'watch') ? 'watch' : verb;
}

/** The object, patch or DeleteOptions that came with the request. */
function bodyOf(x: Exchange, verb: Verb, info: ResourceInfo): { body: unknown } | Status {
  if (verb === 'get' || verb === 'list') return { body: undefined };
  if (verb !== 'patch') return decodeBody(x, info.kind, verb === 'create' || verb === 'update');
  const type = mediaType(x);
  if (!PATCHES[type]) return { ...failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type'), details: {} };
  return PATCHES[type] === 'apply' ? fromYaml(x, info.kind) : patchFromJson(x, PATCHES[type] === 'strategic');
}

const integer = (q: Query, name: string): number | undefined | Status => {
  const text = first(q, name);
  if (!text) return undefined;
  return /^[+-]?\d+$/.test(text) ? Number(text) : badRequest(`strconv.ParseInt: parsing ${goQuote(text)}: invalid syntax`);
};

/** Options of the query, and of the DeleteOptions that a deletion carries. */
function queryOf(x: Exchange, verb: Verb, body: unknown): ApiRequest['query'] | Status {
  const { query } = x;
  const limit = integer(query, 'limit');
  if (isStatus(limit)) return limit;
  const rv = first(query, 'resourceVersion');
  if (rv && !/^\d+$/.test(rv)) return invalidRevision(rv);
  const deletes = verb === 'delete' || verb === 'deletecollection';
  const o: Json = deletes && isMap(body as Json) ? body : {};
  const grace = o.gracePeriodSeconds ?? (deletes ? integer(query, 'gracePeriodSeconds') : undefined);
  if (isStatus(grace)) return grace;
  const propagation = o.propagationPolicy ?? (deletes ? first(query, 'propagationPolicy') : undefined);
  const orphans = o.orphanDependents === true ? 'Orphan' : undefined;
  const validation = first(query, 'fieldValidation');
  const dryRuns = [...(query.get('dryRun') ?? []), ...(Array.isArray(o.dryRun) ? o.dryRun : [])];
  const applies = verb === 'patch' && PATCHES[mediaType(x)] === 'apply';
  const problem = optionsProblem(verb, query, { dryRun: dryRuns, propagationPolicy: propagation, applies });
  if (problem) return problem;
  return {
    labelSelector: first(query, 'labelSelector'),
    fieldSelector: first(query, 'fieldSelector'),
    limit,
    continue: first(query, 'continue') || undefined,
    resourceVersion: rv,
    dryRun: dryRuns.length > 0,
    fieldManager: first(query, 'fieldManager') || agentOf(x),
    fieldValidation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
    force: flag(query, 'force'),
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    ...((propagation ?? orphans) && { propagationPolicy: propagation ?? orphans }),
    ...(isMap(o.preconditions) && { preconditions: o.preconditions }),
  };
}

/** Who manages the fields when the client does not say: its program (pkg/endpoints/handlers/create.go, managerOrUserAgent). */
const agentOf = (x: Exchange): string => (x.request.headers['user-agent'] ?? '').split('/')[0].slice(0, 128) || 'unknown';

const invalidRevision = (rv: string): Status =>
  badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${goQuote(rv)}: strconv.ParseUint: parsing ${goQuote(rv)}: invalid syntax`,
  );

function watchOf(x: Exchange, asked: Asked, base: ApiRequest, shape: Shape, refuse: (s: Status) => HttpAnswer): HttpAnswer {
  const refused = refusal(x.server, base, asked.info.namespaced);
  if (refused) return refuse(refused);
  const { query } = x;
  const resourceVersion = first(query, 'resourceVersion') ?? '';
  if (!/^\d*$/.test(resourceVersion)) {
    const why = `resourceVersion: Invalid value: ${goQuote(resourceVersion)}: strconv.ParseUint: parsing ${goQuote(resourceVersion)}: invalid syntax`;
    return refuse({ ...failure(500, '', why), reason: undefined });
  }
  const problem = optionsProblem('watch', query, { dryRun: [], applies: false });
  if (problem) return refuse(problem);
  const timeoutSeconds = integer(query, 'timeoutSeconds');
  if (isStatus(timeoutSeconds)) return refuse(timeoutSeconds);
  const selectors = { labelSelector: first(query, 'labelSelector'), fieldSelector: first(query, 'fieldSelector') };
  const selection = selectionOf(asked.info, selectors);
  if (isStatus(selection)) return refuse(selection);
  const watch = {
    request: { ...base, query: selectors },
    info: asked.info,
    shape,
    resourceVersion,
    sendInitialEvents: flag(query, 'sendInitialEvents'),
    allowBookmarks: flag(query, 'allowWatchBookmarks'),
    timeoutSeconds,
  };
  return { kind: 'watch', watch };
}
