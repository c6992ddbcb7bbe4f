// `diff -u` of two texts (Myers, as GNU diff without its heuristics).

interface Edit {
  kind: ' ' | '-' | '+';
  line: string;
}

function edits(a: string[], b: string[]): Edit[] {
  // Longest common subsequence by dynamic programming: what is compared is a manifest.
  const rows = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) rows[i][j] = a[i] === b[j] ? rows[i + 1][j + 1] + 1 : Math.max(rows[i + 1][j], rows[i][j + 1]);
  const result: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      result.push({ kind: ' ', line: a[i++] });
      j++;
    } else if (i < a.length && (j >= b.length || rows[i + 1][j] >= rows[i][j + 1])) result.push({ kind: '-', line: a[i++] });
    else result.push({ kind: '+', line: b[j++] });
  }
  return result;
}

const lines = (text: string): string[] => (text ? text.replace(/\n$/, '').split('\n') : []);

const range = (start: number, count: number): string => (count === 1 ? String(start) : `${count === 0 ? start - 1 : start},${count}`);

/** Hunks with three lines of context; '' when the texts are equal. */
export function unifiedHunks(before: string, after: string): string {
  if (before === after) return '';
  const all = edits(lines(before), lines(after));
  const changed = all.map((e, n) => (e.kind === ' ' ? -1 : n)).filter(n => n >= 0);
  let text = '';
  let at = 0;
  for (let c = 0; c < changed.length; c = at) {
    let end = c;
    while (end + 1 < changed.length && changed[end + 1] - changed[end] <= 6) end++;
    const from = Math.max(0, changed[c] - 3);
    const to = Math.min(all.length, changed[end] + 4);
    const hunk = all.slice(from, to);
    const oldStart = all.slice(0, from).filter(e => e.kind !== '+').length + 1;
    const newStart = all.slice(0, from).filter(e => e.kind !== '-').length + 1;
    const oldCount = hunk.filter(e => e.kind !== '+').length;
    const newCount = hunk.filter(e => e.kind !== '-').length;
    text += `@@ -${range(oldStart, oldCount)} +${range(newStart, newCount)} @@\n${hunk.map(e => `${e.kind}${e.line}\n`).join('')}`;
    at = end + 1;
  }
  return text;
}
