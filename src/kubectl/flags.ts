// Command-line parsing by pflag's and cobra's rules (spf13/pflag v1.0.10, spf13/cobra v1.10).

import { goQuote } from '../sim/quote.ts';
import { type Failure, failure } from './failure.ts';
import { FLAGS } from './flag-table.ts';

export type FlagType = 's' | 'b' | 'i' | 'i3' | 'i6' | 'd' | 'a' | 'l' | 'm' | 't';

export interface FlagDef {
  name: string;
  short: string;
  type: FlagType;
  required: boolean;
  default: string;
  /** The value of the flag given without one; '' = it must have one. */
  bare: string;
}

/** What klog's flags are for; no command's help lists them. */
export const KLOG_USAGE: Record<string, string> = {
  'log-flush-frequency': 'Maximum number of seconds between log flushes',
  v: 'number for the log level verbosity',
  version: '--version, --version=raw prints version information and quits; --version=vX.Y.Z... sets the reported version',
  vmodule: 'comma-separated list of pattern=N settings for file-filtered logging (only works for the default text log format)',
};

/** Flags that every command has beside kubectl's own: cobra's help and klog's. */
const COMMON = 'help,h:b|v,v:i|vmodule:s|log-flush-frequency:d=5s';

/** Flags and commands that an environment variable brings in (`true`) or takes away (`false`): cmdutil.FeatureGate. */
const GATES: { path: string; flag: string; variable: string; wanted: 'true' | 'false' }[] = [
  { path: 'apply', flag: 'applyset', variable: 'KUBECTL_APPLYSET', wanted: 'true' },
  { path: '', flag: 'kuberc', variable: 'KUBECTL_KUBERC', wanted: 'false' },
];

type Env = Record<string, string | undefined>;

export const gateIs = (env: Env, variable: string, value: 'true' | 'false'): boolean => env[variable]?.toLowerCase() === value;

/** Is the flag one of this environment's? */
const isOpen = (env: Env, path: string, flag: string): boolean =>
  GATES.every(g => g.flag !== flag || (g.path !== '' && g.path !== path) || gateIs(env, g.variable, g.wanted) === (g.wanted === 'true'));

const cache = new Map<string, FlagDef[]>();

function definitions(text: string): FlagDef[] {
  return text.split('|').map(row => {
    const m = /^([^,:]+)(?:,(.))?:(s|b|i3|i6|i|d|a|l|m|t)(!?)(?:=(.*?))?(?:\?(.*))?$/.exec(row) as RegExpExecArray;
    const type = m[3] as FlagType;
    return {
      name: m[1],
      short: m[2] ?? '',
      type,
      required: m[4] === '!',
      default: m[5] ?? (type === 'b' ? 'false' : type === 'd' ? '0s' : type[0] === 'i' ? '0' : ''),
      bare: m[6] ?? (type === 'b' ? 'true' : ''),
    };
  });
}

/** The flags of a command path (`create secret generic`): its own, then those of all commands. */
export const flagsOf = (path: string, env: Env): FlagDef[] => everyFlagOf(path).filter(f => isOpen(env, path, f.name));

function everyFlagOf(path: string): FlagDef[] {
  let defs = cache.get(path);
  if (!defs) {
    const rows = [FLAGS[path], path.startsWith('config ') ? FLAGS.config : '', FLAGS[''], COMMON].filter(Boolean);
    const seen = new Set<string>();
    defs = rows.flatMap(definitions).filter(f => !seen.has(f.name) && seen.add(f.name));
    cache.set(path, defs);
  }
  return defs;
}

/** pflag's words for flags that are on their way out, by the flag's name. */
export const DEPRECATED: Record<string, string> = {
  record: '--record will be removed in the future',
  'cpu-percent': "Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).",
};

export interface ParsedFlags {
  values: Map<string, string | string[]>;
  /** Those the user gave. */
  changed: Set<string>;
  defs: FlagDef[];
  args: string[];
  /** Arguments before `--`, or -1: there was none. */
  dash: number;
}

