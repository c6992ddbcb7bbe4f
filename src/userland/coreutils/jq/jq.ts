// jq: JSON in, filtered JSON out.
import { complain, print, stdinAll, strerror } from '../../../linux/process.ts';
import type { Program } from '../../../linux/types.ts';
import { absolute, readFile } from '../../../linux/vfs.ts';
import { bytesToString } from '../../../sim/bytes.ts';
import type { Userland } from '../../userland.ts';
import { type Run, slurp } from '../tool.ts';
import { fromJson } from './builtins.ts';
import { parseMany } from './input.ts';
import { undefinedName } from './names.ts';
import { type Filter, JqError, JqHalt, parseJq } from './parse.ts';
import { type Env, run } from './run.ts';
import { type Json, truthy, typeOf } from './values.ts';

const sortKeys = (v: Json): Json =>
  Array.isArray(v)
    ? v.map(sortKeys)
    : typeOf(v) === 'object'
      ? Object.fromEntries(
          Object.keys(v)
            .sort()
            .map(k => [k, sortKeys(v[k])]),
        )
      : v;

interface Options {
  flags: Set<string>;
  filter: string | null;
  files: string[];
  vars: Map<string, Json>;
  indent: number | string;
  /** --slurpfile and --rawfile: option, variable, path. */
  fromFiles: [option: string, name: string, path: string][];
}

function options(argv: string[]): Options | string {
  const o: Options = { flags: new Set(), filter: null, files: [], vars: new Map(), indent: 2, fromFiles: [] };
  const positional: Json[] = [];
  /** What operands behind the filter are. */
  let rest: '--args' | '--jsonargs' | null = null;
  const named: Record<string, Json> = {};
  const long: Record<string, string> = {
    'raw-output': 'r',
    'compact-output': 'c',
    'null-input': 'n',
    slurp: 's',
    'exit-status': 'e',
    'join-output': 'j',
    'raw-input': 'R',
    'sort-keys': 'S',
    tab: 't',
    'color-output': 'C',
    'monochrome-output': 'M',
    'ascii-output': 'a',
  };
  for (let i = 0; i < argv.length; i++) {
    const a = argv[i];
    if (a === '--arg' || a === '--argjson') {
      const [name, value] = [argv[++i], argv[++i]];
      named[name] = a === '--arg' ? value : fromJson(value);
    } else if (a === '--slurpfile' || a === '--rawfile') o.fromFiles.push([a.slice(2), argv[++i], argv[++i]]);
    else if (a === '--args' || a === '--jsonargs') rest = a;
    else if (a === '--indent') o.indent = Number(argv[++i]);
    else if (a.startsWith('--') && a.length > 2) {
      const letter = long[a.slice(2)];
      if (!letter) return a;
      o.flags.add(letter);
    } else if (/^-[A-Za-z]+$/.test(a)) for (const c of a.slice(1)) o.flags.add(c);
    else if (o.filter === null) o.filter = a;
    else if (rest === '--args') positional.push(a);
    else if (rest === '--jsonargs') positional.push(fromJson(a));
    else o.files.push(a);
  }
  for (const [k, v] of Object.entries(named)) o.vars.set(k, v);
  o.vars.set('ARGS', { positional, named });
  o.vars.set('__prog_args', positional);
  if (o.flags.has('c')) o.indent = 0;
  if (o.flags.has('t')) o.indent = '\t';
  return o;
}

const HELP = 'Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq\n';
const USAGE = 'Usage:\tjq [OPTIONS] FILTER [FILES...]\n';

export const jq = (u: Userland): Program =>
  function* (p) {
    const o = options(p.argv.slice(1));
    if (typeof o === 'string' || o.filter === null) {
      if (typeof o === 'string') complain(p, `jq: Unknown option ${o}\n${HELP}`);
      else complain(p, USAGE);
      return 2;
    }
    const r: Run = { p, u, bb: false, name: 'jq', options: new Map(), args: [] };
    let filter: Filter;
    try {
      filter = parseJq(o.filter);
    } catch (e) {
      if (!(e instanceof JqError)) throw e;
      complain(p, `jq: error: ${e.message}\njq: 1 compile error\n`);
      return 3;
    }
    const missing = undefinedName(filter, new Set([...o.vars.keys(), ...o.fromFiles.map(f => f[1])]));
    if (missing) {
      complain(p, `jq: error: ${missing} is not defined at <top-level>, line 1:\n${o.filter}\njq: 1 compile error\n`);
      return 3;
    }
    let source = '';
    let status = 0;
    for (const [option, name, path] of o.fromFiles) {
      const data = yield* slurp(r, path);
      if (typeof data === 'string') return 2;
      const text = bytesToString(data);
      o.vars.set(name, option === 'rawfile' ? text : parseMany(text));
    }
    // With -n nothing is read unless the filter asks for it.
    if (!o.flags.has('n') || /\binputs?\b/.test(o.filter)) {
      if (!o.files.length) source = bytesToString(yield* stdinAll(p));
      for (const file of o.files) {
        const data = readFile(p.fs, absolute(file, p.cwd), p);
        if (typeof data === 'string') {
          complain(p, `jq: error: Could not open file ${file}: ${strerror(data)}\n`);
          status = 2;
        } else source += bytesToString(data);
      }
    }
    let waiting: Json[] = [];
    const env: Env = {
      vars: o.vars,
      functions: new Map(),
      closures: new Map(),
      process: p.env,
      nowMs: p.kernel.sim.nowMs,
      next: () => waiting.shift(),
      file: o.files.at(-1) ?? null,
    };
    const where = () => (o.flags.has('n') ? '<unknown>' : `${o.files.at(-1) ?? '<stdin>'}:${source.split('\n').length - 1}`);
    let last: Json;
    try {
      const all = o.flags.has('R') ? source.replace(/\n$/, '').split('\n') : parseMany(source);
      waiting = o.flags.has('s') ? [o.flags.has('R') ? source : all] : all;
      if (o.flags.has('n')) waiting = [null, ...waiting];
      while (waiting.length) {
        const input = waiting.shift();
        try {
          for (const v of run(filter, input, env)) {
            last = v;
            const shape = o.flags.has('S') ? sortKeys(v) : v;
            const raw = (o.flags.has('r') || o.flags.has('j')) && typeof v === 'string';
            print(p, (raw ? v : (JSON.stringify(shape ?? null, null, o.indent) ?? 'null')) + (o.flags.has('j') ? '' : '\n'));
          }
        } catch (e) {
          if (!(e instanceof JqError)) throw e;
          complain(p, `jq: error (at ${where()}): ${e.message}\n`);
          status = 5;
        }
        if (o.flags.has('n')) break;
      }
    } catch (e) {
      if (e instanceof JqHalt) {
        if (e.text !== null) complain(p, e.text);
        return e.code;
      }
      if (!(e instanceof JqError)) throw e;
      complain(p, `jq: parse error: ${e.message}\n`);
      return 2;
    }
    if (o.flags.has('e') && status === 0) return last === undefined ? 4 : truthy(last) ? 0 : 1;
    return status;
  };
