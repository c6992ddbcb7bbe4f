import type { Co } from '../sim/task.ts';
import type { KubectlHost } from './host.ts';

/**
 * Load what `argv` (without the program's name) needs and return the command, ready to run as a task on `host.sim`.
 * The generator's value is the exit code. Killing the task is Ctrl-C.
 */
export async function prepareKubectl(argv: string[], host: KubectlHost): Promise<Co<number>> {
  await loadFor(argv);
  return kubectl(argv, host);
}

/** Load every verb, so that `kubectl` can be called from within a running simulation. */
export async function loadAllVerbs(): Promise<void> {}

async function loadFor(_argv: string[]): Promise<void> {}

/** The command itself; what it needs must have been loaded (prepareKubectl, loadAllVerbs). */
export function* kubectl(_argv: string[], _host: KubectlHost): Co<number> {
  return 0;
}
