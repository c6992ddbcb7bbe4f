// kubectl top: there is no metrics server (k8s.io/kubectl v0.36.3, pkg/cmd/top).

import type { Co } from '../../sim/task.ts';
import { type Cmd, connect, flag, usageError } from '../command.ts';
import { fail } from '../failure.ts';

export function* run(cmd: Cmd): Co<number> {
  if (cmd.args.length > 1) usageError(cmd, cmd.args.join(' '));
  const sort = flag(cmd, 'sort-by');
  if (sort && sort !== 'cpu' && sort !== 'memory') fail('--sort-by accepts only cpu or memory');
  if (cmd.args.length && (flag(cmd, 'selector') || flag(cmd, 'field-selector'))) fail('only one of NAME or selector can be provided');
  connect(cmd);
  return fail('Metrics API not available');
}
