// KYAML: flow style, every string quoted and long ones folded at their newlines (sigs.k8s.io/yaml/kyaml v1.6.0).

import type { TypeRef } from '../apiserver/schema.ts';

/** Keys of a mapping in the order in which they are written, with the types of their values. */
export type Entries = (v: any, type: TypeRef | undefined, top: boolean) => [key: string, type: TypeRef | undefined][];

const sorted: Entries = v =>
  Object.keys(v)
    .filter(k => v[k] !== undefined)
    .sort()
    .map(k => [k, undefined]);

export function kyaml(v: any, type?: TypeRef, entries: Entries = sorted, at = ''): string {
  const inner = `${at}  `;
  if (Array.isArray(v)) {
    if (!v.length) return '[]';
    const element = type?.element;
    if (v.every(x => typeof x === 'object' && x !== null && !Array.isArray(x)))
      return `[${v.map(x => kyaml(x, element, entries, at)).join(', ')}]`;
    return `[\n${v.map(x => `${inner}${kyaml(x, element, entries, inner)},\n`).join('')}${at}]`;
  }
  if (typeof v === 'object' && v !== null) {
    const rows = entries(v, type, at === '');
    if (!rows.length) return '{}';
    return `{\n${rows.map(([k, t]) => `${inner}${key(k)}: ${kyaml(v[k], t, entries, inner)},\n`).join('')}${at}}`;
  }
  if (typeof v === 'string') return quoted(v, inner);
  return v === null ? 'null' : String(v);
}

const key = (k: string): string =>
  /^[A-Za-z_][A-Za-z0-9_.\-/]*$/.test(k) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(k) ? k : JSON.stringify(k);

const FOLD = '\\\n';
const escaped = (s: string): string => JSON.stringify(s).slice(1, -1).replaceAll('\\t', '\t');

/** Blanks that begin a line are escaped; lines without them are moved by one, so that all stand in one column. */
function quoted(s: string, indent: string): string {
  if (!s.includes('\n')) return `"${escaped(s)}"`;
  const parts = s.split('\n');
  const last = parts.pop() as string;
  const line = (text: string) => `${indent}${/^[^\S\n]/.test(text) ? '\\' : ' '}${escaped(text)}`;
  const whole = parts.map(text => `${line(text)}\\n${FOLD}`).join('');
  return `"${FOLD}${whole}${last ? `${line(last)}${FOLD}` : ''}${indent}"`;
}
