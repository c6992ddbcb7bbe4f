// V8's compiled code, kept under podnet's home as Python keeps __pycache__: most of a short command's time is compiling the chunks it loads.
// A chunk's name has the hash of its text in it, so what is kept never gets stale; V8 itself refuses another version's or a torn file.
import * as fs from 'node:fs';
import Module from 'node:module';
import { dirname, join, sep } from 'node:path';
import { Script } from 'node:vm';
import { podnetHome } from './home.ts';

interface Compiling {
  exports: unknown;
  require: (id: string) => unknown;
}

type Compile = (this: Compiling, content: string, filename: string) => unknown;

/** From here on `dist`'s chunks are taken from the cache, and put into it at the end of the command that needed them first. */
export function useCodeCache(dist: string): void {
  const chunks = join(dist, 'chunks') + sep;
  const home = podnetHome(process.env);
  const folder = join(home, 'cache', `v8-${process.versions.v8}-${process.arch}`);
  const fresh: { file: string; script: Script }[] = [];
  const prototype = (Module as unknown as { prototype: { _compile: Compile } }).prototype;
  const original = prototype._compile;
  prototype._compile = function (content, filename) {
    if (!filename.startsWith(chunks)) return original.call(this, content, filename);
    const file = join(folder, filename.slice(chunks.length));
    const cachedData = read(file);
    const script = new Script(Module.wrap(content), { filename, cachedData });
    if (!cachedData || script.cachedDataRejected) fresh.push({ file, script });
    const run = script.runInThisContext();
    return run.call(this.exports, this.exports, (id: string) => this.require(id), this, filename, dirname(filename));
  };
  process.on('exit', () => {
    // A command that left no home (help, an error) does not make one for this.
    if (fresh.length && fs.existsSync(home)) keep(folder, fresh);
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
function keep(folder: string, fresh: { file: string; script: Script }[]): void {
  try {
    fs.mkdirSync(folder, { recursive: true });
    for (const { file, script } of fresh) {
      const temporary = `${file}.${process.pid}`;
      fs.writeFileSync(temporary, script.createCachedData());
      fs.renameSync(temporary, file);
    }
  } catch {
    // A read-only installation, or a full disk.
  }
}
