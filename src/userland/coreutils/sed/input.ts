// sed's input across files.
import type { Errno } from '../../../linux/types.ts';
import type { Co } from '../../../sim/task.ts';
import { cannotOpen, error, type Lines, linesOf, nextLine, openInput, type Run } from '../tool.ts';

/** Input across files, one line ahead so that `$` is known. */
export interface Input {
  next: () => Co<string | null>;
  last: () => Co<boolean>;
  newline: () => boolean;
}

export function inputOf(r: Run, files: string[], failed: () => void): Input {
  let at = 0;
  let lines: Lines | null = null;
  let ahead: string | null | undefined;
  let aheadNewline = true;
  let currentNewline = true;
  function* read(): Co<string | null> {
    for (;;) {
      if (!lines) {
        if (at >= files.length) return null;
        const pipe = yield* openInput(r, files[at]);
        if (typeof pipe === 'string') {
          cannotOpenSed(r, files[at], pipe);
          failed();
          at++;
          continue;
        }
        lines = linesOf(pipe);
      }
      const line = yield* nextLine(r, lines);
      aheadNewline = lines.newline;
      if (line !== null) return line;
      lines = null;
      at++;
    }
  }
  return {
    *next() {
      const line = ahead === undefined ? yield* read() : ahead;
      ahead = undefined;
      currentNewline = aheadNewline;
      return line;
    },
    *last() {
      if (ahead === undefined) {
        const keep = currentNewline;
        ahead = yield* read();
        if (ahead === null) currentNewline = keep;
      }
      return ahead === null;
    },
    newline: () => currentNewline,
  };
}

export function cannotOpenSed(r: Run, file: string, e: Errno): void {
  if (r.bb) cannotOpen(r, file, e);
  else
    error(
      r,
      `can't read ${file}: ${e === 'ENOENT' ? 'No such file or directory' : e === 'EISDIR' ? 'Is a directory' : 'Permission denied'}`,
    );
}
