/** JSON as iproute2's writer lays it out (lib/json_writer.c): compact, or pretty with its own idea of arrays. Undefined members are left out. */
export function toJson(value: unknown, pretty: boolean): string {
  const w: Writer = { out: '', depth: 0, sep: '', pretty };
  write(w, value);
  return w.out;
}

interface Writer {
  out: string;
  depth: number;
  sep: string;
  pretty: boolean;
}

const eol = (w: Writer): void => {
  if (w.pretty) w.out += `\n${'    '.repeat(w.depth)}`;
};

function begin(w: Writer, c: string): void {
  w.out += w.sep + c;
  w.depth++;
  w.sep = '';
}

function write(w: Writer, v: unknown): void {
  if (Array.isArray(v)) {
    begin(w, '[');
    if (w.pretty) w.out += ' ';
    for (const x of v) write(w, x);
    if (w.pretty && w.sep) w.out += ' ';
    w.sep = '';
    w.depth--;
    w.out += ']';
  } else if (v !== null && typeof v === 'object') {
    begin(w, '{');
    for (const [k, x] of Object.entries(v)) {
      if (x === undefined) continue;
      w.out += w.sep;
      eol(w);
      w.sep = '';
      w.out += `"${k}":${w.pretty ? ' ' : ''}`;
      write(w, x);
    }
    w.depth--;
    if (w.sep) eol(w);
    w.out += '}';
  } else w.out += w.sep + JSON.stringify(v ?? null);
  w.sep = ',';
}
