// YAML by go-yaml v2's rules, as sigs.k8s.io/yaml reads manifests (go.yaml.in/yaml/v2 v2.4.3, resolve.go).

import { constructFromEvents, defineScalarTag, FAILSAFE_SCHEMA, mergeTag, NOT_RESOLVED, parseEvents } from 'js-yaml';
import { bytesToString, unbase64 } from '../sim/bytes.ts';
import { goYamlError, readerError } from './yaml-errors.ts';

const TRUE = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']);
const FALSE = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']);
const NULL = new Set(['', '~', 'null', 'Null', 'NULL']);
const SPECIAL: Record<string, number> = {};
for (const s of ['.nan', '.NaN', '.NAN']) SPECIAL[s] = Number.NaN;
for (const s of ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']) SPECIAL[s] = Number.POSITIVE_INFINITY;
for (const s of ['-.inf', '-.Inf', '-.INF']) SPECIAL[s] = Number.NEGATIVE_INFINITY;

const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/** A plain scalar that looks like a date stays text: parseTimestamp's formats. */
function isTimestamp(s: string): boolean {
  const m = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt]| )(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/.exec(s);
  if (!m) return false;
  if (m[4] === ' ' ? m[8] !== undefined : m[4] !== undefined && m[8] === undefined) return false;
  const [month, day, hour, minute, second] = [m[2], m[3], m[5] ?? '0', m[6] ?? '0', m[7] ?? '0'].map(Number);
  const days = [
    31,
    Number(m[1]) % 4 === 0 && (Number(m[1]) % 100 !== 0 || Number(m[1]) % 400 === 0) ? 29 : 28,
    31,
    30,
    31,
    30,
    31,
    31,
    30,
    31,
    30,
    31,
  ];
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] && hour < 24 && minute < 60 && second < 60;
}

const U64 = 2n ** 64n;
const I64 = 2n ** 63n;

/** strconv.ParseInt(s, 0, 64), then ParseUint; undefined: neither. */
function parseGoInt(s: string): bigint | undefined {
  const m = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))$/.exec(s);
  if (!m) return undefined;
  const n = BigInt(m[2] ? `0x${m[2]}` : m[3] ? `0b${m[3]}` : m[4] || m[5] ? `0o${m[4] ?? m[5]}` : m[6]);
  const v = m[1] === '-' ? -n : n;
  if (v >= -I64 && v < I64) return v;
  return !m[1] && v < U64 ? v : undefined;
}

/** What a plain scalar means: a value, or undefined = it is text. */
function resolvePlain(s: string): boolean | number | null | undefined {
  if (TRUE.has(s)) return true;
  if (FALSE.has(s)) return false;
  if (NULL.has(s)) return null;
  if (s in SPECIAL) return SPECIAL[s];
  const c = s[0];
  if (c === '.') return /^\.[0-9]+([eE][-+]?[0-9]+)?$/.test(s) && Number.isFinite(Number(s)) ? Number(s) : undefined;
  if (!/[-+0-9]/.test(c)) return undefined;
  if (isTimestamp(s)) return undefined;
  const plain = s.replaceAll('_', '');
  const n = parseGoInt(plain);
  if (n !== undefined) return Number(n);
  if (FLOAT.test(plain)) {
    const f = Number(plain);
    if (Number.isFinite(f)) return f;
  }
  return undefined;
}

const load = (tag: string, implicit: boolean, fits: (v: unknown) => boolean, firstChars: readonly string[] | null) =>
  defineScalarTag(tag, {
    implicit,
    implicitFirstChars: firstChars,
    identify: () => false,
    resolve: source => {
      const v = resolvePlain(source);
      return fits(v) ? v : NOT_RESOLVED;
    },
  });

const binary = defineScalarTag('tag:yaml.org,2002:binary', {
  identify: () => false,
  resolve: source => {
    const bytes = unbase64(source.replace(/\s/g, ''));
    return bytes ? bytesToString(bytes) : NOT_RESOLVED;
  },
});

/** A tag of the document's own changes nothing: its scalar is text. */
const own = defineScalarTag('!', { matchByTagPrefix: true, identify: () => false, resolve: source => source });

const unknown = defineScalarTag('tag:yaml.org,2002:', { matchByTagPrefix: true, identify: () => false, resolve: source => source });

const SCHEMA = FAILSAFE_SCHEMA.withTags(
  own,
  unknown,
  load('tag:yaml.org,2002:bool', true, v => typeof v === 'boolean', [...'yYnNtTfFoO']),
  load('tag:yaml.org,2002:null', true, v => v === null, ['', '~', 'n', 'N']),
  load('tag:yaml.org,2002:int', true, v => typeof v === 'number' && Number.isInteger(v), [...'+-0123456789']),
  load('tag:yaml.org,2002:float', true, v => typeof v === 'number', [...'+-.0123456789']),
  binary,
  mergeTag,
);

export type YamlResult = { value: unknown } | { error: string };

/** One document; a second one in the text is not looked at. The error is as yaml.Unmarshal words it. */
export function readYaml(text: string): YamlResult {
  const early = readerError(text);
  if (early) return { error: early };
  const options = { schema: SCHEMA, json: true, maxAliases: 10_000, maxDepth: 200 };
  let value: unknown;
  try {
    const documents = constructFromEvents(parseEvents(text, options), { ...options, source: text });
    value = documents.length ? documents[0] : null;
  } catch (e) {
    const { reason, message } = e as { reason?: string; message: string };
    return { error: goYamlError(text, reason ?? message) };
  }
  const bad = unsupported(value);
  return bad ? { error: `error converting YAML to JSON: json: unsupported value: ${bad}` } : { value };
}

function unsupported(v: unknown): string | null {
  if (typeof v === 'number') return Number.isNaN(v) ? 'NaN' : v === Infinity ? '+Inf' : v === -Infinity ? '-Inf' : null;
  if (typeof v === 'object' && v !== null) {
    for (const x of Object.values(v)) {
      const bad = unsupported(x);
      if (bad) return bad;
    }
  }
  return null;
}