const INT = /^[+-]?\d+$/;

/** Go's time.ParseDuration in milliseconds; null: not one. */
export function parseDuration(s: string): number | null {
  if (s === '0' || s === '+0' || s === '-0') return 0;
  const m = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(s);
  if (!m) return null;
  const unit: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let total = 0;
  for (const part of m[2].matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) total += Number(part[1]) * unit[part[2]];
  return m[1] === '-' ? -total : total;
}

function durationError(s: string): string {
  if (s === '' || /^[+-]?$/.test(s) || !/^[+-]?[\d.]/.test(s)) return `time: invalid duration ${goQuote(s)}`;
  if (/^[+-]?(\d+\.?\d*|\.\d+)((ns|us|µs|ms|s|m|h)(\d+\.?\d*|\.\d+))*$/.test(s)) return `time: missing unit in duration ${goQuote(s)}`;
  const bad = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h)(?=[\d.]))*(?:\d+\.?\d*|\.\d+)([^\d.]+)/.exec(s);
  return bad ? `time: unknown unit ${goQuote(bad[1])} in duration ${goQuote(s)}` : `time: invalid duration ${goQuote(s)}`;
}

const BITS: Record<string, [bigint, bigint]> = {
  i: [-(2n ** 63n), 2n ** 63n - 1n],
  i3: [-(2n ** 31n), 2n ** 31n - 1n],
  i6: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** The reason why a value does not fit its flag, in strconv's words; '' = it fits. */
function valueError(def: FlagDef, value: string): string {
  switch (def.type) {
    case 'b':
      return /^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value)
        ? ''
        : `strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`;
    case 'i':
    case 'i3':
    case 'i6': {
      if (/^[+-]?0x[0-9a-f]+$/i.test(value)) return '';
      if (!INT.test(value)) return `strconv.ParseInt: parsing ${goQuote(value)}: invalid syntax`;
      const n = BigInt(value.replace('+', ''));
      return n < BITS[def.type][0] || n > BITS[def.type][1] ? `strconv.ParseInt: parsing ${goQuote(value)}: value out of range` : '';
    }
    case 'd':
      return parseDuration(value) === null ? durationError(value) : '';
    case 'm': {
      const bad = splitComma(value).find(kv => !kv.includes('='));
      if (bad === undefined) return '';
      // One flag is of component-base's own type.
      return def.name === 'aggregation-rule' ? 'malformed pair, expect string=string' : `${bad} must be formatted as key=value`;
    }
    default:
      return '';
  }
}

/** One CSV record, as pflag reads lists. */
function splitComma(s: string): string[] {
  if (s === '') return [];
  if (!s.includes('"')) return s.split(',');
  const out: string[] = [];
  let at = 0;
  for (;;) {
    if (s[at] === '"') {
      let field = '';
      at++;
      while (at < s.length && !(s[at] === '"' && s[at + 1] !== '"')) {
        if (s[at] === '"') at++;
        field += s[at++];
      }
      at++;
      out.push(field);
    } else {
      const comma = s.indexOf(',', at);
      out.push(s.slice(at, comma < 0 ? s.length : comma));
      at = comma < 0 ? s.length : comma;
    }
    if (at >= s.length) return out;
    at++;
  }
}

/** pflag's words for a value that does not fit; '' = it fits. */
export function invalidValue(def: FlagDef, value: string): string {
  const why = valueError(def, value);
  const label = def.short ? `-${def.short}, --${def.name}` : `--${def.name}`;
  return why && `invalid argument ${goQuote(value)} for ${goQuote(label)} flag: ${why}`;
}

function setFlag(out: ParsedFlags, def: FlagDef, value: string, path: string): Failure | null {
  const bad = invalidValue(def, value);
  if (bad) return usage(bad, path);
  if (def.type === 'a' || def.type === 'l' || def.type === 'm') {
    const before = out.changed.has(def.name) ? (out.values.get(def.name) as string[]) : [];
    out.values.set(def.name, [...before, ...(def.type === 'a' ? [value] : splitComma(value))]);
  } else out.values.set(def.name, value);
  out.changed.add(def.name);
  return null;
}

