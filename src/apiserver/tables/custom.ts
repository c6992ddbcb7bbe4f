// Columns of custom resources (k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor v0.36.3).

import { definitionOf } from '../custom/resources.ts';
import type { ApiServer, KubeObject, ResourceInfo, Table } from '../types.ts';
import { age } from './age.ts';

type Column = Table['columnDefinitions'][number];

interface PrinterColumn {
  name: string;
  type: string;
  format?: string;
  description?: string;
  priority?: number;
  jsonPath: string;
}

const DEFAULT: PrinterColumn[] = [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }];

export function customColumns(server: ApiServer, info: ResourceInfo): { columns: Column[]; cells: (o: KubeObject) => unknown[] } {
  const version = definitionOf(server, info)?.version;
  const extra: PrinterColumn[] = version?.additionalPrinterColumns?.length ? version.additionalPrinterColumns : DEFAULT;
  const columns: Column[] = [
    { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
    ...extra.map(c => ({
      name: c.name,
      type: c.type,
      format: c.format ?? '',
      description: c.description ?? '',
      priority: c.priority ?? 0,
    })),
  ];
  return { columns, cells: o => [o.metadata.name, ...extra.map(c => cell(server, c, select(o, c.jsonPath)))] };
}

/** Of several results the first; as cellForJSONValue does, a value of another type prints nothing. */
function cell(server: ApiServer, column: PrinterColumn, values: unknown[] | null): unknown {
  const v = values?.[0];
  if (v === undefined || v === null) return null;
  if (column.type === 'string') return typeof v === 'object' ? JSON.stringify(v) : String(v);
  switch (column.type) {
    case 'integer':
      return typeof v === 'number' ? Math.trunc(v) : null;
    case 'number':
      return typeof v === 'number' ? v : null;
    case 'boolean':
      return typeof v === 'boolean' ? v : null;
    case 'date':
      return typeof v === 'string' ? age(server, v) : '<unknown>';
    default:
      return null;
  }
}

/** JSONPath as columns use it: fields, quoted fields, indexes, `[*]` and equality filters. null: nothing there. */
export function select(root: unknown, path: string): unknown[] | null {
  let at: unknown[] = [root];
  const token =
    /\.\.|\.([A-Za-z0-9_-]+(?:\\\.[A-Za-z0-9_/-]+)*|\*)|\[(?:'((?:\\.|[^'])*)'|"((?:\\.|[^"])*)"|(\*|-?\d+)|\?\(\s*@\.([\w.-]+)\s*==\s*(?:'([^']*)'|"([^"]*)"|(\S+?))\s*\))\]/g;
  const text = path.replace(/^\{/, '').replace(/\}$/, '');
  for (const m of text.matchAll(token)) {
    const name = m[1]?.replace(/\\\./g, '.') ?? m[2]?.replace(/\\(.)/g, '$1') ?? m[3]?.replace(/\\(.)/g, '$1');
    const next: unknown[] = [];
    for (const v of at) {
      if (m[5]) {
        const want = m[6] ?? m[7] ?? m[8];
        for (const x of Array.isArray(v) ? v : []) {
          const got = m[5].split('.').reduce((a: any, k) => a?.[k], x);
          if (got !== undefined && String(got) === want) next.push(x);
        }
      } else if (m[4] === '*' || name === '*') next.push(...(Array.isArray(v) ? v : Object.values((v as object) ?? {})));
      else if (m[4] !== undefined) {
        const i = Number(m[4]);
        const x = Array.isArray(v) ? v[i < 0 ? v.length + i : i] : undefined;
        if (x !== undefined) next.push(x);
      } else if (name !== undefined) {
        const x = (v as Record<string, unknown> | null)?.[name];
        if (x !== undefined) next.push(x);
      }
    }
    at = next;
  }
  return at.length ? at : null;
}
