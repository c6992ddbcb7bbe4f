// klog's header: date, time, process.

import { klogStamp } from '../sim/time.ts';
import type { Cmd } from './command.ts';

export function klogTime(cmd: Cmd): string {
  return `${klogStamp(Math.floor(cmd.host.sim.nowMs))}       1`;
}
