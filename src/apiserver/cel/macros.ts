// Calls that are no functions (cel-go parser/macro.go, ext/comprehensions.go, ext/lists.go, cel/library.go v0.26.0).

import type { Expr, MacroName } from './ast.ts';
import { SyntaxIssue } from './lexer.ts';

export function expandGlobal(at: number, fn: string, args: Expr[]): Expr {
  if (fn !== 'has' || args.length !== 1) return { k: 'call', at, fn, target: null, args };
  const [a] = args;
  if (a.k !== 'select' || a.optional) throw new SyntaxIssue(a.at, 'invalid argument to has() macro');
  return { ...a, at, test: true };
}

interface Shape {
  name: MacroName;
  /** How many of the arguments are variables. */
  vars: number;
  /** Before the last one a filter. */
  filtered?: boolean;
}

/** By name and number of arguments. */
const MEMBERS: Record<string, Shape> = {
  'all/2': { name: 'all', vars: 1 },
  'all/3': { name: 'all', vars: 2 },
  'exists/2': { name: 'exists', vars: 1 },
  'exists/3': { name: 'exists', vars: 2 },
  'exists_one/2': { name: 'existsOne', vars: 1 },
  'existsOne/2': { name: 'existsOne', vars: 1 },
  'existsOne/3': { name: 'existsOne', vars: 2 },
  'filter/2': { name: 'filter', vars: 1 },
  'map/2': { name: 'map', vars: 1 },
  'map/3': { name: 'map', vars: 1, filtered: true },
  'transformList/3': { name: 'transformList', vars: 2 },
  'transformList/4': { name: 'transformList', vars: 2, filtered: true },
  'transformMap/3': { name: 'transformMap', vars: 2 },
  'transformMap/4': { name: 'transformMap', vars: 2, filtered: true },
  'transformMapEntry/3': { name: 'transformMapEntry', vars: 2 },
  'transformMapEntry/4': { name: 'transformMapEntry', vars: 2, filtered: true },
  'optMap/2': { name: 'optMap', vars: 1 },
  'optFlatMap/2': { name: 'optFlatMap', vars: 1 },
  'sortBy/2': { name: 'sortBy', vars: 1 },
};

export function expandMember(at: number, target: Expr, fn: string, args: Expr[]): Expr {
  const shape = MEMBERS[`${fn}/${args.length}`];
  if (!shape) return { k: 'call', at, fn, target, args };
  const vars = args.slice(0, shape.vars).map(a => {
    if (a.k !== 'ident') throw new SyntaxIssue(a.at, fn === 'optMap' ? 'optMap() variable name must be a simple identifier' : NO_NAME);
    return a.name;
  });
  if (vars.length === 2 && vars[0] === vars[1]) throw new SyntaxIssue(args[1].at, `duplicate variable name: ${vars[0]}`);
  const rest = args.slice(shape.vars);
  return {
    k: 'macro',
    at,
    name: shape.name,
    range: target,
    vars,
    filter: shape.filtered ? rest[0] : null,
    body: rest[rest.length - 1],
  };
}

const NO_NAME = 'argument must be a simple name';
