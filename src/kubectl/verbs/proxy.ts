// kubectl proxy.

import type { Co } from '../../sim/task.ts';
import type { Cmd } from '../command.ts';
import { fail } from '../failure.ts';

export function* run(_cmd: Cmd): Co<number> {
  return fail("podnet's API server has no HTTP address on this machine for kubectl proxy to pass on; use kubectl get --raw PATH");
}
