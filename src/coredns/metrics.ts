// CoreDNS' counters and how /metrics shows them (prometheus' text format 0.0.4, common v0.67.5 expfmt/text_create.go). They belong to the
// process: a reload of the Corefile leaves them.
import { compareBytes } from '../sim/bytes.ts';
import { FAMILIES, type Family, type FamilyName } from './metric-families.ts';

/** A counter's or gauge's value; a histogram's observations by bucket (the last is +Inf's), their sum. */
interface Series {
  values: string[];
  value: number;
  counts?: number[];
}

/** Family -> series by its label values. */
export type Metrics = Map<string, Map<string, Series>>;

export const newMetrics = (): Metrics => new Map();

function seriesOf(m: Metrics, name: FamilyName, values: string[]): Series {
  const key = values.join('\0');
  let all = m.get(name);
  if (!all) m.set(name, (all = new Map()));
  let one = all.get(key);
  const { buckets }: Family = FAMILIES[name];
  if (!one) all.set(key, (one = { values, value: 0, ...(buckets ? { counts: Array(buckets.length + 1).fill(0) } : {}) }));
  return one;
}

/** Label values in the order of the family's labels. */
export function increase(m: Metrics, name: FamilyName, ...values: string[]): void {
  seriesOf(m, name, values).value++;
}

export function setGauge(m: Metrics, name: FamilyName, value: number, ...values: string[]): void {
  seriesOf(m, name, values).value = value;
}

export function dropSeries(m: Metrics, name: FamilyName, ...values: string[]): void {
  m.get(name)?.delete(values.join('\0'));
}

/** All of a family. */
export function reset(m: Metrics, name: FamilyName): void {
  m.delete(name);
}

/** `times`: as many observations of the same value. */
export function observe(m: Metrics, name: FamilyName, value: number, values: string[] = [], times = 1): void {
  const s = seriesOf(m, name, values);
  const bounds = (FAMILIES[name] as Family).buckets ?? [];
  const at = bounds.findIndex(b => value <= b);
  (s.counts as number[])[at < 0 ? bounds.length : at] += times;
  s.value += value * times;
}

/** How many observations a histogram without labels has seen. */
export const observationsOf = (m: Metrics, name: FamilyName): number => (seriesOf(m, name, []).counts ?? []).reduce((a, b) => a + b, 0);

/** strconv 'g' with the fewest digits: an exponent below 1e-4 and from 1e6 on, of two digits at least. */
function floatText(x: number): string {
  const [digits, exponent] = x.toExponential().split('e');
  const e = Number(exponent);
  if (x === 0 || (e >= -4 && e < 6)) return String(x);
  return `${digits}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
}

const escaped = (s: string): string => s.replace(/[\\\n"]/g, c => (c === '\n' ? '\\n' : `\\${c}`));

const labelled = (pairs: [string, string][]): string =>
  pairs.length ? `{${pairs.map(([k, v]) => `${k}="${escaped(v)}"`).join(',')}}` : '';

function lines(name: string, pairs: [string, string][], s: Series, f: Family): string[] {
  if (!s.counts) return [`${name}${labelled(pairs)} ${floatText(s.value)}`];
  const out: string[] = [];
  let sum = 0;
  s.counts.forEach((n, i) => {
    sum += n;
    const bound = f.buckets?.[i];
    out.push(`${name}_bucket${labelled([...pairs, ['le', bound === undefined ? '+Inf' : floatText(bound)]])} ${sum}`);
  });
  return [...out, `${name}_sum${labelled(pairs)} ${floatText(s.value)}`, `${name}_count${labelled(pairs)} ${sum}`];
}

/** Families and series in the order of their names and labels, as a registry gathers them. */
export function exposition(m: Metrics): string {
  let out = '';
  for (const name of (Object.keys(FAMILIES) as FamilyName[]).sort(compareBytes)) {
    const f: Family = FAMILIES[name];
    if (!f.labels.length) seriesOf(m, name, []);
    const series = [...(m.get(name)?.values() ?? [])].map(s => ({
      s,
      pairs: f.labels.map((l, i): [string, string] => [l, s.values[i]]).sort(([a], [b]) => compareBytes(a, b)),
    }));
    if (!series.length) continue;
    series.sort((a, b) => compareLabels(a.pairs, b.pairs));
    out += `# HELP ${name} ${f.help}\n# TYPE ${name} ${f.type}\n`;
    for (const { s, pairs } of series)
      out += lines(name, pairs, s, f)
        .map(l => `${l}\n`)
        .join('');
  }
  return out;
}

function compareLabels(a: [string, string][], b: [string, string][]): number {
  for (let i = 0; i < a.length; i++) {
    const c = compareBytes(a[i][1], b[i][1]);
    if (c) return c;
  }
  return 0;
}

// -- between two commands

export const keptMetrics = (m: Metrics): unknown => [...m].map(([name, all]) => [name, [...all.values()]]);

export function restoredMetrics(kept: unknown): Metrics {
  const m = newMetrics();
  for (const [name, all] of (kept as [string, Series[]][] | undefined) ?? [])
    m.set(name, new Map(all.map(s => [s.values.join('\0'), { ...s, counts: s.counts && [...s.counts] }])));
  return m;
}
