// Status errors with the real texts (k8s.io/apimachinery/pkg/api/errors v0.36.3).

import { goQuote } from '../sim/quote.ts';
import type { FieldError } from './field.ts';
import { errorBody } from './field.ts';
import type { Status } from './types.ts';

/** A resource or kind with its group: `deployments.apps`. */
export const qualified = (group: string, name: string): string => (group ? `${name}.${group}` : name);

export function failure(code: number, reason: string, message: string, details?: Status['details']): Status {
  return { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', message, reason, ...(details && { details }), code };
}

export function success(details: Status['details']): Status {
  return { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', details, code: 200 };
}

export const isStatus = (x: unknown): x is Status =>
  (x as Status | null)?.kind === 'Status' && (x as Status).apiVersion === 'v1' && typeof (x as Status).status === 'string';

const of = (group: string, kind: string, name?: string): Status['details'] => ({
  ...(name && { name }),
  ...(group && { group }),
  kind,
});

export function notFound(group: string, resource: string, name: string): Status {
  return failure(404, 'NotFound', `${qualified(group, resource)} ${goQuote(name)} not found`, of(group, resource, name));
}

export function alreadyExists(group: string, resource: string, name: string): Status {
  return failure(409, 'AlreadyExists', `${qualified(group, resource)} ${goQuote(name)} already exists`, of(group, resource, name));
}

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(group: string, resource: string, name: string, why: string = MODIFIED): Status {
  const message = `Operation cannot be fulfilled on ${qualified(group, resource)} ${goQuote(name)}: ${why}`;
  return failure(409, 'Conflict', message, of(group, resource, name));
}

export function forbidden(group: string, resource: string, name: string, why: string): Status {
  const what = name ? `${qualified(group, resource)} ${goQuote(name)}` : qualified(group, resource);
  return failure(403, 'Forbidden', `${what} is forbidden: ${why}`, of(group, resource, name));
}

export function badRequest(message: string): Status {
  return failure(400, 'BadRequest', message);
}

export function methodNotAllowed(group: string, resource: string, action: string): Status {
  return failure(
    405,
    'MethodNotAllowed',
    `${action} is not supported on resources of kind ${goQuote(qualified(group, resource))}`,
    of(group, resource),
  );
}

export function internalError(message: string): Status {
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

export function tooManyRequests(message: string, causes?: { reason?: string; message?: string; field?: string }[]): Status {
  return failure(429, 'TooManyRequests', message, causes && { causes });
}

/** The path is served by nothing. */
export function noSuchResource(): Status {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function invalid(group: string, kind: string, name: string, errors: FieldError[]): Status {
  const causes = errors.map(e => ({ reason: `FieldValue${e.type}`, message: errorBody(e), field: e.field }));
  const texts = [...new Set(errors.map(e => `${e.field}: ${errorBody(e)}`))];
  const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const head = `${qualified(group, kind)} ${goQuote(name)} is invalid`;
  return failure(422, 'Invalid', texts.length ? `${head}: ${all}` : head, { ...of(group, kind, name), causes });
}
