import type { Cmd } from './command.ts';
import { fail } from './failure.ts';

export const rawGet = (_cmd: Cmd, _path: string): string => fail('not here yet');
