// Functions and their overloads, declared in one line each: `string.startsWith(string) bool`, `size(list<A>) int`,
// `#sets.contains(list<A>,list<A>) bool` (a name with a dot, no receiver).

import { LISTS } from './functions/lists.ts';
import { NET } from './functions/net.ts';
import { OPERATORS } from './functions/operators.ts';
import { QUANTITIES } from './functions/quantities.ts';
import type { Row } from './functions/row.ts';
import { STANDARD } from './functions/standard.ts';
import { STRINGS } from './functions/strings.ts';
import { parseType, type Type } from './types.ts';
import type { Val } from './values.ts';

export interface Overload {
  member: boolean;
  /** The receiver first. */
  params: Type[];
  result: Type;
  run: (...args: any[]) => Val;
}

export type Library = Map<string, Overload[]>;

function declare(library: Library, [signature, run]: Row): void {
  const m = /^(#)?(?:(.+)\.)?([\w@![\]?:+\-*/%<>=&|]+)\((.*)\) (\S+)$/.exec(signature);
  if (!m) throw new Error(`bad declaration: ${signature}`);
  const [, plain, before, last, args, result] = m;
  const name = plain ? `${before}.${last}` : last;
  const receiver = !plain && before ? [before] : [];
  const overload = {
    member: receiver.length > 0,
    params: [...receiver, ...splitTypes(args)].map(parseType),
    result: parseType(result),
    run,
  };
  const known = library.get(name);
  if (known) known.push(overload);
  else library.set(name, [overload]);
}

function splitTypes(text: string): string[] {
  const types: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    if (text[i] === '<') depth++;
    if (text[i] === '>') depth--;
    if ((text[i] === ',' && !depth) || i === text.length) {
      if (i > from) types.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return types;
}

let base: Library | null = null;

/** What Kubernetes' expressions have everywhere (k8s.io/apiserver/pkg/cel/environment/base.go v0.36.3). Made when first asked for. */
export function baseLibrary(): Library {
  if (base) return base;
  base = new Map();
  for (const row of [...OPERATORS, ...STANDARD, ...STRINGS, ...LISTS, ...NET, ...QUANTITIES]) declare(base, row);
  return base;
}

/** The base library and further functions. */
export function extendLibrary(rows: Row[]): Library {
  const library: Library = new Map([...baseLibrary()].map(([k, v]) => [k, [...v]]));
  for (const row of rows) declare(library, row);
  return library;
}
