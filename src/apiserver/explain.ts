// What `kubectl explain` prints (k8s.io/kubectl/pkg/explain/v2/templates/plaintext.tmpl v0.36.3), from the server's own documentation.

import { KINDS, LOADERS } from './explain/index.ts';
import type { ResourceInfo } from './types.ts';

/** Of an OpenAPI v3 document what is shown. */
export interface Schema {
  $ref?: string;
  description?: string;
  type?: string;
  enum?: unknown[];
  required?: string[];
  externalDocs?: { description?: string; url?: string };
  allOf?: Schema[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  properties?: Record<string, Schema>;
  nullable?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
}

export type Types = Map<string, Schema>;

export interface Explanation {
  stdout: string;
  /** For kubectl's `error: …`. */
  error: string | null;
}

/** `own`: the openAPIV3Schema of a custom resource's version. */
export async function explain(
  info: Pick<ResourceInfo, 'group' | 'version' | 'kind'>,
  fields: string[],
  recursive: boolean,
  own?: object,
): Promise<Explanation> {
  const group = info.group ? `GROUP:      ${info.group}\n` : '';
  const head = `${group}KIND:       ${info.kind}\nVERSION:    ${info.version}\n\n`;
  const types: Types = new Map();
  const root = await schemaOf(info, types, own);
  if (!root) {
    const gvk = `map[group:${info.group} kind:${info.kind} version:${info.version}]`;
    return { stdout: head, error: `GVK ${gvk} not found in OpenAPI schema` };
  }
  const text = new Explainer(types, recursive).output(root, fields, {});
  if (text) return { stdout: `${head}${text}\n`, error: null };
  return { stdout: head, error: `field ${JSON.stringify(fields[fields.length - 1])} does not exist` };
}

/** The kind's own schema, with the types that it leads to in `types`; null: it has none. */
export const schemaOf = async (
  info: Pick<ResourceInfo, 'group' | 'version' | 'kind'>,
  types: Types,
  own?: object,
): Promise<Schema | null> => (await builtin(info, types)) ?? (own ? await custom(own as Schema, types) : null);

/** `io.k8s.api.apps.v1.Deployment`; null: the kind is not the server's own. */
export function typeNameOf(info: Pick<ResourceInfo, 'group' | 'version' | 'kind'>): string | null {
  const row = `\n${info.group}/${info.version}/${info.kind} `;
  const at = KINDS.indexOf(row);
  return at < 0 ? null : KINDS.slice(at + row.length, KINDS.indexOf('\n', at + row.length));
}

async function builtin(info: Pick<ResourceInfo, 'group' | 'version' | 'kind'>, types: Types): Promise<Schema | null> {
  const name = typeNameOf(info);
  if (name === null) return null;
  await load([name], types);
  return types.get(name) ?? null;
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

async function custom(own: Schema, types: Types): Promise<Schema | null> {
  await load([META, 'io.k8s.api.core.v1.Pod'], types);
  const of = (k: string): Schema => types.get('io.k8s.api.core.v1.Pod')?.properties?.[k] ?? {};
  const metadata: Schema = { description: of('metadata').description, allOf: [{ $ref: META }] };
  const properties = { ...own.properties, apiVersion: of('apiVersion'), kind: of('kind'), metadata };
  return { ...own, type: 'object', properties };
}

/** The named types and all that they refer to. */
export async function load(names: string[], types: Types): Promise<void> {
  const files = new Map<string, Map<string, string>>();
  const queue = [...names];
  while (queue.length) {
    const name = queue.pop() as string;
    if (types.has(name)) continue;
    const file = fileOf(name);
    let lines = files.get(file);
    if (!lines) {
      const text = (await LOADERS[file]()).TYPES.trim();
      lines = new Map(text.split('\n').map(l => [l.slice(0, l.indexOf(' ')), l.slice(l.indexOf(' ') + 1)]));
      files.set(file, lines);
    }
    const line = lines.get(name);
    if (!line) continue;
    types.set(name, JSON.parse(line));
    for (const m of line.matchAll(/"\$ref":"([^"]*)"/g)) queue.push(m[1]);
  }
}

function fileOf(name: string): string {
  const m = /([a-z]+)\.(v\d[a-z0-9]*)\.\w+$/.exec(name);
  return m && !name.includes('apimachinery') ? `${m[1]}_${m[2]}` : 'meta';
}

type History = Record<string, 1>;

const indent = (n: number, s: string): string => ' '.repeat(n) + s.replaceAll('\n', `\n${' '.repeat(n)}`);
const mapValues = (s: Schema): Schema | null => (typeof s.additionalProperties === 'object' ? s.additionalProperties : null);

class Explainer {
  constructor(
    private readonly types: Types,
    private readonly recursive: boolean,
  ) {}

  private resolve(s: Schema): Schema {
    return (s.$ref && this.types.get(s.$ref)) || s;
  }

  /** '' when there is no such field. */
  output(s: Schema, path: string[], history: History): string {
    const r = this.resolve(s);
    const next: History = s.$ref ? { ...history, [s.$ref]: 1 } : history;
    if (!path.length) {
      const text = this.description(s) || '<empty>';
      const list = this.fieldList(r, 1, {});
      const docs = r.externalDocs ? `\n${externalDocs(r.externalDocs, 0)}` : '';
      return `DESCRIPTION:\n${indent(4, wrap(text, 76))}\n${docs}${list ? `FIELDS:\n${list}` : ''}`;
    }
    if (s.$ref && history[s.$ref]) return '';
    const field = r.properties?.[path[0]];
    if (field) {
      const rest = this.output(field, path.slice(1), {});
      if (path.length > 1) return rest;
      return `FIELD: ${path[0]} <${this.typeOf(field)}>\n${longEnum(field)}\n\n${rest}`;
    }
    if (r.items) return this.output(r.items, path, next);
    const values = mapValues(r);
    if (values) return this.output(values, path, next);
    for (const x of r.allOf ?? []) {
      const text = this.output(x, path, next);
      if (text) return text;
    }
    return '';
  }

  private description(s: Schema): string {
    const r = this.resolve(s);
    let text = r.description ? `${r.description}\n` : '';
    for (const x of r.allOf ?? []) text += this.description(x);
    if (r.items) text += this.description(r.items);
    const values = mapValues(r);
    return values ? text + this.description(values) : text;
  }

  private typeOf(s: Schema): string {
    if (s.items) return `[]${this.typeOf(s.items)}`;
    const values = mapValues(s);
    if (values) return `map[string]${this.typeOf(values)}`;
    if (s.allOf?.length === 1 && !s.properties) return this.typeOf(s.allOf[0]);
    if (s.$ref) {
      const type = this.types.get(s.$ref)?.type;
      return type && type !== 'object' ? type : s.$ref.slice(s.$ref.lastIndexOf('.') + 1);
    }
    return s.type === 'object' || !s.type ? 'Object' : s.type;
  }

  private fieldList(s: Schema, level: number, history: History): string {
    if (s.$ref && history[s.$ref]) return '';
    const next: History = s.$ref ? { ...history, [s.$ref]: 1 } : history;
    const r = this.resolve(s);
    let text = '';
    for (const name of Object.keys(r.properties ?? {}).sort()) {
      const field = (r.properties as Record<string, Schema>)[name];
      text += this.fieldDetail(r, name, field, level);
      if (this.recursive) text += this.fieldList(field, level + 1, next);
    }
    for (const x of r.allOf ?? []) text += this.fieldList(x, level, next);
    if (r.items) text += this.fieldList(r.items, level, next);
    const values = mapValues(r);
    return values ? text + this.fieldList(values, level, next) : text;
  }

  private fieldDetail(s: Schema, name: string, field: Schema, level: number): string {
    const left = level * 2;
    const need = s.required?.includes(name) ? ' -required-' : '';
    const head = `${indent(left, name)}\t<${this.typeOf(field)}>${need}${shortEnum(field, left)}\n`;
    if (this.recursive) return head;
    const text = indent(left + 2, wrap(field.description || '<no description>', 78 - left));
    const docs = field.externalDocs ? `\n${externalDocs(field.externalDocs, left + 2)}` : '';
    return `${head}${text}\n${docs}\n`;
  }
}

function externalDocs(d: { description?: string; url?: string }, left: number): string {
  let text = `${indent(left, 'EXTERNAL DOCS:')}\n`;
  if (d.description) text += `${indent(left + 4, wrap(d.description, 76 - left))}\n`;
  if (d.url) text += `${indent(left + 4, `URL: ${d.url}`)}\n`;
  return text;
}

const shown = (v: unknown): string => (v === '' ? '""' : String(v));

function shortEnum(s: Schema, left: number): string {
  if (!s.enum?.length) return '';
  const more = s.enum.length > 4 ? ', ....' : '';
  return `\n${' '.repeat(left)}enum: ${s.enum.slice(0, 4).map(shown).join(', ')}${more}`;
}

const longEnum = (s: Schema): string => (s.enum?.length ? `ENUM:${s.enum.map(v => `\n    ${shown(v)}`).join('')}` : '');

/** github.com/mitchellh/go-wordwrap v1.0.1 */
export function wrap(s: string, limit: number): string {
  let out = '';
  let current = 0;
  let word = '';
  let space = '';
  const take = () => {
    current += space.length + word.length;
    out += space + word;
    space = '';
    word = '';
  };
  for (const c of s) {
    if (c === '\n') {
      if (word || current + space.length <= limit) take();
      space = '';
      out += c;
      current = 0;
    } else if (/\s/.test(c) && c !== '\u00a0') {
      if (!space || word) take();
      space += c;
    } else {
      word += c;
      const length = [...word].length;
      if (current + length + space.length > limit && length < limit) {
        out += '\n';
        current = 0;
        space = '';
      }
    }
  }
  return word || current + space.length <= limit ? out + space + word : out;
}
