// kubectl options.

import type { Co } from '../../sim/task.ts';
import { type Cmd, out } from '../command.ts';
import { lazy } from '../lazy.ts';

export function* run(cmd: Cmd): Co<number> {
  out(cmd, `The following options can be passed to any command:\n\n${lazy('help').flagBlock('', cmd.host.env.HOME ?? '/root')}`);
  return 0;
}
