// V8's compiled code, kept under podnet's home as Python keeps __pycache__: most of a short command's time is compiling the chunks it loads.
// A chunk's name has the hash of its text in it, so what is kept never gets stale; V8 itself refuses another version's or a torn file.
import * as fs from 'node:fs';
import Module from 'node:module';
import { basename, dirname, join, sep } from 'node:path';
import { Script } from 'node:vm';
import { podnetHome } from './home.ts';

interface Compiling {
  exports: unknown;
  require: (id: string) => unknown;
}

type Compile = (this: Compiling, content: string, filename: string) => unknown;

/** Commands of one kind call the same functions: the verb, and the program that it runs somewhere. */
function kindOf(argv: string[]): string {
  const dashes = argv.indexOf('--');
  const verb = argv.find(w => !w.startsWith('-')) ?? '';
  return [verb, dashes < 0 ? '' : (argv[dashes + 1] ?? '')].map(w => basename(w).replace(/[^\w.-]/g, '')).join(' ');
}

/** Beyond this many kinds the words are not verbs any more. */
const MOST_KINDS = 200;

/**
 * From here on `dist`'s chunks are taken from the cache, and put into it at the end of a command that needed them first, or that was the
 * first of its kind: what it had to compile comes to what was there.
 */
export function useCodeCache(dist: string): void {
  const chunks = join(dist, 'chunks') + sep;
  const home = podnetHome(process.env);
  const folder = join(home, 'cache', `v8-${process.versions.v8}-${process.arch}`);
  const kinds = (read(join(folder, 'kinds'))?.toString() ?? '').split('\n');
  const kind = kindOf(process.argv.slice(2));
  const loaded: { file: string; script: Script }[] = [];
  let fresh = !kinds.includes(kind) && kinds.length < MOST_KINDS;
  const prototype = (Module as unknown as { prototype: { _compile: Compile } }).prototype;
  const original = prototype._compile;
  prototype._compile = function (content, filename) {
    if (!filename.startsWith(chunks)) return original.call(this, content, filename);
    const file = filename.slice(chunks.length);
    const cachedData = read(join(folder, file));
    const script = new Script(Module.wrap(content), { filename, cachedData });
    fresh ||= !cachedData || script.cachedDataRejected === true;
    loaded.push({ file, script });
    const run = script.runInThisContext();
    return run.call(this.exports, this.exports, (id: string) => this.require(id), this, filename, dirname(filename));
  };
  process.on('exit', () => {
    // A command that left no home (help, an error) does not make one for this.
    if (!fresh || !loaded.length || !fs.existsSync(home)) return;
    const list = kinds.includes(kind) ? kinds : [...kinds, kind];
    keep(folder, [...loaded.map(l => ({ file: l.file, data: l.script.createCachedData() })), { file: 'kinds', data: list.join('\n') }]);
  });
}

function read(file: string): Buffer | undefined {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

/** After the run, when V8 has compiled what the command called. A folder that cannot be written costs time only. */
function keep(folder: string, files: { file: string; data: Buffer | string }[]): void {
  try {
    fs.mkdirSync(folder, { recursive: true });
    for (const { file, data } of files) {
      const temporary = join(folder, `${file}.${process.pid}`);
      fs.writeFileSync(temporary, data);
      fs.renameSync(temporary, join(folder, file));
    }
  } catch {
    // A read-only installation, or a full disk.
  }
}