const usage = (message: string, path: string): Failure =>
  failure(`${message}\nSee '${path ? `kubectl ${path}` : 'kubectl'} --help' for usage.`);

/** Parse a command's words. `stopAtFirst`: what follows the first argument is not looked at (plugins). */
export function parseFlags(path: string, words: string[], env: Env): ParsedFlags | Failure {
  const defs = flagsOf(path, env);
  const byName = new Map(defs.map(d => [d.name, d]));
  const byShort = new Map(defs.filter(d => d.short).map(d => [d.short, d]));
  const out: ParsedFlags = { values: new Map(), changed: new Set(), defs, args: [], dash: -1 };
  for (const d of defs) {
    const list = d.type === 'a' || d.type === 'l' || d.type === 'm';
    out.values.set(d.name, list ? splitComma(d.default.replace(/^\[(.*)\]$/, '$1')) : d.default);
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--') {
      out.dash = out.args.length;
      out.args.push(...words.slice(i + 1));
      break;
    }
    if (word[0] !== '-' || word.length === 1) {
      out.args.push(word);
      continue;
    }
    if (word[1] === '-') {
      const eq = word.indexOf('=');
      const name = word.slice(2, eq < 0 ? undefined : eq);
      if (!name || name[0] === '-' || name[0] === '=') return usage(`bad flag syntax: ${word}`, path);
      const def = byName.get(name.replaceAll('_', '-'));
      if (!def) return usage(`unknown flag: --${name}`, path);
      let value: string;
      if (eq >= 0) value = word.slice(eq + 1);
      else if (def.bare) value = def.bare;
      else if (i + 1 < words.length) value = words[++i];
      else return usage(`flag needs an argument: --${name}`, path);
      const error = setFlag(out, def, value, path);
      if (error) return error;
      continue;
    }
    for (let rest = word.slice(1); rest; ) {
      const c = rest[0];
      const def = byShort.get(c);
      if (!def) return usage(`unknown shorthand flag: ${goChar(c)} in -${rest}`, path);
      let value: string;
      if (rest.length > 2 && rest[1] === '=') [value, rest] = [rest.slice(2), ''];
      else if (def.bare) [value, rest] = [def.bare, rest.slice(1)];
      else if (rest.length > 1) [value, rest] = [rest.slice(1), ''];
      else if (i + 1 < words.length) [value, rest] = [words[++i], ''];
      else return usage(`flag needs an argument: ${goChar(c)} in -${rest}`, path);
      const error = setFlag(out, def, value, path);
      if (error) return error;
    }
  }
  return out;
}

const goChar = (c: string) => `'${c === "'" ? "\\'" : c}'`;

/** cobra's ValidateRequiredFlags. */
export function missingRequired(flags: ParsedFlags): Failure | null {
  const missing = flags.defs.filter(d => d.required && !flags.changed.has(d.name)).map(d => `"${d.name}"`);
  return missing.length ? failure(`required flag(s) ${missing.join(', ')} not set`) : null;
}

/** cobra's stripFlags: which words are not flags nor their values, as far as the flags of all commands tell. */
export function wordsWithoutFlags(words: string[]): { word: string; at: number }[] {
  const defs = everyFlagOf('');
  const out: { word: string; at: number }[] = [];
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    if (w === '--') break;
    if (w.startsWith('--') && !w.includes('=')) {
      const def = defs.find(d => d.name === w.slice(2));
      if (!def?.bare) i++;
    } else if (w[0] === '-' && w[1] !== '-' && !w.includes('=') && w.length === 2) {
      const def = defs.find(d => d.short === w[1]);
      if (!def?.bare) i++;
    } else if (w && w[0] !== '-') out.push({ word: w, at: i });
  }
  return out;
}
