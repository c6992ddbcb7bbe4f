/** Words of a line of restore's input: blanks between them, "…" with \" and \\ inside. null: an open quote. */
export function splitLine(line: string): string[] | null {
  if (!line.includes('"')) return line.split(' ').filter(w => w !== ''); // the common line, without quotes
  const out: string[] = [];
  let word = '';
  let quoted = false;
  let any = false;
  for (let i = 0; i < line.length; i++) {
    const ch = line[i];
    if (quoted) {
      if (ch === '\\' && i + 1 < line.length) word += line[++i];
      else if (ch === '"') quoted = false;
      else word += ch;
    } else if (ch === '"') {
      quoted = true;
      any = true;
    } else if (ch === ' ' || ch === '\t' || ch === '\n') {
      if (word !== '' || any) out.push(word);
      word = '';
      any = false;
    } else word += ch;
  }

  if (word !== '' || any) out.push(word);
  return out;
}
