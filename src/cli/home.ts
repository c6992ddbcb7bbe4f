import { join } from 'node:path';
import { builtin } from './builtin.ts';

/** Where everything that podnet keeps lies: nothing is written outside of it. */
export function podnetHome(env: NodeJS.ProcessEnv): string {
  const homedir = () => env.HOME ?? builtin<typeof import('node:os')>('node:os').homedir();
  if (env.PODNET_HOME) return env.PODNET_HOME;
  if (process.platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'podnet');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'podnet');
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'podnet');
}
