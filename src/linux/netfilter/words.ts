const IN_QUOTES = /["\\]/g;
const OUTSIDE = /[" \t\n]/g;

/** Words of a line of restore's input: blanks between them, "…" with \" and \\ inside. null: an open quote. */
export function splitLine(line: string): string[] | null {
  if (!line.includes('"')) return line.split(' ').filter(w => w !== ''); // the common line, without quotes
  const out: string[] = [];
  let word = '';
  let any = false;
  const end = () => {
    if (word !== '' || any) out.push(word);
    word = '';
    any = false;
  };
  // Piece by piece, not letter by letter: what stands before a special one is taken at once.
  let quoted = false;
  for (let at = 0; at < line.length; ) {
    const special = quoted ? IN_QUOTES : OUTSIDE;
    special.lastIndex = at;
    const next = special.test(line) ? special.lastIndex - 1 : line.length;
    word += line.slice(at, next);
    at = next + 1;
    const ch = line[next];
    if (ch === '"') {
      quoted = !quoted;
      any = true;
    } else if (ch === '\\') word += line[at++] ?? ch;
    else end();
  }
  end();
  return out;
}
