// Whether an applied configuration is of its type: server-side apply finds that out before anything else
// (sigs.k8s.io/structured-merge-diff/v6/typed/validate.go).

import { isMap, type Json } from '../json.ts';
import { printPath } from './fields.ts';
import { elementOf, isAtomic, type Kind } from './types.ts';

/** Errors as `.spec.ports: expected list, got &{x}`. */
export function typeErrors(kind: Kind, v: Json, path = ''): string[] {
  if (v === null || v === undefined || kind.form === 'any') return [];
  const say = (text: string) => [`${path}: ${text}`];
  if (kind.form === 'list') return Array.isArray(v) ? listErrors(kind, v, path) : say(`expected list, got &{${plain(v)}}`);
  if (kind.form === 'map') return isMap(v) ? mapErrors(kind, v, path) : say(`expected map, got &{${plain(v)}}`);
  const type = typeof v;
  if (kind.scalar === 'number') return type === 'number' ? [] : say(`expected numeric (int or float), got ${goType(v)}`);
  if (kind.scalar === 'string') return type === 'string' ? [] : say(`expected string, got &value.valueUnstructured{Value:${sharp(v)}}`);
  if (kind.scalar === 'boolean') return type === 'boolean' ? [] : say(`expected boolean, got &{${plain(v)}}`);
  return type === 'object' ? say(`expected any scalar, got &{${plain(v)}}`) : [];
}

function mapErrors(kind: Kind, v: Record<string, Json>, path: string): string[] {
  const errors: string[] = [];
  for (const k of Object.keys(v).sort()) {
    if (!kind.declares(k) && !kind.open) {
      errors.push(`${path}.${k}: field not declared in schema`);
      break;
    }
    errors.push(...typeErrors(kind.below(k), v[k], `${path}.${k}`));
  }
  return errors;
}

function listErrors(kind: Kind, v: Json[], path: string): string[] {
  const errors: string[] = [];
  const below = kind.below(null);
  const atomic = isAtomic(kind, 'list');
  const seen = new Set<string>();
  for (const [i, x] of v.entries()) {
    if (atomic) {
      errors.push(...typeErrors(below, x, `${path}[${i}]`));
      continue;
    }
    const wrong = elementError(kind, x);
    if (wrong) return [...errors, `${path}: element ${i}: ${wrong}`];
    const element = elementOf(kind, x);
    if (seen.has(element)) errors.push(`${path}: duplicate entries for key ${printPath([element])}`);
    seen.add(element);
    errors.push(...typeErrors(below, x, path + printPath([element])));
  }
  return errors;
}

/** Why an element cannot be told from the others. */
function elementError(kind: Kind, x: Json): string | null {
  if (kind.relation === 'set') {
    if (isMap(x)) return "associative list without keys has an element that's a map type";
    if (Array.isArray(x)) return 'not supported: associative list with lists as elements';
    return x === null ? "associative list without keys has an element that's an explicit null" : null;
  }
  if (x === null) return 'associative list with keys may not have a null element';
  if (!isMap(x)) return 'associative list with keys may not have non-map elements';
  if (kind.keys.some(k => k in x || kind.defaultOf(k) !== undefined)) return null;
  const keys = kind.keys.map(k => JSON.stringify(k)).join(' ');
  return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`;
}

/** fmt's %v */
function plain(v: Json): string {
  if (v === null) return '<nil>';
  if (Array.isArray(v)) return `[${v.map(plain).join(' ')}]`;
  if (!isMap(v)) return String(v);
  return `map[${Object.keys(v)
    .sort()
    .map(k => `${k}:${plain(v[k])}`)
    .join(' ')}]`;
}

/** fmt's %#v */
function sharp(v: Json): string {
  if (v === null) return 'interface {}(nil)';
  if (Array.isArray(v)) return `[]interface {}{${v.map(sharp).join(', ')}}`;
  if (!isMap(v)) return JSON.stringify(v);
  const items = Object.keys(v).sort();
  return `map[string]interface {}{${items.map(k => `${JSON.stringify(k)}:${sharp(v[k])}`).join(', ')}}`;
}

function goType(v: Json): string {
  if (Array.isArray(v)) return '[]interface {}';
  if (isMap(v)) return 'map[string]interface {}';
  return typeof v === 'boolean' ? 'bool' : typeof v;
}
