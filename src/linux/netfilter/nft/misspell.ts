// The name that was meant by one that is not there (src/misspell.c of nftables 1.0.6).

/** Damerau and Levenshtein's distance: letters put in, left out, changed, and neighbours that changed places. */
function distance(a: string, b: string): number {
  const d = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => (i ? (j ? 0 : i) : j)));
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      d[i][j] = Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + cost);
    }
  return d[a.length][b.length];
}

/** How far names of these lengths may lie apart. */
function threshold(a: string, b: string): number {
  const most = Math.max(a.length, b.length);
  if (most <= 1) return 0;
  return most - Math.min(a.length, b.length) <= 1 ? Math.max(Math.floor(most / 3), 1) : Math.floor((most + 2) / 3);
}

/** The first of the nearest, or null. */
export function alike<T>(all: readonly T[], nameOf: (x: T) => string, input: string): T | null {
  let best: { x: T; d: number } | null = null;
  for (const x of all) {
    const d = distance(input, nameOf(x));
    if (d <= threshold(input, nameOf(x)) && (!best || d < best.d)) best = { x, d };
  }
  return best?.x ?? null;
}
