// resource.Quantity: exact decimal values with their suffixes (k8s.io/apimachinery/pkg/api/resource v0.36.3).

export interface Quantity {
  /** In units of 10⁻⁹, rounded up as upstream rounds. */
  nano: bigint;
  format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent';
}

const NANO = 1_000_000_000n;
const MILLI = 1_000_000n;
const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_WRONG = "unable to parse quantity's suffix";
const NUMERIC_WRONG = 'unable to parse numeric part of quantity';

const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const MAX = ((1n << 63n) - 1n) * NANO;

/** The quantity, or the parser's error text. */
export function parseQuantity(text: string): Quantity | string {
  if (!text) return FORMAT_WRONG;
  const m = /^([+-]?)(\d*)(?:(\.)(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text);
  if (!m) return FORMAT_WRONG;
  const [, sign, whole, dot, fraction = '', suffix] = m;
  let exponent = 0;
  let shift = 0;
  let format: Quantity['format'] = 'DecimalSI';
  if (suffix in DECIMAL) exponent = DECIMAL[suffix];
  else if (suffix in BINARY) {
    shift = BINARY[suffix];
    format = 'BinarySI';
  } else {
    const e = /^[eE]([+-]?\d+)$/.exec(suffix);
    if (!e) return SUFFIX_WRONG;
    exponent = Number(e[1]);
    format = 'DecimalExponent';
  }
  if (!whole && !fraction) {
    // Only leading zeros may be missing altogether: `+` and `.` are no numbers.
    return dot || sign ? NUMERIC_WRONG : NUMERIC_WRONG;
  }
  let digits = BigInt(whole + fraction || '0') << BigInt(shift);
  const scale = exponent - fraction.length + 9;
  if (scale >= 0) digits *= 10n ** BigInt(Math.min(scale, 60));
  else {
    const divisor = 10n ** BigInt(Math.min(-scale, 400));
    digits = (digits + divisor - 1n) / divisor;
  }
  if (format === 'BinarySI' && digits > MAX) digits = MAX;
  return { nano: sign === '-' ? -digits : digits, format };
}

const SI = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const BI = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** The canonical text. */
export function formatQuantity(q: Quantity): string {
  if (q.nano === 0n) return '0';
  const negative = q.nano < 0n;
  let n = negative ? -q.nano : q.nano;
  const sign = negative ? '-' : '';
  const small = n < 1024n * NANO;
  if (q.format === 'BinarySI' && !small && n % NANO === 0n) {
    n /= NANO;
    let i = 0;
    while (i < 6 && n % 1024n === 0n) {
      n /= 1024n;
      i++;
    }
    return `${sign}${n}${BI[i]}`;
  }
  let i = 0;
  while (i < SI.length - 1 && n % 1000n === 0n) {
    n /= 1000n;
    i++;
  }
  if (q.format !== 'DecimalExponent') return `${sign}${n}${SI[i]}`;
  const exponent = (i - 3) * 3;
  return exponent ? `${sign}${n}e${exponent}` : `${sign}${n}`;
}

/** Up to a thousandth: what an API object keeps of a resource list. */
export function roundToMilli(q: Quantity): Quantity {
  const over = q.nano % MILLI;
  if (over === 0n) return q;
  return { ...q, nano: q.nano < 0n ? q.nano - over - MILLI : q.nano - over + MILLI };
}

export const compareQuantity = (a: Quantity, b: Quantity): number => (a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0);

/** A quantity that was stored, hence is one. */
export function quantity(text: string): Quantity {
  const q = parseQuantity(text);
  return typeof q === 'string' ? { nano: 0n, format: 'DecimalSI' } : q;
}
