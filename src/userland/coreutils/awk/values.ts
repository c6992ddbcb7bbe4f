// awk's values: numbers, strings, and strings that look like numbers.
import { AwkError } from './lex.ts';

/** A string that looked like a number when it came in (a field, an element of split) compares as one. */
interface Strnum {
  s: string;
}

export type Value = number | string | Strnum | undefined;

export type Cell = Value | Map<string, Value>;

export const NUMERIC = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;

const LEADING = /^\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?)/;

export const toNum = (v: Value): number => {
  if (typeof v === 'number') return v;
  if (v === undefined) return 0;
  const s = typeof v === 'string' ? v : v.s;
  const m = LEADING.exec(s);
  return m ? Number(m[0]) : 0;
};

export const truthy = (v: Value): boolean =>
  typeof v === 'number'
    ? v !== 0
    : v === undefined
      ? false
      : typeof v === 'string'
        ? v !== ''
        : NUMERIC.test(v.s)
          ? Number(v.s) !== 0
          : v.s !== '';

export function arithmetic(op: string, x: number, y: number): number {
  switch (op[0]) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      if (y === 0) throw new AwkError('division by zero');
      return x / y;
    case '%':
      if (y === 0) throw new AwkError('division by zero in %');
      return x % y;
    default:
      return x ** y;
  }
}
