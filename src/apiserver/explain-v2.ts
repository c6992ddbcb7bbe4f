// What `kubectl explain --output=plaintext-openapiv2` prints (k8s.io/kubectl/pkg/explain v0.36.3 over kube-openapi's util/proto).

import { type Explanation, type Schema, schemaOf, type Types } from './explain.ts';
import type { ResourceInfo } from './types.ts';

/** util/proto's view of a schema. */
type Model =
  | { kind: 'reference'; name: string; description: string; to: () => Model }
  | { kind: 'array' | 'map'; description: string; element: Model }
  | { kind: 'object'; description: string; fields: Map<string, Model>; required: string[] }
  | { kind: 'primitive'; description: string; type: string }
  | { kind: 'arbitrary'; description: string };

/** Version 2 has one type for a value, and takes the text of these. */
const TEXTS = /\.(Quantity|IntOrString)$/;

/** What version 2 cannot say of custom resources: any value at all (apiextensions-apiserver v0.36.3, pkg/controller/openapi/v2). */
const anything = (s: Schema): boolean => Boolean(s.nullable || s['x-kubernetes-preserve-unknown-fields']);

/** proto.Definitions.ParseSchema. Version 3 writes a reference with something beside it as `allOf`. */
function modelOf(s: Schema, types: Types): Model {
  const description = s.description ?? '';
  if (anything(s)) return { kind: 'arbitrary', description };
  const ref = s.$ref ?? (s.allOf?.length === 1 ? s.allOf[0].$ref : undefined);
  const target = ref === undefined ? undefined : types.get(ref);
  if (ref !== undefined && target) {
    const typed = TEXTS.test(ref) ? { ...target, type: 'string' } : target;
    return { kind: 'reference', name: ref, description, to: () => modelOf(typed, types) };
  }
  if (s.properties && (!s.type || s.type === 'object')) {
    const fields = new Map(Object.entries(s.properties).map(([name, of]) => [name, modelOf(of, types)]));
    return { kind: 'object', description, fields, required: s.required ?? [] };
  }
  if (s.type === 'object') {
    const values = typeof s.additionalProperties === 'object' ? s.additionalProperties : null;
    return { kind: 'map', description, element: values ? modelOf(values, types) : { kind: 'arbitrary', description } };
  }
  if (s.type === 'array') return { kind: 'array', description, element: modelOf(s.items ?? {}, types) };
  return s.type ? { kind: 'primitive', description, type: s.type } : { kind: 'arbitrary', description };
}

/** GetTypeName */
function typeName(m: Model): string {
  switch (m.kind) {
    case 'reference':
      return typeName(m.to());
    case 'array':
      return `[]${typeName(m.element)}`;
    case 'map':
      return `map[string]${typeName(m.element)}`;
    case 'object':
      return 'Object';
    case 'primitive':
      return m.type;
    default:
      return '';
  }
}

/** LookupSchemaForField; a primitive ends the walk wherever it is met. -> the name that is not there */
function lookup(from: Model, path: string[]): Model | string {
  let m = from;
  for (let i = 0; ; ) {
    if (m.kind === 'primitive' || m.kind === 'arbitrary' || i === path.length) return m;
    if (m.kind === 'reference') m = m.to();
    else if (m.kind !== 'object') m = m.element;
    else {
      const field = m.fields.get(path[i]);
      if (!field) return path[i];
      m = field;
      i++;
    }
  }
}

const BULLET = /^(\d+\.?|-|\*)\s/;

/** wrapString: words are filled into lines, what looks like a list, code or a paragraph of its own is not. */
function wrapped(text: string, limit: number): string[] {
  const lines: string[] = [];
  let line = '';
  let last = '';
  const flush = () => {
    if (!line) return;
    last = '';
    lines.push(line);
    line = '';
  };
  for (const s of text.split('\n')) {
    if (s.startsWith('    ')) {
      flush();
      lines.push(s);
      continue;
    }
    const words = s.split(/\s+/).filter(Boolean);
    if (lines.length && !words.length) {
      flush();
      lines.push('');
      continue;
    }
    if (last.endsWith(':') || !words.length || BULLET.test(s.trim())) flush();
    for (const word of words) {
      last = word;
      // Go counts bytes.
      if (line && byteLength(line) + 1 + byteLength(word) > limit) flush();
      line = line ? `${line} ${word}` : word;
    }
  }
  flush();
  return lines;
}

