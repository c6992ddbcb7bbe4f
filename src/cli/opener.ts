// Where a command finds its machine: the session, or one made for this command alone.
import { type Machine, openMachine } from './machine.ts';

type Opener = (env: NodeJS.ProcessEnv) => Promise<Machine>;

let current: Opener = openMachine;

export const opener = (): Opener => current;

export function setOpener(open: Opener): void {
  current = open;
}
