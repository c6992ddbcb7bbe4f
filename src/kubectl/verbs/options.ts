// kubectl options.

import type { Co } from '../../sim/task.ts';
import { type Cmd, out } from '../command.ts';
import { lazy } from '../lazy.ts';

/** klog's, which live among the others. */
const KLOG = [
  ['--log-flush-frequency', '    --log-flush-frequency=5s:\n\tMaximum number of seconds between log flushes\n'],
  ['--v', '    -v, --v=0:\n\tnumber for the log level verbosity\n'],
  [
    '--version',
    '    --version=false:\n\t--version, --version=raw prints version information and quits; --version=vX.Y.Z... sets the reported version\n',
  ],
  [
    '--vmodule',
    '    --vmodule=:\n\tcomma-separated list of pattern=N settings for file-filtered logging (only works for the default text log format)\n',
  ],
];

export function* run(cmd: Cmd): Co<number> {
  const own = KLOG.map(([name]) => name);
  const blocks = lazy('help')
    .flagBlock('', cmd.host.env.HOME ?? '/root')
    .split(/\n\n(?= {4})/)
    .map(b => [/--[a-z-]+/.exec(b)?.[0] ?? '', b.replace(/\n*$/, '\n')])
    .filter(([name]) => !own.includes(name));
  const all = [...blocks, ...KLOG].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  out(cmd, `The following options can be passed to any command:\n\n${all.map(b => `${b[1]}\n`).join('')}`);
  return 0;
}
