// How podnet loads its own build. Node's loader asks the file system a dozen questions for each file and compiles what it reads; here a
// file lies where its importer says, and V8's compiled code is kept under podnet's home as Python keeps __pycache__: both are most of a
// short command's time. A chunk's name has the hash of its text in it, so what is kept never gets stale; V8 itself refuses another
// version's or a torn file.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { podnetHome } from './home.ts';

interface Module {
  exports: unknown;
}
type Require = (id: string) => unknown;
type Compiled = (exports: unknown, require: Require, module: Module, filename: string, dirname: string) => void;

/** Commands of one kind call the same functions: the verb, and the program that it runs somewhere. */
function kindOf(argv: string[]): string {
  const dashes = argv.indexOf('--');
  const verb = argv.find(w => !w.startsWith('-')) ?? '';
  return [verb, dashes < 0 ? '' : (argv[dashes + 1] ?? '')].map(w => basename(w).replace(/[^\w.-]/g, '')).join(' ');
}

/** Beyond this many kinds the words are not verbs any more. */
const MOST_KINDS = 200;

/**
 * Run `entry`, a file of `dist`, and what it imports; `native` loads Node's modules. Compiled code is put into the cache at the end of a
 * command that needed a chunk first, or that was the first of its kind: what it had to compile comes to what was there.
 */
export function run(dist: string, entry: string, native: Require): void {
  const chunks = join(dist, 'chunks');
  const home = podnetHome(process.env);
  const folder = join(home, 'cache', `v8-${process.versions.v8}-${process.arch}`);
  const kinds = (read(join(folder, 'kinds'))?.toString() ?? '').split('\n');
  const kind = kindOf(process.argv.slice(2));
  const modules = new Map<string, Module>();
  const compiled: { name: string; script: Script }[] = [];
  let fresh = !kinds.includes(kind) && kinds.length < MOST_KINDS;

  const compile = (filename: string): Compiled => {
    const name = dirname(filename) === chunks ? basename(filename) : '';
    const cachedData = name ? read(join(folder, name)) : undefined;
    const text = fs.readFileSync(filename, 'latin1');
    // A chunk is a function as it lies there: putting one around a megabyte would copy it.
    const script = new Script(name ? text : `(function (exports, require, module, __filename, __dirname) {${text}\n})`, {
      filename,
      cachedData,
    });
    if (name) {
      fresh ||= !cachedData || script.cachedDataRejected === true;
      compiled.push({ name, script });
    }
    return script.runInThisContext();
  };
  const load = (filename: string): Module => {
    const known = modules.get(filename);
    if (known) return known;
    const module: Module = { exports: {} };
    modules.set(filename, module);
    const folder = dirname(filename);
    compile(filename).call(module.exports, module.exports, requireFrom(folder), module, filename, folder);
    return module;
  };
  const inFolder = new Map<string, Require>();
  /** What is imported late is asked for at every call of it. */
  const requireFrom = (folder: string): Require => {
    const known = inFolder.get(folder);
    if (known) return known;
    const asked = new Map<string, Module>();
    const require: Require = id => {
      if (id[0] !== '.') return native(id);
      let module = asked.get(id);
      if (!module) {
        module = load(join(folder, id));
        asked.set(id, module);
      }
      return module.exports;
    };
    inFolder.set(folder, require);
    return require;
  };

  process.on('exit', () => {
    // A command that left no home (help, an error) does not make one for this.
    if (!fresh || !compiled.length || !fs.existsSync(home)) return;
    const list = kinds.includes(kind) ? kinds : [...kinds, kind];
    keep(folder, [...compiled.map(c => ({ file: c.name, data: c.script.createCachedData() })), { file: 'kinds', data: list.join('\n') }]);
  });
  load(join(dist, entry));
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
