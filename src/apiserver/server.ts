// The API's front door: one request in, one response out.

import { remove, removeCollection } from './delete.ts';
import { handleRead, respond } from './read.ts';
import { resourceInfo } from './resources.ts';
import { methodNotAllowed, noSuchResource } from './status.ts';
import { writeSubresource } from './subresources.ts';
import type { ApiRequest, ApiResponse, ApiServer } from './types.ts';
import { create, patch, update } from './write.ts';

export { newApiServer } from './store.ts';

export function handle(server: ApiServer, req: ApiRequest): ApiResponse {
  if (req.verb === 'get' || req.verb === 'list' || req.verb === 'watch') return handleRead(server, req);
  const info = resourceInfo(server, req.group, req.version, req.resource);
  if (!info) return respond(noSuchResource());
  if (req.subresource && req.subresource !== 'status') return writeSubresource(server, info, req);
  if (req.subresource && !info.subresources.includes(req.subresource)) return respond(noSuchResource());
  if (!req.subresource && !info.verbs.includes(req.verb)) return respond(methodNotAllowed(info.group, info.resource, req.verb));
  switch (req.verb) {
    case 'create': {
      const r = create(server, info, req);
      return r.code === 200 ? { ...r, code: 201 } : r;
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
