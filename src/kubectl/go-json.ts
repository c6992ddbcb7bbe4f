// JSON as Go's encoding/json writes it: map keys sorted, <, > and & escaped.

export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Nothing in it has to be escaped. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;

export function goJsonString(s: string, html = true): string {
  if (PLAIN.test(s)) return `"${s}"`;
  let out = JSON.stringify(s).replace(/[\u2028\u2029\u007f]/g, c => (c === '\u007f' ? c : `\\u${c.charCodeAt(0).toString(16)}`));
  if (html) out = out.replace(/[<>&]/g, c => `\\u00${c.charCodeAt(0).toString(16)}`);
  return out;
}

/** Compact, keys sorted: json.Marshal of a map. */
export function goJson(v: unknown, html = true): string {
  if (v === null || v === undefined) return 'null';
  if (typeof v === 'string') return goJsonString(v, html);
  if (typeof v === 'number') return String(v);
  if (typeof v === 'boolean') return String(v);
  if (Array.isArray(v)) return `[${v.map(x => goJson(x, html)).join(',')}]`;
  const o = v as Record<string, unknown>;
  return `{${Object.keys(o)
    .filter(k => o[k] !== undefined)
    .sort(compareKeys)
    .map(k => `${goJsonString(k, html)}:${goJson(o[k], html)}`)
    .join(',')}}`;
}

/** json.MarshalIndent. */
export function goJsonIndent(v: unknown, indent = '    ', at = ''): string {
  const inner = at + indent;
  if (Array.isArray(v)) {
    if (!v.length) return '[]';
    return `[\n${v.map(x => inner + goJsonIndent(x, indent, inner)).join(',\n')}\n${at}]`;
  }
  if (typeof v === 'object' && v !== null) {
    const o = v as Record<string, unknown>;
    const keys = Object.keys(o)
      .filter(k => o[k] !== undefined)
      .sort(compareKeys);
    if (!keys.length) return '{}';
    return `{\n${keys.map(k => `${inner}${goJsonString(k)}: ${goJsonIndent(o[k], indent, inner)}`).join(',\n')}\n${at}}`;
  }
  return goJson(v);
}
