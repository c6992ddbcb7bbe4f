// JSON patch (RFC 6902, with the texts of gopkg.in/evanphx/json-patch.v4) and JSON merge patch (RFC 7386).

import { cloneJson, isMap, type Json, sameJson } from './json.ts';

/** RFC 7386. Shares what it does not change with `target`. */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const out: Record<string, Json> = isMap(target) ? { ...target } : {};
  for (const k in patch) {
    if (patch[k] === null) delete out[k];
    else out[k] = mergePatch(out[k], patch[k]);
  }
  return out;
}

export interface JsonPatchOperation {
  op: string;
  path: string;
  from?: string;
  value?: Json;
}

const unescapePointer = (s: string): string => s.replace(/~1/g, '/').replace(/~0/g, '~');

/** The patched value, or the error's text. */
export function jsonPatch(doc: Json, operations: JsonPatchOperation[]): { value: Json } | { error: string } {
  let root = cloneJson(doc);
  for (const o of operations) {
    const error = applyOperation(o);
    if (error) return { error };
  }
  return { value: root };

  function applyOperation(o: JsonPatchOperation): string | null {
    const path = o.path ?? '';
    switch (o.op) {
      case 'add':
        return put(path, o.value === undefined ? null : cloneJson(o.value), true, 'add');
      case 'replace':
        return put(path, o.value === undefined ? null : cloneJson(o.value), false, 'replace');
      case 'remove':
        return remove(path, 'remove');
      case 'test': {
        const got = find(path, 'test');
        if (typeof got === 'string') return got;
        const want = o.value === undefined ? null : o.value;
        return sameJson(got.value ?? null, want) ? null : `testing value ${path} failed: test failed`;
      }
      case 'move':
      case 'copy': {
        const got = find(o.from ?? '', o.op);
        if (typeof got === 'string') return got;
        if (got.value === undefined) return `error in ${o.op} for path: '${o.from}': missing value: ${missing(o.from ?? '')}`;
        const value = cloneJson(got.value);
        if (o.op === 'move') {
          const error = remove(o.from ?? '', 'move');
          if (error) return error;
        }
        return put(path, value, true, o.op);
      }
      default:
        return `Unexpected kind: ${o.op}`;
    }
  }

  function missing(path: string): string {
    return `unable to find key: ${unescapePointer(path.slice(path.lastIndexOf('/') + 1))}: missing value`;
  }

  function parent(path: string): { container: Json; key: string } | null {
    const parts = path.split('/').slice(1).map(unescapePointer);
    let at: Json = root;
    for (const p of parts.slice(0, -1)) {
      at = Array.isArray(at) ? at[Number(p)] : isMap(at) ? at[p] : undefined;
      if (at === undefined || at === null) return null;
    }
    if (typeof at !== 'object') return null;
    return { container: at, key: parts[parts.length - 1] ?? '' };
  }

  function find(path: string, op: string): { value: Json } | string {
    if (path === '') return { value: root };
    const p = parent(path);
    const doing = op === 'test' ? 'error in test for path' : `error in ${op} for path`;
    if (!p) return `${doing}: '${path}': missing path: "${path}": missing value`;
    if (!Array.isArray(p.container)) return { value: p.container[p.key] };
    const i = index(p.key, p.container.length, false);
    return typeof i === 'string' ? `${doing}: '${path}': ${i}` : { value: p.container[i] };
  }

  function index(key: string, length: number, insert: boolean): number | string {
    if (insert && key === '-') return length;
    if (!/^-?\d+$/.test(key)) return `value was not a proper array index: '${key}': strconv.Atoi: parsing "${key}": invalid syntax`;
    let i = Number(key);
    const max = insert ? length : length - 1;
    if (i < 0) i += insert ? length + 1 : length;
    if (i < 0 || i > max) return `Unable to access invalid index: ${key}: invalid index referenced`;
    return i;
  }

  function put(path: string, value: Json, add: boolean, op: string): string | null {
    if (path === '') {
      root = value;
      return null;
    }
    const p = parent(path);
    if (!p) {
      const what = add ? `${op} operation does not apply: doc is missing path` : 'replace operation does not apply: doc is missing path';
      return `${what}: "${path}": missing value`;
    }
    if (Array.isArray(p.container)) {
      const i = index(p.key, p.container.length, add);
      if (typeof i === 'string') {
        return add
          ? `error in add for path: '${path}': ${i}`
          : `replace operation does not apply: doc is missing key: ${path}: missing value`;
      }
      if (add) p.container.splice(i, 0, value);
      else p.container[i] = value;
      return null;
    }
    p.container[p.key] = value;
    return null;
  }

  function remove(path: string, op: string): string | null {
    const p = parent(path);
    if (!p) return `${op} operation does not apply: doc is missing path: "${path}": missing value`;
    if (Array.isArray(p.container)) {
      const i = index(p.key, p.container.length, false);
      if (typeof i === 'string') return `error in remove for path: '${path}': ${i}`;
      p.container.splice(i, 1);
      return null;
    }
    if (p.container[p.key] === undefined)
      return `error in remove for path: '${path}': Unable to remove nonexistent key: ${p.key}: missing value`;
    delete p.container[p.key];
    return null;
  }
}
