// A terminal's line discipline (n_tty): what a person types becomes lines, echoes and signals. Beside the kernel's part it recalls
// earlier lines with the arrow keys, which in a real container the shell's own editor does.
import { bytesToString, stringToBytes } from '../sim/bytes.ts';
import { closePipe, type Pipe, writePipe } from '../sim/pipe.ts';

export interface Terminal {
  /** Where finished lines go: the program's standard input. */
  program: Pipe;
  /** What the person sees of the keys. */
  echo: (text: string) => void;
  /** ^C, ^\ and ^Z, for the processes in the foreground. */
  signal: (name: 'INT' | 'QUIT') => void;
}

const UP = '\x1b[A';
const DOWN = '\x1b[B';

/** Takes bytes of a raw terminal as they come. */
export function lineDiscipline(t: Terminal): (chunk: Uint8Array) => void {
  const history: string[] = [];
  let line = '';
  let at = 0;
  const replace = (text: string) => {
    t.echo('\b \b'.repeat([...line].length) + text);
    line = text;
  };
  const finish = () => {
    t.echo('\r\n');
    if (line.trim() && history.at(-1) !== line) history.push(line);
    at = history.length;
    writePipe(t.program, `${line}\n`);
    line = '';
  };
  const control = (c: string): boolean => {
    if (c === '\r' || c === '\n') finish();
    else if (c === '\x7f' || c === '\b') {
      if (line) t.echo('\b \b');
      line = [...line].slice(0, -1).join('');
    } else if (c === '\x15') replace('');
    else if (c === '\x17') replace(line.replace(/\S+\s*$/, ''));
    else if (c === '\x03' || c === '\x1c') {
      t.echo(c === '\x03' ? '^C\r\n' : '^\\\r\n');
      line = '';
      t.signal(c === '\x03' ? 'INT' : 'QUIT');
    } else if (c === '\x04') {
      if (line) {
        writePipe(t.program, line);
        line = '';
      } else closePipe(t.program);
    } else return false;
    return true;
  };
  return chunk => {
    const keys = bytesToString(chunk).match(/\x1b(?:\[[0-9;]*[A-Za-z~]|O.)|\r\n|[\s\S]/gu) ?? [];
    for (const key of keys) {
      if (key === UP || key === DOWN) {
        at = Math.max(0, Math.min(history.length, at + (key === UP ? -1 : 1)));
        replace(history[at] ?? '');
      } else if (control(key === '\r\n' ? '\n' : key)) continue;
      else if (key >= ' ') {
        line += key;
        t.echo(key);
      }
    }
  };
}

/** ONLCR: a terminal needs the carriage to return as well. */
export function withCarriageReturns(chunk: Uint8Array): Uint8Array {
  return chunk.includes(10) ? stringToBytes(bytesToString(chunk).replace(/\r?\n/g, '\r\n')) : chunk;
}
