// jq's `@format` strings: @csv, @base64, @sh …
import { base64, bytesToString, stringToBytes, unbase64 } from '../../../sim/bytes.ts';
import { JqError } from './parse.ts';
import { type Json, shown, text, typeOf } from './values.ts';

/** Rows hold values, no lists and objects. */
function plainRow(v: Json, name: string): void {
  if (!Array.isArray(v)) throw new JqError(`${typeOf(v)} (${shown(v)}) cannot be ${name}-formatted, only an array can be`);
  const wrong = v.find(x => x !== null && typeof x === 'object');
  if (wrong !== undefined) throw new JqError(`${typeOf(wrong)} (${shown(wrong)}) is not valid in a csv row`);
}

export function format(name: string, v: Json): string {
  switch (name) {
    case 'text':
      return text(v);
    case 'json':
      return JSON.stringify(v);
    case 'base64':
      return base64(stringToBytes(text(v)));
    case 'base64d':
      return bytesToString(unbase64(text(v).padEnd(Math.ceil(text(v).length / 4) * 4, '=')) ?? new Uint8Array(0));
    case 'csv':
      plainRow(v, 'csv');
      return v.map((x: Json) => (typeof x === 'string' ? `"${x.replace(/"/g, '""')}"` : x === null ? '' : String(x))).join(',');
    case 'tsv':
      plainRow(v, 'tsv');
      return v.map((x: Json) => (x === null ? '' : text(x).replace(/\\/g, '\\\\').replace(/\t/g, '\\t').replace(/\n/g, '\\n'))).join('\t');
    case 'html':
      return text(v).replace(/[<>&'"]/g, c => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&#39;', '"': '&quot;' })[c] as string);
    case 'uri':
      return encodeURIComponent(text(v)).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    case 'sh':
      return (Array.isArray(v) ? v : [v]).map((x: Json) => (typeof x === 'string' ? `'${x.replace(/'/g, "'\\''")}'` : text(x))).join(' ');
    default:
      throw new JqError(`${name} is not a valid format`);
  }
}
