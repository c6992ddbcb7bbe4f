// Objects out of files: YAML or JSON, one or many (apimachinery v0.36.3 pkg/util/yaml/decoder.go; cli-runtime pkg/resource/visitor.go).

import type { KubeObject } from '../apiserver/types.ts';
import { goQuote } from '../sim/quote.ts';
import { parseRfc3339 } from '../sim/time.ts';
import { type Failure, failure } from './failure.ts';
import { goJson } from './go-json.ts';
import { jsonSyntaxError, jsonValueEnd } from './json-scan.ts';
import { readYaml } from './yaml-read.ts';

/** Documents of a text in order; a bad one ends the list with its error. */
export function* documents(text: string): Generator<{ value: unknown } | { error: string }> {
  let rest = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  let firstError = '';
  if (/^\s*\{/.test(rest)) {
    for (let count = 0; ; count++) {
      const start = rest.length - rest.trimStart().length;
      if (start === rest.length) return;
      const end = jsonValueEnd(rest, start);
      let value: unknown;
      let bad = '';
      try {
        value = JSON.parse(rest.slice(start, end));
      } catch {
        const why = jsonSyntaxError(rest.slice(start));
        bad = why.text;
        firstError = `json: offset ${why.offset + start + (text.length - rest.length)}: ${why.text}`;
      }
      if (bad) {
        if (count > 1) {
          yield { error: bad };
          return;
        }
        rest = rest.replace(/^[^\S\n]*\n?/, '');
        break;
      }
      yield { value };
      rest = rest.slice(end);
    }
  }
  for (const chunk of yamlChunks(rest)) {
    const r = 'error' in chunk ? chunk : readYaml(chunk.text);
    if ('error' in r) {
      yield { error: firstError || r.error };
      return;
    }
    firstError = '';
    yield r;
  }
}

/** YAMLReader: documents are what lies between lines that begin with three dashes. `line`: how many lines are before it. */
export function* yamlChunks(text: string): Generator<{ text: string; line: number } | { error: string; line: number }> {
  let buffer = '';
  let start = 0;
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (const [at, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.startsWith('---')) {
      const after = line.slice(3).trim();
      if (after && after[0] !== '#') {
        yield { error: `invalid Yaml document separator: ${after}`, line: at };
        return;
      }
      if (buffer) {
        yield { text: buffer, line: start };
        buffer = '';
      }
    }
    if (!line.startsWith('---')) {
      if (!buffer) start = at;
      buffer += `${line}\n`;
    }
  }
  if (buffer) yield { text: buffer, line: start };
}

/** validation.getObjectKind: what the client checks even though the server validates. */
function validate(value: unknown): string | null {
  const errors = kindErrors(value);
  const list = value as { kind?: unknown; apiVersion?: unknown; items?: unknown };
  if (!errors.length && list.kind === 'List' && list.apiVersion === 'v1')
    errors.push(...(Array.isArray(list.items) ? list.items.flatMap(kindErrors) : [INVALID]));
  const unique = [...new Set(errors)];
  return unique.length > 1 ? `[${unique.join(', ')}]` : (unique[0] ?? null);
}

const INVALID = 'invalid object to validate';

function kindErrors(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [INVALID];
  const o = value as Record<string, unknown>;
  const errors: string[] = [];
  for (const field of ['apiVersion', 'kind']) {
    const v = o[field];
    if (v === undefined || v === null) errors.push(`${field} not set`);
    else if (typeof v !== 'string') errors.push(`${field} isn't string type`);
  }
  return errors;
}

const goType = (v: unknown): string =>
  Array.isArray(v)
    ? 'array'
    : v === null
      ? 'null'
      : typeof v === 'boolean'
        ? 'bool'
        : typeof v === 'object'
          ? 'object'
          : (typeof v as string);

/** time.Parse(time.RFC3339) */
function timeError(s: string): string | null {
  if (parseRfc3339(s) !== null) return null;
  const layout: [string, RegExp][] = [
    ['2006', /^\d{4}/],
    ['-', /^-/],
    ['01', /^\d\d/],
    ['-', /^-/],
    ['02', /^\d\d/],
    ['T', /^T/],
    ['15', /^\d\d/],
    [':', /^:/],
    ['04', /^\d\d/],
    [':', /^:/],
    ['05', /^\d\d(\.\d+)?/],
    ['Z07:00', /^(Z|[+-]\d\d:\d\d)/],
  ];
  let rest = s;
  const what = `parsing time ${goQuote(s)}`;
  for (const [part, pattern] of layout) {
    const m = pattern.exec(rest);
    if (!m) return `${what} as "2006-01-02T15:04:05Z07:00": cannot parse ${goQuote(rest)} as ${goQuote(part)}`;
    rest = rest.slice(m[0].length);
  }
  return rest ? `${what}: extra text: ${goQuote(rest)}` : `${what}: day out of range`;
}

/** The metadata must be of the right types before anything is sent (cli-runtime pkg/resource/metadata_decoder.go). */
function metadataError(o: Record<string, unknown>): string | null {
  const cannot = (v: unknown, field: string, type: string) =>
    `json: cannot unmarshal ${goType(v)} into Go struct field ${field} of type ${type}`;
  const m = o.metadata;
  if (m === undefined || m === null) return null;
  if (typeof m !== 'object' || Array.isArray(m)) return cannot(m, 'metadataOnlyObject.metadata', 'v1.ObjectMeta');
  const meta = m as Record<string, unknown>;
  for (const [key, v] of Object.entries(meta)) {
    if (v === null || v === undefined) continue;
    if (/^(name|generateName|namespace|selfLink|resourceVersion)$/.test(key) && typeof v !== 'string')
      return cannot(v, `ObjectMeta.metadata.${key}`, 'string');
    if (key === 'uid' && typeof v !== 'string') return cannot(v, 'ObjectMeta.metadata.uid', 'types.UID');
    if (/^(generation|deletionGracePeriodSeconds)$/.test(key)) {
      if (typeof v !== 'number') return cannot(v, `ObjectMeta.metadata.${key}`, 'int64');
      if (!Number.isInteger(v)) return `json: cannot unmarshal number ${v} into Go struct field ObjectMeta.metadata.${key} of type int64`;
    }
    if (key === 'labels' || key === 'annotations') {
      if (typeof v !== 'object' || Array.isArray(v)) return cannot(v, `ObjectMeta.metadata.${key}`, 'map[string]string');
      for (const x of Object.values(v)) if (x !== null && typeof x !== 'string') return cannot(x, `ObjectMeta.metadata.${key}`, 'string');
    }
    if (key === 'creationTimestamp' || key === 'deletionTimestamp') {
      if (typeof v !== 'string') return `json: cannot unmarshal ${goType(v)} into Go value of type string`;
      const wrong = timeError(v);
      if (wrong) return wrong;
    }
    if (key === 'finalizers') {
      if (!Array.isArray(v)) return cannot(v, 'ObjectMeta.metadata.finalizers', '[]string');
      for (const x of v) if (x !== null && typeof x !== 'string') return cannot(x, 'ObjectMeta.metadata.finalizers', 'string');
    }
    if (key === 'ownerReferences' && !Array.isArray(v)) return cannot(v, 'ObjectMeta.metadata.ownerReferences', '[]v1.OwnerReference');
    if (key === 'managedFields' && !Array.isArray(v)) return cannot(v, 'ObjectMeta.metadata.managedFields', '[]v1.ManagedFieldsEntry');
  }
  return null;
}

/** Objects of one source; errors end it unless they concern one object only. */
export function* manifestObjects(text: string, source: string, checkKind: boolean): Generator<KubeObject | Failure> {
  for (const d of documents(text)) {
    if ('error' in d) {
      yield failure(`error parsing ${source}: ${d.error}`);
      return;
    }
    if (d.value === null || d.value === undefined) continue;
    const why = checkKind ? validate(d.value) : null;
    if (why) {
      yield failure(
        `error validating ${goQuote(source)}: error validating data: ${why}; if you choose to ignore these errors, turn validation off with --validate=false`,
      );
      return;
    }
    const o = d.value as Record<string, unknown>;
    const undecodable = (text: string) => failure(`unable to decode ${goQuote(source)}: ${text}`);
    if (typeof o !== 'object' || Array.isArray(o)) {
      yield undecodable(
        `json: cannot unmarshal ${goType(o)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
      );
      continue;
    }
    if (!o.kind) {
      yield undecodable(`Object 'Kind' is missing in '${goJson(o)}'`);
      continue;
    }
    const wrong = Array.isArray(o.items) ? null : metadataError(o);
    if (wrong) {
      yield undecodable(wrong);
      continue;
    }
    yield o as unknown as KubeObject;
  }
}

/** One value: a patch, an override. */
export const readValue = (text: string): { value: unknown } | { error: string } => readYaml(text);
