// What a filter calls must be there before it runs.
import type { Filter } from './parse.ts';
import { prelude } from './prelude.ts';
import { isBuiltin } from './run.ts';

/** The first function (`f/1`) or variable (`$x`) that nothing defines, or null. */
export function undefinedName(f: Filter, vars: Set<string>, functions: Set<string> = new Set()): string | null {
  const look = (x: Filter | null, v = vars, fs = functions): string | null => (x ? undefinedName(x, v, fs) : null);
  switch (f.t) {
    case 'call': {
      const name = `${f.name}/${f.args.length}`;
      if (!functions.has(name) && !isBuiltin(f.name, f.args.length) && !prelude().has(name)) return name;
      for (const arg of f.args) {
        const missing = look(arg);
        if (missing) return missing;
      }
      return null;
    }
    case 'variable':
      return f.name === 'ENV' || f.name === '__loc__' || vars.has(f.name) ? null : `$${f.name}`;
    case 'bind':
      return look(f.source) ?? look(f.body, new Set(vars).add(f.name));
    case 'reduce':
    case 'foreach': {
      const inner = new Set(vars).add(f.name);
      return look(f.source) ?? look(f.start) ?? look(f.update, inner) ?? (f.t === 'foreach' ? look(f.extract, inner) : null);
    }
    case 'def': {
      const known = new Set(functions).add(`${f.name}/${f.params.length}`);
      const own = new Set([...known, ...f.params.map(p => `${p.replace(/^\$/, '')}/0`)]);
      const bound = new Set([...vars, ...f.params.filter(p => p.startsWith('$')).map(p => p.slice(1))]);
      return look(f.body, bound, own) ?? look(f.rest, vars, known);
    }
    default:
      for (const part of Object.values(f)) {
        for (const x of Array.isArray(part) ? part.flatMap(e => (e && 'key' in Object(e) ? [e.key, e.value] : [e])) : [part]) {
          const missing = x !== null && typeof x === 'object' && 't' in x ? look(x as Filter) : null;
          if (missing) return missing;
        }
      }
      return null;
  }
}
