// Commands that podnet's kubectl does not have.

import type { Co } from '../../sim/task.ts';
import type { Cmd } from '../command.ts';
import { fail } from '../failure.ts';

export function* run(cmd: Cmd): Co<number> {
  return fail(`podnet's kubectl has no "${cmd.path}"`);
}
