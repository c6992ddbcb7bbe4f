// sed: a stream editor, POSIX with GNU's -i, -E, +N, first~step, I and e-less extensions.
import { complain } from '../../../linux/process.ts';
import { absolute, lookup, readFile, writeFile } from '../../../linux/vfs.ts';
import type { Co } from '../../../sim/task.ts';
import { binaryArgument, error, fromBinary, has, outBinary, type Run, slurp, type ToolSpec, toBinary, usage } from '../tool.ts';
import { cannotOpenSed } from './input.ts';
import { type Program, parseProgram, SedError } from './parse.ts';
import { type Emit, edit } from './run.ts';

const USAGE = 'sed [-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...\nor: sed [-i[SFX]] [-nrE] CMD [FILE]...';

/** -i's suffix is attached or missing: it never takes the next word. */
export const SED: ToolSpec = {
  short: 'nrEse:f:iuz',
  sticky: 'i',
  long: {
    quiet: 'n',
    silent: 'n',
    'regexp-extended': 'E',
    expression: 'e',
    file: 'f',
    'in-place': 'i',
    separate: 's',
    unbuffered: 'u',
    'null-data': 'z',
    posix: 'u',
  },
  usage: USAGE,
  *run(r) {
    const scripts = [...(r.options.get('e') ?? [])];
    let files = r.args;
    for (const file of r.options.get('f') ?? []) {
      const data = yield* slurp(r, file);
      if (typeof data === 'string') return 1;
      scripts.push(toBinary(data).replace(/^#n\n/, ''));
    }
    if (!scripts.length) {
      if (!files.length && !r.bb) {
        complain(r.p, 'Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n');
        return 1;
      }
      if (!files.length) return usage(r, '', USAGE);
      scripts.push(files[0]);
      files = files.slice(1);
    }
    let program: Program;
    try {
      program = parseProgram(scripts.map(binaryArgument).join('\n'), has(r, 'E') || has(r, 'r'));
    } catch (e) {
      if (!(e instanceof SedError)) throw e;
      return error(
        r,
        r.bb
          ? e.message
              .replace(/^-e expression #1, char \d+: /, '')
              .replace('unknown command: ', 'unsupported command ')
              .replace(/`(.)'$/, '$1')
          : e.message,
      );
    }
    let status = 0;
    const failed = () => {
      status = r.bb ? 1 : 2;
    };
    if (has(r, 'i')) return yield* inPlace(r, program, files, failed, () => status);
    const quit = yield* edit(
      r,
      program,
      files.length ? files : ['-'],
      (text, newline = true) => !outBinary(r, newline ? `${text}\n` : text),
      failed,
    );
    return quit ?? status;
  },
};

function* inPlace(r: Run, program: Program, files: string[], failed: () => void, status: () => number): Co<number> {
  for (const file of files) {
    const path = absolute(file, r.p.cwd);
    const node = lookup(r.p.fs, path, r.p);
    if (typeof node === 'string') {
      cannotOpenSed(r, file, node);
      failed();
      continue;
    }
    let text = '';
    const collect: Emit = (t, newline = true) => {
      text += newline ? `${t}\n` : t;
      return true;
    };
    yield* edit(r, program, [file], collect, failed);
    const suffix = r.options.get('i')?.at(-1) ?? '';
    const before = suffix ? readFile(r.p.fs, path, r.p) : null;
    // A star in the suffix stands for the name.
    const kept = suffix.includes('*') ? suffix.replaceAll('*', file.replace(/.*\//, '')) : `${file.replace(/.*\//, '')}${suffix}`;
    if (before && typeof before !== 'string') writeFile(r.p.fs, `${path.replace(/[^/]*$/, '')}${kept}`, before, r.p);
    const e = writeFile(r.p.fs, path, fromBinary(text), r.p);
    if (e) {
      // The real one writes a temporary file beside it.
      error(
        r,
        r.bb
          ? `can't create temp file '${file}XXXXXX': Read-only file system`
          : `couldn't open temporary file ${path.replace(/[^/]*$/, '')}sedXXXXXX: Read-only file system`,
        4,
      );
      return r.bb ? 1 : 4;
    }
  }
  return status();
}
