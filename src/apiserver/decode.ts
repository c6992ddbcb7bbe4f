// From a request's body to an object of our own.

import { cloneJson, isMap } from './json.ts';
import { apiVersionOf } from './resources.ts';
import { badRequest } from './status.ts';
import type { WriteContext } from './strategy.ts';
import type { KubeObject, Status } from './types.ts';

export function decodeBody(c: WriteContext, body: unknown): KubeObject | Status {
  if (!isMap(body)) return badRequest('the object provided is unrecognized');
  const o = cloneJson(body) as KubeObject;
  o.apiVersion ||= apiVersionOf(c.info);
  o.kind ||= c.info.kind;
  o.metadata ??= { name: '' };
  return o;
}
