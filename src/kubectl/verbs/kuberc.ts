// kubectl kuberc: preferences that podnet does not read.

import type { Co } from '../../sim/task.ts';
import type { Cmd } from '../command.ts';
import { fail } from '../failure.ts';

export function* run(_cmd: Cmd): Co<number> {
  return fail("podnet's kubectl reads no kuberc file");
}
