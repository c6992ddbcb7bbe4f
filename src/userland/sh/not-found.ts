// What a shell says of a command that cannot be run.
import { strerror } from '../../linux/process.ts';
import type { Errno } from '../../linux/types.ts';
import { absolute, lookup } from '../../linux/vfs.ts';
import { fail, say } from './messages.ts';
import { bashLike, type Shell } from './types.ts';

/** Each shell's words for a command that cannot be run. -> status */
export function notFound(sh: Shell, name: string, e: Errno): number {
  const node = name.includes('/') ? lookup(sh.p.fs, absolute(name, sh.p.cwd), sh.p) : 'ENOENT';
  const dir = typeof node !== 'string' && node.kind === 'dir';
  if (e === 'ENOENT' || e === 'ENOTDIR') {
    if (sh.kind === 'zsh')
      say(
        sh,
        2,
        `${sh.interactive ? 'zsh' : `zsh:${sh.line}`}: ${name.includes('/') ? 'no such file or directory' : 'command not found'}: ${name}\n`,
      );
    else if (bashLike(sh)) fail(sh, `${name}: ${name.includes('/') ? strerror(e) : 'command not found'}`);
    else fail(sh, `${name}: not found`);
    return 127;
  }
  fail(sh, `${name}: ${dir && bashLike(sh) ? 'Is a directory' : strerror(e)}`);
  return 126;
}
