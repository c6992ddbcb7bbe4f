// A kuberc's text and its types (k8s.io/kubectl v0.36.3, pkg/kuberc/marshal.go, pkg/config/v1beta1 and v1alpha1).

import { goQuote } from '../sim/quote.ts';
import { yamlChunks } from './manifest.ts';
import { readYaml } from './yaml-read.ts';

export interface Option {
  name: string;
  default: string;
}

interface AllowlistEntry {
  /** Of v1.35; `command` has taken its place. */
  name?: string;
  command?: string;
}

export interface Alias {
  name: string;
  command: string;
  prependArgs?: string[];
  appendArgs?: string[];
  options?: Option[];
}

/** v1beta1; null: not given, written all the same. */
export interface Preference {
  kind?: string;
  apiVersion?: string;
  defaults: { command: string; options: Option[] | null }[] | null;
  aliases: Alias[] | null;
  credentialPluginPolicy?: string;
  credentialPluginAllowlist?: AllowlistEntry[];
}

const GROUP = 'kubectl.config.k8s.io';

export const newPreference = (): Preference => ({ kind: 'Preference', apiVersion: `${GROUP}/v1beta1`, defaults: null, aliases: null });

/** A type: a string, a list of one, or fields; the first of a name is how v1beta1 calls it. */
type Type = 's' | [Type] | { [name: string]: [as: string, type: Type] };

const plain = (type: Type, ...names: string[]) => Object.fromEntries(names.map(n => [n, [n, type]])) as Record<string, [string, Type]>;

const OPTION: Type = plain('s', 'name', 'default');

function preferenceType(version: 'v1beta1' | 'v1alpha1'): Type {
  const [defaults, options] = version === 'v1beta1' ? ['defaults', 'options'] : ['overrides', 'flags'];
  const plugins: Type = [plain('s', 'name', 'command')];
  return {
    ...plain('s', 'kind', 'apiVersion'),
    [defaults]: ['defaults', [{ ...plain('s', 'command'), [options]: ['options', [OPTION]] }]],
    aliases: [
      'aliases',
      [{ ...plain('s', 'name', 'command'), ...plain(['s'], 'prependArgs', 'appendArgs'), [options]: ['options', [OPTION]] }],
    ],
    ...(version === 'v1beta1' ? { ...plain('s', 'credentialPluginPolicy'), ...plain(plugins, 'credentialPluginAllowlist') } : {}),
  };
}

/** What the Go type of a value that does not fit is, with where. */
class Mismatch extends Error {}

const goWord = (v: unknown): string =>
  Array.isArray(v) ? 'array' : typeof v === 'object' ? 'object' : typeof v === 'boolean' ? 'bool' : typeof v;

/** `lenient`: numbers and booleans become strings, as sigs.k8s.io/yaml has it where it knows the type. */
function decode(type: Type, value: unknown, path: string, strict: string[], lenient: boolean): any {
  if (type === 's') {
    if (typeof value === 'string') return value;
    if (value === null) return '';
    if (lenient && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
    throw new Mismatch(`cannot unmarshal ${goWord(value)} into Go struct field Preference.${path} of type string`);
  }
  if (value === null) return Array.isArray(type) ? null : {};
  if (Array.isArray(type)) {
    if (!Array.isArray(value)) throw new Mismatch(`cannot unmarshal ${goWord(value)} into Go struct field Preference.${path} of type []`);
    return value.map((v, i) => decode(type[0], v, `${path}[${i}]`, strict, lenient));
  }
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Mismatch(`cannot unmarshal ${goWord(value)} into Go value of type v1beta1.Preference`);
  const out: Record<string, unknown> = {};
  const fields = value as Record<string, unknown>;
  for (const key of Object.keys(fields).sort()) {
    const at = path ? `${path}.${key}` : key;
    const field = Object.hasOwn(type, key) ? type[key] : undefined;
    if (field) out[field[0]] = decode(field[1], fields[key], at, strict, lenient);
    else strict.push(`unknown field ${goQuote(at)}`);
  }
  return out;
}

const filled = (p: any): Preference => ({
  ...p,
  defaults: p.defaults?.map((d: any) => ({ command: d.command ?? '', options: d.options?.map(filledOption) ?? null })) ?? null,
  aliases:
    p.aliases?.map((a: any) => ({
      name: a.name ?? '',
      command: a.command ?? '',
      ...(a.prependArgs?.length ? { prependArgs: a.prependArgs } : {}),
      ...(a.appendArgs?.length ? { appendArgs: a.appendArgs } : {}),
      ...(a.options?.length ? { options: a.options.map(filledOption) } : {}),
    })) ?? null,
});

const filledOption = (o: Partial<Option>): Option => ({ name: o.name ?? '', default: o.default ?? '' });

/** The first document of `text` that is a Preference; null: the text holds no document at all. */
export function decodePreference(text: string, path: string): { preference: Preference; strict: string[] } | { error: string } | null {
  let attempts = 0;
  for (const chunk of yamlChunks(text)) {
    if ('error' in chunk) return { error: chunk.error };
    if (!chunk.text.trim()) continue;
    attempts++;
    const read = readYaml(chunk.text);
    const value = 'error' in read ? null : (read.value as Record<string, unknown> | null);
    const version = /^kubectl\.config\.k8s\.io\/(v1beta1|v1alpha1)$/.exec(String(value?.apiVersion))?.[1];
    if (!version || value?.kind !== 'Preference') continue;
    const strict: string[] = [];
    try {
      return { preference: filled(decode(preferenceType(version as 'v1beta1'), value, '', strict, false)), strict };
    } catch (e) {
      // A type that does not fit: neither the strict nor the lenient reading holds.
      if (!(e instanceof Mismatch)) throw e;
    }
  }
  return attempts ? { error: `no valid preferences found in ${path}, use --v=5 to see details` } : null;
}

/** The first document as yaml.Unmarshal reads it into a v1beta1 Preference. */
export function unmarshalPreference(text: string): Preference | { error: string } {
  const read = readYaml(text);
  if ('error' in read) return read;
  try {
    return filled(decode(preferenceType('v1beta1'), read.value ?? {}, '', [], true));
  } catch (e) {
    if (!(e instanceof Mismatch)) throw e;
    return { error: `error unmarshaling JSON: while decoding JSON: json: ${e.message}` };
  }
}

/** The internal type has no `name` in its allowlist. */
export const withoutNames = (p: Preference): Preference =>
  p.credentialPluginAllowlist
    ? { ...p, credentialPluginAllowlist: p.credentialPluginAllowlist.map(e => ({ command: e.command || e.name })) }
    : p;
