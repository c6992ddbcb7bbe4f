// kubectl plugin list (k8s.io/kubectl v0.36.3, pkg/cmd/plugin): which there are. podnet runs none of them.

import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, err, out } from '../command.ts';
import { fail } from '../failure.ts';

export function* run(cmd: Cmd): Co<number> {
  const { host } = cmd;
  const found: string[] = [];
  const seen = new Map<string, string>();
  let warnings = 0;
  for (const dir of new Set((host.env.PATH ?? '').split(':').filter(d => d.trim()))) {
    const names = host.listDir(dir);
    if (typeof names === 'string') {
      const why = names === 'ENOENT' ? 'no such file or directory' : 'permission denied';
      err(cmd, `Unable to read directory ${JSON.stringify(dir)} from your PATH: open ${dir}: ${why}. Skipping...\n`);
      continue;
    }
    for (const name of names) {
      const path = `${dir}/${name}`;
      const file = host.stat(path);
      if (!name.startsWith('kubectl-') || typeof file === 'string' || file.directory) continue;
      if (!found.length) out(cmd, 'The following compatible plugins are available:\n\n');
      found.push(path);
      out(cmd, `${bool(cmd, 'name-only') ? name : path}\n`);
      const why = problem(path, name, (file.mode & 0o111) !== 0, seen);
      if (why) {
        err(cmd, `  - ${why}\n`);
        warnings++;
      }
      if (!seen.has(name)) seen.set(name, path);
    }
  }
  if (!found.length) return fail('unable to find any kubectl plugins in your PATH');
  if (warnings) return fail(warnings === 1 ? 'one plugin warning was found' : `${warnings} plugin warnings were found`);
  return 0;
}

function problem(path: string, name: string, executable: boolean, seen: Map<string, string>): string {
  if (!executable) return `warning: ${path} identified as a kubectl plugin, but it is not executable`;
  const first = seen.get(name);
  return first ? `warning: ${path} is overshadowed by a similarly named plugin: ${first}` : '';
}
