// awk: mawk and BusyBox' awk, options and messages.
import { complain } from '../../../linux/process.ts';
import type { Process, Program } from '../../../linux/types.ts';
import type { Co } from '../../../sim/task.ts';
import type { Userland } from '../../userland.ts';
import { binaryArgument, outBinary, type Run, slurp, toBinary } from '../tool.ts';
import { AwkError, unescapeAwk } from './lex.ts';
import { newAwk } from './machine.ts';
import { parseAwk } from './parse.ts';
import { execute } from './run.ts';

export const awk =
  (bb: boolean, mawk = false) =>
  (u: Userland): Program =>
    function* (p: Process): Co<number> {
      const r: Run = { p, u, bb, name: 'awk', options: new Map(), args: [] };
      const words = p.argv.slice(1);
      const assignments: string[] = [];
      const files: string[] = [];
      let fs = ' ';
      while (words.length && /^-./.test(words[0])) {
        const word = words.shift() as string;
        if (word === '--') break;
        if (word === '--version' || word === '-W') {
          outBinary(r, 'mawk 1.3.4 20200120\n');
          return 0;
        }
        const rest = word.slice(2);
        const next = () => rest || (words.shift() ?? '');
        if (word[1] === 'F') fs = unescapeAwk(next());
        else if (word[1] === 'v') assignments.push(next());
        else if (word[1] === 'f') files.push(next());
        else if (word[1] !== 'W' && !word.startsWith('--')) {
          complain(p, bb ? `awk: invalid option -- '${word[1]}'\n` : `awk: not an option: ${word}\n`);
          return bb ? 1 : 2;
        }
      }
      let source = '';
      for (const file of files) {
        const data = yield* slurp(r, file);
        if (typeof data === 'string') return 2;
        source += `${toBinary(data)}\n`;
      }
      if (!files.length) {
        if (!words.length) {
          complain(p, bb ? 'BusyBox awk: usage: awk [OPTIONS] [AWK_PROGRAM] [FILE]...\n' : 'Usage: mawk [Options] [Program] [file ...]\n');
          return bb ? 1 : 2;
        }
        source = binaryArgument(words.shift() as string);
      }
      try {
        const a = newAwk(r, parseAwk(source), fs === 't' ? '\t' : fs, words);
        if (mawk) a.largestInteger = 2 ** 31 - 1;
        for (const text of assignments)
          a.globals.set(text.slice(0, text.indexOf('=')), { s: unescapeAwk(binaryArgument(text.slice(text.indexOf('=') + 1))) });
        return yield* execute(a);
      } catch (e) {
        if (!(e instanceof AwkError)) throw e;
        complain(
          p,
          bb
            ? `awk: cmd. line:1: ${e.message.replace(/^line \d+: /, '').replace(/^syntax error at or near.*/s, 'Syntax error')}\n`
            : `awk: ${e.message}\n`,
        );
        return bb ? 1 : 2;
      }
    };