function byteLength(s: string): number {
  let n = 0;
  for (const c of s) {
    const code = c.codePointAt(0) as number;
    n += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return n;
}

const WIDTH = 80;
const written = (indent: number, text: string): string => (text ? `${' '.repeat(indent)}${text}\n` : '\n');
const filled = (indent: number, text: string): string =>
  wrapped(text, WIDTH - indent)
    .map(l => written(indent, l))
    .join('');

function fieldsText(m: Model): string {
  if (m.kind === 'reference') return fieldsText(m.to());
  if (m.kind === 'array' || m.kind === 'map') return fieldsText(m.element);
  if (m.kind !== 'object') return '';
  return [...m.fields.keys()]
    .sort()
    .map(name => {
      const field = m.fields.get(name) as Model;
      const required = m.required.includes(name) ? ' -required-' : '';
      return `${written(3, `${name}\t<${typeName(field)}>${required}`)}${filled(5, field.description)}\n`;
    })
    .join('');
}

function treeText(m: Model, indent: number, within: Set<string>): string {
  if (m.kind === 'reference') return within.has(m.name) ? '' : treeText(m.to(), indent, new Set([...within, m.name]));
  if (m.kind === 'array' || m.kind === 'map') return treeText(m.element, indent, within);
  if (m.kind !== 'object') return '';
  return [...m.fields.keys()]
    .sort()
    .map(name => {
      const field = m.fields.get(name) as Model;
      return written(indent, `${name}\t<${typeName(field)}>`) + treeText(field, indent + 3, within);
    })
    .join('');
}

/** modelPrinter: descriptions add up on the way down to what has fields, or is a value. */
function modelText(from: Model, head: string, name: string, recursive: boolean): string {
  const descriptions: string[] = [];
  let type = '';
  let m = from;
  while (m.kind === 'reference' || m.kind === 'array' || m.kind === 'map') {
    descriptions.push(m.description);
    if (m.kind !== 'reference') type ||= typeName(m);
    m = m.kind === 'reference' ? m.to() : m.element;
  }
  descriptions.push(m.description);
  type ||= typeName(m);
  let text = 'DESCRIPTION:\n';
  descriptions.forEach((d, i) => {
    if (d) text += (i ? '\n' : '') + filled(5, d);
  });
  if (!descriptions.some(Boolean)) text += filled(5, '<empty>');
  if (m.kind === 'arbitrary') return head + text;
  if (m.kind === 'primitive') return `${head}FIELD:    ${name} <${type}>\n\n${text}`;
  const resource = name ? `RESOURCE: ${name} <${type}>\n\n` : '';
  return `${head}${resource}${text}\nFIELDS:\n${recursive ? treeText(m, 3, new Set()) : fieldsText(m)}`;
}

/** `own`: the openAPIV3Schema of a custom resource's version. */
export async function explainV2(
  info: Pick<ResourceInfo, 'group' | 'version' | 'kind'>,
  fields: string[],
  recursive: boolean,
  own?: object,
): Promise<Explanation> {
  const types: Types = new Map();
  const root = await schemaOf(info, types, own);
  const version = info.group ? `${info.group}/${info.version}` : info.version;
  if (!root)
    return { stdout: '', error: `couldn't find resource for ${JSON.stringify(`${info.group ? '' : '/'}${version}, Kind=${info.kind}`)}` };
  const found = lookup(modelOf(root, types), fields);
  if (typeof found === 'string') return { stdout: '', error: `field ${JSON.stringify(found)} does not exist` };
  const head = `KIND:     ${info.kind}\nVERSION:  ${version}\n\n`;
  return { stdout: modelText(found, head, fields.at(-1) ?? '', recursive), error: null };
}
