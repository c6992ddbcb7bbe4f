// What literals in an expression must be worth (cel-go cel/validator.go v0.26.0): patterns, durations and times that are written out.

import { compile } from '../regexp.ts';
import type { Expr } from './ast.ts';
import type { Issue } from './lexer.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import { CelError } from './values.ts';

export function validateLiterals(e: Expr): Issue[] {
  const issues: Issue[] = [];
  visit(e, x => {
    if (x.k !== 'call') return;
    const text = x.fn === 'matches' ? x.args[x.args.length - 1] : x.args.length === 1 && !x.target ? x.args[0] : undefined;
    if (text?.k !== 'const' || typeof text.value !== 'string') return;
    if (x.fn === 'matches' && !compile(text.value)) issues.push({ at: text.at, message: 'invalid matches argument' });
    if (x.fn === 'duration' && !holds(() => parseDuration(text.value as string))) {
      issues.push({ at: text.at, message: 'invalid duration argument' });
    }
    if (x.fn === 'timestamp' && !holds(() => parseTimestamp(text.value as string))) {
      issues.push({ at: text.at, message: 'invalid timestamp argument' });
    }
  });
  return issues;
}

function holds(test: () => unknown): boolean {
  try {
    test();
    return true;
  } catch (e) {
    if (e instanceof CelError) return false;
    throw e;
  }
}

function visit(e: Expr, see: (e: Expr) => void): void {
  see(e);
  const inner: (Expr | null)[] = [];
  if (e.k === 'select') inner.push(e.of);
  if (e.k === 'call') inner.push(e.target, ...e.args);
  if (e.k === 'list') inner.push(...e.items);
  if (e.k === 'map') for (const { key, value } of e.entries) inner.push(key, value);
  if (e.k === 'macro') inner.push(e.range, e.filter, e.body);
  for (const x of inner) if (x) visit(x, see);
}
