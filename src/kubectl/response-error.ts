// An answer that is no success, as client-go makes an error of it (k8s.io/client-go v0.36.3, rest/request.go, transformResponse;
// k8s.io/apimachinery v0.36.3, pkg/api/errors, NewGenericServerResponse).

import { failure as statusOf } from '../apiserver/status.ts';
import type { Status } from '../apiserver/types.ts';
import { bytesToString } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import { isStatus } from './command.ts';

/** What of a body is told at most, in bytes. */
const MOST = 2048;

/** By code: the reason, and the message; null: the server's own. */
const GENERIC: Record<number, [reason: string, message: string | null]> = {
  400: ['BadRequest', 'the server rejected our request for an unknown reason'],
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  403: ['Forbidden', null],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  409: ['Conflict', 'the server reported a conflict'],
  415: ['UnsupportedMediaType', null],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: ['Timeout', 'the server was unable to return a response in the time allotted, but may still be processing the request'],
};

/** A failure that the server wrote is itself; of any other answer its code is known, and its text when it is one. */
export function responseError(method: string, code: number, type: string, body: Uint8Array): Status {
  const media = type.split(';')[0].trim().toLowerCase();
  const status = !media || /^application\/(json|yaml)$/.test(media) ? statusIn(body) : null;
  if (status) return status;
  const text = !media || media.startsWith('text/') ? bytesToString(body.subarray(0, MOST)).trim() : 'unknown';
  const details = { causes: [{ reason: 'UnexpectedServerResponse', message: text }] };
  if (code === 409 && method === 'POST') return statusOf(409, 'AlreadyExists', GENERIC[409][1] as string, details);
  if (code === 406) {
    const unsaid = 'the server was unable to respond with a content type that the client supports';
    return statusOf(406, 'NotAcceptable', text === '' || text === 'unknown' ? unsaid : text, details);
  }
  const known = GENERIC[code];
  if (known) return statusOf(code, known[0], known[1] ?? text, details);
  if (code < 500)
    return statusOf(code, '', `the server responded with the status code ${code} but did not return more information`, details);
  return statusOf(code, 'InternalError', `an error on the server (${goQuote(text)}) has prevented the request from succeeding`, details);
}

function statusIn(body: Uint8Array): Status | null {
  try {
    const value: unknown = JSON.parse(bytesToString(body));
    return isStatus(value) && value.status === 'Failure' ? value : null;
  } catch {
    return null;
  }
}
