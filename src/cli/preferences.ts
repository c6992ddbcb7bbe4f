// The user's kuberc, read before a command line is looked at: an alias says which verb it is.
import * as fs from 'node:fs';
import { errorText, isFailure } from '../kubectl/failure.ts';
import type { FileError } from '../kubectl/host.ts';
import { withPreferences } from '../kubectl/preferences.ts';

function readFile(path: string): Uint8Array | FileError {
  try {
    return new Uint8Array(fs.readFileSync(path));
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code;
    return code === 'EACCES' || code === 'EISDIR' || code === 'EIO' ? code : 'ENOENT';
  }
}

/** Runs `command` with the user's aliases and defaults in its words. -> its exit code */
export async function preferring(argv: string[], env: NodeJS.ProcessEnv, command: (argv: string[]) => Promise<number>): Promise<number> {
  let words: string[];
  try {
    words = await withPreferences(argv, { env, readFile, warn: text => void process.stderr.write(text) });
  } catch (e) {
    if (!isFailure(e)) throw e;
    process.stderr.write(errorText(e));
    return e.code;
  }
  return command(words);
}
