// kubectl plugin list (k8s.io/kubectl v0.36.3, pkg/cmd/plugin): podnet runs no plugins.

import type { Co } from '../../sim/task.ts';
import type { Cmd } from '../command.ts';
import { fail } from '../failure.ts';

export function* run(_cmd: Cmd): Co<number> {
  return fail('unable to find any kubectl plugins in your PATH');
}
