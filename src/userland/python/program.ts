// python3 FILE, -c CODE, -m http.server: the part of Python that small web servers are written in.
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { readText } from '../servers/daemon.ts';
import { pythonHttpServer } from '../servers/files.ts';
import type { Userland } from '../userland.ts';
import { PyError } from './lex.ts';
import { builtinsOf, modulesOf } from './library.ts';
import { parse } from './parse.ts';
import { execute, type Interpreter } from './run.ts';

function traceback(p: Process, file: string, e: PyError): number {
  if (e.type === 'SystemExit') {
    if (/^-?\d+$/.test(e.message)) return Number(e.message) & 255;
    complain(p, `${e.message}\n`);
    return 1;
  }
  const syntax = /^(SyntaxError|IndentationError)$/.test(e.type);
  if (syntax) complain(p, `  File "${file}", line ${e.line}\n${e.type}: ${e.message}\n`);
  else
    complain(
      p,
      `Traceback (most recent call last):\n  File "${file}", line ${e.line}, in <module>\n${e.type}${e.message ? `: ${e.message}` : ''}\n`,
    );
  return 1;
}

function* runPython(p: Process, file: string, source: string): Co<number> {
  let x: Interpreter;
  const self = () => x;
  x = { globals: { vars: new Map(), parent: null, outer: new Set() }, builtins: builtinsOf(p, self), module: modulesOf(p, self), steps: 0 };
  try {
    yield* execute(x, parse(source), x.globals);
    return 0;
  } catch (e) {
    if (!(e instanceof PyError)) throw e;
    return traceback(p, file, e);
  }
}

export const python = (_u: Userland): Program =>
  function* (p): Co<number> {
    const words = p.argv.slice(1);
    while (/^-[uBEIsS]+$/.test(words[0] ?? '')) words.shift();
    const [first, second] = words;
    if (first === '--version' || first === '-V') {
      print(p, 'Python 3.11.14\n');
      return 0;
    }
    if (first === '-m' && (second === 'http.server' || second === 'SimpleHTTPServer')) return yield* pythonHttpServer(p, words.slice(2));
    if (first === '-c' && second !== undefined) return yield* runPython(p, '<string>', second);
    if (first === '-m') {
      complain(p, `${p.argv[0]}: No module named ${second}\n`);
      return 1;
    }
    if (first === undefined || first.startsWith('-')) {
      complain(p, `${p.argv[0]}: podnet has no interactive Python: a file, -c and -m http.server are modelled\n`);
      return 1;
    }
    const source = readText(p, absolute(first, p.cwd));
    if (source !== null) return yield* runPython(p, absolute(first, p.cwd), source);
    complain(p, `${p.argv[0]}: can't open file '${absolute(first, p.cwd)}': [Errno 2] No such file or directory\n`);
    return 2;
  };
