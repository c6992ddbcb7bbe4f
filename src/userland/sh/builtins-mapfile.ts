// mapfile, also called readarray: lines of a descriptor into an array.
import type { Co } from '../../sim/task.ts';
import type { Builtin } from './builtins.ts';
import { readInput } from './builtins-io.ts';
import { fail, say } from './messages.ts';
import { shellQuote } from './quote.ts';
import { runText } from './script.ts';
import type { Shell } from './types.ts';

interface MapOptions {
  trim: boolean;
  delimiter: number;
  count: number;
  skip: number;
  origin: number | null;
  fd: number;
  callback: string | null;
  quantum: number;
  name: string;
}

const USAGE = 'mapfile: usage: mapfile [-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]\n';

function options(sh: Shell, argv: string[]): MapOptions | null {
  const o: MapOptions = {
    trim: false,
    delimiter: 10,
    count: 0,
    skip: 0,
    origin: null,
    fd: 0,
    callback: null,
    quantum: 5000,
    name: 'MAPFILE',
  };
  let i = 1;
  for (; i < argv.length && /^-./.test(argv[i]); i++) {
    if (argv[i] === '--') {
      i++;
      break;
    }
    for (let k = 1; k < argv[i].length; k++) {
      const letter = argv[i][k];
      if (letter === 't') {
        o.trim = true;
        continue;
      }
      if (!'dnOsuCc'.includes(letter)) {
        fail(sh, `${argv[0]}: -${letter}: invalid option`);
        say(sh, 2, USAGE.replaceAll('mapfile', argv[0]));
        return null;
      }
      const value = k + 1 < argv[i].length ? argv[i].slice(k + 1) : (argv[++i] ?? '');
      if (letter === 'd') o.delimiter = value === '' ? 0 : value.charCodeAt(0);
      else if (letter === 'C') o.callback = value;
      else if (!/^\d+$/.test(value)) {
        fail(
          sh,
          `${argv[0]}: ${value}: invalid ${letter === 'O' ? 'array origin' : letter === 'u' ? 'file descriptor specification' : 'line count'}`,
        );
        return null;
      } else if (letter === 'n') o.count = Number(value);
      else if (letter === 'O') o.origin = Number(value);
      else if (letter === 's') o.skip = Number(value);
      else if (letter === 'u') o.fd = Number(value);
      else o.quantum = Number(value);
      break;
    }
  }
  o.name = argv[i] ?? 'MAPFILE';
  return o;
}

export const mapfile: Builtin = {
  only: ['bash'],
  *run(sh, argv): Co<number> {
    const o = options(sh, argv);
    if (!o) return 1;
    if (!/^[A-Za-z_]\w*$/.test(o.name)) {
      fail(sh, `${argv[0]}: \`${o.name}': not a valid identifier`);
      return 1;
    }
    const pipe = sh.fds.get(o.fd);
    if (!pipe) {
      fail(sh, `${argv[0]}: ${o.fd}: invalid file descriptor: Bad file descriptor`);
      return 1;
    }
    // With an origin the array keeps what it has.
    const old = sh.vars.get(o.name);
    const array = o.origin === null ? new Map<number, string>() : new Map(old?.array ?? (old?.value ? [[0, old.value]] : []));
    sh.vars.set(o.name, { ...old, value: null, array });
    const first = o.origin ?? 0;
    const input = { raw: true, delimiter: o.delimiter, count: -1, timeoutMs: Number.POSITIVE_INFINITY, signals: sh };
    for (let n = 0; o.count === 0 || n < o.skip + o.count; n++) {
      const r = yield* readInput(sh, pipe, input);
      if (r.ended && !r.text) break;
      if (n < o.skip) continue;
      const at = first + n - o.skip;
      const line = o.trim || r.ended ? r.text : r.text + String.fromCharCode(o.delimiter);
      if (o.callback !== null && (n - o.skip + 1) % o.quantum === 0) yield* runText(sh, `${o.callback} ${at} ${shellQuote(line)}`);
      array.set(at, line);
      if (r.ended || sh.flow) break;
    }
    return 0;
  },
};
