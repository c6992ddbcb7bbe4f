// The indented, tab-aligned writer of describe (k8s.io/kubectl v0.36.3, pkg/describe/describe.go: PrefixWriter).

import { alignText, newDescribeWriter } from '../tabwriter.ts';

export interface Description {
  text: string;
  /** Already aligned. */
  done: string;
}

export const newDescription = (): Description => ({ text: '', done: '' });

/** Text at an indentation level of two blanks. */
export function put(d: Description, level: number, text: string): void {
  d.text += '  '.repeat(level) + (text.includes('\x1b') ? text.replaceAll('\x1b', '^[') : text);
}

/** What was written so far keeps its columns; what follows begins new ones. */
export function flush(d: Description): void {
  d.done += alignText(newDescribeWriter(), d.text);
  d.text = '';
}

export function textOf(d: Description): string {
  flush(d);
  return d.done;
}

export const sortedKeys = (o: Record<string, unknown> | undefined | null): string[] => Object.keys(o ?? {}).sort();

/** Title, then one line for each of `lines`. */
export function multiline(d: Description, title: string, lines: string[], initialIndent = '', innerIndent = '\t'): void {
  put(d, 0, `${initialIndent}${title}:${innerIndent}`);
  if (!lines.length) put(d, 0, '<none>\n');
  lines.forEach((line, i) => {
    put(d, 0, `${i ? initialIndent + innerIndent : ''}${line}\n`);
  });
}

export function labelsMultiline(
  d: Description,
  title: string,
  labels: Record<string, string> | undefined,
  initialIndent = '',
  innerIndent = '\t',
): void {
  const lines = sortedKeys(labels).map(k => `${k}=${(labels as Record<string, string>)[k]}`);
  multiline(d, title, lines, initialIndent, innerIndent);
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX = 140;
const shorten = (s: string, n: number) => (s.length > n ? `${s.slice(0, n)}...` : s);

export function annotationsMultiline(d: Description, title: string, annotations: Record<string, string> | undefined): void {
  put(d, 0, `${title}:\t`);
  const keys = sortedKeys(annotations).filter(k => k !== LAST_APPLIED);
  if (!keys.length) put(d, 0, '<none>\n');
  keys.forEach((k, i) => {
    if (i) put(d, 0, '\t');
    const value = (annotations as Record<string, string>)[k].replace(/\n$/, '');
    if (value.length + k.length + 2 > MAX || value.includes('\n')) {
      put(d, 0, `${k}:\n`);
      for (const s of value.split('\n')) put(d, 0, `\t  ${shorten(s, MAX - 2)}\n`);
    } else put(d, 0, `${k}: ${value}\n`);
  });
}

/** labels.FormatLabels */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const keys = sortedKeys(labels);
  return keys.length ? keys.map(k => `${k}=${(labels as Record<string, string>)[k]}`).join(',') : '<none>';
}

export const orNone = (s: string | undefined | null): string => s || '<none>';

/** %v of a list of strings. */
export const goList = (list: unknown[] | undefined): string => `[${(list ?? []).join(' ')}]`;
export const truth = (v: unknown): string => (v ? 'True' : 'False');
