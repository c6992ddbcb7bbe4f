import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where everything that podnet keeps lies: nothing is written outside of it. */
export function podnetHome(env: NodeJS.ProcessEnv): string {
  if (env.PODNET_HOME) return env.PODNET_HOME;
  if (process.platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'podnet');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'podnet');
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'podnet');
}
