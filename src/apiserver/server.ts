// The API's front door: one request in, one response out.

import { refusal } from './authorize.ts';
import { remove, removeCollection } from './delete.ts';
import { type FieldError, required, tooLong } from './field.ts';
import { handleRead, inVersion, resourceWarnings, respond, watchSelection } from './read.ts';
import { resourceInfo } from './resources.ts';
import { invalid, methodNotAllowed, noSuchResource } from './status.ts';
import { bucketName, bucketOf, watchBucket } from './store.ts';
import { writeSubresource } from './subresources.ts';
import { tableOf } from './table.ts';
import type { ApiRequest, ApiResponse, ApiServer, KubeObject, ResourceInfo, Status, Table, WatchEvent, WatchEventType } from './types.ts';
import { create, patch, update } from './write.ts';

export { newApiServer } from './store.ts';

export function handle(server: ApiServer, req: ApiRequest): ApiResponse {
  if (req.verb === 'get' || req.verb === 'list' || req.verb === 'watch') return handleRead(server, req);
  const info = resourceInfo(server, req.group, req.version, req.resource);
  if (!info) return respond(noSuchResource());
  const refused = req.user && refusal(server, req, info.namespaced);
  if (refused) return respond(refused);
  const r = handleWrite(server, info, req);
  const warnings = resourceWarnings(info);
  return warnings.length ? { ...r, warnings: [...warnings, ...r.warnings] } : r;
}

function handleWrite(server: ApiServer, info: ResourceInfo, req: ApiRequest): ApiResponse {
  if (req.subresource && req.subresource !== 'status') return writeSubresource(server, info, req);
  if (req.subresource && !info.subresources.includes(req.subresource)) return respond(noSuchResource());
  if (!req.subresource && !info.verbs.includes(req.verb)) return respond(methodNotAllowed(info.group, info.resource, req.verb));
  const wrong = managerError(req);
  if (wrong) return respond(wrong);
  switch (req.verb) {
    case 'create': {
      const r = create(server, info, req);
      const warnings = [...r.warnings, ...noticeOf(server, info, r)];
      return { ...r, warnings, code: r.code === 200 ? 201 : r.code };
    }
    case 'update':
      return update(server, info, req);
    case 'patch':
      return patch(server, info, req);
    case 'delete':
      return remove(server, info, req);
    default:
      return removeCollection(server, info, req);
  }
}

/** Once a cluster: of the first object. */
function noticeOf(server: ApiServer, info: ResourceInfo, r: ApiResponse): string[] {
  if (r.code >= 400 || bucketOf(server, bucketName(info.group, info.resource)).objects.size !== 1) return [];
  const notice = server.config.notice(info, r.body as KubeObject);
  return notice ? [notice] : [];
}

const OPTIONS: Partial<Record<ApiRequest['verb'], string>> = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' };

/** ValidateFieldManager (k8s.io/apimachinery/pkg/apis/meta/v1/validation v0.36.3). */
function managerError(req: ApiRequest): Status | null {
  const kind = OPTIONS[req.verb];
  const name = req.query?.fieldManager ?? '';
  if (!kind) return null;
  const errors: FieldError[] = [];
  if (!name && req.patchType === 'apply') errors.push(required('fieldManager', 'is required for apply patch'));
  if (name.length > 128) errors.push(tooLong('fieldManager', 128));
  return errors.length ? invalid('meta.k8s.io', kind, '', errors) : null;
}

/**
 * A watch from now on: objects that come to match are ADDED, that cease to are DELETED. -> stop, or why not.
 * The first of the Tables carries the columns, as every one does.
 */
export function watchRequest(
  server: ApiServer,
  req: ApiRequest,
  onEvent: (type: WatchEventType, object: KubeObject | Table) => void,
): (() => void) | Status {
  const filter = watchFilter(() => server, req, onEvent);
  return 'take' in filter ? watchBucket(server, filter.bucket, filter.take) : filter;
}

/** What of a bucket's events such a watch is told, wherever they come from. `server`: it prints Tables as it is by then. */
export function watchFilter(
  server: () => ApiServer,
  req: ApiRequest,
  onEvent: (type: WatchEventType, object: KubeObject | Table) => void,
): { bucket: string; take: (e: WatchEvent) => void } | Status {
  const selection = watchSelection(server(), req);
  if ('code' in selection || !('wants' in selection)) return selection as Status;
  const { bucket, info, wants } = selection;
  const emit = (type: WatchEventType, o: KubeObject) => {
    const object = inVersion(info, o);
    onEvent(type, req.as === 'table' ? tableOf(server(), info, [object], object.metadata.resourceVersion ?? '') : object);
  };
  const take = (e: WatchEvent) => {
    const now = e.type !== 'DELETED' && wants(e.object);
    const before = e.type === 'ADDED' ? false : wants(e.old ?? e.object);
    if (now) emit(before ? 'MODIFIED' : 'ADDED', e.object);
    else if (before) emit('DELETED', e.object);
  };
  return { bucket, take };
}
