// kubectl kustomize: print what a kustomization makes.

import type { Co } from '../../sim/task.ts';
import { type Cmd, flag, out } from '../command.ts';
import { fail, isFailure } from '../failure.ts';
import { lazy } from '../lazy.ts';

export function* run(cmd: Cmd): Co<number> {
  if (cmd.args.length > 1) fail('specify one path to kustomization.yaml');
  if (flag(cmd, 'output')) fail("podnet's kubectl kustomize prints to standard output only");
  const objects = [...lazy('kustomize').kustomizeObjects(cmd, cmd.args[0] ?? '.')];
  for (const o of objects) if (isFailure(o)) throw o;
  out(cmd, objects.map(o => lazy('yaml').toYaml(o)).join('---\n'));
  return 0;
}
