// awk's records: of the operands, one after the other, and of what getline reads.
import { complain, strerror } from '../../../linux/process.ts';
import type { Co } from '../../../sim/task.ts';
import { type Lines, linesOf, nextLine, openInput } from '../tool.ts';
import { unescapeAwk } from './lex.ts';
import { type Awk, arrayOf, regexOf, toStr } from './machine.ts';
import { toNum, type Value } from './values.ts';

export function* readRecord(a: Awk, lines: Lines): Co<string | null> {
  const rs = toStr(a, a.globals.get('RS') as Value);
  if (rs === '\n' || rs.length === 1) return yield* nextLine(a.r, lines, rs);
  if (rs === '') {
    const parts: string[] = [];
    for (let line = yield* nextLine(a.r, lines); line !== null; line = yield* nextLine(a.r, lines)) {
      if (line === '' && parts.length) break;
      if (line !== '') parts.push(line);
    }
    return parts.length ? parts.join('\n') : null;
  }
  while (!lines.ended) {
    const line = yield* nextLine(a.r, lines);
    if (line === null) break;
    lines.buffer = `${line}${lines.newline ? '\n' : ''}${lines.buffer}`;
    const more = yield* drain(a, lines);
    if (!more) break;
  }
  if (!lines.buffer) return null;
  const m = regexOf(a, rs).exec(lines.buffer);
  const text = m ? lines.buffer.slice(0, m.index) : lines.buffer.replace(/\n$/, '');
  lines.buffer = m ? lines.buffer.slice(m.index + m[0].length) : '';
  return text;
}

/** Read a pipe to its end into the buffer. */
function* drain(a: Awk, lines: Lines): Co<boolean> {
  const parts: string[] = [lines.buffer];
  lines.buffer = '';
  for (let line = yield* nextLine(a.r, lines); line !== null; line = yield* nextLine(a.r, lines))
    parts.push(line + (lines.newline ? '\n' : ''));
  lines.buffer = parts.join('');
  return false;
}

/** The next of awk's operands: files, and assignments on the way. */
export function* mainRecord(a: Awk): Co<string | null> {
  for (;;) {
    if (a.main) {
      const text = yield* readRecord(a, a.main);
      if (text !== null) return text;
      a.main = null;
    }
    const argv = arrayOf(a, 'ARGV');
    const argc = toNum(a.globals.get('ARGC') as Value);
    let file: string | null = null;
    while (a.argIndex < argc) {
      const arg = toStr(a, argv.get(String(a.argIndex++)));
      const assignment = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(arg);
      if (assignment) a.globals.set(assignment[1], { s: unescapeAwk(assignment[2]) });
      else if (arg) {
        file = arg;
        break;
      }
    }
    if (file === null) {
      if (a.usedFiles) return null;
      file = '-';
    }
    a.usedFiles = true;
    a.globals.set('FILENAME', file === '-' ? '' : file);
    a.globals.set('FNR', 0);
    const pipe = yield* openInput(a.r, file);
    if (typeof pipe === 'string') {
      complain(a.r.p, a.r.bb ? `awk: ${file}: ${strerror(pipe)}\n` : `awk: cannot open "${file}" (${strerror(pipe)})\n`);
      a.code = 2;
      if (a.r.bb) return null;
      continue;
    }
    a.main = linesOf(pipe);
  }
}

export function count(a: Awk): void {
  a.globals.set('NR', toNum(a.globals.get('NR') as Value) + 1);
  a.globals.set('FNR', toNum(a.globals.get('FNR') as Value) + 1);
}
