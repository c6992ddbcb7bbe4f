// Whether a descriptor is a terminal. node:tty brings node:net with it, a tenth of a short command's time: it is asked only of devices
// that could be one.
import * as fs from 'node:fs';
import { builtin } from './builtin.ts';

export function isTerminal(fd: number): boolean {
  const device = deviceOf(() => fs.fstatSync(fd));
  if (device === null || device === deviceOf(() => fs.statSync(process.platform === 'win32' ? '\\\\.\\nul' : '/dev/null'))) return false;
  return builtin<typeof import('node:tty')>('node:tty').isatty(fd);
}

/** The number of a character device; null: it is none, or is closed. */
function deviceOf(stat: () => fs.Stats): number | null {
  try {
    const s = stat();
    return s.isCharacterDevice() ? s.rdev : null;
  } catch {
    return null;
  }
}
