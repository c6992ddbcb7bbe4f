// Values as Go's fmt prints them: %v and %#v of what json.Unmarshal makes.

import { compareBytes } from './bytes.ts';
import { goQuote } from './quote.ts';

/** strconv.FormatFloat(f, 'g', -1, 64) with fmt's %v threshold. */
function float(n: number): string {
  if (Number.isInteger(n) && Math.abs(n) < 1e21) return String(n);
  const [m, e] = n.toExponential().split('e');
  const x = Number(e);
  if (x < -4 || x >= 21) return `${m}e${x < 0 ? '-' : '+'}${String(Math.abs(x)).padStart(2, '0')}`;
  return String(n);
}

/** fmt.Sprint */
export function sprint(v: unknown): string {
  if (v === null || v === undefined) return '<nil>';
  if (typeof v === 'string') return v;
  if (typeof v === 'number') return float(v);
  if (typeof v !== 'object') return String(v);
  if (Array.isArray(v)) return `[${v.map(sprint).join(' ')}]`;
  const o = v as Record<string, unknown>;
  return `map[${Object.keys(o)
    .filter(k => o[k] !== undefined)
    .sort(compareBytes)
    .map(k => `${k}:${sprint(o[k])}`)
    .join(' ')}]`;
}

/** fmt.Sprintf("%#v"). */
export function goSyntax(v: unknown): string {
  if (v === null || v === undefined) return 'interface {}(nil)';
  if (typeof v === 'string') return goQuote(v);
  if (typeof v === 'number') return float(v);
  if (typeof v !== 'object') return String(v);
  if (Array.isArray(v)) return `[]interface {}{${v.map(goSyntax).join(', ')}}`;
  const o = v as Record<string, unknown>;
  return `map[string]interface {}{${Object.keys(o)
    .filter(k => o[k] !== undefined)
    .sort(compareBytes)
    .map(k => `${goQuote(k)}:${goSyntax(o[k])}`)
    .join(', ')}}`;
}
