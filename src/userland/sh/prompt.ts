// What the backslashes of a prompt stand for.
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Shell } from './types.ts';
import { getParam, hostnameOf } from './vars.ts';

function userName(sh: Shell): string {
  const passwd = readFile(sh.p.fs, '/etc/passwd', sh.p);
  const lines = typeof passwd === 'string' ? [] : bytesToString(passwd).split('\n');
  return lines.find(l => l.split(':')[2] === String(sh.p.uid))?.split(':')[0] ?? (sh.p.uid === 0 ? 'root' : 'I have no name!');
}

export function expandPrompt(sh: Shell, text: string): string {
  if (sh.kind === 'dash') return text;
  const home = getParam(sh, 'HOME');
  const cwd = home && home !== '/' && (sh.p.cwd === home || sh.p.cwd.startsWith(`${home}/`)) ? `~${sh.p.cwd.slice(home.length)}` : sh.p.cwd;
  return text.replace(/\\([uhHwW$n\\[\]e])/g, (_, c) => {
    switch (c) {
      case 'u':
        return userName(sh);
      case 'h':
        return hostnameOf(sh).split('.')[0];
      case 'H':
        return hostnameOf(sh);
      case 'w':
        return cwd;
      case 'W':
        return cwd === '~' ? '~' : cwd.slice(cwd.lastIndexOf('/') + 1) || '/';
      case '$':
        return sh.p.uid === 0 ? '#' : '$';
      case 'n':
        return '\n';
      case 'e':
        return '\x1b';
      case '\\':
        return '\\';
      default:
        return '';
    }
  });
}
