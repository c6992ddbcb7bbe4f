// get, list and what a Table needs: the part of the server that reading commands load.

import { compareBytes } from '../sim/bytes.ts';
import { refusal } from './authorize.ts';
import { continueToken, readContinueToken } from './continue.ts';
import { type FieldRequirement, matchRequirements, parseFieldSelector, parseSelector, type Requirement } from './labels.ts';
import { asClientGets } from './managed/kept.ts';
import { apiVersionOf, isBuiltin, resourceInfo } from './resources.ts';
import { badRequest, isStatus, methodNotAllowed, noSuchResource, notFound } from './status.ts';
import { bucketName, bucketOf, getObject, keyOf, listObjects } from './store.ts';
import { tableOf } from './table.ts';
import type { ApiRequest, ApiResponse, ApiServer, KubeList, KubeObject, ResourceInfo, Status } from './types.ts';

export const respond = (body: ApiResponse['body'], warnings: string[] = [], code?: number): ApiResponse => ({
  code: code ?? (body.kind === 'Status' ? ((body as Status).code ?? 200) : 200),
  body,
  warnings,
});

export function handleRead(server: ApiServer, req: ApiRequest): ApiResponse {
  const info = resourceInfo(server, req.group, req.version, req.resource);
  if (!info) return respond(noSuchResource());
  const warnings = resourceWarnings(info);
  const refused = req.user && refusal(server, req, info.namespaced);
  if (refused) return respond(refused);
  if (!info.verbs.includes(req.verb === 'watch' ? 'watch' : req.verb))
    return respond(methodNotAllowed(info.group, info.resource, req.verb));
  if (req.verb === 'get') {
    if (req.subresource && !info.subresources.includes(req.subresource)) return respond(noSuchResource(), warnings);
    const found =
      info.resource === 'componentstatuses'
        ? componentStatuses().find(c => c.metadata.name === req.name)
        : getObject(server, bucketName(info.group, info.resource), info.namespaced ? req.namespace : '', req.name ?? '');
    if (!found) return respond(notFound(info.group, info.resource, req.name ?? ''), warnings);
    const o = inVersion(info, found);
    if (req.subresource && req.subresource !== 'status') {
      const part = subresourceOf(info, req.subresource, o);
      if (req.as !== 'table' || isStatus(part)) return respond(part);
      return respond(tableOf(server, info, [part], part.metadata.resourceVersion ?? '', 'Scale'));
    }
    return respond(
      req.as === 'table' ? tableOf(server, info, [o], o.metadata.resourceVersion ?? '') : asClientGets(server, info, req, o),
      warnings,
    );
  }
  return list(server, info, req, warnings);
}

/** What every response about a deprecated resource warns of. */
export function resourceWarnings(info: ResourceInfo): string[] {
  if (info.group === '' && info.resource === 'endpoints')
    return ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'];
  if (info.group === '' && info.resource === 'componentstatuses') return ['v1 ComponentStatus is deprecated in v1.19+'];
  return [];
}

/** The stored version is served as it is; the other served versions of a kind are converted here. */
export function inVersion(info: ResourceInfo, o: KubeObject): KubeObject {
  const want = apiVersionOf(info);
  return o.apiVersion === want ? o : { ...o, apiVersion: want };
}

function subresourceOf(info: ResourceInfo, subresource: string, o: KubeObject): KubeObject | Status {
  if (!info.subresources.includes(subresource)) return noSuchResource();
  if (subresource !== 'scale') return methodNotAllowed(info.group, `${info.resource}/${subresource}`, 'get');
  return scaleOf(o);
}

/** autoscaling/v1 Scale of a workload. */
export function scaleOf(o: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = o.metadata;
  const raw = o.spec?.selector;
  const labels = o.kind === 'ReplicationController' ? raw : raw?.matchLabels;
  const selector = Object.entries(labels ?? {}).map(([k, v]) => `${k}=${v}`);
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { ...(o.spec?.replicas ? { replicas: o.spec.replicas } : {}) },
    status: { replicas: o.status?.replicas ?? 0, ...(selector.length ? { selector: selector.sort().join(',') } : {}) },
  };
}

