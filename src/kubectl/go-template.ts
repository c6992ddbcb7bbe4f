import type { Cmd } from './command.ts';
import { fail } from './failure.ts';
import type { Printer } from './print-flags.ts';

export const templatePrinter = (_cmd: Cmd, _text: string, _allowMissing: boolean): Printer => fail('not here yet');
