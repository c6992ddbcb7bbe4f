// The user's preferences: aliases of commands and defaults of flags (k8s.io/kubectl v0.36.3, pkg/kuberc, pkg/config/v1beta1).

import { bytesToString } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import { isFailure } from './failure.ts';
import { pathError } from './files.ts';
import { type FlagDef, flagsOf, invalidValue, wordsWithoutFlags } from './flags.ts';
import { resolve } from './invocation.ts';
import { decodePreference, type Option, type Preference, withoutNames } from './kuberc-decode.ts';
import { type KubercFile, type PreferencesIo, preferencesFailure } from './preferences.ts';
import { findVerb, VERBS } from './verbs.ts';

/** What the file says; null: nothing, or nothing that can be used. */
function preferencesOf(file: KubercFile, io: PreferencesIo): Preference | null {
  const read =
    typeof file.data === 'string'
      ? { error: pathError(file.data === 'EISDIR' ? 'read' : 'open', file.path, file.data) }
      : decodePreference(bytesToString(file.data), file.path);
  if (!read) return null;
  if ('error' in read) {
    if (file.explicit) throw preferencesFailure(`kuberc error kuberc: ${read.error}`);
    io.warn(`kuberc: no preferences loaded from ${file.path}: ${read.error}`);
    return null;
  }
  if (read.strict.length)
    io.warn(`kuberc: ignoring strict decoding error in ${file.path}: strict decoding error: ${read.strict.join(', ')}`);
  return withoutNames(read.preference);
}

function validate(p: Preference): void {
  const refuse = (why: string): never => {
    throw preferencesFailure(why);
  };
  const checkOptions = (options: Option[] | null) => {
    const dashed = options?.find(o => o.name.startsWith('-'));
    if (dashed) refuse(`flag name ${dashed.name} should be in long form without dashes`);
  };
  const seen = new Set<string>();
  for (const a of p.aliases ?? []) {
    if (!/^[a-zA-Z]+$/.test(a.name)) refuse('invalid alias name, can only include alphabetical characters');
    checkOptions(a.options ?? null);
    if (seen.has(a.name)) refuse(`duplicate alias name ${a.name}`);
    seen.add(a.name);
  }
  for (const d of p.defaults ?? []) checkOptions(d.options);
  const why = policyError(p);
  if (why) refuse(why);
}

/** client-go v0.36.3, plugin/pkg/client/auth/exec: ValidatePluginPolicy. */
function policyError(p: Preference): string {
  const [policy, allowed] = [p.credentialPluginPolicy ?? '', p.credentialPluginAllowlist ?? null];
  if (['', 'AllowAll', 'DenyAll'].includes(policy))
    return allowed ? `misconfigured credential plugin allowlist: plugin policy is ${goQuote(policy)} but allowlist is non-nil` : '';
  if (policy !== 'Allowlist') return `unknown plugin policy: ${goQuote(policy)}`;
  if (!allowed) return 'credential plugin policy set to "Allowlist", but allowlist is unspecified';
  if (!allowed.length) return 'credential plugin policy set to "Allowlist", but allowlist is empty; use "DenyAll" policy instead';
  const empty = allowed.findIndex(e => !e.command);
  return empty < 0 ? '' : `misconfigured credential plugin allowlist: empty allowlist entry #${empty + 1}`;
}

/** searchInArgs: is the flag among the words already? What looks like it counts as well. */
function given(def: FlagDef, argv: string[]): boolean {
  return argv.some(
    word =>
      word === `--${def.name}` ||
      word.startsWith(`--${def.name}=`) ||
      (def.short !== '' && (word.startsWith(`-${def.short}`) || (/^-[a-zA-Z]+$/.test(word) && word.slice(1).includes(def.short)))),
  );
}

