// describe of kinds without a describer of their own (k8s.io/kubectl v0.36.3, pkg/describe/describe.go: genericDescriber).

import type { KubeObject } from '../../apiserver/types.ts';
import { sprint } from '../../sim/go-print.ts';
import type { Cmd } from '../command.ts';
import { describeEvents } from './events.ts';
import { annotationsMultiline, type Description, labelsMultiline, put, sortedKeys } from './writer.ts';

const SKIP = ['.metadata.managedFields', '.metadata.name', '.metadata.namespace', '.metadata.labels', '.metadata.annotations'];
const ACRONYMS = ['API', 'URL', 'UID', 'GUID'];

/** camelcase.Split: runs of one class; the last capital of a run belongs to the word that follows. */
function camelSplit(s: string): string[] {
  const kind = (c: string) => (/\p{Ll}/u.test(c) ? 1 : /\p{Lu}/u.test(c) ? 2 : /\p{Nd}/u.test(c) ? 3 : 4);
  const runs: string[] = [];
  let last = 0;
  for (const c of s) {
    const k = kind(c);
    if (k === last) runs[runs.length - 1] += c;
    else runs.push(c);
    last = k;
  }
  for (let i = 0; i < runs.length - 1; i++) {
    if (kind(runs[i][0]) === 2 && kind(runs[i + 1][0]) === 1) {
      runs[i + 1] = runs[i].slice(-1) + runs[i + 1];
      runs[i] = runs[i].slice(0, -1);
    }
  }
  return runs.filter(Boolean);
}

function smartLabel(field: string): string {
  if (/[^\p{L}-]/u.test(field)) return field;
  const parts = camelSplit(field);
  const merged: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    const next = parts[i + 1];
    if (parts[i].length >= 2 && parts[i] === parts[i].toUpperCase() && next && /\p{Lu}/u.test(next[0])) {
      merged.push(parts[i] + next);
      i++;
    } else merged.push(parts[i]);
  }
  return merged
    .filter(p => p !== '_')
    .map(p => {
      if (ACRONYMS.includes(p.toUpperCase())) return p.toUpperCase();
      return p.toLowerCase() === p ? p.slice(0, 1).toUpperCase() + p.slice(1) : p;
    })
    .join(' ');
}

const isMap = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

function content(d: Description, level: number, o: Record<string, unknown>, prefix: string): void {
  for (const field of sortedKeys(o)) {
    const value = o[field];
    const path = `${prefix}.${field}`;
    if (value === undefined || SKIP.includes(path)) continue;
    if (isMap(value)) {
      put(d, level, `${smartLabel(field)}:\n`);
      content(d, level + 1, value, path);
    } else if (Array.isArray(value)) {
      put(d, level, `${smartLabel(field)}:\n`);
      for (const child of value) {
        if (isMap(child)) content(d, level + 1, child, path);
        else put(d, level + 1, `${sprint(child)}\n`);
      }
    } else put(d, level, `${smartLabel(field)}:\t${sprint(value)}\n`);
  }
}

export function describeGeneric(cmd: Cmd, d: Description, o: KubeObject, events: KubeObject[] | null): void {
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  put(d, 0, `Namespace:\t${o.metadata.namespace ?? ''}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
  content(d, 0, o as unknown as Record<string, unknown>, '');
  describeEvents(cmd, d, events);
}