export interface Selection {
  labels: Requirement[];
  fields: FieldRequirement[];
}

/** What label and field selectors of a request mean, or the server's refusal. */
export function selectionOf(info: ResourceInfo, query: ApiRequest['query']): Selection | Status {
  const labels = parseSelector(query?.labelSelector ?? '');
  if (typeof labels === 'string') return badRequest(labels);
  const fields = parseFieldSelector(query?.fieldSelector ?? '');
  if (typeof fields === 'string') return badRequest(fields);
  const known = (isBuiltin(info) && SELECTABLE[info.kind]) || {};
  for (const f of fields) {
    if (f.field === 'metadata.name' || (f.field === 'metadata.namespace' && info.namespaced) || known[f.field]) continue;
    if (!isBuiltin(info)) return badRequest(`field label not supported: ${f.field}`);
    return badRequest(labelNotSupported(info, f.field));
  }
  return { labels, fields };
}

/** Some kinds answer with texts of their own (pkg/apis/<group>/v1/conversion.go). */
function labelNotSupported(info: ResourceInfo, field: string): string {
  switch (info.kind) {
    case 'Pod':
    case 'Node':
    case 'Namespace':
    case 'Secret':
    case 'Service':
    case 'ReplicationController':
    case 'Event':
      return `field label not supported: ${field}`;
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicaSet':
      return `field label "${field}" not supported for appsv1.${info.kind}`;
    case 'Job':
      return `field label ${JSON.stringify(field)} not supported for Job`;
    default:
      return `"${field}" is not a known field selector: only "metadata.name"${info.namespaced ? ', "metadata.namespace"' : ''}`;
  }
}

type FieldGetter = (o: KubeObject) => string;
const text = (v: unknown): string => (v === undefined || v === null ? '' : String(v));

const EVENT_FIELDS: Record<string, FieldGetter> = {
  'involvedObject.kind': o => text(o.involvedObject?.kind),
  'involvedObject.namespace': o => text(o.involvedObject?.namespace),
  'involvedObject.name': o => text(o.involvedObject?.name),
  'involvedObject.uid': o => text(o.involvedObject?.uid),
  'involvedObject.apiVersion': o => text(o.involvedObject?.apiVersion),
  'involvedObject.resourceVersion': o => text(o.involvedObject?.resourceVersion),
  'involvedObject.fieldPath': o => text(o.involvedObject?.fieldPath),
  reason: o => text(o.reason),
  reportingComponent: o => text(o.reportingComponent || o.source?.component),
  source: o => text(o.source?.component || o.reportingComponent),
  type: o => text(o.type),
};

const SELECTABLE: Record<string, Record<string, FieldGetter>> = {
  Pod: {
    'spec.nodeName': o => text(o.spec?.nodeName),
    'spec.restartPolicy': o => text(o.spec?.restartPolicy),
    'spec.schedulerName': o => text(o.spec?.schedulerName),
    'spec.serviceAccountName': o => text(o.spec?.serviceAccountName),
    'spec.hostNetwork': o => String(o.spec?.hostNetwork === true),
    'status.phase': o => text(o.status?.phase),
    'status.podIP': o => text(o.status?.podIP),
    'status.podIPs': o => text(o.status?.podIP),
    'status.nominatedNodeName': o => text(o.status?.nominatedNodeName),
  },
  Node: { 'spec.unschedulable': o => String(o.spec?.unschedulable === true) },
  Namespace: { 'status.phase': o => text(o.status?.phase) },
  Secret: { type: o => text(o.type) },
  Service: { 'spec.clusterIP': o => text(o.spec?.clusterIP), 'spec.type': o => text(o.spec?.type) },
  ReplicaSet: { 'status.replicas': o => text(o.status?.replicas ?? 0) },
  ReplicationController: { 'status.replicas': o => text(o.status?.replicas ?? 0) },
  Job: { 'status.successful': o => text(o.status?.succeeded ?? 0) },
  CertificateSigningRequest: { 'spec.signerName': o => text(o.spec?.signerName) },
  IPAddress: { 'spec.parentRef.name': o => text(o.spec?.parentRef?.name) },
  Event: EVENT_FIELDS,
};

