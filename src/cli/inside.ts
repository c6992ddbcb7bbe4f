// podnet's own commands inside of a podnet shell: the same words, over the shell's machine and clock.
import { Command } from 'commander';
import { complain, print } from '../linux/process.ts';
import type { Process } from '../linux/types.ts';
import type { Co } from '../sim/task.ts';
import * as fault from './commands/fault.ts';
import * as trace from './commands/trace.ts';
import type { Inside } from './commands.ts';
import type { Machine } from './machine.ts';
import { SessionError } from './session.ts';

const COMMANDS: Record<string, Inside> = { fault: fault.inside, trace: trace.inside };

/** `p`'s arguments are `podnet NAME …`. null: it cannot be run here */
export function ownCommand(machine: Machine, p: Process): Co<number> | null {
  const own = COMMANDS[p.argv[1] ?? ''];
  return own ? runOwnInside(own, machine, p) : null;
}

function* runOwnInside(own: Inside, machine: Machine, p: Process): Co<number> {
  let task: Co<number> | null = null;
  const command = own
    .words(new Command(`podnet ${p.argv[1]}`))
    .exitOverride()
    .configureOutput({ writeOut: text => void print(p, text), writeErr: text => void complain(p, text) })
    .action((...args: any[]) => {
      task = own.run(machine, args, p);
    });
  try {
    command.parse(p.argv.slice(2), { from: 'user' });
  } catch (e) {
    const { code, exitCode } = e as { code?: string; exitCode?: number };
    if (e instanceof SessionError) complain(p, `podnet: ${e.message}\n`);
    else if (!code?.startsWith('commander.')) throw e;
    return exitCode ?? 1;
  }
  return task ? yield* task as Co<number> : 0;
}
