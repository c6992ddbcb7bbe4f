// A text made ready to be evaluated, or the compiler's words about it.

import { type Expr, freeNames } from './ast.ts';
import { check } from './check.ts';
import { evaluate } from './evaluate.ts';
import type { Issue } from './lexer.ts';
import { baseLibrary, type Library } from './library.ts';
import { validateLiterals } from './literals.ts';
import { parse } from './parser.ts';
import type { Type } from './types.ts';
import type { Val } from './values.ts';

export interface Program {
  type: Type;
  /** The names from outside that it uses. */
  names: Set<string>;
  /** Throws a CelError. `variables`: those without a value are as if they were not declared. */
  run: (variables: Record<string, Val | undefined> | ((name: string) => Val | undefined)) => Val;
}

/** The program, or cel-go's report of what is wrong, a mistake after the other. */
export function compileExpression(source: string, variables: Map<string, Type>, library: Library = baseLibrary()): Program | string {
  const parsed = parse(source);
  if ('issues' in parsed) return report(source, parsed.issues);
  const { expr } = parsed;
  const { type, issues } = check(expr, { variables, library });
  const all = issues.length ? issues : validateLiterals(expr);
  if (all.length) return report(source, all);
  return newProgram(expr, type, library);
}

function newProgram(expr: Expr, type: Type, library: Library): Program {
  return {
    type,
    names: freeNames(expr),
    run: variables => {
      const resolve = typeof variables === 'function' ? variables : (name: string) => variables[name];
      return evaluate(expr, { library, resolve });
    },
  };
}

/** common/error.go: the place, and the line with a mark under it. */
function report(source: string, issues: Issue[]): string {
  return issues
    .map(({ at, message }) => {
      const before = source.slice(0, at).split('\n');
      const column = [...before[before.length - 1]].length;
      const line = source.split('\n')[before.length - 1].replace(/\t/g, ' ');
      return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${line}\n | ${'.'.repeat(column)}^`;
    })
    .join('\n');
}
