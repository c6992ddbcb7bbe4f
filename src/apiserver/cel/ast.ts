// An expression after parsing: macros are nodes of their own.

import type { Val } from './values.ts';

export type Expr =
  | { k: 'const'; at: number; value: Val }
  | { k: 'ident'; at: number; name: string }
  /** `test`: has(x.y). `optional`: x.?y. */
  | { k: 'select'; at: number; of: Expr; field: string; test: boolean; optional: boolean }
  /** Operators are functions too: `_+_`, `_[_]`, `_?_:_`. */
  | { k: 'call'; at: number; fn: string; target: Expr | null; args: Expr[] }
  /** `optional`: indexes of the elements written `?x`. */
  | { k: 'list'; at: number; items: Expr[]; optional: number[] }
  | { k: 'map'; at: number; entries: { key: Expr; value: Expr; optional: boolean }[] }
  | { k: 'struct'; at: number; name: string }
  | { k: 'macro'; at: number; name: MacroName; range: Expr; vars: string[]; filter: Expr | null; body: Expr };

export type MacroName =
  | 'all'
  | 'exists'
  | 'existsOne'
  | 'filter'
  | 'map'
  | 'transformList'
  | 'transformMap'
  | 'transformMapEntry'
  | 'optMap'
  | 'optFlatMap'
  | 'sortBy';

/** The names that an expression takes from outside: `self`, `oldSelf`. */
export function freeNames(e: Expr, bound: readonly string[] = []): Set<string> {
  const names = new Set<string>();
  const walk = (x: Expr | null, inner: readonly string[]): void => {
    if (!x) return;
    switch (x.k) {
      case 'ident':
        if (!inner.includes(x.name)) names.add(x.name);
        return;
      case 'select':
        walk(x.of, inner);
        return;
      case 'call':
        walk(x.target, inner);
        for (const a of x.args) walk(a, inner);
        return;
      case 'list':
        for (const a of x.items) walk(a, inner);
        return;
      case 'map':
        for (const { key, value } of x.entries) {
          walk(key, inner);
          walk(value, inner);
        }
        return;
      case 'macro': {
        walk(x.range, inner);
        const below = [...inner, ...x.vars];
        for (const part of [x.filter, x.body]) walk(part, below);
        return;
      }
    }
  };
  walk(e, bound);
  return names;
}
