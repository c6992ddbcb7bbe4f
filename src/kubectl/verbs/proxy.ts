// kubectl proxy.

import type { Co } from '../../sim/task.ts';
import type { Cmd } from '../command.ts';
import { fail } from '../failure.ts';

export function* run(_cmd: Cmd): Co<number> {
  return fail('podnet does not model kubectl proxy: "podnet serve" is the API over HTTPS, kubectl get --raw PATH asks it once');
}
