// Where in its file an error lies: kubectl names a field, an editor wants line and column.

import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE } from 'js-yaml';
import type { KubeObject } from '../apiserver/types.ts';
import type { Failure } from './failure.ts';
import { yamlChunks } from './manifest.ts';

/** A node of the text: offsets are into the document's own text. */
interface Node {
  at: number;
  /** The scalar's text. */
  text?: string;
  entries?: { key: string; at: number; value: Node }[];
  items?: Node[];
}

interface Document {
  text: string;
  /** Lines of the file before it. */
  line: number;
  /** null: it is empty. */
  root: Node | null;
}

/** Lines `FILE:LINE:COLUMN: FIELD` for what a failure says of objects in manifests; '' when it says nothing of them. */
export function placesOf(failure: Failure): string {
  const lines = (failure.errors ?? [failure]).flatMap(placesOfOne);
  return [...new Set(lines)].map(l => `${l}\n`).join('');
}

function placesOfOne(f: Failure): string[] {
  if (f.manifest?.text === undefined) return [];
  const { source, text, object } = f.manifest;
  const say = (d: Document, offset: number, field: string): string => {
    const before = d.text.slice(0, offset).split('\n');
    return `${source}:${d.line + before.length}:${(before.at(-1) as string).length + 1}${field ? `: ${field}` : ''}`;
  };
  for (const chunk of yamlChunks(text)) {
    if ('error' in chunk) return object ? [] : [`${source}:${chunk.line + 1}:1`];
    let root: Node | null;
    try {
      root = tree(chunk.text);
    } catch (e) {
      const mark = (e as { mark?: { line: number; column: number } }).mark;
      return object || !mark ? [] : [`${source}:${chunk.line + mark.line + 1}:${mark.column + 1}`];
    }
    const document = { ...chunk, root };
    const node = object && root ? find(root, object) : null;
    if (node) return fieldsOf(f).map(field => say(document, deepest(node, steps(field)).at, field));
    if (!object && root && !(entryOf(root, 'kind')?.text && entryOf(root, 'apiVersion')?.text)) return [say(document, root.at, '')];
  }
  return [];
}

/** What the server complains of: the causes of a validation error, the fields that a decoder names; [''] = the object as a whole. */
function fieldsOf(f: Failure): string[] {
  const causes = (f.status?.details?.causes ?? []).map(c => c.field ?? '').filter(c => c && c !== '<nil>');
  if (causes.length) return [...new Set(causes)];
  const named = [...f.message.matchAll(/(?:unknown|duplicate) field "([^"]+)"|Go struct field \w+\.(\S+) of type/g)];
  return named.length ? [...new Set(named.map(m => m[1] ?? m[2]))] : [''];
}

/** `spec.ports[0].name`, `metadata.annotations[a.b/c]` */
const steps = (field: string): string[] => [...field.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(m => m[1] ?? m[0]);

/** The place of a path, or of the last part of it that is there. A decoder leaves out the indices of lists. */
function deepest(node: Node, path: string[]): { at: number; depth: number } {
  let best = { at: node.at, depth: 0 };
  if (!path.length) return best;
  const into = (at: number, value: Node, rest: string[]): void => {
    const r = deepest(value, rest);
    const found = { at: r.depth ? r.at : at, depth: r.depth + 1 };
    if (found.depth > best.depth) best = found;
  };
  for (const e of node.entries ?? []) if (e.key === path[0]) into(e.at, e.value, path.slice(1));
  const index = /^\d+$/.test(path[0]) ? Number(path[0]) : -1;
  if (node.items && index >= 0 && node.items[index]) into(node.items[index].at, node.items[index], path.slice(1));
  else if (index < 0) {
    for (const item of node.items ?? []) {
      const r = deepest(item, path);
      if (r.depth > best.depth) best = r;
    }
  }
  return best;
}

const entryOf = (node: Node | undefined, key: string): Node | undefined => node?.entries?.findLast(e => e.key === key)?.value;

/** The object in a document: itself, or an item of its list. */
function find(root: Node, object: KubeObject): Node | null {
  const meta = entryOf(root, 'metadata');
  const namespace = entryOf(meta, 'namespace')?.text;
  if (
    entryOf(root, 'kind')?.text === object.kind &&
    (entryOf(meta, 'name')?.text ?? '') === (object.metadata?.name ?? '') &&
    (namespace === undefined || !object.metadata?.namespace || namespace === object.metadata.namespace)
  )
    return root;
  for (const item of entryOf(root, 'items')?.items ?? []) {
    const found = find(item, object);
    if (found) return found;
  }
  return null;
}

/** Aliases stay leaves: what they stand for is written elsewhere. */
function tree(text: string): Node | null {
  const events = parseEvents(text, { maxDepth: 200 });
  let i = 0;
  const quoted = (e: Extract<Event, { type: typeof EVENT_ID.SCALAR }>): number =>
    e.style === SCALAR_STYLE.DOUBLE_QUOTED || e.style === SCALAR_STYLE.SINGLE_QUOTED ? 1 : 0;
  const node = (): Node => {
    const e = events[i++];
    if (e.type === EVENT_ID.SCALAR) return { at: e.valueStart - quoted(e), text: getScalarValue(text, e) };
    if (e.type === EVENT_ID.ALIAS) return { at: e.anchorStart - 1 };
    if (e.type === EVENT_ID.SEQUENCE) {
      const items: Node[] = [];
      while (events[i].type !== EVENT_ID.POP) items.push(node());
      i++;
      return { at: e.start, items };
    }
    if (e.type === EVENT_ID.MAPPING) {
      const entries: Node['entries'] = [];
      while (events[i].type !== EVENT_ID.POP) {
        const key = node();
        entries.push({ key: key.text ?? '', at: key.at, value: node() });
      }
      i++;
      return { at: e.start, entries };
    }
    return { at: 0 };
  };
  if (events[i]?.type !== EVENT_ID.DOCUMENT) return null;
  i++;
  return events[i].type === EVENT_ID.POP ? null : node();
}
