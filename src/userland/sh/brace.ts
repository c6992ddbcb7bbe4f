// bash's brace expansion, on the source of a word: {a,b}, {1..5}, {a..e..2}.

/** The brace that opens at `at`: its end and the places of its commas; null when it does not close. */
function scan(text: string, at: number): { end: number; commas: number[] } | null {
  let depth = 0;
  const commas: number[] = [];
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === "'" || c === '"') {
      const close = text.indexOf(c, i + 1);
      if (close < 0) return null;
      i = close;
    } else if (c === '$' && (text[i + 1] === '{' || text[i + 1] === '(')) i = skipExpansion(text, i + 1);
    else if (c === '{') depth++;
    else if (c === '}') {
      if (--depth === 0) return { end: i, commas };
    } else if (c === ',' && depth === 1) commas.push(i);
  }
  return null;
}

function skipExpansion(text: string, at: number): number {
  const open = text[at];
  const close = open === '{' ? '}' : ')';
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === open) depth++;
    else if (text[i] === close && --depth === 0) return i;
  }
  return text.length;
}

function sequence(body: string): string[] | null {
  const m = /^(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?$/.exec(body);
  if (!m) return null;
  const letters = /^[A-Za-z]$/.test(m[1]) && /^[A-Za-z]$/.test(m[2]);
  if (!letters && (/[A-Za-z]/.test(m[1]) || /[A-Za-z]/.test(m[2]))) return null;
  const from = letters ? m[1].charCodeAt(0) : Number(m[1]);
  const to = letters ? m[2].charCodeAt(0) : Number(m[2]);
  const stepSize = Math.abs(Number(m[3] ?? 1)) || 1;
  const width = /^-?0\d/.test(m[1]) || /^-?0\d/.test(m[2]) ? Math.max(m[1].length, m[2].length) : 0;
  const out: string[] = [];
  for (let i = from; from <= to ? i <= to : i >= to; i += from <= to ? stepSize : -stepSize) {
    if (letters) out.push(String.fromCharCode(i));
    else out.push(i < 0 ? `-${String(-i).padStart(width - 1, '0')}` : String(i).padStart(width, '0'));
  }
  return out;
}

export function expandBraces(text: string): string[] {
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === "'" || c === '"') {
      const close = text.indexOf(c, i + 1);
      if (close < 0) return [text];
      i = close;
    } else if (c === '$' && (text[i + 1] === '{' || text[i + 1] === '(')) i = skipExpansion(text, i + 1);
    else if (c === '{') {
      const found = scan(text, i);
      if (!found) continue;
      const body = text.slice(i + 1, found.end);
      let options: string[] | null = null;
      if (found.commas.length) {
        const cuts = [i, ...found.commas, found.end];
        options = cuts.slice(1).map((cut, k) => text.slice(cuts[k] + 1, cut));
        options = options.flatMap(expandBraces);
      } else options = sequence(body);
      if (!options) continue;
      const head = text.slice(0, i);
      const tails = expandBraces(text.slice(found.end + 1));
      return options.flatMap(option => tails.map(tail => head + option + tail));
    }
  }
  return [text];
}
