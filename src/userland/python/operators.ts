// Python's operators over the interpreter's values.
import { PyError } from './lex.ts';
import { equal, iterate, repr, str, Thing, Tuple, typeName, type Value } from './values.ts';

export function compare(op: string, a: Value, b: Value): boolean {
  switch (op) {
    case '==':
      return equal(a, b);
    case '!=':
      return !equal(a, b);
    case 'is':
      return a === b;
    case 'is not':
      return a !== b;
    case 'in':
    case 'not in': {
      const found =
        b instanceof Map || b instanceof Set ? b.has(a) : typeof b === 'string' ? b.includes(a) : iterate(b).some(v => equal(v, a));
      return found === (op === 'in');
    }
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      return a >= b;
  }
}

export function arithmetic(op: string, a: Value, b: Value, line: number): Value {
  if (op === '%' && typeof a === 'string') return percent(a, b);
  if (op === '+' && Array.isArray(a) && Array.isArray(b)) return [...a, ...b];
  if (op === '+' && a instanceof Uint8Array && b instanceof Uint8Array) return Uint8Array.from([...a, ...b]);
  if (op === '*' && typeof a === 'string' && typeof b === 'number') return a.repeat(Math.max(0, b));
  if (op === '+' && typeof a === 'string' && typeof b === 'string') return a + b;
  if (op === '-' && a instanceof Thing && b instanceof Thing) return new Thing('datetime.timedelta', { total_seconds: null });
  if (typeof a === 'string' || typeof b === 'string' || a === null || b === null || typeof a === 'object' || typeof b === 'object') {
    if (op === '+' && typeof a === 'string') throw new PyError('TypeError', `can only concatenate str (not "${typeName(b)}") to str`, line);
    throw new PyError('TypeError', `unsupported operand type(s) for ${op}: '${typeName(a)}' and '${typeName(b)}'`, line);
  }
  const [m, n] = [Number(a), Number(b)];
  if ((op === '/' || op === '//' || op === '%') && n === 0)
    throw new PyError('ZeroDivisionError', op === '/' ? 'division by zero' : 'integer division or modulo by zero', line);
  switch (op) {
    case '+':
      return m + n;
    case '-':
      return m - n;
    case '*':
      return m * n;
    case '/':
      return m / n;
    case '//':
      return Math.floor(m / n);
    case '%':
      return m - n * Math.floor(m / n);
    case '**':
      return m ** n;
    case '<<':
      return m << n;
    case '>>':
      return m >> n;
    case '&':
      return m & n;
    case '|':
      return m | n;
    default:
      return m ^ n;
  }
}

/** `'%s: %d' % (a, b)` */
export function percent(text: string, given: Value): string {
  const values = given instanceof Tuple ? [...given.items] : [given];
  return text.replace(/%(?:\((\w+)\))?([-+0 ]*\d*(?:\.\d+)?)([sdrfxi%])/g, (_, key, flags: string, type) => {
    if (type === '%') return '%';
    const v = key ? (given as Map<string, Value>).get(key) : values.shift();
    if (type === 'r') return repr(v);
    const plain = type === 'd' || type === 'i' ? String(Math.trunc(Number(v))) : type === 'x' ? Number(v).toString(16) : str(v);
    const out = type === 'f' ? Number(v).toFixed(Number(/\.(\d+)/.exec(flags)?.[1] ?? 6)) : plain;
    const width = Number(/^[-+0 ]*(\d+)/.exec(flags)?.[1] ?? 0);
    return flags.includes('-') ? out.padEnd(width) : out.padStart(width, flags.startsWith('0') ? '0' : ' ');
  });
}
