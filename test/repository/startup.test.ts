// What a `kubectl get` loads before it can answer: modules that it does not need would cost every short command their start.
import * as fs from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(__dirname, '../../src');

/** Modules and packages imported by statement, not by `import()` and not for types only. */
function loadedBy(files: string[]): { modules: string[]; packages: string[] } {
  const modules = new Set<string>();
  const packages = new Set<string>();
  const todo = files.map(f => join(SRC, f));
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    const name = relative(SRC, file);
    if (modules.has(name)) continue;
    modules.add(name);
    const statements = fs.readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)'/gm);
    for (const [, target] of statements) {
      if (target.startsWith('.')) todo.push(resolve(dirname(file), target));
      else packages.add(target);
    }
  }
  return { modules: [...modules].sort(), packages: [...packages].sort() };
}

const get = loadedBy(['cli/kubectl.ts', 'kubectl/verbs/get.ts']);

describe('kubectl get', () => {
  it('loads rooms of its own only', () => {
    const rooms = new Set(get.modules.map(m => m.split('/')[0]));
    expect([...rooms].sort()).toEqual(['apiserver', 'cli', 'kubectl', 'sim']);
  });

  it('loads neither the writing half of the API server nor readers and writers of YAML nor other verbs', () => {
    expect(get.modules).toContain('apiserver/read.ts');
    expect(get.modules).toContain('cli/session.ts');
    const others = get.modules.filter(m =>
      /^(apiserver\/(server|write|decode|schema|kinds|explain|patch)|kubectl\/(describe|yaml|help|generators|manifest|go-template))/.test(
        m,
      ),
    );
    expect(others).toEqual([]);
    expect(get.modules.filter(m => m.startsWith('kubectl/verbs/'))).toEqual(['kubectl/verbs/get.ts']);
  });

  it('loads no package and only what node has loaded itself', () => {
    expect(get.packages.filter(p => !['node:fs', 'node:path'].includes(p))).toEqual([]);
  });

  it('stays small', () => {
    const bytes = get.modules.reduce((n, m) => n + fs.statSync(join(SRC, m)).size, 0);
    expect(get.modules.length).toBeLessThan(70);
    expect(bytes).toBeLessThan(400_000);
  });
});