export function selects(s: Selection, o: KubeObject): boolean {
  if (s.labels.length && !matchRequirements(s.labels, o.metadata.labels)) return false;
  for (const f of s.fields) {
    const get = SELECTABLE[o.kind]?.[f.field];
    const value =
      f.field === 'metadata.name' ? o.metadata.name : f.field === 'metadata.namespace' ? text(o.metadata.namespace) : text(get?.(o));
    if ((value === f.value) === f.negate) return false;
  }
  return true;
}

function list(server: ApiServer, info: ResourceInfo, req: ApiRequest, warnings: string[]): ApiResponse {
  const selection = selectionOf(info, req.query);
  if ('kind' in selection) return respond(selection);
  const bucket = bucketName(info.group, info.resource);
  const all = listObjects(server, bucket, info.namespaced ? req.namespace : undefined);
  const everything = !selection.labels.length && !selection.fields.length;
  let items = everything ? all : all.filter(o => selects(selection, o));
  if (info.resource === 'componentstatuses') items = componentStatuses();
  const { limit, continue: token } = req.query ?? {};
  const from = token ? readContinueToken(token) : null;
  if (from && 'kind' in from) return respond(from);
  // Every part is of the revision that the first one had; objects that came since are in it all the same.
  const revision = from?.revision ?? String(server.store.revision);
  const metadata: KubeList['metadata'] = { resourceVersion: revision };
  if (from) items = items.filter(o => compareBytes(keyOf(o.metadata.namespace, o.metadata.name), from.key) > 0);
  if (limit && limit > 0 && items.length > limit) {
    const last = items[limit - 1].metadata;
    metadata.continue = continueToken({ revision, key: keyOf(last.namespace, last.name) });
    if (everything) metadata.remainingItemCount = items.length - limit;
    items = items.slice(0, limit);
  }
  items = items.map(o => inVersion(info, o));
  if (req.as === 'table') {
    const table = tableOf(server, info, items, revision);
    Object.assign(table.metadata, metadata);
    return respond(table, warnings);
  }
  items = items.map(o => asClientGets(server, info, req, o));
  return respond({ apiVersion: apiVersionOf(info), kind: `${info.kind}List`, metadata, items }, warnings);
}

/** The three components as a healthy control plane shows them. */
function componentStatuses(): KubeObject[] {
  const healthy = (name: string, message: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ComponentStatus',
    metadata: { name },
    conditions: [{ type: 'Healthy', status: 'True', message }],
  });
  return [healthy('scheduler', 'ok'), healthy('controller-manager', 'ok'), healthy('etcd-0', 'ok')];
}

/** Objects that a watch with these selectors begins with, and the test for its events. */
export function watchSelection(
  server: ApiServer,
  req: ApiRequest,
): { bucket: string; info: ResourceInfo; wants: (o: KubeObject) => boolean } | Status {
  const info = resourceInfo(server, req.group, req.version, req.resource);
  if (!info) return noSuchResource();
  const selection = selectionOf(info, req.query);
  if ('kind' in selection) return selection;
  const bucket = bucketName(info.group, info.resource);
  bucketOf(server, bucket);
  return {
    bucket,
    info,
    wants: o =>
      (!info.namespaced || !req.namespace || o.metadata.namespace === req.namespace) &&
      (!req.name || o.metadata.name === req.name) &&
      selects(selection, o),
  };
}