/** The words that stand for `options` of the command at `path`. */
function wordsOf(
  options: Option[],
  path: string,
  argv: string[],
  io: PreferencesIo,
  say: { unknown: (o: Option) => string; bad: (o: Option) => string },
): string[] {
  const defs = flagsOf(path, io.env);
  return options.flatMap(o => {
    const def = defs.find(d => d.name === o.name);
    if (!def) throw preferencesFailure(say.unknown(o));
    if (given(def, argv)) return [];
    const bad = invalidValue(def, o.default);
    if (bad) throw preferencesFailure(`${say.bad(o)} err: ${bad}`);
    return [`--${o.name}=${o.default}`];
  });
}

const lastWord = (path: string): string => path.slice(path.lastIndexOf(' ') + 1);
const words = (command: string): string[] => command.split(/\s+/).filter(Boolean);

/** cobra's Find: words that name no command are an error at the root only. -> the command's path, or null */
function pathOf(argv: string[]): string | null {
  let rows = VERBS;
  const path: string[] = [];
  let rest = argv;
  for (;;) {
    const first = wordsWithoutFlags(rest)[0];
    const row = first && findVerb(rows, first.word);
    if (!row) return path.length || !first ? path.join(' ') : null;
    path.push(row.name);
    rest = rest.slice(first.at + 1);
    rows = row.subs ?? [];
    if (!rows.length) return path.join(' ');
  }
}

/** argv with the preferences of `file` in it. */
export function applyPreferences(argv: string[], file: KubercFile, io: PreferencesIo): string[] {
  const p = preferencesOf(file, io);
  if (!p) return argv;
  validate(p);
  const i = resolve(argv, io.env);
  // Words that are completed name a command only later.
  const known = i.unknown === null && !['__complete', 'help'].includes(i.path);
  const alias = known ? null : expandAlias(argv, p, io);
  const defaults = alias || known ? defaultsFor(argv, p, io, alias ? alias.name : lastWord(i.path), alias?.name ?? null) : [];
  // Flags may stand before the command, and nothing that follows `--` is one.
  return [...defaults, ...(alias?.argv ?? argv)];
}

function expandAlias(argv: string[], p: Preference, io: PreferencesIo): { name: string; argv: string[] } | null {
  const at = argv.findIndex(w => !w.startsWith('-') && !w.startsWith('__complete'));
  const alias = p.aliases?.find(a => a.name === argv[at]);
  if (!alias) return null;
  const path = pathOf(words(alias.command));
  if (path === null)
    throw preferencesFailure(
      `command ${goQuote(alias.command)} not found to set alias ${goQuote(alias.name)}: [${words(alias.command).join(' ')}]`,
    );
  const options = wordsOf(alias.options ?? [], path, argv, io, {
    unknown: o => `invalid alias flag ${o.name} in alias kubectl`,
    bad: o => `could not apply value ${o.default} to flag ${o.name} in alias kubectl`,
  });
  const [before, after] = [argv.slice(0, at), argv.slice(at + 1)];
  const expanded = [...before, ...words(alias.command), ...options, ...(alias.prependArgs ?? []), ...after, ...(alias.appendArgs ?? [])];
  return { name: alias.name, argv: expanded };
}

/** Defaults reach every command whose last word is the same. */
function defaultsFor(argv: string[], p: Preference, io: PreferencesIo, command: string, alias: string | null): string[] {
  const out: string[] = [];
  for (const d of p.defaults ?? []) {
    const own = words(d.command)[0] === alias && alias !== null;
    const path = own ? alias : pathOf(words(d.command));
    if (path === null) {
      io.warn(`Warning: command ${goQuote(d.command)} not found to set kuberc override\n`);
      continue;
    }
    if (lastWord(path) !== command) continue;
    if (alias !== null) throw preferencesFailure(`alias ${command} can not be overridden`);
    const i = resolve(argv, io.env);
    const target = isFailure(i.flags) ? path : i.path;
    out.push(
      ...wordsOf(d.options ?? [], target, argv, io, {
        unknown: o => `invalid flag ${o.name} for command ${d.command}`,
        bad: o => `could not apply override value ${o.default} to flag ${o.name} in command ${d.command}`,
      }),
    );
  }
  return out;
}
