// podnet's own commands are commander's: only the one that was asked for is declared.
import { Command } from 'commander';
import type { CommandRow } from './commands.ts';

let exitCode = 0;

/** A command's action reports its exit code here. */
export function ended(code: number): void {
  exitCode = code;
}

export async function runOwn(row: CommandRow, argv: string[]): Promise<number> {
  const program = new Command('podnet');
  const command = new Command(row.name).description(row.summary);
  (await row.load()).declare(command);
  program.enablePositionalOptions().exitOverride().addCommand(command);
  command.exitOverride();
  for (const sub of command.commands) sub.exitOverride();
  try {
    await program.parseAsync([row.name, ...argv], { from: 'user' });
  } catch (e) {
    const { code, exitCode: asked } = e as { code?: string; exitCode?: number };
    if (code?.startsWith('commander.')) return asked ?? 1;
    throw e;
  }
  return exitCode;
}
