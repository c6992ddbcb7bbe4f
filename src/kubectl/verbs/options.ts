// kubectl options.

import type { Co } from '../../sim/task.ts';
import { type Cmd, out } from '../command.ts';
import { KLOG_USAGE } from '../flags.ts';
import { lazy } from '../lazy.ts';

/** klog's, which live among the others. */
const KLOG = (
  [
    ['log-flush-frequency', '--log-flush-frequency=5s'],
    ['v', '-v, --v=0'],
    ['version', '--version=false'],
    ['vmodule', '--vmodule='],
  ] as const
).map(([name, head]) => [`--${name}`, `    ${head}:\n\t${KLOG_USAGE[name]}\n`]);

export function* run(cmd: Cmd): Co<number> {
  const own = KLOG.map(([name]) => name);
  const blocks = lazy('help')
    .flagBlock('', cmd.host.env)
    .split(/\n\n(?= {4})/)
    .map(b => [/--[a-z-]+/.exec(b)?.[0] ?? '', b.replace(/\n*$/, '\n')])
    .filter(([name]) => !own.includes(name));
  const all = [...blocks, ...KLOG].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  out(cmd, `The following options can be passed to any command:\n\n${all.map(b => `${b[1]}\n`).join('')}`);
  return 0;
}
