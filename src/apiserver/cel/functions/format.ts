// string.format (cel-go ext/formatting.go v0.26.0).

import { formatDuration, formatFloat, formatTimestamp } from '../time.ts';
import { CelError, Duration, MapVal, Obj, Opaque, Opt, Timestamp, TypeVal, typeName, Uint, type Val } from '../values.ts';

export function formatText(pattern: string, args: Val[]): string {
  let next = 0;
  const out = pattern.replace(/%(?:%|(\.\d+)?([a-zA-Z])|$|.)/g, (all, precision: string | undefined, verb: string | undefined) => {
    if (all === '%%') return '%';
    if (all === '%') throw new CelError('could not parse formatting clause: unexpected end of string');
    if (!verb) throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${all.slice(1)}"`);
    if (next >= args.length) throw new CelError(`index ${next} out of range`);
    return clause(verb, precision ? Number(precision.slice(1)) : 6, args[next++]);
  });
  return out;
}

function refuse(clauseName: string, only: string, v: Val): never {
  throw new CelError(`error during formatting: ${clauseName} clause can only be used on ${only}, was given ${typeName(v)}`);
}

const integer = (v: Val): bigint | null => (typeof v === 'bigint' ? v : v instanceof Uint ? v.n : null);

function clause(verb: string, precision: number, v: Val): string {
  switch (verb) {
    case 's':
      return plainText(v);
    case 'd': {
      const n = integer(v) ?? (typeof v === 'number' ? v : null);
      return n === null ? refuse('decimal', 'integers', v) : typeof n === 'number' ? formatFloat(n) : String(n);
    }
    case 'f':
    case 'e': {
      const n = typeof v === 'number' ? v : integer(v);
      if (n === null) return refuse(verb === 'f' ? 'fixed-point' : 'scientific', 'doubles', v);
      return verb === 'f' ? Number(n).toFixed(precision) : scientific(Number(n), precision);
    }
    case 'b':
      return typeof v === 'boolean' ? (v ? '1' : '0') : (integer(v)?.toString(2) ?? refuse('binary', 'integers and bools', v));
    case 'o':
      return integer(v)?.toString(8) ?? refuse('octal', 'integers', v);
    case 'x':
    case 'X': {
      const bytes = typeof v === 'string' ? new Uint8Array([...unescape8(v)].map(ch => ch.charCodeAt(0))) : v;
      const text = bytes instanceof Uint8Array ? [...bytes].map(b => b.toString(16).padStart(2, '0')).join('') : integer(v)?.toString(16);
      if (text === undefined) return refuse('hex', 'integers, byte buffers, and strings', v);
      return verb === 'x' ? text : text.toUpperCase();
    }
  }
  throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
}

/** English, as golang.org/x/text writes it: 1.5×10⁰³. */
function scientific(n: number, precision: number): string {
  const [digits, exponent] = n.toExponential(precision).split('e');
  const e = Number(exponent);
  const raised = [...String(Math.abs(e)).padStart(2, '0')].map(d => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(d)]).join('');
  return `${digits}×10${e < 0 ? '⁻' : ''}${raised}`;
}

/** UTF-8, a byte a character. */
const unescape8 = (s: string): string => encodeURIComponent(s).replace(/%(..)/g, (_, x) => String.fromCharCode(Number.parseInt(x, 16)));

function plainText(v: Val): string {
  if (typeof v === 'string') return v;
  if (typeof v === 'boolean' || typeof v === 'bigint') return String(v);
  if (v === null) return 'null';
  if (typeof v === 'number') return formatFloat(v);
  if (v instanceof Uint) return String(v.n);
  if (v instanceof Uint8Array) return String.fromCharCode(...v);
  if (v instanceof Duration) return formatDuration(v.ns);
  if (v instanceof Timestamp) return formatTimestamp(v.ns);
  if (v instanceof TypeVal) return v.name;
  if (Array.isArray(v)) return `[${v.map(inner).join(', ')}]`;
  if (v instanceof Opt || v instanceof Opaque)
    return refuse('string', 'strings, bools, integers, maps, lists, types, durations, and timestamps', v);
  const pairs: [string, Val][] =
    v instanceof MapVal
      ? [...v.entries.values()].map(([k, x]) => [inner(k), x])
      : v instanceof Obj
        ? [...v.fields].map(([k, x]) => [inner(k), x])
        : [];
  return `{${pairs
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, x]) => `${k}:${inner(x)}`)
    .join(', ')}}`;
}

/** Texts inside of others are quoted. */
const inner = (v: Val): string => (typeof v === 'string' ? JSON.stringify(v) : plainText(v));
