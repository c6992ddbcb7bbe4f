// klog's header: date, time, process.

import { civilTime } from '../sim/time.ts';
import type { Cmd } from './command.ts';

export function klogTime(cmd: Cmd): string {
  const c = civilTime(cmd.host.sim.nowMs);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(c.month)}${two(c.day)} ${two(c.hour)}:${two(c.minute)}:${two(c.second)}.${String(Math.floor(c.ms * 1000)).padStart(6, '0')}       1`;
}
