// Words of a command line -> which command they name, and its flags.

import type { Failure } from './failure.ts';
import { gateIs, type ParsedFlags, parseFlags, wordsWithoutFlags } from './flags.ts';
import type { KubectlHost } from './host.ts';
import { findVerb, VERBS, type VerbRow } from './verbs.ts';

export interface Invocation {
  row: VerbRow | undefined;
  path: string;
  words: string[];
  flags: ParsedFlags | Failure;
  /** The first word, when it names no command. */
  unknown: string | null;
}

/** The commands that this environment's gates let be. */
export const verbsOf = (env: KubectlHost['env']): VerbRow[] =>
  gateIs(env, 'KUBECTL_KUBERC', 'false') ? VERBS.filter(r => r.name !== 'kuberc') : VERBS;

/** cobra's Find: the first words that are no flags name the command, wherever they stand. */
export function resolve(argv: string[], env: KubectlHost['env']): Invocation {
  let rows = verbsOf(env);
  let row: VerbRow | undefined;
  const path: string[] = [];
  let words = argv;
  for (;;) {
    const first = wordsWithoutFlags(words)[0];
    const next = first && findVerb(rows, first.word);
    if (!next) break;
    row = next;
    path.push(next.name);
    words = [...words.slice(0, first.at), ...words.slice(first.at + 1)];
    if (next.name === '__complete') return { row, path: '__complete', words, flags: emptyFlags(words), unknown: null };
    rows = next.subs ?? [];
    if (!rows.length) break;
  }
  const name = path.join(' ');
  const first = wordsWithoutFlags(words)[0]?.word;
  if (!row && first === 'help')
    return { row, path: 'help', words: words.filter(w => w !== 'help'), flags: parseFlags('', words, env), unknown: null };
  if (!row && first !== undefined) return { row, path: name, words, flags: parseFlags('', [], env), unknown: first };
  return { row, path: name, words, flags: parseFlags(name, words, env), unknown: null };
}

const emptyFlags = (args: string[]): ParsedFlags => ({ ...(parseFlags('', [], {}) as ParsedFlags), args });
