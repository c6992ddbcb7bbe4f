import * as fs from 'node:fs';
import type { Command } from 'commander';
import { runScript, shellPlace } from '../../shell/programs.ts';
import { interactiveShell } from '../interactive.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { runCommand } from '../run.ts';
import { shellHost } from '../shell-host.ts';
import { isTerminal } from '../terminal.ts';

interface Flags {
  c?: string;
  s?: boolean;
}

export function declare(command: Command): void {
  command
    .option('-c <script>', 'run this script; the arguments are its $0, $1 …')
    .option('-s', 'read the script from standard input; the arguments are its $1, $2 …')
    .argument('[args...]', 'a file with the script, and its $1, $2 …; without a file, standard input is read')
    .passThroughOptions()
    .action(async (args: string[], flags: Flags) => {
      const argv = wordsOf(args, flags);
      if (typeof argv === 'number') return ended(argv);
      const reads = argv[1] === '-s';
      ended(
        await runCommand(
          {
            time: 'settle',
            engine: true,
            patienceMs: 300_000,
            shared: !reads || !isTerminal(0) || !isTerminal(1),
            prepare: async (machine, streams) => {
              const tty = streams.stdin.tty && streams.stdout.tty;
              if (tty && reads) return await interactiveShell(machine, streams, process.env, argv);
              const at = shellPlace(await shellHost(machine, streams, process.env));
              return runScript(at, argv, { ...streams, tty });
            },
          },
          process.env,
          opener(),
        ),
      );
    });
}

/** What bash is called with; or the exit code, when the file with the script cannot be read: bash's own words and codes. */
function wordsOf(words: string[], flags: Flags): string[] | number {
  const args = words[0] === '-' ? words.slice(1) : words;
  if (flags.c !== undefined) return ['bash', '-c', flags.c, ...args];
  if (flags.s || !args.length) return ['bash', '-s', ...args];
  try {
    return ['bash', '-c', fs.readFileSync(args[0], 'utf8'), ...args];
  } catch (e) {
    const [code, text] = REFUSED[(e as NodeJS.ErrnoException).code ?? ''] ?? [126, (e as Error).message];
    process.stderr.write(`bash: ${args[0]}: ${text}\n`);
    return code;
  }
}

const REFUSED: Record<string, [code: number, text: string]> = {
  ENOENT: [127, 'No such file or directory'],
  ENOTDIR: [126, 'Not a directory'],
  EISDIR: [126, 'Is a directory'],
  EACCES: [126, 'Permission denied'],
};
