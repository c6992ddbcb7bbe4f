// kubectl completion (k8s.io/kubectl v0.36.3, pkg/cmd/completion).

import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { type Cmd, out, usageError } from '../command.ts';
import { SCRIPTS } from '../help/completion-scripts.ts';

export function* run(cmd: Cmd): Co<number> {
  if (!cmd.args.length) usageError(cmd, 'Shell not specified.');
  if (cmd.args.length > 1) usageError(cmd, 'Too many arguments. Expected only the shell type.');
  const script = SCRIPTS[cmd.args[0]];
  if (script === undefined) usageError(cmd, `Unsupported shell type ${goQuote(cmd.args[0])}.`);
  out(cmd, script);
  return 0;
}
