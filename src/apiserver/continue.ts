// Tokens of lists that come in parts (k8s.io/apiserver v0.36.3, pkg/storage/continue.go).
import { base64, bytesToString, stringToBytes, unbase64 } from '../sim/bytes.ts';
import { badRequest } from './status.ts';
import type { Status } from './types.ts';

const VERSION = 'meta.k8s.io/v1';

/** Where the next part begins: behind this key (`namespace/name`), in the list as it was at this revision. */
export interface ContinueAt {
  revision: string;
  key: string;
}

export function continueToken(at: ContinueAt): string {
  const text = `{"v":"${VERSION}","rv":${at.revision},"start":${JSON.stringify(`/${at.key}\u0000`)}}`;
  return base64(stringToBytes(text)).replace(/=+$/, '').replace(/\+/g, '-').replace(/\//g, '_');
}

const bad = (why: string): Status => badRequest(`invalid continue token: continue key is not valid: ${why}`);

export function readContinueToken(token: string): ContinueAt | Status {
  const odd = /[^A-Za-z0-9_-]/.exec(token);
  if (odd) return bad(`illegal base64 data at input byte ${odd.index}`);
  const padded = token
    .replace(/-/g, '+')
    .replace(/_/g, '/')
    .padEnd(Math.ceil(token.length / 4) * 4, '=');
  const text = bytesToString(unbase64(padded) ?? new Uint8Array(0));
  let value: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    value = JSON.parse(text);
  } catch {
    return bad(text ? `invalid character '${[...text][0]}' looking for beginning of value` : 'unexpected end of JSON input');
  }
  if (value?.v !== VERSION) return bad(`server does not recognize this encoded version ${value?.v ?? ''}`);
  if (typeof value.rv !== 'number' || !value.rv) return bad(`incorrect encoded start resourceVersion (version ${VERSION})`);
  if (typeof value.start !== 'string' || !value.start) return bad(`empty encoded start key (version ${VERSION})`);
  return { revision: String(value.rv), key: value.start.replace(/^\//, '').replace(/\u0000$/, '') };
}
