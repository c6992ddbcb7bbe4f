// Objects as the apiserver's internal types print them: its messages show changes in that form
// (k8s.io/apimachinery/pkg/util/diff v0.36.3: indented JSON, unified diff with three lines of context).

import { goJson } from '../field.ts';
import { INTERNAL } from '../schema/internal.ts';

type Any = any;

interface Field {
  name: string;
  omitEmpty: boolean;
  type: string;
}

let structs: Map<string, Field[]> | null = null;

function fieldsOf(name: string): Field[] {
  structs ??= new Map(
    INTERNAL.trim()
      .split('\n')
      .map(line => {
        const [struct, ...rest] = line.split('|');
        return [
          struct,
          rest.filter(Boolean).map(text => {
            const colon = text.lastIndexOf(':');
            const [field, ...flags] = text.slice(0, colon).split(',');
            return { name: field, omitEmpty: flags.length > 0, type: text.slice(colon + 1) };
          }),
        ];
      }),
  );
  return structs.get(name) ?? [];
}

const ZERO: Record<string, Any> = { string: '', bool: false, int32: 0, int64: 0, float64: 0, quantity: '0', ios: 0, time: null };

function convert(type: string, v: Any): Any {
  if (type.startsWith('*')) return v === undefined || v === null ? null : convert(type.slice(1), v);
  if (type.startsWith('[]')) return v?.length ? v.map((x: Any) => convert(type.slice(2), x)) : v === undefined || v === null ? null : [];
  if (type.startsWith('{}')) {
    const keys = Object.keys(v ?? {}).sort();
    return keys.length ? Object.fromEntries(keys.map(k => [k, convert(type.slice(2), v[k])])) : null;
  }
  if (type.startsWith('@')) return internalValue(type.slice(1), v ?? {});
  return v ?? ZERO[type] ?? '';
}

/** What moved when the internal types were made. */
function rearranged(struct: string, v: Any): Any {
  if (struct === 'PodTemplateSpec') return { ...v.metadata, spec: v.spec };
  if (struct !== 'PodSpec') return v;
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers, ...rest } = v;
  if (rest.securityContext)
    rest.securityContext = { ...rest.securityContext, hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers };
  return rest;
}

export function internalValue(struct: string, versioned: Any): Any {
  const v = rearranged(struct, versioned ?? {});
  const byName = new Map(Object.keys(v).map(k => [k.toLowerCase(), v[k]]));
  const out: Record<string, Any> = {};
  for (const f of fieldsOf(struct)) {
    const given = byName.get(f.name.toLowerCase());
    const value = convert(f.type, given);
    const empty = value === null || value === '' || value === 0 || value === false;
    if (!(f.omitEmpty && empty)) out[f.name] = value;
  }
  return out;
}

/** json.MarshalIndent with one blank; empty containers on one line, as Go has them. */
function pretty(v: Any): string[] {
  const text = JSON.stringify(v, null, 1).replace(/[<>&\u2028\u2029]/g, c => goJson(c).slice(1, -1));
  return text.split('\n');
}

type Op = { tag: ' ' | '-' | '+'; line: string };

/** Common ends aside, a longest common subsequence. */
function script(a: string[], b: string[]): Op[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const x = a.slice(head, a.length - tail);
  const y = b.slice(head, b.length - tail);
  const table = Array.from({ length: x.length + 1 }, () => new Uint32Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--)
      table[i][j] = x[i] === y[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  }
  const middle: Op[] = [];
  let i = 0;
  let j = 0;
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      middle.push({ tag: ' ', line: x[i++] });
      j++;
    } else if (i < x.length && (j >= y.length || table[i + 1][j] >= table[i][j + 1])) middle.push({ tag: '-', line: x[i++] });
    else middle.push({ tag: '+', line: y[j++] });
  }
  const same = (lines: string[]): Op[] => lines.map(line => ({ tag: ' ', line }));
  return [...same(a.slice(0, head)), ...middle, ...same(a.slice(a.length - tail))];
}

const span = (start: number, length: number): string => (length === 1 ? `${start + 1}` : `${length ? start + 1 : start},${length}`);

/** difflib's unified diff without file names. */
function unifiedDiff(a: string[], b: string[]): string {
  const ops = script(a, b);
  const changed = ops.flatMap((o, i) => (o.tag === ' ' ? [] : [i]));
  const groups: [number, number][] = [];
  for (const i of changed) {
    const last = groups[groups.length - 1];
    if (last && i - last[1] <= 6) last[1] = i;
    else groups.push([i, i]);
  }
  let out = '';
  for (const [first, last] of groups) {
    const from = Math.max(0, first - 3);
    const to = Math.min(ops.length, last + 4);
    const before = ops.slice(0, from);
    const hunk = ops.slice(from, to);
    const count = (list: Op[], skip: string) => list.filter(o => o.tag !== skip).length;
    out += `@@ -${span(count(before, '+'), count(hunk, '+'))} +${span(count(before, '-'), count(hunk, '-'))} @@\n`;
    for (const o of hunk) out += `${o.tag}${o.line}\n`;
  }
  return out;
}

export const internalDiff = (struct: string, old: Any, now: Any): string =>
  unifiedDiff(pretty(internalValue(struct, old)), pretty(internalValue(struct, now)));
