// A shell of the simulation in the user's terminal: keys become lines, ^C reaches what runs in the foreground, and a program that wants the
// raw keys (kubectl exec -it) gets them.
import { kill } from '../linux/process.ts';
import { lineDiscipline } from '../linux/tty.ts';
import type { Process } from '../linux/types.ts';
import { runScript, type ScriptIo, shellPlace } from '../shell/programs.ts';
import { newPipe, writePipe } from '../sim/pipe.ts';
import type { Co } from '../sim/task.ts';
import type { Machine } from './machine.ts';
import { shellHost } from './shell-host.ts';
import type { Streams } from './streams.ts';

/** What a process waits for, and what that waits for, and so on; the shell itself last: it only gives up the line that is typed. */
function interruptForeground(p: Process, name: string): void {
  for (const child of [...p.children]) if (child.awaited) interruptForeground(child, name);
  kill(p, name);
}

/** bash over `machine`, for the person at this terminal, until it ends. */
export async function interactiveShell(
  machine: Machine,
  streams: Streams,
  env: NodeJS.ProcessEnv,
  argv: string[],
  vars?: Map<string, string>,
): Promise<Co<number>> {
  let raw = false;
  let shell: Process | null = null;
  const stdin = newPipe({ tty: true });
  const discipline = lineDiscipline({
    program: stdin,
    echo: text => void writePipe(streams.stdout, text),
    signal: name => {
      if (shell) interruptForeground(shell, name);
    },
  });
  // Node gives the terminal back at the end of the process.
  process.stdin.setRawMode(true);
  streams.stdin = newPipe({ tty: true, sink: chunk => (raw ? void writePipe(stdin, chunk) : discipline(chunk)) });
  streams.asks = () => stdin.readers.size > 0;
  const host = await shellHost(machine, streams, env, on => {
    raw = on;
  });
  const io: ScriptIo = {
    stdin,
    stdout: streams.stdout,
    stderr: streams.stderr,
    tty: true,
    started: p => {
      shell = p;
    },
  };
  return runScript(shellPlace(host), argv, io, vars);
}
