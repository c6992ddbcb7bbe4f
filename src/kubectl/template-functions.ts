// What kubectl adds to Go's templates (cli-runtime v0.36.3, pkg/printers/template.go).
import { bytesToString, unbase64 } from '../sim/bytes.ts';
import { bad, FUNCTIONS, type Functions, indexInto, NO_VALUE } from '../sim/go-template/functions.ts';

function base64decode(v: unknown): string {
  const s = String(v).replace(/[\r\n]/g, '');
  const wrong = /[^A-Za-z0-9+/=]/.exec(s);
  const corrupt = (at: number) => bad(`base64 decode failed: illegal base64 data at input byte ${at}`);
  if (wrong) return corrupt(wrong.index);
  const pad = s.indexOf('=');
  if (pad >= 0 && (pad % 4 < 2 || s.length !== Math.ceil(pad / 4) * 4 || /[^=]/.test(s.slice(pad)))) return corrupt(pad);
  if (pad < 0 && s.length % 4) return corrupt(s.length < 4 ? 0 : s.length - (s.length % 4));
  return bytesToString(unbase64(s) ?? new Uint8Array());
}

/** kubectl's `exists`: does this path lead to something. */
function exists(args: unknown[]): boolean {
  let v = args[0];
  for (const key of args.slice(1)) {
    try {
      v = indexInto(v, key);
    } catch {
      return false;
    }
    if (v === NO_VALUE) return false;
  }
  return v !== NO_VALUE && v !== null && v !== undefined;
}

export const KUBECTL_FUNCTIONS: Functions = {
  ...FUNCTIONS,
  exists: { least: 1, call: exists },
  base64decode: { least: 1, most: 1, types: ['string'], call: a => base64decode(a[0]) },
};
